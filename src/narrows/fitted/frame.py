"""The kind of data frame that a model was fitted to, and examples as such a frame."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Dtype", "Frame", "Library"]

Library = Literal["pandas", "polars"]
Dtype = Literal["float32", "float64"]


@dataclass(frozen=True, slots=True)
class Frame:
    """A kind of data frame.

    Attributes
    ----------
    library
        Whose it is.
    dtypes
        What its columns come back as: those of 32-bit floats as such, all others as 64-bit ones, since what a model
        makes of whole numbers or truth values are real numbers.
    """

    library: Library
    dtypes: tuple[Dtype, ...]

    @classmethod
    def of(cls, X: Any) -> Self | None:
        """Return the kind of ``X``, or None where that is no data frame."""
        polars = sys.modules.get("polars")
        if isinstance(X, pd.DataFrame):
            library: Library = "pandas"
        elif polars is not None and isinstance(X, polars.DataFrame):
            library = "polars"
        else:
            return None
        return cls(library, tuple("float32" if str(dtype).lower() == "float32" else "float64" for dtype in X.dtypes))

    def filled(self, rows: NDArray[np.floating], names: Sequence[str] | None, like: Any = None) -> Any:
        """Return ``rows`` (n, columns) as such a frame.

        Parameters
        ----------
        rows
            Real numbers.
        names
            Of the columns; without any they are the library's own.
        like
            If it is a frame of pandas with as many rows, its index is taken.

        Raises
        ------
        ModuleNotFoundError
            If the library is not installed.
        """
        columns = {
            number if names is None else names[number]: rows[:, number].astype(dtype)
            for number, dtype in enumerate(self.dtypes)
        }
        if self.library == "pandas":
            return pd.DataFrame(columns, index=like.index if isinstance(like, pd.DataFrame) else None)
        try:
            import polars as pl
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                "this model was fitted to a data frame of polars, which is not installed: pip install polars, or ask "
                "for arrays by set_output(transform='default')"
            ) from error
        return pl.DataFrame({f"column_{name}" if names is None else name: rows for name, rows in columns.items()})
