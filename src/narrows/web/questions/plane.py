"""The plane: the codes of the data as points, over what the codes in between stand for.

Of a code of more than two units it is a plane through the space of codes: two units, or the two principal axes, while
what is perpendicular to it is held where it was. Of a code of one unit it is a line. Places have k numbers each, 2 in a
plane and 1 on a line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.spatial import cKDTree

from narrows.web.entry import Entry, Eye
from narrows.web.library import Library

__all__ = [
    "At",
    "Errors",
    "Example",
    "Group",
    "Plane",
    "Tiles",
    "Values",
    "at",
    "errors",
    "example",
    "group",
    "plane",
    "tiles",
    "values",
]

Axes = Literal["pca"] | tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]
Place = Annotated[list[float], Field(min_length=1, max_length=2)]
Row = Annotated[int, Field(ge=0)]

ENDS = (0.02, 0.98)
"""Quantiles of the points on each axis between which the plane is shown at first; a few far points would otherwise
leave all others crowded in the middle."""

MARGIN = 0.08
"""Of that range, on each side."""

NEIGHBOURS = 5
"""Examples that a point must have about as near as nearly all points have theirs, to count as near data."""


class Frame(NamedTuple):
    """Places are (z − origin) basis; the basis (d, k) is orthonormal.

    The ``tree`` finds the nearest of the points, in parts of the range from low to high; data count as near up to
    ``reach``.
    """

    origin: NDArray[np.float64]
    basis: NDArray[np.float64]
    points: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    tree: cKDTree
    reach: float


@dataclass(frozen=True, slots=True)
class Plane:
    """What the plane shows.

    Attributes
    ----------
    points
        (n, k) of the shown examples.
    low, high
        (k,) corners of what is shown at first, in which nearly all points lie.
    labels
        (n,) indices into ``classes``, or None.
    classes
        The labels' names.
    axes
        The names of the k axes: ``"z3"`` for a unit, ``"p1"`` for a principal axis.
    explained
        The fraction of the codes' variance that lies in the plane.
    mean
        (d,) the mean code, to start from.
    """

    points: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    labels: NDArray[np.uint8] | None
    classes: list[str]
    axes: list[str]
    explained: float
    mean: list[float]


@dataclass(frozen=True, slots=True)
class Tiles:
    """Decoded tiles (sideᵏ, …), row by row from the upper left; ``seen`` (sideᵏ,) is 1 where data are."""

    levels: NDArray[np.uint8]
    seen: NDArray[np.bool_]
    side: int


@dataclass(frozen=True, slots=True)
class At:
    """The decoded example (1, …) of a place, the code there, the place (k,), and whether data are there."""

    levels: Eye
    z: list[float]
    point: list[float]
    seen: bool


@dataclass(frozen=True, slots=True)
class Example:
    """An example (1, …), its reconstruction, label, code, and mean squared error in scaled units."""

    original: Eye
    restored: Eye
    label: str
    z: list[float]
    error: float


@dataclass(frozen=True, slots=True)
class Errors:
    """The anomaly scores (n,) of the shown examples."""

    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Values:
    """Where the shown examples' cells (n,) lie on a column's range, from 0 to 1; NaN where they are missing."""

    at: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Group:
    """Some examples: their mean (1, …), what their mean code stands for, counts by label, and a CSV table of codes."""

    mean: Eye
    decoded: Eye
    count: int
    counts: list[tuple[str, int]]
    error: float
    csv: str


def plane(library: Library, model: str, axes: Axes = "pca") -> Plane:
    """Return the points, by two units ``axes`` or along the principal axes; of a code of two units, by these."""
    entry = library[model]
    frame = frame_of(entry, axes)
    spread = entry.codes.astype(np.float64).var(0).sum()
    inside = ((entry.codes - frame.origin) @ frame.basis).var(0).sum()
    return Plane(
        frame.points,
        frame.low,
        frame.high,
        entry.labels,
        entry.classes,
        _names(entry, axes),
        float(inside / spread) if spread > 0 else 1.0,
        entry.codes.astype(np.float64).mean(0).tolist(),
    )


def tiles(
    library: Library,
    model: str,
    axes: Axes = "pca",
    z: list[float] | None = None,
    side: Annotated[int, Field(ge=2, le=48)] = 18,
    low: Place | None = None,
    high: Place | None = None,
    label: str | None = None,
) -> Tiles:
    """Return the decoded middles of ``side`` equal parts along each axis, of the plane through ``z``.

    Parameters
    ----------
    library, model, axes, label
        What is decoded.
    z
        A code in the plane; None takes the mean code.
    side
        How many tiles there are along an axis.
    low, high
        The corners of what is divided, (k,) each; None takes those of what is shown at first.

    Raises
    ------
    ValueError
        If a corner has another number of values than the plane has axes, or lies too far out.
    """
    entry = library[model]
    frame = frame_of(entry, axes)
    start = frame.low if low is None else _place(frame, "low", low)
    end = frame.high if high is None else _place(frame, "high", high)
    steps = start + (np.arange(side)[:, None] + 0.5) / side * (end - start)
    grid = np.meshgrid(*steps.T[:1], *steps.T[1:, ::-1])  # the first row is the highest
    points = np.stack(grid, -1).reshape(-1, len(start))
    codes = entry.check_codes(_codes_at(frame, _held(entry, z), points).tolist())
    return Tiles(entry.levels(entry.decode(codes, label)), _seen(frame, points), side)


def at(
    library: Library,
    model: str,
    point: Place | None = None,
    axes: Axes = "pca",
    z: list[float] | None = None,
    label: str | None = None,
) -> At:
    """Return what the place ``point`` (k,) of the plane through ``z`` stands for; None takes that of ``z`` itself.

    Raises
    ------
    ValueError
        If ``point`` has another number of values than the plane has axes.
    """
    entry = library[model]
    frame, held = frame_of(entry, axes), _held(entry, z)
    at = (held - frame.origin) @ frame.basis if point is None else _place(frame, "point", point)
    codes = entry.check_codes(_codes_at(frame, held, at[None]).tolist())
    seen = bool(_seen(frame, at[None])[0])
    return At(entry.shown(entry.decode(codes, label)), codes[0].tolist(), at.tolist(), seen)


def example(library: Library, model: str, row: Row) -> Example:
    """Return the example number ``row`` of those shown, and what the model makes of it."""
    entry = library[model]
    entry.check_row("row", row)
    x = entry.at([row])
    original, restored = entry.numbers(x), entry.restored(x, entry.context(None, row))
    label = "".join(entry.names([row]))
    return Example(
        entry.shown(original),
        entry.shown(restored),
        label,
        entry.codes[row].tolist(),
        float(np.nanmean(entry.error_maps(original, restored))),
    )


def errors(library: Library, model: str) -> Errors:
    """Return how badly each example is reconstructed."""
    return Errors(library[model].errors)


def values(library: Library, model: str, column: str) -> Values:
    """Return the examples' cells of the column of that name.

    Raises
    ------
    ValueError
        If there is none.
    """
    entry = library[model]
    columns = entry.require_columns()
    return Values(columns.at(columns.cells(entry.X))[:, columns.place(column)].astype(np.float32))


def group(library: Library, model: str, rows: Annotated[list[Row], Field(min_length=1)]) -> Group:
    """Return what the examples at ``rows`` have in common."""
    entry = library[model]
    for row in (min(rows), max(rows)):
        entry.check_row("rows", row)
    codes = entry.codes[rows]
    label = None
    names = entry.names(rows)
    counts = Counter(names)
    if entry.fitted.conditional and counts:
        label = counts.most_common(1)[0][0]
    return Group(
        entry.shown(entry.middle(entry.numbers(entry.at(rows)))),
        entry.shown(entry.decode(codes.mean(0, keepdims=True), label)),
        len(rows),
        sorted(counts.items()),
        float(entry.errors[rows].mean()),
        _csv(entry, rows, names, codes),
    )


def _csv(entry: Entry, rows: Sequence[int], names: Sequence[str], codes: NDArray[np.float32]) -> str:
    import pandas as pd

    columns: dict[str, Any] = {"example": rows} | ({"label": names} if names else {})
    columns |= {"error": entry.errors[rows]}
    columns |= dict(zip(entry.estimator.get_feature_names_out(), codes.T, strict=True))
    text = StringIO()
    pd.DataFrame(columns).to_csv(text, index=False)
    return text.getvalue()


def frame_of(entry: Entry, axes: Axes) -> Frame:
    """Return the plane's frame, worked out once."""
    key = str(axes)
    if key not in entry.memo:
        codes = entry.codes.astype(np.float64)
        origin, basis = _basis(codes, axes)
        points = (codes - origin) @ basis
        low, high = np.quantile(points, ENDS, axis=0)
        margin = MARGIN * np.where(high > low, high - low, 1.0)
        low, high = low - margin, high + margin
        tree = cKDTree(points / (high - low))
        distances, _ = tree.query(tree.data, [min(NEIGHBOURS + 1, len(points))])  # the first is the point itself
        reach = 1.5 * float(np.quantile(distances, 0.98))
        entry.memo[key] = Frame(origin, basis, points, low, high, tree, reach)
    frame: Frame = entry.memo[key]
    return frame


