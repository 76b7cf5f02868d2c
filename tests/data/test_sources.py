"""What people have becomes arrays, by rules tested by value, or a `DataError` that says what would be right."""

import gzip
import struct

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from narrows.data import DataError, load_data, split

RNG = np.random.default_rng(0)


def idx(array):
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def picture(path, mode="L", size=(9, 7), color=None, **save):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path, **save)
    return path


def test_digits():
    data = load_data("digits")
    assert data.X.shape == (1797, 8, 8)
    assert (data.X.min(), data.X.max()) == (0, 16)
    assert set(data.y) == set(range(10))
    theirs = load_digits()
    np.testing.assert_array_equal(data.X, theirs.images)
    np.testing.assert_array_equal(data.y, theirs.target)


def test_mnist_comes_from_openml_as_images(monkeypatch):
    monkeypatch.setattr("sklearn.datasets.fetch_openml", lambda *_, **__: (np.ones((5, 784)), np.array(list("01234"))))
    data = load_data("mnist")
    assert data.X.shape == (5, 28, 28)
    assert data.y.tolist() == [0, 1, 2, 3, 4]


def test_mnist_without_a_network_says_what_to_do(monkeypatch):
    def unreachable(*_, **__):
        raise OSError("no route")

    monkeypatch.setattr("sklearn.datasets.fetch_openml", unreachable)
    with pytest.raises(DataError, match=r"no route.*four IDX files, name their folder"):
        load_data("mnist")


@pytest.mark.parametrize("shape", [(4, 3), (4, 5, 6), (4, 5, 6, 3)])
def test_npy(tmp_path, shape):
    X = RNG.normal(size=shape)
    np.save(tmp_path / "x.npy", X)
    np.testing.assert_array_equal(load_data(tmp_path / "x.npy").X, X)


def test_npz_with_labels(tmp_path):
    X, y = RNG.normal(size=(4, 3)), np.arange(4)
    np.savez(tmp_path / "x.npz", images=X, labels=y)
    data = load_data(tmp_path / "x.npz")
    np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(data.y, y)
    np.savez(tmp_path / "one.npz", whatever=X)
    np.testing.assert_array_equal(load_data(tmp_path / "one.npz").X, X)


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (np.arange(4)[:, None], [0, 1, 2, 3]),
        (np.array([b"a", b"b", b"a", "č".encode()]), ["a", "b", "a", "č"]),
        (np.array([1, 2, np.nan, 1], np.float32), ["1", "2", "unlabelled", "1"]),
        (np.array([1.0, 2, 2, 1]), [1, 2, 2, 1]),
        (np.array([True, False, True, True]), [True, False, True, True]),
    ],
    ids=str,
)
def test_labels_of_any_form(tmp_path, y, expected):
    np.savez(tmp_path / "x.npz", X=np.eye(4), y=y)
    data = load_data(tmp_path / "x.npz")
    assert data.y.tolist() == expected
    assert data.notes == ()


def test_labels_that_are_none(tmp_path):
    np.savez(tmp_path / "x.npz", X=np.eye(4), target=np.array([0.5, 1, 2, 3]))
    data = load_data(tmp_path / "x.npz")
    assert data.y is None
    assert data.notes == ("the array target holds real numbers, not classes, and is left out",)


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (np.eye(4), r"x\.npz: the labels y have shape \(4, 4\); one label for each example"),
        (np.arange(4)[None], r"shape \(1, 4\)"),
        (np.int64(3), r"shape \(\)"),
        (np.array(["2024-05-01"] * 4, "M8[D]"), r"the labels y hold 2024-05-01 of type datetime64\[D\]"),
        (np.array([b"\xff"] * 4), "the labels y are not text in UTF-8"),
        (np.arange(3), "x has 4 examples but 3 labels"),
    ],
    ids=str,
)
def test_labels_that_cannot_be_used_name_the_file(tmp_path, y, said):
    np.savez(tmp_path / "x.npz", X=np.eye(4), y=y)
    with pytest.raises(DataError, match=said):
        load_data(tmp_path / "x.npz")


def test_idx_labels_in_a_column(tmp_path):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(np.zeros((3, 4, 4), np.uint8)))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.arange(3, dtype=np.uint8)[:, None]))
    assert load_data(tmp_path).y.tolist() == [0, 1, 2]
    assert load_data(tmp_path / "train-images-idx3-ubyte").y.tolist() == [0, 1, 2]


