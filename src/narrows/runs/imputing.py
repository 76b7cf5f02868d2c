"""The missing cells of a table filled, in a copy of its file in which nothing else changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from narrows.data.dataset import Dataset
from narrows.data.errors import DataError
from narrows.data.filling import write_filled
from narrows.estimators.base import BottleneckEstimator
from narrows.runs.files import Written, new_folder, write_json

__all__ = ["frame_of", "impute", "new_cells"]


def impute(
    estimator: BottleneckEstimator,
    dataset: Dataset,
    source: Path,
    out: Path | None = None,
    *,
    draws: int | None = None,
    seed: int = 0,
) -> Written:
    """Write a table once more, with its missing cells filled and every other byte as it was.

    Parameters
    ----------
    estimator, dataset
        A model of a table, and rows for it, as in `narrows.runs.opening.open_both`.
    source
        The file that these rows come from: a table, or an ``.npy``.
    out
        A new file with the ending of ``source``, for one filling; or else as in `narrows.runs.files.new_folder`, where
        the file has the name of ``source``, with a number for each draw.
    draws
        How many fillings to draw, each in a file of its own; None for one, of the most probable values.
    seed
        Of the draws.

    Raises
    ------
    DataError
        If the rows are not of a file that can be filled.
    """
    suffixes = "".join(source.suffixes[-2:]) if source.suffix.lower() == ".gz" else source.suffix
    if not source.is_file() or suffixes.lower() == ".npz":
        raise DataError(f"DATA {source} is not a file of rows that can be filled: .csv, .tsv, .parquet or .npy")
    alone = out if out is not None and draws is None and out.name.endswith(suffixes) else None
    if alone is not None and alone.exists():
        raise DataError(f"--out {out} already exists; name a new file")
    fillings = estimator.impute(dataset.X, dataset.y, draws=draws, random_state=seed)
    each = [fillings] if draws is None else fillings
    before = frame_of(dataset.X)
    cells = [new_cells(before, frame_of(filled)) for filled in each]
    folder = alone.parent if alone is not None else new_folder(out, f"impute-{dataset.name}")
    stem, files = source.name[: len(source.name) - len(suffixes)], []
    for number, (filled, own) in enumerate(zip(each, cells, strict=True), 1):
        target = alone or folder / f"{stem}{'' if draws is None else f'-{number}'}{suffixes}"
        if suffixes.lower() == ".npy":
            np.save(target, np.asarray(filled))
        else:
            write_filled(source, target, own, dataset.missing)
        files.append(target)
    gaps, counts = before.isna().sum(), {name: len(own) for name, own in cells[0].items()}
    numbers: dict[str, Any] = {
        "examples": len(before),
        "missing": int(gaps.sum()),
        "filled": counts,
        "left": {str(name): int(n) for name, n in gaps.items() if n > counts.get(str(name), 0)},
        "draws": draws,
        "seed": seed,
    }
    return Written(numbers, files if alone is not None else [*files, write_json(folder / "results.json", numbers)])


def frame_of(X: Any) -> pd.DataFrame:
    """Return rows as a frame whose columns are called as in the file, and whose rows are counted from 0."""
    frame = X.reset_index(drop=True) if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X))
    return frame.rename(columns=str)


def new_cells(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, pd.Series[Any]]:
    """Return the cells that were missing and are not, by column."""
    filled = {name: before[name].isna() & after[name].notna() for name in before.columns}
    return {name: after[name][new] for name, new in filled.items() if new.any()}
