"""Conditions on the cells of new rows, ``{"city": "Brno", "age": (30, 40), "plan": {"a", "b"}}``, as cells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.arguments import closest
from narrows.columns.column import DAY, LEFT_OUT, LEVELS, SLACK, Column, zone_of
from narrows.columns.reading import Level
from narrows.columns.table import Table

__all__ = ["Condition", "asked_of", "conditions"]

SHOWN = 12
"""Levels that an error names."""

ROUNDING = 4 * np.finfo(float).eps
"""Of logarithms and exponentials, more or less."""

Range = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """What the cells of a column are to be.

    Attributes
    ----------
    place
        Of the column, among those that the model learns from.
    words
        As it was given.
    levels
        Of a column of levels, the places of those that are wanted, (k,); else None.
    ends
        Of numbers, between which cells each value stands that is wanted, (k, 2), apart from each other and in order.
    kept
        Of numbers, the first and the last cell that is wanted of each of these, (k, 2).
    """

    place: int
    words: str
    levels: NDArray[np.int64] | None = None
    ends: NDArray[np.float64] | None = None
    kept: NDArray[np.float64] | None = None

    def settled(self, cells: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ``cells`` (n,) of about what is wanted with what is exactly that."""
        if self.kept is None:
            return cells
        away = np.maximum(self.kept[:, 0] - cells[:, None], cells[:, None] - self.kept[:, 1])
        low, high = self.kept[away.argmin(1)].T
        return cells.clip(low, high)


def conditions(table: Table, given: Mapping[Any, Any]) -> list[Condition]:
    """Return what ``given`` says: by column a value, a range (first, last), or a set of values.

    Raises
    ------
    TypeError, ValueError
        If a column or a level is not the table's, a range is empty, or what is left out is to be what it was not.
    """
    if not isinstance(given, Mapping):
        raise TypeError(
            f"given={given!r} must be conditions by column name, such as {{'city': 'Brno', 'age': (30, 40)}}"
        )
    found = []
    for name, wanted in given.items():
        column = column_called(table, name)
        words = f"given: {column.name}={wanted!r}"
        if column.kind in LEFT_OUT:
            _check_left_out(column, words, wanted)
            continue
        place = table.modelled.index(column)
        found.append((_of_levels if column.kind in LEVELS else _of_numbers)(place, column, words, wanted))
    return found


def column_called(table: Table, name: Any) -> Column:
    """Return a table's column by its name.

    Raises
    ------
    ValueError
        If there is none.
    """
    names = [str(column.name) for column in table.columns]
    if str(name) not in names:
        raise ValueError(f"given: the table has no column {name!r}{closest(str(name), names)}")
    return table.columns[names.index(str(name))]


def asked_of(table: Table, text: str) -> tuple[str | int, Any]:
    """Return the column, and what is asked of it, as text has them.

    ``city=Brno`` is a value, ``age=30..40``, ``age=30..`` and ``age=..40`` are ranges, and ``plan=a,b`` is a set.

    Raises
    ------
    ValueError
        If it is not written so, or there is no such column.
    """
    names = sorted((str(column.name) for column in table.columns), key=len, reverse=True)
    name = next((name for name in names if text.startswith(f"{name}=")), None)
    name, _, what = (name, "", text[len(name) + 1 :]) if name is not None else text.partition("=")
    if not what:
        raise ValueError(f"given: {text!r} must be COLUMN=VALUE, COLUMN=FIRST..LAST or COLUMN=VALUE,VALUE")
    column = column_called(table, name)
    if column.kind in LEVELS and _level_of(column, what) is not None:
        return column.name, what
    first, dots, last = what.partition("..")
    if dots and column.kind not in ("binary", "category"):
        return column.name, (first or None, last or None)
    return column.name, set(what.split(",")) if "," in what else what


def _check_left_out(column: Column, words: str, wanted: Any) -> None:
    if column.kind == "constant":
        if all(_level_of(column, value) is not None for value in _several(wanted)):
            return
        raise ValueError(f"{words} cannot be met: the column was always {column.levels[0]!r} in the training data")
    why = "an identifier, which is left out" if column.kind == "identifier" else "empty in the training data"
    raise ValueError(f"{words} cannot be met: the column is {why}")


def _several(wanted: Any) -> Sequence[Any]:
    return list(wanted) if isinstance(wanted, set | frozenset | list | tuple) else [wanted]


# --- Levels ---------------------------------------------------------------------------


def _of_levels(place: int, column: Column, words: str, wanted: Any) -> Condition:
    if isinstance(wanted, tuple):
        if column.kind != "ordered":
            raise TypeError(f"{words} is a range, but the column's levels have no order; give a set of levels")
        first, last = _pair(words, wanted)
        low = 0 if first is None else _place_of(column, words, first)
        high = len(column.levels) - 1 if last is None else _place_of(column, words, last)
        places = list(range(low, high + 1))
    else:
        places = sorted({_place_of(column, words, value) for value in _several(wanted)})
    if not places:
        raise ValueError(f"{words} is empty: no level is in it")
    return Condition(place, words, levels=np.array(places, np.int64))


