"""What ``--log tensorboard`` writes, read back by TensorBoard's own reader."""

import importlib.util
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from narrows.cli import app

pytest.importorskip("tensorboard")


def train(folder, *options):
    words = ["train", "digits", "--latent-dim", "2", "--epochs", "3", "--out", str(folder), *options]
    return CliRunner().invoke(app, words)


@pytest.mark.slow
def test_numbers_and_pictures_can_be_read_back(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    done = train(tmp_path / "run", "--log", "tensorboard")
    assert done.exit_code == 0, done.output
    folder = tmp_path / "run" / "tensorboard"
    assert str(folder) in done.output
    events = EventAccumulator(str(folder)).Reload()
    history = np.genfromtxt(tmp_path / "run" / "model-history.csv", delimiter=",", names=True)
    for name in ("loss", "validation_loss", "learning_rate"):
        scalars = events.Scalars(name)
        assert [scalar.step for scalar in scalars] == [1, 2, 3]
        np.testing.assert_allclose([scalar.value for scalar in scalars], history[name], rtol=1e-6)
    (image,) = events.Images("reconstructions")
    assert image.encoded_image_string.startswith(b"\x89PNG")
    (codes,) = folder.rglob("tensors.tsv")
    (labels,) = folder.rglob("metadata.tsv")
    n = json.loads((tmp_path / "run" / "results.json").read_text())["data"]["test"]
    assert np.loadtxt(codes).shape == (n, 2)
    assert set(labels.read_text().split()) == set("0123456789")


def test_where_it_cannot_be_done_it_says_so(tmp_path, monkeypatch):
    assert "--log 'wandb' is not known" in str(train(tmp_path / "a", "--log", "wandb").exception)
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "tensorboard" else found(name, *a)
    )
    assert "pip install 'narrows[track]'" in str(train(tmp_path / "b", "--log", "tensorboard").exception)
    assert not list(tmp_path.iterdir())
