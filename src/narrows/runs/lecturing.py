"""Rows of the lecture in a folder: a figure of each, their numbers, and of all rows one page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from narrows.lecture.index import index_page
from narrows.lecture.page import Page
from narrows.lecture.pages import make_page
from narrows.lecture.rows import ROWS, find
from narrows.runs.files import new_folder, write_figure

__all__ = ["explain"]


def explain(topic: str | None = None, out: Path | None = None, *, tell: Callable[[Page], None] = print) -> list[Path]:
    """Compute a row of the lecture, or all of them, and write its figure and its numbers; return the files.

    Parameters
    ----------
    topic
        A row, such as ``"L5"`` or ``"5"``, or its topic, such as ``"xor"``; None takes all, and writes a page of them.
    out
        As in `narrows.runs.files.new_folder`.
    tell
        Called with each page as soon as it is computed.

    Raises
    ------
    ValueError
        If there is no such row.
    """
    rows = ROWS if topic is None else [find(topic)]
    folder = new_folder(out, "lecture" if topic is None else f"lecture-{rows[0].topic}")
    pages, files = [], []
    for row in rows:
        page = make_page(row)
        pages.append(page)
        files.append(write_figure(folder / f"{row.stem}.png", page.figure))
        tell(page)
    files.append(_write_numbers(folder / "lecture.json", pages))
    if topic is None:
        files.append(folder / "index.html")
        files[-1].write_text(index_page(pages), encoding="utf-8")
    return files


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