def _place_of(column: Column, words: str, value: Any) -> int:
    level = _level_of(column, value)
    if level is None:
        known = ", ".join(map(repr, column.levels[:SHOWN])) + (", …" if len(column.levels) > SHOWN else "")
        near = closest(str(value), map(str, column.levels))
        raise ValueError(f"{words}: {value!r} is not one of the column's levels, {known}{near}")
    return column.levels.index(level)


def _level_of(column: Column, value: Any) -> Level | None:
    """Return the level that equals ``value`` or is written like it, if there is one."""
    for level in column.levels:
        if level == value or str(level) == str(value):
            return level
    return None


# --- Numbers --------------------------------------------------------------------------


def _of_numbers(place: int, column: Column, words: str, wanted: Any) -> Condition:
    if isinstance(wanted, tuple):
        ranges = [_range(column, words, *_pair(words, wanted))]
    else:
        ranges = [_at(column, words, _number(column, words, value)) for value in _several(wanted)]
    if not ranges:
        raise ValueError(f"{words} is empty: no value is in it")
    values = np.unique(np.array(ranges), axis=0)
    beside = np.array([-column.step, column.step]) / 2
    ends, kept = (column.as_cells(each.ravel()).reshape(-1, 2) for each in (values + beside, values))
    if column.kind == "positive" and not column.step:  # of which the exponential may be just outside
        kept = kept + np.abs(kept) * np.array([1, -1]) * ROUNDING
    low, high = column.as_cells(np.array([column.low, column.high]))
    slack = SLACK * (high - low)
    slack = np.where((column.step > 0) & (ends[:, 1] - ends[:, 0] > 2 * slack), 0.0, slack)
    # What would lie beyond all that was seen is made the least or the most of that.
    ends[:, 0] = np.where(values[:, 0] <= column.low, -math.inf, ends[:, 0] - slack)
    ends[:, 1] = np.where(values[:, 1] >= column.high, math.inf, ends[:, 1] + slack)
    return Condition(place, words, ends=ends, kept=kept)


def _range(column: Column, words: str, first: Any, last: Any) -> Range:
    low = column.low if first is None else _number(column, words, first)
    high = column.high if last is None else _number(column, words, last)
    if low > high:
        raise ValueError(f"{words} is an empty range; its first end must be at most its last")
    if column.step:
        inner = column.on_grid(np.array([low, high]))
        inner = np.where(
            [inner[0] < low, inner[1] > high], column.on_grid(inner + np.array([1, -1]) * column.step), inner
        )
        if inner[0] > inner[1]:
            raise ValueError(f"{words} is an empty range: the column has no value between its ends")
        low, high = inner.tolist()
    if high < column.low or low > column.high:
        raise ValueError(f"{words} cannot be met: {_reach(column)}")
    return max(low, column.low), min(high, column.high)


def _at(column: Column, words: str, number: float) -> Range:
    if not column.low <= number <= column.high:
        raise ValueError(f"{words} cannot be met: {_reach(column)}")
    if column.step and float(column.on_grid(np.array([number]))[0]) != number:
        raise ValueError(f"{words} cannot be met: the column holds {_held(column)}")
    return number, number


def _held(column: Column) -> str:
    """Say what grid a column's values lie on."""
    if column.kind == "date":
        return {DAY: "whole days", 3600.0: "whole hours", 60.0: "whole minutes"}.get(column.step, "whole seconds")
    return "whole numbers" if column.step == 1 else f"multiples of {column.step:g}"


def _reach(column: Column) -> str:
    """Say what a column's numbers reach, in its own words."""
    ends: tuple[Any, ...] = column.low, column.high
    if column.kind == "date":
        zone = zone_of(column.dtype)
        stamps = [pd.Timestamp(number, unit="s", tz="UTC") for number in ends]
        ends = tuple(stamp.tz_convert(zone) if zone else stamp.tz_localize(None) for stamp in stamps)
    elif column.family == "span":
        ends = tuple(pd.Timedelta(number, unit="s") for number in ends)
    else:
        ends = tuple(f"{number:g}" for number in ends)
    return f"the training data reach from {ends[0]} to {ends[1]}"


def _pair(words: str, wanted: tuple[Any, ...]) -> tuple[Any, Any]:
    if len(wanted) != 2:
        raise ValueError(f"{words} has {len(wanted)} ends; a range has two, (first, last), of which one may be None")
    return wanted


def _number(column: Column, words: str, value: Any) -> float:
    """Return what a value is in the column's own unit: dates and spans in seconds."""
    try:
        if column.kind == "date":
            return _seconds(column, value)
        if column.family == "span":
            return float(pd.Timedelta(value).total_seconds())
        number = float(value)
    except (TypeError, ValueError) as error:
        wanted = "a date, such as 2024-12-31" if column.kind == "date" else "a number"
        wanted = "a span of time, such as 3 days" if column.family == "span" else wanted
        raise ValueError(f"{words}: {value!r} is not {wanted}") from error
    if not math.isfinite(number):
        raise ValueError(f"{words}: {value!r} is not a finite number")
    return number


def _seconds(column: Column, value: Any) -> float:
    stamp = pd.Timestamp(value)
    zone = zone_of(column.dtype)
    if pd.isna(stamp):
        raise ValueError("not a time")
    stamp = stamp.tz_localize(zone or "UTC") if stamp.tzinfo is None else stamp
    return float(stamp.timestamp())
