"""How like the real examples are the generated ones?

The lecture assesses new examples by eye. Here numbers do: are the new ones believable (precision, density), do they
show all the kinds there are (recall, coverage), do both sets have the same mean and covariance (Fréchet distance), can
anything tell them apart (two-sample classifier), and are they new at all (distance to the training examples)?
All work on rows of features: pixels, codes of a model, or, closest to what an eye sees, the last hidden layer of a
classifier. Compare with held-out examples, not with those it has seen in training, which it may have copied. Their
intervals are in `narrows.evaluation.likeness`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import spatial
from scipy.linalg import orthogonal_procrustes

from narrows.arguments import RandomState, integer, random_seed, real_numbers
from narrows.chunks import chunks

__all__ = [
    "PrecisionRecall",
    "covariance_factor",
    "frechet_distance",
    "gaussian_distance",
    "in_balls",
    "nearest_distances",
    "precision_recall",
    "similarities",
    "squared_distances",
    "squared_radii",
    "told_apart",
    "two_sample_accuracy",
]

Array = NDArray[np.float64]

DISTANCES_AT_ONCE = 2**22
"""How many distances are held at a time: 32 MiB of them."""

FOLDS, NEIGHBOURS = 5, 5

CLOSE = 0.01
"""How near to its optimum the classifier comes: a tenth of that changes one answer in some thousand, and takes longer.
"""

MOST_EXAMPLES = 2000
"""How many examples of each kind the two-sample classifier sees at most; chance then moves its accuracy by ±0.016."""


@dataclass(frozen=True, slots=True)
class PrecisionRecall:
    """Shares of examples that lie close to examples of the other kind.

    Attributes
    ----------
    precision
        Share of the generated examples that lie in the ball of some real one.
    recall
        Share of the real examples that lie in the ball of some generated one.
    density
        In how many balls of real examples a generated one lies on average, in units of ``k``. About 1 where both come
        from one distribution; can be more, where generated examples crowd into the dense regions.
    coverage
        Share of the real examples with a generated one in their ball.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall(real: ArrayLike, generated: ArrayLike, *, k: int = NEIGHBOURS) -> PrecisionRecall:
    """Compare two sets by their neighbourhoods: are generated examples believable, and are all kinds among them?

    The ball around an example reaches to its ``k``-th nearest neighbour of its own kind, itself not counted, and is
    open, as in the reference implementation of Naeem et al.: with exact copies of the real examples density is 1.
    One outlier has a large ball, which spoils precision and recall (Kynkäänniemi et al. 2019) but hardly density and
    coverage (Naeem et al. 2020). All but density depend on the numbers of examples: compare sets of equal sizes.

    Time grows with n · m · features: 10,000 of each with 64 features take about 20 s on one core.

    Parameters
    ----------
    real, generated
        (n, features) and (m, features).
    k
        Which neighbour sets a ball's radius; less than n and m.

    Raises
    ------
    TypeError, ValueError
        If a set is not a matrix of finite numbers with at least 2 rows, their widths differ, or ``k`` does not fit.
    """
    x, y = matrices(2, real=real, generated=generated)
    k = integer("k", k, 1)
    if k >= min(len(x), len(y)):
        raise ValueError(f"k={k} must be less than the number of examples: real has {len(x)}, generated {len(y)}")
    real_radii, generated_radii = (squared_radii(squared_distances(some, some), k) for some in (x, y))
    return in_balls(real_radii, generated_radii, squared_distances(x, y), k)


def in_balls(
    real_radii: Array, generated_radii: Array, between: Iterable[tuple[slice, Array]], k: int = NEIGHBOURS
) -> PrecisionRecall:
    """Return `precision_recall` of squared radii (n,) and (m,), and distances ``between``, some rows at a time."""
    balls = np.zeros(len(generated_radii), dtype=np.int64)
    recalled = covered = 0
    for rows, distances in between:
        balls_here = distances < real_radii[rows, None]
        balls += balls_here.sum(axis=0)
        covered += int(balls_here.any(axis=1).sum())
        recalled += int((distances < generated_radii).any(axis=1).sum())
    return PrecisionRecall(
        precision=float((balls > 0).mean()),
        recall=recalled / len(real_radii),
        density=float(balls.mean() / k),
        coverage=covered / len(real_radii),
    )


