"""What a run takes up: a saved model, data for it, and which examples of them."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.arguments import closest
from narrows.data import load_data
from narrows.data.dataset import Dataset
from narrows.data.errors import DataError
from narrows.data.image_files import MADE_GREY
from narrows.data.labels import usual_labels
from narrows.data.links import inside
from narrows.data.sources import NAMED, is_table, takes
from narrows.data.take import is_pandas, take
from narrows.estimators import load
from narrows.estimators.base import BottleneckEstimator
from narrows.fitted import units
from narrows.fitted.fitted import Fitted
from narrows.fitted.units import WHOLE, looked_at
from narrows.runs.captions import passed_over
from narrows.runs.files import checkpoints, require_pyarrow

__all__ = [
    "find_model",
    "known_labels",
    "marks_of",
    "models_in",
    "named_set",
    "open_both",
    "open_codes",
    "pick",
    "read_as",
    "remembered",
    "results_beside",
    "types_of",
    "warn_of_units",
    "with_classes",
]

Array = NDArray[Any]


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
    models = models_in(path)
    if len(models) != 1:
        found = ", ".join(model.name for model in models) or "none"
        raise DataError(f"MODEL {path} is a folder; name one of the models in it: {found}")
    return models[0]


def models_in(folder: Path) -> list[Path]:
    """Return the model files in ``folder``, without an interrupted run's checkpoint.

    Raises
    ------
    DataError
        If one is a link that leads out of the folder.
    """
    return inside(folder, sorted(set(folder.glob("*.safetensors")) - set(checkpoints(folder))))


def results_beside(file: Path) -> dict[str, Any]:
    """Return what `narrows train` or `narrows sweep` wrote next to a model file, or nothing."""
    path = file.with_name("results.json")
    if not inside(path.parent, [path]):
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # a model file alone is as good
        return {}
    return found if isinstance(found, dict) else {}


def remembered(
    results: dict[str, Any], shape: tuple[int, ...], read: Callable[[str, tuple[int, ...]], Dataset]
) -> str | None:
    """Return the named set that a run was trained on, if its results name one; a file of that name does not count.

    Parameters
    ----------
    results
        Of `results_beside`.
    shape
        Of an input of the run's models.
    read
        Returns the set of a name for models that take a shape.
    """
    told = results.get("data")
    if not isinstance(told, dict) or told.get("name") not in NAMED:
        return None
    name = str(told["name"])
    return name if told.get("shape") == list(read(name, shape).X.shape) else None


def named_set(model: Path) -> str | None:
    """Return the named set that the model which ``model`` names was trained on by a run, if there is one."""
    file = find_model(model)
    return remembered(
        results_beside(file), load(file).fitted_.input_shape, lambda name, shape: load_data(name, like=shape)
    )


def open_both(
    model: Path,
    data: str,
    label: str | None = None,
    *,
    fit: str = "crop",
    missing: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> tuple[BottleneckEstimator, Dataset]:
    """Return the model that ``model`` names and ``data`` to give it, which for a conditional model have its labels.

    Parameters
    ----------
    model, data
        As in `find_model` and `load_data`.
    label
        Of all examples, instead of what the data say; for a conditional model only.
    fit, missing, progress
        As in `load_data`; without any ``missing``, what stood for missing cells of the table in the training, if a run
        says so next to the model, as it does of which array or page its data were.

    Raises
    ------
    DataError
        If the model is conditional, and the data have no labels, or some that it does not know.

    Warns
    -----
    UserWarning
        If image files are passed over, or colours are made grey, since the model's images are.
    """
    file = find_model(model)
    estimator = load(file)
    fitted = estimator.fitted_
    told = read_as(fitted, data, results_beside(file)) | ({"missing": missing} if missing else {})
    dataset = load_data(data, fit=fit, progress=progress, **told)
    _warn_of_files(dataset)
    if label is not None:
        if not fitted.conditional:
            raise DataError(f"--label {label} has no effect here: the codes of MODEL {model} do not depend on labels")
        dataset = replace(dataset, y=np.full(len(dataset.X), label))
    return estimator, with_classes(fitted, dataset, f"DATA {data} has", model)


def _warn_of_files(dataset: Dataset) -> None:
    """Say of image files what else nobody would see: which are passed over, and whose colours the model cannot see."""
    if dataset.files is not None and dataset.files.rejected:
        warnings.warn(f"{dataset.name}: {passed_over(dataset.files)}; `narrows data` lists them", stacklevel=3)
    for note in dataset.notes:
        if note.endswith(MADE_GREY):
            warnings.warn(
                f"{dataset.name}: {note}; a model that is to see colours learns from images in colours", stacklevel=3
            )


def read_as(fitted: Fitted, data: str, results: dict[str, Any]) -> dict[str, Any]:
    """Return how `load_data` is to read ``data`` for a model: as its training did, by the ``results`` beside it."""
    missing = marks_of(results) if is_table(data) else ()
    told = results.get("data")
    asked = told if isinstance(told, dict) else {}
    known = {"key": isinstance(asked.get("key"), str), "page": isinstance(asked.get("page"), int | str)}
    chosen = {name: asked[name] for name, is_known in known.items() if is_known and takes(name, data)}
    return {"like": fitted.input_shape, "missing": missing, "types": types_of(fitted), **chosen}


def marks_of(results: dict[str, Any]) -> tuple[str, ...]:
    """Return what stood for missing cells in a run, by its results."""
    told = results.get("data")
    found = told.get("missing") if isinstance(told, dict) else None
    return tuple(mark for mark in found if isinstance(mark, str)) if isinstance(found, list) else ()


def types_of(fitted: Fitted) -> dict[str, str] | None:
    """Return what the columns of a table's file hold to a model, by name."""
    if fitted.table is not None:
        return {str(one.name): one.family for one in fitted.table.columns if one.kind not in ("constant", "empty")}
    return None if fitted.feature_names is None else dict.fromkeys(fitted.feature_names, "number")


