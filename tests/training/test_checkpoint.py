"""Going on after a crash: to the last bit what an uninterrupted training comes to, or a clear error."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from killing import killed_in_write
from narrows import VAE, VQVAE, Autoencoder
from narrows.estimators.fitting import fit_together
from narrows.storage import halves
from narrows.training.checkpoint import Checkpoint, CheckpointError
from narrows.training.state import State

X = np.random.default_rng(0).random((50, 6))

MEMBERS = {
    "by hand": Autoencoder(2, hidden=(5,), epochs=6, batch_size=16, random_state=0),
    "by hand, drawn": VAE(2, hidden=(5,), epochs=6, batch_size=16, random_state=0, likelihood="laplace"),
    "automatic": VQVAE(2, hidden=(5,), epochs=6, batch_size=16, random_state=0),
    "vampprior": VAE(2, hidden=(5,), epochs=6, batch_size=16, random_state=0, prior="vampprior"),
    "no validation": Autoencoder(2, hidden=(5,), epochs=6, batch_size=16, random_state=0, validation_fraction=0),
    "early": Autoencoder(2, hidden=(5,), epochs=40, learning_rate=0.1, patience=2, random_state=1, batch_size=16),
}


def twin(name, **options):
    estimator = MEMBERS[name]
    return type(estimator)(**estimator.get_params() | options)


def same(one, other):
    mine, theirs = one.model_.state_dict(), other.model_.state_dict()
    assert mine.keys() == theirs.keys()
    for key, value in mine.items():
        assert torch.equal(value, theirs[key]), key
    rows = [[{k: v for k, v in row.items() if k != "seconds"} for row in e.history_] for e in (one, other)]
    assert rows[0] == rows[1]


@pytest.fixture
def always(monkeypatch):
    """A checkpoint after every step."""
    monkeypatch.setattr(Checkpoint, "due", True)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("name", MEMBERS)
def test_gone_on_from_any_step_it_ends_the_same(name, tmp_path):
    whole = twin(name)
    total = sum(1 for _ in whole.fit_steps(X))
    for stop in (1, 3, 4, min(17, total)):
        path = tmp_path / f"{stop}.checkpoint"
        steps = twin(name).fit_steps(X, checkpoint=path)
        for _ in range(stop):
            next(steps)
        steps.close()
        same(twin(name).fit(X, checkpoint=path), whole)


@pytest.mark.usefixtures("always")
def test_convolutional_nets_too(tmp_path):
    images = np.random.default_rng(1).random((24, 16, 16))

    def estimator():
        return Autoencoder(2, epochs=2, batch_size=8, random_state=0)

    path = tmp_path / "images.checkpoint"
    steps = estimator().fit_steps(images, checkpoint=path)
    for _ in range(4):
        next(steps)
    steps.close()
    same(estimator().fit(images, checkpoint=path), estimator().fit(images))


@pytest.mark.usefixtures("always")
def test_the_whole_state_comes_back_from_its_file(tmp_path):
    """Also what was noticed and what each model had of its best weights, whatever types they are of."""
    path = tmp_path / "a.checkpoint"
    for step in twin("early").fit_steps(X, checkpoint=path):
        state = step.training.state()
        if step.epoch == 4 and step.row:
            break
    state.standing.notes[0]["kind"] = "words"
    checkpoint = Checkpoint(path, {})
    checkpoint.write(state)
    found = checkpoint.read(State)
    assert repr(found) == repr(state)
    assert found.standing.best[0].weights


def test_at_its_end_it_is_fitted_at_once(tmp_path):
    path = tmp_path / "a.checkpoint"
    whole = twin("by hand").fit(X, checkpoint=path)
    again = twin("by hand")
    assert list(again.fit_steps(X, checkpoint=path)) == []
    same(again, whole)


@pytest.mark.parametrize(
    ("options", "data", "named"),
    [
        ({"epochs": 5}, X, "epochs was 6 and is 5 now"),
        ({"random_state": 1}, X, "random_state was"),
        ({"latent_dim": 3}, X, "latent_dim was"),
        ({}, X + 1e-3, "the data are others"),
        ({}, X.astype(np.float32), "same numbers, but were float64 and are float32 now"),
        ({"prior": "vampprior"}, X, "prior was"),
        ({"net": (nn.Linear(6, 4), nn.Linear(2, 6))}, X, "net was"),
    ],
    ids=["epochs", "seed", "latent_dim", "data", "type", "prior", "net"],
)
def test_another_training_is_refused(options, data, named, tmp_path):
    path = tmp_path / "a.checkpoint"
    twin("by hand, drawn").fit(X, checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match=named) as refused:
        twin("by hand, drawn", **options).fit(data, checkpoint=path)
    assert path.read_bytes() == before
    assert not re.search("remove|delete", str(refused.value))


def test_options_are_equal_by_value_and_those_that_no_weight_depends_on_do_not_count(tmp_path):
    path = tmp_path / "a.checkpoint"
    first = twin("by hand", hidden=(8, 8), prior="normal", input_noise=0.1).fit(X, checkpoint=path)
    equal = {
        "hidden": [np.int64(8), 8],
        "epochs": np.int32(6),
        "learning_rate": np.float64(4e-3),
        "input_noise": np.float64(0.1),
        "shortcut": np.True_,
        "latent_dim": np.int16(2),
        "random_state": np.uint8(0),
    }
    without_weight = {"prior": "posterior", "false_alarms": 0.2, "device": "cpu"}
    again = twin("by hand", **equal, **without_weight)
    assert list(again.fit_steps(X, np.arange(50) % 2, checkpoint=path)) == []
    assert type(again.model_.prior) is not type(first.model_.prior)
    for one, other in zip(first.model_.decoder.parameters(), again.model_.decoder.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("kinds", [["by hand"], ["by hand", "by hand"], ["automatic", "automatic"]])
def test_without_a_random_state_the_seeds_of_the_checkpoint_are_taken(kinds, tmp_path):
    path = tmp_path / "a.checkpoint"
    first, second, third = ([twin(name, random_state=None) for name in kinds] for _ in range(3))
    for done, _ in enumerate(fit_together(first, X, checkpoint=path)):
        if done == 7:
            break
    for one in (second, third):
        for _ in fit_together(one, X, checkpoint=path):
            pass
    for one, other in zip(second, third, strict=True):
        same(one, other)
    assert first[0].seed_ == second[0].seed_


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("schedule", ["constant", "one-cycle"])
def test_more_epochs_go_on_from_where_fewer_ended(schedule, tmp_path):
    """At a constant rate as if they had been asked for at first; a cycle rises again, which is said."""
    path = tmp_path / "a.checkpoint"
    options = {"schedule": schedule, "validation_fraction": 0, "input_noise": 0}
    twin("by hand", **options).fit(X, checkpoint=path)
    more = twin("by hand", epochs=9, **options)
    said = [words for step in more.fit_steps(X, checkpoint=path) for words in step.notes.get(0, [])]
    whole = twin("by hand", epochs=9, **options).fit(X)
    rates, usual = ([row["learning_rate"] for row in one.history_] for one in (more, whole))
    assert more.n_iter_ == 9
    if schedule == "constant":
        same(more, whole)
        assert said == ["training goes on to epoch 9 instead of 6"]
    else:
        assert rates[6:] == usual[6:]
        assert rates[6] > 10 * rates[5]
        assert re.search(r"the learning rate goes from \S+ to \S+, and the weights will not be those", said[0])


def test_a_folder_and_a_model_file_are_named_as_such(tmp_path):
    model = tmp_path / "model.safetensors"
    twin("by hand").fit(X).save(model)
    before = model.read_bytes()
    for path, named in (
        (tmp_path, "is a folder; name a file, such as"),
        (model, "is a fitted model, for narrows.load"),
    ):
        for seed in (0, None):
            with pytest.raises(CheckpointError, match=named) as refused:
                twin("by hand", random_state=seed).fit(X, checkpoint=path)
            assert not re.search("remove|delete", str(refused.value))
    assert model.read_bytes() == before


def test_another_torch_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.checkpoint"
    twin("by hand").fit(X, checkpoint=path)
    monkeypatch.setattr("narrows.training.checkpoint.torch", SimpleNamespace(__version__="1.0"))
    with pytest.raises(CheckpointError, match=r"torch was .* and is '1.0' now"):
        twin("by hand").fit(X, checkpoint=path)


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda _: b"", lambda data: b"\xff" * len(data)]
)
def test_a_damaged_file_is_refused(damage, tmp_path):
    path = tmp_path / "a.checkpoint"
    twin("by hand").fit(X, checkpoint=path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CheckpointError, match="not a checkpoint, or is damaged"):
        twin("by hand").fit(X, checkpoint=path)


def test_no_folder_is_an_error_before_training(tmp_path):
    with pytest.raises(OSError, match="folder does not exist or cannot be written"):
        twin("by hand").fit(X, checkpoint=tmp_path / "nowhere" / "a.checkpoint")


def test_what_a_killed_writer_left_half_written_is_cleared_away(tmp_path):
    for name in ("a.checkpoint", "b.checkpoint"):
        killed_in_write(tmp_path / name)
    (other,) = halves(tmp_path, "b.checkpoint")
    twin("by hand").fit(X, checkpoint=tmp_path / "a.checkpoint")
    assert {*tmp_path.iterdir()} == {tmp_path / "a.checkpoint", other}


@pytest.mark.usefixtures("always")
def test_a_full_disk_leaves_the_checkpoint_before(tmp_path):
    """Files of this process may grow to 64 bytes: the system's own error, as of a full disk."""
    path = tmp_path / "a.checkpoint"
    steps = twin("by hand").fit_steps(X, checkpoint=path)
    next(steps)
    before = path.read_bytes()
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            next(steps)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    same(twin("by hand").fit(X, checkpoint=path), twin("by hand").fit(X))


def harness(*arguments):
    command = [sys.executable, Path(__file__).with_name("harness.py"), *map(str, arguments)]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    return json.loads(done.stdout)


@pytest.mark.slow
def test_killed_at_any_moment_it_ends_the_same(tmp_path):
    counts = harness(tmp_path, 200, 50)
    assert counts["kills"] >= 200
    assert counts["mid_write"] >= 50
    assert counts["rounds"] >= 5
    assert counts["different"] == counts["damaged"] == counts["failed"] == 0


def test_the_harness_catches_a_writer_that_is_not_atomic(tmp_path):
    assert harness(tmp_path, 50, 50, "broken")["damaged"] == 1
