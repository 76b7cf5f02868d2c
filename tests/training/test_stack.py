"""The dense nets' backward pass by hand, against automatic differentiation, and models side by side against alone."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from narrows import (
    IWAE,
    VAE,
    VQVAE,
    WAE,
    Autoencoder,
    DenoisingAutoencoder,
    NoisyAutoencoder,
    SparseAutoencoder,
    recipes,
)
from narrows.estimators.fitting import begin, fit_together
from narrows.models.model import Batch
from narrows.models.nets import initialise
from narrows.scaling import Scaling
from narrows.training.dense import compiled
from narrows.training.dense import stack as stack_module
from narrows.training.dense.stack import Stack, kind_of
from narrows.training.examples import Examples
from narrows.training.general import General
from steps import close, compare_step, compare_weights

X = np.random.default_rng(0).random((40, 12))
SIZES = 3, 1, 5

CASES = {
    "default": (Autoencoder, {}),
    "lecture": (Autoencoder, dict(recipes.LECTURE)),
    "no hidden layer": (Autoencoder, {"hidden": ()}),
    "denoising": (DenoisingAutoencoder, {"corruption": "masking"}),
    "pairs": (DenoisingAutoencoder, {}),
    "pairs with noise on top": (DenoisingAutoencoder, {"input_noise": 0.2}),
    "noisy": (NoisyAutoencoder, {"activation": "tanh"}),
    "sigmoid code": (Autoencoder, {"code_activation": "sigmoid"}),
    **{activation: (Autoencoder, {"activation": activation}) for activation in ("gelu", "sigmoid", "identity")},
    **{
        likelihood: (VAE, {"likelihood": likelihood}) for likelihood in ("bernoulli", "continuous-bernoulli", "laplace")
    },
    "vae": (VAE, {"scaling": "feature"}),
    "beta and warm-up": (VAE, {"beta": 0.5, "warm_up": 0.5}),
    "neighbours": (Autoencoder, {"neighbours": 1.0, "code_activation": "tanh"}),
    "pairs with neighbours": (DenoisingAutoencoder, {"neighbours": 1.0}),
    "noisy with neighbours": (NoisyAutoencoder, {"neighbours": 1.0}),
    "vae with neighbours": (VAE, {"neighbours": 1.0}),
    "fixed sigma": (VAE, {"sigma": 0.3, "shortcut": False}),
}


def built(kind, options, dtype=torch.float32, features=12):
    estimators = [kind(latent_dim=d, **{"hidden": (16, 8), "scaling": "global"} | options) for d in SIZES]
    models = []
    for seed, estimator in enumerate(estimators):
        scaling = Scaling.fit(X[:, :1].repeat(features, 1), estimator.scaling)
        models.append(estimator.build((features,), 0, scaling).to(dtype))
        initialise(models[-1], torch.Generator().manual_seed(seed))
    return models, estimators[0].objective()


def batches(dtype, features=12):
    generator = torch.Generator().manual_seed(9)
    for step, size in enumerate((20, 20, 7, 20, 7)):
        yield step / 5, torch.rand(len(SIZES), size, features, generator=generator, dtype=dtype)


@pytest.mark.parametrize(
    ("dtype", "tolerance", "built_with"),
    [
        (torch.float32, 1e-5, compiled.kernels),
        (torch.float32, 1e-5, lambda: None),
        (torch.float64, 1e-10, lambda: None),
    ],
    ids=["32", "32 without kernels", "64"],
)
@pytest.mark.parametrize("case", CASES)
def test_exact_to_automatic_differentiation(case, dtype, tolerance, built_with, monkeypatch):
    """Losses and gradients of every step, and the weights after them, also where codes of three sizes share arrays."""
    monkeypatch.setattr(compiled, "kernels", built_with)
    divided = "neighbours" in case and dtype == torch.float32
    tolerance *= 300 if divided else 1  # a code's rounding, divided by the scale of the kernel: 47 were seen
    models, objective = built(*CASES[case], dtype)
    twins = copy.deepcopy(models)
    stack = Stack(models, objective, 1e-2, 0.1)
    each = [General(twin, objective, 1e-2, 0.1) for twin in twins]
    ours, theirs = ([torch.Generator().manual_seed(place) for place in range(3)] for _ in range(2))
    for progress, x in batches(dtype):
        if divided:  # or from step to step the difference grows, to six times as much
            stack.store()
            for model, twin in zip(models, twins, strict=True):
                twin.load_state_dict(model.state_dict())
        batch = Batch(x, None, x.flip(2) if case.startswith("pairs") else None)
        compare_step(stack, each, batch, progress, ours, theirs, tolerance)
    stack.store()
    compare_weights(models, twins, 10 * tolerance)


@pytest.mark.parametrize("built_with", [compiled.kernels, lambda: None], ids=["kernels", "torch"])
@pytest.mark.parametrize("case", ["default", "lecture", "sigmoid code", "pairs", "vae"])
def test_what_is_held_out_loses_what_the_models_say(case, built_with, monkeypatch):
    """Also where there is more of it than a pass takes."""
    monkeypatch.setattr(compiled, "kernels", built_with)
    monkeypatch.setattr(stack_module, "HELD_OUT_AT_ONCE", 16)
    models, objective = built(*CASES[case])
    x = torch.rand(40, 12, generator=torch.Generator().manual_seed(1))
    held_out = Examples.of(x, None)
    if case == "pairs":
        held_out = replace(held_out, noisy=lambda rows: x.flip(1)[rows])
    stack = Stack(models, objective, 1e-2, 0.1)
    ours = stack.mean_losses([held_out] * 3)
    parts = [Batch(part, None, part.flip(1) if case == "pairs" else None) for part in x.split(16)]
    for loss, model in zip(ours, models, strict=True):
        generator = torch.Generator().manual_seed(0)
        each = [objective(model.eval(), part, generator, 1.0).detach().double() for part in parts]
        assert loss == pytest.approx(float(torch.cat(each).mean()), rel=1e-5)


@pytest.mark.parametrize("case", ["default", "denoising", "noisy", "vae", "pairs with noise on top"])
def test_what_is_held_out_is_the_same_at_every_epoch(case, monkeypatch):
    """With the same noise, whether it is kept from the first one or drawn anew, also by those that go on alone."""
    monkeypatch.setattr(stack_module, "HELD_OUT_AT_ONCE", 16)
    models, objective = built(*CASES[case])
    x = torch.rand(40, 12, generator=torch.Generator().manual_seed(1))
    held_out = replace(Examples.of(x, None), noisy=(lambda rows: x.flip(1)[rows]) if "pairs" in case else None)
    stack = Stack(models, objective, 1e-2, 0.1)
    first = stack.mean_losses([held_out] * 3)
    assert stack.held_out
    assert stack.mean_losses([held_out] * 3) == first
    monkeypatch.setattr(stack_module, "NUMBERS_KEPT", 0)
    stack.aim(objective)
    assert stack.mean_losses([held_out] * 3) == stack.mean_losses([held_out] * 3) == first
    assert not stack.held_out
    stack.keep([2])
    assert stack.mean_losses([held_out]) == pytest.approx(first[2:], rel=1e-6)


def test_weights_that_are_not_finite_are_the_model_s_whose_they_are():
    models, objective = built(Autoencoder, {})
    stack = Stack(models, objective, 1e-2, 0.1)
    assert stack.finite() == [True, True, True]
    stack.weights.values[0][1, 0, 0] = torch.inf
    stack.weights.values[-1][2, 0, 0] = torch.nan
    assert stack.finite() == [True, False, False]
    with torch.no_grad():
        models[0].decoder.deep[0].weight[0, 0] = torch.nan
    assert General(models[0], objective, 1e-2, 0.1).finite() == [False]
    assert General(models[1], objective, 1e-2, 0.1).finite() == [True]


def test_units_that_a_smaller_code_lacks_stay_zero():
    models, objective = built(VAE, {})
    stack = Stack(models, objective, 1e-2, 0.1)
    generators = [torch.Generator().manual_seed(place) for place in range(3)]
    for progress, x in batches(torch.float32):
        stack.step(Batch(x, None), generators, progress, 1.0, 0.9)
    first, last = stack.weights.values[len(stack.nets[0].layers)], stack.weights.values[2]
    for place, size in enumerate(SIZES):
        assert not first[place, size:5].any()
        assert first[place, :size].all()
        mu, log_var = last[place].chunk(2, 1)
        assert not mu[:, size:].any()
        assert not log_var[:, size:].any()


def test_some_go_on_without_the_others():
    models, objective = built(Autoencoder, {"input_noise": 0.0})
    alone = copy.deepcopy(models)
    stack, single = Stack(models, objective, 1e-2, 0.1), Stack(alone[1:2], objective, 1e-2, 0.1)
    generator = [torch.Generator()] * 3
    for step, (progress, x) in enumerate(batches(torch.float32)):
        if step == 2:
            stack.keep([1])
        stack.step(Batch(x[1:2] if step >= 2 else x, None), generator[: 1 if step >= 2 else 3], progress, 1.0, 0.9)
        single.step(Batch(x[1:2], None), generator[:1], progress, 1.0, 0.9)
    stack.store()
    single.store()
    for mine, other in zip(models[1].state_dict().values(), alone[1].state_dict().values(), strict=True):
        close(mine, other, 1e-6)


@pytest.mark.parametrize("kind", [SparseAutoencoder, WAE, IWAE, VQVAE])
def test_other_objectives_are_left_to_automatic_differentiation(kind):
    model = kind(4).build((12,), 0, Scaling.fit(X, "global"))
    assert kind_of(model, kind(4).objective()) is None


@pytest.mark.parametrize(
    "options",
    [
        {"prior": "vampprior"},
        {"free_bits": 0.1},
        {"net": (nn.Linear(12, 8), nn.Linear(4, 12))},
        {"net": "convolutional"},
    ],
    ids=["vampprior", "free bits", "own", "convolutional"],
)
def test_other_models_are_left_to_automatic_differentiation(options):
    estimator = VAE(4, **{"hidden": (3,), "random_state": 0} | options)
    images = X.reshape(-1, 4, 3) if options.get("net") == "convolutional" else X
    assert kind_of(begin(estimator, images, None).member.model, estimator.objective()) is None


@pytest.mark.parametrize("options", [{}, {"likelihood": "laplace"}], ids=["autoencoder", "vae"])
def test_together_each_comes_to_what_it_comes_to_alone(options):
    """Also where early stopping takes them apart, and with a seed each: other splits, other noise."""
    kind = VAE if options else Autoencoder
    settings = {"hidden": (6,), "epochs": 30, "learning_rate": 0.02, "patience": 3, "prior": "normal", **options}
    estimators = [kind(d, random_state=seed, **settings) for d, seed in ((2, 0), (4, 0), (4, 1), (1, 2))]
    alone = [copy.deepcopy(one).fit(X) for one in estimators]
    for _, step in fit_together(estimators, X):
        assert np.isfinite(float(step.loss))
    assert len({one.n_iter_ for one in alone}) > 1  # otherwise none left the others early
    for ours, theirs in zip(estimators, alone, strict=True):
        assert ours.n_iter_ == theirs.n_iter_
        losses = [[row["loss"] for row in one.history_] for one in (ours, theirs)]
        np.testing.assert_allclose(*losses, rtol=1e-3)
        np.testing.assert_allclose(ours.reconstruct(X), theirs.reconstruct(X), atol=1e-3)


def test_one_that_diverges_leaves_the_others_in_peace(monkeypatch):
    """It is trained again alone, where it can go back and take smaller steps."""
    estimators = [Autoencoder(2, hidden=(4,), epochs=3, random_state=seed) for seed in range(3)]
    expected = [copy.deepcopy(one).fit(X).history_ for one in estimators]
    update = Stack.step

    def poisoned(self, batch, generators, progress, part, momentum):
        loss = update(self, batch, generators, progress, part, momentum)
        if len(self.models) == 3:
            self.weights.values[0][1, 0, 0] = float("nan")
        return loss

    monkeypatch.setattr(Stack, "step", poisoned)
    for _ in fit_together(estimators, X):
        pass
    for one, rows in zip(estimators, expected, strict=True):
        np.testing.assert_allclose([r["loss"] for r in one.history_], [r["loss"] for r in rows], rtol=1e-4)
