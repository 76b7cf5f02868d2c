"""Models as scikit-learn estimators.

A named model says which bottleneck and objective it takes (see ``narrows.models``); everything else is common to all.
"""

from __future__ import annotations

import textwrap
from typing import Any, cast

from torch import nn

from narrows.arguments import choice, plain
from narrows.estimators.base import BottleneckEstimator
from narrows.estimators.detector import OutlierDetector
from narrows.estimators.deterministic import (
    WAE,
    Autoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    NoisyAutoencoder,
    RegularizedAutoencoder,
    SparseAutoencoder,
)
from narrows.estimators.imputer import Imputer
from narrows.estimators.quantised import FSQVAE, VQVAE
from narrows.estimators.variational import IWAE, VAE
from narrows.fitted.saving import OWN, restored
from narrows.storage import Metadata, ModelFile, ModelFileError, Tensors, named, read_model
from narrows.training.own_state import in_own_state

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
    "Imputer",
    "NoisyAutoencoder",
    "OutlierDetector",
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


@in_own_state
def load(file: ModelFile, *, net: tuple[nn.Module, nn.Module] | None = None) -> BottleneckEstimator:
    """Return the fitted estimator that `save` wrote to ``file``: the same class, options and weights, bit for bit.

    Parameters
    ----------
    file
        Its path, or a file open for reading bytes, seekable or not, which is read to its end and stays open.
    net
        Encoder and decoder as given to the estimator, if they were your own; their weights come from the file.

    Raises
    ------
    TypeError
        If ``file`` is open as text.
    ValueError
        If the model has nets of your own and none are given, or the other way round.
    ModelFileError
        If the file is damaged, truncated, or not a model of narrows.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> import narrows
    >>> from sklearn.datasets import load_digits
    >>> X = load_digits().images[:200]
    >>> model = narrows.Autoencoder(latent_dim=8, epochs=2, random_state=0).fit(X)
    >>> path = tempfile.mkdtemp() + '/digits.safetensors'
    >>> model.save(path)
    >>> bool((narrows.load(path).transform(X) == model.transform(X)).all())
    True
    """
    metadata, arrays = read_model(file)
    own = metadata.parameters.get("net") == OWN
    if own != (net is not None):
        told = "were its user's own; give them: load(file, net=(encoder, decoder))" if own else "are narrows' own"
        raise ValueError(f"{named(file)}: the nets of this model {told}")
    try:
        return _restored(metadata, arrays, {"net": net} if own else {})
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        # Whole and well-typed, but its parts do not make a model: written by another version, or by hand.
        told = textwrap.shorten(str(error), 300, placeholder=" …")  # torch goes on to list every tensor
        raise ModelFileError(
            f"{named(file)} holds parts that do not make a model of this version of narrows: {told}"
        ) from error


def _restored(metadata: Metadata, arrays: Tensors, given: dict[str, Any]) -> BottleneckEstimator:
    kind = ESTIMATORS[choice("estimator", metadata.estimator, ESTIMATORS)]
    options = {name: plain(value) for name, value in metadata.parameters.items()}
    estimator: BottleneckEstimator = cast("Any", kind)(**options | given)
    estimator.check_options()
    of_all = {name: plain(value) for name, value in estimator.get_params().items() if name != "device"}
    estimator.fitted_ = restored(metadata, arrays, of_all | options, estimator.build)
    return estimator
