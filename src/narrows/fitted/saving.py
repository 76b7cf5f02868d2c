"""A `Fitted` as a model file's metadata and tensors, and back."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from narrows.arguments import choice
from narrows.columns.coded import Coded
from narrows.columns.table import Table
from narrows.fitted.fitted import Fitted
from narrows.fitted.frame import Frame
from narrows.fitted.reference import Reference
from narrows.models.model import BottleneckModel
from narrows.models.priors import PRIORS
from narrows.scaling import Scaling
from narrows.storage import Metadata, Tensors, versions

__all__ = ["OWN", "contents", "restored"]

OWN = "own"
"""What the option ``net`` is, in a file, of nets that it cannot rebuild."""


def contents(fitted: Fitted) -> tuple[Metadata, Tensors]:
    """Return what a file says of ``fitted``, and its tensors."""
    metadata = Metadata(
        estimator=fitted.kind,
        parameters={name: list(value) if isinstance(value, tuple) else value for name, value in fitted.options.items()},
        input_shape=list(fitted.input_shape),
        feature_names=None if fitted.feature_names is None else list(fitted.feature_names),
        frame=None if fitted.frame is None else fitted.frame.library,
        dtypes=None if fitted.frame is None else list(fitted.frame.dtypes),
        scaling=fitted.scaling.kind,
        classes=None if fitted.classes is None else fitted.classes.tolist(),
        prior=next(name for name, kind in PRIORS.items() if type(fitted.model.prior) is kind),
        components=fitted.model.prior.components,
        seed=fitted.seed,
        history=[dict(row) for row in fitted.history],
        validation_error=None if fitted.validation_error is None else list(fitted.validation_error),
        versions=versions(),
        table=None if fitted.table is None else fitted.table.plain(),
    )
    tensors = {f"model.{name}": tensor.numpy() for name, tensor in fitted.model.state_dict().items()}
    scaling = {"scaling.offset": fitted.scaling.offset, "scaling.scale": fitted.scaling.scale}
    reference = {f"reference.{name}": array for name, array in fitted.reference.tensors().items()}
    return metadata, tensors | scaling | reference


def restored(
    metadata: Metadata,
    arrays: Tensors,
    options: dict[str, Any],
    build: Callable[[tuple[int, ...], int, Scaling, Table | None], BottleneckModel],
) -> Fitted:
    """Return what `contents` wrote.

    Parameters
    ----------
    metadata, arrays
        As read, and not yet believed.
    options
        Of the fit, checked.
    build
        (shape of an example, classes of a conditional model or 0, scaling, table) ↦ the untrained model of these
        options.

    Raises
    ------
    KeyError, TypeError, ValueError, RuntimeError
        If they make no model.
    """
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ValueError("its tensors hold NaN or infinities")
    arrays, shape, classes = dict(arrays), tuple(metadata.input_shape), metadata.classes or []
    features = math.prod(shape)
    if not metadata.history:
        raise ValueError("its history cannot come from a fitted model")
    table = _table(metadata, shape)
    if options["conditional"] and not classes:
        raise ValueError("it is conditional, but names no classes")
    error = None if metadata.validation_error is None else (metadata.validation_error[0], metadata.validation_error[1])
    scaling = _scaling(metadata, arrays, features)
    reference = {name[10:]: arrays.pop(name) for name in list(arrays) if name.startswith("reference.")}
    with torch.device("meta"):  # takes no memory, whatever the file asks for
        model = build(shape, len(classes) if options["conditional"] else 0, scaling, table)
        prior = PRIORS[choice("prior", metadata.prior, PRIORS)]
        model.prior = prior(max(1, len(classes)), model.prior.latent_dim, metadata.components)
    return Fitted(
        kind=metadata.estimator,
        options=options,
        model=_filled(model, arrays),
        scaling=scaling,
        input_shape=shape,
        feature_names=None if metadata.feature_names is None else tuple(metadata.feature_names),
        frame=None if metadata.frame is None else Frame(metadata.frame, tuple(metadata.dtypes or [])),
        classes=np.array(classes) if classes else None,
        history=tuple(metadata.history),
        seed=metadata.seed,
        validation_error=error,
        reference=Reference.of_tensors(
            reference,
            features,
            features if table is None else Coded(table.modelled).width,
            model.prior.latent_dim,
            len(classes) if options["conditional"] else 0,
        ),
        table=table,
    )


def _table(metadata: Metadata, shape: tuple[int, ...]) -> Table | None:
    """Return the table that examples of that shape come from, if any, once it and all names agree with the shape."""
    features = math.prod(shape)
    table = None if metadata.table is None else Table.of_plain(metadata.table)
    columns = features if table is None else len(table.columns)
    if table is not None and shape != (len(table.modelled),):
        raise ValueError(
            f"its table has {len(table.modelled)} columns to learn from, but its inputs have the shape {shape}"
        )
    if metadata.feature_names is not None and len(metadata.feature_names) != columns:
        raise ValueError(f"it names {len(metadata.feature_names)} features, but has {features}")
    if metadata.frame is not None and len(metadata.dtypes or []) != features:
        raise ValueError(f"it has {len(metadata.dtypes or [])} types of columns for {features} features")
    return table


def _scaling(metadata: Metadata, arrays: dict[str, NDArray[Any]], features: int) -> Scaling:
    """Take the scaling out of ``arrays``."""
    scaling = Scaling(metadata.scaling, arrays.pop("scaling.offset"), arrays.pop("scaling.scale"))
    if not scaling.offset.shape == scaling.scale.shape == (features,):
        raise ValueError(f"its scaling is for {scaling.scale.shape} features, but its inputs have {features}")
    if (scaling.scale <= 0).any():
        raise ValueError("its scaling cannot come from a fitted model")
    return scaling


def _filled(model: BottleneckModel, arrays: dict[str, NDArray[Any]]) -> BottleneckModel:
    """Give ``model``, built without memory, its tensors."""
    state = {name.removeprefix("model."): torch.from_numpy(array) for name, array in arrays.items()}
    if any(tensor.dtype == torch.float64 for tensor in state.values()):
        raise TypeError("its weights are not 32-bit floats")
    model.load_state_dict(state, assign=True)
    return model.eval()
