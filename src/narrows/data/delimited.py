"""Files of cells between commas, semicolons or tabs, gzipped or not: their lines, and which of these holds names."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import IO

from narrows.data.cells import is_number
from narrows.data.errors import DataError

__all__ = ["Delimited", "delimited_in", "delimited_on", "delimited_parts", "opened", "read_delimited"]

MARKS = (",", ";", "\t")
"""What may separate cells."""

LINES_LOOKED_AT = 50
"""Lines from which the separator, and what the first one holds, are told."""


@dataclass(frozen=True, slots=True)
class Delimited:
    """A file's cells.

    Attributes
    ----------
    path
        Of the file.
    names, named
        Of the columns: from its first line, if this holds them, or else their numbers.
    lines
        The others, as texts; none is empty, and all are as long as the names.
    separator
        Between cells; semicolons leave commas for decimals.
    note
        What to say of the first line, if it was taken for names.
    first
        How many lines of the file come between the names and these.
    heading, text
        The names, and these lines, as they stand in the file, where they are read in parts.
    """

    path: Path
    names: list[str]
    named: bool
    lines: list[list[str]]
    separator: str
    note: str | None
    first: int = 0
    heading: str = ""
    text: str = ""

    @property
    def commas(self) -> bool:
        """Whether numbers may have decimal commas."""
        return self.separator == ";"

    def column(self, place: int) -> list[str]:
        """Return the cells of the column at ``place``, without the white space around them."""
        return [line[place].strip() for line in self.lines]


def read_delimited(path: Path, missing: Sequence[str] = ()) -> Delimited:
    """Read a table's cells, as texts.

    The separator is what splits the first lines into equally many cells, and of several the one that leaves most
    numbers. The first line holds names if none of its cells is a number, if one stands above numbers alone, or if they
    count the columns, 0, 1, 2 …, as pandas writes them.

    Parameters
    ----------
    path
        Of the file, in UTF-8.
    missing
        What stands for a missing cell, and for no column's name.

    Raises
    ------
    DataError
        If it cannot be read, or lines differ in length.
    """
    with _damage_named(path), opened(path) as file:
        return delimited_in(path, file, missing)


def delimited_in(path: Path, file: IO[str], missing: Sequence[str] = ()) -> Delimited:
    """Return the cells of ``file``, open at ``path``, as `read_delimited` does."""
    separator = _separator(file)
    file.seek(0)
    lines = [line for line in csv.reader(file, delimiter=separator) if line]
    if not lines:
        raise DataError(f"{path} is empty")
    return _begun(path, separator, lines[0], lines[1:], missing)


def delimited_on(begun: Delimited, text: str, first: int) -> Delimited:
    """Return the cells of ``text``, lines of the same file that come ``first`` after the names or later.

    Raises
    ------
    DataError
        If lines are not as long as the names, or are no such lines at all.
    """
    number = 1 + begun.named + first
    try:
        lines = list(filter(None, csv.reader(StringIO(text, newline=""), delimiter=begun.separator)))
    except csv.Error as error:
        raise DataError(f"{begun.path}, from line {number} on, is no table: {error}") from error
    _check_lengths(begun.path, lines, len(begun.names), number)
    return replace(begun, lines=lines, first=first)


def delimited_parts(path: Path, rows: int, missing: Sequence[str] = ()) -> Iterator[Delimited]:
    """Yield a table's cells as `read_delimited` returns them, at most that many ``rows`` at a time.

    Raises
    ------
    DataError
        As there, when it comes to it.
    """
    with _damage_named(path), opened(path) as file:
        separator = _separator(file)
        file.seek(0)
        raw = list[str]()
        lines = filter(None, csv.reader(_recorded(file, raw), delimiter=separator))
        top = next(lines, None)
        if top is None:
            raise DataError(f"{path} is empty")
        heading, first = "".join(raw), 0
        begun = _begun(path, separator, top, list(islice(lines, LINES_LOOKED_AT)), missing)
        file.seek(0)  # what was looked at is read once more
        raw.clear()
        lines = filter(None, csv.reader(_recorded(file, raw), delimiter=separator))
        begun = replace(begun, heading=heading if begun.named else "")
        if begun.named:
            next(lines)
            raw.clear()
        while part := list(islice(lines, rows)):
            _check_lengths(path, part, len(top), 1 + begun.named + first)
            yield replace(begun, lines=part, first=first, text="".join(raw))
            raw.clear()
            first += len(part)


def _recorded(file: IO[str], raw: list[str]) -> Iterator[str]:
    """Yield the lines of ``file``, of which ``raw`` keeps what was not yet taken away."""
    for line in file:
        raw.append(line)
        yield line


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Say of a file that cannot be read that it cannot."""
    try:
        yield
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not a table in UTF-8: {error}; save it as CSV UTF-8") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def _begun(path: Path, separator: str, top: list[str], below: list[list[str]], missing: Sequence[str]) -> Delimited:
    """Return a file that begins with the line ``top``, and goes on with those ``below``."""
    first = [cell.strip() for cell in top]
    note = _names_told(first, below[: LINES_LOOKED_AT - 1], missing, commas=separator == ";")
    named = note is not None
    lines = below if named else [top, *below]
    _check_lengths(path, lines, len(first), 1 + named)
    names = first if named else [str(place) for place in range(len(first))]
    return Delimited(path, names, named, lines, separator, note)


def _check_lengths(path: Path, lines: Sequence[Sequence[str]], length: int, first: int) -> None:
    for number, line in enumerate(lines, first):
        if len(line) != length:
            raise DataError(f"{path}, line {number} has {len(line)} cells; the first line has {length}")


def opened(path: Path) -> IO[str]:
    """Return the file at ``path`` open as text, with its ends of lines as they are, but without its byte-order mark."""
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
        cells = [is_number(cell, commas=mark == ";") for line in lines for cell in line]
        return alike, sum(cells) / max(1, len(cells)), width

    return max(MARKS, key=fit)


def _names_told(
    first: Sequence[str], below: Sequence[Sequence[str]], missing: Sequence[str], *, commas: bool
) -> str | None:
    """Return what to say of the first line if it holds names, or else None."""
    counted = first[1:] if first[0] == "" else first
    shown = f"{', '.join(counted[:5])}{' …' if len(counted) > 5 else ''}"
    numbers = [cell for cell in counted if cell and is_number(cell, commas=commas)]
    counts = len(first) > 1 and numbers == [str(i) for i in range(len(numbers))]
    if counts and numbers == counted:
        return f"the first line, {shown}, counts the columns and was taken for their names"
    texts = any(cell and cell not in numbers for cell in counted) and not any(cell in missing for cell in first)
    counts = counts and (len(numbers) > 1 or first[0] == "")
    if texts and (not numbers or counts or _stands_above_numbers(first, below, missing, commas=commas)):
        return f"the first line was taken for the columns' names: {shown}"
    return None


def _stands_above_numbers(
    first: Sequence[str], below: Sequence[Sequence[str]], missing: Sequence[str], *, commas: bool
) -> bool:
    """Say whether some text of the first line is above numbers alone, and so is their name."""
    for place, name in enumerate(first):
        own = [cell for line in below if len(line) > place and (cell := line[place].strip()) and cell not in missing]
        numeric = own and all(is_number(cell, commas=commas) for cell in own)
        if numeric and not is_number(name, commas=commas):
            return True
    return False
