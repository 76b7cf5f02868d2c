"""Which examples are odd to a model, in its folder: a table and a sheet, the oddest first."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from narrows.arguments import choice, rate
from narrows.data.dataset import Dataset
from narrows.data.errors import DataError
from narrows.data.take import take
from narrows.estimators.base import BottleneckEstimator
from narrows.evaluation.anomalies import p_values, threshold
from narrows.fitted.reference import SCORES
from narrows.runs.captions import captions, with_article
from narrows.runs.cells import odd_cells
from narrows.runs.files import Written, new_folder, write_columns, write_figures, write_json
from narrows.runs.pictures import draw_odd
from narrows.runs.writing import known_of

if TYPE_CHECKING:  # it takes a third of a second, and who draws has it
    from matplotlib.figure import Figure

__all__ = ["Rule", "find_anomalies", "names_of_odd_cells"]

Array = NDArray[Any]

ODDEST, ODDEST_ROWS = 36, 20
"""Examples on a sheet of odd ones, and rows of a table."""

MOST_NATS, LEAST_HEAT = 10.0, 0.35
"""By how many nats a cell is odder than usual that is marked as strongly as can be, and how strongly one is at least
that makes its row odd."""


class Rule(NamedTuple):
    """When an example is odd.

    Attributes
    ----------
    by
        What scores go by.
    false_alarms, promised
        The share of ordinary examples that may be called odd, and that can be promised.
    held_out
        Scores of ordinary examples that were held out, (m,).
    limit
        Scores above it are odd.
    """

    by: str
    false_alarms: float
    promised: float
    held_out: Array
    limit: float

    @classmethod
    def of(cls, estimator: BottleneckEstimator, by: str, false_alarms: float | None) -> Rule:
        """Return it of a model; for the parameters and errors see `find_anomalies`."""
        asked = rate("false_alarms", estimator.false_alarms if false_alarms is None else false_alarms)
        held_out = estimator.fitted_.held_out(choice("by", by, SCORES))
        if not len(held_out):
            raise DataError(f"by={by!r} has no threshold: this model's training held out no examples for one")
        promised = max(asked, 1 / (len(held_out) + 1))
        return cls(by, asked, promised, held_out, threshold(held_out, promised))

    @property
    def told(self) -> dict[str, Any]:
        """What a run's numbers say of it."""
        return {
            "by": self.by,
            "false_alarms": self.false_alarms,
            "promised": self.promised,
            "threshold": self.limit,
            "held_out": len(self.held_out),
        }


def find_anomalies(
    estimator: BottleneckEstimator,
    dataset: Dataset,
    out: Path | None = None,
    *,
    by: str = "reconstruction",
    false_alarms: float | None = None,
) -> Written:
    """Write which examples are odd, the oddest first, as a table and a sheet.

    Among the numbers, ``promised`` is the share of ordinary examples that are called odd, at most: more than
    ``false_alarms`` where too few examples were held out in the training to promise as little.

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
    p = p_values(scores, rule.held_out)
    columns: dict[str, Array] = {"example": order, "score": scores[order], "p_value": p[order], "odd": odd[order]}
    cells = _Cells.of(estimator, dataset, scores, limit, by) if estimator.fitted_.table is not None else None
    if cells is not None:
        columns["odd_cells"] = cells.named[order]
    numbers = {
        "examples": len(scores),
        **rule.told,
        "odd": int(odd.sum()),
    }
    files = [
        write_columns(folder / "anomalies.csv", columns, known),
        write_json(folder / "results.json", numbers),
    ]
    if cells is not None:
        nats = dict(zip(cells.names, cells.nats.T, strict=True))
        files.append(write_columns(folder / "nats.csv", {"example": np.arange(len(scores)), **nats}, {}))
    shown = order[: ODDEST if cells is None else ODDEST_ROWS]
    marked = "their errors" if cells is None else "cells that cost more nats than usual"
    title = (
        f"The oddest of {dataset.name} to {with_article(estimator.fitted_.kind)}, by {by}, with {marked} in "
        f"orange; scores above {limit:.3g} are odd; at most {rule.promised:.3g} of ordinary examples exceed this"
    )
    heat = None if cells is None else cells.heat[shown]
    draw = partial(_sheet, estimator, dataset, shown, scores[shown], odd[shown], title, heat)
    return Written(numbers, [*write_figures(folder, {"anomalies": draw}), *files])


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


class _Cells(NamedTuple):
    """What there is to say of a table's cells.

    Attributes
    ----------
    names
        Of the columns that are learned from.
    nats
        (n, columns), as `error_map` has them.
    named
        (n,), the names of each odd row's odd cells.
    heat
        (n, columns), from 0 to 1: how strongly each is to be marked.
    """

    names: list[str]
    nats: Array
    named: Array
    heat: Array

    @classmethod
    def of(cls, estimator: BottleneckEstimator, dataset: Dataset, scores: Array, limit: float, by: str) -> _Cells:
        """Return it of a data set, whose rows are odd if their ``scores`` are above the ``limit``."""
        table = estimator.fitted_.table
        assert table is not None
        y = dataset.y if estimator.fitted_.conditional else None
        found = odd_cells(estimator, dataset.X, y, scores, limit, by)
        names = [str(one.name) for one in table.modelled]
        named = names_of_odd_cells(names, found.odd)
        heat = np.clip(np.nan_to_num(found.excess) / MOST_NATS, 0, 1)
        is_odd = np.asarray(found.odd.any(1))
        heat[is_odd] = np.where(found.odd, np.maximum(heat, LEAST_HEAT), 0)[is_odd]
        nats = np.asarray(estimator.error_map(dataset.X, y))
        return cls(names, nats, named, heat)


def names_of_odd_cells(names: list[str], odd: NDArray[np.bool_]) -> Array:
    """Return the names of the columns of each row's odd cells, (n,), by which are ``odd``, (n, columns)."""
    texts = ["; ".join(name for name, is_odd in zip(names, row, strict=True) if is_odd) for row in odd]
    return np.array(texts, object)
