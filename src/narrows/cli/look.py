"""The verb data: what is found, before any training."""

from __future__ import annotations

import math
import shlex
import shutil
import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Any

from narrows.cli.choosing import Columns, Data, Fit, Key, Missing, Out, Page, Range, Size, Strict, marks, range_of
from narrows.cli.reading import Reading
from narrows.cli.saying import LARGEST, LISTED, SMALL, say_kinds, say_range, say_written, smaller

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from narrows.data.dataset import Dataset
    from narrows.data.description import Description

__all__ = ["data"]

HARD = "\xa0"
"""A space at which no line is broken."""


def data(
    data: Data,
    column: Columns = None,
    missing: Missing = None,
    size: Size = None,
    fit: Fit = "crop",
    page: Page = None,
    key: Key = None,
    range_: Range = None,
    strict: Strict = False,
    out: Out = None,
) -> None:
    """Say what data hold, what is wrong with them and what to type next, and draw a contact sheet."""
    from narrows.cli.progress import reading
    from narrows.data.description import describe
    from narrows.runs import kinds, looking

    typed = Reading(data, size, fit, strict, column, missing, page, range_, key)
    ends = None if range_ is None else range_of(range_)
    asked = typed.kinds({})
    with reading(data) as progress:
        dataset, side = looking.find(
            data,
            size,
            fit,
            page=page,
            key=key,
            strict=strict,
            missing=marks(missing),
            types=kinds.types_for(asked),
            progress=progress,
        )
    if asked:
        kinds.check_columns(dataset, asked)
    described, found = describe(dataset), kinds.kinds_in(dataset.X, asked or None)
    advice = _advice(typed, dataset, described, side, found)
    done = looking.look(dataset, described, out, side=side, fit=fit, kinds=found, ends=ends, advice=advice)
    _say(dataset, described, side, found)
    if ends is not None:
        say_range(*ends)
    print(*advice, sep="\n", end="\n\n")
    say_written(done.files)


def _advice(
    typed: Reading, dataset: Dataset, described: Description, side: int | None, kinds: Sequence[dict[str, Any]]
) -> list[str]:
    """Return what to do, a line each: what must be mended, and the command to type."""
    from narrows.data.split import FEWEST_EXAMPLES

    bad = described.infinite if kinds else described.missing + described.infinite
    if bad:
        found = "1 value is" if bad == 1 else f"{bad:,} values are"
        return [f"{found} missing or infinite: fill them, or drop their rows", "or columns, before you train."]
    if len(dataset.X) < FEWEST_EXAMPLES:
        return [f"Too few to train on some and evaluate on others: at least {FEWEST_EXAMPLES} examples are needed."]
    train = f"narrows train {shlex.quote(typed.data)}"
    if side is not None:
        return [
            "The sizes differ, so choose one size for all:",
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
    return [f"Next:  {train}{typed.typed if typed.size else typed._replace(fit='crop').typed}"]


def _say(dataset: Dataset, described: Description, side: int | None, kinds: Sequence[dict[str, Any]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from narrows.runs.captions import printable

    console = Console(markup=False, emoji=False, highlight=False)
    facts = Table(title=f"\n{described.name}", title_justify="left", title_style="bold", box=None, show_header=False)
    facts.add_column(no_wrap=True, style="bold")
    facts.add_column(overflow="fold")
    for name, value in _facts(dataset, described, side, kinds):
        facts.add_row(name, value)
    console.print(facts)
    print()
    if kinds:
        say_kinds(kinds, "data.json")
    elif described.columns:
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


def _facts(
    dataset: Dataset, described: Description, side: int | None, kinds: Sequence[dict[str, Any]]
) -> Iterable[tuple[str, str]]:
    """Yield what there is to say of all examples: name and value."""
    n, *shape = described.shape
    yield "examples", f"{n:,}"
    if len(shape) == 1:
        yield "each", f"a row of {shape[0]:,} columns"
        kind = "columns"
    else:
        colour = "grey" if len(shape) == 2 else {1: "grey", 3: "RGB"}.get(shape[2], f"{shape[2]} channels")
        pixels = "of several sizes" if side else f"{shape[1]}×{shape[0]} pixels (width × height)"
        yield "each", f"{pixels}, {colour}"
        kind = "values"
    if kinds:
        yield "values", _counted(Counter(kind["kind"] for kind in kinds).items())
    elif len(shape) > 1 or not described.columns:
        values = "none" if described.low is None else f"{described.low:.5g} to {described.high:.5g}"
        yield "values", f"{values}, {described.dtype}"
    else:
        yield "values", described.dtype
    bad = [
        f"{count:,} {what}"
        for count, what in ((described.missing, "cells" if kinds else "missing"), (described.infinite, "infinite"))
    ]
    yield "missing", ", ".join(one for one in bad if not one.startswith("0 ")) or "none"
    if described.constant and side is None:
        yield "constant", f"{described.constant:,} of the {math.prod(shape):,} {kind} are the same in every example"
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
