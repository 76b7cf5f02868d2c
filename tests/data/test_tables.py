"""Tables become the numbers and labels that their writers had, and what was guessed of them is said."""

import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narrows.data import DataError, load_data

X = np.random.default_rng(0).normal(size=(6, 4))
NAMED = pd.DataFrame(X, columns=["width", "height", "depth", "weight"])


def test_csv_with_names_and_labels(tmp_path):
    (tmp_path / "t.csv").write_text("\ufeffwidth, height,Label\n1,2.5,cat\n,4e3,dog\n", encoding="utf-8")
    data = load_data(tmp_path / "t.csv")
    assert list(data.X.columns) == ["width", "height"]
    assert data.y.tolist() == ["cat", "dog"]
    np.testing.assert_array_equal(data.X, [[1, 2.5], [np.nan, 4000]])


@pytest.mark.parametrize("mark", [";", "\t"])
def test_csv_with_other_separators(tmp_path, mark):
    (tmp_path / "t.csv").write_text(f"a{mark}b\n1{mark}2\n")
    np.testing.assert_array_equal(load_data(tmp_path / "t.csv").X, [[1, 2]])


def test_csv_without_names(tmp_path):
    (tmp_path / "t.csv").write_text('1,2\n\n"3",4\n')
    data = load_data(tmp_path / "t.csv")
    assert isinstance(data.X, np.ndarray)
    np.testing.assert_array_equal(data.X, [[1, 2], [3, 4]])


def test_parquet(tmp_path):
    path = tmp_path / "t.parquet"
    table = pd.DataFrame({"a": [1, 2, 3], "Label": ["x", "y", "x"], "b": pd.array([0.5, None, 2.5], "Float64")})
    table.to_parquet(path)
    data = load_data(path)
    assert list(data.X.columns) == ["a", "b"]
    np.testing.assert_array_equal(data.X, [[1, 0.5], [2, np.nan], [3, 2.5]])
    assert data.y.tolist() == ["x", "y", "x"]
    table.assign(c=["p", "q", "r"]).to_parquet(path)
    with pytest.raises(DataError, match="column 'c' holds"):
        load_data(path)
    path.write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"t\.parquet is not a Parquet file that can be read"):
        load_data(path)


@pytest.mark.parametrize("table", [pd.DataFrame(X), NAMED], ids=["numbered", "named"])
@pytest.mark.parametrize(
    "how", [{}, {"index": False}, {"sep": ";"}, {"sep": ";", "decimal": ","}, {"sep": "\t"}], ids=str
)
def test_what_pandas_writes_comes_back(tmp_path, table, how):
    table.to_csv(tmp_path / "t.csv", **how)
    data = load_data(tmp_path / "t.csv")
    assert list(data.X.columns) == list(map(str, table.columns))
    np.testing.assert_allclose(data.X, X, rtol=1e-15)
    left_out = [note for note in data.notes if "left out" in note]
    assert len(left_out) == ("index" not in how)
    assert ", ".join(map(str, table.columns)) in data.notes[0]


def test_rows_written_with_their_names_twice(tmp_path):
    NAMED.to_csv(tmp_path / "once.csv")
    pd.read_csv(tmp_path / "once.csv").to_csv(tmp_path / "twice.csv", index=False)
    for name in ("once.csv", "twice.csv"):
        np.testing.assert_allclose(load_data(tmp_path / name).X, X, rtol=1e-15)
    NAMED.set_axis(list("abcdef")).to_csv(tmp_path / "once.csv")
    np.testing.assert_allclose(load_data(tmp_path / "once.csv").X, X, rtol=1e-15)


