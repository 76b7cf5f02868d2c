"""How well does each column of a table come back? In its own terms, and compared with components and with one value.

A number's error is in its unit, that of a skewed one by its median, which few large values do not decide; of levels it
is how often another one comes back. What share of all that there is to know of a column is lost compares columns of
different kinds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from narrows.arguments import RandomState
from narrows.evaluation.intervals import Estimate, bootstrap_means

__all__ = ["ColumnError", "Measure", "column_errors"]

Array = NDArray[np.float64]

Measure = Literal["root mean squared error", "mean absolute error", "share wrong"]

CONSTANTS: dict[Measure, str] = {
    "root mean squared error": "mean",
    "mean absolute error": "median",
    "share wrong": "most frequent",
}
"""The one value for all of which each measure is least."""

FEWEST_CELLS = 2
"""Known cells from which on a column is measured."""


@dataclass(frozen=True, slots=True)
class ColumnError:
    """How well a column comes back.

    Attributes
    ----------
    name, kind
        Of the column.
    measure, unit
        What the first three numbers are: of a date in days, of a number in its own unit, whatever that is: "".
    constant
        Which value for all ``usual`` is by: the best that there is for these examples.
    cells
        Known ones, in the examples that it is measured on.
    model, pca, usual
        The error of the model, of as many principal components of the coded columns, and of one value for all.
    lost
        The model's squared error, of levels that of their probabilities, relative to that of the training data's mean
        or shares: 0 where all comes back, 1 where nothing is known of the column.
    """

    name: str
    kind: str
    measure: Measure
    unit: str
    constant: str
    cells: int
    model: Estimate
    pca: Estimate
    usual: Estimate
    lost: Estimate

    @property
    def over_usual(self) -> tuple[float, float]:
        """The model's error, and that of the components, relative to that of one value for all.

        Where that makes no error, another that makes none is as good, 1, and one that does is infinitely worse.
        """
        usual = self.usual.value
        if usual:
            return self.model.value / usual, self.pca.value / usual
        ours, pca = (math.inf if error.value else 1.0 for error in (self.model, self.pca))
        return ours, pca


def column_errors(
    columns: Sequence[tuple[str, str, Measure, str]],
    cells: Array,
    model: Array,
    pca: Array,
    lost: Array,
    *,
    random_state: RandomState = 0,
) -> tuple[ColumnError, ...]:
    """Return the error of each column of which enough cells are known.

    Parameters
    ----------
    columns
        Name, kind, measure and unit of each.
    cells, model, pca
        (n, columns) in each column's unit, of levels their places: the truth, NaN where missing and infinity where a
        level was never seen, which nothing brings back; and what the model and the components make of it.
    lost
        (n, columns), as in `ColumnError`; NaN where missing.
    random_state
        As in `narrows.evaluation.intervals.bootstrap_means`.
    """
    each = [
        np.stack(
            [_terms(measure, cells[:, j], other) for other in (model[:, j], pca[:, j], _best(measure, cells[:, j]))]
        )
        for j, (*_, measure, _) in enumerate(columns)
    ]
    known = (~np.isnan(cells)).sum(0)
    measured = np.flatnonzero(known >= FEWEST_CELLS).tolist()
    terms = np.concatenate([np.concatenate([each[j], lost[:, [j]].T]) for j in measured]).T
    found = iter(bootstrap_means(terms, random_state=random_state))
    errors = []
    for j in measured:
        name, kind, measure, unit = columns[j]
        of_model, of_pca, usual = (
            _rooted(next(found)) if measure == "root mean squared error" else next(found) for _ in range(3)
        )
        told = name, kind, measure, unit, CONSTANTS[measure], int(known[j])
        errors.append(ColumnError(*told, of_model, of_pca, usual, next(found)))
    return tuple(errors)


def _terms(measure: Measure, cells: Array, others: Array | float) -> Array:
    """Return what the measure is the mean of, NaN where a cell is missing."""
    if measure == "share wrong":
        return np.where(np.isnan(cells), np.nan, cells != others)
    away: Array = np.abs(cells - others)
    return np.square(away) if measure == "root mean squared error" else away


def _best(measure: Measure, cells: Array) -> float:
    """Return the one value that the measure is least for."""
    known = cells[np.isfinite(cells)]
    if not len(known):
        return 0.0
    if measure == "share wrong":
        values, counts = np.unique(known, return_counts=True)
        return float(values[counts.argmax()])
    return float(known.mean() if measure == "root mean squared error" else np.median(known))


def _rooted(squared: Estimate) -> Estimate:
    return Estimate(*(float(np.sqrt(value)) for value in (squared.value, squared.low, squared.high)))
