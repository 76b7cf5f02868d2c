"""Have data drifted? A conformal test martingale on the scores of examples that come one after another.

While a stream is like what came before, the rank of each score among all before it is as likely to be any, and tells
nothing of the ranks before. So p-values made of ranks are independent and uniform (Vovk, Nouretdinov & Gammerman,
“Testing exchangeability on-line”, 2003; Vovk, Gammerman & Shafer, “Algorithmic learning in a random world”, 2005). Who
bets against that, with a capital of 1 and at fair odds, ∫ f(p) dp = 1, has a martingale, of which Ville (1939) has
shown that P(it ever reaches c) ≤ 1 / c, however long the stream is and whatever the scores' distribution.

Ranks among all scores need all of them. But the m scores that were held out in training cut the numbers into m + 1
bins. If all are alike, the next score falls into a bin in proportion to 1 plus the number of those before it there
(Pólya's urn), so that these counts are all that has to be remembered: with

    p = (Σ_{j > k} (1 + cⱼ) + U (1 + cₖ)) / (m + 1 + n)

for a score in bin k, n before it, and U uniform on (0, 1], p-values are exactly independent and uniform. Who keeps a
random sample of the scores instead, a reservoir, has p-values that are uniform, but depend on each other by the
sample's error, against which a bet can win without any drift.

Bets are p ↦ ε p^(ε−1) and ε (1 − p)^(ε−1), for some ε, and 1, which is not to bet; the capital is spread over them, and
of each a small share is spread anew at every step (the fixed share of Herbster & Warmuth, “Tracking the best expert”,
1998; Vovk et al., “Retrain or not retrain”, 2021). So little is lost while nothing happens, and there is something to
bet with when it does.
"""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narrows.arguments import RandomState, random_seed, rate, real_numbers

__all__ = ["FEWEST", "ConformalMartingale", "bets", "shared"]

Array = NDArray[np.float64]

POWERS = np.array([0.1, 0.3, 0.6])
"""ε."""

PATIENCE = 1000
"""Of the capital 1 / (1000 + n) is spread anew over all bets after n examples. What this costs grows with log n, and so
does what it takes to move the capital to a bet that wins."""

MOST, FEWEST = 1000, 10
"""Held-out scores that bins are made of, and how few tell too little."""


class ConformalMartingale:
    """Bets against a stream's being like the examples that were held out in training.

    Parameters
    ----------
    held_out
        Scores of ordinary examples that the model has not learned from, (m,); of more than 1,000 some are drawn.
    level
        The probability of any alarm in a stream that is like them, however long, at most: one is raised when the
        capital reaches 1 / ``level``.
    random_state
        Of all chance.

    Attributes
    ----------
    n
        Examples so far.
    log_capital
        The martingale's logarithm.
    alarm
        Which example, counted from 0, brought the capital to 1 / ``level`` first; None if none has.
    since
        Which example, counted from 0, came next when the capital was least, and before the alarm if there is one: about
        where a stream has changed, if it has.
    """

    def __init__(self, held_out: ArrayLike, level: float = 1e-4, random_state: RandomState = 0) -> None:
        scores = _finite("held_out", held_out)
        if len(scores) < FEWEST:
            raise ValueError(f"held_out holds {len(scores)} scores; a drift is told from {FEWEST} or more")
        self.level, self._rng = rate("level", level), np.random.default_rng(random_seed(random_state))
        if len(scores) > MOST:
            scores = self._rng.choice(scores, MOST, replace=False)
        self._ends, self._counts = np.sort(scores), np.ones(len(scores) + 1, np.int64)
        self._shares = np.full(2 * len(POWERS) + 1, 1 / (2 * len(POWERS) + 1))
        self.n, self.log_capital = 0, 0.0
        self.alarm: int | None = None
        self.since, self._least = 0, 0.0

    def update(self, scores: ArrayLike) -> Array:
        """Take the next examples' ``scores``, (k,), and return the capital's logarithm after each of them, (k,).

        Raises
        ------
        TypeError, ValueError
            If they are not finite.
        """
        found = np.empty(len(given := _finite("scores", scores)))
        for place, score in enumerate(given):
            self._shares, gain = shared(self._shares, bets(self._p_value(score)), self.n)
            self.log_capital += math.log(gain)
            if self.alarm is None and self.log_capital >= -math.log(self.level):
                self.alarm = self.n
            self.n += 1
            if self.alarm is None and self.log_capital <= self._least:
                self.since, self._least = self.n, self.log_capital
            found[place] = self.log_capital
        return found

    def _p_value(self, score: float) -> float:
        # Between equal ones, any place is as good.
        first, last = (np.searchsorted(self._ends, score, side) for side in ("left", "right"))
        k = first + int(self._rng.random() * (last - first + 1))
        above = self._counts[k + 1 :].sum() + (1 - self._rng.random()) * self._counts[k]
        p = float(above / self._counts.sum())
        self._counts[k] += 1
        return p

    def state(self) -> dict[str, Any]:
        """Return all that it knows, as JSON can hold it."""
        return {
            "level": self.level,
            "ends": self._ends.tolist(),
            "counts": self._counts.tolist(),
            "shares": self._shares.tolist(),
            "n": self.n,
            "log_capital": self.log_capital,
            "alarm": self.alarm,
            "since": self.since,
            "least": self._least,
            "chance": self._rng.bit_generator.state,
        }

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> Self:
        """Return what `state` was of.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is no such state.
        """
        found = cls(state["ends"], state["level"])
        counts, shares = np.array(state["counts"], np.int64), np.array(state["shares"], np.float64)
        n, alarm = int(state["n"]), None if state["alarm"] is None else int(state["alarm"])
        if counts.shape != found._counts.shape or counts.min() < 1 or counts.sum() != len(counts) + n:
            raise ValueError(f"its counts do not add up to {n} examples")
        if shares.shape != found._shares.shape or not (shares > 0).all() or not math.isclose(shares.sum(), 1):
            raise ValueError("its shares are no shares")
        if not math.isfinite(state["log_capital"]) or (alarm is not None and not 0 <= alarm < n):
            raise ValueError("its capital or its alarm is none")
        if not 0 <= state["since"] <= n or not state["least"] <= 0:
            raise ValueError("its least capital is none")
        found._rng.bit_generator.state = state["chance"]
        found._counts, found._shares, found.n, found.alarm = counts, shares, n, alarm
        found.log_capital = float(state["log_capital"])
        found.since, found._least = int(state["since"]), float(state["least"])
        return found


def bets(p: float | Array) -> Array:
    """Return what each bet makes of a capital of 1 at ``p`` (…), (…, bets)."""
    low = np.asarray(p, np.float64)[..., None]
    high = np.maximum(1 - low, np.finfo(np.float64).tiny)
    return np.concatenate([np.ones_like(low), POWERS * low ** (POWERS - 1), POWERS * high ** (POWERS - 1)], axis=-1)


def shared(shares: Array, won: Array, n: int) -> tuple[Array, Any]:
    """Return the next shares of the capital in each bet, and what all won.

    Parameters
    ----------
    shares, won
        What is in each bet, and what 1 in it has become, (…, bets).
    n
        Examples before.
    """
    held, anew = shares * won, 1 / (PATIENCE + n)
    total = held.sum(-1, keepdims=True)
    return (1 - anew) * held / total + anew / shares.shape[-1], total[..., 0]


def _finite(name: str, scores: ArrayLike) -> Array:
    values = real_numbers(name, scores)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError(f"{name} of shape {values.shape} must be finite scores (n,)")
    return values.astype(np.float64)
