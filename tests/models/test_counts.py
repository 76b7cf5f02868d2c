"""Likelihoods of counts are SciPy's, whatever the scaling, and models of counts speak of counts."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from scipy.special import digamma

from narrows import VAE, Autoencoder
from narrows.models.likelihoods import LIKELIHOODS, NegativeBinomial, Poisson
from narrows.scaling import Scaling

rng = np.random.default_rng(0)
COUNTS = np.column_stack([rng.poisson(0.3, 60), rng.negative_binomial(2, 0.1, 60), rng.poisson(2000, 60)])
NAMES = ["poisson", "negative-binomial"]
SCALINGS = [Scaling.fit(COUNTS, "global"), Scaling.fit(COUNTS, "feature")]


def scaled(scaling, X, dtype=torch.float64):
    return torch.from_numpy(scaling.apply(X)).to(dtype)


@pytest.fixture(params=SCALINGS, ids=lambda scaling: scaling.kind)
def scaling(request):
    return request.param


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_poisson_is_scipys(scaling, dtype):
    likelihood = Poisson.for_data(scaling)
    rates = rng.gamma(2, 10, (4, *COUNTS.shape))
    h = torch.from_numpy(np.log(rates / scaling.scale)).to(dtype)
    terms = likelihood.log_terms(scaled(scaling, COUNTS, dtype), h)
    expected = stats.poisson.logpmf(COUNTS, rates)
    np.testing.assert_allclose(terms, expected, rtol=1e-5, atol=1e-3)  # of counts and scales in 32 bits
    np.testing.assert_allclose(scaling.undo(likelihood.mean(h).numpy()), rates, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("r", [[0.05, 1.0, 20.0], [1e3, 1e6, 1e8]])
def test_negative_binomial_is_scipys(scaling, r):
    likelihood = NegativeBinomial.for_data(scaling)
    likelihood.log_r.data = torch.tensor(r).log()
    rates = rng.gamma(2, 10, (4, *COUNTS.shape))
    h = torch.from_numpy(np.log(rates / scaling.scale)).requires_grad_()
    terms = likelihood.log_terms(scaled(scaling, COUNTS), h)
    expected = stats.nbinom.logpmf(COUNTS, r, np.array(r) / (r + rates))
    np.testing.assert_allclose(terms.detach(), expected, rtol=1e-4, atol=1e-3)
    in_half = likelihood.log_terms(scaled(scaling, COUNTS, torch.float32), h.float())
    np.testing.assert_allclose(in_half.detach(), expected, rtol=1e-4, atol=5e-3)
    terms.sum().backward()
    r = np.array(r)
    slope = r * (digamma(COUNTS + r) - digamma(r) + np.log(r / (r + rates)) + 1 - (COUNTS + r) / (r + rates))
    np.testing.assert_allclose(likelihood.log_r.grad, slope.sum((0, 1)), rtol=1e-3, atol=0.05)


def test_one_factor_of_maximum_likelihood_calibrates_every_r():
    r, mean = np.array([0.5, 4.0]), np.full((20_000, 2), [3.0, 8.0])
    X = rng.negative_binomial(r, r / (r + mean))
    scaling = Scaling.fit(X, "feature")
    likelihood = NegativeBinomial.for_data(scaling)
    likelihood.log_r.data = torch.tensor(r * 5, dtype=torch.float32).log()
    likelihood.calibrate(scaled(scaling, X, torch.float32), scaled(scaling, mean, torch.float32))
    np.testing.assert_allclose(likelihood.log_r.detach().exp(), r, rtol=0.05)


@pytest.mark.parametrize("name", NAMES)
def test_it_sums_to_one_and_to_its_mean(name):
    k = np.arange(4000)[:, None]
    scaling = Scaling("feature", np.array([3.0]), np.array([5.0]))
    likelihood, h = LIKELIHOODS[name].for_data(scaling), torch.full((1, 1), 1.1, dtype=torch.float64)
    mass = likelihood.log_prob(scaled(scaling, k), h).exp().detach().numpy()
    assert mass.sum() == pytest.approx(1, abs=1e-6)
    assert (mass * k[:, 0]).sum() == pytest.approx(5 * np.exp(1.1), rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_no_mean_is_below_no_count_and_counts_come_back_whole(name, scaling):
    likelihood = LIKELIHOODS[name].for_data(scaling)
    assert (scaling.undo(likelihood.mean(torch.full((1, 3), -40.0)).numpy()) >= 0).all()
    assert likelihood.possible(scaled(scaling, COUNTS, torch.float32)).all()
    wrong = torch.from_numpy(scaling.apply(np.array([[0.5, -1, 3], [np.inf, 7, -0.01]])))
    assert likelihood.possible(wrong).tolist() == [[False, False, True], [False, True, False]]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_drawn_has_the_mean_and_the_spread_of_the_mass(name):
    scaling = Scaling.fit(COUNTS, "feature")
    likelihood, rates = LIKELIHOODS[name].for_data(scaling), np.array([0.2, 30.0, 2.0**60])
    drawn = likelihood.draw(np.tile(rates, (40_000, 1)), np.random.default_rng(0))
    assert (drawn == np.rint(drawn)).all()
    np.testing.assert_allclose(drawn.mean(0), rates, rtol=0.05)
    zero = scaled(scaling, np.zeros((1, 3)))
    nothing = likelihood.log_terms(zero, torch.from_numpy(np.log(rates / scaling.scale))).exp()
    np.testing.assert_allclose((drawn == 0).mean(0), nothing[0].detach(), atol=0.01)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [Autoencoder, VAE])
def test_a_model_of_counts_draws_counts_and_rebuilds_their_means(kind, name):
    rng = np.random.default_rng(0)
    X, others = rng.poisson(np.exp(rng.normal(size=(2, 200, 1)) + np.arange(4)))
    model = kind(1, hidden=(8,), epochs=60, likelihood=name, random_state=0).fit(X)
    new, restored = model.sample(300, random_state=0), model.reconstruct(X)
    assert (new == np.rint(new)).all()
    assert (new >= 0).all()
    assert (restored >= 0).all()
    assert (restored != np.rint(restored)).any()
    assert np.isfinite(model.score_samples(new)).all()
    assert np.abs(restored - X).mean() < np.abs(X.mean(0) - X).mean()
    assert model.evaluate(others).density.log_density.value < 0  # a probability, whatever the units


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_count_is_refused_by_name_before_training(name):
    X = pd.DataFrame({"visits": rng.poisson(3, 5000), "stays": rng.poisson(1, 5000)}).astype(float)
    for value in (2.5, -1.0):
        wrong = X.copy()
        wrong.loc[4321, "stays"] = value
        with pytest.raises(ValueError, match=rf"contains {value:g} in row 4321, column 'stays'; .* for counts"):
            Autoencoder(1, epochs=1, likelihood=name).fit(wrong)
    model = Autoencoder(1, epochs=1, hidden=(4,), likelihood=name, random_state=0).fit(X)
    with pytest.raises(ValueError, match=r"contains \S+5 in row 0, column 0; .* for counts"):
        model.score_samples(X[:3] + 2.5)
