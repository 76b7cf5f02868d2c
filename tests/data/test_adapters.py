"""torch's and Hugging Face's data sets become ours, and what cannot says what to do."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch.utils import data as torch_data

from narrows.data import DataError, OnDisk, from_dataset, load_data
from narrows.data import on_disk as disk

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (5, 6, 4, 3), dtype=np.uint8)


class Pictures(torch_data.Dataset):
    """Like torchvision's ImageFolder: a Pillow image and a label."""

    def __init__(self, images, labels):
        self.images, self.labels = images, labels

    def __len__(self):
        return len(self.images)

    def __getitem__(self, place):
        return self.images[place], self.labels[place]


class Rows(list):
    """Like a Hugging Face data set: rows that are mappings, and features that know the names of classes."""

    def __init__(self, rows, names=None):
        super().__init__(rows)
        self.features = {"label": type("ClassLabel", (), {"names": names})() if names else object()}


def images(arrays=NOISE):
    return [Image.fromarray(array) for array in arrays]


def test_tensors_with_labels():
    x = torch.randn(5, 3, 6, 4, requires_grad=True)
    data = load_data(torch_data.TensorDataset(x, torch.arange(5)))
    assert data.name == "TensorDataset"
    np.testing.assert_array_equal(data.X, x.detach().permute(0, 2, 3, 1))
    assert data.X.dtype == np.float32
    assert data.y.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((7,), (7,)),
        ((6, 4), (6, 4)),
        ((1, 6, 4), (6, 4)),
        ((2, 6, 5), (6, 5, 2)),
        ((4, 6, 5), (6, 5, 4)),
        ((7, 6, 5), (6, 5, 7)),
        ((6, 5, 3), (6, 5, 3)),
    ],
)
def test_shapes_of_tensors(shape, expected):
    data = from_dataset(torch_data.TensorDataset(torch.zeros(3, *shape)), name="zeros")
    assert data.name == "zeros"
    assert data.X.shape == (3, *expected)
    assert data.y is None


def test_the_order_of_many_channels():
    x = torch.arange(2.0 * 7 * 6 * 5).reshape(2, 7, 6, 5)
    np.testing.assert_array_equal(load_data(torch_data.TensorDataset(x)).X, x.permute(0, 2, 3, 1))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([1, None, 2, 1, 1], ["1", "unlabelled", "2", "1", "1"]),
        ([1.0, 2.0, 1.0, 2.0, 1.0], [1, 2, 1, 2, 1]),
        ([0.5, 2.0, 1.0, 2.0, 1.0], None),
        ([b"a", b"b", b"a", b"b", "a"], ["a", "b", "a", "b", "a"]),
        (torch.tensor([[1], [2], [1], [2], [1]]), [1, 2, 1, 2, 1]),
        ([True, False, True, True, False], [True, False, True, True, False]),
    ],
    ids=str,
)
def test_labels_of_any_type(labels, expected):
    data = load_data(Pictures(images(), labels))
    assert (None if data.y is None else data.y.tolist()) == expected
    assert bool(data.notes) == (expected is None)


def test_subsets_lists_and_arrays():
    rows = [[1.0, 2.0], [3.0, 4.0]]
    for source in (rows, np.array(rows), pd.DataFrame(rows), [np.array(row) for row in rows]):
        np.testing.assert_array_equal(load_data(source).X, rows)
    subset = torch_data.Subset(torch_data.TensorDataset(torch.arange(8.0)[:, None]), [5, 2])
    assert load_data(subset).X.tolist() == [[5], [2]]
    np.testing.assert_array_equal(load_data([(x, "a") for x in NOISE]).X, NOISE)  # arrays are channels last already


def test_pictures_become_bytes_and_are_scaled():
    data = load_data(Pictures(images(), list("abcab")))
    np.testing.assert_array_equal(data.X, NOISE)
    assert data.y.tolist() == list("abcab")
    assert load_data(Pictures(images(), list("abcab")), size=3, fit="pad").X.shape == (5, 3, 3, 3)
    assert load_data(Pictures(images(), list("abcab")), like=(8, 9)).X.shape == (5, 8, 9)
    mixed = load_data([Image.fromarray(NOISE[0, ..., 0]), *images()])
    np.testing.assert_array_equal(mixed.X[0], NOISE[0][..., [0, 0, 0]])


