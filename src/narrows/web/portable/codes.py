"""A model's bottleneck and prior as a page needs them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narrows.models.bottlenecks import (
    Bottleneck,
    Deterministic,
    DiagonalGaussian,
    FiniteScalar,
    Noisy,
    VectorQuantiser,
)
from narrows.models.priors.base import Prior, StandardNormal
from narrows.models.priors.mixtures import GaussianMixture, PosteriorMixture
from narrows.web.portable.nets import activation_of

__all__ = ["PortableBottleneck", "PortablePrior", "bottleneck_of", "prior_of"]

CODES = 2000
"""Of a prior that a page cannot draw from."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PortableBottleneck:
    """A bottleneck: ``kind``, and of each kind what it needs.

    ``"deterministic"`` has an ``activation``, ``"noisy"`` a ``sigma``, ``"gaussian"`` nothing, ``"finite-scalar"``
    so many ``levels`` of each number, and ``"vector"`` a ``codebook`` (K, numbers in a vector).
    """

    kind: str
    activation: str = "identity"
    sigma: float = 0.0
    levels: int = 0
    codebook: Floats | None = None


@dataclass(frozen=True, slots=True)
class Normal:
    """N(0, I), whatever the class."""

    frequencies: list[float]
    kind: str = "normal"


@dataclass(frozen=True, slots=True)
class Mixture:
    """Mixtures of Gaussians, one a class.

    Attributes
    ----------
    frequencies
        (classes,) how frequent each is.
    starts
        (classes + 1,) where the components of each begin and end.
    weights, means
        (K,) and (K, latent_dim) of all components.
    factors
        (K, latent_dim (latent_dim + 1) / 2), the rows of the lower triangles Lₖ, one after another, or None.
    deviations
        (K, latent_dim), of components whose axes are the units, or None.
    """

    frequencies: list[float]
    starts: list[int]
    weights: Floats
    means: Floats
    factors: Floats | None
    deviations: Floats | None
    kind: str = "mixture"


@dataclass(frozen=True, slots=True)
class Codes:
    """Some codes (n, latent_dim) of a prior that a page cannot draw from, by class, as in `Mixture`."""

    frequencies: list[float]
    starts: list[int]
    codes: Floats
    kind: str = "codes"


PortablePrior = Normal | Mixture | Codes


def bottleneck_of(bottleneck: Bottleneck) -> PortableBottleneck:
    """Return a bottleneck for a page."""
    if isinstance(bottleneck, Deterministic):
        return PortableBottleneck("deterministic", activation=activation_of(bottleneck.activation))
    if isinstance(bottleneck, Noisy):
        return PortableBottleneck("noisy", sigma=math.exp(bottleneck.log_var / 2))
    if isinstance(bottleneck, FiniteScalar):
        return PortableBottleneck("finite-scalar", levels=bottleneck.levels)
    if isinstance(bottleneck, VectorQuantiser):
        return PortableBottleneck("vector", codebook=bottleneck.codebook.numpy())
    assert isinstance(bottleneck, DiagonalGaussian)
    return PortableBottleneck("gaussian")


@torch.no_grad()
def prior_of(prior: Prior) -> PortablePrior:
    """Return a prior for a page; of one that is a net, `CODES` codes."""
    frequencies = prior.frequencies.double().tolist()
    if isinstance(prior, StandardNormal):
        return Normal(frequencies)
    if isinstance(prior, GaussianMixture):
        i, j = torch.tril_indices(prior.latent_dim, prior.latent_dim)
        return _mixture(prior, frequencies, factors=prior.factors[..., i, j])
    if isinstance(prior, PosteriorMixture):
        return _mixture(prior, frequencies, deviations=(0.5 * prior.log_vars).exp())
    drawn, labels = prior.sample(CODES, torch.Generator().manual_seed(0))
    order = labels.argsort(stable=True)
    starts = [0, *torch.bincount(labels, minlength=len(frequencies)).cumsum(0).tolist()]
    return Codes(frequencies, starts, drawn[order].numpy())


def _mixture(
    prior: GaussianMixture | PosteriorMixture,
    frequencies: list[float],
    factors: Tensor | None = None,
    deviations: Tensor | None = None,
) -> Mixture:
    there = prior.weights > 0
    return Mixture(
        frequencies,
        [0, *there.sum(1).cumsum(0).tolist()],
        prior.weights[there].numpy(),
        prior.means[there].numpy(),
        None if factors is None else factors[there].numpy(),
        None if deviations is None else deviations[there].numpy(),
    )
