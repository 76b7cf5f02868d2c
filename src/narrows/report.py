"""One HTML page that says how good a model is: the diagnosis first, then pictures, numbers, and how to repeat it.

It needs nothing beside itself: pictures are in it, there is no script, and it opens without a network.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.manifold import TSNE

from narrows.captions import captions, ranked
from narrows.components import Components
from narrows.data.dataset import Dataset
from narrows.document import document
from narrows.estimators.base import BottleneckEstimator
from narrows.evaluation.intervals import Estimate
from narrows.evaluation.summary import Evaluation, Number
from narrows.figures import calibration, code_maps, training_curve
from narrows.inputs import at
from narrows.latent import traverse
from narrows.pictures import draw_comparison, draw_grid, draw_odd, draw_rows

__all__ = ["Picture", "digits", "pictures_of", "report"]

MAPPED, NEIGHBOURS = 600, 30
"""Examples on a map of codes, and the perplexity of t-SNE's."""

ODDEST, SAMPLES, UNITS, STEPS, REACH = 12, 30, 6, 7, 2.0
"""Examples, new ones, units of a traversal, its steps, and how far it goes in standard deviations."""

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure of the page.

    Attributes
    ----------
    title, text
        What stands over it: a heading, and a sentence or two.
    figure
        It.
    """

    title: str
    text: str
    figure: Figure


def pictures_of(estimator: BottleneckEstimator, dataset: Dataset, evaluation: Evaluation) -> list[Picture]:
    """Return what there is to see of a model and the examples of ``dataset`` that it was judged by."""
    places = evaluation.places
    X, y = at(dataset.X, places), None if dataset.y is None else np.asarray(dataset.y)[places]
    context = y if estimator.conditional else None
    errors = estimator.anomaly_score(X, context)
    codes = estimator.transform(X, context)
    pictures = [
        Picture("Training", "The loss over the epochs, in nats per example.", training_curve(estimator.history_)),
        _reconstructions(estimator, dataset, places, errors),
        _maps(estimator, codes[:MAPPED], None if y is None else y[:MAPPED], errors[:MAPPED]),
        _traversals(estimator, codes, context),
        _samples(estimator),
        _oddest(estimator, dataset, places, errors),
    ]
    if evaluation.surprise is not None:
        curve = evaluation.surprise.curve
        text = (
            "How often these examples are called odd, against how often ordinary ones are meant to be, by the scores "
            "of those held out in training. Below the band they are less odd than those, above it odder."
        )
        pictures.append(Picture("Calibration", text, calibration(curve.nominal, curve.observed, curve.band)))
    return pictures


def _reconstructions(estimator: BottleneckEstimator, dataset: Dataset, places: Array, errors: Array) -> Picture:
    ranks, chosen = zip(*ranked(errors), strict=True)
    these = places[list(chosen)]
    said = zip(ranks, captions(dataset, these), errors[list(chosen)], strict=True)
    X = at(dataset.X, these)
    restored = estimator.reconstruct(X, _classes(estimator, dataset, these))
    figure = draw_comparison(
        estimator,
        [f"{rank}\n{caption}\nerror {error:.4f}".strip() for rank, caption, error in said],
        X,
        restored,
        title="",
        unit=estimator.unit,
    )
    return Picture("Reconstructions", "The first, the best, the median and the worst of them, by their error.", figure)


def _classes(estimator: BottleneckEstimator, dataset: Dataset, places: Array) -> Array | None:
    return np.asarray(dataset.y)[places] if estimator.conditional and dataset.y is not None else None


def _maps(estimator: BottleneckEstimator, codes: Array, labels: Array | None, errors: Array) -> Picture:
    d, n = codes.shape[1], len(codes)
    names = ("unit 0", "unit 1")
    if d == 1:
        maps = [("the code and its error", np.stack([codes[:, 0], errors], 1))]
        names = ("unit 0", estimator.unit)
    elif d == 2:
        maps = [("the code", codes)]
    else:
        components = Components.of(codes, 2)
        flat = (codes - components.mean) @ np.resize(components.axes, (2, d)).T
        maps = [("principal components of the code", flat)]
        names = ("first component", "second component")
        if n > 3 * NEIGHBOURS:
            spread = codes.std(0)
            standardised = (codes - codes.mean(0)) / np.where(spread > 0, spread, 1)
            near = TSNE(perplexity=NEIGHBOURS, init="pca", random_state=0).fit_transform(standardised)
            maps.append(("t-SNE of the code: who is near whom", near))
    text = f"Where the code has {n:,} of them" + (", by class." if labels is not None else ", by error.")
    return Picture("A map of the codes", text, code_maps(maps, labels, errors, names=names))


def _traversals(estimator: BottleneckEstimator, codes: Array, context: Array | None) -> Picture:
    center, spread = np.median(codes, axis=0), codes.std(0)
    place = int(np.square((codes - center) / np.where(spread > 0, spread, 1)).sum(1).argmin())
    rows = []
    for unit in np.argsort(-spread, kind="stable")[:UNITS]:
        ways = codes[place, unit] + spread[unit] * np.linspace(-REACH, REACH, STEPS)
        label = None if context is None else np.repeat(context[[place]], STEPS)
        rows.append((f"unit {unit}", estimator.inverse_transform(traverse(codes[place], int(unit), ways), label)))
    headings = [f"{step:+.1f} sd" if step else "as it is" for step in np.linspace(-REACH, REACH, STEPS)]
    text = (
        "What one number of the code does: a typical example's code with one unit moved by up to two standard "
        "deviations, decoded. The units that vary most come first."
    )
    return Picture("Traversals", text, draw_rows(estimator, rows, headings=headings))


def _samples(estimator: BottleneckEstimator) -> Picture:
    made = estimator.sample(SAMPLES if len(estimator.input_shape_) > 1 else SAMPLES // 4, random_state=0)
    return Picture("New examples", "Codes drawn from the prior, decoded; seed 0.", draw_grid(estimator, made))


def _oddest(estimator: BottleneckEstimator, dataset: Dataset, places: Array, errors: Array) -> Picture:
    chosen = np.argsort(-errors, kind="stable")[:ODDEST]
    these = places[chosen]
    X = at(dataset.X, these)
    restored = estimator.reconstruct(X, _classes(estimator, dataset, these))
    labels = [f"example {place}\n{error:.4f}" for place, error in zip(these, errors[chosen], strict=True)]
    text = "The worst reconstructed ones; where their error lies is orange."
    return Picture("The oddest", text, draw_odd(estimator, X, restored, title="", labels=labels))


def report(
    title: str,
    evaluation: Evaluation,
    pictures: Sequence[Picture],
    *,
    about: Sequence[tuple[str, str]],
    command: str,
    python: str,
) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    title
        Of the page.
    evaluation
        What is said, and the numbers.
    pictures
        In their order.
    about
        Facts by name: what was trained on what.
    command, python
        What to type, and lines of Python, to repeat it.
    """
    facts = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>\n" for name, text in about)
    repeat = f"<pre>{escape(command)}</pre>\n<pre>{escape(python)}</pre>"
    body = f"""<header>
<h1>{escape(title)}</h1>
<p class="lead">{escape(_judged(evaluation))}</p>
</header>
<main>
<section id="diagnosis"><h2>Diagnosis</h2>
{_diagnosis(evaluation)}</section>
<section id="about"><h2>What was trained on what</h2>
<dl>
{facts}</dl></section>
{"".join(map(_figure, pictures))}<section id="numbers"><h2>All numbers</h2>
<p>Each with the interval that holds its true value with a confidence of 95 %, where it is estimated.</p>
{_table(evaluation.numbers())}</section>
<section id="repeat"><h2>To repeat it</h2>
{repeat}
</section>
</main>
"""
    return document(title, body)


