"""How sure is a number? Its interval, by drawing anew from the examples it was measured on.

The bootstrap (Efron 1979) takes the examples for the population: it draws as many from them, with replacement, and
looks how the number varies. The interval is the percentiles' own: it never leaves the range of possible values, and
that of a monotone function of a number (decibels of an error) is that function of its interval. On means of 20 to 360
exponential or log-normal values the bias-corrected and accelerated bootstrap held the truth at most 2 % more often; it
needs as many further evaluations as there are examples.

Drawing with replacement makes twins, which bias whatever counts or compares examples: of two like sets of 400 its
interval of the Fréchet distance never held the truth. For such numbers there are random halves.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtrit

from narrows.arguments import RandomState, integer, random_seed

__all__ = ["LEVEL", "Estimate", "bootstrap", "bootstrap_means", "half_samples", "share"]

Array = NDArray[np.float64]

LEVEL = 0.95
"""How often an interval shall hold the true value."""

RESAMPLES, DRAWS_AT_ONCE = 2000, 100
"""Draws: chance then moves an interval's ends by about a thirtieth of its width; and how many memory holds."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number measured on some examples, and the interval that holds its true value with a confidence of 95 %.

    Attributes
    ----------
    value
        The number, in its own units.
    low, high
        The interval's ends, in the same.
    """

    value: float
    low: float
    high: float


def bootstrap(
    statistic: Callable[..., float],
    *arrays: ArrayLike,
    strata: ArrayLike | None = None,
    random_state: RandomState = 0,
) -> Estimate:
    """Return ``statistic(*arrays)`` with its percentile bootstrap interval, of 2,000 draws.

    An example is drawn with its values in all the ``arrays``, so that a difference or ratio of paired numbers has the
    interval of the pairs. Memory is that of one draw; a mean of 10,000 takes 0.2 s. Intervals are a little short where
    examples are few: of 20 exponential values, nine in ten held the truth.

    Parameters
    ----------
    statistic
        (array, …) ↦ a finite number, of arrays with any number of examples; ``np.mean``, say.
    *arrays
        One or more, each (n, …), with the same n ≥ 2 examples.
    strata
        The group of each example, (n,): as many are drawn from each as it has. None draws from all.
    random_state
        A seed in [0, 2³²), one of NumPy's generators, or None for other draws each time.

    Raises
    ------
    ValueError
        If arrays or ``strata`` are of different lengths or fewer than 2, or the statistic is not finite.
    """
    sets = [np.asarray(array) for array in arrays]
    groups = _groups(sets, None if strata is None else np.asarray(strata))
    rng = np.random.default_rng(random_seed(random_state))

    def draw() -> float:
        rows = np.concatenate([group[rng.integers(len(group), size=len(group))] for group in groups])
        return float(statistic(*(array[rows] for array in sets)))

    value, drawn = float(statistic(*sets)), np.array([draw() for _ in range(RESAMPLES)])
    _check_finite(value, drawn)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high))


def bootstrap_means(
    numbers: ArrayLike, *, of: Callable[[Array], Array] | None = None, random_state: RandomState = 0
) -> list[Estimate]:
    """Return the mean of each column of ``numbers`` with its interval, as `bootstrap` does, all by the same draws.

    Parameters
    ----------
    numbers
        (n, k), n ≥ 2; NaN where there is none, one number or more in each column.
    of
        (…, k) means ↦ (…, m) numbers that follow from them, such as their ratios; None for the means themselves.
    random_state
        As in `bootstrap`.

    Raises
    ------
    ValueError
        If a column holds no number, or an infinite one, or what follows from the means is not finite.
    """
    given = np.asarray(numbers, np.float64)
    known = ~np.isnan(given)
    if given.ndim != 2 or len(given) < 2 or not known.any(0).all() or np.isinf(given).any():
        raise ValueError(f"numbers of shape {given.shape} must be (n, k), n ≥ 2, with a finite number in each column")
    whole, n = np.concatenate([np.where(known, given, 0.0), known], 1), len(given)
    rng, parts, times = np.random.default_rng(random_seed(random_state)), [], np.empty((DRAWS_AT_ONCE, n))
    for _ in range(RESAMPLES // DRAWS_AT_ONCE):
        for draw in times:
            draw[:] = np.bincount(rng.integers(n, size=n), minlength=n)
        sums, counts = np.split(times @ whole, 2, axis=1)
        parts.append(np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0))
    value, drawn = np.nanmean(given, 0), np.concatenate(parts)
    if of is not None:
        value, drawn = of(value), of(drawn)
        _check_finite(value, drawn)
    low, high = np.nanquantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return [Estimate(*map(float, each)) for each in zip(value, low, high, strict=True)]


def _check_finite(value: float | Array, drawn: Array) -> None:
    fine = np.isfinite(drawn).reshape(len(drawn), -1).all(1)
    if not np.isfinite(value).all() or not fine.all():
        raise ValueError(
            f"statistic is {value} for the examples and not finite in {(~fine).sum():,} of {RESAMPLES:,} "
            "draws from them; it must always be finite"
        )


def share(hits: ArrayLike) -> Estimate:
    """Return which share of the ``hits`` is true, with Wilson's score interval (1927).

    The bootstrap of a share is a binomial distribution, and without width where all or none are true. Wilson's interval
    is right there too (Brown, Cai & DasGupta 2001): of 0 in 30 it says 0 to 0.11.

    Parameters
    ----------
    hits
        (n,), True or False of each example, n ≥ 1.

    Raises
    ------
    TypeError, ValueError
        If they are not truth values, or there are none.
    """
    found = np.asarray(hits)
    if found.dtype != np.bool_:
        raise TypeError(f"hits must be True or False, not {found.dtype}")
    if found.ndim != 1 or not len(found):
        raise ValueError(f"hits of shape {found.shape} must be (n,), of one example or more")
    n, p, z = len(found), float(found.mean()), float(ndtri((1 + LEVEL) / 2))
    middle, width = p + z**2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low, high = ((middle + side * width) / (1 + z**2 / n) for side in (-1, 1))
    return Estimate(p, min(max(low, 0.0), p), max(min(high, 1.0), p))


def half_samples(
    statistic: Callable[..., ArrayLike],
    *sizes: int,
    halves: int = 50,
    extrapolate: bool = False,
    bounds: tuple[ArrayLike, ArrayLike] = (-math.inf, math.inf),
    random_state: RandomState = 0,
) -> list[Estimate]:
    """Return a statistic of sets of examples with an interval from its values on random halves of them.

    A half has twice the variance of the whole and shares half of it with it, so that the statistic differs from half to
    half as much as from one whole set to another (the delete-half jackknife, Shao & Wu 1989). No example is drawn
    twice, unlike with the bootstrap. The interval is Student's t's around the value.

    Parameters
    ----------
    statistic
        (rows, …) ↦ k numbers; ``rows`` are the numbers of the examples to take from each set.
    *sizes
        How many examples each set has, 4 or more.
    halves
        How many times they are halved, 2 or more.
    extrapolate
        Whether the value is that of endless examples, twice that of all less the mean of the halves', for a statistic
        whose bias is in proportion to 1/n.
    bounds
        The least and the greatest value there can be, each one for all k numbers or one for each; values and intervals
        are kept within.
    random_state
        As in `bootstrap`.

    Returns
    -------
    list of Estimate, (k,)

    Raises
    ------
    TypeError, ValueError
        If a size or ``halves`` is out of range, or the statistic is not finite.
    """
    for size in sizes:
        integer("sizes", size, 4)
    rng = np.random.default_rng(random_seed(random_state))
    drawn = np.array(
        [
            statistic(*(np.sort(rng.choice(size, size // 2, replace=False)) for size in sizes))
            for _ in range(integer("halves", halves, 2))
        ],
        np.float64,
    )
    value = np.asarray(statistic(*map(np.arange, sizes)), np.float64)
    if not np.isfinite(value).all() or not np.isfinite(drawn).all():
        raise ValueError(
            f"statistic is {value} for the examples and not finite in {(~np.isfinite(drawn).all(1)).sum()} of {halves} "
            "halves of them; it must always be finite"
        )
    if extrapolate:
        value = 2 * value - drawn.mean(axis=0)
    width = stdtrit(halves - 1, (1 + LEVEL) / 2) * drawn.std(axis=0, ddof=1)
    ends = np.clip([value, value - width, value + width], *bounds)
    return [Estimate(*map(float, each)) for each in ends.T]


def _groups(arrays: list[NDArray[Any]], strata: NDArray[Any] | None) -> list[NDArray[np.int64]]:
    """Return the row numbers of each group's examples, or say that the arrays do not fit."""
    shapes = [array.shape for array in arrays] + ([] if strata is None else [strata.shape])
    if not arrays or () in shapes or len({shape[0] for shape in shapes}) > 1 or shapes[0][0] < 2:
        raise ValueError(
            f"arrays (and strata) of shapes {shapes} must hold the same examples along their first axis, 2 or more"
        )
    if strata is None:
        return [np.arange(len(arrays[0]))]
    return [np.flatnonzero(strata == group) for group in np.unique(strata)]
