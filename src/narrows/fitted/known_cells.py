"""Codes of rows of which some cells are known: where p(z | known cells) is, codes from there, and their weights."""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import gammaincinv
from torch import Tensor

from narrows.models.bottlenecks import Quantiser
from narrows.models.model import Batch, BottleneckModel

__all__ = ["codes_of", "log_known", "standard_noise", "weighted_codes"]

FEWEST_CODES, MOST_CODES, FROM_PRIOR = 16, 64, 64
"""Of each row, around its mode, whose weighted mean is what a gap is filled with: two for each of their numbers, within
these bounds; and how many codes come from the prior, where they do."""

CODES_AT_ONCE = 2048
"""Through the decoder, so that what its layers make of them stays near the processor."""

NEWTON_STEPS, ENOUGH, FIRST_DAMPING, LEAST_CURVATURE = 12, 1e-1, 1e-2, 1e-2
"""How the code of a row's known cells is sought, until a step gains less nats than are enough; the least curvature is
that of a Gaussian of deviation 10."""


def codes_of(d: int) -> int:
    """Return how many codes of ``d`` numbers a row has around its mode."""
    return max(FEWEST_CODES, min(2 * d, MOST_CODES))


def weighted_codes(model: BottleneckModel, batch: Batch, own: Tensor, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return codes of each row, (k, n, d), what the decoder makes of them, (k, n, …), and their weights, (k, n).

    Weights are by the known cells, and sum to 1. Codes come from the Gaussian that p(z | known cells) looks like at its
    mode (Laplace's approximation), and weigh p(known cells, z) by its density. Codes that have only so many values, or
    a prior without a density, come from the prior, and weigh p(known cells | z); the encoder's ``own`` is among them.
    Chance, from ``seed``, is the same for all rows, so that none depends on those that it comes with.
    """
    generator = torch.Generator().manual_seed(seed)
    known = model.prior.has_density and model.prior.log_prob(own[:1]).isfinite().all()  # not with dead units
    if isinstance(model.bottleneck, Quantiser) or not known:
        drawn = model.prior.sample(FROM_PRIOR, generator)[0][:, None].expand(FROM_PRIOR, *own.shape)
        z = model.bottleneck.snap(torch.cat([own[None], drawn]))
        h, log_weights = _decoded(model, batch, z)
    else:
        epsilon = standard_noise(own.shape[1], generator)
        mode, roots = _laplace(model, batch, own)
        z = mode + torch.einsum("nij,kj->kni", roots, epsilon)
        h, log_p = _decoded(model, batch, z)
        log_density = -0.5 * epsilon.double().square().sum(1)  # but for what all codes of a row have in common
        log_weights = log_p + model.prior.log_prob(z).double() - log_density[:, None]
    return z, h, log_weights.softmax(0).float()


def standard_noise(d: int, generator: torch.Generator) -> Tensor:
    """Return standard normal numbers (k, d) that fill the space more evenly than independent ones.

    Of directions at right angles to each other (Yu et al., “Orthogonal random features”, 2016), d at least, each comes
    with its opposite, so that a mean is free of chance in all that is linear (Hammersley & Morton 1956), and the
    lengths are quantiles of theirs, with the mean square d.
    """
    pairs = codes_of(d) // 2
    directions = torch.linalg.qr(torch.randn(-(-pairs // d), d, d, generator=generator))[0].flatten(0, 1)[:pairs]
    shares = (torch.randperm(pairs, generator=generator) + 0.5) / pairs
    squares = gammaincinv(d / 2, shares.double().numpy())
    lengths = torch.from_numpy(np.sqrt(squares * (d / squares.mean()))).float()
    epsilon = directions * lengths[:, None]
    return torch.cat([epsilon, -epsilon])


def _decoded(model: BottleneckModel, batch: Batch, z: Tensor) -> tuple[Tensor, Tensor]:
    """Return what the decoder makes of codes ``z`` (k, n, d), (k, n, …), and log p(known cells | z), (k, n)."""
    each = [model.output(some, batch.context) for some in z.split(max(1, CODES_AT_ONCE // len(batch.x)))]
    return torch.cat(each), torch.cat([log_known(model, batch.x, h) for h in each])


def log_known(model: BottleneckModel, x: Tensor, h: Tensor) -> Tensor:
    """Return log p of those of cells ``x`` (n, columns) that are known, (…, n), in 64 bits, at outputs ``h``."""
    # In 64 bits, since far from the training data a square may be beyond 32.
    terms = model.likelihood.log_terms(x.double().nan_to_num(0.0), h)
    return terms.masked_fill(x.isnan(), 0.0).double().sum(-1)


def _laplace(model: BottleneckModel, batch: Batch, z: Tensor) -> tuple[Tensor, Tensor]:
    """Return the modes of p(z | known cells), (n, d), and roots (n, d, d) of a little more than the covariances there.

    A mode is sought from ``z`` (n, d) by Newton's steps, damped where they do not lower −log p (Levenberg 1944,
    Marquardt 1963).
    """
    z, now, damping = z.clone(), _cost(model, batch, z), torch.full((len(z), 1), FIRST_DAMPING)
    values, axes = torch.ones_like(z), torch.zeros(*z.shape, z.shape[1])
    going = torch.arange(len(z))
    for _ in range(NEWTON_STEPS):
        own, at = batch.take(going), z[going]
        slopes, curvatures = _slopes_and_curvatures(model, own, at)
        values[going], axes[going] = torch.linalg.eigh(curvatures)
        along = (axes[going].mT @ slopes[..., None]).squeeze(-1)
        along = along / (values[going].abs().clamp_min(LEAST_CURVATURE) + damping[going])
        moved = at - (axes[going] @ along[..., None]).squeeze(-1)
        gain = now[going] - _cost(model, own, moved)
        better = gain > 0
        z[going[better]] = moved[better]
        now[going] -= torch.where(better, gain, 0.0)
        damping[going] = torch.where(better[:, None], damping[going] / 5, damping[going] * 8)
        going = going[~better | (gain > ENOUGH)]
        if not len(going):
            break
    # Wider than the Gaussian at the mode, so that a density with longer tails is not missed; by less in more
    # dimensions, since each costs some of the weights.
    values = values.clamp_min(LEAST_CURVATURE) / (1 + z.shape[1] ** -0.5)
    # The symmetric ones, since an eigenvector's sign hangs on rounding, and so would a row's codes on its company.
    return z, axes * values.rsqrt()[:, None, :] @ axes.mT


def _cost(model: BottleneckModel, batch: Batch, z: Tensor) -> Tensor:
    """Return −log p(known cells, z) of a code ``z`` (n, d) each, (n,)."""
    return -log_known(model, batch.x, model.output(z, batch.context)) - model.prior.log_prob(z).double()


def _slopes_and_curvatures(model: BottleneckModel, batch: Batch, z: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients (n, d) and Hessians (n, d, d) of `_cost` at ``z`` (n, d), but for the decoder's curvature.

    Without it that of the known cells is Jᵀ H J, with H by the decoder's outputs (Schraudolph 2002).
    """
    h, changes = model.output_with_changes(z, batch.context)
    slopes, curvatures = model.prior.slopes_and_curvatures(z)
    others = model.likelihood.slopes_and_curvatures(batch.x.double(), h.double(), changes)
    return slopes + others[0], curvatures + others[1]
