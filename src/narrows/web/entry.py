"""A model that the explorer has opened, with the data to show it with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from narrows.data.dataset import Dataset
from narrows.data.take import take
from narrows.estimators.base import BottleneckEstimator
from narrows.fitted.fitted import Fitted
from narrows.fitted.levels import as_bytes, error_maps
from narrows.latent import nearest
from narrows.runs.opening import known_labels
from narrows.web.rows import Columns, Rows

__all__ = ["FAR", "MOST_CLASSES", "MOST_SHOWN", "SHOWN", "Entry", "Eye", "Measured"]

SHOWN, MOST_SHOWN = 2000, 100_000
"""Examples on the page, unless more are asked for, and then at most: so many are encoded at once when it opens."""

MOST_CLASSES = 40
"""Labels that are told apart by colour and name."""

FAR = 0.99
"""The fraction of the shown examples that are nearer, or better reconstructed, than what is called far or odd."""

Array = NDArray[Any]

Eye = NDArray[np.uint8] | Rows
"""Examples for the eye: images (n, H, W[, 3 or 4]) and rows without names (n, features) in bytes, or rows in words."""


class Measured(NamedTuple):
    """A model's squared error per pixel or feature, in scaled units, and what it is measured on.

    ``subset`` is ``"test"`` (held out from the model), ``"validation"`` (held out inside ``fit``) or ``"shown"`` (the
    examples on the page, some of which it may have seen in training).
    """

    error: float
    standard_error: float
    subset: str
    pca_error: float | None = None


@dataclass(eq=False)
class Entry:
    """A model and its data.

    Parameters
    ----------
    id
        What a request calls it.
    estimator
        Fitted.
    dataset
        The examples to show, at most `MOST_SHOWN`, in memory.
    total
        How many there were to choose from.
    python
        The lines that make ``model`` and ``data`` of the same in Python.
    given
        How well it does on held-out data, if that is known.
    from_prior
        Whether there were no data, so that the examples are the model's own samples.
    memo
        What questions have worked out once, by name.
    """

    id: str
    estimator: BottleneckEstimator
    dataset: Dataset
    total: int
    python: tuple[str, ...]
    given: Measured | None = None
    from_prior: bool = False
    memo: dict[str, Any] = field(default_factory=dict)

    @property
    def fitted(self) -> Fitted:
        """The model as it was fitted, whatever the estimator's options are now."""
        return self.estimator.fitted_

    @property
    def kind(self) -> str:
        """The named model's name."""
        return self.fitted.kind

    @property
    def X(self) -> Any:
        """The examples, (n, …), in their own units: an array, or a data frame."""
        return self.dataset.X

    def at(self, rows: Sequence[int] | NDArray[np.int64]) -> Any:
        """Return the examples at ``rows`` as the model takes them."""
        return take(self.X, rows)

    @cached_property
    def columns(self) -> Columns | None:
        """The columns of examples that are rows with names; None of all others."""
        return Columns.of(self.fitted, self.X)

    def require_columns(self) -> Columns:
        """Return the columns.

        Raises
        ------
        ValueError
            If there are none.
        """
        if self.columns is None:
            raise ValueError(f"model={self.id!r} takes images, or numbers without names, and so has no columns to show")
        return self.columns

    def numbers(self, examples: Any) -> Array:
        """Return examples, as the model takes or makes them, as numbers (n, …); of a table's rows the cells."""
        return np.asarray(examples) if self.columns is None else self.columns.cells(examples)

    @cached_property
    def y(self) -> Array | None:
        """The examples' labels as a conditional model needs them."""
        if not self.fitted.conditional or self.dataset.y is None:
            return None
        return known_labels(self.fitted, self.dataset.y)

    @cached_property
    def _classes(self) -> tuple[list[str], NDArray[np.uint8] | None]:
        y = self.dataset.y
        if y is None:
            return [], None
        names, indices = np.unique(y, return_inverse=True)
        if len(names) > MOST_CLASSES or 2 * len(names) > len(y):
            return [], None
        return [str(name) for name in names.tolist()], indices.astype(np.uint8)

    @property
    def classes(self) -> list[str]:
        """The labels' names, sorted; none where labels are unknown, or nearly as many as examples."""
        return self._classes[0]

    @property
    def labels(self) -> NDArray[np.uint8] | None:
        """(n,) the index of each example's label among `classes`."""
        return self._classes[1]

    def names(self, rows: Sequence[int] | NDArray[np.int64]) -> list[str]:
        """Return the labels of the examples at ``rows``; none where labels are unknown."""
        return [] if self.labels is None else [self.classes[index] for index in self.labels[rows]]

    @cached_property
    def distribution(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """μ and σ of q(z | x), each (n, latent_dim)."""
        return self.estimator.encode_distribution(self.X, self.y)

    @property
    def codes(self) -> NDArray[np.float32]:
        """The examples' codes, (n, latent_dim)."""
        return self.distribution[0]

    @cached_property
    def errors(self) -> NDArray[np.float64]:
        """The examples' errors, (n,)."""
        return self.estimator.anomaly_score(self.X, self.y, by="reconstruction")

    @cached_property
    def some(self) -> NDArray[np.int64]:
        """The rows of at most `SHOWN` examples, evenly spaced, which are enough to judge others by."""
        return np.arange(0, len(self.X), -(-len(self.X) // SHOWN))

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """The examples' anomaly scores, (n,)."""
        return self.estimator.anomaly_score(self.X, self.y, by=self.fitted.best_score)

    @cached_property
    def odd(self) -> float:
        """The anomaly score that one shown example in a hundred exceeds."""
        return float(np.quantile(self.scores, FAR))

    @cached_property
    def far(self) -> float:
        """The distance from a code to the nearest other that one shown example in a hundred exceeds."""
        return float(np.quantile(nearest(self.codes, self.codes[self.some], 2)[1][:, 1], FAR))

    @cached_property
    def measured(self) -> Measured:
        """How well it does, on the best evidence there is."""
        if self.given is not None:
            return self.given
        if self.fitted.validation_error is not None:
            return Measured(*self.fitted.validation_error, "validation")
        spread = float(self.errors.std() / np.sqrt(len(self.errors)))
        return Measured(float(self.errors.mean()), spread, "shown")

    def decode(self, codes: ArrayLike, label: str | None = None) -> Array:
        """Return what ``codes`` (n, latent_dim) stand for as `numbers`, of class ``label`` where the model needs one.

        Without a label a conditional model takes its first class.
        """
        fitted, z = self.fitted, np.asarray(codes, np.float32)
        if not fitted.conditional:
            # Unlike inverse_transform, which decodes 32 at least, so that an example's last digits don't depend on how
            # many there are; the eye does not see those, but it sees that one convolution takes a tenth of the time.
            with torch.no_grad():
                scaled = fitted.model.decode(torch.from_numpy(z)).numpy()
            return fitted.scaling.undo(scaled).reshape(-1, *fitted.input_shape)
        one = fitted.require_classes()[0] if label is None else known_labels(fitted, [label])[0]
        return self.numbers(self.estimator.inverse_transform(z, np.full(len(z), one)))

    def restored(self, X: Any, context: Array | None) -> Array:
        """Return what becomes of examples, as the model takes them, as `numbers`."""
        return self.numbers(self.estimator.reconstruct(X, context))

    def context(self, label: str | None, row: int | None = None) -> Array | None:
        """Return the class (1,) that a conditional model sees with an input, which may be the example ``row``."""
        if not self.fitted.conditional:
            return None
        if row is not None and label is None and self.y is not None:
            return self.y[[row]]
        return self.fitted.require_classes()[:1] if label is None else known_labels(self.fitted, [label])

    def levels(self, numbers: Array) -> NDArray[np.uint8]:
        """Return examples, as `numbers`, in bytes, images (n, H, W[, 3 or 4]) or rows (n, features)."""
        return as_bytes(self.fitted, numbers) if self.columns is None else self.columns.levels(numbers)

    def shown(self, numbers: Array) -> Eye:
        """Return examples, as `numbers`, for the eye."""
        return self.levels(numbers) if self.columns is None else self.columns.shown(numbers)

    def middle(self, numbers: Array) -> Array:
        """Return the mean of examples, as `numbers`, (1, …)."""
        return numbers.mean(0, keepdims=True) if self.columns is None else self.columns.middle(numbers)

    def error_maps(self, numbers: Array, others: Array) -> NDArray[np.float32]:
        """Return the differences of examples, as `numbers`, as `narrows.fitted.levels.error_maps` does."""
        return error_maps(self.fitted, numbers, others).astype(np.float32)

    def check_row(self, name: str, row: int) -> int:
        """Return ``row`` if there is such an example.

        Raises
        ------
        ValueError
            If there is none.
        """
        if not 0 <= row < len(self.X):
            raise ValueError(f"{name}={row}: there are {len(self.X):,} examples on the page, counted from 0")
        return row

    def check_codes(self, codes: Sequence[Sequence[float]]) -> NDArray[np.float32]:
        """Return ``codes`` as an array (n, latent_dim).

        Raises
        ------
        ValueError
            If they are no finite codes of this model.
        """
        d = self.fitted.latent_dim
        if any(len(code) != d for code in codes):
            raise ValueError(f"z has a code that does not have {d} numbers, as this model's codes do")
        array = np.array(codes, np.float64)
        if not np.isfinite(array).all() or np.abs(array).max(initial=0) > np.finfo(np.float32).max:
            raise ValueError("z holds a number that is not finite in 32 bits")
        return array.astype(np.float32)
