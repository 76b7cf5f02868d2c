"""Rows in Parquet parts, of numbers or of anything: more than memory holds, read a row group at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import DTypeLike, NDArray

from narrows.data.arrow import check_type, frame_of
from narrows.data.cells import Gaps
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


class Coding(Protocol):
    """What makes numbers of the columns that are learned from."""

    @property
    def modelled(self) -> Sequence[Any]:
        """Those columns."""

    def cells(self, X: Any) -> NDArray[np.float64]:
        """Return the numbers (n, modelled) of a frame's rows; NaN where a cell is missing."""


@dataclass(frozen=True, slots=True, eq=False)
class ParquetRows:
    """Rows in Parquet parts, of which memory sees some at a time.

    Attributes
    ----------
    columns
        Their names.
    floats
        Whether all hold floats, and whether they would if whole numbers and truth values were some.
    missing
        What stands for a missing cell, besides nothing.
    groups
        All of them, in order.
    low
        Rows whose share of the data (`narrows.data.fingerprints.shares`) is below it count as not there.
    count
        How many rows that leaves.
    coding
        What makes numbers of them; without it they are 32-bit floats as they are.
    found
        The codings that passes over all rows have found, by what kinds were asked for; of some of the rows, too.
    """

    columns: tuple[str, ...]
    floats: tuple[bool, bool]
    missing: tuple[str, ...]
    groups: tuple[Group, ...]
    low: float
    count: int
    coding: Coding | None = None
    found: dict[str, Coding | None] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, source: str | Path, without: str | None = None, missing: Sequence[str] = ()) -> Self:
        """Return the rows of a Parquet file, or of a folder of parts, ``without`` the column of that name.

        Raises
        ------
        DataError
            If they cannot be read, or a column is of a type that no table here has; the message names file and column.
        """
        import pyarrow as pa  # type: ignore[import-untyped]
        import pyarrow.parquet as pq  # type: ignore[import-untyped]

        files, schema = parquet_files(Path(source))
        schema = pa.schema([one for one in schema if one.name != without])
        for one in schema:
            check_type(f"{files[0]}, column {one.name!r}", one.type)
        whole = [pa.types.is_integer(kind) or pa.types.is_boolean(kind) for kind in schema.types]
        each = [pa.types.is_floating(kind) for kind in schema.types]
        floats = all(each), all(map(any, zip(each, whole, strict=True)))
        groups, first = list[Group](), 0
        for file in files:
            metadata = pq.read_metadata(file)
            for number in range(metadata.num_row_groups):
                groups.append(Group(file, number, first, metadata.row_group(number).num_rows))
                first += groups[-1].rows
        kept = tuple(group for group in groups if group.rows)
        return cls(tuple(schema.names), floats, tuple(missing), kept, 0.0, first)

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
        """Of what is read, whatever the files hold: a table's dates need more than 32 bits."""
        return np.dtype(np.float32 if self.coding is None else np.float64)

    @property
    def width(self) -> int:
        """Numbers in a row that is read."""
        return len(self.columns if self.coding is None else self.coding.modelled)

    def __len__(self) -> int:
        return self.shape[0]

    def read(self, group: Group, rows: int) -> Iterator[NDArray[np.floating]]:
        """Yield the rows of a ``group`` in order, (k, width), so many at a time, also those that count as not there."""
        coding, done = self.coding, 0
        for batch in self._batches(group, rows):
            if coding is None:
                yield self._floats(batch)
                continue
            try:
                yield coding.cells(self._frame(group, batch))
            except ValueError as error:
                said = f"{group.file}, row group {group.number}, rows {done:,} to {done + batch.num_rows - 1:,} of it"
                raise DataError(f"{said}: {error}") from error
            done += batch.num_rows

    def frames(self, rows: int) -> Iterator[pd.DataFrame]:
        """Yield all rows in order as frames, at most so many at a time, also those that count as not there."""
        for group in self.groups:
            for batch in self._batches(group, rows):
                yield self._frame(group, batch)

    def _batches(self, group: Group, rows: int) -> Iterator[Any]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(group.file, pre_buffer=False, buffer_size=2**16) as file:
                yield from file.iter_batches(rows, row_groups=[group.number], columns=self.columns, use_threads=False)
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{group.file}, row group {group.number} cannot be read: {error}") from error

    def _floats(self, batch: Any) -> NDArray[np.float32]:
        x = np.empty((batch.num_rows, len(self.columns)), np.float32)
        for place, name in enumerate(self.columns):
            column = batch.column(name)
            column = column.cast("uint8") if str(column.type) == "bool" else column
            x[:, place] = column.to_numpy(zero_copy_only=False)
        return x

    def _frame(self, group: Group, batch: Any) -> pd.DataFrame:
        import pyarrow as pa

        frame = frame_of(str(group.file), pa.Table.from_batches([batch]).select(list(self.columns)))
        frame = frame[list(self.columns)].reset_index(drop=True)
        gaps = Gaps(self.missing)
        return frame.apply(gaps.of_series) if self.missing else frame

    def chunks(self, rows: int) -> Iterator[NDArray[np.floating]]:
        """Yield all rows in order, at most so many at a time."""
        for group in self.groups:
            for x in self.read(group, rows):
                yield x[shares(x) >= self.low] if self.low else x

    def at(self, places: NDArray[np.int64], rows: int) -> pd.DataFrame:
        """Return the rows at ``places``, counted from 0 and in this order, as a frame, reading so many at a time."""
        order, found, first = np.sort(places), list[pd.DataFrame](), 0
        for frame in self.frames(rows):
            own = order[np.searchsorted(order, first) : np.searchsorted(order, first + len(frame))]
            found.append(frame.iloc[own - first])
            first += len(frame)
        whole = pd.concat(found, ignore_index=True)
        return whole.iloc[np.searchsorted(order, places)].reset_index(drop=True)

    def __getitem__(self, key: Any) -> NDArray[np.floating]:
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
        found, done = np.empty((len(places), self.width), self.dtype), 0
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
