"""Between a user's arrays and a fitted model's tensors."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor
from torch.nn.functional import one_hot

from narrows.arguments import check_finite
from narrows.estimators.labels import places_of
from narrows.estimators.options import Options
from narrows.estimators.sources import Source, is_data_set, is_streamed
from narrows.models.bottlenecks import GaussianPosterior, Point
from narrows.models.model import Batch, BottleneckModel
from narrows.scaling import Scaling
from narrows.training.examples import CHUNK, Examples
from narrows.training.processor import Threads, device_for, exact, limited_threads, operations_of, threads_for

__all__ = ["Fitted", "check_range"]

Array = NDArray[np.floating]

FEWEST = 32
"""Examples a pass: matrix products of fewer rows add up in another order, which the last digits of a code show."""

PARTS, FEWEST_WATCHED = 16, 64
"""Parts of what several threads are worth for, if each has so many examples: how long one takes is watched."""

RANGE_SLACK = 1e-6
"""Rounding in 32 bits may leave [0, 1] by so much."""


class Fitted(Options):
    """What a fitted estimator has, and how arrays go through its model."""

    model_: BottleneckModel
    classes_: NDArray[np.generic] | None
    validation_error_: tuple[float, float] | None

    def set_fitted(
        self,
        model: BottleneckModel,
        scaling: Scaling,
        input_shape: tuple[int, ...],
        seed: int,
        history: list[dict[str, float]],
        classes: NDArray[np.generic] | None,
    ) -> None:
        """Set the attributes that every fitted estimator has, whether trained now or read from a file."""
        self.model_, self.scaling_, self.input_shape_, self.seed_ = model.eval(), scaling, input_shape, seed
        self.history_, self.n_iter_, self.classes_ = history, len(history), classes
        self.validation_error_ = None
        self._counted: int | None = None
        self._n_features_out = self.latent_dim

    def _source(self, X: Any, *, reset: bool = False) -> Source:
        """Return ``X`` checked, as rows; with ``reset`` as what is learned from, whose form later ones must have."""
        if not reset:
            check_is_fitted(self, "model_")
        if is_data_set(X):
            raise TypeError(
                f"X is {type(X).__name__}, not an array; take the X of what narrows.data.load_data makes of it"
            )
        given = X if hasattr(X, "shape") else np.asarray(X)
        shape = tuple(given.shape)
        if len(shape) > 4:
            raise ValueError(
                f"X has shape {shape}; rows (n, features) or images (n, H, W) or (n, H, W, C) are expected"
            )
        streamed = is_streamed(given)
        if not reset and (len(shape) > 2 or streamed) and shape[1:] != self.input_shape_:
            raise ValueError(f"X holds examples of shape {shape[1:]}, but the model was fitted on {self.input_shape_}")
        if streamed:
            if reset:
                self.n_features_in_ = math.prod(shape[1:])
            return Source(given, shape, streamed=True)
        rows = validate_data(
            self,
            np.reshape(np.asarray(given), (shape[0], math.prod(shape[1:]))) if len(shape) > 2 else given,
            reset=reset,
            # Bytes and 16-bit integers fit into 32-bit floats; any others may not.
            dtype=[np.float32, np.float64] if _is_small(given) else [np.float64, np.float32],
            ensure_all_finite=False,
            ensure_min_samples=2 if reset else 1,
        )
        check_finite(rows, getattr(self, "feature_names_in_", None))
        return Source(rows, shape, streamed=False)

    def _examples(self, source: Source, y: ArrayLike | None) -> Examples:
        """Return ``source`` as the model takes it."""
        return source.examples(self.scaling_, self._context(y, len(source)))

    def _known_classes(self) -> NDArray[np.generic]:
        if self.classes_ is None:
            raise ValueError("this model was fitted without classes; give fit their labels y")
        return self.classes_

    def _context(self, y: ArrayLike | None, n: int) -> Tensor | None:
        """Return the classes one-hot for a conditional model's nets; others don't look at ``y``."""
        if not self.conditional:
            return None
        classes = self._known_classes()
        if y is None:
            raise ValueError("y is needed, the class of each example: this model is conditional")
        return one_hot(torch.from_numpy(places_of(y, classes, n)), len(classes)).float()

    def _apply(
        self,
        function: Callable[[BottleneckModel, Batch], Tensor],
        examples: Examples,
        most: int = CHUNK,
        codes: int = 1,
    ) -> Tensor:
        """Return what ``function`` makes of the model and all ``examples``, so many at a time, by ``codes`` each."""
        operations = codes * self._operations()
        model, device = self.model_, device_for(self.device, operations * len(examples))
        if device.type != "cpu":  # a copy: other threads may be using the model itself
            model = copy.deepcopy(model).to(device)
        worth = threads_for(operations * min(most, len(examples))) if device.type == "cpu" else 1
        threads = Threads(worth, first=1)
        if threads.most > 1:  # which are watched from one part to the next
            most = min(most, max(FEWEST_WATCHED, len(examples) // PARTS))

        found: Tensor | None = None
        begin = 0
        with torch.no_grad(), limited_threads(1), exact(device):
            for part in examples.on(device).chunks(most):
                with threads:
                    made = function(model, _filled(part))[: len(part.x)]
                # Results kept one by one would lie between what the parts took, of which the memory then stays taken.
                found = made.new_empty(len(examples), *made.shape[1:], device="cpu") if found is None else found
                found[begin : (begin := begin + len(made))] = made
        assert found is not None
        return found

    def _operations(self) -> int:
        """Return the floating-point operations of an example's way through the nets, counted once."""
        if self._counted is None:
            context = torch.zeros(1, len(self._known_classes())) if self.conditional else None
            self._counted = operations_of(self.model_, Batch(torch.zeros(1, self.scaling_.offset.size), context))
        return self._counted

    def _posterior(self, examples: Examples) -> Point | GaussianPosterior:
        both = self._apply(lambda model, part: torch.cat(_numbers(model.posterior(*part)), 1), examples)
        _check_codes(torch.isfinite(both).all(1))
        return GaussianPosterior(*both.chunk(2, 1)) if self.model_.bottleneck.draws else Point(both, both)

    def _decoded(self, z: Tensor, context: Tensor | None) -> NDArray[np.float32]:
        """Return what codes ``z`` (n, latent_dim) stand for, (n, features), scaled."""
        codes = Examples.of(z, context, self.scaling_.offset.size)
        decoded: NDArray[np.float32] = self._apply(lambda model, part: model.decode(*part), codes).numpy()
        return decoded

    def _reconstructed(self, examples: Examples) -> NDArray[np.float32]:
        """Return scaled inputs, (n, features), pressed through the bottleneck and back."""
        context = None if examples.context is None else examples.context[examples.places]
        return self._decoded(self._posterior(examples).mean, context)

    def _undone(self, scaled: NDArray[np.float32], dtype: np.dtype[Any]) -> Array:
        """Return scaled examples (n, features) in the user's units."""
        return self.scaling_.undo(scaled).astype(dtype)

    def _errors(self, examples: Examples) -> NDArray[np.float64]:
        """Return the mean squared error per feature of each scaled input, (n,)."""

        def errors(model: BottleneckModel, part: Batch) -> Tensor:
            codes = model.encode(*part)
            error = (part.x.double() - model.decode(codes, part.context)).square().mean(1)
            return torch.where(torch.isfinite(codes).all(1), error, math.nan)

        each = self._apply(errors, examples)
        _check_codes(~each.isnan())
        found: NDArray[np.float64] = each.numpy()
        return found