def frechet_distance(real: ArrayLike, generated: ArrayLike) -> float:
    """|μ₁ − μ₂|² + tr(C₁ + C₂ − 2 (C₁ C₂)^½), of the Gaussians with both sets' means and covariances.

    It is the square of a distance (Dowson & Landau 1982), reported as it is since Heusel et al. (2017). With factors
    C = AᵀA the trace is the least |A₁ − O A₂|² over all orthogonal O, Procrustes' problem. Its solution needs neither
    the root of a matrix nor a full rank, is never negative, and is 0 to the last bits for equal sets.

    Few examples bias it upwards, the more so the more features there are: compare sets of equal sizes.

    Parameters
    ----------
    real, generated
        (n, features) and (m, features). There may be fewer examples than features.

    Returns
    -------
    float
        In squared units of the features.

    Raises
    ------
    TypeError, ValueError
        If a set is not a matrix of finite numbers with at least 2 rows, or their widths differ.
    """
    x, y = matrices(2, real=real, generated=generated)
    size = max(min(x.shape), min(y.shape))
    return gaussian_distance(x.mean(axis=0) - y.mean(axis=0), covariance_factor(x, size), covariance_factor(y, size))


def gaussian_distance(shift: Array, first: Array, second: Array) -> float:
    """Return `frechet_distance` of Gaussians with means ``shift`` apart, by factors A (k, features), C = AᵀA."""
    rotation, _ = orthogonal_procrustes(first.T, second.T)
    return float(shift @ shift + np.square(first.T @ rotation - second.T).sum())


def two_sample_accuracy(
    real: ArrayLike,
    generated: ArrayLike,
    *,
    random_state: RandomState,
) -> float:
    """How often a classifier says rightly whether an example is real: 0.5 if it cannot tell, 1 if it always can.

    Classifier two-sample test (Lopez-Paz & Oquab 2017), on as many real as generated examples, at most 2,000 of each
    drawn at random, cross-validated in 5 folds. With n of each, chance alone moves it by about ±0.7 / √n (two standard
    deviations). Far below 0.5 it means that the generated examples are copies of the real ones: the twin of each tested
    example has the other label.

    The classifier is a support vector machine with a Gaussian kernel on features that are standardised once, by all
    examples without their labels, so that all folds share a kernel. It sees differences in mean, in covariance and
    between clusters, where a linear one sees the mean only; it is smooth, so that rounding (pixels in steps of 1/16)
    does not give an example away as it does to trees; it has no luck of initialisation; and on digits against mixtures
    of Gaussians it was the sharpest of seven classifiers (logistic regression, a multilayer perceptron, nearest
    neighbours, boosted and random trees among them). 2,000 of each take 5 s with 64 features.

    Parameters
    ----------
    real, generated
        (n, features) and (m, features).
    random_state
        Draws the examples and the folds.

    Raises
    ------
    TypeError, ValueError
        If a set is not a matrix of finite numbers with at least 5 rows, their widths differ, or ``random_state``
        is no seed.
    """
    x, y = matrices(FOLDS, real=real, generated=generated)
    seed = random_seed(random_state)
    generator = np.random.default_rng(seed)
    size = min(len(x), len(y), MOST_EXAMPLES)
    return told_apart(similarities(*(some[generator.choice(len(some), size, replace=False)] for some in (x, y))), seed)


def similarities(real: Array, generated: Array) -> Array:
    """Return a Gaussian kernel (n + m, n + m) of all rows, standardised together, as wide as there are features."""
    from sklearn.metrics.pairwise import rbf_kernel

    rows = np.concatenate([real, generated])
    scale = rows.std(axis=0)
    rows = (rows - rows.mean(axis=0)) / np.where(scale > 0, scale, 1)
    kernel: Array = rbf_kernel(rows, gamma=1 / max(1, int((scale > 0).sum())))
    return kernel


