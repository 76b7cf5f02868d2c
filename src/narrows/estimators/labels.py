"""Labels, as a model that can be asked for a class needs them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["class_labels", "places_of"]

MOST_CLASSES = 1000


def class_labels(y: ArrayLike | None, n: int, *, needed: bool) -> tuple[NDArray[np.generic] | None, NDArray[np.int64]]:
    """Return the classes in ``y``, sorted, and each example's place among them, (n,).

    Without classes, which are whole numbers, truth values or strings and at most 1,000, these are None and zeros:
    scikit-learn hands on whatever y there is, also real numbers.

    Raises
    ------
    ValueError
        If ``y`` is not as long as X, or holds no classes although they are ``needed``.
    """
    if y is None:
        if needed:
            raise ValueError("conditional=True needs y, the class of each example")
        return None, np.zeros(n, np.int64)
    labels = np.asarray(y)
    if len(labels) != n:
        raise ValueError(f"y has {len(labels)} labels for {n} examples")
    labels = labels.reshape(n) if labels.size == n else labels
    if labels.dtype == object and all(isinstance(label, str) for label in labels.ravel()):
        labels = labels.astype(str)
    if labels.ndim == 1 and labels.dtype.kind in "biuU":
        classes, places = np.unique(labels, return_inverse=True)
        if len(classes) <= MOST_CLASSES:
            return classes, places
    if needed:
        raise ValueError(
            f"y, {labels.dtype} of shape {labels.shape}, is no list of classes: whole numbers or strings, one an "
            f"example, at most {MOST_CLASSES:,} different"
        )
    return None, np.zeros(n, np.int64)


def places_of(y: ArrayLike, classes: NDArray[np.generic], n: int) -> NDArray[np.int64]:
    """Return the places (n,) of ``y``, one label or n, among ``classes``.

    Raises
    ------
    ValueError
        If there is another number of them, or one that is no class.
    """
    labels = np.asarray(y)
    if labels.ndim == 0:
        labels = np.full(n, labels)
    if labels.shape != (n,):
        raise ValueError(f"y has shape {labels.shape}; one label is expected, or one for each of {n} examples")
    unknown = labels[~np.isin(labels, classes)]
    if len(unknown):
        known = ", ".join(map(str, classes[:20])) + (" …" if len(classes) > 20 else "")
        raise ValueError(f"y={unknown[0]} is no class this model knows; known are {known}")
    places: NDArray[np.int64] = np.searchsorted(classes, labels)
    return places
