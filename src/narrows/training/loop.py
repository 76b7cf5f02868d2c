"""The loop. Progress bars, web pages, notebooks and early stopping all consume the same generator of steps."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import ConstantLR, LRScheduler, OneCycleLR

from narrows.models.model import Batch, BottleneckModel
from narrows.models.nets import has_convolutions
from narrows.training.examples import Examples

__all__ = ["SCHEDULES", "Objective", "Step", "limited_threads", "threads_for", "train"]

Objective = Callable[[BottleneckModel, Batch, torch.Generator, float], Tensor]

WIDE = 1024
"""Inputs of a layer up to which its weights have the learning rate itself."""

WORTH_MORE_THREADS = 2e9
"""Floating-point operations a step; below this, on a small net, threads wait for each other more than they help."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of training.

    Attributes
    ----------
    epoch, epochs
        The current epoch, from 1, and how many there will be at most.
    step, steps
        The current step, from 1 over all epochs, and how many there will be at most.
    loss
        The batch's mean loss in nats per example, a scalar tensor.
    row
        At an epoch's last step, its row of the history: ``epoch``, ``loss`` and ``validation_loss`` (nats per example,
        the latter only where there is a validation part), ``learning_rate`` and ``seconds`` since the start.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: Tensor
    row: dict[str, float] | None


def one_cycle(optimiser: Optimizer, steps: int) -> LRScheduler:
    """Warm up over 30 % of ``steps`` to the rates given, then down to almost none by a cosine (Smith & Topin 2019)."""
    # Torch counts its last step as one too many where there are fewer than four.
    rates = [group["lr"] for group in optimiser.param_groups]
    return OneCycleLR(optimiser, rates, total_steps=max(steps, 4) + 1)


def constant(optimiser: Optimizer, steps: int) -> LRScheduler:  # noqa: ARG001 - one signature for all
    """Keep the rates as they are."""
    return ConstantLR(optimiser, factor=1)


SCHEDULES: dict[str, Callable[[Optimizer, int], LRScheduler]] = {"one-cycle": one_cycle, "constant": constant}


def train(
    model: BottleneckModel,
    objective: Objective,
    examples: Examples,
    held_out: Examples,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    schedule: str,
    patience: int,
    generator: torch.Generator,
) -> Generator[Step]:
    """Train ``model`` in place by AdamW (Loshchilov & Hutter 2019; Adam itself at no weight decay), a step a yield.

    However the generator ends, by its last step, by ``close()`` or by an error, ``model`` holds the best weights seen:
    those of the lowest validation loss, or the last epoch's where there is no validation part. Until it ends, torch
    uses as many threads as a step is worth.

    Parameters
    ----------
    objective
        (model, batch, generator, progress in [0, 1]) ↦ the loss of each example, (n,), in nats.
    examples, held_out
        What to learn from, and to judge each epoch by; of the latter there may be none.
    epochs, patience
        At most so many passes over ``examples``, and fewer once ``patience`` of them have not lowered the
        validation loss.
    batch_size
        Examples a step; the last step of an epoch takes what is left.
    schedule
        A key of `SCHEDULES`.
    generator
        The only source of chance.

    Raises
    ------
    FloatingPointError
        When the loss is no longer finite.
    """
    optimiser = AdamW(_groups(model, learning_rate, weight_decay), fused=True)
    n = len(examples)
    steps = epochs * math.ceil(n / batch_size)
    scheduler = SCHEDULES[schedule](optimiser, steps)

    def update(batch: Batch, progress: float) -> Tensor:
        loss = objective(model, batch, generator, progress).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        scheduler.step()
        return loss.detach()

    def row(epoch: int, loss: float, learning_rate: float) -> dict[str, float]:
        judged = {"validation_loss": mean_loss(model, objective, held_out)} if len(held_out) else {}
        seconds = time.perf_counter() - started
        return {"epoch": epoch, "loss": loss, **judged, "learning_rate": learning_rate, "seconds": seconds}

    started, total = time.perf_counter(), torch.zeros(())
    with limited_threads(threads_for(model, batch_size)), _Best(model) as best:
        for step, (epoch, batch, last) in enumerate(_batches(n, batch_size, epochs, generator), 1):
            rate = float(scheduler.get_last_lr()[0])
            loss = update(examples.take(batch), (step - 1) / steps)
            total += loss * len(batch)
            ended = None
            if last:
                ended = row(epoch, total.item() / n, rate)
                total.zero_()
                best.see(ended)
            yield Step(epoch, epochs, step, steps, loss, ended)
            if last and epoch - best.epoch >= patience:
                return


