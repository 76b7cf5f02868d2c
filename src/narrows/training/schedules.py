"""How the learning rate and Adam's momentum change over a training."""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["SCHEDULES", "Pace", "constant", "one_cycle"]

Pace = tuple[float, float]
"""The fraction of the full learning rate that a step takes, and its β₁."""

WARM_UP, START, END = 0.3, 1 / 2, 1 / 250_000
"""Fractions: of the training, in which the rate rises; of the full rate, which it starts at and ends at."""

LEAST_MOMENTUM, MOST_MOMENTUM = 0.85, 0.95


def one_cycle(step: int, steps: int) -> Pace:
    """Warm up over 30 % of ``steps``, then go down to almost nothing by a cosine (Smith & Topin 2019).

    The momentum does the opposite. ``step`` counts from 0. The values are those of PyTorch's ``OneCycleLR``, which by
    default begins at a 25th of the full rate; nets that start at principal components need less care.
    """
    last = max(steps, 4)
    top = WARM_UP * (last + 1) - 1
    if step <= top:
        up = _cosine(step / top)
        return START + up * (1 - START), MOST_MOMENTUM + up * (LEAST_MOMENTUM - MOST_MOMENTUM)
    down = _cosine((step - top) / (last - top))
    return 1 + down * (END - 1), LEAST_MOMENTUM + down * (MOST_MOMENTUM - LEAST_MOMENTUM)


def constant(step: int, steps: int) -> Pace:  # noqa: ARG001 - one signature for all
    """Keep both as they are."""
    return 1.0, 0.9


def _cosine(fraction: float) -> float:
    """From 0 to 1, slowly at both ends."""
    return (1 - math.cos(math.pi * fraction)) / 2


SCHEDULES: dict[str, Callable[[int, int], Pace]] = {"one-cycle": one_cycle, "constant": constant}
