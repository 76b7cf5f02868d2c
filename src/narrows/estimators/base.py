"""What every named model shares: fitting, codes and back, scores, saving."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, OutlierMixin, TransformerMixin
from sklearn.utils import check_array
from torch.nn.functional import one_hot

from narrows.arguments import RandomState, choice, in_numpy, integer, random_seed, real, refuse_masked
from narrows.columns.given import conditions
from narrows.estimators.fitting import fit_together
from narrows.estimators.rows import rows_of
from narrows.estimators.scoring import Scoring
from narrows.estimators.targets import asked_of, context_of, examples_of, labels_of_each, posterior_of, refuse_pairs
from narrows.fitted.completion import with_prior
from narrows.fitted.conditioning import new_rows
from narrows.fitted.imputing import imputed
from narrows.fitted.limits import rate_of
from narrows.fitted.passes import check_decoded
from narrows.fitted.saving import contents
from narrows.models.corruptions import CORRUPTIONS, Corruption
from narrows.models.priors import PRIORS
from narrows.models.tracing import TracedLayer, trace
from narrows.storage import ModelFile, write_model
from narrows.training.loop import Step
from narrows.training.own_state import in_own_state
from narrows.training.processor import limited_threads
from narrows.training.starting import leads

__all__ = ["BottleneckEstimator"]

Array = NDArray[np.floating]


class BottleneckEstimator(ClassNamePrefixFeaturesOutMixin, OutlierMixin, TransformerMixin, Scoring):  # type: ignore[misc]
    """What every named model shares. Inputs X are rows (n, features) or images (n, H, W) or (n, H, W, C).

    A model fitted to a data frame of pandas or polars, even after `save` and `load`, returns such frames from
    `sample` and `inverse_transform`, with the same columns; those of 32-bit floats keep that type, all others become
    64-bit floats, since decoded values are real numbers. `set_output` decides otherwise: ``transform="default"`` is for
    arrays.

    y are the examples' labels. Given to `fit`, they let `sample` be asked for a class; only a conditional model, whose
    nets see them, needs them elsewhere.
    """

    # --- Learning ---------------------------------------------------------------------

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Learn from ``X``.

        Parameters
        ----------
        X
            Rows (n, features) or images (n, H, W[, C]), two or more, finite; any real type.
        y
            The examples' classes (n,), whole numbers or strings; None, or anything else, if they have none. For a
            `DenoisingAutoencoder` also ``X`` without its noise, in the same shape.
        sample_weight
            How much each example counts, (n,), in proportion to the others; None if all count alike. One of weight 2
            counts as two of weight 1: in training, and in scaling, components, prior and threshold. One of weight 0 is
            as if it were not there. Whether an example is held out does not depend on its weight; the validation loss
            does.
        checkpoint
            A file that holds the state of the training, written every half minute and at the end. Where there is one
            already, of the same options and data, training goes on from it and ends with the same weights, bit for
            bit, as if it had never stopped; ``random_state=None`` takes its seed. With more ``epochs`` than before it
            goes on to their end. The schedule is that of all of them from there on: a one-cycle rate, which had come
            down, rises again, and the weights are not those of as many epochs from the start.

        Raises
        ------
        TypeError, ValueError
            For an option or data that cannot be used, or a checkpoint of another training; the message names it, its
            value, and what would be right.
        FloatingPointError
            If training diverges, even at an eighth of the learning rate. As after an interruption, the best weights
            until then are kept.
        OSError
            If the checkpoint cannot be written; the one before is then still there. With several
            ``devices``, if another process has ended.
        """
        for _ in self.fit_steps(X, y, sample_weight, checkpoint=checkpoint):
            pass
        return self

    @property
    def leads(self) -> bool:
        """Whether this process, of those that train together, is the one that writes and prints."""
        return leads(self.devices, self.nodes)

    def fit_steps(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> Generator[Step]:
        """Learn from ``X`` as `fit` does, one step per yield, to watch it or to stop early.

        ``step.training.change(learning_rate=…, beta=…)`` changes these from there on.
        Closed or interrupted after at least one epoch, the estimator is fitted, with the best weights seen until then.
        """
        for _, step in fit_together([self], X, y, sample_weight, checkpoint=checkpoint):
            yield step

    @in_own_state
    def fit_prior(self, prior: str, X: ArrayLike, y: ArrayLike | None = None, random_state: RandomState = None) -> Self:
        """Fit another prior to the codes of ``X``; the nets stay as they are.

        Parameters
        ----------
        prior
            ``"normal"``, ``"mixture"``, ``"posterior"``, ``"flow"`` or ``"flow-matching"``.
        X, y
            Examples, and their classes if `sample` is to be asked for one.
        random_state
            As in `sample`; None takes the seed of the fit.
        """
        choice("prior", prior, PRIORS)
        fitted, source = self.fitted_, rows_of(self, X)
        refuse_pairs("fit_prior", source, y)
        labels = torch.from_numpy(labels_of_each(fitted, y, len(source)))
        seed = fitted.seed if random_state is None else random_seed(random_state)
        examples = examples_of(fitted, source, y)
        changed = with_prior(fitted, prior, examples, labels, seed, self.device)
        self.__dict__.update(prior=prior, _fitted=changed)  # at once, as nothing can come between
        return self

    # --- Using ------------------------------------------------------------------------

    def fit_transform(
        self, X: ArrayLike, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> NDArray[np.float32]:
        """Learn from ``X`` as `fit` does, and return its codes."""
        return self.fit(X, y, sample_weight).transform(X, y)

    def fit_predict(
        self, X: ArrayLike, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> NDArray[np.int64]:
        """Learn from ``X`` as `fit` does, and return −1 for each odd example and 1 for any other, as `predict` does."""
        return self.fit(X, y, sample_weight).predict(X, y)

    @in_own_state
    def transform(self, X: ArrayLike, y: ArrayLike | None = None) -> NDArray[np.float32]:
        """Return the codes (n, latent_dim) of ``X``, in the nets' 32-bit floats; the mean of q(z | x)."""
        codes: NDArray[np.float32] = posterior_of(self, X, y).mean.numpy()
        return codes

    @in_own_state
    def encode_distribution(
        self, X: ArrayLike, y: ArrayLike | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return μ and σ of q(z | x), each (n, latent_dim); σ is 0 where the code is a function of the input."""
        q = posterior_of(self, X, y)
        return q.mean.numpy(), q.sigma.numpy()

    @in_own_state
    def sample_code(
        self, X: ArrayLike, y: ArrayLike | None = None, random_state: RandomState = None
    ) -> NDArray[np.float32]:
        """Draw a code of each example from q(z | x), (n, latent_dim); ``random_state`` as in `sample`."""
        q = posterior_of(self, X, y)
        codes: NDArray[np.float32] = q.rsample(torch.Generator().manual_seed(random_seed(random_state))).numpy()
        return codes

    @in_own_state
    def inverse_transform(self, Z: ArrayLike, y: ArrayLike | None = None) -> Array:
        """Return what the codes ``Z`` (n, latent_dim) stand for: examples in the training data's shape and units.

        Raises
        ------
        ValueError
            If they are not finite codes of this model, or so large that decoding them overflows.
        """
        fitted = self.fitted_
        refuse_masked("Z", Z)
        codes = check_array(in_numpy(Z), dtype=[np.float64, np.float32], input_name="Z")
        if codes.shape[1] != fitted.latent_dim:
            raise ValueError(
                f"Z has {codes.shape[1]} columns, but this model's codes have latent_dim={fitted.latent_dim}"
            )
        context = context_of(fitted, y, len(codes))
        with np.errstate(over="ignore"):  # is refused below
            z = torch.from_numpy(codes.astype(np.float32))
        decoded = check_decoded(fitted.on(self.device).decoded(z, context))
        examples: Array = fitted.scaling.undo(decoded).reshape(-1, *fitted.input_shape)
        contained: Array = self._contained(examples, Z, frame=fitted.frame)
        return contained

    @in_own_state
    def reconstruct(self, X: ArrayLike, y: ArrayLike | None = None) -> Array:
        """Return ``X`` pressed through the bottleneck and back: same shape, same units; deterministic.

        An array, as scikit-learn's transformers return, unless `set_output` asks for data frames; these have the index
        of ``X`` and the columns of the training data.
        """
        fitted, source = self.fitted_, rows_of(self, X)
        restored = fitted.on(self.device).reconstructed(examples_of(fitted, source, y))
        examples: Array = fitted.scaling.undo(restored).astype(source.dtype).reshape(source.shape)
        contained: Array = self._contained(examples, X)
        return contained

    @in_own_state
    def activations(self, X: ArrayLike, y: ArrayLike | None = None) -> list[TracedLayer]:
        """Return what each layer makes of ``X``, from the input over the code to the output, in scaled units.

        All at once, so that memory has to hold every layer's values of every example.
        """
        fitted = self.fitted_
        examples = examples_of(fitted, rows_of(self, X), y)
        with limited_threads(1):
            return trace(fitted.model, examples.take(torch.arange(len(examples))))

    @in_own_state
    def sample(
        self,
        n_samples: int = 1,
        y: ArrayLike | None = None,
        random_state: RandomState = None,
        *,
        given: Mapping[Any, Any] | None = None,
        missing: bool = True,
    ) -> Any:
        """Return ``n_samples`` new examples, (n_samples, …), in the training data's shape and units, from the prior.

        Each is the mean that the decoder gives a code from the prior; with a likelihood of counts, counts drawn with
        that mean. Of a table, cells are drawn from what the decoder gives, in the columns' types and between their
        bounds, and are missing as they are in the training data: with a probability by column that depends on the code
        and on which of the columns before it are missing (`narrows.models.gaps.Gaps`).

        Parameters
        ----------
        n_samples
            How many, at least 1.
        y
            The class of all of them, or a class for each; None draws classes as often as in the training data.
        random_state
            A seed or a NumPy generator; None draws anew at every call.
        given
            Of a table, what the rows are to be like, by column: a value, a range ``(first, last)`` with both ends
            included, of which one may be None, or a set of values; ``{"city": "Brno", "age": (30, 40)}``. Codes are
            drawn from p(z | these), and all other cells given these codes.
        missing
            Whether a table's cells may be missing. One with a condition never is.

        Raises
        ------
        TypeError, ValueError
            If a condition cannot be met: of no column, of an unknown level, an empty range, or of what no code from the
            prior supports.

        Warns
        -----
        UserWarning
            If few codes do, which the effective sample size says.
        """
        fitted = self.fitted_
        integer("n_samples", n_samples, 1)
        if given is not None and fitted.table is None:
            raise ValueError(
                "given is for tables, and this model was fitted to images or to numbers without gaps; rows of numbers "
                "become a table with columns={}"
            )
        seed = random_seed(random_state)
        generator = torch.Generator().manual_seed(seed)
        wanted = None if y is None else asked_of(fitted, y, n_samples)
        if fitted.table is not None:
            asked = conditions(fitted.table, given or {})
            rows = new_rows(fitted, n_samples, wanted, asked, generator, missing=missing)
            return self._contained(rows, bounded=True)
        with limited_threads(1):
            z, labels = fitted.model.prior.sample(n_samples, generator, wanted)
        context = one_hot(labels, len(fitted.require_classes())).float() if fitted.conditional else None
        means = fitted.scaling.undo(check_decoded(fitted.on(self.device).decoded(z, context)))
        examples = fitted.model.likelihood.draw(means, np.random.default_rng(seed)).reshape(-1, *fitted.input_shape)
        contained: Array = self._contained(examples, frame=fitted.frame)
        return contained

    @in_own_state
    def corrupt(
        self, X: ArrayLike, *, corruption: str = "gaussian", level: float = 0.3, random_state: RandomState = None
    ) -> Array:
        """Return a corrupted copy of ``X``, in its shape and units; an array or a data frame, as `reconstruct`.

        Of a table's cells, ``"masking"`` and ``"block"`` make some missing, ``"swap"`` takes some from other rows, and
        the other kinds change numbers alone.

        Parameters
        ----------
        X
            Rows or images.
        corruption, level
            The kind and how much of it, in scaled units, as the options ``corruption`` and ``input_noise``.
        random_state
            As in `sample`.
        """
        fitted, scaling, source = self.fitted_, self.fitted_.scaling, rows_of(self, X)
        choice("corruption", corruption, CORRUPTIONS)
        level = real("level", level, 0, CORRUPTIONS[corruption].largest)
        generator = torch.Generator().manual_seed(random_seed(random_state))
        numbers = fitted.model.corruption.numbers
        corrupt = Corruption(corruption, level, level, fitted.input_shape, scaling.extremes, numbers)
        corrupted = corrupt(torch.from_numpy(scaling.apply(source.rows())), generator, 1.0)
        examples: Array = scaling.undo(corrupted.numpy()).astype(source.dtype).reshape(source.shape)
        contained: Array = self._contained(examples, X)
        return contained

    @in_own_state
    def impute(
        self, X: ArrayLike, y: ArrayLike | None = None, *, draws: int | None = None, random_state: RandomState = 0
    ) -> Any:
        """Return ``X`` with its missing cells filled; all others stay as they are, bit for bit.

        A number is filled with its mean, a level with the most probable, given the known cells of its row. Codes are
        drawn around the one that explains these best and weighted by p(known cells, z), which
        includes the prior over codes (importance sampling; Mattei & Frellsen, “MIWAE”, 2019).

        Parameters
        ----------
        X, y
            Rows of a table, and their classes for a conditional model.
        draws
            How many fillings, drawn from p(missing | known), to return as a list, from which intervals follow. None
            returns the single filling described above.
        random_state
            As in `sample`.

        Raises
        ------
        ValueError
            If the model was fitted to images, or to numbers none of which were missing: it has not learned to fill.
        """
        fitted = self.fitted_
        if fitted.table is None:
            raise ValueError(
                "this model was fitted to examples without a missing cell, and has not learned to fill any; "
                "fit it to a table with missing cells"
            )
        many = None if draws is None else integer("draws", draws, 1)
        source = rows_of(self, X)
        examples = examples_of(fitted, source, y)
        known = source.rows()
        gaps = np.flatnonzero(np.isnan(known).any(1))
        filled = imputed(fitted, examples.subset(torch.from_numpy(gaps)), many, random_seed(random_state), self.device)
        made = []
        for cells in filled:
            whole = known.copy()
            whole[gaps] = fitted.scaling.undo(cells)
            made.append(fitted.table.with_gaps_filled(X, known, whole))
        return made[0] if many is None else made

    # --- Saving -----------------------------------------------------------------------

    @in_own_state
    def save(self, file: ModelFile) -> None:
        """Write the fitted model to one safe file (safetensors, no pickle), whole or not at all.

        It is the model as it was fitted: of the options set since then, only ``false_alarms`` is saved.

        Parameters
        ----------
        file
            A path, or a file open for writing bytes, seekable or not, which stays open.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        TypeError, ValueError
            If ``false_alarms`` is out of range or next to a ``contamination``, or ``file`` is open as text.
        OSError
            If the file cannot be written; what was at the path before is then still there.
        """
        fitted = self.fitted_
        rate_of(fitted.contamination, self.false_alarms)
        options = {**fitted.options, "false_alarms": self.false_alarms}
        write_model(file, *contents(replace(fitted, options=options)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        tags.input_tags.allow_nan = tags.input_tags.categorical = tags.input_tags.string = True
        return tags
