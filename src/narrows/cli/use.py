"""The verbs that use a trained model: reconstruct, encode, decode, generate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from narrows.cli.options import Data, Model, Out, Seed, whole

__all__ = ["decode", "encode", "generate", "reconstruct"]


def reconstruct(model: Model, data: Data, out: Out = None) -> None:
    """Press data through the bottleneck and back: originals over reconstructions, and every example's error."""
    import numpy as np

    from narrows import load
    from narrows.data import load_data
    from narrows.runs import SHOWN, draw_rows, find_model, new_folder, write_examples, write_figure, write_table

    estimator = load(find_model(model))
    dataset = load_data(data, like=estimator.input_shape_)
    restored, errors = estimator.reconstruct(dataset.X), estimator.anomaly_score(dataset.X)
    folder = new_folder(out, f"reconstruct-{dataset.name}")
    rows = [("original", dataset.X[:SHOWN]), ("reconstructed", restored[:SHOWN])]
    labels = [""] * len(errors) if dataset.y is None else dataset.y.tolist()
    files = [
        write_figure(folder / "reconstructions.png", draw_rows(estimator, rows)),
        write_table(
            folder / "errors.csv", ["example", "label", "error"], zip(range(len(errors)), labels, errors, strict=True)
        ),
        *write_examples(folder, "reconstructed", restored, estimator),
    ]
    print(
        f"{len(errors):,} examples; squared error per pixel or feature, scaled: mean {errors.mean():.4f}, "
        f"median {np.median(errors):.4f}, largest {errors.max():.4f} (example {errors.argmax()})"
    )
    _say_written(files)


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

    from narrows import load
    from narrows.data import load_data
    from narrows.runs import find_model, numbered, write_table

    estimator = load(find_model(model))
    dataset = load_data(data, like=estimator.input_shape_)
    free = (path for name in numbered(f"codes-{dataset.name}") if not (path := Path(f"{name}.csv")).exists())
    target = _new_file(out) if out else next(free)
    codes = estimator.transform(dataset.X)
    if target.suffix == ".npy":
        np.save(target, codes)
    elif dataset.y is None:
        write_table(target, list(estimator.get_feature_names_out()), codes.tolist())
    else:
        rows = ([*code, label] for code, label in zip(codes.tolist(), dataset.y.tolist(), strict=True))
        write_table(target, [*estimator.get_feature_names_out(), "label"], rows)
    print(f"{len(codes):,} codes of {codes.shape[1]} numbers")
    _say_written([target])


def decode(
    model: Model,
    codes: Annotated[str, typer.Argument(metavar="CODES", help="A .csv or .npy file of codes, as encode writes them.")],
    out: Out = None,
) -> None:
    """Turn codes back into examples: images as a grid and an array, rows as a table."""
    from narrows import load
    from narrows.data import load_data
    from narrows.runs import find_model, new_folder, write_examples

    estimator, dataset = load(find_model(model)), load_data(codes)
    decoded = estimator.inverse_transform(dataset.X)
    _say_written(write_examples(new_folder(out, f"decode-{dataset.name}"), "decoded", decoded, estimator))


def generate(
    model: Model,
    n: Annotated[int, typer.Option("--n", parser=whole, metavar="N", help="How many new examples.")] = 64,
    seed: Seed = 0,
    out: Out = None,
) -> None:
    """Make new examples: codes from the model's prior, decoded."""
    from narrows import load
    from narrows.runs import find_model, new_folder, write_examples

    path = find_model(model)
    estimator = load(path)
    samples = estimator.sample(n, random_state=seed)
    _say_written(write_examples(new_folder(out, f"generate-{path.stem}"), "samples", samples, estimator))


def _new_file(path: Path) -> Path:
    if path.suffix not in {".csv", ".npy"}:
        raise ValueError(f"--out {path} must end in .csv or .npy")
    if path.exists():
        raise ValueError(f"--out {path} is there already; name a new file")
    if not path.parent.is_dir():
        raise ValueError(f"--out {path} is in a folder that does not exist")
    return path


def _say_written(files: list[Path]) -> None:
    print("Written:", *(f"  {file}" for file in files), sep="\n")
