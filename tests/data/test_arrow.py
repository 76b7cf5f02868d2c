"""Parquet files and frames whose columns hold images, vectors, decimals and the like."""

import io
import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from narrows.data import DataError, load_data

pa = pytest.importorskip("pyarrow")
pl = pytest.importorskip("polars")
pq = pytest.importorskip("pyarrow.parquet")

ARRAYS = np.random.default_rng(0).integers(0, 256, (4, 6, 5, 3), np.uint8)
VECTORS = np.arange(12, dtype=np.float32).reshape(4, 3)


def encoded(array):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


IMAGES = [{"bytes": encoded(array), "path": f"{k}.png"} for k, array in enumerate(ARRAYS)]


def written(path, columns, metadata=None):
    table = pa.table(columns)
    pq.write_table(table if metadata is None else table.replace_schema_metadata(metadata), path)
    return path


def test_hugging_face_s_images_in_a_parquet_file(tmp_path):
    names = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
    columns = {"image": IMAGES, "label": [0, 1, -1, None], "id": list("abcd")}
    path = written(tmp_path / "x.parquet", columns, {"huggingface": json.dumps(names)})
    data = load_data(path)
    np.testing.assert_array_equal(data.X, ARRAYS)
    assert data.y.tolist() == ["cat", "dog", "unlabelled", "unlabelled"]
    assert data.notes == ("column 'image' was taken for the examples; left out: id",)
    assert load_data(path, size=4).X.shape == (4, 4, 4, 3)
    assert load_data(path, like=(5, 5)).X.shape == (4, 5, 5)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_images_in_frames(make):
    for cells in (IMAGES, [image["bytes"] for image in IMAGES]):
        data = load_data(make({"scan": cells, "label": list("abab")}))
        np.testing.assert_array_equal(data.X, ARRAYS)
        assert data.y.tolist() == list("abab")


LISTS = {
    "list": pa.array(VECTORS.tolist(), pa.list_(pa.float32())),
    "large": pa.array(VECTORS.tolist(), pa.large_list(pa.float32())),
    "fixed": pa.array(VECTORS.tolist(), pa.list_(pa.float32(), 3)),
    "nested": pa.array([[row] for row in VECTORS.tolist()], pa.list_(pa.list_(pa.float32()))),
    "sliced": pa.array([[9, 9], *VECTORS.tolist()], pa.list_(pa.float32()))[1:],
}


@pytest.mark.parametrize("name", LISTS)
def test_columns_of_vectors(tmp_path, name):
    X = load_data(written(tmp_path / "x.parquet", {"v": LISTS[name], "label": list("abab")})).X
    assert X.dtype == np.float32
    np.testing.assert_array_equal(X.reshape(4, 3), VECTORS)


@pytest.mark.parametrize("planes", [False, True])
def test_tensors_have_the_shape_that_their_type_says(planes):
    stored = ARRAYS.transpose(0, 3, 1, 2) if planes else ARRAYS
    kind = pa.fixed_shape_tensor(pa.uint8(), stored.shape[1:], permutation=[1, 2, 0] if planes else None)
    values = pa.FixedSizeListArray.from_arrays(pa.array(stored.ravel()), stored[0].size)
    data = load_data(pa.table({"v": pa.ExtensionArray.from_storage(kind, values)}))
    np.testing.assert_array_equal(data.X, ARRAYS)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_vectors_in_frames(make):
    data = load_data(make({"v": VECTORS.tolist(), "label": list("abab")}))
    np.testing.assert_array_equal(data.X, VECTORS)
    assert data.y.tolist() == list("abab")


def test_frames_of_polars_and_pyarrow_are_tables():
    columns = {"n": [1, None, 3], "on": [True, None, False], "x": [0.5, None, 2], "city": ["Brno", None, "Praha"]}
    for frame in (pl.DataFrame(columns), pa.table(columns), pa.RecordBatch.from_pydict(columns)):
        X = load_data(frame).X
        assert X.dtypes.map(str).to_list()[:3] == ["Int64", "boolean", "float64"]
        assert X.isna().to_numpy().tolist() == [[False] * 4, [True] * 4, [False] * 4]
    with pytest.raises(DataError, match="is a plan of a frame; give its rows, as collect"):
        load_data(pl.DataFrame(columns).lazy())


@pytest.mark.parametrize("precision", [5, 60])
def test_decimals_are_numbers(tmp_path, precision):
    kind = (pa.decimal128 if precision < 38 else pa.decimal256)(precision, 2)
    X = load_data(written(tmp_path / "x.parquet", {"d": pa.array([Decimal("1.25"), None, Decimal("3.5")], kind)})).X
    assert X["d"].dtype == np.float64
    np.testing.assert_array_equal(X["d"], [1.25, np.nan, 3.5])


def test_an_index_with_a_name_is_said_to_be_left_out(tmp_path):
    frame = pd.DataFrame({"id": list("abc"), "x": [1.0, 2, 3], "z": [1.0, 2, 3]})
    frame.set_index("id").to_parquet(tmp_path / "x.parquet")
    data = load_data(tmp_path / "x.parquet")
    assert list(data.X.columns) == ["x", "z"]
    assert data.notes == ("'id' names the rows, as their index, and is left out",)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"v": [[1.0, 2.0], [1.0]]}, "column 'v' holds lists of 1 to 2; all have to be of one length"),
        ({"v": [[1.0, None], [1.0, 2.0]]}, "column 'v' holds lists with 1 gaps; numbers are expected"),
        ({"v": [["a"], ["b"]]}, "column 'v' holds lists with string; numbers are expected"),
        ({"v": pa.array([[("a", 1)]] * 2, pa.map_(pa.string(), pa.int8()))}, "column 'v' is of type map<string, int8"),
        ({"v": [[1.0]] * 2, "w": [[1.0]] * 2}, "which of the columns v, w holds the image"),
        ({"x": [1.0, 2.0], "label": [[1], [2]]}, "which of the columns x, label holds the image"),
        ({"scan": [b"GIF8", b""]}, "example 0, column 'scan', cannot be read as an image: not an image"),
        ({"scan": [{"bytes": None, "path": "/a.png"}]}, "it is the path '/a.png' alone"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_table_is_named(tmp_path, columns, message):
    with pytest.raises(DataError, match=message):
        load_data(written(tmp_path / "x.parquet", columns))
