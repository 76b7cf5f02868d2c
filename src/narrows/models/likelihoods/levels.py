"""Likelihoods of levels: of yes or no, of categories, and of categories in an order; several columns at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from narrows.columns.column import Column
from narrows.models.likelihoods.base import Likelihood
from narrows.models.likelihoods.softmax import softmax_slopes_and_curvatures

__all__ = ["BinaryLevels", "Categorical", "Levels", "Ordinal"]

LEAST = 1e-30
"""Of a difference of probabilities, so that its logarithm is finite."""

LEAST_RISE = 1e-3
"""From one threshold to the next, where their ordinal starts."""


class Levels(Likelihood):
    """What likelihoods of levels share: x are the levels' places, and `log_levels` the logarithms of all probabilities.

    A level that was not there at the fit, x = K, has the probability ε = 1 / (cells + 1), and those that were share the
    rest. Of more than `narrows.columns.column.MOST_LEVELS` levels the rare ones share one output, in the proportions
    that they were there in.

    Parameters
    ----------
    columns
        Whose levels.

    Attributes
    ----------
    width
        Numbers that it wants from the decoder.
    """

    continuous: ClassVar[bool] = False
    outputs: Tensor
    seen: Tensor
    unseen: Tensor
    log_within: Tensor
    frequencies: Tensor

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        self.width = len(columns)
        within = np.zeros((len(columns), max(len(column.levels) for column in columns)), np.float32)
        frequencies = np.zeros((len(columns), max(column.outputs for column in columns)), np.float32)
        for place, column in enumerate(columns):
            counts, last = np.array(column.counts, np.float64), column.outputs - 1
            rare = counts[last:].sum()
            within[place, last : len(counts)] = np.log(counts[last:] / rare)
            frequencies[place, : column.outputs] = np.array([*counts[:last], rare]) / counts.sum()
        self._keep("outputs", np.array([column.outputs for column in columns]))
        self._keep("seen", np.array([len(column.levels) for column in columns]))
        self._keep("unseen", np.array([column.unseen for column in columns], np.float32))
        self._keep("log_within", within)
        self._keep("frequencies", frequencies)

    def _keep(self, name: str, values: NDArray[Any]) -> None:
        """Keep what the columns say, which is not saved twice, nor built without memory when a file is read."""
        self.register_buffer(name, torch.from_numpy(values), persistent=False)

    def log_levels(self, h: Tensor) -> Tensor:
        """Return the log-probabilities (…, n, columns, K) at outputs ``h`` (…, n, width), of seen levels alone."""
        raise NotImplementedError

    def log_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """Log p of levels ``x`` (n, columns), (…, n, columns), in nats."""
        place = x.long()
        own = self.log_level(h, place.minimum(self.outputs - 1))
        seen = own + self._within(place) + torch.log1p(-self.unseen)
        return torch.where(place < self.seen, seen, self.unseen.log())

    def log_level(self, h: Tensor, place: Tensor) -> Tensor:
        """Return the log-probability (…, n, columns) of the output at ``place`` (n, columns) of each column."""
        levels = self.log_levels(h)
        return levels.gather(-1, place.expand(levels.shape[:-1])[..., None]).squeeze(-1)

    def error_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """Return Σₖ (pₖ − [x = k])² (Brier 1950), relative to that of the training data's frequencies: 1 by these."""
        p, place = self.log_levels(h).double().exp(), x.long()
        own = p.gather(-1, place.minimum(self.outputs - 1).expand(p.shape[:-1])[..., None]).squeeze(-1)
        squares = p.square().sum(-1) - 2 * own.masked_fill(place >= self.seen, 0.0) + 1
        errors: Tensor = squares / (1 - self.frequencies.double().square().sum(1))
        return errors

    def _within(self, place: Tensor) -> Tensor:
        return self.log_within[torch.arange(len(self.seen), device=place.device), place.minimum(self.seen - 1)]

    def mean(self, h: Tensor) -> Tensor:
        """Return the most probable levels, (…, n, columns)."""
        return self.log_levels(h).argmax(-1).to(h.dtype)

    def mix(self, h: Tensor, weights: Tensor) -> Tensor:
        """Return the most probable levels, (n, columns), by all of ``h`` (k, n, width), with ``weights`` (k, n)."""
        return (self.log_levels(h).exp() * weights[..., None, None]).sum(0).argmax(-1).to(h.dtype)

    def chances(self, h: Tensor, weights: Tensor) -> list[Tensor]:
        """Return the probabilities (n, levels) of each column's levels by all of ``h`` (k, n, width), as `mix` does."""
        each = (self.log_levels(h).exp() * weights[..., None, None]).sum(0).log()
        levels = [torch.arange(int(seen)) for seen in self.seen]
        return [self._log_wanted_of(each[:, column], column, wanted).exp() for column, wanted in enumerate(levels)]

    def simulate(self, h: Tensor, generator: torch.Generator) -> Tensor:
        """Return levels drawn from p(x | z) at outputs ``h`` (n, width), (n, columns)."""
        probabilities = self.log_levels(h).exp()
        drawn = torch.multinomial(probabilities.flatten(0, 1), 1, generator=generator).view(probabilities.shape[:2])
        for column in ((self.seen > self.outputs).nonzero().flatten()).tolist():
            last = int(self.outputs[column]) - 1
            rare = self.log_within[column, last : int(self.seen[column])].exp()
            pooled = drawn[:, column] == last
            if count := int(pooled.sum()):  # torch refuses to draw none
                drawn[pooled, column] += torch.multinomial(rare, count, replacement=True, generator=generator)
        return drawn.to(h.dtype)

    def log_chance(self, h: Tensor, column: int, wanted: Tensor) -> Tensor:
        """Return log P (n,) of a column to have one of the ``wanted`` levels (k,), at outputs ``h`` (n, width)."""
        return self._log_wanted(h, column, wanted).logsumexp(1)

    def simulate_within(self, h: Tensor, column: int, wanted: Tensor, generator: torch.Generator) -> Tensor:
        """Return levels (n,) of a column, drawn from p(x | z) among the ``wanted`` ones (k,)."""
        probabilities = self._log_wanted(h, column, wanted).softmax(1)
        return wanted[torch.multinomial(probabilities, 1, generator=generator).squeeze(1)].to(h.dtype)

    def _log_wanted(self, h: Tensor, column: int, wanted: Tensor) -> Tensor:
        return self._log_wanted_of(self.log_levels(h)[:, column], column, wanted)

    def _log_wanted_of(self, log_levels: Tensor, column: int, wanted: Tensor) -> Tensor:
        """Return the log-probabilities (…, k) of a column's ``wanted`` levels (k,), by those of its outputs."""
        return log_levels[..., wanted.minimum(self.outputs[column] - 1)] + self.log_within[column, wanted]

    def usual(self) -> Tensor:
        """Return the outputs (width,) that give the training data's frequencies."""
        raise NotImplementedError


