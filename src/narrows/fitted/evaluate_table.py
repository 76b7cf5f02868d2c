"""What an evaluation says of a table: errors of its cells and columns, and generated rows beside real ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot

from narrows.columns.coded import Coded
from narrows.columns.column import DAY, LEVELS, Column
from narrows.columns.table import Table
from narrows.evaluation.boosted import told_from_real, usefulness
from narrows.evaluation.columns import Measure, column_errors
from narrows.evaluation.comparison import Comparison, compared_errors
from narrows.evaluation.copying import Copying, copying
from narrows.evaluation.distributions import pairs, spreads
from narrows.evaluation.far import FarValue, ordinary_range
from narrows.evaluation.intervals import Estimate
from narrows.evaluation.likeness import FEWEST_EXAMPLES, Likeness, likeness
from narrows.evaluation.summary import OfTable
from narrows.fitted.fitted import Fitted
from narrows.fitted.imputing import simulated
from narrows.fitted.passes import Passes
from narrows.fitted.subsets import Subset, feature_map
from narrows.models.model import Batch, BottleneckModel
from narrows.models.priors.base import StandardNormal
from narrows.training.examples import Examples

__all__ = ["cell_errors", "compared_cells", "errors_of_codes", "far_cells", "in_units", "table_evaluated"]

Rows = NDArray[np.floating]

ROUNDING = float(np.finfo(np.float32).eps) ** 2


def cell_errors(passes: Passes, examples: Examples) -> NDArray[np.float64]:
    """Return how badly each cell is given back, (n, columns): 1 by its column's mean or shares; NaN where missing."""

    def errors(model: BottleneckModel, part: Batch) -> Tensor:
        h = model.output(model.bottleneck.snap(model.encode(*part.seen)), part.context)
        return model.likelihood.error_terms(part.x, h)

    found: NDArray[np.float64] = passes.apply(errors, examples).numpy()
    return found


def errors_of_codes(model: BottleneckModel, x: Tensor, z: Tensor, context: Tensor | None) -> NDArray[np.float64]:
    """Return the error of each of scaled ``x`` (n, columns) by codes ``z`` (n, latent_dim), (n,)."""
    with torch.no_grad():
        errors: NDArray[np.float64] = model.likelihood.error(x, model.output(model.bottleneck.snap(z), context)).numpy()
    return errors


def compared_cells(fitted: Fitted, x: Rows, lost: NDArray[np.float64], seed: int) -> Comparison:
    """Return how well cells ``x`` come back, by `cell_errors`, compared with principal components and the mean."""
    coded, components = _coded(fitted), fitted.reference.components
    numbers = coded.numbers(x)
    both = (
        coded.errors(x, each)
        for each in (components.restored(numbers), np.broadcast_to(components.mean, numbers.shape))
    )
    # As many components as columns copy them, but for rounding, which a ratio can be of.
    rows = (np.maximum(np.nanmean(each, 1), ROUNDING) for each in (lost, *both))
    return compared_errors(*rows, random_state=seed)


def far_cells(fitted: Fitted, test: Subset, seen: Subset) -> Iterator[FarValue]:
    """Yield the numbers that are far from all others of their column, the farthest of each column first."""
    x, rows = np.concatenate([test.x, seen.x]), np.concatenate([test.rows, seen.rows])
    units = fitted.scaling.undo(x)
    for place, column in enumerate(_table(fitted).modelled):
        known = np.flatnonzero(~np.isnan(x[:, place]))
        own = units[known, place].astype(np.float64)
        found = None if column.kind in LEVELS else ordinary_range(partial(_alone, own), 1)
        if found is None:
            continue
        low, high = (float(each[0]) for each in found)
        away = np.maximum(low - own, own - high)
        for at in np.argsort(-away)[: int((away > 0).sum())]:
            shown = [_shown(column, value) for value in (own[at], low, high)]
            row = known[at]
            yield FarValue(int(rows[row]), bool(row >= len(test.x)), fitted.words_of(place), *shown)


