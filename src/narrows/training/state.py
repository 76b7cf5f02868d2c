"""All that the rest of a training depends on: what is not here would be lost on the way through a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from narrows.training.batches import Order
from narrows.training.contest import Standing
from narrows.training.recovery import Position, Retreat

__all__ = ["Progress", "State"]


@dataclass(slots=True)
class Progress:
    """All that changes of a training itself.

    Attributes
    ----------
    done
        Steps taken.
    total
        The sum of each active model's losses in this epoch, (active,).
    changed
        What the training was told to go on with on the way, by name.
    """

    done: int
    total: Tensor
    changed: dict[str, float]


@dataclass(frozen=True, slots=True)
class State:
    """All that the rest of a training depends on, which is what a checkpoint holds.

    Attributes
    ----------
    position, progress, order, standing, retreat
        Of the training and its parts.
    threads
        As in `narrows.training.processor.Threads`.
    in_half
        Whether the nets learn in 16 bits.
    epochs
        That were asked for.
    seconds
        Since the start.
    """

    position: Position
    progress: Progress
    order: Order
    standing: Standing
    retreat: Retreat
    threads: dict[str, Any]
    in_half: bool
    epochs: int
    seconds: float
