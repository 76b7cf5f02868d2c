"""The table of members, over which laws are tested: every named model, and data for it. A new model is one more row."""

import numpy as np
from torch import nn

from narrows import (
    FSQVAE,
    IWAE,
    VAE,
    VQVAE,
    WAE,
    Autoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    NoisyAutoencoder,
    RegularizedAutoencoder,
    SparseAutoencoder,
    recipes,
)

FEW = {"hidden": (16,), "epochs": 4, "random_state": 0}
SMALL = FEW | {"prior": "normal"}
"""Of most: a mixture takes four times as long to fit as such a net, and is the same whatever the net is."""

MEMBERS = {
    "autoencoder": Autoencoder(3, epochs=4, random_state=0),
    "lecture": Autoencoder(3, **{**recipes.LECTURE, "epochs": 4}, random_state=0),
    "linear": Autoencoder(3, hidden=(), epochs=4, random_state=0, prior="normal"),
    "deep": Autoencoder(3, **SMALL | {"hidden": (32, 16, 8)}, activation="tanh"),
    "per feature": Autoencoder(3, **SMALL, scaling="feature"),
    "poisson": Autoencoder(3, **SMALL, likelihood="poisson"),
    "poisson, variational": VAE(3, **SMALL, likelihood="poisson", scaling="feature"),
    "negative binomial": Autoencoder(3, **SMALL, likelihood="negative-binomial", scaling="feature"),
    "negative binomial, variational": VAE(3, **SMALL, likelihood="negative-binomial"),
    "laplace": Autoencoder(3, **SMALL, likelihood="laplace"),
    "fixed sigma": Autoencoder(3, **SMALL, likelihood="gaussian", sigma=0.1),
    "denoising": DenoisingAutoencoder(3, **SMALL),
    "blocks": DenoisingAutoencoder(3, **SMALL, corruption="block", input_noise=0.4),
    "swaps": DenoisingAutoencoder(3, **SMALL, corruption="swap", input_noise=0.2),
    "noisy": NoisyAutoencoder(3, **SMALL),
    "sparse": SparseAutoencoder(3, **SMALL),
    "contractive": ContractiveAutoencoder(3, **SMALL),
    "regularized": RegularizedAutoencoder(3, **SMALL),
    "neighbours": Autoencoder(3, **SMALL, neighbours=5.0),
    "neighbours, variational": VAE(3, **SMALL, neighbours=5.0),
    "vae": VAE(3, **FEW),
    "beta, Bernoulli": VAE(3, **SMALL, beta=4.0, free_bits=0.1, likelihood="bernoulli", scaling="global"),
    "vampprior": VAE(3, **FEW, prior="vampprior"),
    "iwae": IWAE(3, **SMALL, likelihood="continuous-bernoulli", scaling="global"),
    "wae": WAE(3, **SMALL),
    "vqvae": VQVAE(3, **FEW, codebook_size=16),
    "fsqvae": FSQVAE(3, **SMALL),
    "conditional": VAE(3, **FEW, conditional=True),
    "conditional autoencoder": Autoencoder(3, **SMALL, conditional=True),
}


def own_nets():
    """Modules as a user might bring them, for images (n, 2, 9, 11)."""
    convolutions = [nn.Conv2d(2, 4, 3, stride=2), nn.BatchNorm2d(4), nn.SiLU(), nn.Flatten()]
    return nn.Sequential(*convolutions, nn.Linear(80, 3)), nn.Sequential(nn.Linear(3, 198), nn.Unflatten(1, (2, 9, 11)))


OF_IMAGES = {
    "convolutional": Autoencoder(3, net="convolutional", epochs=4, random_state=0),
    "convolutional, conditional": VAE(3, net="convolutional", **FEW, conditional=True),
    "own nets": Autoencoder(3, net=own_nets(), epochs=4, random_state=0),
}

SHAPES = {"rows": (7,), "grey": (6, 5), "colour": (4, 5, 3), "odd": (9, 11, 2)}

OF_SHAPES = {
    "grey": ["autoencoder", "blocks", "vae", "conditional"],
    "colour": ["deep", "blocks", "iwae", "vqvae"],
    "odd": list(OF_IMAGES),
}
"""Who stands for the others where examples are images; of rows there are all."""

CASES = [*((name, "rows") for name in MEMBERS), *((name, kind) for kind, names in OF_SHAPES.items() for name in names)]

WITH_EVERY_PRIOR = [
    case
    for case in CASES
    if case[0] in ("sparse", "vqvae", "conditional", "own nets") or case in [("autoencoder", "grey"), ("vae", "rows")]
]
"""Codes that are points, drawn, of a codebook, and of classes; nets by hand, by torch, and a user's own."""


def data(shape, n=120):
    rng = np.random.default_rng(1)
    factors = rng.normal(size=(n, 3)) @ rng.normal(size=(3, int(np.prod(shape))))
    return np.rint(np.tanh(factors) * 100 + 128).reshape(n, *shape)  # whole, as some likelihoods want them


def spacings(found, expected):
    """How far apart numbers are, in spacings of 32-bit numbers at the largest of ``expected``."""
    return float(np.abs(found - expected).max() / np.spacing(np.float32(np.abs(expected).max())))


ROUNDING = 128
"""Spacings that arithmetic may put between what is the same but for its order; docs/exactness.md says where."""


def labels(n):
    return np.arange(n) % 3 * 10
