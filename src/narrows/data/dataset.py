"""The one form that all data take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.arguments import check_channels, check_given
from narrows.data.errors import DataError
from narrows.data.image_files import ImageFiles
from narrows.data.on_disk import OnDisk

__all__ = ["UNLABELLED", "Dataset", "as_labels"]

UNLABELLED = "unlabelled"
"""The label of examples that have none, among others that have."""


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Examples, and what is known of them.

    Attributes
    ----------
    name
        For people and for file names: ``"digits"``, a file's stem, a folder's name.
    X
        Rows (n, features), as a data frame if the columns have names, or images (n, H, W) or (n, H, W, C); in the units
        they came in. Where they are more than memory should hold, an `OnDisk` array.
    y
        (n,) labels, or None.
    files
        For images from files, what was found in these.
    factors
        For a synthetic set, a column for each factor it was drawn from, (n, factors).
    notes
        What in a file was taken for what, where that could be meant otherwise, a sentence each.
    """

    name: str
    X: NDArray[Any] | pd.DataFrame | OnDisk
    y: NDArray[Any] | None = None
    files: ImageFiles | None = None
    factors: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.y is not None and len(self.y) != len(self.X):
            raise DataError(f"{self.name} has {len(self.X)} examples but {len(self.y)} labels")
        kind = np.asarray(self.X[:0]).dtype if isinstance(self.X, pd.DataFrame) else self.X.dtype
        if not len(self.X):
            raise DataError(f"{self.name} holds no examples: its shape is {self.X.shape}")
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


def as_labels(told: str, values: Any) -> NDArray[Any] | None:
    """Return labels as an array (n,) of whole numbers, truth values or texts; None where they are none.

    Texts may come as bytes, in UTF-8. Where some are missing, all become texts, and the missing ones `UNLABELLED`.
    Real numbers are no labels, except whole ones.

    Parameters
    ----------
    told
        What to call them in errors, with the file's name.
    values
        (n,) or (n, 1).

    Raises
    ------
    DataError
        If they are of another shape, or a label is of another type.
    """
    # NumPy would make texts of all that stands among texts, also of what is missing.
    array = values if isinstance(values, np.ndarray) else np.array(values, object)
    array = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    if array.ndim != 1:
        raise DataError(f"{told} have shape {array.shape}; one label for each example is expected, in shape (n,)")
    if array.dtype.kind not in "biufUSO":
        raise DataError(f"{told} hold {array.dtype}; labels are whole numbers or texts")
    if array.dtype.kind in "biuU" and not np.ma.is_masked(array):
        return np.asarray(array)
    labels = [_label(told, value) for value in array.tolist()]
    known = [label for label in labels if label is not None]
    if not known or any(isinstance(label, float) for label in known):
        return None
    if len(known) == len(labels) and len(set(map(type, known))) == 1:
        return np.array(labels)
    return np.array([UNLABELLED if label is None else str(label) for label in labels])


def _label(told: str, value: Any) -> bool | int | float | str | None:
    """Return a label as Python's own; whole real numbers as whole ones, and what is missing as None."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, str | Integral):
        return str(value) if isinstance(value, str) else int(value)
    if isinstance(value, Real):
        number = float(value)
        return None if math.isnan(number) else int(number) if number.is_integer() else number
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise DataError(f"{told} hold {value!r}, which is not text in UTF-8") from error
    raise DataError(f"{told} hold {value!r}, a {type(value).__name__}; labels are whole numbers or texts")
