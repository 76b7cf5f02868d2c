"""Bins: how a column of numbers that no bell describes is cut into heaps, values that many cells share, and ranges."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from narrows.columns.column import SLACK, Column

__all__ = ["with_bins"]

FEWEST_CELLS = 2000
"""Cells from which on a column is cut into bins: of fewer, a bell's two numbers say more."""

BELL = 0.05
"""How far the shares of cells up to any value may be from those of a bell (Kolmogorov's distance)."""

MOST_HEAPS, LEAST_OF_HEAP = 128, 1 / 1000
"""Values with a bin of their own, and which part of the cells each must hold."""

RANGES, CELLS_A_RANGE = 50, 100
"""Ranges that all other cells are cut into, by quantiles, and how many cells each holds at least."""


def with_bins(column: Column, numbers: NDArray[np.float64], each: NDArray[np.int64]) -> Column:
    """Return a column with the bins of its known ``numbers`` (k,), or as it is where a bell does for these.

    ``each`` says how many cells hold a number, (k,).
    """
    cells = column.as_cells(numbers)
    n = int(each.sum())
    if n < FEWEST_CELLS:
        return column
    values, places, own = np.unique(cells, return_index=True, return_inverse=True)
    counts = np.bincount(own.ravel(), each, len(values)).astype(np.int64)
    if _is_bell(values, counts):
        return column
    heaps = np.flatnonzero(counts >= max(2, LEAST_OF_HEAP * n))
    heaps = np.sort(heaps[np.argsort(-counts[heaps], kind="stable")[:MOST_HEAPS]])
    first, last, alone = _groups(counts, heaps, n)
    low, high = _around(column, values)
    lows, highs = low[first], high[last]
    # Between two ranges nothing is left out; beside a heap a range begins where the heap ends.
    between = ~alone[1:] & ~alone[:-1]
    middle = (values[last[:-1]] + values[first[1:]]) / 2
    highs[:-1] = np.where(between, middle, np.where(alone[1:] & ~alone[:-1], lows[1:], highs[:-1]))
    lows[1:] = np.where(between, middle, np.where(alone[:-1] & ~alone[1:], highs[:-1], lows[1:]))
    edges = np.stack([lows, highs], 1).ravel()
    sizes, own = np.add.reduceat(counts, first), numbers[places[first[lows == highs]]]
    return replace(column, edges=tuple(edges.tolist()), counts=tuple(sizes.tolist()), heaps=tuple(own.tolist()))


def _is_bell(values: NDArray[np.float64], counts: NDArray[np.int64]) -> bool:
    """Say whether sorted ``values``, each there as often as ``counts`` says, are spread like a Gaussian's."""
    mean = np.average(values, weights=counts)
    deviation = math.sqrt(np.average((values - mean) ** 2, weights=counts))
    bell = ndtr((values - mean) / max(deviation, np.finfo(float).tiny))
    upto, share = counts.cumsum() / counts.sum(), counts / counts.sum()
    return bool(max(np.abs(upto - bell).max(), np.abs(upto - share - bell).max()) <= BELL)


def _groups(
    counts: NDArray[np.int64], heaps: NDArray[np.int64], n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the first and the last value of each bin, by number, and whether it is a heap."""
    alone = np.zeros(len(counts), bool)
    alone[heaps] = True
    size = max(CELLS_A_RANGE, math.ceil(counts[~alone].sum() / max(1, min(RANGES, n // CELLS_A_RANGE))))
    starts, held = [], size
    for number, (count, heap) in enumerate(zip(counts.tolist(), alone.tolist(), strict=True)):
        if heap or held + count > size or (number and alone[number - 1]):
            starts.append(number)
            held = 0
        held += count
    first = np.array(starts)
    last = np.append(first[1:] - 1, len(counts) - 1)
    return first, last, alone[first]


def _around(column: Column, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return between what cells a value stands: half a step of the grid to each side.

    That is the value itself where there is no grid, or one whose steps 32 bits would not tell apart.
    """
    half = column.step / 2
    if column.kind == "positive" and half:
        numbers = np.exp(values)
        low, high = column.as_cells(numbers - half), column.as_cells(numbers + half)
    else:
        low, high = values - half, values + half
    told_apart = high - low > 2 * SLACK * np.ptp(values)
    return np.where(told_apart, low, values), np.where(told_apart, high, values)
