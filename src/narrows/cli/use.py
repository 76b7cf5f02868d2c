"""The verbs that use a trained model on data: reconstruct, denoise, encode, decode."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from narrows.cli.options import Data, Model, Out, Seed, number, say_written

__all__ = ["decode", "denoise", "encode", "reconstruct"]

UNIT = "squared error per pixel or feature, scaled"
"""What `anomaly_score` and `squared_errors` are."""


def reconstruct(model: Model, data: Data, out: Out = None) -> None:
    """Press data through the bottleneck and back: originals over reconstructions, and every example's error."""
    import numpy as np

    from narrows import runs

    estimator, dataset = runs.open_both(model, data)
    restored = estimator.reconstruct(dataset.X, dataset.y)
    errors = estimator.anomaly_score(dataset.X, dataset.y)
    folder = runs.new_folder(out, f"reconstruct-{dataset.name}")
    rows = [("original", dataset.X[: runs.SHOWN]), ("reconstructed", restored[: runs.SHOWN])]
    numbers = {
        "examples": len(errors),
        "unit": UNIT,
        "mean": float(errors.mean()),
        "median": float(np.median(errors)),
        "largest": float(errors.max()),
        "largest_example": int(errors.argmax()),
    }
    print(
        f"{len(errors):,} examples; {UNIT}: mean {numbers['mean']:.4f}, median {numbers['median']:.4f}, "
        f"largest {numbers['largest']:.4f} (example {numbers['largest_example']})"
    )
    say_written(
        [
            runs.write_figure(folder / "reconstructions.png", runs.draw_rows(estimator, rows)),
            runs.write_errors(folder / "errors.csv", dataset.y, {"error": errors}),
            runs.write_json(folder / "results.json", numbers),
            *runs.write_examples(folder, "reconstructed", restored, estimator),
        ]
    )


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
    out: Out = None,
) -> None:
    """Clean noisy data; with --add, first make them noisy, and say how near the originals they come."""
    from narrows import runs

    if add is None and level is not None:
        raise ValueError(f"--level {level:g} needs --add, the noise that it is the level of")
    estimator, dataset = runs.open_both(model, data)
    if add is None:
        noisy, rows = dataset.X, []
    else:
        level = 0.3 if level is None else level
        noisy, rows = runs.corrupted(estimator, dataset.X, add, level, seed), [("original", dataset.X[: runs.SHOWN])]
    denoised = estimator.reconstruct(noisy, dataset.y)
    rows += [("noisy", noisy[: runs.SHOWN]), ("denoised", denoised[: runs.SHOWN])]
    folder = runs.new_folder(out, f"denoise-{dataset.name}")
    files = [
        runs.write_figure(folder / "denoised.png", runs.draw_rows(estimator, rows)),
        runs.write_array(folder, "denoised", denoised, estimator),
    ]
    numbers: dict[str, object] = {"examples": len(noisy), "add": add, "level": level, "seed": seed}
    print(f"{len(noisy):,} examples denoised")
    if add is not None:
        both = {"noisy": noisy, "denoised": denoised}
        errors = {name: runs.squared_errors(estimator, dataset.X, examples) for name, examples in both.items()}
        means = {name: float(values.mean()) for name, values in errors.items()}
        numbers |= {"unit": UNIT, "errors": means}
        files += [
            runs.write_array(folder, "noisy", noisy, estimator),
            runs.write_errors(folder / "errors.csv", dataset.y, errors),
        ]
        print(f"{UNIT}, to the originals: noisy {means['noisy']:.4f}, denoised {means['denoised']:.4f}")
    say_written([*files, runs.write_json(folder / "results.json", numbers)])


def encode(
    model: Model,
    data: Data,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A new .csv or .npy file.", show_default="codes-DATA.csv"),
    ] = None,
) -> None:
    """Write the codes of data: a row of latent_dim numbers for each example, and its label if it has one."""
    import numpy as np

    from narrows import runs

    estimator, dataset = runs.open_both(model, data)
    free = (path for name in runs.numbered(f"codes-{dataset.name}") if not (path := Path(f"{name}.csv")).exists())
    target = _new_file(out) if out else next(free)
    codes = estimator.transform(dataset.X, dataset.y)
    if target.suffix == ".npy":
        np.save(target, codes)
    elif dataset.y is None:
        runs.write_table(target, list(estimator.get_feature_names_out()), codes.tolist())
    else:
        rows = ([*code, label] for code, label in zip(codes.tolist(), dataset.y.tolist(), strict=True))
        runs.write_table(target, [*estimator.get_feature_names_out(), "label"], rows)
    print(f"{len(codes):,} codes of {codes.shape[1]} numbers")
    say_written([target])


def decode(
    model: Model,
    codes: Annotated[str, typer.Argument(metavar="CODES", help="A .csv or .npy file of codes, as encode writes them.")],
    out: Out = None,
) -> None:
    """Turn codes back into examples: images as a grid and an array, rows as a table."""
    from narrows import runs

    estimator, dataset = runs.open_both(model, codes)
    decoded = estimator.inverse_transform(dataset.X, dataset.y)
    say_written(runs.write_examples(runs.new_folder(out, f"decode-{dataset.name}"), "decoded", decoded, estimator))


def _new_file(path: Path) -> Path:
    if path.suffix not in {".csv", ".npy"}:
        raise ValueError(f"--out {path} must end in .csv or .npy")
    if path.exists():
        raise ValueError(f"--out {path} is there already; name a new file")
    if not path.parent.is_dir():
        raise ValueError(f"--out {path} is in a folder that does not exist")
    return path
