"""Cells as they are shown to people: those of a table, or numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.columns.column import LEVELS, Column
from narrows.columns.reading import is_frame
from narrows.columns.table import Table

__all__ = ["number_text", "texts_of"]

Array = NDArray[Any]

SHORT, LONG = 1e4, 1e9
"""Numbers between them are shown without decimals and powers of ten."""


def texts_of(table: Table, X: Any) -> Array:
    """Return the cells (n, columns) of rows ``X`` that a table is learned from, as they are shown; "" where missing."""
    frame = _frame(table, X)
    places = {str(name): place for place, name in enumerate(frame.columns)}
    each = [_texts(column, frame.iloc[:, places[str(column.name)]]) for column in table.modelled]
    return np.array(each, object).T.reshape(len(frame), len(each))


def _frame(table: Table, X: Any) -> pd.DataFrame:
    if isinstance(X, pd.DataFrame):
        return X
    if is_frame(X):
        return pd.DataFrame({name: X[name].to_list() for name in X.columns}, dtype=object)
    return pd.DataFrame(np.asarray(X), columns=[column.name for column in table.columns])


def _texts(column: Column, cells: pd.Series[Any]) -> Sequence[str]:
    shown = cells.astype(object).where(cells.notna(), None)
    if column.kind in LEVELS or column.family in ("text", "span"):
        return ["" if cell is None else str(cell) for cell in shown]
    if column.kind == "date":
        return ["" if cell is None else str(cell).removesuffix(" 00:00:00") for cell in shown]
    return ["" if cell is None else number_text(cell) for cell in shown]


def number_text(cell: float) -> str:
    """Return a number as it is shown."""
    return f"{cell:,.0f}" if SHORT <= abs(cell) < LONG else f"{cell:z.5g}"