@pytest.mark.parametrize("column", ["image", "img", "scan"])
@pytest.mark.parametrize("label", ["label", "labels", "y", "fine_label"])
def test_rows_that_are_mappings(column, label):
    rows = Rows([{"id": "x", label: k, column: picture} for k, picture in enumerate(images())])
    data = load_data(rows)
    np.testing.assert_array_equal(data.X, NOISE)
    assert data.y.tolist() == [0, 1, 2, 3, 4]


def test_names_of_classes_and_missing_labels():
    rows = [{"image": picture, "label": k} for k, picture in zip([1, 0, -1, 1, None], images(), strict=True)]
    assert load_data(Rows(rows, ["cat", "dog"])).y.tolist() == ["dog", "cat", "unlabelled", "dog", "unlabelled"]
    assert load_data(Rows([{**row, "label": -1} for row in rows], ["cat"])).y is None
    assert load_data(Rows([{"image": row["image"]} for row in rows])).y is None


@pytest.mark.filterwarnings("ignore")  # the library's own
def test_a_hugging_face_data_set():
    hub = pytest.importorskip("datasets")
    features = hub.Features({"image": hub.Image(), "label": hub.ClassLabel(names=["cat", "dog"])})
    rows = {"image": [hub.Image().encode_example(each) for each in images()], "label": [0, 1, 1, 0, 1]}
    table = hub.table.InMemoryTable.from_pydict(rows, schema=features.arrow_schema)
    dataset = hub.Dataset(table, fingerprint="images")  # from_dict takes one by dill, which some pyarrows break
    data = load_data(dataset)
    np.testing.assert_array_equal(data.X, NOISE)
    assert data.y.tolist() == ["cat", "dog", "dog", "cat", "dog"]
    np.testing.assert_array_equal(load_data(dataset.with_format("torch")).X, NOISE)
    for form in (None, "torch", "numpy", "polars", "pandas", "arrow"):
        formatted = dataset.with_format(form)
        streams = [formatted.to_iterable_dataset()] if form is None or hasattr(hub, "List") else []  # from 4.0 on
        for given in (formatted, *streams):
            data = load_data(given, count=4)
            np.testing.assert_array_equal(data.X, NOISE[:4])
            assert data.y.tolist() == ["cat", "dog", "dog", "cat"]
    np.testing.assert_array_equal(load_data(dataset["image"]).X, NOISE)
    np.testing.assert_array_equal(load_data(dataset[1:4]).X, NOISE[1:4])
    np.testing.assert_array_equal(load_data(dataset.with_format("pandas")[:4]).X, NOISE[:4])
    with pytest.raises(DataError, match=r"has no length or no index\); say how many .* count="):
        load_data(dataset.to_iterable_dataset())
    with pytest.raises(DataError, match=r"DatasetDict of 'train', 'test' is several .* such as dataset\['train'\]\n"):
        load_data(hub.DatasetDict(train=dataset, test=dataset))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", [None, "torch", "numpy", "polars", "pandas"])
def test_hugging_face_s_vectors_have_the_type_that_the_set_says(form):
    hub = pytest.importorskip("datasets")
    vectors = np.arange(12, dtype=np.float32).reshape(4, 3) / 7
    features = hub.Features(
        {
            "v": getattr(hub, "List", hub.Sequence)(hub.Value("float32")),
            "label": hub.Value("string"),
            "id": hub.Value("int8"),
        }
    )
    rows = {"v": vectors.tolist(), "label": list("abab"), "id": [1, 2, 3, 4]}
    table = hub.table.InMemoryTable.from_pydict(rows, schema=features.arrow_schema)
    data = load_data(hub.Dataset(table, fingerprint="vectors").with_format(form))
    assert data.X.dtype == np.float32
    np.testing.assert_array_equal(data.X, vectors)
    assert data.y.tolist() == list("abab")
    assert data.notes == ("column 'v' was taken for the examples; left out: id",)


def test_examples_that_are_none_are_left_out_and_counted():
    rows = Rows([{"image": picture, "label": k} for k, picture in enumerate([None, *images(), None])])
    data = load_data(rows)
    np.testing.assert_array_equal(data.X, NOISE)
    assert data.y.tolist() == [1, 2, 3, 4, 5]
    assert data.notes == ("2 examples without a value left out, first 0",)
    with pytest.raises(DataError, match="no examples but None"):
        load_data(Rows([{"image": None}]))


