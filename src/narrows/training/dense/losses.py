"""Losses of a batch and their gradients, by hand, of K models side by side."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from narrows.models.likelihoods import Bernoulli, ContinuousBernoulli, Gaussian, Laplace, Likelihood, SquaredError

__all__ = ["LOSSES", "Loss"]

Loss = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
"""(x, g(h), log of the scale, where ∂E/∂g(h) goes) ↦ E and its derivative by that logarithm, both (K,).

E is −log p(x | z), or the lecture's ½ ‖x − g(h)‖², summed over a batch (K, examples, features).
"""


def _squared_error(x: Tensor, mean: Tensor, _: Tensor, g: Tensor) -> tuple[Tensor, Tensor]:
    torch.sub(mean, x, out=g)
    loss = 0.5 * _squares(g)
    return loss, loss


def _gaussian(x: Tensor, mean: Tensor, log_sigma: Tensor, g: Tensor) -> tuple[Tensor, Tensor]:
    torch.sub(mean, x, out=g)
    precision, count = (-2 * log_sigma).exp(), x[0].numel()
    squares = precision * _squares(g)
    g.mul_(precision[:, None, None])
    return 0.5 * squares + count * (log_sigma + 0.5 * math.log(2 * math.pi)), count - squares


def _laplace(x: Tensor, mean: Tensor, log_b: Tensor, g: Tensor) -> tuple[Tensor, Tensor]:
    torch.sub(mean, x, out=g)
    precision, count = (-log_b).exp(), x[0].numel()
    distances = precision * g.abs().sum((1, 2))
    g.sign_().mul_(precision[:, None, None])
    return distances + count * (log_b + math.log(2)), count - distances


def _exponential(likelihood: Likelihood) -> Loss:
    """A family with natural parameter h: the derivative is its mean less x."""

    def loss(x: Tensor, h: Tensor, _: Tensor, g: Tensor) -> tuple[Tensor, Tensor]:
        torch.sub(likelihood.mean(h), x, out=g)
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


def _squares(g: Tensor) -> Tensor:
    """Return ‖g‖² of each model, (K,)."""
    if len(g) == 1:
        row = g.view(-1)
        return torch.dot(row, row)[None]
    rows = g.view(len(g), 1, -1)
    return torch.bmm(rows, rows.transpose(1, 2)).view(-1)
