"""Labels, as a model that can be asked for a class needs them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from narrows.arguments import refuse_masked
from narrows.data.errors import DataError

__all__ = ["class_indices", "class_labels", "labels_in", "usual_labels"]

MOST_CLASSES = 1000

UNLABELLED = "unlabelled"
"""The label of examples in a file that have none, among others that have."""


def labels_in(told: str, values: Any) -> NDArray[Any] | None:
    """Return what a file holds as labels (n,): whole numbers, truth values or text; None where it tells no classes.

    That is where they are real numbers, except whole ones. Where some are missing all become text, and the missing ones
    ``"unlabelled"``.

    Parameters
    ----------
    told
        What to call them in errors, with the file's name.
    values
        (n,) or (n, 1).

    Raises
    ------
    DataError
        If they are of another shape or type.
    """
    if isinstance(values, np.ma.MaskedArray):
        values = values.tolist()  # with None for what is masked
    # As objects, since among texts NumPy would make texts of all, also of what is missing.
    array: NDArray[Any] = values if isinstance(values, np.ndarray) else np.array(values, object)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DataError(f"{told} have shape {array.shape}; one label for each example is expected, in shape (n,)")
    missing = np.asarray(pd.isna(array))
    given = array[~missing]
    try:
        known = usual_labels(np.array(given.tolist()) if array.dtype == object else given)
    except UnicodeDecodeError as error:
        raise DataError(f"{told} are not text in UTF-8: {error}") from error
    if known.dtype.kind not in "biufU":
        raise DataError(f"{told} hold {given[0]} of type {known.dtype}; labels are whole numbers or text")
    if known.dtype.kind == "f":
        return None
    labels = np.full(len(array), UNLABELLED, object)
    labels[~missing] = known.astype(str)
    return labels.astype(str) if missing.any() else known


def class_labels(y: ArrayLike | None, n: int, *, needed: bool) -> tuple[NDArray[np.generic] | None, NDArray[np.int64]]:
    """Return the classes in ``y``, sorted, and each example's index into them, (n,).

    Classes are whole numbers, also as floats, truth values, or text, also as bytes; at most 1,000. Without any, these
    are None and zeros: scikit-learn hands on whatever y there is, also real numbers.

    Raises
    ------
    ValueError
        If ``y`` is not as long as X, is masked in part, has labels for some of the examples only, or holds no classes
        although they are ``needed``.

    Warns
    -----
    UserWarning
        If it holds neither classes nor real numbers.
    """
    if y is None:
        if needed:
            raise ValueError("conditional=True needs y, the class of each example")
        return None, np.zeros(n, np.int64)
    refuse_masked("y", y)
    given = np.asarray(y)
    if given.ndim == 0 or len(given) != n:
        raise ValueError(f"y has {len(given) if given.ndim else 1} labels for {n} examples")
    labels = usual_labels(given.reshape(n) if given.size == n else given)
    if labels.ndim == 1 and labels.dtype.kind in "biuU":
        classes, indices = np.unique(labels, return_inverse=True)
        if len(classes) <= MOST_CLASSES:
            return classes, indices
    said = (
        f"y, {given.dtype} of shape {given.shape}, is not a list of classes: whole numbers or text, one per "
        f"example, at most {MOST_CLASSES:,} different"
    )
    if needed:
        raise ValueError(said)
    if labels.dtype.kind not in "biuf":
        warnings.warn(f"{said}; the model learns no classes", stacklevel=2)
    return None, np.zeros(n, np.int64)


def class_indices(y: ArrayLike, classes: NDArray[np.generic], n: int) -> NDArray[np.int64]:
    """Return the indices (n,) of ``y``, one label or n, into ``classes``, which are of its kind: numbers or text.

    Raises
    ------
    ValueError
        If there is another number of them, or one that is masked or not a class.
    """
    refuse_masked("y", y)
    labels = usual_labels(np.asarray(y))
    if labels.ndim == 0:
        labels = np.full(n, labels)
    if labels.shape != (n,):
        raise ValueError(f"y has shape {labels.shape}; one label is expected, or one for each of {n} examples")
    if n and _kind(labels) != _kind(classes):
        raise ValueError(
            f"y={labels[0].item()!r} is {_kind(labels)}, but this model's classes are each {_kind(classes)}, such as "
            f"{classes[0].item()!r}"
        )
    unknown = labels[~np.isin(labels, classes)]
    if len(unknown):
        known = ", ".join(map(str, classes[:20])) + (" …" if len(classes) > 20 else "")
        raise ValueError(f"y={unknown[0]} is not a class of this model; its classes are {known}")
    indices: NDArray[np.int64] = np.searchsorted(classes, labels)
    return indices


def usual_labels(labels: NDArray[Any]) -> NDArray[Any]:
    """Return ``labels`` as text, whole numbers or truth values, where they are that in another type.

    Raises
    ------
    ValueError
        If they would be, but for some that are missing.
    """
    missing = np.zeros(labels.shape, bool) if labels.dtype.kind in "biuSU" else np.asarray(pd.isna(labels))
    if missing.any() and not missing.all() and _is_text_or_whole(labels[~missing]):
        first = int(np.flatnonzero(missing.ravel())[0])
        raise ValueError(
            f"y has no label in {int(missing.sum()):,} of {missing.size:,} rows, first in row {first}; fill them, "
            "leave these examples out, or give no y"
        )
    if labels.dtype.kind == "S":
        return np.char.decode(labels, "utf-8")
    if labels.dtype == object and labels.size:
        found = {type(label) for label in labels.ravel()}
        if all(issubclass(kind, str) for kind in found):
            return labels.astype(str)
        if all(issubclass(kind, bytes) for kind in found):
            return usual_labels(labels.astype(bytes))
        if all(issubclass(kind, int | np.integer | np.bool_) for kind in found):
            return np.array(labels.tolist())
    if labels.dtype.kind == "f" and labels.size and (np.abs(labels) < 2**53).all() and (labels % 1 == 0).all():
        return labels.astype(np.int64)
    return labels


def _kind(labels: NDArray[Any]) -> str:
    return {"U": "text", "b": "a number", "i": "a number", "u": "a number", "f": "a number"}.get(
        labels.dtype.kind, str(labels.dtype)
    )


def _is_text_or_whole(labels: NDArray[Any]) -> bool:
    kinds = {type(label) for label in labels.ravel()} if labels.dtype == object else {labels.dtype.type}
    if all(issubclass(kind, float | np.floating) for kind in kinds):
        return bool((labels.astype(float) % 1 == 0).all())
    return all(issubclass(kind, str | bytes | int | np.integer | np.bool_ | np.str_) for kind in kinds)
