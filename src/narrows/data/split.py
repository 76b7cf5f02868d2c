"""Holding some of the data out, so that a model is evaluated on what it has not seen."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.data.errors import DataError
from narrows.data.on_disk import OnDisk
from narrows.data.take import take

__all__ = ["FEWEST_EXAMPLES", "split"]

FEWEST_EXAMPLES = 4
"""Examples that are needed to train on some and evaluate on others."""

Array = NDArray[Any]
Examples: TypeAlias = "Array | pd.DataFrame | OnDisk"


def split(
    X: Examples, y: Array | None = None, *, test_size: float = 0.2, random_state: int = 0
) -> tuple[Examples, Examples, Array | None, Array | None]:
    """Return ``X_train, X_test, y_train, y_test``, with every class in the same proportion in both where that can be.

    It cannot where a class has one example, or there are more classes than examples held out; then the split is plain.

    Parameters
    ----------
    X, y
        (n, …) examples, in memory, on disk or as a data frame, and, if known, (n,) labels.
    test_size
        The fraction held out, in (0, 1).
    random_state
        The split's seed.

    Raises
    ------
    DataError
        If there are too few examples for two subsets.
    """
    if len(X) < FEWEST_EXAMPLES:
        few = "1 example is" if len(X) == 1 else f"{len(X)} examples are"
        raise DataError(f"{few} too few to train on some and evaluate on others; at least {FEWEST_EXAMPLES} are needed")
    from sklearn.model_selection import train_test_split

    strata = None
    if y is not None:
        _, counts = np.unique(y, return_counts=True)
        room = min(int(len(X) * test_size), int(len(X) * (1 - test_size)))
        strata = y if counts.min() > 1 and len(counts) <= room else None
    train, test = train_test_split(np.arange(len(X)), test_size=test_size, stratify=strata, random_state=random_state)
    labels = (None, None) if y is None else (y[train], y[test])
    if isinstance(X, OnDisk):
        return X.select(train), X.select(test), *labels
    return take(X, train), take(X, test), *labels
