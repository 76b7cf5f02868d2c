"""The models that the explorer has open, by id; of its own accord, models of the digits that it trains at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np

from narrows.data import load_data
from narrows.data.dataset import Dataset
from narrows.data.errors import DataError
from narrows.data.sources import NAMED
from narrows.estimators import load
from narrows.estimators.base import BottleneckEstimator
from narrows.fitted.fitted import Fitted
from narrows.runs.opening import known_labels, models_in, read_as, remembered, results_beside, warn_of_units
from narrows.sweeps import Sweep
from narrows.web.entry import SHOWN, Entry, Measured
from narrows.web.lab import Lab

__all__ = ["Library", "Progress", "open_models", "samples_of", "shown"]

DIGITS = (
    ("Autoencoder", 2, 40),
    ("Autoencoder", 8, 40),
    ("DenoisingAutoencoder", 8, 40),
    ("NoisyAutoencoder", 8, 40),
    ("VAE", 8, 40),
    ("Autoencoder", 1, 60),
    ("Autoencoder", 4, 40),
    ("Autoencoder", 16, 40),
    ("VAE", 2, 60),
)
"""What is trained where no model is named, in this order: model, latent_dim, epochs; about two seconds each."""


DRAWN = 1000
"""Samples that stand for data where there are none."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the training of the digits' models is: which is being trained, the ``fraction`` done, and what failed."""

    name: str
    fraction: float
    done: bool
    error: str = ""


