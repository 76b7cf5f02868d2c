"""Compare: models that differ in latent_dim alone, on the same examples, and how their error falls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from narrows.evaluation.baselines import mean_error
from narrows.web.entry import Entry, Eye
from narrows.web.library import Library

__all__ = ["Column", "Compared", "compare"]

MOST_EXAMPLES = 10
"""Examples in a column."""


@dataclass(frozen=True, slots=True)
class Column:
    """A model.

    Attributes
    ----------
    error, standard_error, subset
        Its squared error per pixel or feature, in scaled units, and what it is measured on, as in `Measured`.
    pca_error
        What as many principal components make of the same data, or None where that is not known.
    restored
        (k, …) what it makes of the examples, and ``errors`` (k,) of each.
    """

    id: str
    latent_dim: int
    error: float
    standard_error: float
    subset: str
    pca_error: float | None
    restored: Eye
    errors: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Compared:
    """Columns by latent_dim, the examples (k, …) with their ``rows`` and ``labels``, and the error of the mean."""

    kind: str
    columns: list[Column]
    originals: Eye
    rows: NDArray[np.int64]
    labels: list[str]
    mean_error: float


def compare(library: Library, model: str) -> Compared:
    """Return this model and those of its kind and data that have another latent_dim."""
    entry = library[model]
    alike = {other.fitted.latent_dim: other for other in library.kin(entry) if other.kind == entry.kind}
    alike[entry.fitted.latent_dim] = entry
    rows = one_a_class(entry)
    return Compared(
        entry.kind,
        [_column(alike[d], rows) for d in sorted(alike)],
        entry.shown(entry.numbers(entry.at(rows))),
        rows,
        entry.names(rows),
        mean_error_of(entry),
    )


def _column(entry: Entry, rows: NDArray[np.int64]) -> Column:
    x, measured = entry.at(rows), entry.measured
    restored = entry.restored(x, None if entry.y is None else entry.y[rows])
    return Column(
        entry.id,
        entry.fitted.latent_dim,
        measured.error,
        measured.standard_error,
        measured.subset,
        measured.pca_error,
        entry.shown(restored),
        np.nanmean(entry.error_maps(entry.numbers(x), restored).reshape(len(rows), -1), 1),
    )


def mean_error_of(entry: Entry) -> float:
    """Return the error of the examples' mean, which is what a table's errors are relative to."""
    if entry.fitted.table is not None:
        return 1.0
    scaled = entry.fitted.scaling.apply(entry.numbers(entry.at(entry.some)))
    return mean_error(scaled, scaled)


def one_a_class(entry: Entry) -> NDArray[np.int64]:
    """Return the row of the first example of each label, or the first few examples."""
    if entry.labels is None:
        return np.arange(min(MOST_EXAMPLES, len(entry.X)))
    return np.sort(np.unique(entry.labels, return_index=True)[1])[:MOST_EXAMPLES].astype(np.int64)
