"""One row: each cell in its column's own terms, what its code says of each, and what follows from those held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn.functional import one_hot

from narrows.fitted.marginals import Marginals, at_code, given_cells
from narrows.web.entry import Entry
from narrows.web.library import Library
from narrows.web.rows import Columns, Rows

__all__ = ["Follows", "Ranked", "Row", "follow", "means", "ranked", "row"]

MOST_CHANCES = 3
"""Levels of a column whose probabilities are shown; the others' are summed."""

Example = Annotated[int, Field(ge=0)]
Name = Annotated[str, Field(max_length=1000)]
Cells = Annotated[dict[Name, Name | float | None], Field(max_length=10_000)]


@dataclass(frozen=True, slots=True)
class Follows:
    """What a model says of a row.

    Attributes
    ----------
    z
        (d,) its code, or the mean of those that it may have.
    row
        (1, columns) the cells: the means of numbers, the most probable levels, and those that are held.
    low, high
        (columns,) where on a column's range four fifths of what a number may be begin and end; NaN where that is not
        known, and of levels.
    chances
        For each column the most probable levels, and how probable each is; none for numbers.
    """

    z: list[float]
    row: Rows
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    chances: list[list[tuple[str, float]]]


@dataclass(frozen=True, slots=True)
class Row:
    """An example.

    Attributes
    ----------
    original
        (1, columns) its cells.
    label
        Of its class, "" where that is not known.
    coded
        What its code says of it.
    filled
        What follows from its known cells, if some are missing, and so what these may be filled with.
    error, score, odd
        Of its cells on average; its anomaly score, and the one that a shown example in a hundred exceeds.
    """

    original: Rows
    label: str
    coded: Follows
    filled: Follows | None
    error: float
    score: float
    odd: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """The shown ``examples``, (n,), those of the highest anomaly scores first."""

    examples: NDArray[np.int64]


def ranked(library: Library, model: str) -> Ranked:
    """Return the examples by how odd they are."""
    return Ranked(np.argsort(-library[model].scores, kind="stable"))


def row(library: Library, model: str, example: Example) -> Row:
    """Return the example of that number, and what the model makes of it."""
    entry = library[model]
    columns, context = entry.require_columns(), _context(entry, None, entry.check_row("example", example))
    cells, z = _cells(entry, columns, example), entry.codes[example]
    coded = at_code(entry.fitted, z, context)
    gaps = np.isnan(cells).any()
    return Row(
        columns.shown(cells[None]),
        "".join(entry.names([example])),
        _follows(columns, coded),
        _follows(columns, given_cells(entry.fitted, cells, context)) if gaps else None,
        float(np.nanmean(entry.error_maps(cells[None], coded.cells[None]))),
        float(entry.scores[example]),
        entry.odd,
    )


def means(library: Library, model: str, z: list[float], label: str | None = None) -> Follows:
    """Return what the code ``z`` says of each cell."""
    entry = library[model]
    columns = entry.require_columns()
    return _follows(columns, at_code(entry.fitted, entry.check_codes([z])[0], _context(entry, label)))


def follow(
    library: Library, model: str, held: Cells, example: Example | None = None, label: str | None = None
) -> Follows:
    """Return what follows from the cells that are ``held``, each a value, a place on its range, or the example's own.

    Raises
    ------
    ValueError
        If none is held, or one is of no column, or none of its column's values.
    """
    entry = library[model]
    columns, own = entry.require_columns(), None
    if not held:
        raise ValueError("held names no cell; name at least one for the others to follow")
    if example is not None:
        own = _cells(entry, columns, entry.check_row("example", example))
    context = _context(entry, label, example)
    return _follows(columns, given_cells(entry.fitted, columns.held(held, own), context))


def _cells(entry: Entry, columns: Columns, example: int) -> NDArray[np.float64]:
    cells: NDArray[np.float64] = columns.cells(entry.at([example]))[0]
    return cells


def _context(entry: Entry, label: str | None, example: int | None = None) -> Tensor | None:
    """Return the class that a conditional model sees, (1, classes)."""
    found = entry.context(label, example)
    if found is None:
        return None
    classes = entry.fitted.require_classes()
    return one_hot(torch.from_numpy(np.searchsorted(classes, found)), len(classes)).float()


def _follows(columns: Columns, said: Marginals) -> Follows:
    low, high = (columns.at(end).astype(np.float32) for end in (said.low, said.high))
    chances = [
        [(str(column.levels[place]), float(own[place])) for place in np.argsort(-own, kind="stable")[:MOST_CHANCES]]
        for column, own in zip(columns.columns, said.chances, strict=True)
    ]
    return Follows(said.z.tolist(), columns.shown(said.cells[None]), low, high, chances)
