"""The verbs that learn: train, sweep."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from narrows.cli.choosing import (
    Columns,
    Data,
    Devices,
    Epochs,
    Fit,
    Key,
    Log,
    Missing,
    Nodes,
    Out,
    Page,
    Range,
    Recipe,
    Seed,
    Size,
    Strict,
    whole,
    wholes,
)
from narrows.cli.outcome import say_next, say_results
from narrows.cli.reading import Reading
from narrows.cli.saying import LARGEST, say_findings, say_kinds, say_range, say_written, smaller

if TYPE_CHECKING:
    from collections.abc import Callable

    from narrows.data.dataset import Dataset
    from narrows.sweeps import Sweep

__all__ = ["Conditional", "Named", "Options", "learn", "options_of", "sweep", "train"]

MODELS = {
    "autoencoder": "Autoencoder",
    "denoising": "DenoisingAutoencoder",
    "noisy": "NoisyAutoencoder",
    "sparse": "SparseAutoencoder",
    "contractive": "ContractiveAutoencoder",
    "rae": "RegularizedAutoencoder",
    "regularized": "RegularizedAutoencoder",
    "vae": "VAE",
    "iwae": "IWAE",
    "wae": "WAE",
    "vqvae": "VQVAE",
    "fsqvae": "FSQVAE",
}
"""What the named models are also called here; written out, since their classes come with torch."""

ELSEWHERE = {
    "latent_dim": "--latent-dim",
    "epochs": "--epochs",
    "random_state": "--seed",
    "conditional": "--conditional",
    "devices": "--devices",
    "nodes": "--nodes",
}
"""Options of the models that have one of the command line's own."""

Named = Annotated[str, typer.Option("--model", metavar="NAME", help=f"Which named model: {', '.join(MODELS)}.")]
Options = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        metavar="KEY=VALUE",
        help="Any other option of the model, such as beta=4 or hidden=[64,32]; may be repeated.",
        show_default=False,
    ),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Resume the interrupted run in --out; type the rest as before.", show_default=False),
]
Conditional = Annotated[
    bool, typer.Option("--conditional", help="Let the nets see the data's labels.", show_default=False)
]


def train(
    data: Data,
    latent_dim: Annotated[
        int | None,
        typer.Option(parser=whole, metavar="D", help="Numbers in the code.", show_default="8; 64 for sparse"),
    ] = None,
    model: Named = "autoencoder",
    option: Options = None,
    column: Columns = None,
    missing: Missing = None,
    conditional: Conditional = False,
    recipe: Recipe = "default",
    epochs: Epochs = None,
    size: Size = None,
    fit: Fit = "crop",
    page: Page = None,
    key: Key = None,
    range_: Range = None,
    strict: Strict = False,
    seed: Seed = 0,
    out: Out = None,
    resume: Resume = False,
    devices: Devices = 1,
    nodes: Nodes = 1,
    log: Log = None,
) -> None:
    """Train a model on your data, evaluate it on a held-out fifth, and save it."""
    kind, options = options_of(model, option, conditional, recipe, epochs, (devices, nodes))
    dims = None if latent_dim is None else [latent_dim]
    typed = _typed(option, conditional, recipe)
    learn(
        "train",
        Reading(data, size, fit, strict, column, missing, page, range_, key),
        kind,
        dims,
        seed,
        options,
        typed,
        (out, resume),
        log,
    )


def sweep(
    data: Data,
    latent_dims: Annotated[str, typer.Option(metavar="D,D,…", help="The latent dimensions to try.")] = "1,2,4,8,16",
    model: Named = "autoencoder",
    option: Options = None,
    column: Columns = None,
    missing: Missing = None,
    conditional: Conditional = False,
    recipe: Recipe = "default",
    epochs: Epochs = None,
    size: Size = None,
    fit: Fit = "crop",
    page: Page = None,
    key: Key = None,
    range_: Range = None,
    strict: Strict = False,
    seed: Seed = 0,
    seeds: Annotated[
        int,
        typer.Option(
            parser=whole, metavar="N", help="Train each from N seeds; keep the one with the lowest validation error."
        ),
    ] = 1,
    out: Out = None,
    resume: Resume = False,
    devices: Devices = 1,
    nodes: Nodes = 1,
) -> None:
    """Train a model for each of several latent dimensions, compare them with PCA, and say which to take."""
    from narrows.arguments import integer

    dims = wholes("--latent-dims", latent_dims)
    kind, options = options_of(model, option, conditional, recipe, epochs, (devices, nodes))
    options["seeds"] = integer("--seeds", seeds, 1)
    learn(
        "sweep",
        Reading(data, size, fit, strict, column, missing, page, range_, key),
        kind,
        dims,
        seed,
        options,
        "",
        (out, resume),
    )


