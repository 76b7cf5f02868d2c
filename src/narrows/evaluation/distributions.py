"""Are generated rows of a table spread as real ones are, column by column and pair by pair?

By total variation, half the summed differences of shares: 0 where two distributions are alike, 1 where they have
nothing in common, and in between the least share of rows that would have to change. It compares shares of levels;
numbers are cut at quantiles of the real ones. Even real rows differ from real rows, by chance, which is said beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from narrows.arguments import RandomState, random_seed
from narrows.evaluation.intervals import Estimate, half_samples

__all__ = ["Pairs", "Spread", "cut", "pairs", "spreads"]

Array = NDArray[np.float64]
Cells = NDArray[np.floating]
Bins = NDArray[np.int64]
Columns: TypeAlias = Sequence[tuple[str, tuple[str, ...]]]

MOST_BINS, ROWS_A_BIN, ROWS_A_CELL = 20, 20, 10
"""Bins that numbers are cut into, and what levels are cut down to in pairs; real rows that a bin should have, and a
cell of a pair."""

MOST_PAIRED, MOST_ROWS = 40, 5000
"""Columns whose pairs are compared, the first ones, and rows that they are compared on."""

HALVES, EXCHANGES = 20, 10
"""How often distances are measured again for their intervals, and for what they are by chance."""


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """How a column's values are spread over its bins, in real and in generated rows.

    Attributes
    ----------
    name, levels
        Of the column; its levels in words, or none, if it is of numbers.
    rows
        How many known cells there are, real and generated.
    real, generated
        Their shares, (bins,).
    distance
        Their total variation.
    by_chance
        What that is, on average, where as many rows of both are mixed and dealt out anew.
    """

    name: str
    levels: tuple[str, ...]
    rows: tuple[int, int]
    real: Array
    generated: Array
    distance: Estimate
    by_chance: float


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """How pairs of columns go together, in real and in generated rows.

    Attributes
    ----------
    names
        Of the columns, the first `MOST_PAIRED` of the table.
    real, generated
        How much two columns tell of each other, (columns, columns): √(1 − e⁻²ᴵ) of their mutual information I (Linfoot
        1957), from 0, nothing, to 1; of two Gaussians about their correlation, without its sign.
    distance, by_chance
        The mean total variation of the pairs' joint distributions, and what that is by chance.
    difference, difference_by_chance
        The mean difference of the two matrices, and what that is by chance.
    """

    names: tuple[str, ...]
    real: Array
    generated: Array
    distance: Estimate
    by_chance: float
    difference: Estimate
    difference_by_chance: float


def cut(cells: Cells, others: Cells, levels: int, most: int) -> tuple[Bins, Bins]:
    """Return the bins (n,) and (m,) of a column's cells, real and generated; −1 where they are missing.

    Parameters
    ----------
    cells, others
        Real (n,) and generated (m,); NaN where missing. Of levels their places.
    levels
        How many there are; 0 for numbers, which are cut at quantiles of the real ones.
    most
        Bins, at most: of more levels the rarest share the last.
    """
    known = cells[~np.isnan(cells)]
    both = (cells, others)
    if not levels:
        values = np.unique(known)
        inner = np.arange(1, most) / most
        edges = values[:-1] if len(values) <= most else np.unique(np.quantile(known, inner, method="inverted_cdf"))
        # An edge is the last value of its bin, so that one value in many rows, such as 0, has a bin to itself.
        found = [np.searchsorted(edges, each, "left") for each in both]
    else:
        counts = np.bincount(known.astype(np.int64), minlength=levels)
        rank = np.empty(len(counts), np.int64)
        rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
        order = np.minimum(rank, most - 1) if levels > most else np.arange(len(counts))
        found = [order[np.nan_to_num(each).astype(np.int64).clip(0, len(order) - 1)] for each in both]
    first, second = (np.where(np.isnan(each), -1, bins) for each, bins in zip(both, found, strict=True))
    return first, second


def spreads(real: Cells, generated: Cells, columns: Columns, *, random_state: RandomState = 0) -> tuple[Spread, ...]:
    """Return how each column is spread.

    Parameters
    ----------
    real, generated
        Cells (n, columns) and (m, columns), four rows or more; NaN where missing, and of levels their places.
    columns
        Name and levels of each; no levels for one of numbers.
    random_state
        Of the halves and of chance.
    """
    few = _bins_for(len(real) // ROWS_A_BIN)
    bins = [cut(real[:, j], generated[:, j], len(levels), len(levels) or few) for j, (_, levels) in enumerate(columns)]
    first, second, starts = _one_hot(bins)

    def distances(a: csr_array, b: csr_array) -> Array:
        away: Array = np.add.reduceat(np.abs(_shares(a, starts) - _shares(b, starts)), starts) / 2
        return away

    found, chance = _measured(distances, first, second, random_state)
    both = [np.split(_shares(each, starts), starts[1:]) for each in (first, second)]
    known = [(~np.isnan(each)).sum(0).tolist() for each in (real, generated)]
    each = zip(columns, *known, *both, found, chance.tolist(), strict=True)
    return tuple(Spread(name, levels, (n, m), a, b, d, usual) for (name, levels), n, m, a, b, d, usual in each)


def pairs(real: Cells, generated: Cells, columns: Columns, *, random_state: RandomState = 0) -> Pairs:
    """Return how pairs of columns go together, of two columns or more; arguments as in `spreads`."""
    rng = np.random.default_rng(random_seed(random_state))
    real, generated = (each[rng.permutation(len(each))[:MOST_ROWS], :MOST_PAIRED] for each in (real, generated))
    few = _bins_for(math.isqrt(len(real) // ROWS_A_CELL))
    first, second, starts = _one_hot(
        [cut(a, b, len(levels), few) for a, b, (_, levels) in zip(real.T, generated.T, columns, strict=False)]
    )
    above = np.triu_indices(len(starts), 1)

    def distances(a: csr_array, b: csr_array) -> Array:
        one, other = _joint(a, starts), _joint(b, starts)
        apart = _in_blocks(np.abs(one - other), starts)[above].mean() / 2
        return np.array([apart, np.abs(_associations(a, starts) - _associations(b, starts))[above].mean()])

    found, chance = _measured(distances, first, second, random_state)
    matrices = _associations(first, starts), _associations(second, starts)
    names = tuple(name for name, _ in columns[: len(starts)])
    return Pairs(names, *matrices, found[0], float(chance[0]), found[1], float(chance[1]))


def _bins_for(wanted: int) -> int:
    return min(MOST_BINS, max(2, wanted))


def _measured(
    distances: Callable[[csr_array, csr_array], Array], a: csr_array, b: csr_array, random_state: RandomState
) -> tuple[list[Estimate], Array]:
    """Return distances with their intervals, and what they are, on average, where rows of both are mixed."""
    seed, n, m = random_seed(random_state), *(each.shape[0] for each in (a, b))
    found = half_samples(
        lambda rows, others: distances(a[rows], b[others]), n, m, halves=HALVES, bounds=(0, 1), random_state=seed
    )
    rng, both = np.random.default_rng(seed), vstack([a, b], "csr")
    orders = [rng.permutation(n + m) for _ in range(EXCHANGES)]
    return found, np.mean([distances(both[order[:n]], both[order[n:]]) for order in orders], 0)


def _one_hot(bins: Sequence[tuple[Bins, Bins]]) -> tuple[csr_array, csr_array, Bins]:
    """Return real and generated rows one-hot, (n, all bins) and (m, all bins), and where each column begins."""
    widths = [int(max(a.max(), b.max(), 0)) + 1 for a, b in bins]
    starts = np.cumsum([0, *widths])
    made = []
    for side in (0, 1):
        places = np.stack([pair[side] for pair in bins], 1)
        rows, columns = np.nonzero(places >= 0)
        at = (rows, (places + starts[:-1])[rows, columns])
        made.append(csr_array((np.ones(len(rows)), at), shape=(len(places), int(starts[-1]))))
    return made[0], made[1], starts[:-1]


def _shares(rows: csr_array, starts: Bins) -> Array:
    """Return which share of its column's known cells each bin has, (all bins,)."""
    counts = rows.sum(0)
    shares: Array = counts / np.maximum(_wide(np.add.reduceat(counts, starts), starts, len(counts)), 1)
    return shares


