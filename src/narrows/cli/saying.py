"""What several verbs say: where files were written, what was found wrong, what to type, and warnings."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # with torch they come too late for --help
    from narrows.data.dataset import Dataset
    from narrows.evaluation.findings import Finding

__all__ = [
    "LARGEST",
    "LISTED",
    "SMALL",
    "read_as",
    "refuse_in_parts",
    "say_findings",
    "say_kinds",
    "say_warning",
    "say_written",
    "smaller",
]

LARGEST, SMALL = 256, 64
"""Pixels a side: of images that are trained on as they are without a word, and those that are advised instead."""


LISTED = 20
"""Labels, columns, sizes and rejected files on the screen, at most; the JSON has them all."""


def read_as(size: int | None, fit: str) -> str:
    """Return the options that say how images are read, as they are typed."""
    return ("" if size is None else f" --size {size}") + ("" if fit == "crop" else f" --fit {fit}")


def refuse_in_parts(data: str, given: Mapping[str, object]) -> None:
    """Refuse options that are ``given``, by their names, for a table that is read in parts.

    Raises
    ------
    ValueError
        Naming the first of them.
    """
    for name, value in given.items():
        if value:
            raise ValueError(f"{name} is for data that memory can hold, and {data} is read and written in parts")


def smaller(dataset: Dataset) -> str:
    """Return what to do with images that are very large: an option, if they come from files."""
    return f"--size {SMALL}" if dataset.files is not None else f"scaling them to, say, {SMALL}×{SMALL}"


def say_written(files: Iterable[Path]) -> None:
    """Print where the files are."""
    print("Written:", *(f"  {file}" for file in files), sep="\n")


def say_range(low: float, high: float) -> None:
    """Print what values are black and white."""
    print(f"Black is {low:,.6g} and white is {high:,.6g}: what lies outside counts as these.")


def say_findings(findings: Sequence[Finding]) -> None:
    """Print what is wrong with a model, or that nothing was found."""
    if not findings:
        print("Diagnosis: no fault was found.")
    for found in findings:
        print(f"Diagnosis, {found.kind}: {found.words}\n  Seen: {found.figure}.\n  Try: {found.advice}")


def say_warning(message: Warning | str, *_: object, **__: object) -> None:
    """Print a warning in one line, as `warnings.showwarning` is called, without the lines of code that raised it."""
    print(f"narrows: warning: {' '.join(str(message).split())}", file=sys.stderr)


def say_kinds(kinds: Sequence[dict[str, Any]], file: str) -> None:
    """Print what the columns of a table are; a ``file`` has those that are too many for the screen."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("column", overflow="fold", max_width=24)
    table.add_column("kind", no_wrap=True)
    table.add_column("found", overflow="fold")
    table.add_column("missing", justify="right", no_wrap=True)
    for one in kinds[:LISTED]:
        table.add_row(one["name"], one["kind"], one["found"], f"{one['missing']:,}" if one["missing"] else "")
    Console(markup=False, emoji=False, highlight=False).print(table)
    if len(kinds) > LISTED:
        print(f"  … and {len(kinds) - LISTED:,} more column{'s' * (len(kinds) > LISTED + 1)}: see {file}\n")
