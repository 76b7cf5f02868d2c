"""What a trained model does to data, written: rebuild them, take their noise away, press them into codes and back."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.chunks import chunks
from narrows.data.dataset import Dataset
from narrows.data.on_disk import OnDisk
from narrows.data.take import take
from narrows.estimators.base import BottleneckEstimator
from narrows.fitted.fitted import Fitted
from narrows.fitted.levels import squared_errors
from narrows.runs.captions import captions, first_of, names, ranked, with_article
from narrows.runs.cells import differences, made
from narrows.runs.files import (
    Written,
    check_new_table,
    new_folder,
    numbered,
    write_chunks,
    write_columns,
    write_figures,
    write_json,
)
from narrows.runs.pictures import draw_comparison, draw_grid, draw_rows
from narrows.runs.writing import GRID, SHOWN, check_images, known_of, write_errors, write_examples, write_singles
from narrows.scorer import columns_of, errors_of

if TYPE_CHECKING:  # it takes a third of a second, and who draws has it
    from matplotlib.figure import Figure

__all__ = ["decode", "denoise", "encode", "reconstruct"]

Array = NDArray[Any]

NUMBERS_AT_ONCE = 2**22
"""Numbers in examples that are reconstructed, corrupted or compared at a time, of examples on disk."""

OF_CELLS = "squared difference per cell, of levels whether they differ, numbers scaled to variance 1"
"""What the errors of a table's noise measure."""

SCORED = ("codes", "anomaly_score", "score_samples")
"""What `encode` writes with ``scores``; without, the first."""

LEVEL = 0.3
"""Of noise that is added, unless another one is asked for."""


def reconstruct(
    estimator: BottleneckEstimator, dataset: Dataset, out: Path | None = None, *, files: bool = False
) -> Written:
    """Press data through the bottleneck and back; write each example's error, and some of them side by side.

    Parameters
    ----------
    estimator, dataset
        A model, and data for it, as in `narrows.runs.opening.open_both`.
    out
        As in `narrows.runs.files.new_folder`.
    files
        Whether to write each image as a file of its own, too.
    """
    check_images(estimator.fitted_, files=files)
    errors = errors_of(estimator, dataset.X, dataset.y)
    folder = new_folder(out, f"reconstruct-{dataset.name}")
    restored, array = reconstruct_into(folder, "reconstructed", estimator, dataset.X, dataset.y)
    numbers = {
        "examples": len(errors),
        "unit": estimator.fitted_.unit,
        "mean": float(errors.mean()),
        "median": float(np.median(errors)),
        "largest": float(errors.max()),
        "largest_example": int(errors.argmax()),
    }
    written = [
        write_errors(folder / "errors.csv", dataset, {"error": errors}),
        write_json(folder / "results.json", numbers),
        array,
    ]
    if files:
        written.append(write_singles(folder / "reconstructed", restored, estimator.fitted_))
    draw = partial(_side_by_side, estimator.fitted_, dataset, restored, errors)
    return Written(numbers, [*write_figures(folder, {"reconstructions": draw}), *written])


def _side_by_side(fitted: Fitted, dataset: Dataset, restored: Any, errors: NDArray[np.float64]) -> Figure:
    ranks, rows = zip(*ranked(errors), strict=True)
    said = zip(ranks, captions(dataset, rows), errors[list(rows)], strict=True)
    return draw_comparison(
        fitted,
        [f"{rank}\n{caption}\nerror {error:.4f}".strip() for rank, caption, error in said],
        take(dataset.X, rows),
        take(restored, rows),
        title=f"{dataset.name} through the {fitted.latent_dim} numbers of {with_article(fitted.kind)}; "
        f"over all {len(errors):,}: mean error {errors.mean():.4f}, median {np.median(errors):.4f}",
    )


