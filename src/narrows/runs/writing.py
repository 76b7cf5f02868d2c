"""What a run leaves behind in its folder: examples, errors, figures, models, all as files."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from narrows.columns.saying import plain_kind
from narrows.data.dataset import Dataset
from narrows.data.errors import DataError
from narrows.data.take import take
from narrows.drawing.curves import error_curve, training_curve
from narrows.fitted.fitted import Fitted
from narrows.fitted.levels import as_bytes
from narrows.runs.captions import class_name, file_name, with_article
from narrows.runs.files import (
    by_itself,
    write_array,
    write_columns,
    write_figures,
    write_images,
    write_json,
    write_table,
)
from narrows.runs.pictures import draw_rows
from narrows.sweeps import Sweep

if TYPE_CHECKING:  # it takes a third of a second, and who draws has it
    from matplotlib.figure import Figure

__all__ = [
    "GRID",
    "SHOWN",
    "check_images",
    "errors_drawn",
    "known_of",
    "reconstructions",
    "write_errors",
    "write_examples",
    "write_run",
    "write_singles",
]

Array = NDArray[Any]

SHOWN = 10
"""Examples in a row of the lecture's figure."""

GRID = 100
"""Examples in a grid, at most."""


def check_images(fitted: Fitted, *, files: bool) -> None:
    """Refuse single ``files`` of a model of rows.

    Raises
    ------
    DataError
        If they are asked for, and the model makes no images.
    """
    if files and len(fitted.input_shape) < 2:
        raise DataError("--files is for images; this model makes rows, and the table holds them all")


def write_run(result: Sweep, dataset: Dataset, folder: Path) -> list[Path]:
    """Write what ``result`` has come to, whole or interrupted, into ``folder``; return the files, figures first.

    The models are written first: whatever goes wrong with a table or a figure is a warning.

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
    stems = {d: "model" if alone else f"latent_dim-{d}" for d in result.models}
    for latent_dim, estimator in result.models.items():
        estimator.save(folder / f"{stems[latent_dim]}.safetensors")
    tables = []
    with by_itself("results.csv and results.json were not written"):
        rows = [asdict(row) for row in result.rows]
        tables.append(write_table(folder / "results.csv", list(rows[0]), [list(row.values()) for row in rows]))
        tables.append(_write_results(folder / "results.json", result, dataset, rows))
    for latent_dim, estimator in result.models.items():
        path, history = folder / f"{stems[latent_dim]}-history.csv", estimator.history_
        with by_itself(f"{path.name} was not written"):
            tables.append(write_table(path, list(history[0]), [list(row.values()) for row in history]))
    of_table = next(iter(result.models.values())).table_ is not None  # whose rows the report shows
    figures = {} if of_table else {"reconstructions": partial(reconstructions, result)}
    if alone:
        figures["training"] = partial(training_curve, result.models[result.latent_dims[0]].history_)
    else:
        figures["error"] = partial(errors_drawn, result)
    models = [folder / f"{stem}.safetensors" for stem in stems.values()]
    return [*write_figures(folder, figures), *tables, *models]


def _write_results(path: Path, result: Sweep, dataset: Dataset, rows: list[dict[str, Any]]) -> Path:
    taken, reason = result.recommendation()
    estimator = next(iter(result.models.values()))
    options = {**estimator.fitted_.options, "device": estimator.device}
    contents = {
        "data": {
            "name": dataset.name,
            "shape": list(dataset.X.shape),
            "labelled": dataset.y is not None,
            "train": len(result.X_train),
            "test": len(result.X_test),
            "missing": list(dataset.missing),
            "key": dataset.key,
            "page": dataset.page,
            "files_passed_over": [] if dataset.files is None else [asdict(file) for file in dataset.files.rejected],
        },
        "model": estimator.fitted_.kind,
        "options": {name: value for name, value in options.items() if name != "latent_dim"},
        "columns": [plain_kind(column) for column in estimator.table_.columns] if estimator.table_ else None,
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
    kind = result.models[dims[0]].fitted_.kind
    return error_curve(dims, ours, pca, result.mean_error, result.unit, kind)


def reconstructions(result: Sweep) -> Figure:
    """Draw held-out originals over each model's reconstructions: the lecture's figure."""
    chosen = _one_a_class(result.y_test, len(result.X_test))
    originals = take(result.X_test, chosen)
    labels = None if result.y_test is None else result.y_test[chosen]
    rows = [("original", originals)]
    for row in result.rows:
        restored = result.models[row.latent_dim].reconstruct(originals, labels)
        rows.append((f"d = {row.latent_dim}\nerror {row.test_error:.4f}", restored))
    fitted = next(iter(result.models.values())).fitted_
    title = f"Held-out examples and what {with_article(fitted.kind)} rebuilds from d numbers ({result.unit})"
    headings = [] if labels is None else [class_name(label) for label in labels]
    return draw_rows(fitted, rows, title=title, headings=headings)


def _one_a_class(y: Array | None, n: int) -> Array:
    """Return an example of each class, then a second of each, and so on, by their rows; without classes the first."""
    if y is None:
        return np.arange(min(SHOWN, n))
    _, classes = np.unique(y, return_inverse=True)
    order = np.argsort(classes, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)  # of each example among those of its class
    rank[order] = np.arange(len(order)) - np.searchsorted(classes[order], classes[order])
    return np.lexsort((classes, rank))[:SHOWN]


def write_examples(folder: Path, stem: str, examples: Any, fitted: Fitted, *, files: bool = False) -> list[Path]:
    """Write examples as `write_array` does, and if ``files``, also each as an image in the folder ``stem``."""
    written = [write_array(folder, stem, examples, fitted.feature_names)]
    return [*written, write_singles(folder / stem, examples, fitted)] if files else written


def write_singles(folder: Path, examples: Any, fitted: Fitted) -> Path:
    """Write each of the images (n, H, W[, C]), which may be on disk, as a file of its own in a new ``folder``."""
    images = (as_bytes(fitted, examples[row])[0] for row in range(len(examples)))
    return write_images(folder, images, len(examples))


def known_of(dataset: Dataset) -> dict[str, Array]:
    """Return what is known of each example, by name: its label and its file."""
    labels = {} if dataset.y is None else {"label": np.asarray(dataset.y)}
    if dataset.files is None:
        return labels
    return labels | {"file": np.array([file_name(dataset, row) for row in range(len(dataset.X))], dtype=object)}


def write_errors(path: Path, dataset: Dataset, columns: dict[str, Array]) -> Path:
    """Write a CSV table, a row an example: its number, label and file, if it has them, and its errors by name."""
    n = len(dataset.X)
    known = {"label": np.full(n, "")} | known_of(dataset)
    return write_columns(path, {"example": np.arange(n)} | known | columns, {})
