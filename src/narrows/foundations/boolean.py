"""Which functions one threshold unit computes, and a proof where none does (row L5).

The lecture “Úvod do generativních modelů” asks which Boolean functions a perceptron represents. AND and OR, certainly;
XOR and equivalence not, because the four inequalities that the truth table puts on w₁, w₂ and θ contradict each other
(Minsky & Papert 1969). That is how it is for any labelled points: either some unit gives every point its label, or some
of the inequalities, each taken a number of times and added up, read 0 < 0 (Farkas 1902). `separate` gives one or the
other, checked in rational arithmetic, so that rounding decides nothing.

What no single unit does, a network of them does: see `networks`.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog

from narrows.foundations.perceptron import ThresholdUnit, targets

__all__ = ["Certificate", "Separation", "count_separable", "inputs", "separate"]

Exact: TypeAlias = NDArray[Any]  # objects: Fractions, or Python's unbounded integers
Bools: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Separation:
    """Weights and threshold that give every point its label, in whole numbers and fractions.

    Attributes
    ----------
    weights : tuple of int
        w, without a common divisor; all 0 where the labels are all the same.
    theta : Fraction
        θ, near the middle of the values that do.
    """

    weights: tuple[int, ...]
    theta: Fraction

    def __call__(self, points: ArrayLike) -> Integers:
        """1 where wᵀx ≥ θ and 0 elsewhere, exactly; shape (n,) for points as in `separate`, with the same errors."""
        excitation = _fractions(points) @ np.array(self.weights, dtype=object)
        return np.asarray(excitation >= self.theta, dtype=np.int64)

    def unit(self) -> ThresholdUnit:
        """The same as a unit in floating point: exact while weights and θ fit in 53 bits, else scaled and rounded."""
        whole = int(self.theta).bit_length()
        excess = max(0, max(w.bit_length() for w in self.weights) - 53, whole - 1000)
        scaled = [float(Fraction(w, 2**excess)) for w in self.weights]
        return ThresholdUnit(np.array(scaled), float(self.theta / 2**excess))


@dataclass(frozen=True, slots=True)
class Certificate:
    """A proof that no threshold unit gives these points their labels; it cannot be made unless it holds.

    A point x of class 1 demands θ ≤ wᵀx, one of class 0 wᵀx < θ. Each inequality taken `multipliers` times and all
    added, the two sides are the same, with ``<`` between them.

    Attributes
    ----------
    indices, points, labels : tuple
        Which of the points the proof needs, these points as tuples of d Fractions, and their classes, 0 or 1.
    multipliers : tuple of int
        How often the inequality of each is taken, at least once.

    Raises
    ------
    ValueError
        If the inequalities do not contradict each other in this way.
    """

    indices: tuple[int, ...]
    points: tuple[tuple[Fraction, ...], ...]
    labels: tuple[int, ...]
    multipliers: tuple[int, ...]

    def __post_init__(self) -> None:
        if min(self.multipliers, default=0) < 1 or not self._total(0) == self._total(1) != ():
            raise ValueError(f"multipliers must make the inequalities contradict each other, got {self.multipliers}")

    def lines(self) -> list[str]:
        """The proof in words, as the lecture gives it for XOR: a line an inequality, then their sum."""
        told = []
        for x, label, m in zip(self.points, self.labels, self.multipliers, strict=True):
            inequality = f"{_form((Fraction(0), *x))} {'≥' if label else '<'} θ"
            times = inequality if m == 1 else f"{_number(Fraction(m))} × ({inequality})"
            told.append(f"{times}    for ({', '.join(map(_number, x))}) is of class {label}")
        return [*told, f"added up: {self.side()} < {self.side()}, that is 0 < 0: a contradiction"]

    def side(self) -> str:
        """What stands on both sides of the sum, such as θ + w1 + w2."""
        return _form(self._total(0))

    def _total(self, label: int) -> tuple[Fraction, ...]:
        """(Σλ, Σλx) over a class."""
        terms = zip(self.labels, self.multipliers, self.points, strict=True)
        rows = [[m * v for v in (Fraction(1), *x)] for t, m, x in terms if t == label]
        return tuple(sum(column, Fraction(0)) for column in zip(*rows, strict=True))


def separate(points: ArrayLike, labels: ArrayLike) -> Separation | Certificate:
    """Find weights and a threshold that give every point its label, or a proof that there are none.

    A linear program (SciPy's HiGHS) proposes; what it says is rounded to small weights and checked exactly. Where that
    does not settle it, an exact simplex method does, which begins with the points that HiGHS found decisive.

    Parameters
    ----------
    points : array_like, shape (n, d)
        Integers, floats (each taken for exactly the binary fraction it is), or Fractions. For a truth table: `inputs`.
    labels : array_like, shape (n,)
        Two classes, or one: see `perceptron.targets`. The unit is to fire at the points of class 1.

    Returns
    -------
    Separation or Certificate
        The first iff a threshold unit exists. Points that stand in both classes make a certificate of two.

    Raises
    ------
    ValueError
        If `points` is no table or is ragged, holds anything but finite numbers, or does not fit `labels`.
    """
    x = _fractions(points)
    t = targets(labels, len(x)).astype(bool)
    if t.all() or not t.any():
        return Separation((0,) * x.shape[1], Fraction(-1 if t.all() else 1))
    common = math.lcm(*(v.denominator for v in x.flat))
    grid = np.array([v.numerator * (common // v.denominator) for v in x.flat], dtype=object).reshape(x.shape)
    twins = _twins(grid, t)
    if twins:
        return _certificate(x, t, dict.fromkeys(twins, 1))

    # Shift every column to start at 0 and stretch it to about the same length, `scale`, a power of two: exact, and kind
    # to the linear program. Weights for the stretched columns, times the stretch, are weights for the grid.
    shifted = grid - grid.min(axis=0)
    lengths = np.array([1 << max(0, span - 1).bit_length() for span in shifted.max(axis=0)], dtype=object)
    scale = lengths.max()
    stretch = scale // lengths
    floats = np.asarray(shifted / lengths, dtype=np.float64)

    def checked(candidates: Iterable[Exact]) -> Separation | None:
        return next(filter(None, (_separation(grid, common, t, stretch * w) for w in candidates)), None)

    proposal, decisive = _propose(floats, t)
    separation = checked(_roundings(proposal, floats, t))
    if separation:
        return separation
    w, multipliers = _decide(shifted * stretch, scale, t, decisive)
    if multipliers:
        return _certificate(x, t, multipliers)
    separation = checked([*_roundings(np.asarray(w / abs(w).max(), dtype=np.float64), floats, t), w])
    assert separation is not None
    return separation


def inputs(n: int) -> Integers:
    """All inputs of a Boolean function in the order of a truth table: 0…00, 0…01, 0…10, …; shape (2ⁿ, n).

    Raises
    ------
    ValueError
        If `n` is less than 1.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n!r}")
    return np.arange(2**n)[:, None] >> np.arange(n)[::-1] & 1


