"""Arrays as sheets of examples, each tile where it is put, to a hundredth of an inch, so that no label is cut.

No model comes here, and no window is opened: each function returns a Matplotlib figure.
"""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from narrows.drawing.curves import OURS, PCA
from narrows.drawing.tiles import HEAT, axes_at, draw, draw_heat, draw_over

if TYPE_CHECKING:  # it takes a third of a second, and not every verb draws
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Line", "comparison", "example_rows", "histograms", "image_grid", "lines_of_cells"]

Array = NDArray[Any]

TITLE, LABEL = 10.0, 8.0
"""Sizes of type, in points."""

MARGIN, GAP, LINE, NARROWEST = 0.12, 0.07, 0.155, 4.0
"""Inches: around a sheet, between tiles, of a label's line, and of the narrowest sheet, in which titles still fit."""

BARS = 24  # of texts, at most: as many as of numbers
STEP, WIDEST, NARROW = 0.175, 1.3, 0.35  # inches: a line of a table, and its columns at most and at least
WIDE = "mwMW@%…—"
"""Letters about as wide as high."""

PANEL = 6  # lines of a comparison under each other, before a second panel begins beside them


def image_grid(
    examples: Array,
    value_range: tuple[float, float],
    *,
    title: str = "",
    labels: Sequence[str] = (),
    heat: Array | None = None,
) -> Figure:
    """Draw examples, images (k, H, W[, 3]) or rows (k, features), in a grid about as wide as high, read row by row.

    Parameters
    ----------
    examples
        At least one.
    value_range
        The values shown as black and white, or at the bottom and the top.
    title
        What the sheet shows.
    labels
        (k,) to stand under the examples, or none.
    heat
        Not negative, (k, H, W) or (k, features), to lie over the examples in orange: the opaquer, the larger.
    """
    n, ratio = len(examples), _ratio(examples)
    columns = min(n, math.ceil(math.sqrt(n / ratio)))
    width, height = _tile_size(ratio, 2.0 if n <= 4 else 1.2 if n <= 25 else 0.8)
    below = LINE * (1 + max(label.count("\n") for label in labels)) + 0.03 if labels else 0.0
    across, down = width + GAP, height + below + GAP
    figure, top = _sheet(columns * across - GAP, math.ceil(n / columns) * down - GAP, title)
    for i, example in enumerate(examples):
        x, y = MARGIN + i % columns * across, top + i // columns * down
        box = (x, y, width, height)
        draw(figure, box, example, value_range)
        if heat is not None:
            draw_over(figure, box, heat[i] / (float(np.quantile(heat, 0.995)) or float(heat.max()) or 1.0))
        if labels:
            _text(figure, x + width / 2, y + height + 0.03, labels[i], width + GAP, ha="center", va="top")
    return figure


def example_rows(
    rows: Sequence[tuple[str, Array]],
    value_range: tuple[float, float],
    *,
    title: str = "",
    headings: Sequence[str] = (),
) -> Figure:
    """Draw examples in rows, each with its label: originals over reconstructions, as the lecture shows them.

    Parameters
    ----------
    rows
        (label, examples) pairs, the examples as images (k, H, W[, 3]) or as rows (k, features); the latter are drawn as
        profiles over the features, the first row's in grey behind each of the others.
    value_range
        The values shown as black and white, or at the bottom and the top.
    title
        What the sheet shows.
    headings
        To stand over the columns, or none.
    """
    first, columns = rows[0][1], max(len(examples) for _, examples in rows)
    width, height = _tile_size(_ratio(first), 1.2 if columns <= 4 else 0.8)
    left = min(2.5, max(_width(line) for label, _ in rows for line in label.split("\n")) + 0.1)
    above = LINE * (1 + max(heading.count("\n") for heading in headings)) + 0.05 if headings else 0.0
    figure, top = _sheet(left + columns * (width + GAP) - GAP, above + len(rows) * (height + GAP) - GAP, title)
    for i, heading in enumerate(headings):
        x = MARGIN + left + i * (width + GAP) + width / 2
        _text(figure, x, top + above - 0.04, heading, width + GAP, ha="center", va="bottom")
    for line, (label, examples) in enumerate(rows):
        y = top + above + line * (height + GAP)
        _text(figure, MARGIN + left - 0.1, y + height / 2, label, left - 0.1, ha="right", va="center")
        for i, example in enumerate(examples):
            box = (MARGIN + left + i * (width + GAP), y, width, height)
            draw(figure, box, example, value_range, None if examples is first or i >= len(first) else first[i])
    return figure


