"""The verbs that use a trained model on data: reconstruct, denoise, encode, decode."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from narrows.cli.options import Data, Files, Fit, Model, Out, Seed, number, say_written

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from narrows.data.dataset import Dataset

__all__ = ["decode", "denoise", "encode", "reconstruct"]

UNIT = "squared error per pixel or feature, scaled"
"""What `anomaly_score` and `squared_errors` are."""


def reconstruct(model: Model, data: Data, fit: Fit = "crop", files: Files = False, out: Out = None) -> None:
    """Press data through the bottleneck and back: both side by side with error maps, and every example's error."""
    import numpy as np

    from narrows.cli.progress import reading
    from narrows.data.take import take
    from narrows.runs import opening, writing
    from narrows.runs.captions import captions, ranked
    from narrows.runs.files import new_folder, write_json
    from narrows.runs.pictures import draw_comparison

    with reading(data) as progress:
        estimator, dataset = opening.open_both(model, data, fit=fit, progress=progress)
    writing.check_images(estimator, files=files)
    errors = estimator.anomaly_score(dataset.X, dataset.y)
    folder = new_folder(out, f"reconstruct-{dataset.name}")
    restored, array = writing.reconstruct_into(folder, "reconstructed", estimator, dataset.X, dataset.y)
    numbers = {
        "examples": len(errors),
        "unit": UNIT,
        "mean": float(errors.mean()),
        "median": float(np.median(errors)),
        "largest": float(errors.max()),
        "largest_example": int(errors.argmax()),
    }
    ranks, places = zip(*ranked(errors), strict=True)
    said = zip(ranks, captions(dataset, places), errors[list(places)], strict=True)
    labels = [f"{rank or ''}\n{caption}\nerror {error:.4f}".strip() for rank, caption, error in said]
    figure = draw_comparison(
        estimator,
        labels,
        take(dataset.X, places),
        take(restored, places),
        title=f"{dataset.name} through the {estimator.latent_dim} numbers of {type(estimator).__name__}; "
        f"over all {len(errors):,}: mean error {numbers['mean']:.4f}, median {numbers['median']:.4f}",
        unit=UNIT,
    )
    print(
        f"{len(errors):,} examples; {UNIT}: mean {numbers['mean']:.4f}, median {numbers['median']:.4f}, "
        f"largest {numbers['largest']:.4f} (example {numbers['largest_example']})"
    )
    written = [
        writing.write_figure(folder / "reconstructions.png", figure),
        writing.write_errors(folder / "errors.csv", dataset, {"error": errors}),
        write_json(folder / "results.json", numbers),
        array,
    ]
    if files:
        written.append(writing.write_singles(folder / "reconstructed", restored, estimator))
    say_written(written)


def denoise(
    model: Model,
    data: Data,
    add: Annotated[
        str | None,
        typer.Option(
            metavar="NOISE",
            help="Corrupt the data first: gaussian, masking, salt-and-pepper or block.",
            show_default="they are noisy already",
        ),
    ] = None,
    level: Annotated[
        float | None,
        typer.Option(
            parser=number,
            metavar="L",
            help="How much: σ in scaled units (1 is the range of pixels) of gaussian, a part of the rest.",
            show_default="0.3",
        ),
    ] = None,
    seed: Seed = 0,
    fit: Fit = "crop",
    files: Files = False,
    out: Out = None,
) -> None:
    """Clean noisy data; with --add, first make them noisy, and say how near the originals they come."""
    from narrows.cli.progress import reading
    from narrows.fitted.levels import squared_errors
    from narrows.runs import opening, writing
    from narrows.runs.files import new_folder, write_json

    if add is None and level is not None:
        raise ValueError(f"--level {level:g} needs --add, the noise that it is the level of")
    with reading(data) as progress:
        estimator, dataset = opening.open_both(model, data, fit=fit, progress=progress)
    writing.check_images(estimator, files=files)
    if add is not None:
        level = 0.3 if level is None else level
        estimator.corrupt(dataset.X[:1], corruption=add, level=level)  # refuses other kinds before anything is written
    folder = new_folder(out, f"denoise-{dataset.name}")
    both, arrays = writing.denoise_into(folder, estimator, dataset, add, level, seed)
    errors = {} if add is None else {name: squared_errors(estimator.scaling_, dataset.X, X) for name, X in both.items()}
    means = {name: float(values.mean()) for name, values in errors.items()}
    said = f" of {add} noise, level {level:g}; error: {UNIT}, mean over all" if add else ""
    title = f"{dataset.name} cleaned by {type(estimator).__name__}{said}"
    written = [writing.write_figure(folder / "denoised.png", _before_and_after(estimator, dataset, both, means, title))]
    written += arrays
    if files:
        written += [writing.write_singles(folder / array.stem, both[array.stem], estimator) for array in arrays]
    print(f"{len(dataset.X):,} examples denoised")
    numbers: dict[str, object] = {"examples": len(dataset.X), "add": add, "level": level, "seed": seed}
    if add is not None:
        numbers |= {"unit": UNIT, "errors": means}
        written.append(writing.write_errors(folder / "errors.csv", dataset, errors))
        print(f"{UNIT}, to the originals: noisy {means['noisy']:.4f}, denoised {means['denoised']:.4f}")
    say_written([*written, write_json(folder / "results.json", numbers)])


