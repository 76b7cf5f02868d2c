"""The command line as a person uses it: real processes, real files, the screen and the exit status."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from killing import killed_in_write
from narrows import Autoencoder, load
from narrows.runs.files import CHECKPOINT
from narrows.storage import halves
from narrows.training.loop import Training
from narrows.web.library import open_models

NARROWS = [sys.executable, "-m", "narrows"]


def run(*arguments, cwd, status=0, **environment):
    """Run a command in a process of its own."""
    command, env = [*NARROWS, *map(str, arguments)], os.environ | environment
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def swept(tmp_path_factory, typed):
    folder = tmp_path_factory.mktemp("sweep")
    output, errors = typed(folder, "sweep", "digits", "--latent-dims", "8,1", "--epochs", "12")
    return folder, SimpleNamespace(stdout=output, stderr=errors)


def test_sweep_prints_a_table_a_recommendation_and_what_to_do_next(swept):
    _, done = swept
    cells = [line.split() for line in done.stdout.splitlines()]
    assert [row[0] for row in cells if len(row) == 9 and row[2] == "±"] == ["1", "8"]
    assert "squared error per pixel, scaled to [0, 1]" in done.stdout
    assert (
        "Take latent_dim 8: the smallest whose validation error is within one standard error of the lowest"
        in done.stdout
    )
    assert "narrows generate runs/sweep-digits/latent_dim-8.safetensors" in done.stdout
    assert "latent_dim 8 (1 of 2 trained), epoch 1/12" in done.stderr


def test_sweep_writes_a_run_folder(swept):
    folder, done = swept
    run_folder = folder / "runs" / "sweep-digits"
    written = {line.strip() for line in done.stdout.splitlines() if line.startswith("  runs/")}
    assert written == {str(file.relative_to(folder)) for file in run_folder.iterdir()}
    names = {"reconstructions.png", "error.png", "results.csv", "results.json", "evaluation.json", "report.html"}
    names |= {f"latent_dim-{d}{end}" for d in (1, 8) for end in (".safetensors", "-history.csv")}
    assert {file.name for file in run_folder.iterdir()} == names
    results = json.loads((run_folder / "results.json").read_text())
    assert results["command"][:3] == ["narrows", "sweep", "digits"]
    assert results["data"] == {
        "name": "digits",
        "shape": [1797, 8, 8],
        "labelled": True,
        "train": 1437,
        "test": 360,
        "missing": [],
        "key": None,
        "page": None,
        "files_passed_over": [],
    }
    assert [row["latent_dim"] for row in results["rows"]] == [1, 8]
    assert results["recommended_latent_dim"] == 8
    rows = table(run_folder / "results.csv")
    assert [float(row["test_error"]) for row in rows] == [row["test_error"] for row in results["rows"]]
    assert results["rows"][1]["pca_error"] == pytest.approx(0.0247, abs=2e-4)  # the lecture page's own figure
    assert results["mean_error"] > results["rows"][0]["test_error"] > results["rows"][1]["test_error"]
    assert len(table(run_folder / "latent_dim-1-history.csv")) == 12


def test_the_saved_model_makes_the_reported_error(swept):
    from narrows.data import load_data, split

    run_folder = swept[0] / "runs" / "sweep-digits"
    data = load_data("digits")
    _, X_test, *_ = split(data.X, data.y)
    row = json.loads((run_folder / "results.json").read_text())["rows"][1]
    model = load(run_folder / "latent_dim-8.safetensors")
    assert np.square(X_test / 16 - model.reconstruct(X_test) / 16).mean() == pytest.approx(row["test_error"], rel=1e-5)


@pytest.mark.usefixtures("undrawn")
def test_a_second_run_gets_a_folder_of_its_own(swept, typed):
    folder, _ = swept
    typed(folder, "sweep", "digits", "--latent-dims", "1", "--epochs", "1")
    assert (folder / "runs" / "sweep-digits-2" / "results.json").exists()


def test_encode_decode_reconstruct_generate(swept, typed):
    folder, _ = swept
    model = folder / "runs" / "sweep-digits" / "latent_dim-8.safetensors"
    typed(folder, "encode", model, "digits")
    codes = table(folder / "codes-digits.csv")
    assert list(codes[0]) == [*(f"autoencoder{i}" for i in range(8)), "label"]
    assert len(codes) == 1797

    typed(folder, "decode", model, "codes-digits.csv", "--out", "decoded")
    typed(folder, "reconstruct", model, "digits", "--out", "reconstructed")
    decoded = np.load(folder / "decoded" / "decoded.npy")
    restored = np.load(folder / "reconstructed" / "reconstructed.npy")
    np.testing.assert_allclose(decoded, restored, atol=1e-4)
    errors = table(folder / "reconstructed" / "errors.csv")
    assert len(errors) == 1797
    assert set(errors[0]) == {"example", "label", "error"}

    for name in "ab":
        typed(folder, "generate", model, "--n", "10", "--seed", "3", "--out", name)
    first, second = (np.load(folder / name / "samples.npy") for name in "ab")
    assert first.shape == (10, 8, 8)
    np.testing.assert_array_equal(first, second)
    with Image.open(folder / "a" / "samples.png") as picture:
        assert picture.size[0] > 300


@pytest.mark.usefixtures("undrawn")
def test_train_on_a_folder_of_images(tmp_path, typed):
    rng = np.random.default_rng(0)
    for label in ("bright", "dark"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for i in range(12):
            pixels = rng.integers(0, 100, (12, 10, 3), dtype=np.uint8) + (120 if label == "bright" else 0)
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "photos" / label / f"{i}.png")
    typed(tmp_path, "train", "photos", "--latent-dim", "2", "--epochs", "3", "--out", "out")
    names = {
        "model.safetensors",
        "model-history.csv",
        "training.png",
        "reconstructions.png",
        "results.json",
        "results.csv",
        "evaluation.json",
        "report.html",
    }
    assert {file.name for file in (tmp_path / "out").iterdir()} == names
    assert load(tmp_path / "out" / "model.safetensors").input_shape_ == (12, 10, 3)
    printed, _ = typed(tmp_path, "reconstruct", "out", "photos")
    assert "24 examples" in printed
    typed(tmp_path, "train", "photos", "--size", "8", "--epochs", "1", "--out", "small")
    assert load(tmp_path / "small" / "model.safetensors").input_shape_ == (8, 8, 3)
    typed(tmp_path, "reconstruct", "small", "photos", "--out", "fitted-to-the-model")


@pytest.mark.usefixtures("undrawn")
def test_a_table_comes_back_as_a_table(tmp_path, typed):
    rng = np.random.default_rng(0)
    u = rng.normal(size=(80, 1))
    X = u * [1, 1000, -2] + rng.normal(size=(80, 3)) * [0.1, 50, 0.1]
    lines = ["a,b,c,class", *(",".join(map(str, row)) + ",x" for row in X)]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    typed(tmp_path, "train", "t.csv", "--latent-dim", "1", "--epochs", "20", "--out", "out")
    typed(tmp_path, "generate", "out", "--n", "5", "--out", "new")
    rows = table(tmp_path / "new" / "samples.csv")
    assert list(rows[0]) == ["a", "b", "c"]
    assert len(rows) == 5
    printed, _ = typed(tmp_path, "reconstruct", "out", "t.csv", "--out", "back")
    assert "80 examples" in printed
    assert len(table(tmp_path / "back" / "reconstructed.csv")) == 80


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sweep", "digist"], "no data set or file 'digist'; did you mean 'digits'"),
        (["sweep", "digits", "--latent-dims", "1,two"], "--latent-dims '1,two' holds 'two'"),
        (["sweep", "digits", "--latent-dims", ""], "--latent-dims"),
        (["sweep", "digits", "--latent-dims", "0"], "--latent-dims=0 must be a whole number of at least 1"),
        (["train", "digits", "--latent-dim", "x"], "'x' is not a whole number"),
        (["train", "digits", "--latent-dim", "-3"], "--latent-dim=-3 must be"),
        (["train", "digits", "--latnet-dim", "3"], "No such option: --latnet-dim (Possible options: --latent-dim)"),
        (["train", "digits", "--recipe", "lectur"], "--recipe='lectur' is unknown; did you mean 'lecture'"),
        (["train", "digits", "--model", "autoencodr"], "--model='autoencodr' is unknown; did you mean 'autoencoder'"),
        (["sweep", "digits", "--latent-dims", "2,5000"], "--latent-dims=5000 must be"),
        (["train", "digits", "--epochs", "0"], "--epochs=0 must be"),
        (["train", "digits", "--devices", "0"], "--devices=0 must be"),
        (["train", "digits", "--seed", "-1"], "--seed=-1"),
        (["sweep", "digits", "--seeds", "0"], "--seeds=0 must be"),
        (["train", "digits", "--out", "full"], "--out full already exists and is not empty"),
        (["train"], "Missing argument 'DATA'"),
        (["trian"], "No such command 'trian'. Did you mean 'train'?"),
        (["encode", "none.safetensors", "digits"], "MODEL none.safetensors does not exist"),
        (["serve", "none.safetensors", "--token-file", "/dev/zero"], "--token-file /dev/zero is no file"),
        (["serve", "none.safetensors", "--port", "-1"], "--port=-1 must be a whole number"),
        (["explore", "none.safetensors", "--port", "65536"], "--port=65536 must be a whole number"),
        (["explore", "none.safetensors", "--examples", "100001"], "--examples=100001 must be a whole number"),
        (["explore", "/dev/zero"], "/dev/zero is not a model file"),
        (["encode", "full", "digits"], "MODEL full is a folder; name one of the models in it: none"),
        (["encode", "full/file.csv", "digits"], "full/file.csv is not a model file"),
        (["train", "full/file.csv"], "1 example is too few"),
        (["train", "nan.csv"], "X has no column to learn from: a: constant"),
        (["train", "t.csv", "--column", "a"], "--column 'a' must be NAME=KIND, such as zip=category"),
        (["train", "t.csv", "--column", "a=categories"], "'categories' for 'a' is not a kind; did you mean 'category'"),
        (["train", "t.csv", "--column", "town=real"], "--column town=real: t has no column 'town'"),
        (["train", "t.csv", "--column", "a=real", "--column", "a=count"], "two kinds of 'a', real and count"),
        (["train", "t.csv", "--column", "b=real"], "column 'b' holds 'x' in line 2; a number is expected"),
        (["train", "t.csv", "--column", "a=binary"], "for kind 'binary' it must hold two"),
        (["train", "digits", "--column", "a=real"], "--column is for tables; digits holds images"),
        (["train", "t.csv", "--missing", "?,,NA"], "--missing) must list texts that stand for a missing cell"),
        (["train", "digits", "--missing", "?"], "--missing) is for tables in files"),
        (["data", "ragged.csv"], "ragged.csv, line 3 has 1 cells; the first line has 2"),
        (["data", "double.csv"], "double.csv has several columns called 'a'; rename them"),
        (["train", "t.csv", "--option", "columns=real", "--column", "a=real"], "--option columns are both given"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_status_2(tmp_path, typed, arguments, message):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file.csv").write_text("a\nx\n")
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{i},{'xyz'[i % 3]}\n" for i in range(9)))
    (tmp_path / "ragged.csv").write_text("a,b\n1,2\n3\n")
    (tmp_path / "double.csv").write_text("a,a\n1,2\n")
    (tmp_path / "nan.csv").write_text("a,b\n" + "1,2\n" * 3 + ",\n" * 2 + "1,2\n" * 3)
    _, errors = typed(tmp_path, *arguments, status=2)
    assert message in errors
    assert errors.startswith("narrows: error: ")
    assert errors.count("\n") == 1
    assert not list(tmp_path.glob("runs/*/*"))


def test_a_process_ends_with_status_2_too(tmp_path):
    done = run("sweep", "digist", cwd=tmp_path, status=2)
    assert done.stderr.startswith("narrows: error: there is no data set or file 'digist'; did you mean 'digits'")


def test_help_names_every_verb(tmp_path, typed):
    text, _ = typed(tmp_path, "--help")
    for verb in ("train", "sweep", "reconstruct", "denoise", "encode", "decode", "generate", "interpolate"):
        assert verb in text
        assert "Usage" in typed(tmp_path, verb, "--help")[0]


STEP_BY_STEP = """
import sys
from narrows.cli import main, progress
words, progress.PIPE_SECONDS = progress._words, 0.05
progress._words = lambda now: (sys.stdin.readline(), words(now))[1]
main()
"""


def interrupted(arguments, cwd, when):
    """Run a command that says often how far it is, each time if it is let go on, and press Ctrl-C at ``when``."""
    process = subprocess.Popen(
        [sys.executable, "-c", STEP_BY_STEP, *arguments],
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    said = ""
    while not re.search(when, said):
        if not said or " nats" in said:
            process.stdin.write("\n")
            process.stdin.flush()
        said = process.stderr.readline()
        assert said, "it has ended"
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=90)
    return process.returncode, output, errors


@pytest.mark.slow
def test_ctrl_c_leaves_a_usable_run_folder(tmp_path):
    arguments = ["sweep", "digits", "--latent-dims", "1,2,4", "--epochs", "80", "--out", "out"]
    status, output, errors = interrupted(arguments, tmp_path, r"latent_dim 4 \(2 of 3 trained\), epoch (?!1/)")
    assert status == 130
    assert "Interrupted" in errors
    assert "Traceback" not in errors
    rows = json.loads((tmp_path / "out" / "results.json").read_text())["rows"]
    assert [row["latent_dim"] for row in rows] == [1, 2, 4]
    assert [row["interrupted"] for row in rows] == [False, False, True]
    assert load(tmp_path / "out" / "latent_dim-4.safetensors").n_iter_ == rows[2]["epochs"] < 80
    run("generate", "out/latent_dim-1.safetensors", "--n", "4", cwd=tmp_path)
    assert "out/latent_dim-1.safetensors" in output


def test_ctrl_c_before_the_first_epoch_says_so(tmp_path, typed, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Training, "_advance", interrupted)
    arguments = ["sweep", "digits", "--latent-dims", "1", "--epochs", "1", "--out", "out"]
    _, errors = typed(tmp_path, *arguments, status=130)
    assert errors == "Interrupted before the first epoch ended: nothing was written.\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_killed_it_goes_on_with_resume(tmp_path):
    arguments = ["train", "digits", "--latent-dim", "2", "--epochs", "3", "--out"]
    code = (
        "import os, signal, sys; from narrows.training.checkpoint import Checkpoint; from narrows.cli import main\n"
        "write, Checkpoint.due = Checkpoint.write, True\n"
        "def once(self, state):\n"
        "    write(self, state)\n"
        "    if state.progress.done == 30: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"Checkpoint.write = once; sys.argv = ['narrows', *{arguments!r}, 'cut']; main()"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == -signal.SIGKILL
    assert [path.name for path in (tmp_path / "cut").iterdir()] == ["checkpoint.safetensors"]
    run(*arguments, "cut", "--resume", cwd=tmp_path)
    run(*arguments, "whole", cwd=tmp_path)
    cut, whole = (load(tmp_path / name / "model.safetensors").model_.state_dict() for name in ("cut", "whole"))
    assert all(torch.equal(tensor, whole[name]) for name, tensor in cut.items())
    assert not list((tmp_path / "cut").glob("checkpoint*"))


def test_a_checkpoint_is_no_model(typed, tmp_path):
    """An interrupted run's folder holds both; other verbs, and the explorer, take the model."""
    folder = tmp_path / "run"
    folder.mkdir()
    X = np.random.default_rng(0).random((60, 8, 8))
    Autoencoder(2, epochs=2).fit(X, checkpoint=folder / CHECKPOINT).save(folder / "model.safetensors")
    typed(tmp_path, "generate", "run", "--n", "4")
    assert [entry.estimator.latent_dim for entry in open_models([folder])] == [2]


