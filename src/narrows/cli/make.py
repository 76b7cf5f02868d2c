"""The verbs that make new examples: generate, interpolate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from narrows.cli.options import Data, Model, Out, Seed, number, say_written, whole, wholes

__all__ = ["generate", "interpolate"]


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
    out: Out = None,
) -> None:
    """Make new examples: codes from the model's prior, or like one that you have, decoded."""
    if (model is None) == (source is None):
        found = "neither is here" if model is None else f"{model} and --from {source} are both here"
        raise ValueError(f"a model is named by MODEL or by --from MODEL, one of them; {found}")
    path = model or source
    assert path is not None
    if like is not None:
        return _around(path, like, example or 0, 0.5 if noise is None else noise, n, label, seed, out)
    for name, value in (("--example", example), ("--noise", noise)):
        if value is not None:
            raise ValueError(f"{name} {value} needs --like, the data whose example is taken")
    return _from_prior(path, n, label, seed, out)


def _from_prior(model: Path, n: int, label: str | None, seed: int, out: Path | None) -> None:
    from narrows import load, runs

    path = runs.find_model(model)
    estimator = load(path)
    y = None if label is None else runs.known_labels(estimator, [label])[0]
    samples = estimator.sample(n, y, random_state=seed)
    folder = runs.new_folder(out, f"generate-{path.stem}")
    files = runs.write_examples(folder, "samples", samples, estimator)
    settings = {"model": str(path), "n": n, "label": label, "seed": seed}
    say_written([*files, runs.write_json(folder / "results.json", settings)])


def _around(
    model: Path, like: str, example: int, noise: float, n: int, label: str | None, seed: int, out: Path | None
) -> None:
    """Decode an example's code with noise again and again («Úvod do generativních modelů», L24)."""
    import numpy as np

    from narrows import latent, runs

    estimator, dataset = runs.open_both(model, like, label)
    original = runs.pick("--example", dataset, [example])
    code = estimator.transform(original.X, original.y)
    codes = latent.around(code[0], noise, n, random_state=seed)
    samples = estimator.inverse_transform(codes, None if original.y is None else np.repeat(original.y, n))
    shown = np.concatenate([original.X, estimator.inverse_transform(code, original.y), samples])
    folder = runs.new_folder(out, f"like-{dataset.name}")
    # As many as were asked for, so that 64 make a square; the arrays hold all of the new ones.
    figure = runs.draw_grid(estimator, shown[: min(max(n, 3), runs.GRID)])
    numbers = {"model": str(model), "like": like, "example": example, "noise": noise, "n": n, "seed": seed}
    print("In the picture: the original, its reconstruction, and new ones.")
    say_written(
        [
            runs.write_figure(folder / "samples.png", figure),
            runs.write_array(folder, "samples", samples, estimator),
            runs.write_json(folder / "results.json", numbers | {"label": label, "code": code[0].tolist()}),
        ]
    )


def interpolate(
    model: Model,
    data: Data,
    examples: Annotated[str, typer.Option(metavar="K,K", help="From which example to which, counted from 0.")] = "0,1",
    steps: Annotated[int, typer.Option(parser=whole, metavar="N", help="Codes on the way, both ends included.")] = 9,
    kind: Annotated[str, typer.Option(metavar="KIND", help="The way: linear, or spherical.")] = "linear",
    out: Out = None,
) -> None:
    """Go from one example's code to another's, decoding on the way; a conditional model keeps the first's class."""
    import numpy as np

    from narrows import latent, runs

    places = wholes("--examples", examples)
    if len(places) != 2:
        raise ValueError(f"--examples {examples!r} names {len(places)}; two are expected, such as 0,1")
    estimator, dataset = runs.open_both(model, data)
    ends = runs.pick("--examples", dataset, places)
    first, last = estimator.transform(ends.X, ends.y)
    codes = latent.interpolate(first, last, steps, kind=kind)
    path = estimator.inverse_transform(codes, None if ends.y is None else np.repeat(ends.y[:1], len(codes)))
    folder = runs.new_folder(out, f"interpolate-{dataset.name}")
    originals = np.asarray(ends.X)
    row = np.concatenate([originals[:1], path, originals[1:]])
    label = f"{places[0]} → {places[1]}"
    numbers = {"model": str(model), "examples": places, "steps": steps, "kind": kind}
    print(f"In the picture: example {places[0]}, {len(path)} decoded codes on the way, example {places[1]}.")
    say_written(
        [
            runs.write_figure(folder / "path.png", runs.draw_rows(estimator, [(label, row)])),
            runs.write_array(folder, "path", path, estimator),
            runs.write_table(folder / "codes.csv", list(estimator.get_feature_names_out()), codes.tolist()),
            runs.write_json(folder / "results.json", numbers),
        ]
    )
