"""A table of every kind of column, larger than memory: each verb says of its parts what it says of the whole."""

import datetime as dt
import decimal
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from narrows import Autoencoder, Scorer
from narrows.data import load_data
from narrows.data import parts as parts_module
from narrows.runs import streaming

ROWS, CUTS = 300, (0, 130, 135, 300)
CLOSE = {"rtol": 1e-3, "atol": 1e-4}


def columns():
    """A column of each of Arrow's types that a table may hold, with gaps."""
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, ROWS))

    def gapped(cells, kind=None):
        return pa.array([None if random.random() < 0.1 else cell for cell in cells], kind)

    whole = np.clip(20 * a + 60, 1, 120).astype(int).tolist()
    cities = np.where(a > 0.5, "Brno", np.where(b > 0, "Praha", "Plzeň")).tolist()
    late = ["Ostrava" if row >= CUTS[2] else city for row, city in enumerate(cities)]  # a level of the last part alone
    days = [dt.date(2024, 1, 1) + dt.timedelta(int(100 * x)) for x in a]
    noon = pd.Timestamp("2024-01-01 12:00").to_pydatetime()
    times = [noon + dt.timedelta(seconds=int(1e6 * x)) for x in b]
    prices = [decimal.Decimal(int(1000 * x)).scaleb(-2) for x in b]
    return {
        "text": gapped(late),
        "large": gapped(cities, pa.large_string()),
        "dictionary": gapped(late).dictionary_encode(),
        "truth": gapped((a > 0).tolist()),
        **{f"{sign}int{bits}": gapped(whole, f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64)},
        "float32": gapped(a.tolist(), pa.float32()),
        "float64": gapped(b.tolist()),
        "full": pa.array(a + b),
        "decimal": gapped(prices, pa.decimal128(12, 2)),
        "date": gapped(days),
        "date in text": gapped([day.isoformat() for day in days]),
        **{f"timestamp {unit}": gapped(times, pa.timestamp(unit)) for unit in ("ms", "us", "ns")},
        "in Prague": gapped(times, pa.timestamp("us", "Europe/Prague")),
        "span": gapped([dt.timedelta(seconds=int(1e4 * x)) for x in a], pa.duration("us")),
        "late": pa.array(
            [None if row < CUTS[2] else city for row, city in enumerate(cities)]
        ),  # none in the first part
        "constant": gapped(["x"] * ROWS),
        "nothing": pa.nulls(ROWS, pa.string()),
        "identifier": pa.array([f"i{row}" for row in range(ROWS)]),
    }


def assert_alike(one, other):
    """Assert that columns are the same but for rounding, which may be of a row at the edge between two levels."""
    if pd.api.types.is_datetime64_any_dtype(other):
        assert (one.astype(other.dtype) - other).abs().max() <= pd.Timedelta(minutes=10)
    elif pd.api.types.is_timedelta64_dtype(other):
        assert (pd.to_timedelta(one) - other).abs().max() <= pd.Timedelta(seconds=10)
    elif pd.api.types.is_numeric_dtype(other) and not pd.api.types.is_bool_dtype(other):
        one, other = one.astype(float), other.astype(float)
        np.testing.assert_allclose(one, other, atol=1.01 if (other == other.round()).all() else 0.02)
    else:
        one, other = (column.astype(object).where(column.notna(), "") for column in (one, other))
        assert (one.astype(str) == other.astype(str)).mean() > 0.98


class Source:
    """A table in a file or a folder, a model of it, and what the model says of it in memory."""

    def __init__(self, folder, kind, monkeypatch):
        table = pa.table(columns())
        self.path = folder / kind
        if kind == "csv":
            self.path, text = folder / "table.csv", table.to_pandas().astype(object)
            text.to_csv(self.path, index=False, date_format="%Y-%m-%d %H:%M:%S")
        elif kind == "file":
            self.path = folder / "table.parquet"
            pq.write_table(table, self.path, row_group_size=37)
        else:
            self.path.mkdir()
            for number, (first, last) in enumerate(pairwise(CUTS)):
                pq.write_table(table.slice(first, last - first), self.path / f"{number}.parquet", row_group_size=37)
        self.X = load_data(self.path).X
        self.table = None if kind == "csv" else table
        self.file = folder / "model.safetensors"
        self.model = Autoencoder(2, hidden=(8,), epochs=2, random_state=0).fit(self.X)
        self.model.save(self.file)
        for name, number in {"ROWS": 64, "ALIGNED": 32}.items():
            monkeypatch.setattr(parts_module, name, number)
        for module in (parts_module, streaming):
            monkeypatch.setattr(module, "BATCHES", 2)

    def through(self, verb, out, **options):
        """Return what a stream writes, its parts put together: a table, or the lines of a file."""
        streaming.__dict__[verb](self.file, str(self.path), out, told=lambda _: None, **options)
        files = sorted(out.glob("part-*"))
        if files[0].suffix == ".csv":
            lines = [file.read_text("utf-8").splitlines(keepends=True) for file in files]
            return lines[0][:1] + [line for own in lines for line in own[1:]]
        return pa.concat_tables([pq.read_table(file) for file in files])


