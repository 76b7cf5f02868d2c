"""The order in which examples are learned from, drawn anew every epoch, and reading them batch by batch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any

import torch
from torch import Tensor

from narrows.models.model import Batch
from narrows.training.distributed import Alone, Processes
from narrows.training.examples import Examples
from narrows.training.member import Member

__all__ = ["Batches", "Order"]

NUMBERS_AT_ONCE = 2**18
"""In inputs that are read at a time, unless one batch has more: a megabyte, which stays in a processor's cache."""


@dataclass(slots=True)
class Order:
    """All of `Batches` that changes.

    Attributes
    ----------
    rows
        Which of the whole data each model that learns sees in this epoch, in order, (models, n); or the seed of that
        order, (1, 1), where there are more than memory holds.
    given
        Batches of them that were given out.
    """

    rows: Tensor
    given: int


class Batches:
    """The examples of several members, as many each, from one source.

    Parameters
    ----------
    members
        Whose examples, and whose sources of chance.
    size
        Examples a batch; the last one of an epoch takes what is left.
    processes
        That share each batch.

    Attributes
    ----------
    n, count
        Examples, and batches, an epoch.
    """

    def __init__(self, members: Sequence[Member], size: int, processes: Alone | Processes) -> None:
        self.members, self.size, self.processes = members, size, processes
        self.n = members[0].training.n
        self.count = math.ceil(self.n / size)
        self.now: Order
        self._stream: Iterator[Batch]
        self.free()

    @property
    def over(self) -> bool:
        """Whether all batches of an epoch were given out."""
        return self.now.given == self.count

    def next(self, active: Sequence[int], ordinary: Sequence[Examples] | None = None) -> Batch:
        """Return the next examples of the ``active`` members, whose arrays are (models, examples, …).

        Those of a new epoch are drawn from the ``ordinary`` ones of each, or from all.
        """
        if self.over:
            members = [self.members[number] for number in active]
            if ordinary is None:
                rows = [_order(member) for member in members]
            else:
                each = zip(ordinary, members, strict=True)
                rows = [examples.shuffled(member.generator) for examples, member in each]
            self.now = Order(rows[0][None] if len(rows) == 1 else torch.stack(rows), 0)
            self._stream = self._read()
        batch = next(self._stream)
        self.now.given += 1
        return batch

    @property
    def examples(self) -> int:
        """How many the batch has that was given out last."""
        return min(self.size, self.n - (self.now.given - 1) * self.size)

    def state(self) -> Order:
        """Return all that changes."""
        return replace(self.now)

    def restore(self, state: Order) -> None:
        """Go on from what `state` has returned."""
        self.now = state
        self._stream = self._read()

    def free(self) -> None:
        """Let go of the order, once there are no more steps."""
        self.now, self._stream = Order(torch.empty(0, 0, dtype=torch.int64), self.count), iter(())

    def _read(self) -> Iterator[Batch]:
        """Yield the batches of this epoch that were not given out yet.

        Several small ones are read at a time, since each reading takes as long as a few operations of a step.
        """
        source, models, size = self.members[0].training, len(self.now.rows), self.size
        if source.all is not None:
            yield from _in_batches(source.all.epoch(int(self.now.rows), self.now.given * size), size)
            return
        at_once = max(1, NUMBERS_AT_ONCE // (models * size * source.features)) if self.processes.size == 1 else 1
        for some in self.now.rows[:, self.now.given * size :].split(at_once * size, 1):
            whole = source.read_at(_batch_by_batch(self.processes.share(some), size))
            parts: list[Iterable[Any]] = [repeat(None) if x is None else _by_model(x, models, size) for x in whole]
            yield from map(Batch, *parts)


def _order(member: Member) -> Tensor:
    """Return the rows of an epoch, in an order by chance, or the seed of such an order."""
    if member.training.all is None:
        return member.training.shuffled(member.generator)
    return torch.randint(2**62, (1,), generator=member.generator, device=member.generator.device).cpu()


def _in_batches(inputs: Iterator[Tensor], size: int) -> Iterator[Batch]:
    """Yield ``inputs``, which come as they are read, in batches of one model, the last of what is left."""
    rest: Tensor | None = None
    for x in inputs:
        whole = x if rest is None else torch.cat([rest, x])
        *batches, rest = whole.split(size) if len(whole) % size else (*whole.split(size), whole[:0])
        yield from (Batch(batch[None], None) for batch in batches)
    if rest is not None and len(rest):
        yield Batch(rest[None], None)


def _batch_by_batch(rows: Tensor, size: int) -> Tensor:
    """Return ``rows`` (models, n) such that each batch of all models stands by itself."""
    whole = rows.shape[1] // size * size
    return torch.cat([rows[:, :whole].unflatten(1, (-1, size)).transpose(0, 1).flatten(), rows[:, whole:].flatten()])


def _by_model(tensor: Tensor, models: int, size: int) -> list[Tensor]:
    """Return the batches that stand one after another in ``tensor``, each (models, size or less, …)."""
    whole, features = len(tensor) // (models * size), tensor.shape[1]
    full, rest = tensor.split([whole * models * size, len(tensor) % (models * size)])
    batches = [*full.view(whole, models, size, features).unbind()]
    return [*batches, rest.view(models, -1, features)] if len(rest) else batches
