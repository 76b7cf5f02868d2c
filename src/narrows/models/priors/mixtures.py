"""Priors that are mixtures of Gaussians: fitted to codes, around codes, or learned with the nets."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from narrows.models.bottlenecks import GaussianPosterior
from narrows.models.priors.base import Posterior, Prior
from narrows.models.priors.gaussians import Codes, Gaussians

__all__ = ["GaussianMixture", "PosteriorMixture", "VampPrior"]

COMPONENTS, CODES_A_UNIT = 80, 2
"""Of a mixture, at most; and how many codes, times the latent_dim, each has at least."""

SMOOTHINGS = (1e-6, 1e-4, 1e-2, 3e-2, 6e-2, 1e-1, 3e-1)
USUAL_SMOOTHING = 1e-1
"""Added to the variances of standardised codes; the last, while the number of components is chosen."""

FEWEST_CODES, LARGEST_SEARCH, LARGEST_FIT = 10, 10_000, 20_000
"""Codes from which on some are held out; and at most, to choose a mixture by and to fit it to."""

MOST_POSTERIORS, MOST_OF_ALL_CLASSES = 1000, 20_000

NUMBERS_AT_ONCE = 2**20
"""Of codes times components, while densities are computed: 8 MB."""


class GaussianMixture(Prior):
    """p(z | c) = Σₖ πₖ N(z; μₖ, Lₖ Lₖᵀ), fitted to the training codes after training.

    On MNIST this takes an autoencoder's FID from 58.7 to 10.7 (Ghosh et al. 2020, with ten components). How many
    components there are, one to eighty, is what makes a held-out fifth of the codes likeliest; how much is added to
    their variances, so that they don't fit single codes, is the most that makes the held-out ones less likely by no
    more than a standard error (after Breiman et al. 1984).

    Parameters
    ----------
    classes, latent_dim, components
        As in `Prior`. Buffers: ``weights`` (C, K), ``means`` (C, K, d), ``factors`` (C, K, d, d), the lower-triangular
        Lₖ; at first each component is the standard normal.
    """

    most_codes = LARGEST_FIT
    weights: Tensor
    means: Tensor
    factors: Tensor

    def __init__(self, classes: int, latent_dim: int, components: int) -> None:
        super().__init__(classes, latent_dim, components)
        self.register_buffer("weights", torch.full((classes, components), 1 / components))
        self.register_buffer("means", torch.zeros(classes, components, latent_dim))
        # Not torch.eye, which on the meta device imports torch's compiler.
        self.register_buffer("factors", torch.zeros(classes, components, latent_dim, latent_dim))
        self.factors.diagonal(dim1=-2, dim2=-1).fill_(1)

    @classmethod
    def of_codes(cls, posterior: Posterior, labels: Tensor, classes: int, seed: int) -> Self:
        """Fit by expectation–maximisation, with fewer components where examples are few.

        At most 20,000 codes of a class are looked at, chosen by ``seed``. Where they are fewer than would do for one
        component and have chance, more than one is drawn of each example. A unit that never changes keeps its value.
        """
        rng, generator = np.random.RandomState(seed), torch.Generator().manual_seed(seed)
        d, mixtures = posterior.mean.shape[1], []
        for c in range(classes):
            rows = (labels == c).nonzero().squeeze(1)
            if len(rows) > LARGEST_FIT:
                rows = rows[torch.from_numpy(rng.choice(len(rows), LARGEST_FIT, replace=False))]
            draws = math.ceil(CODES_A_UNIT * d / len(rows)) if isinstance(posterior, GaussianPosterior) else 1
            noise = torch.randn(draws, len(rows), d, generator=generator)
            codes = (posterior.mean[rows] + posterior.sigma[rows] * noise).flatten(0, 1)
            mixtures.append(_mixture(codes.numpy().astype(np.float64), rng))
        most = max(len(weights) for weights, _, _ in mixtures)
        prior = cls(classes, d, most)
        prior.weights.zero_()  # also of the components that a class does without
        for c, mixture in enumerate(mixtures):
            for buffer, values in zip((prior.weights, prior.means, prior.factors), mixture, strict=True):
                buffer[c, : len(values)] = torch.from_numpy(values)
        return prior

    def draw(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return a code (n, d) of each of the classes ``labels`` (n,)."""
        chosen = torch.multinomial(self.weights[labels], 1, generator=generator).squeeze(1)
        noise = torch.randn(len(labels), self.latent_dim, 1, generator=generator, dtype=self.means.dtype)
        return self.means[labels, chosen] + (self.factors[labels, chosen] @ noise).squeeze(2)

    def class_log_probs(self, z: Tensor) -> Tensor:
        """Return log p(z | c), (…, C) in nats; NaN where a unit never changed, so that there is no density."""
        joint = self._log_joint(z.reshape(-1, self.latent_dim)).reshape(*z.shape[:-1], *self.weights.shape)
        return joint.logsumexp(-1) - 0.5 * self.latent_dim * math.log(2 * math.pi)

    def shares(self, z: Tensor) -> Tensor:
        """Return how probable it is that codes ``z`` (n, latent_dim) come from each class's components, (n, C K)."""
        joint = self._log_joint(z) + self.frequencies.log().repeat_interleave(self.components)
        return joint.softmax(1)

    def _log_joint(self, z: Tensor) -> Tensor:
        """Return log πₖ N(z; μₖ, Lₖ Lₖᵀ) of codes ``z`` (n, latent_dim), but for a constant, (n, C K)."""
        center, shifts, precisions, heights = self._gaussians()
        # A form of second degree, so that all components' are one product of matrices, with each code's d (d + 3) / 2
        # products and numbers; in 64 bits, since a narrow one's are small differences of large numbers.
        one, other = torch.triu_indices(self.latent_dim, self.latent_dim, device=z.device)
        squares = precisions[:, one, other] * torch.where(one == other, -0.5, -1.0)
        linear, heights = torch.cat([squares, shifts], 1), heights[:, None]

        def joint(codes: Tensor) -> Tensor:
            away = codes.double().T - center[:, None]
            return torch.addmm(heights, linear, torch.cat([away[one] * away[other], away]))

        each = [joint(codes) for codes in z.split(max(1, NUMBERS_AT_ONCE // (len(linear) + linear.shape[1])))]
        return torch.cat(each, 1).T.to(z.dtype)

    def _gaussians(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return what a component's log πₖ N(z; μₖ, Σₖ) is made of, where z counts from a center c, in 64 bits.

        These are c (d,), Λₖ (μₖ − c) (C K, d), Λₖ = Σₖ⁻¹ (C K, d, d), and the rest (C K,), but for a constant.
        """
        means, factors = self.means.flatten(0, 1).double(), self.factors.flatten(0, 1).double()
        center, weights = means.mean(0), self.weights.flatten().double()
        inverses = torch.linalg.solve_triangular(factors, torch.eye(self.latent_dim).to(factors), upper=False)
        whitened = inverses @ (means - center)[..., None]
        heights = weights.log() - factors.diagonal(0, -2, -1).log().sum(-1) - 0.5 * whitened.square().sum((1, 2))
        return center, (inverses.mT @ whitened).squeeze(-1), inverses.mT @ inverses, heights

    def slopes_and_curvatures(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return them as the base class does, in closed form, which takes a fraction of the time."""
        center, shifts, precisions, _ = self._gaussians()
        own, away = self.shares(z.double()), z.double() - center
        slopes = (away @ precisions.flatten(0, 1).T).unflatten(1, shifts.shape) - shifts
        weighted = own[..., None] * slopes
        slope, curvature = weighted.sum(1), (own @ precisions.flatten(1)).unflatten(1, precisions.shape[1:])
        curvature = curvature + slope[:, :, None] * slope[:, None] - weighted.mT @ slopes
        return slope.to(z), curvature.to(z)


def _mixture(codes: NDArray[np.float64], rng: np.random.RandomState) -> tuple[NDArray[np.float64], ...]:
    """Return weights (K,), means (K, d) and Cholesky factors (K, d, d) fitted to ``codes`` (n, d)."""
    center, varied = codes.mean(0), np.ptp(codes, 0) > 0
    if not varied.any():
        return np.ones(1), center[None], np.zeros((1, len(center), len(center)))
    spread, most = codes[:, varied].std(0), len(np.unique(codes, axis=0)) // (CODES_A_UNIT * int(varied.sum()))
    z = rng.permutation((codes - center)[:, varied] / spread)
    mixture, smoothing = _choice(z[:LARGEST_SEARCH], most)
    mixture = mixture.fitted(Codes(z), smoothing)
    means = np.tile(center, (len(mixture.weights), 1))
    means[:, varied] += mixture.means * spread
    factors = np.zeros((*means.shape, len(center)))
    factors[np.ix_(range(len(means)), varied, varied)] = np.linalg.cholesky(mixture.covariances) * spread[:, None]
    return mixture.weights, means, factors


def _choice(z: NDArray[np.float64], most: int) -> tuple[Gaussians, float]:
    """Return a mixture of as many components, up to ``most``, as suit standardised codes ``z`` (n, d), and a smoothing.

    Each is fitted from the one before: more components from fewer, less smoothing from more.
    """
    if len(z) < FEWEST_CODES:
        return Gaussians.one(Codes(z), SMOOTHINGS[-1]), SMOOTHINGS[-1]
    held_out, seen = map(Codes, np.split(z, [len(z) // 5]))
    most = max(1, min(most, COMPONENTS))
    mixtures = [Gaussians.one(seen, USUAL_SMOOTHING)]
    for halvings in reversed(range(most.bit_length() - 1)):
        mixture = mixtures[-1]
        while len(mixture.weights) < most >> halvings:
            mixture = mixture.grown(min(most >> halvings, 2 * len(mixture.weights)))
        mixtures.append(mixture.fitted(seen, USUAL_SMOOTHING))
    mixture = usual = max(mixtures, key=lambda mixture: mixture.log_prob(held_out).mean())
    smoothed, best = {}, -math.inf
    for smoothing in reversed(SMOOTHINGS):
        mixture = usual if smoothing == USUAL_SMOOTHING else mixture.fitted(seen, smoothing)
        smoothed[smoothing] = mixture, mixture.log_prob(held_out)
        if (found := smoothed[smoothing][1].mean()) < best:
            break  # with less, it would be of single codes
        best = found
    likeliest = max((scores for _, scores in smoothed.values()), key=np.mean)

    def as_good(smoothing: float) -> bool:
        lost = likeliest - smoothed[smoothing][1]  # of each held-out code, so that what is hard for both does not count
        return bool(lost.mean() <= lost.std() / math.sqrt(len(lost)))

    smoothing = max(filter(as_good, smoothed))
    return smoothed[smoothing][0], smoothing


class PosteriorMixture(Prior):
    """p(z | c) = 1/K Σₖ q(z | xₖ): a mixture of the posteriors of some examples, the aggregate posterior.

    Codes without chance get a kernel around each instead, as wide as foretells every code best from all the others.

    Parameters
    ----------
    classes, latent_dim, components
        As in `Prior`. Buffers: ``weights`` (C, K), ``means`` and ``log_vars`` (C, K, d).
    """

    most_codes = LARGEST_FIT
    weights: Tensor
    means: Tensor
    log_vars: Tensor

    def __init__(self, classes: int, latent_dim: int, components: int) -> None:
        super().__init__(classes, latent_dim, components)
        self.register_buffer("weights", torch.full((classes, components), 1 / components))
        self.register_buffer("means", torch.zeros(classes, components, latent_dim))
        self.register_buffer("log_vars", torch.zeros(classes, components, latent_dim))

    @classmethod
    def of_codes(cls, posterior: Posterior, labels: Tensor, classes: int, seed: int) -> Self:
        """Take at most 1,000 examples of each class, and 20,000 of all, chosen by ``seed``."""
        most = min(MOST_POSTERIORS, max(1, MOST_OF_ALL_CLASSES // classes))
        generator = torch.Generator().manual_seed(seed)
        counts = torch.bincount(labels, minlength=classes)
        prior = cls(classes, posterior.mean.shape[1], min(int(counts.max()), most))
        prior.weights.zero_()
        for c in range(classes):
            rows = (labels == c).nonzero().squeeze(1)
            rows = rows[torch.randperm(len(rows), generator=generator)[:most]]
            codes = posterior.mean[rows]
            prior.weights[c, : len(rows)] = 1 / len(rows)
            prior.means[c, : len(rows)] = codes
            prior.log_vars[c, : len(rows)] = (
                posterior.log_var[rows] if isinstance(posterior, GaussianPosterior) else kernel_log_var(codes)
            )
        return prior

    def draw(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return a code (n, d) of each of the classes ``labels`` (n,)."""
        chosen = torch.multinomial(self.weights[labels], 1, generator=generator).squeeze(1)
        return GaussianPosterior(self.means[labels, chosen], self.log_vars[labels, chosen]).rsample(generator)

    def class_log_probs(self, z: Tensor) -> Tensor:
        """Return log p(z | c), (…, C) in nats."""
        return mixture_log_prob(z, self.means, self.log_vars, self.weights)


def kernel_log_var(codes: Tensor) -> Tensor:
    """Return log σ² (d,) of the Gaussian kernels around ``codes`` (n, d), a multiple of each unit's own spread.

    Scott's rule (1992) is for a single bump; codes have many. From it down to a sixteenth, that multiple is taken under
    which the others make each code likeliest (leave-one-out; Duin 1976).
    """
    n, spread = len(codes), codes.std(0, correction=0)
    varied = codes[:, spread > 0] / spread[spread > 0]
    distances = torch.cdist(varied, varied).double().square().fill_diagonal_(math.inf)
    widths = n ** (-1 / (codes.shape[1] + 4)) * 2.0 ** -torch.arange(0, 4.25, 0.25)
    likelihoods = [
        (-0.5 * distances / width**2).logsumexp(1).mean() - varied.shape[1] * width.log() for width in widths
    ]
    best = widths[int(torch.stack(likelihoods).argmax())]
    log_var: Tensor = (spread * best).square().clamp_min(1e-12).log()
    return log_var


class VampPrior(Prior):
    """p(z) = 1/K Σₖ q(z | uₖ) with pseudo-inputs uₖ that are learned with the nets (Tomczak & Welling 2018).

    Parameters
    ----------
    pseudo_inputs
        The uₖ to start from, (K, features), in scaled units.
    latent_dim
        The codes' size d.
    posterior
        x ↦ q(z | x), the model's own encoder and bottleneck; no part of this module, so that they are stored once.
    """

    def __init__(
        self, pseudo_inputs: Tensor, latent_dim: int, posterior: Callable[[Tensor], GaussianPosterior]
    ) -> None:
        super().__init__(1, latent_dim, len(pseudo_inputs))
        self.pseudo_inputs = nn.Parameter(pseudo_inputs.clone())
        self.posterior = posterior

    def class_log_probs(self, z: Tensor) -> Tensor:
        """Return log p(z), (…, 1) in nats."""
        q = self.posterior(self.pseudo_inputs)
        weights = q.mean.new_full((1, len(q.mean)), 1 / len(q.mean))
        return mixture_log_prob(z, q.mean[None], q.log_var[None], weights)

    @torch.no_grad()
    def frozen(self, posterior: Posterior, labels: Tensor, classes: int) -> PosteriorMixture:
        """Return the mixture that it has come to, without pseudo-inputs.

        Each class weighs the components by how often one of its codes comes from them; a single class weighs them
        alike.
        """
        q = self.posterior(self.pseudo_inputs)
        prior = PosteriorMixture(classes, self.latent_dim, self.components)
        prior.means.copy_(q.mean.expand_as(prior.means))
        prior.log_vars.copy_(q.log_var.expand_as(prior.log_vars))
        prior.count(labels)
        if classes > 1:
            shares = component_log_probs(posterior.mean, q.mean[None], q.log_var[None])[:, 0].softmax(1).float()
            for c in range(classes):
                prior.weights[c] = shares[labels == c].mean(0)
        return prior


def mixture_log_prob(z: Tensor, means: Tensor, log_vars: Tensor, weights: Tensor) -> Tensor:
    """Return log Σₖ wₖ N(z; μₖ, diag σₖ²) of each class, (…, C), of codes ``z`` (…, d); the rest are (C, K[, d])."""
    return (component_log_probs(z, means, log_vars) + weights.log()).logsumexp(-1).to(z.dtype)


def component_log_probs(z: Tensor, means: Tensor, log_vars: Tensor) -> Tensor:
    """Return log N(z; μₖ, diag σₖ²) of each class and component, (…, C, K), in 64 bits."""
    # In 64 bits, since narrow components lose theirs below; and as matrix products, or memory would hold each code as
    # often as there are components: Σ (z − μ)² / σ² = Σ z² / σ² − 2 z μ / σ² + μ² / σ².
    codes, means, log_vars = z.double(), means.double(), log_vars.double()
    precisions = (-log_vars).exp()
    squares = codes.square() @ precisions.flatten(0, 1).T - 2 * codes @ (means * precisions).flatten(0, 1).T
    squares = squares.reshape(*z.shape[:-1], *means.shape[:2]) + (means.square() * precisions).sum(-1)
    return -0.5 * (squares + (log_vars + math.log(2 * math.pi)).sum(-1))
