"""Tables of numbers, of which one column may hold labels: CSV as programs and people write it, Parquet, data frames.

What is guessed, such as which column holds the labels, is said in the data set's notes.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.arguments import check_given
from narrows.data.arrays import LABEL_NAMES
from narrows.data.dataset import Dataset
from narrows.data.errors import DataError
from narrows.data.labels import labels_in

__all__ = ["in_numbers", "read_csv", "read_parquet"]

MARKS = (",", ";", "\t")
"""What may separate cells."""

LINES_LOOKED_AT = 50
"""Lines from which the separator is told."""

NAMELESS = ("", "Unnamed: 0")
"""What pandas and R call a first column of row names when they write it, and pandas when it reads that."""


def read_csv(path: Path) -> Dataset:
    """Read a table of numbers between commas, semicolons or tabs, gzipped or not; empty cells are NaN.

    The separator is what splits the first lines into equally many cells, and of several the one that leaves most
    numbers. Between semicolons, numbers may have decimal commas. The first line holds the columns' names if not all of
    its cells are numbers, or if they count the columns, 0, 1, 2 …, as pandas writes them. A first column without a name
    holds those of the rows, as pandas and R write it, and is left out.

    A column called label, labels, class, target or y (in any case) holds labels, unless they are real numbers; those
    that are empty become ``"unlabelled"``.

    Raises
    ------
    DataError
        If lines differ in length, or a cell of another column is not a number; the message names line and column.
    """
    lines, commas = _read(path)
    first = [cell.strip() for cell in lines[0]]
    told = _names_told(first, commas=commas)
    named = told is not None
    notes = [] if told is None else [told]
    names, body = first if named else [str(i) for i in range(len(first))], lines[named:]
    for number, line in enumerate(body, 1 + named):
        if len(line) != len(first):
            raise DataError(f"{path}, line {number} has {len(line)} cells; the first line has {len(first)}")
    columns = list(range(len(first)))
    if named and first[0] in NAMELESS and len(first) > 1:
        columns.remove(0)
        notes.append(
            "the first column, which has no name, was taken for the rows' names and left out; name it to learn from it"
        )
    label = _label_column(names) if named else None
    y = None
    if label is not None:
        y, note = _labels(path, names[label], [line[label].strip() or None for line in body], commas=commas)
        notes.append(note)
        columns = [i for i in columns if i != label or y is None]
    if not columns or not body:
        raise DataError(
            f"{path} holds {len(body)} rows of {len(columns)} columns apart from the label; it needs at least "
            "one of each"
        )
    cells = [[line[i] for line in body] for i in columns]
    if commas:
        _check_decimals(path, cells)
    X = np.empty((len(body), len(columns)))
    for number, i in enumerate(columns):
        X[:, number] = _numbers(path, names[i], cells[number], 1 + named, commas=commas)
    stem = Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem
    return Dataset(stem, pd.DataFrame(X, columns=[names[i] for i in columns]) if named else X, y, notes=tuple(notes))


def _read(path: Path) -> tuple[list[list[str]], bool]:
    """Return a table's lines, but empty ones, and whether its numbers may have decimal commas."""
    try:
        with _opened(path) as file:
            separator = _separator(file)
            file.seek(0)
            lines = [line for line in csv.reader(file, delimiter=separator) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not a table in UTF-8: {error}") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    if not lines:
        raise DataError(f"{path} is empty")
    return lines, separator == ";"


def _opened(path: Path) -> IO[str]:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", newline="", encoding="utf-8-sig")
    return path.open(newline="", encoding="utf-8-sig")


def _separator(file: IO[str]) -> str:
    """Return what splits the first lines into equally many cells, quotes respected, and leaves most numbers."""

    def fit(mark: str) -> tuple[int, float, int]:
        file.seek(0)
        try:
            lines = [line for line in islice(csv.reader(file, delimiter=mark), LINES_LOOKED_AT) if line]
        except csv.Error:
            return 0, 0.0, 0
        width = len(lines[0]) if lines else 0
        alike = sum(len(line) == width for line in lines) if width > 1 else 0
        cells = [_is_number(cell, commas=mark == ";") for line in lines for cell in line]
        return alike, sum(cells) / max(1, len(cells)), width

    return max(MARKS, key=fit)


def _names_told(first: Sequence[str], *, commas: bool) -> str | None:
    """Return what to say of the first line if it holds names, or else None."""
    counted = first[1:] if first[0] == "" else first
    shown = f"{', '.join(counted[:5])}{' …' if len(counted) > 5 else ''}"
    if len(first) > 1 and counted == [str(i) for i in range(len(counted))]:
        return f"the first line, {shown}, counts the columns and was taken for their names"
    if all(_is_number(cell, commas=commas) for cell in first):
        return None
    return f"the first line was taken for the columns' names: {shown}"


def _label_column(names: Sequence[str]) -> int | None:
    """Return which column holds labels, by its name: one called y only if no other does."""
    lower = [name.lower() for name in names]
    return next((lower.index(name) for name in LABEL_NAMES if name in lower), None)


def _labels(path: Path, name: str, values: Sequence[Any], *, commas: bool) -> tuple[NDArray[np.generic] | None, str]:
    """Return the labels (n,) in a column, or None if it holds real numbers, and what to say of it."""
    texts = [value for value in values if isinstance(value, str)]
    numbers = [_number(text, commas=commas) for text in texts if _is_number(text, commas=commas)]
    if not texts or len(numbers) < len(texts) or all(number.is_integer() for number in numbers):
        y = labels_in(f"{path}, column {name!r}: the labels", values)
        if y is not None:
            return y, f"column {name!r} was taken for the labels; rename it to learn from it"
    held = "is empty" if all(value is None for value in values) else "holds real numbers"
    return None, f"column {name!r} {held}, so it was taken for data to learn from, not for labels"


def _check_decimals(path: Path, cells: Sequence[Sequence[str]]) -> None:
    """Refuse decimal commas and points in one table: 1.234 may then be a thousand or one."""
    comma, point = (next((cell for column in cells for cell in column if mark in cell), None) for mark in ",.")
    if comma is not None and point is not None:
        raise DataError(f"{path} holds both {comma!r} and {point!r}; write decimal commas or decimal points throughout")


def _numbers(path: Path, name: str, cells: Sequence[str], before: int, *, commas: bool) -> NDArray[np.float64]:
    """Return a column's cells as numbers, of which ``before`` lines stand above."""
    try:
        return np.array([_number(cell, commas=commas) for cell in cells])
    except ValueError as error:
        row = next(row for row, cell in enumerate(cells) if not _is_number(cell, commas=commas))
        raise DataError(
            f"{path}, line {before + row}, column {name!r} holds {cells[row]!r}, which is not a number; "
            "drop the column, write numbers, or call it 'label' if it says what each row is"
        ) from error


def _number(cell: str, *, commas: bool) -> float:
    return float((cell.replace(",", ".") if commas else cell) or "nan")


def _is_number(cell: str, *, commas: bool) -> bool:
    try:
        _number(cell, commas=commas)
    except ValueError:
        return False
    return True


def read_parquet(path: Path) -> Dataset:
    """Read a table of numbers with the columns' names, of which one may hold labels, as in `read_csv`; nulls are NaN.

    Raises
    ------
    DataError
        If pyarrow is not installed, the file is damaged, or another column is not of numbers.
    """
    try:
        table = pd.read_parquet(path)
    except ImportError as error:
        raise DataError(f"{path} needs pyarrow, which is not installed: pip install 'narrows[parquet]'") from error
    except (ValueError, OSError) as error:
        raise DataError(f"{path} is not a Parquet file that can be read: {error}") from error
    names = list(table.columns.map(str))
    table.columns = pd.Index(names)
    label, y, notes = _label_column(names), None, []
    if label is not None:
        y, note = _labels(path, names[label], table[names[label]].to_list(), commas=False)
        notes.append(note)
        table = table if y is None else table.drop(columns=names[label])
    return Dataset(path.stem, in_numbers(str(path), table).astype(np.float64), y, notes=tuple(notes))


def in_numbers(told: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a data frame whose columns pandas holds in types of its own, such as ``Int64``, in NumPy's.

    Raises
    ------
    DataError
        If a column, which the message names, holds other things than numbers.
    """
    try:
        check_given(told, frame)
    except ValueError as error:
        raise DataError(f"{error}, or call it 'label' if it says what each row is") from error
    foreign = [name for name, dtype in frame.dtypes.items() if not isinstance(dtype, np.dtype) or dtype.kind == "O"]
    return frame.astype(dict.fromkeys(foreign, np.float64)) if foreign else frame
