"""Tables, of which one column may hold labels: CSV as programs and people write it, Parquet, data frames.

What is guessed, such as which column holds the labels, is said in the data set's notes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.arguments import check_given
from narrows.data.arrays import LABEL_NAMES
from narrows.data.arrow import frame_of, read_table
from narrows.data.cells import Gaps, TextColumn, is_number, number, typed
from narrows.data.dataset import Dataset
from narrows.data.delimited import Delimited, read_delimited
from narrows.data.errors import DataError
from narrows.data.labels import labels_in

__all__ = [
    "Types",
    "columns_of",
    "in_delimited",
    "in_frame",
    "in_numbers",
    "label_column",
    "read_csv",
    "read_parquet",
]

NAMELESS = ("", "Unnamed: 0")
"""What pandas and R call a first column of row names when they write it, and pandas when it reads that."""

Types = Mapping[str, str]
"""What columns hold, one of `narrows.data.cells.TYPES` by name, where it is known."""


def read_csv(path: Path, missing: Sequence[str] = (), types: Types | None = None) -> Dataset:
    """Read a table between commas, semicolons or tabs, gzipped or not, as `narrows.data.delimited` says.

    Between semicolons, numbers may have decimal commas. A first column without a name holds those of the rows, as
    pandas and R write it, and is left out. A column called label, labels, class, target or y (in any case) holds
    labels, unless they are real numbers; those that are empty become ``"unlabelled"``.

    Each other column has the type of what its cells write, as `narrows.data.cells.typed` says; empty cells are
    missing. A table of numbers alone, without names, is an array.

    Parameters
    ----------
    path
        Of the file.
    missing
        What else stands for a missing cell.
    types
        What columns hold, where it is known; a column in it holds no labels.

    Raises
    ------
    DataError
        If lines differ in length, columns have one name, or a cell is not what its column holds; the message names line
        and column.
    """
    return in_delimited(read_delimited(path, missing), missing, types)


def in_delimited(file: Delimited, missing: Sequence[str] = (), types: Types | None = None) -> Dataset:
    """Return what a file's lines hold, or some of them, as `read_csv` does."""
    path, gaps, held = file.path, Gaps(missing), types or {}
    columns, notes = columns_of(file)
    notes = [*([] if file.note is None else [file.note]), *notes]
    label = label_column(file.names, held) if file.named else None
    y = None
    if label is not None:
        cells = gaps.emptied(file.column(label), commas=file.commas)
        y, note = _labels(path, file.names[label], [cell or None for cell in cells], commas=file.commas)
        notes.append(note)
        columns = [place for place in columns if place != label or y is None]
    if not columns or not file.lines:
        raise DataError(
            f"{path} holds {len(file.lines)} rows of {len(columns)} columns apart from the label; it needs at least "
            "one of each"
        )
    _check_names(path, [file.names[place] for place in columns])
    made, told = {}, []
    for place in columns:
        cells, name = gaps.emptied(file.column(place), commas=file.commas), file.names[place]
        column = TextColumn(str(path), name, cells, 1 + file.named + file.first, file.commas)
        made[name], note_of_column = typed(column, held.get(name))
        told += [] if note_of_column is None else [note_of_column]
    if file.commas:
        _check_decimals(file, [place for place in columns if made[file.names[place]].dtype.kind in "iuf"])
    stem = Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem
    return Dataset(stem, _table(made, named=file.named), y, notes=(*notes, *gaps.notes, *told), missing=tuple(missing))


def columns_of(file: Delimited) -> tuple[list[int], list[str]]:
    """Return where the columns of a file stand, without what only looks like some, and what to say of that.

    That is a first column without a name, which holds the rows' names, and any without a name and a cell, such as
    spreadsheets write.
    """
    names, notes = file.names, []
    columns = list(range(len(names)))
    if file.named:
        columns = [place for place in columns if names[place] or (not place and any(file.column(place)))]
        unnamed = [place for place in range(1, len(names)) if not names[place] and any(file.column(place))]
        columns = sorted({*columns, *unnamed})
    if file.named and names[0] in NAMELESS and len(columns) > 1 and columns[0] == 0:
        columns.remove(0)
        notes.append(
            "the first column, which has no name, was taken for the rows' names and left out; name it to learn from it"
        )
    return columns, notes


