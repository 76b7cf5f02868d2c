"""A table: its columns, in order, each of a kind, and how rows become numbers and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, cast, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.arguments import closest, in_numpy, rows_unmasked
from narrows.columns.column import LEFT_OUT, Column
from narrows.columns.finding import Asked, find
from narrows.columns.reading import Library, column_of, is_frame, names_of, read, written
from narrows.columns.tally import Gathering, Tally

__all__ = ["Table", "is_plain"]


@dataclass(frozen=True)
class Table:
    """What is known of the columns that a model is fitted to; none of the rows.

    Attributes
    ----------
    library
        The library of the data frame; ``"numpy"`` for an array.
    columns
        All of them, in order.
    """

    library: Library
    columns: tuple[Column, ...]

    @classmethod
    def of(cls, X: Any, asked: Asked) -> Self:
        """Find the columns of ``X``, a data frame or an array (n, columns); ``asked`` overrides what is found.

        Raises
        ------
        TypeError, ValueError
            If a column cannot be what was asked for, or nothing is left to learn from.
        """
        names = names_of(X)
        _check_names(names)
        usual = "real" if asked == "real" or not is_frame(X) else None
        tallies = (Tally.of(read(_told(name), column_of(X, place))) for place, name in enumerate(names))
        return cls._found(_library(X), names, tallies, asked, usual)

    @classmethod
    def of_parts(cls, parts: Iterable[pd.DataFrame], asked: Asked) -> Self:
        """Find the columns of a table whose rows come in ``parts``, as `of` does of the whole.

        Of a column with more than `MOST_VALUES` different values, some tell its kind, its grid and its bins.

        Raises
        ------
        TypeError, ValueError
            As `of`; and if a column of levels has more values than that.
        """
        gathered: dict[str | int, Gathering] = {}
        for part in parts:
            if not gathered:
                gathered = {name: Gathering(part.shape[1]) for name in part.columns}
                _check_names(list(part.columns))
            for place, (name, column) in enumerate(gathered.items()):
                column.add(_told(name), read(_told(name), column_of(part, place)))
        tallies = (column.tally() for column in gathered.values())
        return cls._found("pandas", list(gathered), tallies, asked, "real" if asked == "real" else None)

    @classmethod
    def _found(
        cls, library: Library, names: Sequence[str | int], tallies: Iterable[Tally], asked: Asked, usual: str | None
    ) -> Self:
        kinds = {str(name): kind for name, kind in asked.items()} if isinstance(asked, Mapping) else {}
        for name in kinds:
            if name not in map(str, names):
                raise ValueError(f"columns: X has no column {name!r}{closest(name, map(str, names))}")
        columns = tuple(
            find(_told(name), name, tally, kinds.get(str(name), usual))
            for name, tally in zip(names, tallies, strict=True)
        )
        table = cls(library, columns)
        if not table.modelled:
            raise ValueError(f"X has no column to learn from: {'; '.join(table.notes)}")
        return table

    @cached_property
    def modelled(self) -> tuple[Column, ...]:
        """The columns that are learned from."""
        return tuple(column for column in self.columns if column.kind not in LEFT_OUT)

    @cached_property
    def names(self) -> tuple[str | int, ...]:
        """Of all columns but identifiers, which never come back."""
        return tuple(column.name for column in self.columns if column.kind != "identifier")

    @property
    def notes(self) -> list[str]:
        """What is said of each column: its name and its kind."""
        return [f"{column.name}: {column.words}" for column in self.columns]

    def cells(self, X: Any) -> NDArray[np.float64]:
        """Return the cells of ``X``, of these columns in any order, as numbers (n, modelled); NaN where missing.

        Raises
        ------
        TypeError, ValueError
            If a column is missing, is one too many, or holds other things than at the fit; if no cell of a row is
            known.
        """
        places = self._places(X)
        cells = np.empty((len(X), len(self.modelled)))
        for number, column in enumerate(self.modelled):
            told = _told(column.name)
            cells[:, number] = column.cells(told, read(told, column_of(X, places[column.name])))
        empty = np.isnan(cells).all(1)
        if empty.any():
            raise ValueError(
                f"X has only missing cells in {int(empty.sum()):,} rows, first in row {int(empty.argmax())}; "
                "drop these rows"
            )
        return cells

    def _places(self, X: Any) -> dict[str | int, int]:
        """Return where in ``X`` each column stands: by its name, or, in an array, as at the fit."""
        known = [column.name for column in self.columns]
        if not is_frame(X) or self.library == "numpy":
            if X.shape[1] != len(known):
                raise ValueError(f"X has {X.shape[1]} features, but the model expects {len(known)} features as input")
            return {name: place for place, name in enumerate(known)}
        names = names_of(X)
        for column in self.modelled:
            if column.name not in names:
                raise ValueError(f"X has no column {column.name!r}, which the model was fitted to")
        for name in names:
            if name not in known:
                raise ValueError(f"X has a column {name!r}, which the model was not fitted to; drop it")
            if names.count(name) > 1:
                raise ValueError(f"X has several columns called {name!r}; rename them")
        return {name: place for place, name in enumerate(names)}

    def filled(self, cells: NDArray[np.floating], *, like: Any = None, bounded: bool = True) -> Any:
        """Return ``cells`` (n, modelled) as a frame of the columns' types, or as an array.

        Constants and empty columns come back as they were; identifiers do not.

        Parameters
        ----------
        cells
            NaN stays a missing cell.
        like
            A frame of pandas with as many rows, whose index is taken.
        bounded
            Whether numbers are kept within what the training data reach.
        """
        numbers = iter(np.asarray(cells, np.float64).T)
        library: Library = "pandas" if self.library == "numpy" else self.library
        series = {}
        for column in self.columns:
            if column.kind == "identifier":
                continue
            if column.kind in LEFT_OUT:
                values = _repeated(column, len(cells))
                gaps = np.full(len(cells), column.kind == "empty")
            else:
                own = next(numbers)
                values, gaps = column.values(own, bounded=bounded), np.isnan(own)
            series[column.name] = written(library, column.family, column.dtype, values, gaps)
        if self.library == "polars":
            import polars as pl

            return pl.DataFrame(list(series.values()), schema=[str(name) for name in series])
        frame = pd.DataFrame(series)
        if self.library == "numpy":
            return frame.to_numpy(self.columns[0].dtype.text)
        return frame.set_axis(like.index, axis=0) if isinstance(like, pd.DataFrame) else frame

    def with_gaps_filled(self, X: Any, known: NDArray[np.floating], cells: NDArray[np.floating]) -> Any:
        """Return ``X`` with each missing cell filled from ``cells`` (n, modelled); nothing else changes.

        Parameters
        ----------
        X
            What `cells` has made ``known`` (n, modelled) of.
        cells
            Without NaN.
        """
        made = self.filled(cells)
        gaps = dict(zip((column.name for column in self.modelled), np.isnan(known).T, strict=True))
        if not is_frame(X):
            array = np.array(in_numpy(rows_unmasked(X)))
            for place, column in enumerate(self.columns):
                own = gaps.get(column.name, _gaps(column, array[:, place]))
                array[own, place] = np.asarray(_column(made, self.names.index(column.name)))[own]
            return array
        places = self._places(X)
        for column in self.columns:
            if column.name not in places or column.kind in ("identifier", "empty"):
                continue
            old = column_of(X, places[column.name])
            own = gaps[column.name] if column.name in gaps else _gaps(column, old)
            if own.any():
                X = _with_column(X, places[column.name], old, own, _column(made, self.names.index(column.name)))
        return X

    def log_slopes(self, cells: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log |d cell / d value| of ``cells`` (n, modelled), of the same shape."""
        return np.stack([column.log_slopes(own) for column, own in zip(self.modelled, cells.T, strict=True)], 1)

    def plain(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"library": self.library, "columns": [column.plain() for column in self.columns]}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return what `plain` has returned.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is anything else.
        """
        if plain["library"] not in get_args(Library):
            raise ValueError(f"its table comes from {plain['library']!r}, a library that is unknown")
        return cls(cast("Library", plain["library"]), tuple(map(Column.of_plain, plain["columns"])))


def is_plain(X: Any, asked: Asked) -> bool:
    """Say whether a data frame is of floats alone, none of them missing, and so an array like any other.

    Whole numbers and truth values are floats too where all columns are asked to be ``"real"``.
    """
    if isinstance(asked, Mapping):
        return False
    return all(_is_plain(column_of(X, place), any_number=asked == "real") for place in range(X.shape[1]))


def _is_plain(column: Any, *, any_number: bool) -> bool:
    if isinstance(column, pd.Series):
        kind = pd.api.types.infer_dtype(column, skipna=False) if column.dtype.kind == "O" else column.dtype.kind
        others = (*"iub", "integer", "boolean") if any_number else ()
        return kind in ("f", "floating", *others) and not column.isna().any()
    if column.dtype.is_float():
        return not (column.is_null() | column.is_nan()).any()
    is_number = column.dtype.is_numeric() or str(column.dtype) == "Boolean"
    return any_number and is_number and not column.is_null().any()


def _check_names(names: Sequence[str | int]) -> None:
    if len(set(names)) < len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"X has several columns called {double!r}; rename them")
    odd = next((name for name in names if isinstance(name, bool) or not isinstance(name, str | int)), None)
    if odd is not None:
        raise TypeError(f"X has a column called {odd!r}; names are texts or whole numbers: use X.columns.map(str)")


def _told(name: str | int) -> str:
    return f"X, column {name!r},"


def _column(made: Any, place: int) -> Any:
    return made[:, place] if isinstance(made, np.ndarray) else column_of(made, place)


def _gaps(column: Column, cells: Any) -> NDArray[np.bool_]:
    """Return which cells of a column that is not learned from are to be filled: a constant's."""
    gaps = read(_told(column.name), cells).missing
    return gaps if column.kind == "constant" else np.zeros_like(gaps)


