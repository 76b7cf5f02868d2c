"""Reading and training as they are seen: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:  # they take torch, which reading does without
    from narrows.data.dataset import Dataset
    from narrows.estimators.base import BottleneckEstimator
    from narrows.sweeps import SweepStep

__all__ = ["looked_at", "opened", "reading", "rows_done", "watch"]

TERMINAL_SECONDS, PIPE_SECONDS = 0.1, 5.0
"""How often to say something new."""

WORTH_A_GUESS = 0.02
"""The fraction that must be done before the time left is more than noise."""


@contextmanager
def reading(source: str) -> Iterator[Callable[[int, int], None]]:
    """Give what `load_data` is to call as it reads the files of ``source``, and show how far it is."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain_reading(source)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=24), MofNCompleteColumn())
    with Progress(*columns, TextColumn("files"), console=console, transient=True) as progress:
        task = progress.add_task(f"reading {source}", total=None, visible=False)
        yield lambda done, count: progress.update(task, completed=done, total=count, visible=True)


def opened(
    model: Path, data: str, fit: str = "crop", label: str | None = None, missing: Sequence[str] = ()
) -> tuple[BottleneckEstimator, Dataset]:
    """Return a model and data for it, as `open_both`; show how far their reading is, and warn of other units."""
    from narrows.runs.opening import open_both, warn_of_units

    with reading(data) as progress:
        estimator, dataset = open_both(model, data, label, fit=fit, missing=missing, progress=progress)
    warn_of_units(estimator.fitted_, dataset)
    return estimator, dataset


def rows_done(source: str) -> Callable[[int], None]:
    """Return what a stream of the rows of ``source`` is to call, and show now and then how far it is."""
    return _saying(lambda done: f"{source}: {done:,} rows done", time.monotonic())


def looked_at(source: str) -> Callable[[int, float], None]:
    """Return what a watch of ``source`` is to call, and show now and then how far it is."""
    return _saying(
        lambda done, log: f"{source}: {done:,} examples, the evidence of a change is {log:.2f}", time.monotonic()
    )


def _plain_reading(source: str) -> Callable[[int, int], None]:
    return _saying(lambda done, count: f"reading {source}: {done:,} of {count:,} files", -math.inf)


def _saying(words: Callable[..., str], said: float) -> Callable[..., None]:
    """Return what prints ``words`` of its arguments if it last did so, or was ``said`` to have, some time ago."""

    def tell(*reached: float) -> None:
        nonlocal said
        if time.monotonic() - said >= PIPE_SECONDS:
            said = time.monotonic()
            print(words(*reached), file=sys.stderr, flush=True)

    return tell


def watch(steps: Generator[SweepStep]) -> bool:
    """Run ``steps`` to their end and show how far they are; return whether the person interrupted them by Ctrl-C."""
    console = Console(stderr=True)
    show = _on_terminal if console.is_terminal else _plain
    try:
        with closing(steps):
            show(_noted(steps, console), console)
    except KeyboardInterrupt:
        return True
    return False


def _noted(steps: Generator[SweepStep], console: Console) -> Generator[SweepStep]:
    """Pass ``steps`` on, and print what was noticed in them."""
    for now in steps:
        for number, notes in now.step.notes.items():
            for words in notes:
                text = f"latent_dim {now.latent_dims[number]}, epoch {now.step.epoch}: {words}"
                console.print(text, markup=False, highlight=False, soft_wrap=True)
        yield now


def _on_terminal(steps: Generator[SweepStep], console: Console) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TextColumn("{task.percentage:3.0f} %"))
    with Progress(*columns, TimeRemainingColumn(), TextColumn("left"), console=console, transient=True) as progress:
        task = progress.add_task("starting", total=1.0)
        for now in _now_and_then(steps, TERMINAL_SECONDS):
            progress.update(task, completed=_done(now), description=_words(now))


def _plain(steps: Generator[SweepStep], console: Console) -> None:  # noqa: ARG001 - one signature for both
    started = time.monotonic()
    for now in _now_and_then(steps, PIPE_SECONDS):
        seconds = time.monotonic() - started
        done = _done(now)
        left = f", about {seconds / done - seconds:.0f} s left" if done > WORTH_A_GUESS else ""
        print(f"{_words(now)}{left}", file=sys.stderr, flush=True)


def _now_and_then(steps: Generator[SweepStep], seconds: float) -> Generator[SweepStep]:
    """Yield the first step of new models, and then one every ``seconds``."""
    said, latent_dims = 0.0, None
    for step in steps:
        if step.latent_dims != latent_dims or time.monotonic() - said >= seconds:
            said, latent_dims = time.monotonic(), step.latent_dims
            yield step


def _done(now: SweepStep) -> float:
    return (now.ended + len(now.latent_dims) * now.step.step / now.step.steps) / now.count


def _words(now: SweepStep) -> str:
    step, dims = now.step, ", ".join(map(str, dict.fromkeys(now.latent_dims)))
    ended = f" ({now.ended} of {now.count} trained)" if now.ended else ""
    return f"latent_dim {dims}{ended}, epoch {step.epoch}/{step.epochs}, loss {float(step.loss):.3f} nats"
