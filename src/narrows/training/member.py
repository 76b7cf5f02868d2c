"""What is trained, with what it learns from."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import torch

from narrows.models.model import BottleneckModel, check_nets
from narrows.training.dense.stack import kind_of
from narrows.training.examples import Examples
from narrows.training.general import Objective

__all__ = ["BOTH_WAYS", "Member", "operations_of_step"]

BOTH_WAYS = 3
"""Times the operations of a forward pass that a step has."""


@dataclass(frozen=True, slots=True)
class Member:
    """A model to train, in place.

    Attributes
    ----------
    model
        To be trained.
    training, validation
        The examples to learn from, and those held out to validate each epoch by; of the latter there may be none.
    generator
        The only source of chance.
    operations
        Floating-point operations of an example's way through the nets.
    contamination
        Which share of the examples is odd, and not to be learned from, as in `rank_threshold`; None if none is.
    """

    model: BottleneckModel
    training: Examples
    validation: Examples
    generator: torch.Generator
    operations: int
    contamination: float | str | None = None

    def kind(self, objective: Objective) -> Hashable | None:
        """Return what it must have in common with those it is trained side by side with; None if it must be alone."""
        alone = self.training.context is not None or self.model.in_half
        return None if alone else kind_of(self.model, objective)

    def on(self, device: torch.device) -> Member:
        """Move the model to ``device``, and return this with the examples given out and the noise drawn there."""
        if device.type == "cpu":
            return self
        self.model.to(device)
        moved = replace(self, training=self.training.on(device), validation=self.validation.on(device))
        few = torch.arange(min(2, len(self.training)))
        check_nets(self.model, moved.training.take(few))  # a user's may stay behind
        return replace(moved, generator=torch.Generator(device).manual_seed(self.generator.initial_seed()))

    def back(self) -> None:
        """Move the model back to where it is used."""
        self.model.compiled = {}
        self.model.cpu()


def operations_of_step(members: Sequence[Member], batch_size: int) -> int:
    """Return the floating-point operations of a step of ``members`` side by side, with that many examples each."""
    return BOTH_WAYS * batch_size * sum(member.operations for member in members)
