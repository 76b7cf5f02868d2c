"""Rows for the eye: each cell in its column's own terms, and where it lies on the column's range."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.columns.column import LEVELS, Column, zone_of
from narrows.columns.given import column_called, conditions
from narrows.columns.reading import Dtype
from narrows.columns.table import Table
from narrows.fitted.fitted import Fitted

__all__ = ["Columns", "Heading", "Held", "Rows"]

MOST_DECIMALS, DIGITS = 6, 3
"""After the point, as data have them, at most; where there are no data, as many as leave three digits of the range."""

ROUNDING = 1e-7
"""Of numbers in 32 bits, relative to them."""

LOWEST, REACH = 1, 254
"""Of the bytes that say where a cell lies; 0 is for a missing one."""

Array = NDArray[Any]

Held = Mapping[str, str | float | None]
"""Cells by their columns' names: a value as a person writes it, or where it lies on the column's range, from 0 to 1, or
None for an example's own."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What is said of a column once.

    Attributes
    ----------
    name, kind
        Its own.
    decimals
        Digits after a number's point; −1 where a cell is no number.
    levels
        Of a column of levels, these, in order.
    ends
        Of any other, its range's beginning and end, as its values are written.
    """

    name: str
    kind: str
    decimals: int
    levels: list[str]
    ends: list[str]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows.

    Attributes
    ----------
    texts
        (k, columns), a cell as its column's values are written, numbers with a point; "" where it is missing, or a
        level that was not there at the fit.
    at
        (k, columns) where it lies on the column's range, from 0 to 1, or outside it, as such a level does; NaN where it
        is missing.
    """

    texts: list[list[str]]
    at: NDArray[np.float32]


