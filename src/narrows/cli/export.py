"""The verb export: a model for onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from narrows.cli.choosing import Fit, Model, whole
from narrows.cli.progress import opened
from narrows.cli.saying import say_written

__all__ = ["export"]


File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE.onnx",
        help="A new file for the whole path; encoder and decoder are written next to it.",
        show_default=False,
    ),
]
Compared = Annotated[
    str | None,
    typer.Option(
        metavar="DATA",
        help="Data on which to compare with torch: digits, mnist, or a file or folder.",
        show_default="the named set that a run was trained on, else the model's own samples",
    ),
]
Opset = Annotated[
    int | None,
    typer.Option(
        parser=whole,
        metavar="N",
        help="ONNX operator set (opset) version, for an older runtime.",
        show_default="torch's",
    ),
]
IrVersion = Annotated[
    int | None,
    typer.Option(
        parser=whole, metavar="N", help="ONNX file format (IR) version, for an older runtime.", show_default="torch's"
    ),
]


def export(
    model: Model,
    file: File,
    data: Compared = None,
    opset: Opset = None,
    ir_version: IrVersion = None,
    fit: Fit = "crop",
) -> None:
    """Write a model for onnxruntime, which needs neither torch nor narrows: the whole path, its encoder, its decoder.

    Scaling is inside: examples go in and come out in the training data's shape and units. The files are written only if
    onnxruntime computes with them what torch does, to 1e-5 in scaled units.
    """
    from narrows import load
    from narrows.runs import exporting, opening

    source = data or opening.named_set(model)
    if source is None:
        estimator, dataset = load(opening.find_model(model)), None
        of = "drawn from the model's prior; --data DATA compares on yours"
    else:
        estimator, dataset = opened(model, source, fit)
        of = f"of {dataset.name}"
    done = exporting.export(estimator, file, dataset, opset=opset, ir_version=ir_version)
    print(f"At most {done.difference:.1e} from torch, in scaled units, on {done.examples} examples {of}")
    if done.dtype == "float64":
        print("Examples are 64-bit floats, since 32 bits would lose digits; OpenVINO computes them in 32 all the same")
    print("\nTo run it:")
    print("", *exporting.python_lines(estimator.fitted_, done), sep="\n  ", end="\n\n")
    say_written([done.whole, done.encoder, done.decoder, *([done.coding] if done.coding else [])])
