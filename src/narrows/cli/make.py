"""The verbs that make new examples: generate, interpolate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from narrows.cli.options import Data, Files, Fit, Model, Out, Seed, number, say_written, whole, wholes

__all__ = ["generate", "interpolate"]

ONE_ROW = 14
"""Tiles that a way may have, to be drawn in a row."""


def generate(
    model: Annotated[
        Path | None, typer.Argument(metavar="MODEL", help="A model file, or a run folder with one.", show_default=False)
    ] = None,
    n: Annotated[int, typer.Option("--n", parser=whole, metavar="N", help="How many new examples.")] = 64,
    label: Annotated[
        str | None, typer.Option(metavar="CLASS", help="Of this class.", show_default="as in the training data")
    ] = None,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="MODEL", help="Another way to name MODEL.", show_default=False)
    ] = None,
    like: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="Like this image, or an example of these data: its code with noise, decoded again and again.",
            show_default=False,
        ),
    ] = None,
    example: Annotated[
        int | None,
        typer.Option(parser=whole, metavar="K", help="Which example of --like, from 0.", show_default="0"),
    ] = None,
    noise: Annotated[
        float | None,
        typer.Option(
            parser=number, metavar="σ", help="Of the noise for --like, in the code's own units.", show_default="0.5"
        ),
    ] = None,
    seed: Seed = 0,
    fit: Fit = "crop",
    files: Files = False,
    out: Out = None,
) -> None:
    """Make new examples: codes from the model's prior, or like one that you have, decoded."""
    if (model is None) == (source is None):
        found = "neither is here" if model is None else f"{model} and --from {source} are both here"
        raise ValueError(f"a model is named by MODEL or by --from MODEL, one of them; {found}")
    path = model or source
    assert path is not None
    if like is not None:
        return _around(path, like, fit, example or 0, 0.5 if noise is None else noise, n, label, seed, files, out)
    for name, value in (("--example", example), ("--noise", noise), ("--fit", None if fit == "crop" else fit)):
        if value is not None:
            raise ValueError(f"{name} {value} needs --like, the data whose example is taken")
    return _from_prior(path, n, label, seed, files, out)


def _from_prior(model: Path, n: int, label: str | None, seed: int, files: bool, out: Path | None) -> None:
    from narrows import load
    from narrows.runs import opening, writing
    from narrows.runs.captions import first_of
    from narrows.runs.files import new_folder, write_json
    from narrows.runs.pictures import draw_grid

    path = opening.find_model(model)
    estimator = load(path)
    writing.check_images(estimator, files=files)
    y = opening.known_labels(estimator, [label])[0] if label is not None else writing.drawn_classes(estimator, n, seed)
    samples = estimator.sample(n, y, random_state=seed)
    folder = new_folder(out, f"generate-{path.stem}")
    written = writing.write_examples(folder, "samples", samples, estimator, files=files)
    settings = {"model": str(path), "n": n, "label": label, "seed": seed}
    if label is None and y is not None:
        settings["labels"] = y.tolist()
    if samples.ndim > 2:
        named = [] if label is not None or y is None else [f"class {one}" for one in y[: writing.GRID]]
        of_class = f" of class {label}" if label is not None else ""
        rest = first_of(min(n, writing.GRID), n)
        title = f"New examples{of_class} from the prior of {type(estimator).__name__}{rest}"
        figure = draw_grid(estimator, samples[: writing.GRID], title=title, labels=named)
        written.insert(0, writing.write_figure(folder / "samples.png", figure))
    say_written([*written, write_json(folder / "results.json", settings)])


