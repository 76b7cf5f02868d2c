"""The named models whose code is a function of the input; each lists its own options, and `Options` those of all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from narrows.estimators.allowed import Rules, above, at_least, checked, fraction, one_of
from narrows.estimators.base import BottleneckEstimator
from narrows.estimators.checks import check_noise
from narrows.models.bottlenecks import Bottleneck, Deterministic, Noisy
from narrows.models.nets import ACTIVATIONS
from narrows.models.objectives import Contractive, Reconstruction, Regularised, Sparse, Wasserstein
from narrows.training.general import Objective

__all__ = [
    "WAE",
    "Autoencoder",
    "ContractiveAutoencoder",
    "DenoisingAutoencoder",
    "NoisyAutoencoder",
    "RegularizedAutoencoder",
    "SparseAutoencoder",
]


@dataclass(eq=False, repr=False, kw_only=True)
class DeterministicEstimator(BottleneckEstimator):
    """The options of models whose code is a function of the input.

    Parameters
    ----------
    code_activation
        On the code: as ``activation``; ``"identity"`` for a linear code. A ReLU kills units for good.
    """

    code_activation: str = field(default="identity", metadata=one_of(ACTIVATIONS))

    def bottleneck(self) -> Bottleneck:
        """Return a deterministic code."""
        return Deterministic(self.latent_dim, ACTIVATIONS[self.code_activation]())


@dataclass(eq=False, repr=False, kw_only=True)
class Autoencoder(DeterministicEstimator):
    """An encoder, a narrow code and a decoder, trained to give back their input (Hinton & Salakhutdinov 2006).

    The defaults suit a few hundred to a few ten thousand rows or small images; `narrows.recipes` has others, the
    lecture's among them. The code is linear, since a ReLU on it kills units for good.

    Attributes
    ----------
    history_
        A row per epoch: ``epoch``, ``loss``, ``validation_loss`` (nats per example), ``learning_rate``, ``seconds``.
    n_iter_
        Epochs trained.
    validation_error_
        Mean and standard error of the squared error per feature, in scaled units, on the validation part, if any.
    model_
        The `narrows.models.model.BottleneckModel`: its encoder and decoder are torch modules.
    classes_
        The labels, sorted, if ``fit`` had class labels; `sample` can then be asked for one.
    scaling_, input_shape_, seed_, n_features_in_, feature_names_in_
        The fitted scaling, one example's shape, the seed used, and scikit-learn's usual two.
    fitted_
        All of these as one value, a `narrows.fitted.fitted.Fitted`: whole, and never changed.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from narrows import Autoencoder
    >>> X = load_digits().images[:200]
    >>> ae = Autoencoder(latent_dim=8, epochs=5, random_state=0).fit(X)
    >>> ae.transform(X).shape, ae.reconstruct(X).shape, ae.sample(3, random_state=0).shape
    ((200, 8), (200, 8, 8), (3, 8, 8))
    """

    def own_objective(self) -> Objective:
        """Return the reconstruction loss."""
        return Reconstruction()


@dataclass(eq=False, repr=False, kw_only=True)
class DenoisingAutoencoder(DeterministicEstimator):
    """An autoencoder that learns to give back clean inputs from corrupted ones (Vincent et al. 2008).

    It is the autoencoder with much more ``input_noise``, of the kind that ``corruption`` says; give it the noise that
    your data have. `reconstruct` then removes it.

    Or let it learn from pairs, ``fit(noisy, clean)``: the same examples, in arrays of the same shape or data frames
    with the same columns, and in the same units, as they come with noise and as they should be. Training compares what
    it makes of the noisy ones with the clean ones, and so do `score`, `score_samples`, `anomaly_score` and `error_map`
    if they are given both. All else goes by the clean ones: scaling, the prior, the threshold of `predict`, and what
    `evaluate` compares with.

    Parameters
    ----------
    input_noise
        As of every model; ``"auto"`` is 0.3, or, with pairs, which have a noise of their own, none on top of that.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from narrows import DenoisingAutoencoder
    >>> X = load_digits().images[:200]
    >>> model = DenoisingAutoencoder(latent_dim=8, epochs=5, random_state=0).fit(X)
    >>> noisy = model.corrupt(X, corruption="gaussian", level=0.3, random_state=0)
    >>> model.reconstruct(noisy).shape
    (200, 8, 8)
    """

    input_noise: float | tuple[float, float] | str = field(default="auto", metadata=checked(check_noise, "auto"))

    learns_from_pairs: ClassVar[bool] = True

    def own_objective(self) -> Objective:
        """Return the loss of giving back the clean inputs."""
        return Reconstruction()


@dataclass(eq=False, repr=False, kw_only=True)
class NoisyAutoencoder(BottleneckEstimator):
    """An autoencoder trained with noise in its code, so that near codes mean similar things (the lecture, L24).

    “Úvod do generativních modelů” decodes an encoded zero again and again with noise added to its code; here the
    decoder has learned to expect that (Poole et al. 2014). The code is bounded to (−1, 1) by tanh.

    Parameters
    ----------
    code_noise
        σ of the Gaussian noise added to the code in training; > 0.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from narrows import NoisyAutoencoder, latent
    >>> X = load_digits().images[:200]
    >>> model = NoisyAutoencoder(latent_dim=8, epochs=5, random_state=0).fit(X)
    >>> near = latent.around(model.transform(X[:1])[0], sigma=0.2, n=16, random_state=0)
    >>> model.inverse_transform(near).shape
    (16, 8, 8)
    """

    code_noise: float = field(default=0.2, metadata=above(0))

    def bottleneck(self) -> Bottleneck:
        """Return a bounded code with noise."""
        return Noisy(self.latent_dim, self.code_noise)

    def own_objective(self) -> Objective:
        """Return the reconstruction loss, whose code has noise."""
        return Reconstruction()


def _units_in_the_unit_interval(options: SparseAutoencoder) -> None:
    if options.code_activation != "sigmoid":
        raise ValueError(
            f"code_activation={options.code_activation!r} must be 'sigmoid': sparsity is measured on units in [0, 1]"
        )


@dataclass(eq=False, repr=False, kw_only=True)
class SparseAutoencoder(DeterministicEstimator):
    """An autoencoder with many units, each of which is seldom on (Ng, “Sparse autoencoder”, 2011; Lee et al. 2008).

    Parameters
    ----------
    sparsity
        ρ, the mean activation each unit should have, in (0, 1).
    sparsity_weight
        The weight of Σ KL(ρ ‖ ρ̂ⱼ), relative to the reconstruction loss.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from narrows import SparseAutoencoder
    >>> X = load_digits().images[:200]
    >>> codes = SparseAutoencoder(latent_dim=64, epochs=5, random_state=0).fit_transform(X)
    >>> codes.shape, bool((codes >= 0).all() and (codes <= 1).all())
    ((200, 64), True)
    """

    latent_dim: int = field(default=64, kw_only=False)
    code_activation: str = "sigmoid"
    sparsity: float = field(default=0.05, metadata=fraction())
    sparsity_weight: float = field(default=0.01, metadata=at_least(0))

    _rules: ClassVar[Rules] = (_units_in_the_unit_interval,)

    def own_objective(self) -> Objective:
        """Return the reconstruction loss and the sparsity penalty."""
        return Sparse(self.sparsity, self.sparsity_weight)


@dataclass(eq=False, repr=False, kw_only=True)
class ContractiveAutoencoder(DeterministicEstimator):
    """An autoencoder whose code hardly moves when the input changes a little (Rifai et al. 2011).

    Parameters
    ----------
    contraction
        The weight of the squared norm of the encoder's Jacobian.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from narrows import ContractiveAutoencoder
    >>> X = load_digits().images[:200]
    >>> ContractiveAutoencoder(latent_dim=8, epochs=2, random_state=0).fit_transform(X).shape
    (200, 8)
    """

    code_activation: str = "sigmoid"
    contraction: float = field(default=1e-3, metadata=at_least(0))

    def own_objective(self) -> Objective:
        """Return the reconstruction loss and the contraction penalty."""
        return Contractive(self.contraction)


@dataclass(eq=False, repr=False, kw_only=True)
class RegularizedAutoencoder(DeterministicEstimator):
    """The RAE: small codes and a smooth decoder instead of a VAE's noise (Ghosh et al. 2020, RAE-L2).

    Parameters
    ----------
    code_weight
        The weight of ½ ‖z‖², relative to the reconstruction loss.
    decoder_weight
        The weight of the decoder's squared weights.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from narrows import RegularizedAutoencoder
    >>> X = load_digits().images[:200]
    >>> RegularizedAutoencoder(latent_dim=8, epochs=5, random_state=0).fit(X).sample(3, random_state=0).shape
    (3, 8, 8)
    """

    code_weight: float = field(default=1e-3, metadata=at_least(0))
    decoder_weight: float = field(default=1e-5, metadata=at_least(0))

    def own_objective(self) -> Objective:
        """Return the reconstruction loss and both penalties."""
        return Regularised(self.code_weight, self.decoder_weight)


@dataclass(eq=False, repr=False, kw_only=True)
class WAE(DeterministicEstimator):
    """The Wasserstein autoencoder: codes that, as a whole, are standard normal (WAE-MMD, Tolstikhin et al. 2018).

    Parameters
    ----------
    mmd_weight
        λ, the weight of the squared maximum mean discrepancy between the codes and N(0, I).

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from narrows import WAE
    >>> X = load_digits().images[:200]
    >>> WAE(latent_dim=8, epochs=5, random_state=0).fit(X).sample(3, random_state=0).shape
    (3, 8, 8)
    """

    mmd_weight: float = field(default=1.0, metadata=at_least(0))

    def own_objective(self) -> Objective:
        """Return the reconstruction loss and the discrepancy."""
        return Wasserstein(self.mmd_weight)
