"""The verb export: a model for onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from narrows.cli.choosing import Fit, Model, whole
from narrows.cli.progress import opened
from narrows.cli.saying import say_written

if TYPE_CHECKING:
    from narrows.estimators.base import BottleneckEstimator
    from narrows.export import Exported

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
        help="To compare with torch on: digits, mnist, or a file or folder.",
        show_default="the named set that a run was trained on, else the model's own samples",
    ),
]
Opset = Annotated[
    int | None,
    typer.Option(parser=whole, metavar="N", help="ONNX's operators, of an older runtime.", show_default="torch's"),
]
IrVersion = Annotated[
    int | None, typer.Option(parser=whole, metavar="N", help="ONNX's file format, likewise.", show_default="torch's")
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
    from narrows.export import to_onnx
    from narrows.runs import opening

    for path in (file, *(file.with_stem(f"{file.stem}-{part}") for part in ("encoder", "decoder"))):
        if path.exists():
            raise ValueError(f"{path} is there already; name a new file")
    source = data or _remembered(opening.find_model(model))
    if source is None:
        estimator = load(opening.find_model(model))
        done = to_onnx(estimator, file, opset=opset, ir_version=ir_version)
        of = "drawn from the model's prior; --data DATA compares on yours"
    else:
        estimator, dataset = opened(model, source, fit)
        done = to_onnx(estimator, file, dataset.X, dataset.y, opset=opset, ir_version=ir_version)
        of = f"of {dataset.name}"
    print(f"At most {done.difference:.1e} from torch, in scaled units, on {done.examples} examples {of}")
    print("\nTo run it:")
    print("", *_python(estimator, done), sep="\n  ", end="\n\n")
    say_written([done.whole, done.encoder, done.decoder])


def _remembered(model: Path) -> str | None:
    """Return the named set that the run of a model file was trained on, if there is one."""
    from narrows import load
    from narrows.data import load_data
    from narrows.runs.opening import remembered, results_beside

    results = results_beside(model)
    return remembered(results, load(model).fitted_.input_shape, lambda name, shape: load_data(name, like=shape))


def _python(estimator: BottleneckEstimator, done: Exported) -> list[str]:
    """Return the lines that run the files on one example, which is to replace the zeros."""
    fitted = estimator.fitted_
    x = f'numpy.zeros({(1, *fitted.input_shape)}, "{done.dtype}")'
    y = ', "y": y' if fitted.conditional else ""
    names = "x, y" if fitted.conditional else "x"
    values = f'{x}, numpy.array([0], "int64")' if fitted.conditional else x
    whole, encoder, decoder = (repr(str(file)) for file in (done.whole, done.encoder, done.decoder))
    return [
        "import numpy, onnxruntime",
        f"{names} = {values}  # your examples, in the training data's units",
        f'(restored,) = onnxruntime.InferenceSession({whole}).run(None, {{"x": x{y}}})',
        f'(code,) = onnxruntime.InferenceSession({encoder}).run(None, {{"x": x{y}}})',
        f'(decoded,) = onnxruntime.InferenceSession({decoder}).run(None, {{"code": code{y}}})',
    ]