def told_apart(kernel: Array, seed: int) -> float:
    """Return `two_sample_accuracy` of `similarities` (2 n, 2 n) of as many generated examples as real ones."""
    from sklearn.model_selection import StratifiedKFold
    from sklearn.svm import SVC

    is_real, right = np.arange(len(kernel)) < len(kernel) // 2, 0
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(kernel, is_real):
        columns = kernel.take(train, 1)
        found = SVC(C=10, kernel="precomputed", tol=CLOSE).fit(columns.take(train, 0), is_real[train])
        right += int((found.predict(columns.take(test, 0)) == is_real[test]).sum())
    return right / len(kernel)


def nearest_distances(generated: ArrayLike, training: ArrayLike) -> Array:
    """Return each generated example's Euclidean distance to the nearest training example: 0 is a copy.

    Compare them with those of held-out real examples: if the model does not copy, its own are no nearer than these.
    Which one is nearest is decided to within 1e-7 of the sets' extent, the distance to it is exact.

    Parameters
    ----------
    generated, training
        (n, features) and (m, features).

    Returns
    -------
    ndarray, (n,)
        In units of the features.

    Raises
    ------
    TypeError, ValueError
        If a set is not a matrix of finite numbers with at least 1 row, or their widths differ.
    """
    _, distances = nearest(*matrices(1, generated=generated, training=training))
    return distances


def nearest(x: Array, y: Array) -> tuple[NDArray[np.int64], Array]:
    """Return which row of ``y`` (m, features) is nearest to each of ``x`` (n, features), and how far it is, (n,)."""
    from sklearn.metrics import pairwise_distances_argmin

    # The quick search expands |x − y|², whose terms cancel badly far from the origin.
    centre = y.mean(axis=0)
    indices = pairwise_distances_argmin(x - centre, y - centre)
    return indices, np.linalg.norm(x - y[indices], axis=1)


def matrices(least: int, **sets: ArrayLike) -> list[Array]:
    """Return the named sets as float64 matrices of one width and ``least`` or more rows, or say what is wrong."""
    matrices: dict[str, Array] = {}
    for name, values in sets.items():
        rows = real_numbers(name, values)
        if rows.ndim != 2 or len(rows) < least or not rows.size:
            raise ValueError(
                f"{name} has shape {rows.shape}; it must be (examples, features), with at least {least} examples"
            )
        matrices[name] = rows.astype(np.float64)
        # The bound keeps squared distances finite; NaN fails the comparison too.
        bad = ~(np.abs(matrices[name]) <= 1e100)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise ValueError(
                f"{name} holds {rows[row, column]} in row {row}, column {column}; "
                "all values must be finite and within ±1e100"
            )
    widths = {name: rows.shape[1] for name, rows in matrices.items()}
    if len(set(widths.values())) > 1:
        raise ValueError(f"numbers of features must be equal, not {widths}")
    return list(matrices.values())


def squared_distances(x: Array, y: Array) -> Iterator[tuple[slice, Array]]:
    """Yield rows of ``x`` and their squared distances (rows, m) to all of ``y``.

    Not as |x|² − 2xᵀy + |y|², which is quicker but rounds, so that ties between copies and originals would be broken.
    """
    for rows in chunks(len(x), len(y), DISTANCES_AT_ONCE):
        yield rows, spatial.distance.cdist(x[rows], y, "sqeuclidean")


def squared_radii(within: Iterable[tuple[slice, Array]], k: int = NEIGHBOURS) -> Array:
    """Return each row's squared distance (n,) to its ``k``-th nearest other row; the 0th is the row itself."""
    return np.concatenate([np.partition(distances, k, axis=1)[:, k] for _, distances in within])


def covariance_factor(x: Array, size: int) -> Array:
    """Return A (size, features) with AᵀA the covariance of ``x``, filled up with rows of 0."""
    factor = np.linalg.qr(x - x.mean(axis=0), mode="r") / np.sqrt(len(x) - 1)
    return np.pad(factor, ((0, size - len(factor)), (0, 0)))
