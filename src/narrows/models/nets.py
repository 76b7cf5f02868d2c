"""Nets: the layers between input, code and output."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

__all__ = ["ACTIVATIONS", "Shortcut", "dense", "initialise"]

LARGEST_NET = 500_000_000
"""Parameters; with its gradients and Adam's two moments such a net takes 8 GB."""

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "identity": nn.Identity,
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
"""What can stand between two layers, on a code or on an output, by name."""


def dense(sizes: Sequence[int], activation: str, *, shortcut: bool) -> nn.Module:
    """Return linear layers of ``sizes`` units with an activation between each two, none after the last.

    Parameters
    ----------
    sizes
        Units of the input, of each hidden layer and of the output: two numbers or more.
    activation
        A key of `ACTIVATIONS`.
    shortcut
        Whether one more linear layer leads from the input straight to the output.

    Raises
    ------
    ValueError
        If the layers would have more than 500 million parameters.
    """
    pairs = [*pairwise(sizes), (sizes[0], sizes[-1])] if shortcut and len(sizes) > 2 else list(pairwise(sizes))
    parameters = sum((inputs + 1) * outputs for inputs, outputs in pairs)
    if parameters > LARGEST_NET:
        raise ValueError(f"layers of {list(sizes)} units take {parameters:,} parameters; allowed are {LARGEST_NET:,}")
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), ACTIVATIONS[activation]()]
    deep = nn.Sequential(*layers[:-1])
    return Shortcut(nn.Linear(sizes[0], sizes[-1]), deep) if shortcut and len(sizes) > 2 else deep


class Shortcut(nn.Module):
    """x ↦ A x + f(x): what a linear map can do needs no depth, so the deep net only learns the rest.

    The idea of residual learning (He et al. 2016) around a whole net. In an autoencoder the linear path alone could be
    PCA; on the digits it takes back what a deep net loses with wide codes.

    Parameters
    ----------
    linear, deep
        A and f, of the same input and output sizes.
    """

    def __init__(self, linear: nn.Module, deep: nn.Module) -> None:
        super().__init__()
        self.linear = linear
        self.deep = deep

    def forward(self, x: Tensor) -> Tensor:
        """Return A x + f(x), (n, outputs), of ``x`` (n, inputs)."""
        y: Tensor = self.linear(x) + self.deep(x)
        return y


def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Draw weights and biases from U(−1/√m, 1/√m), m a layer's inputs: PyTorch's default, from ``generator`` alone.

    The layers' own ``reset_parameters`` would read and change the global random state.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            bound = 1 / math.sqrt(layer.in_features)
            with torch.no_grad():
                layer.weight.uniform_(-bound, bound, generator=generator)
                layer.bias.uniform_(-bound, bound, generator=generator)