class Library:
    """The open models, in the order they came.

    Attributes
    ----------
    progress
        How far training is; done from the start where models were named.
    lab
        What a person trains.
    given
        The data that were named on the command line, unless they are narrows' own, and what they were named, by name.
    """

    def __init__(self, entries: Sequence[Entry] = ()) -> None:
        self._entries = {entry.id: entry for entry in entries}
        self.progress = Progress("", 1.0 if entries else 0.0, done=bool(entries))
        self.lab, self.given = Lab(), dict[str, tuple[Dataset, str]]()
        self._stop = Event()
        self._thread: Thread | None = None

    def __iter__(self) -> Iterator[Entry]:
        """Return the models that are ready."""
        return iter(list(self._entries.values()))

    def __getitem__(self, model: str) -> Entry:
        """Return the model of that id, which is never a path.

        Raises
        ------
        ValueError
            If there is none.
        """
        if model not in self._entries:
            raise ValueError(f"model={model!r} is not open; open are {', '.join(self._entries) or 'none yet'}")
        return self._entries[model]

    def kin(self, entry: Entry) -> list[Entry]:
        """Return the models that take the same inputs from the same data, ``entry`` among them."""
        return [other for other in self if _inputs(other) == _inputs(entry)]

    def add(self, entry: Entry) -> None:
        """Open one more model; an id that is taken gets a number."""
        number, name = 2, entry.id
        while entry.id in self._entries:
            entry.id, number = f"{name}-{number}", number + 1
        self._entries[entry.id] = entry

    def train_digits(self) -> None:
        """Train models of the digits in a thread, and open each when it is ready."""
        self._thread = Thread(target=self._train_digits, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop training, if there is any."""
        self.lab.close()
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _train_digits(self) -> None:
        try:
            data = load_data("digits")
            for number, (kind, latent_dim, epochs) in enumerate(DIGITS):
                self._train(data, number, kind, latent_dim, epochs)
                if self._stop.is_set():
                    return
            self.progress = Progress("", 1.0, done=True)
        except (ValueError, OSError, RuntimeError, ArithmeticError) as error:  # shown on the page, not lost in a thread
            self.progress = replace(self.progress, done=True, error=str(error))

    def _train(self, data: Dataset, number: int, kind: str, latent_dim: int, epochs: int) -> None:
        result = Sweep(data.X, data.y, model=kind, latent_dims=[latent_dim], epochs=epochs)
        name = f"{kind} {latent_dim}"
        with closing(result.run()) as steps:
            for now in steps:
                fraction = (number + now.step.step / now.step.steps) / len(DIGITS)
                self.progress = Progress(name, fraction, done=False)
                if self._stop.is_set():
                    return
        row = result.rows[0]
        self.add(
            Entry(
                f"{kind.lower()}-{latent_dim}",
                result.models[latent_dim],
                data,
                len(data.X),
                (
                    "from narrows import sweep",
                    "from narrows.data import load_data",
                    "",
                    'data = load_data("digits")',
                    f'result = sweep(data.X, data.y, model="{kind}", latent_dims=[{latent_dim}], epochs={epochs})',
                    f"model = result.models[{latent_dim}]",
                ),
                Measured(row.test_error, row.test_error_se, "test", row.pca_error),
            )
        )


def _inputs(entry: Entry) -> tuple[Any, ...]:
    """Return what a model takes: of what shape, of which data, and with columns of which kinds and levels."""
    headings = [] if entry.columns is None else entry.columns.headings
    columns = [(heading.name, heading.kind, heading.levels) for heading in headings]
    return entry.fitted.input_shape, entry.dataset.name, columns


def open_models(paths: Sequence[Path], data: str | None = None, examples: int = SHOWN) -> Library:
    """Open model files, and all of those in run folders, each with data to show it with.

    Parameters
    ----------
    paths
        Files or folders.
    data
        What `load_data` takes. None takes the set that the run folder names, if it is one of narrows' own and has the
        model's shape; otherwise the examples are the model's own samples.
    examples
        How many of the data to show.

    Raises
    ------
    DataError
        If there is no model at a path, or the data don't fit a model.
    """
    library = Library()
    held: dict[str, Dataset] = {}  # models that take data alike share them

    def read(source: str, fitted: Fitted, results: dict[str, Any]) -> Dataset:
        told = read_as(fitted, source, results)
        key = repr((source, told))
        if key not in held:
            held[key] = load_data(source, **told)
        return held[key]

    for path in paths:
        for file in _files(path):
            entry = _open(file, data, read, examples)
            if data is not None and data not in NAMED:
                name = data if entry.dataset.name in NAMED else entry.dataset.name
                library.given[name] = read(data, entry.fitted, results_beside(file)), data
            # Worked out now: the page need not wait, and misfits are refused here.
            entry.columns, entry.distribution  # noqa: B018
            library.add(entry)
    library.progress = Progress("", 1.0, done=True)
    return library


def _files(path: Path) -> list[Path]:
    """Return the model files that ``path`` names, a sweep's by latent_dim."""
    if not path.exists():
        raise DataError(f"MODEL {path} does not exist")
    if not path.is_dir():
        return [path]
    files = sorted(models_in(path), key=lambda file: (len(file.name), file.name))
    if not files:
        raise DataError(f"MODEL {path} is a folder without a model (*.safetensors)")
    return files


def _open(file: Path, data: str | None, read: Callable[[str, Fitted, dict[str, Any]], Dataset], examples: int) -> Entry:
    estimator = load(file)
    fitted = estimator.fitted_
    results = results_beside(file)
    source = data or remembered(results, fitted.input_shape, lambda name, _: read(name, fitted, results))
    lines = ("from narrows import load", "from narrows.data import load_data", "", f"model = load({str(file)!r})")
    given = _measured(results, fitted)
    name = f"{fitted.kind.lower()}-{fitted.latent_dim}"
    if source is None:
        drawn = samples_of(estimator)
        python = (lines[0], lines[2], lines[3])
        return Entry(name, estimator, drawn, len(drawn.X), python, given, from_prior=True)
    dataset = read(source, fitted, results)
    _check_fits(source, dataset, file, fitted)
    warn_of_units(fitted, dataset)
    some = shown(dataset, examples)
    return Entry(name, estimator, some, len(dataset.X), (*lines, f"data = load_data({source!r})"), given)


def _check_fits(source: str, dataset: Dataset, file: Path, fitted: Fitted) -> None:
    features = math.prod(dataset.X.shape[1:])
    if fitted.table is None and features != fitted.features:
        raise DataError(
            f"--data {source}: its examples have shape {dataset.X.shape[1:]}, but MODEL {file} takes "
            f"{fitted.input_shape}"
        )
    if fitted.conditional:
        if dataset.y is None:
            raise DataError(f"--data {source} has no labels, and MODEL {file}, which is conditional, needs them")
        known_labels(fitted, dataset.y)


def samples_of(estimator: BottleneckEstimator) -> Dataset:
    """Return samples of the model's own, which stand for data where there are none."""
    classes = np.resize(estimator.fitted_.require_classes(), DRAWN) if estimator.fitted_.conditional else None
    return Dataset("samples", estimator.sample(DRAWN, classes, random_state=0), classes)


def shown(dataset: Dataset, most: int = SHOWN) -> Dataset:
    """Return at most ``most`` of the examples, the same at every call, in memory."""
    n = len(dataset.X)
    rows = np.arange(n) if n <= most else np.sort(np.random.default_rng(0).choice(n, most, replace=False))
    return dataset.at(rows)


def _measured(results: dict[str, Any], fitted: Fitted) -> Measured | None:
    """Return the test error that a run's results tell of this model."""
    rows = results.get("rows")
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and row.get("latent_dim") == fitted.latent_dim:
            numbers = [row.get(name) for name in ("test_error", "test_error_se", "pca_error")]
            if all(isinstance(number, float) for number in numbers):
                error, spread, pca = map(float, numbers)  # type: ignore[arg-type]  # floats, as the line above saw
                return Measured(error, spread, "test", pca)
    return None
