"""The cells of a column of a text file, and what they write: numbers, truth values, times or texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from narrows.data.errors import DataError
from narrows.data.signed import SignedNumbers, is_signed
from narrows.dates import date_form, look_like_dates

__all__ = ["TYPES", "Gaps", "TextColumn", "is_number", "number", "typed"]

TYPES = ("number", "truth", "text", "time", "span")
"""What a column may be said to hold; the kinds of columns are another matter, found when a model is fitted."""

CODE = re.compile(r"^[+-]?0\d", re.MULTILINE)
"""A number with leading zeros, which only codes have."""

IN_FRACTIONS = frozenset(".,eEnNiI")
"""One of which a number has that is written as no whole one."""

MISSING_WORDS = frozenset({"na", "n/a", "#n/a", "nan", "<na>", "null", "none", "nil", "?", "-", "--", "."})
"""What stands for a missing number without being said to; among texts each may be a word like any other."""

OTHERWISE_WRITTEN = re.compile(r"[+-]?(\d{1,3}([.,]\d{3})+([.,]\d+)?|\d+,\d+|\d{1,3}([ \xa0]\d{3})+,\d+)")
"""What is a number to people, with marks between thousands or a decimal comma, but could be one of two."""

MOST_WORDS = 12
"""Words among numbers that an error names; more are hardly so many ways to say that a cell is missing."""

MOST_SPELLED = 256
"""Different texts of a column that are compared for their spelling."""

MOSTLY = 0.9
"""The fraction of numbers from which on a text among them is an error, and not a sign that all are texts."""

LARGEST_WHOLE = 2.0**53
"""From here on several whole numbers look the same in 64 bits, so that they can only be codes."""


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A column of a file.

    Attributes
    ----------
    file, name
        Where it stands, for messages.
    cells
        (n,), without the white space around them; "" where one is missing.
    line
        Where in the file the first of them stands.
    commas
        Whether decimal commas write numbers.
    """

    file: str
    name: str
    cells: list[str]
    line: int
    commas: bool

    @property
    def told(self) -> str:
        """What messages call it."""
        return f"{self.file}, column {self.name!r}"


class Gaps:
    """What stands for missing cells besides nothing, and how often it did.

    Parameters
    ----------
    marks
        Texts; those that write numbers stand for these, however they are written.
    """

    def __init__(self, marks: Sequence[str]) -> None:
        if isinstance(marks, str) or not all(isinstance(mark, str) and mark.strip() for mark in marks):
            raise DataError(
                f"missing={marks!r} (--missing) must list texts that stand for a missing cell, such as '?' and 'NA'; "
                "empty cells are missing anyway"
            )
        self.marks = dict.fromkeys(mark.strip() for mark in marks)
        self.numbers = {number(mark): mark for mark in self.marks if is_number(mark)}
        self.found: Counter[str] = Counter()

    def emptied(self, cells: list[str], *, commas: bool) -> list[str]:
        """Return ``cells`` with "" for those that are missing, which are counted."""
        if not self.marks:
            return cells
        counts = Counter(cells)
        taken = {cell: mark for cell in counts if cell and (mark := self._mark_of(cell, commas=commas)) is not None}
        for cell, mark in taken.items():
            self.found[mark] += counts[cell]
        return ["" if cell in taken else cell for cell in cells] if taken else cells

    def _mark_of(self, cell: str, *, commas: bool) -> str | None:
        if cell in self.marks:
            return cell
        if not self.numbers or not is_number(cell, commas=commas) or CODE.match(cell):
            return None
        return self.numbers.get(number(cell, commas=commas))

    def of_series(self, column: pd.Series[Any]) -> pd.Series[Any]:
        """Return a column of a Parquet file with missing cells for those that are marked, which are counted."""
        numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
        marks: dict[Any, str] = dict(self.numbers) if numeric else {mark: mark for mark in self.marks}
        gaps = np.zeros(len(column), bool)
        for value, mark in marks.items():
            own = column.eq(value).fillna(value=False).to_numpy(bool)
            self.found[mark] += int(own.sum())
            gaps |= own
        if not gaps.any():
            return column
        whole = isinstance(column.dtype, np.dtype) and column.dtype.kind in "iu"
        return (column.convert_dtypes(convert_string=False) if whole else column).mask(gaps)

    @property
    def notes(self) -> list[str]:
        """How often each mark was taken for a missing cell."""
        if not self.marks:
            return []
        said = [f"{mark!r} in {_counted(self.found[mark])}" for mark in self.marks]
        return [f"taken for missing: {', '.join(said)}"]


def _counted(n: int) -> str:
    return f"{n:,} cell{'s' * (n > 1)}" if n else "no cell"


