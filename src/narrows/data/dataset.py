"""The one form that all data take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.arguments import check_channels, check_given
from narrows.data.errors import DataError
from narrows.data.image_files import ImageFiles
from narrows.data.on_disk import OnDisk
from narrows.data.parquet_rows import ParquetRows
from narrows.data.take import is_pandas, take

__all__ = ["Dataset"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Dataset:
    """Examples, and what is known of them.

    Attributes
    ----------
    name
        For people and for file names: ``"digits"``, a file's stem, a folder's name.
    X
        Rows (n, features), as a data frame if the columns have names or hold other things than numbers, or images
        (n, H, W) or (n, H, W, C); in the units they came in. Where they are more than memory should hold, an `OnDisk`
        array, or rows of numbers in Parquet parts.
    y
        (n,) labels, or None.
    files
        For images from files, what was found in these.
    factors
        For a synthetic set, a column for each factor it was drawn from, (n, factors).
    notes
        How a file was read where more than one reading was possible, a sentence each.
    missing
        What was taken for a missing cell of a table, besides nothing.
    key, page
        Which array of a file, or page of image files, was asked for, as `narrows.data.load_data` takes them.
    """

    name: str
    X: NDArray[Any] | pd.DataFrame | OnDisk | ParquetRows
    y: NDArray[Any] | None = None
    files: ImageFiles | None = None
    factors: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    key: str | None = None
    page: int | str | None = None

    def at(self, rows: Sequence[int] | NDArray[np.int64]) -> Dataset:
        """Return the examples at ``rows`` (k,), counted from 0, and their labels, in memory."""
        return Dataset(self.name, take(self.X, rows), None if self.y is None else take(np.asarray(self.y), rows))

    def __repr__(self) -> str:
        """Say what there is, and not all of it: a notebook shows this."""
        kind = "" if is_pandas(self.X) else f" {self.X.dtype}"
        labels = "" if self.y is None else f", y={len(pd.unique(np.asarray(self.y))):,} labels"
        passed = 0 if self.files is None else len(self.files.rejected)
        left_out = f", {passed:,} file{'s' * (passed > 1)} passed over" if passed else ""
        return f"Dataset({self.name!r}, X={self.X.shape}{kind}{labels}{left_out})"

    def __post_init__(self) -> None:
        if self.y is not None and len(self.y) != len(self.X):
            raise DataError(f"{self.name} has {len(self.X)} examples but {len(self.y)} labels")
        if not len(self.X):
            raise DataError(f"{self.name} holds no examples: its shape is {self.X.shape}")
        if is_pandas(self.X):  # what its columns hold is for whoever learns from them
            return
        kind = self.X.dtype
        try:
            check_given(self.name, self.X)
            check_channels(self.name, self.X.shape)
        except ValueError as error:
            raise DataError(str(error)) from error
        if self.X.ndim not in (2, 3, 4) or kind.kind not in "buif":
            raise DataError(
                f"{self.name} holds {kind} in shape {self.X.shape}; "
                "numbers as rows (n, features) or images (n, H, W) or (n, H, W, C) are expected"
            )
