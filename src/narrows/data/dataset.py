"""The one form that all data take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["DataError", "Dataset"]


class DataError(ValueError):
    """Data that cannot be used as they are; the message names the file, what is wrong, and what would be right."""


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Examples, and what is known of them.

    Attributes
    ----------
    name
        For people and for file names: ``"digits"``, a file's stem, a folder's name.
    X
        Rows (n, features), as a data frame if the columns have names, or images (n, H, W) or (n, H, W, 3); in the units
        they came in.
    y
        (n,) labels, or None.
    """

    name: str
    X: NDArray[Any] | pd.DataFrame
    y: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        if self.y is not None and len(self.y) != len(self.X):
            raise DataError(f"{self.name} has {len(self.X)} examples but {len(self.y)} labels")
        kind = np.asarray(self.X).dtype
        if self.X.ndim not in (2, 3, 4) or not np.issubdtype(kind, np.number):
            raise DataError(
                f"{self.name} holds {kind} in shape {self.X.shape}; "
                "numbers as rows (n, features) or images (n, H, W) or (n, H, W, C) are expected"
            )
