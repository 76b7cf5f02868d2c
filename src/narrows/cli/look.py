"""The verb data: what is found, before any training."""

from __future__ import annotations

import math
import shlex
import shutil
import textwrap
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from narrows.cli.choosing import Data, Fit, Out, Size, Strict
from narrows.cli.saying import LARGEST, SMALL, read_as, say_written, smaller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from narrows.data.dataset import Dataset
    from narrows.data.description import Description
    from narrows.data.image_files import ImageFiles

__all__ = ["data"]

LISTED = 20
"""Labels, columns, sizes and rejected files on the screen, at most; the JSON has them all."""

HARD = "\xa0"
"""A space at which no line is broken."""

DIM = 25
"""Of 255: bytes up to which all would look black, such as the classes in a mask; they are shown on their own range."""

A_CLASS = 8
"""Examples of a class on the contact sheet, at most."""

SHEET = 48
"""Examples on a contact sheet without classes."""

HISTOGRAMS, ROWS = 25, 10_000
"""Columns that are drawn, and rows that are drawn of each, at most."""


def data(
    data: Data,
    size: Size = None,
    fit: Fit = "crop",
    strict: Strict = False,
    out: Out = None,
) -> None:
    """Say what data hold, what is wrong with them and what to type next, and draw a contact sheet."""
    from narrows.data.description import describe
    from narrows.runs.files import new_folder, write_figure, write_json

    dataset, side = _found(data, size, fit, strict=strict)
    described = describe(dataset)
    figure = _histograms(dataset) if dataset.X.ndim == 2 else _contact_sheet(dataset, described, side, fit)
    folder = new_folder(out, f"data-{dataset.name}")
    advice = _advice(data, dataset, described, side, size, fit)
    _say(dataset, described, side)
    print(*advice, sep="\n", end="\n\n")
    contents = asdict(described) | {"sizes_differ": side is not None, "files": _plain(dataset)}
    contents |= {"notes": list(dataset.notes), "advice": advice}
    if side is not None:
        contents["shape"] = [len(dataset.X)]
    say_written([write_figure(folder / "contact-sheet.png", figure), write_json(folder / "data.json", contents)])


def _found(source: str, size: int | None, fit: str, *, strict: bool) -> tuple[Dataset, int | None]:
    """Return the data, and where images differ in size, the side that they were made to have."""
    from narrows.cli.progress import reading
    from narrows.data import DataError, load_data
    from narrows.data.images import suitable_size

    with reading(source) as progress:
        try:
            return load_data(source, size=size, fit=fit, strict=strict, progress=progress), None
        except DataError:
            files = None if size is not None else _scanned(source, strict, progress)
            if files is None:
                raise
        side = suitable_size(files.sizes)
        dataset = load_data(source, size=side, fit=fit, strict=strict, progress=progress)
    return replace(dataset, files=files), side


def _scanned(source: str, strict: bool, progress: Callable[[int, int], None]) -> ImageFiles | None:
    """Return what a folder of images of several sizes holds, or None if it is no such folder."""
    from narrows.data import DataError
    from narrows.data.images import scan_images

    if not Path(source).is_dir():
        return None
    try:
        files = scan_images(Path(source), strict=strict, progress=progress)
    except DataError:
        return None
    return files if len(files.sizes) > 1 else None


def _advice(
    source: str, dataset: Dataset, described: Description, side: int | None, size: int | None, fit: str
) -> list[str]:
    """Return what to do, a line each: what must be mended, and the command to type."""
    from narrows.data.split import FEWEST

    bad = described.missing + described.infinite
    if bad:
        found = "1 value is" if bad == 1 else f"{bad:,} values are"
        return [f"{found} missing or infinite: fill them, or drop their rows", "or columns, before you train."]
    if len(dataset.X) < FEWEST:
        return [f"Too few to train on some and evaluate on others: at least {FEWEST} examples are needed."]
    train = f"narrows train {shlex.quote(source)}"
    if side is not None:
        return [
            "The sizes differ, so say what size they shall have:",
            f"  {train} --size {side}            # the middle of each",
            f"  {train} --size {side} --fit pad  # the whole of each, with a border",
        ]
    if dataset.X.ndim > 2 and max(dataset.X.shape[1:3]) > LARGEST:
        slow = f"More than {LARGEST} pixels a side take long to train;"
        return [
            slow,
            f"{smaller(dataset)} is quicker:",
            f"  {train}" + f" --size {SMALL}" * (dataset.files is not None),
        ]
    return [f"Next:  {train}{'' if size is None else read_as(size, fit)}"]


