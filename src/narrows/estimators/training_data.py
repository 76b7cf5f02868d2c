"""From what `fit` is given to a `TrainingSet`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from narrows.columns.finding import Asked
from narrows.columns.table import Table
from narrows.data.parquet_rows import ParquetRows
from narrows.estimators.attributes import FittedAttributes
from narrows.estimators.rows import rows_to_fit, weights_of
from narrows.estimators.targets import are_pairs, clean_to_fit, refuse_table
from narrows.fitted.blocks import at_once
from narrows.fitted.training_set import TrainingSet

__all__ = ["coded", "refuse_beside_rows", "training_set_of"]


def training_set_of(
    estimator: FittedAttributes, X: ArrayLike, y: ArrayLike | None, sample_weight: ArrayLike | None
) -> TrainingSet:
    """Return ``X`` to learn from, with the classes ``y``; or ``y``, if they are clean examples and X the noisy ones."""
    if isinstance(X, ParquetRows):
        refuse_beside_rows(estimator, y, sample_weight)
        return TrainingSet.of_rows(coded(X, estimator.columns), estimator.scaling, estimator.validation_fraction)
    given = rows_to_fit(X, type(estimator).__name__, estimator.columns, sample_weight)
    clean = None
    if are_pairs(estimator, given.source.shape, y):
        refuse_table("X", given.table)
        clean = clean_to_fit(y, given.source, given.feature_names, type(estimator).__name__)
    return TrainingSet.of(
        given.source if clean is None else clean,
        y if clean is None else None,
        weights_of(sample_weight, len(given.source)),
        feature_names=given.feature_names,
        frame=given.frame,
        table=given.table,
        scaling=estimator.scaling,
        conditional=estimator.conditional,
        noisy=None if clean is None else given.source,
    )


def coded(rows: ParquetRows, asked: Asked) -> ParquetRows:
    """Return rows as they are learned from: as floats, or as the cells of a table, whose columns a pass finds once.

    Parameters
    ----------
    rows
        Larger than memory.
    asked
        The estimator's option ``columns``.
    """
    if rows.coding is not None:
        return rows
    if repr(asked) not in rows.found:
        rows.found[repr(asked)] = _coding(rows, asked)
    return replace(rows, coding=rows.found[repr(asked)])


def _coding(rows: ParquetRows, asked: Asked) -> Table | None:
    most = at_once(len(rows.columns))
    if rows.floats[asked == "real"] and not isinstance(asked, Mapping):
        gaps = (frame.isna().any(axis=None) for frame in rows.frames(most))
        if not any(gaps if rows.missing else (np.isnan(x).any() for x in rows.chunks(most))):
            return None
    return Table.of_parts(rows.frames(most), asked)


def refuse_beside_rows(estimator: FittedAttributes, y: ArrayLike | None, sample_weight: ArrayLike | None) -> None:
    """Refuse what rows larger than memory have not.

    Raises
    ------
    ValueError
        If there are labels or weights, or some are needed.
    """
    for name, value in {"y": y, "sample_weight": sample_weight}.items():
        if value is not None:
            raise ValueError(f"{name} is for data in memory; of Parquet parts the numbers alone are learned from")
    if estimator.conditional:
        raise ValueError("conditional=True needs y, which is for data in memory, and X is in Parquet parts")
