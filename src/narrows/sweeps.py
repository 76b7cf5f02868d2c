"""Models that differ in latent_dim, on the same split of the same data: what each costs, and which one to take.

The module is not called ``sweep``, since importing it would then put it in place of the function ``narrows.sweep``.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from narrows.arguments import check_finite, check_given, choice, integer, refuse_masked
from narrows.data.labels import usual_labels
from narrows.data.on_disk import OnDisk
from narrows.data.split import split
from narrows.data.take import take
from narrows.estimators import ESTIMATORS
from narrows.estimators.allowed import checks_of
from narrows.estimators.base import BottleneckEstimator
from narrows.estimators.fitting import fit_together
from narrows.estimators.rows import weights_of
from narrows.estimators.targets import are_pairs
from narrows.evaluation.codes import dead_units
from narrows.evaluation.reconstruction import squared_errors
from narrows.fitted.fitted import Fitted
from narrows.fitted.training_set import enough_rows
from narrows.training.loop import Step

__all__ = ["Sweep", "SweepRow", "SweepStep", "sweep"]


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One model of a sweep. Errors are squared, per pixel or feature, in scaled units, with their standard errors.

    Attributes
    ----------
    latent_dim
        Numbers in the code.
    test_error, test_error_se
        On the examples held out from all models: mean and standard error.
    pca_error
        That of as many principal components on the same split; for large data, on some thousands of examples.
    validation_error, validation_error_se
        On the examples held out inside ``fit``, or None; what the recommendation is based on.
    parameters, dead_units, epochs, seconds
        Of the net, of the code, of the training: of models trained side by side, each one's share of the time.
    interrupted
        Whether training was stopped from outside.
    seed
        Of the training, and so of all its chance.
    spread
        The standard deviation of ``test_error`` over the seeds, or None for fewer than two.
    """

    latent_dim: int
    test_error: float
    test_error_se: float
    pca_error: float
    validation_error: float | None
    validation_error_se: float | None
    parameters: int
    dead_units: int
    epochs: int
    seconds: float
    interrupted: bool
    seed: int
    spread: float | None = None


@dataclass(frozen=True, slots=True)
class SweepStep:
    """A step of the models that are trained now, side by side.

    Attributes
    ----------
    latent_dims
        Of these models.
    ended, count
        How many models are trained already, and how many there are in all.
    step
        What was done in it.
    """

    latent_dims: tuple[int, ...]
    ended: int
    count: int
    step: Step


