"""Columns that are found part by part are those of the whole; of many values a sample says nearly the same."""

import numpy as np
import pandas as pd
import pytest

from narrows.columns import tally
from narrows.columns.table import Table

N = 8000


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(0)
    x = random.normal(size=N)
    table = pd.DataFrame(
        {
            "bell": x,
            "heaps": np.where(random.random(N) < 0.5, 0.0, np.where(random.random(N) < 0.1, 99.5, np.exp(x))),
            "price": np.round(np.exp(x), 2),
            "visits": random.poisson(np.exp(x)),
            "age": np.rint(40 + 10 * x).astype(np.int8),
            "id": random.permutation(N),
            "key": [f"k{i}" for i in range(N)],
            "city": random.choice(["Brno", "Praha", "Plzeň"], N, p=[0.5, 0.3, 0.2]),
            "size": pd.Categorical(random.choice(["S", "M"], N), ["S", "M", "L"], ordered=True),
            "on": random.random(N) < 0.3,
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.rint(100 * x), unit="D"),
            "written": (pd.Timestamp("2024-01-01") + pd.to_timedelta(np.rint(9 * x), unit="D")).strftime("%Y-%m-%d"),
            "span": pd.to_timedelta(np.rint(1e4 * x), unit="s"),
            "same": "x",
        }
    )
    gaps = random.random((N, table.shape[1])) < 0.05
    gaps[:, [5, 6]] = False
    return table.assign(age=table["age"].astype("Int8"), on=table["on"].astype("boolean")).mask(gaps)


def in_parts(frame, rows=170):
    return (frame.iloc[first : first + rows].reset_index(drop=True) for first in range(0, len(frame), rows))


@pytest.mark.parametrize("asked", [None, "real", {"visits": "real", "city": "identifier", "age": "category"}])
def test_parts_tell_the_same_as_the_whole(frame, asked):
    columns = frame if asked != "real" else frame[["bell", "heaps", "age", "id"]]
    assert Table.of_parts(in_parts(columns), asked) == Table.of(columns, asked)


def test_a_type_that_knows_gaps_is_that_of_all_parts():
    whole = pd.DataFrame({"n": pd.array([*range(40), None], "Int64"), "x": np.arange(41.0) % 7})
    parts = [whole[:20].astype({"n": "int64"}), whole[20:40].astype({"n": "int64"}), whole[40:]]
    assert Table.of_parts(parts, {"n": "whole"}) == Table.of(whole, {"n": "whole"})


def test_parts_of_two_kinds_are_refused():
    with pytest.raises(TypeError, match=r"column 'a', holds values of type (str|object), and before them others"):
        Table.of_parts([pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": ["x", "y"]})], None)


def test_of_many_values_a_sample_tells_nearly_the_same(frame, monkeypatch):
    whole = Table.of(frame, None)
    monkeypatch.setattr(tally, "MOST_VALUES", 2048)
    found = Table.of_parts(in_parts(frame), None)
    assert [(one.name, one.kind, one.known, one.missing) for one in found.columns] == [
        (one.name, one.kind, one.known, one.missing) for one in whole.columns
    ]
    for one, other in zip(found.columns, whole.columns, strict=True):
        assert (one.low, one.high, one.step, one.levels) == (other.low, other.high, other.step, other.levels)
    heaps, expected = found.columns[1], whole.columns[1]
    assert heaps.heaps == expected.heaps == (0.0, 99.5)
    shares = [
        np.array(one.counts)[np.diff(np.reshape(one.edges, (-1, 2)))[:, 0] == 0] / sum(one.counts)
        for one in (heaps, expected)
    ]
    np.testing.assert_allclose(*shares, atol=0.05)


def test_levels_beyond_those_counted_are_refused_unless_none_comes_twice(monkeypatch):
    monkeypatch.setattr(tally, "MOST_VALUES", 2048)
    words = [f"w{i % 3000}" for i in range(N)]
    frame = pd.DataFrame({"x": np.arange(N) / 7, "word": words})
    with pytest.raises(ValueError, match=r"column 'word', holds more than 2,048 .*: columns=\{'word': 'identifier'\}"):
        Table.of_parts(in_parts(frame), None)
    assert Table.of_parts(in_parts(frame), {"word": "identifier"}).columns[1].kind == "identifier"


def test_what_cannot_be_a_number_is_told_by_its_row():
    frame = pd.DataFrame({"a": [str(i) for i in range(300)], "b": np.arange(300.0)})
    frame.loc[200, "a"] = "x"
    with pytest.raises(ValueError, match="column 'a', holds 'x' in row 200; a number is expected"):
        Table.of_parts(in_parts(frame, 70), {"a": "real"})
