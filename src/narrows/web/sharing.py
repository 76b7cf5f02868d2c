"""Models in one file: a page that opens from disk and answers itself, with examples, and without a server.

What needs data, or takes long, is worked out here: codes, errors, scores, what units tell, what is wrong with a model.
What depends on the person, the page computes.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from narrows.fitted.levels import value_range
from narrows.web.bundle import page
from narrows.web.entry import FAR, SHOWN, Entry, Measured
from narrows.web.library import Library, samples_of, shown
from narrows.web.portable.model import PortableModel, portable
from narrows.web.portable.weights import Bits
from narrows.web.questions import check, codes, compare, lecture_images, models, plane
from narrows.web.questions.codes import Units
from narrows.web.uploads import Ink, ink_of
from narrows.web.wire import pack

__all__ = ["Shared", "share", "thinned"]

VIEWS = ("plane", "row", "code", "input", "noise", "compare", "check")

ANSWERS = ("models", "plane", "codes", "inputs", "explaining", "noise", "compare", "check")

LESSONS = (
    "perceptron",
    "boolean",
    "graph",
    "descent",
    "activations",
    "approximation",
    "convolution",
    "parameters",
    "layers",
)
"""The lecture's pages, in its order; they stand before the others where a page has them."""

MOST_NUMBERS = 2**21
"""In a model's examples, unless a person asks for more of them."""

MOST_EXACT = 2**18
"""Weights of all models together that are written in 32 bits; of more, in 16."""

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Examples:
    """Examples that models have in common.

    Attributes
    ----------
    numbers
        (n, …), images as bytes or 32-bit floats; rows, of which some are dates in seconds, as 64-bit numbers, with None
        for a missing cell.
    shape
        Of all of them.
    ink
        How ink lies in them, if they are drawings.
    """

    numbers: Array | list[list[float | None]]
    shape: list[int]
    ink: Ink | None


@dataclass(frozen=True, slots=True)
class Ranked:
    """The oddest examples, (k,), by all that the model knows; and the score that one example in a hundred exceeds."""

    rows: NDArray[np.int64]
    scores: NDArray[np.float64]
    odd: float


@dataclass(frozen=True, slots=True)
class SharedModel:
    """A model, and what is known of its examples.

    Attributes
    ----------
    net
        What the page computes with.
    examples
        Which of the page's.
    kin
        The models that take the same inputs, itself among them.
    classes, labels
        The labels' names, and the place of each example's among them, (n,), if known.
    context
        (n,) the class of each that a conditional model sees.
    codes, errors, scores
        Of the examples, (n, latent_dim), (n,) and (n,).
    by, odd, far
        What scores go by, the score that one example in a hundred exceeds, and the distance to the nearest other code.
    ends
        What is shown as black and white, in the data's units; of rows in scaled ones.
    features
        What the numbers in a code are called.
    origin, basis
        Of the principal plane, (latent_dim,) and (latent_dim, 2).
    units, measured, mean_error, rows, check, oddest
        As in `narrows.web.questions`: of the code, of the error, which examples are compared, and what is wrong.
    layers, looked
        What no input changes of its layers, if they are shown, and how many examples a dead unit is told by.
    """

    net: PortableModel
    examples: int
    kin: list[str]
    classes: list[str]
    labels: NDArray[np.uint8] | None
    context: NDArray[np.int64] | None
    codes: NDArray[np.float32]
    errors: NDArray[np.float64]
    scores: NDArray[np.float64]
    by: str
    odd: float
    far: float
    ends: tuple[float, float]
    features: list[str]
    origin: list[float]
    basis: NDArray[np.float64]
    units: Units
    measured: Measured
    mean_error: float
    rows: NDArray[np.int64]
    check: check.Check
    oddest: Ranked
    layers: list[lecture_images.Layer]
    looked: int


@dataclass(frozen=True, slots=True)
class Shared:
    """All that a page answers from."""

    open: models.Models
    examples: list[Examples]
    models: list[SharedModel]


def thinned(library: Library, examples: int | None = None, *, data: bool = True) -> Library:
    """Return the models with fewer examples.

    Parameters
    ----------
    library
        Open models.
    examples
        How many of each model's, at most, drawn at random; None takes what makes a file of a few megabytes.
    data
        Whether to take examples from the data at all, instead of the model's own samples.
    """
    return Library([_thinned(entry, examples, data=data) for entry in library])


