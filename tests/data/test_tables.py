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
    assert data.X.dtypes.map(str).to_list() == ["Int64", "float64"]
    np.testing.assert_array_equal(data.X.astype(float), [[1, 2.5], [np.nan, 4000]])


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
    pd.testing.assert_frame_equal(data.X, table[["a", "b"]])
    assert data.y.tolist() == ["x", "y", "x"]
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
        (
            "a;b\n1.234,5;2\n",
            r"column 'a' holds '1\.234,5' in line 2, which could be one of two numbers; write 1234\.5",
        ),
        ("a\tb\n1,5\t2\n", "column 'a' holds '1,5' in line 2, which could be one of two numbers"),
        ("a,b\n1,2,3\n", "line 2 has 3 cells; the first line has 2"),
        ("a,b\n1,2\n3\n", "line 3 has 1 cells; the first line has 2"),
        ("a,b,a\n1,2,3\n", r"t\.csv has several columns called 'a'; rename them"),
        ("a,b\n" + "1,2\n" * 30 + "1,two\n", "column 'b' holds 'two' in line 32, but numbers in 96.8 % of its cells"),
        (
            "a,b\n" + "1,2\n" * 50 + "1,.\n1,tbd\n",
            r"'\.' in line 52, and 1 other word elsewhere, .*; if these stand for missing .* \(--missing '\.,tbd'\)",
        ),
        ("a,b\n" + "1,$2.5\n" * 30 + "1,two\n", "column 'b' holds 'two' in line 32, but numbers in 96.8 % of its"),
        ('a,b\n1,"$1,234"\n1,$950\n', r"column 'b' holds '\$1,234' in line 2, which could be one of two numbers"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, text, said):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        load_data(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("separator", "cells", "numbers"),
    [
        (",", ['"$1,234.50"', "-$950.00", "$0.25"], [1234.5, -950.0, 0.25]),
        (",", ["6.4%", "10%", "-"], [6.4, 10.0, None]),
        (",", ["$5", "$-6", "7"], [5, -6, 7]),
        (",", ["$1234", '"$1,234,567"'], [1234, 1234567]),
        (";", ["1.234,56 €", "12,00 €"], [1234.56, 12.0]),
        (";", ["58,0 %", "3,25 %"], [58.0, 3.25]),
        (";", ["1 234,50 Kč", "99,00 Kč"], [1234.5, 99.0]),
        (",", ["P12", "P3"], ["P12", "P3"]),
        (",", ["$1", "€2"], ["$1", "€2"]),
        (",", ["$007", "$008"], ["$007", "$008"]),
    ],
)
def test_numbers_may_have_a_sign(tmp_path, separator, cells, numbers):
    (tmp_path / "t.csv").write_text(f"a{separator}b\n" + "".join(f"x{separator}{cell}\n" for cell in cells), "utf-8")
    data = load_data(tmp_path / "t.csv")
    assert [None if pd.isna(value) else value for value in data.X["b"]] == numbers
    assert any("were read as numbers" in note for note in data.notes) is not isinstance(numbers[0], str)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (
            ["yes", "No", "no", "NO"],
            ["column 'b': 'NO' and 'No' and 'no' are levels of their own, as they are written"],
        ),
        (["x", "n/a", "y", "?", "?"], ["column 'b': 'n/a' in 1 cell, '?' in 2 cells taken for texts like any other"]),
        (["3/7/2024", "2024-07-03"], ["column 'b': its texts, such as '3/7/2024', look like dates, but not all"]),
        (["3/7/2024", "3/13/2024"], []),
        (["x", "y", "x"], []),
    ],
)
def test_what_is_doubtful_among_texts_is_said(tmp_path, cells, said):
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"1,{cell}\n" for cell in cells))
    notes = [note for note in load_data(tmp_path / "t.csv").notes if note.startswith("column")]
    assert len(notes) == len(said)
    assert all(note.startswith(start) for note, start in zip(notes, said, strict=True))


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


def test_labels_are_no_dates(tmp_path):
    columns(pd.to_datetime(["2024-05-01"] * 4)).rename(columns={"y": "label"}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match="column 'label': the labels hold"):
        load_data(tmp_path / "t.parquet")


def test_frames_of_numbers_alone_are_numpys_and_others_stay_as_they_are():
    frame = pd.DataFrame({"a": pd.array([1, 2], "Int64"), "b": pd.array([True, False], "boolean"), "c": [1, 2]})
    data = load_data(frame)
    np.testing.assert_array_equal(data.X, [[1, 1, 1], [2, 0, 2]])
    assert data.X.dtypes["c"] == frame.dtypes["c"]
    for table in (frame.mask(np.eye(2, 3, dtype=bool)), frame.assign(d=["x", "y"])):
        pd.testing.assert_frame_equal(load_data(table).X, table)


