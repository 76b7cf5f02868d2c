"""A column of a data frame, of pandas or polars, as numbers or levels, and such values as a column of the same type."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.pages import Helped

__all__ = [
    "ColumnTypeError",
    "Dtype",
    "Family",
    "Level",
    "Library",
    "Reading",
    "column_of",
    "is_frame",
    "names_of",
    "objects_of",
    "read",
    "written",
]

Library = Literal["numpy", "pandas", "polars"]
Family = Literal["number", "truth", "text", "time", "span"]
Level: TypeAlias = "str | bool | int | float"

FAMILIES: dict[str, Family] = {
    "string": "text",
    "mixed-integer": "text",
    "boolean": "truth",
    "integer": "number",
    "floating": "number",
    "mixed-integer-float": "number",
    "decimal": "number",
    "datetime": "time",
    "datetime64": "time",
    "date": "time",
    "timedelta": "span",
    "timedelta64": "span",
}
"""What pandas infers a column of objects to hold, and what that is here."""


class ColumnTypeError(Helped, TypeError, ValueError):
    """A column that holds other things than a table's do, or than it did at the fit."""

    page = "table"


MICROSECONDS = 1e6
"""A second's; times come back to the microsecond."""


@dataclass(frozen=True, slots=True)
class Dtype:
    """A column's type.

    Attributes
    ----------
    text
        What its library calls it; a date in a column of objects is ``"date"``.
    categories
        Of a categorical type, all there are, in order; None of any other.
    ordered
        Whether they have an order that means something.
    """

    text: str
    categories: tuple[Level, ...] | None = None
    ordered: bool = False

    def plain(self) -> list[Any]:
        """Return it as JSON has it."""
        return [self.text, None if self.categories is None else list(self.categories), self.ordered]

    @classmethod
    def of_plain(cls, plain: Sequence[Any]) -> Self:
        """Return what `plain` has returned."""
        text, categories, ordered = plain
        return cls(str(text), None if categories is None else tuple(categories), bool(ordered))


@dataclass(frozen=True, slots=True)
class Reading:
    """A column's cells.

    Attributes
    ----------
    family
        What they are: numbers, truth values, texts (or other levels), times or spans of time.
    cells
        (n,): numbers as 64-bit floats, times and spans in seconds, times since 1970 in UTC, truth values as 0 and 1;
        of texts the objects. What stands where a cell is missing means nothing.
    missing
        (n,).
    dtype
        Of the column.
    rows
        Of the cells, (n,), where they are some of a column.
    """

    family: Family
    cells: NDArray[Any]
    missing: NDArray[np.bool_]
    dtype: Dtype
    rows: NDArray[np.int64] | None = None

    def row(self, place: int) -> int:
        """Return the row of the cell at ``place``."""
        return place if self.rows is None else int(self.rows[place])

    @property
    def known(self) -> NDArray[Any]:
        """The values that are not missing."""
        known: NDArray[Any] = self.cells[~self.missing]
        return known


def is_frame(X: Any) -> bool:
    """Say whether ``X`` is a data frame of pandas or polars."""
    polars = sys.modules.get("polars")
    return isinstance(X, pd.DataFrame) or (polars is not None and isinstance(X, polars.DataFrame))


def names_of(X: Any) -> list[str | int]:
    """Return the names of the columns of a data frame or, as their numbers, of an array (n, columns)."""
    return list(X.columns) if is_frame(X) else list(range(np.shape(X)[1]))


def column_of(X: Any, place: int) -> Any:
    """Return the column at ``place`` of a data frame or an array."""
    if isinstance(X, pd.DataFrame):
        return X.iloc[:, place]
    return X.to_series(place) if is_frame(X) else X[:, place]


def read(told: str, column: Any) -> Reading:
    """Return the cells of ``column``, of either library or an array.

    Parameters
    ----------
    told
        What errors call it.
    column
        A series, or an array (n,).

    Raises
    ------
    TypeError
        If it holds other things than numbers, truth values, texts, dates and times.
    """
    if type(column).__module__.startswith("polars"):
        return _read_polars(told, column)
    return _read_pandas(told, column if isinstance(column, pd.Series) else pd.Series(column))


