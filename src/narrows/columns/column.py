"""Kinds of columns: what a cell is as a number, and back.

A cell is one number wherever a model meets it: itself, its logarithm, seconds since 1970, or its level's place. What
nets see of it, and which likelihood it has, follow from the kind (`narrows.models.coding`,
`narrows.models.likelihoods.mixed`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.columns.reading import ColumnTypeError, Dtype, Family, Level, Reading, objects_of
from narrows.dates import moments, written

__all__ = ["DAY", "KINDS", "LEFT_OUT", "LEVELS", "MOST_LEVELS", "NUMBERS", "SLACK", "Column", "Kind"]

Kind = Literal[
    "real", "positive", "whole", "count", "binary", "category", "ordered", "date", "identifier", "constant", "empty"
]

NUMBERS: tuple[Kind, ...] = ("real", "positive", "whole", "date")
"""Kinds whose cells are real numbers to a model; a count's are not, nor are levels."""

LEVELS: tuple[Kind, ...] = ("binary", "category", "ordered")

LEFT_OUT: tuple[Kind, ...] = ("identifier", "constant", "empty")
"""Kinds that nothing can be learned from."""

KINDS: tuple[Kind, ...] = (*NUMBERS, "count", *LEVELS, "identifier")
"""Those that can be asked for."""

MOST_LEVELS = 256
"""Of a category, with an output each; of more, the rare ones share the last."""

DAY = 86400.0

SLACK = 1e-5
"""In parts of a column's range, how far 32 bits may be from a value that many cells share."""

