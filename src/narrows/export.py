"""A fitted model as ONNX files, which run without torch and narrows: on servers, in browsers, on telephones.

What is before and after the nets is inside: examples go in, and come out, in the shape and units of the training data.
An ONNX file has one entry, so there are three: the whole path, and its halves, since whoever sends codes needs only the
encoder, and whoever receives them only the decoder. They are written once onnxruntime has computed with them what torch
does.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from torch import Tensor, nn

from narrows.estimators.base import BottleneckEstimator
from narrows.estimators.rows import rows_of
from narrows.exported import TOLERANCE, difference, dtype_of, numbers_of_classes
from narrows.fitted.described import described
from narrows.fitted.fitted import Fitted
from narrows.storage import versions, write_atomically
from narrows.training.own_state import in_own_state

__all__ = ["TOLERANCE", "Exported", "targets", "to_onnx"]

MOST_EXAMPLES = 256
"""That the files are tried on."""

GAPS = 0.2
"""Share of a table's cells that are missing where the files are tried on drawn rows."""

LARGEST_FILE = 2**31 - 2**20
"""Bytes of weights: an ONNX file holds at most two gigabytes."""

TALKATIVE = (
    "torch.onnx._internal.exporter._registration",
    "torch.onnx._internal.exporter._compat",
    "onnxscript.version_converter",
)
"""Loggers that speak of what is no concern of a user's, or is checked here."""

TANH_IS_1 = 10.0
"""Beyond which tanh is 1 in 32 bits: OpenCV's is NaN from 45 on."""

INPUTS = {"whole": "x", "encoder": "x", "decoder": "code"}
OUTPUTS = {"whole": "reconstruction", "encoder": "code", "decoder": "reconstruction"}


@dataclass(frozen=True, slots=True)
class Exported:
    """What `to_onnx` wrote.

    Attributes
    ----------
    whole, encoder, decoder, coding
        The files; the last says how a table's values become cells, and is None for others.
    dtype
        Of the examples that go in and come out, ``"float32"`` or ``"float64"``; codes have 32 bits.
    difference
        The largest to torch that was seen, in scaled units; of codes, relative to the largest number in one, if that is
        more than 1.
    examples
        How many it was seen on.
    """

    whole: Path
    encoder: Path
    decoder: Path
    coding: Path | None
    dtype: str
    difference: float
    examples: int


@in_own_state
def to_onnx(
    estimator: BaseEstimator,
    path: str | os.PathLike[str],
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    opset: int | None = None,
    ir_version: int | None = None,
) -> Exported:
    """Write a fitted model as ``NAME.onnx``, ``NAME-encoder.onnx`` and ``NAME-decoder.onnx``, if they do as torch does.

    ======= ================================== ===========================================
    file    input                              output
    ======= ================================== ===========================================
    whole   ``x``, examples (n, …)             ``reconstruction`` (n, …), as `reconstruct`
    encoder ``x``                              ``code`` (n, latent_dim), as `transform`
    decoder ``code`` (n, latent_dim)           ``reconstruction``, as `inverse_transform`
    ======= ================================== ===========================================

    Examples are 32-bit floats, or 64-bit ones where the training data's offset is large compared with their scale (as
    for dates), which OpenVINO computes in 32 bits all the same; convert bytes. For a conditional model, each file has a
    second input ``y`` (n,) of 64-bit integers: the classes if those are integers of 32 bits, else their indices in the
    metadata's ``classes``; an unknown one gives NaN.
    The metadata also name the version of narrows, the model, ``input_shape``, ``latent_dim`` and the units.

    A model of a table takes and returns cells, (n, columns), one number each, NaN where missing; ``NAME.json`` says how
    a column's values become cells, and back.

    Parameters
    ----------
    estimator
        A fitted model, or a finished search, whose best one is taken.
    path
        ``NAME.onnx``; files of these names are replaced.
    X, y
        Examples to compare with torch on, of which the first 256 are taken, and for a conditional model their classes;
        None draws them from the prior.
    opset, ir_version
        Of the ONNX files, for a runtime that is older than torch's exporter expects; None leaves both to torch.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is no model of narrows, or a pipeline: what its other steps do would not be in the files.
    ValueError
        If the path has another ending or its folder is not there, onnx, onnxscript or onnxruntime is not installed,
        the model is too large for a file, ``X`` or ``y`` are not as `reconstruct` takes them, or torch, onnx or
        onnxruntime does not have that ``opset`` or ``ir_version``.
    FloatingPointError
        If an output is further than 1e-5 in scaled units from torch's. Of a quantised code, one example in a hundred
        may be: rounding decides which code it gets, if it lies between two. Then nothing is written.
    """
    path, model = Path(path), _model_of(estimator)
    fitted = model.fitted_
    _check(fitted, path)
    given, classes = _drawn(model) if X is None else (_given(model, X), y)
    few: Any = given[:MOST_EXAMPLES]
    known = None if classes is None else np.asarray(classes)[:MOST_EXAMPLES]
    files = {part: _serialised(InUnits(fitted, part), fitted, opset, ir_version) for part in INPUTS}
    # One alone too: a graph may hold on to the number of examples that it was made with.
    alone = few[:1], None if known is None else known[:1]
    apart = max(difference(model, files, few, known), difference(model, files, *alone))
    written = targets(path)
    for part, data in files.items():
        write_atomically(written[part], data)
    coding = None
    if fitted.table is not None:
        coding = path.with_suffix(".json")
        told = json.dumps(described(fitted.table), indent=2, ensure_ascii=False) + "\n"
        write_atomically(coding, told.encode())
    return Exported(**written, coding=coding, dtype=dtype_of(fitted).name, difference=apart, examples=len(few))


