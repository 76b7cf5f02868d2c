"""Likelihoods: how the decoder's output h becomes a distribution p_θ(x | z) over inputs."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["SquaredError"]

SMALLEST_SIGMA = 1e-4
"""Below this, differences in scaled units are float32's rounding, not the data's noise."""


class SquaredError(nn.Module):
    """p(x | z) = N(x; g(h), σ² I), trained on the lecture's ½ ‖x − g(h)‖².

    Training leaves σ out, since it would not move the best g(h). It is then set to its maximum-likelihood value on
    held-out residuals, so that ``log_prob`` is a true density (the optimal σ of Rybkin et al. 2021, after the fact).

    Parameters
    ----------
    link
        g, from the decoder's output to the mean: a sigmoid for data in [0, 1], the identity for any other.
    """

    sigma: Tensor

    def __init__(self, link: nn.Module) -> None:
        super().__init__()
        self.link = link
        self.register_buffer("sigma", torch.ones(()))

    def mean(self, h: Tensor) -> Tensor:
        """Return E[x | z], (n, features), of the decoder's output ``h`` (n, features)."""
        mean: Tensor = self.link(h)
        return mean

    def loss(self, x: Tensor, h: Tensor) -> Tensor:
        """½ ‖x − g(h)‖², (n,): the lecture's E for each example; −log p in nats at σ = 1 but for a constant."""
        return 0.5 * (x - self.mean(h)).square().sum(1)

    def log_prob(self, x: Tensor, h: Tensor) -> Tensor:
        """Log N(x; g(h), σ² I), (n,), in nats."""
        standardised = ((x - self.mean(h)) / self.sigma).square().sum(1)
        return -0.5 * standardised - x.shape[1] * (self.sigma.log() + 0.5 * math.log(2 * math.pi))

    def calibrate(self, squared_error: float) -> None:
        """Set σ² to ``squared_error``, the mean over held-out examples and features (scaled units, squared)."""
        self.sigma.fill_(max(math.sqrt(squared_error), SMALLEST_SIGMA))
