"""Losses of a batch and their gradients, by hand, of K models side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from narrows.models.likelihoods import (
    Bernoulli,
    ContinuousBernoulli,
    Gaussian,
    Laplace,
    Likelihood,
    Located,
    SquaredError,
)

__all__ = ["LOSSES", "Errors", "Features", "Loss", "link_of"]


class Errors:
    """Where ∂E/∂g(h) of K models goes.

    Parameters
    ----------
    like
        A tensor of the same shape, (K, examples, features).

    Attributes
    ----------
    g
        The gradient, (K, examples, features).
    """

    def __init__(self, like: Tensor) -> None:
        self.g = torch.empty_like(like)
        self.rows, self.total = self.g.view(len(like), 1, -1), like.new_empty(len(like), 1, 1)
        self.columns, self.squared = self.rows.transpose(1, 2), self.total.view(-1)

    def half_squares(self) -> Tensor:
        """Return ½ ‖g‖² of each model, (K,), until the next call."""
        torch.baddbmm(self.total, self.rows, self.columns, beta=0, alpha=0.5, out=self.total)
        return self.squared


Loss = Callable[[Tensor, Tensor, Tensor, Errors], tuple[Tensor, Tensor]]
"""(x, g(h), log of the scale, where ∂E/∂g(h) goes) ↦ E and its derivative by that logarithm, both (K,).

E is −log p(x | z), or the lecture's ½ ‖x − g(h)‖², summed over a batch (K, examples, features).
"""


def _squared_error(x: Tensor, mean: Tensor, _: Tensor, errors: Errors) -> tuple[Tensor, Tensor]:
    torch.sub(mean, x, out=errors.g)
    loss = errors.half_squares()
    return loss, loss


def _gaussian(x: Tensor, mean: Tensor, log_sigma: Tensor, errors: Errors) -> tuple[Tensor, Tensor]:
    torch.sub(mean, x, out=errors.g)
    precision, count = (-2 * log_sigma).exp(), x[0].numel()
    distances = precision * errors.half_squares()
    errors.g.mul_(precision[:, None, None])
    return distances + count * (log_sigma + 0.5 * math.log(2 * math.pi)), count - 2 * distances


def _laplace(x: Tensor, mean: Tensor, log_b: Tensor, errors: Errors) -> tuple[Tensor, Tensor]:
    g = torch.sub(mean, x, out=errors.g)
    precision, count = (-log_b).exp(), x[0].numel()
    distances = precision * g.abs().sum((1, 2))
    g.sign_().mul_(precision[:, None, None])
    return distances + count * (log_b + math.log(2)), count - distances


def _exponential(likelihood: Likelihood) -> Loss:
    """A family with natural parameter h: the derivative is its mean less x."""

    def loss(x: Tensor, h: Tensor, _: Tensor, errors: Errors) -> tuple[Tensor, Tensor]:
        torch.sub(likelihood.mean(h), x, out=errors.g)
        total = likelihood.loss(x, h).sum(-1)
        return total, total

    return loss


LOSSES: dict[type[Likelihood], Loss] = {
    SquaredError: _squared_error,
    Gaussian: _gaussian,
    Laplace: _laplace,
    Bernoulli: _exponential(Bernoulli()),
    ContinuousBernoulli: _exponential(ContinuousBernoulli()),
}


def link_of(likelihood: Likelihood) -> type[nn.Module]:
    """Return the function from the decoder's output to the mean that its `Loss` takes."""
    return type(likelihood.link) if isinstance(likelihood, Located) else nn.Identity


class Features:
    """E and ∂E/∂h of inputs whose features have one likelihood.

    Parameters
    ----------
    likelihoods
        Of the K models, all of one kind.
    values, gradients
        Of the logarithms of their scales, (K,), where they learn them.
    h
        The decoder's outputs, (K, examples, features), through the link.

    Attributes
    ----------
    g
        ∂E/∂h, of the shape of ``h``.
    """

    def __init__(
        self, likelihoods: Sequence[Likelihood], values: Sequence[Tensor], gradients: Sequence[Tensor], h: Tensor
    ) -> None:
        self.loss, self.gradients = LOSSES[type(likelihoods[0])], gradients
        self.errors = Errors(h)
        self.g = self.errors.g
        self.log_scale = values[0] if values else torch.stack([_log_scale(one, h) for one in likelihoods])

    def backward(self, x: Tensor, h: Tensor, scale: Tensor) -> Tensor:
        """Return E of ``x`` (K, examples, features), (K,), and set the gradients of E times ``scale``."""
        loss, by_log_scale = self.loss(x, h, self.log_scale, self.errors)
        self.g.mul_(scale)
        if self.gradients:
            torch.mul(by_log_scale, scale, out=self.gradients[0])
        return loss


def _log_scale(likelihood: Likelihood, like: Tensor) -> Tensor:
    return likelihood.log_sigma if isinstance(likelihood, Gaussian) else like.new_zeros(())
