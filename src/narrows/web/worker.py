"""The process that trains while a person watches, so that nothing else in the explorer has to wait for it.

It takes orders, and consumes the steps of `fit_steps`; whoever pauses it only keeps it from asking for the next one.
"""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from narrows.estimators.base import BottleneckEstimator
from narrows.models.objectives import EvidenceLowerBound, own_of
from narrows.training.loop import Step, Training

__all__ = ["SNAPSHOTS", "Begin", "Change", "Go", "News", "every", "work"]

SNAPSHOTS = 60
"""Epochs of a training that are kept, at most."""

NEWS_SECONDS = 0.125
"""Between one state sent and the next, but for those to be kept."""

WATCHED_SECONDS = 20.0
"""How long a whole training takes at least where a person wants to watch it."""

Weights = dict[str, NDArray[Any]]
Mode = Literal["play", "pause", "step", "epoch"]


@dataclass(frozen=True, slots=True)
class Begin:
    """Set up a training, whose ``number`` its news will bear, and wait before the first step."""

    number: int
    estimator: BottleneckEstimator
    X: ArrayLike
    y: ArrayLike | None


@dataclass(frozen=True, slots=True)
class Go:
    """Train on and on, wait, or take the next step, or all up to the epoch's end.

    ``fast`` is as fast as can be; else a whole training takes `WATCHED_SECONDS` at least.
    """

    mode: Mode
    fast: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """Go on with other values of options: ``learning_rate``, ``beta``."""

    to: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class News:
    """How a training stands.

    Attributes
    ----------
    number
        Of the training.
    mode
        What it does now; ``"over"`` when there are no more steps.
    epoch, epochs, step, steps
        As in `Step`; all 0 before the first.
    loss
        The last batch's, in nats per example, or None.
    learning_rate, beta
        That the last step was taken at, or None where there is none.
    rows, notes
        All rows of the history, and all that was noticed.
    changes
        What was changed, after how many steps; after 0 it counts as options.
    weights
        As they are now, or None where they are not finite, or there was no step yet.
    whole
        Whether these are those of the end of the epoch, to be kept.
    error
        Why it cannot go on, in words.
    """

    number: int
    mode: Mode | Literal["over"] = "pause"
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    loss: float | None = None
    learning_rate: float | None = None
    beta: float | None = None
    rows: tuple[dict[str, float], ...] = ()
    notes: tuple[str, ...] = ()
    changes: tuple[tuple[int, dict[str, float]], ...] = ()
    weights: Weights | None = None
    whole: bool = False
    error: str = ""


def every(epoch: int) -> int:
    """Return how far apart the kept epochs are at ``epoch``: a power of two, so that some always stay."""
    return 1 << max(0, math.ceil(math.log2(max(epoch, 1) / SNAPSHOTS)))


def work(line: Connection) -> None:
    """Take orders from ``line``, and send news, until its other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then closes the line
    torch.set_num_threads(1)
    run: _Run | None = None
    with suppress(EOFError, OSError):  # the server has gone
        while True:
            run = _ordered(run, line)
            run.advance()


def _ordered(run: _Run | None, line: Connection) -> _Run:
    """Obey what comes from ``line`` until the next step is due, and return the training to take it."""
    while line.poll(run.wait() if run else None):
        order = line.recv()
        if isinstance(order, Begin):
            if run:
                run.steps.close()
            run = _Run(order, line)
        elif run:
            run.obey(order)
    assert run
    return run


class _Run:
    """A training, from its beginning on."""

    def __init__(self, begin: Begin, line: Connection) -> None:
        self.estimator, self.line = begin.estimator, line
        self.steps = begin.estimator.fit_steps(begin.X, begin.y)
        self.training: Training | None = None
        self.news, self.fast, self.left = News(begin.number), False, 0
        self.due = time.monotonic()
        self._send()

    def wait(self) -> float | None:
        """Return the seconds until the next step, or None where an order must come first."""
        if self.news.mode in ("pause", "over"):
            return None
        return 0 if self.fast or self.news.mode != "play" else max(0.0, self.due - time.monotonic())

    def obey(self, order: Go | Change) -> None:
        """Do as told, and say so."""
        if self.news.mode == "over":
            return
        if isinstance(order, Change):
            self._change(dict(order.to))
        else:
            self.left = self.left + 1 if order.mode == self.news.mode else 1
            self.news, self.fast = replace(self.news, mode=order.mode), order.fast
            self.due = time.monotonic()
        self._send()

    def _change(self, to: dict[str, float]) -> None:
        if self.training is None:
            self.estimator.set_params(**to)
        else:
            self.training.change(**to)
        done = self.news.step
        before = dict(self.news.changes)
        self.news = replace(self.news, changes=(*(before | {done: before.get(done, {}) | to}).items(),))

    def advance(self) -> None:
        """Take the next step, and say how it went where that is due."""
        whole = False
        try:
            step = next(self.steps)
            self.training = step.training
            self._note(step)
            whole = step.row is not None and step.epoch % every(step.epoch) == 0
            self.due = max(self.due + WATCHED_SECONDS / step.steps, time.monotonic() - NEWS_SECONDS)
        except (ValueError, TypeError, FloatingPointError, RuntimeError, MemoryError) as error:
            self.news = replace(self.news, mode="over", error=str(error) or type(error).__name__)
        if whole or self.news.mode in ("pause", "over") or time.monotonic() >= self.sent + NEWS_SECONDS:
            self._send(whole=whole)

    def _note(self, step: Step) -> None:
        training, news = step.training, self.news
        ended = step.step % training.batches.count == 0
        mode = news.mode
        if mode == "step" or (mode == "epoch" and ended):
            self.left -= 1
            mode = mode if self.left else "pause"
        fraction, _ = training.pace(step.step - 1, step.steps)
        objective, beta = own_of(training.objective), None
        if isinstance(objective, EvidenceLowerBound):
            beta = objective.beta_at((step.step - 1) / step.steps)
        self.news = replace(
            news,
            mode="over" if step.row is not None and training.over else mode,
            epoch=step.epoch,
            epochs=step.epochs,
            step=step.step,
            steps=step.steps,
            loss=float(step.loss) if math.isfinite(step.loss) else None,
            learning_rate=training.learning_rate * fraction * training.recovery.fraction,
            beta=beta,
            rows=tuple(training.history[0]) if ended else news.rows,
            notes=(*news.notes, *step.notes.get(0, ())),
        )

    def _send(self, *, whole: bool = False) -> None:
        weights = None
        if self.training is not None and all(self.training.learner.finite()):
            weights = {name: np.asarray(tensor) for name, tensor in self.training.weights().items()}
        self.line.send(replace(self.news, weights=weights, whole=whole))
        self.sent = time.monotonic()
