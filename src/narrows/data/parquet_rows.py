"""Rows of numbers in Parquet parts: more than memory holds, read a row group at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from narrows.data.errors import DataError
from narrows.data.fingerprints import shares
from narrows.data.parquet import parquet_files

__all__ = ["Group", "ParquetRows"]


class Group(NamedTuple):
    """A row group.

    Attributes
    ----------
    file, number
        Where it is.
    first, rows
        How many rows of all parts come before it, and how many it has.
    """

    file: Path
    number: int
    first: int
    rows: int


@dataclass(frozen=True, slots=True, eq=False)
class ParquetRows:
    """Rows (n, features) of 32-bit floats, in Parquet parts, of which memory sees some at a time.

    Attributes
    ----------
    columns
        Their names.
    groups
        All of them, in order.
    low
        Rows whose share of the data (`narrows.data.fingerprints.shares`) is below it count as not there.
    count
        How many rows that leaves.
    """

    columns: tuple[str, ...]
    groups: tuple[Group, ...]
    low: float
    count: int

    @classmethod
    def of(cls, source: str | Path, without: str | None = None) -> Self:
        """Return the numbers in a Parquet file, or in a folder of parts, ``without`` the column of that name.

        Raises
        ------
        DataError
            If they cannot be read, or hold other things than numbers; the message names file and column.
        """
        import pyarrow as pa  # type: ignore[import-untyped]
        import pyarrow.parquet as pq  # type: ignore[import-untyped]

        files, schema = parquet_files(Path(source))
        schema = pa.schema([one for one in schema if one.name != without])
        for one in schema:
            if not (pa.types.is_integer(one.type) or pa.types.is_floating(one.type) or pa.types.is_boolean(one.type)):
                raise DataError(
                    f"{files[0]}, column {one.name!r} is of type {one.type}; Parquet parts are learned from "
                    "where they hold numbers alone; for other columns take as many rows as memory holds"
                )
        groups, first = list[Group](), 0
        for file in files:
            metadata = pq.read_metadata(file)
            for number in range(metadata.num_row_groups):
                groups.append(Group(file, number, first, metadata.row_group(number).num_rows))
                first += groups[-1].rows
        return cls(tuple(schema.names), tuple(group for group in groups if group.rows), 0.0, first)

    @property
    def shape(self) -> tuple[int, int]:
        """(n, features)."""
        return self.count, len(self.columns)

    @property
    def ndim(self) -> int:
        """Axes."""
        return 2

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of all of them, whatever the files hold."""
        return np.dtype(np.float32)

    def __len__(self) -> int:
        return self.shape[0]

    def read(self, group: Group, rows: int) -> Iterator[NDArray[np.float32]]:
        """Yield the rows of a ``group`` in order, so many at a time, also those that count as not there."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(group.file, pre_buffer=False, buffer_size=2**16) as file:
                batches = file.iter_batches(rows, row_groups=[group.number], columns=self.columns, use_threads=False)
                for batch in batches:
                    x = np.empty((batch.num_rows, len(self.columns)), np.float32)
                    for place, name in enumerate(self.columns):
                        x[:, place] = batch.column(name).to_numpy(zero_copy_only=False)
                    yield x
        except (ValueError, OSError, pa.ArrowException) as error:
            raise DataError(f"{group.file} cannot be read: {error}") from error

    def chunks(self, rows: int) -> Iterator[NDArray[np.float32]]:
        """Yield all rows in order, at most so many at a time."""
        for group in self.groups:
            for x in self.read(group, rows):
                yield x[shares(x) >= self.low] if self.low else x

    def __getitem__(self, key: Any) -> NDArray[np.float32]:
        """Return copies of the rows at ``key``: a slice, or an array of row numbers or of truth values.

        Raises
        ------
        TypeError
            If some count as not there, since it is not known where the others are.
        """
        if self.low:
            raise TypeError("rows of which some are left out can only be read in order")
        places = np.arange(len(self))[key]
        order = np.argsort(places, kind="stable")
        found, done = np.empty((len(places), len(self.columns)), np.float32), 0
        for group in self.groups:
            own = order[done : np.searchsorted(places, group.first + group.rows, sorter=order)]
            if len(own):
                whole = np.concatenate(list(self.read(group, group.rows)))
                found[own] = whole[places[own] - group.first]
                done += len(own)
        return found

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("rows in files cannot become an array in memory without a copy")
        return self[:].astype(dtype or self.dtype, copy=False)
