"""Which processor works, and how: on how many threads, in how many bits, and without the numbers that it is slow at."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import torch
from torch import Tensor, nn

from narrows.models.model import Batch, BottleneckModel
from narrows.models.nets import has_convolutions
from narrows.models.tracing import twin

__all__ = [
    "MUCH",
    "PRECISIONS",
    "REPAID",
    "Threads",
    "compiled_for",
    "device_for",
    "exact",
    "give_back",
    "half_for",
    "limited_threads",
    "operations_of",
    "threads_for",
    "without_denormals",
]

MUCH = 5e8
"""Floating-point operations at a time from which more is worth while than one thread and 32 bits, as measured on a CPU:
below this threads wait for each other more than they help."""

SLOW, PAUSE, LONGEST_PAUSE = 1.5, 32, 256
"""Times as long as one thread takes, from which several are too slow; and the threes of pieces until more are tried."""

_LOCK, _BEFORE_ALL = Lock(), list[int]()
"""Of each limit that is in force, in any thread, how many torch had before the first of them."""

COUNTED = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d

PRECISIONS = ("auto", "float32", "bfloat16")

REPAID = 40_000
"""Steps from which compilation is worth it, which takes most of a minute, if each is a millisecond shorter."""

VOLTA, AMPERE = (7, 0), (8, 0)
"""The first of NVIDIA's kinds of GPU that triton compiles for, and that multiplies 16-bit numbers of this format."""


def operations_of(model: BottleneckModel, one: Batch) -> int:
    """Return the floating-point operations of an example's way through the nets' linear and convolutional layers.

    What follows from them is the same at every run. A time would not be: on a busy machine the same seed could then
    give another model, since the order of sums depends on the number of threads.

    Parameters
    ----------
    model
        Whose nets they are.
    one
        An example, (1, features), to count the operations of convolutions on.
    """
    if not has_convolutions(model):
        return 2 * sum(p.numel() for p in model.parameters())
    counts = []

    def count(layer: nn.Module, _: object, output: Tensor) -> None:
        counts.append(2 * output.numel() * layer.get_parameter("weight")[0].numel())

    # Not by torch's own counter, which imports the compiler, and that takes longer than torch itself.
    counted = twin(model).eval()  # a user's batch normalisation is to learn nothing from it
    for layer in counted.modules():
        if isinstance(layer, COUNTED):
            layer.register_forward_hook(count)
    with torch.no_grad():
        counted.decode(counted.encode(*one.seen), one.context)
    return sum(counts)


def threads_for(operations: float) -> int:
    """Return how many threads that many floating-point operations at a time are worth."""
    return torch.get_num_threads() if operations > MUCH else 1