@pytest.fixture(scope="module", params=["file", "folder", "csv"])
def source(request, tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield Source(tmp_path_factory.mktemp("source"), request.param, monkeypatch)


def test_codes(source, tmp_path):
    made = source.through("encode", tmp_path / "out", scores=True)
    np.testing.assert_allclose(made.to_pandas().to_numpy()[:, :2], source.model.transform(source.X), **CLOSE)
    np.testing.assert_allclose(made["score_samples"], source.model.score_samples(source.X), **CLOSE)


def test_odd_rows(source, tmp_path):
    made = source.through("anomalies", tmp_path / "out")
    np.testing.assert_allclose(made["score"], source.model.anomaly_score(source.X), **CLOSE)
    np.testing.assert_array_equal(made["odd"], source.model.predict(source.X) == -1)


@pytest.mark.parametrize("verb", ["reconstruct", "denoise"])
def test_rows_restored(verb, source, tmp_path):
    made = source.through(verb, tmp_path / "out")
    whole = pa.Table.from_pandas(source.model.reconstruct(source.X), preserve_index=False)
    for name in whole.column_names:
        assert_alike(made[name].to_pandas(), whole[name].to_pandas())
    assert ("reconstruction_error" in made.column_names) == (verb == "reconstruct")


def test_gaps_filled(source, tmp_path):
    made, filled = source.through("impute", tmp_path / "out"), source.model.impute(source.X, random_state=0)
    if source.table is None:
        before = source.path.read_text("utf-8").splitlines(keepends=True)
        cells = [[line.rstrip("\n").split(",") for line in lines[1:]] for lines in (before, made)]
        assert made[0] == before[0]
        assert all(old in ("", new) for row in zip(*cells, strict=True) for old, new in zip(*row, strict=True))
        (tmp_path / "filled.csv").write_text("".join(made), encoding="utf-8")
        made = load_data(tmp_path / "filled.csv").X
    else:
        stored = pq.read_schema(source.path if source.path.is_file() else source.path / "0.parquet")
        assert made.schema.equals(stored, check_metadata=True)
        for name, old in zip(made.column_names, source.table.columns, strict=True):
            known = old.cast(stored.field(name).type).is_valid()
            assert made[name].filter(known).equals(old.cast(stored.field(name).type).filter(known)), name
        made = made.to_pandas()
    left_out = [column.name for column in source.model.table_.columns if column.kind in ("empty", "identifier")]
    assert not made.drop(columns=left_out).isna().to_numpy().any()
    for name in filled.columns.drop("nothing"):
        assert_alike(made[name], filled[name])


@pytest.mark.parametrize("kind", ["pandas", "table", "batch", "polars"])
def test_a_scorer(kind, source):
    if source.table is None:
        rows = source.X
    else:
        pl = pytest.importorskip("polars")
        kinds = {"table": lambda t: t, "batch": lambda t: t.combine_chunks().to_batches()[0], "polars": pl.from_arrow}
        rows = kinds.get(kind, pa.Table.to_pandas)(source.table)
    scorer = Scorer(source.file, outputs=("codes", "anomaly_score", "odd"))
    made = scorer(rows)
    if kind in ("table", "batch") and source.table is not None:
        assert made.schema == scorer.schema
    np.testing.assert_allclose(made["anomaly_score"], source.model.anomaly_score(source.X), **CLOSE)


def test_columns_that_are_lacking_other_or_of_another_type_are_named(source, tmp_path):
    if source.table is None:
        pytest.skip("what is in a text is told by its cells, and these by their lines")
    table = pq.read_table(source.path)
    pq.write_table(table.drop_columns(["late"]).append_column("lat", table["late"]), tmp_path / "lacking.parquet")
    with pytest.raises(ValueError, match="has no column 'late', which the model was fitted to; did you mean 'lat'"):
        streaming.encode(source.file, str(tmp_path / "lacking.parquet"), tmp_path / "out", told=lambda _: None)
    pq.write_table(table.append_column("new", table["text"]), tmp_path / "more.parquet")
    with pytest.warns(UserWarning, match="columns that the model does not know are left out: new$"):
        streaming.encode(source.file, str(tmp_path / "more.parquet"), tmp_path / "out", told=lambda _: None)
    whole = source.through("encode", tmp_path / "whole")
    assert pq.read_table(tmp_path / "out" / "part-00000.parquet").equals(whole.slice(0, 128))
    place = table.column_names.index("text")
    pq.write_table(table.set_column(place, "text", table["full"]), tmp_path / "type.parquet")
    words = "type.parquet, rows 0 to 63: X, column 'text', holds numbers, of type float64; when the model was fitted it"
    with pytest.raises(ValueError, match=words):
        streaming.encode(source.file, str(tmp_path / "type.parquet"), tmp_path / "type", told=lambda _: None)


def test_parts_whose_levels_are_numbered_otherwise_or_that_know_none(source, tmp_path):
    """As pandas writes a part with more categories than another, and one whose texts are all missing."""
    if source.table is None or source.path.is_file():
        pytest.skip("parts are Parquet")
    folder = tmp_path / "parts"
    folder.mkdir()
    for number, file in enumerate(sorted(source.path.iterdir())):
        part = pq.read_table(file)
        if not number:
            part = part.set_column(part.column_names.index("late"), "late", pa.nulls(len(part)))
        if number == 2:
            place, levels = part.column_names.index("dictionary"), part["dictionary"].cast(pa.string())
            part = part.set_column(
                place, "dictionary", levels.dictionary_encode().cast(pa.dictionary(pa.int8(), pa.string()))
            )
        pq.write_table(part, folder / file.name)
    pd.testing.assert_frame_equal(load_data(folder).X, source.X, check_categorical=False)
    streaming.impute(source.file, str(folder), tmp_path / "out", told=lambda _: None)
    whole = source.through("impute", tmp_path / "whole")
    files = sorted((tmp_path / "out").glob("part-*"))
    made = pa.concat_tables([pq.read_table(file) for file in files], promote_options="permissive")
    assert made["late"].equals(whole["late"])
    assert made["dictionary"].cast(pa.string()).equals(whole["dictionary"].cast(pa.string()))
