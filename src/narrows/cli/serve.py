"""The verb serve: models behind HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from narrows.cli.choosing import whole

__all__ = ["serve"]


def serve(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL …",
            help="Model files, or run folders that hold one; NAME=MODEL gives a model another name.",
            show_default=False,
        ),
    ],
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on. Any but 127.0.0.1 lets other machines in.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(parser=whole, metavar="N", help="Port to listen on; 0 takes any free one.")
    ] = 8000,
    name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST",
            help="A further name that clients call this server by, such as models.example.org; repeatable.",
            show_default="the address and localhost, with the port",
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A file with the token that requests must bring, as Authorization: Bearer TOKEN.",
            show_default="requests need none",
        ),
    ] = None,
) -> None:
    """Serve models: encode, decode, reconstruct, denoise, sample, score, anomalies and impute as JSON and arrays.

    /models says what each model takes and can, /openapi.json describes it all. SIGTERM and Ctrl-C finish what is in
    flight.
    """
    from narrows.arguments import integer
    from narrows.serving import server

    integer("--port", port, 0, 65535)

    def opened(address: str) -> None:
        print(f"Serving at\n  {address}\nCtrl-C ends it.", flush=True)

    if token_file is not None and not token_file.is_file():
        raise ValueError(f"--token-file {token_file} is no file")
    token = None if token_file is None else token_file.read_text(encoding="utf-8").strip()
    server.serve(models, opened, host=host, port=port, names=name or (), token=token)