def test_images_are_made_like_a_model_s_inputs(tmp_path):
    path = picture(tmp_path / "a.png", "RGB", size=(40, 20), color=(90, 90, 90))
    for shape in ((6, 5), (5, 6, 3)):
        assert (load_data(path, like=shape).X == 90).all()
        assert load_data(path, like=shape).X.shape == (1, *shape)
    with pytest.raises(ValueError, match="size=0 must be"):
        load_data(path, size=0)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_files_and_folders(tmp_path, suffix):
    images, labels = RNG.integers(0, 256, (5, 4, 3), dtype=np.uint8), np.arange(5, dtype=np.uint8)
    pack = gzip.compress if suffix else bytes
    for part in ("train", "t10k"):
        (tmp_path / f"{part}-images-idx3-ubyte{suffix}").write_bytes(pack(idx(images)))
        (tmp_path / f"{part}-labels-idx1-ubyte{suffix}").write_bytes(pack(idx(labels)))
    one = load_data(tmp_path / f"train-images-idx3-ubyte{suffix}")
    np.testing.assert_array_equal(one.X, images)
    np.testing.assert_array_equal(one.y, labels)
    both = load_data(tmp_path)
    assert both.X.shape == (10, 4, 3)
    assert both.y.tolist() == [*range(5), *range(5)]


def test_a_folder_of_images_and_its_labels(tmp_path):
    picture(tmp_path / "cats" / "a.png", color=10)
    picture(tmp_path / "dogs" / "deep" / "b.JPG", color=200)
    picture(tmp_path / "dogs" / "c.bmp", color=30)
    (tmp_path / "notes.txt").write_text("not an image")
    data = load_data(tmp_path)
    assert data.X.shape == (3, 7, 9)
    assert data.y.tolist() == ["cats", "dogs", "dogs/deep"]
    assert data.X[0, 0, 0] == 10
    assert data.X[1, 0, 0] == 30


def test_colour_anywhere_makes_all_rgb(tmp_path):
    picture(tmp_path / "a.png", "L", color=10)
    picture(tmp_path / "b.png", "RGB", color=(1, 2, 3))
    X = load_data(tmp_path).X
    assert X.shape == (2, 7, 9, 3)
    assert X[0, 0, 0].tolist() == [10, 10, 10]
    assert X[1, 0, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("mode", "color", "expected"),
    [
        ("1", 1, 255),
        ("L", 77, 77),
        ("I;16", 65535, 65535),
        ("I;16", 4095, 4095),
        ("LA", (50, 0), [255, 255, 255]),
        ("RGB", (9, 8, 7), [9, 8, 7]),
        ("RGBA", (9, 8, 7, 255), [9, 8, 7]),
        ("RGBA", (0, 0, 0, 0), [255, 255, 255]),
        ("CMYK", (0, 0, 0, 255), [0, 0, 0]),
    ],
    ids=str,
)
def test_modes(tmp_path, mode, color, expected):
    path = picture(tmp_path / ("x.tiff" if mode == "CMYK" else "x.png"), mode, color=color)
    assert load_data(path).X[0, 0, 0].tolist() == expected


def test_palettes_and_animations(tmp_path):
    first, second = Image.new("RGB", (4, 4), "red"), Image.new("RGB", (4, 4), "blue")
    first.save(tmp_path / "x.gif", save_all=True, append_images=[second])
    assert load_data(tmp_path / "x.gif").X[0, 0, 0].tolist() == [255, 0, 0]


def test_exif_orientation_is_honoured(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    picture(tmp_path / "x.jpg", size=(9, 7), exif=exif)
    assert load_data(tmp_path / "x.jpg").X.shape == (1, 9, 7)


def test_mixed_sizes(tmp_path):
    picture(tmp_path / "a.png", size=(20, 10), color=9)
    picture(tmp_path / "b.png", size=(8, 8), color=9)
    with pytest.raises(DataError, match=r"differ in size: 20×10 \(1\), 8×8 \(1\).*--size 8"):
        load_data(tmp_path)
    X = load_data(tmp_path, size=5).X
    assert X.shape == (2, 5, 5)
    assert (X == 9).all()


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("digist", None, "no data set or file 'digist'; did you mean 'digits'"),
        ("x.xyz", b"\x80", "is of a kind that narrows does not read"),
        ("x.npy", b"\x93NUMPY broken", "not an array of numbers"),
        ("x.npy", b"", "not an array of numbers"),
        ("x.npz", b"PK broken", "not a file of arrays"),
        ("x.csv", "", "is empty"),
        ("x.csv", "label\n1\n", "0 columns apart from the label"),
        ("x.csv", "a,b\n1,2\n3\n", "line 3 has 1 cells; the first line has 2"),
        ("x.csv", "a,b\n1,2\n3,four,5\n", "line 3 has 3 cells; the first line has 2"),
        ("x.csv", b"\xff\xfe\x00", "not a table in UTF-8"),
        ("a-idx3-ubyte", b"\0\0\x08\x01\0\0\0\x05abc", "announces 5 bytes of shape .* but holds 3"),
        ("a-idx3-ubyte", b"hello", "not an IDX file"),
        ("a-idx3-ubyte.gz", b"hello", "cannot be read"),
        ("x.png", b"\x89PNG\r\n\x1a\n broken", "cannot be read as an image"),
        ("x.jpg", b"GIF89a no jpeg at all", "cannot be read as an image"),
    ],
    ids=str,
)
def test_bad_files(tmp_path, monkeypatch, name, content, message):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        write(tmp_path / name, content)
    with pytest.raises(DataError, match=message):
        load_data(name)


