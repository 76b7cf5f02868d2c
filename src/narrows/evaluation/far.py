"""Values so far from all others that a mean, a range or a loss would be theirs: slips of the pen, broken sensors.

They are told by their distance from the few values next to the ends, not by deviations, which they would widen
themselves (Barnett & Lewis, “Outliers in statistical data”, 1994, call it masking). Long tails have no such gap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from narrows.chunks import chunks as slices

__all__ = ["FarValue", "far_values", "ordinary_range"]

FAR = 3
"""Times as wide as what lies between the few lowest and the few highest values, that a far one is away from these."""

MOST_VALUES, ONE_IN = 5, 20
"""Values at each end that may be far; and of how many there may be one."""

SUSPICIOUS = 4
"""Deviations from the mean that a far value has at least: farther out it widens them itself."""

NUMBERS_AT_ONCE = 2**16
"""That are sorted together."""

Range = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class FarValue:
    """A value that is far from all others.

    Attributes
    ----------
    row
        Of the examples, from 0.
    seen
        Whether that was seen in training.
    column
        The feature, in words.
    value, low, high
        It, and what the others reach from and to, in the data's units; dates as they are written.
    """

    row: int
    seen: bool
    column: str
    value: float | str
    low: float | str
    high: float | str


def ordinary_range(chunks: Callable[[], Iterable[NDArray[Any]]], groups: int) -> Range | None:
    """Return the lowest and the highest value of each feature, (features,) each, that is not far from all others.

    None where none is far, as in nearly all data: it takes one look at them then, and a second otherwise.

    Parameters
    ----------
    chunks
        What gives rows (n, features) in chunks, anew at each call.
    groups
        How many groups of features there are that have their unit in common, so that what is usual for one is so for
        all: feature i is of group i modulo this, as pixels are of channels.
    """
    n, low, high, suspicious = _measured(chunks(), groups)
    few = min(MOST_VALUES, n // ONE_IN)
    if few < 2 or not suspicious.any():
        return None
    lowest, highest = _ends(chunks(), suspicious, few)
    members = groups if groups < len(low) else int(suspicious.sum())
    least, most = _alike(lowest[-1], members, np.min), _alike(highest[-1], members, np.max)
    below, above = least - FAR * (most - least), most + FAR * (most - least)
    # With nothing between, rare values of a feature that hardly ever varies: all that it tells.
    far = (most > least) & ((lowest[0] < below) | (highest[0] > above))
    if not far.any():
        return None
    far = _alike(far, members, np.max)
    ordinary_low = _alike(np.where(lowest >= below, lowest, np.inf).min(0), members, np.min)
    ordinary_high = _alike(np.where(highest <= above, highest, -np.inf).max(0), members, np.max)
    columns = np.flatnonzero(suspicious)[far]
    low[columns], high[columns] = ordinary_low[far], ordinary_high[far]
    return low, high


def far_values(rows: NDArray[np.floating], groups: int) -> tuple[NDArray[np.int64], Range | None]:
    """Return where in ``rows`` (n, features) values are far from all others, (k, 2), and what the others reach.

    The farthest come first; ``groups`` as in `ordinary_range`.
    """
    ordinary = ordinary_range(lambda: [rows], groups)
    if ordinary is None:
        return np.zeros((0, 2), np.int64), None
    low, high = ordinary
    away = np.maximum(low - rows, rows - high)
    cells = np.argwhere(away > 0)
    return cells[np.argsort(-away[tuple(cells.T)])], ordinary


def _alike(x: NDArray[Any], groups: int, of_group: Callable[..., Any]) -> NDArray[Any]:
    """Return for each feature what ``of_group`` makes of the numbers ``x`` (features,) of its group."""
    return np.tile(of_group(x.reshape(-1, groups), axis=0), len(x) // groups)


def _measured(
    chunks: Iterable[NDArray[Any]], groups: int
) -> tuple[int, NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return how many rows there are, each feature's lowest and highest value, and whether it may have far ones."""
    n, lows, highs = 0, [], []
    total, squares = np.zeros(1), np.zeros(1)
    for chunk in chunks:
        lows.append(chunk.min(0).astype(np.float64))
        highs.append(chunk.max(0).astype(np.float64))
        x = chunk if chunk.dtype.kind == "f" else chunk.astype(np.float32)
        with np.errstate(over="ignore"):  # is suspicious, too
            n, total = n + len(x), total + x.sum(0, dtype=np.float64)
            squares = squares + np.einsum("ij,ij->j", x, x)
    low, high = np.min(lows, 0), np.max(highs, 0)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = _alike(total / n, groups, np.mean)
        deviation = np.sqrt(np.maximum(_alike(squares / n, groups, np.mean) - mean**2, 0))
        near = np.maximum(high - mean, mean - low) <= SUSPICIOUS * deviation
    suspicious = ~near | ~np.isfinite(deviation)
    return n, low, high, suspicious if groups == len(low) else np.full(low.shape, suspicious.any())


def _ends(
    chunks: Iterable[NDArray[Any]], columns: NDArray[np.bool_], few: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ``few`` lowest values of these columns, ascending, and the highest, descending, (few, columns)."""
    low, high = np.full((few, columns.sum()), np.inf), np.full((few, columns.sum()), -np.inf)
    for chunk in chunks:
        for some in slices(len(chunk), len(columns), NUMBERS_AT_ONCE):
            block = chunk[some, columns].astype(np.float64)
            low = np.partition(np.concatenate([low, block]), few - 1, axis=0)[:few]
            high = -np.partition(-np.concatenate([high, block]), few - 1, axis=0)[:few]
    return np.sort(low, axis=0), -np.sort(-high, axis=0)
