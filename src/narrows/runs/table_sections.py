"""What the report of a model of a table shows: its columns, and rows of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.data.dataset import Dataset
from narrows.drawing.html import table
from narrows.drawing.tables import DrawnColumn, associations, column_bars, spread_sheet
from narrows.estimators.base import BottleneckEstimator
from narrows.evaluation.codes import dead_units
from narrows.evaluation.intervals import Estimate
from narrows.evaluation.summary import Evaluation, OfTable
from narrows.fitted.evaluate_table import in_units
from narrows.fitted.limits import rate_of
from narrows.latent import traverse
from narrows.runs.captions import ranked
from narrows.runs.cells import explained
from narrows.runs.section import Section, four_digits

if TYPE_CHECKING:  # it takes a third of a second, and who draws has it
    from matplotlib.figure import Figure

__all__ = ["columns_of", "rows_of_table"]

SHORT = {"root mean squared error": "RMSE", "mean absolute error": "mean absolute", "share wrong": "share wrong"}

LEVELS = ("binary", "category", "ordered")
"""Kinds of columns whose cells come back as they were, or not."""

NEW = "A code is drawn from the prior, and a row from what the decoder makes of it; seed 0."

Array = NDArray[Any]

ODDEST, SAMPLES, UNITS, STEPS, REACH = 10, 10, 2, 5, 2.0
"""Rows, new ones, units of a traversal, its steps, and how far it goes in standard deviations."""


def columns_of(
    estimator: BottleneckEstimator, examples: Dataset, evaluation: Evaluation, found: OfTable
) -> list[Section]:
    """Return what there is to see of columns."""
    model, d = evaluation.model, evaluation.latent_dim
    bars = (
        "Each column's error on these rows, in its own terms, relative to that of the one best value for all: the "
        "mean, for skewed columns the median, or the most frequent level. "
        f"PCA has {d} components of the coded columns."
    )
    numbers = (
        "Root mean squared errors, mean absolute ones of skewed columns, or shares of levels that come back as others, "
        "with their 95 % intervals. “Lost” is how much of all that varies does not come through the code, by "
        "squared errors and those of probabilities; “spread” how far generated rows are from real ones, as total "
        "variation, next to what that is by chance."
    )
    sections = [
        Section("Columns", bars, partial(_bars, found, model)),
        Section("The columns in numbers", numbers, partial(_numbers, found)),
    ]
    if found.spreads:
        spread = "Real rows in grey, as many generated ones in blue; numbers as densities, levels as shares."
        sections.append(Section("Real and generated", spread, partial(_spreads, estimator, examples, found)))
    if found.pairs is not None:
        pairs = (
            "How much two columns tell of each other, from 0, nothing, to 1: for numbers about their correlation, "
            "without its sign. Where the third matrix is not white, generated rows have lost or invented a connection."
        )
        matrices = partial(associations, found.pairs.names, found.pairs.real, found.pairs.generated)
        sections.append(Section("What goes with what", pairs, matrices))
    return sections


def _bars(found: OfTable, model: str) -> Figure:
    ours, pca = np.array([column.over_usual for column in found.columns]).T
    return column_bars([column.name for column in found.columns], ours, pca, model)


def _numbers(found: OfTable) -> str:
    spreads = {spread.name: spread for spread in found.spreads}
    lines = []
    for column in found.columns:
        spread = spreads.get(column.name)
        measure = SHORT[column.measure] + (f", {column.unit}" if column.unit else "")
        lines.append(
            [
                column.name,
                column.kind,
                measure,
                _with_interval(column.model),
                _three(column.pca.value),
                _three(column.usual.value),
                f"{column.lost.value:.0%}",
                "" if spread is None else f"{spread.distance.value:.3f} ({spread.by_chance:.3f})",
            ]
        )
    return table(["column", "kind", "error", "model", "PCA", "one value", "lost", "spread (by chance)"], lines)


def _with_interval(estimate: Estimate) -> str:
    return f"{_three(estimate.value)} ({_three(estimate.low)} – {_three(estimate.high)})"


def _three(value: float) -> str:
    return f"{value:z,.0f}" if abs(value) >= 1000 or not value else f"{value:.3g}"


def _spreads(estimator: BottleneckEstimator, examples: Dataset, found: OfTable) -> Figure:
    fitted = estimator.fitted_
    assert fitted.table is not None
    real, made = (in_units(fitted, X) for X in (examples.X, estimator.sample(len(examples.X), random_state=0)))
    columns = zip(fitted.table.modelled, found.spreads, real.T, made.T, strict=True)
    return spread_sheet(
        [DrawnColumn(spread.name, column.kind, spread.levels, a, b) for column, spread, a, b in columns]
    )


def rows_of_table(
    estimator: BottleneckEstimator, examples: Dataset, rows: Array, errors: Array, codes: Array
) -> list[Section]:
    """Return what there is to see of the rows ``examples``, which are those at ``rows`` of the data, of these codes."""
    context = examples.y if estimator.fitted_.conditional else None
    rebuilt = (
        "Each row as it was given, and under it what comes back: the first, the best, the median and the worst by "
        "their score. Levels that came back as others are marked."
    )
    moved = (
        "What one number of the code does: a typical row's code with one unit moved by up to two standard deviations. "
        "The units that vary most come first; what has changed from the middle is marked."
    )
    odd = (
        "The rows of the highest scores, and why they are odd. A cell is marked if it is odd by the others of its row, "
        f"at a rate of false discoveries of {rate_of(estimator.fitted_.contamination, estimator.false_alarms):g}."
    )
    return [
        Section("Rows and what comes back", rebuilt, partial(_rebuilt, estimator, examples, rows, errors, context)),
        Section("Traversals", moved, partial(_traversals, estimator, codes, context)),
        Section("New rows", NEW, partial(_samples, estimator)),
        Section("The oddest", odd, partial(_oddest, estimator, examples, rows, errors)),
    ]


def _rebuilt(
    estimator: BottleneckEstimator, examples: Dataset, rows: Array, errors: Array, context: Array | None
) -> str:
    ranks, chosen = zip(*ranked(errors), strict=True)
    few = examples.at(list(chosen))
    restored = _frame(estimator.reconstruct(few.X, None if context is None else few.y))
    given = _frame(few.X)[list(restored.columns)]
    assert estimator.fitted_.table is not None
    levels = {str(column.name) for column in estimator.fitted_.table.modelled if column.kind in LEVELS}
    is_level = given.columns.isin(levels)
    lines: list[list[str]] = []
    marks: list[list[bool]] = []
    texts = zip(_texts(given), _texts(restored), given.notna().to_numpy() & is_level, strict=True)
    for rank, row, (before, after, known) in zip(ranks, rows[list(chosen)], texts, strict=True):
        lines += [[str(row), rank, *before], ["", "comes back", *after]]
        wrong = [bool(a != b and told) for a, b, told in zip(before, after, known, strict=True)]
        marks += [[False] * (2 + len(before)), [False, False, *wrong]]
    return table(["row", "", *given.columns], lines, marks)


def _traversals(estimator: BottleneckEstimator, codes: Array, context: Array | None) -> str:
    center, spread = np.median(codes, axis=0), codes.std(0)
    typical = int(np.square((codes - center) / np.where(dead_units(codes), 1, spread)).sum(1).argmin())
    steps = np.linspace(-REACH, REACH, STEPS)
    label = None if context is None else np.repeat(context[[typical]], STEPS)
    lines: list[list[str]] = []
    marks: list[list[bool]] = []
    for unit in np.argsort(-spread, kind="stable")[:UNITS].tolist():
        ways = codes[typical, unit] + spread[unit] * steps
        moved = _frame(estimator.inverse_transform(traverse(codes[typical], unit, ways), label))
        texts = _texts(moved)
        for step, row in zip(steps, texts, strict=True):
            lines.append([f"unit {unit}", f"{step:+.1f} sd" if step else "as it is", *row])
            marks.append([False, False, *(a != b for a, b in zip(row, texts[STEPS // 2], strict=True))])
    return table(["", "", *moved.columns], lines, marks)


def _samples(estimator: BottleneckEstimator) -> str:
    made = _frame(estimator.sample(SAMPLES, random_state=0))
    return table(list(made.columns), _texts(made))


def _oddest(estimator: BottleneckEstimator, examples: Dataset, rows: Array, errors: Array) -> str:
    chosen = np.argsort(-errors, kind="stable")[:ODDEST]
    few = examples.at(chosen)
    given = _frame(few.X)
    marks, why = pd.DataFrame(index=range(len(chosen))), [""] * len(chosen)
    if estimator.fitted_.explains:
        found = explained(estimator, few.X, few.y, np.arange(len(chosen)), estimator.fitted_.best_score)
        marks, why = pd.DataFrame(found.odd, columns=found.columns), list(found.sentences)
    marks = marks.reindex(columns=list(given.columns), fill_value=False)
    each = zip(rows[chosen], errors[chosen], why, _texts(given), strict=True)
    lines = [[str(row), f"{error:.3g}", reason, *texts] for row, error, reason, texts in each]
    return table(["row", "score", "", *given.columns], lines, [[False] * 3 + [*row] for row in marks.to_numpy()])


def _frame(X: Any) -> pd.DataFrame:
    """Return rows as a frame of pandas with the columns' names in words."""
    if isinstance(X, np.ndarray):
        X = pd.DataFrame(X, columns=range(X.shape[1]))
    frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame({name: X[name].to_list() for name in X.columns})
    return frame.set_axis(frame.columns.map(str), axis=1)


def _texts(frame: pd.DataFrame) -> list[list[str]]:
    columns: list[list[str]] = [[_text(value) for value in frame[name]] for name in frame.columns]
    return list(map(list, zip(*columns, strict=True)))


def _text(value: Any) -> str:
    if pd.isna(value):
        return "–"
    if isinstance(value, pd.Timestamp):
        return str(value).removesuffix(" 00:00:00")
    if _is_number(value):
        return four_digits(float(value))
    return str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
