"""Which examples are odd to a model, in its folder: a table and a sheet, the oddest first."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from narrows.arguments import choice
from narrows.data.dataset import Dataset
from narrows.data.errors import DataError
from narrows.data.take import take
from narrows.estimators.base import BottleneckEstimator
from narrows.evaluation.anomalies import p_values
from narrows.fitted.limits import limit as limit_of
from narrows.fitted.limits import rate_of
from narrows.fitted.reference import SCORES
from narrows.runs.captions import captions, file_name, scored, with_article
from narrows.runs.cells import explained, heat_of, reasons
from narrows.runs.files import Written, new_folder, write_columns, write_figures, write_json
from narrows.runs.pictures import are_written, draw_odd
from narrows.runs.writing import known_of

if TYPE_CHECKING:  # it takes a third of a second, and who draws has it
    from matplotlib.figure import Figure

__all__ = ["Rule", "exceeded", "find_anomalies"]

Array = NDArray[Any]

ODDEST, ODDEST_ROWS = 36, 20
"""Examples on a sheet of odd ones, and rows of a table."""


class Rule(NamedTuple):
    """When an example is odd.

    Attributes
    ----------
    by
        What scores go by.
    false_alarms, promised
        The share of ordinary examples that may be called odd, and that can be promised.
    contamination
        Which share of the examples that the model has learned from is odd; None if none is said to be.
    compared
        Scores of ordinary examples that were held out, or of those learned from where some are odd, (m,).
    limit
        Scores above it are odd.
    """

    by: str
    false_alarms: float
    promised: float
    contamination: float | str | None
    compared: Array
    limit: float

    @classmethod
    def of(cls, estimator: BottleneckEstimator, by: str, false_alarms: float | None) -> Rule:
        """Return it of a model; for the parameters and errors see `find_anomalies`."""
        fitted, by = estimator.fitted_, choice("by", by, SCORES)
        asked = rate_of(fitted.contamination, estimator.false_alarms if false_alarms is None else false_alarms)
        try:
            found = limit_of(fitted, by, asked)
        except ValueError as error:
            raise DataError(str(error)) from error
        compared = fitted.held_out(by) if fitted.contamination is None else fitted.given(by)
        return cls(by, asked, found.promised, fitted.contamination, compared, found.score)

    @property
    def rate(self) -> float | None:
        """What `explain` is asked for: of a model with a contamination nothing."""
        return self.false_alarms if self.contamination is None else None

    @property
    def told(self) -> dict[str, Any]:
        """What a run's numbers say of it."""
        return {
            "by": self.by,
            "false_alarms": self.false_alarms,
            "promised": self.promised,
            "contamination": self.contamination,
            "threshold": self.limit,
            "held_out": len(self.compared),
        }


def find_anomalies(
    estimator: BottleneckEstimator,
    dataset: Dataset,
    out: Path | None = None,
    *,
    by: str = "auto",
    false_alarms: float | None = None,
) -> Written:
    """Write which examples are odd, the oddest first, as a table and a sheet.

    Among the numbers, ``promised`` is the share of ordinary examples that are called odd, at most: more than
    ``false_alarms`` where too few examples were held out in the training to promise as little, and up to a fifth more
    by ``"auto"``; ``oddest`` are the names of files or, of data that come from none, places. P-values are by the
    held-out examples alone. Of a model with a contamination, all of these are of the examples that it was given, odd
    ones among them.

    Parameters
    ----------
    estimator, dataset
        A model, and examples for it.
    out
        As in `narrows.runs.files.new_folder`.
    by
        As in `anomaly_score`.
    false_alarms
        The share of ordinary examples that may be called odd; None takes the model's.

    Raises
    ------
    DataError
        If nothing was held out in the training that a threshold could be taken from.
    """
    rule = Rule.of(estimator, by, false_alarms)
    scores = estimator.anomaly_score(dataset.X, dataset.y, by=by)
    limit, odd = rule.limit, scores > rule.limit
    order = np.argsort(-scores, kind="stable")
    folder = new_folder(out, f"anomalies-{dataset.name}")
    known = {name: values[order] for name, values in known_of(dataset).items()}
    p = p_values(scores, rule.compared)
    columns: dict[str, Array] = {"example": order, "score": scores[order], "p_value": p[order], "odd": odd[order]}
    why = reasons(estimator, dataset.X, dataset.y, odd, by, rule.rate)
    columns |= {name: texts[order] for name, texts in why.items()}
    table = estimator.fitted_.table
    numbers = {
        "examples": len(scores),
        **rule.told,
        "odd": int(odd.sum()),
        "oddest": [file_name(dataset, row) or int(row) for row in order[:ODDEST_ROWS]],
    }
    files = [
        write_columns(folder / "anomalies.csv", columns, known),
        write_json(folder / "results.json", numbers),
    ]
    if table is not None:
        each = np.asarray(estimator.error_map(dataset.X, dataset.y if estimator.fitted_.conditional else None))
        nats = {str(column.name): own for column, own in zip(table.modelled, each.T, strict=True)}
        files.append(write_columns(folder / "nats.csv", {"example": np.arange(len(scores)), **nats}, {}))
    shown = order[: ODDEST_ROWS if are_written(estimator.fitted_) else ODDEST]
    heat = _heat(estimator, dataset, shown, odd[shown], rule)
    thing = "pixels" if len(estimator.fitted_.input_shape) > 1 else "cells"
    marked = "their errors" if heat is None else f"the {thing} that make them odd"
    title = (
        f"The oddest of {dataset.name} to {with_article(estimator.fitted_.kind)}{scored(by, ', ')}, with {marked} in "
        f"orange; scores above {limit:.3g} are odd; {exceeded(rule.promised, rule.contamination)} this"
    )
    draw = partial(_sheet, estimator, dataset, shown, scores[shown], odd[shown], title, heat)
    return Written(numbers, [*write_figures(folder, {"anomalies": draw}), *files])


def exceeded(share: float, contamination: float | str | None) -> str:
    """Return who exceeds a threshold, in words, of which that ``share`` does."""
    if contamination is None:
        return f"at most {100 * share:.3g}% of ordinary examples exceed"
    return f"{100 * share:.3g}% of the examples learned from exceed"


def _sheet(
    estimator: BottleneckEstimator,
    dataset: Dataset,
    rows: Array,
    scores: Array,
    odd: Array,
    title: str,
    heat: Array | None = None,
) -> Figure:
    X = take(dataset.X, rows)
    y = dataset.y[rows] if dataset.y is not None and estimator.fitted_.conditional else None
    labels = [
        f"{'odd ' if is_odd else ''}{score:.3g}\n{caption.splitlines()[-1]}"
        for is_odd, score, caption in zip(odd, scores, captions(dataset, rows), strict=True)
    ]
    return draw_odd(estimator.fitted_, X, estimator.reconstruct(X, y), title=title, labels=labels, heat=heat)


def _heat(estimator: BottleneckEstimator, dataset: Dataset, rows: Array, odd: Array, rule: Rule) -> Array | None:
    """Return how strongly what is odd in the examples ``rows`` (k,) is to be marked; None where errors are to be."""
    fitted = estimator.fitted_
    if not fitted.explains:
        return None if fitted.table is None else np.zeros((len(rows), fitted.features))
    found = explained(estimator, dataset.X, dataset.y, rows, rule.by, rule.rate)
    return heat_of(found, odd if are_written(fitted) else None)
