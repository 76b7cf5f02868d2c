"""The verbs that judge: evaluate a model, find the odd ones among data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from narrows.cli.options import Data, Fit, Model, Out, Seed, number, say_written, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from narrows.evaluation.findings import Finding
    from narrows.evaluation.summary import Evaluation

__all__ = ["anomalies", "evaluate", "say_findings"]


def evaluate(
    model: Model,
    data: Data,
    samples: Annotated[
        int,
        typer.Option(
            parser=whole, metavar="K", help="Codes an example for the importance-sampled likelihood, say 5000."
        ),
    ] = 0,
    seed: Seed = 0,
    fit: Fit = "crop",
    out: Out = None,
) -> None:
    """Say how good a model is, in numbers and in words, by those of the data that it has not learnt from."""
    from narrows.cli.progress import reading
    from narrows.runs.evaluations import facts, write_evaluation
    from narrows.runs.files import new_folder
    from narrows.runs.opening import find_model, open_both

    with reading(data) as progress:
        estimator, dataset = open_both(model, data, fit=fit, progress=progress)
    evaluation = estimator.evaluate(dataset.X, dataset.y, factors=dataset.factors, samples=samples, random_state=seed)
    folder = new_folder(out, f"evaluate-{dataset.name}")
    path = find_model(model)
    python = (
        "from narrows import load\nfrom narrows.data import load_data\n\n"
        f"model, data = load({str(path)!r}), load_data({data!r})\n"
        f"evaluation = model.evaluate(data.X, data.y, samples={samples}, random_state={seed})"
    )
    name = type(estimator).__name__
    about = [
        ("Data", f"{dataset.name}: {evaluation.given:,} examples, {evaluation.learnt:,} of which it has learnt from"),
        *facts(estimator),
    ]
    title = f"{name} of {estimator.latent_dim} numbers, judged by {dataset.name}"
    files = write_evaluation(folder, estimator, dataset, evaluation, title=title, about=about, python=python)
    _say_numbers(evaluation)
    say_findings(evaluation.findings)
    print()
    say_written(files)


def _say_numbers(evaluation: Evaluation) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from narrows.runs.page import digits

    judged = f"{len(evaluation.places):,} of {evaluation.given:,} examples"
    known = f"; it has learnt from {evaluation.learnt:,}" if evaluation.learnt else ""
    table = Table(title=f"\nJudged by {judged}{known}", title_justify="left", title_style="", box=box.SIMPLE_HEAD)
    table.add_column("")
    for heading in ("value", "95 % interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("unit")
    group = ""
    for one in evaluation.numbers():
        if group not in ("", one.group):
            table.add_section()
        group, estimate = one.group, one.estimate
        interval = "" if estimate.low == estimate.high else f"{digits(estimate.low)} – {digits(estimate.high)}"
        table.add_row(one.name, digits(estimate.value), interval, "" if one.unit == evaluation.unit else one.unit)
    Console().print(table)
    print(f"Errors are {evaluation.unit}.")


def say_findings(findings: Sequence[Finding]) -> None:
    """Print what is wrong with a model, or that nothing was found."""
    if not findings:
        print("Diagnosis: no fault was found.")
    for found in findings:
        print(f"Diagnosis, {found.kind}: {found.words}\n  Seen: {found.figure}.\n  Try: {found.advice}")


def anomalies(
    model: Model,
    data: Data,
    false_alarms: Annotated[
        float | None,
        typer.Option(
            parser=number,
            metavar="RATE",
            help="Which part of ordinary examples may be called odd.",
            show_default="the model's, 0.05",
        ),
    ] = None,
    by: Annotated[str, typer.Option(metavar="WHAT", help="Odd by reconstruction or by likelihood.")] = "reconstruction",
    fit: Fit = "crop",
    out: Out = None,
) -> None:
    """Find the odd ones: a ranked list of all examples, and a sheet of the oddest with where they are odd."""
    from narrows.cli.progress import reading
    from narrows.runs.anomalies import write_anomalies
    from narrows.runs.files import new_folder
    from narrows.runs.opening import open_both

    with reading(data) as progress:
        estimator, dataset = open_both(model, data, fit=fit, progress=progress)
    if false_alarms is not None:
        estimator.set_params(false_alarms=false_alarms)
    threshold = estimator.anomaly_threshold(by)  # refuses before anything is written
    folder = new_folder(out, f"anomalies-{dataset.name}")
    odd, files = write_anomalies(folder, estimator, dataset, by)
    print(
        f"{(odd < 0).sum():,} of {len(odd):,} examples are odd: their score by {by} is above {threshold:.4g}, "
        f"which at most {estimator.false_alarms:.3g} of ordinary examples reach"
    )
    say_written(files)
