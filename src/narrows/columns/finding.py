"""Which kind of values a column holds, from its type and what is in it, unless it is said."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.arguments import closest
from narrows.columns.bins import with_bins
from narrows.columns.column import DAY, KINDS, LEVELS, MOST_LEVELS, Column, Kind, zone_of
from narrows.columns.reading import Level
from narrows.columns.tally import Tally
from narrows.dates import date_form

__all__ = ["Asked", "check_asked", "find"]

Asked = Mapping[Any, str] | str | None
"""What the option ``columns`` may be: a kind by a column's name, one for all of them, or None."""

FEWEST_DIFFERENT = 20
"""Cells from which on values that are all different make an identifier."""

MOSTLY_ALONE, LEAST_OF_LEVEL = 0.5, 0.05
"""Texts of which more than so many of the cells stand alone, and none is in so many of all, tell rows apart.

The share of the cells that are alone is that of the next rows that will bring a text never seen (Good 1953): of such a
column a model can learn neither the levels nor what goes with them, but only keep them.
"""

SPREAD_OF_NUMBERS = 1.5
"""Whole numbers that are all different and span less than so many times the rows number them.

In a part of the rows, such as the four fifths that a training sees, these have gaps; others could hardly be all
different by chance.
"""

MOST_COUNTS = 50
"""Different values of a count; numbers of more are near enough to real ones."""

LARGEST_OF_COUNTS = 1000
"""Beyond it whole numbers of few different values are amounts or codes."""

FARTHEST_OF_COUNTS = 0.5
"""Counts begin below this part of their mean: others, such as ages of adults, do not vary as counts from 0 do."""

LEAST_DISPERSION = 0.8
"""Of a count: its variance in parts of its mean. A Poisson's is 1, and more than that is a negative binomial's."""

SKEWED = 1.0
"""From where on numbers are tried by their logarithm, which must at least halve it."""

MOST_DECIMALS = 6
"""Numbers of more are not written, but computed."""

LARGEST_WHOLE = 2.0**53
"""Beyond it 64-bit floats skip some whole numbers."""


TOO_LARGE = "holds numbers from 2⁵³ on, of which several may look the same; make them texts"


def check_asked(name: str, value: object) -> None:
    """Refuse unknown kinds of columns.

    Raises
    ------
    TypeError, ValueError
        Naming the option, its value, and what would be right.
    """
    kinds = ", ".join(KINDS)
    if value is None or value == "real":
        return
    if not isinstance(value, Mapping):
        raise TypeError(f"{name}={value!r} must be 'real', or kinds by column name, {{name: kind}}; kinds are {kinds}")
    for column, kind in value.items():
        if kind not in KINDS:
            raise ValueError(f"{name}: {kind!r} for {column!r} is not a kind{closest(kind, KINDS)}; kinds are {kinds}")


def find(told: str, name: str | int, tally: Tally, asked: str | None = None) -> Column:
    """Return a column, of the kind ``asked`` for or, for None, the one that its values suggest.

    Parameters
    ----------
    told
        What errors call it.
    name
        Its name.
    tally
        Its values.
    asked
        One of `KINDS`.

    Raises
    ------
    TypeError, ValueError
        If its values are not of the kind that was asked for.
    """
    values = tally.different
    column = Column(name, "empty", tally.family, tally.dtype, known=tally.known, missing=tally.missing)
    if not tally.known:
        return column
    if asked == "identifier":
        return replace(column, kind="identifier")
    if asked is None and "int" in tally.dtype.text.lower() and np.abs(values).max() > LARGEST_WHOLE:
        raise ValueError(f"{told} {TOO_LARGE}, or say of which kind the column is")
    if len(values) == 1:
        return replace(column, kind="constant", levels=_levels(tally), counts=(tally.known,))
    form = date_form(values) if tally.family == "text" and asked in (None, "date") else ""
    kind = cast("Kind", asked) if asked else "date" if form else _kind(tally)
    if kind == "identifier":
        return replace(column, kind=kind)
    if kind in LEVELS:
        _check_levels(told, kind, tally)
        levels, counts = _ordered(tally)
        return replace(column, kind=kind, levels=levels, counts=counts)
    if kind == "date" and not form and tally.family != "time":
        raise ValueError(
            f"{told} holds {_shown(values)}; for kind 'date' it must hold dates, all written in one way, such as "
            "2024-12-31"
        )
    column = replace(column, kind=kind, form=form)
    numbers = column.numbers(told, tally.reading)
    _check_numbers(told, kind, numbers)
    column = replace(column, step=0.0 if asked == "real" else _step(kind, column, numbers))
    low, high = column.on_grid(np.array([numbers.min(), numbers.max()])).tolist()
    column = replace(column, low=low, high=high)
    return column if asked == "real" else with_bins(column, numbers, tally.counts)


