"""Losses of a batch and their gradients, by hand, of K models side by side."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from narrows.models.likelihoods import Bernoulli, ContinuousBernoulli, Gaussian, Laplace, Likelihood, SquaredError

__all__ = ["LOSSES", "Errors", "Loss"]


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
        self.columns, self.squared, self.half = self.rows.transpose(1, 2), self.total.view(-1), like.new_full((), 0.5)

    def half_squares(self) -> Tensor:
        """Return ½ ‖g‖² of each model, (K,), until the next call."""
        torch.bmm(self.rows, self.columns, out=self.total)
        return self.squared.mul_(self.half)


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
