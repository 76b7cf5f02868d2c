"""The command line: verbs that look at data, learn, use a model on data, and make new examples; and the lecture.

Heavy imports wait inside the verbs, so that ``--help`` is quick.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
import warnings
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from narrows.cli import evaluate, explore, export, help, learn, lecture, look, make, mapping, serve, share, use  # noqa: A004
from narrows.cli.postponing import postpone
from narrows.cli.saying import say_warning

__all__ = ["app", "main"]

POSTPONED: dict[str, tuple[str, ...]] = {
    "numpy.f2py": (),
    "pandas": ("DataFrame", "Series"),
    "scipy.integrate": ("trapezoid",),
    "scipy.interpolate": ("BSpline",),
    "scipy.io": (),
    "scipy.optimize": ("linear_sum_assignment",),
    "scipy.spatial": ("distance",),
    "scipy.stats": ("chi2", "gmean", "rankdata"),
}
"""What others import and most commands do not use, and what of it they name all the same."""

app = typer.Typer(
    name="narrows",
    help="Generative models with a bottleneck: compress, denoise, find odd examples and make new ones.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _say_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"narrows {version('narrows')}")
        raise typer.Exit


@app.callback()
def _before(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_say_version, is_eager=True)
    ] = False,
) -> None:
    """Take what stands before a verb."""


VERBS: dict[Callable[..., Any], str] = {
    look.data: "formats",
    learn.train: "start",
    learn.sweep: "latent-dim",
    mapping.map_: "map",
    use.reconstruct: "start",
    use.denoise: "denoise",
    use.impute: "fill",
    use.encode: "billion",
    use.decode: "start",
    evaluate.evaluate: "evaluating",
    evaluate.anomalies: "odd",
    evaluate.watch: "odd",
    export.export: "deploy",
    make.generate: "generate",
    make.interpolate: "generate",
    explore.explore: "explorer",
    share.share: "sharing",
    serve.serve: "serve",
    lecture.lecture: "start",
    help.help_: "start",
}
"""The verbs, in the order of ``--help``, and the page of the documentation that helps with each."""

for verb in VERBS:
    app.command(verb.__name__.rstrip("_"))(verb)


def main() -> None:
    """Run the command line; bad input ends in one line on standard error and exit status 2, a warning is a line too."""
    # Imports make 600,000 objects that stay. To look for garbage among them takes a tenth of the time they take,
    # and again as much at the end, where Python looks at all that is not frozen.
    gc.set_threshold(700_000, 20, 100)
    atexit.register(gc.freeze)
    postpone(POSTPONED)
    os.environ["MPLBACKEND"] = "agg"  # no window is opened here, and one that a notebook names may not be installed
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("once", "Glyph .* missing from")  # of each letter, not of each figure
            warnings.showwarning = say_warning
            status = app(standalone_mode=False)
    except TyperException as error:
        _fail(getattr(error, "format_message", error.__str__)(), _helps())
    except (ValueError, FloatingPointError) as error:
        _fail(str(error), getattr(error, "page", _helps()))
    except (OSError, MemoryError) as error:
        _fail(str(error) or f"{' '.join(sys.argv[1:3])}: memory ran out")  # of which Python says nothing
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)


def _helps() -> str | None:
    """Return the page that helps with the verb that was typed."""
    return next((page for verb, page in VERBS.items() if [verb.__name__.rstrip("_")] == sys.argv[1:2]), None)


def _fail(message: str, page: str | None = None) -> None:
    if message:  # `narrows` alone has said what there is
        more = f" (narrows help {page})" if page else ""
        print(f"narrows: error: {' '.join(message.split())}{more}", file=sys.stderr)
    sys.exit(2)
