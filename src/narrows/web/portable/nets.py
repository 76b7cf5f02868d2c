"""Nets as lists of operations on numbers that lie row by row, pixels with their channels one after another.

An image (H, W, C) is a row (H·W·C), so that neither changes on the way between the two, and a convolution's window is
three pieces of what it looks at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from narrows.models.convolutional import ImageDecoder, ImageEncoder, Residual
from narrows.models.nets import ACTIVATIONS, Convolution, FromRows, Own, Shortcut, ToRows
from narrows.web.portable.weights import Bits, Weights, packed

__all__ = ["Operation", "activation_of", "operations"]

NAMES = {module: name for name, module in ACTIVATIONS.items()}

Image = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Activation:
    """A function of each number, by its name in `ACTIVATIONS`."""

    op: str


@dataclass(frozen=True, slots=True)
class Linear:
    """X ↦ W x + b, with ``weight`` (outputs, inputs)."""

    weight: Weights
    bias: Weights
    op: str = "linear"


@dataclass(frozen=True, slots=True)
class Planes:
    """A row of ``size`` (H, W, C) and the ``classes`` after it ↦ (H, W, C + classes): each pixel gets all of them."""

    size: Image
    classes: int
    op: str = "planes"


@dataclass(frozen=True, slots=True)
class Windows:
    """A convolution of windows of 3 × 3, padded by one, of an image of ``size`` (H, W, C).

    ``weight`` is (outputs, 3, 3, C).
    """

    size: Image
    stride: int
    weight: Weights
    bias: Weights
    op: str = "convolution"


@dataclass(frozen=True, slots=True)
class Shuffle:
    """Channels (2, 2, C) of an image of ``size`` (H, W, 4 C) ↦ pixels (2 H, 2 W, C), cropped to ``cropped`` (H, W)."""

    size: Image
    cropped: tuple[int, int]
    op: str = "shuffle"


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of what lists of operations make of the same; the empty list leaves it as it is."""

    branches: list[list[Operation]]
    op: str = "sum"


Operation = Activation | Linear | Planes | Windows | Shuffle | Sum


def operations(net: nn.Module, bits: Bits) -> list[Operation]:
    """Return what ``net`` does, with weights in ``bits``.

    Raises
    ------
    ValueError
        If there is a module in it that is none of narrows' own, as in nets of a user's own.
    """
    if isinstance(net, Shortcut):
        return [Sum([operations(net.linear, bits), operations(net.deep, bits)])]
    if isinstance(net, FromRows) and isinstance(net.net, ImageEncoder):
        return _encoder(net.net, net.shape, bits)
    if isinstance(net, ToRows) and isinstance(net.net, ImageDecoder):
        return _decoder(net.net, bits)
    if type(net) is nn.Sequential:
        return [each for layer in net for each in operations(layer, bits)]
    if type(net) is nn.Linear and net.bias is not None:
        return [Linear(packed(net.weight, bits), packed(net.bias, bits))]
    if type(net) in NAMES:
        return [] if type(net) is nn.Identity else [Activation(NAMES[type(net)])]
    own = net.net if isinstance(net, FromRows | ToRows) else net
    own = own.net if isinstance(own, Own) else own
    raise ValueError(
        f"net: {type(own).__name__} is a net of your own, which a page cannot compute with; "
        "fit the model with net='dense' or net='convolutional'"
    )


def activation_of(module: nn.Module) -> str:
    """Return the name of an activation."""
    return NAMES[type(module)]


def _encoder(net: ImageEncoder, shape: Image, bits: Bits) -> list[Operation]:
    h, w, c = shape
    begin = next(each for each in net.modules() if isinstance(each, nn.Conv2d | nn.Linear))
    channels = begin.in_channels if isinstance(begin, nn.Conv2d) else begin.in_features // (h * w)
    found: list[Operation] = [Planes(shape, channels - c)] if channels > c else []
    stage: Any
    for stage in net.stages:
        first, residual, activation = stage
        found.append(_convolution(first, (h, w, channels), bits))
        h, w, channels = -(-h // 2), -(-w // 2), first.out_channels
        found += [_residual(residual, (h, w, channels), bits), *operations(activation, bits)]
    return [*found, *operations(net.head, bits)]


def _decoder(net: ImageDecoder, bits: Bits) -> list[Operation]:
    h, w, channels = net.coarsest
    found = operations(net.head, bits)
    stage: Any
    for cropped, stage in zip(reversed(net.finer), reversed(net.stages), strict=True):
        residual, activation, last, _ = stage
        found += [_residual(residual, (h, w, channels), bits), *operations(activation, bits)]
        found.append(_convolution(last, (h, w, channels), bits, _shuffled))
        found.append(Shuffle((h, w, last.out_channels), cropped))
        (h, w), channels = cropped, last.out_channels // 4
    return found


def _residual(net: Residual, size: Image, bits: Bits) -> Sum:
    deep: list[Operation] = []
    for layer in net.layers:
        deep += [_convolution(layer, size, bits)] if isinstance(layer, Convolution) else operations(layer, bits)
    return Sum([[], deep])


def _as_it_is(weight: Tensor) -> Tensor:
    return weight


def _shuffled(weight: Tensor) -> Tensor:
    """Return what is for channels (C, 2, 2), as torch shuffles them, for channels (2, 2, C)."""
    c = len(weight) // 4
    return weight.reshape(c, 4, -1).transpose(0, 1).reshape(weight.shape)


def _convolution(
    layer: Convolution, size: Image, bits: Bits, ordered: Callable[[Tensor], Tensor] = _as_it_is
) -> Windows:
    weight = ordered(layer.weight.permute(0, 2, 3, 1)).contiguous()
    return Windows(size, layer.stride[0], packed(weight, bits), packed(ordered(layer.bias).contiguous(), bits))
