"""A model's likelihood as a page needs it: parts, each of some features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from narrows.models.likelihoods import Bernoulli, ContinuousBernoulli, Laplace, Likelihood, Mixed
from narrows.models.likelihoods.counts import Counts, NegativeBinomial
from narrows.models.likelihoods.histogram import Histogram
from narrows.models.likelihoods.levels import BinaryLevels, Categorical, Levels, Ordinal
from narrows.models.likelihoods.located import Located
from narrows.web.portable.nets import activation_of

__all__ = ["PortablePart", "parts_of"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Bounded:
    """Features in [0, 1]: ``"bernoulli"`` or ``"continuous-bernoulli"``, at ``places`` among all; None of all."""

    places: list[int] | None
    kind: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """``"gaussian"`` or ``"laplace"``: the ``link`` from output to mean, and σ or b, (1,) or one a feature."""

    places: list[int] | None
    link: str
    scales: Floats
    kind: str


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts, each ``zero`` + count / ``scale`` as a cell: ``"poisson"``, or ``"negative-binomial"`` with ``r``."""

    places: list[int] | None
    zero: Floats
    scale: Floats
    r: Floats | None
    kind: str


@dataclass(frozen=True, slots=True)
class Bins:
    """Numbers in bins, of which column j has ``widths[j]``, from ``low`` to ``high``, all one after another."""

    places: list[int] | None
    widths: list[int]
    low: Floats
    high: Floats
    unseen: Floats
    kind: str = "bins"


@dataclass(frozen=True, slots=True)
class Kinds:
    """Levels: ``"binary"``, ``"category"`` or ``"ordered"``.

    Attributes
    ----------
    widths, seen
        How many levels the decoder tells apart of each column, and how many there are.
    unseen
        The probability of one that is new.
    within
        (seen one after another) log-probabilities of those that share the last output.
    thresholds
        Of ordered ones, widths − 1 a column, one after another.
    """

    places: list[int] | None
    widths: list[int]
    seen: list[int]
    unseen: Floats
    within: Floats
    thresholds: Floats | None
    kind: str


PortablePart = Bounded | Numbers | Counted | Bins | Kinds

NAMES: dict[type[Levels], str] = {BinaryLevels: "binary", Categorical: "category", Ordinal: "ordered"}


def parts_of(likelihood: Likelihood) -> list[PortablePart]:
    """Return the parts that a likelihood has, in the order of the decoder's outputs."""
    if isinstance(likelihood, Mixed):
        return [_part(part, places) for part, places in zip(likelihood.parts, likelihood.places, strict=True)]  # type: ignore[arg-type]
    return [_part(likelihood, None)]


def _part(part: Likelihood, places: list[int] | None) -> PortablePart:
    if isinstance(part, Located):
        scales = part.scales.detach().reshape(-1).numpy()
        return Numbers(places, activation_of(part.link), scales, "laplace" if isinstance(part, Laplace) else "gaussian")
    if isinstance(part, Counts):
        r = part.log_r.detach().exp().numpy() if isinstance(part, NegativeBinomial) else None
        kind = "poisson" if r is None else "negative-binomial"
        return Counted(places, part.zero.numpy(), part.scale.numpy(), r, kind)
    if isinstance(part, Histogram):
        there = part.places < part.width
        ends = part.low[there].numpy(), part.high[there].numpy()
        return Bins(places, there.sum(1).tolist(), *ends, part.unseen.numpy())
    if isinstance(part, Levels):
        return _levels(part, places)
    assert isinstance(part, Bernoulli | ContinuousBernoulli)
    return Bounded(places, "bernoulli" if isinstance(part, Bernoulli) else "continuous-bernoulli")


def _levels(part: Levels, places: list[int] | None) -> Kinds:
    widths, seen = part.outputs.tolist(), part.seen.tolist()
    within = np.concatenate([own[:k] for own, k in zip(part.log_within.numpy(), seen, strict=True)])
    thresholds = None
    if isinstance(part, Ordinal):
        each = part.thresholds().detach().numpy()
        thresholds = np.concatenate([own[: k - 1] for own, k in zip(each, widths, strict=True)])
    return Kinds(places, widths, seen, part.unseen.numpy(), within, thresholds, NAMES[type(part)])
