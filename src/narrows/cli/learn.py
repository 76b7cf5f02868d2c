"""The verbs that learn: train, sweep."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from narrows.cli.options import Data, Epochs, Out, Recipe, Seed, Size, whole, wholes

if TYPE_CHECKING:
    from narrows.data import Dataset
    from narrows.sweeps import Sweep

__all__ = ["sweep", "train"]

Named = Annotated[str, typer.Option("--model", metavar="NAME", help="Which named model; so far: autoencoder.")]


def train(
    data: Data,
    latent_dim: Annotated[int, typer.Option(parser=whole, metavar="D", help="Numbers in the code.")] = 8,
    model: Named = "autoencoder",
    recipe: Recipe = "default",
    epochs: Epochs = None,
    size: Size = None,
    seed: Seed = 0,
    out: Out = None,
) -> None:
    """Train a model on your data, judge it on a held-out fifth, and save it."""
    dataset, result = _prepared(data, [latent_dim], model, recipe, epochs, size, seed)
    _run("train", data, dataset, result, out)


def sweep(
    data: Data,
    latent_dims: Annotated[str, typer.Option(metavar="D,D,…", help="The latent dimensions to try.")] = "1,2,4,8,16",
    model: Named = "autoencoder",
    recipe: Recipe = "default",
    epochs: Epochs = None,
    size: Size = None,
    seed: Seed = 0,
    out: Out = None,
) -> None:
    """Train a model for each of several latent dimensions, compare them with PCA, and say which to take."""
    dims = wholes("--latent-dims", latent_dims)
    dataset, result = _prepared(data, dims, model, recipe, epochs, size, seed)
    _run("sweep", data, dataset, result, out)


def _prepared(
    data: str, latent_dims: list[int], model: str, recipe: str, epochs: int | None, size: int | None, seed: int
) -> tuple[Dataset, Sweep]:
    """Return the data and the models to train on them."""
    from narrows.arguments import choice
    from narrows.data import load_data
    from narrows.estimators import ESTIMATORS
    from narrows.recipes import RECIPES
    from narrows.sweeps import Sweep

    names = {name.lower(): name for name in ESTIMATORS}
    kind = names[choice("--model", model.lower(), names)]
    options: dict[str, Any] = dict(RECIPES[choice("--recipe", recipe, RECIPES)])
    if epochs is not None:
        options["epochs"] = epochs
    dataset = load_data(data, size=size)
    return dataset, Sweep(dataset.X, dataset.y, latent_dims=latent_dims, model=kind, random_state=seed, **options)


def _run(verb: str, data: str, dataset: Dataset, result: Sweep, out: Path | None) -> None:
    """Train, show progress, and write the run folder, also of an interrupted run; then say what came out."""
    from narrows.cli.progress import watch
    from narrows.runs import new_folder, write_run

    folder = new_folder(out, f"{verb}-{dataset.name}")
    print(
        f"{dataset.name}: {len(dataset.X):,} examples of shape {dataset.X.shape[1:]}; "
        f"training on {len(result.X_train):,}, judged by the other {len(result.X_test):,}"
    )
    try:
        interrupted = watch(result.run())
    finally:
        # Also when a model fails: what the others learnt is kept.
        files = write_run(result, dataset, folder) if result.rows else []
        if not files:
            folder.rmdir()
    if not files:
        print("Interrupted before the first epoch ended: nothing was written.", file=sys.stderr)
        sys.exit(130)
    _say_results(result)
    print("\nWritten:", *(f"  {file}" for file in files), sep="\n")
    _say_next(verb, data, result, files)
    if interrupted:
        print("\nInterrupted: what was trained until then is kept.", file=sys.stderr)
        sys.exit(130)


def _say_results(result: Sweep) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"\nTest error: {result.unit}", title_justify="left", title_style="", box=box.SIMPLE_HEAD)
    for heading in ("latent_dim", "test error", "PCA", "parameters", "dead", "epochs", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in result.rows:
        table.add_row(
            str(row.latent_dim),
            f"{row.test_error:.4f} ± {row.test_error_se:.4f}",
            f"{row.pca_error:.4f}",
            f"{row.parameters:,}",
            str(row.dead_units),
            f"{row.epochs}{'*' if row.interrupted else ''}",
            f"{row.seconds:.1f}",
        )
    Console().print(table)
    print(f"Predicting the mean: {result.mean_error:.4f}. ± is the standard error over the test examples;")
    print("dead counts units of the code that are the same for every example.")
    if any(row.interrupted for row in result.rows):
        print("* interrupted: the best weights until then.")
    if len(result.latent_dims) > 1:
        print(result.recommendation()[1])


def _say_next(verb: str, data: str, result: Sweep, files: list[Path]) -> None:
    taken = result.recommendation()[0] or result.rows[-1].latent_dim
    models = dict(zip(result.models, (file for file in files if file.suffix == ".safetensors"), strict=True))
    model = shlex.quote(str(models[taken]))
    data = shlex.quote(data)
    narrows = "narrows" if shutil.which("narrows") else f"{shlex.quote(_seen_from_here(sys.executable))} -m narrows"
    commands = {
        f"{narrows} generate {model} --n 64": "new examples from its prior",
        f"{narrows} reconstruct {model} {data}": "any data through the bottleneck and back",
        f"{narrows} encode {model} {data}": "the codes, as a table",
    }
    if verb == "train":
        commands[f"{narrows} sweep {data}"] = "which latent_dim to take"
    width = max(map(len, commands))
    print("\nNext:", *(f"  {command:<{width}}  # {purpose}" for command, purpose in commands.items()), sep="\n")


def _seen_from_here(program: str) -> str:
    path = Path(program)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else program