def comparison(
    labels: Sequence[str],
    originals: Array,
    restored: Array,
    errors: Array,
    value_range: tuple[float, float],
    *,
    title: str,
    unit: str,
) -> Figure:
    """Draw originals, reconstructions and error maps side by side, a line an example, the maps on one scale.

    Parameters
    ----------
    labels
        (k,) to stand next to the examples; their first lines are bold.
    originals, restored
        (k, H, W[, 3]) or (k, features).
    errors
        (k, H, W) or (k, features), not negative. The scale ends at their 99.5th percentile, so that one pixel can't
        darken all others; the colour bar is pointed where some lie above it.
    value_range
        The values shown as black and white, or at the bottom and the top.
    title, unit
        What the sheet shows, and what the errors are, for the colour bar.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    most = float(np.quantile(errors, 0.995)) or float(errors.max()) or 1.0
    norm = Normalize(0, most)
    width, height = _tile_size(_ratio(originals), 0.95)
    down = max(height, LINE * max(label.count("\n") + 1 for label in labels)) + GAP
    left = min(2.6, max(_width(line, bold=not i) for label in labels for i, line in enumerate(label.split("\n"))) + 0.1)
    panels = 1 + (len(labels) > PANEL)
    lines = math.ceil(len(labels) / panels)
    panel = left + 3 * (width + GAP) + 0.15
    above, tall = LINE + 0.03, max(lines * down - GAP, 1.2)
    figure, top = _sheet(panels * panel + 0.75, above + tall, title)
    for i, (label, *shown) in enumerate(zip(labels, originals, restored, errors, strict=True)):
        x, y = MARGIN + i // lines * panel, top + above + i % lines * down + (down - GAP - height) / 2
        _paragraph(figure, x, y + height / 2, label, left - 0.08)
        boxes = [(x + left + j * (width + GAP), y, width, height) for j in range(3)]
        if i % lines == 0:
            for (start, *_), heading in zip(boxes, ("original", "reconstruction", "error"), strict=True):
                _text(figure, start + width / 2, y - 0.04, heading, width + GAP, ha="center", va="bottom")
        draw(figure, boxes[0], shown[0], value_range)
        draw(figure, boxes[1], shown[1], value_range, shown[0])
        draw_heat(figure, boxes[2], shown[2], norm)
    scale = axes_at(figure, MARGIN + panels * panel, top + above, 0.13, tall)
    extend = "max" if errors.max() > most else "neither"
    bar_drawn = figure.colorbar(ScalarMappable(norm, HEAT), cax=scale, extend=extend, extendfrac=0.04)
    bar_drawn.ax.tick_params(labelsize=LABEL - 1)
    bar_drawn.set_label("\n".join(textwrap.wrap(unit, int(tall * 72 / (0.55 * LABEL)))), size=LABEL)
    return figure


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table that is drawn.

    Attributes
    ----------
    label
        To stand next to it.
    texts
        Of its cells.
    heat
        How strongly each cell is marked in orange, from 0 to 1.
    """

    label: str
    texts: Sequence[str]
    heat: Array | None = None


