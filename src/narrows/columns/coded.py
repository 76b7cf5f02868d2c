"""Columns as numbers of equal weight, for principal components of a table: what a model of it has to beat.

A number stands for itself in deviations, a level for one number a level (one-hot), less their shares. All numbers of a
column together vary by 1, so that columns count alike, as in factor analysis of mixed data (Pagès 2004); a missing cell
is all 0, the mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from narrows.columns.column import LEVELS, Column

__all__ = ["Coded"]


@dataclass(frozen=True)
class Coded:
    """The coding of columns.

    Attributes
    ----------
    columns
        Those that a model learns from; their numbers come scaled.
    """

    columns: tuple[Column, ...]

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Where each column begins among the numbers, and how many these are, (columns + 1,)."""
        widths = [_width(column) for column in self.columns]
        return np.concatenate([[0], np.cumsum(widths)]).astype(np.int64)

    @property
    def width(self) -> int:
        """Numbers in a row."""
        return int(self.starts[-1])

    def numbers(self, x: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the numbers (n, width) of scaled cells ``x`` (n, columns), NaN where missing."""
        coded = np.zeros((len(x), self.width), np.float32)
        for column, start, cells in zip(self.columns, self.starts, x.T, strict=False):
            known = ~np.isnan(cells)
            own = cells[known].astype(np.float64)
            mean, scale = _measures(column)
            if _width(column) == 1:
                coded[known, start] = (own - mean) / scale
                continue
            seen = own < len(column.levels)
            one_hot = np.zeros((len(own), column.outputs))
            one_hot[seen, np.minimum(own[seen], column.outputs - 1).astype(np.int64)] = 1
            coded[known, start : start + column.outputs] = (one_hot - mean) / scale
        return coded

    def errors(self, x: NDArray[np.floating], rebuilt: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the squared errors (n, columns) of ``rebuilt`` numbers (n, width) of cells ``x``; NaN where missing.

        They are 1, on average, where the mean or the shares stand for all: as a likelihood's ``error_terms``.
        """
        squares = np.square(self.numbers(x).astype(np.float64) - rebuilt)
        errors = np.add.reduceat(squares, self.starts[:-1], 1)
        for place, column in enumerate(self.columns):
            if _width(column) > 1:  # of a level that is new, its own number is missing from these
                errors[x[:, place] >= len(column.levels), place] += 1 / _measures(column)[1] ** 2
        return np.where(np.isnan(x), np.nan, errors)

    def cells(self, rebuilt: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the scaled cells (n, columns) that numbers (n, width) stand for: of levels the likeliest."""
        found = np.empty((len(rebuilt), len(self.columns)))
        for place, (column, start) in enumerate(zip(self.columns, self.starts, strict=False)):
            mean, scale = _measures(column)
            own = rebuilt[:, start : start + _width(column)] * scale + mean
            if _width(column) > 1:
                found[:, place] = own.argmax(1)
            elif column.kind == "ordered":
                found[:, place] = np.rint(own[:, 0]).clip(0, len(column.levels) - 1)
            else:
                found[:, place] = own[:, 0]
        return found


def _width(column: Column) -> int:
    return column.outputs if column.kind in LEVELS and column.kind != "ordered" else 1


def _measures(column: Column) -> tuple[NDArray[np.float64], float]:
    """Return the mean of a column's numbers, (width,), and how far they are from it together."""
    if column.kind not in LEVELS:
        return np.zeros(1), 1.0
    shares = np.array(column.counts, np.float64) / sum(column.counts)
    if column.kind == "ordered":
        places = np.arange(len(shares))
        mean = float(places @ shares)
        return np.array([mean]), math.sqrt(float((places - mean) ** 2 @ shares))
    last = column.outputs - 1
    shares = np.array([*shares[:last], shares[last:].sum()])
    return shares, math.sqrt(1 - float(shares @ shares))
