"""Training live: a model learns while a person watches, steers, and goes back to what it was."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from narrows.arguments import choice
from narrows.data import load_data
from narrows.data.dataset import Dataset
from narrows.data.sources import NAMED
from narrows.estimators import ESTIMATORS
from narrows.web.entry import Entry, Eye
from narrows.web.lab import Watched
from narrows.web.library import Library, shown
from narrows.web.rows import Heading
from narrows.web.uploads import ink_of
from narrows.web.worker import Change, Go, Mode

__all__ = ["Kept", "Live", "Moment", "Trainable", "keep", "live", "steer", "train", "trainable"]

MOST_EXAMPLES = 10
"""Examples that are shown with what becomes of them."""

Epoch = Annotated[int, Field(ge=0)] | None


@dataclass(frozen=True, slots=True)
class Trainable:
    """What there is to choose from: data and models."""

    data: list[str]
    kinds: list[str]


@dataclass(frozen=True, slots=True)
class Moment:
    """The model at the end of an epoch, or now.

    Attributes
    ----------
    key
        Which moment this is; another one has another.
    epochs, losses, validation
        (k,) of the epochs until then, in nats per example; the last is empty where nothing is held out.
    shape, ink, columns
        Of an example, as in `Model`.
    originals, restored, names
        Ten held-out examples (10, …), or all points of a plane, what becomes of them, and their labels.
    points, labels, classes
        (n, 2) where the codes of held-out examples are drawn, their labels' indices, or None, and the labels' names.
    units
        Numbers in a code.
    """

    key: str
    epochs: NDArray[np.int64]
    losses: NDArray[np.float64]
    validation: NDArray[np.float64]
    shape: list[int]
    ink: bool
    columns: list[Heading]
    originals: Eye
    restored: Eye
    names: list[str]
    points: NDArray[np.float64]
    labels: NDArray[np.uint8] | None
    classes: list[str]
    units: int


@dataclass(frozen=True, slots=True)
class Live:
    """How the training stands.

    Attributes
    ----------
    mode
        ``"none"``, ``"starting"``, ``"play"``, ``"pause"``, ``"step"``, ``"epoch"``, ``"over"`` or ``"failed"``.
    learning_rate, beta
        At their full height: what a schedule and a warm-up take fractions of; β is None where the model has none.
    rate_now, beta_now
        Of the last step, or None before the first.
    kept
        The epochs to go back to.
    python
        The lines that make ``model`` by the same training.
    moment
        What is seen of the model, or None where the page has it already.
    """

    mode: str
    error: str = ""
    data: str = ""
    kind: str = ""
    latent_dim: int = 0
    seed: int = 0
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    learning_rate: float = 0.0
    beta: float | None = None
    rate_now: float | None = None
    beta_now: float | None = None
    notes: tuple[str, ...] = ()
    kept: tuple[int, ...] = ()
    python: tuple[str, ...] = ()
    moment: Moment | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A model that was kept: its id among the open ones, and its file's name and bytes."""

    model: str
    name: str
    file: NDArray[np.uint8]


def trainable(library: Library) -> Trainable:
    """Return what can be chosen."""
    return Trainable([*NAMED, *library.given], list(ESTIMATORS))


def train(
    library: Library,
    data: str,
    kind: str = "Autoencoder",
    latent_dim: Annotated[int, Field(ge=1, le=256)] = 2,
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0,
) -> Live:
    """Set up a training in place of the one there was; it waits before the first step."""
    choice("data", data, trainable(library).data)
    dataset, source = _data(library, data)
    estimator = ESTIMATORS[choice("kind", kind, ESTIMATORS)](latent_dim, random_state=seed)
    library.lab.begin(dataset, source, estimator)
    return live(library)


def steer(
    library: Library,
    mode: Mode | None = None,
    *,
    fast: bool = False,
    learning_rate: Annotated[float, Field(gt=0, le=10)] | None = None,
    beta: Annotated[float, Field(ge=0, le=1000)] | None = None,
) -> Live:
    """Train on and on, wait, take a step, or all up to an epoch's end; and at what rate and β from now on."""
    watched = library.lab.watched
    if beta is not None and watched and "beta" not in watched.begun.options:
        raise ValueError(f"beta={beta}: {type(watched.estimator).__name__} has no β")
    given = {"learning_rate": learning_rate, "beta": beta}
    if to := {name: value for name, value in given.items() if value is not None}:
        library.lab.tell(Change(to))
    if mode is not None:
        library.lab.tell(Go(mode, fast))
    return live(library)


def live(library: Library, at: Epoch = None, seen: str | None = None) -> Live:
    """Return how the training stands, and the model at the end of epoch ``at``, or now, unless that was ``seen``."""
    watched = library.lab.watched
    if watched is None:
        return Live("none")
    news, options, estimator = watched.news, watched.options, watched.estimator
    n = watched.begun.member.training.n
    epochs, size, rate = estimator.plan(n, convolutional=watched.convolutional)
    mode = "failed" if news.error else news.mode if watched.heard else "starting"
    key = f"{watched.number}:{watched.version if at is None else f'epoch {at}'}"
    return Live(
        mode,
        news.error,
        watched.data.name,
        type(estimator).__name__,
        estimator.latent_dim,
        watched.begun.seed,
        news.epoch,
        epochs,
        news.step,
        epochs * ceil(n / size),
        options.get("learning_rate", rate),
        options.get("beta", watched.begun.options.get("beta")),
        news.learning_rate,
        news.beta,
        news.notes,
        tuple(watched.kept),
        tuple(_python(watched)),
        None if key == seen else _moment(watched, at, key),
    )


