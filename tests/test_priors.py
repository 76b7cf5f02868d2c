"""The prior fitted to codes makes codes like them."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture as Reference

from narrows import Autoencoder
from narrows.models.bottlenecks import GaussianPosterior, Point
from narrows.models.priors.base import StandardNormal
from narrows.models.priors.gaussians import Codes, Gaussians
from narrows.models.priors.mixtures import GaussianMixture

RNG = np.random.default_rng(0)


def fit(codes):
    z = torch.from_numpy(codes).float()
    return GaussianMixture.fit(Point(z, z), torch.zeros(len(z), dtype=torch.int64), 1, 0)


def draw(prior, n):
    return prior.sample(n, torch.Generator().manual_seed(0))[0].numpy()


def two_clusters(n=1000):
    return np.where(RNG.random((n, 1)) < 0.3, RNG.normal([5, 0], 0.5, (n, 2)), RNG.normal([-5, 100], [0.5, 9], (n, 2)))


def test_samples_have_the_moments_of_the_codes():
    codes = two_clusters()
    samples = draw(fit(codes), 20_000)
    np.testing.assert_allclose(samples.mean(0), codes.mean(0), rtol=0.1)
    np.testing.assert_allclose(np.cov(samples.T), np.cov(codes.T), rtol=0.1)
    assert (samples[:, 0] > 0).mean() == pytest.approx((codes[:, 0] > 0).mean(), abs=0.02)


def test_samples_are_as_likely_as_codes_under_a_mixture_fitted_by_scikit_learn():
    codes = two_clusters()
    reference = Reference(10, random_state=0).fit(codes)
    samples = draw(fit(codes), 5000)
    assert reference.score(samples) == pytest.approx(reference.score(two_clusters(20_000)), abs=0.1)


@pytest.mark.parametrize(
    "codes", [np.zeros((30, 2)), np.ones((2, 3)), RNG.normal(size=(5, 40)), np.eye(3)], ids=lambda c: c.shape
)
def test_few_or_equal_codes(codes):
    prior = fit(codes)
    assert prior.components == 1
    assert np.isfinite(draw(prior, 10)).all()


def test_a_unit_that_never_changes_keeps_its_value():
    codes = np.c_[RNG.normal(size=500), np.full(500, 3.0)]
    samples = draw(fit(codes), 100)
    assert (samples[:, 1] == 3).all()


def test_a_unit_that_never_changes_does_not_matter_to_the_others():
    codes = two_clusters(300)
    without, beside = fit(codes), fit(np.insert(codes, 1, 3.0, axis=1))
    torch.testing.assert_close(beside.means[..., [0, 2]], without.means)
    torch.testing.assert_close(beside.factors[..., [0, 2], :][..., [0, 2]], without.factors)


def test_at_first_it_is_the_standard_normal():
    samples = draw(GaussianMixture(1, 3, 1), 20_000)
    np.testing.assert_allclose(np.cov(samples.T), np.eye(3), atol=0.05)


def test_large_sets_of_codes_are_thinned(monkeypatch):
    sizes, fitted = [], Gaussians.fitted

    def few(mixture, codes, smoothing):
        sizes.append(len(codes))
        return fitted(mixture, Codes(codes.z[:200]), smoothing)

    monkeypatch.setattr(Gaussians, "fitted", few)
    fit(RNG.normal(size=(50_000, 1)))
    *searched, last = sizes
    assert (set(searched), last) == ({8000}, 20_000)


def test_many_units_and_few_codes_are_smoothed_until_others_are_as_likely():
    """One Gaussian with 40 × 41 / 2 covariances of 60 codes: their own covariance foretells others far worse."""
    codes, others = RNG.normal(size=(60, 40)), RNG.normal(size=(2000, 40))
    plain = multivariate_normal(codes.mean(0), np.cov(codes.T) + 1e-6 * np.eye(40)).logpdf(others).mean()
    ours = fit(codes).log_prob(torch.from_numpy(others).float()).mean().item()
    assert ours > plain + 10


def test_a_class_of_one_example_is_its_posterior():
    """It must have a density, or no code would have one."""
    mean, sigma = torch.tensor([[0.0, 0.0]] * 50 + [[3.0, -2.0]]), torch.tensor([0.5, 0.1])
    posterior = GaussianPosterior(mean, (2 * sigma.log()).expand(51, 2))
    prior = GaussianMixture.fit(posterior, (torch.arange(51) == 50).long(), 2, 0)
    assert torch.isfinite(prior.log_prob(mean)).all()
    drawn = prior.sample(5000, torch.Generator().manual_seed(0), torch.ones(5000, dtype=torch.long))[0]
    np.testing.assert_allclose(drawn.mean(0), [3, -2], atol=0.6)
    assert ((drawn.std(0) > 0.3 * sigma) & (drawn.std(0) < 3 * sigma)).all()


@pytest.mark.slow
def test_generated_digits_are_nearer_to_digits_than_those_of_a_standard_normal(digits):
    """What the fitted prior is for (Ghosh et al. 2020): distances of 500 samples to their nearest real digit."""
    from sklearn.neighbors import NearestNeighbors

    model = Autoencoder(8, epochs=60, random_state=0).fit(digits)
    nearest = NearestNeighbors(n_neighbors=1).fit(digits.reshape(len(digits), -1))

    def distance():
        return nearest.kneighbors(model.sample(500, random_state=0).reshape(500, -1))[0].mean()

    fitted = distance()
    model.model_.prior = StandardNormal(1, 8, 1)
    assert fitted < 0.9 * distance()
