"""Rows with names ↔ JSON: a record for each row, an object by column name."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.columns.column import Column
from narrows.columns.table import Table

__all__ = ["frame_of", "named", "records_of"]


def frame_of(table: Table, records: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return ``records``, of the types that `narrows.serving.schemas` lets through, as a data frame of ``table``.

    Raises
    ------
    ValueError
        If a text is no date or time; the message names the column and the record.
    """
    columns = {}
    for column in table.columns:
        if any(str(column.name) in record for record in records):
            columns[column.name] = _series(column, [record.get(str(column.name)) for record in records])
    return pd.DataFrame(columns)


def _series(column: Column, values: list[Any]) -> pd.Series[Any]:
    if column.family == "number":
        return pd.Series(values, dtype=np.float64)
    if column.family == "span":
        return pd.to_timedelta(pd.Series(values, dtype=np.float64), unit="s")
    if column.family == "time":
        times = pd.to_datetime(pd.Series(values, dtype=object), format="ISO8601", utc=True, errors="coerce")
        wrong = [row for row, value in enumerate(values) if value is not None and times.isna()[row]]
        if wrong:
            raise ValueError(
                f"examples.{wrong[0]}.{column.name} is {values[wrong[0]]!r:.80}; a date or time as ISO 8601 has it is "
                "expected, such as 2026-01-31 or 2026-01-31T12:00:00Z"
            )
        return times
    return pd.Series(values, dtype=object)


def records_of(made: Any) -> list[dict[str, Any]]:
    """Return the rows of a data frame, of either library, as JSON has them; null where a cell is missing."""
    columns = {str(name): [_plain(value) for value in made[name].to_list()] for name in made.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(value: Any) -> Any:
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, dt.date):  # times are dates, too
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, decimal.Decimal):
        return float(value)
    return value.item() if isinstance(value, np.generic) else value


def named(names: Sequence[str], rows: NDArray[Any]) -> list[dict[str, Any]]:
    """Return ``rows`` (n, columns) of numbers by their columns' names."""
    return [dict(zip(names, row, strict=True)) for row in rows.tolist()]
