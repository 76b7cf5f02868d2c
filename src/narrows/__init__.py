"""narrows: generative models with a bottleneck, for people's own images and tables.

The public names are loaded when they are first asked for, so that ``import narrows`` brings no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from narrows import latent, recipes
    from narrows.estimators import (
        FSQVAE,
        IWAE,
        VAE,
        VQVAE,
        WAE,
        Autoencoder,
        ContractiveAutoencoder,
        DenoisingAutoencoder,
        Imputer,
        NoisyAutoencoder,
        OutlierDetector,
        RegularizedAutoencoder,
        SparseAutoencoder,
        load,
    )
    from narrows.scorer import Scorer
    from narrows.storage import ModelFileError
    from narrows.sweeps import sweep

__all__ = [
    "FSQVAE",
    "IWAE",
    "VAE",
    "VQVAE",
    "WAE",
    "Autoencoder",
    "ContractiveAutoencoder",
    "DenoisingAutoencoder",
    "Imputer",
    "ModelFileError",
    "NoisyAutoencoder",
    "OutlierDetector",
    "RegularizedAutoencoder",
    "Scorer",
    "SparseAutoencoder",
    "latent",
    "load",
    "recipes",
    "sweep",
]

_HOMES = {
    "Autoencoder": "estimators",
    "ContractiveAutoencoder": "estimators",
    "DenoisingAutoencoder": "estimators",
    "FSQVAE": "estimators",
    "IWAE": "estimators",
    "Imputer": "estimators",
    "NoisyAutoencoder": "estimators",
    "OutlierDetector": "estimators",
    "RegularizedAutoencoder": "estimators",
    "SparseAutoencoder": "estimators",
    "VAE": "estimators",
    "VQVAE": "estimators",
    "WAE": "estimators",
    "ModelFileError": "storage",
    "Scorer": "scorer",
    "load": "estimators",
    "sweep": "sweeps",
}


def __getattr__(name: str) -> Any:
    if name in ("latent", "recipes"):
        return import_module(f"narrows.{name}")
    if name in _HOMES:
        return getattr(import_module(f"narrows.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'narrows' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
