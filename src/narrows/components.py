"""Principal components: where a training starts, and what a model has to beat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from threadpoolctl import ThreadpoolController

from narrows.chunks import chunks

__all__ = ["Components"]

Array = NDArray[np.floating]

NUMBERS_AT_ONCE = 2**20
"""Numbers that are made 64 bits wide: 8 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """The mean and the principal components of some examples: the best linear autoencoder (Baldi & Hornik 1989).

    Attributes
    ----------
    mean
        (features,).
    axes
        Orthonormal rows, (k, features), those along which the examples vary most first.
    """

    mean: Array
    axes: Array

    @classmethod
    def of(cls, X: Array, k: int, weights: Array | None = None) -> Self:
        """Return those of ``X`` (n, features), by ``weights`` (n,): ``k`` axes, or as many as it varies along."""
        n, features = X.shape
        numbers = X.size if n < features else NUMBERS_AT_ONCE
        return cls.of_parts(lambda: (X[some] for some in chunks(n, features, numbers)), k, weights)

    @classmethod
    def of_parts(cls, parts: Callable[[], Iterable[Array]], k: int, weights: Array | None = None) -> Self:
        """Return the same of rows that come in parts, (some, features) each, anew at each call.

        They are held all at a time only where they are fewer than the features.
        """
        n, total = 0, np.zeros(())
        for part in parts():
            rows = slice(n, n := n + len(part))
            total = total + (part.sum(0, dtype=np.float64) if weights is None else (part * weights[rows, None]).sum(0))
        kind, features = part.dtype, part.shape[1]
        mean = (total / (n if weights is None else weights.sum())).astype(kind if kind.kind == "f" else np.float64)
        heights = None if weights is None else np.sqrt(weights / weights.mean())[:, None].astype(mean.dtype)

        def centred() -> Iterator[Array]:
            begin = 0
            for part in parts():
                rows = slice(begin, begin := begin + len(part))
                yield part - mean if heights is None else (part - mean) * heights[rows]

        with _blas().limit(limits=1, user_api="blas"):  # the last digits depend on how many threads there are
            # scikit-learn's PCA takes four times as long for a small table, and finds a large one's only roughly.
            if n < features:
                whole = np.concatenate([*centred()])
                products = _products(whole.T[some] for some in chunks(features, n, NUMBERS_AT_ONCE))
            else:
                products = _products(centred())
            wanted = min(k, features, max(1, n - 1))
            squares, vectors = eigh(products, subset_by_index=(len(products) - wanted, len(products) - 1))
            if len(squares) < wanted:  # LAPACK misses some of equal ones, as one-hot rows have, unless it finds all
                squares, vectors = (found[..., -wanted:] for found in eigh(products))
        rounding = n * np.square(4 * np.finfo(mean.dtype).eps * mean.astype(np.float64)).sum()
        varied = squares > max(rounding, len(products) * np.finfo(np.float64).eps * squares[-1])
        squares, vectors = squares[varied][::-1], vectors[:, varied][:, ::-1]
        axes = whole.T @ (vectors / np.sqrt(squares)).astype(mean.dtype) if n < features else vectors
        return cls(mean, np.ascontiguousarray(axes.T, mean.dtype))

    def codes(self, X: Array) -> Array:
        """Return where ``X`` (m, features) lies along each axis, from the mean, (m, k)."""
        codes = np.empty((len(X), len(self.axes)), np.result_type(X, self.axes))
        for some in chunks(len(X), X.shape[1], NUMBERS_AT_ONCE):
            codes[some] = (X[some] - self.mean) @ self.axes.T
        return codes

    def restored(self, X: Array) -> Array:
        """Return what the components make of ``X`` (m, features), in the same shape."""
        restored: Array = self.codes(X) @ self.axes
        restored += self.mean
        return restored


def _products(parts: Iterable[Array]) -> NDArray[np.float64]:
    """Return the products of all columns with each other, in 64 bits, of rows that come in ``parts``."""
    wide = (part.astype(np.float64) for part in parts)
    products: NDArray[np.float64] = sum((each.T @ each for each in wide), np.zeros(()))
    return products


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()
