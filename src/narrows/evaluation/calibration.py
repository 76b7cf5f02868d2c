"""Is a likelihood as wide as the data's own deviations from what it expects?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from narrows.arguments import RandomState
from narrows.chunks import chunks
from narrows.evaluation.intervals import Estimate, bootstrap_means
from narrows.evaluation.reconstruction import NUMBERS_AT_ONCE, differences, pair

__all__ = ["SigmaCoverage", "sigma_coverage"]


@dataclass(frozen=True, slots=True)
class SigmaCoverage:
    """How often x lies within one and two σ of the mean that a Gaussian likelihood gives it.

    Attributes
    ----------
    one, two
        Shares of the pixels or features; of a Gaussian 0.683 and 0.954.
    """

    one: Estimate
    two: Estimate


def sigma_coverage(X: ArrayLike, mean: ArrayLike, sigma: ArrayLike, *, random_state: RandomState = 0) -> SigmaCoverage:
    """Return which shares of pixels lie within one and two ``sigma`` of their ``mean``.

    With one σ for all pixels, those that never change lie within it always, and the shares come out above a Gaussian's
    even where σ² is the mean squared error: then it is the spread that is right, not the shape.

    Parameters
    ----------
    X, mean
        As in `squared_errors`: originals, and E[x | z].
    sigma
        In units of ``X``: a number, or one of each pixel or feature; > 0.
    random_state
        As in `narrows.evaluation.intervals.bootstrap`, which draws whole examples: pixels of one depend on each other.

    Raises
    ------
    TypeError, ValueError
        If X and mean do not fit each other, or a σ is not positive.
    """
    x, mu = pair(X, mean)
    s = np.asarray(sigma, np.float64)
    if not (np.isfinite(s) & (s > 0)).all() or s.shape not in ((), x.shape[1:]):
        raise ValueError(
            f"sigma of shape {s.shape} must be positive and finite, one number or one for each of {x.shape[1:]}"
        )
    shares = np.empty((len(x), 2))
    for rows in chunks(len(x), x[0].size, NUMBERS_AT_ONCE):
        distances = np.abs(differences(x[rows], mu[rows])) / s.reshape(-1)
        shares[rows] = np.stack([(distances <= k).mean(axis=1) for k in (1, 2)], 1)
    return SigmaCoverage(*bootstrap_means(shares, random_state=random_state))