def test_streams_are_read_to_a_count_and_onto_the_disk(monkeypatch):
    monkeypatch.setattr(disk, "LARGE", 100)
    told = []
    data = load_data(Stream(), count=50, progress=lambda *numbers: told.append(numbers))
    assert isinstance(data.X, OnDisk)
    np.testing.assert_array_equal(data.X[:], np.arange(200).reshape(100, 2)[:50])
    assert told[-1] == (50, 50)
    assert len(load_data(Stream(), count=1000).X) == 100  # all there are
    assert len(load_data((x for x in NOISE), count=2).X) == 2
    assert len(load_data(list(NOISE), count=3).X) == 3
    mixed = [Image.fromarray(NOISE[0, ..., 0]), *images()]
    with pytest.raises(DataError, match="a generator can be read only once"):
        load_data((x for x in mixed), count=6)
    with pytest.raises(DataError, match=r"count=3 is for data sets in memory and streams; 'digits' is read whole"):
        load_data("digits", count=3)


@pytest.mark.parametrize("make", [np.asarray, torch.tensor, list, pd.Series])
def test_a_batch_of_columns_is_one_data_set(make):
    rows = np.arange(6.0).reshape(3, 2)
    given = [*rows] if make is pd.Series else rows.tolist() if make is list else rows
    data = load_data({"x": make(given), "label": ["a", "b", "a"]})
    np.testing.assert_array_equal(data.X, rows)
    assert data.y.tolist() == ["a", "b", "a"]


def test_bfloat16_becomes_32_bit_floats():
    x = torch.randn(5, 3)
    X = load_data(torch_data.TensorDataset(x.bfloat16())).X
    assert X.dtype == np.float32
    np.testing.assert_array_equal(X, x.bfloat16().float())


def test_reading_tells_how_far_it_is():
    for source, options in (
        (Pictures(images(), range(5)), {"size": 4}),
        (torch_data.TensorDataset(torch.zeros(5, 2)), {}),
    ):
        told = []
        load_data(source, progress=lambda *numbers, told=told: told.append(numbers), **options)
        assert told == [(done, 5) for done in range(6)]


def test_many_examples_go_to_disk(monkeypatch):
    monkeypatch.setattr(disk, "LARGE", 100)
    data = load_data(torch_data.TensorDataset(torch.arange(200.0).reshape(50, 4)))
    assert isinstance(data.X, OnDisk)
    np.testing.assert_array_equal(data.X[:], np.arange(200).reshape(50, 4))


class Stream(torch_data.IterableDataset):
    def __iter__(self):
        return iter(torch.arange(200).reshape(100, 2))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Stream(), r"Stream cannot be counted .*count=10_000"),
        ({"train": [{}], "test": [{}]}, r"of 'train', 'test' is several data sets; give one"),
        ({"age": [1], "city": ["Brno"]}, r"of 'age', 'city' holds neither images nor arrays; if it is a table"),
        ({"x": [[1.0]], "z": [[1.0]]}, "which of the columns x, z holds the image"),
        (torch_data.DataLoader([torch.zeros(2)]), "a DataLoader gives batches, not examples; give its data set"),
        ([], "list is empty"),
        ({1, 2}, "no examples by index"),
        (3, "int has no examples by index"),
        ([torch.zeros(3, 5, 5), torch.zeros(3, 5, 6)], r"float32 \(5, 5, 3\) and float32 \(5, 6, 3\)"),
        ([torch.zeros(2), torch.zeros(2, dtype=torch.int64)], r"float32 \(2,\) and int64 \(2,\)"),
        ([*images(), Image.new("RGB", (9, 9))], r"differ in shape: \(6, 4, 3\) and \(9, 9, 3\); scale .*--size"),
        ([*images(), np.zeros((6, 4, 3))], "an image and float64"),
        ([np.zeros((6, 4, 3)), *images()], "float64 .* and an image"),
        ([np.ma.masked_equal(np.arange(4.0), 2)], r"an example has 1 of 4 values masked, first at \(2,\)"),
        (
            np.ma.masked_less(np.arange(12.0).reshape(3, 2, 2), 2),
            r"MaskedArray has 2 of 12 values masked, first at \(0, 0, 0\)",
        ),
        ([torch.zeros(1, 2, 3, 4)], r"shape \(1, 1, 2, 3, 4\)"),
        ([(torch.zeros(3), {"box": 1})], "label of example 0 is a dict"),
        ([(torch.zeros(3), torch.zeros(2))], "label of example 0 is a Tensor"),
        ([{"a": 1, "b": 2}], "which of the columns a, b holds the image"),
        (["text", "words"], "holds <U"),
        ([Image.new("La", (3, 3))], "example 0 cannot be read as an image"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_refused(source, message):
    with pytest.raises(DataError, match=message):
        load_data(source)


def test_torch_is_not_imported_for_it():
    code = "import sys, narrows.data; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
