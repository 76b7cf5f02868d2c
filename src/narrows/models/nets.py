"""Nets: the layers between input, code and output."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.autograd import grad

__all__ = [
    "ACTIVATIONS",
    "Convolution",
    "FromRows",
    "Own",
    "Shortcut",
    "ToRows",
    "dense",
    "has_convolutions",
    "initialise",
    "with_changes",
]

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
        raise ValueError(
            f"layers of {list(sizes)} units take {parameters:,} parameters; at most {LARGEST_NET:,} are allowed"
        )
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


class FromRows(nn.Module):
    """Rows (n, H·W·C [+ classes]) ↦ what ``net`` makes of images (n, C [+ classes], H, W), with a plane for each class.

    Parameters
    ----------
    net
        For images.
    shape
        (H, W, C).
    """

    def __init__(self, net: nn.Module, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.net, self.shape = net, shape

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs)."""
        h, w, c = self.shape
        pixels, context = x.split([h * w * c, x.shape[1] - h * w * c], 1)
        images = pixels.unflatten(1, self.shape).permute(0, 3, 1, 2)
        if context.shape[1]:
            images = torch.cat([images, context[..., None, None].expand(-1, -1, h, w)], 1)
        y: Tensor = self.net(images)
        return y


class ToRows(nn.Module):
    """Codes (…, inputs) ↦ what ``net`` makes of codes (n, inputs), images (n, C, H, W), as rows (…, H·W·C).

    Parameters
    ----------
    net
        To images.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, z: Tensor) -> Tensor:
        """Return (…, H·W·C)."""
        images: Tensor = self.net(z.flatten(0, -2))
        return images.permute(0, 2, 3, 1).reshape(*z.shape[:-1], -1)


class Convolution(nn.Conv2d):
    """A 3 × 3 convolution, padded by one pixel.

    Parameters
    ----------
    inputs, outputs
        Channels.
    stride
        Pixels from one window to the next.
    gain
        a, how strong it is to begin with: 1, but less where it adds to what is there already.
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1, gain: float = 1.0) -> None:
        super().__init__(inputs, outputs, 3, stride=stride, padding=1)
        self.bias: nn.Parameter
        self.gain = gain


def has_convolutions(module: nn.Module) -> bool:
    """Say whether there is a convolution in ``module``, whose parameters are then used many times an example."""
    return any(isinstance(layer, nn.Conv2d) for layer in module.modules())


class Own(nn.Module):
    """A user's net, which keeps the weights it comes with.

    Parameters
    ----------
    net
        The user's module.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        """Return what it makes of ``x``."""
        y: Tensor = self.net(x)
        return y


@torch.no_grad()
def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Draw the weights anew from ``generator`` alone, with m a layer's inputs.

    Of linear layers, weights and biases from U(−1/√m, 1/√m), PyTorch's default; of `Convolution` layers, weights from
    U(−a√(6/m), a√(6/m)), which keeps signals from fading in deep nets (He et al. 2015), and biases of 0. Layers of
    other kinds are left alone, as is what stands in `Own`. The layers' own ``reset_parameters`` would read and change
    the global random state.
    """
    if isinstance(module, Own):
        return
    if isinstance(module, nn.Linear):
        bound = 1 / math.sqrt(module.in_features)
        module.weight.uniform_(-bound, bound, generator=generator)
        module.bias.uniform_(-bound, bound, generator=generator)
    if isinstance(module, Convolution):
        bound = module.gain * math.sqrt(6 / module.weight[0].numel())
        module.weight.uniform_(-bound, bound, generator=generator)
        module.bias.zero_()
    for child in module.children():
        initialise(child, generator)


def with_changes(net: nn.Module, x: Tensor, along: Tensor) -> tuple[Tensor, Tensor]:
    """Return what ``net`` makes of ``x`` (n, inputs), and how that changes where x does, in several directions.

    Both come from one pass forward (Wengert 1964): a decoder has fewer inputs than outputs, of which each would take a
    pass back.

    Parameters
    ----------
    net, x
        A net, and its inputs.
    along
        (d, n or 1, inputs), the changes of x; those of the outputs are (d, n, outputs), or as many where all are alike.
    """
    if isinstance(net, nn.Sequential):
        for layer in net:
            x, along = with_changes(layer, x, along)
        return x, along
    if isinstance(net, Shortcut):
        (y, changes), (z, others) = (with_changes(part, x, along) for part in (net.linear, net.deep))
        return y + z, changes + others
    if isinstance(net, nn.Linear):
        return net(x), along @ net.weight.T
    # By sums alone: torch.func, and slopes given to `grad`, import torch's compiler and sympy.
    with torch.enable_grad():
        if isinstance(net, tuple(ACTIVATIONS.values())):
            at = x.detach().requires_grad_()
            y = net(at)
            (slopes,) = grad(y.sum(), at)
            return y.detach(), slopes * along
        at = x.repeat(len(along), 1).detach().requires_grad_()  # once for each direction
        y = net(at)
        cotangent = torch.zeros_like(y).requires_grad_()
        (pulled,) = grad((y * cotangent).sum(), at, create_graph=True)
        (changes,) = grad((pulled.view(-1, *x.shape) * along).sum(), cotangent)
        return y[: len(x)].detach(), changes.view(len(along), len(x), -1)
