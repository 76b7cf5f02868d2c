"""The verbs that make new examples: generate, interpolate."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from narrows.cli.choosing import Data, Files, Fit, Model, Out, Seed, number, whole, wholes
from narrows.cli.progress import opened
from narrows.cli.saying import say_written

__all__ = ["generate", "interpolate"]


Named = Annotated[
    Path | None,
    typer.Argument(metavar="MODEL", help="A model file, or a run folder that holds one.", show_default=False),
]
From = Annotated[
    Path | None, typer.Option("--from", metavar="MODEL", help="Another way to name MODEL.", show_default=False)
]
Label = Annotated[
    str | None,
    typer.Option(metavar="CLASS", help="The class of the new examples.", show_default="as in the training data"),
]
Like = Annotated[
    str | None,
    typer.Option(
        metavar="DATA",
        help="Make variants of this image, or of an example of these data: its code with noise, decoded many times.",
        show_default=False,
    ),
]
Example = Annotated[
    int | None,
    typer.Option(parser=whole, metavar="K", help="Which example of --like, counted from 0.", show_default="0"),
]
Noise = Annotated[
    float | None,
    typer.Option(
        parser=number, metavar="σ", help="How much noise for --like, in the code's own units.", show_default="0.5"
    ),
]
Given = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN=WHAT",
        help="Of a table, what the rows are to be like: city=Brno, age=30..40, age=65.. or plan=a,b; of dates "
        "since=2024-01-01..2024-06-30. Can be given for several columns.",
        show_default=False,
    ),
]
Complete = Annotated[
    bool, typer.Option("--complete", help="Of a table, leave no cell missing, as some are in the training data.")
]


def generate(
    model: Named = None,
    n: Annotated[int, typer.Option("--n", parser=whole, metavar="N", help="How many new examples.")] = 64,
    label: Label = None,
    given: Given = None,
    complete: Complete = False,
    source: From = None,
    like: Like = None,
    example: Example = None,
    noise: Noise = None,
    seed: Seed = 0,
    fit: Fit = "crop",
    files: Files = False,
    out: Out = None,
) -> None:
    """Make new examples: decode codes drawn from the model's prior, or the code of an example with noise.

    A table's rows come as samples.csv in a new folder, or as the .csv or .parquet file that --out names.
    """
    if (model is None) == (source is None):
        found = "neither is given" if model is None else f"{model} and --from {source} are both given"
        raise ValueError(f"name the model once, by MODEL or by --from MODEL; {found}")
    path = model or source
    assert path is not None
    from narrows import load
    from narrows.arguments import integer, real
    from narrows.runs import making, opening

    integer("--n", n, 1)
    if like is not None:
        if given or complete:
            raise ValueError(f"{f'--given {given[0]}' if given else '--complete'} has no effect with --like DATA")
        estimator, dataset = opened(path, like, fit, label)
        spread = 0.5 if noise is None else real("--noise", noise, 0)
        done = making.generate_like(estimator, dataset, example or 0, spread, n, out, seed=seed, files=files)
        print("In the figure: the original, its reconstruction, and new ones.")
        return say_written(done.files)
    _refuse_without_like({"--example": example, "--noise": noise, "--fit": None if fit == "crop" else fit})
    file = opening.find_model(path)
    estimator = load(file)
    if estimator.fitted_.table is not None:
        done = making.generate_rows(
            estimator, n, label, out, name=_called(file), seed=seed, given=given or (), missing=not complete
        )
        return say_written(done.files)
    if given or complete:
        option = f"--given {given[0]}" if given else "--complete"
        raise ValueError(_of_a_table(option, file, estimator.fitted_.feature_names))
    done = making.generate(estimator, n, label, out, name=_called(file), seed=seed, files=files)
    return say_written(done.files)


def _of_a_table(option: str, file: Path, names: Sequence[str] | None) -> str:
    """Return what is wrong with an option that a model of other examples than a table's rows cannot take."""
    told = f"{option} is for a table's model; {file} was fitted to examples of another kind"
    if not names:
        return told
    kind = shlex.quote(f"{names[0]}=real")
    return f"{told}, real numbers alone; one that is trained with a kind of a column, --column {kind}, is a table's"


def _refuse_without_like(given: dict[str, object]) -> None:
    """Refuse options that say what becomes of an example, where none is named."""
    for name, value in given.items():
        if value is not None:
            raise ValueError(f"{name} {value} has no effect without --like DATA")


def _called(file: Path) -> str:
    """Return what a model is called: as its run is, whose own file is always ``model``, or as its file."""
    return file.resolve().parent.name if file.stem == "model" else file.stem


def interpolate(
    model: Model,
    data: Data,
    examples: Annotated[
        str, typer.Option(metavar="K,K", help="The two examples, first and last, counted from 0.")
    ] = "0,1",
    steps: Annotated[int, typer.Option(parser=whole, metavar="N", help="Codes on the way, both ends included.")] = 9,
    kind: Annotated[str, typer.Option(metavar="KIND", help="The path: linear or spherical.")] = "linear",
    fit: Fit = "crop",
    files: Files = False,
    out: Out = None,
) -> None:
    """Go from one example's code to another's, decoding on the way; conditional models keep the first one's class."""
    ends = wholes("--examples", examples)
    if len(ends) != 2:
        raise ValueError(f"--examples {examples!r} names {len(ends)}; two are expected, such as 0,1")
    from narrows.runs import making

    done = making.interpolate(*opened(model, data, fit), (ends[0], ends[1]), steps, kind, out, files=files)
    shown = done.numbers["shown"]
    print(f"In the figure: example {ends[0]}, {shown} decoded codes on the way, example {ends[1]}.")
    say_written(done.files)