def targets(path: Path) -> dict[str, Path]:
    """Return the files that `to_onnx` writes for ``NAME.onnx``, by what of the model they hold."""
    return {part: path if part == "whole" else path.with_stem(f"{path.stem}-{part}") for part in INPUTS}


def _model_of(estimator: BaseEstimator) -> BottleneckEstimator:
    """Return the model of narrows that ``estimator`` is, or that a search has found the best."""
    found = getattr(estimator, "best_estimator_", estimator)
    if isinstance(found, Pipeline):
        steps = ", ".join(name for name, step in found.steps[:-1] if step not in (None, "passthrough"))
        if steps:
            raise TypeError(
                f"the steps {steps} of the pipeline would not be in the ONNX files; export its last step alone, "
                "pipeline[-1], and give the files what those steps make of the examples"
            )
        found = found[-1]
    if not isinstance(found, BottleneckEstimator):
        raise TypeError(f"{type(found).__name__} is not a model of narrows; to_onnx takes a fitted one, such as a VAE")
    return found


class InUnits(nn.Module):
    """A part of a fitted model between examples in the user's units and codes.

    Parameters
    ----------
    fitted
        The model.
    part
        ``"whole"``, ``"encoder"`` or ``"decoder"``.
    """

    offset: Tensor
    scale: Tensor
    known: Tensor

    def __init__(self, fitted: Fitted, part: str) -> None:
        super().__init__()
        self.part, self.shape, self.model = part, fitted.input_shape, fitted.model
        dtype = dtype_of(fitted)
        self.register_buffer("offset", torch.from_numpy(fitted.scaling.offset.astype(dtype)))
        self.register_buffer("scale", torch.from_numpy(fitted.scaling.scale.astype(dtype)))
        if fitted.conditional:
            self.register_buffer("known", torch.from_numpy(numbers_of_classes(fitted)))

    def forward(self, given: Tensor, y: Tensor | None = None) -> Tensor:
        """Return the output of examples (n, …) or codes (n, latent_dim), and, of a conditional model, classes (n,)."""
        if y is None:
            return self._output(given, None)
        same = y[:, None] == self.known
        output = self._output(given, same.float())
        # A graph cannot raise an error. At its end, for some runtimes' activations make a number of NaN.
        return output.where(same.any(1).view(-1, *(1 for _ in output.shape[1:])), math.nan)

    def _output(self, given: Tensor, context: Tensor | None) -> Tensor:
        z = given
        if self.part != "decoder":
            z = self.model.encode(((given.flatten(1) - self.offset) / self.scale).float(), context)
        if self.part == "encoder":
            return z
        h = self.model.output(self.model.bottleneck.snap(z), context)
        rows = self.model.likelihood.mean(h).to(self.scale) * self.scale + self.offset
        examples: Tensor = rows.unflatten(1, self.shape)
        return examples