def keep(library: Library, at: Epoch = None) -> Kept:
    """Open the model of the end of epoch ``at``, or as it is now, and return it as a file."""
    watched = library.lab.watched
    if watched is None:
        raise ValueError("there is no training to keep a model of")
    estimator = watched.fitted(at)
    moment = f"step-{watched.news.step}" if at is None else f"epoch-{at}"
    name = f"{estimator.fitted_.kind.lower()}-{estimator.fitted_.latent_dim}-{moment}"
    with TemporaryDirectory() as folder:
        path = Path(folder, "model.safetensors")
        estimator.save(path)
        content = np.frombuffer(path.read_bytes(), np.uint8)
    lines = ("from narrows import load", *_loading(watched), f'model = load("{name}.safetensors")')
    entry = Entry(name, estimator, shown(watched.data), len(watched.data.X), lines)
    library.add(entry)
    return Kept(entry.id, f"{name}.safetensors", content)


def _data(library: Library, name: str) -> tuple[Dataset, str]:
    """Return the data of that name, and what `load_data` calls them; the last ones are not read again."""
    if name not in NAMED:
        return library.given[name]
    watched = library.lab.watched
    if watched and watched.source == name:
        return watched.data, name
    return load_data(name), name


def _loading(watched: Watched) -> list[str]:
    return ["from narrows.data import load_data", "", f"data = load_data({watched.source!r})"]


def _python(watched: Watched) -> list[str]:
    """Return the lines that train the same model to the end."""
    estimator, changes = watched.estimator, dict(watched.news.changes)
    options: dict[str, Any] = {"random_state": watched.begun.seed} | changes.pop(0, {})
    kind = type(estimator).__name__
    given = ", ".join(f"{name}={value!r}" for name, value in options.items())
    made = f"{kind}({estimator.latent_dim}, {given})"
    y = "" if watched.data.y is None else ", data.y"
    lines = [f"from narrows import {kind}", *_loading(watched)]
    if not changes:
        return [*lines, f"model = {made}.fit(data.X{y})"]
    return [
        *lines,
        f"model = {made}",
        f"changes = {changes!r}  # by step",
        f"for step in model.fit_steps(data.X{y}):",
        "    if step.step in changes:",
        "        step.training.change(**changes[step.step])",
    ]


def _moment(watched: Watched, at: int | None, key: str) -> Moment:
    with watched.lock:  # one page's work does for all that look at the same
        if watched.memo.get("key") != key:
            watched.memo |= {"moment": _seen(watched, at, key), "key": key}
        moment: Moment = watched.memo["moment"]
    return moment


def _seen(watched: Watched, at: int | None, key: str) -> Moment:
    entry = watched.entry(at)
    fitted, ten = entry.fitted, _ten(entry)
    if "ink" not in watched.memo:
        watched.memo["ink"] = ink_of(entry) is not None
    rows = fitted.history
    points = _projected(entry.codes.astype(np.float64), watched.memo.get("points"), entry.labels)
    watched.memo["points"] = points
    return Moment(
        key,
        np.array([row["epoch"] for row in rows], np.int64),
        np.array([row["loss"] for row in rows]),
        np.array([row["validation_loss"] for row in rows if "validation_loss" in row]),
        list(fitted.input_shape),
        watched.memo["ink"],
        [] if entry.columns is None else entry.columns.headings,
        entry.shown(entry.numbers(entry.at(ten))),
        entry.shown(entry.restored(entry.at(ten), None)),
        entry.names(ten),
        points,
        entry.labels,
        entry.classes,
        fitted.latent_dim,
    )


def _ten(entry: Entry) -> NDArray[np.int64]:
    """Return the rows of ten examples, as many of each class as can be, by class; of points in a plane all."""
    if entry.fitted.input_shape == (2,) and entry.columns is None:
        return np.arange(len(entry.X))
    if entry.labels is None:
        return np.arange(min(MOST_EXAMPLES, len(entry.X)))
    order = np.argsort(entry.labels, kind="stable")
    labels = entry.labels[order]
    nth = np.arange(len(order)) - np.searchsorted(labels, labels)  # of its class, from 0
    return order[np.sort(np.lexsort((labels, nth))[:MOST_EXAMPLES])]


def _projected(
    codes: NDArray[np.float64], before: NDArray[np.float64] | None, labels: NDArray[np.uint8] | None = None
) -> NDArray[np.float64]:
    """Return points (n, 2): the codes, or their plane of largest variance, turned to be near the points ``before``.

    The turn is the orthogonal one of least squares (Schönemann 1966), so that frames follow each other smoothly. Codes
    of one number lie on a line for each of the ``labels``, one below another.
    """
    n, d = codes.shape
    if d == 1:
        return np.column_stack([codes[:, 0], np.zeros(n) if labels is None else -labels.astype(np.float64)])
    if d == 2:
        return codes
    centred = codes - codes.mean(0)
    points: NDArray[np.float64] = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
    if before is None:
        return points
    left, _, right = np.linalg.svd(points.T @ before)
    turned: NDArray[np.float64] = points @ (left @ right)
    return turned