def _thinned(entry: Entry, most: int | None, *, data: bool) -> Entry:
    most = min(SHOWN, max(1, MOST_NUMBERS // entry.fitted.features)) if most is None else most
    prior = entry.from_prior or not data
    dataset = samples_of(entry.estimator) if prior and not entry.from_prior else entry.dataset
    model = f"model = load({f'{entry.id}.safetensors'!r})"  # and no path, which would tell of the person's disk
    lines = ["from narrows import load", "", model]
    if not prior:
        lines = [lines[0], "from narrows.data import load_data", "", model, f"data = load_data({dataset.name!r})"]
    return Entry(entry.id, entry.estimator, shown(dataset, most), entry.total, tuple(lines), entry.given, prior)


def share(library: Library, *, lecture: bool = False) -> str:
    """Return a page with all models of ``library``, and their examples, as one file of HTML.

    Parameters
    ----------
    library
        Open models, and not too many examples of each.
    lecture
        Whether the page begins with the lecture's.

    Raises
    ------
    ValueError
        If a model's net is its user's own.
    """
    entries = list(library)
    weights = sum(parameter.numel() for entry in entries for parameter in entry.fitted.model.parameters())
    bits: Bits = "float32" if weights <= MOST_EXACT else "float16"
    examples: list[Examples] = []
    shared = [_shared(library, entry, bits, examples, lecture=lecture) for entry in entries]
    frame = pack(Shared(models.models(library), examples, shared))
    answers = [*ANSWERS, *(["row"] if any(entry.columns for entry in entries) else [])]
    views = [(name, name) for name in VIEWS if name != "row" or name in answers]
    if lecture:
        views = [*(("lecture", name) for name in LESSONS), *views]
        answers += ["lecture-units", "lecture-nets", "lecture-images"]
    return page(views, answers, gzip.compress(frame, mtime=0))


def _shared(library: Library, entry: Entry, bits: Bits, examples: list[Examples], *, lecture: bool) -> SharedModel:
    fitted = entry.fitted
    try:
        net = portable(fitted, bits, entry.columns)
    except ValueError as error:
        raise ValueError(f"{entry.id} cannot be shared: {error}") from error
    # By what a page can compute of a drawing, too, without the training examples that the usual score compares with.
    by, scores = ("reconstruction", entry.errors) if fitted.table is None else (fitted.best_score, entry.scores)
    oddest = check.ranked(entry)
    frame = plane.frame_of(entry, "pca")
    context = None if entry.y is None else np.searchsorted(fitted.require_classes(), entry.y)
    return SharedModel(
        net,
        _place(entry, examples),
        [other.id for other in library.kin(library[entry.id])],
        entry.classes,
        entry.labels,
        context,
        entry.codes,
        entry.errors,
        scores,
        by,
        float(np.quantile(scores, FAR)),
        entry.far,
        value_range(fitted.scaling) if len(fitted.input_shape) > 1 else fitted.scaling.extremes,
        list(entry.estimator.get_feature_names_out()),
        frame.origin.tolist(),
        frame.basis,
        codes.units(library, entry.id),
        entry.measured,
        compare.mean_error_of(entry),
        compare.one_a_class(entry),
        check.check(library, entry.id),
        Ranked(oddest, entry.scores[oddest], entry.odd),
        lecture_images.still_layers(entry) if lecture else [],
        lecture_images.looked_at(entry),
    )


def _place(entry: Entry, examples: list[Examples]) -> int:
    """Return which of ``examples`` are the entry's, which it adds unless others have the same."""
    numbers = entry.numbers(entry.X)
    shape = list(numbers.shape)
    kept = _compact(numbers)
    for place, other in enumerate(examples):
        if other.shape == shape and np.array_equal(np.asarray(other.numbers), np.asarray(kept)):
            return place
    examples.append(Examples(kept, shape, ink_of(entry)))
    return len(examples) - 1


def _compact(numbers: Array) -> Array | list[list[float | None]]:
    """Return examples as bytes where these hold them, images else as 32-bit floats, and rows as they are."""
    if not np.isnan(numbers).any() and (numbers == numbers.clip(0, 255).astype(np.uint8)).all():
        return numbers.astype(np.uint8)
    if numbers.ndim > 2:
        return numbers.astype(np.float32)
    return [[None if np.isnan(cell) else float(cell) for cell in row] for row in numbers]
