"""Objectives against their papers' formulas, written out in NumPy and SciPy for nets of one layer."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from narrows.models.bottlenecks import Deterministic, DiagonalGaussian, VectorQuantiser
from narrows.models.corruptions import Corruption
from narrows.models.likelihoods import Bernoulli, SquaredError
from narrows.models.model import Batch, BottleneckModel
from narrows.models.neighbours import divergence, scale_at
from narrows.models.objectives import (
    Contractive,
    EvidenceLowerBound,
    ImportanceWeighted,
    Neighbours,
    Quantisation,
    Reconstruction,
    Regularised,
    Sparse,
    Wasserstein,
    own_of,
    squared_mmd,
    with_beta,
)
from narrows.models.priors.base import StandardNormal

N, FEATURES, D = 7, 4, 2
X = torch.tensor(np.random.default_rng(0).normal(size=(N, FEATURES)))


def model(bottleneck, prior=None):
    """A linear encoder and decoder in 64 bits, drawn by chance."""
    torch.manual_seed(3)
    return BottleneckModel(
        corruption=Corruption("gaussian", 0.0, 0.0, (FEATURES,)),
        encoder=nn.Linear(FEATURES, bottleneck.width),
        bottleneck=bottleneck,
        decoder=nn.Linear(D, FEATURES),
        likelihood=SquaredError(nn.Identity()),
        prior=prior or StandardNormal(1, D, 1),
    ).double()


def loss_of(objective, own, progress=1.0, batch=None, seed=5):
    return objective(own, batch or Batch(X, None), torch.Generator().manual_seed(seed), progress).detach().numpy()


def layer(net, x):
    return x @ net.weight.detach().numpy().T + net.bias.detach().numpy()


def errors(own, z, x=None):
    """½ ‖x − g(z)‖² of each example."""
    return 0.5 * np.square((X.numpy() if x is None else x) - layer(own.decoder, z)).sum(-1)


def normal_of(own):
    h = layer(own.encoder, X.numpy())
    return h[:, :D], np.exp(0.5 * h[:, D:])


def noise(*shape, seed=5):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).numpy()


def plain():
    return model(Deterministic(D, nn.Sigmoid()))


def codes(own):
    return 1 / (1 + np.exp(-layer(own.encoder, X.numpy())))


def test_reconstruction_is_the_error_of_the_code_and_of_pairs_that_of_the_clean_one():
    own = plain()
    np.testing.assert_allclose(loss_of(Reconstruction(), own), errors(own, codes(own)))
    noisy = X.flip(0)
    of_pairs = loss_of(Reconstruction(), own, batch=Batch(X, None, noisy))
    np.testing.assert_allclose(of_pairs, errors(own, codes(own)[::-1]))


def test_sparse_adds_the_divergence_of_each_units_mean_activation():
    own, rho = plain(), 0.1
    on = codes(own).mean(0)
    kl = sum(stats.entropy([rho, 1 - rho], [q, 1 - q]) for q in on)
    np.testing.assert_allclose(loss_of(Sparse(rho, 3.0), own), errors(own, codes(own)) + 3 * kl)
    own.encoder.weight.data.zero_()
    own.encoder.bias.data.copy_(torch.tensor([1e4, -1e4]))  # units that are always and never on
    kl = sum(stats.entropy([rho, 1 - rho], [q, 1 - q]) for q in (1 - 1e-6, 1e-6))
    np.testing.assert_allclose(loss_of(Sparse(rho, 3.0), own), errors(own, np.array([[1.0, 0.0]])) + 3 * kl, rtol=1e-6)


def test_contractive_adds_the_squared_jacobian_on_average_over_signs():
    own = plain()
    z = codes(own)
    jacobian = (z * (1 - z))[:, :, None] * own.encoder.weight.detach().numpy()
    signs = [np.array(pair) for pair in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
    possible = [np.square(np.einsum("d,ndf->nf", sign, jacobian)).sum(1) for sign in signs]
    np.testing.assert_allclose(np.mean(possible, 0), np.square(jacobian).sum((1, 2)))
    added = (loss_of(Contractive(2.0), own) - errors(own, z)) / 2
    assert np.isclose(np.stack(possible), added).any(0).all()
    many = np.mean([loss_of(Contractive(2.0), own, seed=seed) for seed in range(300)], 0)
    np.testing.assert_allclose((many - errors(own, z)) / 2, np.square(jacobian).sum((1, 2)), rtol=0.2)
    own.train()
    with torch.no_grad():
        assert loss_of(Contractive(2.0), own) == pytest.approx(loss_of(Contractive(2.0), own))
    Contractive(2.0)(own, Batch(X, None), torch.Generator(), 1.0).sum().backward()
    assert own.encoder.weight.grad.abs().sum() > 0  # of the Jacobian, too
    own.decoder.weight.data.zero_()
    own.encoder.weight.grad = None
    Contractive(2.0)(own, Batch(X, None), torch.Generator(), 1.0).sum().backward()
    assert own.encoder.weight.grad.abs().sum() > 0


def test_regularised_adds_the_sizes_of_codes_and_decoder():
    own = plain()
    size = sum(float(weight.detach().square().sum()) for weight in own.decoder.parameters())
    found = loss_of(Regularised(0.7, 0.02), own)
    np.testing.assert_allclose(found, errors(own, codes(own)) + 0.35 * np.square(codes(own)).sum(1) + 0.02 * size)


def kernel(a, b):
    """The sum of inverse multiquadrics of two codes, (Tolstikhin et al. 2018)."""
    return sum(2 * len(a) * s / (2 * len(a) * s + np.square(a - b).sum()) for s in (0.1, 0.2, 0.5, 1, 2, 5, 10))


def mmd(a, b):
    pairs = [(i, j) for i in range(len(a)) for j in range(len(a)) if i != j]
    within = sum(kernel(a[i], a[j]) + kernel(b[i], b[j]) for i, j in pairs) / len(pairs)
    return within - 2 * np.mean([[kernel(x, y) for y in b] for x in a])


@pytest.mark.parametrize(("n", "d"), [(2, 1), (5, 3)])
def test_the_squared_discrepancy_is_that_of_all_pairs(n, d):
    a, b = np.random.default_rng(n).normal(size=(2, n, d))
    assert float(squared_mmd(torch.tensor(a), torch.tensor(b))) == pytest.approx(mmd(a, b))
    one = squared_mmd(torch.tensor(a[:1]), torch.tensor(b[:1]))
    assert (float(one), one.dtype, one.shape) == (0.0, torch.float64, ())


def test_wasserstein_adds_the_discrepancy_from_drawn_codes():
    own = plain()
    found = loss_of(Wasserstein(4.0), own)
    np.testing.assert_allclose(found, errors(own, codes(own)) + 4 * mmd(codes(own), noise(N, D)), rtol=1e-12)


@pytest.mark.parametrize("learns", [True, False])
def test_quantisation_adds_the_distance_to_the_code_and_the_codebook_follows_while_it_learns(learns):
    own = model(VectorQuantiser(D, 1, 3))
    own.bottleneck.codebook.copy_(torch.tensor([[-1.0], [0.0], [2.0]]))
    before, h = own.bottleneck.codebook.clone(), layer(own.encoder, X.numpy())
    z = np.array([-1.0, 0.0, 2.0])[np.abs(h[..., None] - [-1.0, 0.0, 2.0]).argmin(-1)]
    with torch.set_grad_enabled(learns):
        loss = Quantisation(0.25)(own, Batch(X, None), torch.Generator(), 1.0)
    np.testing.assert_allclose(loss.detach().numpy(), errors(own, z) + 0.25 * np.square(h - z).sum(1))
    assert torch.equal(before, own.bottleneck.codebook) != learns


@pytest.mark.parametrize(
    ("objective", "bottleneck"),
    [
        (Reconstruction(), Deterministic(D, nn.Sigmoid())),
        (Contractive(0.0), Deterministic(D, nn.Sigmoid())),
        (ImportanceWeighted(1), DiagonalGaussian(D)),
    ],
    ids=str,
)
def test_inputs_are_what_is_given_back_and_not_what_the_decoder_says(objective, bottleneck):
    """Which the squared error, the same both ways, does not tell apart."""
    own = model(bottleneck)
    own.likelihood, x = Bernoulli(), (X > 0).double()
    q = own.posterior(x)
    z = q.rsample(torch.Generator().manual_seed(5))
    p = 1 / (1 + np.exp(-layer(own.decoder, z.detach().numpy())))
    expected = -stats.bernoulli(p).logpmf(x.numpy()).sum(1)
    if isinstance(objective, ImportanceWeighted):
        expected += (q.log_prob(z) - own.prior.log_prob(z)).detach().numpy()
    np.testing.assert_allclose(loss_of(objective, own, batch=Batch(x, None)), expected)


def test_the_bound_is_the_error_of_a_drawn_code_and_beta_times_the_divergence():
    own = model(DiagonalGaussian(D))
    mean, sigma = normal_of(own)
    error = errors(own, mean + sigma * noise(N, D))
    kl = 0.5 * (np.square(mean) + np.square(sigma) - 1 - 2 * np.log(sigma))
    for beta in (0.0, 1.0, 3.0):
        np.testing.assert_allclose(loss_of(EvidenceLowerBound(beta), own), error + beta * kl.sum(1))
    np.testing.assert_allclose(loss_of(EvidenceLowerBound(2.0, warm_up=0.5), own, 0.25), error + kl.sum(1))
    free = float(kl.mean(0).max() + kl.mean(0).min()) / 2  # which one unit has and the other has not
    charged = np.maximum(kl.mean(0), free).sum()
    np.testing.assert_allclose(loss_of(EvidenceLowerBound(2.0, free_bits=free), own), error + 2 * charged)


@pytest.mark.parametrize(
    ("warm_up", "progress", "beta"),
    [(0.0, 0.0, 2.0), (0.5, 0.0, 0.0), (0.5, 0.1, 0.4), (0.5, 0.5, 2.0), (0.5, 0.9, 2.0)],
)
def test_beta_rises_over_the_warm_up_and_stays(warm_up, progress, beta):
    assert EvidenceLowerBound(2.0, warm_up).beta_at(progress) == pytest.approx(beta)


def test_other_priors_are_weighed_at_the_drawn_code():
    own = model(DiagonalGaussian(D))
    own.prior = _Prior()
    mean, sigma = normal_of(own)
    z = mean + sigma * noise(N, D)
    weighed = stats.norm(mean, sigma).logpdf(z).sum(1) - stats.norm(0, 2).logpdf(z).sum(1)
    np.testing.assert_allclose(loss_of(EvidenceLowerBound(1.5), own), errors(own, z) + 1.5 * weighed)


class _Shift:
    """A corruption without chance, whose level is how far the training is."""

    of_noisy = False

    def __call__(self, x, _, progress):
        return x + progress


class _Prior(nn.Module):
    """N(0, 4 I), whose divergence is not taken in closed form."""

    def log_prob(self, z):
        return torch.distributions.Normal(torch.zeros(()).to(z), 2.0).log_prob(z).sum(-1)


@pytest.mark.parametrize("k", [1, 4])
def test_the_importance_weighted_bound_is_the_mean_of_the_weights(k):
    own = model(DiagonalGaussian(D))
    mean, sigma = normal_of(own)
    z = mean + sigma * noise(k, N, D)
    log_weights = stats.norm.logpdf(z).sum(-1) - stats.norm(mean, sigma).logpdf(z).sum(-1) - errors(own, z)
    np.testing.assert_allclose(loss_of(ImportanceWeighted(k), own), -np.log(np.exp(log_weights).mean(0)))


def test_a_corruption_is_what_the_encoder_sees_and_the_loss_is_of_the_clean():
    own = model(DiagonalGaussian(D))
    own.corruption = _Shift()
    shifted = X.numpy() + 0.5
    h = layer(own.encoder, shifted)
    z = h[:, :D] + np.exp(0.5 * h[:, D:]) * noise(N, D)
    kl = 0.5 * (np.square(h[:, :D]) + np.exp(h[:, D:]) - 1 - h[:, D:]).sum(1)
    np.testing.assert_allclose(loss_of(EvidenceLowerBound(), own, 0.5), errors(own, z) + kl)
    weighed = (stats.norm(h[:, :D], np.exp(0.5 * h[:, D:])).logpdf(z) - stats.norm.logpdf(z)).sum(1)
    np.testing.assert_allclose(loss_of(ImportanceWeighted(1), own, 0.5), errors(own, z) + weighed)


def test_neighbours_add_the_divergence_of_the_codes_means_and_leave_no_trace():
    own, bound = model(DiagonalGaussian(D)), EvidenceLowerBound()
    mean = torch.from_numpy(normal_of(own)[0])
    kl = float(divergence(X[None], mean[None], [D], scale_at(0.5))[0])
    found = loss_of(Neighbours(bound, 3.0), own, 0.5)
    np.testing.assert_allclose(found, loss_of(bound, own, 0.5) + 3 * kl)
    with pytest.raises(ZeroDivisionError):
        loss_of(Neighbours(lambda *_: 1 / 0, 3.0), own)
    assert not own.bottleneck._forward_hooks


def test_beta_can_be_changed_where_there_is_one():
    assert with_beta(EvidenceLowerBound(1.0, 0.25, 0.5), 0.0) == EvidenceLowerBound(0.0, 0.25, 0.5)
    joined = with_beta(Neighbours(EvidenceLowerBound(1.0, 0.25), 3.0), 4.0)
    assert joined == Neighbours(EvidenceLowerBound(4.0, 0.25), 3.0)
    assert own_of(joined) == own_of(own_of(joined)) == EvidenceLowerBound(4.0, 0.25)
    with pytest.raises(TypeError, match=r"beta=2 is for a VAE's objective; Reconstruction has no β"):
        with_beta(Reconstruction(), 2)
    for beta in (-0.1, math.inf, math.nan):
        with pytest.raises(ValueError, match=f"beta={beta} must be a number"):
            with_beta(EvidenceLowerBound(), beta)
