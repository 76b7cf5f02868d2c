"""Does each unit of a code stand for one thing? For data whose factors are known, such as the synthetic sets.

Two answers. The mutual information gap asks of each factor whether one unit tells more of it than any other does. DCI
learns to tell the factors from the code and looks which units it needed: each unit for one factor (disentanglement),
each factor by one unit (completeness), and how well at all (informativeness). A code can tell everything and have none
of the first two: turn it, and the same is spread over all its units.

A factor that is a word, or has at most 20 values, is a kind; any other is a quantity. An angle is a quantity here
though its ends meet, which no unit can follow without a jump: expect less of it. Where factors depend on each other, as
the rotation's range on the shape, no code reaches a gap of 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import entr

from narrows.arguments import RandomState, random_seed
from narrows.evaluation.intervals import Estimate, half_samples

__all__ = ["DCI", "dci", "mutual_information_gap"]

Array = NDArray[np.float64]
Column = NDArray[np.float64] | NDArray[np.int64]

BINS = 20
"""Of a quantity where its mutual information is measured, as in Locatello et al. 2019, but equally filled."""

TREES, LEAF = 20, 4
"""Of a forest. With 4,000 shapes, 100 trees changed DCI by 0.003 at most; leaves of 1, which fit noise, by 0.03."""

MOST_EXAMPLES = 4000
"""How many examples DCI looks at."""

FEWEST_EXAMPLES = 40
"""Examples."""

HALVES = 10
"""How often DCI is measured again for its intervals."""


@dataclass(frozen=True, slots=True)
class DCI:
    """What Eastwood & Williams (2018) ask of a code, each from 0 to 1 at best.

    Attributes
    ----------
    disentanglement
        Whether a unit matters for one factor only.
    completeness
        Whether a factor needs one unit only.
    informativeness
        How well factors are told from the code, on held-out examples: the mean over factors of R², or, of a kind, of
        the share of those errors avoided that always naming the commonest one would make. Below 0 if worse than that.
    """

    disentanglement: Estimate
    completeness: Estimate
    informativeness: Estimate


def mutual_information_gap(codes: ArrayLike, factors: pd.DataFrame, *, random_state: RandomState = 0) -> Estimate:
    """Return the mean over factors v of (I(zⱼ; v) − I(zₗ; v)) / H(v), j and l the units that tell most of v.

    Chen et al. 2018: 1 if each factor is known from one unit and no other tells anything of it; 0 if two tell the same.
    Information is that of the counts of examples, quantities (all units, too) in 20 bins with as many examples each.
    Counts overestimate it by up to (bins − 1)² / 2n nats, where the two are independent, which random halves show and
    take away (`narrows.evaluation.intervals.half_samples`, extrapolated). Of a quantity, a little noise costs much: the
    20 bins are narrow.

    Parameters
    ----------
    codes
        (n, latent_dim), latent_dim ≥ 2, n ≥ 40; the means of q(z | x).
    factors
        A column of n each; a factor that never changes is left out.
    random_state
        Draws the halves.

    Raises
    ------
    TypeError, ValueError
        If codes are not finite, are of one unit, or of other examples than the factors or fewer than 40, if factors
        have missing values, or none changes, or one so seldom that it does not in half of the examples.
    """
    z, columns = _checked(codes, factors)
    units = np.stack([_binned(unit) for unit in z.T], axis=1)
    kinds = np.stack([_binned(v) if _is_quantity(v) else v.astype(np.int64) for v in columns], axis=1)

    def gap(rows: NDArray[np.int64]) -> list[float]:
        return [_gap(units[rows], kinds[rows])]

    return half_samples(gap, len(z), extrapolate=True, bounds=(0, 1), random_state=random_state)[0]


def dci(codes: ArrayLike, factors: pd.DataFrame, *, random_state: RandomState = 0) -> DCI:
    """Return disentanglement, completeness and informativeness of ``codes`` (Eastwood & Williams 2018).

    A random forest of 20 trees learns each factor from three quarters of at most 4,000 examples; the matrix R of
    importances is by how much splits on a unit lower the impurity, each factor's summing to 1. With the entropy H taken
    to the base of the number of factors (of units), disentanglement is Σᵢ ρᵢ (1 − H(Rᵢ·)), ρᵢ being a unit's share of
    all importance, and completeness the mean of 1 − H(R·ⱼ). The forests look at all units for every split: a unit that
    is never needed gets no importance, as it would by standing in for one that was not looked at.

    Intervals are by ten random halves of the examples. With 8 units and 5 factors it takes 5 s.

    Parameters
    ----------
    codes
        (n, latent_dim), latent_dim ≥ 2.
    factors
        As in `mutual_information_gap`; two or more that change.
    random_state
        Draws the examples, the forests and the halves.

    Raises
    ------
    TypeError, ValueError
        As `mutual_information_gap`, or if one factor only changes.
    """
    z, columns = _checked(codes, factors)
    if len(columns) < 2:
        raise ValueError(
            "factors have only one column that varies; two or more are needed to tell whether a "
            "unit serves one factor alone"
        )
    seed = random_seed(random_state)
    chosen = np.random.default_rng(seed).permutation(len(z))[:MOST_EXAMPLES]

    def measured(rows: NDArray[np.int64]) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):  # of a factor that is the same in all, which is refused
            return _dci(z[chosen[rows]], [column[chosen[rows]] for column in columns], seed)

    return DCI(*half_samples(measured, len(chosen), halves=HALVES, bounds=([0, 0, -np.inf], 1), random_state=seed))


def _gap(units: NDArray[np.int64], kinds: NDArray[np.int64]) -> float:
    """Return the mean gap over the columns of ``kinds`` (n, factors) for binned ``units`` (n, latent_dim)."""
    gaps = []
    for kind in kinds.T:
        H, together = _entropy(kind), units * (kind.max() + 1) + kind[:, None]
        shared = sorted(H + _entropy(a) - _entropy(b) for a, b in zip(units.T, together.T, strict=True))
        gaps.append((shared[-1] - shared[-2]) / H if H else np.nan)
    return float(np.mean(gaps))


def _entropy(numbers: NDArray[np.int64]) -> float:
    """Return the entropy of how often each number is among ``numbers`` (n,), in nats."""
    return float(entr(np.bincount(numbers) / len(numbers)).sum())


def _dci(z: Array, columns: list[Column], seed: int) -> Array:
    """Return disentanglement, completeness and informativeness, (3,)."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    test = len(z) // 4
    importances, scores = np.empty((z.shape[1], len(columns))), np.empty(len(columns))
    for j, column in enumerate(columns):
        kind = RandomForestRegressor if _is_quantity(column) else RandomForestClassifier
        forest = kind(TREES, min_samples_leaf=LEAF, max_features=None, random_state=seed).fit(z[test:], column[test:])
        importances[:, j] = forest.feature_importances_
        scores[j] = _informativeness(forest.predict(z[:test]), column[:test])
    units = importances.sum(axis=1)
    used = units > 0
    disentanglement = 1 - stats.entropy(importances[used], axis=1) / np.log(len(columns))
    completeness = 1 - stats.entropy(importances, axis=0) / np.log(len(z.T))
    return np.array([disentanglement @ (units[used] / units.sum()), completeness.mean(), scores.mean()])


