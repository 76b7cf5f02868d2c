"""evaluate, anomalies and the report: what a person is told of a model, on the screen and in files."""

import csv
import json
import re

import numpy as np
import pytest
from sklearn.datasets import load_digits

from narrows import VAE, Autoencoder


@pytest.fixture(scope="module")
def digits():
    rng = np.random.default_rng(0)
    return load_digits().images[rng.permutation(1797)]


@pytest.fixture(scope="module")
def folder(digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("judge")
    Autoencoder(8, epochs=30, random_state=0).fit(digits[:1400]).save(folder / "m.safetensors")
    np.save(folder / "all.npy", digits)
    odd = digits[1400:1500].copy()
    odd[:10] = np.random.default_rng(1).permuted(odd[:10], axis=2)
    np.save(folder / "some.npy", odd)
    return folder


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.usefixtures("undrawn")
def test_evaluate_takes_what_was_not_seen_in_training(folder, typed):
    output, _ = typed(folder, "evaluate", "m.safetensors", "all.npy", "--out", "e")
    assert "Evaluated on 397 of 1,797 examples; the model saw 1,400 of them in training" in output
    assert "Diagnosis: no fault was found." in output
    written = json.loads((folder / "e" / "evaluation.json").read_text(encoding="utf-8"))
    numbers = {number["name"]: number for number in written["numbers"]}
    assert numbers["error, model"]["high"] < numbers["error, PCA with 8"]["low"] < numbers["error, the mean"]["low"]
    assert written["findings"] == []
    assert written["command"] == ["narrows", "evaluate", "m.safetensors", "all.npy", "--out", "e"]


def test_the_report_stands_by_itself(folder, typed, monkeypatch):
    typed(folder, "evaluate", "m.safetensors", "all.npy", "--out", "r")
    page = (folder / "r" / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"<script|<link|src=\"(?!data:)|url\(|https?:", page)
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings[0] == "Diagnosis"
    assert {"Training", "Reconstructions", "A map of the codes", "Traversals", "New examples", "The oddest"} < set(
        headings
    )
    assert {"Calibration", "All numbers", "To repeat it"} < set(headings)
    assert "narrows evaluate m.safetensors all.npy --out r" in page
    lines = "from narrows" + page.partition("<pre>from narrows")[2].partition("</pre>")[0].replace("&#x27;", "'")
    names = {}
    with monkeypatch.context() as patch:
        patch.chdir(folder)
        exec(compile(lines, "report", "exec"), names)
    assert len(names["evaluation"].places) == 397


@pytest.mark.usefixtures("undrawn")
def test_a_faulty_model_is_called_so_first_and_with_what_to_try(digits, folder, typed):
    VAE(8, beta=40.0, epochs=10, random_state=0).fit(digits[:1400]).save(folder / "bad.safetensors")
    output, _ = typed(folder, "evaluate", "bad.safetensors", "all.npy", "--out", "bad")
    assert "Diagnosis, collapsed posterior: Most of the code has collapsed" in output
    assert "Seen: 0 of 8 units are active" in output
    assert "Try: Lower beta" in output
    page = (folder / "bad" / "report.html").read_text(encoding="utf-8")
    assert page.index("collapsed posterior") < page.index("What was trained on what")
    assert json.loads((folder / "bad" / "evaluation.json").read_text(encoding="utf-8"))["findings"]


@pytest.mark.slow
def test_train_and_sweep_write_the_report_of_the_model_to_take(digits, tmp_path, typed):
    np.save(tmp_path / "d.npy", digits[:500])
    output, _ = typed(tmp_path, "train", "d.npy", "--epochs", "3", "--out", "t")
    assert "Diagnosis, undertrained: Principal components rebuild even the examples" in output
    assert "  t/report.html" in output
    swept = ("--latent-dims", "2,6", "--epochs", "20", "--seeds", "2", "--out", "s")
    output, _ = typed(tmp_path, "sweep", "d.npy", *swept)
    assert "over seeds" in output
    assert len(json.loads((tmp_path / "s" / "results.json").read_text(encoding="utf-8"))["trainings"]) == 4
    page = (tmp_path / "s" / "report.html").read_text(encoding="utf-8")
    for heading in ("Which latent_dim?", "Rate and distortion", "The same examples through all of them"):
        assert f"<h2>{heading}</h2>" in page
    assert "Autoencoder of 6 numbers on d" in page
    assert "sweep(data.X, data.y, latent_dims=[2, 6]" in page
    assert "random_state=0, seeds=2)" in page


@pytest.mark.usefixtures("undrawn")
def test_rows_have_a_report_too(tmp_path, typed):
    rng = np.random.default_rng(0)
    rows = "\n".join(",".join(map(str, row)) for row in rng.normal(size=(120, 1)) @ [[1.0, 2.0, -1.0]])
    (tmp_path / "t.csv").write_text("a,b,c\n" + rows + "\n", encoding="utf-8")
    output, _ = typed(tmp_path, "train", "t.csv", "--latent-dim", "1", "--epochs", "5", "--out", "t")
    assert "report.html" in output
    output, _ = typed(tmp_path, "anomalies", "t/model.safetensors", "t.csv", "--false-alarms", "0.2", "--out", "a")
    assert len(table(tmp_path / "a" / "anomalies.csv")) == 120


def test_anomalies_are_ranked_and_counted(folder, typed):
    output, _ = typed(folder, "anomalies", "m.safetensors", "some.npy", "--out", "a")
    rows = table(folder / "a" / "anomalies.csv")
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert sorted(int(row["example"]) for row in rows) == list(range(100))
    odd = [int(row["example"]) for row in rows if row["odd"] == "TRUE"]
    assert len(set(odd) & set(range(10))) >= 9  # the scrambled ones
    assert len(odd) <= 10 + 0.05 * 90 + 8
    assert output.startswith(f"{len(odd)} of 100 examples are odd")
    assert f"\nThe oddest: {', '.join(row['example'] for row in rows[:5])}\n" in output
    assert all(0 < float(row["p_value"]) <= 1 for row in rows)
    assert (folder / "a" / "anomalies.png").stat().st_size > 10_000
    numbers = json.loads((folder / "a" / "results.json").read_text(encoding="utf-8"))
    assert numbers["odd"] == len(odd)
    assert numbers["oddest"] == [int(row["example"]) for row in rows[:20]]
    assert scores[len(odd) - 1] > numbers["threshold"] >= scores[len(odd)]


@pytest.mark.usefixtures("undrawn")
def test_a_lower_rate_calls_fewer_odd(folder, typed):
    counts = []
    for rate in ("0.3", "0.02"):
        output, _ = typed(folder, "anomalies", "m.safetensors", "all.npy", "--false-alarms", rate, "--out", f"r{rate}")
        counts.append(int(output.split()[0].replace(",", "")))
    assert counts[0] > counts[1] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--false-alarms", "2"], "false_alarms=2"),
        (["--by", "magic"], "by='magic'"),
    ],
)
def test_what_cannot_be_asked_for(folder, typed, arguments, message):
    _, errors = typed(folder, "anomalies", "m.safetensors", "some.npy", *arguments, "--out", "never", status=2)
    assert message in errors
    assert not (folder / "never").exists()