class BinaryLevels(Levels):
    """P(1) = sigmoid(h): a Bernoulli a column.

    Parameters
    ----------
    columns
        As in `Levels`.
    """

    def log_levels(self, h: Tensor) -> Tensor:
        """Log sigmoid(−h) and log sigmoid(h)."""
        return -nn.functional.softplus(torch.stack([h, -h], -1))

    def usual(self) -> Tensor:
        """Return the logits of the frequencies."""
        return self.frequencies[:, 1].logit()


class Categorical(Levels):
    """P(k) = softmax(h)ₖ, over the outputs of a column.

    Parameters
    ----------
    columns
        As in `Levels`.
    """

    places: Tensor

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__(columns)
        outputs = np.array([column.outputs for column in columns])
        self.width = int(outputs.sum())
        first, k = outputs.cumsum() - outputs, np.arange(outputs.max())
        self._keep("places", np.where(k < outputs[:, None], first[:, None] + k, self.width))

    def log_levels(self, h: Tensor) -> Tensor:
        """Log softmax, −∞ where a column has fewer levels than others."""
        nothing = h.new_full((*h.shape[:-1], 1), -math.inf)
        return torch.cat([h, nothing], -1)[..., self.places].log_softmax(-1)

    # Column by column, since of many rows and codes that is less than to fill all columns up to the longest.

    def log_level(self, h: Tensor, place: Tensor) -> Tensor:
        """As in `Levels`."""
        at = self.places[torch.arange(len(self.seen), device=h.device), place]
        totals = [part.logsumexp(-1) for part in h.split(self.outputs.tolist(), -1)]
        return h.gather(-1, at.expand(*h.shape[:-1], len(self.seen))) - torch.stack(totals, -1)

    def mix(self, h: Tensor, weights: Tensor) -> Tensor:
        """As in `Levels`."""
        parts = [part.softmax(-1).mul_(weights[..., None]).sum(0) for part in h.split(self.outputs.tolist(), -1)]
        return torch.stack([part.argmax(-1) for part in parts], -1).to(h.dtype)

    def slopes_and_curvatures(self, x: Tensor, h: Tensor, changes: Tensor) -> tuple[Tensor, Tensor]:
        """As in `Likelihood`; a level that was not there at the fit says nothing of h."""
        place = x.nan_to_num(0.0).long()
        own = self.places[torch.arange(len(self.seen), device=x.device), place.minimum(self.outputs - 1)]
        counted = (place < self.seen) & ~x.isnan()
        return softmax_slopes_and_curvatures(h, self.outputs.tolist(), own, counted, changes)

    def usual(self) -> Tensor:
        """Return the logarithms of the frequencies."""
        return self.frequencies[self.places < self.width].log()


