"""The loop. Progress bars, web pages, notebooks and early stopping all consume the same generator of steps."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import torch
from torch import Tensor

from narrows.models.objectives import Contractive, with_beta
from narrows.training.best import Best, mean_loss
from narrows.training.checkpoint import Checkpoint
from narrows.training.dense.stack import Stack
from narrows.training.distributed import Alone, Processes
from narrows.training.general import General, Objective
from narrows.training.member import Member, operations_of_step
from narrows.training.noticing import looks, noticed
from narrows.training.processor import Threads, compiled_for, exact, limited_threads, threads_for, without_denormals
from narrows.training.schedules import SCHEDULES

__all__ = ["Step", "Training"]

NUMBERS_AT_ONCE = 2**18
"""In inputs that are read at a time, unless one batch has more: a megabyte, which stays in a processor's cache."""

HALVINGS = 3
"""Of the learning rate, before a training that diverges is given up."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of training.

    Attributes
    ----------
    epoch, epochs
        The current epoch, from 1, and how many there will be at most.
    step, steps
        The current step, from 1 over all epochs, and how many there will be at most.
    losses
        The batch's mean loss in nats per example, of each model that is still trained, (models,).
    training
        What takes the steps, and can be told to go on otherwise: `Training.change`.
    rows
        At an epoch's last step, each model's row of the history, by its place: ``epoch``, ``loss`` and
        ``validation_loss`` (nats per example, the latter only where there is a validation part), ``learning_rate`` and
        ``seconds`` since the start.
    notes
        What was noticed in this step for the first time, in words: each model's, by its place.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    losses: Tensor
    training: Training = field(repr=False, compare=False)
    rows: dict[int, dict[str, float]]
    notes: dict[int, list[str]] = field(default_factory=dict)

    @property
    def loss(self) -> Tensor:
        """The batch's mean loss in nats per example, a scalar tensor; the mean over models trained together."""
        return self.losses.mean()

    @property
    def row(self) -> dict[str, float] | None:
        """The only model's row, where one is trained alone."""
        return self.rows.get(0)