def _read_pandas(told: str, column: pd.Series[Any]) -> Reading:
    missing = column.isna().to_numpy(bool)
    if isinstance(column.dtype, pd.CategoricalDtype):
        levels = column.dtype.categories.tolist()
        _check_levels(told, levels)
        dtype = Dtype("category", tuple(levels), bool(column.dtype.ordered))
        return Reading("text", column.astype(object).to_numpy(), missing, dtype)
    family, text = _family(told, column, missing)
    if family == "text":
        values: NDArray[Any] = column.to_numpy(object)
        _check_levels(told, values[~missing])
    elif family in ("time", "span"):
        values = _seconds(column, family)
    else:
        values = np.where(missing, np.nan, column.to_numpy(object)).astype(np.float64)
    return Reading(family, values, missing, Dtype(text))


def _family(told: str, column: pd.Series[Any], missing: NDArray[np.bool_]) -> tuple[Family, str]:
    """Return what a column of pandas holds, and the name of its type."""
    dtype, types = column.dtype, pd.api.types
    if isinstance(dtype, pd.StringDtype):
        return "text", "str" if dtype.na_value is not pd.NA else f"string[{dtype.storage}]"
    if isinstance(dtype, pd.ArrowDtype) and str(dtype) == "string[pyarrow]":
        return "text", "utf8[pyarrow]"  # pandas would take the other name for its own type
    if isinstance(dtype, pd.ArrowDtype) and str(dtype).startswith("dictionary"):
        raise ColumnTypeError(f"{told} holds a dictionary of Arrow's; make it a category, by .astype('category')")
    if types.is_bool_dtype(dtype):
        return "truth", str(dtype)
    if types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype):
        return "number", str(dtype)
    kind = types.infer_dtype(column, skipna=True)
    if missing.all() and kind not in FAMILIES:
        return "number", str(dtype)
    if kind not in FAMILIES:
        first = column[~missing].iloc[0]
        raise ColumnTypeError(
            f"{told} holds {kind} objects, such as {str(first)[:40]!r}; a column of a table holds numbers, truth "
            "values, texts, dates or times"
        )
    return FAMILIES[kind], "date" if kind == "date" and str(dtype) == "object" else str(dtype)


def _check_levels(told: str, levels: Sequence[Any] | NDArray[Any]) -> None:
    for level in levels:
        if not isinstance(level, str | bool | int | float | np.bool_ | np.integer | np.floating):
            raise ColumnTypeError(
                f"{told} holds {level!r}, a {type(level).__name__}; levels are texts, numbers or truth values"
            )


def _seconds(column: pd.Series[Any], family: Family) -> NDArray[np.float64]:
    """Return times, or spans of time, in seconds; NaN where they are missing."""
    if family == "span":
        spans: Any = pd.to_timedelta(column).dt.total_seconds()
        return np.asarray(spans, np.float64)
    times = pd.to_datetime(column.astype(object) if isinstance(column.dtype, pd.ArrowDtype) else column, utc=True)
    whole = pd.DatetimeIndex(times).as_unit("us").asi8
    seconds: NDArray[np.float64] = np.where(times.isna(), np.nan, whole / MICROSECONDS)
    return seconds


def _read_polars(told: str, column: Any) -> Reading:
    import polars as pl

    dtype, missing = column.dtype, column.is_null().to_numpy()
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        categories = tuple(dtype.categories) if dtype == pl.Enum else None
        values = np.array([*column.cast(pl.String).to_list(), None], object)[:-1]
        text = str(dtype.base_type()) if dtype != pl.String else "String"
        return Reading("text", values, missing, Dtype(text, categories))
    if dtype.is_numeric() or dtype in (pl.Boolean, pl.Null):
        values = column.cast(pl.Float64).to_numpy()
        family: Family = "truth" if dtype == pl.Boolean else "number"
        return Reading(family, values, missing | np.isnan(values), Dtype(str(dtype)))
    if dtype in (pl.Date, pl.Datetime, pl.Duration):
        unit = pl.Duration("us") if dtype == pl.Duration else pl.Datetime("us", getattr(dtype, "time_zone", None))
        values = column.cast(unit).to_physical().cast(pl.Float64).to_numpy() / MICROSECONDS
        return Reading("span" if dtype == pl.Duration else "time", values, missing, Dtype(str(dtype)))
    raise ColumnTypeError(
        f"{told} is of type {dtype}; a column of a table holds numbers, truth values, texts, dates or times"
    )


