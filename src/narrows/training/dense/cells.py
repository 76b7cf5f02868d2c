"""What a batch of a table's rows costs, and the gradients of it, by hand, of K models side by side.

Of each kind of column the derivative of a cell's cost by the decoder's output is known in closed form; a cell that is
missing, or whose level was not there at the fit, has none.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from narrows.models.likelihoods import Gaussian, Laplace, Levels, Mixed, NegativeBinomial, SquaredError
from narrows.models.likelihoods.counts import log_ways
from narrows.models.likelihoods.histogram import Histogram
from narrows.models.likelihoods.levels import LEAST, BinaryLevels, Categorical, Ordinal
from narrows.training.dense.layers import DERIVED

__all__ = ["TERMS", "Cells"]


class Cells:
    """E and ∂E/∂h of a table's rows.

    Parameters
    ----------
    likelihoods
        Of the K models, all of one table.
    values, gradients
        Of the likelihoods' parameters, in their order, each (K, …).
    h
        The decoder's outputs, (K, examples, width).

    Attributes
    ----------
    g
        ∂E/∂h, of the shape of ``h``.
    """

    def __init__(
        self, likelihoods: Sequence[Mixed], values: Sequence[Tensor], gradients: Sequence[Tensor], h: Tensor
    ) -> None:
        first = likelihoods[0]
        self.g, self.gradients, self.widths = torch.empty_like(h), gradients, first.widths
        self.weights = torch.stack([one.weights for one in likelihoods])[:, None]
        self.parts: list[tuple[Terms, Tensor, Tensor]] = []
        start = 0
        for part, places, g in zip(first.parts, first.places, self.g.split(self.widths, -1), strict=True):
            own = slice(start, start := start + len([*part.parameters()]))
            terms = TERMS[type(part)](part, values[own], gradients[own])
            self.parts.append((terms, torch.tensor(places, device=h.device), g))

    def backward(self, x: Tensor, h: Tensor, scale: Tensor) -> Tensor:
        """Return E of cells ``x`` (K, examples, columns), (K,), and set the gradients of E times ``scale``."""
        missing = x.isnan()
        w, x = self.weights.expand_as(x).masked_fill(missing, 0.0), x.masked_fill(missing, 0.0)
        costs = []
        for (terms, at, g), own in zip(self.parts, h.split(self.widths, -1), strict=True):
            weights = w.index_select(-1, at)
            costs.append(weights.mul_(terms.costs(x.index_select(-1, at), own, weights, g)))
        for gradient in (self.g, *self.gradients):
            gradient.mul_(scale)
        return torch.cat(costs, -1).sum((1, 2))


class Terms(ABC):
    """The cells of columns of one kind.

    Parameters
    ----------
    part
        The likelihood of the first of the K models.
    values, gradients
        Of its parameters, each (K, …).
    """

    def __init__(self, part: Any, values: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
        self.part, self.values, self.gradients = part, values, gradients

    @abstractmethod
    def costs(self, x: Tensor, h: Tensor, w: Tensor, g: Tensor) -> Tensor:
        """Return the costs of cells ``x`` (K, examples, columns) at outputs ``h`` (K, examples, width).

        ``g``, and the parameters' gradients, are set to the derivatives of Σ w × cost.
        """


class _Located(Terms):
    """Numbers around g(h): ``scaled`` says what an error costs that is ``off`` by so much."""

    def __init__(self, part: Any, values: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
        super().__init__(part, values, gradients)
        self.activate, self.derive = DERIVED[type(part.link)]

    def costs(self, x: Tensor, h: Tensor, w: Tensor, g: Tensor) -> Tensor:
        mean = torch.empty_like(x)
        self.activate(h, out=mean)
        costs, by_mean = self.of_errors(mean - x, w)
        self.derive(by_mean, h, mean, grad_input=by_mean)
        g.copy_(by_mean)
        return costs

    def of_errors(self, off: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        """Return what errors cost, and the derivatives of Σ w × cost by them."""
        return 0.5 * off.square(), w * off


class _Gaussian(_Located):
    def of_errors(self, off: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        log_sigma = self.values[0][:, None] if self.values else self.part.log_sigma
        by_off = (-2 * log_sigma).exp() * off
        squares = by_off * off
        if self.values:
            torch.sum(w * (1 - squares), 1, out=self.gradients[0])
        return 0.5 * squares + (log_sigma + 0.5 * math.log(2 * math.pi)), by_off.mul_(w)


class _Laplace(_Located):
    def of_errors(self, off: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        log_b = self.values[0][:, None]
        by_off = (-log_b).exp() * off.sign()
        distances = by_off * off
        torch.sum(w * (1 - distances), 1, out=self.gradients[0])
        return distances + (log_b + math.log(2)), by_off.mul_(w)


class _Softmax(Terms):
    """One of several outputs a column, which is all that a cell's cost depends on."""

    def __init__(self, part: Any, values: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
        super().__init__(part, values, gradients)
        self.shape = part.places.shape  # columns, and the most outputs of one
        self.there = (part.places < part.width).flatten().nonzero().squeeze(1)  # where they stand

    def log_chosen(self, h: Tensor, chosen: Tensor, w: Tensor, g: Tensor) -> Tensor:
        """Return the log-probability of each column's ``chosen`` output, and set ``g`` to that of Σ −w × it."""
        padded = h.new_full((*h.shape[:-1], self.shape.numel()), -math.inf).index_copy_(-1, self.there, h)
        log_p: Tensor = padded.unflatten(-1, self.shape).log_softmax(-1)
        chosen = chosen[..., None]
        own = log_p.gather(-1, chosen)
        by_h = log_p.exp_().scatter_add_(-1, chosen, own.new_full((), -1.0).expand_as(own)).mul_(w[..., None])
        g.copy_(by_h.flatten(-2).index_select(-1, self.there))
        return own.squeeze(-1)


class _Histogram(_Softmax):
    def costs(self, x: Tensor, h: Tensor, w: Tensor, g: Tensor) -> Tensor:
        found, inside = (each.view(x.shape) for each in self.part.bins_of(x.flatten(0, 1)))
        log_p = self.log_chosen(h, found, w * inside, g) + torch.log1p(-self.part.unseen)
        return -torch.where(inside, log_p, self.part.unseen.log())


class _Levels(Terms):
    """Levels: ``log_outputs`` says how likely the output is that a level has, alone or with others."""

    def __init__(self, part: Levels, values: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
        super().__init__(part, values, gradients)
        columns, most = part.log_within.shape
        fixed = torch.log1p(-part.unseen)[:, None] + part.log_within
        fixed = torch.cat([fixed, fixed[:, :1]], 1).scatter_(1, part.seen[:, None], part.unseen.log()[:, None])
        self.fixed, self.first = fixed.flatten(), torch.arange(columns, device=fixed.device) * (most + 1)
        self.last = part.outputs - 1

    def costs(self, x: Tensor, h: Tensor, w: Tensor, g: Tensor) -> Tensor:
        place = x.long().minimum(self.part.seen)
        seen = place < self.part.seen
        log_p = self.log_outputs(place.minimum(self.last), h, w * seen, g)
        return -(self.fixed.take(place + self.first) + log_p.mul_(seen))

    @abstractmethod
    def log_outputs(self, place: Tensor, h: Tensor, w: Tensor, g: Tensor) -> Tensor:
        """Return the log-probabilities of outputs ``place``, and set the derivatives of Σ −w × them."""


class _Binary(_Levels):
    def log_outputs(self, place: Tensor, h: Tensor, w: Tensor, g: Tensor) -> Tensor:
        g.copy_(w * (h.sigmoid() - place))
        return place * h - softplus(h)


class _Categorical(_Levels, _Softmax):
    def log_outputs(self, place: Tensor, h: Tensor, w: Tensor, g: Tensor) -> Tensor:
        return self.log_chosen(h, place, w, g)


class _Ordinal(_Levels):
    def __init__(self, part: Ordinal, values: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
        super().__init__(part, values, gradients)
        k, columns = values[0].shape[:2]
        ends = int(part.outputs.max()) + 1
        self.above = torch.arange(ends, device=self.last.device) > self.last[:, None]
        self.begins = torch.arange(0, k * columns * ends, ends, device=self.last.device).view(k, 1, columns)

    def log_outputs(self, place: Tensor, h: Tensor, w: Tensor, g: Tensor) -> Tensor:
        (first, log_rises), edge = self.values, self.values[0].new_full(self.values[0].shape, math.inf)
        rises = log_rises.exp()
        # A level lies between two thresholds, of which the first is −∞ and the last ∞.
        thresholds = torch.cat([-edge, first, first + rises.cumsum(-1), edge], -1).masked_fill_(self.above, math.inf)
        at = place + self.begins
        at = torch.stack([at, at + 1])
        below = (thresholds.take(at) - h).sigmoid()
        p = (below[1] - below[0]).clamp_min(LEAST)
        by_ends = below * (1 - below) * (w * (p > LEAST) / p)
        torch.sub(by_ends[1], by_ends[0], out=g)
        by_ends[1].neg_()
        by_thresholds = torch.zeros_like(thresholds).put_(at, by_ends, accumulate=True)[..., 1:-1]
        torch.sum(by_thresholds, -1, keepdim=True, out=self.gradients[0])
        torch.mul(by_thresholds[..., 1:].flip(-1).cumsum(-1).flip(-1), rises, out=self.gradients[1])
        return p.log()


class _NegativeBinomial(Terms):
    def costs(self, x: Tensor, h: Tensor, w: Tensor, g: Tensor) -> Tensor:
        k: Tensor = self.part.counts(x)
        log_r = self.values[0][:, None]
        r, odds = log_r.double().exp(), h + self.part.scale.log() - log_r
        up, small = softplus(odds), r.to(h.dtype)
        by_h = w * (small * odds.sigmoid() - k * (-odds).sigmoid())
        # In 64 bits, since of a large r the differences are small.
        by_r = r * (r.digamma() - (k + r).digamma())
        torch.sum(w * (by_r.to(h.dtype) + small * up) - by_h, 1, out=self.gradients[0])
        g.copy_(by_h)
        return k * softplus(-odds) + small * up - log_ways(k, r).to(h.dtype)


TERMS: dict[type[nn.Module], type[Terms]] = {
    SquaredError: _Located,
    Gaussian: _Gaussian,
    Laplace: _Laplace,
    Histogram: _Histogram,
    NegativeBinomial: _NegativeBinomial,
    BinaryLevels: _Binary,
    Categorical: _Categorical,
    Ordinal: _Ordinal,
}
