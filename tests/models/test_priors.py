"""Every prior over codes: its density integrates to one, its draws have the codes' moments and fit its density."""

import functools

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture as Reference
from sklearn.model_selection import GridSearchCV, LeaveOneOut
from sklearn.neighbors import KernelDensity
from torch import nn

from narrows.models.bottlenecks import DiagonalGaussian, GaussianPosterior, Point
from narrows.models.priors.base import Prior, StandardNormal
from narrows.models.priors.flows import FlowMatching, NormalizingFlow
from narrows.models.priors.mixtures import GaussianMixture, PosteriorMixture, VampPrior

N = 600
SIDE = torch.linspace(-12, 12, 129)
CELL = float(SIDE[1] - SIDE[0])
PLANE = torch.cartesian_prod(SIDE, SIDE)
DENSITIES = [StandardNormal, GaussianMixture, PosteriorMixture, NormalizingFlow]
FITTED = [GaussianMixture, PosteriorMixture, NormalizingFlow, FlowMatching]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def codes(n=N, seed=0):
    """A bent cluster, class 0, and a small round one, class 1, with three in ten of all; and their classes."""
    rng = np.random.default_rng(seed)
    u = rng.normal(size=n)
    bent = np.stack([2 * u, 0.4 * u**2 - 2 + 0.4 * rng.normal(size=n)], 1)
    kinds = (rng.random(n) < 0.3).astype(np.int64)
    z = np.where(kinds[:, None] == 1, rng.normal([3, 4], 0.5, (n, 2)), bent)
    return torch.from_numpy(z).float(), torch.from_numpy(kinds)


def posterior(z):
    return GaussianPosterior(z, torch.full_like(z, 2 * np.log(0.2)))


@pytest.fixture(scope="module")
def priors():
    """Each prior of the codes by class, fitted once."""
    z, kinds = codes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("narrows.models.priors.flows.STEPS", 600)
        return {kind: kind.fit(posterior(z), kinds, 2, 0) for kind in {*DENSITIES, *FITTED}}


@pytest.fixture(scope="module")
def over_the_plane(priors):
    """Return the log densities over the plane, of each class and of all, computed once a prior."""

    @functools.cache
    def computed(kind):
        with torch.no_grad():
            by_class = torch.cat([priors[kind].class_log_probs(part) for part in PLANE.split(10_000)]).double()
            together = torch.cat([priors[kind].log_prob(part) for part in PLANE.split(10_000)]).double()
        return by_class, together

    return computed


@pytest.mark.parametrize("kind", DENSITIES)
def test_densities_integrate_to_one_in_every_class(over_the_plane, kind):
    by_class, together = over_the_plane(kind)
    np.testing.assert_allclose(by_class.exp().sum(0) * CELL**2, 1, atol=5e-3)
    assert together.exp().sum().item() * CELL**2 == pytest.approx(1, abs=5e-3)


@pytest.mark.parametrize("kind", FITTED)
def test_draws_have_the_moments_of_the_codes_of_their_class(priors, kind):
    fresh, kinds = codes(20_000, seed=1)
    fresh = fresh + 0.2 * torch.randn(fresh.shape, generator=seeded())
    drawn, labels = priors[kind].sample(20_000, seeded(2))
    assert (labels == 1).double().mean().item() == pytest.approx(0.3, abs=0.05)
    for c in (0, 1):
        wanted = fresh[kinds == c]
        asked, given = priors[kind].sample(10_000, seeded(3), torch.full((10_000,), c))
        assert (given == c).all()
        for ours in (asked, drawn[labels == c]):
            np.testing.assert_allclose(ours.mean(0), wanted.mean(0), atol=0.3)
            np.testing.assert_allclose(ours.std(0), wanted.std(0), rtol=0.2)


