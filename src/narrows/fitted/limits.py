"""Above which score an example is odd."""

from __future__ import annotations

from typing import NamedTuple

from narrows.arguments import rate
from narrows.evaluation.anomalies import rank_threshold, steadied_threshold
from narrows.fitted.fitted import Fitted

__all__ = ["Limit", "limit", "rate_of"]

FALSE_ALARMS = 0.05
"""The usual rate."""

ROUNDING = 1e-5
"""By which part of it a score is another in another batch, at most: the example at the limit is ordinary in each."""


class Limit(NamedTuple):
    """A threshold of anomaly scores.

    Attributes
    ----------
    score
        Above which an example is odd.
    asked, promised
        Which share of ordinary examples is to be above it: as was asked for, or as little as can be promised; and which
        is, at most, on average.
    held_out
        How many scores of ordinary examples, not seen in training, it goes by.
    """

    score: float
    asked: float
    promised: float
    held_out: int


def rate_of(contamination: float | str | None, false_alarms: float | None) -> float:
    """Return the rate of false alarms that is meant: the usual one, if None is asked for.

    Raises
    ------
    TypeError, ValueError
        If it is not in (0, 1), or asked for next to a ``contamination``: each would set the threshold.
    """
    if false_alarms is None:
        return FALSE_ALARMS
    asked = rate("false_alarms", false_alarms)
    if contamination is not None:
        raise ValueError(
            f"contamination={contamination!r} sets the threshold by rank, and false_alarms={asked:g} by "
            "ordinary examples held out; give one of them"
        )
    return asked


def limit(fitted: Fitted, by: str, false_alarms: float) -> Limit:
    """Return the threshold of the scores ``by``; if there are too few held-out ones, it is the highest of these.

    Where the model goes by a contamination it is by rank among the examples that were given, and so are the shares.

    Raises
    ------
    ValueError
        If there are none.
    """
    if fitted.contamination is not None:
        given = fitted.given(by)
        if not len(given):
            raise ValueError(f"by={by!r} has no threshold since fit_prior changed the likelihood; fit the model again")
        score = rank_threshold(given, fitted.contamination)
        share = float((given > score).mean())
        return Limit(_rounded_up(score), share, share, len(given))
    held_out = fitted.held_out(by)
    if not len(held_out):
        raise ValueError(
            f"by={by!r} has no threshold: fit held nothing out, or fit_prior changed the likelihood since; "
            "set one with fit_threshold(X), from ordinary examples that were not seen in training"
        )
    asked = max(false_alarms, 1 / (len(held_out) + 1))
    score, promised = steadied_threshold(held_out, fitted.seen(by), asked)
    return Limit(_rounded_up(score), asked, promised, len(held_out))


def _rounded_up(score: float) -> float:
    return score + ROUNDING * abs(score)
