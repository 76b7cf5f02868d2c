"""Faults are said in words while the model still learns, and healthy models are left alone."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from narrows import VAE, Autoencoder, recipes
from narrows.training.noticing import looks

DIGITS = load_digits().images


def said(model, X):
    """All that is said, with the epoch it is said in."""
    return [(step.epoch, words) for step in model.fit_steps(X) for words in step.notes.get(0, [])]


def test_healthy_models_are_left_alone():
    assert said(Autoencoder(8, epochs=20, random_state=0), DIGITS) == []
    assert said(VAE(4, epochs=20, random_state=0), DIGITS) == []


def test_dead_units_are_counted_once():
    model = Autoencoder(16, **recipes.LECTURE | {"epochs": 20}, random_state=0)
    words = [words for _, words in said(model, DIGITS) if "dead" in words]
    ranges = np.ptp(model.transform(DIGITS), axis=0)
    assert (ranges == 0).any()
    assert len(words) == 1
    assert 1 <= int(words[0].split()[0]) <= 16


def test_a_collapsing_posterior_is_said_before_the_end():
    notes = said(VAE(8, beta=40.0, epochs=12, random_state=0), DIGITS[:600])
    assert any("have collapsed to the prior" in words and epoch < 12 for epoch, words in notes)


def test_overfitting_names_the_epoch_that_is_kept():
    free = {"input_noise": 0.0, "weight_decay": 0.0, "schedule": "constant", "hidden": (256, 256)}
    model = VAE(8, epochs=120, beta=0.01, likelihood="gaussian", **free, random_state=0)
    (when, words), *_ = [note for note in said(model, DIGITS[:150]) if "risen" in note[1]]
    losses = [row["validation_loss"] for row in model.history_][:when]
    assert f"risen since epoch {1 + int(np.argmin(losses))}," in words
    assert losses[-1] > min(losses)


def test_going_back_is_said():
    steps = Autoencoder(2, epochs=6, learning_rate=1e18, schedule="constant", random_state=0).fit_steps(DIGITS[:200])
    notes = next(step.notes[0] for step in steps if step.notes)
    assert "training goes back to before it, at half the rate" in notes[0]


@pytest.mark.parametrize("epochs", [1, 2, 3, 4, 7, 100])
def test_the_last_epoch_is_always_looked_at(epochs):
    found = looks(epochs)
    assert max(found) == epochs
    assert min(found) >= 1
    assert len(found) == min(epochs, 4)
