"""The verb share: models as one file that plays in any browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from narrows.cli.choosing import whole
from narrows.cli.saying import say_written

if TYPE_CHECKING:
    from narrows.web.library import Library

__all__ = ["share", "write_page"]

LECTURE = "lecture"


Models = Annotated[
    list[str],
    typer.Argument(
        metavar="[lecture] RUN_OR_MODEL …",
        help="Model files, or run folders with one or more. The word lecture puts the lecture's pages first, and "
        "stands alone for them with its own autoencoders of the digits.",
        show_default=False,
    ),
]
NewPage = Annotated[
    Path, typer.Option("--out", metavar="FILE.html", help="A new file for the page.", show_default=False)
]
ExamplesFrom = Annotated[
    str | None,
    typer.Option(
        metavar="DATA",
        help="Data to take examples from: digits, mnist, or a file or folder, as for narrows train.",
        show_default="the named set that a run was trained on, else the model's own samples",
    ),
]
MostExamples = Annotated[
    int | None,
    typer.Option(
        parser=whole,
        metavar="N",
        help="Examples in the file, at most, drawn at random from DATA.",
        show_default="2,000, or fewer where they are large",
    ),
]
NoData = Annotated[
    bool, typer.Option("--no-data", help="Put the model's own samples in place of examples.", show_default=False)
]


def share(
    models: Models, out: NewPage, data: ExamplesFrom = None, examples: MostExamples = None, no_data: NoData = False
) -> None:
    """Write models into one HTML file that opens from disk, offline, and plays as the explorer does.

    Whoever opens it needs a browser, and neither Python nor a connection: it asks nobody for anything. It says first
    which of your data are in the file; columns of identifiers never are.
    """
    from narrows.arguments import integer
    from narrows.runs.files import check_new_file
    from narrows.web.entry import SHOWN
    from narrows.web.library import open_models
    from narrows.web.sharing import thinned

    check_new_file(out, ".html")
    if examples is not None:
        integer("--examples", examples, 1)
        if no_data:
            raise ValueError(f"--examples {examples} has no effect with --no-data; leave one of them out")
    lecture = models[0] == LECTURE
    if models == [LECTURE]:
        library = _lecture(data, examples, no_data=no_data)
    else:
        opened = open_models([Path(model) for model in models[lecture:]], data, examples or SHOWN)
        library = thinned(opened, examples, data=not no_data)
    write_page(library, out, lecture=lecture)
    say_written([out])


def write_page(library: Library, out: Path, *, lecture: bool = False) -> None:
    """Print which models and which data a page of ``library`` holds, and write it."""
    from narrows.web.contents import contents_of
    from narrows.web.sharing import share

    found = contents_of(library)
    named = [f"{kind} (d = {d})" for kind, d in found.models]
    print("In the file:", ", ".join(["the lecture's pages", *named] if lecture else named))
    for part in found.parts:
        labels = f", with their labels ({', '.join(part.labels)})" if part.labels else ""
        if part.from_prior:
            print(f"  {part.count:,} samples of the model's own instead of examples{labels}")
        else:
            print(f"  {part.count:,} of the {part.total:,} examples of {part.data}{labels}")
        if part.columns:
            print(f"  the columns {', '.join(part.columns)}, with their ranges and levels")
        if part.left_out:
            print(f"  not in it: the columns {', '.join(part.left_out)}")
    print(flush=True)
    out.write_text(share(library, lecture=lecture), encoding="utf-8")


def _lecture(data: str | None, examples: int | None, *, no_data: bool) -> Library:
    """Train the lecture's models, and say so; options that choose examples of given models are refused."""
    from narrows.web.lecture_models import LATENT_DIMS, SEEDS, lecture_models

    asked = {f"--data {data}": data is not None, f"--examples {examples}": examples is not None, "--no-data": no_data}
    if given := [name for name, is_given in asked.items() if is_given]:
        raise ValueError(f"{given[0]} needs a RUN_OR_MODEL after lecture, whose own models have all the digits")
    dims = ", ".join(map(str, LATENT_DIMS))
    told = f"Training the lecture's autoencoders of the digits, d = {dims}: each {SEEDS} times, to keep the best …"
    print(told, flush=True)
    return lecture_models()
