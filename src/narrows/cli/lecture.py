"""The verb lecture: the first half of the lecture, row by row."""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from narrows.cli.choosing import Out
from narrows.cli.saying import say_written

if TYPE_CHECKING:
    from narrows.lecture.page import Page

__all__ = ["lecture"]


def lecture(
    topic: Annotated[
        str | None,
        typer.Argument(
            metavar="TOPIC", help="A row, such as L5 or 5, or a topic, such as xor.", show_default="list them"
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All rows, and one page with them.", show_default=False)] = False,
    out: Out = None,
) -> None:
    """Explain a row of the lecture, compute its numbers now, and draw it; without TOPIC, list the rows."""
    if topic is not None and every:
        raise ValueError(f"TOPIC {topic!r} and --all exclude each other; give one of them")
    if topic is None and not every:
        if out is not None:
            raise ValueError(f"--out {out} needs a TOPIC, or --all")
        from narrows.lecture.rows import ROWS

        for row in ROWS:
            print(f"{row.label:>4}  {row.topic:<16} {row.summary}")
        print("\nnarrows lecture TOPIC explains one; narrows lecture --all makes a page of them all.")
        return
    from narrows.runs.lecturing import explain

    say_written(explain(topic, out, tell=_say))


def _say(page: Page) -> None:
    width = min(100, shutil.get_terminal_size().columns)
    print(f"{page.row.label} {page.row.title}\n")
    print(textwrap.fill(page.text, width), end="\n\n")
    for fact in page.facts:
        first, *rest = fact.shown().split("\n")
        if rest:
            print(f"  {fact.name}", *(f"      {line}" for line in (first, *rest)), sep="\n")
        else:
            print(f"  {fact.name} = {first}" if len(fact.name) < 3 else f"  {fact.name}: {first}")
    print()