def warn_of_units(fitted: Fitted, dataset: Dataset) -> None:
    """Say if data do not share the range that the model was trained on, as `narrows.fitted.units` does.

    Warns
    -----
    UserWarning
        If they don't; what is done with them afterwards does not say it again.
    """
    if fitted.table is not None:
        return
    few = np.asarray(take(dataset.X, range(looked_at(fitted, len(dataset.X)))))
    rows = few.reshape(len(few), -1)
    if rows.shape[1] == fitted.features:  # others are refused when they are used
        units.warn_of_units(fitted, rows, dataset.name, WHOLE)


def open_codes(model: Path, codes: Path) -> tuple[BottleneckEstimator, Dataset]:
    """Return the model that ``model`` names, and the codes alone that ``narrows encode`` wrote.

    Raises
    ------
    DataError
        If the file cannot be read, or has no such rows or columns; or, of a conditional model, no labels that it knows.
    """
    estimator = load(find_model(model))
    names = list(estimator.get_feature_names_out())
    dataset = _read_codes(codes, names)
    if dataset.X.shape[1:] != (len(names),):
        raise DataError(f"CODES {codes} is of shape {dataset.X.shape}; this model's codes are (n, {len(names)})")
    if is_pandas(dataset.X) and (texts := list(dataset.X.select_dtypes(exclude=["number", "bool"]).columns)):
        raise DataError(f"CODES {codes}, column {texts[0]!r} holds no numbers, and codes are numbers")
    return estimator, with_classes(estimator.fitted_, dataset, f"CODES {codes} has", model)


def with_classes(fitted: Fitted, dataset: Dataset, told: str, model: Path) -> Dataset:
    """Return ``dataset`` with its labels as classes, if the model, which ``model`` names, is conditional."""
    if not fitted.conditional:
        return dataset
    if dataset.y is None:
        raise DataError(f"{told} no labels, and MODEL {model}, which is conditional, needs them")
    return replace(dataset, y=known_labels(fitted, dataset.y))


def _read_codes(path: Path, names: Sequence[str]) -> Dataset:
    """Return the columns ``names`` of a table, and its labels, or else as many of the first numbers of each row."""
    if path.suffix == ".parquet":
        require_pyarrow(f"CODES {path}")
    if path.suffix in {".csv", ".parquet"} and path.is_file():
        try:
            if path.suffix == ".csv":  # labels are text there: 01 is not 1, and NA may be a class
                table = pd.read_csv(path, dtype={"label": str}, keep_default_na=False)
            else:
                table = pd.read_parquet(path)
        except ValueError as error:  # an empty file, lines of several lengths, or no Parquet file
            raise DataError(f"CODES {path} cannot be read: {error}") from error
        if set(names) <= set(table.columns):
            y = table["label"].to_numpy() if "label" in table.columns else None
            return Dataset(path.stem, table[names].to_numpy(), y)
        if path.suffix == ".parquet":
            raise DataError(f"{path} lacks the columns {names[0]} to {names[-1]} of this model's codes")
    dataset = load_data(path)
    scored = path.suffix == ".npy" and dataset.X.ndim == 2 and dataset.X.shape[1] == len(names) + 2
    return replace(dataset, X=np.asarray(dataset.X)[:, : len(names)]) if scored else dataset


def known_labels(fitted: Fitted, labels: Iterable[object]) -> Array:
    """Return ``labels``, which may be text, as the classes that the model was fitted to and that read the same.

    Raises
    ------
    DataError
        If it was trained without classes, or one is not among them.
    """
    if fitted.classes is None:
        raise DataError("the model was trained without classes, so it cannot be asked for one")
    by_text = {str(label): label for label in fitted.classes.tolist()}
    texts = [str(label) for label in usual_labels(np.asarray(list(labels))).tolist()]
    unknown = next((text for text in texts if text not in by_text), None)
    if unknown is not None:
        known = ", ".join(list(by_text)[:20]) + (" …" if len(by_text) > 20 else "")
        raise DataError(
            f"label {unknown!r} is not a class that the model knows{closest(unknown, by_text)}; use one of {known}"
        )
    return np.array([by_text[text] for text in texts])


def pick(option: str, dataset: Dataset, rows: Sequence[int]) -> Dataset:
    """Return the examples at ``rows``, counted from 0, which the command's ``option`` names.

    Raises
    ------
    DataError
        If one of them does not exist.
    """
    n = len(dataset.X)
    outside = next((row for row in rows if not 0 <= row < n), None)
    if outside is not None:
        raise DataError(f"{option} {outside}: {dataset.name} has {n:,} examples, counted from 0 to {n - 1:,}")
    return dataset.at(rows)
