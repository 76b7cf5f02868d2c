"""Tables of Arrow, as Parquet files and frames of polars and pyarrow hold them: plain ones, and ones of examples.

A table of examples has a column of images, as Hugging Face's data sets do, or of vectors, matrices or higher arrays.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from narrows.data.errors import DataError
from narrows.data.examples import ENCODED, Columns
from narrows.data.optional import damage_named

__all__ = [
    "as_table",
    "check_type",
    "decoded",
    "examples_in",
    "examples_in_parquet",
    "frame_of",
    "holds_examples",
    "read_table",
]

WHOLE = {f"{sign}int{bits}": f"{sign.upper()}Int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
"""Types of whole numbers that know no missing ones, and those of pandas that do."""

TEXTS = ("string", "large_string", "string_view")
"""What Arrow calls texts; the last is new in its version 16."""

FRAMES = {
    ("polars", "DataFrame"): "to_arrow",
    ("pyarrow", "Table"): None,
    ("pyarrow", "RecordBatch"): None,
}
"""Whose tables these are, and the method that makes one of Arrow's of them."""


def _pyarrow(told: str) -> Any:
    try:
        import pyarrow as pa  # type: ignore[import-untyped]
        import pyarrow.compute  # type: ignore[import-untyped]
        import pyarrow.parquet  # type: ignore[import-untyped]
    except ImportError as error:
        raise DataError(f"{told} needs pyarrow, which is not installed: pip install 'narrows[parquet]'") from error
    return pa


def as_table(told: str, frame: Any) -> Any | None:
    """Return a frame of polars or pyarrow as a table of Arrow, or None if it is something else.

    Raises
    ------
    DataError
        If pyarrow is not installed.
    """
    kind = type(frame).__module__.partition(".")[0], type(frame).__name__
    if kind == ("polars", "LazyFrame"):
        raise DataError(f"{told} is a plan of a frame; give its rows, as collect() makes them")
    if kind not in FRAMES:
        return None
    pa, method = _pyarrow(told), FRAMES[kind]
    if method is not None:
        return getattr(frame, method)()
    return frame if kind[1] == "Table" else pa.Table.from_batches([frame])


def read_table(path: Path) -> Any:
    """Return the table in a Parquet file.

    Raises
    ------
    DataError
        If pyarrow is not installed, the file is damaged, or two columns have one name.
    """
    pa = _pyarrow(str(path))
    names = _schema(pa, path).names
    if len(set(names)) < len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{path} has several columns called {double!r}; rename them")
    with damage_named(f"{path} is not a Parquet file that can be read"), pa.parquet.ParquetFile(path) as file:
        return file.read()


def _schema(pa: Any, path: Path) -> Any:
    with damage_named(f"{path} is not a Parquet file that can be read"):
        return pa.parquet.read_schema(path)


def examples_in_parquet(path: Path) -> Columns | None:
    """Return the rows of a Parquet file with a column of images or vectors, or None if all its columns are plain.

    Raises
    ------
    DataError
        As `read_table` and `examples_in`.
    """
    return examples_in(str(path), read_table(path)) if holds_examples(path) else None


def holds_examples(path: Path) -> bool:
    """Say whether a Parquet file has a column of images or vectors.

    Raises
    ------
    DataError
        As `read_table`.
    """
    pa = _pyarrow(str(path))
    return any(_is_nested(pa, field.type) for field in _schema(pa, path))


def examples_in(told: str, table: Any) -> Columns | None:
    """Return the rows of a table with a column of images or vectors, or None if all its columns are plain.

    Raises
    ------
    DataError
        If a column is of another type that no table here has, or its vectors differ in length or have gaps.
    """
    pa = _pyarrow(told)
    if not any(_is_nested(pa, field.type) for field in table.schema):
        return None
    cells = {field.name: _cells(pa, f"{told}, column {field.name!r}", table[field.name]) for field in table.schema}
    described = json.loads((table.schema.metadata or {}).get(b"huggingface", b"{}"))
    features = described.get("info", {}).get("features", {})
    return Columns(cells, {name: SimpleNamespace(names=own.get("names")) for name, own in features.items()})


class _Cells(Sequence[Any]):
    """A column of Arrow's whose cells are Python's."""

    def __init__(self, column: Any) -> None:
        self._column = column

    def __len__(self) -> int:
        return len(self._column)

    def __getitem__(self, row: Any) -> Any:
        return self._column[row].as_py()


