"""Networks of threshold units for the Boolean functions that no single unit computes (row L6).

XOR is beyond one unit; two hidden units and one more that puts their answers together compute it. The lecture “Úvod do
generativních modelů” wires them by hand; `network` does so for every Boolean function.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narrows.foundations.boolean import Separation, inputs, separate
from narrows.foundations.perceptron import ThresholdUnit, targets

__all__ = ["Network", "network"]

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Threshold units in layers; each unit sees all outputs of the layer before, the first layer sees the inputs.

    Attributes
    ----------
    layers : tuple of tuple of ThresholdUnit
        The hidden layers and then the output layer, of one unit.
    """

    layers: tuple[tuple[ThresholdUnit, ...], ...]

    def __call__(self, x: ArrayLike) -> Integers:
        """The output, 0 or 1; `x`, shapes and errors as in `ThresholdUnit.excitation`."""
        for layer in self.layers:
            x = np.stack([unit(x) for unit in layer], axis=-1)
        return np.asarray(x)[..., 0]


def network(labels: ArrayLike) -> Network:
    """Wire threshold units so that they compute a Boolean function: one if that is enough, else with a hidden layer.

    Hidden units cut off, one after another, as many of the remaining inputs as lie beyond a plane and are of one class
    (Marchand, Golea & Ruján 1990). The output unit then lets the first cut that an input falls to decide. That makes
    two hidden units for XOR and n for the parity of n inputs, but not always the fewest that would do.

    Parameters
    ----------
    labels : array_like, shape (2ⁿ,)
        The truth table, n = 1 to 12: the function's values for `inputs(n)`, of two classes (see `perceptron.targets`).

    Raises
    ------
    ValueError
        If the length is not 2ⁿ, or the labels are not of two classes.
    """
    t = targets(labels)
    n = len(t).bit_length() - 1
    if not 1 <= n <= 12 or len(t) != 2**n:
        raise ValueError(f"labels must be 2ⁿ values, n = 1 to 12, got {len(t)}")
    x = inputs(n)
    single = separate(x, t)
    if isinstance(single, Separation):
        return Network(((single.unit(),),))
    cuts = list(_cuts(x, t, (0, 1)))
    for c in (1, 0):
        cuts = min(cuts, list(itertools.islice(_cuts(x, t, (c,)), len(cuts))), key=len)
    rest = int(np.delete(t, np.concatenate([mine for _, mine in cuts]))[0])
    # Backwards, each cut gets the least weight that brings its own inputs to the right side of the sum of the later
    # ones, which is 1 − rest or more for class 1. A cut that needs none is left out.
    total = np.zeros(len(x), dtype=np.int64)
    hidden: list[tuple[ThresholdUnit, int]] = []
    for cut, mine in reversed(cuts):
        weight = max(0, 1 - rest - total[mine].min()) if t[mine[0]] else min(0, -rest - total[mine].max())
        if weight:
            total += weight * cut(x)
            hidden.insert(0, (cut, weight))
    units, weights = zip(*hidden, strict=True)
    return Network((units, (ThresholdUnit(np.array(weights), 0.5 - rest),)))


def _cuts(x: Integers, t: Integers, classes: tuple[int, ...]) -> Iterator[tuple[ThresholdUnit, Integers]]:
    """Units, each with the indices of the inputs of `classes` that it cuts off, until one class is left."""
    directions, left = np.vstack([_directions(x.shape[1]), x[:1]]), np.arange(len(x))
    while t[left].any() and not t[left].all():
        rest, fires = x[left], t[left] == 1
        # The last direction has one extreme input, so that there is always something to cut off.
        directions[-1] = 2 * rest[t[left] == classes[0]][0] - 1
        excitation = rest @ directions.T
        highest = excitation[~fires].max(axis=0), excitation[fires].max(axis=0)
        # Beyond the highest excitation of one class there is only the other.
        bounds = np.min([highest[1 - c] for c in classes], axis=0)
        best = np.argmax(np.sum(excitation > bounds, axis=0))
        beyond = excitation[:, best] > bounds[best]
        yield ThresholdUnit(directions[best], bounds[best] + 0.5), left[beyond]
        left = left[~beyond]


def _directions(n: int) -> Floats:
    """Weights to try: all of 1, 0 and −1 up to n = 8; beyond, at most two of them other than 0, or all alike."""
    if n <= 8:
        return np.array(list(itertools.product((1.0, 0.0, -1.0), repeat=n)))
    literals = np.vstack([np.eye(n), -np.eye(n)])
    pairs = [a + b for a, b in itertools.combinations(literals, 2)]
    return np.vstack([literals, *pairs, np.ones(n), -np.ones(n)])
