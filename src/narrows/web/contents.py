"""What a file with models would hold of a person's data: said before it is written."""

from __future__ import annotations

from dataclasses import dataclass

from narrows.web.entry import Entry
from narrows.web.library import Library

__all__ = ["Contents", "Part", "contents_of"]


@dataclass(frozen=True, slots=True)
class Part:
    """Examples in the file.

    Attributes
    ----------
    data, count, total
        How many of how many examples of which data.
    from_prior
        Whether they are samples of the model's own instead.
    labels
        The names of their labels, if they have some.
    columns
        The names of their columns, of which the model knows ranges and levels.
    left_out
        The names of the data's columns that are not in the file.
    """

    data: str
    count: int
    total: int
    from_prior: bool
    labels: list[str]
    columns: list[str]
    left_out: list[str]


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in the file: models by kind and latent_dim, and examples."""

    models: list[tuple[str, int]]
    parts: list[Part]


def contents_of(library: Library) -> Contents:
    """Return what a file of the library's models holds, with the examples that these have now."""
    entries = list(library)
    parts = [_part(entry) for entry in entries]
    models = [(entry.kind, entry.fitted.latent_dim) for entry in entries]
    return Contents(models, [part for i, part in enumerate(parts) if part not in parts[:i]])


def _part(entry: Entry) -> Part:
    table = entry.fitted.table
    known = [] if entry.columns is None else [heading.name for heading in entry.columns.headings]
    others = [] if table is None else [str(column.name) for column in table.columns if str(column.name) not in known]
    return Part(entry.dataset.name, len(entry.X), entry.total, entry.from_prior, entry.classes, known, others)
