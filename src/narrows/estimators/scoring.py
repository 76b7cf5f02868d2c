"""How good is a model, and how odd is an example? What an estimator says of data."""

from __future__ import annotations

import math
import warnings
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from torch import nn

from narrows.arguments import RandomState, choice, integer, random_seed, refuse_masked
from narrows.columns.showing import texts_of
from narrows.estimators.attributes import FittedAttributes
from narrows.estimators.rows import rows_of
from narrows.estimators.targets import clean_of, examples_of, refuse_pairs
from narrows.estimators.why import columns_of, ordinary_of, why
from narrows.evaluation.summary import Evaluation
from narrows.fitted.completion import with_threshold
from narrows.fitted.evaluate import MOST_INTEGRATED, evaluate
from narrows.fitted.explaining import Explanation, sentences
from narrows.fitted.limits import limit, rate_of
from narrows.fitted.reference import SCORES
from narrows.fitted.scores import SCORE_SAMPLES, LogLikelihood, error_nats, log_density, oddness
from narrows.fitted.source import Source
from narrows.fitted.subsets import Subset, thinned
from narrows.training.own_state import in_own_state

__all__ = ["Scoring"]

Array = NDArray[np.floating]


class Scoring(FittedAttributes):
    """What a fitted estimator says of data."""

    def score_samples(self, X: ArrayLike, y: ArrayLike | None = None) -> NDArray[np.float32]:
        """Return a log-density in nats per example, (n,), in the data's own units; higher is likelier.

        Where the code is drawn, it is a lower bound on log p(x) by 16 codes of each example. Where it is a function of
        the input, it is log p(x | z(x)), which does not ask how likely the code is. Below −3.4e38 it is −∞. For a
        Bernoulli likelihood, and for one of counts, it is a log-probability. Given clean examples as ``y``, it is that
        of these, whose codes are those of the noisy ones, ``X``.
        """
        with np.errstate(over="ignore"):  # −∞, as said above
            return self._log_density(X, y, SCORE_SAMPLES, 0).astype(np.float32)

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
        integer("samples", samples, 1)
        if not self.fitted_.model.bottleneck.draws:
            raise TypeError(
                f"{type(self).__name__} has a deterministic code and so no bound on log p(x); use "
                "score_samples for log p(x | z(x)), or a VAE or IWAE for the bound"
            )
        values = self._log_density(X, y, samples, random_seed(random_state))
        return LogLikelihood(values, float(values.mean()), float(values.std() / math.sqrt(len(values))))

    @in_own_state
    def _log_density(self, X: ArrayLike, y: ArrayLike | None, samples: int, seed: int) -> NDArray[np.float64]:
        fitted = self.fitted_
        return log_density(
            fitted.on(self.device), fitted.scaling, examples_of(fitted, rows_of(self, X), y), samples, seed
        )

    def score(self, X: ArrayLike, y: ArrayLike | None = None) -> float:
        """Return the mean of `score_samples`, in nats per example: what cross-validation and grid search maximise."""
        return float(self.score_samples(X, y).mean())

    @in_own_state
    def anomaly_score(self, X: ArrayLike, y: ArrayLike | None = None, *, by: str = "auto") -> NDArray[np.float64]:
        """Return how odd each example is, (n,); higher is odder.

        Parameters
        ----------
        X, y
            Examples, and their classes for a conditional model; or noisy examples and clean ones, which what becomes of
            the noisy ones is compared with.
        by
            ``"auto"``: the mean of −log p over three p-values, by ordinary examples that were held out: that of the
            distance to the nearest of up to 4,096 training examples, which the model keeps (half of it), of the error,
            and of the same distance between codes (`narrows.fitted.joined`). Of a table's rows, whose gaps are filled
            for it, the error is half of it. Examples of more than 1,000 numbers are near to others by 128 sums of these
            numbers (`narrows.fitted.views`). An example that is kept is no neighbour of itself.
            ``"reconstruction"``: the mean squared error per feature in scaled units, [0, 1] for images and unit
            variance for columns of different units. ``"likelihood"``: −`score_samples`, in nats.
            For a table's rows all are calibrated by which cells are known: what they cost in nats above those of
            ordinary rows, −log p(x | z(x)) or −`score_samples`, in standard deviations.
        """
        choice("by", by, SCORES)
        fitted = self.fitted_
        examples, passes = examples_of(fitted, rows_of(self, X), y), fitted.on(self.device)
        if by != "auto" or fitted.joined is None:
            return oddness(passes, fitted.scaling, examples, by)
        return fitted.joined.scores(passes, examples)

    @in_own_state
    def anomaly_threshold(self, by: str = "auto") -> float:
        """Return the `anomaly_score` above which `predict` calls an example odd.

        The score that a new ordinary example exceeds with a probability of ``false_alarms``, by those of the examples
        that `fit` held out or `fit_threshold` was given. The option can be set after the fit.

        By ``"auto"`` the examples that the model keeps help, and it is within a fifth of ``false_alarms``, up to
        1/(n + 1) with n held-out examples, whatever the scores' distribution
        (`narrows.evaluation.anomalies.steadied_threshold`). By the other scores, and after `fit_threshold`, it is at
        most ``false_alarms`` (`narrows.evaluation.anomalies.threshold`).

        After a fit with ``contamination`` it is the score that as many of the examples learned from are above, of which
        it looks at 10,000.

        That is so on average. Where the threshold is the r-th highest of n held-out scores, r = ⌊α (n + 1)⌋, how many
        of m new ordinary examples are called odd has a beta-binomial distribution of m, r and n + 1 − r:
        ``scipy.stats.betabinom(m, r, n + 1 - r).interval(0.999)`` says between which numbers it lies in 99.9 % of the
        cases; where others help, seldom near its ends.

        Raises
        ------
        ValueError
            If there are no such examples.

        Warns
        -----
        UserWarning
            If they are too few for a rate so low. The highest score is then the threshold.
        """
        false_alarms = rate_of(self.fitted_.contamination, self.false_alarms)
        found = limit(self.fitted_, choice("by", by, SCORES), false_alarms)
        if self.fitted_.contamination is None and false_alarms < found.asked:
            warnings.warn(
                f"false_alarms={false_alarms:g} needs {math.ceil(1 / false_alarms) - 1:,} examples that were "
                f"not seen in training, but there are {found.held_out:,}; the highest of their scores is the "
                f"threshold, which promises a rate of {found.asked:.2g}; give fit_threshold(X) more",
                stacklevel=3,
            )
        return found.score

    def decision_function(self, X: ArrayLike, y: ArrayLike | None = None, *, by: str = "auto") -> NDArray[np.float64]:
        """Return `anomaly_threshold` − `anomaly_score`, (n,): negative for odd examples, as scikit-learn has it."""
        scores = self.anomaly_score(X, y, by=by)
        return self.anomaly_threshold(by) - scores

    def predict(self, X: ArrayLike, y: ArrayLike | None = None, *, by: str = "auto") -> NDArray[np.int64]:
        """Return −1 for each odd example and 1 for any other, (n,), as scikit-learn's outlier detectors do."""
        return np.where(self.decision_function(X, y, by=by) < 0, -1, 1)

    @in_own_state
    def fit_threshold(self, X: ArrayLike, y: ArrayLike | None = None, *, new: bool = False) -> Self:
        """Take `anomaly_threshold` from ordinary examples ``X`` not seen in training, instead of those held out.

        Parameters
        ----------
        X, y
            Examples, and their classes for a conditional model.
        new
            Whether all of them are new, whatever they are equal to. Else those that the model recognises, as `evaluate`
            does, are refused.

        Raises
        ------
        ValueError
            If some of them were seen in training, and so are less odd than others would be.
        """
        fitted, source = self.fitted_, rows_of(self, X)
        refuse_pairs("fit_threshold", source, y)
        reference = fitted.reference
        seen = 0 if new else int(reference.seen(reference.occurrences(source.chunks())).sum())
        if seen:
            raise ValueError(
                f"{seen:,} of the {len(source):,} examples of X were given to fit; use others, or pass "
                "new=True if these are new examples that merely equal those"
            )
        self.fitted_ = with_threshold(fitted, examples_of(fitted, source, y), self.device)
        return self

    @in_own_state
    def error_map(self, X: ArrayLike, y: ArrayLike | None = None) -> Array:
        """Return the squared error of every pixel or feature, in the shape of ``X`` and its units squared.

        An array, unless `set_output` asks for data frames. ``y`` as in `anomaly_score`. Of a table's cells it is
        −log p(x | z(x)) in nats, of a density in the column's unit, NaN where they are missing: a frame of the columns
        that are learnt from, if the model was fitted to one.
        """
        fitted, source = self.fitted_, rows_of(self, X)
        if fitted.table is not None:
            nats: Array = error_nats(fitted.on(self.device), fitted.scaling, examples_of(fitted, source, y))
            cells: Array = self._of_columns(nats, X)
            return cells
        clean = clean_of(fitted, source, y)
        restored = fitted.on(self.device).reconstructed(examples_of(fitted, source, y if clean is source else None))
        errors: Array = np.square(clean.rows() - fitted.scaling.undo(restored).astype(source.dtype))
        contained: Array = self._contained(errors.reshape(source.shape), X)
        return contained

    @in_own_state
    def explain(
        self, X: ArrayLike, y: ArrayLike | None = None, *, by: str = "auto", false_alarms: float | None = None
    ) -> Explanation:
        """Say why examples are odd: which of their cells are, and the nearest ordinary examples.

        Each cell is compared with what the others of its row make of it. Of rows of numbers that follows from training
        examples with codes that lie together (`narrows.fitted.local_gaussians`), of a table's rows from the code of a
        row where the cell is hidden (`narrows.fitted.hidden_cells`): a number's by its density, a level's by its
        probability, a missing cell by how probable it is to be missing. The same of examples that were held out makes
        it a p-value (`narrows.fitted.cells`). Pixels, and the numbers of rows of more than 1,000, are compared with
        what comes back of the whole example, as in `error_map`.

        Cells are odd at a rate of false discoveries of ``false_alarms``, which can be set after the fit: on average at
        most that share of the cells named in a row is ordinary, as far as a row's cells vary with one another only as
        the model says, and at most that share of ordinary rows has an odd cell.

        Parameters
        ----------
        X, y
            Examples, and their classes for a conditional model.
        by
            The score by which the nearest ordinary examples are ordinary, as in `predict`.
        false_alarms
            Instead of the model's; more where too few were held out to promise as little.

        Returns
        -------
        `narrows.fitted.explaining.Explanation`

        Raises
        ------
        ValueError
            If the model keeps no held-out examples to compare with, or ``false_alarms`` is next to a contamination.
        """
        fitted, found = self.fitted_, why(self, X, y, by, false_alarms)
        source, nearest, p, columns = found.source, found.nearest, found.p_values, columns_of(fitted)
        if fitted.table is not None:
            ordinary = ordinary_of(fitted, X, found)
            said = sentences(columns, nearest, p, *(texts_of(fitted.table, each) for each in (X, ordinary)))
        else:
            shaped = found.ordinary.astype(source.dtype).reshape(source.shape)
            ordinary = self._contained(shaped, X, frame=fitted.frame)
            said = sentences(columns, nearest, p, source.rows(), found.ordinary)
        odd, changed = (each.reshape(source.shape) for each in (found.odd, nearest.changed))
        both = nearest.is_ordinary, nearest.were
        return Explanation(columns, p.reshape(source.shape), odd, ordinary, changed, *both, said, found.rate)

    @in_own_state
    def evaluate(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        new: bool = False,
        X_train: ArrayLike | None = None,
        y_train: ArrayLike | None = None,
        factors: pd.DataFrame | None = None,
        features: nn.Module | None = None,
        samples: int = 0,
        random_state: RandomState = 0,
    ) -> Evaluation:
        """Evaluate the model on examples that it has not seen in training, in numbers with intervals and in words.

        The model recognises what it was fitted to: without ``X_train``, such examples among ``X`` are set aside, and
        the others are compared with them. So X may be all there is, or new examples alone. Where training examples
        repeat, as in a table of categories or counts, an equal one proves nothing: it counts as new, and ``repeated``
        says how many there are.

        Of many examples it uses 10,000, drawn at random, and fewer where they are large. The digits take 2 s, 10,000 of
        MNIST's a minute.

        Parameters
        ----------
        X, y
            Examples as in `fit`, two or more, and their labels, if known.
        new
            Whether all of ``X`` is new, whatever it is equal to, so that none of it is set aside.
        X_train, y_train
            Examples that the model was fitted to, and their labels, if ``X`` has none of them.
        factors
            A column for each factor that the examples were drawn from, for `mutual_information_gap` and `dci`.
        features
            What generated examples are compared by: a net that makes (n, k) of scaled inputs, (n, features) or
            (n, C, H, W). None takes their own numbers, or 64 principal components of these.
        samples
            Codes drawn of each example for the importance-sampled likelihood; 0 leaves it out, 5,000 are customary.
        random_state
            As in `sample`.

        Returns
        -------
        `narrows.evaluation.summary.Evaluation`, whose ``findings`` say what is wrong.

        Raises
        ------
        TypeError, ValueError
            If ``X`` is not like what the model was fitted to, or the model was fitted to all of it.
        """
        fitted, seed, source = self.fitted_, random_seed(random_state), self._evaluated(X, y, y_train)
        integer("samples", samples, 0)
        if features is not None and fitted.table is not None:
            raise ValueError("features is a net of images or rows of numbers, and cannot take a table's columns")
        occurrences = fitted.reference.occurrences(source.chunks())
        examples, labels = examples_of(fitted, source, y), None if y is None else np.asarray(y)
        if X_train is None:
            known = np.zeros(len(source), bool) if new else fitted.reference.seen(occurrences)
            test, seen = np.flatnonzero(~known), np.flatnonzero(known)
            others, seen_labels = examples, labels
        else:
            before = rows_of(self, X_train)
            test, seen, others = np.arange(len(source)), np.arange(len(before)), examples_of(fitted, before, y_train)
            seen_labels = None if y_train is None else np.asarray(y_train)
        if len(source) < 2:
            raise ValueError(f"X holds {len(source)} example; evaluate on two or more, better hundreds")
        if len(test) < 2:
            raise ValueError(
                f"{len(seen):,} of the {len(source):,} examples of X are those that the model was fitted to; evaluate "
                "on two others or more, or say new=True (--new) if these are new and only equal to those"
            )
        test, training = (thinned(rows, examples.features, seed) for rows in (test, seen))
        return evaluate(
            fitted,
            Subset(examples, test, labels),
            Subset(others, training, seen_labels),
            source.rows(test[:MOST_INTEGRATED]),
            counts=(len(source), len(seen), int((occurrences[test] > 0).sum())),
            factors=None if factors is None else factors.iloc[test],
            features=features,
            samples=samples,
            seed=seed,
            device=self.device,
        )

    def _evaluated(self, X: ArrayLike, y: ArrayLike | None, y_train: ArrayLike | None) -> Source:
        """Return the rows to evaluate on, or refuse them."""
        source = rows_of(self, X, warn=False)
        refuse_pairs("evaluate", source, y)
        refuse_masked("y", y)
        refuse_masked("y_train", y_train)
        return source