def _batches(n: int, batch_size: int, epochs: int, generator: torch.Generator) -> Iterator[tuple[int, Tensor, bool]]:
    """Yield (epoch, places of the batch's examples, whether it is the epoch's last), in a new order every epoch."""
    for epoch in range(1, epochs + 1):
        batches = torch.randperm(n, generator=generator).split(batch_size)
        for number, batch in enumerate(batches, 1):
            yield epoch, batch, number == len(batches)


class _Best:
    """The best weights so far, put back at the end; by validation loss, or the latest where there is no such part."""

    def __init__(self, model: BottleneckModel) -> None:
        self.model, self.epoch, self.loss = model, 0, math.inf
        self.weights = copy.deepcopy(model.state_dict())

    def see(self, row: dict[str, float]) -> None:
        loss = row.get("validation_loss", -row["epoch"])
        if not math.isfinite(row["loss"] + loss):
            raise FloatingPointError(
                f"training diverged in epoch {row['epoch']}: the loss is {row['loss']}; "
                f"try a learning_rate well below {row['learning_rate']:.3g}"
            )
        if loss < self.loss:
            self.epoch, self.loss = int(row["epoch"]), loss
            self.weights = copy.deepcopy(self.model.state_dict())

    def __enter__(self) -> Self:
        self.model.train()
        return self

    def __exit__(self, *_: object) -> None:
        self.model.load_state_dict(self.weights)


def _groups(model: BottleneckModel, learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
    """Return the parameters as AdamW takes them: nets decay, a likelihood's scale and pseudo-inputs do not.

    Weights of more than 1,024 inputs move more slowly in proportion, or a step would move their sum too far (Yang et
    al., «Tensor programs V», 2021).
    """
    wide = {
        layer.weight: learning_rate * WIDE / layer.in_features
        for layer in model.modules()
        if isinstance(layer, nn.Linear) and layer.in_features > WIDE
    }
    nets = [p for p in (*model.encoder.parameters(), *model.decoder.parameters()) if p not in wide]
    others = [*model.likelihood.parameters(), *model.prior.parameters()]
    return [
        {"params": nets, "lr": learning_rate, "weight_decay": weight_decay},
        {"params": others, "lr": learning_rate, "weight_decay": 0.0},
        *({"params": [p], "lr": rate, "weight_decay": weight_decay} for p, rate in wide.items()),
    ]


@torch.no_grad()
def mean_loss(model: BottleneckModel, objective: Objective, held_out: Examples) -> float:
    """Return the mean loss in nats per example, with the same noise at every call, as at the end of training."""
    generator = torch.Generator().manual_seed(0)
    model.eval()
    losses = [objective(model, chunk, generator, 1.0) for chunk in held_out.chunks()]
    model.train()
    return float(torch.cat(losses).mean())


def threads_for(model: nn.Module, batch_size: int) -> int:
    """Return how many threads a step of ``batch_size`` examples is worth: one, unless its arithmetic is heavy."""
    if has_convolutions(model):
        return torch.get_num_threads()
    operations = 6 * batch_size * sum(p.numel() for p in model.parameters())
    return torch.get_num_threads() if operations > WORTH_MORE_THREADS else 1


@contextmanager
def limited_threads(count: int) -> Iterator[None]:
    """Let torch use ``count`` threads inside, and as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
