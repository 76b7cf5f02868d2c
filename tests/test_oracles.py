"""The family against closed forms and other people's code: PCA, probabilistic PCA, torch.distributions, brute force."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from torch import distributions, nn

from narrows import VAE
from narrows.models import likelihoods
from narrows.models.bottlenecks import (
    Deterministic,
    DiagonalGaussian,
    FiniteScalar,
    GaussianPosterior,
    Noisy,
    VectorQuantiser,
)
from narrows.models.corruptions import Corruption
from narrows.models.model import Batch, BottleneckModel
from narrows.models.nets import dense
from narrows.models.objectives import (
    Contractive,
    EvidenceLowerBound,
    ImportanceWeighted,
    Quantisation,
    Reconstruction,
    Regularised,
    Sparse,
    squared_mmd,
)
from narrows.models.priors.base import StandardNormal

N, FEATURES, D = 400, 6, 2


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def built(bottleneck, likelihood, *, hidden=(), features=FEATURES, d=D):
    """A model in 64 bits, the same at each call."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return BottleneckModel(
            corruption=Corruption("gaussian", 0, 0, (features,)),
            encoder=dense([features, *hidden, bottleneck.width], "tanh", shortcut=False),
            bottleneck=bottleneck,
            decoder=dense([d, *hidden, features], "tanh", shortcut=False),
            likelihood=likelihood,
            prior=StandardNormal(1, d, 1),
        ).double()


@pytest.fixture(scope="module")
def x():
    """Two strong directions, four of unequal noise, far from the origin: (400, 6), 64 bits."""
    z = torch.randn(N, FEATURES, generator=seeded(), dtype=torch.float64)
    scales = torch.tensor([3.0, 2.0, 0.7, 0.6, 0.5, 0.4], dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(FEATURES, FEATURES, generator=seeded(1), dtype=torch.float64)).Q
    return z * scales @ turn + torch.arange(FEATURES)


def minimise(model, objective, x, iterations=2000):
    optimiser = torch.optim.LBFGS(
        model.parameters(),
        max_iter=iterations,
        history_size=50,
        tolerance_grad=1e-11,
        tolerance_change=1e-15,
        line_search_fn="strong_wolfe",
    )

    def closure():
        optimiser.zero_grad()
        loss = objective(model, Batch(x, None), seeded(), 1.0).mean()
        loss.backward()
        return loss

    optimiser.step(closure)
    return closure().item()


def projector(basis):
    q = np.linalg.qr(basis)[0]
    return q @ q.T


# --- PCA and probabilistic PCA --------------------------------------------------------


def test_a_linear_autoencoder_is_pca(x):
    """Baldi & Hornik 1989: the same error and the same subspace."""
    model = built(Deterministic(D, nn.Identity()), likelihoods.SquaredError(nn.Identity()))
    loss = minimise(model, Reconstruction(), x)
    pca = PCA(D, svd_solver="full").fit(x.numpy())
    rest = x.numpy() - pca.inverse_transform(pca.transform(x.numpy()))
    assert 2 * loss == pytest.approx((rest**2).sum(1).mean(), abs=1e-6)
    np.testing.assert_allclose(
        projector(model.decoder[0].weight.detach().numpy()), projector(pca.components_.T), atol=1e-6
    )


class SigmaPoints(GaussianPosterior):
    """Draws μ ± √d σ eⱼ, whose mean and covariance are exact: so are then the means of quadratic functions."""

    __slots__ = ()

    def rsample(self, generator, *k):  # noqa: ARG002 - as of the others
        d = self.mean.shape[1]
        points = math.sqrt(d) * torch.cat([torch.eye(d), -torch.eye(d)]).to(self.mean)
        return self.mean + self.sigma * points[:, None]


class WithoutChance(DiagonalGaussian):
    def forward(self, h):
        q = super().forward(h)
        return SigmaPoints(q.mean, q.log_var)


def test_a_linear_vae_trained_on_its_bound_reaches_the_likelihood_of_probabilistic_pca(x):
    """Lucas et al. 2019: the bound of a linear VAE has no local maxima but pPCA's, where it is tight."""
    model = built(WithoutChance(D), likelihoods.Gaussian(nn.Identity()))
    bound = -minimise(model, EvidenceLowerBound(), x)
    pca = PCA(D, svd_solver="full").fit(x.numpy())
    # scikit-learn's covariance has n − 1 below it; maximum likelihood has n.
    shrunk = (N - 1) / N * pca.get_covariance()
    centred = (x - x.mean(0)).numpy()
    exact = distributions.MultivariateNormal(torch.zeros(FEATURES).double(), torch.from_numpy(shrunk))
    assert bound == pytest.approx(exact.log_prob(torch.from_numpy(centred)).mean().item(), abs=1e-4)
    assert bound == pytest.approx(pca.score(x.numpy()), abs=FEATURES / N)
    sigma = model.likelihood.log_sigma.exp().item()
    assert sigma**2 == pytest.approx(pca.noise_variance_ * (N - 1) / N, rel=1e-4)