def lines_of_cells(columns: Sequence[str], blocks: Sequence[Sequence[Line]], *, title: str = "") -> Figure:
    """Draw rows of a table as lines of text below the names of its columns.

    Parameters
    ----------
    columns
        Their names.
    blocks
        Lines that belong together: those after the first show what becomes of it, in another colour.
    title
        What the sheet shows.
    """
    lines = [line for block in blocks for line in block]
    left = min(2.6, max(_width(part) for line in lines for part in line.label.split("\n")) + 0.1)
    cells = zip(*(line.texts for line in lines), strict=True)
    widths = [
        2 * GAP + min(WIDEST, max(NARROW, _width(name, bold=True), *map(_width, own)))
        for name, own in zip(columns, cells, strict=True)
    ]
    starts = np.concatenate([[0.0], np.cumsum(widths)]) + left
    figure, top = _sheet(float(starts[-1]), (len(lines) + 1) * STEP + len(blocks) * GAP, title)
    for place, name in enumerate(columns):
        wide = (widths[place] - GAP) * _width("x") / _width("x", bold=True)
        _text(figure, MARGIN + starts[place], top, name, wide, va="top", fontweight="bold")
    y = top + STEP
    for block in blocks:
        _rule(figure, y, float(starts[-1]))
        y += GAP
        for number, line in enumerate(block):
            colour = OURS if number else "black"
            _text(figure, MARGIN, y, line.label, left - 0.1, va="top", color=colour)
            for place, text in enumerate(line.texts):
                x, width = MARGIN + starts[place], widths[place]
                if line.heat is not None and line.heat[place] > 0:
                    _mark(figure, x - GAP / 2, y - 0.02, width, STEP, 0.9 * min(1.0, float(line.heat[place])))
                _text(figure, x, y, text, width - GAP, va="top", color=colour)
            y += STEP
    return figure


def histograms(columns: Sequence[tuple[str, Array]], *, title: str = "") -> Figure:
    """Draw how the values of each of a table's columns are spread, from its least value to its largest.

    Parameters
    ----------
    columns
        (name, values (n,)) pairs: numbers, of which those that are not finite are left out; times; or texts, which get
        a bar each, the most frequent first.
    title
        What the sheet shows.
    """
    across = min(len(columns), max(2, math.ceil(math.sqrt(len(columns)))))
    width, height, step = 1.55, 0.75, (1.55 + 0.2, 0.75 + 3 * LINE)
    figure, top = _sheet(across * step[0] - 0.2, math.ceil(len(columns) / across) * step[1], title)
    for i, (name, values) in enumerate(columns):
        x, y = MARGIN + i % across * step[0], top + i // across * step[1] + LINE + 0.03
        ax = axes_at(figure, x, y, width, height)
        _text(figure, x, y - 0.03, name, width, ha="left", va="bottom")
        ax.set(xticks=[], yticks=[])
        ax.spines[["top", "left", "right"]].set_visible(False)
        if values.dtype == object and len(values):
            _draw_frequencies(figure, ax, x, y, width, height, values)
            continue
        times = values.dtype.kind == "M"
        finite = values.astype("datetime64[s]").astype(np.float64) if times else values.astype(np.float64)
        finite = finite[np.isfinite(finite)]
        if not len(finite):
            ax.text(0.5, 0.5, "no values", transform=ax.transAxes, ha="center", va="center", fontsize=LABEL)
            continue
        low, high = finite.min(), finite.max()
        scale = max(abs(low), abs(high)) or 1.0  # bars of 1e-300 or 1e300 are drawn as any others
        counts, edges = np.histogram(finite / scale, 24) if high > low else (np.array([len(finite)]), np.array([-1, 1]))
        ax.bar(edges[:-1], counts, np.diff(edges), align="edge", color=OURS)
        ax.set_xlim(edges[0], edges[-1])
        ends = [(x, low, "left"), (x + width, high, "right")] if high > low else [(x + width / 2, low, "center")]
        for x, value, side in ends:
            shown = str(np.datetime64(int(value), "s"))[:10] if times else f"{value:.4g}"
            _text(figure, x, y + height + 0.03, shown, width, ha=side, va="top")
    return figure