PEOPLE = """id;zip;city;income;member;since;visits;size
a1;00501;Brno, CZ;1 ;yes;2024-05-01;0;TRUE
a2;60200; Praha ;;no;;?;
a3;12345;;2,50;yes;2023-01-31;12;false
"""


def test_types_of_columns(tmp_path):
    (tmp_path / "t.csv").write_text(PEOPLE, encoding="utf-8")
    data = load_data(tmp_path / "t.csv", missing=["?", "-999"])
    X = data.X.astype(object).where(data.X.notna(), None)
    assert X["zip"].tolist() == ["00501", "60200", "12345"]
    assert X["city"].tolist() == ["Brno, CZ", "Praha", None]
    assert X["income"].tolist() == [1.0, None, 2.5]
    assert X["since"].tolist() == ["2024-05-01", None, "2023-01-31"]
    assert X["visits"].tolist() == [0, None, 12]
    assert X["size"].tolist() == [True, None, False]
    assert data.X.dtypes[["income", "visits", "size"]].map(str).tolist() == ["float64", "Int64", "boolean"]
    assert data.notes[1:] == ("taken for missing: '?' in 1 cell, '-999' in no cell",)
    assert data.missing == ("?", "-999")


def test_the_type_of_a_column_can_be_said(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,when,on,label\n1,2024-05-01,1,5\n2,2024-05-02 12:30,0,6\nNA,,,5\n")
    kinds = {"a": "text", "when": "time", "on": "truth", "label": "number"}
    X = load_data(path, types=kinds).X
    assert X["a"].tolist() == ["1", "2", "NA"]
    assert X["when"].tolist()[:2] == [pd.Timestamp("2024-05-01"), pd.Timestamp("2024-05-02 12:30")]
    assert X["label"].tolist() == [5, 6, 5]
    said = "column 'when' holds '2024-05-01' in line 2; a number is expected; if it stands for a missing one, say so"
    with pytest.raises(DataError, match=said):
        load_data(path, types={"when": "number"})
    data = load_data(path)
    assert data.X["a"].isna().tolist() == [False, False, True]
    assert "column 'a': 'NA' in 1 cell taken for missing" in data.notes


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("39,Private,77\n50,,83\n", False),  # as the UCI's tables come
        ("age,2019,2020\n5,1,2\n", True),
        ("?,Private\n50,Local\n", False),
        ("name,city\nEva,Brno\n", True),
    ],
)
def test_whether_the_first_line_holds_names(tmp_path, text, named):
    (tmp_path / "t.csv").write_text(text)
    data = load_data(tmp_path / "t.csv", missing=["?"])
    assert len(data.X) == 2 - named
    assert list(data.X.columns) == (text.split("\n")[0].split(",") if named else [*map(str, range(data.X.shape[1]))])


def test_numbers_that_only_codes_can_be(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,c\n12345678901234567890,1_000,5\n12345678901234567891,2_000,6\n")
    X = load_data(tmp_path / "t.csv").X
    assert X["a"].tolist() == ["12345678901234567890", "12345678901234567891"]
    assert X["b"].tolist() == ["1_000", "2_000"]


def test_empty_columns_of_a_spreadsheet_are_left_out(tmp_path):
    (tmp_path / "t.csv").write_text("a;b;;\n1;x;;\n2;y;;\n")
    assert list(load_data(tmp_path / "t.csv").X.columns) == ["a", "b"]


def test_types_of_parquet_columns(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    path = tmp_path / "t.parquet"
    table = pa.table(
        {"n": pa.array([1, None, -9], pa.int16()), "on": pa.array([True, None, False]), "s": ["x", "?", "z"]}
    )
    pq.write_table(table, path)
    X = load_data(path, missing=["?", "-9"]).X
    assert X.dtypes.map(str).tolist()[:2] == ["Int16", "boolean"]
    assert X.isna().to_numpy().tolist() == [[False] * 3, [True] * 3, [True, False, False]]
    pq.write_table(table.append_column("map", pa.array([{"a": 1}] * 3)), path)
    with pytest.raises(DataError, match=r"column 'map' is of type struct<.*>; a column holds numbers, texts"):
        load_data(path)
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), path)
    with pytest.raises(DataError, match="has several columns called 'a'"):
        load_data(path)


@pytest.mark.parametrize("missing", ["?", [""], [None]])
def test_marks_that_are_none(tmp_path, missing):
    (tmp_path / "t.csv").write_text("a\n1\n")
    with pytest.raises(DataError, match=r"--missing\) must list texts that stand for a missing cell"):
        load_data(tmp_path / "t.csv", missing=missing)
    with pytest.raises(DataError, match=r"--missing\) is for tables in files: \.csv, "):
        load_data("digits", missing=["?"])


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
