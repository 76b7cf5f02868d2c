"""What a run takes up, a saved model and data for it, and what it leaves behind: figures, tables, models, JSON."""

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
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from narrows.arguments import closest
from narrows.data import load_data
from narrows.data.dataset import DataError, Dataset
from narrows.estimators import load
from narrows.estimators.base import BottleneckEstimator
from narrows.figures import error_curve, example_rows, image_grid, training_curve
from narrows.storage import versions
from narrows.sweeps import Sweep

__all__ = [
    "GRID",
    "SHOWN",
    "corrupted",
    "draw_grid",
    "draw_rows",
    "find_model",
    "known_labels",
    "new_folder",
    "numbered",
    "open_both",
    "pick",
    "squared_errors",
    "write_array",
    "write_errors",
    "write_examples",
    "write_figure",
    "write_json",
    "write_run",
    "write_table",
]

Array = NDArray[Any]

SHOWN = 10
"""Examples in a row of the lecture's figure."""

GRID = 100
"""Examples in a grid, at most."""


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


def open_both(model: Path, data: str, label: str | None = None) -> tuple[Any, Dataset]:
    """Return the model that ``model`` names and ``data`` to give it, which for a conditional model have its labels.

    Parameters
    ----------
    model, data
        As of `find_model` and `load_data`.
    label
        Of all examples, instead of what the data say; for a conditional model only.

    Raises
    ------
    DataError
        If the model is conditional, and the data have no labels, or some that it does not know.
    """
    estimator = load(find_model(model))
    dataset = load_data(data, like=estimator.input_shape_)
    if not estimator.conditional:
        if label is not None:
            raise DataError(f"--label {label} is of no use here: the codes of MODEL {model} do not depend on labels")
        return estimator, dataset
    labels = dataset.y if label is None else [label] * len(dataset.X)
    if labels is None:
        raise DataError(f"DATA {data} has no labels, and MODEL {model}, which is conditional, needs them")
    return estimator, Dataset(dataset.name, dataset.X, known_labels(estimator, labels))


def known_labels(estimator: BottleneckEstimator, labels: Iterable[object]) -> Array:
    """Return ``labels``, which may be text, as the classes that ``estimator`` was trained on and that read the same.

    Raises
    ------
    DataError
        If it was trained without classes, or one is not among them.
    """
    if estimator.classes_ is None:
        raise DataError("the model was trained without classes, so it cannot be asked for one")
    by_text = {str(label): label for label in estimator.classes_.tolist()}
    texts = [str(label) for label in labels]
    unknown = next((text for text in texts if text not in by_text), None)
    if unknown is not None:
        known = ", ".join(list(by_text)[:20]) + (" …" if len(by_text) > 20 else "")
        raise DataError(
            f"label {unknown!r} is no class that the model knows{closest(unknown, by_text)}; known are {known}"
        )
    return np.array([by_text[text] for text in texts])


def pick(option: str, dataset: Dataset, places: Sequence[int]) -> Dataset:
    """Return the examples at ``places``, counted from 0, which the command's ``option`` names.

    Raises
    ------
    DataError
        If there is none at one of them.
    """
    n = len(dataset.X)
    outside = next((place for place in places if not 0 <= place < n), None)
    if outside is not None:
        raise DataError(f"{option} {outside}: {dataset.name} has {n:,} examples, counted from 0 to {n - 1:,}")
    X = dataset.X.take(list(places), axis=0)
    return Dataset(dataset.name, X, None if dataset.y is None else dataset.y[list(places)])


def corrupted(estimator: BottleneckEstimator, X: Any, corruption: str, level: float, seed: int) -> Any:
    """Return a corrupted copy of ``X``, as `BottleneckEstimator.corrupt` makes it, with its columns' names."""
    noisy = estimator.corrupt(X, corruption=corruption, level=level, random_state=seed)
    return pd.DataFrame(noisy, columns=X.columns) if isinstance(X, pd.DataFrame) else noisy


