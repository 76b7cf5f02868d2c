"""Examples by their rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.data.on_disk import OnDisk

__all__ = ["is_pandas", "take"]


def is_pandas(X: Any) -> TypeGuard[pd.DataFrame]:
    """Say whether ``X`` is a data frame of pandas, without a question to pandas where it is an array."""
    return not isinstance(X, np.ndarray | OnDisk) and isinstance(X, pd.DataFrame)


def take(X: Any, rows: Sequence[int] | NDArray[np.int64]) -> Any:
    """Return the examples at ``rows``, counted from 0, in memory.

    Parameters
    ----------
    X
        An array, also on disk, from which they are then read, or a data frame, of which they are rows.
    rows
        (k,), in any order.
    """
    return X.iloc[list(rows)] if is_pandas(X) else X[np.asarray(rows, np.int64)]
