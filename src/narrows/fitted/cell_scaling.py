"""The scaling of a table's cells that come in chunks, as memory does not hold all: the same but for rounding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from narrows.columns.column import NUMBERS
from narrows.columns.table import Table
from narrows.evaluation.far import ordinary_range
from narrows.scaling import Scaling

__all__ = ["scaling_of_cells"]

Array = NDArray[np.floating]


def scaling_of_cells(
    table: Table, chunks: Callable[[], Iterable[Array]], some: Array, scaling: str | tuple[float, float]
) -> tuple[Scaling, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the scaling of a table's cells by those that are known, and between what they count in training.

    Parameters
    ----------
    table
        Whose cells they are.
    chunks
        Gives all of them, (n, modelled), anew at each call; NaN where missing.
    some
        A sample of them, (m, modelled).
    scaling
        The estimator's option.
    """
    k = len(table.modelled)
    if not isinstance(scaling, str):
        return Scaling.of_chunks([some], scaling), (np.full(k, float(scaling[0])), np.full(k, float(scaling[1])))
    numeric = np.flatnonzero([column.kind in (*NUMBERS, "count") for column in table.modelled])
    # Something ordinary stands for what is missing, so that it is never far from all others.
    known = ~np.isnan(some)
    middle = np.array([np.median(cells[own]) if own.any() else 0.0 for cells, own in zip(some.T, known.T, strict=True)])
    low, high = np.full(k, -np.inf), np.full(k, np.inf)
    if len(numeric):
        found = ordinary_range(lambda: _filled(chunks(), numeric, middle), len(numeric))
        if found is not None:
            low[numeric], high[numeric] = found
    n, total, squares = np.zeros(k), np.zeros(k), np.zeros(k)
    least, most = np.full(k, np.inf), np.full(k, -np.inf)
    for chunk in chunks():
        x = chunk.clip(low, high)
        away = np.nan_to_num(x - middle)
        n, total, squares = n + (~np.isnan(x)).sum(0), total + away.sum(0), squares + (away**2).sum(0)
        least, most = np.fmin(least, np.fmin.reduce(x)), np.fmax(most, np.fmax.reduce(x))
    if scaling == "global":
        return Scaling("global", np.full(k, least.min()), np.full(k, (most.max() - least.min()) or 1.0)), (low, high)
    means = total / np.maximum(n, 1)
    deviations = np.sqrt(np.maximum(squares / np.maximum(n, 1) - means**2, 0))
    offset, scale = np.zeros(k), np.ones(k)
    offset[numeric] = (middle + means)[numeric]
    scale[numeric] = np.where(deviations > 0, deviations, 1.0)[numeric]
    return Scaling("feature", offset, scale), (low, high)


def _filled(chunks: Iterable[Array], columns: NDArray[np.int64], values: NDArray[np.float64]) -> Iterator[Array]:
    for chunk in chunks:
        own = chunk[:, columns]
        yield np.where(np.isnan(own), values[columns], own)
