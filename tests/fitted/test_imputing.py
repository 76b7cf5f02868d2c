"""Fillings: against the closed form of a linear model, and as wide as hidden cells ask for."""

import numpy as np
import pytest
import torch

from narrows import VAE, Autoencoder
from narrows.fitted.imputing import calibrate_fillings, imputed
from narrows.fitted.known_cells import log_known, standard_noise, weighted_codes
from narrows.models.model import Batch
from narrows.training.examples import Examples
from people import model_of_people, people


def rows(n, seed, columns=5):
    rng = np.random.default_rng(seed)
    ties = np.random.default_rng(7).normal(size=(2, columns))
    X = rng.normal(size=(n, 2)) @ ties + 0.3 * rng.normal(size=(n, columns))
    return X, np.where((rng.random(X.shape) < 0.2) & (np.arange(columns) > 0), np.nan, X)


@pytest.fixture(scope="module")
def linear():
    """A model whose decoder is a matrix: factor analysis."""
    return VAE(2, hidden=(), epochs=30, prior="normal", random_state=0).fit(rows(300, 0)[1]).fitted_


def test_fillings_of_a_linear_model_are_its_conditional_distribution(linear):
    (decoder,), likelihood = linear.model.decoder, linear.model.likelihood
    likelihood.stretch.fill_(1.0)
    w, b = decoder.weight.detach().double(), decoder.bias.detach().double()
    sigma = likelihood.parts[0].log_sigma.detach().double().exp()
    x = torch.tensor([0.8, np.nan, np.nan, -0.5, np.nan]).double()
    known, missing = ~x.isnan(), x.isnan()
    covariance = torch.linalg.inv(torch.eye(2) + w[known].T @ (w[known] / sigma[known, None].square()))
    z = covariance @ w[known].T @ ((x - b)[known] / sigma[known].square())
    expected = (w @ z + b)[missing].numpy()
    spread = (w @ covariance @ w.T + sigma.square().diag())[missing][:, missing].numpy()
    examples = Examples.of(x.float().expand(2000, -1), None)
    (mean,) = imputed(linear, examples.subset(torch.arange(2)), None, 1, "cpu")
    np.testing.assert_allclose(mean[:, missing], [expected, expected], atol=0.005)
    drawn = np.concatenate(imputed(linear, examples, 2, 0, "cpu"))[:, missing]
    deviations = np.sqrt(spread.diagonal())
    np.testing.assert_allclose(drawn.mean(0), expected, atol=5 * deviations.max() / np.sqrt(2000))
    np.testing.assert_allclose(np.cov(drawn.T), spread, atol=0.12 * deviations.max() ** 2)


@torch.no_grad()
def test_a_few_codes_around_the_mode_have_the_mean_of_many_of_the_prior():
    """Of a decoder that bends, of rows of which much and little is known."""
    table = people(40)
    model = model_of_people(people(200))
    x = torch.from_numpy(model.scaling_.apply(model.table_.cells(table)).astype(np.float32))
    x[torch.rand(x.shape, generator=torch.Generator().manual_seed(0)) < 0.4] = torch.nan
    nets, examples = model.model_, Examples.of(x, None)
    own = model.fitted_.on("cpu").posterior(examples).mean
    means = []
    for seed in range(4):
        z, _, weights = weighted_codes(nets, Batch(x, None), own, seed)
        means.append((z * weights[..., None]).sum(0))
    many = nets.prior.sample(10_000, torch.Generator().manual_seed(9))[0]
    h = nets.output(many, None)[:, None]
    for row in range(len(x)):
        by_prior = log_known(nets, x[row : row + 1], h).softmax(0).float()
        mean = (by_prior * many).sum(0)
        spread = (by_prior * (many - mean).square()).sum(0).sqrt()
        off = (torch.stack(means)[:, row] - mean) / spread
        assert float(off.square().mean().sqrt()) < 0.25


@pytest.mark.parametrize("d", [1, 2, 8, 40])
def test_noise_is_standard_normal_and_even(d):
    noise = torch.stack([standard_noise(d, torch.Generator().manual_seed(seed)) for seed in range(200)]).double()
    assert float(noise.mean(1).abs().max()) < 1e-6  # each with its opposite
    squares = noise.square().sum(2)
    np.testing.assert_allclose(squares.mean(1), np.full(200, d), rtol=1e-5)
    assert float(squares.var()) == pytest.approx(2 * d, rel=0.3)  # of so few quantiles somewhat less
    covariance = torch.cov(noise.flatten(0, 1).T).reshape(d, d)
    np.testing.assert_allclose(covariance, np.eye(d), atol=0.1)
    directions = torch.nn.functional.normalize(noise[:, : min(d, noise.shape[1] // 2)], dim=2)
    products = directions @ directions.mT
    np.testing.assert_allclose(products, np.broadcast_to(np.eye(products.shape[1]), products.shape), atol=1e-5)


def test_intervals_are_as_wide_as_hidden_cells_ask_for(linear):
    likelihood = linear.model.likelihood
    before, sigma = likelihood.stretch.clone(), likelihood.parts[0].log_sigma.data
    examples = Examples.of(torch.from_numpy(linear.scaling.apply(rows(400, 1)[1])), None)
    found = []
    for narrower in (0.0, np.log(4)):
        likelihood.stretch.fill_(1.0)
        sigma -= narrower
        calibrate_fillings(linear.on("cpu"), examples, 0)
        found.append(float(likelihood.stretch))
        sigma += narrower
    likelihood.stretch.copy_(before)
    assert 0.8 < found[0] < 1.3
    assert found[1] > 2 * found[0]


def test_most_hidden_cells_are_within_their_intervals():
    X, gappy = rows(400, 2, columns=8)
    model = Autoencoder(6, hidden=(16,), epochs=40, random_state=0).fit(gappy)
    hidden = np.isnan(gappy)
    drawn = np.stack(model.impute(gappy, draws=60))
    low, high = np.quantile(drawn[:, hidden], (0.05, 0.95), 0)
    assert 0.84 < ((low <= X[hidden]) & (X[hidden] <= high)).mean() < 0.96


def test_a_dead_unit_does_not_keep_gaps_from_being_filled():
    model = Autoencoder(2, hidden=(), epochs=2, random_state=0).fit(rows(80, 3)[1])
    model.model_.prior.factors.zero_()  # as of units that never change, which have no density
    assert not np.isnan(model.impute(rows(20, 4)[1])).any()


def test_a_row_is_filled_alike_whatever_rows_it_comes_with(monkeypatch):
    X = rows(60, 3)[1]
    model = Autoencoder(4, hidden=(8,), epochs=3, random_state=0).fit(rows(200, 2, columns=8)[1])
    wide = rows(60, 3, columns=8)[1]
    np.testing.assert_allclose(model.impute(wide[20:27]), model.impute(wide)[20:27], atol=1e-3)  # of several axes
    for options in ({"prior": "normal"}, {"prior": "mixture"}):
        model = Autoencoder(2, hidden=(8,), epochs=3, random_state=0, **options).fit(rows(200, 2)[1])
        whole = model.impute(X, random_state=0)
        for some in (X[7:8], X[40:], X[::-1]):
            place = {1: slice(7, 8), 20: slice(40, None)}.get(len(some), slice(None, None, -1))
            np.testing.assert_allclose(model.impute(some, random_state=0), whole[place], atol=1e-3)
        monkeypatch.setattr("narrows.fitted.imputing.NUMBERS_AT_ONCE", 2**12)
        np.testing.assert_allclose(model.impute(X, random_state=0), whole, atol=1e-3)
        monkeypatch.undo()