def written(library: Library, family: Family, dtype: Dtype, values: NDArray[Any], missing: NDArray[np.bool_]) -> Any:
    """Return ``values`` (n,), as in `Reading`, as a column of ``library`` and ``dtype``, the inverse of `read`.

    A type of NumPy's that knows no missing values gives way where some are ``missing``, as pandas has it: whole
    numbers to floats, truth values to objects.
    """
    return (_in_polars if library == "polars" else _in_pandas)(family, dtype, values, missing)


def _in_pandas(family: Family, dtype: Dtype, values: NDArray[Any], missing: NDArray[np.bool_]) -> pd.Series[Any]:
    if dtype.categories is not None:
        levels = pd.CategoricalDtype(list(dtype.categories), dtype.ordered)
        return pd.Series(pd.Categorical(objects_of(values, missing), dtype=levels))
    if family == "time":
        return _times_in_pandas(dtype, values, missing)
    if family == "span":
        spans: Any = pd.to_timedelta(pd.Series(np.where(missing, np.nan, np.rint(values * MICROSECONDS))), unit="us")
        made: pd.Series[Any] = spans.astype(dtype.text)
        return made
    if dtype.text == "object" or family == "text":
        objects = objects_of(values.astype(bool) if family == "truth" else values, missing)
        return pd.Series(objects, dtype=_pandas_type(dtype.text) if family == "text" else object)
    target: Any = _pandas_type(dtype.text)
    if isinstance(target, np.dtype) and missing.any() and target.kind != "f":
        target = np.dtype(object if family == "truth" else np.float64)
    if target.kind in "iu":
        values = _within(np.rint(values), np.dtype(getattr(target, "numpy_dtype", target)))
    if isinstance(target, np.dtype):
        filled = np.where(missing, np.nan, values) if target.kind == "f" else values
        return pd.Series(objects_of(values.astype(bool), missing) if target.kind == "O" else filled.astype(target))
    cells = [None if gap else value for value, gap in zip(_of_family(family, target, values), missing, strict=True)]
    return pd.Series(pd.array(cells, dtype=target))


def _pandas_type(text: str) -> Any:
    """Return pandas' type of this name, also of Arrow's that it does not take apart, and of ``utf8``."""
    decimal = re.fullmatch(r"(decimal\d+)\((\d+), (-?\d+)\)\[pyarrow\]", text)
    if decimal is None and text != "utf8[pyarrow]":
        return pd.api.types.pandas_dtype(text)
    import pyarrow as pa  # type: ignore[import-untyped]

    if decimal is None:
        return pd.ArrowDtype(pa.string())
    name, precision, scale = decimal.groups()
    return pd.ArrowDtype(getattr(pa, name)(int(precision), int(scale)))


def _of_family(family: Family, target: Any, values: NDArray[Any]) -> list[Any]:
    if family == "truth":
        return [bool(value) for value in values]
    return [int(value) if target.kind in "iu" else float(value) for value in np.nan_to_num(values)]