def number(cell: str, *, commas: bool = False) -> float:
    """Return the number that a cell writes; NaN for an empty one.

    Raises
    ------
    ValueError
        If it writes none.
    """
    if "_" in cell:  # which Python allows in numbers
        raise ValueError
    return float((cell.replace(",", ".") if commas else cell) or "nan")


def is_number(cell: str, *, commas: bool = False) -> bool:
    """Say whether a cell writes a number, or is empty."""
    try:
        number(cell, commas=commas)
    except ValueError:
        return False
    return True


def typed(column: TextColumn, held: str | None = None) -> tuple[pd.Series[Any], str | None]:
    """Return a column in the type of what its cells write, and what is to be said of it, if anything.

    Whole numbers are ``int64``, or ``Int64`` if some are missing; truth values ``bool`` or ``boolean``. Numbers may
    have a sign of money or per cent. Those with leading zeros, and those beyond 2⁵³, are texts.

    Parameters
    ----------
    column
        Its cells.
    held
        One of `TYPES`, which they have to be; None finds it out.

    Raises
    ------
    DataError
        If a cell is not what the others are, or is not of the type ``held``; the message names its line and column.
    """
    if held is not None:
        return HELD[held](column), None
    numbers = _in_numbers(column.cells, commas=column.commas)
    signed = (numbers, None) if numbers is not None else _signed(column)
    if signed is not None:
        return signed
    counts = Counter(column.cells)
    known = {cell: n for cell, n in counts.items() if cell}
    if {cell.lower() for cell in known} <= {"true", "false"}:
        return _truths(column), None
    others = {cell: n for cell, n in known.items() if not is_number(cell, commas=column.commas)}
    if not others or any(map(CODE.match, known)):
        return _texts(column), _doubts(column.name, known)
    if all(cell.lower() in MISSING_WORDS for cell in others) and len(others) < len(known):
        words = ", ".join(f"{cell!r} in {_counted(n)}" for cell, n in others.items())
        cells = ["" if cell in others else cell for cell in column.cells]
        numbers = _in_numbers(cells, commas=column.commas)
        assert numbers is not None
        return numbers, f"column {column.name!r}: {words} taken for missing"
    _refuse_a_few(column, known, others)
    return _texts(column), _doubts(column.name, known)


def _doubts(name: str, known: Mapping[str, int]) -> str | None:
    """Return which texts of a column are perhaps no levels of their own, by how often each is there; None for none."""
    gaps = [cell for cell in known if cell.lower() in MISSING_WORDS]
    if len(gaps) < len(known) and gaps:
        words = ", ".join(f"{cell!r} in {_counted(known[cell])}" for cell in gaps)
        return (
            f"column {name!r}: {words} taken for {'a text' if len(gaps) == 1 else 'texts'} like any other; if missing "
            f"cells are meant, say so (--missing {','.join(gaps)!r})"
        )
    texts = np.array([*known], object)
    if look_like_dates(texts) and not date_form(texts):
        return (
            f"column {name!r}: its texts, such as {texts[0]!r}, look like dates, but not all in one known form; "
            "write all of them as 2024-12-31 if they are to be taken for dates"
        )
    if len(known) > MOST_SPELLED:
        return None
    alike: dict[str, list[str]] = {}
    for cell in known:
        alike.setdefault(cell.casefold(), []).append(cell)
    twice = next((cells for cells in alike.values() if len(cells) > 1), None)
    if twice is None:
        return None
    return f"column {name!r}: {' and '.join(map(repr, sorted(twice)))} are levels of their own, as they are written"


def _refuse_a_few(column: TextColumn, known: Mapping[str, int], others: Mapping[str, int]) -> None:
    """Refuse a column of which some cells, the ``others``, write no number, or perhaps one, but most of those known do.

    Both say how often a text is there.
    """
    if all(map(OTHERWISE_WRITTEN.fullmatch, others)):
        raise _one_of_two(column, others)
    others = {cell: n for cell, n in others.items() if not is_signed(cell)} or others
    share = 1 - sum(others.values()) / sum(known.values())
    if share < MOSTLY:
        return
    row = next(row for row, cell in enumerate(column.cells) if cell in others)
    words = list(others) if len(others) <= MOST_WORDS and not any("," in word for word in others) else []
    more, stand = "", "this stands for a missing one"
    if len(words) > 1:
        more = f", and {len(words) - 1} other word{'s' * (len(words) > 2)} elsewhere"
        stand = "these stand for missing ones"
    raise DataError(
        f"{column.told} holds {column.cells[row]!r} in line {column.line + row}{more}, but numbers in "
        f"{min(100 * share, 99.9):.3g} % of its cells; if {stand}, say so "
        f"(--missing {(','.join(words) or column.cells[row])!r}), and if all are codes, say that "
        f"(--column {column.name}=category)"
    )


