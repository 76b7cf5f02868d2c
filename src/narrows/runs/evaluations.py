"""How good a model is, in a folder: the report, and its numbers."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from narrows.data.dataset import Dataset
from narrows.data.parquet_rows import ParquetRows
from narrows.drawing.curves import rate_curves
from narrows.estimators.base import BottleneckEstimator
from narrows.evaluation.rates import rate_distortion
from narrows.evaluation.summary import Evaluation
from narrows.fitted.levels import squared_errors
from narrows.runs.files import new_folder, write_json
from narrows.runs.page import report
from narrows.runs.section import Section
from narrows.runs.sections import sections_of
from narrows.runs.writing import errors_drawn, reconstructions
from narrows.storage import versions
from narrows.sweeps import Sweep

if TYPE_CHECKING:  # it takes a third of a second, and who draws has it
    from matplotlib.figure import Figure

__all__ = ["evaluate", "evaluate_run", "facts", "write_evaluation"]

Array = NDArray[Any]

ENOUGH_EXAMPLES = 1000
"""Examples that rates are measured on."""


def evaluate(
    estimator: BottleneckEstimator,
    dataset: Dataset,
    out: Path | None = None,
    *,
    model: Path,
    data: str,
    new: bool = False,
    samples: int = 0,
    seed: int = 0,
) -> tuple[Evaluation, list[Path]]:
    """Evaluate a model on those of the data that it has not seen, and write a report; return both.

    Parameters
    ----------
    estimator, dataset
        A model, and data for it.
    out
        As in `narrows.runs.files.new_folder`.
    model, data
        Where both come from, for the lines that repeat it.
    new, samples, seed
        ``new``, ``samples`` and ``random_state`` of the estimator's ``evaluate``.
    """
    evaluation = estimator.evaluate(
        dataset.X, dataset.y, new=new, factors=dataset.factors, samples=samples, random_state=seed
    )
    said_new = "new=True, " if new else ""
    python = (
        "from narrows import load\nfrom narrows.data import load_data\n\n"
        f"model, data = load({str(model)!r}), load_data({data!r}{_read_as(dataset)})\n"
        f"evaluation = model.evaluate(data.X, data.y, {said_new}samples={samples}, random_state={seed})"
    )
    about = [
        ("Data", f"{dataset.name}: {evaluation.given:,} examples, {evaluation.learnt:,} of which it has seen"),
        *facts(estimator),
    ]
    title = f"{estimator.fitted_.kind} of {estimator.fitted_.latent_dim} numbers, evaluated on {dataset.name}"
    sections = sections_of(estimator, dataset, evaluation)
    folder = new_folder(out, f"evaluate-{dataset.name}")
    return evaluation, write_evaluation(folder, evaluation, sections, title=title, about=about, python=python)


def evaluate_run(result: Sweep, dataset: Dataset, folder: Path) -> tuple[Evaluation, list[Path]]:
    """Evaluate the recommended model of a run on the examples held out from it, and write a report; return both."""
    taken = result.recommendation()[0] or result.rows[-1].latent_dim
    estimator = result.models[taken]
    # Of rows larger than memory, none that was seen is looked at.
    seen = None if isinstance(result.X_train, ParquetRows) else result.X_train
    evaluation = estimator.evaluate(result.X_test, result.y_test, X_train=seen, y_train=result.y_train, random_state=0)
    held_out = replace(dataset, X=result.X_test, y=result.y_test, files=None, factors=None)
    m, d = len(result.X_test), result.latent_dims
    about = [
        ("Data", f"{dataset.name}: {len(dataset.X):,} examples of shape {tuple(dataset.X.shape[1:])}, {m:,} held out"),
        *facts(estimator),
    ]
    if len(result.models) > 1:
        about.insert(1, ("Models", f"latent_dim {', '.join(map(str, result.models))}; this one: {taken}"))
    options = {name: value for name, value in _chosen(estimator).items() if name not in ("latent_dim", "random_state")}
    seeds = sorted({row.seed for row in result.trainings})
    options |= {"random_state": seeds[0]} | ({"seeds": len(seeds)} if len(seeds) > 1 else {})
    python = _python(dataset, d, estimator.fitted_.kind, taken, options)
    title = f"{estimator.fitted_.kind} of {taken} numbers on {dataset.name}"
    sections = [*(_of_all(result) if len(result.models) > 1 else []), *sections_of(estimator, held_out, evaluation)]
    return evaluation, write_evaluation(folder, evaluation, sections, title=title, about=about, python=python)


def write_evaluation(
    folder: Path,
    evaluation: Evaluation,
    sections: Sequence[Section],
    *,
    title: str,
    about: Sequence[tuple[str, str]],
    python: str,
) -> list[Path]:
    """Write an evaluation as ``evaluation.json`` and ``report.html``; return the files, the report first.

    Parameters
    ----------
    folder
        That exists.
    evaluation, sections, title, about, python
        As in `narrows.runs.page.report`.
    """
    numbers = [
        {"group": n.group, "name": n.name, "unit": n.unit, "better": n.better} | asdict(n.estimate)
        for n in evaluation.numbers()
    ]
    found = [asdict(finding) for finding in evaluation.findings]
    counts = {"judged": len(evaluation.places), "learnt": evaluation.learnt, "repeated": evaluation.repeated}
    contents = counts | {"findings": found, "numbers": numbers}
    table = write_json(folder / "evaluation.json", contents)
    command = shlex.join(["narrows", *sys.argv[1:]])
    page = folder / "report.html"
    page.write_text(report(title, evaluation, sections, about=about, command=command, python=python), encoding="utf-8")
    return [page, table]


def facts(estimator: BottleneckEstimator) -> list[tuple[str, str]]:
    """Return what a model is, in words, by name."""
    chosen = {name: value for name, value in _chosen(estimator).items() if name != "latent_dim"}
    fitted, seconds = estimator.fitted_, estimator.fitted_.history[-1]["seconds"]
    weights = sum(parameter.numel() for parameter in fitted.model.parameters())
    return [
        ("Model", f"{fitted.kind}, latent_dim {fitted.latent_dim}, {weights:,} weights"),
        ("Options", ", ".join(f"{name}={value!r}" for name, value in chosen.items()) or "the default ones"),
        ("Training", f"{len(fitted.history):,} epochs, {seconds:.1f} s; seed {fitted.seed}"),
        ("Versions", ", ".join(f"{name} {number}" for name, number in versions().items())),
    ]


def _chosen(estimator: BottleneckEstimator) -> dict[str, Any]:
    """Return the options of its fit that are not the default ones."""
    usual = type(estimator)().get_params()
    options = {**estimator.fitted_.options, "device": estimator.device}
    return {name: value for name, value in options.items() if not _same(value, usual[name])}


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(np.all(a == b))


def _read_as(dataset: Dataset) -> str:
    """Return how data were read, as `load_data` is told it."""
    told: dict[str, Any] = {"missing": dataset.missing or None, "key": dataset.key, "page": dataset.page}
    if dataset.files is not None and set(dataset.files.sizes) != {dataset.X.shape[2:0:-1]}:
        told["size"] = dataset.X.shape[1]
    return "".join(f", {name}={value!r}" for name, value in told.items() if value is not None)


def _python(dataset: Dataset, dims: Sequence[int], model: str, taken: int, options: dict[str, Any]) -> str:
    keywords = "".join(f", {name}={value!r}" for name, value in options.items())
    return f"""from narrows import sweep
