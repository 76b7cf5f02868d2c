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

__all__ = ["Noise", "Plain", "Variational", "activation_of", "code_of"]

Coded = tuple[Tensor, Tensor | None]


class Plain:
    """z = h, what the encoder comes to.

    Parameters
    ----------
    activation
        What makes h.
    z
        Where codes can go, (K, examples, latent_dim).
    sizes
        Of each model's code.

    Attributes
    ----------
    mean
        The codes without noise, (K, examples, latent_dim).
    own
        Which units each model has, as 1 and 0, where those that it lacks are not 0 by themselves; else None.
    """

    def __init__(self, activation: type[nn.Module], z: Tensor, sizes: Sequence[int]) -> None:
        self.mean = z
        own = torch.arange(z.shape[2]) < torch.tensor(sizes)[:, None, None]
        # A sigmoid alone has not made 0 of 0, but ½.
        self.own = None if activation is not nn.Sigmoid or own.all() else own.to(z)

    def forward(self, h: Tensor, generators: Sequence[torch.Generator], progress: float) -> Coded:  # noqa: ARG002 - one signature for all
        """Return the codes by the encoder's outputs ``h``, and the batch's cost, (K,), if they have one."""
        self.mean = h if self.own is None else h.mul_(self.own)
        return h, None

    def backward(self, gz: Tensor, by_mean: Tensor | None, scale: Tensor) -> Tensor:  # noqa: ARG002 - one signature for all
        """Return the gradient of h by that of the codes and, where there is one, of their mean.

        ``scale`` is that of what `forward` returned.
        """
        return gz if by_mean is None else gz.add_(by_mean)


class Noise:
    """z = h + σ ε; methods and attributes as in `Plain`.

    Parameters
    ----------
    sigma
        σ.
    z, sizes
        As in `Plain`.
    """

    def __init__(self, sigma: float, z: Tensor, sizes: Sequence[int]) -> None:
        self.sigma, self.z, self.sizes = sigma, z, sizes
        self.mean, self.epsilon = z, z.new_zeros(z.shape)

    def forward(self, h: Tensor, generators: Sequence[torch.Generator], progress: float) -> Coded:  # noqa: ARG002
        """Return the codes, and no cost."""
        self.mean = h
        _draw(self.epsilon, self.sizes, generators)
        return torch.add(h, self.epsilon, alpha=self.sigma, out=self.z), None

    def backward(self, gz: Tensor, by_mean: Tensor | None, scale: Tensor) -> Tensor:  # noqa: ARG002
        """Return the gradient of h."""
        return gz if by_mean is None else gz.add_(by_mean)


class Variational:
    """z = μ + σ ε with (μ, log σ²) = h, at β KL(q ‖ N(0, 1)); methods and attributes as in `Plain`.

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

    def forward(self, h: Tensor, generators: Sequence[torch.Generator], progress: float) -> Coded:
        """Return the codes, and β times their divergence."""
        self.h, (self.mean, raw) = h, h.chunk(2, 2)
        self.log_var = raw.clamp(-20, 20)
        self.inside = raw == self.log_var
        self.var = self.log_var.exp()
        self.noise = _draw(self.epsilon, self.sizes, generators) * self.var.sqrt()
        torch.add(self.mean, self.noise, out=self.z)
        self.beta = self.objective.beta_at(progress)
        return self.z, 0.5 * self.beta * (self.mean.square() + self.var - 1 - self.log_var).sum((1, 2))

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


def activation_of(bottleneck: Bottleneck) -> type[nn.Module]:
    """Return what stands between the encoder's last layer and the h of a `code_of`."""
    match bottleneck:
        case Deterministic(activation=activation):
            return type(activation)
        case Noisy():
            return nn.Tanh
    return nn.Identity
