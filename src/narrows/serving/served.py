"""A model that is served: its name, and what it makes of rows, one function a verb, fit to be asked of many at once."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from narrows.data.errors import DataError
from narrows.estimators import load
from narrows.estimators.base import BottleneckEstimator
from narrows.estimators.targets import context_of, examples_of
from narrows.fitted.fitted import Fitted
from narrows.fitted.passes import Passes, check_decoded
from narrows.fitted.scores import SCORE_SAMPLES, log_density, oddness
from narrows.fitted.source import Source
from narrows.runs.opening import find_model
from narrows.serving.batching import Work
from narrows.training.examples import Examples
from narrows.training.own_state import in_own_state

__all__ = ["Served", "open_served"]

Array = NDArray[Any]

QUICK_OPERATIONS = 2**28
"""Of floating-point numbers, which an ordinary core does in ten milliseconds or less."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, eq=False)
class Served:
    """A fitted model by the name that requests call it."""

    name: str
    estimator: BottleneckEstimator

    @property
    def fitted(self) -> Fitted:
        """The model as it was fitted."""
        return self.estimator.fitted_

    @cached_property
    def works(self) -> dict[str, Work]:
        """What it makes of rows, by verb; those alone that it can."""
        found = {"encode": _encoded, "decode": _decoded, "reconstruct": _reconstructed, "denoise": _reconstructed}
        model = self.fitted.model
        if model.prior.has_density or not model.bottleneck.draws:
            found["score"] = _scored
        if self._finds_odd_ones:
            found["anomalies"] = _odd
        return {verb: partial(in_own_state(function), self.fitted) for verb, function in found.items()}

    @property
    def _finds_odd_ones(self) -> bool:
        """Whether it holds the examples that others are compared with, which a file of an older narrows does not."""
        try:
            _ = self.fitted.joined
        except ValueError:
            return False
        return True

    def quick(self, verb: str) -> int:
        """Return how many rows a pass may have that takes less than about ten milliseconds."""
        if self.fitted.table is not None or verb in ("score", "anomalies"):
            return 0
        return QUICK_OPERATIONS // self.fitted.operations

    @property
    def imputes(self) -> bool:
        """Whether it has learned to fill missing cells."""
        return self.fitted.table is not None

    @cached_property
    def threshold(self) -> float | None:
        """The anomaly score above which an example is odd, if it is known."""
        try:
            with warnings.catch_warnings(action="ignore"):  # of few held-out examples; it is said at the fit
                return self.estimator.anomaly_threshold()
        except ValueError:
            return None

    @property
    def names(self) -> tuple[str, ...] | None:
        """Its columns' names, if it takes rows with names."""
        table = self.fitted.table
        if table is not None:
            return None if table.library == "numpy" else tuple(str(column.name) for column in table.columns)
        return self.fitted.feature_names

    @property
    def is_of_images(self) -> bool:
        """Whether an image file can be one of its examples, and an example be written as one."""
        shape = self.fitted.input_shape
        return len(shape) > 1 and shape[2:] in ((), (1,), (3,))

    def warm(self) -> None:
        """Compute everything once, as first calls take longer."""
        fitted = self.fitted
        y = fitted.require_classes()[:1] if fitted.conditional else None
        self.estimator.sample(1, y, random_state=0)
        codes = np.zeros((1, fitted.latent_dim), np.float32)
        (rows,) = self.works["decode"](codes, y)
        for verb, work in self.works.items():
            work(codes if verb == "decode" else rows, y)


def open_served(models: Sequence[str]) -> list[Served]:
    """Open models by name.

    Parameters
    ----------
    models
        ``MODEL`` or ``NAME=MODEL``, where MODEL is a file, or a run folder that holds one; without NAME it is called
        as that is.

    Raises
    ------
    DataError
        If there is no model, or two have one name, or a name would not do in an address.
    """
    found: dict[str, Served] = {}
    for given in models:
        before, equals, after = given.partition("=")
        named = bool(equals) and not Path(given).exists()
        path = Path(after if named else given)
        file = find_model(path)
        name = before if named else path.resolve().name.removesuffix(".safetensors")
        if not NAME.fullmatch(name):
            raise DataError(
                f"MODEL {given}: {name!r} cannot be part of an address; give it a name of letters, digits, dots and "
                f"hyphens, as in digits={path}"
            )
        if name in found:
            raise DataError(f"MODEL {given}: another one is called {name!r} already; name it, as in other={path}")
        found[name] = Served(name, load(file))
    return list(found.values())


def _passes(fitted: Fitted) -> Passes:
    """Return passes that are not filled: of convolutions, 32 rows would cost five times what one does."""
    return replace(fitted.on("cpu"), fewest=1)


def _examples(fitted: Fitted, rows: Array, y: Array | None) -> Examples:
    return examples_of(fitted, Source(rows, rows.shape, streamed=False), y)


def _passed(fitted: Fitted, codes: Array, y: Array | None) -> NDArray[np.float32]:
    z = torch.from_numpy(np.asarray(codes, np.float32))
    return _passes(fitted).decoded(z, context_of(fitted, y, len(z)))


def _encoded(fitted: Fitted, rows: Array, y: Array | None) -> tuple[Array, ...]:
    return (_passes(fitted).posterior(_examples(fitted, rows, y)).mean.numpy(),)


def _decoded(fitted: Fitted, codes: Array, y: Array | None) -> tuple[Array, ...]:
    return (fitted.scaling.undo(check_decoded(_passed(fitted, codes, y))),)


def _reconstructed(fitted: Fitted, rows: Array, y: Array | None) -> tuple[Array, ...]:
    restored = _passes(fitted).reconstructed(_examples(fitted, rows, y))
    return (fitted.scaling.undo(restored).astype(rows.dtype),)


def _scored(fitted: Fitted, rows: Array, y: Array | None) -> tuple[Array, ...]:
    with warnings.catch_warnings(action="ignore"), np.errstate(over="ignore"):  # as `score_samples`, which says more
        density = log_density(_passes(fitted), fitted.scaling, _examples(fitted, rows, y), SCORE_SAMPLES)
        return (density.astype(np.float32),)


def _odd(fitted: Fitted, rows: Array, y: Array | None) -> tuple[Array, ...]:
    passes, examples = _passes(fitted), _examples(fitted, rows, y)
    if fitted.joined is not None:
        return (fitted.joined.scores(passes, examples),)
    return (oddness(passes, fitted.scaling, examples, "reconstruction"),)
