"""What data hold, in a folder: a contact sheet, and all there is to say as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.data import load_data
from narrows.data.dataset import Dataset
from narrows.data.description import Description
from narrows.data.errors import DataError
from narrows.data.image_files import ImageFiles
from narrows.data.images import scan_images, suitable_size
from narrows.data.take import take
from narrows.dates import date_form, moments
from narrows.drawing.sheets import example_rows, histograms, image_grid
from narrows.runs.captions import file_name, printable
from narrows.runs.files import Written, new_folder, write_figures, write_json

if TYPE_CHECKING:  # it takes a third of a second, and who draws has it
    from matplotlib.figure import Figure

__all__ = ["find", "look"]

DIM = 25
"""Of 255: bytes up to which all would look black, such as the classes in a mask; they are shown on their own range."""

A_CLASS = 8
"""Examples of a class on the contact sheet, at most."""

SHEET = 48
"""Examples on a contact sheet without classes."""

HISTOGRAMS, MOST_ROWS = 25, 10_000
"""Columns that are drawn, and rows that are drawn of each, at most."""

CLASSES = 20
"""Classes on the contact sheet, at most."""


def find(
    source: str,
    size: int | None = None,
    fit: str = "crop",
    *,
    page: int | str | None = None,
    key: str | None = None,
    strict: bool = False,
    missing: Sequence[str] = (),
    types: Mapping[str, str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Dataset, int | None]:
    """Return data as `load_data` does, and where images differ in size, the side that they were made to have."""
    read = partial(
        load_data,
        source,
        fit=fit,
        page=page,
        key=key,
        strict=strict,
        missing=missing,
        types=types,
        progress=progress,
    )
    try:
        return read(size=size), None
    except DataError:
        files = None if size is not None else _scanned(source, page, strict, progress)
        if files is None:
            raise
    side = suitable_size(files.sizes)
    dataset = read(size=side)
    return replace(dataset, files=files), side


def look(
    dataset: Dataset,
    described: Description,
    out: Path | None = None,
    *,
    side: int | None = None,
    fit: str = "crop",
    kinds: Sequence[dict[str, Any]] = (),
    ends: tuple[float, float] | None = None,
    advice: Sequence[str] = (),
) -> Written:
    """Write what data hold: a contact sheet of images, or how each column's values are spread, and a JSON file.

    Parameters
    ----------
    dataset, side
        As in `find`.
    described
        As `narrows.data.description.describe` returns it.
    out
        As in `narrows.runs.files.new_folder`.
    fit
        As in `find`.
    kinds
        Of a table's columns, as `narrows.runs.kinds.kinds_in` returns them.
    ends
        The values that are black and white; None takes 0 and 255 for bytes, and what others reach.
    advice
        Lines that say what to do next.
    """
    folder = new_folder(out, f"data-{dataset.name}")
    numbers = asdict(described) | {"sizes_differ": side is not None, "files": _plain(dataset)}
    numbers |= {"notes": list(dataset.notes), "advice": list(advice)}
    if kinds:
        numbers["columns"] = [{**one, **kind} for one, kind in zip(numbers["columns"], kinds, strict=True)]
    if side is not None:
        numbers["shape"] = [len(dataset.X)]
    table = write_json(folder / "data.json", numbers)
    sheet = partial(_contact_sheet, dataset, described, side, fit, ends)
    figures = {"contact-sheet": partial(_histograms, dataset) if dataset.X.ndim == 2 else sheet}
    return Written(numbers, [*write_figures(folder, figures), table])


def _scanned(
    source: str, page: int | str | None, strict: bool, progress: Callable[[int, int], None] | None
) -> ImageFiles | None:
    """Return what a folder of images of several sizes holds, or None if it is not such a folder."""
    if not Path(source).is_dir():
        return None
    try:
        files = scan_images(Path(source), page=page, strict=strict, progress=progress)
    except DataError:
        return None
    return files if len(files.sizes) > 1 else None


def _plain(dataset: Dataset) -> dict[str, Any] | None:
    """Return what is known of image files, for JSON."""
    files = dataset.files
    if files is None:
        return None
    return {
        "sizes": [{"width": width, "height": height, "images": n} for (width, height), n in files.sizes.items()],
        "modes": dict(files.modes),
        "rejected": [{"path": printable(file.path), "reason": file.reason} for file in files.rejected],
    }


def _contact_sheet(
    dataset: Dataset, described: Description, side: int | None, fit: str, ends: tuple[float, float] | None
) -> Figure:
    """Draw some of each class in a row of its own, or some of all with their names."""
    n, height, width = described.shape[:3]
    low, high = described.low or 0.0, described.high or 0.0
    if described.dtype == "uint8" and high > DIM:
        low, high = 0.0, 255.0
    if ends is not None:
        low, high = ends
    size = f"of {width}×{height}" if side is None else f"of several sizes, made {side}×{side} ({fit})"
    counts = described.labels or {}
    if dataset.y is None or not 1 < len(counts) <= n / 2:
        rows = _spread(np.arange(n), SHEET)
        some = f", {len(rows)} of them" if len(rows) < n else ""
        files = [Path(file_name(dataset, row)) for row in rows]
        stems = Counter(file.stem for file in files)
        named = [file.stem if stems[file.stem] == 1 else file.name for file in files]
        names = [name or f"example {row}" for name, row in zip(named, rows, strict=True)]
        title = f"{described.name}: {n:,} images {size}{some}"
        return image_grid(take(dataset.X, rows), (low, high), title=title, labels=names)
    labels, lines = dataset.y.astype(str), []
    for label, count in list(counts.items())[:CLASSES]:
        rows = _spread(np.flatnonzero(labels == label), A_CLASS)
        lines.append((f"{label}\n{count:,} images", take(dataset.X, rows)))
    some = f", the first {CLASSES} of {len(counts):,} classes" if len(counts) > CLASSES else f", {len(counts)} classes"
    return example_rows(lines, (low, high), title=f"{described.name}: {n:,} images {size}{some}")


def _spread(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return ``rows``, or that many of them at equal distances."""
    chosen: NDArray[np.int64] = rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.int64)]
    return chosen


def _histograms(dataset: Dataset) -> Figure:
    """Draw how each column's values are spread."""
    n, columns = dataset.X.shape
    rows = take(dataset.X, _spread(np.arange(n), MOST_ROWS))
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows).rename(columns="column {}".format)
    of_rows = f", {len(rows):,} of them" if len(rows) < n else ""
    of_columns = f", the first {HISTOGRAMS} of {columns:,} columns" if columns > HISTOGRAMS else ""
    shown = [(str(name), _drawn(frame.iloc[:, i])) for i, name in enumerate(frame.columns[:HISTOGRAMS])]
    by = ", texts by how frequent they are" if any(values.dtype == object for _, values in shown) else ""
    title = f"{dataset.name}: {n:,} rows{of_rows}{of_columns}; how often each value occurs, from least to largest{by}"
    return histograms(shown, title=title)


def _drawn(column: pd.Series[Any]) -> NDArray[Any]:
    """Return a column's known values as what they are drawn as: numbers, times or texts."""
    known = column.dropna()
    if pd.api.types.is_numeric_dtype(known) and not pd.api.types.is_bool_dtype(known):
        return known.to_numpy(np.float64)
    if not pd.api.types.is_datetime64_any_dtype(known):
        texts = known.astype(str)
        form = date_form(texts.unique()) if len(known) else ""
        if not form:
            return texts.to_numpy(object)
        known = moments(texts, form)
    return known.to_numpy("datetime64[s]")
