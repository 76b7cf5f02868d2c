"""Training or validation examples, in memory or read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, Self

import torch
from torch import Tensor

from narrows.models.model import Batch

__all__ = ["ROWS_AT_ONCE", "Epochs", "Examples", "numbered"]

ROWS_AT_ONCE, NUMBERS_AT_ONCE = 4096, 2**20
"""Examples, and numbers in them, a pass when nothing is learned: enough to be quick, few enough for any memory."""


def numbered(n: int) -> Tensor:
    """Return the rows from 0 to ``n`` − 1, in 32 bits where that is enough, since there may be many."""
    return torch.arange(n, dtype=torch.int32 if n < 2**31 else torch.int64)


class Epochs(Protocol):
    """More examples than memory holds, which can be read in an order by chance, but not each by itself."""

    def __len__(self) -> int: ...

    def epoch(self, seed: int, begin: int) -> Iterator[Tensor]:
        """Yield all scaled inputs in the order of ``seed``, some thousands at a time, from number ``begin`` on."""

    def on(self, device: torch.device) -> Epochs:
        """Return them as they are given out on ``device``."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Scaled inputs (n, features) and, for a conditional model, their classes.

    Attributes
    ----------
    read
        Rows (k,) of the whole data ↦ their scaled inputs (k, features).
    rows
        (n,), which of the whole data these are.
    features
        What an example takes on its way through the nets, at least.
    context
        The classes of the whole data one-hot, (all, classes), or None.
    weights
        How much each of the whole data counts, (all,), or None where all count alike.
    noisy
        As ``read``, where examples are known with noise and without, of those with it; else None.
    all
        Where these are but a sample of what is learned from, all of it; else None.
    """

    read: Callable[[Tensor], Tensor]
    rows: Tensor
    features: int
    context: Tensor | None
    weights: Tensor | None = None
    noisy: Callable[[Tensor], Tensor] | None = None
    all: Epochs | None = None

    @classmethod
    def of(cls, x: Tensor, context: Tensor | None, features: int | None = None) -> Self:
        """Return those of ``x`` (n, features) and ``context`` (n, classes), in memory."""
        return cls(partial(torch.index_select, x, 0), numbered(len(x)), features or x.shape[1], context)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def n(self) -> int:
        """How many an epoch has."""
        return len(self if self.all is None else self.all)

    def take(self, rows: Tensor) -> Batch:
        """Return the examples at ``rows`` (k,) among these."""
        return self.read_at(self.rows[rows])

    def read_at(self, rows: Tensor) -> Batch:
        """Return the examples at ``rows`` (k,) in the whole data."""
        context = None if self.context is None else self.context[rows]
        return Batch(self.read(rows), context, None if self.noisy is None else self.noisy(rows))

    def clean(self) -> Self:
        """Return them as if they were only known without noise."""
        return replace(self, noisy=None)

    def subset(self, rows: Tensor) -> Self:
        """Return the examples at ``rows`` (k,), of which nothing is read yet."""
        return replace(self, rows=self.rows.index_select(0, rows))

    def shuffled(self, generator: torch.Generator) -> Tensor:
        """Return their rows in the whole data, (n,), in an order by chance.

        Where they have weights, those are drawn by systematic resampling (Kitagawa 1996): one of twice the mean weight
        comes twice, and any other as often as its weight says, on average and to within one. An adaptive step would
        take little note of a weight that only scaled a batch's loss.
        """
        # A GPU's order may not be the same in 32 bits.
        bits = self.rows.dtype if generator.device.type == "cpu" else torch.int64
        order = torch.randperm(len(self), generator=generator, device=generator.device, dtype=bits).cpu()
        order = self.rows.index_select(0, order)
        if self.weights is None:
            return order
        shares = self.weights[order].cumsum(0)
        start = torch.rand(1, generator=generator, device=generator.device).cpu()
        points = (torch.arange(len(self)) + start) * (shares[-1] / len(self))
        drawn = order[torch.searchsorted(shares, points, right=True).clamp_max(len(self) - 1)]
        return drawn[torch.randperm(len(self), generator=generator, device=generator.device).cpu()]

    def weighted(self) -> Self:
        """Return as many of them, each as often as its weight says: what has no weights goes by these."""
        if self.weights is None or not len(self):
            return self
        return replace(self, rows=self.shuffled(torch.Generator().manual_seed(0)), weights=None)

    def on(self, device: torch.device) -> Self:
        """Return them as they are given out on ``device``; where they are held they stay."""
        if device.type == "cpu":
            return self
        context, noisy = (None if self.context is None else self.context.to(device)), self.noisy
        return replace(
            self,
            read=lambda rows: self.read(rows).to(device),
            context=context,
            noisy=None if noisy is None else lambda rows: noisy(rows).to(device),
            all=None if self.all is None else self.all.on(device),
        )

    def spans(self, most: int = ROWS_AT_ONCE) -> Iterator[Tensor]:
        """Yield the rows of all of them in order, at most ``most`` at a time; of none, none once."""
        n, size = len(self), max(1, min(most, NUMBERS_AT_ONCE // self.features))
        return (torch.arange(begin, min(begin + size, n)) for begin in range(0, max(1, n), size))

    def chunks(self, most: int = ROWS_AT_ONCE) -> Iterator[Batch]:
        """Yield all of them in order, at most ``most`` at a time."""
        return map(self.take, self.spans(most))
