"""The likelihood of numbers that no bell describes: which bin, as a categorical, and anywhere within it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narrows.columns.column import SLACK, Column
from narrows.models.likelihoods.base import Likelihood
from narrows.models.likelihoods.softmax import softmax_slopes_and_curvatures
from narrows.scaling import Scaling

__all__ = ["Histogram"]


class Histogram(Likelihood):
    """p(x | z) = (1 − ε) softmax(h)ₖ / widthₖ for x in bin k, and ε Cauchy(x) anywhere: a piecewise constant density.

    Bins are a column's heaps, values that many cells share, and between these its quantiles (`narrows.columns.bins`):
    as a mixture whose modes are given, it may have as many of them as the data (compare the mode-specific coding of Xu
    et al., “Modeling tabular data using conditional GAN”, 2019). ε = 1 / (cells + 1) is for what was in no bin at the
    fit. Training leaves out what does not depend on h. Of a count, whose bins reach half a step to each side, the
    density by its own unit is a probability: as many zeros as there are, which one dispersion for all z need not give.

    Parameters
    ----------
    columns
        With `Column.edges`.
    scaling
        Theirs.

    Attributes
    ----------
    width, outputs
        Numbers that it wants from the decoder, one a bin; and how many of them are of each column.
    """

    continuous: ClassVar[bool] = True
    low: Tensor
    high: Tensor
    frequencies: Tensor
    unseen: Tensor
    places: Tensor

    def __init__(self, columns: Sequence[Column], scaling: Scaling) -> None:
        super().__init__()
        self.outputs = [len(column.counts) for column in columns]
        outputs = np.array(self.outputs)
        self.width, k = int(outputs.sum()), np.arange(outputs.max())
        there = k < outputs[:, None]
        ends = np.full((2, *there.shape), np.inf)
        frequencies = np.zeros(there.shape)
        for place, column in enumerate(columns):
            edges = (np.array(column.edges) - scaling.offset[place]) / scaling.scale[place]
            ends[:, place, : outputs[place]] = _widened(*edges.reshape(-1, 2).T)
            frequencies[place, : outputs[place]] = np.array(column.counts) / sum(column.counts)
        first = outputs.cumsum() - outputs
        kept = {
            "low": ends[0].astype(np.float32),
            "high": ends[1].astype(np.float32),
            "frequencies": frequencies.astype(np.float32),
            "unseen": np.array([column.unseen for column in columns], np.float32),
            "places": np.where(there, first[:, None] + k, self.width),
        }
        for name, values in kept.items():  # as in `Levels`: the file has the columns
            self.register_buffer(name, torch.from_numpy(values), persistent=False)

    def log_bins(self, h: Tensor) -> Tensor:
        """Return the log-probabilities (…, n, columns, K) of bins at outputs ``h`` (…, n, width), without ε."""
        nothing = h.new_full((*h.shape[:-1], 1), -math.inf)
        return torch.cat([h, nothing], -1)[..., self.places].log_softmax(-1)

    def bins_of(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the bins of ``x`` (n, columns), and whether it is in them, both of its shape."""
        high = self.high.to(x.dtype)
        found = torch.searchsorted(high, x.T.contiguous()).T.minimum((self.places < self.width).sum(1) - 1)
        at = torch.arange(len(high), device=x.device)
        return found, (x >= self.low[at, found]) & (x <= high[at, found])

    def _log_mass(self, own: Tensor, inside: Tensor) -> Tensor:
        """Return the log-probability of each cell, by that of its ``own`` bin; ε outside of all."""
        return torch.where(inside, own + torch.log1p(-self.unseen), self.unseen.log())

    def log_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """Log p of each number, in nats."""
        found, inside = self.bins_of(x)
        at = torch.arange(len(self.high), device=x.device)
        density = -(self.high - self.low)[at, found].log()
        # Column by column, since of many rows and codes that is less than to fill all columns up to the longest.
        own = h.gather(-1, self.places[at, found].expand(*h.shape[:-1], len(at)))
        own = own - torch.stack([part.logsumexp(-1) for part in h.split(self.outputs, -1)], -1)
        return self._log_mass(own, inside) + torch.where(inside, density, -torch.log1p(x.square()) - math.log(math.pi))

    def slopes_and_curvatures(self, x: Tensor, h: Tensor, changes: Tensor) -> tuple[Tensor, Tensor]:
        """As in `Likelihood`; a number in no bin says nothing of h."""
        found, inside = self.bins_of(x)  # where NaN is not
        own = self.places[torch.arange(len(self.high), device=x.device), found]
        return softmax_slopes_and_curvatures(h, self.outputs, own, inside, changes)

    def loss_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """−log P of each number's bin: −log p but for a constant."""
        found, inside = self.bins_of(x)
        bins = self.log_bins(h)
        own = bins.gather(-1, found.expand(bins.shape[:-1])[..., None]).squeeze(-1)
        return -self._log_mass(own, inside)

    def mean(self, h: Tensor) -> Tensor:
        """Return E[x | z], (…, n, columns)."""
        centres = ((self.low + self.high) / 2).to(h)
        parts = zip(h.split(self.outputs, -1), centres, strict=True)
        return torch.stack([part.softmax(-1) @ own[: part.shape[-1]] for part, own in parts], -1)

    def simulate(self, h: Tensor, generator: torch.Generator) -> Tensor:
        """Return numbers drawn from p(x | z) at outputs ``h`` (n, width), (n, columns)."""
        bins = self.log_bins(h).exp()
        drawn = torch.multinomial(bins.flatten(0, 1), 1, generator=generator).view(bins.shape[:2])
        at = torch.arange(len(self.high))
        low, high = self.low[at, drawn], self.high[at, drawn]
        return torch.lerp(low, high, torch.rand(drawn.shape, generator=generator)).to(h.dtype)

    def log_chance(self, h: Tensor, column: int, wanted: Tensor) -> Tensor:
        """Return log P (n,) of a column's number to lie between ``wanted`` ends (k, 2), at outputs ``h``."""
        return (self._of_column(h, column) + self._shares(column, wanted).sum(0).log()).logsumexp(1)

    def simulate_within(self, h: Tensor, column: int, wanted: Tensor, generator: torch.Generator) -> Tensor:
        """Return numbers (n,) of a column, drawn from p(x | z) between ``wanted`` ends, as in `log_chance`."""
        shares = self._shares(column, wanted)
        bins = (self._of_column(h, column) + shares.sum(0).log()).softmax(1)
        drawn = torch.multinomial(bins, 1, generator=generator).squeeze(1)
        chosen = torch.multinomial(shares.T[drawn], 1, generator=generator).squeeze(1)
        low = self.low[column, drawn].double().maximum(wanted[chosen, 0])
        high = self.high[column, drawn].double().minimum(wanted[chosen, 1])
        return torch.lerp(low, high, torch.rand(len(h), generator=generator, dtype=torch.float64)).to(h.dtype)

    def _of_column(self, h: Tensor, column: int) -> Tensor:
        places = self.places[column]
        return h[:, places[places < self.width]].double().log_softmax(1)

    def _shares(self, column: int, wanted: Tensor) -> Tensor:
        """Return which part of each bin of a column lies between each of the ``wanted`` ends, (k, bins)."""
        there = self.places[column] < self.width
        low, high = self.low[column, there].double(), self.high[column, there].double()
        between = high.minimum(wanted[:, 1:]) - low.maximum(wanted[:, :1])
        return between.clamp_min(0) / (high - low)

    def usual(self) -> Tensor:
        """Return the outputs (width,) that give the training data's frequencies."""
        return self.frequencies[self.places < self.width].log()


def _widened(low: NDArray[np.float64], high: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where bins (K,) begin and end when those of a single value take a little of their neighbours' room."""
    low, high = low.copy(), high.copy()
    room = np.minimum(np.diff(low, prepend=-np.inf), np.diff(high, append=np.inf)) / 4
    slack = np.where(low == high, np.minimum(room, SLACK * (high[-1] - low[0])), 0.0)
    high[:-1] = np.minimum(high[:-1], low[1:] - slack[1:])
    low[1:] = np.maximum(low[1:], high[:-1])
    low, high = low - slack, high + slack
    low[1:] = np.maximum(low[1:], high[:-1])
    return low, high
