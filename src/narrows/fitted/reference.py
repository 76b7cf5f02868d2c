"""What a fitted model keeps of its training data, so that other data can be compared with them later."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

from narrows.columns.coded import Coded
from narrows.columns.table import Table
from narrows.components import Components
from narrows.data.fingerprints import fingerprints, shares
from narrows.evaluation.reconstruction import squared_errors
from narrows.fitted.kept import Kept, KeptViews

__all__ = ["SCORES", "Reference", "linear_errors"]

SCORES = ("auto", "reconstruction", "likelihood")
"""What `anomaly_score` can be based on."""

UNLIKELY = 1e-3
"""How improbable as many equal rows must be among new ones for them to be the training's own."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What is kept of the data that an estimator was fitted to.

    Attributes
    ----------
    fingerprints
        (n,) of all of them in 32-bit floats, sorted: a model is never evaluated on examples that are among them.
    exact
        The same in 64 bits, (n,), where the data have more than 32; else (0,).
    components
        The principal components of these, scaled, and a table's cells coded: as many as the code has numbers.
    seen_error, seen_pca_error
        The model's mean squared error per feature on training examples, and that of the components, in scaled units.
    kept
        Some of the examples themselves, or of large ones what they are compared by: at most a megabyte.
    held_out
        The anomaly scores of examples that were held out, (m,), by what they are based on.
    cells
        How surprising the cells of held-out rows of a table are, or the pixels of images, (m, features).
    boundary
        Where an example's share of the data says whether it was seen, as of data larger than memory, whose fingerprints
        are not kept: those below it were not (`narrows.data.fingerprints.shares`). Else None.
    given
        Those of examples of which some are odd, (n,), if the fit was to one with a contamination.
    """

    fingerprints: NDArray[np.int64]
    exact: NDArray[np.int64]
    components: Components
    seen_error: float
    seen_pca_error: float
    kept: Kept | KeptViews
    held_out: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    cells: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    boundary: float | None = None
    given: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def occurrences(self, X: Iterable[NDArray[Any]]) -> NDArray[np.int64]:
        """Return how often each of the rows ``X``, which come in chunks (k, features), was among them, (n,).

        With a ``boundary``, 1 for each that was seen if it was among them at all, and 0 for others.
        """
        if self.boundary is not None:
            return np.concatenate([shares(rows) >= self.boundary for rows in X]).astype(np.int64)
        rounded, exact = fingerprints(X)
        # Rows that have no more than 32 bits may be the training's, rounded since.
        asked, among = (exact, self.exact) if len(self.exact) and len(exact) else (rounded, self.fingerprints)
        return np.searchsorted(among, asked, "right") - np.searchsorted(among, asked, "left")

    def seen(self, occurrences: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say of each row, given how often it occurred among the training's, whether it is one of these.

        One that is equal to several need not be: such rows, as in a table of categories, come again. One that is equal
        to a single one is, unless no more rows are than would be by chance if all were new. That chance is how often
        a training row has one like it among the others, and no second.
        """
        once: NDArray[np.bool_] = occurrences == 1
        if self.boundary is not None:
            return once
        among = self.exact if len(self.exact) else self.fingerprints
        counts = np.unique(among, return_counts=True)[1]
        chance = 2 * (counts == 2).sum() / max(1, len(among))
        by_chance = bdtrc(float(once.sum()) - 1, len(once), chance)  # that a binomial variable is as large or larger
        seen: NDArray[np.bool_] = once & (by_chance <= UNLIKELY)
        return seen

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return it as a model file holds it."""
        exact = {"exact_fingerprints": self.exact} if len(self.exact) else {}
        boundary = {} if self.boundary is None else {"boundary": np.array([self.boundary])}
        return (
            exact
            | boundary
            | {
                "fingerprints": self.fingerprints,
                "mean": self.components.mean,
                "axes": self.components.axes,
                "errors": np.array([self.seen_error, self.seen_pca_error]),
            }
            | self.kept.tensors()
            | ({"cells": self.cells} if len(self.cells) else {})
            | {f"held_out.{by}": scores for by, scores in self.held_out.items()}
            | {f"given.{by}": scores for by, scores in self.given.items()}
        )

    @classmethod
    def of_tensors(
        cls, tensors: dict[str, NDArray[Any]], features: int, width: int, latent_dim: int, classes: int
    ) -> Self:
        """Return what `tensors` wrote, for a model of inputs of that many ``features`` and codes of ``latent_dim``.

        Principal components are of ``width`` numbers, and its nets see so many ``classes``.

        Raises
        ------
        KeyError, ValueError
            If they are not such tensors.
        """
        prints, mean, axes, errors = (tensors[name] for name in ("fingerprints", "mean", "axes", "errors"))
        exact = tensors.get("exact_fingerprints", np.zeros(0, np.int64))  # which the first files of format 5 lack
        held_out, given = (
            {by: tensors[f"{kind}.{by}"] for by in SCORES if f"{kind}.{by}" in tensors}
            for kind in ("held_out", "given")
        )
        fits = mean.shape == (width,) and axes.shape == (len(axes), width) and errors.shape == (2,)
        fits = fits and prints.dtype == exact.dtype == np.int64 and len(exact) in (0, len(prints))
        if not fits or any(array.ndim != 1 for array in (prints, exact, *held_out.values(), *given.values())):
            raise ValueError(f"what it says of its training data does not fit inputs of {features} features")
        kept = KeptViews.of_tensors(tensors, latent_dim) or Kept.of_tensors(tensors, features, classes)
        boundary = tensors.get("boundary")
        cells = tensors.get("cells", np.zeros((0, 0), np.float32))  # which older files lack
        if cells.ndim != 2 or cells.dtype != np.float32:
            raise ValueError("what it says of the cells of its training data is no table of 32-bit floats")
        if boundary is not None and (boundary.shape != (1,) or not 0 <= boundary[0] <= 1):
            raise ValueError("what it says of which examples it has seen is no share of them")
        return cls(
            *(prints, exact, Components(mean, axes), float(errors[0]), float(errors[1]), kept, held_out, cells),
            None if boundary is None else float(boundary[0]),
            given,
        )


def linear_errors(table: Table | None, components: Components, x: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the error of each of the scaled rows ``x`` (n, features) by ``components``, (n,), as a model's is."""
    if table is None:
        return squared_errors(x, components.restored(x))
    coded = Coded(table.modelled)
    mean: NDArray[np.float64] = np.nanmean(coded.errors(x, components.restored(coded.numbers(x))), 1)
    return mean