def count_separable(n: int) -> int:
    """How many of the Boolean functions of `n` inputs a threshold unit computes: 4, 14, 104 and 1882 for n = 1 to 4.

    Permuted or negated inputs and a negated output change nothing, so that one function of each such class is decided.

    Raises
    ------
    ValueError
        If `n` is not 1 to 4; five inputs have 2³² functions.
    """
    if not 1 <= n <= 4:
        raise ValueError(f"n must be 1 to 4, got {n!r}: there are 2 to the power of 2ⁿ functions of n inputs")
    x = inputs(n)
    weight = 2 ** np.arange(len(x))
    moves = [(x[:, list(p)] ^ flip) @ 2 ** np.arange(n) for p in itertools.permutations(range(n)) for flip in x]
    counted, seen = 0, np.zeros(2 ** len(x), dtype=bool)
    for f in range(len(seen)):
        if not seen[f]:
            table = f // weight % 2
            moved = table[np.array(moves)] @ weight
            orbit = np.union1d(moved, len(seen) - 1 - moved)
            seen[orbit] = True
            counted += len(orbit) * isinstance(separate(x, table), Separation)
    return counted


def _propose(x: Floats, t: Bools) -> tuple[Floats, Integers]:
    """Weights of about the greatest margin, within |w_j| ≤ 1, and the points it depends on; both only a guess."""
    n, d = x.shape
    s = np.where(t, 1.0, -1.0)[:, None]
    # Variables w, θ and the margin v: maximise v with s·(wᵀx − θ) ≥ v.
    costs, bounds = np.append(np.zeros(d + 1), -1.0), [(-1, 1)] * d + [(None, None), (0, 1)]
    demands = np.hstack([-s * x, s, np.ones((n, 1))])
    result = linprog(costs, A_ub=demands, b_ub=np.zeros(n), bounds=bounds, method="highs-ds")
    if result.status or result.x is None:
        return np.zeros(d), np.arange(0)
    return result.x[:d], np.flatnonzero(result.ineqlin.marginals)


def _roundings(w: Floats, x: Floats, t: Bools) -> Iterator[Exact]:
    """Whole-number multiples of a direction that seem to separate, the coarsest first, then ever finer."""
    largest = np.abs(w).max()
    for k in itertools.chain(range(1, 65), (2**e for e in range(7, 51))) if largest else ():
        rounded = np.rint(w / largest * k)
        excitation = x @ rounded
        if excitation[t].min() > excitation[~t].max():
            yield np.array([int(v) for v in rounded], dtype=object)


