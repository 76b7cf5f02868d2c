"""What all priors have in common, and the simplest: the standard normal distribution."""

from __future__ import annotations

import math
from typing import ClassVar, Self

import torch
from torch import Tensor, nn
from torch.func import grad, jacrev, vmap

from narrows.models.bottlenecks import GaussianPosterior, Point

__all__ = ["Posterior", "Prior", "StandardNormal"]

Posterior = Point | GaussianPosterior
"""What codes are drawn from."""


class Prior(nn.Module):
    """What all have: classes, which are one where nothing is known of any, and how frequent each is.

    Parameters
    ----------
    classes
        C.
    latent_dim
        The codes' size d.
    components
        K a class, for those that are mixtures. Buffer: ``frequencies`` (C,).

    Attributes
    ----------
    has_density
        Whether it knows log p(z), or only draws.
    needs_codes
        Whether the codes change it.
    most_codes
        Of a class, that it looks at; None if at all.
    """

    has_density: ClassVar[bool] = True
    needs_codes: ClassVar[bool] = True
    most_codes: ClassVar[int | None] = None
    frequencies: Tensor

    def __init__(self, classes: int, latent_dim: int, components: int) -> None:
        super().__init__()
        self.latent_dim, self.components = latent_dim, components
        self.register_buffer("frequencies", torch.full((classes,), 1 / classes))

    @classmethod
    def fit(cls, posterior: Posterior, labels: Tensor, classes: int, seed: int) -> Self:
        """Return the prior of the codes that ``posterior`` (n of them) draws, whose classes are ``labels`` (n,)."""
        prior = cls.of_codes(posterior, labels, classes, seed)
        prior.count(labels)
        return prior

    @classmethod
    def of_codes(cls, posterior: Posterior, labels: Tensor, classes: int, seed: int) -> Self:
        """Return p(z | c), fitted as `fit` says, before the classes are counted."""
        raise NotImplementedError

    def count(self, labels: Tensor) -> None:
        """Set the classes' frequencies to those among ``labels`` (n,)."""
        self.frequencies.copy_(torch.bincount(labels, minlength=len(self.frequencies)) / len(labels))

    def sample(self, n: int, generator: torch.Generator, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return codes (n, d), and their classes: ``labels`` (n,) if given, or else drawn by frequency."""
        if labels is None:
            labels = torch.multinomial(self.frequencies, n, replacement=True, generator=generator)
        return self.draw(labels, generator), labels

    def draw(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return a code (n, d) of each of the classes ``labels`` (n,)."""
        raise NotImplementedError

    def class_log_probs(self, z: Tensor) -> Tensor:
        """Return log p(z | c), (…, C) in nats, of codes ``z`` (…, d).

        Raises
        ------
        ValueError
            If this prior only draws, and knows no density.
        """
        raise NotImplementedError

    def log_prob(self, z: Tensor) -> Tensor:
        """Return log p(z) = log Σ_c p(c) p(z | c), (…) in nats, of codes ``z`` (…, d)."""
        return (self.class_log_probs(z) + self.frequencies.log()).logsumexp(-1)

    def slopes_and_curvatures(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradients (n, d) and Hessians (n, d, d) of −log p(z) at codes ``z`` (n, d)."""

        def cost(code: Tensor) -> Tensor:
            return -self.log_prob(code)

        return vmap(grad(cost))(z), vmap(jacrev(grad(cost)))(z)


class StandardNormal(Prior):
    """p(z) = N(z; 0, I), for every class (Kingma & Welling 2014)."""

    needs_codes = False

    @classmethod
    def of_codes(cls, posterior: Posterior, labels: Tensor, classes: int, seed: int) -> Self:  # noqa: ARG003 - as in the others
        """Return it: the codes don't change it."""
        return cls(classes, posterior.mean.shape[1], 1)

    def draw(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return standard normal codes (n, d)."""
        return torch.randn(len(labels), self.latent_dim, generator=generator)

    def class_log_probs(self, z: Tensor) -> Tensor:
        """Return log N(z; 0, I), the same for each class."""
        log_prob = -0.5 * (z.square() + math.log(2 * math.pi)).sum(-1, keepdim=True)
        return log_prob.expand(*z.shape[:-1], len(self.frequencies))
