"""A column's different values and how often each is there: what its kind is told by.

They are counted in memory, or gathered from parts of a column that memory cannot hold. Then up to `MOST_VALUES` are all
counted, as in memory; of more, a sample of the cells stands for them, and whether any value comes twice is told by
those whose hashes are least (a bottom-k sketch; Cohen & Kaplan 2007), which are counted exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.columns.reading import ColumnTypeError, Dtype, Family, Reading

__all__ = ["MOST_VALUES", "Gathering", "Tally"]

Arrays: TypeAlias = "tuple[NDArray[Any], ...]"

MOST_VALUES, FEWEST_VALUES, VALUES_OF_ALL = 2**16, 2**11, 2**22
"""Different values of a column that are counted, and in how many columns together as many as that are."""


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """The values of a column.

    Attributes
    ----------
    family, dtype
        As in `Reading`.
    known, missing
        How many of its cells are there, and how many are not.
    different
        The different ones (k,), as cells of a `Reading`; or those of a sample, and the lowest and the highest.
    counts, rows
        How often each is there, and the first row that it is in, (k,).
    unique
        Whether none is there twice.
    complete
        Whether they are all there are.
    """

    family: Family
    dtype: Dtype
    known: int
    missing: int
    different: NDArray[Any]
    counts: NDArray[np.int64]
    rows: NDArray[np.int64]
    unique: bool
    complete: bool = True

    @classmethod
    def of(cls, reading: Reading) -> Self:
        """Count the values of a whole column."""
        known = reading.known
        values, counts, rows = _merged(known, np.ones(len(known), np.int64), np.flatnonzero(~reading.missing))
        missing, unique = int(reading.missing.sum()), len(values) == len(known)
        return cls(reading.family, reading.dtype, len(known), missing, values, counts, rows, unique)

    @property
    def reading(self) -> Reading:
        """The values as cells of a column, each once."""
        return Reading(self.family, self.different, np.zeros(len(self.different), bool), self.dtype, self.rows)


class Gathering:
    """A column of which one part after another is seen.

    Parameters
    ----------
    columns
        How many are gathered together.
    """

    def __init__(self, columns: int) -> None:
        self.most = max(FEWEST_VALUES, min(MOST_VALUES, VALUES_OF_ALL // columns))
        self.known, self.missing, self.complete = 0, 0, True
        self.family: Family | None = None
        self.types: dict[str, tuple[Family, Dtype]] = {}
        self.levels: dict[Any, None] = {}
        self.counted: Arrays = ()
        self.sample: Arrays = ()
        self.ends: Arrays = ()

    def add(self, told: str, reading: Reading) -> None:
        """Take in the next rows of the column, which errors call ``told``.

        Raises
        ------
        ColumnTypeError
            If they hold other things than those before.
        """
        part, begin = Tally.of(reading), self.known + self.missing
        held = "nothing" if not part.known else "gaps" if part.missing else "all"
        self.types.setdefault(held, (reading.family, reading.dtype))
        self.levels |= dict.fromkeys(reading.dtype.categories or ())
        self.known, self.missing = self.known + part.known, self.missing + part.missing
        if not part.known:
            return
        if self.family not in (None, reading.family):
            raise ColumnTypeError(f"{told} holds values of type {reading.dtype.text}, and before them others")
        self.family = reading.family
        rows = part.rows + begin
        if self.family != "text":
            self._sampled(reading.known, np.flatnonzero(~reading.missing) + begin)
            values, places = _together(self.ends, (part.different, rows))
            extremes = [int(values.argmin()), int(values.argmax())]
            self.ends = values[extremes], places[extremes]
        self._counted(part.different, part.counts, rows)

    def _sampled(self, cells: NDArray[Any], rows: NDArray[np.int64]) -> None:
        """Add cells to a sample: those whose rows' hashes are least."""
        least = _least(*_together(self.sample, (cells, rows, _hashes(rows))), most=self.most)
        self.sample = least

    def _counted(self, values: NDArray[Any], counts: NDArray[np.int64], rows: NDArray[np.int64]) -> None:
        """Count values; those whose hashes are least, where they are too many."""
        if not self.complete and not self._may_be_unique:
            return
        merged = _merged(*_together(self.counted[:3], (values, counts, rows)))
        self.complete &= len(merged[0]) <= self.most
        self.counted = merged if self.complete else _least(*merged, _hashes(merged[0]), most=self.most)

    @property
    def _may_be_unique(self) -> bool:
        """Whether it matters that no value comes twice: of texts and whole numbers."""
        whole = self.family == "number" and bool((self.counted[0] == np.rint(self.counted[0])).all())
        return self.family == "text" or whole

    def tally(self) -> Tally:
        """Return what is known of all parts."""
        family, dtype = self._type()
        values, counts, rows = self.counted[:3] or (np.zeros(0), *np.zeros((2, 0), np.int64))
        unique = bool((counts == 1).all()) and (self.complete or self._may_be_unique)
        if not self.complete and family != "text":
            cells, places = _together(self.sample[:2], self.ends)
            values, counts, rows = _merged(cells, np.ones(len(cells), np.int64), places)
        return Tally(family, dtype, self.known, self.missing, values, counts, rows, unique, self.complete)

    def _type(self) -> tuple[Family, Dtype]:
        """Return what the column holds, and its type: that of a part with gaps, if there are any."""
        found = [self.types[held] for held in ("gaps", "nothing", "all") if held in self.types]
        family, dtype = next(one for one in found if self.family in (None, one[0]))
        return family, replace(dtype, categories=tuple(self.levels) if self.levels else None)


def _together(before: Arrays, more: Arrays) -> Arrays:
    return tuple(map(np.concatenate, zip(before, more, strict=True))) if before else more


def _hashes(values: NDArray[Any]) -> NDArray[np.uint64]:
    return pd.util.hash_array(values, categorize=False)


def _least(*arrays: NDArray[Any], most: int) -> Arrays:
    """Return of arrays (n,) the ``most`` entries at which the last one is least."""
    if len(arrays[-1]) <= most:
        return arrays
    kept = np.sort(np.argpartition(arrays[-1], most)[:most])
    return tuple(array[kept] for array in arrays)


def _merged(values: NDArray[Any], counts: NDArray[np.int64], rows: NDArray[np.int64]) -> Arrays:
    """Return the different ones among ``values`` as they first come, how often each is there, and its first row."""
    codes, different = pd.factorize(values)
    first = np.empty(len(different), np.int64)
    first[codes[::-1]] = rows[::-1]
    return different, np.bincount(codes, counts, len(different)).astype(np.int64), first