def test_at_the_optimum_of_probabilistic_pca_every_weight_is_the_likelihood(x):
    """Tipping & Bishop 1999: W = U (Λ − σ² I)^½, and p(z | x) = N(M⁻¹ Wᵀ (x − μ), σ² M⁻¹) with a diagonal M."""
    pca = PCA(D, svd_solver="full").fit(x.numpy())
    variances, noise = torch.from_numpy(pca.explained_variance_), pca.noise_variance_
    w = torch.from_numpy(pca.components_.T) * (variances - noise).sqrt()
    mu = torch.from_numpy(pca.mean_)
    model = built(DiagonalGaussian(D), likelihoods.Gaussian(nn.Identity(), math.sqrt(noise)))
    with torch.no_grad():
        model.decoder[0].weight.copy_(w)
        model.decoder[0].bias.copy_(mu)
        inverse = w.T / variances[:, None]
        model.encoder[0].weight.copy_(torch.cat([inverse, torch.zeros_like(inverse)]))
        model.encoder[0].bias.copy_(torch.cat([-inverse @ mu, (noise / variances).log()]))
        model.likelihood.log_sigma.fill_(0.5 * math.log(noise))
    epsilon = 3 * torch.randn(7, N, D, generator=seeded(), dtype=torch.float64)
    exact = pca.score_samples(x.numpy())
    weights = model.log_weights(Batch(x, None), epsilon).detach().numpy()
    np.testing.assert_allclose(weights, np.broadcast_to(exact, weights.shape), atol=1e-9)
    np.testing.assert_allclose(model.log_likelihood(Batch(x, None), epsilon).detach().numpy(), exact, atol=1e-9)


# --- Objectives -----------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(-30, 30), st.floats(-15, 15)), min_size=1, max_size=5), st.floats(-9, 9))
def test_a_gaussian_code_is_torchs_normal(parts, at):
    mean, log_var = torch.tensor(parts, dtype=torch.float64).T[:, None]
    q, reference = GaussianPosterior(mean, log_var), distributions.Normal(mean, (0.5 * log_var).exp())
    exact = distributions.kl_divergence(reference, distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean)))
    torch.testing.assert_close(q.kl(), exact, rtol=1e-12, atol=1e-10)
    z = torch.full_like(mean, at)
    torch.testing.assert_close(q.log_prob(z), reference.log_prob(z).sum(-1), rtol=1e-12, atol=1e-10)


def deep_vae():
    return built(DiagonalGaussian(D), likelihoods.Gaussian(nn.Identity(), 0.5), hidden=(8,))


def test_iwae_with_one_code_is_the_evidence_lower_bound(x):
    """Sample by sample with log q − log p at the code drawn; on average over codes with the closed-form KL."""
    model, batch = deep_vae(), Batch(x[:20], None)
    with torch.no_grad():
        single = ImportanceWeighted(1)(model, batch, seeded(3), 1.0)
        epsilon = torch.randn(1, 20, D, generator=seeded(3), dtype=torch.float64)
        torch.testing.assert_close(single, -model.log_weights(batch, epsilon)[0], rtol=1e-12, atol=1e-12)
        q = model.posterior(*batch.seen)
        z = q.mean + q.sigma * epsilon[0]
        reconstruction = Reconstruction()(model, batch, seeded(3), 1.0)
        by_hand = reconstruction + q.log_prob(z) - model.prior.log_prob(z)
        torch.testing.assert_close(single, by_hand, rtol=1e-12, atol=1e-12)
        elbo = EvidenceLowerBound()(model, batch, seeded(3), 1.0)
        torch.testing.assert_close(elbo, reconstruction + q.kl().sum(1), rtol=1e-12, atol=1e-12)
        many, generator = Batch(x[:1].expand(200_000, -1), None), seeded(4)
        difference = ImportanceWeighted(1)(model, many, generator, 1.0) - EvidenceLowerBound()(
            model, many, generator, 1.0
        )
    assert abs(difference.mean()) < 5 * difference.std() / math.sqrt(len(difference))


def test_the_bound_rises_with_k_and_stays_below_the_likelihood(x):
    model, batch = deep_vae(), Batch(x[:5].repeat(2000, 1), None)
    with torch.no_grad():
        bounds = [-ImportanceWeighted(k)(model, batch, seeded(k), 1.0).mean().item() for k in (1, 2, 8, 64)]
        side = torch.linspace(-8, 8, 801, dtype=torch.float64)
        grid = torch.cartesian_prod(side, side)[:, None]
        joint = model.likelihood.log_prob(x[:5], model.output(grid)) + model.prior.log_prob(grid)
        exact = (joint.logsumexp(0) + 2 * math.log(16 / 800)).mean().item()
    assert bounds == sorted(bounds)
    assert bounds[-1] < exact + 1e-3


