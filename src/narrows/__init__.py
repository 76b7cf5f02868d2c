"""narrows: generative models with a bottleneck, for people's own images and tables.

The public names are loaded when they are first asked for, so that ``import narrows`` brings no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from narrows import recipes
    from narrows.estimators import Autoencoder, load
    from narrows.storage import ModelFileError
    from narrows.sweeps import sweep

__all__ = ["Autoencoder", "ModelFileError", "load", "recipes", "sweep"]

_HOMES = {
    "Autoencoder": "estimators",
    "ModelFileError": "storage",
    "load": "estimators",
    "sweep": "sweeps",
}


def __getattr__(name: str) -> Any:
    if name == "recipes":
        return import_module("narrows.recipes")
    if name in _HOMES:
        return getattr(import_module(f"narrows.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'narrows' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
