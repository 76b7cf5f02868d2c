"""Expectation–maximisation takes scikit-learn's steps, and more components fit at least as well."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture as Reference

from narrows.models.priors import gaussians
from narrows.models.priors.gaussians import Codes, Gaussians

RNG = np.random.default_rng(0)
Z = np.concatenate([RNG.normal(size=(300, 3)) @ RNG.normal(size=(3, 3)) + 4 * center for center in np.eye(3)])
CODES = Codes(Z)
START = Gaussians.one(CODES, 0.1).grown(2).grown(3)


def test_the_density_is_scipys():
    parts = [
        np.log(w) + multivariate_normal(m, c).logpdf(Z)
        for w, m, c in zip(START.weights, START.means, START.covariances, strict=True)
    ]
    np.testing.assert_allclose(START.log_prob(CODES), np.logaddexp.reduce(parts), rtol=1e-9)


@pytest.mark.filterwarnings("ignore:Best performing initialization did not converge")
@pytest.mark.parametrize(("chunk", "kept"), [(64, 0), (2**17, 2**21)], ids=["in pieces", "at once"])
def test_steps_are_scikit_learns(monkeypatch, chunk, kept):
    monkeypatch.setattr(gaussians, "NUMBERS_AT_ONCE", chunk)
    monkeypatch.setattr(gaussians, "MOST_KEPT", kept)
    monkeypatch.setattr(gaussians, "GAIN", 0.0)
    reference = Reference(
        3,
        reg_covar=0.01,
        max_iter=gaussians.STEPS,
        tol=0.0,
        weights_init=START.weights,
        means_init=START.means,
        precisions_init=np.linalg.inv(START.covariances),
    )
    ours, reference = START.fitted(Codes(Z), 0.01), reference.fit(Z)
    np.testing.assert_allclose(ours.weights, reference.weights_, rtol=1e-6)
    np.testing.assert_allclose(ours.means, reference.means_, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(ours.covariances, reference.covariances_, rtol=1e-6, atol=1e-8)


def test_halves_have_the_moments_of_the_whole():
    whole = Gaussians.one(CODES, 0.0)
    halves = whole.grown(2)
    np.testing.assert_allclose(halves.weights @ halves.means, Z.mean(0))
    apart = halves.means - Z.mean(0)
    spread = np.einsum("k,kij->ij", halves.weights, halves.covariances + apart[:, :, None] * apart[:, None])
    np.testing.assert_allclose(spread, np.cov(Z.T, bias=True))


def test_each_step_makes_the_codes_likelier():
    mixture, found = START, [START.log_prob(CODES).mean()]
    for _ in range(4):
        mixture = mixture.fitted(CODES, 0.0)
        found.append(mixture.log_prob(CODES).mean())
    assert (np.diff(found) > -1e-9).all()


def test_a_component_that_loses_all_codes_does_no_harm():
    lost = Gaussians(np.full(2, 0.5), np.stack([Z.mean(0), np.full(3, 1e3)]), np.stack([np.cov(Z.T), np.eye(3)]))
    np.testing.assert_allclose(
        lost.fitted(CODES, 0.1).log_prob(CODES), Gaussians.one(CODES, 0.1).log_prob(CODES), rtol=1e-6
    )
