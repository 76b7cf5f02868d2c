"""A person's own table on the command line: described, learned from, filled, checked, generated."""

import csv
import json

import numpy as np
import pandas as pd
import pytest

N = 120


def people(n=N):
    """A file as a spreadsheet writes it, with codes, dates, gaps and two marks for what is missing."""
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, n))
    city = np.where(a > 0.4, "Brno", np.where(a > -0.4, "Praha, 1", "Plzeň"))
    rows = zip(
        [f"p{i}" for i in rng.permutation(n)],
        np.where(a > 0, "00501", "60200"),
        np.where(rng.random(n) < 0.9, city, "?"),
        [
            f"{age:.1f}".replace(".", ",") if known else ""
            for age, known in zip(45 + 12 * a, rng.random(n) < 0.9, strict=True)
        ],
        np.where(b > 0, "yes", "no"),
        [f"{day:%d.%m.%Y}" for day in pd.Timestamp("2024-01-01") + pd.to_timedelta(np.rint(100 * b), unit="D")],
        ["CZ"] * n,
        strict=True,
    )
    return "\ufeffid;zip;city;age;member;since;country\r\n" + "".join(";".join(map(str, row)) + "\r\n" for row in rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, typed):
    folder = tmp_path_factory.mktemp("tables")
    (folder / "people.csv").write_text(people(), encoding="utf-8", newline="")
    output, _ = typed(
        folder, "train", "people.csv", "--missing", "?", "--latent-dim", "2", "--epochs", "3", "--out", "run"
    )
    (folder / "said.txt").write_text(output, encoding="utf-8")
    return folder


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_training_says_what_the_columns_are(folder):
    said = (folder / "said.txt").read_text(encoding="utf-8")
    for kind in ("identifier", "binary", "category", "real", "date", "constant"):
        assert f"  {kind} " in said
    assert "Taken for missing: '?' in" in said
    assert "narrows impute run/model.safetensors people.csv" in said
    assert "sweep people.csv --missing '?'" in said
    results = json.loads((folder / "run" / "results.json").read_text(encoding="utf-8"))
    assert results["data"]["missing"] == ["?"]
    kinds = {one["name"]: one["kind"] for one in results["columns"]}
    assert (kinds["id"], kinds["zip"], kinds["since"], kinds["country"]) == ("identifier", "binary", "date", "constant")


def test_only_missing_cells_are_filled(folder, typed):
    output, _ = typed(folder, "impute", "run", "people.csv", "--out", "filled")  # '?' as in the training
    before = (folder / "people.csv").read_bytes().decode().splitlines(keepends=True)
    after = (folder / "filled" / "people.csv").read_bytes().decode().splitlines(keepends=True)
    marks = {2: "?", 3: ""}
    filled = 0
    for old, new in zip(before, after, strict=True):
        new_cells = next(csv.reader([new], delimiter=";"))
        for place, (one, other) in enumerate(zip(next(csv.reader([old], delimiter=";")), new_cells, strict=True)):
            if place in marks and one == marks[place]:
                assert other in ("Brno", "Praha, 1", "Plzeň") or float(other.replace(",", "."))
                assert place == 2 or len(other.partition(",")[2]) == 1
                filled += 1
            else:
                assert other == one
    assert f"{filled} of {filled} missing cells filled in {N} rows" in output
    typed(folder, "impute", "run", "people.csv", "--out", "alone.csv")
    assert (folder / "alone.csv").read_bytes() == (folder / "filled" / "people.csv").read_bytes()
    typed(folder, "impute", "run", "people.csv", "--draws", "2", "--out", "drawn")
    assert {file.name for file in (folder / "drawn").iterdir()} == {"people-1.csv", "people-2.csv", "results.json"}


def test_odd_cells_are_named_and_drawn(folder, typed):
    lines = people().splitlines(keepends=True)
    cells = lines[5].split(";")
    lines[5] = ";".join([*cells[:3], "900,0", *cells[4:]])
    (folder / "odd.csv").write_text("".join(lines), encoding="utf-8", newline="")
    typed(folder, "anomalies", "run", "odd.csv", "--out", "a")
    first = table(folder / "a" / "anomalies.csv")[0]
    cells, p, ordinary = (first[name].split("; ") for name in ("odd_cells", "cell_p_values", "ordinary_values"))
    assert (first["example"], first["odd"], cells[0]) == ("4", "TRUE", "age")
    assert float(p[0]) < 0.01
    assert 20 < float(ordinary[0]) < 80
    nats = table(folder / "a" / "nats.csv")
    assert list(nats[0]) == ["example", "zip", "city", "age", "member", "since"]
    assert max(range(N), key=lambda row: float(nats[row]["age"] if nats[row]["age"] != "nan" else 0)) == 4
    assert (folder / "a" / "anomalies.png").exists()


@pytest.mark.parametrize("verb", ["reconstruct", "denoise", "interpolate", "generate", "encode"])
def test_rows_come_back_in_their_columns_and_all_is_drawn(folder, typed, verb):
    out = f"{verb}.csv" if verb == "encode" else verb
    data = [] if verb == "generate" else ["people.csv"]
    _, errors = typed(folder, verb, "run", *data, "--out", out)
    assert "was not drawn" not in errors
    if verb == "encode":
        assert len(table(folder / out)) == N
        return
    name = {"reconstruct": "reconstructed", "denoise": "denoised", "interpolate": "path", "generate": "samples"}[verb]
    rows = table(folder / out / f"{name}.csv")
    assert list(rows[0]) == ["zip", "city", "age", "member", "since", "country"]
    assert {row["zip"] for row in rows} <= {"00501", "60200"}
    assert all(pd.to_datetime(row["since"], format="%d.%m.%Y") for row in rows)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="age"), "X has no column 'age', which the model was fitted to"),
        (lambda frame: frame.assign(more="x"), "X has a column 'more', which the model was not fitted to; drop it"),
        (lambda frame: frame.assign(age="old"), "column 'age' holds 'old' in line 2; a number is expected"),
        (lambda frame: frame.assign(since="soon"), "column 'since', holds 'soon' in row 0; a date written as"),
        (
            lambda frame: frame.assign(zip="", city="", age="", member="", since=""),
            f"X has only missing cells in {N} rows, first in row 0; drop these rows",
        ),
    ],
)
def test_what_does_not_fit_a_model_is_one_line(folder, typed, change, message):
    frame = pd.read_csv(folder / "people.csv", sep=";", dtype=str, keep_default_na=False)
    change(frame).to_csv(folder / "bad.csv", sep=";", index=False)
    for verb in ("impute", "reconstruct", "anomalies"):
        _, errors = typed(folder, verb, "run", "bad.csv", "--out", "bad", status=2)
        assert errors.startswith("narrows: error: ")
        assert errors.count("\n") == 1
        assert message in errors
        assert not (folder / "bad").exists()