def _is_small(X: Any) -> bool:
    dtype = getattr(X, "dtype", None)
    return isinstance(dtype, np.dtype) and dtype.kind in "bui" and dtype.itemsize <= 2


def _check_codes(finite: Tensor) -> None:
    if not finite.all():
        row = int((~finite).nonzero()[0])
        raise ValueError(
            f"{int((~finite).sum())} examples (the first is row {row}) are so far from the training data "
            "that their codes overflow"
        )


def _filled(batch: Batch) -> Batch:
    """Return ``batch`` with its last example repeated up to `FEWEST`."""
    n = len(batch.x)
    return batch if n >= FEWEST else batch.take(torch.arange(FEWEST).clamp_max(n - 1))


def _numbers(q: Point | GaussianPosterior) -> tuple[Tensor, ...]:
    return (q.mean,) if isinstance(q, Point) else (q.mean, q.log_var)


def check_range(model: BottleneckModel, x: Tensor) -> None:
    """Refuse scaled inputs ``x`` (n, features) that the model's likelihood cannot be asked for.

    Raises
    ------
    ValueError
        If it is one for [0, 1] and there are values outside.
    """
    low, high = float(x.min()), float(x.max())
    if model.likelihood.unit_interval and not (low >= -RANGE_SLACK and high <= 1 + RANGE_SLACK):
        raise ValueError(
            f"X reaches from {low:.4g} to {high:.4g} after scaling, but a {type(model.likelihood).__name__} likelihood "
            "is for values in [0, 1]: the training data's own range with scaling='global'"
        )
