"""Where a training stands, and going back to where it was sound when it diverges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from narrows.training.dense.stack import Stack
from narrows.training.general import General

__all__ = ["Position", "Recovery", "Retreat"]

HALVINGS = 3
"""Of the learning rate, before a training that diverges is given up."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a training stands, apart from how good its models are.

    Attributes
    ----------
    done
        Steps taken.
    learner
        Its weights, and the moments of their gradients.
    generators
        The states of the active members' sources of chance, by number.
    """

    done: int
    learner: dict[str, Tensor]
    generators: dict[str, Tensor]


@dataclass(slots=True)
class Retreat:
    """All of a `Recovery` that changes.

    Attributes
    ----------
    sound
        Where the last epoch ended whose loss and weights were finite.
    halvings
        How often the training went back, and halved the learning rate.
    """

    sound: Position
    halvings: int


class Recovery:
    """Going back when loss or weights are no longer finite, each time to half the learning rate.

    Parameters
    ----------
    learner, generators
        What has a state besides the number of steps.
    """

    def __init__(self, learner: General | Stack, generators: Sequence[torch.Generator]) -> None:
        self.learner, self.generators = learner, generators
        self.now = Retreat(self.position(0, range(len(generators))), 0)

    @property
    def fraction(self) -> float:
        """Of the learning rate, that is left of it."""
        return 0.5**self.now.halvings

    def position(self, done: int, active: Sequence[int]) -> Position:
        """Return a copy of where a training stands that has taken ``done`` steps."""
        return Position(done, self.learner.state(), {str(n): self.generators[n].get_state() for n in active})

    def go_to(self, position: Position) -> None:
        """Set the learner and the sources of chance to what they were at ``position``."""
        self.learner.restore(position.learner)
        for number, state in position.generators.items():
            self.generators[int(number)].set_state(state)

    def go_back(self, epoch: int, rate: float, learning_rate: float) -> str:
        """Return to the last sound position, at half the learning rate, and say so.

        Parameters
        ----------
        epoch
            The one that has just ended.
        rate, learning_rate
            Those that its last step took, and that was asked for.

        Raises
        ------
        FloatingPointError
            If the rate has been halved three times before.
        """
        if self.now.halvings == HALVINGS:
            raise FloatingPointError(
                f"training diverged in epoch {epoch}: its loss or weights are no longer finite, even at a "
                f"learning rate of {rate:.3g}; try a learning_rate well below {learning_rate:.3g}, "
                "or look for values far from all others in the data"
            )
        self.now.halvings += 1
        self.go_to(self.now.sound)
        return f"loss or weights were not finite in epoch {epoch}; training goes back to before it, at half the rate"

    def state(self) -> Retreat:
        """Return all that changes, not a copy."""
        return self.now

    def restore(self, state: Retreat) -> None:
        """Go on from what `state` has returned."""
        self.now = state
