"""The verb explore: your own models, or models of the digits, in the browser."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from narrows.cli.choosing import whole

__all__ = ["explore"]


def explore(
    models: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[MODEL|RUN …]",
            help="Model files, or run folders with one or more.",
            show_default="models of the digits, trained at once",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="Data to show with the models: digits, mnist, or a file or folder, as for narrows train.",
            show_default="the named set that a run was trained on, else the model's own samples",
        ),
    ] = None,
    examples: Annotated[
        int, typer.Option(parser=whole, metavar="N", help="Examples of DATA to show, drawn at random; up to 100,000.")
    ] = 2000,
    port: Annotated[int, typer.Option(parser=whole, metavar="N", help="Port to listen on; 0 takes any free one.")] = 0,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on. Any but 127.0.0.1 lets other machines in.")
    ] = "127.0.0.1",
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address, but do not open a browser.", show_default=False)
    ] = False,
) -> None:
    """Play with models in the browser: their plane, their code, your own drawings, noise, latent_dim.

    Labels, if DATA has them, colour the points. A run remembers its data by name only if they are one of narrows' own
    sets (digits, mnist, shapes …); name files and folders with --data.
    """
    from narrows.arguments import integer
    from narrows.web import exploring
    from narrows.web.entry import MOST_SHOWN

    integer("--port", port, 0, 65535)
    integer("--examples", examples, 1, MOST_SHOWN)

    def opened(address: str) -> None:
        print(f"The explorer is at\n  {address}\nCtrl-C ends it.", flush=True)
        if not no_browser:
            webbrowser.open(address)

    exploring.explore(models or (), data, examples=examples, opened=opened, host=host, port=port)
