"""What a run leaves behind: a folder with figures, tables, and models that can be taken up again."""

from __future__ import annotations

import csv
import itertools
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from narrows.data.dataset import DataError, Dataset
from narrows.estimators.base import BottleneckEstimator
from narrows.figures import error_curve, example_rows, image_grid, training_curve
from narrows.storage import versions
from narrows.sweeps import Sweep

__all__ = [
    "draw_rows",
    "find_model",
    "new_folder",
    "numbered",
    "write_examples",
    "write_figure",
    "write_run",
    "write_table",
]

Array = NDArray[Any]

SHOWN = 10
"""Examples in a row of the lecture's figure."""


def new_folder(given: Path | None, name: str) -> Path:
    """Make and return the folder ``given``, or else ``runs/name``, ``runs/name-2`` … whichever is free.

    Raises
    ------
    DataError
        If ``given`` is there and not empty, so that nothing in it is lost.
    """
    if given is not None:
        if given.exists() and (not given.is_dir() or any(given.iterdir())):
            raise DataError(f"--out {given} is there already and not empty; name a new folder")
        given.mkdir(parents=True, exist_ok=True)
        return given
    for free in numbered(name):
        folder = Path("runs") / free
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise AssertionError  # the names never end


def numbered(name: str) -> Iterator[str]:
    """Yield ``name``, ``name-2``, ``name-3`` … without end."""
    yield name
    yield from (f"{name}-{number}" for number in itertools.count(2))


def find_model(path: Path) -> Path:
    """Return the model file that ``path`` names: itself, or the only one in that folder.

    Raises
    ------
    DataError
        If there is none, or more than one to choose from.
    """
    if not path.is_dir():
        if not path.exists():
            raise DataError(f"MODEL {path} does not exist")
        return path
    models = sorted(path.glob("*.safetensors"))
    if len(models) != 1:
        found = ", ".join(model.name for model in models) or "none"
        raise DataError(f"MODEL {path} is a folder; name one of the models in it: {found}")
    return models[0]


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
        ours = np.array([(row.test_error, row.test_error_se) for row in result.rows])
        pca = np.array([row.pca_error for row in result.rows])
        dims = [row.latent_dim for row in result.rows]
        files.append(write_figure(folder / "error.png", error_curve(dims, ours, pca, result.mean_error, result.unit)))
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
        "command": ["narrows", *sys.argv[1:]],
        "versions": versions(),
        "data": {
            "name": dataset.name,
            "shape": list(dataset.X.shape),
            "labelled": dataset.y is not None,
            "train": len(result.X_train),
            "test": len(result.X_test),
        },
        "model": type(estimator).__name__,
        "options": {name: value for name, value in estimator.get_params().items() if name != "latent_dim"},
        "unit": result.unit,
        "mean_error": result.mean_error,
        "rows": rows,
        "recommended_latent_dim": taken,
        "recommendation": reason,
    }
    path.write_text(json.dumps(contents, indent=2) + "\n", encoding="utf-8")
    return path


def reconstructions(result: Sweep) -> Figure:
    """Draw held-out originals over each model's reconstructions: the lecture's figure."""
    originals = result.X_test.take(_one_a_class(result.y_test, len(result.X_test)), axis=0)
    rows = [("original", originals)]
    for row in result.rows:
        restored = result.models[row.latent_dim].reconstruct(originals)
        rows.append((f"d = {row.latent_dim}\nerror {row.test_error:.4f}", restored))
    return draw_rows(next(iter(result.models.values())), rows)


def _one_a_class(y: Array | None, n: int) -> Array:
    """Return the places of an example of each class, then of a second of each, and so on; without classes the first."""
    if y is None:
        return np.arange(min(SHOWN, n))
    _, classes = np.unique(y, return_inverse=True)
    order = np.argsort(classes, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)  # of each example among those of its class
    rank[order] = np.arange(len(order)) - np.searchsorted(classes[order], classes[order])
    return np.lexsort((classes, rank))[:SHOWN]


def draw_rows(estimator: BottleneckEstimator, rows: Sequence[tuple[str, Any]]) -> Figure:
    """Draw (label, examples) pairs in the data's units, a table's columns each scaled as the model scales it."""
    if rows[0][1].ndim > 2:
        return example_rows(rows, value_range(estimator))
    scaled = [(label, estimator.scaling_.apply(np.asarray(examples, np.float64))) for label, examples in rows]
    first = scaled[0][1]
    margin = 0.1 * float(np.ptp(first)) + 1e-6
    return example_rows(scaled, (float(first.min()) - margin, float(first.max()) + margin))


def value_range(estimator: BottleneckEstimator) -> tuple[float, float]:
    """Return the values of images to show as black and white: what the training data reach, at least nearly."""
    scaling = estimator.scaling_
    if scaling.kind == "global":
        return float(scaling.offset[0]), float(scaling.offset[0] + scaling.scale[0])
    return float((scaling.offset - 2 * scaling.scale).min()), float((scaling.offset + 2 * scaling.scale).max())


def write_examples(folder: Path, stem: str, examples: Array, estimator: BottleneckEstimator) -> list[Path]:
    """Write decoded examples: images as ``stem.npy`` and a grid ``stem.png``, a table's rows as ``stem.csv``."""
    if examples.ndim > 2:
        np.save(folder / f"{stem}.npy", examples)
        grid = image_grid(examples[:100], value_range(estimator))
        return [write_figure(folder / f"{stem}.png", grid), folder / f"{stem}.npy"]
    names = getattr(estimator, "feature_names_in_", [f"feature{i}" for i in range(examples.shape[1])])
    return [write_table(folder / f"{stem}.csv", list(names), examples.tolist())]


def write_figure(path: Path, figure: Figure) -> Path:
    """Write ``figure`` as a PNG and return its path."""
    figure.savefig(path, dpi=160)
    return path


def write_table(path: Path, names: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """Write a CSV table and return its path."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(rows)
    return path
