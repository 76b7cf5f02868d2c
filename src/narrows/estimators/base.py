"""What every named model shares: fitting, codes and back, scores, saving."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted
from torch import Tensor
from torch.nn.functional import one_hot

from narrows.arguments import RandomState, choice, integer, random_seed, real
from narrows.estimators.fitted import check_range
from narrows.estimators.fitting import Fitting
from narrows.estimators.labels import places_of
from narrows.estimators.options import PRIORS
from narrows.models.corruptions import CORRUPTIONS, Corruption
from narrows.models.model import Batch
from narrows.models.priors import StandardNormal
from narrows.storage import Metadata, versions, write_model
from narrows.training.examples import CHUNK
from narrows.training.loop import limited_threads

__all__ = ["BottleneckEstimator", "LogLikelihood"]

Array = NDArray[np.floating]

SCORE_SAMPLES = 16
"""Codes drawn of each example for `score_samples`; the same noise for all examples, so that each has its own score."""

BOUND_CHUNK = 256
"""Examples whose likelihood is integrated at a time."""

OWN = "own"
"""What a file says of nets that it cannot rebuild."""

MOST_NUMBERS = 2**24
"""In one array while a likelihood is integrated: 128 MB in 64 bits."""


@dataclass(frozen=True, slots=True)
class LogLikelihood:
    """The importance-sampled bound on log p(x), in nats.

    Attributes
    ----------
    values
        Of each example, (n,).
    mean, standard_error
        Over the examples.
    """

    values: NDArray[np.float64]
    mean: float
    standard_error: float


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

    # --- Judging ----------------------------------------------------------------------

    def score_samples(self, X: ArrayLike, y: ArrayLike | None = None) -> NDArray[np.float32]:
        """Return a log-density in nats per example, (n,), in the data's own units; higher is likelier.

        Where the code is drawn, it is a lower bound on log p(x) by 16 codes of each example. Where it is a function of
        the input, it is log p(x | z(x)), which does not ask how likely the code is. Below −3.4e38 it is −∞. For a
        Bernoulli likelihood it is a log-probability.
        """
        return self._scores(X, y, SCORE_SAMPLES, 0).astype(np.float32)

    def log_likelihood(
        self, X: ArrayLike, y: ArrayLike | None = None, *, samples: int = 5000, random_state: RandomState = 0
    ) -> LogLikelihood:
        """Return the bound on log p(x) that importance sampling gives (Burda et al. 2016), in nats per example.

        It rises to log p(x) with the number of ``samples``, codes drawn of each example from q(z | x); memory does not.

        Raises
        ------
        TypeError
            If the code is a function of the input, so that there is no posterior to draw from.
        ValueError
            If the prior has no density.
        """
        check_is_fitted(self, "model_")
        integer("samples", samples, 1)
        if not self.model_.bottleneck.draws:
            raise TypeError(
                f"{type(self).__name__} has a deterministic code and so no bound on log p(x); "
                "score_samples gives log p(x | z(x)), and VAE or IWAE the bound"
            )
        values = self._scores(X, y, samples, random_seed(random_state))
        return LogLikelihood(values, float(values.mean()), float(values.std() / math.sqrt(len(values))))

    def _scores(self, X: ArrayLike, y: ArrayLike | None, samples: int, seed: int) -> NDArray[np.float64]:
        examples = self._examples(self._source(X), y)

        def log_prob(part: Batch) -> Tensor:
            check_range(self.model_, part.x)
            return self._bound(part, samples, seed) if self.model_.bottleneck.draws else self.model_.log_prob(*part)

        values = self._apply(log_prob, examples, BOUND_CHUNK if self.model_.bottleneck.draws else CHUNK)
        change = np.log(self.scaling_.scale).sum() if self.model_.likelihood.continuous else 0.0
        scores: NDArray[np.float64] = values.double().numpy() - change
        return scores

    def _bound(self, batch: Batch, samples: int, seed: int) -> Tensor:
        """Return log 1/k Σ p(x, z) / q(z | x), (n,), over k ``samples``; the same noise for all."""
        noise = torch.randn(samples, 1, self._n_features_out, generator=torch.Generator().manual_seed(seed))
        total = torch.full((len(batch.x),), -math.inf, dtype=torch.float64)
        prior = self.model_.prior
        # Of every code: the widest layer's units, and its density under each of the prior's components.
        widest = max(*map(len, self.model_.decoder.parameters()), prior.components * len(prior.frequencies))
        for epsilon in noise.split(max(1, MOST_NUMBERS // (len(batch.x) * widest))):
            total = torch.logaddexp(total, self.model_.log_weights(batch, epsilon).logsumexp(0))
        return total - math.log(samples)

    def score(self, X: ArrayLike, y: ArrayLike | None = None) -> float:
        """Return the mean of `score_samples`, in nats per example: what cross-validation and grid search maximise."""
        return float(self.score_samples(X, y).mean())

    def anomaly_score(self, X: ArrayLike, y: ArrayLike | None = None) -> NDArray[np.float64]:
        """Return how badly each example is reconstructed, (n,): its mean squared error per feature in scaled units.

        Scaled to [0, 1] for images, to unit variance for columns of different units; higher is odder.
        """
        return self._errors(self._examples(self._source(X), y))

    def error_map(self, X: ArrayLike, y: ArrayLike | None = None) -> Array:
        """Return the squared error of every pixel or feature, in the shape of ``X`` and its units squared."""
        source = self._source(X)
        restored = self._undone(self._reconstructed(self._examples(source, y)), source.dtype)
        return (source.rows() - restored).reshape(source.shape) ** 2

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
        write_model(path, metadata, tensors | scaling)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _plain(value: Any) -> Any:
    """Return an option's value as JSON has it: no NumPy numbers, lists for tuples."""
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return value.item() if isinstance(value, np.generic) else value
