"""The verbs that use a trained model on data: reconstruct, denoise, impute, encode, decode."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from narrows.cli.choosing import Data, Files, Fit, Missing, Model, Out, Seed, marks, number, whole
from narrows.cli.progress import opened, rows_done
from narrows.cli.saying import refuse_in_parts, say_written

__all__ = ["decode", "denoise", "encode", "impute", "reconstruct"]


def reconstruct(
    model: Model, data: Data, missing: Missing = None, fit: Fit = "crop", files: Files = False, out: Out = None
) -> None:
    """Press data through the bottleneck and back: both side by side with error maps, and every example's error."""
    from narrows.data.sources import is_large
    from narrows.runs import streaming, using

    if is_large(data):
        refuse_in_parts(data, {"--files": files})
        done = streaming.reconstruct(model, data, out, missing=marks(missing), told=rows_done(data))
        print(f"{done.numbers['examples']:,} rows; mean error {done.numbers['mean']:.4f}")
        say_written(done.files)
        return
    done = using.reconstruct(*opened(model, data, fit, missing=marks(missing)), out, files=files)
    found = done.numbers
    print(
        f"{found['examples']:,} examples; {found['unit']}: mean {found['mean']:.4f}, median {found['median']:.4f}, "
        f"largest {found['largest']:.4f} (example {found['largest_example']})"
    )
    say_written(done.files)


def denoise(
    model: Model,
    data: Data,
    add: Annotated[
        str | None,
        typer.Option(
            metavar="NOISE",
            help="Corrupt the data first: gaussian, masking, salt-and-pepper, swap or block.",
            show_default="they are noisy already",
        ),
    ] = None,
    level: Annotated[
        float | None,
        typer.Option(
            parser=number,
            metavar="L",
            help="How much: for gaussian σ in scaled units (1 is the range of pixels), else a fraction.",
            show_default="0.3",
        ),
    ] = None,
    seed: Seed = 0,
    missing: Missing = None,
    fit: Fit = "crop",
    files: Files = False,
    out: Out = None,
) -> None:
    """Clean noisy data; with --add, first make them noisy, and say how close to the originals the results are."""
    if add is None and level is not None:
        raise ValueError(f"--level {level:g} has no effect without --add NOISE")
    from narrows.data.sources import is_large
    from narrows.runs import streaming, using

    if is_large(data):
        refuse_in_parts(data, {"--files": files, "--add": add})
        done = streaming.denoise(model, data, out, missing=marks(missing), told=rows_done(data))
        print(f"{done.numbers['examples']:,} rows denoised")
        say_written(done.files)
        return
    done = using.denoise(
        *opened(model, data, fit, missing=marks(missing)), out, add=add, level=level, seed=seed, files=files
    )
    print(f"{done.numbers['examples']:,} examples denoised")
    if add is not None:
        unit, means = done.numbers["unit"], done.numbers["errors"]
        print(f"{unit}, to the originals: noisy {means['noisy']:.4f}, denoised {means['denoised']:.4f}")
    say_written(done.files)


def impute(
    model: Model,
    data: Data,
    draws: Annotated[
        int | None,
        typer.Option(
            parser=whole,
            metavar="M",
            help="Draw M fillings, each in a file of its own: their spread is what is not known.",
            show_default="one, of the most probable values",
        ),
    ] = None,
    missing: Missing = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            help="A new file with the ending of DATA, or a new folder.", show_default="one under runs/", metavar="PATH"
        ),
    ] = None,
) -> None:
    """Fill the missing cells of a table, in a copy of its file in which nothing else changes."""
    from narrows.arguments import integer
    from narrows.data.sources import is_large
    from narrows.runs import imputing, streaming

    if draws is not None:
        integer("--draws", draws, 1)
    if is_large(data):
        refuse_in_parts(data, {"--draws": draws})
        done = streaming.impute(model, data, out, missing=marks(missing), seed=seed, told=rows_done(data))
    else:
        estimator, dataset = opened(model, data, missing=marks(missing))
        done = imputing.impute(estimator, dataset, Path(data), out, draws=draws, seed=seed)
    found = done.numbers
    total = sum(found["filled"].values())
    print(f"{total:,} of {found['missing']:,} missing cells filled in {found['examples']:,} rows")
    for name, n in found["filled"].items():
        print(f"  {name}: {n:,}")
    for name, n in found["left"].items():
        print(f"  {name}: {n:,} left as they were, since nothing is learned from this column")
    say_written(done.files)


def encode(
    model: Model,
    data: Data,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="A new .csv, .npy or .parquet file, or a new folder; of a large table a folder.",
            show_default="codes-DATA.csv",
        ),
    ] = None,
    scores: Annotated[
        bool,
        typer.Option("--scores", help="Add each example's anomaly score and log-density.", show_default=False),
    ] = False,
    missing: Missing = None,
    fit: Fit = "crop",
) -> None:
    """Write the codes of data: a row of latent_dim numbers for each example, and its label and file if it has them."""
    from narrows.data.sources import is_large
    from narrows.runs import streaming, using

    if is_large(data):
        done = streaming.encode(model, data, out, missing=marks(missing), scores=scores, told=rows_done(data))
    else:
        done = using.encode(*opened(model, data, fit, missing=marks(missing)), out, scores=scores)
    print(f"{done.numbers['examples']:,} codes of {done.numbers['latent_dim']} numbers")
    say_written(done.files)


def decode(
    model: Model,
    codes: Annotated[
        str, typer.Argument(metavar="CODES", help="A .csv, .npy or .parquet file of codes, as encode writes them.")
    ],
    files: Files = False,
    out: Out = None,
) -> None:
    """Turn codes back into examples: images as a grid and an array, rows as a table."""
    from narrows.runs import using
    from narrows.runs.opening import open_codes

    say_written(using.decode(*open_codes(model, Path(codes)), out, files=files).files)
