"""Parquet files, alone or as the parts of one table: which they are, and whether they are alike."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from narrows.data.errors import DataError
from narrows.data.links import inside

__all__ = ["parquet_files", "parquet_in", "require_pyarrow", "with_types"]


def parquet_files(path: Path) -> tuple[tuple[Path, ...], Any]:
    """Return the Parquet file at ``path``, or those in that folder, in order, and their schema, as the first has it.

    A column without a type, of which all cells are missing, may be of any type in other parts.

    Raises
    ------
    DataError
        If pyarrow is not installed, one cannot be read, or its columns are not those of the first; the message names
        it.
    """
    require_pyarrow(path)
    files = tuple(parquet_in(path)) if path.is_dir() else (path,)
    schemas = [_schema_of(file) for file in files]
    for file, schema in zip(files, schemas, strict=True):
        _check_like(file, schema, files[0], schemas[0])
    whole = schemas[0]
    for place, one in enumerate(whole):
        kinds = (schema.field(one.name) for schema in schemas if str(schema.field(one.name).type) != "null")
        whole = whole.set(place, next(kinds, one))
    for file, schema in zip(files, schemas, strict=True):
        _check_types(file, schema, files[0], whole)
    return files, whole


def with_types(table: Any, schema: Any) -> Any:
    """Return a part, a table of Arrow, with the ``schema``'s types for its columns that have none."""
    import pyarrow as pa  # type: ignore[import-untyped]

    for place, one in enumerate(table.schema):
        if pa.types.is_null(one.type):
            field = schema.field(one.name)
            table = table.set_column(place, field, pa.nulls(len(table), field.type))
    return table


def parquet_in(folder: Path) -> Sequence[Path]:
    """Return the Parquet files in ``folder``, sorted; where names begin with . or _ they hold no data.

    Raises
    ------
    DataError
        If one is a link that leads out of the folder.
    """
    return inside(folder, sorted(file for file in folder.glob("*.parquet") if file.name[0] not in "._"))


def require_pyarrow(path: Path) -> None:
    """Raise DataError unless pyarrow is installed, which reads ``path`` by record batch."""
    if importlib.util.find_spec("pyarrow") is None:
        raise DataError(f"{path} is read by record batch, which needs pyarrow: pip install 'narrows[parquet]'")


def _schema_of(file: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    try:
        return pq.read_schema(file)
    except (ValueError, OSError, pa.ArrowException) as error:
        raise DataError(f"{file} is not a Parquet file that can be read: {error}") from error


def _check_like(file: Path, schema: Any, first: Path, wanted: Any) -> None:
    """Refuse a part whose columns are not those of the ``first``, in any order."""
    for name in wanted.names:
        if name not in schema.names:
            raise DataError(f"{file} has no column {name!r}, which {first.name} has; all parts need the same columns")
    for one in schema:
        if one.name not in wanted.names:
            raise DataError(f"{file} has a column {one.name!r}, which {first.name} has not; all parts need the same")


def _check_types(file: Path, schema: Any, first: Path, wanted: Any) -> None:
    """Refuse a part with a column of another type than is ``wanted``; levels may be numbered by other integers."""
    for one in schema:
        kind = wanted.field(one.name).type
        if str(one.type) != "null" and _stored(one.type) != _stored(kind):
            raise DataError(f"{file}, column {one.name!r} is of type {one.type}, but of type {kind} in {first.name}")


def _stored(kind: Any) -> Any:
    return (kind.value_type, kind.ordered) if hasattr(kind, "index_type") else kind
