"""The cells of a table's rows: which of them are odd, and all as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.columns.column import LEVELS, Column
from narrows.columns.table import Table
from narrows.estimators.base import BottleneckEstimator
from narrows.estimators.rows import rows_of
from narrows.estimators.targets import examples_of
from narrows.fitted.fitted import Fitted
from narrows.fitted.scores import cell_excess, oddness
from narrows.fitted.source import Source

__all__ = ["OddCells", "differences", "made", "odd_cells", "texts_of", "together"]

Array = NDArray[Any]

MOST_ODD, CANDIDATES = 8, 8
"""Cells of a row that are called odd, at most, and of which each is one of those that cost most."""

SHORT, LONG = 1e4, 1e9
"""Numbers between them are shown without decimals and powers of ten."""


@dataclass(frozen=True, slots=True)
class OddCells:
    """Which cells of odd rows of a table are odd.

    Attributes
    ----------
    odd
        (n, columns), of the columns that are learned from.
    excess
        (n, columns), by how many nats each cell is odder than its column's usually are; NaN where one is missing.
    """

    odd: NDArray[np.bool_]
    excess: NDArray[np.float64]


def odd_cells(
    estimator: BottleneckEstimator, X: Any, y: Array | None, scores: NDArray[np.float64], limit: float, by: str
) -> OddCells:
    """Return which cells make rows odd: those without which, as if they were missing, a row is as ordinary as any.

    One cell after another is hidden, each time the one without which the row's score is lowest: a wild value also
    makes what is next to it look odd, but not once it is hidden.

    Parameters
    ----------
    estimator, X, y
        A model of a table, and rows for it, with their classes if it is conditional.
    scores, limit, by
        The rows' anomaly scores, (n,), above which of them a row is odd, and what they go by.
    """
    fitted = estimator.fitted_
    passes, cells = fitted.on(estimator.device), rows_of(estimator, X).rows().copy()

    def examples(some: NDArray[np.floating], rows: NDArray[np.int64]) -> Any:
        source = Source(some, some.shape, streamed=False)
        return examples_of(fitted, source, None if y is None else y[rows])

    def scored(some: NDArray[np.floating], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        kind = "likelihood" if by == "likelihood" else "reconstruction"
        return oddness(passes, fitted.scaling, examples(some, rows), kind)

    excess = cell_excess(passes, examples(cells, np.arange(len(cells))))
    odd, rows = np.zeros(excess.shape, bool), np.flatnonzero(scores > limit)
    now = excess[rows]
    for _ in range(MOST_ODD):
        several = (~np.isnan(now)).sum(1) > 1
        rows, now = rows[several], now[several]
        if not len(rows):
            break
        tried = np.argsort(np.where(np.isnan(now), np.inf, -now), axis=1)[:, :CANDIDATES]
        known = np.take_along_axis(~np.isnan(now), tried, 1)
        trials = np.repeat(cells[rows], tried.shape[1], 0)
        trials[np.arange(len(trials)), tried.ravel()] = np.nan
        left = np.where(known, scored(trials, np.repeat(rows, tried.shape[1])).reshape(tried.shape), np.inf)
        places = np.take_along_axis(tried, left.argmin(1)[:, None], 1)[:, 0]
        odd[rows, places], cells[rows, places] = True, np.nan
        rows = rows[left.min(1) > limit]
        now = cell_excess(passes, examples(cells[rows], rows)) if len(rows) else now[:0]
    return OddCells(odd, excess)


def differences(fitted: Fitted, examples: Any, others: Any) -> NDArray[np.float64]:
    """Return the squared differences of a table's cells, (n, columns), in scaled units; of levels whether they differ.

    0 where a cell is missing, and 1 where it is among the ``others``.
    """
    table = fitted.table
    assert table is not None
    one, other = (fitted.scaling.apply(table.cells(X)).astype(np.float64) for X in (examples, others))
    of_levels = np.array([column.kind in LEVELS for column in table.modelled])
    squares: NDArray[np.float64] = np.where(of_levels, one != other, np.square(one - other))
    return np.where(np.isnan(one), 0.0, np.where(np.isnan(other), 1.0, squares))


def made(fitted: Fitted, examples: Any) -> Any:
    """Return what a model has made as it is written: a table's rows in their own types, all else as an array."""
    return np.asarray(examples) if fitted.table is None else examples


def together(fitted: Fitted, parts: Sequence[Any]) -> Any:
    """Return examples one after another: as rows of a frame, of the columns that all have, if they are a table's."""
    if fitted.table is None or not all(isinstance(part, pd.DataFrame) for part in parts):
        return np.concatenate([np.asarray(part) for part in parts])
    return pd.concat([part.astype(object) for part in parts], join="inner", ignore_index=True)


def texts_of(table: Table, X: Any) -> Array:
    """Return the cells (n, columns) of rows ``X`` that a table is learned from, as they are shown; "" where missing."""
    frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X))
    places = {str(name): place for place, name in enumerate(frame.columns)}
    each = [_texts(column, frame.iloc[:, places[str(column.name)]]) for column in table.modelled]
    return np.array(each, object).T.reshape(len(frame), len(each))


def _texts(column: Column, cells: pd.Series[Any]) -> Sequence[str]:
    shown = cells.astype(object).where(cells.notna(), None)
    if column.kind in LEVELS or column.family in ("text", "span"):
        return ["" if cell is None else str(cell) for cell in shown]
    if column.kind == "date":
        return ["" if cell is None else str(cell).removesuffix(" 00:00:00") for cell in shown]
    return ["" if cell is None else _number(cell) for cell in shown]


def _number(cell: float) -> str:
    return f"{cell:,.0f}" if SHORT <= abs(cell) < LONG else f"{cell:.5g}"