WORDS: dict[Family, str] = {
    "number": "numbers",
    "truth": "truth values",
    "text": "texts",
    "time": "dates or times",
    "span": "spans of time",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table that a model is fitted to.

    Attributes
    ----------
    name
        Its heading, or its number.
    kind, family, dtype
        Its kind, what it holds, and its type.
    known, missing
        How many of its cells are there, and how many are not.
    levels, counts
        The levels, in order, and how often each was there, for a kind with levels; a constant's one.
    edges
        Of numbers that no bell describes, where each of the bins begins and ends that their cells are cut into, one
        after another; ``counts`` then says how many cells each holds. Empty for all others.
    heaps
        In its own unit, the values of those bins that hold one alone: a logarithm's exponential may be another.
    low, high, step
        The range of the numbers, and the grid that they lie on, such as 0.01 for two decimals; 0 for none.
    form
        How a text writes a date; "" for none.
    """

    name: str | int
    kind: Kind
    family: Family
    dtype: Dtype
    known: int
    missing: int
    levels: tuple[Level, ...] = ()
    counts: tuple[int, ...] = ()
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0
    form: str = ""
    edges: tuple[float, ...] = ()
    heaps: tuple[float, ...] = ()

    @property
    def outputs(self) -> int:
        """Levels that a model tells apart."""
        return min(len(self.levels), MOST_LEVELS)

    @property
    def unseen(self) -> float:
        """The probability of a level that was not there: 1 / (cells + 1), as of one more cell that is new."""
        return 1 / (self.known + 1)

    # --- Cells ------------------------------------------------------------------------

    def cells(self, told: str, reading: Reading) -> NDArray[np.float64]:
        """Return the cells of a column as numbers, (n,): NaN where missing; ``len(levels)`` for an unseen level.

        Parameters
        ----------
        told
            What errors call the column.
        reading
            Its cells.

        Raises
        ------
        TypeError, ValueError
            If it holds other things than it did at the fit.
        """
        if self.kind in LEVELS:
            self._check_family(told, reading)
            places = self._places(reading)
            return np.where(reading.missing, np.nan, places)
        numbers = self.numbers(told, reading)
        if self.kind == "count":
            _check_counts(told, numbers)
        return self.as_cells(numbers)

    def as_cells(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the cells (n,) of numbers in the column's own unit."""
        return self.logarithms(numbers) if self.kind == "positive" else numbers

    def _check_family(self, told: str, reading: Reading) -> None:
        alike = {"number", "truth"}
        if reading.family != self.family and not {reading.family, self.family} <= alike and not reading.missing.all():
            raise ColumnTypeError(
                f"{told} holds {WORDS[reading.family]}, of type {reading.dtype.text}; when the model was fitted it "
                f"held {WORDS[self.family]}"
            )

    def _places(self, reading: Reading) -> NDArray[np.float64]:
        if self.family == "text":
            found = pd.Index(list(self.levels), dtype=object).get_indexer(pd.Index(reading.cells, dtype=object))
        else:
            found = pd.Index(np.array(self.levels, np.float64)).get_indexer(pd.Index(reading.cells.astype(np.float64)))
        return np.where(found < 0, len(self.levels), found).astype(np.float64)

    def numbers(self, told: str, reading: Reading) -> NDArray[np.float64]:
        """Return the cells of a column of numbers in its own unit, (n,); dates in seconds."""
        self._check_family(told, reading)
        if reading.missing.all():
            return np.full(len(reading.missing), np.nan)
        if reading.family == "text":
            return self._of_texts(told, reading)
        numbers = np.where(reading.missing, np.nan, reading.cells).astype(np.float64)
        wrong = np.isinf(numbers) | (np.abs(numbers) > np.finfo(np.float32).max)
        if wrong.any():
            place = int(wrong.argmax())
            row = reading.row(place)
            raise ValueError(f"{told} holds {numbers[place]:g} in row {row}; finite 32-bit numbers are expected")
        return numbers

    def _of_texts(self, told: str, reading: Reading) -> NDArray[np.float64]:
        texts = pd.Series(objects_of(reading.cells, reading.missing))
        if self.kind == "date":
            stamps = moments(texts, self.form)
            numbers = pd.DatetimeIndex(stamps).as_unit("us").asi8 / 1e6
            numbers = np.where(stamps.isna(), np.nan, numbers)
            wanted = f"a date written as {self.form}"
        else:
            numbers = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64)
            wanted = "a number"
        wrong = ~reading.missing & ~np.isfinite(numbers)
        if wrong.any():
            place = int(wrong.argmax())
            raise ValueError(f"{told} holds {reading.cells[place]!r} in row {reading.row(place)}; {wanted} is expected")
        return numbers

    def logarithms(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log x, and below the least value seen the straight line that goes on there: also 0 has a cell."""
        return np.where(x >= self.low, np.log(np.maximum(x, self.low)), math.log(self.low) + (x - self.low) / self.low)

    def log_slopes(self, cells: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log |d cell / d value| of cells, (n,): what a density changes by."""
        if self.kind == "positive":
            return -np.maximum(cells, math.log(self.low))
        return np.zeros(len(cells))

    @property
    def shown_form(self) -> str:
        """How its dates are shown: as its texts write them, or else by the day, or by the second."""
        return self.form or ("%Y-%m-%d" if self.step == DAY else "%Y-%m-%d %H:%M:%S")

    # --- Back -------------------------------------------------------------------------

    def values(self, cells: NDArray[np.float64], *, bounded: bool) -> NDArray[Any]:
        """Return the values (n,) that ``cells`` stand for, as in `Reading`; of missing cells anything.

        ``bounded`` keeps numbers within what the training data reach.
        """
        if self.kind in LEVELS:
            places = np.nan_to_num(np.rint(cells)).clip(0, len(self.levels) - 1).astype(np.int64)
            return self._of_levels()[places]
        numbers = np.nan_to_num(cells.astype(np.float64))
        heaps = self._heaps_of(numbers)
        if self.kind == "positive":
            start = math.log(self.low)
            low = self.low * (1 + np.minimum(numbers - start, 0))
            numbers = np.where(numbers >= start, np.exp(np.minimum(numbers, 88.0)), low)
        numbers = self.on_grid(np.where(np.isnan(heaps), numbers, heaps))
        if bounded or self.kind == "count":
            numbers = numbers.clip(self.low, self.high if bounded else None)
        if self.form:
            stamps = np.rint(numbers * 1e6).astype(np.int64).astype("datetime64[us]")
            return written(pd.DatetimeIndex(stamps), self.form)
        return numbers + 0.0  # which −0 is not

    def _of_levels(self) -> NDArray[Any]:
        return np.array([*self.levels, None], object)[:-1] if self.family == "text" else np.array(self.levels, float)

    def _heaps_of(self, cells: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the value of the heap that each cell is as near to as 32 bits tell apart; NaN of all others."""
        if not self.heaps:
            return np.full(len(cells), np.nan)
        edges = np.array(self.edges).reshape(-1, 2)
        places = edges[edges[:, 0] == edges[:, 1], 0]
        nearest = np.searchsorted((places[1:] + places[:-1]) / 2, cells)
        near = np.abs(cells - places[nearest]) <= SLACK * np.ptp(edges)
        return np.where(near, np.array(self.heaps)[nearest], np.nan)

    def on_grid(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return numbers in the column's own unit on the grid that its values lie on, if there is one."""
        if not self.step:
            return numbers
        zone = zone_of(self.dtype)
        if self.step == DAY and zone is not None:
            stamps = pd.DatetimeIndex(np.rint(numbers).astype(np.int64).astype("datetime64[s]"), tz="UTC")
            days = stamps.tz_convert(zone).tz_localize(None).round("D")
            back = days.tz_localize(zone, ambiguous=np.ones(len(days), bool), nonexistent="shift_forward")
            return back.tz_convert("UTC").as_unit("s").asi8.astype(np.float64)
        if self.step < 1:  # of a power of ten, which no float is, the inverse is one
            return np.rint(numbers * round(1 / self.step)) / round(1 / self.step)
        return np.rint(numbers / self.step) * self.step

    # --- Saying and saving ------------------------------------------------------------

    @property
    def words(self) -> str:
        """Its kind, in words."""
        if self.kind in ("category", "ordered"):
            many = (
                f", the rarest {len(self.levels) - MOST_LEVELS + 1:,} merged into one"
                if len(self.levels) > MOST_LEVELS
                else ""
            )
            told = f"{self.kind}, {len(self.levels):,} levels{many}"
        elif self.kind == "binary":
            told = f"binary, {self.levels[0]!r} or {self.levels[1]!r}"
        elif self.kind == "identifier":
            told = "identifier, hardly a value comes twice: left out"
        elif self.kind == "constant":
            told = f"constant, always {self.levels[0]!r}: left out, and returned as it was"
        elif self.kind == "empty":
            told = "empty, all cells are missing: left out, and returned as it was"
        else:
            told = self.kind + (" number" if self.kind in ("real", "positive", "whole") else "")
            told += f", in {len(self.counts)} bins" if self.edges else ""
        return f"{told}; {self.missing:,} missing" if self.missing and self.kind != "empty" else told

    def plain(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "family": self.family,
            "dtype": self.dtype.plain(),
            "known": self.known,
            "missing": self.missing,
            "levels": list(self.levels),
            "counts": list(self.counts),
            "range": [self.low, self.high, self.step],
            "form": self.form,
            "edges": list(self.edges),
            "heaps": list(self.heaps),
        }

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return what `plain` has returned.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is anything else.
        """
        kind, levels, counts = plain["kind"], tuple(plain["levels"]), tuple(map(int, plain["counts"]))
        low, high, step = map(float, plain["range"])
        edges, heaps = (tuple(map(float, plain.get(name, ()))) for name in ("edges", "heaps"))
        name, family = plain["name"], plain["family"]
        sound = kind in get_args(Kind) and family in WORDS and isinstance(name, str | int)
        sound = (
            sound
            and len(counts) == (len(edges) / 2 if edges else len(levels))
            and all(map(math.isfinite, (*edges, *heaps)))
            and len(heaps) == sum(low == high for low, high in zip(edges[::2], edges[1::2], strict=True))
            and all(isinstance(level, str | bool | int | float) for level in levels)
        )
        least = {"binary": 2, "category": 2, "ordered": 2, "constant": 1}.get(kind, 0)
        sound = sound and len(levels) >= least and all(map(math.isfinite, (low, high, step)))
        if not sound or (kind == "positive" and low <= 0):
            raise ValueError(f"its column {name!r} cannot come from a fitted model")
        return cls(
            name=name,
            kind=cast("Kind", kind),
            family=cast("Family", family),
            dtype=Dtype.of_plain(plain["dtype"]),
            known=int(plain["known"]),
            missing=int(plain["missing"]),
            levels=levels,
            counts=counts,
            low=low,
            high=high,
            step=step,
            form=str(plain["form"]),
            edges=edges,
            heaps=heaps,
        )


def zone_of(dtype: Dtype) -> str | None:
    """Return the time zone that a column's type names, if it does."""
    text = dtype.text
    for start, end in (("tz=", "]"), ("ns, ", "]"), ("us, ", "]"), ("ms, ", "]"), ("s, ", "]"), ("time_zone='", "'")):
        if start in text and not text.endswith("None)"):
            return text.split(start, 1)[1].split(end)[0]
    return None


def _check_counts(told: str, numbers: NDArray[np.float64]) -> None:
    wrong = ~np.isnan(numbers) & ((numbers < 0) | (numbers != np.rint(numbers)))
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(f"{told} holds {numbers[row]:g} in row {row}; a count must be a whole number ≥ 0")
