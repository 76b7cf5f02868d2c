"""New examples in a folder: from a model's prior, like an example that there is, or between two."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from narrows.columns.given import asked_of
from narrows.data.dataset import Dataset
from narrows.data.take import take
from narrows.estimators.base import BottleneckEstimator
from narrows.fitted.fitted import Fitted
from narrows.latent import around
from narrows.latent import interpolate as between
from narrows.runs.captions import class_name, first_of, with_article
from narrows.runs.cells import made, together
from narrows.runs.files import (
    Written,
    check_new_table,
    new_folder,
    write_figures,
    write_json,
    write_rows,
    write_table,
)
from narrows.runs.opening import known_labels, pick
from narrows.runs.pictures import draw_grid, draw_rows
from narrows.runs.writing import GRID, check_images, write_examples

if TYPE_CHECKING:  # it takes a third of a second, and who draws has it
    from matplotlib.figure import Figure

__all__ = ["generate", "generate_like", "generate_rows", "interpolate"]

Array = NDArray[Any]

ONE_ROW = 14
"""Tiles that a path may have, to be drawn in a row."""


def generate(
    estimator: BottleneckEstimator,
    n: int = 64,
    label: str | None = None,
    out: Path | None = None,
    *,
    name: str = "model",
    seed: int = 0,
    files: bool = False,
) -> Written:
    """Write new examples: codes from the model's prior, decoded.

    Parameters
    ----------
    estimator
        A model.
    n
        How many.
    label
        The class of all of them, as text; None draws classes as frequent as in the training data, where there are any.
    out
        As in `narrows.runs.files.new_folder`.
    name
        Of the model, from which the folder takes its own if ``out`` is None.
    seed
        Of all chance.
    files
        Whether to write each image as a file of its own, too.
    """
    check_images(estimator.fitted_, files=files)
    y = _drawn_classes(estimator.fitted_, n, seed) if label is None else known_labels(estimator.fitted_, [label])[0]
    samples = made(estimator.fitted_, estimator.sample(n, y, random_state=seed))
    folder = new_folder(out, f"generate-{name}")
    numbers: dict[str, Any] = {"n": n, "label": label, "seed": seed}
    if label is None and y is not None:
        numbers["labels"] = y.tolist()
    written = [
        *write_examples(folder, "samples", samples, estimator.fitted_, files=files),
        write_json(folder / "results.json", numbers),
    ]
    if samples.ndim > 2:
        captions = [class_name(one) for one in numbers.get("labels", [])[:GRID]]
        of_class = "" if label is None else f" of class {label}"
        kind = with_article(estimator.fitted_.kind)
        title = f"New examples{of_class} from the prior of {kind}{first_of(min(n, GRID), n)}"
        draw = partial(draw_grid, estimator.fitted_, samples[:GRID], title=title, labels=captions)
        written = [*write_figures(folder, {"samples": draw}), *written]
    return Written(numbers, written)


def generate_rows(
    estimator: BottleneckEstimator,
    n: int = 64,
    label: str | None = None,
    out: Path | None = None,
    *,
    name: str = "model",
    seed: int = 0,
    given: Sequence[str] = (),
    missing: bool = True,
) -> Written:
    """Write new rows of a table, in the columns' types.

    Parameters
    ----------
    estimator
        A model of a table.
    n, label, name, seed
        As in `generate`.
    out
        A new .csv or .parquet file, or else as in `generate`.
    given
        What they are to be like, as ``column=value``, ``column=first..last`` or ``column=value,value``.
    missing
        Whether cells may be missing.
    """
    table = estimator.fitted_.table
    assert table is not None
    asked = dict(asked_of(table, text) for text in given)
    if len(asked) < len(given):
        raise ValueError(f"--given {' --given '.join(given)} names a column twice; give each one condition")
    file = out if out is not None and out.suffix in (".csv", ".parquet") else None
    if file is not None:
        check_new_table(file)
    y = _drawn_classes(estimator.fitted_, n, seed) if label is None else known_labels(estimator.fitted_, [label])[0]
    rows = estimator.sample(n, y, random_state=seed, given=asked, missing=missing)
    if file is not None:
        return Written({"n": n}, [write_rows(file, rows)])
    folder = new_folder(out, f"generate-{name}")
    numbers: dict[str, Any] = {"n": n, "label": label, "seed": seed, "given": list(given), "missing": missing}
    if label is None and y is not None:
        numbers["labels"] = y.tolist()
    return Written(numbers, [write_rows(folder / "samples.csv", rows), write_json(folder / "results.json", numbers)])


def _drawn_classes(fitted: Fitted, n: int, seed: int) -> Array | None:
    """Return classes (n,) as frequent as in the training data and in their order, or None if the model knows none."""
    if not fitted.conditional:
        return None
    frequencies = fitted.model.prior.frequencies.double().numpy()
    chosen = np.random.default_rng(seed).choice(len(frequencies), n, p=frequencies / frequencies.sum())
    classes: Array = fitted.require_classes()[np.sort(chosen)]
    return classes


def generate_like(
    estimator: BottleneckEstimator,
    dataset: Dataset,
    example: int = 0,
    noise: float = 0.5,
    n: int = 64,
    out: Path | None = None,
    *,
    seed: int = 0,
    files: bool = False,
) -> Written:
    """Write an example's code with noise, decoded again and again (“Úvod do generativních modelů”, L24).

    Parameters
    ----------
    estimator, dataset
        A model, and data for it.
    example
        Which of the data, counted from 0.
    noise
        The standard deviation of what is added to its code, in the code's own units.
    n, out, seed, files
        As in `generate`.
    """
    check_images(estimator.fitted_, files=files)
    original = pick("--example", dataset, [example])
    code = estimator.transform(original.X, original.y)
    codes = around(code[0], noise, n, random_state=seed)
    labels = None if original.y is None else np.repeat(original.y, n)
    samples = made(estimator.fitted_, estimator.inverse_transform(codes, labels))
    folder = new_folder(out, f"like-{dataset.name}")
    numbers = {"like": dataset.name, "example": example, "noise": noise, "n": n, "seed": seed, "code": code[0].tolist()}
    written = [
        *write_examples(folder, "samples", samples, estimator.fitted_, files=files),
        write_json(folder / "results.json", numbers),
    ]
    shown = together(estimator.fitted_, [original.X, estimator.inverse_transform(code, original.y), samples])
    # As many as were asked for, so that 64 make a square; the arrays hold all of the new ones.
    shown = shown[: min(max(n, 3), GRID)]
    draw = partial(
        draw_grid,
        estimator.fitted_,
        shown,
        title=f"Like example {example} of {dataset.name}: its code with noise of σ\xa0=\xa0{noise:g}, decoded",
        labels=["original", "decoded", *(f"new {i}" for i in range(len(shown) - 2))],
    )
    return Written(numbers, [*write_figures(folder, {"samples": draw}), *written])


def interpolate(
    estimator: BottleneckEstimator,
    dataset: Dataset,
    examples: tuple[int, int] = (0, 1),
    steps: int = 9,
    kind: str = "linear",
    out: Path | None = None,
    *,
    files: bool = False,
) -> Written:
    """Write what codes between two examples' are decoded to; a conditional model keeps the first's class.

    Parameters
    ----------
    estimator, dataset
        A model, and data for it.
    examples
        From which to which, counted from 0.
    steps
        Codes, those of both examples among them.
    kind
        As in `narrows.latent.interpolate`.
    out, files
        As in `generate`.
    """
    check_images(estimator.fitted_, files=files)
    ends = pick("--examples", dataset, examples)
    first, last = estimator.transform(ends.X, ends.y)
    codes = between(first, last, steps, kind=kind)
    y = None if ends.y is None else np.repeat(ends.y[:1], len(codes))
    path = made(estimator.fitted_, estimator.inverse_transform(codes, y))
    folder = new_folder(out, f"interpolate-{dataset.name}")
    shown = np.unique(np.linspace(0, steps - 1, min(steps, GRID - 2)).round().astype(int))
    numbers = {"examples": list(examples), "steps": steps, "kind": kind}
    written = [
        *write_examples(folder, "path", path, estimator.fitted_, files=files),
        write_table(folder / "codes.csv", list(estimator.get_feature_names_out()), codes.tolist()),
        write_json(folder / "results.json", numbers),
    ]
    title = f"From example {examples[0]} to {examples[1]} of {dataset.name}, {kind}: codes on the way, decoded"
    row = together(estimator.fitted_, [ends.X[:1], take(path, shown), ends.X[1:]])
    way = [f"{step / (steps - 1):.0%}" for step in shown]
    labels = [f"example {examples[0]}", *way, f"example {examples[1]}"]
    draw = partial(_path, estimator.fitted_, row, title, labels)
    return Written(numbers | {"shown": len(shown)}, [*write_figures(folder, {"path": draw}), *written])


def _path(fitted: Fitted, row: Any, title: str, labels: list[str]) -> Figure:
    if len(row) <= ONE_ROW:
        return draw_rows(fitted, [("", row)], title=title, headings=labels)
    return draw_grid(fitted, row, title=title, labels=labels)
