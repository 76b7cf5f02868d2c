"""Training live, as the page asks for it: a process of its own, which goes where `fit_steps` goes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from narrows import VAE, Autoencoder, load
from narrows.data import load_data
from narrows.data.dataset import Dataset
from narrows.web.library import Library, open_models
from narrows.web.questions import training
from narrows.web.server import answer
from narrows.web.worker import SNAPSHOTS, every
from people import people
from processes import is_alive
from web.reading_frames import read_frame

SECONDS = 300  # after which a test gives up waiting


def named(library):
    """Return what the tests need of a library: questions to it."""

    def ask(name, **given):
        return SimpleNamespace(**read_frame(answer(library, json.dumps({"id": 7, "ask": name, **given}))))

    return SimpleNamespace(ask=ask, library=library)


@pytest.fixture(scope="module")
def lab():
    """A library in which nothing is open yet."""
    library = Library()
    yield named(library)
    library.close()


def until(lab, true, **given):
    """Ask until what is answered is as it should be."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        found = lab.ask("live", **given)
        if not hasattr(found, "refused") and true(found):  # codes of a training that diverges may overflow
            return found
        time.sleep(0.02)
    raise AssertionError(f"still {found}")


def begin(lab, data="moons", **given):
    lab.ask("train", data=data, **given)
    return until(lab, lambda found: found.mode == "pause")


def go(lab, mode, steps, **given):
    lab.ask("steer", mode=mode, **given)
    return until(lab, lambda found: found.step == steps and found.mode in ("pause", "over", "failed"))


def at_step(estimator, data, steps):
    """Train as anybody would, and return the weights after so many steps."""
    for step in estimator.fit_steps(data.X, data.y):
        if step.step == steps:
            return step.training.weights()
    raise AssertionError(steps)


def weights(watched, epoch=None):
    return {name: torch.from_numpy(a) for name, a in (watched.now if epoch is None else watched.kept[epoch]).items()}


def equal(ours, theirs):
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_what_there_is_to_train(lab):
    found = lab.ask("trainable")
    assert {"digits", "shapes", "bars", "rings", "moons"} <= set(found.data)
    assert "VAE" in found.kinds


def test_before_the_first_there_is_none():
    library = Library()
    frame = read_frame(answer(library, '{"id": 1, "ask": "live"}'))
    assert frame["mode"] == "none"
    assert "start one" in read_frame(answer(library, '{"id": 1, "ask": "steer", "mode": "play"}'))["refused"]
    assert "no training" in read_frame(answer(library, '{"id": 1, "ask": "keep"}'))["refused"]
    library.close()