def test_killed_before_the_first_checkpoint_was_whole_it_is_begun_anew(typed, tmp_path):
    (out := tmp_path / "out").mkdir()
    killed_in_write(out / "checkpoint.safetensors")
    typed(tmp_path, "train", "digits", "--epochs", "1", "--out", "out")
    assert not halves(out)


def test_resume_without_a_run_to_go_on_with_says_so(typed, tmp_path):
    (tmp_path / "empty").mkdir()
    for arguments, words in ((["--out", "empty"], "empty holds no checkpoint"), ([], "--resume needs --out")):
        _, errors = typed(tmp_path, "train", "digits", *arguments, "--resume", status=2)
        assert words in errors


@pytest.mark.slow
def test_a_terminal_shows_a_bar(tmp_path):
    """Through a pseudo-terminal: the bar names model, epoch, loss and time left."""
    import pty

    parent, child = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "110"}
    arguments = [*NARROWS, "train", "digits", "--epochs", "30"]
    process = subprocess.Popen(arguments, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=child, env=environment)
    os.close(child)
    screen = b""
    while True:
        try:
            block = os.read(parent, 4096)
        except OSError:  # the other end is closed
            break
        if not block:
            break
        screen += block
    assert process.wait() == 0
    text = screen.decode()
    assert "latent_dim 8, epoch" in text
    assert "nats" in text
    assert "left" in text
    assert "━" in text