def _check(fitted: Fitted, path: Path) -> None:
    """Refuse what would fail only after the work is done."""
    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(f"exporting needs {missing[0]}, which is not installed: pip install 'narrows[onnx]'")
    if path.suffix != ".onnx":
        raise ValueError(f"path={str(path)!r} must end in .onnx")
    if not path.parent.is_dir():
        raise ValueError(f"path={str(path)!r} is in a folder that does not exist")
    size = sum(tensor.nbytes for tensor in fitted.model.parameters())
    if size > LARGEST_FILE:
        raise ValueError(f"the model has {size:,} bytes of weights, and an ONNX file holds at most {LARGEST_FILE:,}")


def _given(estimator: BottleneckEstimator, X: Any) -> Any:
    """Return examples as an array or a frame, of a table as cells."""
    if estimator.fitted_.table is not None:
        return rows_of(estimator, X).rows()
    return X if hasattr(X, "shape") else np.asarray(X)  # rows keep the names of their columns


def _drawn(estimator: BottleneckEstimator) -> tuple[Any, NDArray[np.generic] | None]:
    """Return examples from the prior, as the training data were: with classes, column names."""
    fitted = estimator.fitted_
    y = np.resize(fitted.require_classes(), MOST_EXAMPLES) if fitted.conditional else None
    drawn = estimator.sample(MOST_EXAMPLES, y, random_state=0)
    if fitted.table is not None:
        cells = _given(estimator, drawn)
        gaps = np.random.default_rng(0).random(cells.shape) < GAPS
        gaps[:, 0] = False  # a row is known by something
        return np.where(gaps, np.nan, cells), y
    X = np.asarray(drawn)
    return X if fitted.feature_names is None else pd.DataFrame(X, columns=fitted.feature_names), y


def _serialised(module: InUnits, fitted: Fitted, opset: int | None, ir_version: int | None) -> bytes:
    """Return a part as the bytes of an ONNX file."""
    n = torch.export.Dim("n")  # any; two in the example, since torch takes one for a constant
    of_codes = module.part == "decoder"
    given = [torch.zeros(2, fitted.latent_dim)] if of_codes else [torch.zeros(2, *module.shape).to(module.scale)]
    names = [INPUTS[module.part]]
    if fitted.conditional:
        given.append(module.known[[0, 0]])
        names.append("y")
    with _quiet():
        program = torch.onnx.export(
            module.eval(),
            tuple(given),
            dynamo=True,
            verbose=False,
            input_names=names,
            output_names=[OUTPUTS[module.part]],
            dynamic_shapes=tuple({0: n} for _ in given),
            opset_version=opset,
            custom_translation_table={torch.ops.aten.tanh.default: _tanh},
        )
    assert program is not None
    graph = program.model.graph
    for part in (graph, *graph):
        part.metadata_props.clear()  # where in torch and in whose folders each was made
    program.model.metadata_props.update(_metadata(fitted, module.part))
    written = program.model.opset_imports[""]
    if opset not in {None, written}:
        raise ValueError(
            f"opset={opset} is not available: torch writes this model in {written}, which cannot be converted"
        )
    if ir_version is not None:
        program.model.ir_version = ir_version
    data: bytes = program.model_proto.SerializeToString()
    return data


def _tanh(x: Any) -> Any:
    from onnxscript import opset18

    return opset18.Tanh(opset18.Clip(x, -TANH_IS_1, TANH_IS_1))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what torch says of itself, of opsets, and of torchvision, whose operators no model has."""
    loggers = [logging.getLogger(name) for name in TALKATIVE]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            # Torch copies its own trees of arguments in a way that it has deprecated.
            warnings.filterwarnings("ignore", "`isinstance.treespec, LeafSpec.` is deprecated", FutureWarning)
            # Of several inputs with as many rows it names the number of rows once.
            warnings.filterwarnings("ignore", "# The axis name: n will not be used", UserWarning)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _metadata(fitted: Fitted, part: str) -> dict[str, str]:
    """Return what a file says of itself; whatever is not text as JSON."""
    scaling = fitted.scaling
    of_all = f", which reach from {scaling.offset.min():g} to {(scaling.offset + scaling.scale).max():g}"
    facts = {
        "narrows": versions()["narrows"],
        "model": fitted.kind,
        "part": part,
        "input_shape": json.dumps(fitted.input_shape),
        "latent_dim": json.dumps(fitted.latent_dim),
        "units": "the training data's own" + (of_all if scaling.unit_interval else ""),
    }
    if fitted.conditional:
        facts["classes"] = json.dumps(fitted.require_classes().tolist())
    if fitted.feature_names is not None:
        facts["feature_names"] = json.dumps(fitted.feature_names)
    return facts