def _say(dataset: Dataset, described: Description, side: int | None) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from narrows.runs.captions import printable

    console = Console(markup=False, emoji=False, highlight=False)
    facts = Table(title=f"\n{described.name}", title_justify="left", title_style="bold", box=None, show_header=False)
    facts.add_column(no_wrap=True, style="bold")
    facts.add_column(overflow="fold")
    for name, value in _facts(dataset, described, side):
        facts.add_row(name, value)
    console.print(facts)
    print()
    if described.columns:
        table = Table(box=box.SIMPLE_HEAD)
        table.add_column("column", overflow="fold")
        for heading in ("least", "largest", "mean", "missing"):
            table.add_column(heading, justify="right", no_wrap=True)
        for column in described.columns[:LISTED]:
            numbers = (column.low, column.high, column.mean)
            cells = ["–" if number is None else f"{number:.5g}" for number in numbers]
            constant = " (constant)" if column.low is not None and column.low == column.high else ""
            table.add_row(column.name + constant, *cells, f"{column.missing + column.infinite:,}")
        console.print(table)
        _say_rest(len(described.columns), "column")
    rejected = dataset.files.rejected if dataset.files else ()
    if rejected:
        table = Table("passed over", "why", box=box.SIMPLE_HEAD)
        for file in rejected[:LISTED]:
            table.add_row(printable(file.path), file.reason)
        console.print(table)
        _say_rest(len(rejected), "file")


def _say_rest(n: int, what: str) -> None:
    if n > LISTED:
        print(f"  … and {n - LISTED:,} more {what}{'s' * (n > LISTED + 1)}: see data.json\n")


def _facts(dataset: Dataset, described: Description, side: int | None) -> Iterable[tuple[str, str]]:
    """Yield what there is to say of all examples: name and value."""
    n, *shape = described.shape
    yield "examples", f"{n:,}"
    if len(shape) == 1:
        yield "each", f"a row of {shape[0]:,} columns"
        part = "columns"
    else:
        colour = "grey" if len(shape) == 2 else {1: "grey", 3: "RGB"}.get(shape[2], f"{shape[2]} channels")
        pixels = "of several sizes" if side else f"{shape[1]}×{shape[0]} pixels (width × height)"
        yield "each", f"{pixels}, {colour}"
        part = "values"
    if len(shape) > 1 or not described.columns:
        values = "none" if described.low is None else f"{described.low:.5g} to {described.high:.5g}"
        yield "values", f"{values}, {described.dtype}"
    else:
        yield "values", described.dtype
    bad = [f"{count:,} {what}" for count, what in ((described.missing, "missing"), (described.infinite, "infinite"))]
    yield "missing", ", ".join(one for one in bad if not one.startswith("0 ")) or "none"
    if described.constant and side is None:
        yield "constant", f"{described.constant:,} of the {math.prod(shape):,} {part} are the same in every example"
    if described.labels is not None:
        yield f"{len(described.labels):,} labels", _counted(described.labels.items())
    for i, note in enumerate(dataset.notes):
        yield "read as" if i == 0 else "", note
    if dataset.files is not None:
        sizes = sorted(dataset.files.sizes.items(), key=lambda item: -item[1])
        yield "sizes", _counted((f"{width}×{height}", count) for (width, height), count in sizes)
        yield "modes", _counted(sorted(dataset.files.modes.items(), key=lambda item: -item[1]))
        passed = len(dataset.files.rejected)
        yield "passed over", f"{passed:,} file{'s' * (passed > 1)}" if passed else "none"


