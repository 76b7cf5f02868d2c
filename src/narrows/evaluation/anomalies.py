"""Which examples are odd? From scores, of which a higher one is odder, to decisions that keep what they promise.

A score alone says nothing. Compared with the scores of ordinary examples not seen in training, it does: if
a new example is ordinary too, its score is as likely to have any rank among theirs. All guarantees here rest on that
exchangeability alone, not on the model or the scores' distribution (Vovk, Gammerman & Shafer 2005, as conformal
prediction), and hold at any number of examples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import kolmogi

from narrows.arguments import RandomState, rate, real_numbers
from narrows.evaluation.intervals import LEVEL, Estimate, bootstrap

__all__ = [
    "CalibrationCurve",
    "calibration_curve",
    "p_values",
    "rank_threshold",
    "roc_auc",
    "steadied_threshold",
    "threshold",
]

Array = NDArray[np.float64]

FIFTH = 0.2
"""How far a rate of false alarms may be from what is asked for, on average, so that it varies less."""


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationCurve:
    """How often examples are called odd, against how often ordinary ones are meant to be.

    Attributes
    ----------
    nominal
        False-alarm rates, (k,), rising from 0 to 1.
    observed
        Which share of the examples has a p-value of at most that, (k,): about as much if they are ordinary.
    band
        How far apart the two may be by chance: of ordinary examples the whole curve is as near as this in 95 % of the
        cases (Kolmogorov and Smirnov's two-sample test, for large samples).
    """

    nominal: Array
    observed: Array
    band: float


def threshold(held_out: ArrayLike, false_alarms: float = 0.05) -> float:
    """Return the score above which an ordinary example is with a probability of at most ``false_alarms``.

    The ⌈(n + 1)(1 − α)⌉-th smallest of n held-out scores: a new one exceeds it with probability at most α, and, without
    ties, more than α − 1/(n + 1) (Lei et al., “Distribution-free predictive inference for regression”, 2018). That is
    the mean over held-out sets: with one at hand, the rate varies by about √(α(1 − α)/n).

    Parameters
    ----------
    held_out
        Scores of ordinary examples that the model has not seen in training, (n,).
    false_alarms
        α, in (0, 1).

    Raises
    ------
    TypeError, ValueError
        If scores are not finite, α is out of range, or there are fewer than 1/α − 1 scores: no threshold among
        them could promise as little.
    """
    scores = _scores("held_out", held_out)
    alpha = rate("false_alarms", false_alarms)
    n = len(scores)
    rank = math.ceil((n + 1) * (1 - alpha) - 1e-9)  # what is above a whole number by less is so by rounding
    if rank > n:
        raise ValueError(
            f"false_alarms={alpha:g} needs {math.ceil(1 / alpha - 1 - 1e-9):,} held-out scores or more, not {n:,}; "
            f"with {n:,}, {1 / (n + 1):.3g} is the least that can be promised"
        )
    return float(np.partition(scores, rank - 1)[rank - 1])


def steadied_threshold(held_out: ArrayLike, others: ArrayLike, false_alarms: float = 0.05) -> tuple[float, float]:
    """Return a threshold that varies less than `threshold`, and the rate of false alarms that it promises.

    It is that of all scores together, but where that is too far from the held-out ones' own: then the nearest that
    these would have for a rate a fifth lower or higher than ``false_alarms``. So whatever the distributions are, the
    mean rate of false alarms is at most a fifth away, to within 1/(n + 1); and where the other scores are distributed
    as those of new examples are, it is nearer and varies less.

    Parameters
    ----------
    held_out, false_alarms
        As in `threshold`.
    others
        Scores of more ordinary examples, (m,), which should be distributed alike.

    Raises
    ------
    TypeError, ValueError
        As in `threshold`.
    """
    scores, exact = _scores("held_out", held_out), threshold(held_out, false_alarms)
    if not len(np.asarray(others)):
        return exact, false_alarms
    n, ordered = len(scores), np.sort(scores)[::-1]
    # Whole but for rounding counts as whole, as in `threshold`.
    most = min(max(1, math.floor((1 + FIFTH) * false_alarms * (n + 1) + 1e-9)), n)
    fewest = min(max(1, math.ceil((1 - FIFTH) * false_alarms * (n + 1) - 1e-9)), n)
    together = threshold(np.concatenate([scores, _scores("others", others)]), false_alarms)
    return float(np.clip(together, ordered[most - 1], ordered[fewest - 1])), most / (n + 1)


def rank_threshold(scores: ArrayLike, contamination: float | str) -> float:
    """Return the score that a share ``contamination`` of ``scores`` is above.

    Parameters
    ----------
    scores
        Of examples of which some are odd, (n,).
    contamination
        Which share of them is, or ``"auto"``: those above the upper quartile by more than three times what the
        quartiles are apart, “far out” (Tukey, “Exploratory data analysis”, 1977).
    """
    values = _scores("scores", scores)
    if isinstance(contamination, str):
        lower, upper = np.quantile(values, (0.25, 0.75))
        return float(upper + 3.0 * (upper - lower))
    return float(np.quantile(values, 1 - contamination))


def p_values(scores: ArrayLike, held_out: ArrayLike) -> Array:
    """Return (1 + #{held-out scores ≥ s}) / (n + 1) of each score s: how seldom ordinary examples are as odd.

    Of an ordinary example it is at most α with probability at most α, for every α.

    Parameters
    ----------
    scores
        (m,).
    held_out
        As in `threshold`, (n,).

    Returns
    -------
    ndarray, (m,)
        In [1/(n + 1), 1].
    """
    s, ordinary = _scores("scores", scores), np.sort(_scores("held_out", held_out))
    as_odd = len(ordinary) - np.searchsorted(ordinary, s, side="left")
    values: Array = (1 + as_odd) / (len(ordinary) + 1)
    return values


def calibration_curve(scores: ArrayLike, held_out: ArrayLike) -> CalibrationCurve:
    """Return how often ``scores`` are called odd at each false-alarm rate that ``held_out`` scores can promise.

    Of ordinary examples it is the diagonal to within its band. Where it leaves that, the examples are unlike the
    held-out ones: odder where it lies above.

    Parameters
    ----------
    scores
        Of examples that are neither among the held-out ones nor the training ones, (m,).
    held_out
        As in `threshold`, (n,).
    """
    values, n = p_values(scores, held_out), len(np.asarray(held_out))
    nominal = np.arange(n + 2) / (n + 1)
    observed = np.searchsorted(np.sort(values), nominal + 1e-12, side="right") / len(values)
    return CalibrationCurve(nominal, observed, float(kolmogi(1 - LEVEL)) * math.sqrt(1 / n + 1 / len(values)))


def roc_auc(ordinary: ArrayLike, odd: ArrayLike, *, random_state: RandomState = 0) -> Estimate:
    """Return how often an odd example has a higher score than an ordinary one, ties counted half, with its interval.

    The area under the receiver's operating characteristic (Hanley & McNeil 1982): 0.5 by chance, 1 at best. The
    bootstrap draws from both kinds separately. Where every odd example is above every ordinary one it has no width,
    though of few examples that is no proof.

    Parameters
    ----------
    ordinary, odd
        Scores, (n,) and (m,), of examples that were not seen in training.
    random_state
        As in `narrows.evaluation.intervals.bootstrap`.

    Raises
    ------
    TypeError, ValueError
        If scores are not finite, or there are none of a kind.
    """
    kinds = _scores("ordinary", ordinary), _scores("odd", odd)
    values, ranks = np.unique(np.concatenate(kinds), return_inverse=True)
    is_odd = np.repeat([False, True], [len(kind) for kind in kinds])

    def area(rank: NDArray[np.int64], odd_one: NDArray[np.bool_]) -> float:
        below, above = (np.bincount(rank[chosen], minlength=len(values)) for chosen in (~odd_one, odd_one))
        wins = above @ (np.cumsum(below) - below / 2)
        return float(wins / (below.sum() * above.sum()))

    return bootstrap(area, ranks, is_odd, strata=is_odd, random_state=random_state)


def _scores(name: str, scores: ArrayLike) -> Array:
    """Return ``scores`` as 64-bit numbers, or say what is wrong with them."""
    values = real_numbers(name, scores)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ValueError(f"{name} of shape {values.shape} must be finite scores (n,), of one example or more")
    return values.astype(np.float64)
