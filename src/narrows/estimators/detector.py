"""Outliers by scikit-learn's conventions for detectors, of which `score_samples` is one that a model keeps for nats."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.utils.validation import check_is_fitted

from narrows.arguments import RandomState
from narrows.estimators.base import BottleneckEstimator
from narrows.estimators.deterministic import Autoencoder

__all__ = ["OutlierDetector"]


class OutlierDetector(OutlierMixin, BaseEstimator):  # type: ignore[misc]
    """A detector like scikit-learn's `IsolationForest`, in whose place it can stand, made of a model.

    A model's own `score_samples` is its log-likelihood in nats, from which no threshold follows. Here it is
    −`anomaly_score`, so that ``decision_function(X) == score_samples(X) - offset_`` holds as in scikit-learn.

    Parameters
    ----------
    model
        Any named model, which is cloned, or None for an `Autoencoder`. Its option ``false_alarms`` says what fraction
        of ordinary examples may be called odd.
    contamination
        As the model's option of this name, or None to take the model's.
    random_state
        The seed of the training; None takes the model's.

    Attributes
    ----------
    model_
        The fitted model.
    offset_
        −`anomaly_threshold`: an example of a lower score is odd.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from narrows import Autoencoder, OutlierDetector
    >>> X = load_wine().data
    >>> odd = OutlierDetector(Autoencoder(4, epochs=5, validation_fraction=0.2), random_state=0).fit_predict(X)
    >>> odd.shape, sorted(set(odd.tolist()))
    ((178,), [-1, 1])
    """

    model_: BottleneckEstimator
    offset_: float

    def __init__(
        self,
        model: BottleneckEstimator | None = None,
        *,
        contamination: float | str | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.model = model
        self.contamination = contamination
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:  # noqa: ARG002 - pipelines hand it on
        """Learn from ``X``; ``y`` is ignored.

        Raises
        ------
        TypeError, ValueError
            As in the model's own `fit`; or if it holds nothing out (``validation_fraction``), and so has no threshold.
        """
        if not (self.model is None or isinstance(self.model, BottleneckEstimator)):
            raise TypeError(f"model={self.model!r} must be a model, such as Autoencoder(8), or None")
        model: BottleneckEstimator = Autoencoder() if self.model is None else clone(self.model)
        if self.contamination is not None:
            model.set_params(contamination=self.contamination)
        if self.random_state is not None:
            model.set_params(random_state=self.random_state)
        model.fit(X)
        self.offset_ = -model.anomaly_threshold()
        self.model_ = model
        return self

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return −`anomaly_score` of each example, (n,); higher is more ordinary."""
        check_is_fitted(self)
        return -self.model_.anomaly_score(X)

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return `score_samples` − ``offset_``, (n,): negative for odd examples."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return −1 for each odd example and 1 for any other, (n,)."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    @property
    def n_features_in_(self) -> int:
        """Numbers in an example."""
        return self.model_.n_features_in_

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        """The columns' names, if there are any."""
        return self.model_.feature_names_in_

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.categorical = tags.input_tags.string = True
        return tags
