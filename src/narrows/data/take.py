"""Examples by their rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["take"]


def take(X: Any, rows: Sequence[int] | NDArray[np.int64]) -> Any:
    """Return the examples at ``rows``, counted from 0, in memory.

    Parameters
    ----------
    X
        An array, also on disk, from which they are then read, or a data frame, of which they are rows.
    rows
        (k,), in any order.
    """
    return X.iloc[list(rows)] if isinstance(X, pd.DataFrame) else X[np.asarray(rows, np.int64)]
