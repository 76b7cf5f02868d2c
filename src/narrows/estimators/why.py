"""Why examples are odd, before it is put into words, which many rows take longer for than for much else."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narrows.arguments import choice
from narrows.estimators.attributes import FittedAttributes
from narrows.estimators.rows import rows_of
from narrows.estimators.targets import context_of, refuse_pairs
from narrows.fitted.explaining import Nearest, nearest_ordinary
from narrows.fitted.fitted import Fitted
from narrows.fitted.limits import limit, rate_of
from narrows.fitted.reference import SCORES
from narrows.fitted.source import Source
from narrows.training.own_state import in_own_state

__all__ = ["Why", "columns_of", "ordinary_of", "why"]

Array = NDArray[np.floating]


class Why(NamedTuple):
    """Why examples are odd, in numbers: what `Scoring.explain` puts as X is, and in words.

    Attributes
    ----------
    source
        The examples as rows.
    nearest
        The nearest ordinary ones, scaled.
    p_values, odd, ordinary
        Of their cells, and the nearest ordinary ones in the units of X, (n, d).
    rate
        As in `narrows.fitted.explaining.Explanation`.
    """

    source: Source
    nearest: Nearest
    p_values: NDArray[np.float64]
    odd: NDArray[np.bool_]
    ordinary: Array
    rate: float


@in_own_state
def why(estimator: FittedAttributes, X: ArrayLike, y: ArrayLike | None, by: str, false_alarms: float | None) -> Why:
    """Return why examples are odd; for the parameters and errors see `Scoring.explain`."""
    fitted, source = estimator.fitted_, rows_of(estimator, X)
    refuse_pairs("explain", source, y)
    share = rate_of(fitted.contamination, estimator.false_alarms if false_alarms is None else false_alarms)
    found = limit(fitted, choice("by", by, SCORES), share)
    if fitted.contamination is None:
        share = found.asked
    rows = source.rows()
    context, x = context_of(fitted, y, len(source)), fitted.scaling.apply(rows).astype(np.float64)
    surprise, odd = fitted.cells.odd(x, context, share)
    nearest = nearest_ordinary(fitted, x, context, surprise, odd, by, found.score, estimator.device)
    ordinary = np.where(nearest.changed, fitted.scaling.undo(nearest.x), rows)
    return Why(source, nearest, np.exp(-surprise), odd, ordinary, share)


def columns_of(fitted: Fitted) -> tuple[str, ...]:
    """Return the names of the columns that a model learned from; none of pixels."""
    if fitted.table is not None:
        return tuple(str(column.name) for column in fitted.table.modelled)
    names = fitted.feature_names or range(fitted.features)
    return tuple(map(str, names)) if len(fitted.input_shape) == 1 else ()


def ordinary_of(fitted: Fitted, X: Any, found: Why) -> Any:
    """Return the nearest ordinary examples, rows of a table as ``X``, all else as what the model was fitted to."""
    if fitted.table is not None:
        # What was missing and stays so is no gap to be filled.
        return fitted.table.with_gaps_filled(X, np.where(found.nearest.changed, np.nan, 0.0), found.ordinary)
    shaped = found.ordinary.astype(found.source.dtype).reshape(found.source.shape)
    return shaped if fitted.frame is None else fitted.frame.filled(shaped, fitted.feature_names, X)
