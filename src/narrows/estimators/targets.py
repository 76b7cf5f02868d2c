"""What y is: the classes of the examples, or, of pairs of noisy and clean ones, the clean."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.nn.functional import one_hot

from narrows.columns.table import Table
from narrows.data.labels import class_indices
from narrows.estimators.attributes import FittedAttributes
from narrows.estimators.rows import rows_of, rows_to_fit, shape_of
from narrows.fitted.fitted import Fitted
from narrows.fitted.source import Source
from narrows.models.priors.base import Posterior, StandardNormal
from narrows.training.examples import Examples

__all__ = [
    "are_pairs",
    "asked_of",
    "clean_of",
    "clean_to_fit",
    "context_of",
    "examples_of",
    "labels_of_each",
    "posterior_of",
    "refuse_pairs",
    "refuse_table",
]


def examples_of(fitted: Fitted, source: Source, y: ArrayLike | None) -> Examples:
    """Return ``source``, whose classes are ``y``, or whose clean examples, as the model takes it."""
    clean = clean_of(fitted, source, y)
    if clean is source:
        return source.examples(fitted.scaling, context_of(fitted, y, len(source)))
    noisy = source.examples(fitted.scaling, None).read
    return replace(clean.examples(fitted.scaling, None), noisy=noisy)


def posterior_of(estimator: FittedAttributes, X: ArrayLike, y: ArrayLike | None) -> Posterior:
    """Return q(z | x) of examples, whose classes are ``y``; codes alone where they are a function of the input."""
    fitted = estimator.fitted_
    return fitted.on(estimator.device).posterior(examples_of(fitted, rows_of(estimator, X), y))


def context_of(fitted: Fitted, y: ArrayLike | None, n: int) -> Tensor | None:
    """Return ``y`` one-hot (n, classes) for a conditional model's nets; others don't look at it.

    Raises
    ------
    ValueError
        If the model is conditional, and there is no y, or it holds others than the model's classes.
    """
    if not fitted.conditional:
        return None
    classes = fitted.require_classes()
    if y is None:
        raise ValueError("y is needed, the class of each example: this model is conditional")
    return one_hot(torch.from_numpy(class_indices(y, classes, n)), len(classes)).float()


def labels_of_each(fitted: Fitted, y: ArrayLike | None, n: int) -> NDArray[np.int64]:
    """Return which class each example of ``y`` (n,) is of, for a prior that is fitted class by class.

    Raises
    ------
    ValueError
        If the model has classes, and there is no y, or it lacks one of them.
    """
    if fitted.classes is None:
        return np.zeros(n, np.int64)
    if y is None:
        raise ValueError("y is needed: this model was fitted with classes, and new codes are drawn class by class")
    labels = class_indices(y, fitted.classes, n)
    missing = np.setdiff1d(np.arange(len(fitted.classes)), labels)
    if len(missing):
        raise ValueError(
            f"y has no example of class {fitted.classes[missing[0]]}; the prior is "
            "fitted class by class, so give examples of each"
        )
    return labels


def asked_of(fitted: Fitted, y: ArrayLike, n: int) -> Tensor:
    """Return which class each of ``n`` new examples is to be of, as ``y`` says, one for all or one for each.

    Raises
    ------
    ValueError
        If the model has no such class, or no prior of its classes.
    """
    if not fitted.conditional and isinstance(fitted.model.prior, StandardNormal):
        raise ValueError(
            f"cannot sample class y={y!r}: prior='normal' is shared by all classes; use conditional=True, or "
            "fit_prior with 'mixture', 'posterior', 'flow' or 'flow-matching'"
        )
    return torch.from_numpy(class_indices(y, fitted.require_classes(), n))


def clean_of(fitted: Fitted, source: Source, y: ArrayLike | None) -> Source:
    """Return what ``source`` is to be given back as: ``y``, where that is the same without noise, or else itself."""
    if fitted.conditional or not _like(source, y):
        return source
    refuse_table("X", fitted.table)
    return clean_to_fit(y, source, fitted.feature_names, fitted.kind, least=1)


def are_pairs(estimator: FittedAttributes, shape: tuple[int, ...], y: ArrayLike | None) -> bool:
    """Say whether an estimator that is to learn from X and ``y`` is given noisy and clean examples, not labels.

    Parameters
    ----------
    estimator
        Not yet fitted.
    shape
        Of X.
    y
        As given to `fit`.

    Raises
    ------
    ValueError
        If it does not learn from pairs, or X and y make none.
    """
    if not _are_examples(y):
        return False
    if estimator.learns_from_pairs:
        _check_shapes(shape, y)
        if estimator.conditional:
            raise ValueError(
                f"conditional=True needs y to be the class of each example, but y, of shape {shape}, holds clean "
                "examples, and there is no other place for labels; take conditional=False to learn from pairs"
            )
        return True
    if shape_of(y) == shape:
        raise ValueError(
            f"y has the shape of X, {shape}: DenoisingAutoencoder learns from noisy and clean examples, "
            f"fit(noisy, clean); {type(estimator).__name__} takes clean ones alone, which it corrupts itself, as "
            "input_noise says"
        )
    return False


def clean_to_fit(y: Any, noisy: Source, names: tuple[str, ...] | None, kind: str, *, least: int = 2) -> Source:
    """Return ``y``, which is ``noisy`` without noise, checked as `rows_to_fit` does.

    Parameters
    ----------
    y
        As given to `fit`.
    noisy, names
        X, and the names of its columns, if any.
    kind, least
        As of `rows_to_fit`.

    Raises
    ------
    TypeError, ValueError
        If it cannot be learnt from, or is of another shape or other columns.
    """
    _check_shapes(noisy.shape, y)
    given = rows_to_fit(y, kind, argument="y", least=least)
    refuse_table("y", given.table)
    columns = given.feature_names
    if names and columns and names != columns:
        place = next(place for place, pair in enumerate(zip(names, columns, strict=True)) if len(set(pair)) > 1)
        raise ValueError(
            f"column {place} is {names[place]!r} in X and {columns[place]!r} in y; noisy and clean examples need the "
            "same columns in the same order"
        )
    return given.source


def refuse_pairs(name: str, source: Source, y: ArrayLike | None) -> None:
    """Refuse clean examples as ``y`` in the method of this ``name``.

    Raises
    ------
    ValueError
        If ``y`` has the shape of X, whose rows ``source`` are.
    """
    if _like(source, y):
        raise ValueError(
            f"y has the shape of X, {source.shape}, but {name} goes by examples X alone, and their labels y; "
            "score and anomaly_score compare what becomes of noisy examples with clean ones"
        )


def refuse_table(argument: str, table: Table | None) -> None:
    """Refuse noisy or clean examples that are a table with other columns than numbers, or with gaps.

    Raises
    ------
    ValueError
        If there is such a ``table``.
    """
    if table is not None:
        raise ValueError(
            f"{argument} has missing values, or columns that are not numbers; of pairs, noisy examples X and clean "
            "ones y, both must be numbers without gaps"
        )


def _check_shapes(shape: tuple[int, ...], y: Any) -> None:
    if shape_of(y) != shape:
        raise ValueError(
            f"X has shape {shape} and y {shape_of(y)}; noisy examples X and clean ones y need the same shape"
        )


def _like(source: Source, y: Any) -> bool:
    return _are_examples(y) and shape_of(y) == source.shape


def _are_examples(y: Any) -> bool:
    """Say whether ``y`` has several numbers for each example, as no labels have."""
    shape = shape_of(y)
    return len(shape) > 1 and math.prod(shape[1:]) > 1
