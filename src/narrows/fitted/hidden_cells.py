"""What a cell would be, given all others, by the nets: those of a table are shown rows in which it is hidden."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narrows.columns.column import LEVELS
from narrows.columns.table import Table
from narrows.fitted.passes import Passes
from narrows.models.model import Batch, BottleneckModel
from narrows.training.examples import Examples

__all__ = ["HiddenCells", "Pixels"]

Array = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class HiddenCells:
    """Of a table, whose encoder has learned from rows with cells hidden: one cell after another is hidden from it.

    Attributes
    ----------
    passes, table
        A model's.
    """

    passes: Passes
    table: Table

    def surprises(self, x: Array, context: Tensor | None, hidden: Places) -> Array:
        """Return −log p of each scaled cell of ``x`` (n, d), given all others but those ``hidden``, places (n, k).

        That is a density of numbers and a probability of levels. NaN of cells that are missing or hidden.
        """
        seen, found = x.copy(), np.empty(x.shape)
        np.put_along_axis(seen, hidden, np.nan, 1)
        for place in range(x.shape[1]):
            without = seen.copy()
            without[:, place] = np.nan
            found[:, place] = self._apply(partial(_cost, place), without, context, x)
        np.put_along_axis(found, hidden, np.nan, 1)
        return found

    def surprise_at(self, cells: NDArray[np.int64], x: Array, context: Tensor | None, hidden: Places) -> Array:
        """Return the same of one cell of each row alone, at places ``cells`` (n,): (n,)."""
        each, seen = np.arange(len(x)), x.copy()
        np.put_along_axis(seen, hidden, np.nan, 1)
        seen[each, cells] = np.nan
        return self._apply(_costs, seen, context, x)[each, cells]

    def new_levels(self, x: Array) -> Array:
        """Return −log P of those cells of ``x`` (n, d) whose level was not there at the fit, and 0 of any other."""
        columns = self.table.modelled
        first = np.array([len(column.levels) if column.kind in LEVELS else math.inf for column in columns])
        return np.where(x >= first, -np.log([column.unseen for column in columns]), 0.0)

    def gaps(self, x: Array, context: Tensor | None, hidden: Places) -> Array:
        """Return −log P that each cell of ``x`` (n, d) is missing, by the code of those that are not ``hidden``."""
        unseen = -np.log([column.unseen for column in self.table.modelled])
        gaps = self.passes.model.gaps
        if gaps is None:
            return np.broadcast_to(unseen, x.shape)

        def costs(model: BottleneckModel, batch: Batch) -> Tensor:
            return -gaps.log_chance(model.encode(*batch.seen), batch.x.isnan())

        seen = x.copy()
        np.put_along_axis(seen, hidden, np.nan, 1)
        found = self._apply(costs, seen, context, x)
        return np.where(np.isin(np.arange(x.shape[1]), gaps.places.numpy()), found, unseen)

    def expected(self, x: Array, context: Tensor | None, hidden: Places) -> Array:
        """Return what the ``hidden`` cells of ``x``, places (n, k), are likeliest to be by all others, (n, k)."""
        seen = x.copy()
        np.put_along_axis(seen, hidden, np.nan, 1)

        def mean(model: BottleneckModel, batch: Batch) -> Tensor:
            return model.decode(model.encode(*batch.seen), batch.context)

        return np.take_along_axis(self._apply(mean, seen, context, seen), hidden, 1)

    def _apply(
        self, function: Callable[[BottleneckModel, Batch], Tensor], seen: Array, context: Tensor | None, x: Array
    ) -> Array:
        """Return what ``function`` makes of rows ``x`` of which the encoder sees ``seen``, both (n, d)."""
        shown, whole = (torch.from_numpy(rows.astype(np.float32)) for rows in (seen, x))
        examples = Examples(
            lambda rows: whole[rows], torch.arange(len(x)), x.shape[1], context, noisy=lambda rows: shown[rows]
        )
        return self.passes.apply(function, examples).double().numpy()


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """Of images, and of rows of more numbers than a model keeps: how far each is from what comes back of all together.

    Attributes
    ----------
    passes
        A model's.
    """

    passes: Passes

    def surprises(self, x: Array, context: Tensor | None, _: Places) -> Array:
        """Return the squared error of each of ``x`` (n, features), scaled."""
        return (x - self._restored(x, context)) ** 2

    def expected(self, x: Array, context: Tensor | None, hidden: Places) -> Array:
        """Return what comes back at the places ``hidden`` (n, k)."""
        return np.take_along_axis(self._restored(x, context), hidden, 1)

    def _restored(self, x: Array, context: Tensor | None) -> Array:
        return self.passes.reconstructed(Examples.of(torch.from_numpy(x.astype(np.float32)), context)).astype(
            np.float64
        )


def _costs(model: BottleneckModel, batch: Batch) -> Tensor:
    """Return −log p of each cell, (n, d); NaN where it is missing."""
    h = model.output(model.encode(*batch.seen), batch.context)
    terms = model.likelihood.log_terms(batch.x.double(), h.double())
    return -terms.masked_fill(batch.x.isnan(), math.nan)


def _cost(place: int, model: BottleneckModel, batch: Batch) -> Tensor:
    """Return −log p of the cell at that ``place`` in its row, (n,); NaN where it is missing."""
    return _costs(model, batch)[:, place]
