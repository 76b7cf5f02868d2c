"""The autoencoder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from narrows.estimators.base import BottleneckEstimator
from narrows.models.bottlenecks import Deterministic
from narrows.models.corruptions import GaussianNoise
from narrows.models.likelihoods import SquaredError
from narrows.models.model import BottleneckModel
from narrows.models.nets import ACTIVATIONS, dense
from narrows.models.priors import GaussianMixture
from narrows.scaling import Scaling

__all__ = ["Autoencoder"]

NARROW, WIDE = (256, 256, 128), (256, 128)
"""Hidden layers for codes of at most 2 numbers, and of more; chosen by validation on the digits' training part."""


class Autoencoder(BottleneckEstimator):
    """An encoder, a narrow code and a decoder, trained to give back their input (Hinton & Salakhutdinov 2006).

    The defaults suit a few hundred to a few ten thousand rows or small images; `narrows.recipes` has others, the
    lecture's among them. The code is linear, since a ReLU on it kills units for good.

    Parameters
    ----------
    latent_dim
        Numbers in the code, d; 1 or more.
    hidden
        Widths of the encoder's hidden layers; the decoder has them in reverse. ``"auto"`` takes (256, 256, 128) for a
        code of at most 2 numbers, which has to fold the data finely, and (256, 128) for a wider one.
    activation
        Between layers: ``"silu"``, ``"relu"``, ``"gelu"``, ``"tanh"``, ``"sigmoid"`` or ``"identity"``.
    shortcut
        Whether a linear layer leads past the hidden ones, from input to code and from code to output.
    code_activation
        On the code, one of the same; ``"identity"`` for a linear code.
    scaling
        ``"global"`` scales all features by one range to [0, 1], as the lecture does; ``"feature"`` scales each to
        mean 0 and variance 1; ``"auto"`` takes the first for images, and for rows looks whether the features' ranges
        are alike (`narrows.scaling.Scaling.fit`).
    input_noise
        Standard deviation of the Gaussian noise that training adds to the scaled inputs, afresh at every step: one
        number, or a pair of which it takes the first at the first step and goes linearly to the second.
    learning_rate, weight_decay
        AdamW's; with no weight decay it is Adam.
    schedule
        ``"one-cycle"`` (up to the learning rate and down again) or ``"constant"``.
    batch_size
        Examples a step; a larger number than there are examples means all of them.
    epochs
        At most so many passes over the data; ``"auto"`` aims at 5,500 steps, with 20 passes at least and 500 at most.
    validation_fraction
        The part of the data, rounded down to whole examples, that is not learnt from but judges each epoch, so that
        the best weights are kept; 0 for none. Two examples at least are left to learn from.
    patience
        Training ends when so many epochs have not lowered the validation loss.
    random_state
        A seed, a NumPy generator, or None for a new seed at every fit. The same seed gives the same weights, bit for
        bit, with one torch on one kind of machine; NumPy's and torch's global states are neither read nor changed.

    Attributes
    ----------
    history_
        A row per epoch: ``epoch``, ``loss``, ``validation_loss`` (nats per example, ½ ‖x − x̂‖² in scaled units),
        ``learning_rate``, ``seconds``.
    n_iter_
        Epochs trained.
    validation_error_
        Mean and standard error of the squared error per feature, in scaled units, on the validation part, if any.
    model_
        The `narrows.models.model.BottleneckModel`: its encoder and decoder are torch modules.
    scaling_, input_shape_, seed_, n_features_in_, feature_names_in_
        The fitted scaling, one example's shape, the seed used, and scikit-learn's usual two.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from narrows import Autoencoder
    >>> X = load_digits().images[:200]
    >>> ae = Autoencoder(latent_dim=8, epochs=5, random_state=0).fit(X)
    >>> ae.transform(X).shape, ae.reconstruct(X).shape, ae.sample(3, random_state=0).shape
    ((200, 8), (200, 8, 8), (3, 8, 8))
    """

    def __init__(
        self,
        latent_dim: int = 8,
        *,
        hidden: Sequence[int] | str = "auto",
        activation: str = "silu",
        shortcut: bool = True,
        code_activation: str = "identity",
        scaling: str = "auto",
        input_noise: float | tuple[float, float] = (0.3, 0.05),
        learning_rate: float = 4e-3,
        weight_decay: float = 0.1,
        schedule: str = "one-cycle",
        batch_size: int = 64,
        epochs: int | str = "auto",
        validation_fraction: float = 0.1,
        patience: int = 50,
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
    ) -> None:
        self.latent_dim = latent_dim
        self.hidden = hidden
        self.activation = activation
        self.shortcut = shortcut
        self.code_activation = code_activation
        self.scaling = scaling
        self.input_noise = input_noise
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.batch_size = batch_size
        self.epochs = epochs
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.random_state = random_state

    def build(self, n_features: int, scaling: Scaling) -> BottleneckModel:
        """Return dense nets around a deterministic code, for inputs of ``n_features``."""
        hidden = (NARROW if self.latent_dim <= 2 else WIDE) if self.hidden == "auto" else self.hidden
        sizes = [n_features, *hidden, self.latent_dim]
        return BottleneckModel(
            corruption=GaussianNoise(*self.noise_levels()),
            encoder=dense(sizes, self.activation, shortcut=self.shortcut),
            bottleneck=Deterministic(ACTIVATIONS[self.code_activation]()),
            decoder=dense(sizes[::-1], self.activation, shortcut=self.shortcut),
            likelihood=SquaredError(ACTIVATIONS["sigmoid" if scaling.kind == "global" else "identity"]()),
            prior=GaussianMixture(1, self.latent_dim),
        )
