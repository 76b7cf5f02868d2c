"""What a training came to, and what to type next."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from narrows.cli.reading import Reading
from narrows.cli.saying import read_as

if TYPE_CHECKING:
    from narrows.estimators.base import BottleneckEstimator
    from narrows.sweeps import Sweep

__all__ = ["say_next", "say_results"]


def say_results(result: Sweep) -> None:
    """Print a row for each latent_dim, and which to take."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"\nTest error: {result.unit}", title_justify="left", title_style="", box=box.SIMPLE_HEAD)
    many = len(result.trainings) > len(result.models)
    over = ["over seeds"] if many else []
    for heading in ("latent_dim", "test error", *over, "PCA", "parameters", "dead", "epochs", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    several = len(result.X_test) > 1
    for row in result.rows:
        table.add_row(
            str(row.latent_dim),
            f"{row.test_error:.4f}" + (f" ± {row.test_error_se:.4f}" if several else ""),
            *(["" if row.spread is None else f"± {row.spread:.4f}"] if many else []),
            f"{row.pca_error:.4f}",
            f"{row.parameters:,}",
            str(row.dead_units),
            f"{row.epochs}{'*' if row.interrupted else ''}",
            f"{row.seconds:.1f}",
        )
    Console().print(table)
    spread = "± is the standard error over the test examples;" if several else "There is one test example alone;"
    print(f"Predicting the mean: {result.mean_error:.4f}. {spread}")
    print("dead counts units of the code that are the same for every example.")
    if many:
        print(
            "For each latent_dim, the seed with the lowest validation error is kept; over seeds: the standard "
            "deviation."
        )
    if any(row.interrupted for row in result.rows):
        print("* interrupted: the best weights until then.")
    if len(result.latent_dims) > 1:
        print(result.recommendation()[1])


def say_next(verb: str, reading: Reading, typed: str, result: Sweep, files: list[Path]) -> None:
    """Say what to type next; ``typed`` are the options that say what the model is."""
    taken = result.recommendation()[0] or result.rows[-1].latent_dim
    models = dict(zip(result.models, (file for file in files if file.suffix == ".safetensors"), strict=True))
    model = shlex.quote(str(models[taken]))
    data = shlex.quote(reading.data)
    narrows = "narrows" if shutil.which("narrows") else f"{shlex.quote(_seen_from_here(sys.executable))} -m narrows"
    commands = {
        f"{narrows} generate {model} --n 64": "new examples from its prior",
        f"{narrows} reconstruct {model} {data}{read_as(None, reading.fit)}": "any data through the bottleneck and back",
        **_filling(narrows, model, data, result.models[taken]),
        f"{narrows} encode {model} {data}{read_as(None, reading.fit)}": "the codes, as a table",
    }
    if verb == "train":
        kind = type(result.models[taken]).__name__.lower()
        chosen = "" if kind == "autoencoder" else f" --model {kind}"
        commands[f"{narrows} sweep {data}{reading.typed}{chosen}{typed}"] = "which latent_dim to take"
    width = max(map(len, commands))
    print("\nNext:", *(f"  {command:<{width}}  # {purpose}" for command, purpose in commands.items()), sep="\n")


def _filling(narrows: str, model: str, data: str, estimator: BottleneckEstimator) -> dict[str, str]:
    """Return the command that fills missing cells, if the model can, and what it is for."""
    table = estimator.table_
    gaps = table is not None and any(column.missing for column in table.modelled)
    return {f"{narrows} impute {model} {data}": "its missing cells filled"} if gaps else {}


def _seen_from_here(program: str) -> str:
    path = Path(program)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else program
