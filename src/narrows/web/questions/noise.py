"""Noise: one corrupted input, and what models that were trained differently make of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from narrows.models.corruptions import CORRUPTIONS
from narrows.web.entry import Entry, Eye
from narrows.web.library import Library
from narrows.web.questions.inputs import Given, taken

__all__ = ["Corruption", "Corruptions", "Noise", "Restored", "corruptions", "noise"]

MOST_MODELS = 6
"""Models side by side."""

Seed = Annotated[int, Field(ge=0, lt=2**32)]


@dataclass(frozen=True, slots=True)
class Corruption:
    """A kind of corruption, and whether its level is a fraction or else a standard deviation."""

    name: str
    fraction: bool


@dataclass(frozen=True, slots=True)
class Corruptions:
    """The kinds that an input alone can have."""

    kinds: list[Corruption]


@dataclass(frozen=True, slots=True)
class Restored:
    """What a model makes of the corrupted input, (1, …), and its squared error to the clean one, in scaled units."""

    id: str
    kind: str
    latent_dim: int
    levels: Eye
    error: float


@dataclass(frozen=True, slots=True)
class Noise:
    """The clean and the corrupted input, (1, …) each, the corruption's own error, and what each model makes of it."""

    clean: Eye
    noisy: Eye
    error: float
    models: list[Restored]


def corruptions(library: Library) -> Corruptions:  # noqa: ARG001 - one signature for all questions
    """Return the kinds of corruption; those that mix the examples of a batch would do nothing to a single one."""
    return Corruptions([Corruption(name, kind.largest == 1) for name, kind in CORRUPTIONS.items() if not kind.mixes])


def noise(
    library: Library,
    model: str,
    given: Given,
    corruption: str = "gaussian",
    level: Annotated[float, Field(ge=0, le=1)] = 0.3,
    seed: Seed = 0,
    label: str | None = None,
) -> Noise:
    """Corrupt the input and let one model of each kind restore it, of the latent_dim nearest to this model's."""
    entry = library[model]
    x = taken(entry, given)
    noisy = entry.estimator.corrupt(x, corruption=corruption, level=level, random_state=seed)
    noisy = noisy if entry.columns is None else entry.columns.named(noisy)
    clean, restored = entry.numbers(x), []
    for other in _kinds(library, entry):
        back = other.restored(noisy, other.context(label, given.example))
        error = float(np.nanmean(entry.error_maps(clean, back)))
        restored.append(Restored(other.id, other.kind, other.fitted.latent_dim, entry.shown(back), error))
    corrupted = entry.numbers(noisy)
    error = float(np.nanmean(entry.error_maps(clean, corrupted)))
    return Noise(entry.shown(clean), entry.shown(corrupted), error, restored)


def _kinds(library: Library, entry: Entry) -> list[Entry]:
    """Return the model itself and of each other kind the one with the nearest latent_dim, in the order they came."""
    kin = library.kin(entry)
    order = list(dict.fromkeys(other.kind for other in kin))
    wanted = entry.fitted.latent_dim
    chosen = {other.kind: other for other in sorted(kin, key=lambda other: -abs(other.fitted.latent_dim - wanted))} | {
        entry.kind: entry
    }
    return [chosen[kind] for kind in order][:MOST_MODELS]
