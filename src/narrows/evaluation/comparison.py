"""Is a model worth its training? Its reconstructions compared with those of principal components, and with the mean.

An autoencoder with linear layers comes to the principal components (Baldi & Hornik 1989); a deep one with as many
numbers in its code has to do better on examples that neither has seen, or the components will do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narrows.arguments import RandomState, real_numbers
from narrows.evaluation.intervals import Estimate, bootstrap, bootstrap_means
from narrows.evaluation.reconstruction import Fidelity, fidelity_of, measures, squared_errors

__all__ = ["Comparison", "compared", "compared_errors", "error_ratio"]

Array = NDArray[np.float64]

LOSSLESS = 1e-6
"""The fraction of the variance up to which what components lose is rounding."""


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

    @property
    def pca_is_exact(self) -> bool:
        """Whether principal components rebuild the examples but for rounding, of which nothing is a multiple."""
        return self.pca.error.value < LOSSLESS * self.mean.error.value


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
    test = real_numbers("X", X)
    each = [restored, pca, np.broadcast_to(mean, test.shape)]
    measured = [measures(squared_errors(test, one), test, one, data_range) for one in each]
    *means, over_pca, over_mean = _means_and_ratios(measured, random_state)
    width = measured[0].shape[1]
    own, linear, constant = (fidelity_of(means[at : at + width], data_range) for at in range(0, 3 * width, width))
    return Comparison(own, linear, constant, over_pca, over_mean)


def compared_errors(errors: Array, pca: Array, mean: Array, *, random_state: RandomState = 0) -> Comparison:
    """Return `compared` of errors (n,) that are known already: a model's, the components' and the mean's."""
    columns = [each[:, None] for each in (errors, pca, mean)]
    *means, over_pca, over_mean = _means_and_ratios(columns, random_state)
    own, linear, constant = (Fidelity(each, psnr=None, ssim=None) for each in means)
    return Comparison(own, linear, constant, over_pca, over_mean)


def _means_and_ratios(measured: list[Array], random_state: RandomState) -> list[Estimate]:
    """Return the means of all columns, and how many times as large the first one's mean is as the other sets' first."""
    width = measured[0].shape[1]

    def of(means: Array) -> Array:
        return np.concatenate([means, _ratios(means[..., ::width])], -1)

    for others in measured[1:]:
        _check_some(others[:, 0])
    return bootstrap_means(np.concatenate(measured, 1), of=of, random_state=random_state)


def _ratios(means: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):  # of draws where one is 0, which the bootstrap refuses
        return means[..., :1] / means[..., 1:]


def _check_some(others: ArrayLike) -> None:
    if not np.any(others):
        raise ValueError("others are all 0, so the ratio is undefined")


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
    _check_some(others)

    def ratio(a: Array, b: Array) -> float:
        return float(_ratios(np.array([a.mean(), b.mean()]))[0])

    return bootstrap(ratio, errors, others, random_state=random_state)
