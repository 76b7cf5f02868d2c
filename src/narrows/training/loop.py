"""The loop. Progress bars, web pages, notebooks and early stopping all consume the same generator of steps."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from narrows.models.model import BottleneckModel
from narrows.models.objectives import Contractive, own_of, with_beta
from narrows.training.batches import Batches
from narrows.training.best import mean_loss
from narrows.training.checkpoint import Checkpoint
from narrows.training.contest import Contest
from narrows.training.convolutions import in_kernels
from narrows.training.dense.stack import Stack
from narrows.training.distributed import Alone, Processes
from narrows.training.examples import Examples
from narrows.training.general import General, Objective
from narrows.training.member import Member, operations_of_step
from narrows.training.processor import Threads, compiled_for, exact, limited_threads, threads_for, without_denormals
from narrows.training.recovery import Recovery
from narrows.training.schedules import SCHEDULES
from narrows.training.state import Progress, State
from narrows.training.trimming import WARM_UP, ordinary, ordinary_mean

__all__ = ["Step", "Training"]


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
        At an epoch's last step, each model's row of the history, by its number: ``epoch``, ``loss`` and
        ``validation_loss`` (nats per example, the latter only where there is a validation part), ``learning_rate`` and
        ``seconds`` since the start.
    notes
        What was noticed in this step for the first time, in words: each model's, by its number.
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
    whole epoch's where there are no validation examples. Until it ends, torch has as many threads as a step is worth.

    Parameters
    ----------
    members
        The models; several must be of one kind, with as many examples each, from one source.
    objective
        (model, batch, generator, progress in [0, 1]) ↦ the loss of each example, (n,), in nats.
    epochs, patience
        Passes over the examples at most, and fewer once ``patience`` of them have not lowered the
        validation loss.
    batch_size
        Examples a step; the last step of an epoch takes what is left.
    learning_rate, weight_decay
        As in AdamW.
    schedule
        A key of `narrows.training.schedules.SCHEDULES`.
    checkpoint
        Where to leave the state now and then, and to go on from if there is one already; of several processes the first
        has it.
    processes
        That train the one model together.
    device
        Where the models are while they learn.
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
        self.members = [member.on(device) for member in members]
        self.checkpoint, self.processes, self.device = checkpoint, processes, device
        self.objective = processes.shared(objective)
        self.batches = Batches(self.members, batch_size, processes)
        self.epochs, self.steps_at_most = epochs, epochs * self.batches.count
        self.first_rate, self.pace = learning_rate, SCHEDULES[schedule]
        self.twice = isinstance(own_of(objective), Contractive)  # whose gradient of a gradient quicker nets refuse
        self.learner = self._learner(objective, weight_decay)
        self.threads = Threads(max(1, threads_for(operations_of_step(members, batch_size)) // processes.local))
        self.contest = Contest(self.members, epochs, patience, self.learner.store)
        self.recovery = Recovery(self.learner, [member.generator for member in self.members])
        self.now = Progress(0, torch.zeros(len(members), device=device), {})
        self.started = time.perf_counter()
        self._untold: dict[int, list[str]] = {}

    def _learner(self, objective: Objective, weight_decay: float) -> General | Stack:
        """Return what takes the steps: passes written by hand, where there are some, or automatic differentiation."""
        model = self.members[0].model
        if self.members[0].kind(objective) is not None and self.processes.size == 1:
            return Stack([member.model for member in self.members], objective, self.first_rate, weight_decay)
        self._quicken(model)
        return General(model, self.processes.parallel(model, self.objective), self.first_rate, weight_decay)

    def _quicken(self, model: BottleneckModel) -> None:
        """Let nets that are quicker stand for those of ``model``, where there are some."""
        if self.twice:
            return
        by_kernels = self.device.type == "cpu" and not model.in_half
        model.compiled = in_kernels(model) if by_kernels else compiled_for(model, self.device, self.steps_at_most)

    @property
    def history(self) -> list[list[dict[str, float]]]:
        """Of each member, a row per epoch."""
        return self.contest.now.history

    @property
    def diverged(self) -> list[int]:
        """The numbers of the members that left the others because their loss or weights were no longer finite."""
        return self.contest.now.diverged

    @property
    def learning_rate(self) -> float:
        """The full learning rate of the next steps."""
        return self.now.changed.get("learning_rate", self.first_rate)

    @property
    def over(self) -> bool:
        """Whether there are no more steps."""
        return self.now.done == self.steps_at_most or not self.contest.now.active

    def steps(self) -> Generator[Step]:
        """Train, a step a yield.

        Raises
        ------
        FloatingPointError
            When the only model's loss or weights are no longer finite, also at an eighth of the learning rate.
        CheckpointError, OSError
            When the checkpoint is of another training, or cannot be read or written.
        """
        if found := self.processes.broadcast(self.checkpoint and self.checkpoint.read(State)):
            self.restore(found)
        normal = without_denormals()
        with limited_threads(self.threads.count), exact(self.device):
            try:
                for member in self.members:
                    member.model.train()
                while not self.over:
                    yield self._next(normal)
            finally:
                self._settle()

    def _next(self, normal: without_denormals) -> Step:
        """Take a step inside ``normal``, and write a checkpoint if it is due, or if no step follows."""
        with normal:
            step = self._advance()
        if self.checkpoint and (self.checkpoint.due or self.over):
            self.checkpoint.write(self.state())
        return step

    def change(self, *, learning_rate: float | None = None, beta: float | None = None) -> None:
        """Take the next steps at another learning rate, on which the schedule goes on, or with another β.

        From a new β on the best weights are sought anew, since losses with different ones don't compare.

        Raises
        ------
        TypeError, ValueError
            If a value is out of range, the objective has no β, or several processes train.
        """
        if self.processes.size > 1:
            raise ValueError(
                "several processes train this model; learning_rate and beta cannot be changed during training"
            )
        if learning_rate is not None:
            if not 0 < learning_rate < math.inf:
                raise ValueError(f"learning_rate={learning_rate} must be a number above 0")
            self.now.changed["learning_rate"] = learning_rate
        if beta is not None:
            self.objective = with_beta(self.objective, beta)
            self.learner.aim(self.objective)
            self.now.changed["beta"] = beta
            self.contest.forget()

    def weights(self) -> dict[str, Tensor]:
        """Return a copy of the first model's weights as they are now."""
        self.learner.store()
        return {name: tensor.to("cpu", copy=True) for name, tensor in self.members[0].model.state_dict().items()}

    def state(self) -> State:
        """Return all that the rest of the training depends on."""
        return State(
            position=self.recovery.position(self.now.done, self.contest.now.active),
            progress=replace(self.now),
            order=self.batches.state(),
            standing=self.contest.state(),
            retreat=self.recovery.state(),
            threads=self.threads.state(),
            in_half=self.members[0].model.in_half,
            epochs=self.epochs,
            seconds=time.perf_counter() - self.started,
        )

    def restore(self, state: State) -> None:
        """Go to where `state` was taken."""
        if state.progress.changed:
            self.change(**state.progress.changed)
        active = state.standing.active
        if active and active != self.contest.now.active:
            self.learner.keep(active)
        self.now = replace(state.progress, total=state.progress.total.to(self.device))
        self.batches.restore(state.order)
        self.contest.restore(state.standing)
        self.recovery.restore(state.retreat)
        if active:
            self.recovery.go_to(state.position)
        self.threads.restore(state.threads)
        for member in self.members:
            member.model.in_half = state.in_half
        if isinstance(self.learner, General):
            self._quicken(self.members[0].model)
        self.started = time.perf_counter() - state.seconds
        if self.epochs > state.epochs and not self.over:
            self._tell_of_more_epochs(state.epochs)

    def _tell_of_more_epochs(self, before: int) -> None:
        """Say, at the next step, what it means that there were fewer epochs ``before``."""
        words = f"training goes on to epoch {self.epochs} instead of {before}"
        old, new = (self.pace(self.now.done, epochs * self.batches.count) for epochs in (before, self.epochs))
        if old != new:
            words += (
                "; from here on the schedule spans all of them, so that the learning rate goes from "
                f"{old[0] * self.learning_rate:.2g} to {new[0] * self.learning_rate:.2g}, and the weights will not be "
                f"those of {self.epochs} epochs from the start"
            )
        for number in self.contest.now.active:
            self.contest.now.notes[number][f"{self.epochs} epochs"] = words
        self._untold = {number: [words] for number in self.contest.now.active}

    def _advance(self) -> Step:
        active = self.contest.now.active
        batch = self.batches.next(active, self._ordinary(active) if self.batches.over else None)
        fraction, momentum = self.pace(self.now.done, self.steps_at_most)
        fraction *= self.recovery.fraction * self.learning_rate / self.first_rate
        generators = [self.members[number].generator for number in active]
        with self.threads:
            losses = self.learner.step(batch, generators, self.now.done / self.steps_at_most, fraction, momentum)
        losses = self.processes.mean(losses)
        self.now.total.add_(losses, alpha=self.batches.examples)
        self.now.done += 1
        step, epoch = self.now.done, math.ceil(self.now.done / self.batches.count)
        untold, self._untold = self._untold, {}
        if step % self.batches.count:
            return Step(epoch, self.epochs, step, self.steps_at_most, losses, self, {}, untold)
        noted = self.contest.now.notes
        before = [len(notes) for notes in noted]
        rows = self._end_epoch(epoch, self.first_rate * fraction)
        notes = {i: untold.get(i, []) + [*noted[i].values()][n:] for i, n in enumerate(before)}
        notes = {i: words for i, words in notes.items() if words}
        return Step(epoch, self.epochs, step, self.steps_at_most, losses, self, rows, notes)

    def _ordinary(self, active: Sequence[int]) -> list[Examples] | None:
        """Return what the ``active`` members are to learn from in the next epoch, if that is not all."""
        contaminated = self.members[0].contamination is not None
        if not contaminated or self.now.done < WARM_UP * self.steps_at_most:
            return None
        self.learner.store()
        members = [self.members[number] for number in active]
        return [ordinary(one.model, self.objective, one.training, one.contamination) for one in members]

    def _end_epoch(self, epoch: int, rate: float) -> dict[int, dict[str, float]]:
        """Validate the models, part with those that diverged or have been patient for long, and return their rows."""
        contest, rows, lost = self.contest, {}, []
        validated = self._validated()
        fine = self.learner.finite()
        for index, (number, total) in enumerate(zip(contest.now.active, self.now.total.tolist(), strict=True)):
            row = {"epoch": epoch, "loss": total / self.batches.n}
            if validated:
                row["validation_loss"] = validated[index]
            if fine[index] and all(map(math.isfinite, row.values())):
                rows[number] = row | {"learning_rate": rate, "seconds": time.perf_counter() - self.started}
            else:
                lost.append(number)
        if lost and len(self.members) == 1:
            words = self.recovery.go_back(epoch, rate, self.learning_rate)
            contest.now.notes[0][f"divergence {self.recovery.now.halvings}"] = words
            self.now.done = self.recovery.now.sound.done
            self.now.total.zero_()
            return {}
        self._keep(contest.enter(rows, lost))
        return rows

    def _validated(self) -> list[float]:
        """Return each active member's mean loss of what was held out, if anything was.

        It leaves out what seems odd where some of it is.
        """
        members = [self.members[number] for number in self.contest.now.active]
        held_out, share = members[0].validation, members[0].contamination
        if not len(held_out):
            return []
        if isinstance(self.learner, Stack) and share is None and self.learner.measures(held_out):
            return self.learner.mean_losses([member.validation for member in members])
        self.learner.store()
        if share is None:
            return [mean_loss(one.model, self.objective, one.validation, self.processes) for one in members]
        return [ordinary_mean(one.model, self.objective, one.validation, share) for one in members]

    def _keep(self, indices: list[int]) -> None:
        """Begin the next epoch with the models at ``indices`` among those that were active in this."""
        if indices and len(indices) < len(self.now.total):
            self.learner.keep(indices)
        self.now.total = torch.zeros(len(indices), device=self.device)
        if indices:
            self.recovery.now.sound = self.recovery.position(self.now.done, self.contest.now.active)

    def _settle(self) -> None:
        """Leave the best weights in the models."""
        if self.contest.now.active:
            self.recovery.go_to(self.recovery.now.sound)
            self.learner.store()
        self.contest.settle()
        self.learner.free()  # as much as the data may take, while what the fit comes to is found
        self.batches.free()
        for member in self.members:
            member.back()
