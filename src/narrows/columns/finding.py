"""Which kind of values a column holds, from its type and what is in it, unless it is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.arguments import closest
from narrows.columns.bins import with_bins
from narrows.columns.column import DAY, KINDS, LEVELS, MOST_LEVELS, Column, Kind, zone_of
from narrows.columns.reading import Level, Reading

__all__ = ["Asked", "check_asked", "find"]

Asked = Mapping[Any, str] | str | None
"""What the option ``columns`` may be: a kind by a column's name, one for all of them, or None."""

FEWEST_DIFFERENT = 20
"""Cells from which on values that are all different make an identifier."""

SPREAD_OF_NUMBERS = 1.5
"""Whole numbers that are all different and span less than so many times the rows number them.

In a part of the rows, such as the four fifths that a training sees, these have gaps; others could hardly be all
different by chance.
"""

MOST_COUNTS = 50
"""Different values of a count; numbers of more are near enough to real ones."""

LARGEST_OF_COUNTS = 1000
"""Beyond it whole numbers of few different values are amounts or codes."""

LEAST_DISPERSION = 0.8
"""Of a count: its variance in parts of its mean. A Poisson's is 1, and more than that is a negative binomial's."""

SKEWED = 1.0
"""From where on numbers are tried by their logarithm, which must at least halve it."""

FORMS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%Y%m%d",
)
"""In which texts write dates; where a day could also be a month, it comes first unless some are above 12."""

MOST_DECIMALS = 6
"""Numbers of more are not written, but computed."""

LARGEST_WHOLE = 2.0**53


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


def find(told: str, name: str | int, reading: Reading, asked: str | None = None) -> Column:
    """Return a column, of the kind ``asked`` for or, for None, the one that its values suggest.

    Parameters
    ----------
    told
        What errors call it.
    name
        Its name.
    reading
        Its cells.
    asked
        One of `KINDS`.

    Raises
    ------
    TypeError, ValueError
        If its values are not of the kind that was asked for.
    """
    known = reading.known
    different = pd.unique(known)
    missing = int(reading.missing.sum())
    column = Column(name, "empty", reading.family, reading.dtype, known=len(known), missing=missing)
    if not len(known):
        return column
    if asked == "identifier":
        return replace(column, kind="identifier")
    if len(different) == 1:
        return replace(column, kind="constant", levels=_levels(reading, different), counts=(len(known),))
    form = _form(known) if reading.family == "text" and asked in (None, "date") else ""
    kind = cast("Kind", asked) if asked else "date" if form else _kind(reading, different)
    if kind == "identifier":
        return replace(column, kind=kind)
    if kind in LEVELS:
        _check_levels(told, kind, reading, different)
        levels, counts = _ordered(reading, different)
        return replace(column, kind=kind, levels=levels, counts=counts)
    if kind == "date" and not form and reading.family != "time":
        raise ValueError(f"{told} holds {_shown(known)}; for kind 'date' it must hold dates, such as 2024-12-31")
    column = replace(column, kind=kind, form=form)
    numbers = column.numbers(told, reading)
    numbers = numbers[~np.isnan(numbers)]
    _check_numbers(told, kind, numbers)
    column = replace(column, step=0.0 if asked == "real" else _step(kind, column, numbers))
    low, high = column.on_grid(np.array([numbers.min(), numbers.max()])).tolist()
    column = replace(column, low=low, high=high)
    return column if asked == "real" else with_bins(column, numbers)


def _kind(reading: Reading, different: NDArray[Any]) -> Kind:
    if reading.family == "text":
        return _kind_of_texts(reading, different)
    if reading.family == "number":
        return _kind_of_numbers(reading.known, different, len(reading.missing))
    others: dict[str, Kind] = {"truth": "binary", "time": "date", "span": "real"}
    return others[reading.family]


def _kind_of_texts(reading: Reading, different: NDArray[Any]) -> Kind:
    if reading.dtype.ordered:
        return "ordered"
    if len(different) == len(reading.known) >= FEWEST_DIFFERENT:
        return "identifier"
    return "binary" if len(different) == 2 else "category"


