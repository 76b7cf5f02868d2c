"""A training that is told on the way to go on otherwise does so, by hand and by automatic differentiation alike."""

import copy

import numpy as np
import pytest
import torch

from narrows import IWAE, VAE, Autoencoder
from narrows.training.dense.stack import Stack
from narrows.training.general import General

X = np.random.default_rng(0).random((60, 8))
OPTIONS = {"hidden": (16,), "epochs": 6, "batch_size": 16, "random_state": 0, "prior": "normal"}
BY_HAND, BY_AUTOGRAD = VAE(2, **OPTIONS), VAE(2, free_bits=1e-12, **OPTIONS)


def trained(estimator, at=None, **changes):
    """Fit, and change what the training goes by after step ``at``; return the estimator and its training."""
    for step in estimator.fit_steps(X):
        if step.step == at:
            step.training.change(**changes)
    return estimator, step.training


def weights(estimator):
    return torch.cat([tensor.flatten() for tensor in estimator.model_.state_dict().values()])


@pytest.mark.parametrize(("estimator", "learner"), [(BY_HAND, Stack), (BY_AUTOGRAD, General)], ids=["hand", "autograd"])
def test_beta_weighs_the_divergence_from_the_next_step_on(estimator, learner):
    """From the same weights and noise the loss is linear in β, and its slope is the divergence."""
    losses = []
    for beta in (0, 1, 3):
        steps = copy.deepcopy(estimator).fit_steps(X)
        for _ in range(5):
            step = next(steps)
        assert isinstance(step.training.learner, learner)
        step.training.change(beta=beta)
        losses.append(float(next(steps).loss))
    assert losses[1] > losses[0]
    assert (losses[2] - losses[0]) / (losses[1] - losses[0]) == pytest.approx(3, rel=1e-3)


@pytest.mark.parametrize("estimator", [BY_HAND, BY_AUTOGRAD, Autoencoder(2, **OPTIONS)], ids=["hand", "autograd", "ae"])
def test_a_new_rate_is_told_and_taken(estimator):
    """The history tells the rate, and a rate of nearly nothing leaves the weights where they were."""
    _, training = trained(copy.deepcopy(estimator), 8, learning_rate=1e-12)
    usual, _ = trained(copy.deepcopy(estimator))
    told = [row["learning_rate"] for row in training.history[0]]
    before = [row["learning_rate"] for row in usual.history_]
    assert told[:2] == before[:2]
    np.testing.assert_allclose(np.divide(told[2:], before[2:]), 1e-12 / training.first_rate)
    one = copy.deepcopy(estimator)
    seen = []
    for step in one.fit_steps(X):
        if step.step == 8:
            step.training.change(learning_rate=1e-12)
        if step.step >= 8:
            seen.append(torch.cat([tensor.flatten() for tensor in step.training.weights().values()]))
    torch.testing.assert_close(seen[-1], seen[0], rtol=0, atol=1e-6)
    assert not torch.equal(weights(usual), seen[-1])


@pytest.mark.parametrize("estimator", [BY_HAND, BY_AUTOGRAD], ids=["hand", "autograd"])
def test_a_change_to_what_it_is_changes_nothing(estimator):
    usual, _ = trained(copy.deepcopy(estimator))
    for step in (told := copy.deepcopy(estimator)).fit_steps(X):
        step.training.change(learning_rate=step.training.learning_rate)
        step.training.weights()
    assert torch.equal(weights(told), weights(usual))


def test_from_another_beta_on_the_best_weights_are_sought_anew():
    """With β = 50 no loss is as low as before, and yet the last weights, not the early ones, are kept."""
    estimator, training = trained(VAE(2, **OPTIONS | {"epochs": 20, "validation_fraction": 0.3}), 30, beta=50)
    losses = [row["validation_loss"] for row in estimator.history_]
    assert training.contest.now.best[0].epoch > 30 // training.batches.count
    assert training.contest.now.best[0].loss > min(losses)


def test_a_checkpoint_remembers_what_was_changed(tmp_path):
    whole, _ = trained(VAE(2, **OPTIONS), 5, beta=4, learning_rate=0.01)
    first, path = VAE(2, **OPTIONS), tmp_path / "state"
    for step in first.fit_steps(X, checkpoint=path):
        if step.step == 5:
            step.training.change(beta=4, learning_rate=0.01)
        if step.step == 9:
            step.training.checkpoint.write(step.training.state())
            break
    second = VAE(2, **OPTIONS).fit(X, checkpoint=path)
    assert torch.equal(weights(second), weights(whole))


@pytest.mark.parametrize(
    ("estimator", "changes", "said"),
    [
        (Autoencoder(2, **OPTIONS), {"beta": 2}, "Reconstruction has no β"),
        (IWAE(2, **OPTIONS), {"beta": 2}, "ImportanceWeighted has no β"),
        (VAE(2, **OPTIONS), {"beta": -1}, "beta=-1"),
        (VAE(2, **OPTIONS), {"beta": float("nan")}, "beta=nan"),
        (VAE(2, **OPTIONS), {"learning_rate": 0}, "learning_rate=0"),
        (VAE(2, **OPTIONS), {"learning_rate": float("inf")}, "learning_rate=inf"),
    ],
)
def test_what_cannot_be_is_refused(estimator, changes, said):
    step = next(copy.deepcopy(estimator).fit_steps(X))
    with pytest.raises((TypeError, ValueError), match=said):
        step.training.change(**changes)