def test_steps_are_exact_and_those_of_fit_steps(lab):
    """Also if they are asked for faster than they are taken, and after a reset."""
    for _ in range(2):
        assert begin(lab, kind="VAE", latent_dim=2, seed=3).step == 0
        for _ in range(3):
            lab.ask("steer", mode="step")
        found = until(lab, lambda found: found.step == 3)
        assert found.mode == "pause"
        found = go(lab, "epoch", found.steps // found.epochs)
        assert found.epoch == 1
        assert found.kept == [0, 1]
        twin = at_step(VAE(2, random_state=3), load_data("moons"), found.step)
        assert lab.ask("live").step == found.step
        assert equal(weights(lab.library.lab.watched), twin)
        assert equal(weights(lab.library.lab.watched, 1), twin)


def test_playing_goes_on_until_it_is_paused(lab):
    begin(lab)
    lab.ask("steer", mode="play")
    going = until(lab, lambda found: found.step > 40)
    assert going.mode == "play"
    lab.ask("steer", mode="pause")
    still = until(lab, lambda found: found.mode == "pause")
    twin = at_step(Autoencoder(2, random_state=0), load_data("moons"), still.step)
    assert lab.ask("live").step == still.step
    assert equal(weights(lab.library.lab.watched), twin)


def test_what_is_shown_is_what_the_model_says(lab):
    """The loss curve, ten examples of each class alike, and the codes, at a moment that one goes back to."""
    begin(lab, data="digits", kind="Autoencoder", latent_dim=2)
    per_epoch = go(lab, "step", 1)
    per_epoch = per_epoch.steps // per_epoch.epochs
    for epoch in (1, 2, 3):
        now = go(lab, "epoch", epoch * per_epoch)
    data, twin = load_data("digits"), Autoencoder(2, random_state=0)
    steps = twin.fit_steps(data.X, data.y)
    for _ in range(2 * per_epoch):
        next(steps)
    steps.close()  # after two epochs; both were better than the one before
    back = lab.ask("live", at=2)
    moment = back.moment
    assert moment["epochs"].tolist() == [1, 2]
    np.testing.assert_allclose(moment["losses"], [row["loss"] for row in twin.history_], rtol=1e-6)
    np.testing.assert_allclose(moment["validation"], [row["validation_loss"] for row in twin.history_], rtol=1e-6)
    assert moment["names"] == list("0123456789")
    entry = lab.library.lab.watched.entry(2)
    assert not {tuple(row) for row in entry.X.reshape(len(entry.X), -1)} - {
        tuple(row) for row in data.X.reshape(-1, 64)
    }
    np.testing.assert_allclose(moment["points"], twin.transform(entry.X), atol=1e-5)
    originals = moment["originals"].astype(float)
    restored = entry.levels(twin.reconstruct(originals * 16 / 255))
    np.testing.assert_allclose(moment["restored"].astype(float), restored, atol=2)
    assert len(now.moment["epochs"]) == 3
    assert lab.ask("live", at=2, seen=moment["key"]).moment is None
    assert lab.ask("live", seen=moment["key"]).moment["key"] != moment["key"]
    assert "kept are 0, 1, 2, 3" in lab.ask("live", at=7).refused


def test_beta_and_rate_act_while_it_runs(lab):
    """And the lines in Python tell of it: run, they come to the same history."""
    begin(lab, data="moons", kind="VAE", latent_dim=1, seed=1)
    assert lab.ask("live").beta == 1
    lab.ask("steer", beta=0.5)
    until(lab, lambda found: found.beta == 0.5)  # before the first step it is an option
    now = go(lab, "step", 1)
    per_epoch = now.steps // now.epochs
    assert now.rate_now == pytest.approx(0.004 / 2, rel=0.01)
    before = go(lab, "epoch", per_epoch)
    lab.ask("steer", learning_rate=0.001, beta=20)
    told = go(lab, "step", per_epoch + 1)
    assert (told.learning_rate, told.beta) == (0.001, 20)
    assert told.rate_now == pytest.approx(before.rate_now / 4, rel=0.05)
    assert told.beta_now == pytest.approx(20 * per_epoch / (0.1 * told.steps))
    go(lab, "epoch", 2 * per_epoch)
    made = {}
    lines = "\n".join(lab.ask("live").python)
    assert f"{{{per_epoch}: {{'learning_rate': 0.001, 'beta': 20.0}}}}" in lines
    assert "beta=0.5" in lines
    exec(lines.replace("    if", f"    if step.step > {2 * per_epoch}: break\n    if", 1), made)
    ours, theirs = lab.library.lab.watched.news.rows, made["model"].history_
    for row, other in zip(ours, theirs, strict=True):
        assert row == pytest.approx(other | {"seconds": row["seconds"]})


def test_a_model_has_beta_or_it_is_said_that_it_has_none(lab):
    begin(lab, kind="Autoencoder")
    assert lab.ask("live").beta is None
    assert "Autoencoder has no β" in lab.ask("steer", beta=2).refused


@pytest.mark.slow
def test_snapshots_are_thinned_evenly_and_are_the_models_of_their_epochs(lab):
    begin(lab, data="digits")
    lab.ask("steer", mode="play", fast=True)
    done = until(lab, lambda found: found.mode == "over")
    assert done.step == done.steps
    assert len(done.kept) <= SNAPSHOTS + 1
    assert done.kept == list(range(0, done.epochs + 1, 4))  # 211 epochs
    epoch = done.kept[5]
    twin = at_step(Autoencoder(2, random_state=0), load_data("digits"), epoch * done.steps // done.epochs)
    assert equal(weights(lab.library.lab.watched, epoch), twin)


def test_epochs_that_are_kept_stay_few_and_even():
    for last in range(1, 1000):
        step = every(last)
        assert last / step <= SNAPSHOTS < 2 * last / step or step == 1


def test_a_kept_model_is_a_file_and_is_open(lab, tmp_path):
    begin(lab, data="digits", kind="VAE", latent_dim=3)
    assert "at least one" in lab.ask("keep").refused
    per_epoch = go(lab, "step", 1)
    per_epoch = per_epoch.steps // per_epoch.epochs
    go(lab, "epoch", per_epoch)
    lab.ask("steer", beta=3)
    go(lab, "epoch", 2 * per_epoch)
    kept = lab.ask("keep", at=2)
    assert kept.name == "vae-3-epoch-2.safetensors"
    path = tmp_path / kept.name
    path.write_bytes(kept.file.tobytes())
    model = load(path)
    assert (type(model), model.latent_dim, model.beta, model.n_iter_) == (VAE, 3, 3, 2)
    ours, theirs = weights(lab.library.lab.watched, 2), model.model_.state_dict()
    nets = [name for name in theirs if name.startswith(("encoder", "decoder"))]
    assert nets
    assert all(torch.equal(theirs[name], ours[name]) for name in nets)
    shown = lab.library.lab.watched.entry(2)
    np.testing.assert_array_equal(model.reconstruct(shown.X), shown.estimator.reconstruct(shown.X))
    assert model.sample(3).shape == (3, 8, 8)
    opened = lab.ask("models").models
    assert opened[-1]["id"] == kept.model
    assert opened[-1]["count"] == 1797
    assert lab.ask("plane", model=kept.model).points.shape == (1797, 2)
    again = lab.ask("keep", at=2)
    assert again.model == f"{kept.model}-2"


def test_a_training_that_fails_says_why(lab):
    lab.library.lab.begin(load_data("moons"), "moons", Autoencoder(2, learning_rate=1e30, random_state=0))
    lab.ask("steer", mode="play", fast=True)
    found = until(lab, lambda found: found.mode == "failed")
    assert "training diverged in epoch 1" in found.error
    assert "learning_rate well below" in found.error
    assert np.isfinite(found.moment["points"]).all()


def test_pictures_follow_each_other_smoothly():
    """Points that were turned and mirrored are turned back."""
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(40, 5)) * [3, 2, 0.1, 0.1, 0.1]
    before = training._projected(codes, None)
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    np.testing.assert_allclose(training._projected(codes @ turn, before), before, atol=1e-8)


def test_one_number_has_a_line_for_each_class():
    codes, labels = np.array([[0.5], [-1.0], [2.0]]), np.array([1, 0, 1], np.uint8)
    np.testing.assert_array_equal(training._projected(codes, None, labels), [[0.5, -1], [-1, 0], [2, -1]])
    np.testing.assert_array_equal(training._projected(codes, None), [[0.5, 0], [-1, 0], [2, 0]])


def test_a_process_that_is_killed_is_missed_and_replaced(lab):
    begin(lab)
    lab.ask("steer", mode="play")
    until(lab, lambda found: found.step > 0)
    os.kill(lab.library.lab._process.pid, signal.SIGKILL)
    found = until(lab, lambda found: found.mode == "failed")
    assert "has ended (exit code -9)" in found.error
    assert found.moment["points"].shape == (200, 2)
    assert "start one" in lab.ask("steer", mode="play").refused
    begin(lab)
    assert go(lab, "step", 1).error == ""


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("train", {"data": "/etc/passwd"}, "data='/etc/passwd'"),
        ("train", {"data": "digit"}, "digits"),
        ("train", {"data": "digits", "kind": "Path"}, "kind='Path'"),
        ("train", {"data": "digits", "latent_dim": 0}, "latent_dim"),
        ("train", {"data": "digits", "latent_dim": 10**6}, "latent_dim"),
        ("train", {"data": "digits", "seed": -1}, "seed"),
        ("steer", {"mode": "fly"}, "mode"),
        ("steer", {"learning_rate": 0}, "learning_rate"),
        ("steer", {"beta": -1}, "beta"),
        ("live", {"at": -1}, "at"),
    ],
)
def test_what_cannot_be_is_refused_in_words(lab, name, given, said):
    assert said in lab.ask(name, **given).refused


