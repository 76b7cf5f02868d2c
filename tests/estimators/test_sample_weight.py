"""Weights of examples: one of weight 2 counts as if it stood there twice, one of weight 0 as if it did not."""

import numpy as np
import pytest
import torch

from narrows import VAE, Autoencoder, SparseAutoencoder, sweep
from narrows.components import Components
from narrows.data.on_disk import OnDisk
from narrows.models.objectives import Reconstruction
from narrows.scaling import Scaling
from narrows.training.best import mean_loss
from narrows.training.examples import Examples

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 5)) @ RNG.normal(size=(5, 5)) * [1, 2, 3, 4, 5]
Y = np.arange(200) % 2
WEIGHTS = RNG.uniform(0.2, 3, 200)
FEW = {"epochs": 3, "hidden": (8,), "random_state": 0}


def weights_of(model):
    return torch.cat([tensor.flatten() for tensor in model.model_.state_dict().values()]).numpy()


@pytest.mark.parametrize("kind", [Autoencoder, SparseAutoencoder])  # by passes written by hand, and by autograd
@pytest.mark.parametrize("streamed", [False, True])
def test_weights_of_zero_and_one_choose(kind, streamed, tmp_path):
    kept = np.arange(200) % 3 > 0
    np.save(tmp_path / "X.npy", X)
    given = OnDisk.of_npy(tmp_path / "X.npy") if streamed else X
    model = kind(2, **FEW).fit(given, Y, sample_weight=5 * kept)
    alone = kind(2, **FEW).fit(X[kept].astype(np.float32) if streamed else X[kept], Y[kept])
    np.testing.assert_allclose(weights_of(model), weights_of(alone), atol=3e-6 if streamed else 0)
    assert (model.reference_.occurrences([X]) > 0).tolist() == kept.tolist()


def test_only_the_ratios_of_weights_matter():
    one, other = (Autoencoder(2, **FEW).fit(X, sample_weight=scale * WEIGHTS) for scale in (1, 8))
    np.testing.assert_array_equal(weights_of(one), weights_of(other))


def test_an_epoch_has_each_example_as_often_as_its_weight_says():
    weights = torch.tensor([1.0, 2.0, 3.0, 0.5, 1.5] * 20, dtype=torch.float64)
    examples = Examples.of(torch.arange(100.0)[:, None], None)
    examples = Examples(examples.read, examples.rows, 1, None, weights)
    generator = torch.Generator().manual_seed(0)
    epochs = torch.stack([examples.shuffled(generator).bincount(minlength=100) for _ in range(400)])
    expected = weights / weights.mean()
    assert (epochs.sum(1) == 100).all()
    assert ((epochs - expected).abs() < 1).all()
    np.testing.assert_allclose(epochs.double().mean(0), expected, atol=0.1)
    alike = Examples(examples.read, torch.arange(50), 1, None, torch.ones(100, dtype=torch.float64))
    assert alike.shuffled(generator).bincount().tolist() == [1] * 50


@pytest.mark.parametrize("options", [{}, {"net": "own"}])
def test_the_best_linear_code_is_that_of_the_repeated_rows(options):
    """Baldi & Hornik 1989: the principal components of the repeated rows are the oracle."""
    often = np.where(np.arange(200) < 20, 12, 1)
    rows = X.copy()
    rows[:20] = RNG.normal(size=(20, 5)) * [20, 1, 1, 1, 1]  # another plane
    plain = {"hidden": (), "scaling": "global", "input_noise": 0.0, "weight_decay": 0.0}
    if options:
        torch.manual_seed(0)
        options = {"net": (torch.nn.Linear(5, 1), torch.nn.Linear(1, 5))}
    learning = {"validation_fraction": 0.0, "epochs": 300, "learning_rate": 0.03, "random_state": 0}
    model = Autoencoder(1, **(plain | options), **learning).fit(rows, sample_weight=often)
    scaled = (np.repeat(rows, often, axis=0) - model.scaling_.offset) / model.scaling_.scale
    unweighted = Components.of((rows - model.scaling_.offset) / model.scaling_.scale, 1)
    best, other = (np.square(scaled - c.restored(scaled)).mean() for c in (Components.of(scaled, 1), unweighted))
    found = np.average(model.anomaly_score(rows, by="reconstruction"), weights=often)
    assert other > 1.2 * best
    assert found < 1.1 * best


