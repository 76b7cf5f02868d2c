"""What every named model shares: fitting, codes and back, scores, saving."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted
from torch.nn.functional import one_hot

from narrows.arguments import RandomState, choice, integer, random_seed, real
from narrows.estimators.fitting import Fitting
from narrows.estimators.labels import places_of
from narrows.models.corruptions import CORRUPTIONS, Corruption
from narrows.models.priors import PRIORS
from narrows.models.priors.base import StandardNormal
from narrows.models.tracing import TracedLayer, trace
from narrows.storage import Metadata, versions, write_model
from narrows.training.processor import limited_threads

__all__ = ["BottleneckEstimator"]

Array = NDArray[np.floating]

OWN = "own"
"""What a file says of nets that it cannot rebuild."""


class BottleneckEstimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Fitting):  # type: ignore[misc]
    """What every named model shares. Inputs X are rows (n, features) or images (n, H, W) or (n, H, W, C).

    y are the examples' labels. Given to `fit`, they let `sample` be asked for a class; only a conditional model, whose
    nets see them, needs them elsewhere.
    """

    # --- Using ------------------------------------------------------------------------

    def fit_transform(self, X: ArrayLike, y: ArrayLike | None = None) -> NDArray[np.float32]:
        """Learn from ``X`` and return its codes."""
        return self.fit(X, y).transform(X, y)

    def transform(self, X: ArrayLike, y: ArrayLike | None = None) -> NDArray[np.float32]:
        """Return the codes (n, latent_dim) of ``X``, in the nets' 32-bit floats; the mean of q(z | x)."""
        return self.encode_distribution(X, y)[0]

    def encode_distribution(
        self, X: ArrayLike, y: ArrayLike | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return μ and σ of q(z | x), each (n, latent_dim); σ is 0 where the code is a function of the input."""
        q = self._posterior(self._examples(self._source(X), y))
        return q.mean.numpy(), q.sigma.numpy()

    def sample_code(
        self, X: ArrayLike, y: ArrayLike | None = None, random_state: RandomState = None
    ) -> NDArray[np.float32]:
        """Draw a code of each example from q(z | x), (n, latent_dim); ``random_state`` as of `sample`."""
        examples = self._examples(self._source(X), y)
        generator = torch.Generator().manual_seed(random_seed(random_state))
        codes: NDArray[np.float32] = self._posterior(examples).rsample(generator).numpy()
        return codes

    def inverse_transform(self, Z: ArrayLike, y: ArrayLike | None = None) -> Array:
        """Return what the codes ``Z`` (n, latent_dim) stand for: examples in the training data's shape and units."""
        check_is_fitted(self, "model_")
        codes = check_array(Z, dtype=[np.float64, np.float32], input_name="Z")
        if codes.shape[1] != self._n_features_out:
            raise ValueError(
                f"Z has {codes.shape[1]} columns, but this model's codes have latent_dim={self._n_features_out}"
            )
        decoded = self._decoded(torch.from_numpy(codes.astype(np.float32)), self._context(y, len(codes)))
        return self.scaling_.undo(decoded).reshape(-1, *self.input_shape_)

    def reconstruct(self, X: ArrayLike, y: ArrayLike | None = None) -> Array:
        """Return ``X`` pressed through the bottleneck and back: same shape, same units; deterministic."""
        source = self._source(X)
        return self._undone(self._reconstructed(self._examples(source, y)), source.dtype).reshape(source.shape)

    def activations(self, X: ArrayLike, y: ArrayLike | None = None) -> list[TracedLayer]:
        """Return what each layer makes of ``X``, from the input over the code to the output, in scaled units.

        All at once, so that memory has to hold every layer's values of every example.
        """
        examples = self._examples(self._source(X), y)
        with limited_threads(1):
            return trace(self.model_, examples.take(torch.arange(len(examples))))

    def sample(self, n_samples: int = 1, y: ArrayLike | None = None, random_state: RandomState = None) -> Array:
        """Return ``n_samples`` new examples, (n_samples, …), in the training data's shape and units, from the prior.

        Parameters
        ----------
        n_samples
            How many, at least 1.
        y
            The class they shall be of, or a class for each; None takes classes as frequent as in the training data.
        random_state
            A seed or a NumPy generator; None draws anew at every call.
        """
        check_is_fitted(self, "model_")
        integer("n_samples", n_samples, 1)
        generator = torch.Generator().manual_seed(random_seed(random_state))
        if y is not None and not self.conditional and isinstance(self.model_.prior, StandardNormal):
            raise ValueError(
                f"y={y!r} cannot be asked for: the prior 'normal' is the same for every class; take conditional=True, "
                "or fit_prior with 'mixture', 'posterior', 'flow' or 'flow-matching'"
            )
        wanted = None if y is None else torch.from_numpy(places_of(y, self._known_classes(), n_samples))
        with limited_threads(1):
            z, labels = self.model_.prior.sample(n_samples, generator, wanted)
        context = one_hot(labels, len(self._known_classes())).float() if self.conditional else None
        return self.scaling_.undo(self._decoded(z, context)).reshape(-1, *self.input_shape_)

    def corrupt(
        self, X: ArrayLike, *, corruption: str = "gaussian", level: float = 0.3, random_state: RandomState = None
    ) -> Array:
        """Return a corrupted copy of ``X``, in its shape and units.

        Parameters
        ----------
        X
            Rows or images.
        corruption, level
            The kind and how much of it, in scaled units, as the options ``corruption`` and ``input_noise``.
        random_state
            As of `sample`.
        """
        source = self._source(X)
        choice("corruption", corruption, CORRUPTIONS)
        level = real("level", level, 0, math.inf if corruption == "gaussian" else 1)
        generator = torch.Generator().manual_seed(random_seed(random_state))
        corrupt = Corruption(corruption, level, level, self.input_shape_, self.scaling_.extremes)
        corrupted = corrupt(torch.from_numpy(self.scaling_.apply(source.rows())), generator, 1.0)
        return self._undone(corrupted.numpy(), source.dtype).reshape(source.shape)

    # --- Saving -----------------------------------------------------------------------

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
        del parameters["device"]  # of this machine, not of the model
        if not isinstance(self.net, str):
            parameters["net"] = OWN
        if not isinstance(self.random_state, int | None):
            parameters["random_state"] = self.seed_
        metadata = Metadata(
            estimator=type(self).__name__,
            parameters=parameters,
            input_shape=list(self.input_shape_),
            feature_names=list(self.feature_names_in_) if hasattr(self, "feature_names_in_") else None,
            scaling=self.scaling_.kind,
            classes=None if self.classes_ is None else self.classes_.tolist(),
            prior=next(name for name, kind in PRIORS.items() if type(self.model_.prior) is kind),
            components=self.model_.prior.components,
            seed=self.seed_,
            history=self.history_,
            validation_error=self.validation_error_ and list(self.validation_error_),
            versions=versions(),
        )
        tensors = {f"model.{name}": tensor.numpy() for name, tensor in self.model_.state_dict().items()}
        scaling = {"scaling.offset": self.scaling_.offset, "scaling.scale": self.scaling_.scale}
        reference = {f"reference.{name}": array for name, array in self.reference_.tensors().items()}
        write_model(path, metadata, tensors | scaling | reference)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _plain(value: Any) -> Any:
    """Return an option's value as JSON has it: no NumPy numbers, lists for tuples."""
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return value.item() if isinstance(value, np.generic) else value
