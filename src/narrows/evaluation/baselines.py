"""What a model has to beat: principal components, and the mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

__all__ = ["Components", "mean_error", "pca_error", "pca_reconstruction"]

Array = NDArray[np.floating]


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """The mean and the principal components of some examples: the best linear autoencoder (Baldi & Hornik 1989).

    Attributes
    ----------
    mean
        (features,).
    axes
        Orthonormal rows, (k, features).
    """

    mean: Array
    axes: Array

    @classmethod
    def of(cls, X: Array, k: int) -> Self:
        """Return those of ``X`` (n, features): ``k`` axes, or as many as there can be."""
        if not np.ptp(X, 0).any():  # nothing varies, which scikit-learn warns of
            return cls(X.mean(0), np.zeros((0, X.shape[1]), X.dtype))
        k = min(k, *X.shape)
        pca = PCA(k, svd_solver="full" if k > 0.8 * min(X.shape) else "auto", random_state=0).fit(X)
        return cls(pca.mean_, pca.components_)

    def restored(self, X: Array) -> Array:
        """Return what the components make of ``X`` (m, features), in the same shape."""
        restored: Array = (X - self.mean) @ self.axes.T @ self.axes + self.mean
        return restored


def pca_reconstruction(X_train: Array, X_test: Array, latent_dim: int) -> Array:
    """Return what ``latent_dim`` principal components of ``X_train`` make of ``X_test``, (m, features).

    More components than ``X_train`` has rows or features change nothing: as many as it can have are taken.

    Parameters
    ----------
    X_train, X_test
        (n, features) and (m, features).
    latent_dim
        How many components, at least 1.
    """
    return Components.of(X_train, latent_dim).restored(X_test)


def pca_error(X_train: Array, X_test: Array, latent_dim: int) -> float:
    """Return the mean squared error per feature on ``X_test`` of `pca_reconstruction`."""
    return float(np.square(X_test - pca_reconstruction(X_train, X_test, latent_dim)).mean())


def mean_error(X_train: Array, X_test: Array) -> float:
    """Return the mean squared error per feature on ``X_test`` of answering with the mean of ``X_train`` always."""
    return float(np.square(X_test - X_train.mean(0)).mean())
