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
from numpy.typing import ArrayLike, NDArray

from narrows.arguments import choice, integer
from narrows.components import Components
from narrows.data.parquet_rows import ParquetRows
from narrows.estimators import ESTIMATORS
from narrows.estimators.allowed import checks_of
from narrows.estimators.base import BottleneckEstimator
from narrows.estimators.division import Division, examples_in, is_table
from narrows.estimators.fitting import fit_together
from narrows.estimators.rows import rows_of
from narrows.estimators.targets import examples_of
from narrows.evaluation.codes import dead_units
from narrows.evaluation.reconstruction import squared_errors
from narrows.fitted.fitted import Fitted
from narrows.fitted.reference import linear_errors
from narrows.fitted.training_set import enough_rows
from narrows.training.loop import Step
from narrows.training.own_state import in_own_state

__all__ = ["Sweep", "SweepRow", "SweepStep", "sweep"]


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One model of a sweep. Errors are squared, per pixel or feature, in scaled units, with their standard errors.

    Of a table they are those of a cell, relative to that of its column's mean or frequencies.

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
        Rows, images or a table, (n, …), also on disk, and, if known, labels (n,), by which the split is stratified.
        The models learn them too where they are classes: no real numbers, and at most half as many as there are
        examples. Of pairs, for a `DenoisingAutoencoder`, noisy examples and clean ones.
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
        columns = options.get("columns")
        data = examples_in("X", X, columns)
        if columns is None and is_table(data, None):  # also where the gaps of one subset are all there are
            options["columns"] = {}
        each = [random_state + i for i in range(integer("seeds", seeds, 1))]
        self._estimators = [kind(d, random_state=seed, **options) for d in self.latent_dims for seed in each]
        self._division = division = Division.of(
            self._estimators[0], data, y, sample_weight, test_size=test_size, random_state=random_state
        )
        self.X_train, self.X_test = division.X_train, division.X_test
        self.y_train, self.y_test = division.y_train, division.y_test
        self.models: dict[int, BottleneckEstimator] = {}
        self.trainings: list[SweepRow] = []
        self._scaled: tuple[NDArray[np.floating], NDArray[np.floating]] | None = None

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
        steps = fit_together(
            self._estimators, self.X_train, self._division.labels, self._division.weights, checkpoint=checkpoint
        )
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
        errors = _errors(estimator, self.X_test, self.y_test)
        error, deviation = _mean_and_deviation(errors, self._division.test_weights)
        fitted = estimator.fitted_
        validation, validation_se = fitted.validation_error or (None, None)
        return SweepRow(
            latent_dim=fitted.latent_dim,
            test_error=error,
            test_error_se=deviation,
            pca_error=self._linear_error(fitted, fitted.reference.components),
            validation_error=validation,
            validation_error_se=validation_se,
            parameters=sum(p.numel() for p in fitted.model.parameters()),
            dead_units=int(dead_units(estimator.transform(*self._looked_at)).sum()),
            epochs=len(fitted.history),
            seconds=seconds,
            interrupted=interrupted,
            seed=fitted.seed,
        )

    @property
    def _looked_at(self) -> tuple[Any, Any]:
        """The training examples and their labels; or others, where those are more than memory holds."""
        return (self.X_test, None) if isinstance(self.X_train, ParquetRows) else (self.X_train, self.y_train)

    def _scaled_by(self, fitted: Fitted) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Return the test rows, or as many as memory should hold, in the one scaling of all models.

        First as they see them, then as they should give them back: the same, but for pairs.
        """
        if self._scaled is None:
            most = enough_rows(fitted.features)
            test, target = self.X_test, self._division.target
            few = test[:most] if fitted.table is None else fitted.table.cells(test[:most])
            seen = fitted.scaling.apply(few)
            self._scaled = seen, seen if target is test else fitted.scaling.apply(target[:most])
        return self._scaled

    def _linear_error(self, fitted: Fitted, components: Components) -> float:
        """Return the test error of ``components``."""
        seen, test = self._scaled_by(fitted)
        if fitted.table is not None:
            return self._mean(linear_errors(fitted.table, components, test))
        return self._mean(squared_errors(test, components.restored(seen)))

    @cached_property
    def mean_error(self) -> float:
        """The test error of answering with the training examples' mean, in the rows' units; needs one trained model."""
        fitted = next(iter(self.models.values())).fitted_
        components = fitted.reference.components
        return self._linear_error(fitted, replace(components, axes=components.axes[:0]))

    def _mean(self, errors: NDArray[np.float64]) -> float:
        """Return the mean of ``errors`` (n,), of the first test rows, by weight."""
        weights = self._division.test_weights
        weights = None if weights is None else weights[: len(errors)]
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


@in_own_state
def _errors(estimator: BottleneckEstimator, X: Any, y: ArrayLike | None) -> NDArray[np.float64]:
    """Return the error of each example, (n,), as the model's ``unit`` says."""
    fitted = estimator.fitted_
    return fitted.on(estimator.device).errors(examples_of(fitted, rows_of(estimator, X), y))


def _mean_and_deviation(errors: NDArray[np.floating], weights: NDArray[np.floating] | None) -> tuple[float, float]:
    """Return the mean of ``errors`` (n,), by ``weights`` if there are any, and its standard error."""
    if weights is None:
        return float(errors.mean()), float(errors.std() / np.sqrt(len(errors)))
    shares = weights / weights.sum()
    mean = float(shares @ errors)
    return mean, float(np.linalg.norm(shares * (errors - mean)))


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
