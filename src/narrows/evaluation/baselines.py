"""What a model has to beat: principal components, and the mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

__all__ = ["mean_error", "pca_error", "pca_reconstruction"]

Array = NDArray[np.floating]


def pca_reconstruction(X_train: Array, X_test: Array, latent_dim: int) -> Array:
    """Return what ``latent_dim`` principal components of ``X_train`` make of ``X_test``, (m, features).

    The best linear autoencoder (Baldi & Hornik 1989). More components than ``X_train`` has rows or features change
    nothing: as many as it can have are taken.

    Parameters
    ----------
    X_train, X_test
        (n, features) and (m, features).
    latent_dim
        How many components, at least 1.
    """
    components = min(latent_dim, *X_train.shape)
    if not np.ptp(X_train, 0).any():  # nothing varies, which scikit-learn warns of
        return np.broadcast_to(X_train.mean(0), X_test.shape)
    pca = PCA(components, svd_solver="full" if components > 0.8 * min(X_train.shape) else "auto", random_state=0)
    restored: Array = pca.fit(X_train).inverse_transform(pca.transform(X_test))
    return restored


def pca_error(X_train: Array, X_test: Array, latent_dim: int) -> float:
    """Return the mean squared error per feature on ``X_test`` of `pca_reconstruction`."""
    return float(np.square(X_test - pca_reconstruction(X_train, X_test, latent_dim)).mean())


def mean_error(X_train: Array, X_test: Array) -> float:
    """Return the mean squared error per feature on ``X_test`` of answering with the mean of ``X_train`` always."""
    return float(np.square(X_test - X_train.mean(0)).mean())
