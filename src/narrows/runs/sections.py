"""The figures of a model's page: its training, what it rebuilds, its codes, what they do, and what is odd to it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from narrows.components import Components
from narrows.data.dataset import Dataset
from narrows.data.take import take
from narrows.drawing.curves import calibration, code_maps, training_curve
from narrows.drawing.html import table
from narrows.estimators.base import BottleneckEstimator
from narrows.evaluation.codes import dead_units
from narrows.evaluation.summary import Evaluation
from narrows.fitted.explaining import Explanation
from narrows.latent import traverse
from narrows.models.neighbours import arranged
from narrows.runs.captions import captions, ranked, scored
from narrows.runs.cells import explained, heat_of
from narrows.runs.pictures import draw_comparison, draw_grid, draw_odd, draw_rows
from narrows.runs.section import Section
from narrows.runs.table_sections import columns_of, rows_of_table
from narrows.training.processor import limited_threads

if TYPE_CHECKING:  # it takes a third of a second, and who draws has it
    from matplotlib.figure import Figure

__all__ = ["sections_of"]

MAPPED, NEIGHBOURS = 600, 30
"""Examples on a map of codes, and of t-SNE the perplexity."""

ODDEST, COMPARED, SAMPLES, UNITS, STEPS, REACH = 12, 8, 30, 6, 7, 2.0
"""Examples, those beside ordinary ones, new ones, units of a traversal, its steps, and how far it goes in standard
deviations."""

Array = NDArray[Any]


def sections_of(estimator: BottleneckEstimator, dataset: Dataset, evaluation: Evaluation) -> list[Section]:
    """Return what there is to see of a model and the examples of ``dataset`` that it was evaluated on."""
    rows, examples = evaluation.places, dataset.at(evaluation.places)
    context = examples.y if estimator.fitted_.conditional else None
    errors = estimator.anomaly_score(examples.X, context, by="reconstruction")
    codes = estimator.transform(examples.X, context)
    labels = None if examples.y is None else examples.y[:MAPPED]
    mapped = (
        f"Where the code puts {len(codes[:MAPPED]):,} of them, coloured by {'error' if labels is None else 'class'}."
    )
    training = Section(
        "Training", "The loss over the epochs, in nats per example.", partial(training_curve, estimator.history_)
    )
    of_codes = Section(
        "A map of the codes", mapped, partial(_maps, evaluation.unit, codes[:MAPPED], labels, errors[:MAPPED])
    )
    if evaluation.table is not None:
        return [
            training,
            *columns_of(estimator, examples, evaluation, evaluation.table),
            of_codes,
            *rows_of_table(estimator, examples, rows, errors, codes),
            *_calibrated(evaluation),
        ]
    by = estimator.fitted_.best_score
    scores = estimator.anomaly_score(examples.X, context, by=by)
    return [
        training,
        Section(
            "Reconstructions",
            "The first, the best, the median and the worst example, by error.",
            partial(_reconstructions, estimator, dataset, rows, errors),
        ),
        of_codes,
        Section(
            "Traversals",
            "What one number of the code does: a typical example's code with one unit moved by up to two standard "
            "deviations, decoded. The units that vary most come first.",
            partial(_traversals, estimator, codes, context),
        ),
        Section("New examples", "Codes drawn from the prior, decoded; seed 0.", partial(_samples, estimator)),
        *_odd_ones(estimator, dataset, rows, scores),
        *_calibrated(evaluation),
    ]


def _calibrated(evaluation: Evaluation) -> list[Section]:
    if evaluation.surprise is None:
        return []
    curve = evaluation.surprise.curve
    text = (
        "How often these examples are called odd, against how often ordinary ones are meant to be, by the scores "
        "of those held out in training. Below the band they are less odd than those, above it odder."
    )
    return [Section("Calibration", text, partial(calibration, curve.nominal, curve.observed, curve.band))]


def _reconstructions(estimator: BottleneckEstimator, dataset: Dataset, rows: Array, errors: Array) -> Figure:
    ranks, chosen = zip(*ranked(errors), strict=True)
    these = rows[list(chosen)]
    said = zip(ranks, captions(dataset, these), errors[list(chosen)], strict=True)
    X = take(dataset.X, these)
    restored = estimator.reconstruct(X, _classes(estimator, dataset, these))
    return draw_comparison(
        estimator.fitted_,
        [f"{rank}\n{caption}\nerror {error:.4f}".strip() for rank, caption, error in said],
        X,
        restored,
        title="",
        on_page=True,
    )


def _classes(estimator: BottleneckEstimator, dataset: Dataset, rows: Array) -> Array | None:
    return np.asarray(dataset.y)[rows] if estimator.fitted_.conditional and dataset.y is not None else None


def _maps(unit: str, codes: Array, labels: Array | None, errors: Array) -> Figure:
    d, n = codes.shape[1], len(codes)
    names = ("unit 0", "unit 1")
    if d == 1:
        maps = [("the code and its error", np.stack([codes[:, 0], errors], 1))]
        names = ("unit 0", unit)
    elif d == 2:
        maps = [("the code", codes)]
    else:
        components = Components.of(codes, 2)
        flat = (codes - components.mean) @ np.resize(components.axes, (2, d)).T
        maps = [("principal components of the code", flat)]
        names = ("first component", "second component")
        if n > 3 * NEIGHBOURS:
            spread = codes.std(0)
            standardised = (codes - codes.mean(0)) / np.where(dead_units(codes), 1, spread)
            with limited_threads(1):
                near = arranged(torch.from_numpy(standardised), torch.from_numpy(flat), NEIGHBOURS).numpy()
            maps.append(("t-SNE of the code: who is near whom", near))
    return code_maps(maps, labels, errors, names=names)


def _traversals(estimator: BottleneckEstimator, codes: Array, context: Array | None) -> Figure:
    center, spread = np.median(codes, axis=0), codes.std(0)
    typical = int(np.square((codes - center) / np.where(dead_units(codes), 1, spread)).sum(1).argmin())
    rows = []
    for unit in np.argsort(-spread, kind="stable")[:UNITS]:
        ways = codes[typical, unit] + spread[unit] * np.linspace(-REACH, REACH, STEPS)
        label = None if context is None else np.repeat(context[[typical]], STEPS)
        moved = estimator.inverse_transform(traverse(codes[typical], int(unit), ways), label)
        rows.append((f"unit {unit}", np.asarray(moved)))
    headings = [f"{step:+.1f} sd" if step else "as it is" for step in np.linspace(-REACH, REACH, STEPS)]
    return draw_rows(estimator.fitted_, rows, headings=headings, on_page=True)


def _samples(estimator: BottleneckEstimator) -> Figure:
    count = SAMPLES if len(estimator.fitted_.input_shape) > 1 else SAMPLES // 4
    return draw_grid(estimator.fitted_, np.asarray(estimator.sample(count, random_state=0)), on_page=True)


def _odd_ones(estimator: BottleneckEstimator, dataset: Dataset, rows: Array, scores: Array) -> list[Section]:
    """Return the oddest examples, of those at ``rows`` (k,), and why they are odd, where the model can say it."""
    fitted = estimator.fitted_
    by, chosen = fitted.best_score, np.argsort(-scores, kind="stable")[:ODDEST]
    these, scores = rows[chosen], scores[chosen]
    text = f"The examples of the highest anomaly scores{scored(by, ', ')}; orange shows "
    if not fitted.explains:
        drawn = partial(_oddest, estimator, dataset, these, scores, None)
        return [Section("The oddest", f"{text}where their error lies.", drawn)]
    found = explained(estimator, dataset.X, dataset.y, these, by)
    of_images = len(fitted.input_shape) > 1
    shown = f"the {'pixels' if of_images else 'cells'} that are odd"
    rate = f"at a rate of false discoveries of {found.rate:g}."
    why = partial(_ordinary, estimator, dataset, these, found) if of_images else partial(_said, these, scores, found)
    instead = (
        "The oddest, and under each the nearest example that is ordinary to the model."
        if of_images
        else "What would make the oddest ordinary, with a p-value for each cell."
    )
    return [
        Section(
            "The oddest", f"{text}{shown}, {rate}", partial(_oddest, estimator, dataset, these, scores, heat_of(found))
        ),
        Section("What would be ordinary", instead, why),
    ]


def _oddest(estimator: BottleneckEstimator, dataset: Dataset, rows: Array, scores: Array, heat: Array | None) -> Figure:
    X = take(dataset.X, rows)
    restored = estimator.reconstruct(X, _classes(estimator, dataset, rows))
    labels = [f"example {row}\n{score:.3g}" for row, score in zip(rows, scores, strict=True)]
    return draw_odd(estimator.fitted_, X, restored, title="", labels=labels, heat=heat, on_page=True)


def _ordinary(estimator: BottleneckEstimator, dataset: Dataset, rows: Array, found: Explanation) -> Figure:
    few = rows[:COMPARED]
    pairs = [("as it is", take(dataset.X, few)), ("ordinary", np.asarray(found.ordinary)[:COMPARED])]
    return draw_rows(estimator.fitted_, pairs, headings=[f"example {row}" for row in few], on_page=True)


def _said(rows: Array, scores: Array, found: Explanation) -> str:
    lines = [[str(row), f"{score:.3g}", said] for row, score, said in zip(rows, scores, found.sentences, strict=True)]
    return table(["row", "score", ""], lines)
