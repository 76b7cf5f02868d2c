"""What a run leaves behind in its folder: examples, errors, figures, models, all as files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from narrows.data.dataset import Dataset
from narrows.data.errors import DataError
from narrows.data.on_disk import OnDisk
from narrows.data.take import take
from narrows.drawing.curves import error_curve, training_curve
from narrows.estimators.base import BottleneckEstimator
from narrows.fitted.levels import as_bytes
from narrows.runs.captions import file_name
from narrows.runs.files import (
    write_array,
    write_columns,
    write_figure,
    write_images,
    write_json,
    write_parts,
    write_table,
)
from narrows.runs.pictures import draw_rows
from narrows.sweeps import Sweep

__all__ = [
    "GRID",
    "SHOWN",
    "check_images",
    "denoise_into",
    "drawn_classes",
    "errors_drawn",
    "known_of",
    "reconstruct_into",
    "reconstructions",
    "write_errors",
    "write_examples",
    "write_figure",
    "write_run",
    "write_singles",
]

Array = NDArray[Any]

SHOWN = 10
"""Examples in a row of the lecture's figure."""

GRID = 100
"""Examples in a grid, at most."""

AT_ONCE = 2**22
"""Numbers in examples that are reconstructed, corrupted or compared at a time, of examples on disk."""


def check_images(estimator: BottleneckEstimator, *, files: bool) -> None:
    """Refuse single ``files`` of a model of rows.

    Raises
    ------
    DataError
        If they are asked for, and the model makes no images.
    """
    if files and len(estimator.input_shape_) < 2:
        raise DataError("--files is for images; this model makes rows, and the table holds them all")


def drawn_classes(estimator: BottleneckEstimator, n: int, seed: int) -> Array | None:
    """Return classes (n,) as frequent as in the training data and in their order, or None if the model knows none."""
    if not estimator.conditional or estimator.classes_ is None:
        return None
    frequencies = estimator.model_.prior.frequencies.double().numpy()
    chosen = np.random.default_rng(seed).choice(len(frequencies), n, p=frequencies / frequencies.sum())
    classes: Array = estimator.classes_[np.sort(chosen)]
    return classes


def reconstruct_into(
    folder: Path, stem: str, estimator: BottleneckEstimator, X: Any, y: Array | None
) -> tuple[Any, Path]:
    """Write all reconstructions as ``stem.npy``, or .csv for rows, and return them and the file.

    Examples on disk, also rows, are taken a part at a time, and become an ``.npy``.
    """
    if not isinstance(X, OnDisk):
        restored = estimator.reconstruct(X, y)
        return restored, write_examples(folder, stem, restored, estimator)[0]
    path = folder / f"{stem}.npy"
    parts = (estimator.reconstruct(X[part], None if y is None else y[part]) for part in _parts(X))
    return write_parts(path, parts, len(X)), path


def corrupt_into(
    folder: Path, estimator: BottleneckEstimator, X: Any, corruption: str, level: float, seed: int
) -> tuple[Any, Path]:
    """Write a corrupted copy of ``X`` as ``noisy.npy``, or .csv for rows, and return it and the file.

    Examples on disk are taken a part at a time, as by `reconstruct_into`. The noise of each part is then a stream of
    its own, seeded by ``seed`` and the place of the part's first example, and so not that of the same array in memory.
    """
    if not isinstance(X, OnDisk):
        noisy: Any = estimator.corrupt(X, corruption=corruption, level=level, random_state=seed)
        noisy = pd.DataFrame(noisy, columns=X.columns) if isinstance(X, pd.DataFrame) else noisy
        return noisy, write_examples(folder, "noisy", noisy, estimator)[0]
    path = folder / "noisy.npy"
    streams = ((part, np.random.default_rng([seed, part.start])) for part in _parts(X))
    parts = (
        estimator.corrupt(X[part], corruption=corruption, level=level, random_state=stream) for part, stream in streams
    )
    return write_parts(path, parts, len(X)), path


