"""What every named model shares: options, fitting, codes and back, scores, saving."""

from __future__ import annotations

import math
import os
from abc import abstractmethod
from collections.abc import Callable, Generator
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from narrows.arguments import check_finite, choice, closest, integer, integers, random_seed, real
from narrows.models.model import BottleneckModel
from narrows.models.nets import ACTIVATIONS, initialise
from narrows.models.objectives import reconstruction
from narrows.models.priors import GaussianMixture
from narrows.scaling import SCALINGS, Scaling
from narrows.storage import Metadata, versions, write_model
from narrows.training.loop import CHUNK, SCHEDULES, Step, limited_threads, threads_for, train

__all__ = ["BottleneckEstimator"]

Array = NDArray[np.floating]

MOST_LAYERS = 100

MOST_UNITS = 4096
"""Of a code: the covariances of the prior over codes take the square of it."""

STEPS, FEWEST_EPOCHS, MOST_EPOCHS = 5_500, 20, 500
"""What ``epochs="auto"`` aims at: small data sets need many passes, large ones few."""


class BottleneckEstimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What every named model shares. Inputs X are rows (n, features) or images (n, H, W) or (n, H, W, C)."""

    validation_error_: tuple[float, float] | None

    def __new__(cls, *_: object, **options: object) -> Self:
        """Refuse an unknown option with the name of the closest known one."""
        known = cls._get_param_names()
        for name in set(options) - set(known):
            raise TypeError(f"{cls.__name__} has no option {name!r}{closest(name, known)}; it has {', '.join(known)}")
        estimator: Self = super().__new__(cls)
        return estimator

    @abstractmethod
    def build(self, n_features: int, scaling: Scaling) -> BottleneckModel:
        """Return the untrained model for scaled inputs of ``n_features``: the parts that the name stands for."""

    def check_options(self) -> None:
        """Refuse an option of the wrong type or out of range; scikit-learn wants this at `fit`, not before.

        Raises
        ------
        TypeError, ValueError
            Naming the option, its value, and what would be right.
        """
        integer("latent_dim", self.latent_dim, 1, MOST_UNITS)
        if self.hidden != "auto":
            layers = integers("hidden", self.hidden, 1)
            if len(layers) > MOST_LAYERS:
                raise ValueError(f"hidden has {len(layers)} layers; at most {MOST_LAYERS} are allowed")
        if not isinstance(self.shortcut, bool | np.bool_):
            raise TypeError(f"shortcut={self.shortcut!r} must be True or False")
        choice("activation", self.activation, ACTIVATIONS)
        choice("code_activation", self.code_activation, ACTIVATIONS)
        choice("scaling", self.scaling, SCALINGS)
        choice("schedule", self.schedule, SCHEDULES)
        for sigma in self.noise_levels():
            real("input_noise", sigma, 0)
        real("learning_rate", self.learning_rate, 0, low_included=False)
        real("weight_decay", self.weight_decay, 0)
        real("validation_fraction", self.validation_fraction, 0, 0.9)
        integer("batch_size", self.batch_size, 1)
        integer("patience", self.patience, 1)
        if self.epochs != "auto":
            integer("epochs", self.epochs, 1)

    def noise_levels(self) -> tuple[float, float]:
        """Return ``input_noise`` at the first step and at the last.

        Raises
        ------
        ValueError
            If it is a tuple of another length than two.
        """
        pair = self.input_noise if isinstance(self.input_noise, tuple) else (self.input_noise, self.input_noise)
        if len(pair) != 2:
            raise ValueError(f"input_noise={pair!r} must be one number, or a pair: at the start and at the end")
        first, last = pair
        return first, last

    # --- Fitting ----------------------------------------------------------------------

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn from ``X``.

        Parameters
        ----------
        X
            Rows (n, features) or images (n, H, W[, C]), two or more, finite; any real type.
        y
            Ignored.

        Raises
        ------
        TypeError, ValueError
            For an option or data that cannot be used; the message names it, its value, and what would be right.
        FloatingPointError
            If training diverges. As after an interruption, the best weights until then are kept.
        """
        for _ in self.fit_steps(X, y):
            pass
        return self

    def fit_steps(self, X: ArrayLike, y: object = None) -> Generator[Step]:  # noqa: ARG002 - scikit-learn's signature
        """Learn from ``X`` as `fit` does, a step a yield, for whoever wants to watch, or to stop early.

        Closed or interrupted after at least one epoch, the estimator is fitted, with the best weights seen until then.
        """
        self.check_options()
        seed = random_seed(self.random_state)
        rows, shape = self._rows(X, reset=True)
        scaling = Scaling.fit(rows, "global" if self.scaling == "auto" and len(shape) > 2 else self.scaling)
        x = torch.from_numpy(scaling.apply(rows))
        generator = torch.Generator().manual_seed(seed)
        held_out = min(math.floor(self.validation_fraction * len(x)), len(x) - 2)
        x_validation, x_train = x[torch.randperm(len(x), generator=generator)].tensor_split([held_out])
        with torch.random.fork_rng(devices=[]):  # the layers' constructors draw weights, which are drawn anew below
            model = self.build(x.shape[1], scaling)
        initialise(model, generator)
        history: list[dict[str, float]] = []
        steps = train(
            model,
            reconstruction,
            x_train,
            x_validation,
            epochs=self._epochs(len(x_train)),
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            schedule=self.schedule,
            patience=self.patience,
            generator=generator,
        )
        try:
            for step in steps:
                if step.row:
                    history.append(step.row)
                yield step
        finally:
            steps.close()
            if history:
                self.set_fitted(model, scaling, shape[1:], seed, history)
                self._calibrate(x_train, x_validation)

    def _epochs(self, n: int) -> int:
        if self.epochs != "auto":
            return int(self.epochs)
        steps_an_epoch: int = math.ceil(n / self.batch_size)
        return min(MOST_EPOCHS, max(FEWEST_EPOCHS, STEPS // steps_an_epoch))

    def _calibrate(self, x: Tensor, x_validation: Tensor) -> None:
        """Add what is known only after training: the noise's size, the prior over codes, the error on held-out data."""
        errors = self._squared_errors(x_validation if len(x_validation) else x).mean(1)
        self.model_.likelihood.calibrate(float(errors.mean()))
        self.model_.prior = GaussianMixture.fit(self._codes(x).numpy().astype(np.float64), self.seed_)
        if len(x_validation):
            self.validation_error_ = float(errors.mean()), float(errors.std() / math.sqrt(len(errors)))

    def set_fitted(
        self,
        model: BottleneckModel,
        scaling: Scaling,
        input_shape: tuple[int, ...],
        seed: int,
        history: list[dict[str, float]],
    ) -> None:
        """Set the attributes that every fitted estimator has, whether trained now or read from a file."""
        self.model_, self.scaling_, self.input_shape_, self.seed_ = model, scaling, input_shape, seed
        self.history_, self.n_iter_ = history, len(history)
        self.validation_error_ = None
        self._n_features_out = self.latent_dim

    # --- Using ------------------------------------------------------------------------

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the codes (n, latent_dim) of ``X``, in the nets' 32-bit floats; deterministic."""
        rows, _ = self._rows(X)
        codes: NDArray[np.float32] = self._codes(self._scaled(rows)).numpy()
        return codes

    def inverse_transform(self, Z: ArrayLike) -> Array:
        """Return what the codes ``Z`` (n, latent_dim) stand for: examples in the training data's shape and units."""
        check_is_fitted(self, "model_")
        codes = check_array(Z, dtype=[np.float64, np.float32], input_name="Z")
        if codes.shape[1] != self._n_features_out:
            raise ValueError(
                f"Z has {codes.shape[1]} columns, but this model's codes have latent_dim={self._n_features_out}"
            )
        z = torch.from_numpy(codes.astype(np.float32))
        return self._decoded(z, np.dtype(np.float64)).reshape(-1, *self.input_shape_)

    def reconstruct(self, X: ArrayLike) -> Array:
        """Return ``X`` pressed through the bottleneck and back: same shape, same units; deterministic."""
        rows, shape = self._rows(X)
        return self._decoded(self._codes(self._scaled(rows)), rows.dtype).reshape(shape)

    def sample(
        self, n_samples: int = 1, random_state: int | np.random.RandomState | np.random.Generator | None = None
    ) -> Array:
        """Return ``n_samples`` new examples, (n_samples, …), in the training data's shape and units, from the prior.

        Parameters
        ----------
        n_samples
            How many, at least 1.
        random_state
            A seed or a NumPy generator; None draws anew at every call.
        """
        check_is_fitted(self, "model_")
        integer("n_samples", n_samples, 1)
        generator = torch.Generator().manual_seed(random_seed(random_state))
        codes = self.model_.prior.sample(n_samples, generator)
        return self._decoded(codes, np.dtype(np.float64)).reshape(-1, *self.input_shape_)

    def score_samples(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return log p(x | z(x)), (n,), in nats per example: a density in the data's own units; higher is likelier.

        p(x | z) is the Gaussian around the reconstruction, with the variance seen on held-out data. For a deterministic
        code this is no bound on log p(x), which would also ask how likely the code is. Below −3.4e38 it is −∞.
        """
        rows, _ = self._rows(X)
        log_densities = self._apply(self.model_.log_prob, self._scaled(rows)).numpy()
        with np.errstate(over="ignore"):
            scores: NDArray[np.float32] = (log_densities - np.log(self.scaling_.scale).sum()).astype(np.float32)
        return scores

    def score(self, X: ArrayLike, y: object = None) -> float:  # noqa: ARG002 - scikit-learn's signature
        """Return the mean of `score_samples`, in nats per example: what cross-validation and grid search maximise."""
        return float(self.score_samples(X).mean())

    def anomaly_score(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return how badly each example is reconstructed, (n,): its mean squared error per feature in scaled units.

        Scaled to [0, 1] for images, to unit variance for columns of different units; higher is odder.
        """
        rows, _ = self._rows(X)
        errors: NDArray[np.float64] = self._squared_errors(self._scaled(rows)).mean(1)
        return errors

    def error_map(self, X: ArrayLike) -> Array:
        """Return the squared error of every pixel or feature, in the shape of ``X`` and its units squared."""
        rows, shape = self._rows(X)
        return (rows - self._decoded(self._codes(self._scaled(rows)), rows.dtype)).reshape(shape) ** 2

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to one safe file (safetensors, no pickle), whole or not at all.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        TypeError, ValueError
            If options were set after it that no fit could have had.
        OSError
            If the file cannot be written; one that was there before is then still there.
        """
        check_is_fitted(self, "model_")
        self.check_options()
        if self.latent_dim != self._n_features_out:
            raise ValueError(
                f"latent_dim={self.latent_dim} was set after the fit with {self._n_features_out}; fit again"
            )
        parameters = {name: _plain(value) for name, value in self.get_params().items()}
        if not isinstance(self.random_state, int | None):
            parameters["random_state"] = self.seed_
        metadata = Metadata(
            estimator=type(self).__name__,
            parameters=parameters,
            input_shape=list(self.input_shape_),
            feature_names=list(self.feature_names_in_) if hasattr(self, "feature_names_in_") else None,
            scaling=self.scaling_.kind,
            components=len(self.model_.prior.weights),
            seed=self.seed_,
            history=self.history_,
            validation_error=self.validation_error_ and list(self.validation_error_),
            versions=versions(),
        )
        tensors = {f"model.{name}": tensor.numpy() for name, tensor in self.model_.state_dict().items()}
        scaling = {"scaling.offset": self.scaling_.offset, "scaling.scale": self.scaling_.scale}
        write_model(path, metadata, tensors | scaling)

    # --- Between the user's arrays and the model's tensors ----------------------------

    def _rows(self, X: ArrayLike, *, reset: bool = False) -> tuple[Array, tuple[int, ...]]:
        """Return ``X`` checked, as rows (n, features), and the shape it came in."""
        if not reset:
            check_is_fitted(self, "model_")
        given = X if hasattr(X, "shape") else np.asarray(X)
        shape = tuple(given.shape)
        if len(shape) > 4:
            raise ValueError(
                f"X has shape {shape}; rows (n, features) or images (n, H, W) or (n, H, W, C) are expected"
            )
        if not reset and len(shape) > 2 and shape[1:] != self.input_shape_:
            raise ValueError(f"X holds examples of shape {shape[1:]}, but the model was fitted on {self.input_shape_}")
        rows = validate_data(
            self,
            np.reshape(np.asarray(given), (shape[0], math.prod(shape[1:]))) if len(shape) > 2 else given,
            reset=reset,
            dtype=[np.float64, np.float32],
            ensure_all_finite=False,
            ensure_min_samples=2 if reset else 1,
        )
        check_finite(rows, getattr(self, "feature_names_in_", None))
        return rows, shape

    def _scaled(self, rows: Array) -> Tensor:
        return torch.from_numpy(self.scaling_.apply(rows))

    def _apply(self, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        with torch.no_grad(), limited_threads(threads_for(self.model_, CHUNK)):
            return torch.cat([function(chunk) for chunk in x.split(CHUNK)])

    def _codes(self, x: Tensor) -> Tensor:
        codes = self._apply(self.model_.encode, x)
        finite = torch.isfinite(codes).all(1)
        if not finite.all():
            row = int((~finite).nonzero()[0])
            raise ValueError(
                f"{int((~finite).sum())} examples (the first is row {row}) are so far from the training data "
                "that their codes overflow"
            )
        return codes

    def _decoded(self, codes: Tensor, dtype: np.dtype[Any]) -> Array:
        return self.scaling_.undo(self._apply(self.model_.decode, codes).numpy()).astype(dtype)

    def _squared_errors(self, x: Tensor) -> NDArray[np.float64]:
        """Return (n, features) squared errors of scaled inputs."""
        reconstructed = self._apply(self.model_.decode, self._codes(x))
        errors: NDArray[np.float64] = np.square(x.numpy().astype(np.float64) - reconstructed.numpy())
        return errors

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _plain(value: Any) -> Any:
    """Return an option's value as JSON has it: no NumPy numbers, lists for tuples."""
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return value.item() if isinstance(value, np.generic) else value