class Ordinal(Levels):
    """P(x ≤ k) = sigmoid(cₖ − h): proportional odds (McCullagh 1980), whose thresholds c are learned, and rise.

    Parameters
    ----------
    columns
        As in `Levels`.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__(columns)
        below = self.frequencies.numpy().astype(np.float64).cumsum(1)[:, :-1].clip(1e-6, 1 - 1e-6)
        thresholds = np.log(below / (1 - below)).astype(np.float32)
        self.first = nn.Parameter(torch.from_numpy(thresholds[:, :1].copy()))
        rises = np.diff(thresholds, axis=1)
        self.log_rise = nn.Parameter(torch.from_numpy(np.log(rises.clip(LEAST_RISE))))

    def thresholds(self) -> Tensor:
        """Return c, (columns, K − 1); of columns with fewer levels, the first of a row."""
        return torch.cat([self.first, self.first + self.log_rise.exp().cumsum(1)], 1)

    def log_levels(self, h: Tensor) -> Tensor:
        """Return the logarithms of differences of sigmoids."""
        thresholds = self.thresholds()
        there = torch.arange(thresholds.shape[1], device=h.device) < self.outputs[:, None] - 1
        below = (thresholds.masked_fill(~there, math.inf) - h[..., None]).sigmoid()
        none, all_ = below.new_zeros(*below.shape[:-1], 1), below.new_ones(*below.shape[:-1], 1)
        probabilities = torch.cat([below, all_], -1) - torch.cat([none, below], -1)
        return probabilities.clamp_min(LEAST).log()

    def error_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """Return the squared difference from the mean place, relative to the variance in the training data."""
        places, shares = torch.arange(self.frequencies.shape[1], device=h.device), self.frequencies.double()
        variance = shares @ places.double().square() - (shares @ places.double()).square()
        mean = self.log_levels(h).double().exp() @ places.double()
        errors: Tensor = (x.double() - mean).square() / variance
        return errors

    def usual(self) -> Tensor:
        """Return 0, where the thresholds start from."""
        return torch.zeros(self.width)