@pytest.mark.slow
def test_odd_class_names_and_a_backend_that_is_not_there_cost_nothing(tmp_path):
    """As in a notebook's `!narrows train …`: the environment names a backend that this process doesn't have."""
    X = np.random.default_rng(0).random((60, 5, 5))
    np.savez(tmp_path / "x.npz", X=X, y=np.repeat(["$x", "_hidden", r"\frac{"], 20))
    done = run(
        "train",
        "x.npz",
        "--latent-dim",
        "2",
        "--epochs",
        "1",
        "--out",
        "out",
        cwd=tmp_path,
        MPLBACKEND="module://nowhere",
    )
    assert "warning" not in done.stderr
    assert {"model.safetensors", "reconstructions.png", "training.png", "report.html"} <= {
        path.name for path in (tmp_path / "out").iterdir()
    }
    assert "<h2>A map of the codes</h2>" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_a_warning_is_one_line_without_code(tmp_path, typed):
    X = np.random.default_rng(0).random((60, 5, 5))
    Autoencoder(2, epochs=1, hidden=(4,), random_state=0).fit(X).save(tmp_path / "m.safetensors")
    np.save(tmp_path / "x.npy", 255 * X)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        _, errors = typed(tmp_path, "encode", "m.safetensors", "x.npy")
        both = r"x reaches from 0\.\d+ to 25\d\.\d+ and the training data from [\d.e-]+ to [\d.]+"
        told = rf"narrows: warning: {both}; \d+% of its numbers lie outside that: they may be in other .*\n"
        assert re.fullmatch(told, errors)
        np.save(tmp_path / "y.npy", 0.5 + X / 255)
        _, errors = typed(tmp_path, "reconstruct", "m.safetensors", "y.npy")
        assert "it covers 0.4% of that" in errors
        np.save(tmp_path / "z.npy", X[:3])
        _, errors = typed(tmp_path, "reconstruct", "m.safetensors", "z.npy")
        assert not errors
