"""Objectives: how the parts are trained together, in nats per example.

Each is a frozen set of weights that is called with (model, batch, generator, progress) and returns the loss of each
example, (n,): ``batch`` holds scaled inputs, clean and, of pairs, noisy; ``generator`` is the only source of chance,
and ``progress`` is the fraction of the training done, in [0, 1]. A penalty that belongs to the whole batch is added to
every example's loss.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from narrows.models.bottlenecks import GaussianPosterior, Point, VectorQuantiser
from narrows.models.model import Batch, BottleneckModel
from narrows.models.neighbours import Divergence, scale_at
from narrows.models.priors.base import StandardNormal

__all__ = [
    "Contractive",
    "EvidenceLowerBound",
    "ImportanceWeighted",
    "Neighbours",
    "Quantisation",
    "Reconstruction",
    "Regularised",
    "Sparse",
    "Wasserstein",
    "own_of",
    "with_beta",
]


def _passed(
    model: BottleneckModel, batch: Batch, generator: torch.Generator, progress: float
) -> tuple[Point | GaussianPosterior, Tensor, Tensor]:
    """Return q(z | x̃) of the corrupted inputs, a code drawn from it, and the loss of giving back the clean ones."""
    seen = model.corrupted(batch, generator, progress)
    q = model.posterior(seen, batch.context)
    z = q.rsample(generator)
    return q, z, model.likelihood.loss(model.shown(batch.x, seen), model.output(z, batch.context))


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """How badly the code of a corrupted x̃ gives back the clean x.

    Hinton & Salakhutdinov 2006 without a corruption, Vincent et al. 2008 with one; with noise in the code if the
    bottleneck draws it (the lecture, “Úvod do generativních modelů”, L24).
    """

    def __call__(self, model: BottleneckModel, batch: Batch, generator: torch.Generator, progress: float) -> Tensor:
        """Return the loss (n,)."""
        return _passed(model, batch, generator, progress)[2]


@dataclass(frozen=True, slots=True)
class Sparse:
    """Reconstruction + weight · Σⱼ KL(ρ ‖ ρ̂ⱼ): units in [0, 1] that are seldom on (Ng 2011; Lee et al. 2008).

    Attributes
    ----------
    sparsity
        ρ, the mean activation that each unit should have; ρ̂ⱼ is the one it has in the batch.
    weight
        In nats per nat.
    """

    sparsity: float
    weight: float

    def __call__(self, model: BottleneckModel, batch: Batch, generator: torch.Generator, progress: float) -> Tensor:
        """Return the loss (n,)."""
        _, z, loss = _passed(model, batch, generator, progress)
        on, rho = z.mean(0).clamp(1e-6, 1 - 1e-6), self.sparsity
        kl = rho * (rho / on).log() + (1 - rho) * ((1 - rho) / (1 - on)).log()
        return loss + self.weight * kl.sum()


@dataclass(frozen=True, slots=True)
class Contractive:
    """Reconstruction + weight · ‖∂z/∂x‖²: codes that small changes of the input hardly move (Rifai et al. 2011).

    The squared Frobenius norm of the Jacobian J is E ‖Jᵀv‖² over random signs v (Hutchinson 1989), so that one backward
    pass does for any number of units and layers.

    Attributes
    ----------
    weight
        In nats per squared unit of the code and of scaled input.
    """

    weight: float

    def __call__(self, model: BottleneckModel, batch: Batch, generator: torch.Generator, progress: float) -> Tensor:
        """Return the loss (n,)."""
        with torch.enable_grad():
            x = model.coded(model.corrupted(batch, generator, progress)).detach().requires_grad_()
            z = model.posterior_of_coded(x, batch.context).mean
            signs = torch.randint(2, z.shape, generator=generator, device=z.device).to(z) * 2 - 1
            (gradient,) = torch.autograd.grad((z * signs).sum(), x, create_graph=True)
        loss = model.likelihood.loss(batch.x, model.output(z, batch.context))
        return loss + self.weight * gradient.square().sum(1)


@dataclass(frozen=True, slots=True)
class Regularised:
    """Reconstruction + code_weight · ½ ‖z‖² + decoder_weight · ‖θ‖² (RAE-L2, Ghosh et al. 2020).

    Attributes
    ----------
    code_weight, decoder_weight
        Of the code's size, and of the decoder's weights θ.
    """

    code_weight: float
    decoder_weight: float

    def __call__(self, model: BottleneckModel, batch: Batch, generator: torch.Generator, progress: float) -> Tensor:
        """Return the loss (n,)."""
        _, z, loss = _passed(model, batch, generator, progress)
        size = sum(weight.square().sum() for weight in model.decoder.parameters())
        return loss + self.code_weight * 0.5 * z.square().sum(1) + self.decoder_weight * size


@dataclass(frozen=True, slots=True)
class Wasserstein:
    """Reconstruction + weight · MMD²(codes, prior): the Wasserstein autoencoder (Tolstikhin et al. 2018).

    The kernel is the sum of inverse multiquadrics s·2d / (s·2d + ‖a − b‖²) at seven scales s, as in that paper's code,
    and the estimate is the unbiased one.

    Attributes
    ----------
    weight
        λ, in nats.
    """

    weight: float

    def __call__(self, model: BottleneckModel, batch: Batch, generator: torch.Generator, progress: float) -> Tensor:
        """Return the loss (n,)."""
        _, z, loss = _passed(model, batch, generator, progress)
        drawn = torch.randn(z.shape, generator=generator, dtype=z.dtype, device=z.device)
        return loss + self.weight * squared_mmd(z, drawn)


def squared_mmd(a: Tensor, b: Tensor) -> Tensor:
    """Return the unbiased estimate of the squared maximum mean discrepancy of ``a`` and ``b``, each (n, d), n ≥ 2.

    With one example there is nothing to compare, and it is 0.
    """
    n = len(a)
    if n < 2:
        return a.new_zeros(())
    both = torch.cat([a, b])
    norms = both.square().sum(1)
    distances = (norms[:, None] + norms - 2 * both @ both.T).clamp_min(0)
    kernel = torch.zeros_like(distances)
    for scale in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0):
        constant = 2 * a.shape[1] * scale
        kernel = kernel + constant / (constant + distances)
    within = sum(block.sum() - block.trace() for block in (kernel[:n, :n], kernel[n:, n:])) / (n * (n - 1))
    return within - 2 * kernel[:n, n:].mean()


@dataclass(frozen=True, slots=True)
class Quantisation:
    """Reconstruction + commitment · ‖h − z‖², while the codebook follows the encoder (van den Oord et al. 2017).

    Attributes
    ----------
    commitment
        How strongly the encoder is held to the codes it is quantised to.
    """

    commitment: float

    def __call__(self, model: BottleneckModel, batch: Batch, generator: torch.Generator, progress: float) -> Tensor:
        """Return the loss (n,)."""
        q, z, loss = _passed(model, batch, generator, progress)
        assert isinstance(q, Point)
        if torch.is_grad_enabled() and isinstance(model.bottleneck, VectorQuantiser):
            model.bottleneck.follow(q.before, generator)
        return loss + self.commitment * (q.before - z.detach()).square().sum(1)


@dataclass(frozen=True, slots=True)
class EvidenceLowerBound:
    """−E[log p(x | z)] + β KL(q(z | x) ‖ p(z)) (Kingma & Welling 2014; β: Higgins et al. 2017).

    Attributes
    ----------
    beta
        β; at 1 the loss is a bound on −log p(x).
    warm_up
        The fraction of the training over which β rises from 0 (Sønderby et al. 2016), in [0, 1].
    free_bits
        Nats of KL divergence that each unit may have on average without being charged (Kingma et al. 2016).
    """

    beta: float = 1.0
    warm_up: float = 0.0
    free_bits: float = 0.0

    def __call__(self, model: BottleneckModel, batch: Batch, generator: torch.Generator, progress: float) -> Tensor:
        """Return the loss (n,)."""
        q, z, loss = _passed(model, batch, generator, progress)
        assert isinstance(q, GaussianPosterior)
        beta = self.beta_at(progress)
        if not isinstance(model.prior, StandardNormal):
            return loss + beta * (q.log_prob(z) - model.prior.log_prob(z))
        kl = q.kl()
        if self.free_bits:
            kl = kl.mean(0, keepdim=True).clamp_min(self.free_bits)
        return loss + beta * kl.sum(1)

    def beta_at(self, progress: float) -> float:
        """Return β at this fraction of the training, in [0, 1]."""
        return self.beta * min(1.0, progress / self.warm_up) if self.warm_up else self.beta


@dataclass(frozen=True, slots=True)
class ImportanceWeighted:
    """−log 1/k Σᵢ p(x, zᵢ) / q(zᵢ | x), a tighter bound on −log p(x) (Burda et al. 2016).

    Attributes
    ----------
    k
        Codes drawn for each example; with one it is the evidence lower bound.
    """

    k: int

    def __call__(self, model: BottleneckModel, batch: Batch, generator: torch.Generator, progress: float) -> Tensor:
        """Return the loss (n,)."""
        seen = model.corrupted(batch, generator, progress)
        q = model.posterior(seen, batch.context)
        assert isinstance(q, GaussianPosterior)
        z = q.rsample(generator, self.k)
        loss = model.likelihood.loss(model.shown(batch.x, seen), model.output(z, batch.context))
        weights = model.prior.log_prob(z) - q.log_prob(z) - loss
        return math.log(self.k) - weights.logsumexp(0)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Another objective + weight · KL(P ‖ Q): codes keep neighbours (parametric t-SNE, van der Maaten 2009).

    `narrows.models.neighbours` says what P and Q are. The code is the mean of q(z | x̃) that the other objective has
    come to, so that near a training example the code is steady, too.

    Attributes
    ----------
    own
        The other objective.
    weight
        In nats per nat.
    """

    own: Callable[[BottleneckModel, Batch, torch.Generator, float], Tensor]
    weight: float

    def __call__(self, model: BottleneckModel, batch: Batch, generator: torch.Generator, progress: float) -> Tensor:
        """Return the loss (n,)."""
        posteriors: list[Point | GaussianPosterior] = []
        hook = model.bottleneck.register_forward_hook(lambda _, __, q: posteriors.append(q))
        try:
            loss = self.own(model, batch, generator, progress)
        finally:
            hook.remove()
        kl: Tensor = Divergence.apply(model.coded(batch.x), posteriors[0].mean, scale_at(progress))  # type: ignore[no-untyped-call]
        return loss + self.weight * kl


def own_of(objective: Any) -> Any:
    """Return ``objective`` without what it says of neighbours."""
    return objective.own if isinstance(objective, Neighbours) else objective


def with_beta(objective: object, beta: float) -> EvidenceLowerBound | Neighbours:
    """Return ``objective`` with another β.

    Raises
    ------
    TypeError
        If it has none.
    ValueError
        If β is below 0 or not a number.
    """
    if isinstance(objective, Neighbours):
        return replace(objective, own=with_beta(objective.own, beta))
    if not isinstance(objective, EvidenceLowerBound):
        raise TypeError(f"beta={beta} is for a VAE's objective; {type(objective).__name__} has no β")
    if not 0 <= beta < math.inf:
        raise ValueError(f"beta={beta} must be a number ≥ 0")
    return replace(objective, beta=beta)