def test_beta_warm_up_and_free_bits(x):
    model, batch = deep_vae(), Batch(x[:20], None)

    def loss(progress=1.0, **options):
        return EvidenceLowerBound(**options)(model, batch, seeded(), progress)

    kl = model.posterior(x[:20]).kl()
    torch.testing.assert_close(loss(beta=4.0) - loss(beta=1.0), 3 * kl.sum(1))
    torch.testing.assert_close(loss(0.1, beta=2.0, warm_up=0.4), loss(beta=0.5))
    torch.testing.assert_close(loss(0.4, beta=2.0, warm_up=0.4), loss(beta=2.0))
    torch.testing.assert_close(loss(free_bits=1e3) - loss(beta=0.0), torch.full((20,), 1e3 * D, dtype=torch.float64))
    torch.testing.assert_close((loss(free_bits=1e-9) - loss(beta=0.0)).mean(), kl.sum(1).mean())


def test_the_contractive_penalty_is_the_jacobians_norm_on_average(x):
    model, draws = built(Deterministic(D, nn.Sigmoid()), likelihoods.SquaredError(nn.Identity()), hidden=(8,)), 20_000
    jacobian = torch.autograd.functional.jacobian(lambda row: model.encode(row[None])[0], x[0])
    batch = Batch(x[:1].expand(draws, -1), None)
    penalties = (Contractive(3.0)(model, batch, seeded(), 1.0) - Reconstruction()(model, batch, seeded(), 1.0)).detach()
    exact = 3 * jacobian.square().sum()
    assert abs(penalties.mean() - exact) < 5 * penalties.std() / math.sqrt(draws)
    # Rademacher signs of two units take two values of ‖Jᵀv‖², whose midpoint is the norm.
    assert (penalties.min() + penalties.max()) / 2 == pytest.approx(exact.item(), rel=1e-9)


def test_the_sparse_and_the_regularised_penalties_are_their_formulas(x):
    model = built(Deterministic(D, nn.Sigmoid()), likelihoods.SquaredError(nn.Identity()))
    batch, z = Batch(x, None), model.encode(x)
    plain = Reconstruction()(model, batch, seeded(), 1.0)
    want, have = (distributions.Bernoulli(p) for p in (torch.full((D,), 0.05, dtype=torch.float64), z.mean(0)))
    sparse = plain + 0.3 * distributions.kl_divergence(want, have).sum()
    torch.testing.assert_close(Sparse(0.05, 0.3)(model, batch, seeded(), 1.0), sparse)
    size = nn.utils.parameters_to_vector(model.decoder.parameters()).square().sum()
    regularised = plain + 0.3 * 0.5 * z.square().sum(1) + 0.2 * size
    torch.testing.assert_close(Regularised(0.3, 0.2)(model, batch, seeded(), 1.0), regularised)


def brute_force_mmd(a, b):
    def kernel(u, v):
        scales = [2 * len(u) * s for s in (0.1, 0.2, 0.5, 1, 2, 5, 10)]
        return sum(c / (c + ((u - v) ** 2).sum()) for c in scales)

    n = len(a)
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    within = sum(kernel(part[i], part[j]) for part in (a, b) for i, j in pairs) / (n * (n - 1))
    return within - 2 * np.mean([[kernel(u, v) for v in b] for u in a])


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 9), st.integers(1, 5), st.integers(0, 1000), st.floats(-5, 5))
def test_squared_mmd_is_the_double_sum(n, d, seed, shift):
    a, b = np.random.default_rng(seed).normal(size=(2, n, d)) + np.array([0, shift])[:, None, None]
    both = squared_mmd(torch.from_numpy(a), torch.from_numpy(b)).item()
    assert both == pytest.approx(brute_force_mmd(a, b), rel=1e-9, abs=1e-9)


def test_squared_mmd_is_zero_on_average_for_equal_distributions_and_not_for_others():
    def estimates(shift):
        draws = torch.randn(300, 2, 50, 3, generator=seeded(), dtype=torch.float64)
        return torch.stack([squared_mmd(a + shift, b) for a, b in draws])

    same, apart = estimates(0.0), estimates(1.0)
    assert abs(same.mean()) < 4 * same.std() / math.sqrt(300)
    assert apart.mean() > 20 * same.std()
    assert squared_mmd(torch.ones(1, 3), torch.zeros(1, 3)) == 0