from narrows.data import load_data

data = load_data({dataset.name!r}{_read_as(dataset)})  # or its path
result = sweep(data.X, data.y, latent_dims={dims}, model={model!r}{keywords})
model = result.models[{taken}]
evaluation = model.evaluate(result.X_test, result.y_test, X_train=result.X_train, y_train=result.y_train)
for finding in evaluation.findings:
    print(finding.kind, finding.words, finding.figure, finding.advice, sep="\\n")"""


def _of_all(result: Sweep) -> list[Section]:
    """Return the sections that set the models of a sweep side by side."""
    rates = (
        "Codes rounded to finer and finer grids: how many bits they then take, each unit packed by itself, and the "
        "error of what they decode to. The lower a curve, the better the model; where it ends, more bits buy nothing."
    )
    which = Section("Which latent_dim?", result.recommendation()[1], partial(errors_drawn, result))
    if next(iter(result.models.values())).table_ is not None:
        return [which]
    return [
        which,
        Section("Rate and distortion", rates, partial(_rates, result)),
        Section(
            "The same examples through all of them",
            "Held-out examples, one per class.",
            partial(reconstructions, result),
        ),
    ]


def _rates(result: Sweep) -> Figure:
    few = slice(0, ENOUGH_EXAMPLES)
    X, y = result.X_test[few], None if result.y_test is None else result.y_test[few]
    curves = []
    for d, estimator in result.models.items():
        y_of = y if estimator.fitted_.conditional else None
        error = partial(_error_of, estimator, X, y_of)
        curves.append((f"latent_dim {d}", *rate_distortion(estimator.transform(X, y_of), error)))
    return rate_curves(curves, result.unit)


def _error_of(estimator: BottleneckEstimator, X: Any, y: Array | None, codes: Array) -> float:
    restored = np.asarray(estimator.inverse_transform(codes, y))
    return float(squared_errors(estimator.fitted_.scaling, X, restored).mean())