def _within(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return whole numbers that are within what ``dtype`` can hold."""
    limits = np.iinfo(dtype)
    # The largest of 64 bits is no 64-bit float, and the next above it is beyond.
    high = np.nextafter(float(limits.max), 0) if limits.bits == 64 else float(limits.max)
    within: NDArray[Any] = np.clip(values, limits.min, high)
    return within


def objects_of(values: NDArray[Any], missing: NDArray[np.bool_]) -> NDArray[Any]:
    """Return ``values`` as objects, None where they are ``missing``."""
    objects = values.astype(object)
    objects[missing] = None
    return objects


def _stamps(values: NDArray[Any], missing: NDArray[np.bool_]) -> NDArray[np.datetime64]:
    """Return seconds since 1970 as times, to the microsecond."""
    whole = np.rint(np.where(missing, 0, values) * MICROSECONDS).astype(np.int64)
    stamps = whole.astype("datetime64[us]")
    stamps[missing] = np.datetime64("NaT")
    return stamps


def _times_in_pandas(dtype: Dtype, values: NDArray[Any], missing: NDArray[np.bool_]) -> pd.Series[Any]:
    stamps = pd.Series(_stamps(values.astype(np.float64), missing))
    if dtype.text == "date":
        dates: pd.Series[Any] = stamps.dt.date.astype(object).where(~missing, None)
        return dates
    target = object if dtype.text == "object" else pd.api.types.pandas_dtype(dtype.text)
    zone = getattr(target, "tz", None) or getattr(getattr(target, "pyarrow_dtype", None), "tz", None)
    stamps = stamps if zone is None else stamps.dt.tz_localize("UTC").dt.tz_convert(zone)
    if isinstance(target, pd.ArrowDtype) and "date" in dtype.text:
        return pd.Series(pd.array(stamps.dt.date.where(~missing, None).tolist(), dtype=target))
    made: pd.Series[Any] = stamps.astype(target)
    return made


def _in_polars(family: Family, dtype: Dtype, values: NDArray[Any], missing: NDArray[np.bool_]) -> Any:
    import polars as pl

    target = _polars_type(dtype)
    if target == pl.Null:
        return pl.Series([None] * len(missing))
    if family in ("time", "span"):
        unit: Any = pl.Duration("us") if family == "span" else pl.Datetime("us")
        whole = np.rint(np.where(missing, 0, values.astype(np.float64)) * MICROSECONDS).astype(np.int64)
        series = pl.Series(whole).cast(unit)
        zone = getattr(target, "time_zone", None)
        series = series if zone is None else series.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    elif family == "text":
        series = pl.Series([str(value) for value in values], dtype=pl.String)
    else:
        if target.is_integer():
            values = np.clip(np.rint(values), *_polars_limits(target))
        series = pl.Series(np.where(missing, 0, values))
    series = series.cast(target)
    if not missing.any():
        return series
    return pl.select(pl.when(pl.Series(missing)).then(None).otherwise(series).alias(series.name)).to_series()


def _polars_limits(target: Any) -> tuple[float, float]:
    name = str(target).lower()
    limits = np.iinfo(name) if name in ("int8", "int16", "int32", "uint8", "uint16", "uint32") else None
    if limits is not None:
        return float(limits.min), float(limits.max)
    return (0.0 if name.startswith("u") else -(2.0**63)), 2.0**63 - 1024


def _polars_type(dtype: Dtype) -> Any:
    """Return polars' type of this name, which is taken apart, since nothing in a file is to be run."""
    import polars as pl

    if dtype.categories is not None:
        return pl.Enum([str(level) for level in dtype.categories])
    name, _, rest = dtype.text.rstrip(")").partition("(")
    options = {key.strip(): value.strip().strip("'") for key, _, value in (p.partition("=") for p in rest.split(","))}
    zone = options.get("time_zone", "None")
    if name == "Datetime":
        return pl.Datetime(options["time_unit"], None if zone == "None" else zone)  # type: ignore[arg-type]
    if name == "Duration":
        return pl.Duration(options["time_unit"])  # type: ignore[arg-type]
    if name == "Decimal":
        return pl.Decimal(int(options["precision"]), int(options["scale"]))
    found = getattr(pl, name, None)
    sound = isinstance(found, type) and issubclass(found, pl.DataType)
    if not sound:
        raise ValueError(f"{dtype.text!r} is not a type of polars")
    return found