@pytest.mark.usefixtures("undrawn")
def test_examples_seen_in_training_alone_are_refused(digits, folder, typed):
    np.save(folder / "seen.npy", digits[:200])
    _, errors = typed(folder, "evaluate", "m.safetensors", "seen.npy", status=2)
    assert "200 of the 200 examples of X are those that the model was fitted to" in errors
    output, _ = typed(folder, "evaluate", "m.safetensors", "seen.npy", "--new", "--out", "new")
    assert "Evaluated on 200 of 200 examples; 200 equal some that it saw" in output
    assert json.loads((folder / "new" / "evaluation.json").read_text(encoding="utf-8"))["repeated"] == 200
    assert "model.evaluate(data.X, data.y, new=True, " in (folder / "new" / "report.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("undrawn")
def test_what_goes_wrong_is_said_while_it_learns(tmp_path, typed):
    options = ["--recipe", "lecture", "--latent-dim", "16", "--epochs", "20", "--seed", "0", "--out", "l"]
    output, errors = typed(tmp_path, "train", "digits", *options)
    assert re.search(r"latent_dim 16, epoch \d+: \d+ of 16 units of the code are dead", errors)
    assert "Diagnosis, dead units:" in output


def test_no_lower_rate_is_stated_than_the_examples_held_out_can_promise(tmp_path, typed):
    X = np.random.default_rng(0).random((44, 6))
    model = Autoencoder(2, epochs=1, hidden=(4,), random_state=0).fit(X[:40])
    model.save(tmp_path / "m.safetensors")
    np.save(tmp_path / "x.npy", X[40:])
    output, errors = typed(tmp_path, "anomalies", "m.safetensors", "x.npy", "--false-alarms", "0.01", "--out", "a")
    held_out = len(model.reference_.held_out["reconstruction"])
    assert held_out < 99
    least = 1 / (held_out + 1)
    assert f"which at most {100 * least:.3g}% of ordinary examples exceed" in output
    assert (
        f"A rate of 0.01 cannot be promised: the training held out {held_out} examples, and this rate needs 99."
        in output
    )
    assert not errors
    numbers = json.loads((tmp_path / "a" / "results.json").read_text(encoding="utf-8"))
    assert numbers["promised"] == pytest.approx(least)
    assert numbers["threshold"] == pytest.approx(max(model.fitted_.held_out("auto")), rel=2e-5)