class Threads:
    """As many threads for each of many equal pieces of work as it is worth, but fewer where other work has the cores.

    In every operation threads wait for the last of them, and one whose core does something else keeps all waiting:
    convolutions were seen to take fifty times as long. How many there are changes the last digits of sums, so on an
    idle machine they are always the same: one for the first pieces, which shows how long it takes alone, then ``most``.
    If two of three pieces take longer than alone, half as many go on, and after a while twice as many are tried again.

    Parameters
    ----------
    most
        How many a piece is worth.
    first
        Pieces that one thread does to begin with; the first of them may have much to set up.

    Attributes
    ----------
    count
        How many the next piece has.
    """

    def __init__(self, most: int, first: int = 3) -> None:
        self.most, self.first, self.count = most, first, 1
        self.alone, self.began, self.times = 0.0, 0.0, list[float]()
        self.pause = self.rest = PAUSE

    def state(self) -> dict[str, Any]:
        """Return all of it, for `restore`."""
        return {**vars(self), "times": [*self.times]}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` has returned."""
        vars(self).update(state)

    def __enter__(self) -> None:
        if self.most > 1:
            torch.set_num_threads(self.count)
            self.began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        if self.most > 1:
            self._note(time.perf_counter() - self.began)

    def _note(self, seconds: float) -> None:
        """Take note of how long a piece took."""
        self.times.append(seconds)
        if self.count > 1 and sum(one > SLOW * self.alone for one in self.times) > 1:
            self.pause = min(2 * self.pause, LONGEST_PAUSE)
            self._go_on(self.count // 2, self.pause)
        elif len(self.times) < (3 if self.alone else self.first):
            return
        elif not self.alone:
            self.alone = min(self.times)
            self._go_on(self.most, self.pause)
        else:
            if self.count == 1:
                self.alone = min(self.times)
            more = self.rest <= 1 and self.count < self.most
            self._go_on(min(2 * self.count, self.most) if more else self.count, self.pause if more else self.rest - 1)

    def _go_on(self, count: int, rest: int) -> None:
        self.count, self.rest = count, rest
        self.times.clear()


def device_for(name: str, operations: float) -> torch.device:
    """Return the device for nets that do that many floating-point operations at a time.

    Parameters
    ----------
    name
        ``"cpu"``, ``"cuda"``, ``"cuda:1"`` …; ``"auto"`` is the first GPU that torch can use, if there is one, for what
        a CPU would take more than a moment for.
    operations
        Of a step, or of all examples that are passed through.

    Raises
    ------
    ValueError
        If the name is unknown, or there is no such GPU.
    """
    if not isinstance(name, str) or not re.fullmatch(r"auto|cpu|cuda(:(0|[1-9][0-9]?))?", name):
        raise ValueError(f"device={name!r} must be 'auto', 'cpu', or a GPU such as 'cuda' or 'cuda:1'")
    if name == "cpu" or (name == "auto" and operations <= MUCH):
        return torch.device("cpu")
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        # A process that was forked from one that uses a GPU cannot.
        return torch.device("cuda" if gpus and not torch.cuda._is_in_bad_fork() else "cpu")  # noqa: SLF001
    if int(name.partition(":")[2] or 0) >= gpus:
        raise ValueError(
            f"device={name!r}: torch can use {gpus} GPUs here; use 'cpu', or 'auto', which takes a GPU only "
            "if there is one"
        )
    return torch.device(name)


def half_for(precision: str, model: BottleneckModel, device: torch.device, operations: float) -> bool:
    """Return whether the nets learn in 16 bits.

    Parameters
    ----------
    precision
        ``"float32"``, ``"bfloat16"``, or ``"auto"``: the latter for convolutions where ``device`` has units that
        multiply matrices of them, which is some 40 % quicker.
    model, device, operations
        Which, where, and how many of a step.
    """
    if precision != "auto":
        return precision == "bfloat16"
    if not has_convolutions(model) or operations <= MUCH:
        return False
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= AMPERE
    return torch.cpu._is_amx_tile_supported()  # noqa: SLF001 - what is public is younger than torch 2.6


def compiled_for(
    model: BottleneckModel, device: torch.device, steps: int
) -> dict[nn.Module, Callable[[Tensor], Tensor]]:
    """Return what torch's compiler makes of each net, where that many ``steps`` repay it: on a GPU only.

    On a CPU it makes convolutions no quicker, and of dense nets passes written by hand are quicker still.
    """
    if device.type == "cpu" or steps < REPAID or not _compiles(device):
        return {}
    return {net: torch.compile(net) for net in (model.encoder, model.decoder)}


def _compiles(device: torch.device) -> bool:
    """Say whether torch can compile for a GPU: one that is not too old, with triton, and a C compiler for its parts."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    triton = importlib.util.find_spec("triton")
    return triton is not None and compiler is not None and torch.cuda.get_device_capability(device) >= VOLTA


@contextmanager
def exact(device: torch.device) -> Iterator[None]:
    """Let a GPU's convolutions of 32-bit numbers keep all of them inside, and add up in the same order every time."""
    if device.type == "cpu":
        yield
        return
    with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
        yield


@contextmanager
def limited_threads(count: int) -> Iterator[None]:
    """Let torch use ``count`` threads inside, and as many as before afterwards.

    The number is the process's, and what a thread that begins takes over: of limits in several threads at a time, the
    last one to end gives back what there was before the first.
    """
    with _LOCK:
        before = torch.get_num_threads()
        _BEFORE_ALL.append(_BEFORE_ALL[0] if _BEFORE_ALL else before)
    torch.set_num_threads(count)
    try:
        yield
    finally:
        with _LOCK:
            before_all = _BEFORE_ALL.pop()
            torch.set_num_threads(before if _BEFORE_ALL else before_all)


def give_back() -> None:
    """Let the system have memory that is free: glibc keeps tens of megabytes once large arrays have come and gone."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


class without_denormals:  # noqa: N801 - used as a function; a generator would take longer
    """Take numbers too small for a float's full precision for 0 inside: Adam's moments of what is dead soon are.

    Processors take some twenty times as long for each. Afterwards this thread has them if it had when this was made.
    """

    def __init__(self) -> None:
        self.before = not torch.tensor(1e-40) * 1

    def __enter__(self) -> None:
        torch.set_flush_denormal(True)

    def __exit__(self, *_: object) -> None:
        torch.set_flush_denormal(self.before)
