"""Passes and AdamW's step compiled from C (`_kernels.c`), which small nets take where they are built.

A step of a small net is mostly the calling of torch's kernels, one by one; here it takes five calls, or two. The
nearest of some points and the likeliest of some Gaussians, by which rows are compared, are found here, too. A build
without a compiler lacks the library, and torch's and NumPy's kernels do all.
"""

from __future__ import annotations

import ctypes
import math
import warnings
from collections.abc import Callable, Sequence
from ctypes import POINTER, c_char_p, c_double, c_int64, c_void_p
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from narrows.training.adamw import BETA2
from narrows.training.dense.layers import Net
from narrows.training.processor import MUCH

__all__ = [
    "ACTIVATIONS",
    "INSTRUCTIONS",
    "LONGEST",
    "CompiledGradients",
    "CompiledPasses",
    "Kernels",
    "addresses",
    "kernels",
    "kernels_for",
]

Doubles = NDArray[np.float64]

INSTRUCTIONS = "baseline", "avx2", "avx512"
"""Sets of them that the kernels are compiled for, in the order in which a processor has them."""

LONGEST = 16
"""Numbers in a vector."""

ACTIVATIONS = nn.Identity, nn.ReLU, nn.SiLU, nn.GELU, nn.Tanh, nn.Sigmoid
"""In the order in which the kernels count them."""

MOST_OPERATIONS = {"baseline": 2e6, "avx2": MUCH, "avx512": MUCH}
"""Of a step: from `MUCH` on torch has several threads, and without long vectors it has better products than these."""


class _Net(ctypes.Structure):
    _fields_ = (
        *((name, c_int64) for name in ("models", "examples", "layers", "shortcut", "between", "last")),
        ("widths", POINTER(c_int64)),
        *((name, POINTER(c_void_p)) for name in ("weights", "gradients", "a", "d", "g")),
        ("panel", c_void_p),
    )


@dataclass(frozen=True, slots=True)
class Kernels:
    """The compiled functions for one set of ``instructions``; `_kernels.c` and `_convolutions.c` say what they do."""

    instructions: str
    forward: Callable[..., None]
    backward: Callable[..., None]
    gradients: Callable[..., None]
    adamw: Callable[..., None]
    of_points: Callable[..., None]
    of_gaussians: Callable[..., None]
    pass_on: Callable[[int, int, int], None]
    pass_back: Callable[[int, int, int], None]
    room: Callable[[int], int]

    def adamw_on(self, *four: Tensor) -> Callable[..., None]:
        """Return `narrows.training.adamw.adamw_step` on weights, gradients and moments, each number after number."""
        of_these = partial(self.adamw, four[0].numel(), *(tensor.data_ptr() for tensor in four))

        def take(steps: Tensor, rate: float, momentum: float, decay: float) -> None:
            done = steps.item()
            root = math.sqrt(1 - BETA2**done)
            of_these(rate / (1 - momentum**done), root, momentum, BETA2, 1 - rate * decay)

        return take

    def nearest(self, x: Tensor, points: Tensor, scales: Tensor, most: int) -> tuple[Tensor, Tensor]:
        """Return the ``most`` least of squared distances times ``scales``, in order, and whose they are, (n, most).

        Parameters
        ----------
        x
            (n, k), in 32 bits as the others.
        points
            (k, m), where m is a multiple of two of the longest vectors; what fills it up is infinite.
        scales
            (m,).
        most
            The quicker the fewer they are.
        """
        x, room = x.contiguous(), x.new_empty(4 * len(scales))
        squares, places = x.new_empty(len(x), most), torch.empty(len(x), most, dtype=torch.int64)
        addresses = (tensor.data_ptr() for tensor in (x, points, scales, room, squares, places))
        self.of_points(len(x), *points.shape, most, *addresses)
        return squares, places

    def likeliest(
        self, precisions: Doubles, logarithms: Doubles, slopes: Doubles, squares: Doubles, hidden: NDArray[np.int64]
    ) -> Doubles:
        """Return Λₕₕ⁻¹ gₕ of the Gaussian that all cells but the ``hidden`` ones (n, k) make likeliest, (n, k).

        Parameters
        ----------
        precisions, logarithms
            Of K Gaussians, a multiple of the longest vector: Λ, (d, d, K), and what each weighs besides, (K,).
        slopes, squares
            Λ(x − μ), (n, d, K), and (x − μ)ᵀ Λ (x − μ), (n, K), by all cells.
        """
        d, components = precisions.shape[1:]
        n, k = hidden.shape
        room, away = np.empty(k * (k + 5) // 2 * LONGEST), np.empty((n, k))
        arrays = [np.ascontiguousarray(each) for each in (precisions, logarithms, slopes, squares, hidden, room, away)]
        self.of_gaussians(n, d, components, k, *(array.ctypes.data for array in arrays))
        return away


@cache
def kernels(instructions: str | None = None) -> Kernels | None:
    """Return the kernels, for the best ``instructions`` that this processor has or for those; None if not built."""
    path = Path(__file__).with_name("_kernels.so")
    library = ctypes.CDLL(str(path)) if path.exists() else None
    if library is None or _is_old(library, path.with_suffix(".c")):
        return None
    arguments: dict[str, list[Any]] = {
        "forward": [c_void_p] * 2,
        "backward": [c_void_p] * 3 + [ctypes.c_int],
        "gradients": [c_void_p] * 6,
        "adamw": [c_int64] + [c_void_p] * 4 + [c_double] * 5,
        "nearest": [c_int64] * 4 + [c_void_p] * 6,
        "likeliest": [c_int64] * 4 + [c_void_p] * 7,
        "pass_on": [c_void_p] + [c_int64] * 2,
        "pass_back": [c_void_p] + [c_int64] * 2,
    }
    instructions = instructions or INSTRUCTIONS[library.best()]
    functions: list[Any] = []
    for name, types in arguments.items():
        function = getattr(library, f"{name}_{instructions}")
        function.argtypes, function.restype = types, None
        functions.append(function)
    library.room.argtypes, library.room.restype = [c_void_p], c_int64
    functions.append(library.room)
    return Kernels(instructions, *functions)


def _is_old(library: ctypes.CDLL, source: Path) -> bool:
    """Say whether ``library`` was compiled from what its ``source`` in a checkout no longer is, and warn of it."""
    library.source.restype = c_char_p
    sources = [source, source.with_name("_convolutions.c")]
    text = b"".join(each.read_bytes() for each in sources if each.exists())
    old = bool(text) and library.source().decode() != sha256(text).hexdigest()[:16]
    if old:
        warnings.warn(
            f"{source} has changed since it was compiled and is not used; install narrows again to compile it",
            RuntimeWarning,
            stacklevel=2,
        )
    return old


def addresses(tensors: Sequence[Tensor]) -> Any:
    """Return an array of pointers to ``tensors`` for a kernel, which has to find them alive."""
    return (c_void_p * len(tensors))(*(tensor.data_ptr() for tensor in tensors))


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
