"""Codes of a batch and their gradients, by hand, of K models side by side.

Where models have codes of different sizes, the units that a smaller one lacks are 0, and so is their gradient, since
all their weights are 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from narrows.models.bottlenecks import Bottleneck, Deterministic, DiagonalGaussian, Noisy
from narrows.models.objectives import EvidenceLowerBound, Reconstruction, own_of
from narrows.training.dense.layers import DERIVED

__all__ = ["Noise", "Plain", "Variational", "code_of"]


class Plain:
    """z = a(h).

    Parameters
    ----------
    activation
        a.
    z
        Where codes go, (K, examples, latent_dim).
    sizes
        Of each model's code.
    """

    def __init__(self, activation: type[nn.Module], z: Tensor, sizes: Sequence[int]) -> None:
        self.activate, self.derive = DERIVED[activation]
        self.z = z
        # A sigmoid would make ½ of 0.
        own = torch.arange(z.shape[2]) < torch.tensor(sizes)[:, None, None]
        self.own = None if own.all() else own.to(z)

    def forward(self, h: Tensor, generators: Sequence[torch.Generator], progress: float) -> Tensor | None:  # noqa: ARG002 - one signature for all
        """Set the codes by the encoder's outputs ``h``, and return the batch's cost, (K,), if they have one."""
        self.h = h
        self.activate(h, out=self.z)
        if self.own is not None:
            self.z.mul_(self.own)
        return None

    @property
    def mean(self) -> Tensor:
        """The codes without noise, (K, examples, latent_dim)."""
        return self.z

    def backward(self, gz: Tensor, by_mean: Tensor | None, scale: Tensor) -> Tensor:  # noqa: ARG002 - one signature for all
        """Return the gradient of h by that of the codes and, where there is one, of their mean.

        ``scale`` is that of what `forward` returned.
        """
        if by_mean is not None:
            gz.add_(by_mean)
        self.derive(gz, self.h, self.z, grad_input=self.h)
        return self.h


class Noise:
    """z = tanh h + σ ε; methods as in `Plain`.

    Parameters
    ----------
    sigma
        σ.
    z, sizes
        As in `Plain`.
    """

    def __init__(self, sigma: float, z: Tensor, sizes: Sequence[int]) -> None:
        self.sigma, self.z, self.sizes = sigma, z, sizes
        self.mean, self.epsilon = z.new_empty(z.shape), z.new_zeros(z.shape)

    def forward(self, h: Tensor, generators: Sequence[torch.Generator], progress: float) -> Tensor | None:  # noqa: ARG002
        """Set the codes."""
        self.h = h
        torch.tanh(h, out=self.mean)
        _draw(self.epsilon, self.sizes, generators)
        torch.add(self.mean, self.epsilon, alpha=self.sigma, out=self.z)
        return None

    def backward(self, gz: Tensor, by_mean: Tensor | None, scale: Tensor) -> Tensor:  # noqa: ARG002
        """Return the gradient of h."""
        if by_mean is not None:
            gz.add_(by_mean)
        DERIVED[nn.Tanh][1](gz, self.h, self.mean, grad_input=self.h)
        return self.h


class Variational:
    """z = μ + σ ε with (μ, log σ²) = h, at β KL(q ‖ N(0, 1)); methods as in `Plain`.

    Parameters
    ----------
    objective
        Of the models.
    z, sizes
        As in `Plain`.
    """

    def __init__(self, objective: EvidenceLowerBound, z: Tensor, sizes: Sequence[int]) -> None:
        self.objective, self.z, self.sizes = objective, z, sizes
        self.epsilon = z.new_zeros(z.shape)

    def forward(self, h: Tensor, generators: Sequence[torch.Generator], progress: float) -> Tensor | None:
        """Set the codes, and return β times their divergence."""
        self.h, (self.mean, raw) = h, h.chunk(2, 2)
        self.log_var = raw.clamp(-20, 20)
        self.inside = raw == self.log_var
        self.var = self.log_var.exp()
        self.noise = _draw(self.epsilon, self.sizes, generators) * self.var.sqrt()
        torch.add(self.mean, self.noise, out=self.z)
        self.beta = self.objective.beta_at(progress)
        return 0.5 * self.beta * (self.mean.square() + self.var - 1 - self.log_var).sum((1, 2))

    def backward(self, gz: Tensor, by_mean: Tensor | None, scale: Tensor) -> Tensor:
        """Return the gradient of h."""
        weight = self.beta * scale
        by_log_var = 0.5 * (gz * self.noise + weight * (self.var - 1)) * self.inside
        if by_mean is not None:
            gz.add_(by_mean)
        return torch.cat([gz + weight * self.mean, by_log_var], 2, out=self.h)


def _draw(epsilon: Tensor, sizes: Sequence[int], generators: Sequence[torch.Generator]) -> Tensor:
    """Fill ``epsilon`` (K, examples, latent_dim) with each model's own standard normal noise."""
    for number, (size, generator) in enumerate(zip(sizes, generators, strict=True)):
        noise = torch.randn(epsilon.shape[1], size, generator=generator, dtype=epsilon.dtype, device=epsilon.device)
        epsilon[number, :, :size] = noise
    return epsilon


def code_of(bottleneck: Bottleneck, objective: object) -> partial[Plain | Noise | Variational] | None:
    """Return what makes the codes of such a model, (z, sizes) ↦ its forward and backward; None where nothing here can.

    Parameters
    ----------
    bottleneck, objective
        Of the models.
    """
    code: partial[Any] | None = None
    match bottleneck, own_of(objective):
        case Deterministic(activation=activation), Reconstruction() if type(activation) in DERIVED:
            code = partial(Plain, type(activation))
        case Noisy(log_var=log_var), Reconstruction():
            code = partial(Noise, math.exp(0.5 * log_var))
        case DiagonalGaussian(), EvidenceLowerBound(free_bits=0) as bound:
            code = partial(Variational, bound)
    return code