def _cells(pa: Any, told: str, column: Any) -> Sequence[Any] | NDArray[Any]:
    kind = _stored(pa, column.type)
    image = pa.types.is_struct(kind) and {field.name for field in kind} == ENCODED
    if pa.types.is_nested(kind) and not image and not _is_list(pa, kind):
        raise DataError(f"{told} is of type {kind}; a column holds numbers, texts, dates, images or vectors")
    return _vectors(pa, told, column) if _is_list(pa, kind) and not column.null_count else _Cells(column)


def _vectors(pa: Any, told: str, column: Any) -> NDArray[Any]:
    """Return a column of lists (n,), of numbers or of lists again, as one array (n, …)."""
    array, shape = column.combine_chunks(), [len(column)]
    tensor = isinstance(array.type, pa.FixedShapeTensorType)
    inner = (array.type.shape, array.type.permutation or range(len(array.type.shape))) if tensor else None
    array = array.storage if isinstance(array.type, pa.BaseExtensionType) else array
    while _is_list(pa, array.type):
        lengths = pa.compute.unique(pa.compute.list_value_length(array)).to_pylist()
        if len(lengths) > 1:
            raise DataError(f"{told} holds lists of {min(lengths)} to {max(lengths)}; all have to be of one length")
        shape += lengths
        array = array.flatten()
    if array.null_count or not (pa.types.is_integer(array.type) or pa.types.is_floating(array.type)):
        held = f"{array.null_count:,} gaps" if array.null_count else f"{array.type}"
        raise DataError(f"{told} holds lists with {held}; numbers are expected, none missing")
    numbers: NDArray[Any] = array.to_numpy(zero_copy_only=False).reshape(shape)
    if inner is None:
        return numbers
    return numbers.reshape(-1, *inner[0]).transpose(0, *(1 + axis for axis in inner[1]))


def _is_nested(pa: Any, kind: Any) -> bool:
    kind = _stored(pa, kind)
    nested = pa.types.is_nested(kind) or _is_list(pa, kind)  # lists of one size are none to older pyarrow
    return bool(nested or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_list(pa: Any, kind: Any) -> bool:
    kind = _stored(pa, kind)
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _is_text(kind: Any) -> bool:
    return str(kind) in TEXTS


def _stored(pa: Any, kind: Any) -> Any:
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def decoded(table: Any) -> Any:
    """Return a table with the values themselves where a dictionary holds them: that of some rows may lack levels."""
    for place, field in enumerate(table.schema):
        if hasattr(field.type, "index_type"):
            table = table.set_column(place, field.name, table.column(place).cast(field.type.value_type))
    return table


def check_type(told: str, kind: Any) -> None:
    """Refuse a type of Arrow's that no column of a table has.

    Raises
    ------
    DataError
        Naming the column, as ``told``, and its type.
    """
    types = _pyarrow(told).types
    held = kind.value_type if types.is_dictionary(kind) else kind
    numbers = types.is_integer(held) or types.is_floating(held) or types.is_decimal(held) or types.is_boolean(held)
    times = types.is_timestamp(held) or types.is_date(held) or types.is_duration(held)
    if not (numbers or times or types.is_null(held) or _is_text(held)):
        raise DataError(f"{told} is of type {kind}; a column of a table holds numbers, truth values, texts or times")


def frame_of(told: str, table: Any) -> pd.DataFrame:
    """Return a plain table as a frame, whole numbers and truth values as such also where some are missing.

    Decimal numbers become 64-bit floats, and a dictionary of other things than texts what it stands for.
    """
    pa = _pyarrow(told)
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type) and not _is_text(field.type.value_type):
            table = table.set_column(place, field.name, table.column(place).cast(field.type.value_type))
        if pa.types.is_decimal(table.schema.field(place).type):
            table = table.set_column(place, field.name, table.column(place).cast(pa.float64()))
    frame: pd.DataFrame = table.to_pandas()
    nullable = {getattr(pa, name)(): pd.api.types.pandas_dtype(own) for name, own in WHOLE.items()}
    nullable[pa.bool_()] = pd.BooleanDtype()
    for place, field in enumerate(table.schema):
        if field.type in nullable and table.column(place).null_count and field.name in frame.columns:
            frame[field.name] = table.column(place).to_pandas(types_mapper=nullable.get).set_axis(frame.index)
    return frame
