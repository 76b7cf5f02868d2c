"""Examples through a trained model's nets: many, some at a time, on any device."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narrows.models.bottlenecks import GaussianPosterior, Point
from narrows.models.model import Batch, BottleneckModel
from narrows.training.examples import ROWS_AT_ONCE, Examples
from narrows.training.processor import Threads, device_for, exact, limited_threads, threads_for

__all__ = ["Passes", "check_codes", "check_decoded"]

FEWEST_ROWS = 32
"""Examples a pass: matrix products of fewer rows add up in another order, which the last digits of a code show.

On some processors so does a row's own place among others; docs/exactness.md says how far apart that may be.
"""

ROWS_OF_ONE_THREAD = 1024
"""Examples a pass on one thread, at most: four times as many are no quicker, and take four times the memory."""

PARTS, FEWEST_WATCHED = 16, 64
"""Pieces that examples are cut into where several threads may pay, if each has that many: each one is timed."""


@dataclass(frozen=True, slots=True)
class Passes:
    """A trained model's nets at work. The model is only read, so that several threads may use it at a time.

    A GPU gets a copy of it for each pass. What several threads do share is torch's own: how many threads it takes, and
    how a GPU's convolutions add up, are settings of the whole process. They can change the last digits of what
    another thread computes meanwhile, and nothing else.

    Attributes
    ----------
    model
        On the CPU.
    features
        Numbers in an example.
    operations
        Floating-point operations of an example's way through the nets.
    device
        A name, as in the option ``device``.
    fewest
        Examples a pass, up to which it is filled.
    """

    model: BottleneckModel
    features: int
    operations: int
    device: str
    fewest: int = FEWEST_ROWS

    def apply(
        self,
        function: Callable[[BottleneckModel, Batch], Tensor],
        examples: Examples,
        most: int = ROWS_AT_ONCE,
        codes: int = 1,
    ) -> Tensor:
        """Return what ``function`` makes of the model and all ``examples``, at most ``most`` at a time.

        ``codes`` is how many of each example go through the nets.
        """
        operations = codes * self.operations
        model, device = self.model, device_for(self.device, operations * len(examples))
        if device.type != "cpu":
            model = copy.deepcopy(model).to(device)
        worth = threads_for(operations * min(most, len(examples))) if device.type == "cpu" else 1
        threads = Threads(worth, first=1)
        if threads.most > 1:  # which are watched from one part to the next
            most = min(most, max(FEWEST_WATCHED, len(examples) // PARTS))
        elif device.type == "cpu":
            most = min(most, ROWS_OF_ONE_THREAD)

        found: Tensor | None = None
        begin = 0
        with torch.no_grad(), limited_threads(1), exact(device):
            for batch in examples.on(device).chunks(most):
                with threads:
                    made = function(model, _filled(batch, self.fewest))[: len(batch.x)]
                # Results kept one by one would lie between what the parts took, of which the memory then stays taken.
                found = made.new_empty(len(examples), *made.shape[1:], device="cpu") if found is None else found
                found[begin : (begin := begin + len(made))] = made
        assert found is not None
        return found

    def posterior(self, examples: Examples) -> Point | GaussianPosterior:
        """Return q(z | x) of all ``examples``.

        Raises
        ------
        ValueError
            If codes overflow.
        """
        both = self.apply(lambda model, batch: torch.cat(_numbers(model.posterior(*batch.seen)), 1), examples)
        check_codes(torch.cat([torch.isfinite(some).all(1) for some in both.split(ROWS_AT_ONCE)]))
        return GaussianPosterior(*both.chunk(2, 1)) if self.model.bottleneck.draws else Point(both, both)

    def decoded(self, z: Tensor, context: Tensor | None) -> NDArray[np.float32]:
        """Return what codes ``z`` (n, latent_dim) stand for, (n, features), scaled."""
        codes = Examples.of(z, context, self.features)
        decoded: NDArray[np.float32] = self.apply(
            lambda model, batch: model.decode(batch.x, batch.context), codes
        ).numpy()
        return decoded

    def reconstructed(self, examples: Examples) -> NDArray[np.float32]:
        """Return scaled inputs, (n, features), pressed through the bottleneck and back.

        Raises
        ------
        ValueError
            If codes, or what they stand for, overflow.
        """
        context = None if examples.context is None else examples.context[examples.rows]
        return check_decoded(self.decoded(self.posterior(examples).mean, context))

    def errors(self, examples: Examples) -> NDArray[np.float64]:
        """Return the mean squared error per feature of each example, (n,), in scaled units.

        Raises
        ------
        ValueError
            If codes overflow.
        """

        def errors(model: BottleneckModel, batch: Batch) -> Tensor:
            codes = model.encode(*batch.seen)
            output = model.output(model.bottleneck.snap(codes), batch.context)
            error = model.likelihood.error(batch.x, output)
            return torch.where(torch.isfinite(codes).all(1), error, math.nan)

        each = self.apply(errors, examples)
        check_codes(~each.isnan())
        found: NDArray[np.float64] = each.numpy()
        return found


def check_decoded(decoded: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what codes stand for, ``decoded`` (n, features).

    Raises
    ------
    ValueError
        If it overflows.
    """
    finite = np.isfinite(decoded).all(1)
    if not finite.all():
        raise ValueError(
            f"{int((~finite).sum())} codes (the first is row {int(finite.argmin())}) are so far from those of the "
            "training data that decoding them overflows"
        )
    return decoded


def check_codes(finite: Tensor) -> None:
    """Refuse examples whose codes are not all ``finite``, (n,).

    Raises
    ------
    ValueError
        Naming the first of them.
    """
    if not finite.all():
        row = int((~finite).nonzero()[0])
        raise ValueError(
            f"{int((~finite).sum())} examples (the first is row {row}) are so far from the training data "
            "that their codes overflow"
        )


def _filled(batch: Batch, fewest: int) -> Batch:
    """Return ``batch`` with its last example repeated up to ``fewest``."""
    n = len(batch.x)
    return batch if n >= fewest else batch.take(torch.arange(fewest).clamp_max(n - 1))


def _numbers(q: Point | GaussianPosterior) -> tuple[Tensor, ...]:
    return (q.mean,) if isinstance(q, Point) else (q.mean, q.log_var)