def test_what_stands_beside_the_nets_is_by_weight():
    often = np.where(Y, 3, 1)
    rows = X + 4 * Y[:, None]
    model = VAE(2, **FEW, scaling="feature").fit(rows, Y, sample_weight=often)
    repeated = np.repeat(rows, often, axis=0)
    np.testing.assert_allclose(model.scaling_.offset, repeated.mean(0))
    np.testing.assert_allclose(model.scaling_.scale, repeated.std(0))
    by_hand = Components.of(model.scaling_.apply(repeated), 2)
    np.testing.assert_allclose(np.abs(model.reference_.components.axes), np.abs(by_hand.axes), atol=1e-4)
    np.testing.assert_allclose(model.model_.prior.frequencies, [0.25, 0.75], atol=0.02)


def test_a_class_of_hardly_any_weight_can_be_asked_for():
    model = Autoencoder(2, **FEW, validation_fraction=0).fit(X, Y, sample_weight=np.where(Y, 1, 1e-9))
    assert np.isfinite(model.sample(5, y=0)).all()


def test_held_out_examples_are_weighed_too():
    model = Autoencoder(2, **FEW, input_noise=0.0).fit(X).model_
    weights = torch.from_numpy(WEIGHTS)
    scaled = torch.from_numpy(Scaling.fit(X, "feature").apply(X))
    examples = Examples(lambda places: scaled[places], torch.arange(50, 200), 5, None, weights)
    with torch.no_grad():
        losses = model.likelihood.loss(scaled[50:], model.output(model.encode(scaled[50:])))
    expected = np.average(losses.numpy(), weights=WEIGHTS[50:])
    assert mean_loss(model, Reconstruction(), examples) == pytest.approx(expected, rel=1e-5)


def test_a_threshold_is_that_of_the_weighted():
    odd = np.arange(200) % 2 == 0
    model = Autoencoder(2, **FEW, validation_fraction=0.4).fit(X, sample_weight=np.where(odd, 1e-9, 1))
    held_out, ordinary = model.reference_.held_out["reconstruction"], model.anomaly_score(X[~odd], by="reconstruction")
    assert len(held_out) == 80
    assert np.isclose(held_out[:, None], ordinary, rtol=1e-5).any(1).all()


def test_steps_sweeps_and_checkpoints_take_weights(tmp_path):
    stepped = Autoencoder(2, **FEW)
    for _ in stepped.fit_steps(X, Y, WEIGHTS, checkpoint=tmp_path / "c"):
        pass
    fitted = Autoencoder(2, **FEW).fit(X, Y, WEIGHTS)
    np.testing.assert_array_equal(weights_of(stepped), weights_of(fitted))
    with pytest.raises(ValueError, match="the sample weights are others"):
        Autoencoder(2, **FEW).fit(X, Y, WEIGHTS + Y, checkpoint=tmp_path / "c")
    swept = sweep(X, Y, WEIGHTS, latent_dims=(2,), epochs=3)
    (row,) = swept.rows
    weights = np.array([WEIGHTS[(one == X).all(1)][0] for one in swept.X_test])
    assert row.test_error == pytest.approx(
        np.average(swept.models[2].anomaly_score(swept.X_test, by="reconstruction"), weights=weights)
    )


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0] * 199, r"sample_weight has shape \(199,\); one number for each of 200"),
        (WEIGHTS - 3.5 * (np.arange(200) == 7), "sample_weight is -.* in row 7; weights are 0 or more"),
        (np.eye(200)[0], "sample_weight is above zero for 1 of 200 examples; two or more are needed"),
        (np.where(Y, np.nan, 1), "NaN"),
    ],
)
def test_what_weighs_nothing_is_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        Autoencoder(2, **FEW).fit(X, sample_weight=weights)
