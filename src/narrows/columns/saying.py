"""What is said of a column to people: what was found in it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from narrows.columns.column import DAY, MOST_LEVELS, Column, zone_of
from narrows.dates import written

__all__ = ["found_in", "plain_kind"]

SHOWN, ORDERED = 3, 5
"""Levels that are named: the most frequent, and the first of those in order."""

LARGE = 1e12
"""From here on numbers are said by a power of ten."""

RESOLUTIONS = {DAY: "day", 3600.0: "hour", 60.0: "minute", 1.0: "second"}


def plain_kind(column: Column) -> dict[str, Any]:
    """Return a column's name, its kind, what was found in it and how many cells are missing, as JSON has it."""
    return {
        "name": str(column.name),
        "kind": column.kind,
        "found": found_in(column),
        "missing": column.missing,
    }


def found_in(column: Column) -> str:
    """Return in words what was found in a column, which its kind does not say."""
    if column.kind == "identifier":
        return "left out: it only tells rows apart"
    if column.kind == "constant":
        return f"left out: always {column.levels[0]}"
    if column.kind == "empty":
        return "left out: no cell holds a value"
    if column.kind == "ordered":
        return (
            f"{len(column.levels):,} levels: {', '.join(map(str, column.levels[:5]))}{' …' * (len(column.levels) > 5)}"
        )
    if column.levels:
        return _levels(column)
    low, high = (_shown(column, value) for value in (column.low, column.high))
    by = f", by {RESOLUTIONS[column.step]}" if column.kind == "date" and column.step in RESOLUTIONS else ""
    return f"{low} to {high}{by}"


def _levels(column: Column) -> str:
    counted = sorted(zip(column.levels, column.counts, strict=True), key=lambda pair: -pair[1])
    named = ", ".join(f"{level} ({n:,})" for level, n in counted[:SHOWN])
    if column.kind == "binary":
        return named
    merged = len(column.levels) - MOST_LEVELS + 1
    rare = f", the {merged:,} rarest taken as one" if merged > 1 else ""
    return f"{len(column.levels):,} levels{rare}: {named}{' …' * (len(counted) > SHOWN)}"


def _shown(column: Column, value: float) -> str:
    if column.family == "span":
        return str(pd.Timedelta(seconds=value))
    if column.kind != "date":
        return f"{value:z,.0f}" if value == round(value) and abs(value) < LARGE else f"{value:,.6g}"
    time = pd.Timestamp(value, unit="s", tz="UTC").tz_convert(zone_of(column.dtype) or "UTC")
    return str(written(pd.DatetimeIndex([time]), column.shown_form)[0])