def _counted(items: Iterable[tuple[str, int]]) -> str:
    pairs = list(items)
    more = f" and {len(pairs) - LISTED:,} more" if len(pairs) > LISTED else ""
    text = ", ".join(f"{name.replace(' ', HARD)}{HARD}({count:,})" for name, count in pairs[:LISTED]) + more
    lines = textwrap.wrap(text, min(100, shutil.get_terminal_size().columns) - 16, break_on_hyphens=False)
    return "\n".join(lines).replace(HARD, " ")


def _plain(dataset: Dataset) -> dict[str, Any] | None:
    """Return what is known of image files, for JSON."""
    from narrows.runs.captions import printable

    files = dataset.files
    if files is None:
        return None
    return {
        "sizes": [{"width": width, "height": height, "images": n} for (width, height), n in files.sizes.items()],
        "modes": dict(files.modes),
        "rejected": [{"path": printable(file.path), "reason": file.reason} for file in files.rejected],
    }


def _contact_sheet(dataset: Dataset, described: Description, side: int | None, fit: str) -> Figure:
    """Draw some of each class in a row of its own, or some of all with their names."""
    import numpy as np

    from narrows.data.take import take
    from narrows.drawing.sheets import example_rows, image_grid
    from narrows.runs.captions import file_name

    n, height, width = described.shape[:3]
    low, high = described.low or 0.0, described.high or 0.0
    if described.dtype == "uint8" and high > DIM:
        low, high = 0.0, 255.0
    size = f"of {width}×{height}" if side is None else f"of several sizes, made {side}×{side} ({fit})"
    counts = described.labels or {}
    if dataset.y is None or not 1 < len(counts) <= n / 2:
        places = _spread(np.arange(n), SHEET)
        some = f", {len(places)} of them" if len(places) < n else ""
        files = [Path(file_name(dataset, place)) for place in places]
        stems = Counter(file.stem for file in files)
        named = [file.stem if stems[file.stem] == 1 else file.name for file in files]
        names = [name or f"example {place}" for name, place in zip(named, places, strict=True)]
        title = f"{described.name}: {n:,} images {size}{some}"
        return image_grid(take(dataset.X, places), (low, high), title=title, labels=names)
    labels, rows = dataset.y.astype(str), []
    for label, count in list(counts.items())[:LISTED]:
        places = _spread(np.flatnonzero(labels == label), A_CLASS)
        rows.append((f"{label}\n{count:,} images", take(dataset.X, places)))
    some = f", the first {LISTED} of {len(counts):,} classes" if len(counts) > LISTED else f", {len(counts)} classes"
    return example_rows(rows, (low, high), title=f"{described.name}: {n:,} images {size}{some}")


def _spread(places: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return ``places``, or so many of them at equal distances."""
    import numpy as np

    chosen: NDArray[np.int64] = places[np.linspace(0, len(places) - 1, min(most, len(places))).astype(np.int64)]
    return chosen


def _histograms(dataset: Dataset) -> Figure:
    """Draw how each column's values are spread."""
    import numpy as np

    from narrows.data.take import take
    from narrows.drawing.sheets import histograms

    n, columns = dataset.X.shape
    names = [str(name) for name in getattr(dataset.X, "columns", (f"column {i}" for i in range(columns)))]
    rows = np.asarray(take(dataset.X, _spread(np.arange(n), ROWS)))
    of_rows = f", {len(rows):,} of them" if len(rows) < n else ""
    of_columns = f", the first {HISTOGRAMS} of {columns:,} columns" if columns > HISTOGRAMS else ""
    shown = [(name, rows[:, i]) for i, name in enumerate(names[:HISTOGRAMS])]
    title = f"{dataset.name}: {n:,} rows{of_rows}{of_columns}; how often each value is there, from least to largest"
    return histograms(shown, title=title)
