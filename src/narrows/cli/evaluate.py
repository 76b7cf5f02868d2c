"""The verbs that say how good or how odd: evaluate a model, find the odd ones among data, watch a stream of them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from narrows.cli.choosing import Data, Fit, Missing, Model, Out, Seed, marks, number, whole
from narrows.cli.progress import opened, reading, rows_done
from narrows.cli.saying import say_findings, say_written

if TYPE_CHECKING:
    from narrows.evaluation.summary import Evaluation

__all__ = ["CHANGED", "anomalies", "evaluate", "watch"]

CHANGED = 3
"""The exit status of a watch that has raised an alarm."""

NAMED = 5
"""Of the oddest examples, in a line."""

By = Annotated[
    str, typer.Option(metavar="WHAT", help="Score by auto, all that the model knows, reconstruction or likelihood.")
]


def evaluate(
    model: Model,
    data: Data,
    samples: Annotated[
        int,
        typer.Option(
            parser=whole, metavar="K", help="Codes per example for the importance-sampled likelihood, say 5000."
        ),
    ] = 0,
    new: Annotated[
        bool,
        typer.Option(
            "--new", help="Treat all data as new, even examples equal to some seen in training.", show_default=False
        ),
    ] = False,
    seed: Seed = 0,
    fit: Fit = "crop",
    out: Out = None,
) -> None:
    """Say how good a model is, in numbers and in words, on those of the data that it has not seen."""
    from narrows.runs import evaluations
    from narrows.runs.opening import find_model, open_both

    path = find_model(model)
    with reading(data) as progress:  # the diagnosis speaks of other units
        estimator, dataset = open_both(path, data, fit=fit, progress=progress)
    evaluation, files = evaluations.evaluate(
        estimator, dataset, out, model=path, data=data, new=new, samples=samples, seed=seed
    )
    _say_numbers(evaluation)
    say_findings(evaluation.findings)
    print()
    say_written(files)


def _say_numbers(evaluation: Evaluation) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from narrows.runs.section import four_digits, interval_of

    seen = f"; the model saw {evaluation.learnt:,} of them in training" if evaluation.learnt else ""
    repeated = f"; {evaluation.repeated:,} equal some that it saw" if evaluation.repeated else ""
    title = f"\nEvaluated on {len(evaluation.places):,} of {evaluation.given:,} examples{seen}{repeated}"
    table = Table(title=title, title_justify="left", title_style="", box=box.SIMPLE_HEAD)
    table.add_column("")
    for heading in ("value", "95 % interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("unit")
    group = ""
    for one in evaluation.numbers():
        if group not in ("", one.group):
            table.add_section()
        group, estimate = one.group, one.estimate
        interval = interval_of(estimate)
        table.add_row(one.name, four_digits(estimate.value), interval, "" if one.unit == evaluation.unit else one.unit)
    Console().print(table)
    print(f"Errors are {evaluation.unit}.")


def anomalies(
    model: Model,
    data: Data,
    false_alarms: Annotated[
        float | None,
        typer.Option(
            parser=number,
            metavar="RATE",
            help="The share of ordinary examples that may be called odd.",
            show_default="the model's, 0.05",
        ),
    ] = None,
    by: By = "auto",
    missing: Missing = None,
    fit: Fit = "crop",
    out: Out = None,
) -> None:
    """Find odd examples: a ranked list of all examples, and a sheet of the oddest that shows where they are odd."""
    from narrows.data.sources import is_large
    from narrows.runs import streaming
    from narrows.runs.anomalies import exceeded, find_anomalies
    from narrows.runs.captions import scored

    if is_large(data):
        done = streaming.anomalies(
            *(model, data, out), missing=marks(missing), by=by, false_alarms=false_alarms, told=rows_done(data)
        )
    else:
        done = find_anomalies(*opened(model, data, fit, missing=marks(missing)), out, by=by, false_alarms=false_alarms)
    found = done.numbers
    print(
        f"{found['odd']:,} of {found['examples']:,} examples are odd: their score{scored(by)} is above "
        f"{found['threshold']:.4g}, which {exceeded(found['promised'], found['contamination'])}"
    )
    if found["odd"]:
        named = found["oddest"][: min(found["odd"], NAMED)]
        print(f"The oddest: {', '.join(map(str, named))}")
    if found["contamination"] is None and found["held_out"] + 1 < 1 / found["false_alarms"]:
        print(
            f"A rate of {found['false_alarms']:g} cannot be promised: the training held out {found['held_out']:,} "
            f"examples, and this rate needs {math.ceil(1 / found['false_alarms']) - 1:,}."
        )
    say_written(done.files)


def watch(
    model: Model,
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="A .csv or .tsv file, a folder of Parquet parts or of images, or - for CSV on standard input.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where to keep how far it is: the same command goes on from there.",
            show_default="nowhere",
        ),
    ] = None,
    by: By = "auto",
    follow: Annotated[
        bool, typer.Option("--follow", help="At the end of the data, wait for more.", show_default=False)
    ] = False,
    every: Annotated[
        float | None,
        typer.Option(
            parser=number, metavar="SECONDS", help="How often to look for more, with --follow.", show_default="1"
        ),
    ] = None,
    missing: Missing = None,
    fit: Fit = "crop",
) -> int:
    """Watch examples as they come: exit status 3 as soon as they are no longer like the training's, 0 at the end."""
    if every is not None and not follow:
        raise ValueError(f"--every {every:g} has no effect without --follow")
    from narrows.cli.progress import looked_at
    from narrows.runs import watching

    wait = (1.0 if every is None else every) if follow else None
    found = watching.watch(model, data, out, by=by, missing=marks(missing), fit=fit, every=wait, told=looked_at(data))
    evidence = f"the evidence of a change is {found.log_capital:.2f}, and {found.enough:.2f} raises an alarm"
    if found.alarm is None:
        print(f"{found.examples:,} examples, no alarm: {evidence}")
        return 0
    print(
        f"Alarm at example {found.alarm:,}, counted from 0 ({found.where}): {evidence}; they are unlike the training's "
        f"since about example {found.since:,}"
    )
    return CHANGED
