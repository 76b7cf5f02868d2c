"""Large tables: a file, or a folder of Parquet parts, read by record batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from narrows.data.arrow import decoded, frame_of, read_table
from narrows.data.dataset import Dataset
from narrows.data.delimited import delimited_parts
from narrows.data.errors import DataError
from narrows.data.parquet import parquet_files, require_pyarrow, with_types
from narrows.data.parquet_rows import ParquetRows
from narrows.data.tables import Types, in_delimited, in_frame, label_column, read_parquet

__all__ = ["BATCHES", "LARGE", "Part", "Parts", "is_parquet", "read_parts"]

LARGE = 2**27
"""Bytes of a table's file above which verbs read it by record batch."""

ROWS, NUMBERS = 2**16, 2**21
"""Rows, and numbers in them, of a record batch."""

ALIGNED = 4096
"""Rows that pass through a net together, of which a batch is a multiple where its rows are not very long."""

MOST_IN_MEMORY = 2**30
"""Bytes: rows that would take more as 32-bit floats are not read into memory."""

BATCHES = 16
"""In what is written as one part."""


class Part(NamedTuple):
    """Some consecutive rows of a file.

    Attributes
    ----------
    file
        Which.
    first
        Row of the file that they begin with.
    dataset
        They, as `narrows.data.load_data` returns them.
    held
        The same as the file holds them: a table of Arrow, or lines of text.
    begins
        Whether they are the first of what is written as one part.
    """

    file: Path
    first: int
    dataset: Dataset
    held: Any
    begins: bool

    @property
    def told(self) -> str:
        """What messages call them."""
        return f"{self.file}, rows {self.first:,} to {self.first + len(self.dataset.X) - 1:,}"


@dataclass(frozen=True, slots=True)
class Parts:
    """A table in one file or several.

    Attributes
    ----------
    name
        For people and for file names.
    files
        In the order of their rows.
    names
        Of its columns.
    missing, types
        As in `narrows.data.load_data`.
    rows
        In a batch.
    schema
        Of Parquet, as Arrow has it.
    """

    name: str
    files: tuple[Path, ...]
    names: tuple[str, ...]
    missing: Sequence[str]
    types: Mapping[str, str] | None
    rows: int
    schema: Any = field(repr=False)
    seen: tuple[tuple[int, int], ...] = field(repr=False)

    @classmethod
    def of(cls, source: str | Path, missing: Sequence[str] = (), types: Mapping[str, str] | None = None) -> Parts:
        """Return the table in ``source``, a file or a folder of Parquet parts.

        Raises
        ------
        DataError
            If a part cannot be read, or its columns are not those of the first one; the message names it.
        """
        path = Path(source)
        files, schema = parquet_files(path) if path.is_dir() or is_parquet(path) else ((path,), None)
        require_pyarrow(path)
        names = tuple(next(delimited_parts(path, 1, missing)).names if schema is None else schema.names)
        rows = min(ROWS, max(1, NUMBERS // max(1, len(names))))
        rows = rows // ALIGNED * ALIGNED or rows
        seen = tuple(map(_state_of, files))
        return cls(path.name.partition(".")[0], files, names, tuple(missing), types, rows, schema, seen)

    def identity(self) -> list[Any]:
        """Return what tells these files from others: their names, sizes, and when they were changed."""
        return [[file.name, *state] for file, state in zip(self.files, self.seen, strict=True)]

    def batches(self, file: Path, begin: int) -> Iterator[Part]:
        """Yield the rows of ``file`` in batches, from batch ``begin`` on.

        Raises
        ------
        DataError
            If it cannot be read, or has changed since these parts were opened.
        """
        if _state_of(file) != self.seen[self.files.index(file)]:
            raise DataError(f"{file} has changed since the run began; leave the parts as they are until its end")
        first = begin * self.rows
        if is_parquet(file):
            import pyarrow as pa  # type: ignore[import-untyped]

            for batch in _record_batches(file, first, self.rows):
                table = with_types(pa.Table.from_batches([batch]), self.schema)
                dataset = in_frame(file, frame_of(str(file), decoded(table)), self.missing, self.types)
                yield Part(file, first, dataset, table, self._begins(first))
                first += len(table)
            return
        for lines in islice(delimited_parts(file, self.rows, self.missing), begin, None):
            yield Part(
                file, lines.first, in_delimited(lines, self.missing, self.types), lines, self._begins(lines.first)
            )

    def _begins(self, first: int) -> bool:
        return first % (BATCHES * self.rows) == 0


def is_parquet(file: Path) -> bool:
    """Say whether a file is one of Parquet's, by its name."""
    return file.name.lower().endswith(".parquet")


def _state_of(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_size, found.st_mtime_ns


def _record_batches(path: Path, first: int, rows: int) -> Iterator[Any]:
    """Yield the rows of a Parquet file from ``first`` on, that many at a time, whatever its row groups are."""
    import pyarrow as pa
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    try:
        # A row group is decoded as it is needed, and not read ahead, so that its size does not matter.
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=2**16) as file:
            yield from _regrouped(_from_row(file, first, rows), rows)
    except (ValueError, OSError, pa.ArrowException) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def _from_row(file: Any, first: int, rows: int) -> Iterator[Any]:
    """Yield the rows of an open Parquet file from ``first`` on, as they come."""
    counts = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
    ends = np.cumsum(counts, dtype=np.int64)
    groups = np.flatnonzero(ends > first).tolist()
    skipped = first - int(ends[groups[0]] - counts[groups[0]]) if groups else 0
    for batch in file.iter_batches(rows, row_groups=groups, use_threads=False) if groups else ():
        rest = batch.slice(min(skipped, batch.num_rows))
        skipped -= batch.num_rows - rest.num_rows
        yield rest


def _regrouped(batches: Iterable[Any], rows: int) -> Iterator[Any]:
    """Yield the rows of record batches, that many at a time."""
    held, n = list[Any](), 0
    for batch in batches:
        rest = batch
        while rest.num_rows:
            held.append(rest.slice(0, rows - n))
            n, rest = n + held[-1].num_rows, rest.slice(held[-1].num_rows)
            if n == rows:
                yield _joined(held)
                held, n = [], 0
    if n:
        yield _joined(held)


def _joined(batches: Sequence[Any]) -> Any:
    import pyarrow as pa

    return pa.Table.from_batches(batches).combine_chunks().to_batches()[0]


def read_parts(path: Path, missing: Sequence[str] = (), types: Types | None = None) -> Dataset:
    """Read a Parquet file, or a folder of parts, as `narrows.data.tables.read_parquet`; large ones as `ParquetRows`.

    Raises
    ------
    DataError
        As there.
    """
    if path.is_file() and path.stat().st_size <= MOST_IN_MEMORY // 8:  # of which a table in memory may be made anyway
        return read_parquet(path, missing, types)
    import pyarrow as pa
    import pyarrow.parquet as pq

    files, schema = parquet_files(path)
    metadata = [pq.read_metadata(file) for file in files]
    if 4 * sum(one.num_rows * one.num_columns for one in metadata) <= MOST_IN_MEMORY:
        whole = pa.concat_tables(map(read_table, files), promote_options="permissive").unify_dictionaries()
        return in_frame(path, frame_of(str(path), whole), missing, types)
    label, name, notes = label_column(schema.names, types or {}), path.name.partition(".")[0], []
    without = ""
    if label is not None and not pa.types.is_floating(schema.field(label).type):
        without = schema.names[label]
        notes.append(f"column {without!r} holds labels, which are not learned from in parts")
    return Dataset(name, ParquetRows.of(path, without, missing), notes=tuple(notes))
