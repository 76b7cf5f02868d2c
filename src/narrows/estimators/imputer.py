"""Missing cells filled in a pipeline, by scikit-learn's conventions for imputers."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted

from narrows.arguments import RandomState
from narrows.estimators.base import BottleneckEstimator
from narrows.estimators.deterministic import Autoencoder

__all__ = ["Imputer"]

FEWEST_UNITS, MOST_UNITS = 8, 16
"""Of a code for filling gaps."""

HELD_OUT, LEAST_PART, LARGEST_PART = 60, 0.1, 0.25
"""Rows that are held out, and which fractions of all they are between: a tenth of few rows calibrates no interval."""

DECAY = 0.3
"""Of the weights: gappy rows say less than whole ones. Chosen on observed cells of small tables that were hidden."""


class Imputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A transformer that fills missing cells with what a model makes of the others in their row.

    X is a table, as for any model: an array with NaN, or a data frame with columns of any kind.

    Parameters
    ----------
    model
        Any named model, which is cloned, or None for an `Autoencoder` with a code of half as many units as there are
        columns, 8 at least and 16 at most, each column scaled by itself, a weight decay of 0.3, and 60 rows held out (a
        tenth of many, a quarter of few), by whose hidden cells the intervals of draws are made as wide as they must be.
    sample_posterior
        Whether `transform` fills with a draw from p(missing | known), as multiple imputation needs, instead of the mean
        or the most probable level.
    random_state
        The seed of the training and of the draws; None takes the model's.

    Attributes
    ----------
    model_
        The fitted model.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_wine
    >>> from narrows import Autoencoder, Imputer
    >>> X = load_wine().data
    >>> X[3, 5] = np.nan
    >>> filled = Imputer(Autoencoder(4, epochs=5), random_state=0).fit_transform(X)
    >>> filled.shape, int(np.isnan(filled).sum()), bool((filled == X).sum() == X.size - 1)
    ((178, 13), 0, True)
    """

    model_: BottleneckEstimator

    def __init__(
        self,
        model: BottleneckEstimator | None = None,
        *,
        sample_posterior: bool = False,
        random_state: RandomState = None,
    ) -> None:
        self.model = model
        self.sample_posterior = sample_posterior
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:  # noqa: ARG002 - pipelines hand it on
        """Learn from ``X``, in which any cell may be missing; ``y`` is ignored.

        Raises
        ------
        TypeError, ValueError
            As in the model's own `fit`.
        """
        if not (self.model is None or isinstance(self.model, BottleneckEstimator)):
            raise TypeError(f"model={self.model!r} must be a model, such as Autoencoder(8), or None")
        model: BottleneckEstimator = _usual(X) if self.model is None else clone(self.model)
        if self.random_state is not None:
            model.set_params(random_state=self.random_state)
        if model.columns is None:
            model.set_params(columns={})  # also where no cell is missing yet
        self.model_ = model.fit(X)
        return self

    def transform(self, X: ArrayLike) -> Any:
        """Return ``X`` with its missing cells filled; all others stay as they are."""
        check_is_fitted(self)
        filled: NDArray[np.floating] = self.model_.impute(
            X, draws=1 if self.sample_posterior else None, random_state=self.model_.seed_
        )
        return filled[0] if self.sample_posterior else filled

    @property
    def n_features_in_(self) -> int:
        """Columns of the table it was fitted to."""
        return self.model_.n_features_in_

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        """Their names."""
        return self.model_.feature_names_in_

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.categorical = tags.input_tags.string = True
        return tags


def _usual(X: ArrayLike) -> Autoencoder:
    """Return the model that fills gaps of tables like ``X``."""
    shape = np.shape(X)
    units = shape[1] // 2 if len(shape) == 2 else FEWEST_UNITS
    units = min(MOST_UNITS, max(FEWEST_UNITS, units))
    part = min(LARGEST_PART, max(LEAST_PART, HELD_OUT / max(1, len(shape) and shape[0])))
    return Autoencoder(units, scaling="feature", validation_fraction=part, weight_decay=DECAY)