def _judged(evaluation: Evaluation) -> str:
    judged = f"Judged by {len(evaluation.places):,} examples that it has not learnt from"
    if evaluation.repeated:
        judged += f", {evaluation.repeated:,} of which are equal to some that it has"
    return judged + "."


def _diagnosis(evaluation: Evaluation) -> str:
    if not evaluation.findings:
        return (
            '<div class="card good"><h3>No fault was found.</h3><p>It beats principal components, or is at least no '
            "worse, all units work, and training and test data are alike. That is no proof that there is none: look "
            "at the pictures.</p></div>\n"
        )
    return "".join(
        f'<div class="card bad"><h3>{escape(found.kind)}</h3><p>{escape(found.words)}</p>'
        f"<p><b>{escape(found.figure)}</b></p><p>Try: {escape(found.advice)}</p></div>\n"
        for found in evaluation.findings
    )


def _figure(picture: Picture) -> str:
    file = io.BytesIO()
    picture.figure.savefig(file, format="png", dpi=130)
    data = base64.b64encode(file.getvalue()).decode()
    image = f'<img src="data:image/png;base64,{data}" alt="{escape(picture.title)}">'
    words = f"<h2>{escape(picture.title)}</h2>\n<p>{escape(picture.text)}</p>"
    return f'<section>{words}\n<figure class="wide">{image}</figure></section>\n'


def _table(numbers: Sequence[Number]) -> str:
    rows = "".join(
        f"<tr><td>{escape(number.name)}</td><td class=n>{digits(number.estimate.value)}</td>"
        f"<td class=n>{_interval(number.estimate)}</td><td>{escape(_unit(number))}</td></tr>\n"
        for number in numbers
    )
    head = "<tr><th>number</th><th class=n>value</th><th class=n>95 % interval</th><th>unit</th></tr>"
    return f'<div class="wide"><table><thead>{head}</thead>\n{rows}</table></div>\n'


def _unit(number: Number) -> str:
    return number.unit + (f"; {number.better} is better" if number.better else "")


def _interval(estimate: Estimate) -> str:
    return "" if estimate.low == estimate.high else f"{digits(estimate.low)} – {digits(estimate.high)}"


def digits(value: float) -> str:
    """Return a number as text: whole ones whole, others with four digits."""
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.4g}"
