"""One code: a slider a unit, noise around it, new ones from the prior, ways between two, sums of groups."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch.nn.functional import one_hot

from narrows.evaluation.codes import dead_units, kl_per_unit
from narrows.fitted.imputing import simulated
from narrows.latent import analogy, around, interpolate
from narrows.models.priors.base import Prior, StandardNormal
from narrows.models.priors.mixtures import GaussianMixture
from narrows.web.entry import Entry, Eye
from narrows.web.library import Library

__all__ = ["Arithmetic", "Decoded", "Units", "arithmetic", "decode", "noisy", "samples", "units", "way"]

Count = Annotated[int, Field(ge=1, le=64)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Row = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class Units:
    """The code's units.

    Attributes
    ----------
    order
        (d,) unit numbers, what tells most first.
    weight
        (d,) what they are ordered by: KL(q ‖ N(0, 1)) in nats where ``by`` is ``"kl"``, else the variance.
    low, high
        (d,) nearly all codes' range.
    mean
        (d,) the mean code.
    dead
        (d,) whether it is the same for every example.
    temperature
        Whether samples can be drawn with one.
    """

    order: NDArray[np.int64]
    weight: NDArray[np.float64]
    by: Literal["kl", "variance"]
    low: list[float]
    high: list[float]
    mean: list[float]
    dead: NDArray[np.bool_]
    temperature: bool


@dataclass(frozen=True, slots=True)
class Decoded:
    """What codes (k, d) stand for, (k, …)."""

    levels: Eye
    codes: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """An example's reconstruction, what the means of both groups stand for, and the sum; (1, …) each, and its code."""

    start: Eye
    minus: Eye
    plus: Eye
    result: Eye
    z: list[float]


def units(library: Library, model: str) -> Units:
    """Return the code's units, ordered by what they tell of the data."""
    entry = library[model]
    mu, sigma = entry.distribution
    drawn = bool((sigma > 0).all())
    weight = kl_per_unit(mu, sigma) if drawn else mu.astype(np.float64).var(0)
    low, high = np.quantile(mu.astype(np.float64), (0.002, 0.998), axis=0)
    margin = 0.1 * np.where(high > low, high - low, 1.0)
    return Units(
        np.argsort(-weight, kind="stable"),
        weight,
        "kl" if drawn else "variance",
        (low - margin).tolist(),
        (high + margin).tolist(),
        mu.astype(np.float64).mean(0).tolist(),
        dead_units(mu),
        isinstance(entry.fitted.model.prior, StandardNormal | GaussianMixture),
    )


def decode(
    library: Library,
    model: str,
    codes: Annotated[list[list[float]], Field(min_length=1, max_length=64)],
    label: str | None = None,
) -> Decoded:
    """Return what ``codes`` stand for."""
    entry = library[model]
    return _decoded(entry, entry.check_codes(codes), label)


def noisy(
    library: Library,
    model: str,
    z: list[float],
    sigma: Annotated[float, Field(ge=0, le=100)],
    n: Count = 12,
    seed: Seed = 0,
    label: str | None = None,
) -> Decoded:
    """Return what ``n`` codes around ``z`` stand for, as on the lecture's last slide (“Úvod do generativních modelů”).

    ``sigma`` is in standard deviations of each unit over the data, so that one value suits all models.
    """
    entry = library[model]
    spread = sigma * entry.codes.astype(np.float64).std(0)
    codes = around(entry.check_codes([z])[0], spread, n, random_state=seed)
    return _decoded(entry, codes.astype(np.float32), label)


def samples(
    library: Library,
    model: str,
    n: Count = 24,
    temperature: Annotated[float, Field(ge=0, le=3)] = 1.0,
    seed: Seed = 0,
    label: str | None = None,
) -> Decoded:
    """Return new examples from the prior, of class ``label`` if the model knows one; of a table, cells drawn as well.

    Raises
    ------
    ValueError
        If ``temperature`` is not 1 and the prior is none whose deviations could be scaled.
    """
    entry = library[model]
    prior = _tempered(entry.fitted.model.prior, temperature)
    generator = torch.Generator().manual_seed(seed)
    classes = entry.fitted.require_classes() if entry.fitted.conditional else None
    wanted = None
    if label is not None and classes is not None:
        wanted = torch.full((n,), [str(name) for name in classes.tolist()].index(label))
    z, indices = prior.sample(n, generator, wanted)
    codes = z.numpy()
    if entry.fitted.table is not None:
        context = None if classes is None else one_hot(indices, len(classes)).float()
        drawn = entry.fitted.scaling.undo(simulated(entry.fitted, z, context, generator))
        return Decoded(entry.shown(drawn), codes)
    if classes is None:
        return _decoded(entry, codes, None)
    made = entry.estimator.inverse_transform(codes, classes[indices.numpy()])
    return Decoded(entry.shown(entry.numbers(made)), codes)


def _tempered(prior: Prior, temperature: float) -> Prior:
    """Return the prior with the standard deviations of its Gaussians times ``temperature``."""
    if temperature == 1:
        return prior
    if isinstance(prior, GaussianMixture):
        scaled = copy.deepcopy(prior)
        scaled.factors *= temperature
        return scaled
    if isinstance(prior, StandardNormal):
        scaled = GaussianMixture(len(prior.frequencies), prior.latent_dim, 1)
        scaled.factors *= temperature
        return scaled
    raise ValueError(f"temperature={temperature}: a prior of the kind {type(prior).__name__} is drawn from as it is")


def way(
    library: Library,
    model: str,
    a: Row,
    b: Row,
    steps: Annotated[int, Field(ge=2, le=64)] = 33,
    kind: Literal["linear", "spherical"] = "linear",
    label: str | None = None,
) -> Decoded:
    """Return what the codes on the way from example ``a`` to example ``b`` stand for."""
    entry = library[model]
    start, end = (entry.codes[entry.check_row(name, row)] for name, row in (("a", a), ("b", b)))
    codes = interpolate(start, end, steps, kind=kind).astype(np.float32)
    return _decoded(entry, codes, label)


def arithmetic(library: Library, model: str, start: Row, minus: str, plus: str) -> Arithmetic:
    """Return z − mean(minus) + mean(plus) of the example ``start`` and the groups of two labels, decoded.

    Raises
    ------
    ValueError
        If the data have no such labels.
    """
    entry = library[model]
    z = entry.codes[[entry.check_row("start", start)]]
    without, with_ = _group(entry, "minus", minus), _group(entry, "plus", plus)
    moved = analogy(z, without, with_)
    codes = np.concatenate([z, without.mean(0, keepdims=True), with_.mean(0, keepdims=True), moved])
    start_, minus_, plus_, result = (entry.shown(one[None]) for one in entry.decode(codes))
    return Arithmetic(start_, minus_, plus_, result, moved[0].tolist())


def _group(entry: Entry, name: str, label: str) -> NDArray[np.float32]:
    if entry.labels is None or label not in entry.classes:
        known = ", ".join(entry.classes) or "none"
        raise ValueError(f"{name}={label!r} is not a label of {entry.dataset.name}; its labels are {known}")
    codes: NDArray[np.float32] = entry.codes[entry.labels == entry.classes.index(label)]
    return codes


def _decoded(entry: Entry, codes: NDArray[np.float32], label: str | None) -> Decoded:
    return Decoded(entry.shown(entry.decode(codes, label)), codes)