def _kind(tally: Tally) -> Kind:
    if tally.family == "text":
        return _kind_of_texts(tally)
    if tally.family == "number":
        return _kind_of_numbers(tally)
    others: dict[str, Kind] = {"truth": "binary", "time": "date", "span": "real"}
    return others[tally.family]


def _kind_of_texts(tally: Tally) -> Kind:
    if tally.dtype.ordered:
        return "ordered"
    if tally.known >= FEWEST_DIFFERENT and (tally.unique or _stand_alone(tally)):
        return "identifier"
    return "binary" if len(tally.different) == 2 else "category"


def _stand_alone(tally: Tally) -> bool:
    """Say whether most cells of a column of texts hold one that no other does, and none is frequent."""
    alone = int((tally.counts == 1).sum())
    most = max(2.0, LEAST_OF_LEVEL * tally.known)
    return tally.complete and alone > MOSTLY_ALONE * tally.known and int(tally.counts.max()) <= most


def _kind_of_numbers(tally: Tally) -> Kind:
    values, rows = tally.different, tally.known + tally.missing
    whole = bool((values == np.rint(values)).all()) and float(np.abs(values).max()) < LARGEST_WHOLE
    if whole and len(values) == 2:
        return "binary"
    if whole and tally.unique and tally.known >= FEWEST_DIFFERENT and np.ptp(values) < SPREAD_OF_NUMBERS * rows:
        return "identifier"
    if whole and _are_counts(tally):
        return "count"
    if _is_skewed(tally):
        return "positive"
    return "whole" if whole else "real"


def _are_counts(tally: Tally) -> bool:
    values, weights = tally.different, tally.counts
    if values.min() < 0 or len(values) > MOST_COUNTS or values.max() > LARGEST_OF_COUNTS:
        return False
    mean = np.average(values, weights=weights)
    if values.min() > FARTHEST_OF_COUNTS * mean:
        return False
    return bool(np.average((values - mean) ** 2, weights=weights) >= LEAST_DISPERSION * mean)


def _is_skewed(tally: Tally) -> bool:
    values, weights = tally.different, tally.counts
    if values.min() <= 0 or tally.known < FEWEST_DIFFERENT:
        return False
    skew = _skewness(values, weights)
    return skew > SKEWED and abs(_skewness(np.log(values), weights)) < skew / 2


def _skewness(x: NDArray[np.float64], weights: NDArray[np.int64]) -> float:
    from_mean = x - np.average(x, weights=weights)
    deviation = math.sqrt(np.average(from_mean**2, weights=weights))
    return float(np.average((from_mean / max(deviation, np.finfo(float).tiny)) ** 3, weights=weights))