def _kind_of_numbers(known: NDArray[np.float64], different: NDArray[np.float64], rows: int) -> Kind:
    whole = bool((known == np.rint(known)).all()) and float(np.abs(known).max()) < LARGEST_WHOLE
    if whole and len(different) == 2:
        return "binary"
    if whole and len(different) == len(known) >= FEWEST_DIFFERENT and np.ptp(known) < SPREAD_OF_NUMBERS * rows:
        return "identifier"
    if whole and _are_counts(known, different):
        return "count"
    if _is_skewed(known):
        return "positive"
    return "whole" if whole else "real"


def _are_counts(known: NDArray[np.float64], different: NDArray[np.float64]) -> bool:
    few = known.min() >= 0 and len(different) <= MOST_COUNTS
    return bool(few and known.var() >= LEAST_DISPERSION * known.mean() and known.max() <= LARGEST_OF_COUNTS)


def _is_skewed(known: NDArray[np.float64]) -> bool:
    if known.min() <= 0 or len(known) < FEWEST_DIFFERENT:
        return False
    skew = _skewness(known)
    return skew > SKEWED and abs(_skewness(np.log(known))) < skew / 2


def _skewness(x: NDArray[np.float64]) -> float:
    away = (x - x.mean()) / max(float(x.std()), np.finfo(float).tiny)
    return float((away**3).mean())


def _form(texts: NDArray[Any]) -> str:
    """Return how all ``texts`` write dates, if they do."""
    if not all(isinstance(text, str) for text in texts[:FEWEST_DIFFERENT]):
        return ""
    for form in FORMS:
        if pd.to_datetime(texts[0], format=form, errors="coerce") is pd.NaT:
            continue
        stamps = pd.to_datetime(pd.Series(texts, dtype=object), format=form, errors="coerce")
        if not stamps.isna().any() and (stamps.dt.strftime(form).to_numpy(object) == texts).all():
            return form
    return ""


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


def _levels(reading: Reading, different: NDArray[Any]) -> tuple[Level, ...]:
    """Return values as levels, in Python's types."""
    if reading.family == "truth":
        return tuple(bool(value) for value in different)
    if reading.family == "text":
        return tuple(value.item() if isinstance(value, np.generic) else value for value in different)
    return tuple(int(value) if value.is_integer() else value for value in map(float, different))


def _ordered(reading: Reading, different: NDArray[Any]) -> tuple[tuple[Level, ...], tuple[int, ...]]:
    """Return the levels in order, the frequent ones first where they are too many, and how often each is there."""
    found = dict(
        zip(_levels(reading, different), pd.Series(reading.known).value_counts().reindex(different), strict=True)
    )
    if reading.dtype.categories is not None:
        levels = [level for level in reading.dtype.categories if level in found]
    else:
        levels = sorted(found, key=lambda level: (isinstance(level, str), level))
    if len(levels) > MOST_LEVELS:
        levels.sort(key=lambda level: -int(found[level]))
    return tuple(levels), tuple(int(found[level]) for level in levels)


def _check_levels(told: str, kind: Kind, reading: Reading, different: NDArray[Any]) -> None:
    if reading.family == "number" and np.abs(different).max() >= LARGEST_WHOLE:
        raise ValueError(f"{told} holds numbers from 2⁵³ on, of which several may look the same; make them texts")
    if kind == "binary" and len(different) != 2:
        raise ValueError(f"{told} holds {len(different):,} different values; for kind 'binary' it must hold two")
    if kind == "ordered" and reading.family == "text" and not reading.dtype.ordered:
        raise ValueError(
            f"{told} holds texts without an order; for kind 'ordered' make it an ordered categorical, or numbers"
        )
    if kind == "ordered" and len(different) > MOST_LEVELS:
        raise ValueError(f"{told} holds {len(different):,} different values; kind 'ordered' takes up to {MOST_LEVELS}")


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
