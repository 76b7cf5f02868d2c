"""Rows of a table on the command line: what they are to be like, and how they are written."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from narrows import Autoencoder

N = 300
RNG = np.random.default_rng(0)
A = RNG.normal(size=N)
PEOPLE = pd.DataFrame(
    {
        "age": pd.array(np.where(RNG.random(N) < 0.2, None, np.rint(50 + 12 * A)), dtype="Int64"),
        "city": np.where(A > 0.5, "Brno", np.where(A > -0.5, "Praha", "Plzeň, Doubravka")),
        "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.rint(100 + 30 * A), unit="D"),
        "member": A + RNG.normal(size=N) > 0,
        "a=b": RNG.normal(size=N),
    }
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    Autoencoder(2, hidden=(8,), epochs=5, random_state=0).fit(PEOPLE).save(folder / "people.safetensors")
    return folder


def test_what_is_made_is_called_by_its_run(folder, tmp_path, typed):
    (tmp_path / "people-run").mkdir()
    shutil.copy(folder / "people.safetensors", tmp_path / "people-run" / "model.safetensors")
    typed(tmp_path, "generate", "people-run", "--n", 2)
    assert (tmp_path / "runs" / "generate-people-run" / "samples.csv").exists()


def test_rows_are_as_asked_for(folder, typed):
    given = ("age=30..60", "city=Brno,Praha", "since=2024-03-01..", "member=True", "a=b=-1..1")
    options = [each for condition in given for each in ("--given", condition)]
    typed(folder, "generate", "people.safetensors", "--n", 40, *options, "--out", "made")
    rows = pd.read_csv(folder / "made" / "samples.csv", parse_dates=["since"])
    assert [*rows] == [*PEOPLE]
    assert rows["age"].between(30, 60).all()
    assert rows["age"].dtype == np.int64
    assert set(rows["city"]) == {"Brno", "Praha"}
    assert rows["since"].min() >= pd.Timestamp("2024-03-01")
    assert rows["member"].all()
    assert rows["a=b"].between(-1, 1).all()
    assert json.loads((folder / "made" / "results.json").read_text())["given"] == list(given)


def test_gaps_and_files(folder, typed):
    typed(folder, "generate", "people.safetensors", "--n", 100, "--out", "rows.csv")
    assert pd.read_csv(folder / "rows.csv")["age"].isna().any()
    typed(folder, "generate", "people.safetensors", "--n", 100, "--complete", "--out", "rows.parquet")
    rows = pd.read_parquet(folder / "rows.parquet")
    assert not rows.isna().any().any()
    assert rows.dtypes.equals(PEOPLE.dtypes)
    typed(folder, "generate", "people.safetensors", "--n", 5, "--given", "city=Plzeň, Doubravka", "--out", "one.csv")
    assert set(pd.read_csv(folder / "one.csv")["city"]) == {"Plzeň, Doubravka"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--given", "city"], "'city' must be COLUMN=VALUE, COLUMN=FIRST..LAST or COLUMN=VALUE,VALUE"),
        (["--given", "town=Brno"], "the table has no column 'town'"),
        (["--given", "age=60..30"], "is an empty range"),
        (["--given", "city=Brmo"], "did you mean 'Brno'?"),
        (["--given", "age=30", "--given", "age=40"], "names a column twice"),
        (["--given", "age=30", "--like", "rows.csv"], "--given age=30 has no effect with --like DATA"),
        (["--out", "people.safetensors"], "already exists"),
    ],
)
def test_what_cannot_be(folder, typed, arguments, message):
    _, errors = typed(folder, "generate", "people.safetensors", *arguments, status=2)
    assert message in " ".join(errors.split())