def test_data_of_the_command_line_are_there_by_name_and_no_others(tmp_path):
    """The page knows no path; the lines in Python do."""
    X = np.random.default_rng(0).random((40, 6))
    np.save(tmp_path / "mine.npy", X)
    Autoencoder(2, epochs=1, random_state=0, prior="normal").fit(X).save(tmp_path / "model.safetensors")
    library = open_models([tmp_path / "model.safetensors"], str(tmp_path / "mine.npy"))
    lab = named(library)
    assert lab.ask("trainable").data[-1] == "mine"
    assert "data=" in lab.ask("train", data=str(tmp_path / "mine.npy")).refused
    begin(lab, data="mine", latent_dim=3)
    go(lab, "step", 1)
    assert f"data = load_data({str(tmp_path / 'mine.npy')!r})" in lab.ask("live").python
    np.testing.assert_array_equal(library.lab.watched.data.X, X)
    library.close()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="there is no /proc to look at other processes")
def test_nobody_is_left_behind_when_the_server_is_killed(tmp_path):
    """Its process finds the line closed."""
    script = tmp_path / "served.py"
    script.write_text(
        "import json, time\n"
        "from narrows.web.library import Library\n"
        "from narrows.web.server import answer\n"
        "if __name__ == '__main__':\n"
        "    library = Library()\n"
        "    answer(library, json.dumps({'id': 1, 'ask': 'train', 'data': 'moons'}))\n"
        "    answer(library, json.dumps({'id': 2, 'ask': 'steer', 'mode': 'play'}))\n"
        "    while not library.lab.watched.heard: time.sleep(0.02)\n"
        "    print(library.lab._process.pid, flush=True)\n"
        "    time.sleep(600)\n",
        encoding="utf-8",
    )
    server = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    child = int(server.stdout.readline())
    server.kill()
    server.wait()
    server.stdout.close()
    end = time.monotonic() + SECONDS
    while is_alive(child):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_closing_the_server_ends_the_process_in_the_middle_of_its_news():
    library = Library()
    lab = named(library)
    begin(lab)
    lab.ask("steer", mode="play", fast=True)
    until(lab, lambda found: found.step > 0)
    process, line = library.lab._process, library.lab._line
    assert process.is_alive()
    library.close()
    assert not process.is_alive()
    assert line.closed


