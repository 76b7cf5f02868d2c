"""Numbers about codes: which units work, and what can be read from a code by those who have not seen the input.

The lecture (“Úvod do generativních modelů”) sets generative against discriminative models; here both are asked of the
same data. If a code of few numbers, learned without labels, tells the classes apart, it has kept what matters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import spatial

from narrows.arguments import RandomState, integer, random_seed, refuse_masked
from narrows.evaluation.intervals import Estimate, bootstrap, bootstrap_means, share

__all__ = [
    "active_units",
    "continuity",
    "dead_units",
    "kl_per_unit",
    "neighbour_accuracy",
    "probe_accuracy",
    "probe_r2",
    "trustworthiness",
]

MOST_EXAMPLES = 2000
"""How many examples trustworthiness and continuity look at: their time and memory grow with their square."""

STILL = 1e-6
"""A unit whose range is less than this fraction of the widest unit's carries nothing a 32-bit net could use."""


def dead_units(codes: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Say of each unit of the code whether it is dead: the same for every example.

    A ReLU on the code makes such units for good: once all inputs are below 0 its gradient is 0 for all. With the
    lecture's recipe 42 % of the units were dead at latent_dim 2 (“Úvod do generativních modelů”).

    Parameters
    ----------
    codes
        (n, latent_dim), of many examples.

    Returns
    -------
    ndarray of bool, (latent_dim,)
    """
    ranges = np.ptp(codes, axis=0)
    dead: NDArray[np.bool_] = ranges <= STILL * max(float(ranges.max()), float(np.finfo(np.float32).tiny))
    return dead


def active_units(means: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Say of each unit whether its posterior mean has a variance over the data above 0.01 (Burda et al. 2016).

    Parameters
    ----------
    means
        μ of q(z | x), (n, latent_dim), of many examples.

    Returns
    -------
    ndarray of bool, (latent_dim,)

    Raises
    ------
    ValueError
        If ``means`` are no table of at least one example, or not finite.
    """
    if means.ndim != 2 or not len(means) or not np.isfinite(means).all():
        raise ValueError(f"means of shape {means.shape} must be finite codes (n, latent_dim), of at least one example")
    active: NDArray[np.bool_] = means.var(axis=0, dtype=np.float64) > 0.01
    return active


def kl_per_unit(mu: NDArray[np.floating], sigma: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the mean over the data of KL(N(μ, σ²) ‖ N(0, 1)) of each unit, (latent_dim,), in nats.

    ½ (μ² + σ² − 1 − log σ²): what a unit tells of its input (Kingma and Welling 2014, appendix B). One near 0 has
    collapsed to the prior.

    Parameters
    ----------
    mu, sigma
        Of q(z | x), each (n, latent_dim); σ > 0.

    Raises
    ------
    ValueError
        If they are no tables of one shape, not finite, or a σ is not positive, as where the code is a function of the
        input.
    """
    if mu.ndim != 2 or mu.shape != sigma.shape or not len(mu):
        raise ValueError(f"mu {mu.shape} and sigma {sigma.shape} must both be (n, latent_dim), of at least one example")
    if not np.isfinite(mu).all() or not (np.isfinite(sigma) & (sigma > 0)).all():
        raise ValueError(
            f"mu must be finite and sigma be positive and finite; they reach {np.abs(mu).max():g} "
            f"and go from {sigma.min():g} to {sigma.max():g}"
        )
    m, s = mu.astype(np.float64), sigma.astype(np.float64)
    # Rounding alone would make some of a collapsed unit's divergences negative.
    kl = np.maximum(0.5 * (m**2 + s**2 - 1) - np.log(s), 0)
    mean: NDArray[np.float64] = kl.mean(axis=0)
    return mean


def neighbour_accuracy(
    Z_train: ArrayLike, y_train: ArrayLike, Z_test: ArrayLike, y_test: ArrayLike, *, k: int = 5
) -> Estimate:
    """Return how often most of a code's ``k`` nearest training codes are of its class.

    Distances are in the code's own units: were each unit scaled to the same spread, those that carry nothing but
    rounding or noise would count as much as the others.

    Parameters
    ----------
    Z_train, Z_test
        (n, latent_dim) and (m, latent_dim).
    y_train, y_test
        Their classes, (n,) and (m,).
    k
        At most n.

    Raises
    ------
    TypeError, ValueError
        If codes are not finite or do not fit each other or their labels, or ``k`` is out of range.
    """
    from sklearn.neighbors import NearestNeighbors  # scikit-learn's classifier imports scipy.stats, to count

    train, test = _codes(Z_train, y_train), _codes(Z_test, y_test)
    near = NearestNeighbors(n_neighbors=integer("k", k, 1, len(train))).fit(train).kneighbors(test)[1]
    classes, indices = np.unique(np.asarray(y_train), return_inverse=True)
    votes = np.zeros((len(test), len(classes)), np.int64)
    np.add.at(votes, (np.arange(len(test))[:, None], indices[near]), 1)
    return share(classes[votes.argmax(1)] == np.asarray(y_test))


def probe_accuracy(Z_train: ArrayLike, y_train: ArrayLike, Z_test: ArrayLike, y_test: ArrayLike) -> Estimate:
    """Return how often logistic regression on standardised codes finds the class: whether a plane tells classes apart.

    The linear probe of Alain & Bengio (2016); parameters and errors as in `neighbour_accuracy`.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, test = _codes(Z_train, y_train), _codes(Z_test, y_test)
    if len(np.unique(np.asarray(y_train))) < 2:
        raise ValueError(
            f"y_train has only the class {np.asarray(y_train).tolist()[0]!r}; there must be two or more to tell apart"
        )
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    return share(probe.fit(train, y_train).predict(test) == np.asarray(y_test))


def probe_r2(
    Z_train: ArrayLike, t_train: ArrayLike, Z_test: ArrayLike, t_test: ArrayLike, *, random_state: RandomState = 0
) -> Estimate:
    """Return R² = 1 − Σ(t − t̂)² / Σ(t − t̄)² of quantities t that linear regression reads from codes.

    1 if it is always right, 0 if no better than always answering the test mean t̄, and below 0 if worse.

    Parameters
    ----------
    Z_train, Z_test
        (n, latent_dim) and (m, latent_dim).
    t_train, t_test
        The quantity of each example, (n,) and (m,).
    random_state
        As in `narrows.evaluation.intervals.bootstrap`.

    Raises
    ------
    TypeError, ValueError
        As in `neighbour_accuracy`, or if ``t_test`` is the same for all examples.
    """
    from sklearn.linear_model import LinearRegression

    train, test = _codes(Z_train, t_train), _codes(Z_test, t_test)
    t = np.asarray(t_test, np.float64)
    if not np.ptp(t):
        raise ValueError(f"t_test is {t[0]:g} for all examples; there is nothing to explain")
    found = LinearRegression().fit(train, np.asarray(t_train, np.float64)).predict(test)

    def r2(truth: NDArray[np.float64], answer: NDArray[np.float64]) -> float:
        return float(1 - np.square(truth - answer).sum() / np.square(truth - truth.mean()).sum())

    return bootstrap(r2, t, found, random_state=random_state)


def trustworthiness(X: ArrayLike, Z: ArrayLike, *, k: int = 5, random_state: RandomState = 0) -> Estimate:
    """Return how far neighbours in the code are neighbours in the data: 1 if all are (Venna & Kaski 2001).

    1 − 2 / (n k (2n − 3k − 1)) Σᵢ Σⱼ max(0, r(i, j) − k), over the k nearest codes j of each example i; r(i, j) is the
    rank of j among the neighbours of i in the data. Made for maps: 2-D codes that are looked at. The interval is over
    the examples i whose neighbours are checked, given all the others.

    Parameters
    ----------
    X, Z
        Rows (n, features) and their codes (n, latent_dim). Of more than 2,000 as many are drawn.
    k
        Less than half of the examples.
    random_state
        Draws the examples, and as in `narrows.evaluation.intervals.bootstrap`.

    Raises
    ------
    TypeError, ValueError
        If rows or codes are not finite or not of the same examples, or ``k`` is out of range.
    """
    x, z = _codes(X, Z), _codes(Z, X)
    seed = random_seed(random_state)
    if len(x) > MOST_EXAMPLES:
        chosen = np.random.default_rng(seed).choice(len(x), MOST_EXAMPLES, replace=False)
        x, z = x[chosen], z[chosen]
    n = len(x)
    if 2 * integer("k", k, 1) >= n:
        raise ValueError(f"k={k} must be less than half of the {n} examples")
    near = np.argsort(_distances_to_others(z), axis=1, kind="stable")[:, :k]
    order = np.argsort(_distances_to_others(x), axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, n + 1)[None], axis=1)
    intruders = np.maximum(np.take_along_axis(ranks, near, axis=1) - k, 0).sum(axis=1)
    shares = 1 - 2 * intruders / (k * (2 * n - 3 * k - 1))
    return bootstrap_means(shares[:, None], random_state=seed)[0]


def continuity(X: ArrayLike, Z: ArrayLike, *, k: int = 5, random_state: RandomState = 0) -> Estimate:
    """Return how far neighbours in the data are neighbours in the code: 1 if all are (Venna & Kaski 2001).

    `trustworthiness` with the two exchanged: that one falls where a map puts strangers together, this one where it
    tears neighbours apart. Parameters and errors are the same.
    """
    return trustworthiness(Z, X, k=k, random_state=random_state)


def _distances_to_others(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distances (n, n) of rows, that of each to itself being infinite."""
    distances: NDArray[np.float64] = spatial.distance.cdist(rows, rows)
    np.fill_diagonal(distances, np.inf)
    return distances


def _codes(Z: ArrayLike, others: ArrayLike) -> NDArray[np.float64]:
    """Return ``Z`` (n, latent_dim) as 64-bit numbers, n as many as ``others``, or say what is wrong."""
    refuse_masked("codes", Z)
    codes = np.asarray(Z)
    if codes.dtype.kind not in "buif":
        raise TypeError(f"codes must be real numbers, not {codes.dtype}")
    if codes.ndim != 2 or not codes.size or not np.isfinite(codes).all():
        raise ValueError(f"codes of shape {codes.shape} must be finite rows (n, latent_dim), of at least one example")
    if len(np.asarray(others)) != len(codes):
        raise ValueError(f"there are {len(codes)} codes, but {len(np.asarray(others))} examples")
    return codes.astype(np.float64)
