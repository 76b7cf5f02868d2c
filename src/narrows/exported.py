"""What ONNX files make of examples, and how far that is from what torch does."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from narrows.estimators.base import BottleneckEstimator
from narrows.estimators.targets import examples_of
from narrows.fitted.fitted import Fitted
from narrows.fitted.source import Source
from narrows.models.bottlenecks import FiniteScalar, VectorQuantiser

__all__ = ["TOLERANCE", "difference", "dtype_of", "numbers_of_classes"]

TOLERANCE = 1e-5
"""How far from torch an output may be, in scaled units."""

FLOAT32_REACH = 16
"""How many times its scale an offset may be, for 32-bit floats to hold an example to 1e-6 in scaled units."""

FAR_CLASS = 2**31
"""The first whole number that does not fit into 32 bits."""


def dtype_of(fitted: Fitted) -> np.dtype[Any]:
    """Return the type of the examples: 64-bit floats where 32 bits cannot tell apart what the scaling does."""
    reach = np.abs(fitted.scaling.offset / fitted.scaling.scale).max()
    return np.dtype(np.float64 if reach > FLOAT32_REACH else np.float32)


def numbers_of_classes(fitted: Fitted) -> NDArray[np.int64]:
    """Return the numbers that stand for the classes: themselves if they are integers of 32 bits, else their indices."""
    classes = fitted.require_classes()
    # Of 64 bits OpenVINO compares the lower 32, and takes different classes for one.
    whole = classes.dtype.kind in "iu" and np.abs(classes.astype(np.float64)).max() < FAR_CLASS
    return classes.astype(np.int64) if whole else np.arange(len(classes))


def difference(estimator: BottleneckEstimator, files: dict[str, bytes], X: Any, y: NDArray[Any] | None) -> float:
    """Return how far the files' outputs are from torch's, in scaled units.

    Raises
    ------
    FloatingPointError
        If it is more than `TOLERANCE`.
    """
    fitted = estimator.fitted_
    code, restored = _by_torch(estimator, X, y) if fitted.table is None else _of_cells(estimator, X, y)
    x = np.asarray(X, dtype_of(fitted)).reshape(len(X), *fitted.input_shape)
    scale = fitted.scaling.scale.reshape(fitted.input_shape)
    worst = 0.0
    for part, data in files.items():
        found = _run(data, code if part == "decoder" else x, _numbered(fitted, y))
        if part == "encoder":
            apart = np.abs(found - code) / max(1.0, float(np.abs(code).max()))
        else:
            expected = restored[part].reshape(x.shape)
            apart = np.abs(found - expected) / scale
        each = np.sort(apart.reshape(len(x), -1).max(1))
        between = len(each) // 100 if isinstance(fitted.model.bottleneck, FiniteScalar | VectorQuantiser) else 0
        own = float(each[-1 - between])
        if not own <= TOLERANCE:
            raise FloatingPointError(
                f"the exported {part} differs from torch by {own:.2g} in scaled units; at most {TOLERANCE:g} is "
                "allowed, so nothing was written"
            )
        worst = max(worst, own)
    return worst


def _by_torch(
    estimator: BottleneckEstimator, X: Any, y: NDArray[Any] | None
) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    """Return the codes of examples, and what comes of both ways back."""
    code = estimator.transform(X, y)
    both = {"whole": estimator.reconstruct(X, y), "decoder": estimator.inverse_transform(code, y)}
    return code, {part: np.asarray(examples) for part, examples in both.items()}


def _of_cells(
    estimator: BottleneckEstimator, cells: NDArray[np.float64], y: NDArray[Any] | None
) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    """Return `_by_torch` of a table's cells, before they are rounded to values of their columns."""
    fitted = estimator.fitted_
    examples = examples_of(fitted, Source(cells, cells.shape, streamed=False), y)
    passes, context = fitted.on("cpu"), examples.context
    z = passes.posterior(examples).mean
    both = {"whole": passes.reconstructed(examples), "decoder": passes.decoded(z, context)}
    return z.numpy(), {part: fitted.scaling.undo(found) for part, found in both.items()}


def _numbered(fitted: Fitted, y: NDArray[Any] | None) -> NDArray[np.int64] | None:
    """Return the classes of examples as a file takes them, if it does."""
    if not fitted.conditional:
        return None
    return numbers_of_classes(fitted)[np.searchsorted(fitted.require_classes(), y)]  # type: ignore[arg-type]


def _run(data: bytes, given: NDArray[Any], y: NDArray[np.int64] | None) -> NDArray[Any]:
    """Return what onnxruntime makes of an input."""
    import onnxruntime
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail

    try:
        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    except Fail as error:
        raise ValueError(f"onnxruntime {onnxruntime.__version__} cannot load the file: {error}") from error
    inputs = [given] if y is None else [given, y]
    names = [one.name for one in session.get_inputs()]
    (output,) = session.run(None, dict(zip(names, inputs, strict=True)))
    found: NDArray[Any] = output
    return found
