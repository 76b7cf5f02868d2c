"""The cells of rows: which make a row odd; and rows compared, and put together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.columns.column import LEVELS
from narrows.columns.showing import number_text, texts_of
from narrows.data.take import take
from narrows.estimators.base import BottleneckEstimator
from narrows.estimators.why import columns_of, ordinary_of, why
from narrows.fitted.explaining import Explanation
from narrows.fitted.fitted import Fitted

__all__ = ["differences", "explained", "heat_of", "made", "reasons", "together"]

MOST_CELLS = 8
"""Of a row or an image that are named, the oddest."""

MOST_NATS, LEAST_HEAT = 10.0, 0.35
"""The −log p of a cell that is marked as strongly as can be, and how strongly one is at least that is odd."""

Array = NDArray[Any]


def explained(
    estimator: BottleneckEstimator, X: Any, y: Array | None, rows: NDArray[np.int64], by: str, rate: float | None = None
) -> Explanation:
    """Return why those of ``X`` at ``rows`` (k,) are odd ``by`` a score, at a ``rate`` of false alarms, or its own."""
    return estimator.explain(take(X, rows), _at(estimator, y, rows), by=by, false_alarms=rate)


def reasons(
    estimator: BottleneckEstimator, X: Any, y: Array | None, odd: NDArray[np.bool_], by: str, rate: float | None
) -> dict[str, Array]:
    """Return as columns, (n,), what makes each ``odd`` row of ``X`` so: cells, their p-values, and ordinary values.

    The eight oddest of a row stand with semicolons between them, the oddest first, and next to them how many there are
    in all, ``odd_cell_count``; those of rows that are not odd are empty. Of images these are pixels, by where they are,
    and ``odd_pixels`` is how many are odd. There are none where a model's file is of an older narrows.
    """
    fitted, rows = estimator.fitted_, np.flatnonzero(odd)
    if not fitted.explains:
        return {}
    of_images = len(fitted.input_shape) > 1
    counted = "odd_pixels" if of_images else "odd_cell_count"
    names = ("odd_cells", "cell_p_values", "ordinary_values", counted)
    columns = {name: np.full(len(odd), "", object) for name in names}
    if not len(rows):
        return columns
    some = take(X, rows)
    found = why(estimator, some, _at(estimator, y, rows), by, rate)
    p, ordinary = found.p_values, ordinary_of(fitted, some, found)
    ordinary = np.asarray(ordinary) if fitted.table is None else texts_of(fitted.table, ordinary)
    ordinary = ordinary.reshape(len(rows), -1)
    at, places = np.nonzero(found.odd if of_images else found.nearest.changed)
    order = np.lexsort((p[at, places], at))  # of a row the oddest first
    at, places = at[order], places[order]
    ends = np.searchsorted(at, np.arange(len(rows) + 1))
    columns[counted][rows] = list(map(str, np.diff(ends).tolist()))
    shown = np.arange(len(at)) - ends[at] < MOST_CELLS
    at, places = at[shown], places[shown]
    ends = np.searchsorted(at, np.arange(len(rows) + 1))
    known = columns_of(fitted)
    said = [known[place] if known else _pixel(fitted, place) for place in places.tolist()]
    values = list(map(str if fitted.table is not None else number_text, ordinary[at, places].tolist()))
    texts = said, [f"{own:.3g}" for own in p[at, places].tolist()], values
    for name, each in zip(names, texts, strict=False):
        columns[name][rows] = ["; ".join(each[begin:end]) for begin, end in pairwise(ends.tolist())]
    return columns


def _at(estimator: BottleneckEstimator, y: Array | None, rows: NDArray[np.int64]) -> Array | None:
    """Return the classes of those ``rows``, where the model takes them."""
    return y[rows] if y is not None and estimator.fitted_.conditional else None


def _pixel(fitted: Fitted, place: int) -> str:
    """Return where a pixel is: its row, its column and, of colours, its channel."""
    return " ".join(map(str, np.unravel_index(place, fitted.input_shape)))


def heat_of(found: Explanation, rows: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """Return how strongly each cell of examples is to be marked, (n, columns) or (n, H, W), from 0 to 1.

    Those are marked that are odd; of ``rows`` (n,) of a table that are odd, those that make them so, and of its other
    rows all, by how odd they are.
    """
    strength = np.clip(-np.log(np.maximum(found.p_values, np.exp(-MOST_NATS))) / MOST_NATS, 0, 1)
    strong: NDArray[np.float64] = np.maximum(strength, LEAST_HEAT)
    if rows is not None:
        return np.where(rows[:, None], np.where(found.changed, strong, 0.0), strength)
    heat: NDArray[np.float64] = np.where(found.odd, strong, 0.0)
    return heat.max(3) if heat.ndim == 4 else heat


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
