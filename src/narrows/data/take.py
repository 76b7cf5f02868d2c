"""Rows of an array, wherever it lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.data.on_disk import LARGE, OnDisk

__all__ = ["take"]


def take(X: Any, rows: Sequence[int] | NDArray[np.int64]) -> Any:
    """Return the examples at ``rows``, counted from 0.

    Parameters
    ----------
    X
        An array, a data frame, of which they are rows, or an array on disk, where they stay if they are many.
    rows
        (k,), in any order.
    """
    places = np.asarray(rows, np.int64)
    if isinstance(X, pd.DataFrame):
        return X.iloc[places]
    if not isinstance(X, OnDisk):
        return X[places]
    chosen = X.select(places)
    return chosen if chosen.nbytes > LARGE else chosen[:]