def _separation(grid: Exact, common: int, t: Bools, w: Exact) -> Separation | None:
    """Take weights for points grid / common if they separate, with a threshold near the middle of the gap."""
    w = w // math.gcd(*w)
    excitation = grid @ w
    low, high = Fraction(excitation[~t].max(), common), Fraction(excitation[t].min(), common)
    if low >= high:
        return None
    gap = high - low
    # A power of two of at most half the gap, so that its nearest multiple is within a quarter of the gap.
    step = Fraction(2) ** (gap.numerator.bit_length() - gap.denominator.bit_length() - 2)
    return Separation(tuple(w), round((low + high) / 2 / step) * step)


def _decide(x: Exact, scale: int, t: Bools, decisive: Integers) -> tuple[Exact, dict[int, int]]:
    """Weights that separate, or multipliers of a contradiction: the simplex method's first phase in whole numbers.

    It looks for λ ≥ 0 with Σ λ c = (0, …, 0, 1), where c = (s·x, −s·scale, scale) and s = ±1 for the two classes.
    The basis' inverse is kept as integers over their common denominator (Edmonds 1967); the lexicographic ratio test
    makes it terminate (Dantzig, Orden & Wolfe 1955). Where no such λ exists, the prices are weights (Farkas 1902).
    """
    s = np.where(t, 1, -1).astype(object)
    columns = np.column_stack([s[:, None] * x, -s * scale, np.full(len(x), scale, dtype=object)])
    inverse, denominator = np.eye(columns.shape[1], dtype=int).astype(object), 1
    basis = [-1] * columns.shape[1]  # artificial columns, to be driven out
    while True:
        prices = inverse[[j < 0 for j in basis]].sum(axis=0)
        if not prices[-1]:
            return prices[:-2], {j: v for j, v in zip(basis, inverse[:, -1], strict=True) if j >= 0 and v > 0}
        for some in (decisive, np.arange(len(x))):
            gains = columns[some] @ prices
            if len(some) and gains.max() > 0:
                entering = int(some[np.argmax(gains)])
                break
        else:
            return -prices[:-2], {}
        change = inverse @ columns[entering]
        rising = np.flatnonzero(change > 0)
        leaving = min(rising, key=lambda i: [Fraction(v, change[i]) for v in np.roll(inverse[i], 1)])
        pivot, kept = change[leaving], inverse[leaving]
        inverse = (inverse * pivot - np.outer(change, kept)) // denominator
        inverse[leaving], denominator, basis[leaving] = kept, pivot, entering


def _certificate(x: Exact, t: Bools, multipliers: dict[int, int]) -> Certificate:
    indices, divisor = sorted(multipliers), math.gcd(*multipliers.values())
    labels, times = t[indices].astype(int).tolist(), (multipliers[i] // divisor for i in indices)
    return Certificate(tuple(indices), tuple(map(tuple, x[indices])), tuple(labels), tuple(times))


def _twins(grid: Exact, t: Bools) -> tuple[int, int] | None:
    """Two equal points of different classes."""
    first: dict[tuple[int, ...], int] = {}
    for i, row in enumerate(map(tuple, grid)):
        if t[first.setdefault(row, i)] != t[i]:
            return first[row], i
    return None


def _fractions(points: ArrayLike) -> Exact:
    table = np.asarray(points, dtype=object)
    if table.ndim != 2 or not table.size:
        raise ValueError(f"points must be a rectangular table, shape (n, d) with n, d ≥ 1, got shape {table.shape}")
    exact = np.empty(table.shape, dtype=object)
    for index, v in np.ndenumerate(table):
        try:
            exact[index] = Fraction(v.item() if isinstance(v, np.generic) else v)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"points must be finite numbers, got {v!r} at index {index}") from error
    return exact


def _form(coefficients: Sequence[Fraction]) -> str:
    """A linear form in θ, w1, w2, …, such as 2·θ + w1 − 3·w2."""
    text = ""
    for j, c in enumerate(coefficients):
        if c:
            times = "" if abs(c) == 1 else f"{_number(abs(c))}·"
            text += f" {'−' if c < 0 else '+'} {times}{f'w{j}' if j else 'θ'}"
    return text.removeprefix(" + ").lstrip() or "0"


def _number(v: Fraction) -> str:
    """As a fraction; if long, as the decimal that names the same float; if none does, rounded."""
    if max(abs(v.numerator), v.denominator) < 10**15:
        return str(v)
    if abs(v) < 2**1000 and Fraction(float(v)) == v:
        return str(float(v))
    return f"≈{Decimal(v.numerator) / Decimal(v.denominator):.4g}"