def _step(kind: Kind, column: Column, numbers: NDArray[np.float64]) -> float:
    """Return the grid that numbers lie on; 0 for none."""
    if kind == "date":
        local, zone = numbers, zone_of(column.dtype)
        if zone is not None:
            stamps = pd.DatetimeIndex(np.floor(numbers).astype(np.int64).astype("datetime64[s]"), tz="UTC")
            local = stamps.tz_convert(zone).tz_localize(None).as_unit("s").asi8 + (numbers - np.floor(numbers))
        if not (local % DAY).any():
            return DAY
        return next((step for step in (3600.0, 60.0, 1.0) if not (numbers % step).any()), 0.0)
    if not (numbers % 1).any():
        return 1.0
    return (
        _decimal(numbers, np.float32 if "32" in column.dtype.text else np.float64) if column.family == "number" else 0.0
    )


def _decimal(numbers: NDArray[np.float64], precision: type[np.floating]) -> float:
    """Return the last decimal that all ``numbers``, of so many bits, are written with; 0 where they have too many."""
    given = numbers.astype(precision)
    for decimals in range(1, MOST_DECIMALS + 1):
        step = 10.0**-decimals
        if step < 4 * np.spacing(np.abs(given).max()):
            break
        if (np.round(numbers, decimals).astype(precision) == given).all():
            return float(f"1e-{decimals}")
    return 0.0


def _levels(tally: Tally) -> tuple[Level, ...]:
    """Return values as levels, in Python's types."""
    if tally.family == "truth":
        return tuple(bool(value) for value in tally.different)
    if tally.family == "text":
        return tuple(value.item() if isinstance(value, np.generic) else value for value in tally.different)
    return tuple(int(value) if value.is_integer() else value for value in map(float, tally.different))


def _ordered(tally: Tally) -> tuple[tuple[Level, ...], tuple[int, ...]]:
    """Return the levels in order, the frequent ones first where they are too many, and how often each is there."""
    found = dict(zip(_levels(tally), tally.counts.tolist(), strict=True))
    if tally.dtype.categories is not None:
        levels = [level for level in tally.dtype.categories if level in found]
    else:
        levels = sorted(found, key=lambda level: (isinstance(level, str), level))
    if len(levels) > MOST_LEVELS:
        levels.sort(key=lambda level: -found[level])
    return tuple(levels), tuple(found[level] for level in levels)


def _check_levels(told: str, kind: Kind, tally: Tally) -> None:
    values = tally.different
    if not tally.complete:
        raise ValueError(
            f"{told} holds more than {len(values):,} different values, of which some come again; merge the rare ones, "
            f"or leave the column out: columns={{{told.rpartition(', column ')[2].rstrip(',')}: 'identifier'}}"
        )
    if tally.family == "number" and np.abs(values).max() >= LARGEST_WHOLE:
        raise ValueError(f"{told} {TOO_LARGE}")
    if kind == "binary" and len(values) != 2:
        raise ValueError(f"{told} holds {len(values):,} different values; for kind 'binary' it must hold two")
    if kind == "ordered" and tally.family == "text" and not tally.dtype.ordered:
        raise ValueError(
            f"{told} holds texts without an order; for kind 'ordered' make it an ordered categorical, or numbers"
        )
    if kind == "ordered" and len(values) > MOST_LEVELS:
        raise ValueError(f"{told} holds {len(values):,} different values; kind 'ordered' takes up to {MOST_LEVELS}")


def _check_numbers(told: str, kind: Kind, numbers: NDArray[np.float64]) -> None:
    wrong = {
        "positive": numbers <= 0,
        "count": (numbers < 0) | (numbers != np.rint(numbers)),
        "whole": numbers != np.rint(numbers),
    }.get(kind, np.zeros(len(numbers), bool))
    if wrong.any():
        wanted = {"positive": "numbers above 0", "count": "whole numbers ≥ 0", "whole": "whole numbers"}[kind]
        raise ValueError(f"{told} holds {numbers[wrong][0]:g}; for kind {kind!r} it must hold {wanted}")


def _shown(known: NDArray[Any]) -> str:
    return repr(known[0] if not isinstance(known[0], np.generic) else known[0].item())