def _before_and_after(
    estimator: Any, dataset: Dataset, both: dict[str, Any], means: dict[str, float], title: str
) -> Figure:
    """Draw the first examples noisy and denoised, below the originals where these are known, and so the errors."""
    from narrows.runs.captions import captions
    from narrows.runs.pictures import draw_rows
    from narrows.runs.writing import SHOWN

    rows = [("original", dataset.X[:SHOWN])] if means else []
    for name, examples in both.items():
        rows.append((f"{name}\nerror {means[name]:.4f}" if means else name, examples[:SHOWN]))
    headings = captions(replace(dataset, files=None), range(len(rows[0][1])))
    return draw_rows(estimator, rows, title=title, headings=headings)


def encode(
    model: Model,
    data: Data,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A new .csv, .npy or .parquet file.", show_default="codes-DATA.csv"),
    ] = None,
    scores: Annotated[
        bool,
        typer.Option("--scores", help="Add each example's anomaly score and log-density.", show_default=False),
    ] = False,
    fit: Fit = "crop",
) -> None:
    """Write the codes of data: a row of latent_dim numbers for each example, and its label and file if it has them."""
    from narrows.cli.progress import reading
    from narrows.runs import opening, writing
    from narrows.runs.files import numbered, write_columns

    with reading(data) as progress:
        estimator, dataset = opening.open_both(model, data, fit=fit, progress=progress)
    free = (path for name in numbered(f"codes-{dataset.name}") if not (path := Path(f"{name}.csv")).exists())
    target = _new_file(out) if out else next(free)
    codes = estimator.transform(dataset.X, dataset.y)
    columns = dict(zip(estimator.get_feature_names_out(), codes.T, strict=True))
    if scores:
        columns |= {
            "anomaly_score": estimator.anomaly_score(dataset.X, dataset.y),
            "score_samples": estimator.score_samples(dataset.X, dataset.y),
        }
    write_columns(target, columns, writing.known_of(dataset))
    print(f"{len(codes):,} codes of {codes.shape[1]} numbers")
    say_written([target])


def decode(
    model: Model,
    codes: Annotated[
        str, typer.Argument(metavar="CODES", help="A .csv, .npy or .parquet file of codes, as encode writes them.")
    ],
    files: Files = False,
    out: Out = None,
) -> None:
    """Turn codes back into examples: images as a grid and an array, rows as a table."""
    from narrows.runs import opening, writing
    from narrows.runs.captions import first_of, names
    from narrows.runs.files import new_folder
    from narrows.runs.pictures import draw_grid

    estimator, dataset = opening.open_codes(model, Path(codes))
    writing.check_images(estimator, files=files)
    decoded = estimator.inverse_transform(dataset.X, dataset.y)
    folder = new_folder(out, f"decode-{dataset.name}")
    written = writing.write_examples(folder, "decoded", decoded, estimator, files=files)
    if decoded.ndim > 2:
        shown = range(min(len(decoded), writing.GRID))
        title = f"{dataset.name} decoded by {type(estimator).__name__}{first_of(len(shown), len(decoded))}"
        figure = draw_grid(estimator, decoded[: writing.GRID], title=title, labels=names(dataset, shown))
        written.insert(0, writing.write_figure(folder / "decoded.png", figure))
    say_written(written)


def _new_file(path: Path) -> Path:
    from narrows.runs.files import require_pyarrow

    if path.suffix not in {".csv", ".npy", ".parquet"}:
        raise ValueError(f"--out {path} must end in .csv, .npy or .parquet")
    if path.suffix == ".parquet":
        require_pyarrow(f"--out {path}")
    if path.exists():
        raise ValueError(f"--out {path} is there already; name a new file")
    if not path.parent.is_dir():
        raise ValueError(f"--out {path} is in a folder that does not exist")
    return path