def _informativeness(answers: Column, truth: Column) -> float:
    """Return R² of a quantity; of a kind, the share avoided of the errors that naming the commonest makes."""
    if _is_quantity(truth):
        return float(1 - np.square(truth - answers).sum() / np.square(truth - truth.mean()).sum())
    return float(1 - (answers != truth).mean() / (1 - np.unique(truth, return_counts=True)[1].max() / len(truth)))


def _checked(codes: ArrayLike, factors: pd.DataFrame) -> tuple[Array, list[Column]]:
    """Return codes, and the factors that change: quantities as 64-bit numbers, kinds as the indices of their values."""
    z = np.asarray(codes)
    if z.dtype.kind not in "buif":
        raise TypeError(f"codes must be real numbers, not {z.dtype}")
    if not isinstance(factors, pd.DataFrame):
        raise TypeError(f"factors must be a DataFrame with a column each, not {type(factors).__name__}")
    if z.ndim != 2 or not z.size or not np.isfinite(z).all() or len(z) != len(factors):
        raise ValueError(f"codes of shape {z.shape} must be finite, (n, latent_dim), of the n={len(factors)} examples")
    if len(z) < FEWEST_EXAMPLES or z.shape[1] < 2:
        raise ValueError(f"codes of shape {z.shape} need {FEWEST_EXAMPLES} examples or more, and two units or more")
    if factors.isna().any(axis=None):
        raise ValueError("factors have missing values; leave those examples out")
    columns: list[Column] = []
    for name in factors:
        column = factors[name]
        indices, values = pd.factorize(column, sort=True)
        quantity = pd.api.types.is_numeric_dtype(column) and len(values) > BINS
        if len(values) > 1:
            columns.append(column.to_numpy(np.float64) if quantity else indices.astype(np.int64))
    if not columns:
        raise ValueError(f"none of the factors {list(factors.columns)} changes")
    return z.astype(np.float64), columns


def _is_quantity(column: Column) -> bool:
    return column.dtype.kind == "f"


def _binned(values: Column) -> NDArray[np.int64]:
    """Return the bin of each value, of 20 with as many values each; equal values are in one."""
    edges = np.quantile(values, np.arange(1, BINS) / BINS)
    return np.searchsorted(edges, values, side="right")