def denoise_into(
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


def _parts(X: Any) -> Iterator[slice]:
    """Yield which examples to take at a time."""
    step = max(1, AT_ONCE // int(np.prod(X.shape[1:])))
    return (slice(start, start + step) for start in range(0, len(X), step))


def write_run(result: Sweep, dataset: Dataset, folder: Path) -> list[Path]:
    """Write what ``result`` has come to, whole or interrupted, into ``folder``; return the files, figures first.

    Parameters
    ----------
    result
        With at least one trained model.
    dataset
        That it was made from.
    folder
        That exists.
    """
    alone = len(result.latent_dims) == 1
    files = [write_figure(folder / "reconstructions.png", reconstructions(result))]
    if alone:
        files.append(
            write_figure(folder / "training.png", training_curve(result.models[result.latent_dims[0]].history_))
        )
    else:
        files.append(write_figure(folder / "error.png", errors_drawn(result)))
    rows = [asdict(row) for row in result.rows]
    files.append(write_table(folder / "results.csv", list(rows[0]), [list(row.values()) for row in rows]))
    files.append(_write_results(folder / "results.json", result, dataset, rows))
    for latent_dim, estimator in result.models.items():
        stem = "model" if alone else f"latent_dim-{latent_dim}"
        history = estimator.history_
        files.append(
            write_table(folder / f"{stem}-history.csv", list(history[0]), [list(row.values()) for row in history])
        )
        estimator.save(folder / f"{stem}.safetensors")
        files.append(folder / f"{stem}.safetensors")
    return files


def _write_results(path: Path, result: Sweep, dataset: Dataset, rows: list[dict[str, Any]]) -> Path:
    taken, reason = result.recommendation()
    estimator = next(iter(result.models.values()))
    contents = {
        "data": {
            "name": dataset.name,
            "shape": list(dataset.X.shape),
            "labelled": dataset.y is not None,
            "train": len(result.X_train),
            "test": len(result.X_test),
            "files_passed_over": [] if dataset.files is None else [asdict(file) for file in dataset.files.rejected],
        },
        "model": type(estimator).__name__,
        "options": {name: value for name, value in estimator.get_params().items() if name != "latent_dim"},
        "unit": result.unit,
        "mean_error": result.mean_error,
        "rows": rows,
        "trainings": [asdict(row) for row in result.trainings],
        "recommended_latent_dim": taken,
        "recommendation": reason,
    }
    return write_json(path, contents)


def errors_drawn(result: Sweep) -> Figure:
    """Draw the error over latent_dim."""
    ours = np.array([(row.test_error, row.test_error_se) for row in result.rows])
    pca = np.array([row.pca_error for row in result.rows])
    dims = [row.latent_dim for row in result.rows]
    name = type(result.models[dims[0]]).__name__
    return error_curve(dims, ours, pca, result.mean_error, result.unit, name)


def reconstructions(result: Sweep) -> Figure:
    """Draw held-out originals over each model's reconstructions: the lecture's figure."""
    places = _one_a_class(result.y_test, len(result.X_test))
    originals = take(result.X_test, places)
    labels = None if result.y_test is None else result.y_test[places]
    rows = [("original", originals)]
    for row in result.rows:
        restored = result.models[row.latent_dim].reconstruct(originals, labels)
        rows.append((f"d = {row.latent_dim}\nerror {row.test_error:.4f}", restored))
    estimator = next(iter(result.models.values()))
    title = f"Held-out examples of what {type(estimator).__name__} makes of d numbers, by {result.unit}"
    headings = [] if labels is None else [f"class {label}" for label in labels]
    return draw_rows(estimator, rows, title=title, headings=headings)


def _one_a_class(y: Array | None, n: int) -> Array:
    """Return the places of an example of each class, then of a second of each, and so on; without classes the first."""
    if y is None:
        return np.arange(min(SHOWN, n))
    _, classes = np.unique(y, return_inverse=True)
    order = np.argsort(classes, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)  # of each example among those of its class
    rank[order] = np.arange(len(order)) - np.searchsorted(classes[order], classes[order])
    return np.lexsort((classes, rank))[:SHOWN]


def write_examples(
    folder: Path, stem: str, examples: Any, estimator: BottleneckEstimator, *, files: bool = False
) -> list[Path]:
    """Write examples as `write_array` does, and if ``files``, also each as an image in the folder ``stem``."""
    written = [write_array(folder, stem, examples, getattr(estimator, "feature_names_in_", None))]
    return [*written, write_singles(folder / stem, examples, estimator)] if files else written


def write_singles(folder: Path, examples: Any, estimator: BottleneckEstimator) -> Path:
    """Write each of the images (n, H, W[, C]), which may be on disk, as a file of its own in a new ``folder``."""
    images = (as_bytes(estimator.scaling_, examples[place]) for place in range(len(examples)))
    return write_images(folder, images, len(examples))


def known_of(dataset: Dataset) -> dict[str, Array]:
    """Return what is known of each example, by name: its label and its file."""
    labels = {} if dataset.y is None else {"label": np.asarray(dataset.y)}
    if dataset.files is None:
        return labels
    return labels | {"file": np.array([file_name(dataset, place) for place in range(len(dataset.X))], dtype=object)}


def write_errors(path: Path, dataset: Dataset, columns: dict[str, Array]) -> Path:
    """Write a CSV table, a row an example: its place, label and file, if it has them, and its errors by name."""
    n = len(dataset.X)
    known = {"label": np.full(n, "")} | known_of(dataset)
    return write_columns(path, {"example": np.arange(n)} | known | columns, {})