def denoise(
    estimator: BottleneckEstimator,
    dataset: Dataset,
    out: Path | None = None,
    *,
    add: str | None = None,
    level: float | None = None,
    seed: int = 0,
    files: bool = False,
) -> Written:
    """Write data without their noise, and the first of them before and after.

    Parameters
    ----------
    estimator, dataset, out, files
        As in `reconstruct`.
    add
        The corruption that makes the data noisy first, so that errors can be measured; None if they are noisy.
    level
        Of that noise; None is 0.3.
    seed
        Of that noise.

    Raises
    ------
    TypeError, ValueError
        If the noise or its level is not as in `corrupt`.
    """
    check_images(estimator.fitted_, files=files)
    if add is not None:
        level = LEVEL if level is None else level
        estimator.corrupt(dataset.X[:1], corruption=add, level=level)  # refuses other kinds before anything is written
    folder = new_folder(out, f"denoise-{dataset.name}")
    examples, written = _denoised_into(folder, estimator, dataset, add, level, seed)
    numbers: dict[str, Any] = {"examples": len(dataset.X), "add": add, "level": level, "seed": seed}
    means: dict[str, float] = {}
    fitted = estimator.fitted_
    singles = [write_singles(folder / array.stem, examples[array.stem], fitted) for array in written if files]
    if add is not None:
        errors = {name: _distances(fitted, dataset.X, X) for name, X in examples.items()}
        means = {name: float(values.mean()) for name, values in errors.items()}
        numbers |= {"unit": fitted.unit if fitted.table is None else OF_CELLS, "errors": means}
        written.append(write_errors(folder / "errors.csv", dataset, errors))
    written += [*singles, write_json(folder / "results.json", numbers)]
    noise, said = (f" with {add} noise, level {level:g},", f" (mean {estimator.unit})") if add else ("", "")
    title = f"{dataset.name}{noise} denoised by {with_article(estimator.fitted_.kind)}{said}"
    draw = partial(_before_and_after, estimator.fitted_, dataset, examples, means, title)
    return Written(numbers, [*write_figures(folder, {"denoised": draw}), *written])


def _distances(fitted: Fitted, examples: Any, others: Any) -> NDArray[np.float64]:
    """Return how far each of the examples is from the other, (n,)."""
    if fitted.table is not None:
        means: NDArray[np.float64] = differences(fitted, examples, others).mean(1)
        return means
    return squared_errors(fitted.scaling, examples, others)


def _before_and_after(
    fitted: Fitted, dataset: Dataset, examples: dict[str, Any], means: dict[str, float], title: str
) -> Figure:
    """Draw the first examples noisy and denoised, below the originals where these are known, and so the errors."""
    rows = [("original", dataset.X[:SHOWN])] if means else []
    for name, shown in examples.items():
        rows.append((f"{name}\nerror {means[name]:.4f}" if means else name, shown[:SHOWN]))
    headings = captions(replace(dataset, files=None), range(len(rows[0][1])))
    return draw_rows(fitted, rows, title=title, headings=headings)


def _denoised_into(
    folder: Path, estimator: BottleneckEstimator, dataset: Dataset, add: str | None, level: float | None, seed: int
) -> tuple[dict[str, Any], list[Path]]:
    """Write the examples denoised, with ``add`` also the noisy copies they then come from; return both and the files.

    Where nothing could be written, the ``folder`` goes again.
    """
    noisy, files = dataset.X, []
    try:
        if add is not None and level is not None:
            noisy, file = corrupt_into(folder, estimator, dataset.X, add, level, seed)
            files.append(file)
        denoised, file = reconstruct_into(folder, "denoised", estimator, noisy, dataset.y)
    finally:
        if not any(folder.iterdir()):
            folder.rmdir()
    return {"noisy": noisy, "denoised": denoised}, [file, *files]


def reconstruct_into(
    folder: Path, stem: str, estimator: BottleneckEstimator, X: Any, y: Array | None
) -> tuple[Any, Path]:
    """Write all reconstructions as ``stem.npy``, or .csv for rows, and return them and the file.

    Examples on disk, also rows, are taken some at a time, and become an ``.npy``.
    """
    if not isinstance(X, OnDisk):
        restored = estimator.reconstruct(X, y)
        return restored, write_examples(folder, stem, restored, estimator.fitted_)[0]
    path, some = folder / f"{stem}.npy", chunks(len(X), math.prod(X.shape[1:]), NUMBERS_AT_ONCE)
    made = (estimator.reconstruct(X[rows], None if y is None else y[rows]) for rows in some)
    return write_chunks(path, made, len(X)), path