# --- Bottlenecks ----------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(2, 9), st.integers(0, 1000))
def test_a_vector_quantiser_takes_the_nearest_vectors(parts, embedding, size, seed):
    quantiser = VectorQuantiser(parts * embedding, embedding, size).double()
    quantiser.codebook.copy_(torch.randn(size, embedding, generator=seeded(seed), dtype=torch.float64))
    h = torch.randn(11, parts * embedding, generator=seeded(seed + 1), dtype=torch.float64)
    nearest = torch.cdist(h.reshape(-1, embedding), quantiser.codebook).argmin(1)
    expected = quantiser.codebook[nearest].reshape(h.shape)
    torch.testing.assert_close(quantiser(h).mean, expected, rtol=1e-12, atol=1e-12)
    assert torch.equal(quantiser.snap(h), expected)
    assert torch.equal(quantiser.snap(expected), expected)
    assert torch.equal(quantiser(h).before, h)


def test_a_codebook_follows_what_is_near_it_to_the_clusters_means():
    quantiser, generator = VectorQuantiser(2, 2, 3), seeded()
    centres = torch.tensor([[0.0, 5.0], [5.0, 0.0], [-5.0, -5.0]])
    for _ in range(2000):
        h = centres[torch.randint(3, (64,), generator=generator)] + 0.1 * torch.randn(64, 2, generator=generator)
        quantiser.follow(h, generator)
    order = torch.cdist(centres, quantiser.codebook).argmin(1)
    assert sorted(order.tolist()) == [0, 1, 2]
    torch.testing.assert_close(quantiser.codebook[order], centres, rtol=0, atol=0.05)


def test_the_commitment_is_the_squared_distance_to_the_code(x):
    model = built(FiniteScalar(D, 3), likelihoods.SquaredError(nn.Identity()))
    q, batch = model.posterior(x), Batch(x, None)
    loss = Quantisation(0.7)(model, batch, seeded(), 1.0) - Reconstruction()(model, batch, seeded(), 1.0)
    torch.testing.assert_close(loss, 0.7 * (q.before - q.mean).square().sum(1))


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 17), st.lists(st.floats(-3, 3), min_size=1, max_size=6))
def test_finite_scalars_lie_on_the_grid_nearest_first(levels, values):
    bottleneck, z = FiniteScalar(len(values), levels), torch.tensor([values], dtype=torch.float64)
    grid = torch.linspace(-1, 1, levels, dtype=torch.float64)
    snapped = bottleneck.snap(z)
    distances = (snapped[..., None] - grid).abs().min(-1).values
    torch.testing.assert_close(distances, torch.zeros_like(distances), rtol=0, atol=1e-12)
    nearest = (z.clamp(-1, 1)[..., None] - grid).abs().min(-1).values
    torch.testing.assert_close((snapped - z.clamp(-1, 1)).abs(), nearest, rtol=0, atol=1e-12)
    assert torch.equal(bottleneck.snap(snapped), snapped)
    torch.testing.assert_close(bottleneck(z).mean, bottleneck.snap(z.tanh()), rtol=0, atol=1e-12)


def test_rounding_hands_on_the_gradient_of_what_was_rounded():
    h = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None].requires_grad_()
    (gradient,) = torch.autograd.grad(FiniteScalar(1, 4)(h).mean.sum(), h)
    torch.testing.assert_close(gradient, 1 - h.detach().tanh().square())


def test_a_noisy_code_has_its_noise_and_its_bounds():
    h = torch.linspace(-3, 3, 4)[:, None]
    q = Noisy(1, 0.2)(h)
    drawn = q.rsample(seeded(), 20_000)
    torch.testing.assert_close(q.mean, h.tanh())
    torch.testing.assert_close(drawn.mean(0), h.tanh(), rtol=0, atol=0.01)
    torch.testing.assert_close(drawn.std(0), torch.full((4, 1), 0.2), rtol=0.03, atol=0)


# --- Through the estimators -----------------------------------------------------------


@pytest.mark.parametrize(
    "noise",
    [
        pytest.param(0.05, marks=pytest.mark.by_hand),
        pytest.param(0.2, marks=pytest.mark.slow),
        pytest.param(0.4, marks=pytest.mark.by_hand),
    ],
)
def test_a_learned_sigma_recovers_the_noise_of_a_curved_surface(noise):
    """Within 5 %, in the data's own units (Rybkin et al. 2021)."""
    rng = np.random.default_rng(0)
    factors = rng.uniform(-1, 1, (3000, 2))
    clean = np.tanh(factors @ rng.normal(size=(2, 20))) * 50
    X = clean + rng.normal(scale=50 * noise, size=clean.shape)
    model = VAE(2, epochs=60, random_state=0).fit(X)
    sigma = model.model_.likelihood.log_sigma.exp().item() * model.scaling_.scale[0]
    assert sigma == pytest.approx(50 * noise, rel=0.05)
