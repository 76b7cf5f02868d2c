"""Examples as they were given, as rows: held in memory, or read batch by batch where they are more than that."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narrows.arguments import check_finite
from narrows.chunks import chunks
from narrows.data.parquet_rows import ParquetRows
from narrows.scaling import Scaling
from narrows.training.examples import Examples, numbered

__all__ = ["Source"]

Array = NDArray[np.floating]

NUMBERS_AT_ONCE = 2**20
"""Read at a time when the data are measured."""


@dataclass(frozen=True, slots=True)
class Source:
    """Examples as given, as rows (n, features).

    Attributes
    ----------
    X
        Rows in memory, checked; or, where ``streamed``, an array (n, …) on disk whose rows are checked when read.
    shape
        (n, …), as given.
    streamed
        Which of the two.
    name
        The argument that they were given as.
    """

    X: Any
    shape: tuple[int, ...]
    streamed: bool
    name: str = "X"

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the rows, and of what a model makes of them: 64-bit floats only where they are in memory."""
        return np.dtype(np.float32) if self.streamed and not isinstance(self.X, ParquetRows) else self.X.dtype

    def rows(self, indices: NDArray[np.int64] | None = None) -> Array:
        """Return the rows at ``indices`` (k,), or all, in memory."""
        if not self.streamed:
            held: Array = self.X if indices is None else self.X[indices]
            return held
        # In order and each once, as files are read best and HDF5 demands it.
        ordered, back = np.unique(np.arange(len(self)) if indices is None else indices, return_inverse=True)
        rows = np.asarray(self.X[ordered]).reshape(len(ordered), math.prod(self.shape[1:]))
        if rows.dtype.kind == "f":  # whole numbers, such as an image's bytes, are always finite
            check_finite(rows, numbers=ordered, argument=self.name)
        return rows[back]

    def subset(self, rows: NDArray[np.int64]) -> Source:
        """Return those at ``rows`` (k,), in their order."""
        X = _Rows(self.X, rows) if self.streamed else self.X[rows]
        return replace(self, X=X, shape=(len(rows), *self.shape[1:]))

    def chunks(self) -> Iterator[Array]:
        """Yield all rows in order, in chunks that memory can hold."""
        if not self.streamed:
            yield self.X
            return
        if isinstance(self.X, ParquetRows):  # which are read in order, and no other way for long
            first = 0
            for rows in self.X.chunks(max(1, NUMBERS_AT_ONCE // self.shape[1])):
                if self.X.coding is None:  # which has seen to it, and leaves NaN for what is missing
                    check_finite(rows, self.X.columns, numbers=np.arange(first, first + len(rows)), argument=self.name)
                yield rows
                first += len(rows)
            return
        for some in chunks(len(self), math.prod(self.shape[1:]), NUMBERS_AT_ONCE):
            yield self.rows(np.arange(some.start, some.stop))

    def examples(self, scaling: Scaling, context: Tensor | None, limits: tuple[Array, Array] | None = None) -> Examples:
        """Return them scaled, between each feature's ``limits`` if any, with their classes one-hot (n, classes)."""

        def scaled(rows: Array) -> Tensor:
            return torch.from_numpy(scaling.apply(rows if limits is None else np.clip(rows, *limits)))

        if not self.streamed:
            return Examples.of(scaled(self.X), context)

        def read(indices: Tensor) -> Tensor:
            return scaled(self.rows(indices.numpy()))

        return Examples(read, numbered(len(self)), scaling.offset.size, context)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Some ``rows``, in their order, of ``X``, which is read when they are asked for."""

    X: Any
    rows: NDArray[np.int64]

    def __getitem__(self, indices: NDArray[np.int64]) -> Any:
        return self.X[self.rows[indices]]