def options_of(
    model: str,
    pairs: list[str] | None,
    conditional: bool,
    recipe: str,
    epochs: int | None,
    processes: tuple[int, int],
) -> tuple[str, dict[str, Any]]:
    """Return the named model's class by its name, and its options, checked."""
    from narrows.arguments import choice
    from narrows.estimators import ESTIMATORS
    from narrows.estimators.allowed import checks_of
    from narrows.recipes import RECIPES

    names = MODELS | {name.lower(): name for name in MODELS.values()}
    kind = names[choice("--model", model.lower().replace("-", ""), names)]
    options: dict[str, Any] = dict(RECIPES[choice("--recipe", recipe, RECIPES)])
    foreign = set(options) - set(ESTIMATORS[kind]().get_params())
    if foreign:
        raise ValueError(f"--recipe {recipe} sets {', '.join(sorted(foreign))}, which {kind} does not have")
    own = dict(map(_pair, pairs or []))
    options |= own
    typed = {"devices": processes[0], "nodes": processes[1]} | ({} if epochs is None else {"epochs": epochs})
    for name, value in typed.items():
        checks_of(ESTIMATORS[kind])[name](ELSEWHERE[name], value)
    options |= typed
    if conditional:
        options["conditional"] = True
    try:
        ESTIMATORS[kind](**options).check_options()
    except (TypeError, ValueError) as error:  # a person's, not the program's: the options come from the command line
        if isinstance(error, TypeError) or str(error).partition("=")[0] in RECIPES[recipe].keys() - own:
            raise ValueError(f"--model {model}: {error}") from error
        raise
    return kind, options


def _pair(text: str) -> tuple[str, Any]:
    """Return the option and the value that ``text``, KEY=VALUE, names: JSON, or else the text itself."""
    key, equals, value = text.partition("=")
    name = key.strip().replace("-", "_")
    if not equals or not name:
        raise ValueError(f"--option {text!r} must be KEY=VALUE, such as beta=4")
    if name in ELSEWHERE:
        raise ValueError(f"--option {text!r}: {name} has an option of its own, {ELSEWHERE[name]}")
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        parsed = value
    return name, tuple(parsed) if isinstance(parsed, list) else parsed


def _typed(pairs: list[str] | None, conditional: bool, recipe: str) -> str:
    """Return the options that make the model what it is, as they were typed."""
    typed = [f" --option {shlex.quote(pair)}" for pair in pairs or []]
    return "".join(typed) + " --conditional" * conditional + (f" --recipe {recipe}" if recipe != "default" else "")