def squared_errors(estimator: BottleneckEstimator, X: Any, other: Any) -> NDArray[np.float64]:
    """Return each example's mean squared difference between ``X`` and ``other``, in scaled units as `anomaly_score`."""
    a, b = (estimator.scaling_.apply(examples).astype(np.float64) for examples in (X, other))
    errors: NDArray[np.float64] = np.square(a - b).mean(1)
    return errors


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
        name = type(result.models[dims[0]]).__name__
        figure = error_curve(dims, ours, pca, result.mean_error, result.unit, name)
        files.append(write_figure(folder / "error.png", figure))
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
        },
        "model": type(estimator).__name__,
        "options": {name: value for name, value in estimator.get_params().items() if name != "latent_dim"},
        "unit": result.unit,
        "mean_error": result.mean_error,
        "rows": rows,
        "recommended_latent_dim": taken,
        "recommendation": reason,
    }
    return write_json(path, contents)


def reconstructions(result: Sweep) -> Figure:
    """Draw held-out originals over each model's reconstructions: the lecture's figure."""
    places = _one_a_class(result.y_test, len(result.X_test))
    originals = result.X_test.take(places, axis=0)
    labels = None if result.y_test is None else result.y_test[places]
    rows = [("original", originals)]
    for row in result.rows:
        restored = result.models[row.latent_dim].reconstruct(originals, labels)
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
    shown = [(label, _drawable(estimator, examples)) for label, examples in rows]
    return example_rows(shown, _shown_range(estimator, shown[0][1]))


def draw_grid(estimator: BottleneckEstimator, examples: Any) -> Figure:
    """Draw examples in a grid, as `draw_rows` draws them."""
    shown = _drawable(estimator, examples)
    return image_grid(shown, _shown_range(estimator, shown))


def _drawable(estimator: BottleneckEstimator, examples: Any) -> Array:
    array = np.asarray(examples)
    return array if array.ndim > 2 else estimator.scaling_.apply(array)


def _shown_range(estimator: BottleneckEstimator, examples: Array) -> tuple[float, float]:
    if examples.ndim > 2:
        return value_range(estimator)
    margin = 0.1 * float(np.ptp(examples)) + 1e-6
    return float(examples.min()) - margin, float(examples.max()) + margin


def value_range(estimator: BottleneckEstimator) -> tuple[float, float]:
    """Return the values of images to show as black and white: what the training data reach, at least nearly."""
    scaling = estimator.scaling_
    if scaling.kind == "global":
        return float(scaling.offset[0]), float(scaling.offset[0] + scaling.scale[0])
    return float((scaling.offset - 2 * scaling.scale).min()), float((scaling.offset + 2 * scaling.scale).max())


def write_examples(folder: Path, stem: str, examples: Array, estimator: BottleneckEstimator) -> list[Path]:
    """Write decoded examples as `write_array` does, and images also as a grid, ``stem.png``."""
    array = write_array(folder, stem, examples, estimator)
    if examples.ndim == 2:
        return [array]
    return [write_figure(folder / f"{stem}.png", draw_grid(estimator, examples[:GRID])), array]


def write_array(folder: Path, stem: str, examples: Any, estimator: BottleneckEstimator) -> Path:
    """Write examples, images as ``stem.npy``, a table's rows as ``stem.csv``, and return the file."""
    examples = np.asarray(examples)
    if examples.ndim > 2:
        np.save(folder / f"{stem}.npy", examples)
        return folder / f"{stem}.npy"
    names = getattr(estimator, "feature_names_in_", [f"feature{i}" for i in range(examples.shape[1])])
    return write_table(folder / f"{stem}.csv", list(names), examples.tolist())


def write_errors(path: Path, labels: Array | None, columns: dict[str, Array]) -> Path:
    """Write a CSV table with a row for each example: its place, its label if it has one, and its errors by name."""
    n = len(next(iter(columns.values())))
    rows = zip(range(n), [""] * n if labels is None else labels.tolist(), *columns.values(), strict=True)
    return write_table(path, ["example", "label", *columns], rows)


def write_json(path: Path, contents: dict[str, Any]) -> Path:
    """Write the command, the versions it ran with, and ``contents`` as JSON, and return the file."""
    everything = {"command": ["narrows", *sys.argv[1:]], "versions": versions(), **contents}
    path.write_text(json.dumps(everything, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


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