def _one_of_two(column: TextColumn, others: Iterable[str]) -> DataError:
    """Return the error of a column with cells, the ``others``, of which one cannot tell which number they write."""
    row = next(row for row, cell in enumerate(column.cells) if cell in others)
    return DataError(
        f"{column.told} holds {column.cells[row]!r} in line {column.line + row}, which could be one of two numbers; "
        "write 1234.5, or 1234,5 between semicolons, and nothing between thousands; if all are codes, say so "
        f"(--column {column.name}=category)"
    )


def _signed(column: TextColumn) -> tuple[pd.Series[Any], str | None] | None:
    """Return a column of numbers with a sign, such as $ or %, and what to say of it; None where it is none.

    Words that stand for missing numbers may be among them.
    """
    known = {cell for cell in column.cells if cell and cell.lower() not in MISSING_WORDS}
    form = SignedNumbers.of(known)
    if form is None:
        return None
    if len(form.point) > 1:
        raise _one_of_two(column, [cell for cell in known if "." in cell or "," in cell])
    plain = {cell: form.plain(cell) for cell in known}
    numbers = _in_numbers([plain.get(cell, "") for cell in column.cells], commas=False)
    if numbers is None:  # of many digits, or with zeros before them: codes
        return None
    first = next(cell for cell in column.cells if cell in known)
    note = f"column {column.name!r}: {first!r} and the like were read as numbers, {plain[first]}"
    words = Counter(cell for cell in column.cells if cell and cell not in known)
    if words:
        note += f", and {', '.join(f'{word!r} in {_counted(n)}' for word, n in words.items())} taken for missing"
    return numbers, note


def _in_numbers(cells: Sequence[str], *, commas: bool) -> pd.Series[Any] | None:
    """Return numbers, whole ones as such, or None if some cell is none, or they are codes."""
    joined = "\n".join(cells)
    if CODE.search(joined):
        return None
    try:
        values = np.array([number(cell, commas=commas) for cell in cells])
    except ValueError:
        return None
    missing = np.isnan(values)
    if missing.all() or not IN_FRACTIONS.isdisjoint(joined):
        return pd.Series(values)
    if np.abs(values[~missing]).max() >= LARGEST_WHOLE:
        return None
    whole = np.where(missing, 0, values).astype(np.int64)
    return pd.Series(pd.arrays.IntegerArray(whole, missing) if missing.any() else whole)


def _texts(column: TextColumn) -> pd.Series[Any]:
    texts = [cell or None for cell in column.cells]
    return pd.Series(texts) if any(texts) else pd.Series(texts, dtype=object)  # which pandas may infer otherwise


def _numbers(column: TextColumn) -> pd.Series[Any]:
    cells = ["" if cell.lower() in MISSING_WORDS else cell for cell in column.cells]
    found = _in_numbers(cells, commas=column.commas)
    if found is not None:
        return found
    signed = _signed(column)
    if signed is not None:
        return signed[0]
    _refuse(column, [not is_number(cell, commas=column.commas) for cell in cells], "a number")
    return pd.Series([number(cell, commas=column.commas) for cell in cells])


def _truths(column: TextColumn) -> pd.Series[Any]:
    cells = [cell.lower() for cell in column.cells]
    if any(cells) and all(map(is_number, set(cells))):  # 0 and 1 stand for them, too
        return _numbers(column)
    _refuse(column, [cell not in ("true", "false", "") for cell in cells], "true or false")
    if "" not in cells:
        return pd.Series([cell == "true" for cell in cells])
    return pd.Series(pd.array([None if cell == "" else cell == "true" for cell in cells], dtype="boolean"))


def _times(column: TextColumn) -> pd.Series[Any]:
    times = pd.to_datetime(_texts(column), format="ISO8601", errors="coerce", utc=True).dt.tz_localize(None)
    _refuse(column, times.isna(), "a date, as 2024-12-31,")
    return times


def _spans(column: TextColumn) -> pd.Series[Any]:
    spans: pd.Series[Any] = pd.to_timedelta(_texts(column), errors="coerce")
    _refuse(column, spans.isna(), "a span of time, as 2 days 03:00:00,")
    return spans


def _refuse(column: TextColumn, wrong: Iterable[bool], wanted: str) -> None:
    """Refuse a column with a cell that is ``wrong`` and not missing."""
    both = enumerate(zip(column.cells, wrong, strict=True))
    row = next((row for row, (cell, is_wrong) in both if cell and is_wrong), None)
    if row is not None:
        raise DataError(
            f"{column.told} holds {column.cells[row]!r} in line {column.line + row}; {wanted} is expected; if it "
            f"stands for a missing one, say so (--missing {column.cells[row]!r})"
        )


HELD: dict[str, Callable[[TextColumn], pd.Series[Any]]] = {
    "number": _numbers,
    "truth": _truths,
    "text": _texts,
    "time": _times,
    "span": _spans,
}
