"""A run keeps what it has trained, whatever becomes of its tables and figures."""

import numpy as np
import pytest

from narrows import load
from narrows.data import Dataset
from narrows.runs import evaluations, learning, writing
from narrows.sweeps import Sweep


def exhausted(steps):
    for _ in steps:
        pass
    return False


@pytest.fixture
def sweep():
    rng = np.random.default_rng(0)
    X = rng.random((60, 6))
    return Sweep(X, latent_dims=(1, 2), epochs=1, hidden=(4,)), Dataset("noise", X)


def fails(*_):
    raise RuntimeError("no font at all")


def test_models_come_first_and_each_figure_fails_by_itself(sweep, tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "reconstructions", fails)
    with pytest.warns(UserWarning, match=r"reconstructions.png was not drawn: RuntimeError: no font at all"):
        interrupted, files = learning.train(*sweep, tmp_path, watch=exhausted)
    assert not interrupted
    assert {file.name for file in files} == {
        "error.png",
        "results.csv",
        "results.json",
        *(f"latent_dim-{d}{end}" for d in (1, 2) for end in (".safetensors", "-history.csv")),
    }
    assert all(file.exists() for file in files)
    assert load(tmp_path / "latent_dim-2.safetensors").latent_dim == 2


def test_a_table_that_fails_costs_neither_models_nor_figures(sweep, tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "_write_results", fails)
    with pytest.warns(UserWarning, match=r"results.json were not written: RuntimeError"):
        _, files = learning.train(*sweep, tmp_path, watch=exhausted)
    assert {"reconstructions.png", "error.png", "latent_dim-1.safetensors"} <= {file.name for file in files}


def test_a_section_that_cannot_be_drawn_is_left_out_of_the_report(sweep, tmp_path, monkeypatch):
    learning.train(*sweep, tmp_path, watch=exhausted)
    monkeypatch.setattr(evaluations, "errors_drawn", fails)
    with pytest.warns(UserWarning, match=r"the report's section 'Which latent_dim\?' was left out"):
        _, (page, _) = evaluations.evaluate_run(*sweep, tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "<h2>Which latent_dim?</h2>" not in text
    assert "<h2>Rate and distortion</h2>" in text


@pytest.mark.parametrize("shape", [(60, 1), (60,)])
def test_labels_in_a_column_are_labels(shape):
    labels = np.repeat([0, 1], 30).reshape(shape)
    assert Sweep(np.zeros((60, 2)), labels, latent_dims=(1,)).y_train.shape == (48,)


@pytest.mark.parametrize("shape", [(60, 2), (30,), ()])
def test_other_labels_are_refused_before_the_training(shape):
    with pytest.raises(ValueError, match=r"y of shape .* must be \(60,\): a label for each example of X"):
        Sweep(np.zeros((60, 3)), np.zeros(shape), latent_dims=(1,))