class Columns:
    """The columns of a model's examples, which are a table, or rows of numbers with names.

    Parameters
    ----------
    fitted
        The model.
    X
        Examples, as the model takes them.

    Attributes
    ----------
    whole
        All columns, as a table.
    columns
        Those that the model learned from.
    """

    def __init__(self, fitted: Fitted, X: Any) -> None:
        self.table = fitted.table
        self.whole = fitted.table or Table("pandas", _named(fitted.feature_names or (), np.asarray(X)))
        self.columns = self.whole.modelled
        self._shown = self.cells(X)

    @classmethod
    def of(cls, fitted: Fitted, X: Any) -> Columns | None:
        """Return those of the model's examples ``X``; None where they are images, or their numbers have no names."""
        named = fitted.feature_names is not None and len(fitted.input_shape) == 1
        return cls(fitted, X) if named or fitted.table is not None else None

    @cached_property
    def headings(self) -> list[Heading]:
        """What is said of each column once."""
        found = []
        for column, cells, low, high in zip(self.columns, self._shown.T, *self.ends, strict=True):
            decimals, levels = _decimals(column, cells), list(map(str, column.levels))
            ends = [] if levels else _texts(column, decimals, np.array([low, high]))
            found.append(Heading(str(column.name), column.kind, decimals, levels, ends))
        return found

    @cached_property
    def ends(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where each column's range begins and ends, in cells, (columns,) each."""
        pairs = [
            (0.0, len(one.levels) - 1.0) if one.kind in LEVELS else one.as_cells(np.array([one.low, one.high]))
            for one in self.columns
        ]
        low, high = np.array(pairs).T
        return low, high

    def cells(self, X: Any) -> NDArray[np.float64]:
        """Return the cells (n, columns) of examples, as the model takes them, NaN where they are missing."""
        return np.asarray(X, np.float64) if self.table is None else self.table.cells(X)

    def named(self, X: Any) -> Any:
        """Return examples, as the model makes them, with their columns' names."""
        names = [column.name for column in self.columns]
        return pd.DataFrame(X, columns=names) if isinstance(X, np.ndarray) and self.table is None else X

    def middle(self, cells: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean of numbers, and the most frequent level, of each column's known cells, (1, columns)."""
        return np.array([[_middle(column, own) for column, own in zip(self.columns, cells.T, strict=True)]])

    # --- For the eye ------------------------------------------------------------------

    def shown(self, cells: NDArray[np.float64]) -> Rows:
        """Return ``cells`` (k, columns) for the eye."""
        texts = [
            _texts(column, heading.decimals, own)
            for column, heading, own in zip(self.columns, self.headings, cells.T, strict=True)
        ]
        return Rows([list(row) for row in zip(*texts, strict=True)], self.at(cells).astype(np.float32))

    def at(self, cells: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where ``cells`` (…, columns) lie on their columns' ranges."""
        low, high = self.ends
        return (cells - low) / np.where(high > low, high - low, 1.0)

    def levels(self, cells: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Return the same in bytes, (k, columns): from 1 to 255, and 0 where a cell is missing."""
        at = self.at(cells)
        found: NDArray[np.uint8] = np.where(np.isnan(at), 0, LOWEST + np.rint(np.nan_to_num(at).clip(0, 1) * REACH))
        return found.astype(np.uint8)

    # --- Back -------------------------------------------------------------------------

    def held(self, given: Held, own: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """Return the cells (columns,) that are ``given``, NaN of all others.

        Parameters
        ----------
        given
            Which, and what they are.
        own
            The example's (columns,), if one is shown.

        Raises
        ------
        ValueError
            If there is no such column, or a value is none of its.
        """
        cells = np.full(len(self.columns), math.nan)
        for name, value in given.items():
            place = self.place(name)
            cells[place] = self._cell(place, value, own)
        return cells

    def place(self, name: str) -> int:
        """Return which column has that name.

        Raises
        ------
        ValueError
            If none of those that the model learned from does.
        """
        names = [heading.name for heading in self.headings]
        if name not in names:
            column_called(self.whole, name)
            raise ValueError(f"the model learned nothing from the column {name!r}")
        return names.index(name)

    def _cell(self, place: int, value: str | float | None, own: NDArray[np.float64] | None) -> float:
        column = self.columns[place]
        if value is None:
            if own is None or math.isnan(own[place]):
                raise ValueError(f"held: {column.name}=None is for an example's own cell, and there is none")
            return float(own[place])
        if isinstance(value, str):
            return self._of_text(column, value)
        if not 0 <= value <= 1:
            raise ValueError(f"held: {column.name}={value:g} says where on its range a cell is to lie, from 0 to 1")
        low, high = (end[place] for end in self.ends)
        cell = np.array([low + value * (high - low)])
        if column.kind in LEVELS:
            return float(np.rint(cell[0]))
        if column.form:  # whose values are texts
            return float(column.on_grid(cell)[0])
        return float(column.as_cells(column.values(cell, bounded=True).astype(np.float64))[0])

    def _of_text(self, column: Column, text: str) -> float:
        if self.table is None:
            try:
                number = float(text)
            except ValueError as error:
                raise ValueError(f"held: {column.name}={text!r} is not a number") from error
            if not math.isfinite(number):
                raise ValueError(f"held: {column.name}={text!r} is not a finite number")
            return number
        (found,) = conditions(self.table, {column.name: text})
        wanted = found.kept if found.levels is None else found.levels
        assert wanted is not None
        return float(wanted.mean())


def _named(names: Sequence[str], X: Array) -> tuple[Column, ...]:
    """Return columns of numbers, whose ranges are those of ``X`` (n, columns)."""
    return tuple(
        Column(name, "real", "number", Dtype("float64"), len(X), 0, low=float(own.min()), high=float(own.max()))
        for name, own in zip(names, X.T, strict=True)
    )


def _middle(column: Column, cells: NDArray[np.float64]) -> float:
    known = cells[~np.isnan(cells)]
    if not len(known):
        return math.nan
    return float(np.bincount(known.astype(np.int64)).argmax() if column.kind in LEVELS else known.mean())


def _decimals(column: Column, cells: NDArray[np.float64]) -> int:
    """Return how many digits after the point a column's numbers are to have; −1 for what is no number."""
    if column.kind in LEVELS or column.kind == "date" or column.family == "span":
        return -1
    if column.step or column.kind == "count":
        return max(0, -round(math.log10(column.step or 1.0)))
    known = cells[~np.isnan(cells)]
    values = column.values(known, bounded=False).astype(np.float64)
    size = math.log10(column.high - column.low) if column.high > column.low else 0.0
    usual = max(0, DIGITS - math.floor(size))
    exact = (d for d in range(MOST_DECIMALS + 1) if np.allclose(values, values.round(d), rtol=ROUNDING, atol=0))
    return next(exact, usual)


def _texts(column: Column, decimals: int, cells: NDArray[np.float64]) -> list[str]:
    if column.kind in LEVELS:
        names = [*map(str, column.levels), ""]  # the last is a level that is new
        return [names[-1 if math.isnan(cell) else round(cell)] for cell in cells.tolist()]
    values = column.values(cells, bounded=False)
    if column.kind == "date" and not column.form:
        values = _times(column, values)
    elif decimals >= 0:
        values = np.array([f"{value:z.{decimals}f}" for value in values], object)
    elif column.family == "span":
        values = np.array([pd.Timedelta(value, unit="s") for value in values], object)
    return ["" if gap else str(value) for gap, value in zip(np.isnan(cells), values, strict=True)]


def _times(column: Column, seconds: NDArray[np.float64]) -> Array:
    stamps = pd.DatetimeIndex(np.rint(seconds * 1e6).astype(np.int64).astype("datetime64[us]"), tz="UTC")
    return stamps.tz_convert(zone_of(column.dtype) or "UTC").strftime(column.shown_form).to_numpy(object)
