"""Filled cells are written as the others of their column, and no other byte of a file changes."""

import csv
import decimal
import gzip
import io

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narrows.data.delimited import read_delimited
from narrows.data.filling import write_filled


def filled(tmp_path, text, cells, missing=(), name="t.csv"):
    """What becomes of a file of this text, in bytes."""
    data = text if isinstance(text, bytes) else text.encode()
    source, target = tmp_path / name, tmp_path / f"filled-{name}"
    source.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    write_filled(source, target, cells, missing)
    return gzip.decompress(target.read_bytes()) if name.endswith(".gz") else target.read_bytes()


def cells(**columns):
    return {name: pd.Series(rows) for name, rows in columns.items()}


@pytest.mark.parametrize(
    ("text", "new", "expected"),
    [
        ("a,b\n1.50,x\n,\n", cells(a={1: 2.123}, b={1: "y"}), "a,b\n1.50,x\n2.12,y\n"),
        ("a,b\r\n\r\n1,x\r\n,z", cells(a={1: 2.0}), "a,b\r\n\r\n1,x\r\n2,z"),
        ("\ufeffa;b\n1,25;\n;x\n", cells(a={1: -0.001}, b={0: "p;q"}), '\ufeffa;b\n1,25;"p;q"\n0,00;x\n'),
        ('"a","b"\n"x",1\n"",2\n', cells(a={1: 'say "hi"'}), '"a","b"\n"x",1\n"say ""hi""",2\n'),
        ('a,b\n"x\ny",1\n,"2,5"\n', cells(a={1: "z"}), 'a,b\n"x\ny",1\nz,"2,5"\n'),
        ('a\tb\n5" disk\t1\n\t2\n', cells(a={1: "c"}), 'a\tb\n5" disk\t1\nc\t2\n'),
        ("a,b\n TRUE,1\n  ,2\n", cells(a={1: False}), "a,b\n TRUE,1\nFALSE,2\n"),
        ("a,b\n1e-3,1\n,2\n", cells(a={1: 0.000123456789}), "a,b\n1e-3,1\n0.000123457,2\n"),
        ('a,b\n"$1,234.50",x\n,y\n', cells(a={1: 2345.678}), 'a,b\n"$1,234.50",x\n"$2,345.68",y\n'),
        ("a;b\n1.250,5 €;x\n-3 €;y\n;z\n", cells(a={2: -1234.56}), "a;b\n1.250,5 €;x\n-3 €;y\n-1.234,6 €;z\n"),
        ("a,b\n5%,x\n,y\n", cells(a={1: 7}), "a,b\n5%,x\n7%,y\n"),
        ("1,2\n3,\n", {"1": pd.Series({1: 4})}, "1,2\n3,4\n"),
    ],
)
def test_nothing_else_changes(tmp_path, text, new, expected):
    assert filled(tmp_path, text, new) == expected.encode()


def test_marks_are_replaced_and_the_white_space_around_them_stays(tmp_path):
    text = "a, b\n39, Private\n50, ?\n"
    assert filled(tmp_path, text, cells(b={1: "Local"}), ["?"]) == b"a, b\n39, Private\n50, Local\n"
    assert filled(tmp_path, "a,b\n$5,1\nnone,2\n", cells(a={1: 6}), ["none"]) == b"a,b\n$5,1\n$6,2\n"
    assert filled(tmp_path, text, cells(b={1: "Local"}), ["?"], "t.csv.gz") == b"a, b\n39, Private\n50, Local\n"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.text("ab ,\"\n'", max_size=4), min_size=2, max_size=2), min_size=1, max_size=5),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.data(),
)
def test_only_the_cell_that_is_filled_is_read_otherwise(tmp_path_factory, rows, end, quoting, data):
    folder = tmp_path_factory.mktemp("t")
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator=end, quoting=quoting).writerows([["n", "m"], *rows])
    row = data.draw(st.integers(0, len(rows) - 1))
    (folder / "t.csv").write_bytes(buffer.getvalue().encode())
    before = read_delimited(folder / "t.csv")
    after = filled(folder, buffer.getvalue(), {"m": pd.Series({row: "new, text"})})
    lines = [line for line in csv.reader(io.StringIO(after.decode(), newline="")) if line][1:]
    expected = [[*line[:1], "new, text"] if i == row else line for i, line in enumerate(before.lines)]
    assert [[cell.strip() for cell in line] for line in lines] == [[cell.strip() for cell in x] for x in expected]


def test_parquet_keeps_its_schema_and_all_that_is_known(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "n": pa.array([1, None, 3], pa.int16()),
            "x": pa.array([0.5, float("nan"), 2.5], pa.float32()),
            "level": pa.DictionaryArray.from_arrays(pa.array([1, None, 0], pa.int8()), ["p", "q"]),
            "when": pa.array([0, None, 5], pa.timestamp("ms", tz="Europe/Prague")),
            "on": pa.array([True, None, False]),
            "text": pa.array(["a", None, "c"], pa.large_string()),
        }
    ).replace_schema_metadata({"who": "me"})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=2, compression="zstd")
    with pq.ParquetFile(tmp_path / "t.parquet") as file:
        before = file.read()  # of which an older pyarrow has levels numbered by other integers
    new = cells(n={1: 7}, x={1: 1.5}, level={1: "q"}, on={1: True}, text={1: "b"})
    new["when"] = pd.Series({1: pd.Timestamp("2024-05-01", tz="Europe/Prague")})
    write_filled(tmp_path / "t.parquet", tmp_path / "u.parquet", new)
    with pq.ParquetFile(tmp_path / "u.parquet") as file:
        after = file.read()
        assert file.metadata.num_row_groups == 2
        assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert after.schema.equals(before.schema, check_metadata=True)
    rows = [{name: own.iloc[0] for name, own in new.items()}]
    assert after.slice(1, 1).to_pylist() == rows
    for place in (0, 2):
        assert after.slice(place, 1).equals(before.slice(place, 1))


@pytest.mark.parametrize("kind", ["duration[us]", "decimal128(9, 2)", "date32", "string_view", "dictionary"])
def test_every_type_of_a_column_is_filled(kind):
    pa = pytest.importorskip("pyarrow")
    from narrows.data.filling import filled_table

    if kind == "string_view" and not hasattr(pa, kind):
        pytest.skip("this pyarrow has no such type")
    level, day, span = ("new", pd.Timestamp("2024-05-01"), pd.Timedelta("2h"))
    old, value, told = {
        "duration[us]": (pa.array([1, None, 3], pa.duration("us")), span, span.to_pytimedelta()),
        "decimal128(9, 2)": (pa.array([1.25, None, 3.5]).cast(pa.decimal128(9, 2)), 2.5, decimal.Decimal("2.50")),
        "date32": (pa.array([1, None, 3], pa.date32()), day, day.date()),
        "string_view": (pa.array(["a", None, "c"], kind if kind == "string_view" else None), level, level),
        "dictionary": (pa.array(["a", None, "c"]).dictionary_encode(), level, level),
    }[kind]
    made = filled_table(pa.table({"x": old}), cells(x={1: value}))
    assert made.schema.field("x").type == old.type
    assert made["x"].to_pylist() == [old[0].as_py(), told, old[2].as_py()]
