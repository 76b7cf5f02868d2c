"""A model's examples as pictures: what it takes in and what it makes, on the scale it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from narrows.columns.showing import number_text, texts_of
from narrows.drawing.sheets import Line, comparison, example_rows, image_grid, lines_of_cells
from narrows.fitted.fitted import Fitted
from narrows.fitted.levels import error_maps, value_range
from narrows.runs.cells import differences

if TYPE_CHECKING:  # it takes a third of a second, and who draws has it
    from matplotlib.figure import Figure

__all__ = ["are_written", "draw_comparison", "draw_grid", "draw_odd", "draw_rows"]

Array = NDArray[Any]

MOST_COLUMNS = 12
"""Of a table, that are drawn."""

MOST_NAMES = 30
"""Numbers of a row that have names and are written; of more, such as spectra, a curve says more."""


def are_written(fitted: Fitted, *, on_page: bool = False) -> bool:
    """Say whether rows are drawn as lines of text: those of a table, and numbers that have names, if they are few.

    ``on_page`` is for a picture among others, in which these could not be read.
    """
    return fitted.table is not None or (not on_page and 0 < len(fitted.feature_names or ()) <= MOST_NAMES)


def _texts(fitted: Fitted, examples: Any) -> Array:
    if fitted.table is not None:
        return texts_of(fitted.table, examples)
    return np.array([[number_text(cell) for cell in row] for row in np.asarray(examples).tolist()], object)


def draw_rows(
    fitted: Fitted,
    rows: Sequence[tuple[str, Any]],
    *,
    title: str = "",
    headings: Sequence[str] = (),
    on_page: bool = False,
) -> Figure:
    """Draw (label, examples) pairs in the data's units, columns of numbers each scaled as the model scales it.

    Those that `are_written` are lines of text.
    """
    if are_written(fitted, on_page=on_page):
        each = [(label.split("\n")[0], _texts(fitted, examples)) for label, examples in rows]
        own = [heading.replace("\n", ", ") for heading in headings]
        first = [" ".join(filter(None, (each[0][0], *own[i : i + 1]))) for i in range(len(each[0][1]))]
        blocks = [
            [
                Line(label if number else first[i], texts[i])
                for number, (label, texts) in enumerate(each)
                if i < len(texts)
            ]
            for i in range(len(first))
        ]
        return _lines(fitted, blocks, title)
    shown = [(label, _drawable(fitted, examples)) for label, examples in rows]
    return example_rows(shown, _shown_range(fitted, shown[0][1]), title=title, headings=headings)


def draw_grid(
    fitted: Fitted, examples: Any, *, title: str = "", labels: Sequence[str] = (), on_page: bool = False
) -> Figure:
    """Draw examples in a grid, as `draw_rows` draws them."""
    if are_written(fitted, on_page=on_page):
        return draw_rows(fitted, [("", examples)], title=title, headings=labels)
    shown = _drawable(fitted, examples)
    return image_grid(shown, _shown_range(fitted, shown), title=title, labels=labels)


def draw_odd(
    fitted: Fitted,
    examples: Any,
    restored: Any,
    *,
    title: str,
    labels: Sequence[str],
    heat: Array | None = None,
    on_page: bool = False,
) -> Figure:
    """Draw examples in a grid, with ``heat`` (n, columns) or (n, H, W), from 0 to 1, in orange over them.

    None stands for what is wrong with their reconstructions.
    """
    if are_written(fitted, on_page=on_page):
        return _compared(fitted, labels, examples, restored, title, heat)
    shown = _drawable(fitted, examples)
    maps = error_maps(fitted, examples, restored) if heat is None else heat
    return image_grid(shown, _shown_range(fitted, shown), title=title, labels=labels, heat=maps)


def draw_comparison(
    fitted: Fitted, labels: Sequence[str], originals: Any, restored: Any, *, title: str, on_page: bool = False
) -> Figure:
    """Draw originals, reconstructions and the squared differences, in scaled units, over which an error is the mean.

    An image's channels share a map, their mean.
    """
    if are_written(fitted, on_page=on_page):
        return _compared(fitted, labels, originals, restored, title)
    maps = error_maps(fitted, originals, restored)
    first, second = _drawable(fitted, originals), _drawable(fitted, restored)
    return comparison(labels, first, second, maps, _shown_range(fitted, first), title=title, unit=fitted.unit)


def _compared(
    fitted: Fitted, labels: Sequence[str], originals: Any, restored: Any, title: str, heat: Array | None = None
) -> Figure:
    """Draw rows over what becomes of them, with cells in orange that differ, or that have ``heat``."""
    if heat is None:
        heat = (error_maps if fitted.table is None else differences)(fitted, originals, restored)
    each = zip(labels, _texts(fitted, originals), heat, _texts(fitted, restored), strict=True)
    blocks = []
    for label, one, marks, other in each:
        *first, last = label.split("\n")
        blocks.append([Line(", ".join(first), one, marks), Line(last, other)])
    return _lines(fitted, blocks, title)


def _lines(fitted: Fitted, blocks: Sequence[Sequence[Line]], title: str) -> Figure:
    """Draw lines of text: all columns, or those whose cells are marked most, or else the first."""
    names = [str(column.name) for column in fitted.table.modelled] if fitted.table else list(fitted.feature_names or ())
    shown: list[int] = list(range(len(names)))
    if len(names) > MOST_COLUMNS:
        heats = [line.heat for block in blocks for line in block if line.heat is not None]
        most = np.max(heats, 0) if heats else np.zeros(len(names))
        shown = sorted(np.argsort(-most, kind="stable")[:MOST_COLUMNS].tolist())
        title = f"{title}; {MOST_COLUMNS} of {len(names):,} columns".removeprefix("; ")
    few = [
        [Line(x.label, [x.texts[i] for i in shown], None if x.heat is None else x.heat[shown]) for x in block]
        for block in blocks
    ]
    return lines_of_cells([names[i] for i in shown], few, title=title)


def _drawable(fitted: Fitted, examples: Any) -> Array:
    array = np.asarray(examples)
    return array if array.ndim > 2 else fitted.scaling.apply(array)


def _shown_range(fitted: Fitted, examples: Array) -> tuple[float, float]:
    if examples.ndim > 2:
        return value_range(fitted.scaling)
    margin = 0.1 * float(np.ptp(examples)) + 1e-6
    return float(examples.min()) - margin, float(examples.max()) + margin
