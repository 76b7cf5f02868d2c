"""The explorer from its start to its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from narrows.web.entry import SHOWN
from narrows.web.library import Library, open_models
from narrows.web.server import serve

__all__ = ["explore"]


def explore(
    models: Sequence[Path] = (),
    data: str | None = None,
    *,
    examples: int = SHOWN,
    opened: Callable[[str], None] = print,
    host: str = "127.0.0.1",
    port: int = 0,
) -> None:
    """Serve the explorer until it is interrupted.

    Parameters
    ----------
    models, data, examples
        As in `narrows.web.library.open_models`; without models, some of the digits are trained.
    opened, host, port
        As in `narrows.web.server.serve`.

    Raises
    ------
    ValueError
        If there are data but no models.
    """
    if models:
        library = open_models(models, data, examples)
    elif data is not None:
        raise ValueError(f"--data {data} needs a MODEL to show it with; without one, models of the digits are trained")
    else:
        library = Library()
        library.train_digits()
    serve(library, opened, host=host, port=port)