def _with_column(X: Any, place: int, old: Any, gaps: NDArray[np.bool_], new: Any) -> Any:
    """Return a data frame whose column at ``place``, of ``old`` cells, has those of ``new`` where there are ``gaps``.

    Raises
    ------
    ValueError
        If it is of a categorical type without the level that a cell is to be filled with.
    """
    if not isinstance(X, pd.DataFrame):
        import polars as pl

        new = new if isinstance(new, pl.Series) else pl.Series(new.tolist())
        if old.dtype.is_integer() and new.dtype.is_float():
            new = new.round()
        mixed = pl.select(pl.when(pl.Series(gaps)).then(new.cast(old.dtype)).otherwise(old)).to_series()
        return X.with_columns(mixed.alias(old.name))
    new = new if isinstance(new, pd.Series) else pd.Series(new.to_list() if hasattr(new, "to_list") else new)
    if isinstance(old.dtype, pd.CategoricalDtype):
        strange = [level for level in pd.unique(new[gaps]) if level not in old.dtype.categories]
        if strange:
            raise ValueError(
                f"{_told(old.name)} is to be filled with {strange[0]!r}, which is none of its categories; add it, as "
                "by .cat.add_categories"
            )
    if new.dtype != old.dtype:
        new = new.astype("Float64").round() if pd.api.types.is_integer_dtype(old.dtype) else new.astype(object)
    new = new.set_axis(old.index)
    mixed = old.where(~gaps, new) if new.dtype == old.dtype else old.astype(object).where(~gaps, new).astype(old.dtype)
    X = X.copy(deep=False)
    X.isetitem(place, mixed)
    return X


def _library(X: Any) -> Library:
    if not is_frame(X):
        return "numpy"
    return "pandas" if isinstance(X, pd.DataFrame) else "polars"


def _repeated(column: Column, n: int) -> NDArray[Any]:
    if column.kind == "empty":
        return np.full(n, "" if column.family == "text" else 0.0, object if column.family == "text" else float)
    values = np.empty(n, object if column.family == "text" else float)
    values[:] = column.levels[0]
    return values
