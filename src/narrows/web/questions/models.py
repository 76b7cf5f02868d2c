"""Which models are open."""

from __future__ import annotations

from dataclasses import dataclass

from narrows.web.entry import Entry
from narrows.web.library import Library, Progress
from narrows.web.rows import Heading
from narrows.web.uploads import ink_of

__all__ = ["Heading", "Model", "Models", "models"]


@dataclass(frozen=True, slots=True)
class Model:
    """What the page has to know of a model before it asks anything else.

    ``shape`` is of one input, and ``columns`` are its columns where it is a row with names; ``table`` says whether
    these are of several kinds, or have gaps. ``ink`` says whether drawings are cropped and centred by mass; ``python``
    are the lines that make ``model`` and, unless ``from_prior``, ``data``; ``literals`` are the classes of its labels
    in Python.
    """

    id: str
    kind: str
    latent_dim: int
    shape: list[int]
    columns: list[Heading]
    table: bool
    data: str
    count: int
    total: int
    classes: list[str]
    literals: list[str]
    conditional: bool
    from_prior: bool
    ink: bool
    python: list[str]


@dataclass(frozen=True, slots=True)
class Models:
    """The models that are ready, and how far the others are."""

    models: list[Model]
    progress: Progress


def models(library: Library) -> Models:
    """Return the models that are ready."""
    return Models([_model(entry) for entry in library], library.progress)


def _model(entry: Entry) -> Model:
    fitted = entry.fitted
    known = [] if fitted.classes is None else fitted.classes.tolist()
    if "ink" not in entry.memo:
        entry.memo["ink"] = ink_of(entry)
    return Model(
        entry.id,
        entry.kind,
        fitted.latent_dim,
        list(fitted.input_shape),
        [] if entry.columns is None else entry.columns.headings,
        fitted.table is not None,
        entry.dataset.name,
        len(entry.X),
        entry.total,
        [str(name) for name in known] if fitted.conditional else entry.classes,
        [repr(name) for name in known],
        fitted.conditional,
        entry.from_prior,
        entry.memo["ink"] is not None,
        list(entry.python),
    )