@pytest.mark.parametrize("suffix", [".csv.gz", ".CSV.GZ", ".tsv.gz"])
def test_gzipped_tables(tmp_path, suffix):
    NAMED.to_csv(tmp_path / f"t{suffix}", index=False, compression="gzip", sep="\t" if "tsv" in suffix else ",")
    data = load_data(tmp_path / f"t{suffix}")
    assert data.name == "t"
    np.testing.assert_allclose(data.X, X, rtol=1e-15)
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"1,2\n" * 9)[:-9])
    with pytest.raises(DataError, match=r"cut\.csv\.gz cannot be read"):
        load_data(tmp_path / "cut.csv.gz")


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        ('"height, cm";weight\n1;2\n3;4\n', ["height, cm", "weight"], [[1, 2], [3, 4]]),
        ('"a;b;c;d",e\n1,2\n3,4\n', ["a;b;c;d", "e"], [[1, 2], [3, 4]]),
        ("height, cm;weight\n1;2\n3;4\n", ["height, cm", "weight"], [[1, 2], [3, 4]]),
        ("a;b\n1,5;-2,25\n3;4\n", ["a", "b"], [[1.5, -2.25], [3, 4]]),
        ("1,5;2,5\n3,5;4,5\n", None, [[1.5, 2.5], [3.5, 4.5]]),
        ("a\tb, c\n1\t2\n", ["a", "b, c"], [[1, 2]]),
        ("x\n1\n2\n", ["x"], [[1], [2]]),
        ("0,0\n0,1\n", None, [[0, 0], [0, 1]]),
    ],
)
def test_the_separator_is_what_splits_lines_alike(tmp_path, text, names, rows):
    (tmp_path / "t.csv").write_text(text)
    data = load_data(tmp_path / "t.csv")
    assert (list(data.X.columns) if names else None) == names
    assert np.asarray(data.X).tolist() == rows


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a;b\n1,5;2.5\n", "holds both '1,5' and '2.5'; write decimal commas or decimal points throughout"),
        ("a;b\n1.234,5;2\n", r"line 2, column 'a' holds '1\.234,5', which is not a number|holds both"),
        ("a\tb\n1,5\t2\n", "column 'a' holds '1,5', which is not a number"),  # perhaps a thousand and a half
        ("a,when\n1,2024-05-01\n", "line 2, column 'when' holds '2024-05-01', which is not a number"),
    ],
)
def test_what_is_no_number_is_named(tmp_path, text, said):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        load_data(tmp_path / "t.csv")


def columns(y):
    return pd.DataFrame({"x": [0.5, 1.5, 2.5, 3.5], "y": y, "z": [1.0, 2.0, 3.0, 4.0]})


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("y", "expected"),
    [
        ([3, 1, 3, 1], [3, 1, 3, 1]),
        (["a", "b", "a", "b"], ["a", "b", "a", "b"]),
        (["a", None, "a", "b"], ["a", "unlabelled", "a", "b"]),
        (pd.array([3, None, 3, 1], "Int64"), ["3", "unlabelled", "3", "1"]),
        (pd.Categorical(["a", None, "a", "b"]), ["a", "unlabelled", "a", "b"]),
        ([0.25, 0.5, 1.0, 2.0], None),
        ([None] * 4, None),
    ],
    ids=str,
)
def test_which_column_is_the_label_is_said(tmp_path, kind, y, expected):
    path = tmp_path / f"t.{kind}"
    table = columns(y)
    table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
    data = load_data(path)
    [said] = [note for note in data.notes if "column 'y'" in note]
    if expected is None:
        assert list(data.X.columns) == ["x", "y", "z"]
        assert "not for labels" in said
        assert data.y is None
    else:
        assert list(data.X.columns) == ["x", "z"]
        assert data.y.tolist() == (list(map(str, expected)) if kind == "csv" else expected)
        assert said.endswith("was taken for the labels; rename it to learn from it")


def test_a_column_called_label_is_preferred_to_y(tmp_path):
    (tmp_path / "t.csv").write_text("x,y,Label\n1,2,a\n3,4,b\n")
    data = load_data(tmp_path / "t.csv")
    assert data.y.tolist() == ["a", "b"]
    assert list(data.X.columns) == ["x", "y"]


@pytest.mark.parametrize(
    "column", [pd.to_datetime(["2024-05-01"] * 4), pd.to_datetime(["2024-05-01"] * 4, utc=True), ["00501"] * 4], ids=str
)
def test_columns_of_other_things_are_named(tmp_path, column):
    table = columns([1, 2, 1, 2]).assign(when=column)
    table.to_parquet(tmp_path / "t.parquet")
    for source in (tmp_path / "t.parquet", table):
        with pytest.raises(DataError, match=r"column 'when' holds .*(2024|00501).*, which is not a number"):
            load_data(source)
    table.rename(columns={"y": "k", "when": "label"}).iloc[:, :4].to_parquet(tmp_path / "t.parquet")
    if not isinstance(column, list):
        with pytest.raises(DataError, match="column 'label': the labels hold"):
            load_data(tmp_path / "t.parquet")


def test_frames_in_pandas_own_types():
    frame = pd.DataFrame({"a": pd.array([1, None], "Int64"), "b": pd.array([True, None], "boolean"), "c": [1, 2]})
    data = load_data(frame)
    np.testing.assert_array_equal(data.X, [[1, 1, 1], [np.nan, np.nan, 2]])
    assert data.X.dtypes["c"] == frame.dtypes["c"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3), min_size=2, max_size=5),
    st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", ".")]),
    st.booleans(),
)
def test_any_numbers_survive_any_way_of_writing(tmp_path_factory, rows, marks, index):
    path = tmp_path_factory.mktemp("t") / "t.csv"
    pd.DataFrame(rows, columns=list("abc")).to_csv(path, sep=marks[0], decimal=marks[1], index=index)
    np.testing.assert_array_equal(load_data(path).X, rows)