def test_pickled_arrays_are_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{"a": 1}]), allow_pickle=True)
    np.savez(tmp_path / "x.npz", X=np.array([{"a": 1}]))
    for name in ("x.npy", "x.npz"):
        with pytest.raises(DataError, match="pickled objects"):
            load_data(tmp_path / name)


def test_arrays_of_other_things(tmp_path):
    np.save(tmp_path / "words.npy", np.array([["a", "b"]]))
    np.save(tmp_path / "line.npy", np.arange(5))
    np.savez(tmp_path / "two.npz", a=np.ones((2, 2)), b=np.ones((2, 2)))
    np.savez(tmp_path / "short.npz", X=np.ones((2, 2)), y=np.ones(3))
    for name, message in {
        "words.npy": "holds <U1",
        "line.npy": r"in shape \(5,\)",
        "two.npz": "the arrays a .*, b .*; choose the one that holds the examples with --key NAME",
        "short.npz": "2 examples but 3 labels",
    }.items():
        with pytest.raises(DataError, match=message):
            load_data(tmp_path / name)


def test_an_empty_folder(tmp_path):
    with pytest.raises(DataError, match="holds no images"):
        load_data(tmp_path)


def test_the_split_is_scikit_learn_s_stratified_one():
    from sklearn.model_selection import train_test_split

    data = load_data("digits")
    ours = split(data.X, data.y)
    theirs = train_test_split(data.X, data.y, test_size=0.2, stratify=data.y, random_state=0)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_split_without_enough_of_a_class_is_plain():
    X = np.arange(40).reshape(20, 2)
    for y in (np.arange(20), np.array([0] * 19 + [1])):
        train, test, *_ = split(X, y)
        assert (len(train), len(test)) == (16, 4)
    for few, said in ((3, "3 examples are too few"), (1, "1 example is too few")):
        with pytest.raises(DataError, match=said):
            split(X[:few])


def test_one_idx_file_without_labels_or_with_too_few(tmp_path):
    images = RNG.integers(0, 256, (5, 4, 3), dtype=np.uint8)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(images))
    assert load_data(tmp_path / "train-images-idx3-ubyte").y is None
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.arange(4, dtype=np.uint8)))
    with pytest.raises(DataError, match="5 examples but 4 labels"):
        load_data(tmp_path / "train-images-idx3-ubyte")


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels_first_are_refused(tmp_path, channels):
    X = RNG.integers(0, 256, (5, channels, 8, 6), dtype=np.uint8)
    np.save(tmp_path / "x.npy", X)
    for source in (tmp_path / "x.npy", X, list(X)):
        with pytest.raises(DataError, match=r"channels came first.*np\.moveaxis\(X, 1, -1\)"):
            load_data(source)
    assert load_data(np.moveaxis(X, 1, -1)).X.shape == (5, 8, 6, channels)
    assert load_data(np.zeros((5, 3, 8, 4))).X.shape == (5, 3, 8, 4)  # three pixels high


@pytest.mark.parametrize("options", [{"size": 4}, {"fit": "pad"}])
def test_scaling_what_is_no_picture_is_refused(tmp_path, options):
    np.save(tmp_path / "x.npy", np.zeros((5, 8, 8)))
    (tmp_path / "t.csv").write_text("1,2\n3,4\n")
    for source in ("digits", "shapes", tmp_path / "x.npy", tmp_path / "t.csv", list(np.zeros((5, 8, 8)))):
        with pytest.raises(DataError, match=next(iter(options))):
            load_data(source, **options)
    with pytest.raises(DataError, match="there is no data set or file"):
        load_data("digist", **options)
    assert load_data("digits", like=(8, 8), fit="pad").X.shape == (1797, 8, 8)  # as the verbs read them for a model


def test_a_path_that_is_not_there_is_compared_with_what_is_and_a_set_with_a_folder_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inside" / "new_digits").mkdir(parents=True)
    (tmp_path / "bars").mkdir()
    with pytest.raises(DataError, match="'inside/new_digit'; did you mean 'inside/new_digits'"):
        load_data("inside/new_digit")
    with pytest.raises(DataError, match="'barss'; did you mean 'bars'"):
        load_data("barss")
    with pytest.raises(DataError, match="no data set or file 'nowhere/x'; sets are"):
        load_data("nowhere/x")
    with pytest.warns(UserWarning, match=r"bars is the set of that name; what lies here is \./bars"):
        assert load_data("bars").name == "bars"


def test_a_data_set_says_in_a_line_what_it_holds():
    assert repr(load_data("digits")) == "Dataset('digits', X=(1797, 8, 8) float64, y=10 labels)"