class Sweep:
    """Models of several latent_dim, and what they make of the same held-out examples.

    Parameters
    ----------
    X, y
        Rows or images, (n, …), also on disk, and, if known, labels (n,), by which the split is stratified. The models
        learn them too where they are classes: no real numbers, and at most half as many as there are examples. Of
        pairs, for a `DenoisingAutoencoder`, noisy examples and clean ones.
    sample_weight
        As in `narrows.estimators.base.BottleneckEstimator.fit`; the test errors are means by it.
    latent_dims
        One or more, in any order; each is trained once.
    model
        A named model, a key of ``narrows.estimators.ESTIMATORS``.
    test_size
        The fraction held out from all models, in (0, 1).
    random_state
        The seed of the split and of every model; with ``seeds`` the first of theirs.
    seeds
        How many times each is trained, from one seed after the other. The training of the lowest validation error is
        kept; without validation examples the first.
    **options
        Options of the named model.

    Attributes
    ----------
    X_train, X_test, y_train, y_test
        The split.
    models
        latent_dim ↦ its fitted estimator, as far as `run` has come.
    rows
        A `SweepRow` for each of these.
    trainings
        A `SweepRow` for each training that has ended, also of those that are not kept.
    """

    def __init__(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        latent_dims: Sequence[int] = (1, 2, 4, 8, 16),
        model: str = "Autoencoder",
        test_size: float = 0.2,
        random_state: int = 0,
        seeds: int = 1,
        **options: Any,
    ) -> None:
        kind = ESTIMATORS[choice("model", model, ESTIMATORS)]
        if isinstance(latent_dims, str) or not isinstance(latent_dims, Iterable):
            raise TypeError(f"latent_dims={latent_dims!r} must be a list of whole numbers, such as (1, 2, 4, 8, 16)")
        dims = list(latent_dims)
        if not dims:
            raise ValueError("latent_dims is empty; name at least one number, such as (1, 2, 4, 8, 16)")
        for latent_dim in dims:
            checks_of(kind)["latent_dim"]("latent_dims", latent_dim)
        self.latent_dims = sorted(set(map(int, dims)))
        random_state = integer("random_state", random_state, 0, 2**32 - 1)
        if options.get("columns") not in (None, "real"):
            raise ValueError(
                f"columns={options['columns']!r}: a sweep compares models with PCA, on rows of numbers "
                "without gaps; fit a table's models one by one"
            )
        if isinstance(X, pd.DataFrame):  # so that one with texts is refused, which PCA could not take
            options["columns"] = "real"
        each = [random_state + i for i in range(integer("seeds", seeds, 1))]
        self._estimators = [kind(d, random_state=seed, **options) for d in self.latent_dims for seed in each]
        self._divide(X, y, sample_weight, test_size, random_state)
        self.models: dict[int, BottleneckEstimator] = {}
        self.trainings: list[SweepRow] = []
        self._scaled: tuple[NDArray[np.floating], NDArray[np.floating]] | None = None

    def _divide(
        self, X: ArrayLike, y: ArrayLike | None, sample_weight: ArrayLike | None, test_size: float, random_state: int
    ) -> None:
        """Split the examples, and all that goes with each, into those to learn from and those to test on."""
        data = _examples("X", X)
        pairs = are_pairs(self._estimators[0], tuple(data.shape), y)
        clean = _examples("y", y) if pairs else None
        labels = None if y is None or pairs else usual_labels(_column(y, len(data)))
        weights = weights_of(sample_weight, len(data))
        if weights is not None:
            kept = np.flatnonzero(weights)
            data, clean = _rows(data, kept), None if clean is None else _rows(clean, kept)
            labels, weights = None if labels is None else labels[kept], weights[kept]
        self.X_train, self.X_test, self.y_train, self.y_test = split(
            data, labels, test_size=test_size, random_state=random_state
        )
        rows = split(np.arange(len(data)), labels, test_size=test_size, random_state=random_state)[:2]
        self._weights, self._test_weights = (None if weights is None else weights[np.asarray(some)] for some in rows)
        self._target: Any = self.X_test  # what is to be made of it
        if clean is not None:
            self.y_train, self.y_test = (_rows(clean, np.asarray(some)) for some in rows)
            self._labels, self._target = self.y_train, self.y_test
        elif self._estimators[0].conditional:
            self._labels = _all_classes(self.y_train, self.y_test)
        else:
            self._labels = _classes(self.y_train)

    def run(self, checkpoint: str | os.PathLike[str] | None = None) -> Generator[SweepStep]:
        """Train the models, side by side where their nets allow it, one step per yield.

        Closed early, it keeps what is trained so far. A model that diverges does not keep the others from being
        trained.

        Parameters
        ----------
        checkpoint
            As in `narrows.estimators.base.BottleneckEstimator.fit`: models that it holds trained are not trained again.

        Raises
        ------
        FloatingPointError
            If a model diverged, once all others are trained.
        """
        now: Sequence[BottleneckEstimator] = ()
        dims: tuple[int, ...] = ()
        steps = fit_together(self._estimators, self.X_train, self._labels, self._weights, checkpoint=checkpoint)
        ended = False
        try:
            for models, step in steps:
                if models is not now:
                    self._add(now, interrupted=False)
                    now, dims = models, tuple(model.latent_dim for model in models)
                yield SweepStep(dims, len(self.trainings), len(self._estimators), step)
            ended = True
        finally:
            steps.close()
            self._add(now, interrupted=not ended)
            self._add(self._estimators, interrupted=False)  # those that a checkpoint held trained
            self.models = dict(sorted(self.models.items()))

    def _add(self, models: Sequence[BottleneckEstimator], *, interrupted: bool) -> None:
        """Add the rows of those of ``models`` that are fitted and have none, and keep the best of each latent_dim."""
        known = {(row.latent_dim, row.seed) for row in self.trainings}
        fitted = [model for model in models if model.__sklearn_is_fitted__()]
        new = [model for model in fitted if (model.fitted_.latent_dim, model.seed_) not in known]
        for model in new:
            row = self._judged(model, model.history_[-1]["seconds"] / len(new), interrupted=interrupted)
            self.trainings.append(row)
            if self._best(row.latent_dim) is row:
                self.models[row.latent_dim] = model

    def _best(self, latent_dim: int) -> SweepRow:
        """Return the training to keep among those of ``latent_dim``: by validation, never by the test examples."""
        rivals = [row for row in self.trainings if row.latent_dim == latent_dim]
        return min(rivals, key=lambda row: (row.validation_error or 0.0, row.seed))

    @property
    def rows(self) -> list[SweepRow]:
        """The row of each model that is kept, by latent_dim."""
        kept = []
        for latent_dim in sorted(self.models):
            errors = [row.test_error for row in self.trainings if row.latent_dim == latent_dim]
            spread = float(np.std(errors, ddof=1)) if len(errors) > 1 else None
            kept.append(replace(self._best(latent_dim), spread=spread))
        return kept

    def _judged(self, estimator: BottleneckEstimator, seconds: float, *, interrupted: bool) -> SweepRow:
        errors = estimator.anomaly_score(self.X_test, self.y_test)
        error, deviation = _mean_and_deviation(errors, self._test_weights)
        fitted = estimator.fitted_
        validation, validation_se = fitted.validation_error or (None, None)
        seen, test = self._scaled_by(fitted)
        return SweepRow(
            latent_dim=fitted.latent_dim,
            test_error=error,
            test_error_se=deviation,
            pca_error=self._mean(squared_errors(test, fitted.reference.components.restored(seen))),
            validation_error=validation,
            validation_error_se=validation_se,
            parameters=sum(p.numel() for p in fitted.model.parameters()),
            dead_units=int(dead_units(estimator.transform(self.X_train, self.y_train)).sum()),
            epochs=len(fitted.history),
            seconds=seconds,
            interrupted=interrupted,
            seed=fitted.seed,
        )

    def _scaled_by(self, fitted: Fitted) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Return the test rows, or as many as memory should hold, in the one scaling of all models.

        First as they see them, then as they should give them back: the same, but for pairs.
        """
        if self._scaled is None:
            most = enough_rows(fitted.features)
            seen = fitted.scaling.apply(self.X_test[:most])
            same = self._target is self.X_test
            self._scaled = seen, seen if same else fitted.scaling.apply(self._target[:most])
        return self._scaled

    @cached_property
    def mean_error(self) -> float:
        """The test error of answering with the training examples' mean, in the rows' units; needs one trained model."""
        fitted = next(iter(self.models.values())).fitted_
        _, test = self._scaled_by(fitted)
        return self._mean(squared_errors(test, np.broadcast_to(fitted.reference.components.mean, test.shape)))

    def _mean(self, errors: NDArray[np.float64]) -> float:
        """Return the mean of ``errors`` (n,), of the first test rows, by weight."""
        weights = None if self._test_weights is None else self._test_weights[: len(errors)]
        return float(np.average(errors, weights=weights))

    @property
    def unit(self) -> str:
        """What errors measure, in words; needs one trained model."""
        return next(iter(self.models.values())).fitted_.unit

    def recommendation(self) -> tuple[int | None, str]:
        """Return the latent_dim to take, and in one sentence why; None where nothing was held out inside ``fit``.

        The rule is the one-standard-error rule (Breiman et al. 1984): the smallest latent_dim whose validation error is
        within one standard error of the lowest.
        """
        validated = [(row.validation_error, row) for row in self.rows if row.validation_error is not None]
        if not validated:
            return None, (
                "No latent_dim is recommended: these models held out no validation examples, and choosing by the "
                "test error would make that error optimistic."
            )
        lowest, best = min(validated, key=lambda pair: pair[0])
        limit = lowest + (best.validation_error_se or 0)
        taken = min(row.latent_dim for error, row in validated if error <= limit)
        reason = (
            f"Take latent_dim {taken}: the smallest whose validation error is within one standard error "
            f"of the lowest ({lowest:.4f} ± {best.validation_error_se:.4f}, at latent_dim {best.latent_dim})"
        )
        if taken == self.latent_dims[-1] and len(validated) > 1:
            reason += "; the error still falls there, so a larger one may do better yet"
        row = next(row for row in self.rows if row.latent_dim == taken)
        if row.pca_error <= row.test_error:
            error = f"{row.pca_error:.4f} on the test examples"
            reason += f"; but as many principal components do as well or better ({error})"
        return taken, reason + "."


def _examples(name: str, X: Any) -> Any:
    """Return examples, checked here, where rows still have their places; those on disk are checked when they are read.

    ``name`` is what they were given as.
    """
    check_given(name, X)
    data = X if isinstance(X, pd.DataFrame | OnDisk) else np.asarray(X)
    if not isinstance(data, OnDisk) and np.issubdtype(np.asarray(data).dtype, np.number):
        check_finite(np.asarray(data).reshape(len(data), -1), getattr(data, "columns", None), argument=name)
    return data


def _rows(data: Any, rows: NDArray[np.int64]) -> Any:
    """Return the examples at ``rows``, which stay on disk if they are there."""
    return data.select(rows) if isinstance(data, OnDisk) else take(data, rows)


def _column(y: ArrayLike, n: int) -> NDArray[Any]:
    """Return labels (n,), also of (n, 1), or say what is wrong with them before anything is trained."""
    refuse_masked("y", y)
    labels = np.asarray(y)
    if labels.shape not in {(n,), (n, 1)}:
        raise ValueError(f"y of shape {labels.shape} must be ({n},): a label for each example of X")
    return labels.reshape(n)


def _mean_and_deviation(errors: NDArray[np.floating], weights: NDArray[np.floating] | None) -> tuple[float, float]:
    """Return the mean of ``errors`` (n,), by ``weights`` if there are any, and its standard error."""
    if weights is None:
        return float(errors.mean()), float(errors.std() / np.sqrt(len(errors)))
    shares = weights / weights.sum()
    mean = float(shares @ errors)
    return mean, float(np.linalg.norm(shares * (errors - mean)))


def _classes(y: NDArray[Any] | None) -> NDArray[Any] | None:
    """Return ``y``, or None if it is a quantity, also written as text, or a name for nearly every example."""
    if y is None:
        return None
    values = np.unique(y)
    try:
        quantity = (values.astype(np.float64) % 1 != 0).any()
    except ValueError:  # words
        quantity = False
    return None if quantity or 2 * len(values) > len(y) else y


def _all_classes(y_train: NDArray[Any] | None, y_test: NDArray[Any] | None) -> NDArray[Any]:
    """Return ``y_train``, from which a conditional model learns all classes that it is tested on."""
    if y_train is None or y_test is None:
        raise ValueError("conditional=True needs y, the class of each example, but these data have no labels")
    unseen = y_test[~np.isin(y_test, y_train)]
    if len(unseen):
        raise ValueError(
            "conditional=True needs two examples or more of each class, for training and for the test; "
            f"class {unseen[0]} has too few"
        )
    return y_train


def sweep(X: ArrayLike, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None, **options: Any) -> Sweep:
    """Train a model for each of several latent_dim and return the `Sweep`, which takes the same arguments.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from narrows import sweep
    >>> digits = load_digits()
    >>> result = sweep(digits.images, digits.target, latent_dims=(1, 2), epochs=3)
    >>> [row.latent_dim for row in result.rows]
    [1, 2]
    """
    result = Sweep(X, y, sample_weight, **options)
    for _ in result.run():
        pass
    return result
