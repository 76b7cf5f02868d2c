"""New rows of a table come as its own: the same columns, types, levels and bounds, whole numbers and dates."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from narrows import VAE

N = 240
RNG = np.random.default_rng(1)
A = RNG.normal(size=N)
WHOLE = np.rint(40 + 10 * A).astype(int).clip(1, 100)
WORDS = np.array(["low", "mid", "high"], object)[np.digitize(A, [-0.5, 0.5])]
DAYS = np.datetime64("2024-03-20") + (WHOLE % 30).astype("timedelta64[D]")
GAP = RNG.random(N) < 0.2


def gappy(values):
    return [None if gap else value for value, gap in zip(values, GAP, strict=True)]


def of_pandas():
    import pyarrow as pa

    frame = {name: pd.Series(WHOLE.astype(name)) for name in ("int8", "int16", "int32", "int64", "uint8", "uint64")}
    frame |= {name: pd.Series(gappy(WHOLE), dtype=name) for name in ("Int8", "Int64", "UInt16", "int32[pyarrow]")}
    frame |= {name: pd.Series(A, dtype=name) for name in ("float32", "float64")}
    frame |= {name: pd.Series(gappy(A), dtype=name) for name in ("Float32", "Float64", "double[pyarrow]")}
    frame |= {name: pd.Series(gappy(WORDS), dtype=name) for name in ("object", "string", "category", "string[pyarrow]")}
    frame |= {name: pd.Series(gappy(A > 0), dtype=name) for name in ("boolean", "bool[pyarrow]")}
    frame["bool"] = pd.Series(A > 0)
    levels = pd.CategoricalDtype(["low", "mid", "high", "never"], ordered=True)
    frame["ordered"] = pd.Series(WORDS).astype(levels)
    for unit in ("s", "ms", "us", "ns"):
        frame[f"datetime64[{unit}]"] = pd.Series(DAYS).astype(f"datetime64[{unit}]")
    frame["Prague"] = pd.Series(DAYS.astype("datetime64[s]")).dt.tz_localize("Europe/Prague")
    frame["date"] = pd.Series([value.astype(dt.date) for value in DAYS.astype("datetime64[D]")])
    frame["date32[pyarrow]"] = frame["date"].astype(pd.ArrowDtype(pa.date32()))
    frame["span"] = pd.Series(pd.to_timedelta(WHOLE, unit="min"))
    return pd.DataFrame(frame)


def of_polars():
    pl = pytest.importorskip("polars")
    frame = {
        str(kind): pl.Series(gappy(WHOLE.tolist()), dtype=kind) for kind in (pl.Int8, pl.Int32, pl.UInt16, pl.Int64)
    }
    frame |= {str(kind): pl.Series(gappy(A.tolist()), dtype=kind) for kind in (pl.Float32, pl.Float64)}
    frame |= {str(kind): pl.Series(gappy(WORDS), dtype=kind) for kind in (pl.String, pl.Categorical)}
    frame["enum"] = pl.Series(gappy(WORDS), dtype=pl.Enum(["low", "mid", "high", "never"]))
    frame["truth"] = pl.Series(gappy((A > 0).tolist()))
    days = pl.Series(gappy(DAYS.astype("datetime64[D]").tolist()))
    frame["date"] = days
    for unit in ("ms", "us", "ns"):
        frame[unit] = days.cast(pl.Datetime(unit))
    frame["Prague"] = days.cast(pl.Datetime("us")).dt.replace_time_zone("Europe/Prague")
    frame["span"] = pl.Series([dt.timedelta(minutes=int(value)) for value in WHOLE])
    return pl.DataFrame(frame)


@pytest.fixture(scope="module", params=[of_pandas, of_polars], ids=["pandas", "polars"])
def made(request):
    frame = request.param()
    model = VAE(2, hidden=(16,), epochs=2, random_state=0).fit(frame)
    return frame, model.sample(400, random_state=0), model.sample(400, random_state=0, missing=False)


def test_the_same_columns_of_the_same_types(made):
    frame, *both = made
    for rows in both:
        assert list(rows.columns) == list(frame.columns)
        assert [str(dtype) for dtype in rows.dtypes] == [str(dtype) for dtype in frame.dtypes]


def test_no_value_that_the_data_could_not_have(made):
    frame, *both = made
    for rows in both:
        for name in frame.columns:
            old, new = (
                each[name].dropna() if isinstance(each, pd.DataFrame) else each[name].drop_nulls()
                for each in (frame, rows)
            )
            if isinstance(old.iloc[0] if isinstance(old, pd.Series) else old[0], str):
                assert set(new) <= set(old), name
                continue
            assert min(old) <= min(new), name
            assert max(new) <= max(old), name
            if "datetime64" in name or name in ("ms", "us", "ns"):
                assert all(pd.Timestamp(value) == pd.Timestamp(value).normalize() for value in new), name
            if name == "Prague":  # midnight there, also where the clocks have changed
                assert all(pd.Timestamp(value) == pd.Timestamp(value).normalize() for value in new)


def test_cells_are_missing_only_where_they_may_be(made):
    frame, rows, complete = made
    for name in frame.columns:
        gaps, new, none = (np.asarray(pd.isna(pd.Series(list(each[name])))) for each in (frame, rows, complete))
        assert not none.any(), name
        assert new.any() == gaps.any(), name
