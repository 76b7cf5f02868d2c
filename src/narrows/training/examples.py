"""Examples to learn from or to judge by, in memory or read as they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import torch
from torch import Tensor

from narrows.models.model import Batch

__all__ = ["CHUNK", "Examples"]

CHUNK, NUMBERS = 4096, 2**20
"""Examples, and numbers in them, a pass when nothing is learned: enough to be quick, few enough for any memory."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Scaled inputs (n, features) and, for a conditional model, their classes.

    Attributes
    ----------
    read
        Places (k,) in the whole data ↦ their scaled inputs (k, features).
    places
        (n,), which of the whole data these are.
    features
        What an example takes on its way through the nets, at least.
    context
        The classes of the whole data one-hot, (all, classes), or None.
    """

    read: Callable[[Tensor], Tensor]
    places: Tensor
    features: int
    context: Tensor | None

    @classmethod
    def of(cls, x: Tensor, context: Tensor | None, features: int | None = None) -> Self:
        """Return those of ``x`` (n, features) and ``context`` (n, classes), in memory."""
        return cls(partial(torch.index_select, x, 0), torch.arange(len(x)), features or x.shape[1], context)

    def __len__(self) -> int:
        return len(self.places)

    def take(self, places: Tensor) -> Batch:
        """Return the examples at ``places`` (k,) among these."""
        at = self.places[places]
        return Batch(self.read(at), None if self.context is None else self.context[at])

    def part(self, places: Tensor) -> Self:
        """Return the examples at ``places`` (k,), of which nothing is read yet."""
        return replace(self, places=self.places[places])

    def on(self, device: torch.device) -> Self:
        """Return them as they are given out on ``device``; where they are held they stay."""
        if device.type == "cpu":
            return self
        context = None if self.context is None else self.context.to(device)
        return replace(self, read=lambda places: self.read(places).to(device), context=context)

    def spans(self, most: int = CHUNK) -> Sequence[Tensor]:
        """Return the places of all of them in order, at most so many at a time."""
        parts: Sequence[Tensor] = torch.arange(len(self)).split(max(1, min(most, NUMBERS // self.features)))
        return parts

    def chunks(self, most: int = CHUNK) -> Iterator[Batch]:
        """Yield all of them in order, at most so many at a time."""
        return map(self.take, self.spans(most))
