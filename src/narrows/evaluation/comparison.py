"""Is a model worth its training? Its reconstructions compared with those of principal components, and with the mean.

An autoencoder with linear layers comes to the principal components (Baldi & Hornik 1989); a deep one with as many
numbers in its code has to do better on examples that neither has seen, or the components will do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narrows.arguments import RandomState, random_seed, real_numbers
from narrows.evaluation.intervals import Estimate, bootstrap
from narrows.evaluation.reconstruction import Fidelity, fidelity_of, squared_errors

__all__ = ["Comparison", "compared", "compared_errors", "error_ratio"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A model's reconstructions compared with those that anyone can have, of the same examples.

    Attributes
    ----------
    model, pca, mean
        Of the model, of as many principal components, and of the training examples' mean instead of every example.
    over_pca, over_mean
        How many times as large the model's mean squared error is as theirs. It beats them where all of the interval is
        below 1, and they beat it where all is above.
    """

    model: Fidelity
    pca: Fidelity
    mean: Fidelity
    over_pca: Estimate
    over_mean: Estimate


def compared(
    X: ArrayLike,
    restored: ArrayLike,
    pca: ArrayLike,
    mean: ArrayLike,
    data_range: float,
    *,
    random_state: RandomState = 0,
) -> Comparison:
    """Compare a model's reconstructions of held-out examples with those of principal components and with the mean.

    Parameters
    ----------
    X, restored
        As in `fidelity`. Columns of different units scaled as the model sees them, or the largest numbers decide alone.
    pca
        What as many principal components of the training examples make of ``X``, of its shape.
    mean
        The training examples' mean, one example.
    data_range
        As in `peak_signal_to_noise`.
    random_state
        As in `narrows.evaluation.intervals.bootstrap`.

    Raises
    ------
    TypeError, ValueError
        As `fidelity` and `error_ratio`.
    """
    seed, test = random_seed(random_state), real_numbers("X", X)
    always = np.broadcast_to(mean, test.shape)
    errors = [squared_errors(test, each) for each in (restored, pca, always)]
    of_each = zip(errors, (restored, pca, always), strict=True)
    own, linear, constant = (fidelity_of(lost, test, each, data_range, seed=seed) for lost, each in of_each)
    over_pca, over_mean = (error_ratio(errors[0], others, random_state=seed) for others in errors[1:])
    return Comparison(own, linear, constant, over_pca, over_mean)


def compared_errors(errors: ArrayLike, pca: ArrayLike, mean: ArrayLike, *, random_state: RandomState = 0) -> Comparison:
    """Return `compared` of errors (n,) that are known already: a model's, the components' and the mean's."""
    seed = random_seed(random_state)
    own, linear, constant = (
        Fidelity(bootstrap(np.mean, each, random_state=seed), psnr=None, ssim=None) for each in (errors, pca, mean)
    )
    over_pca, over_mean = (error_ratio(errors, others, random_state=seed) for others in (pca, mean))
    return Comparison(own, linear, constant, over_pca, over_mean)


def error_ratio(errors: ArrayLike, others: ArrayLike, *, random_state: RandomState = 0) -> Estimate:
    """Return how many times as large the mean of ``errors`` is as that of ``others``, on the same examples.

    With the interval of the pairs, in which the examples' own difficulty cancels: where all of it lies above 1, the
    others are better.

    Parameters
    ----------
    errors, others
        Of the same examples in the same order, (n,), as `squared_errors` returns them.
    random_state
        As in `narrows.evaluation.intervals.bootstrap`.

    Raises
    ------
    ValueError
        If they are not of the same examples, 2 or more, or the others are all 0.
    """
    if not np.any(others):
        raise ValueError("others are all 0, so the ratio is undefined")

    def ratio(a: Array, b: Array) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):  # of draws where b is 0, which bootstrap refuses
            return float(a.mean() / b.mean())

    return bootstrap(ratio, errors, others, random_state=random_state)