def _basis(codes: NDArray[np.float64], axes: Axes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    d = codes.shape[1]
    if axes == "pca":
        if d <= 2:  # the code itself is the better plane, since its units have names
            return np.zeros(d), np.eye(d)
        mean = codes.mean(0)
        _, _, directions = np.linalg.svd(codes - mean, full_matrices=False)
        return mean, directions[:2].T
    if max(axes) >= d or axes[0] == axes[1]:
        raise ValueError(f"axes={list(axes)} must be two different units of {d}, counted from 0")
    return np.zeros(d), np.eye(d)[:, list(axes)]


def _names(entry: Entry, axes: Axes) -> list[str]:
    d = entry.fitted.latent_dim
    units = range(d) if axes == "pca" and d <= 2 else axes
    return ["p1", "p2"] if units == "pca" else [f"z{int(unit) + 1}" for unit in units]


def _place(frame: Frame, name: str, place: list[float]) -> NDArray[np.float64]:
    if len(place) != len(frame.low):
        raise ValueError(f"{name}={place} must have {len(frame.low)} numbers, one for each axis")
    return np.array(place)


def _held(entry: Entry, z: list[float] | None) -> NDArray[np.float64]:
    code: NDArray[np.float64] = (entry.codes.mean(0) if z is None else entry.check_codes([z])[0]).astype(np.float64)
    return code


def _codes_at(frame: Frame, held: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the codes (m, d) at ``points`` (m, k) of the plane that goes through ``held`` (d,)."""
    codes: NDArray[np.float64] = held + (points - (held - frame.origin) @ frame.basis) @ frame.basis.T
    return codes


def _seen(frame: Frame, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say of ``points`` (m, k) whether data are there: the fifth neighbour is as near as nearly all points have it."""
    distances, _ = frame.tree.query(points / (frame.high - frame.low), [min(NEIGHBOURS, len(frame.points))])
    seen: NDArray[np.bool_] = np.asarray(distances).ravel() <= frame.reach
    return seen