def _around(
    model: Path,
    like: str,
    fit: str,
    example: int,
    noise: float,
    n: int,
    label: str | None,
    seed: int,
    files: bool,
    out: Path | None,
) -> None:
    """Decode an example's code with noise again and again («Úvod do generativních modelů», L24)."""
    import numpy as np

    from narrows import latent
    from narrows.cli.progress import reading
    from narrows.runs import opening, writing
    from narrows.runs.files import new_folder, write_json
    from narrows.runs.pictures import draw_grid

    with reading(like) as progress:
        estimator, dataset = opening.open_both(model, like, label, fit=fit, progress=progress)
    writing.check_images(estimator, files=files)
    original = opening.pick("--example", dataset, [example])
    code = estimator.transform(original.X, original.y)
    codes = latent.around(code[0], noise, n, random_state=seed)
    samples = estimator.inverse_transform(codes, None if original.y is None else np.repeat(original.y, n))
    shown = np.concatenate([original.X, estimator.inverse_transform(code, original.y), samples])
    folder = new_folder(out, f"like-{dataset.name}")
    # As many as were asked for, so that 64 make a square; the arrays hold all of the new ones.
    shown = shown[: min(max(n, 3), writing.GRID)]
    figure = draw_grid(
        estimator,
        shown,
        title=f"Like example {example} of {dataset.name}: its code with noise of σ\xa0=\xa0{noise:g}, decoded",
        labels=["original", "decoded", *(f"new {i}" for i in range(len(shown) - 2))],
    )
    numbers = {"model": str(model), "like": like, "example": example, "noise": noise, "n": n, "seed": seed}
    print("In the picture: the original, its reconstruction, and new ones.")
    say_written(
        [
            writing.write_figure(folder / "samples.png", figure),
            *writing.write_examples(folder, "samples", samples, estimator, files=files),
            write_json(folder / "results.json", numbers | {"label": label, "code": code[0].tolist()}),
        ]
    )


def interpolate(
    model: Model,
    data: Data,
    examples: Annotated[str, typer.Option(metavar="K,K", help="From which example to which, counted from 0.")] = "0,1",
    steps: Annotated[int, typer.Option(parser=whole, metavar="N", help="Codes on the way, both ends included.")] = 9,
    kind: Annotated[str, typer.Option(metavar="KIND", help="The way: linear, or spherical.")] = "linear",
    fit: Fit = "crop",
    files: Files = False,
    out: Out = None,
) -> None:
    """Go from one example's code to another's, decoding on the way; a conditional model keeps the first's class."""
    import numpy as np

    from narrows import latent
    from narrows.cli.progress import reading
    from narrows.runs import opening, writing
    from narrows.runs.files import new_folder, write_json, write_table
    from narrows.runs.pictures import draw_grid, draw_rows

    places = wholes("--examples", examples)
    if len(places) != 2:
        raise ValueError(f"--examples {examples!r} names {len(places)}; two are expected, such as 0,1")
    with reading(data) as progress:
        estimator, dataset = opening.open_both(model, data, fit=fit, progress=progress)
    writing.check_images(estimator, files=files)
    ends = opening.pick("--examples", dataset, places)
    first, last = estimator.transform(ends.X, ends.y)
    codes = latent.interpolate(first, last, steps, kind=kind)
    path = estimator.inverse_transform(codes, None if ends.y is None else np.repeat(ends.y[:1], len(codes)))
    originals = np.asarray(ends.X)
    shown = np.unique(np.linspace(0, steps - 1, min(steps, writing.GRID - 2)).round().astype(int))
    row = np.concatenate([originals[:1], path[shown], originals[1:]])
    way = [f"{place / (steps - 1):.0%}" for place in shown]
    labels = [f"example {places[0]}", *way, f"example {places[1]}"]
    title = f"From example {places[0]} to {places[1]} of {dataset.name}, {kind}: codes on the way, decoded"
    if len(row) <= ONE_ROW:
        figure = draw_rows(estimator, [("", row)], title=title, headings=labels)
    else:
        figure = draw_grid(estimator, row, title=title, labels=labels)
    numbers = {"model": str(model), "examples": places, "steps": steps, "kind": kind}
    print(f"In the picture: example {places[0]}, {len(shown)} decoded codes on the way, example {places[1]}.")
    folder = new_folder(out, f"interpolate-{dataset.name}")
    say_written(
        [
            writing.write_figure(folder / "path.png", figure),
            *writing.write_examples(folder, "path", path, estimator, files=files),
            write_table(folder / "codes.csv", list(estimator.get_feature_names_out()), codes.tolist()),
            write_json(folder / "results.json", numbers),
        ]
    )