def _alone(column: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    return [column[:, None]]


def _shown(column: Column, cell: float) -> float | str:
    """Return a cell in its unit, a date as it is written."""
    value = _in_unit(column, np.array([cell]))[0]
    if column.kind != "date":
        return float(value)
    return str(np.datetime64(round(value * DAY), "s")).removesuffix("T00:00:00")


def table_evaluated(
    fitted: Fitted, test: Subset, seen: Subset, restored: Rows, lost: NDArray[np.float64], seed: int
) -> tuple[OfTable, Likeness | None, Copying | None]:
    """Return what there is to say of columns, how like the test examples new ones are, and whether those are copies.

    Parameters
    ----------
    fitted, test, seen, seed
        As in `narrows.fitted.evaluate.evaluate`.
    restored, lost
        What the model makes of the test examples, and `cell_errors`.
    """
    columns = _table(fitted).modelled
    described = [(str(column.name), column.kind, _measure(column), _unit(column)) for column in columns]
    pca = _coded(fitted).cells(fitted.reference.components.restored(_coded(fitted).numbers(test.x)))
    truth, own, linear = (_in_units(fitted, x) for x in (test.x, restored, pca))
    found = OfTable(column_errors(described, truth, own, linear, lost, random_state=seed))
    made, labels = _generated(fitted, max(len(test.x), len(seen.x)), test.x, seed)
    coded = _coded(fitted)
    features = feature_map(coded.numbers(test.x), None, (coded.width,))
    real, new = (features(coded.numbers(x)) for x in (test.x, made[: len(test.x)]))
    copied = copying(new, features(coded.numbers(seen.x)), real, random_state=seed) if len(seen.rows) else None
    if len(test.x) < FEWEST_EXAMPLES:
        return found, None, copied
    named = [(str(column.name), tuple(map(str, column.levels)) if column.kind in LEVELS else ()) for column in columns]
    is_level = np.array([column.kind in LEVELS for column in columns])
    by_real, by_generated = _by_trees(fitted, test, seen, made, labels, is_level, seed)
    found = replace(
        found,
        spreads=spreads(test.x, made, named, random_state=seed),
        pairs=pairs(test.x, made, named, random_state=seed) if len(columns) > 1 else None,
        told=told_from_real(test.x, made, is_level, random_state=seed),
        by_real=by_real,
        by_generated=by_generated,
    )
    return found, likeness(real, new, random_state=seed), copied


def _generated(fitted: Fitted, n: int, x: Rows, seed: int) -> tuple[Rows, NDArray[np.int64]]:
    """Return scaled cells (n, columns) as `sample` draws them, missing where rows of ``x`` miss some, and classes."""
    generator, prior = torch.Generator().manual_seed(seed), fitted.model.prior
    z, labels = prior.sample(n, generator)
    context = one_hot(labels, len(prior.frequencies)).float() if fitted.conditional else None
    cells = fitted.scaling.undo(simulated(fitted, z, context, generator)).astype(np.float64)
    for place, column in enumerate(_table(fitted).modelled):
        if column.kind not in LEVELS:  # as rows come out: on the column's grid, and within its range
            values = replace(column, form="").values(cells[:, place], bounded=True).astype(np.float64)
            cells[:, place] = column.logarithms(values) if column.kind == "positive" else values
    made = fitted.scaling.apply(cells)
    rows = np.random.default_rng(seed).integers(len(x), size=n)
    return np.where(np.isnan(x[rows]), np.nan, made), labels.numpy()


def _by_trees(
    fitted: Fitted,
    test: Subset,
    seen: Subset,
    made: Rows,
    labels: NDArray[np.int64],
    is_level: NDArray[np.bool_],
    seed: int,
) -> tuple[Estimate | None, Estimate | None]:
    """Return how well trees tell the classes of the test examples, learned from real rows, and from generated ones."""
    no_classes = fitted.classes is None or test.labels is None or seen.labels is None or not len(seen.rows)
    of_no_class = isinstance(fitted.model.prior, StandardNormal) and not fitted.conditional
    if no_classes or of_no_class:
        return None, None
    classes: NDArray[Any] = fitted.require_classes()
    real, told = np.asarray(seen.labels), np.asarray(test.labels)
    if not np.isin(told, classes).all():
        return None, None
    each = ((seen.x, real), (made[: len(real)], classes[labels[: len(real)]]))
    by_real, by_generated = (usefulness(one, (test.x, told), is_level, random_state=seed) for one in each)
    return by_real, by_generated


def in_units(fitted: Fitted, X: Any) -> NDArray[np.float64]:
    """Return cells in each column's unit, dates in days since 1970, of levels their places, (n, columns)."""
    cells = _table(fitted).cells(X)
    return np.stack([_in_unit(column, own) for column, own in zip(_table(fitted).modelled, cells.T, strict=True)], 1)


def _table(fitted: Fitted) -> Table:
    assert fitted.table is not None
    return fitted.table


def _coded(fitted: Fitted) -> Coded:
    return Coded(_table(fitted).modelled)


def _measure(column: Column) -> Measure:
    if column.kind in LEVELS:
        return "share wrong"
    return "mean absolute error" if column.kind == "positive" else "root mean squared error"


def _unit(column: Column) -> str:
    return "days" if column.kind == "date" else "seconds" if column.family == "span" else ""


def _in_units(fitted: Fitted, x: Rows) -> NDArray[np.float64]:
    """Return scaled cells in each column's unit, (n, columns), as `column_errors` takes them."""
    cells, columns = fitted.scaling.undo(x.astype(np.float64)), _table(fitted).modelled
    unseen = cells >= [len(column.levels) if column.kind in LEVELS else np.inf for column in columns]
    units = np.stack([_in_unit(column, own) for column, own in zip(columns, cells.T, strict=True)], 1)
    return np.where(unseen, np.inf, units)


def _in_unit(column: Column, cells: NDArray[np.float64]) -> NDArray[np.float64]:
    if column.kind in LEVELS:
        return cells
    values = replace(column, form="").values(cells, bounded=False).astype(np.float64)
    return np.where(np.isnan(cells), np.nan, values / DAY if column.kind == "date" else values)
