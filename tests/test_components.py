"""Principal components are scikit-learn's, to the last digit whatever the number of threads."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from narrows.components import Components


def rows(n, features, dtype, seed=0):
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n, 5)) * [9, 5, 3, 2, 1] @ rng.normal(size=(5, features))
    return (7 + factors + 0.1 * rng.normal(size=(n, features))).astype(dtype)


@pytest.mark.parametrize(("n", "features"), [(300, 12), (12, 300), (30, 30), (1, 4)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [1, 4, 40])
def test_they_are_scikit_learns(n, features, dtype, k):
    X = rows(n, features, dtype)
    found = Components.of(X, k)
    exact = X.astype(np.float64)
    assert found.axes.dtype == found.mean.dtype == dtype
    assert len(found.axes) == min(k, features, n - 1)
    if n > 1:
        pca = PCA(len(found.axes), svd_solver="full").fit(exact)
        expected = pca.inverse_transform(pca.transform(exact))
        tolerance = np.sqrt(np.finfo(dtype).eps)  # of what was found from products
        np.testing.assert_allclose(found.restored(X), expected, atol=tolerance * np.abs(exact).max())
        variances = found.codes(X).var(0)
        assert (np.diff(variances) <= 1e-5 * variances[0]).all()
    np.testing.assert_allclose(found.axes @ found.axes.T, np.eye(len(found.axes)), atol=1e-3)


@pytest.mark.parametrize(("n", "features"), [(300, 12), (12, 300)])
@pytest.mark.parametrize("weighted", [False, True])
def test_parts_have_those_of_the_whole(n, features, weighted):
    X, rng = rows(n, features, np.float64), np.random.default_rng(1)
    weights = rng.uniform(0.1, 3, n) if weighted else None
    whole = Components.of(X, 4, weights)
    parts = Components.of_parts(lambda: np.split(X, [1, 5, n - 2]), 4, weights)
    np.testing.assert_allclose(parts.mean, whole.mean)
    np.testing.assert_allclose(parts.restored(X), whole.restored(X), atol=1e-6)


def test_where_nothing_varies_there_are_none():
    X = np.full((20, 3), 0.1, np.float32)
    assert Components.of(X, 2).axes.shape == (0, 3)
    np.testing.assert_array_equal(Components.of(X, 2).restored(X), X)


def test_the_number_of_threads_changes_nothing():
    X = rows(1000, 300, np.float32)
    found = []
    for count in (1, 2):
        with threadpool_limits(count):
            found.append(Components.of(X, 16).axes)
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("n", [8, 64, 256])
@pytest.mark.parametrize("k", [1, 5])
def test_directions_along_which_rows_vary_alike_are_found(n, k):
    X = np.eye(n, dtype=np.float32)
    axes = Components.of(X, k).axes
    np.testing.assert_allclose(axes @ axes.T, np.eye(k), atol=1e-5)
    np.testing.assert_allclose(((X - X.mean(0)) @ axes.T).var(0), 1 / n, rtol=1e-4)
