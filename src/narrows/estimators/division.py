"""What models are to learn from, and what they are to be tested on: examples, and all that goes with each, in two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from narrows.arguments import check_finite, check_given, in_numpy, refuse_masked, rows_unmasked
from narrows.columns.finding import Asked
from narrows.columns.reading import is_frame
from narrows.columns.table import is_plain
from narrows.data.labels import usual_labels
from narrows.data.on_disk import OnDisk
from narrows.data.parquet_rows import ParquetRows
from narrows.data.split import split
from narrows.data.take import take
from narrows.estimators.attributes import FittedAttributes
from narrows.estimators.rows import weights_of
from narrows.estimators.targets import are_pairs
from narrows.estimators.training_data import coded, refuse_beside_rows
from narrows.fitted.blocks import Sample, at_once

__all__ = ["Division", "examples_in", "is_table"]

Labels = NDArray[Any] | None


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """Examples in two.

    Attributes
    ----------
    X_train, X_test, y_train, y_test
        The two; of pairs y are the clean examples.
    labels
        What models learn next to ``X_train``: classes, clean examples, or None.
    target
        What is to be made of ``X_test``.
    weights, test_weights
        Of the examples, (n,), or None.
    """

    X_train: Any
    X_test: Any
    y_train: Any
    y_test: Any
    labels: Any
    target: Any
    weights: NDArray[np.float64] | None
    test_weights: NDArray[np.float64] | None

    @classmethod
    def of(
        cls,
        estimator: FittedAttributes,
        data: Any,
        y: ArrayLike | None,
        sample_weight: ArrayLike | None,
        *,
        test_size: float,
        random_state: int,
    ) -> Self:
        """Split ``data``, checked by `examples_in`, with every class in both where that can be.

        Parameters
        ----------
        estimator
            Of the kind that is to learn, not yet fitted.
        data, y, sample_weight
            As given to `fit`.
        test_size, random_state
            As in `narrows.data.split.split`.
        """
        if isinstance(data, ParquetRows):
            return cls._of_rows(estimator, data, y, sample_weight, test_size)
        pairs = are_pairs(estimator, tuple(data.shape), y)
        clean = examples_in("y", y) if pairs else None
        known = None if y is None or pairs else usual_labels(_column(y, len(data)))
        weights = weights_of(sample_weight, len(data))
        if weights is not None:
            kept = np.flatnonzero(weights)
            data, clean = _rows(data, kept), None if clean is None else _rows(clean, kept)
            known, weights = None if known is None else known[kept], weights[kept]
        first, second, y_train, y_test = split(data, known, test_size=test_size, random_state=random_state)
        rows = split(np.arange(len(data)), known, test_size=test_size, random_state=random_state)[:2]
        both = [None if weights is None else weights[np.asarray(some)] for some in rows]
        if clean is not None:
            y_train, y_test = (_rows(clean, np.asarray(some)) for some in rows)
            return cls(first, second, y_train, y_test, y_train, y_test, *both)
        learned = _all_classes(y_train, y_test) if estimator.conditional else _classes(y_train)
        return cls(first, second, y_train, y_test, learned, second, *both)

    @classmethod
    def _of_rows(
        cls, estimator: FittedAttributes, rows: ParquetRows, y: Any, sample_weight: Any, test_size: float
    ) -> Self:
        """Split rows larger than memory by their shares; of those to be tested on, a sample is enough."""
        refuse_beside_rows(estimator, y, sample_weight)
        rows = coded(rows, estimator.columns)
        sample = Sample.of(rows, test_size)
        test = (
            pd.DataFrame(sample.held_out, columns=list(rows.columns))
            if rows.coding is None
            else rows.at(sample.places, at_once(len(rows.columns)))
        )
        train = replace(rows, low=sample.boundary, count=int(sample.counts.sum()))
        return cls(train, test, None, None, None, test, None, None)


def examples_in(name: str, X: Any, columns: Asked = None) -> Any:
    """Return examples, checked here, where rows still have their places; those on disk are checked when they are read.

    Parameters
    ----------
    name
        What they are given as.
    X, columns
        Examples, and the option of this name.
    """
    if is_frame(X) and not is_plain(X, columns):
        return X
    X = in_numpy(rows_unmasked(X))
    check_given(name, X)
    data = X if is_frame(X) or isinstance(X, OnDisk | ParquetRows) else np.asarray(X)
    if isinstance(data, OnDisk | ParquetRows):
        return data
    numbers = np.asarray(data)
    if np.issubdtype(numbers.dtype, np.number):
        rows = numbers.reshape(len(numbers), -1)
        known = np.nan_to_num(rows, nan=0.0, posinf=np.inf, neginf=-np.inf) if is_table(data, columns) else rows
        check_finite(known, getattr(data, "columns", None), argument=name)
    return data


def is_table(data: Any, columns: Asked) -> bool:
    """Say whether models take ``data`` for a table: columns of several kinds, or with missing cells."""
    if is_frame(data):
        return not is_plain(data, columns)
    if isinstance(data, OnDisk | ParquetRows) or data.ndim != 2:
        return False
    return isinstance(columns, Mapping) or (data.dtype.kind == "f" and bool(np.isnan(data).any()))


def _rows(data: Any, rows: NDArray[np.int64]) -> Any:
    """Return the examples at ``rows``, which stay on disk if they are there."""
    return data.select(rows) if isinstance(data, OnDisk) else take(data, rows)


def _column(y: ArrayLike, n: int) -> NDArray[Any]:
    """Return labels (n,), also of (n, 1), or say what is wrong with them before anything is trained."""
    refuse_masked("y", y)
    labels = np.asarray(y)
    if labels.shape not in {(n,), (n, 1)}:
        raise ValueError(f"y of shape {labels.shape} must be ({n},): a label for each example of X")
    return labels.reshape(n)


def _classes(y: Labels) -> Labels:
    """Return ``y``, or None if it is a quantity, also written as text, or a name for nearly every example."""
    if y is None:
        return None
    values = np.unique(y)
    try:
        quantity = (values.astype(np.float64) % 1 != 0).any()
    except ValueError:  # words
        quantity = False
    return None if quantity or 2 * len(values) > len(y) else y


def _all_classes(y_train: Labels, y_test: Labels) -> NDArray[Any]:
    """Return ``y_train``, from which a conditional model learns all classes that it is tested on."""
    if y_train is None or y_test is None:
        raise ValueError("conditional=True needs y, the class of each example, but these data have no labels")
    unseen = y_test[~np.isin(y_test, y_train)]
    if len(unseen):
        raise ValueError(
            "conditional=True needs two examples or more of each class, for training and for the test; "
            f"class {unseen[0]} has too few"
        )
    return y_train
