"""What is compiled from C (`_kernels.c`, `_convolutions.c`) for each set of instructions, and called by addresses.

Nets and AdamW's step (`narrows.training.dense.compiled`, `narrows.training.convolutions`), and what rows are compared
with: the nearest of some points, and the likeliest of some Gaussians. A build without a compiler lacks the library, and
torch's and NumPy's kernels do all.
"""

from __future__ import annotations

import ctypes
import warnings
from collections.abc import Callable, Sequence
from ctypes import c_char_p, c_double, c_int64, c_void_p
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

__all__ = ["ACTIVATIONS", "INSTRUCTIONS", "LONGEST", "Kernels", "addresses", "kernels"]

Doubles = NDArray[np.float64]

INSTRUCTIONS = "baseline", "avx2", "avx512"
"""Sets of them that the kernels are compiled for, in the order in which a processor has them."""

LONGEST = 16
"""Numbers in a vector."""

ACTIVATIONS = nn.Identity, nn.ReLU, nn.SiLU, nn.GELU, nn.Tanh, nn.Sigmoid
"""In the order in which the kernels count them."""


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

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle them by name, since a model in training has them and may be copied."""
        return kernels, (self.instructions,)

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
        tensors = x, points, scales, room, squares, places
        self.of_points(len(x), *points.shape, most, *(tensor.data_ptr() for tensor in tensors))
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
