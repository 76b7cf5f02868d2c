"""The verb lecture: the first half of the lecture, row by row."""

from __future__ import annotations

import json
import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from narrows.cli.choosing import Out
from narrows.cli.saying import say_written

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    from narrows.lecture.rows import ROWS, find

    if topic is not None and every:
        raise ValueError(f"TOPIC {topic!r} and --all exclude each other; give one of them")
    if topic is None and not every:
        if out is not None:
            raise ValueError(f"--out {out} needs a TOPIC, or --all")
        for row in ROWS:
            print(f"{row.label:>4}  {row.topic:<16} {row.summary}")
        print("\nnarrows lecture TOPIC explains one; narrows lecture --all makes a page of them all.")
        return
    rows = ROWS if topic is None else [find(topic)]

    from narrows.lecture.index import index_page
    from narrows.lecture.pages import make_page
    from narrows.runs.files import new_folder, write_figure

    folder = new_folder(out, "lecture" if every else f"lecture-{rows[0].topic}")
    pages, files = [], []
    for row in rows:
        page = make_page(row)
        pages.append(page)
        files.append(write_figure(folder / f"{row.stem}.png", page.figure))
        _say(page)
    files.append(_write_numbers(folder / "lecture.json", pages))
    if every:
        files.append(folder / "index.html")
        files[-1].write_text(index_page(pages), encoding="utf-8")
    say_written(files)


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


def _write_numbers(path: Path, pages: Iterable[Page]) -> Path:
    """Write what the pages say as JSON, numbers as they were computed."""
    contents = [
        {
            "row": page.row.label,
            "topic": page.row.topic,
            "title": page.row.title,
            "text": page.text,
            "facts": [{"name": fact.name, "value": fact.value} for fact in page.facts],
        }
        for page in pages
    ]
    path.write_text(json.dumps(contents, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
