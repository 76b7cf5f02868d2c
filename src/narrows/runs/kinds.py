"""Kinds of a table's columns, as a person asks for them and as they are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from narrows.arguments import closest
from narrows.columns.column import KINDS, NUMBERS
from narrows.columns.finding import check_asked
from narrows.columns.saying import plain_kind
from narrows.columns.table import Table, is_plain
from narrows.data.dataset import Dataset
from narrows.data.errors import DataError
from narrows.data.parquet_rows import ParquetRows
from narrows.estimators.training_data import coded

__all__ = ["asked_for", "check_columns", "kinds_in", "types_for"]


def asked_for(pairs: Sequence[str]) -> dict[str, str]:
    """Return the kinds that a person asks for, ``NAME=KIND`` each, by the column's name.

    Raises
    ------
    ValueError
        If one is written otherwise, is of an unknown kind, or a column has several.
    """
    asked: dict[str, str] = {}
    for pair in pairs:
        name, equals, kind = pair.rpartition("=")
        if not equals or not name:
            raise ValueError(f"--column {pair!r} must be NAME=KIND, such as zip=category; kinds are {', '.join(KINDS)}")
        if asked.get(name, kind) != kind:
            raise ValueError(f"--column asks for two kinds of {name!r}, {asked[name]} and {kind}; name one")
        asked[name] = kind
    check_asked("--column", asked)
    return asked


def types_for(asked: Mapping[str, str]) -> dict[str, str]:
    """Return what columns of these kinds hold in a file, where the kind says it: codes are texts there."""
    texts = dict.fromkeys(("category", "identifier", "date"), "text")
    types = texts | dict.fromkeys((*(kind for kind in NUMBERS if kind != "date"), "count"), "number")
    return {name: types[kind] for name, kind in asked.items() if kind in types}


def check_columns(dataset: Dataset, asked: Mapping[str, str]) -> None:
    """Refuse kinds that are asked for of columns that the data do not have.

    Raises
    ------
    DataError
        Naming the first of them.
    """
    if dataset.X.ndim != 2:
        raise DataError(f"--column is for tables; {dataset.name} holds images of shape {dataset.X.shape[1:]}")
    names = [str(name) for name in getattr(dataset.X, "columns", range(dataset.X.shape[1]))]
    strange = next((name for name in asked if name not in names), None)
    if strange is not None:
        raise DataError(
            f"--column {strange}={asked[strange]}: {dataset.name} has no column {strange!r}{closest(strange, names)}"
        )


def kinds_in(X: Any, asked: Mapping[str, str] | str | None = None) -> list[dict[str, Any]]:
    """Return what a model finds the columns of ``X`` to be, as JSON has it; nothing where it takes all as numbers.

    Raises
    ------
    TypeError, ValueError
        If nothing can be learned from them, or a column is not of the kind that is asked for.
    """
    if isinstance(X, ParquetRows):
        found = coded(X, asked).coding
        return [plain_kind(column) for column in found.columns] if isinstance(found, Table) else []
    if isinstance(X, pd.DataFrame):
        is_table = not is_plain(X, asked)
    else:
        is_table = X.ndim == 2 and isinstance(X, np.ndarray) and (isinstance(asked, Mapping) or bool(np.isnan(X).any()))
    return [plain_kind(column) for column in Table.of(X, asked).columns] if is_table else []
