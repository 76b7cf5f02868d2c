"""The command line: verbs that look at data, learn, use a model on data, and make new examples; and the lecture.

Heavy imports wait inside the verbs, so that ``--help`` is quick.
"""

from __future__ import annotations

import gc
import os
import sys
import warnings

import typer
from typer.exceptions import TyperException

from narrows.cli import evaluate, explore, export, learn, lecture, look, make, serve, use
from narrows.cli.postponing import postpone
from narrows.cli.saying import say_warning

__all__ = ["app", "main"]

POSTPONED = ("pandas", "scipy.integrate", "scipy.io", "scipy.optimize", "scipy.spatial", "scipy.stats")
"""What others import and most commands do not use."""

app = typer.Typer(
    name="narrows",
    help="Generative models with a bottleneck: compress, denoise, find odd examples and make new ones.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for verb in (
    look.data,
    learn.train,
    learn.sweep,
    use.reconstruct,
    use.denoise,
    use.impute,
    use.encode,
    use.decode,
    evaluate.evaluate,
    evaluate.anomalies,
    evaluate.watch,
    export.export,
    make.generate,
    make.interpolate,
    explore.explore,
    serve.serve,
    lecture.lecture,
):
    app.command()(verb)


def main() -> None:
    """Run the command line; bad input ends in one line on standard error and exit status 2, a warning is a line too."""
    gc.set_threshold(50_000, 20, 100)  # imports make objects that stay; to look for garbage among them is a tenth of it
    for name in POSTPONED:
        postpone(name)
    os.environ["MPLBACKEND"] = "agg"  # no window is opened here, and one that a notebook names may not be installed
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("once", "Glyph .* missing from")  # of each letter, not of each figure
            warnings.showwarning = say_warning
            status = app(standalone_mode=False)
    except TyperException as error:
        _fail(getattr(error, "format_message", error.__str__)())
    except (ValueError, OSError, FloatingPointError, MemoryError) as error:
        _fail(str(error) or f"{' '.join(sys.argv[1:3])}: memory ran out")  # of which Python says nothing
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str) -> None:
    print(f"narrows: error: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(2)