class Training:
    """The training of one model, or of several of one kind side by side, each as if it were alone.

    By AdamW (Loshchilov & Hutter 2019; Adam itself at no weight decay). However `steps` ends, by its last step, by
    ``close()`` or by an error, the models hold the best weights seen: those of the lowest validation loss, or the last
    whole epoch's where there is no validation part. Until it ends, torch has as many threads as a step is worth.

    Parameters
    ----------
    members
        The models; several must be of one kind, with as many examples each, from one source.
    objective
        (model, batch, generator, progress in [0, 1]) ↦ the loss of each example, (n,), in nats.
    epochs, patience
        At most so many passes over the examples, and fewer once ``patience`` of them have not lowered the
        validation loss.
    batch_size
        Examples a step; the last step of an epoch takes what is left.
    learning_rate, weight_decay
        As of AdamW.
    schedule
        A key of `narrows.training.schedules.SCHEDULES`.
    checkpoint
        Where to leave the state now and then, and to go on from if there is one already; of several processes the first
        has it.
    processes
        That train the one model together.
    device
        Where the models are while they learn.

    Attributes
    ----------
    history
        Of each member, a row per epoch.
    notes
        Of each member, what was noticed, by kind and in words.
    diverged
        The places of the members that left the others because their loss or weights were no longer finite.
    """

    def __init__(
        self,
        members: Sequence[Member],
        objective: Objective,
        *,
        epochs: int,
        batch_size: int,
        learning_rate: float,
        weight_decay: float,
        schedule: str,
        patience: int,
        checkpoint: Checkpoint | None,
        processes: Alone | Processes,
        device: torch.device,
    ) -> None:
        self.n, self.batches = len(members[0].learned), math.ceil(len(members[0].learned) / batch_size)
        self.steps_at_most = epochs * self.batches
        self.members = [member.on(device) for member in members]
        self.checkpoint, self.processes, self.device = checkpoint, processes, device
        self.objective = processes.shared(objective)
        self.epochs, self.batch_size, self.patience = epochs, batch_size, patience
        self.learning_rate, self.pace = learning_rate, SCHEDULES[schedule]
        self.first_rate, self.changed, self.comparable = learning_rate, dict[str, float](), 0
        models, first = [member.model for member in self.members], self.members[0]
        if first.kind(objective) is None or processes.size > 1:
            if not isinstance(objective, Contractive):  # whose gradient of a gradient the compiler refuses
                first.model.compiled = compiled_for(first.model, device, self.steps_at_most)
            parallel = processes.parallel(first.model, self.objective)
            self.learner: General | Stack = General(first.model, parallel, learning_rate, weight_decay)
        else:
            self.learner = Stack(models, objective, learning_rate, weight_decay)
        self.threads = Threads(max(1, threads_for(operations_of_step(members, batch_size)) // processes.local))
        self.active = list(range(len(members)))
        self.history: list[list[dict[str, float]]] = [[] for _ in members]
        self.best = [Best() for _ in members]
        self.diverged: list[int] = []
        self.notes: list[dict[str, str]] = [{} for _ in members]
        self.looks = looks(epochs)
        self.done = self.halvings = 0
        self.orders = torch.empty(len(members), self.n, dtype=torch.int64)
        self.stream: Iterator[tuple[Tensor, Tensor | None]] = iter(())
        self.total = torch.zeros(len(members), device=device)
        self.started = time.perf_counter()
        self.good = self._position()

    def steps(self) -> Generator[Step]:
        """Train, a step a yield.

        Raises
        ------
        FloatingPointError
            When the only model's loss or weights are no longer finite, also at an eighth of the learning rate.
        CheckpointError, OSError
            When the checkpoint is of another training, or cannot be read or written.
        """
        if found := self.processes.broadcast(self.checkpoint and self.checkpoint.read()):
            self._resume(*found)
        normal = without_denormals()
        with limited_threads(self.threads.count), exact(self.device):
            try:
                for member in self.members:
                    member.model.train()
                while self.done < self.steps_at_most and self.active:
                    with normal:
                        step = self._advance()
                    if self.checkpoint and (self.checkpoint.due or self.done == self.steps_at_most or not self.active):
                        self.checkpoint.write(*self._state())
                    yield step
            finally:
                self._settle()

    def change(self, *, learning_rate: float | None = None, beta: float | None = None) -> None:
        """Take the next steps at another learning rate, on which the schedule goes on, or with another β.

        From a new β on the best weights are sought anew, since losses with different ones don't compare.

        Raises
        ------
        TypeError, ValueError
            If a value is out of range, the objective has no β, or several processes train.
        """
        if self.processes.size > 1:
            raise ValueError("several processes train this model; what they go by cannot be changed on the way")
        if learning_rate is not None:
            if not 0 < learning_rate < math.inf:
                raise ValueError(f"learning_rate={learning_rate} must be a number above 0")
            self.learning_rate = self.changed["learning_rate"] = learning_rate
        if beta is not None:
            self.objective = with_beta(self.objective, beta)
            self.learner.aim(self.objective)
            self.changed["beta"] = beta
            self.best = [Best() for _ in self.members]
            self.comparable = max(map(len, self.history))

    def weights(self) -> dict[str, Tensor]:
        """Return a copy of the first model's weights as they are now."""
        self.learner.store()
        return {name: tensor.to("cpu", copy=True) for name, tensor in self.members[0].model.state_dict().items()}

    def _advance(self) -> Step:
        place = self.done % self.batches
        if place == 0:
            for row, member in enumerate(self.members[number] for number in self.active):
                order = torch.randperm(self.n, generator=member.generator, device=self.device)
                self.orders[row] = member.learned.places[order.cpu()]
            self.stream = self._batches(0)
        x, context = next(self.stream)
        part, momentum = self.pace(self.done, self.steps_at_most)
        part *= 0.5**self.halvings * self.learning_rate / self.first_rate
        generators = [self.members[member].generator for member in self.active]
        with self.threads:
            losses = self.learner.step(x, context, generators, self.done / self.steps_at_most, part, momentum)
        losses = self.processes.mean(losses)
        self.total.add_(losses, alpha=min(self.batch_size, self.n - place * self.batch_size))
        epoch, step = self.done // self.batches + 1, self.done + 1
        self.done = step  # from which the end of an epoch may go back
        if step % self.batches:
            return Step(epoch, self.epochs, step, self.steps_at_most, losses, self, {})
        known = [len(notes) for notes in self.notes]
        rows = self._end_epoch(epoch, self.first_rate * part)
        notes = {i: [*self.notes[i].values()][n:] for i, n in enumerate(known) if len(self.notes[i]) > n}
        return Step(epoch, self.epochs, step, self.steps_at_most, losses, self, rows, notes)

    def _batches(self, place: int) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Yield inputs (models, examples, features) and their context batch by batch, of this epoch from ``place`` on.

        Several small batches are read at a time, since each reading takes as long as a few operations of a step.
        """
        source, models, size = self.members[0].learned, len(self.orders), self.batch_size
        at_once = max(1, NUMBERS_AT_ONCE // (models * size * source.features)) if self.processes.size == 1 else 1
        for some in self.orders[:, place * size :].split(at_once * size, 1):
            places = torch.cat([batch.flatten() for batch in self.processes.share(some).split(size, 1)])
            x = source.read(places).split(models * size)
            context = repeat(None) if source.context is None else source.context[places].split(models * size)
            for inputs, beside in zip(x, context, strict=False):
                yield inputs.view(models, -1, inputs.shape[1]), None if beside is None else beside[None]

    def _end_epoch(self, epoch: int, rate: float) -> dict[int, dict[str, float]]:
        """Judge the models, part with those that diverged or have been patient for long, and return their rows."""
        if len(self.members[0].judged):
            self.learner.store()
        rows, lost, over = {}, [], []
        fine = self.learner.finite() & torch.isfinite(self.total)
        for place, number in enumerate(self.active):
            member = self.members[number]
            row = {"epoch": epoch, "loss": float(self.total[place]) / self.n}
            if len(member.judged):
                row["validation_loss"] = mean_loss(member.model, self.objective, member.judged, self.processes)
            if not fine[place] or not math.isfinite(row.get("validation_loss", 0)):
                lost.append(place)
                continue
            rows[number] = row | {"learning_rate": rate, "seconds": time.perf_counter() - self.started}
            if self._see(number, rows[number]) >= self.patience:
                over.append(place)
        if lost and len(self.members) == 1:
            return self._go_back(rate)
        for number, row in rows.items():
            self.history[number].append(row)
        if epoch in self.looks:
            self._look(list(rows))
        self.diverged += [self.active[place] for place in lost]
        self._keep([place for place in range(len(self.active)) if place not in {*lost, *over}])
        return rows

    def _look(self, numbers: list[int]) -> None:
        """Note what is wrong with these models."""
        self.learner.store()
        for number in numbers:
            member = self.members[number]
            examples = member.judged if len(member.judged) else member.learned
            for kind, words in noticed(member.model, examples, self.history[number][self.comparable :]).items():
                self.notes[number].setdefault(kind, words)

    def _see(self, number: int, row: dict[str, float]) -> int:
        """Take note of how good a model is, and return the epochs since it was best."""
        if "validation_loss" not in row:
            return 0
        best = self.best[number]
        if row["validation_loss"] < best.loss:
            weights = {name: tensor.clone() for name, tensor in self.members[number].model.state_dict().items()}
            self.best[number] = best = Best(int(row["epoch"]), row["validation_loss"], weights)
        return int(row["epoch"]) - best.epoch

    def _keep(self, places: list[int]) -> None:
        """Begin the next epoch with the models at ``places`` among the active ones."""
        if len(places) < len(self.active):
            if places:
                self.learner.keep(places)
            self.active = [self.active[place] for place in places]
            self.orders = self.orders[: len(places)]
        self.total = torch.zeros(len(places), device=self.device)
        if places:
            self.good = self._position()

    def _go_back(self, rate: float) -> dict[int, dict[str, float]]:
        """Return to the last good state, at half the learning rate."""
        if self.halvings == HALVINGS:
            raise FloatingPointError(
                f"training diverged in epoch {self.done // self.batches}: its loss or weights are no longer finite, "
                f"also at a learning rate of {rate:.3g}; try a learning_rate well below {self.learning_rate:.3g}, "
                "or look for values far from all others in the data"
            )
        self.halvings += 1
        place = self.done // self.batches
        self.notes[0][f"divergence {self.halvings}"] = (
            f"loss or weights were not finite in epoch {place}; training goes on from before it at half the rate"
        )
        self.total.zero_()
        self._set_position(self.good)
        return {}

    # --- The state --------------------------------------------------------------------

    def _position(self) -> tuple[int, dict[str, Tensor]]:
        """Return a copy of the learner's state and of the sources of chance, and the number of steps done."""
        generators = {f"generator.{n}": self.members[n].generator.get_state() for n in self.active}
        return self.done, {f"learner.{name}": tensor for name, tensor in self.learner.state().items()} | generators

    def _set_position(self, position: tuple[int, dict[str, Tensor]]) -> None:
        self.done, tensors = position
        self.learner.restore({name[8:]: value for name, value in tensors.items() if name.startswith("learner.")})
        for number in self.active:
            self.members[number].generator.set_state(tensors[f"generator.{number}"])

    def _state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Return all that the rest of the training depends on: facts, and tensors."""
        done, now = self._position()
        good_done, good = self.good
        tensors = {f"now.{name}": tensor for name, tensor in now.items()}
        tensors |= {f"good.{name}": tensor for name, tensor in good.items()}
        tensors |= {"orders": self.orders, "total": self.total}
        for number, best in enumerate(self.best):
            tensors |= {f"best.{number}.{name}": tensor for name, tensor in best.weights.items()}
        facts = {
            "done": [done, good_done],
            "halvings": self.halvings,
            "changed": self.changed,
            "comparable": self.comparable,
            "active": self.active,
            "diverged": self.diverged,
            "best": [[best.epoch, best.loss if best.epoch else None] for best in self.best],
            "history": self.history,
            "seconds": time.perf_counter() - self.started,
            "threads": self.threads.state(),
            "half": self.members[0].model.in_half,
        }
        return facts, tensors

    def _resume(self, facts: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Go to where `_state` was taken."""

        def part(prefix: str) -> dict[str, Tensor]:
            return {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}

        if facts["changed"]:
            self.change(**facts["changed"])
        if facts["active"] and facts["active"] != self.active:
            self.learner.keep(facts["active"])
        self.active, self.diverged, self.history = facts["active"], facts["diverged"], facts["history"]
        self.halvings, self.comparable = facts["halvings"], facts["comparable"]
        self.threads.restore(facts["threads"])
        for member in self.members:
            member.model.in_half = facts["half"]
        self.orders, self.total = tensors["orders"], tensors["total"].to(self.device)
        self.best = [
            Best(epoch, math.inf if loss is None else loss, part(f"best.{number}."))
            for number, (epoch, loss) in enumerate(facts["best"])
        ]
        self.started = time.perf_counter() - facts["seconds"]
        done, good_done = facts["done"]
        self.good = good_done, part("good.")
        if self.active:
            self._set_position((done, part("now.")))
            self.stream = self._batches(done % self.batches)

    def _settle(self) -> None:
        """Leave the best weights in the models."""
        if self.active:
            self._set_position(self.good)
            self.learner.store()
        for member, best in zip(self.members, self.best, strict=True):
            if best.weights:
                member.model.load_state_dict(best.weights)
            member.back()
