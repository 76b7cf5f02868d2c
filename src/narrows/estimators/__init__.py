"""Models as scikit-learn estimators.

A named model says which bottleneck and objective it takes (see ``narrows.models``); everything else is common to all.
"""

from __future__ import annotations

import math
import os
import textwrap
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from narrows.arguments import choice, random_seed
from narrows.estimators.base import OWN, BottleneckEstimator
from narrows.estimators.deterministic import (
    WAE,
    Autoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    NoisyAutoencoder,
    RegularizedAutoencoder,
    SparseAutoencoder,
)
from narrows.estimators.quantised import FSQVAE, VQVAE
from narrows.estimators.reference import Reference
from narrows.estimators.variational import IWAE, VAE
from narrows.models.priors import PRIORS
from narrows.scaling import Scaling
from narrows.storage import Metadata, ModelFileError, read_model

__all__ = [
    "ESTIMATORS",
    "FSQVAE",
    "IWAE",
    "VAE",
    "VQVAE",
    "WAE",
    "Autoencoder",
    "ContractiveAutoencoder",
    "DenoisingAutoencoder",
    "NoisyAutoencoder",
    "RegularizedAutoencoder",
    "SparseAutoencoder",
    "load",
]

ESTIMATORS: dict[str, type[BottleneckEstimator]] = {
    kind.__name__: kind
    for kind in (
        Autoencoder,
        DenoisingAutoencoder,
        NoisyAutoencoder,
        SparseAutoencoder,
        ContractiveAutoencoder,
        RegularizedAutoencoder,
        VAE,
        IWAE,
        WAE,
        VQVAE,
        FSQVAE,
    )
}
"""The named models that a file or a command may ask for; no other name is ever looked up."""


def load(path: str | os.PathLike[str], *, net: tuple[nn.Module, nn.Module] | None = None) -> Any:
    """Return the fitted estimator that `save` wrote to ``path``: the same class, options and weights, bit for bit.

    Parameters
    ----------
    path
        The file.
    net
        Encoder and decoder as given to the estimator, if they were its user's own; their weights come from the file.

    Raises
    ------
    ValueError
        If the model has nets of its user's own and none are given, or the other way round.
    ModelFileError
        If the file is damaged, truncated, or no model of narrows.
    OSError
        If it cannot be read.
    """
    metadata, arrays = read_model(path)
    own = metadata.parameters.get("net") == OWN
    if own != (net is not None):
        told = "were its user's own; give them: load(path, net=(encoder, decoder))" if own else "are narrows' own"
        raise ValueError(f"{path}: the nets of this model {told}")
    try:
        return _restored(metadata, arrays, {"net": net} if own else {})
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        # Whole and well-typed, but its parts do not make a model: written by another version, or by hand.
        told = textwrap.shorten(str(error), 300, placeholder=" …")  # torch goes on to list every tensor
        raise ModelFileError(f"{path} holds parts that make no model of this version of narrows: {told}") from error


def _restored(metadata: Metadata, arrays: dict[str, NDArray[Any]], given: dict[str, Any]) -> BottleneckEstimator:
    kind = ESTIMATORS[choice("estimator", metadata.estimator, ESTIMATORS)]
    options = {
        name: tuple(value) if isinstance(value, list) else value for name, value in metadata.parameters.items()
    } | given
    estimator: BottleneckEstimator = cast("Any", kind)(**options)
    estimator.check_options()
    random_seed(estimator.random_state)
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ValueError("its tensors hold NaN or infinities")
    features = math.prod(metadata.input_shape)
    scaling = Scaling(metadata.scaling, arrays.pop("scaling.offset"), arrays.pop("scaling.scale"))
    if not scaling.offset.shape == scaling.scale.shape == (features,):
        raise ValueError(f"its scaling is for {scaling.scale.shape} features, its inputs have {features}")
    if (scaling.scale <= 0).any() or not metadata.history:
        raise ValueError("its scaling or its history is no fitted model's")
    if metadata.feature_names is not None and len(metadata.feature_names) != features:
        raise ValueError(f"it names {len(metadata.feature_names)} features of {features}")
    classes = metadata.classes or []
    if estimator.conditional and not classes:
        raise ValueError("it is conditional, but names no classes")
    with torch.device("meta"):  # takes no memory, whatever the file asks for
        model = estimator.build(tuple(metadata.input_shape), len(classes) if estimator.conditional else 0, scaling)
        prior = PRIORS[choice("prior", metadata.prior, PRIORS)]
        model.prior = prior(max(1, len(classes)), estimator.latent_dim, metadata.components)
    reference = {name[10:]: arrays.pop(name) for name in list(arrays) if name.startswith("reference.")}
    state = {name.removeprefix("model."): torch.from_numpy(array) for name, array in arrays.items()}
    if any(tensor.dtype == torch.float64 for tensor in state.values()):
        raise TypeError("its weights are not 32-bit floats")
    model.load_state_dict(state, assign=True)
    estimator.set_fitted(
        model,
        scaling,
        tuple(metadata.input_shape),
        metadata.seed,
        metadata.history,
        np.array(classes) if classes else None,
    )
    estimator.reference_ = Reference.of_tensors(reference, features)
    if metadata.validation_error is not None:
        mean, standard_error = metadata.validation_error
        estimator.validation_error_ = mean, standard_error
    estimator.n_features_in_ = features
    if metadata.feature_names is not None:
        estimator.feature_names_in_ = np.array(metadata.feature_names, dtype=object)
    return estimator