@pytest.mark.parametrize("kind", DENSITIES)
def test_draws_fit_the_density(priors, over_the_plane, kind):
    """The mean of log p over draws is ∫ p log p."""
    with torch.no_grad():
        drawn = priors[kind].log_prob(priors[kind].sample(20_000, seeded())[0]).double()
    _, log_prob = over_the_plane(kind)
    negative_entropy = (log_prob.exp() * log_prob.clamp_min(-700)).sum().item() * CELL**2
    assert drawn.mean().item() == pytest.approx(negative_entropy, abs=0.04)


@pytest.mark.parametrize("kind", [*DENSITIES, FlowMatching])
def test_the_seed_decides_and_the_global_state_does_not(priors, kind):
    state = torch.get_rng_state()
    first, second = (priors[kind].sample(5, seeded(7))[0] for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(first, priors[kind].sample(5, seeded(8))[0])


@pytest.mark.parametrize("kind", DENSITIES)
def test_a_density_keeps_the_axes_before_the_last(priors, kind):
    z = torch.randn(3, 4, 2, generator=seeded())
    with torch.no_grad():
        assert priors[kind].class_log_probs(z).shape == (3, 4, 2)
        torch.testing.assert_close(priors[kind].log_prob(z)[1], priors[kind].log_prob(z[1]), rtol=1e-4, atol=1e-4)


def test_the_standard_normal_is_scipys():
    z = torch.randn(9, 3, generator=seeded())
    prior = StandardNormal(4, 3, 1)
    expected = multivariate_normal(np.zeros(3)).logpdf(z.numpy())
    np.testing.assert_allclose(prior.log_prob(z), expected, rtol=1e-5)
    drawn = prior.sample(50_000, seeded())[0].numpy()
    np.testing.assert_allclose(np.cov(drawn.T), np.eye(3), atol=0.03)


def test_the_mixture_is_as_good_as_scikit_learns():
    z, kinds = codes(1500)
    prior = GaussianMixture.fit(Point(z, z), torch.zeros_like(kinds), 1, 0)
    fresh = codes(5000, seed=1)[0]
    best = max(
        Reference(20, reg_covar=s, random_state=0).fit(z.numpy()).score(fresh.numpy()) for s in (1e-3, 1e-2, 0.1)
    )
    assert prior.log_prob(fresh).mean().item() == pytest.approx(best, abs=0.05)
    ours = Reference(prior.components, means_init=prior.means[0].numpy())
    ours.weights_, ours.means_ = prior.weights[0].numpy(), prior.means[0].numpy()
    factors = prior.factors[0].double().numpy()
    ours.covariances_ = factors @ factors.transpose(0, 2, 1)
    ours.precisions_cholesky_ = np.linalg.inv(factors).transpose(0, 2, 1)
    np.testing.assert_allclose(prior.log_prob(fresh).numpy(), ours.score_samples(fresh.numpy()), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("sigma", [1e-4, 0.3, 2.0])
def test_the_posterior_mixture_is_scipys_mean_of_densities(sigma):
    rng = np.random.default_rng(0)
    means = torch.from_numpy(rng.normal(size=(30, 2)) * 3).float()
    prior = PosteriorMixture.fit(
        GaussianPosterior(means, torch.full_like(means, 2 * np.log(sigma))), torch.arange(30) % 2, 2, 0
    )
    z = means[:10] + sigma * torch.randn(10, 2, generator=seeded())
    for c in (0, 1):
        parts = [multivariate_normal(m.double().numpy(), sigma**2).logpdf(z.double().numpy()) for m in means[c::2]]
        expected = np.logaddexp.reduce(parts, 0) - np.log(15)
        np.testing.assert_allclose(prior.class_log_probs(z)[:, c], expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("apart", [0.0, 8.0], ids=["one bump", "two"])
def test_kernels_are_as_wide_as_scikit_learns_leave_one_out_takes_them(apart):
    rng = np.random.default_rng(0)
    z = np.concatenate([rng.normal(size=(40, 2)), rng.normal(size=(40, 2)) + apart])
    spread = z.std(0)
    scott = 80 ** (-1 / 6)
    search = GridSearchCV(KernelDensity(), {"bandwidth": scott * 2.0 ** -np.arange(0, 4.25, 0.25)}, cv=LeaveOneOut())
    width = search.fit(z / spread).best_params_["bandwidth"]
    codes = torch.from_numpy(z).float()
    prior = PosteriorMixture.fit(Point(codes, codes), torch.zeros(80, dtype=torch.long), 1, 0)
    np.testing.assert_allclose((0.5 * prior.log_vars[0]).exp(), np.tile(width * spread, (80, 1)), rtol=1e-5)
    assert (width < 0.5 * scott) == bool(apart)


def test_classes_of_unequal_size_do_not_leak_into_each_other():
    z = torch.cat([torch.full((300, 1), -5.0), torch.full((1, 1), 5.0)])
    z = z + 0.01 * torch.randn(z.shape, generator=seeded())
    labels = (torch.arange(301) == 300).long()
    for kind in (GaussianMixture, PosteriorMixture):
        prior = kind.fit(GaussianPosterior(z, torch.full_like(z, -6.0)), labels, 2, 0)
        torch.testing.assert_close(prior.frequencies, torch.tensor([300 / 301, 1 / 301]))
        for c, place in ((0, -5), (1, 5)):
            drawn = prior.sample(500, seeded(), torch.full((500,), c))[0]
            assert ((drawn - place).abs() < 1).all()


@pytest.mark.parametrize("kind", FITTED)
@pytest.mark.parametrize("z", [torch.zeros(30, 2), torch.ones(2, 3), torch.eye(3)], ids=["equal", "two", "three"])
def test_few_or_equal_codes(kind, z, monkeypatch):
    monkeypatch.setattr("narrows.models.priors.flows.STEPS", 10)
    prior = kind.fit(Point(z, z), torch.zeros(len(z), dtype=torch.long), 1, 0)
    drawn, _ = prior.sample(10, seeded())
    assert drawn.shape == (10, z.shape[1])
    assert torch.isfinite(drawn).all()


def test_flow_matching_says_that_it_has_no_density(priors):
    with pytest.raises(ValueError, match="flow-matching prior only draws"):
        priors[FlowMatching].log_prob(torch.zeros(1, 2))


def test_vampprior_is_the_mixture_of_its_pseudo_inputs_posteriors():
    encoder, bottleneck = nn.Linear(5, 4), DiagonalGaussian(2)
    pseudo_inputs = torch.randn(7, 5, generator=seeded())
    prior = VampPrior(pseudo_inputs, 2, lambda u: bottleneck(encoder(u)))
    z, q = torch.randn(9, 2, generator=seeded()), bottleneck(encoder(pseudo_inputs))
    parts = torch.distributions.Normal(q.mean, q.sigma).log_prob(z[:, None]).sum(-1)
    expected = parts.logsumexp(1) - np.log(7)
    torch.testing.assert_close(prior.log_prob(z), expected, rtol=1e-4, atol=1e-4)
    prior.log_prob(z).sum().backward()
    assert prior.pseudo_inputs.grad.abs().sum() > 0
    frozen = prior.frozen(q, torch.zeros(7, dtype=torch.long), 1)
    torch.testing.assert_close(frozen.log_prob(z), expected.detach(), rtol=1e-4, atol=1e-4)


def test_slopes_and_curvatures_of_a_mixture_are_those_of_automatic_differentiation():
    generator = torch.Generator().manual_seed(0)
    prior = GaussianMixture(2, 3, 4).double()
    prior.weights.copy_(torch.rand(2, 4, generator=generator).softmax(1))
    prior.weights[1, 3] = 0.0  # a component that a class does without
    prior.means.normal_(generator=generator)
    prior.factors.copy_(torch.eye(3) + 0.3 * torch.rand(2, 4, 3, 3, generator=generator).tril())
    prior.frequencies.copy_(torch.tensor([0.3, 0.7]))
    z = torch.randn(5, 3, generator=generator).double()
    for found, expected in zip(prior.slopes_and_curvatures(z), Prior.slopes_and_curvatures(prior, z), strict=True):
        torch.testing.assert_close(found, expected)