def test_a_training_that_ends_early_is_over_and_can_be_looked_at(lab):
    begin(lab, data="moons", kind="VAE", latent_dim=1)
    lab.ask("steer", mode="play", fast=True)
    found = until(lab, lambda found: found.mode in ("over", "failed"))
    assert (found.mode, found.error) == ("over", "")
    assert found.step < found.steps
    assert lab.library.lab.watched.entry(None).estimator.model_ is not None


def test_a_table_is_trained_on_as_it_is(lab, monkeypatch):
    """Also texts and gaps; and the examples that are shown come back in words."""
    table = people()
    monkeypatch.setattr(training, "_data", lambda _, name: (Dataset(name, table), name))
    monkeypatch.setattr(training, "trainable", lambda _: SimpleNamespace(data=["people"]))
    begin(lab, "people")
    lab.ask("steer", mode="epoch")
    moment = until(lab, lambda found: found.epoch == 1 and found.mode == "pause").moment
    assert [column["name"] for column in moment["columns"]] == [*table.columns[:-1]]
    ages, shown = set(map(str, table["age"])), moment["originals"]["texts"]
    assert {text[0] for text in shown} <= ages
    assert np.array(moment["restored"]["texts"]).shape == np.array(shown).shape == (10, 8)
    kept = lab.ask("keep")
    assert lab.library[kept.model].columns.headings[1].levels == ["Brno", "Plzeň", "Praha"]
