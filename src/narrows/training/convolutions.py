"""Convolutional nets in training on a CPU, by compiled kernels (`_convolutions.c`) where these are built.

On one thread convolutions of stride 1 go there and back by them, with the activations before them. Products of the
dense layers are oneDNN's, which takes the longest vectors that a processor has, also where the library that torch takes
does not. All else stays torch's.
"""

from __future__ import annotations

import copy
import ctypes
from collections.abc import Callable, Sequence
from ctypes import POINTER, c_int64, c_void_p
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from narrows.compiled.kernels import ACTIVATIONS, Kernels, addresses, kernels
from narrows.models.convolutional import ImageDecoder, ImageEncoder, Residual
from narrows.models.model import BottleneckModel
from narrows.models.nets import Convolution, Own

__all__ = ["Chain", "Linear", "in_kernels"]

BLOCK = 16
"""Channels that the kernels take at a time."""


def in_kernels(model: BottleneckModel) -> dict[nn.Module, Callable[[Tensor], Tensor]]:
    """Return for each convolutional net one of the same parameters that computes by kernels, where there are some."""
    compiled, found = kernels(), dict[nn.Module, Callable[[Tensor], Tensor]]()
    for net in (model.encoder, model.decoder):
        kinds = {type(module) for module in net.modules()}
        if compiled and kinds & {ImageEncoder, ImageDecoder} and Own not in kinds:
            copied = copy.deepcopy(net, {id(parameter): parameter for parameter in net.parameters()})
            for stage in [module for module in copied.modules() if isinstance(module, nn.Sequential)]:
                _replace(stage, compiled)
            found[net] = copied
    return found


def _replace(stage: nn.Sequential, compiled: Kernels) -> None:
    """Put chains in the place of the layers of ``stage`` that have the channels for it, and others of linear ones."""
    for index, layer in enumerate(stage):
        if isinstance(layer, Residual):
            activation, *_ = layer.layers
            convolutions = [each for each in layer.layers if isinstance(each, Convolution)]
            if convolutions[0].in_channels % BLOCK == 0:
                stage[index] = Chain(layer, activation, convolutions, compiled, residual=True)
        if isinstance(layer, nn.Linear) and hasattr(torch.ops.mkldnn, "_linear_pointwise"):
            stage[index] = Linear(layer)
    if isinstance(stage[-1], nn.PixelShuffle):
        *_, activation, convolution, _ = stage
        if isinstance(convolution, Convolution) and convolution.in_channels % BLOCK == 0:
            stage[-3] = Chain(stage[-3:], activation, [convolution], compiled, residual=False)
            del stage[-2:]


class Chain(nn.Module):
    """Images x ↦ the sum of x and a convolution of an activation of another one …, or sub-pixels of a convolution.

    Parameters
    ----------
    plain
        The same by torch, which goes on where there are several threads: kernels have one.
    activation
        Before each convolution.
    convolutions
        Whose inputs have channels of whole blocks.
    compiled
        What computes them.
    residual
        Whether x is added; otherwise four channels become two by two pixels, as by ``nn.PixelShuffle``.
    """

    def __init__(
        self,
        plain: nn.Module,
        activation: nn.Module,
        convolutions: Sequence[Convolution],
        compiled: Kernels,
        *,
        residual: bool,
    ) -> None:
        super().__init__()
        self.plain = plain
        self.activation, self.residual = ACTIVATIONS.index(type(activation)), residual
        self.layers, self.compiled = nn.ModuleList(convolutions), compiled
        self.channels = [layer.in_channels for layer in convolutions] + [convolutions[-1].out_channels]

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs, h, w) of ``x`` (n, inputs, h, w), or (n, outputs / 4, 2 h, 2 w)."""
        y: Tensor
        if torch.get_num_threads() > 1:
            y = self.plain(x)
            return y
        parameters = (tensor for layer in self.layers for tensor in (layer.weight, layer.bias))
        y = _Passes.apply(x, self, *parameters)  # type: ignore[no-untyped-call]
        return y


class Linear(nn.Module):
    """A linear layer of the same weights, by oneDNN.

    Parameters
    ----------
    layer
        Whose weights.
    """

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.weight, self.bias = layer.weight, layer.bias

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs) of ``x`` (n, inputs)."""
        y: Tensor = _Products.apply(x, self.weight, self.bias)  # type: ignore[no-untyped-call]
        return y


class _Products(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _product(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, ...]:
        x, weight = ctx.saved_tensors
        return _product(g, weight.T), _product(g.T, x.T), g.sum(0)


def _product(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return a b' + bias."""
    product: Tensor = torch.ops.mkldnn._linear_pointwise(a, b, bias, "none", [], "")  # noqa: SLF001 - as torch's compiler
    return product


class _Passes(torch.autograd.Function):
    """A chain there and back; images are (n, h, w, channels) inside."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, chain: Chain, *parameters: Tensor) -> Tensor:
        x = images.permute(0, 2, 3, 1).contiguous()
        if any(each.dtype is not torch.float32 or not each.is_contiguous() for each in (x, *parameters)):
            raise TypeError("the kernels take images and weights in 32 bits, number after number")
        n, h, w, _ = x.shape
        y = [x, *(x.new_empty(n, h, w, channels) for channels in chain.channels[1:])]
        if not chain.residual:
            y[-1] = x.new_empty(n, 2 * h, 2 * w, chain.channels[-1] // 4)
        _call(chain.compiled.pass_on, chain, y, parameters)
        ctx.save_for_backward(*y[:-1], *parameters)
        ctx.chain = chain
        return y[-1].permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        chain: Chain = ctx.chain
        y, parameters = ctx.saved_tensors[: len(chain.layers)], ctx.saved_tensors[len(chain.layers) :]
        g, by_x = gradient.permute(0, 2, 3, 1).contiguous(), torch.empty_like(y[0])
        found = [torch.empty_like(tensor) for tensor in parameters]
        _call(chain.compiled.pass_back, chain, y, parameters, found, g, by_x)
        return (by_x.permute(0, 3, 1, 2), None, *found)


class _Fields(ctypes.Structure):
    _fields_ = (
        *((name, c_int64) for name in ("h", "w", "layers", "activation", "residual", "enlarged")),
        ("channels", POINTER(c_int64)),
        *((name, POINTER(c_void_p)) for name in ("weights", "biases", "by_weights", "by_biases", "y")),
        *((name, c_void_p) for name in ("g", "by_x", "room")),
    )


def _call(
    passes: Callable[[int, int, int], None],
    chain: Chain,
    y: Sequence[Tensor],
    parameters: Sequence[Tensor],
    found: Sequence[Tensor] = (),
    g: Tensor | None = None,
    by_x: Tensor | None = None,
) -> None:
    """Let ``passes`` take all images through a ``chain``."""
    fields = _Fields(
        *y[0].shape[1:3],
        len(chain.layers),
        chain.activation,
        chain.residual,
        not chain.residual,
        (c_int64 * len(chain.channels))(*chain.channels),
        *map(addresses, (parameters[::2], parameters[1::2], found[::2], found[1::2], y)),
        *(None if each is None else each.data_ptr() for each in (g, by_x)),
    )
    room = torch.empty(chain.compiled.room(ctypes.addressof(fields)))
    fields.room = room.data_ptr()
    passes(ctypes.addressof(fields), 0, len(y[0]))
