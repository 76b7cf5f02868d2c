"""What a model has to beat: principal components, and the mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from narrows.components import Components

__all__ = ["mean_error", "pca_error", "pca_reconstruction"]

Array = NDArray[np.floating]


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
