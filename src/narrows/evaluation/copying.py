"""Does a model give back its training examples instead of new ones?

Whether samples are near to training examples says little: smooth ones are near to everything, and those of a bad model
are far from everything, copies or not. (So it is with the test of Meehan, Chaudhuri & Dasgupta 2020, which holds
samples' distances against held-out examples' own.) Here each sample is asked what is nearest to it, a training example
or a held-out one. For a model that has learned what both have in common, and not its training examples, the two kinds
could change places: the nearest one is a training example as often as these are among all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narrows.arguments import RandomState
from narrows.evaluation.generation import matrices, nearest
from narrows.evaluation.intervals import Estimate, bootstrap_means

__all__ = ["Copying", "copying"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Copying:
    """How often a sample's nearest real example is one of the training's.

    Attributes
    ----------
    nearer
        The share of samples that are nearer to a training example than to any held-out one.
    expected
        What that is where the model favours neither: the training examples' share of both, N / (N + m).
    excess
        (nearer − expected) / (1 − expected): 0 where it favours neither, 1 where samples are always nearer to the
        training. Where a fraction q of the samples are copies and the others are new, it is q.
    """

    nearer: Estimate
    expected: float
    excess: Estimate


def copying(
    generated: ArrayLike, training: ArrayLike, held_out: ArrayLike, *, random_state: RandomState = 0
) -> Copying:
    """Return how much more often samples are nearest to training examples than chance would have it.

    It sees more than copies: a decoder fitted closely draws its samples towards what it was fitted to. Of autoencoders
    and VAEs of 1,300 digits (8 numbers, 300 held out) the excess was 0.41 to 0.47 for samples from a mixture over the
    codes, and 0.71 to 0.90 from the aggregate posterior, which decodes single training examples' codes with some noise.

    The interval is over the real examples, each with all the samples that it is nearest to: these stand or fall
    together. Simulated copies were in it in 94 to 98 % of the cases. The fewer are held out, the wider it is.

    Parameters
    ----------
    generated, training, held_out
        (n, features), (N, features), (m, features): pixels, or other features. Time grows with n (N + m) · features.
    random_state
        As in `narrows.evaluation.intervals.bootstrap`.

    Raises
    ------
    TypeError, ValueError
        If a set is not a matrix of finite numbers with at least 1 row, or their widths differ.
    """
    s, x, y = matrices(1, generated=generated, training=training, held_out=held_out)
    expected = len(x) / (len(x) + len(y))
    (index, distance), (other, other_distance) = nearest(s, x), nearest(s, y)
    # A training example that is held out as well counts for neither.
    wins = np.where(distance == other_distance, expected, distance < other_distance)
    owner = np.where(distance <= other_distance, index, len(x) + other)
    visits = np.bincount(owner, minlength=len(x) + len(y))
    won = np.bincount(owner, wins, minlength=len(visits))

    def share(means: Array) -> Array:
        # A draw without any sample knows nothing.
        won, visits = means[..., :1], means[..., 1:]
        return np.divide(won, visits, out=np.full_like(won, expected), where=visits > 0)

    nearer = bootstrap_means(np.stack([won, visits], 1), of=share, random_state=random_state)[0]
    excess = ((each - expected) / (1 - expected) for each in (nearer.value, nearer.low, nearer.high))
    return Copying(nearer, expected, Estimate(*excess))
