"""Learning by automatic differentiation: any model, any objective, one at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from narrows.models.model import Batch, BottleneckModel
from narrows.training.adamw import adamw_step

__all__ = ["General", "Objective", "rates"]

Objective = Callable[[BottleneckModel, Batch, torch.Generator, float], Tensor]

WIDE = 1024
"""Inputs of a layer up to which its weights have the learning rate itself."""

MOMENTS = "first", "second"
"""What AdamW keeps of each weight's gradients."""


def rates(model: BottleneckModel) -> dict[Tensor, float]:
    """Return the nets' parameters and the fraction of the learning rate that each has.

    Weights of more than 1,024 inputs move more slowly in proportion, or a step would move their sum too far (Yang et
    al., “Tensor programs V”, 2021).
    """
    fractions: dict[Tensor, float] = {p: 1.0 for net in (model.encoder, model.decoder) for p in net.parameters()}
    for layer in (*model.encoder.modules(), *model.decoder.modules()):
        if isinstance(layer, nn.Linear) and layer.in_features > WIDE:
            fractions[layer.weight] = WIDE / layer.in_features
    return fractions


class General:
    """One model and AdamW (Loshchilov & Hutter 2019).

    Parameters
    ----------
    model, objective
        What is trained, and what is lowered.
    learning_rate, weight_decay
        Nets decay; a likelihood's scale and pseudo-inputs do not.
    """

    def __init__(self, model: BottleneckModel, objective: Objective, learning_rate: float, weight_decay: float) -> None:
        self.model, self.objective = model, objective
        self.groups: dict[tuple[float, float], list[Tensor]] = {}
        for weights, fraction in rates(model).items():
            self.groups.setdefault((learning_rate * fraction, weight_decay), []).append(weights)
        others = [*model.likelihood.parameters(), *model.prior.parameters()]
        self.groups.setdefault((learning_rate, 0.0), []).extend(others)
        self.moments = {p: (torch.zeros_like(p), torch.zeros_like(p)) for group in self.groups.values() for p in group}
        self.steps = torch.zeros((), device=next(iter(self.moments)).device)

    def step(
        self,
        batch: Batch,
        generators: Sequence[torch.Generator],
        progress: float,
        fraction: float,
        momentum: float,
    ) -> Tensor:
        """Lower the objective by a step and return its mean loss before, (1,), in nats per example.

        Parameters
        ----------
        batch
            Examples, whose arrays have another axis in front, of length 1.
        generators
            The model's own, the only source of chance.
        progress
            The fraction of the training done, in [0, 1].
        fraction, momentum
            Of the full learning rate, and β₁.
        """
        self.free()
        loss = self.objective(self.model, batch.take(0), generators[0], progress).mean()
        loss.backward()
        self._update(fraction, momentum)
        return loss.detach()[None]

    @torch.no_grad()
    def _update(self, fraction: float, momentum: float) -> None:
        """Take AdamW's step."""
        self.steps.add_(1)
        for (rate, decay), group in self.groups.items():
            moved = [(p, p.grad, *self.moments[p]) for p in group if p.grad is not None]
            if moved:
                values, gradients, first, second = zip(*moved, strict=True)
                rates_now = {"rate": rate * fraction, "momentum": momentum, "decay": decay}
                adamw_step(values, gradients, first, second, self.steps, **rates_now)

    def aim(self, objective: Objective) -> None:
        """Lower another ``objective`` from the next step on."""
        self.objective = objective

    def store(self) -> None:
        """Leave the weights in the model, where they already are."""

    @torch.no_grad()
    def finite(self) -> list[bool]:
        """Say whether all weights are: whether their sums are, which is found sooner."""
        weights = [*self.model.parameters()]
        return [math.isfinite(sum(p.sum().item() for p in weights)) or all(bool(p.isfinite().all()) for p in weights)]

    def keep(self, numbers: Sequence[int]) -> None:
        """Go on with the only model."""

    def free(self) -> None:
        """Let go of the gradients."""
        for weights in self.moments:
            weights.grad = None

    def state(self) -> dict[str, Tensor]:
        """Return a copy of the weights and of Adam's moments."""
        state = {f"model.{name}": tensor.clone() for name, tensor in self.model.state_dict().items()}
        for number, moments in enumerate(self.moments.values()):
            state |= {f"adam.{number}.{name}": tensor.clone() for name, tensor in zip(MOMENTS, moments, strict=True)}
        return state | {"adam.steps": self.steps.clone()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go back to what `state` has returned."""
        self.model.load_state_dict({name[6:]: value for name, value in state.items() if name.startswith("model.")})
        self.steps.copy_(state["adam.steps"])
        for number, moments in enumerate(self.moments.values()):
            for name, tensor in zip(MOMENTS, moments, strict=True):
                tensor.copy_(state[f"adam.{number}.{name}"])
