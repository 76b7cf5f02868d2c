"""Likelihoods of values in [0, 1]."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from narrows.models.likelihoods.base import Likelihood

__all__ = ["Bernoulli", "ContinuousBernoulli"]

UNIT_INTERVAL = "values in [0, 1] after scaling: the training data's own range with scaling='global'"


class Bernoulli(Likelihood):
    """p(x | z) = ∏ μˣ (1 − μ)¹⁻ˣ, μ = sigmoid(h): for binary features.

    Grey levels in between are taken as probabilities, as is customary; the result is then no density of theirs.
    """

    continuous: ClassVar[bool] = False
    support: ClassVar[tuple[float, float]] = (0.0, 1.0)
    domain: ClassVar[str] = UNIT_INTERVAL

    def mean(self, h: Tensor) -> Tensor:
        """Return sigmoid(h)."""
        return h.sigmoid()

    def log_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """X h − log(1 + eʰ) of each feature, in nats."""
        return x * h - nn.functional.softplus(h)


class ContinuousBernoulli(Likelihood):
    """p(x | z) ∝ ∏ exp(h x) on [0, 1]: the Bernoulli made a density (Loaiza-Ganem & Cunningham 2019).

    In the natural parameter h, with λ = sigmoid(h), its normaliser is ∫₀¹ eʰˣ dx = (eʰ − 1) / h.
    """

    support: ClassVar[tuple[float, float]] = (0.0, 1.0)
    domain: ClassVar[str] = UNIT_INTERVAL

    def mean(self, h: Tensor) -> Tensor:
        """1 / (1 − e⁻ʰ) − 1 / h = ½ + ½ coth ½h − 1 / h, and its series near 0; without expm1, which ONNX lacks."""
        near = h.abs() < 0.5
        far, square = torch.where(near, torch.ones_like(h), h), h.square()
        series = h * (1 / 12 + square * (-1 / 720 + square * (1 / 30240 + square * (-1 / 1209600 + square / 47900160))))
        return 0.5 + torch.where(near, series, 0.5 / torch.tanh(far / 2) - 1 / far)

    def log_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """X h − log((eʰ − 1) / h) of each feature, in nats."""
        near = h.abs() < 0.1
        size, square = torch.where(near, torch.ones_like(h), h.abs()), h.square()
        series = h / 2 + square * (1 / 24 + square * (-1 / 2880 + square / 181440))
        return x * h - torch.where(near, series, h.relu() + torch.log(-torch.expm1(-size) / size))
