"""Many processes that train one model: each reads and learns from its share of every batch, and gradients are averaged.

By PyTorch's distributed data parallel (Li et al., “PyTorch Distributed”, VLDB 2020) through Lightning Fabric. The
processes come to what one would come to, but for rounding: all have the same source of chance and draw the noise of
the whole batch, of which each keeps its own examples'.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from narrows.models.bottlenecks import Bottleneck, VectorQuantiser
from narrows.models.corruptions import CORRUPTIONS
from narrows.models.model import Batch, BottleneckModel
from narrows.models.objectives import EvidenceLowerBound, Neighbours, Sparse, Wasserstein
from narrows.training.general import Objective

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["ALONE", "Alone", "Processes", "check_divisible"]

DRAWS = {torch.rand, torch.randn, torch.randint}
"""What noise is drawn by, (…, examples, numbers)."""


def check_divisible(bottleneck: Bottleneck, objective: Objective, corruption: str) -> None:
    """Refuse what looks at a batch as a whole, and would be another thing for its shares.

    Raises
    ------
    ValueError
        Naming it.
    """
    bits = isinstance(objective, EvidenceLowerBound) and objective.free_bits
    if bits or isinstance(objective, Neighbours | Sparse | Wasserstein) or isinstance(bottleneck, VectorQuantiser):
        what = f"{type(bottleneck).__name__} with {objective}"
        raise ValueError(f"devices and nodes must be 1 for {what}: it looks at each batch as a whole")
    if CORRUPTIONS[corruption].mixes:
        raise ValueError(f"devices and nodes must be 1 for corruption={corruption!r}: it mixes the examples of a batch")


class Alone:
    """One process, which has the whole of every batch."""

    rank, size, local, kept = 0, 1, 1, True

    def share(self, examples: Tensor) -> Tensor:
        """Return which of the next ``examples`` (…, n), their rows, are this process's."""
        return examples

    def shared(self, objective: Objective) -> Objective:
        """Return ``objective`` for the examples that `share` has given last, drawing their noise as one process would.

        Weighted so that the mean over processes of its means is the mean over all ``n`` examples.
        """
        return objective

    def parallel(self, model: BottleneckModel, objective: Objective) -> Objective:  # noqa: ARG002
        """Return the shared ``objective`` such that its gradients become their means over all processes."""
        return objective

    def mean(self, x: Tensor) -> Tensor:
        """Return the mean of ``x`` over all processes."""
        return x

    def broadcast(self, thing: Any) -> Any:
        """Return what the first process has for ``thing``."""
        return thing


ALONE = Alone()


@dataclass(slots=True)
class Processes:
    """Processes that train together; methods as in `Alone`.

    Attributes
    ----------
    fabric
        What joins them.
    local
        How many are on this machine.
    kept
        Whether what this one learns is used here, not only by the others.
    n, mine, weight
        How many examples `share` was given last, which of them are this process's, and what each of these counts, so
        that their mean over all processes is that of all.
    """

    fabric: Fabric
    local: int
    kept: bool = True
    n: int = 0
    mine: slice = field(default_factory=lambda: slice(None))
    weight: float = 1.0

    @property
    def rank(self) -> int:
        """The number of this process, from 0; the first alone writes and prints."""
        return self.fabric.global_rank

    @property
    def size(self) -> int:
        """How many there are."""
        return self.fabric.world_size

    def share(self, examples: Tensor) -> Tensor:
        """Return which of the next ``examples`` are this process's; where none is left, one of weight 0."""
        n = examples.shape[-1]
        start, stop = (n * rank // self.size for rank in (self.rank, self.rank + 1))
        self.n, self.mine, self.weight = n, slice(start, max(stop, start + 1)), self.size * (stop - start) / n
        return examples[..., self.mine]

    def shared(self, objective: Objective) -> Objective:
        """Return ``objective`` for this process's examples."""

        def losses(model: BottleneckModel, batch: Batch, generator: torch.Generator, progress: float) -> Tensor:
            with _DrawnForAll(self):
                return objective(model, batch, generator, progress) * self.weight

        return losses

    def parallel(self, model: BottleneckModel, objective: Objective) -> Objective:
        """Return the shared ``objective`` such that its gradients become their means over all processes."""
        module = self.fabric.setup_module(_Losses(model, objective))

        def losses(_: BottleneckModel, batch: Batch, generator: torch.Generator, progress: float) -> Tensor:
            each: Tensor = module(batch, generator, progress)
            return each

        return losses

    def mean(self, x: Tensor) -> Tensor:
        """Return the mean of ``x`` over all processes."""
        mean = x / self.size
        torch.distributed.all_reduce(mean)  # Fabric's own would wait for all once more
        return mean

    def broadcast(self, thing: Any) -> Any:
        """Return what the first process has for ``thing``."""
        return self.fabric.broadcast(thing)


class _Losses(nn.Module):
    """A model whose output is its losses, as data parallelism wants it.

    It shows its parameters, not the model, whose buffers would be sent around at every step although they stay.
    """

    def __init__(self, model: BottleneckModel, objective: Objective) -> None:
        super().__init__()
        self.losses, self.learned = partial(objective, model), nn.ParameterList(model.parameters())

    def forward(self, batch: Batch, generator: torch.Generator, progress: float) -> Tensor:
        return self.losses(batch, generator, progress)


class _DrawnForAll(TorchFunctionMode):
    """Inside it, noise for some of the examples is drawn for all, and theirs taken out."""

    def __init__(self, processes: Processes) -> None:
        super().__init__()
        self.processes = processes

    def __torch_function__(
        self, function: Callable[..., Any], _: Sequence[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if function not in DRAWS:
            return function(*args, **kwargs or {})
        *bounds, last = args
        bounds, size = ([], args) if isinstance(last, int) else (bounds, last)
        return function(*bounds, (*size[:-2], self.processes.n, size[-1]), **kwargs)[..., self.processes.mine, :]
