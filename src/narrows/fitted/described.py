"""How a table's values become cells, and back, for programs without narrows: as JSON."""

from __future__ import annotations

from typing import Any

from narrows.columns.column import LEVELS, Column
from narrows.columns.table import Table

__all__ = ["described"]


def described(table: Table) -> dict[str, Any]:
    """Return what a program needs to know of the columns that are learned from, in their order.

    A cell is a number, NaN where missing. By a column's ``cell`` it is the ``"number"`` itself, its ``"logarithm"`` (of
    what is below ``low``, log ``low`` + (value − ``low``) / ``low``), ``"seconds"`` since 1970 in UTC, or the place of
    its ``"level"`` among ``levels``, from 0, and how many these are for any other. Back, a number is rounded to a
    multiple of ``step``, if that is not 0, and a count is at least ``low``.
    """
    return {"missing": "NaN", "columns": [_of_column(column) for column in table.modelled]}


def _of_column(column: Column) -> dict[str, Any]:
    told: dict[str, Any] = {"name": column.name, "kind": column.kind}
    if column.kind in LEVELS:
        return told | {"cell": "level", "levels": list(column.levels)}
    cell = {"positive": "logarithm", "date": "seconds"}.get(column.kind, "number")
    told |= {"cell": cell, "low": column.low, "high": column.high, "step": column.step}
    return told | ({"form": column.form} if column.form else {})