def learn(
    verb: str,
    reading: Reading,
    kind: str,
    latent_dims: list[int] | None,
    seed: int,
    options: dict[str, Any],
    typed: str,
    folder_options: tuple[Path | None, bool],
    log: str | None = None,
    draw: Callable[[Sweep, Dataset, Path], list[Path]] | None = None,
) -> None:
    """Read, train, and say what came out, also of an interrupted run; ``draw`` leaves more in the run's folder."""
    from narrows.estimators import ESTIMATORS
    from narrows.runs.files import checkpoints, new_folder, unfinished_folder
    from narrows.sweeps import Sweep

    dims = latent_dims or [ESTIMATORS[kind]().latent_dim]
    _check(verb, kind, dims, seed, log)
    leads = ESTIMATORS[kind](devices=options["devices"], nodes=options["nodes"]).leads
    out, resume = folder_options
    unfinished = unfinished_folder(out) if resume else None
    asked, ends = reading.kinds(options), reading.ends(options)
    dataset = reading.read(asked, shown=leads)
    options |= {"columns": asked} if asked else {}
    options |= {} if ends is None else {"scaling": ends}
    result = Sweep(dataset.X, dataset.y, latent_dims=dims, model=kind, random_state=seed, **options)
    if not leads:  # of the processes that torchrun has started, one writes and prints
        for _ in result.run():
            pass
        return
    folder = unfinished or new_folder(out, f"{verb}-{dataset.name}")
    _say_start(dataset, kind, result, options.get("columns"))
    if ends is not None:
        say_range(*ends)
    files, interrupted = _trained(result, dataset, folder, log, draw)
    say_next(verb, reading, typed, result, files)
    if interrupted:
        more = f"; the same command with --out {folder} --resume goes on" if checkpoints(folder) else ""
        print(f"\nInterrupted: what was trained until then is kept{more}.", file=sys.stderr)
        sys.exit(130)
    for checkpoint in checkpoints(folder):
        checkpoint.unlink()


def _check(verb: str, kind: str, latent_dims: list[int], seed: int, log: str | None) -> None:
    """Refuse what is not allowed before any data are read, by the names that a person has typed."""
    from narrows.estimators import ESTIMATORS
    from narrows.estimators.allowed import checks_of

    checks = checks_of(ESTIMATORS[kind])
    for latent_dim in latent_dims:
        checks["latent_dim"]("--latent-dim" if verb == "train" else "--latent-dims", latent_dim)
    checks["random_state"]("--seed", seed)
    if log is not None:
        from narrows.runs.tensorboard import check_log

        check_log(log)


def _trained(
    result: Sweep,
    dataset: Dataset,
    folder: Path,
    log: str | None,
    draw: Callable[[Sweep, Dataset, Path], list[Path]] | None,
) -> tuple[list[Path], bool]:
    """Train, and say how good it is; return the files in the ``folder``, and whether it was interrupted."""
    from narrows.cli.progress import watch
    from narrows.runs import learning

    interrupted, files = learning.train(result, dataset, folder, watch=watch, log=log)
    if not files:
        print("Interrupted before the first epoch ended: nothing was written.", file=sys.stderr)
        sys.exit(130)
    say_results(result)
    report = [] if interrupted else _evaluated(result, dataset, folder)
    drawn = draw(result, dataset, folder) if draw else []
    print()
    say_written([*drawn, *report, *files])
    return files, interrupted


def _evaluated(result: Sweep, dataset: Dataset, folder: Path) -> list[Path]:
    """Say what is wrong with the model to take, and write its report; return the files, or none if that fails."""
    from narrows.runs.evaluations import evaluate_run
    from narrows.runs.files import by_itself

    with by_itself("the model is saved, but was not evaluated"):
        evaluation, files = evaluate_run(result, dataset, folder)
        say_findings(evaluation.findings)
        return files
    return []


def _say_start(dataset: Dataset, kind: str, result: Sweep, asked: dict[str, str] | None) -> None:
    from narrows.runs.captions import passed_over
    from narrows.runs.kinds import kinds_in

    n, m = len(result.X_train), len(result.X_test)
    others = f"the other {m:,}" if n + m == len(dataset.X) else f"{m:,} of the others"
    print(
        f"{dataset.name}: {len(dataset.X):,} examples of shape {dataset.X.shape[1:]}; "
        f"training {kind} on {n:,}, evaluated on {others}"
    )
    for note in dataset.notes:
        print(note[0].upper() + note[1:])
    if kinds := kinds_in(result.X_train, asked):
        say_kinds(kinds, "results.json")
    if dataset.files is not None and dataset.files.rejected:
        print(f"{passed_over(dataset.files)}; `narrows data` lists them")
    if dataset.X.ndim > 2 and max(dataset.X.shape[1:3]) > LARGEST:
        print(f"Images of more than {LARGEST} pixels a side take long; {smaller(dataset)} is quicker.")
