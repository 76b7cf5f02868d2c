"""What estimators are given, X, as rows: held in memory, or read batch by batch where it is more than that."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narrows.arguments import check_finite
from narrows.scaling import Scaling
from narrows.training.examples import Examples

__all__ = ["Source", "is_data_set", "is_streamed"]

Array = NDArray[np.floating]

IN_MEMORY = ("__array_interface__", "__array_namespace__")
"""One of which an array has that hands out its memory."""

NUMBERS = 2**22
"""Read at a time when the data are measured."""

MOST_IN_MEMORY, MOST_OF_A_FILE = 2**30, 2**25
"""Bytes: an array whose copy in 32-bit floats would take more, and a memory-mapped file of more, is streamed."""


def is_streamed(X: Any) -> bool:
    """Say whether ``X`` is read batch by batch: a large array, or one that is not in memory.

    That is whatever has a NumPy dtype, a shape of two axes or more, and rows to index, but hands out no memory of its
    own: `narrows.data.OnDisk`, an HDF5 data set, a Zarr array.
    """
    if isinstance(X, np.memmap):
        return bool(X.nbytes > MOST_OF_A_FILE)
    if isinstance(X, np.ndarray):
        return 4 * X.size > MOST_IN_MEMORY and X.dtype.kind in "buif"
    foreign = hasattr(X, "__array__") and not any(hasattr(X, name) for name in IN_MEMORY)
    return isinstance(getattr(X, "dtype", None), np.dtype) and len(getattr(X, "shape", ())) > 1 and foreign


def is_data_set(X: Any) -> bool:
    """Say whether ``X`` is a path, or a data set with items to index, as torch's and Hugging Face's, but no array."""
    if isinstance(X, str | os.PathLike):
        return True
    arrays = (*IN_MEMORY, "__array__", "__dataframe__", "toarray")
    indexed = hasattr(X, "__getitem__") and hasattr(X, "__len__") and not isinstance(X, list | tuple)
    return indexed and not any(hasattr(X, name) for name in arrays)


@dataclass(frozen=True, slots=True)
class Source:
    """Examples as given, as rows (n, features).

    Attributes
    ----------
    X
        Rows in memory, checked; or, where ``streamed``, an array (n, …) on disk whose parts are checked when read.
    shape
        (n, …), as given.
    streamed
        Which of the two.
    """

    X: Any
    shape: tuple[int, ...]
    streamed: bool

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the rows, and of what a model makes of them: 64-bit floats only where they are in memory."""
        return np.dtype(np.float32) if self.streamed else self.X.dtype

    def rows(self, places: NDArray[np.int64] | None = None) -> Array:
        """Return the rows at ``places`` (k,), or all, in memory."""
        if not self.streamed:
            held: Array = self.X if places is None else self.X[places]
            return held
        # In order and each once, as files are read best and HDF5 demands it.
        ordered, back = np.unique(np.arange(len(self)) if places is None else places, return_inverse=True)
        rows = np.asarray(self.X[ordered]).reshape(len(ordered), math.prod(self.shape[1:]))
        if rows.dtype.kind == "f":  # whole numbers, such as a picture's bytes, are always finite
            check_finite(rows, places=ordered)
        return rows[back]

    def chunks(self) -> Iterator[Array]:
        """Yield all rows in order, in parts that memory can hold."""
        if not self.streamed:
            yield self.X
            return
        step = max(1, NUMBERS // math.prod(self.shape[1:]))
        for start in range(0, len(self), step):
            yield self.rows(np.arange(start, min(start + step, len(self))))

    def examples(self, scaling: Scaling, context: Tensor | None) -> Examples:
        """Return them scaled, with their classes one-hot (n, classes), if any."""
        if not self.streamed:
            return Examples.of(torch.from_numpy(scaling.apply(self.X)), context)

        def read(places: Tensor) -> Tensor:
            return torch.from_numpy(scaling.apply(self.rows(places.numpy())))

        return Examples(read, torch.arange(len(self)), scaling.offset.size, context)