def _wide(of_columns: Array, starts: Bins, bins: int) -> Array:
    """Return what belongs to columns, along the last axis, for each of their bins."""
    return np.repeat(of_columns, np.diff([*starts, bins]), -1)


def _in_blocks(cells: Array, starts: Bins) -> Array:
    """Return the sums of ``cells`` (all bins, all bins) over the bins of each pair of columns, (columns, columns)."""
    blocks: Array = np.add.reduceat(np.add.reduceat(cells, starts, 0), starts, 1)
    return blocks


def _joint(rows: csr_array, starts: Bins) -> Array:
    """Return each pair's joint shares, (all bins, all bins), among the rows in which both are known."""
    counts = (rows.T @ rows).toarray()
    totals = _wide(_wide(np.maximum(_in_blocks(counts, starts), 1), starts, len(counts)).T, starts, len(counts))
    joint: Array = counts / totals.T
    return joint


def _associations(rows: csr_array, starts: Bins) -> Array:
    """Return √(1 − e⁻²ᴵ) of each pair's mutual information I, less its bias (Miller 1955), (columns, columns)."""
    joint, n = _joint(rows, starts), (rows.T @ rows).toarray()
    margins = np.add.reduceat(joint, starts, 1)  # of each bin, among the rows in which the other column is known
    expected = _wide(margins, starts, len(joint))
    expected = expected * expected.T
    terms = joint * np.log(np.divide(joint, expected, out=np.ones_like(joint), where=(expected > 0) & (joint > 0)))
    k = np.add.reduceat(margins > 0, starts, 0, dtype=np.float64)
    bias = (k - 1) * (k.T - 1) / (2 * np.maximum(_in_blocks(n, starts), 1))
    found: Array = np.sqrt(-np.expm1(-2 * np.maximum(_in_blocks(terms, starts) - bias, 0)))
    np.fill_diagonal(found, 1.0)
    return found
