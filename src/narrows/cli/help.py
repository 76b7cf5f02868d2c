"""The verb help: the documentation's pages, as they are shipped."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from narrows.pages import named, title

__all__ = ["help_"]


def help_(
    page: Annotated[str | None, typer.Argument(metavar="PAGE", help="Its name.", show_default="list them")] = None,
) -> None:
    """Print a page of the documentation; without PAGE, list the pages."""
    pages = named()
    if page is None:
        width = max(map(len, pages))
        print(*(f"{name:<{width}}  {title(file)}" for name, file in pages.items()), sep="\n")
        print("\nnarrows help PAGE prints one; narrows VERB --help, the options of a verb.")
        return
    from narrows.arguments import choice

    text = pages[choice("PAGE", page, pages)].read_text("utf-8")
    if not sys.stdout.isatty():
        print(text, end="")
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console(width=min(100, Console().width)).print(Markdown(text, hyperlinks=False))
