"""A training that leaves a run folder behind, whatever ends it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

from narrows.data.dataset import Dataset
from narrows.runs.files import CHECKPOINT
from narrows.sweeps import Sweep, SweepStep

__all__ = ["train"]


def train(
    result: Sweep,
    dataset: Dataset,
    folder: Path,
    *,
    watch: Callable[[Generator[SweepStep]], bool],
    log: str | None = None,
) -> tuple[bool, list[Path]]:
    """Train the models of a sweep, one or more, and write what they come to, even if they are interrupted or one fails.

    Parameters
    ----------
    result
        Not run yet, or whose checkpoint is in the folder.
    dataset
        That it was made from.
    folder
        That exists; it goes again if there is nothing to write.
    watch
        Runs the steps to their end, and returns whether they were interrupted.
    log
        As in `narrows.runs.tensorboard.check_log`.

    Returns
    -------
    interrupted, files
        What ``watch`` returned, and what was written, figures first: nothing if no epoch ended.
    """
    steps = result.run(folder / CHECKPOINT)
    if log is not None:
        from narrows.runs.tensorboard import tracked

        steps = tracked(result, steps, folder / "tensorboard")
    files: list[Path] = []
    try:
        interrupted = watch(steps)
    finally:
        if result.rows:
            # Not before: with Matplotlib it takes half a second, and a person waits for the first line.
            from narrows.runs.writing import write_run

            files = write_run(result, dataset, folder)
        elif not any(folder.iterdir()):
            folder.rmdir()
    return interrupted, [*files, folder / "tensorboard"] if log and files else files