def _draw_frequencies(figure: Figure, ax: Axes, x: float, y: float, width: float, height: float, values: Array) -> None:
    """Draw how often each text occurs, and name the most frequent and how many there are."""
    counts = Counter(values.tolist()).most_common()
    shown = [n for _, n in counts[:BARS]]
    ax.bar(range(len(shown)), shown, 0.8, color=OURS)
    ax.set_xlim(-0.6, (len(shown) if len(shown) == 2 else max(len(shown), 4)) - 0.4)  # each of two above its name
    more = f"{len(counts):,} levels" if len(counts) > 2 else counts[1][0] if len(counts) == 2 else ""
    _text(figure, x, y + height + 0.03, counts[0][0], width * 0.55, ha="left", va="top")
    _text(figure, x + width, y + height + 0.03, more, width * 0.55, ha="right", va="top")


def _sheet(width: float, height: float, title: str) -> tuple[Figure, float]:
    """Return an empty figure with room for contents of that size, and how far from its top they begin, in inches."""
    from matplotlib.figure import Figure

    wide = max(NARROWEST, width + 2 * MARGIN)
    lines = textwrap.wrap(title, int((wide - 2 * MARGIN) * 72 / (0.53 * TITLE)))
    top = MARGIN + (0.2 * len(lines) + 0.06 if lines else 0)
    figure = Figure(figsize=(wide, top + height + MARGIN))
    x, y = MARGIN / wide, 1 - MARGIN / (top + height + MARGIN)
    if lines:
        figure.text(x, y, "\n".join(lines), fontsize=TITLE, va="top", parse_math=False)
    return figure, top


def _mark(figure: Figure, x: float, y: float, width: float, height: float, alpha: float) -> None:
    """Lay orange on a rectangle whose upper left corner is ``x`` right and ``y`` below the figure's, in inches."""
    from matplotlib.patches import Rectangle

    wide, high = figure.get_size_inches()
    corner = (x / wide, 1 - (y + height) / high)
    figure.add_artist(Rectangle(corner, width / wide, height / high, color=PCA, alpha=alpha, linewidth=0))


def _rule(figure: Figure, y: float, width: float) -> None:
    from matplotlib.lines import Line2D

    wide, high = figure.get_size_inches()
    ends = (MARGIN / wide, (MARGIN + width) / wide)
    figure.add_artist(Line2D(ends, (1 - y / high,) * 2, color="0.8", linewidth=0.5))


def _text(figure: Figure, x: float, y: float, text: str, width: float, **style: Any) -> None:
    """Write ``text``, its lines shortened to ``width``, ``x`` right, ``y`` below the upper left corner, in inches."""
    wide, high = figure.get_size_inches()
    lines = "\n".join(_shortened(line, width) for line in text.split("\n"))
    figure.text(x / wide, 1 - y / high, lines, fontsize=LABEL, parse_math=False, **style)


def _paragraph(figure: Figure, x: float, middle: float, text: str, width: float) -> None:
    """Write lines with their middle at ``middle``, the first in bold."""
    lines = text.split("\n")
    for i, line in enumerate(lines):
        weight = "normal" if i else "bold"
        _text(figure, x, middle + (i - (len(lines) - 1) / 2) * LINE, line, width, va="center", fontweight=weight)


def _width(text: str, *, bold: bool = False) -> float:
    """Return about how wide a label is, in inches: of the font at hand without drawing, on the safe side."""
    return sum(1.0 if c in WIDE or c > "\u2e7f" else 0.6 + 0.07 * bold for c in text) * LABEL / 72


def _shortened(text: str, width: float) -> str:
    """Return ``text``, with … for its middle where it is wider than that many inches, of a path for its beginning."""
    shown, kept = text, len(text)
    while kept > 2 and _width(shown) > width:
        kept -= 1
        begun = 0 if "/" in text else (kept + 1) // 2
        shown = f"{text[:begun]}…{text[len(text) - (kept - begun) :]}"
    return shown


def _ratio(examples: Array) -> float:
    """Return a tile's width by its height: an image's own unless it is extreme, and that of a profile."""
    return 1.5 if examples.ndim == 2 else min(4.0, max(0.25, examples.shape[2] / examples.shape[1]))


def _tile_size(ratio: float, side: float) -> tuple[float, float]:
    """Return width and height of a tile with the area of a square of that side."""
    return side * math.sqrt(ratio), side / math.sqrt(ratio)
