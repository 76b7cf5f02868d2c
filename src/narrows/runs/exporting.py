"""A model for onnxruntime, compared with torch on data, and the lines that run it."""

from __future__ import annotations

from pathlib import Path

from narrows.data.dataset import Dataset
from narrows.estimators.base import BottleneckEstimator
from narrows.export import Exported, targets, to_onnx
from narrows.fitted.fitted import Fitted

__all__ = ["export", "python_lines"]


def export(
    estimator: BottleneckEstimator,
    file: Path,
    dataset: Dataset | None = None,
    *,
    opset: int | None = None,
    ir_version: int | None = None,
) -> Exported:
    """Write a model's whole path, encoder and decoder as new ONNX files.

    Parameters
    ----------
    estimator
        A model.
    file
        ``NAME.onnx``; the others are written next to it.
    dataset
        Of which some examples are taken to compare with torch on; None draws them from the model's prior.
    opset, ir_version
        As in `narrows.export.to_onnx`, whose errors come too.

    Raises
    ------
    ValueError
        If one of the files already exists.
    """
    coding = [file.with_suffix(".json")] * (estimator.table_ is not None)
    for path in [*targets(file).values(), *coding]:
        if path.exists():
            raise ValueError(f"{path} already exists; name a new file")
    X, y = (None, None) if dataset is None else (dataset.X, dataset.y)
    return to_onnx(estimator, file, X, y, opset=opset, ir_version=ir_version)


def python_lines(fitted: Fitted, done: Exported) -> list[str]:
    """Return the lines that run the files on one example, which is to replace the zeros."""
    x = f'numpy.zeros({(1, *fitted.input_shape)}, "{done.dtype}")'
    y = ', "y": y' if fitted.conditional else ""
    told = "in the training data's units" if done.coding is None else f"as cells, by {str(done.coding)!r}"
    names = "x, y" if fitted.conditional else "x"
    values = f'{x}, numpy.array([0], "int64")' if fitted.conditional else x
    whole, encoder, decoder = (repr(str(file)) for file in (done.whole, done.encoder, done.decoder))
    return [
        "import numpy, onnxruntime",
        f"{names} = {values}  # your examples, {told}",
        f'(restored,) = onnxruntime.InferenceSession({whole}).run(None, {{"x": x{y}}})',
        f'(code,) = onnxruntime.InferenceSession({encoder}).run(None, {{"x": x{y}}})',
        f'(decoded,) = onnxruntime.InferenceSession({decoder}).run(None, {{"code": code{y}}})',
    ]
