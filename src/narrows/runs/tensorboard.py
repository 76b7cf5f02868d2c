"""What a training shows in TensorBoard: numbers as it goes, then reconstructions and codes."""

from __future__ import annotations

import importlib.util
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from narrows.data.take import take
from narrows.runs.files import by_itself
from narrows.runs.writing import reconstructions
from narrows.sweeps import Sweep, SweepStep

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

__all__ = ["check_log", "tracked"]

SCALARS = ("loss", "validation_loss", "learning_rate")

MOST_CODES = 2000
"""Shown as points."""


def check_log(log: str | None) -> None:
    """Refuse to write for anything but TensorBoard, or without it.

    Raises
    ------
    ValueError
        Naming the option, or what to install.
    """
    if log not in {None, "tensorboard"}:
        raise ValueError(f"--log {log!r} is not known; tensorboard is expected")
    if log and importlib.util.find_spec("tensorboard") is None:
        raise ValueError("--log tensorboard needs TensorBoard, which is not installed: pip install 'narrows[track]'")


def tracked(result: Sweep, steps: Generator[SweepStep], folder: Path) -> Generator[SweepStep]:
    """Yield the ``steps`` of a `Sweep` of one model, and write what they come to for TensorBoard.

    Each epoch's losses (nats per example) and learning rate; at the end, also if it comes early, reconstructions of
    held-out examples, and their codes as points, by class where there are labels.

    Parameters
    ----------
    result
        Whose ``run`` gives the steps.
    steps
        Those of its ``run``.
    folder
        For the event file; made when the first epoch has ended.
    """
    writer = None
    try:
        with closing(steps):
            for now in steps:
                writer = _added(writer, folder, now)
                yield now
    finally:
        if writer:
            with writer:
                _show(result, writer)


def _added(writer: SummaryWriter | None, folder: Path, now: SweepStep) -> SummaryWriter | None:
    """Write what an epoch came to, if ``now`` is the end of one; return the writer, which is made for the first."""
    row = now.step.row
    if not row:
        return writer
    from torch.utils.tensorboard import SummaryWriter

    writer = writer or SummaryWriter(str(folder))
    for name in set(SCALARS) & set(row):
        writer.add_scalar(name, row[name], now.step.epoch)
    return writer


def _show(result: Sweep, writer: SummaryWriter) -> None:
    for model in result.models.values():
        rows = range(min(MOST_CODES, len(result.X_test)))
        labels = None if result.y_test is None else result.y_test[: len(rows)]
        codes = model.transform(take(result.X_test, rows), labels)
        writer.add_embedding(codes, None if labels is None else list(map(str, labels)), tag="codes")
        with by_itself("TensorBoard shows no reconstructions"):
            canvas = FigureCanvasAgg(reconstructions(result))  # TensorBoard's own way of drawing would go by pyplot
            canvas.draw()  # type: ignore[no-untyped-call]
            pixels = np.asarray(canvas.buffer_rgba())[..., :3]  # type: ignore[no-untyped-call]
            writer.add_image("reconstructions", pixels, len(model.history_), dataformats="HWC")
