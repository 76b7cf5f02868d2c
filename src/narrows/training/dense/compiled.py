"""Passes of small dense nets and AdamW's step by compiled kernels, where they are built.

A step of a small net is mostly the calling of torch's kernels, one by one; here it takes five calls, or two.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from ctypes import POINTER, c_int64, c_void_p
from functools import partial

import torch
from torch import Tensor

from narrows.compiled.kernels import ACTIVATIONS, LONGEST, Kernels, addresses, kernels
from narrows.training.adamw import BETA2
from narrows.training.dense.layers import Net
from narrows.training.processor import MUCH

__all__ = ["CompiledGradients", "CompiledPasses", "adamw_on", "kernels_for"]

MOST_OPERATIONS = {"baseline": 2e6, "avx2": MUCH, "avx512": MUCH}
"""Of a step: from `MUCH` on torch has several threads, and without long vectors it has better products than these."""


class _Net(ctypes.Structure):
    _fields_ = (
        *((name, c_int64) for name in ("models", "examples", "layers", "shortcut", "between", "last")),
        ("widths", POINTER(c_int64)),
        *((name, POINTER(c_void_p)) for name in ("weights", "gradients", "a", "d", "g")),
        ("panel", c_void_p),
    )


class CompiledPasses:
    """`narrows.training.dense.layers.Passes` in two calls.

    Parameters
    ----------
    net, weights, gradients, examples
        As there, on a CPU in 32 bits.
    compiled
        What does it.
    """

    def __init__(
        self, net: Net, weights: Sequence[Tensor], gradients: Sequence[Tensor], examples: int, compiled: Kernels
    ) -> None:
        deep, models = weights[: len(weights) - net.shortcut], len(weights[0])
        widths = [deep[0].shape[1] - 1, *(w.shape[2] for w in deep)]
        # What each layer comes to and its activation's slope, of the inputs none, and the gradient of the former.
        self.a, self.d, self.g = ([weights[0].new_empty(models, examples, width) for width in widths] for _ in range(3))
        self.inputs, self.outputs = self.a[0], self.a[-1]
        panel = weights[0].new_empty(2 * LONGEST * max(*widths, examples))
        self.weights, self.gradients, self.panel = weights, gradients, panel  # whose addresses the kernels keep
        self.net = _Net(
            models,
            examples,
            len(deep),
            net.shortcut,
            ACTIVATIONS.index(net.activation),
            ACTIVATIONS.index(net.last),
            (c_int64 * len(widths))(*widths),
            *map(addresses, (weights, gradients, self.a, self.d, self.g)),
            panel.data_ptr(),
        )
        self.address, self.compiled = ctypes.addressof(self.net), compiled

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs (K, examples, outputs) of ``x``, which may not change before `backward`."""
        self.x = x = _block(x)
        self.compiled.forward(self.address, x.data_ptr())
        return self.outputs

    def backward(self, gradient: Tensor, *, inputs: bool) -> Tensor:
        """As that of `Passes`."""
        self.compiled.backward(self.address, self.x.data_ptr(), gradient.data_ptr(), inputs)
        return self.g[0]


class CompiledGradients:
    """All gradients of half the squared error, mean over examples, in one call.

    Parameters
    ----------
    encoder, decoder
        The nets; codes are what the former comes to.
    """

    def __init__(self, encoder: CompiledPasses, decoder: CompiledPasses) -> None:
        self.g = torch.empty_like(decoder.outputs)
        self.call = partial(decoder.compiled.gradients, encoder.address, decoder.address)
        self.nets = encoder, decoder  # which stand at these addresses

    def __call__(self, seen: Tensor, x: Tensor) -> Tensor:
        """Set the gradients of all weights, and return the loss (K,) where the encoder sees ``seen`` of ``x``."""
        seen, x = _block(seen), _block(x)
        losses = self.g.new_empty(len(self.g))
        self.call(seen.data_ptr(), x.data_ptr(), self.g.data_ptr(), losses.data_ptr())
        return losses


def _block(x: Tensor) -> Tensor:
    """Return ``x`` in 32 bits, number after number."""
    return x if x.dtype is torch.float32 and x.is_contiguous() else x.to(torch.float32).contiguous()


def adamw_on(compiled: Kernels, *four: Tensor) -> Callable[..., None]:
    """Return `narrows.training.adamw.adamw_step` on weights, gradients and moments, each number after number."""
    of_these = partial(compiled.adamw, four[0].numel(), *(tensor.data_ptr() for tensor in four))

    def take(steps: Tensor, rate: float, momentum: float, decay: float) -> None:
        done = steps.item()
        root = math.sqrt(1 - BETA2**done)
        of_these(rate / (1 - momentum**done), root, momentum, BETA2, 1 - rate * decay)

    return take


def kernels_for(like: Tensor, operations: float) -> Kernels | None:
    """Return the kernels, where a step of that many floating-point operations takes less time by them than by torch.

    That is counted, not measured, so that it is the same at every run.

    Parameters
    ----------
    like
        A tensor of the weights' type.
    operations
        Of all models in a step.
    """
    compiled = kernels() if like.device.type == "cpu" and like.dtype is torch.float32 else None
    return compiled if compiled and operations <= MOST_OPERATIONS[compiled.instructions] else None