def corrupt_into(
    folder: Path, estimator: BottleneckEstimator, X: Any, corruption: str, level: float, seed: int
) -> tuple[Any, Path]:
    """Write a corrupted copy of ``X`` as ``noisy.npy``, or .csv for rows, and return it and the file.

    Examples on disk are taken some at a time, as by `reconstruct_into`. The noise of each chunk is then a stream of
    its own, seeded by ``seed`` and the row of the chunk's first example, and so not that of the same array in memory.
    """
    if not isinstance(X, OnDisk):
        noisy: Any = estimator.corrupt(X, corruption=corruption, level=level, random_state=seed)
        if isinstance(X, pd.DataFrame) and not isinstance(noisy, pd.DataFrame):
            noisy = pd.DataFrame(noisy, columns=X.columns)
        return noisy, write_examples(folder, "noisy", noisy, estimator.fitted_)[0]
    path, some = folder / "noisy.npy", chunks(len(X), math.prod(X.shape[1:]), NUMBERS_AT_ONCE)
    streams = ((rows, np.random.default_rng([seed, rows.start])) for rows in some)
    made = (
        estimator.corrupt(X[rows], corruption=corruption, level=level, random_state=stream) for rows, stream in streams
    )
    return write_chunks(path, made, len(X)), path


def encode(
    estimator: BottleneckEstimator, dataset: Dataset, out: Path | None = None, *, scores: bool = False
) -> Written:
    """Write the codes of data as a table: a row for each example, with its label and file if it has them.

    Parameters
    ----------
    estimator, dataset
        As in `reconstruct`.
    out
        A new .csv, .npy or .parquet file, or a new folder for ``codes.csv``, as `new_folder` makes;
        None is ``codes-NAME.csv``, or the next name that is free.
    scores
        Whether to add each example's anomaly score and log-density.

    Raises
    ------
    DataError
        If the file has another ending, already exists, lies in no folder, or needs a package that is missing; or the
        folder is not empty.
    """
    free = (path for name in numbered(f"codes-{dataset.name}") if not (path := Path(f"{name}.csv")).exists())
    alone = out is None or (bool(out.suffix) and not out.is_dir())
    if out is not None and alone:
        check_new_table(out)
    columns = columns_of(estimator, dataset.X, dataset.y, SCORED if scores else SCORED[:1])
    path = (out or next(free)) if alone else new_folder(out, "") / "codes.csv"
    numbers = {"examples": len(dataset.X), "latent_dim": estimator.fitted_.latent_dim}
    return Written(numbers, [write_columns(path, columns, known_of(dataset))])


def decode(estimator: BottleneckEstimator, codes: Dataset, out: Path | None = None, *, files: bool = False) -> Written:
    """Write what codes are decoded to: images as an array and a grid, rows as a table.

    Parameters
    ----------
    estimator, codes
        A model and codes of it, as in `narrows.runs.opening.open_codes`.
    out, files
        As in `reconstruct`.
    """
    check_images(estimator.fitted_, files=files)
    decoded = made(estimator.fitted_, estimator.inverse_transform(codes.X, codes.y))
    folder = new_folder(out, f"decode-{codes.name}")
    written = write_examples(folder, "decoded", decoded, estimator.fitted_, files=files)
    if decoded.ndim > 2:
        shown = range(min(len(decoded), GRID))
        title = f"{codes.name} decoded by {with_article(estimator.fitted_.kind)}{first_of(len(shown), len(decoded))}"
        draw = partial(draw_grid, estimator.fitted_, decoded[:GRID], title=title, labels=names(codes, shown))
        written = [*write_figures(folder, {"decoded": draw}), *written]
    return Written({"examples": len(decoded)}, written)