def _check_names(path: Path, names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{path} has several columns called {double!r}; rename them")


def _table(columns: dict[str, pd.Series[Any]], *, named: bool) -> pd.DataFrame | NDArray[np.float64]:
    """Return columns as a frame or, if they are numbers without names, as an array."""
    frame = pd.DataFrame(columns)
    if not named and all(dtype.kind in "iuf" for dtype in frame.dtypes):
        return frame.to_numpy(np.float64, na_value=np.nan)
    return frame


def label_column(names: Sequence[str], held: Types) -> int | None:
    """Return which column holds labels, by its name: one called y only if no other does; none that is in ``held``."""
    lower = [None if name in held else name.lower() for name in names]
    return next((lower.index(name) for name in LABEL_NAMES if name in lower), None)


def _labels(path: Path, name: str, values: Sequence[Any], *, commas: bool) -> tuple[NDArray[np.generic] | None, str]:
    """Return the labels (n,) in a column, or None if it holds real numbers, and what to say of it."""
    texts = [value for value in values if isinstance(value, str)]
    numbers = [number(text, commas=commas) for text in texts if is_number(text, commas=commas)]
    if not texts or len(numbers) < len(texts) or all(one.is_integer() for one in numbers):
        y = labels_in(f"{path}, column {name!r}: the labels", values)
        if y is not None:
            return y, f"column {name!r} was taken for the labels; rename it to learn from it"
    held = "is empty" if all(value is None for value in values) else "holds real numbers"
    return None, f"column {name!r} {held}, so it was taken for data to learn from, not for labels"


def _check_decimals(file: Delimited, columns: Sequence[int]) -> None:
    """Refuse decimal commas and points in one table: 1.234 may then be a thousand or one."""
    cells = [[cell for cell in file.column(place) if is_number(cell, commas=True)] for place in columns]
    comma, point = (next((cell for column in cells for cell in column if mark in cell), None) for mark in ",.")
    if comma is not None and point is not None:
        raise DataError(
            f"{file.path} holds both {comma!r} and {point!r}; write decimal commas or decimal points throughout"
        )


def read_parquet(path: Path, missing: Sequence[str] = (), types: Types | None = None) -> Dataset:
    """Read a table with the columns' names and types, of which one may hold labels, as in `read_csv`.

    Raises
    ------
    DataError
        If pyarrow is not installed, the file is damaged, or a column is of a type that no table here has.
    """
    return in_frame(path, frame_of(str(path), read_table(path)), missing, types)


def in_frame(path: Path, frame: pd.DataFrame, missing: Sequence[str] = (), types: Types | None = None) -> Dataset:
    """Return what the rows of a Parquet file hold, or some of them, as `read_parquet` does."""
    gaps = Gaps(missing)
    names = list(frame.columns.map(str))
    frame.columns = pd.Index(names)
    label, y = label_column(names, types or {}), None
    notes = [f"{name!r} names the rows, as their index, and is left out" for name in frame.index.names if name]
    if label is not None:
        y, note = _labels(path, names[label], gaps.of_series(frame.iloc[:, label]).to_list(), commas=False)
        notes.append(note)
        if y is not None:
            frame = frame.drop(columns=frame.columns[label])
    _check_names(path, list(frame.columns))
    frame = pd.DataFrame({name: gaps.of_series(frame[name]) for name in frame.columns}, index=frame.index)
    if all(dtype.kind == "f" for dtype in frame.dtypes) and not frame.isna().any(axis=None):
        frame = frame.astype(np.float64)
    return Dataset(path.stem, in_numbers(str(path), frame), y, notes=(*notes, *gaps.notes), missing=tuple(missing))


def in_numbers(told: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a data frame of numbers alone, none missing, in types of NumPy's, and any other as it is.

    ``told`` is what to call it.
    """
    try:
        check_given(told, frame)
    except ValueError:  # it holds other things than numbers
        return frame
    foreign = [name for name, dtype in frame.dtypes.items() if not isinstance(dtype, np.dtype) or dtype.kind == "O"]
    if not foreign or frame.isna().any(axis=None):
        return frame
    return frame.astype(dict.fromkeys(foreign, np.float64))
