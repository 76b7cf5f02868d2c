"""What data hold, in numbers: ranges, what is missing, what never changes; some rows at a time, however many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.chunks import chunks
from narrows.data.dataset import Dataset
from narrows.data.parquet_rows import ParquetRows

__all__ = ["Column", "Description", "describe"]

NUMBERS_AT_ONCE = 2**21
"""Numbers that are looked at at a time."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; of one that holds no numbers ``low``, ``high`` and ``mean`` are None.

    Attributes
    ----------
    name
        Its heading, or its number.
    low, high, mean
        Over its finite values, in its own unit.
    missing, infinite
        How many values are missing, and how many infinite.
    """

    name: str
    low: float | None
    high: float | None
    mean: float | None
    missing: int
    infinite: int


@dataclass(frozen=True, slots=True)
class Description:
    """What a data set holds.

    Attributes
    ----------
    name, shape, dtype
        As in the array of its examples.
    low, high
        The least and the largest of its finite values; None without any.
    missing, infinite
        How many values are NaN, and how many infinite.
    constant
        How many pixels or columns have the same value in every example.
    labels
        Label, as text, ↦ how many examples have it, in the labels' order; None without labels.
    columns
        Of a table; empty for images.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    low: float | None
    high: float | None
    missing: int
    infinite: int
    constant: int
    labels: dict[str, int] | None
    columns: tuple[Column, ...]


def describe(dataset: Dataset) -> Description:
    """Return what ``dataset`` holds, having looked at each of its values once."""
    shape = tuple(dataset.X.shape)
    size = int(np.prod(shape[1:]))
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    mean, count, missing = np.zeros(size), np.zeros(size, np.int64), np.zeros(size, np.int64)
    numeric = np.ones(size, bool)
    for chunk, numbers in _chunks(dataset.X, size):
        numeric &= numbers
        finite = np.isfinite(chunk)
        low = np.minimum(low, chunk.min(0, where=finite, initial=np.inf))
        high = np.maximum(high, chunk.max(0, where=finite, initial=-np.inf))
        missing += np.isnan(chunk).sum(0)
        now = finite.sum(0)
        count += now
        # The mean so far moves towards the chunk's, so that no sum overflows.
        shares = np.where(finite, chunk, 0) / np.maximum(now, 1)
        mean += np.where(now > 0, (shares.sum(0) - mean) * (now / np.maximum(count, 1)), 0)
    infinite = shape[0] - count - missing
    known = (count > 0) & numeric
    names = getattr(dataset.X, "columns", range(size)) if len(shape) == 2 else ()
    columns = tuple(
        Column(
            str(name),
            low=float(low[i]) if known[i] else None,
            high=float(high[i]) if known[i] else None,
            mean=float(mean[i]) if known[i] else None,
            missing=int(missing[i]),
            infinite=int(infinite[i]),
        )
        for i, name in enumerate(names)
    )
    return Description(
        dataset.name,
        shape,
        str(dataset.X.dtype if hasattr(dataset.X, "dtype") else np.asarray(dataset.X).dtype),
        float(low[known].min()) if known.any() else None,
        float(high[known].max()) if known.any() else None,
        int(missing.sum()),
        int(infinite.sum()),
        int((known & (low == high)).sum()) + sum(_same(dataset.X, int(i)) for i in np.flatnonzero(~numeric)),
        None if dataset.y is None else _counts(dataset.y),
        columns,
    )


def _in_numbers(frame: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return a frame as numbers (n, columns), NaN where missing and 0 where it holds no number; and which columns do.

    What is no number is a truth value, a text, a date or the like.
    """
    X, numeric = np.empty(frame.shape), np.zeros(frame.shape[1], bool)
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        dtype = column.dtype
        numeric[place] = pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)
        if numeric[place]:
            X[:, place] = column.to_numpy(np.float64, na_value=np.nan)
        else:
            X[:, place] = np.where(column.isna(), np.nan, 0.0)
    return X, numeric


def _same(X: Any, place: int) -> bool:
    """Say whether a column that holds no numbers always holds the same."""
    values: set[Any] = set()
    for frame in [X] if isinstance(X, pd.DataFrame) else X.frames(max(1, NUMBERS_AT_ONCE // X.shape[1])):
        values |= set(frame.iloc[:, place].dropna().unique())
        if len(values) > 1:
            return False
    return len(values) == 1


def _chunks(X: Any, size: int) -> Iterator[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Yield rows as numbers (k, size), some at a time, and which columns hold numbers."""
    if isinstance(X, ParquetRows):
        yield from map(_in_numbers, X.frames(max(1, NUMBERS_AT_ONCE // size)))
        return
    X, numeric = _in_numbers(X) if isinstance(X, pd.DataFrame) else (X, np.ones(size, bool))
    for rows in chunks(len(X), size, NUMBERS_AT_ONCE):
        chunk = np.asarray(X[rows])
        yield chunk.reshape(len(chunk), size).astype(np.float64), numeric


def _counts(y: NDArray[Any]) -> dict[str, int]:
    """Return how often each label is there: numbers and texts in their order, others as they come."""
    counts = Counter(y.tolist())
    try:
        return {str(label): counts[label] for label in sorted(counts)}
    except TypeError:
        return {str(label): count for label, count in counts.items()}
