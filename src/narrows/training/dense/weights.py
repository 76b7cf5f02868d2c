"""Weights as one flat vector, and AdamW on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter

import torch
from torch import Tensor

from narrows.training.adamw import adamw_step
from narrows.training.dense.compiled import adamw_on, kernels_for

__all__ = ["Weights"]

OPERATIONS_A_WEIGHT = 400
"""Of products, in a step whose time is that of AdamW in proportion: seventy examples, both ways."""


class Weights:
    """Values, gradients and Adam's moments of many blocks, each kind one flat vector, so that a step is one operation.

    Parameters
    ----------
    shapes
        Of the blocks; the first axis is the models'.
    settings
        The full learning rate and the weight decay of each.
    like
        A tensor of their type.

    Attributes
    ----------
    values, gradients
        The blocks.
    """

    def __init__(
        self, shapes: Sequence[tuple[int, ...]], settings: Sequence[tuple[float, float]], like: Tensor
    ) -> None:
        sizes = [math.prod(shape) for shape in shapes]
        self.flat = [like.new_zeros(sum(sizes)) for _ in range(4)]
        self.blocks = [
            [values.view(shape) for values, shape in zip(flat.split(sizes), shapes, strict=True)] for flat in self.flat
        ]
        self.values, self.gradients = self.blocks[:2]
        self.steps, self.one = (torch.full((), value, device=like.device) for value in (0.0, 1.0))
        # Neighbours of the same settings move together.
        runs = [
            (own, [size for _, size in run]) for own, run in groupby(zip(settings, sizes, strict=True), itemgetter(0))
        ]
        lengths = [sum(run) for _, run in runs]
        flats = zip(*(flat.split(lengths) for flat in self.flat), strict=True)
        compiled = kernels_for(like, OPERATIONS_A_WEIGHT * self.flat[0].numel())
        self.runs: list[tuple[tuple[float, float], Callable[..., None]]] = []
        for (own, _), four in zip(runs, flats, strict=True):
            values, gradients, first, second = ([each] for each in four)
            by_torch = partial(adamw_step, values, gradients, first, second)
            self.runs.append((own, adamw_on(compiled, *four) if compiled else by_torch))

    def update(self, fraction: float, momentum: float) -> None:
        """Take AdamW's step at so much of the rate, with β₁ = ``momentum``."""
        self.steps.add_(self.one)
        for (rate, decay), take in self.runs:
            take(steps=self.steps, rate=rate * fraction, momentum=momentum, decay=decay)

    def state(self) -> dict[str, Tensor]:
        """Return all that `update` changes, as it is, not a copy."""
        values, _, first, second = self.flat
        return {"values": values, "first": first, "second": second, "steps": self.steps}

    def take(self, other: Weights, models: Sequence[int]) -> None:
        """Set all to what ``other`` has of its ``models``."""
        self.steps.copy_(other.steps)
        for mine, theirs in zip(self.blocks, other.blocks, strict=True):
            for small, large in zip(mine, theirs, strict=True):
                small.copy_(large[list(models)])
