"""The likelihood of a table's row: one a column, log p(x | z) = Σⱼ log pⱼ(xⱼ | z) over the cells that are known.

A cell that is missing is left out of the sum: where cells are missing at random, this is the likelihood of what was
observed (Mattei & Frellsen, «MIWAE», 2019; Nazábal et al., «Handling incomplete heterogeneous data using VAEs», 2020).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from narrows.columns.column import NUMBERS, Column
from narrows.models.likelihoods.base import Likelihood
from narrows.models.likelihoods.counts import NegativeBinomial
from narrows.models.likelihoods.histogram import Histogram
from narrows.models.likelihoods.levels import BinaryLevels, Categorical, Levels, Ordinal
from narrows.models.likelihoods.located import Located
from narrows.scaling import Scaling

__all__ = ["Mixed"]

HALF = 0.5
"""Nats of squared error that a number costs where only its mean is known: deterministic models give any column them."""

LEVELS: dict[str, type[Levels]] = {"binary": BinaryLevels, "category": Categorical, "ordered": Ordinal}

Part = Located | Histogram | NegativeBinomial | Levels


class Mixed(Likelihood):
    """Likelihoods of columns of different kinds. Inputs x are cells (n, columns), NaN where they are missing.

    Numbers have a Gaussian (or a Laplace distribution) and counts a negative binomial; where there are enough cells and
    no bell describes them, both have a histogram. Levels have a Bernoulli, a categorical or an ordinal distribution.
    Each has parameters of its own in the decoder's output h (…, n, width).

    Parameters
    ----------
    columns
        Those that the model learns from.
    scaling
        Theirs.
    of_numbers
        A number of columns ↦ the likelihood of their numbers.

    Attributes
    ----------
    width
        Numbers that it wants from the decoder.
    weights
        (columns,) of the terms in the loss.
    stretch
        How much further than p(missing | known) says numbers are from their mean: what intervals are widened by.
    are_numbers
        (columns,), which of them are, and not in bins.
    usual_cost, spread
        (columns,), mean and variance of a cell's −log p(x | z) in ordinary rows, and ``rest``, what the code costs
        besides: by these rows with different cells missing compare.
    """

    continuous: ClassVar[bool] = True
    weights: Tensor
    stretch: Tensor
    are_numbers: Tensor
    usual_cost: Tensor
    spread: Tensor
    rest: Tensor
    order: Tensor

    def __init__(self, columns: Sequence[Column], scaling: Scaling, of_numbers: Callable[[int], Located]) -> None:
        super().__init__()
        groups: dict[str, list[int]] = {}
        for place, column in enumerate(columns):
            group = "bins" if column.edges else "numbers" if column.kind in NUMBERS else column.kind
            groups.setdefault(group, []).append(place)
        self.places, self.parts, self.widths = list(groups.values()), nn.ModuleList(), []
        for name, places in groups.items():
            part, width = _part(name, [columns[place] for place in places], scaling, places, of_numbers)
            self.parts.append(part)
            self.widths.append(width)
        self.width, k = sum(self.widths), len(columns)
        order = np.argsort([place for places in self.places for place in places])
        self.register_buffer("order", torch.from_numpy(order), persistent=False)
        self.columns = tuple(columns)
        for name, values in {"weights": torch.ones(k), "usual_cost": torch.zeros(k), "spread": torch.ones(k)}.items():
            self.register_buffer(name, values)
        self.register_buffer("rest", torch.zeros(()))
        self.register_buffer("stretch", torch.ones(()))
        # Stretched, a heap would be one no more.
        numbers = np.array([column.kind in NUMBERS and not column.edges for column in columns])
        self.register_buffer("are_numbers", torch.from_numpy(numbers), persistent=False)

    def outputs_for(self, features: int) -> int:  # noqa: ARG002 - one signature for all
        """Return how many numbers it wants from the decoder."""
        return self.width

    def _each(self, function: Callable[[Part, Tensor, Tensor], Tensor], x: Tensor, h: Tensor) -> Tensor:
        """Return what ``function`` makes of each part, its cells and its outputs, (…, n, columns); 0 where missing."""
        missing = x.isnan()
        x = x.nan_to_num(0.0)
        own = h.split(self.widths, -1)
        terms = [function(p, x[:, at], out) for p, at, out in zip(self.parts, self.places, own, strict=True)]  # type: ignore[arg-type]
        return torch.cat(terms, -1)[..., self.order].masked_fill(missing, 0.0)

    def log_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """Log p of each cell, (…, n, columns), in nats; 0 where it is missing."""
        return self._each(lambda part, cells, out: part.log_terms(cells, out), x, h)

    def loss_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """Return what training lowers by each cell, by its column's weight."""
        return self.weights * self._each(lambda part, cells, out: part.loss_terms(cells, out), x, h)

    def slopes_and_curvatures(self, x: Tensor, h: Tensor, changes: Tensor) -> tuple[Tensor, Tensor]:
        """As in `Likelihood`, the sums of the parts'."""
        parts = zip(self.by_part(h), changes.split(self.widths, -1), strict=True)
        each = [part.slopes_and_curvatures(x[:, places], out, own) for (part, places, out), own in parts]
        slopes, curvatures = zip(*each, strict=True)
        return sum(slopes[1:], slopes[0]), sum(curvatures[1:], curvatures[0])

    def error_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """Return how badly each cell is given back: 1 by the column's mean or frequencies alone; NaN where missing."""
        errors = self._each(lambda part, cells, out: part.error_terms(cells, out).double(), x, h)
        return errors.masked_fill(x.isnan(), math.nan)

    def error(self, x: Tensor, h: Tensor) -> Tensor:
        """Return the mean of `error_terms` over the cells that are known, (…, n)."""
        return self.error_terms(x, h).nanmean(-1)

    def mean(self, h: Tensor) -> Tensor:
        """Return E[x | z] of numbers and counts, and the most probable level of others, (…, n, columns)."""
        return self._decoded(lambda part, out: part.mean(out), h)

    def simulate(self, h: Tensor, generator: torch.Generator) -> Tensor:
        """Return cells drawn from p(x | z) at outputs ``h`` (n, width), (n, columns)."""

        def drawn(part: Part, out: Tensor) -> Tensor:
            return part.simulate(out, generator)

        return self._decoded(drawn, h)

    def by_part(self, h: Tensor) -> list[tuple[Part, list[int], Tensor]]:
        """Return the likelihood of each group of columns, which columns these are, and its own of outputs ``h``."""
        own = h.split(self.widths, -1)
        return list(zip(self.parts, self.places, own, strict=True))  # type: ignore[arg-type]

    def log_chance(self, h: Tensor, place: int, wanted: Tensor) -> Tensor:
        """Return log P (n,) of what is ``wanted`` of the column at ``place``, at outputs ``h`` (n, width).

        That is one of some levels (k,), or a cell between one of some pairs of ends (k, 2).
        """
        part, column, own = self._of_column(h, place)
        return part.log_chance(own, column, wanted)

    def simulate_within(self, h: Tensor, place: int, wanted: Tensor, generator: torch.Generator) -> Tensor:
        """Return cells (n,) of the column at ``place``, drawn from p(x | z) where it is ``wanted``."""
        part, column, own = self._of_column(h, place)
        return part.simulate_within(own, column, wanted, generator)

    def _of_column(self, h: Tensor, place: int) -> tuple[Part, int, Tensor]:
        """Return the part that a column belongs to, which of its columns it is, and the part's outputs."""
        number = next(number for number, places in enumerate(self.places) if place in places)
        return self.parts[number], self.places[number].index(place), h.split(self.widths, -1)[number]  # type: ignore[return-value]

    def mix(self, h: Tensor, weights: Tensor) -> Tensor:
        """Return the mean, or the most probable level, of cells (n, columns) by outputs ``h`` (k, n, width) together.

        ``weights`` (k, n) sum to 1 over k.
        """

        def mixed(part: Part, out: Tensor) -> Tensor:
            if isinstance(part, Levels):
                return part.mix(out, weights)
            return (part.mean(out) * weights[..., None]).sum(0)

        return self._decoded(mixed, h)

    def _decoded(self, function: Callable[[Part, Tensor], Tensor], h: Tensor) -> Tensor:
        own = h.split(self.widths, -1)
        return torch.cat([function(p, out) for p, out in zip(self.parts, own, strict=True)], -1)[..., self.order]  # type: ignore[arg-type]

    def log_change(self, x: NDArray[np.floating], scaling: Scaling) -> NDArray[np.float64]:
        """Return how much less the log-density of a value is than that of its scaled cell ``x`` (n, columns), each."""
        cells, change = scaling.undo(x.astype(np.float64)), np.zeros(x.shape)
        for place, column in enumerate(self.columns):
            if column.kind in NUMBERS or column.edges:
                own = np.log(scaling.scale[place]) - column.log_slopes(cells[:, place].astype(np.float64))
                change[:, place] = np.where(np.isnan(x[:, place]), 0.0, own)
        return change

    def calibrate(self, x: Tensor, mean: Tensor) -> None:
        """Set the scales of numbers and counts, those that have one, by the cells that are known."""
        for part, places in zip(self.parts, self.places, strict=True):
            if isinstance(part, Located):
                part.calibrate(x[:, places], mean[..., places])
            elif isinstance(part, NegativeBinomial):
                whole = ~x[:, places].isnan().any(1)
                if whole.any():
                    part.calibrate(x[whole][:, places], mean.expand_as(x)[whole][:, places])

    @torch.no_grad()
    def weigh(self, x: Tensor, factors: Tensor, *, alike: bool) -> None:
        """Set the weights of columns: ``factors`` (columns,), and, for ``alike``, so that all count the same.

        That is in parts of what a column costs where only its mean or its frequencies are known, by cells ``x`` (n,
        columns): the entropy of its marginal distribution, in nats. A number then costs ½ nat, as its squared error.
        """
        if alike:
            usual = torch.cat([part.usual() for part in self.parts])  # type: ignore[operator]
            costs = self._each(lambda part, cells, out: part.loss_terms(cells, out), x, usual.expand(len(x), -1))
            known = (~x.isnan()).sum(0).clamp_min(1)
            costs = costs.double().sum(0) / known
            factors = factors * (HALF / costs.clamp_min(1e-3)).to(factors)
        self.weights.copy_(factors)


def _part(
    name: str, columns: Sequence[Column], scaling: Scaling, places: Sequence[int], of_numbers: Callable[[int], Located]
) -> tuple[Part, int]:
    """Return the likelihood of ``columns`` of one group, and how many numbers it wants from the decoder."""
    if name == "numbers":
        return of_numbers(len(columns)), len(columns)
    at = np.array(places)
    own = Scaling(scaling.kind, scaling.offset[at], scaling.scale[at])
    if name == "count":
        return NegativeBinomial(own), len(columns)
    if name == "bins":
        bins = Histogram(columns, own)
        return bins, bins.width
    levels = LEVELS[name](columns)
    return levels, levels.width
