"""How the processor works: on how many threads, and without the numbers that it is slow at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from narrows.models.layers import twin
from narrows.models.model import Batch, BottleneckModel
from narrows.models.nets import has_convolutions

__all__ = ["limited_threads", "threads_for", "without_denormals"]

WORTH_MORE_THREADS = 5e8
"""Floating-point operations a step, as measured; below this threads wait for each other more than they help, and where
other work has the cores, fifty times as long."""

BOTH_WAYS = 3
"""Times the operations of a forward pass that a step has."""

COUNTED = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d


def threads_for(model: BottleneckModel, one: Batch, examples: int) -> int:
    """Return how many threads a step with ``examples`` is worth: one, unless its arithmetic is heavy.

    Counted, not tried out: the order of sums depends on it, and the same seed must give the same model.

    Parameters
    ----------
    model
        It.
    one
        An example, (1, features), to count the operations of convolutions on.
    examples
        At a time.
    """
    operations = BOTH_WAYS * examples * _operations(model, one)
    return torch.get_num_threads() if operations > WORTH_MORE_THREADS else 1


def _operations(model: BottleneckModel, one: Batch) -> int:
    """Return the floating-point operations of an example's way through the nets' linear and convolutional layers."""
    if not has_convolutions(model):
        return 2 * sum(p.numel() for p in model.parameters())
    counts = []

    def count(layer: nn.Module, _: object, output: Tensor) -> None:
        counts.append(2 * output.numel() * layer.get_parameter("weight")[0].numel())

    # Not by torch's own counter, which imports the compiler, and that takes longer than torch itself.
    counted = twin(model)
    for layer in counted.modules():
        if isinstance(layer, COUNTED):
            layer.register_forward_hook(count)
    with torch.no_grad():
        counted.decode(counted.encode(*one), one.context)
    return sum(counts)


@contextmanager
def limited_threads(count: int) -> Iterator[None]:
    """Let torch use ``count`` threads inside, and as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class without_denormals:  # noqa: N801 - used as a function; a generator would take longer
    """Take numbers too small for a float's full precision for 0 inside: Adam's moments of what is dead soon are.

    Processors take some twenty times as long for each. Afterwards this thread has them, as torch and Python do.
    """

    def __enter__(self) -> None:
        torch.set_flush_denormal(True)

    def __exit__(self, *_: object) -> None:
        torch.set_flush_denormal(False)
