"""What a named model chooses: its options, and the parts they stand for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar, Self

from sklearn.base import BaseEstimator
from torch import nn

from narrows.arguments import RandomState, check_random_state, closest
from narrows.columns.column import NUMBERS
from narrows.columns.finding import Asked, check_asked
from narrows.columns.table import Table
from narrows.estimators.allowed import (
    Rules,
    above,
    at_least,
    checked,
    checks_of,
    one_of,
    rules_of,
    true_or_false,
    whole,
)
from narrows.estimators.architecture import Net, check_hidden, check_net, encoder_and_decoder
from narrows.estimators.checks import (
    SHARED,
    check_column_weights,
    check_contamination,
    check_device,
    check_false_alarms,
    check_noise,
)
from narrows.models.bottlenecks import Bottleneck, DiagonalGaussian
from narrows.models.coding import Coding
from narrows.models.corruptions import CORRUPTIONS, Corruption
from narrows.models.gaps import Gaps
from narrows.models.likelihoods import LIKELIHOODS, Gaussian, Laplace, Likelihood, Located, Mixed, SquaredError
from narrows.models.model import BottleneckModel
from narrows.models.nets import ACTIVATIONS
from narrows.models.objectives import Neighbours
from narrows.models.priors import PRIORS
from narrows.models.priors.base import StandardNormal
from narrows.scaling import Scaling, check_scaling
from narrows.training.general import Objective
from narrows.training.processor import PRECISIONS
from narrows.training.schedules import SCHEDULES

__all__ = ["Options"]

MOST_HIDDEN, SOME_HIDDEN = 0.8, 0.25
"""Of a table's row, the largest fraction of cells that training hides, on average half of that; and of which part of
the rows, where codes are drawn: the decoder then learns from whole rows, and a gappy one's codes are sought at use."""

MOST_UNITS = 4096
"""Of a code: the covariances of the prior over codes take the square of it."""

IMAGES, FEW_IMAGES = 30_000, 4_000
"""What ``epochs="auto"`` aims at with convolutional nets; up to how many images their batches are small."""

STEPS, FEWEST_EPOCHS, MOST_EPOCHS = 5_500, 20, 500
"""What ``epochs="auto"`` aims at: small data sets need many passes, large ones few."""

NEIGHBOURHOOD, MAP_STEPS, FEWEST_MAP_EPOCHS = 768, 1_000, 3
"""Examples of a batch in which neighbours are looked for, and what ``epochs="auto"`` aims at with such batches."""

NOISE = 0.3
"""What ``input_noise="auto"`` is, of models that take it."""


@dataclass(eq=False, repr=False)
class Options(BaseEstimator):  # type: ignore[misc]
    """The options that all named models share.

    Parameters
    ----------
    latent_dim
        Numbers in the code, d; 1 or more.
    net
        ``"dense"``, or, for images, ``"convolutional"``; ``"auto"`` takes the latter for images whose sides have 16
        pixels or more, unless ``hidden`` is set. Or a pair of torch modules of your own, encoder and decoder, which are
        copied, and trained from the weights they have: (n, features) ↦ (n, latent_dim), twice that where the code is a
        Gaussian, and (n, latent_dim) ↦ (n, features); images come and go as (n, C, H, W). A conditional model's encoder
        sees its classes as additional features or channels, its decoder as more numbers of the code.
    hidden
        Widths of the encoder's hidden layers; the decoder has them in reverse. ``"auto"`` takes (256, 256, 128) for a
        code of at most 2 numbers, which has to fold the data finely, and for a wider one (256, 128), or (512, 256)
        where inputs have more than 400 features. Of a convolutional net these are the dense layers between convolutions
        and code, and ``"auto"`` is (256,).
    activation
        Between layers: ``"silu"``, ``"relu"``, ``"gelu"``, ``"tanh"``, ``"sigmoid"`` or ``"identity"``.
    shortcut
        Whether a linear layer leads past all others, from input to code and from code to output. The first starts as
        principal components, and the second too where the others are convolutions.
    likelihood
        p(x | z): ``"squared-error"`` (the lecture's; a Gaussian whose σ is set after training), ``"gaussian"``,
        ``"laplace"``; for values in [0, 1] after scaling ``"bernoulli"`` or ``"continuous-bernoulli"``; for counts
        ``"poisson"`` or ``"negative-binomial"``, with which `sample` draws counts and `reconstruct` gives their means.
    sigma
        σ of the Gaussian likelihood, in scaled units: a number, or ``"learned"``.
    prior
        Where new codes come from: ``"mixture"`` (of Gaussians), ``"posterior"`` (the aggregate posterior, of up to
        1,000 examples), ``"flow"`` (needs zuko) and ``"flow-matching"`` are fitted to the codes after training,
        ``"normal"`` is N(0, I). The default has a density, costs little, and on digits its samples are no nearer to
        single training examples than reconstructions of held-out ones are; the aggregate posterior's are nearer.
        `fit_prior` changes it later.
    conditional
        Whether the nets see the labels y, so that the code need not say which class an example is of (Sohn et al.
        2015); then `fit` and whatever encodes or decodes need y.
    scaling
        ``"global"`` scales all features by one range to [0, 1], as the lecture does; ``"feature"`` scales each to
        mean 0 and variance 1; ``"auto"`` takes the first for images, with a range for each channel where channels have
        units of their own, and for rows looks whether the features' ranges are alike
        (`narrows.scaling.Scaling.of_chunks`). A value far from all others counts in training as the most extreme of
        these. A range, ``(0, 4095)``, becomes [0, 1] whatever the data reach, and what lies outside counts in training
        as its ends.
    columns
        Kinds of a table's columns where these are not what types and values suggest,
        ``{"zip": "category", "visits": "count"}``; ``"real"`` takes all as real numbers. Kinds are ``"real"``,
        ``"positive"`` (by logarithm), ``"whole"``, ``"count"``, ``"binary"``, ``"category"``, ``"ordered"``,
        ``"date"``, and ``"identifier"``, which is left out. Arrays, whose columns are called by their numbers, and data
        frames of floats alone hold real ones; with ``{}`` these too are tables, and the model learns to fill
        gaps even if there are none yet.
    column_weights
        How much columns of a table count in training, ``{"age": 2.0}``, compared with their usual weight. Where the
        code is a function of the input, the usual weights make all count alike: a column's loss is divided by the
        entropy of its marginal distribution. Where codes are drawn they are 1, or the loss would be no bound.
    neighbours
        The weight of t-SNE's divergence, which keeps neighbours of the input neighbours in the code (van der Maaten
        2009): one of two numbers is then a map, on which new examples have their places. With 0 the reconstruction
        alone arranges the code; `narrows.recipes.MAP` has settings that make a good map.
    corruption
        What training does to the inputs, afresh at every step, before they are encoded: ``"gaussian"`` noise,
        ``"masking"``, ``"salt-and-pepper"``, ``"swap"`` (features of other examples) or a ``"block"``.
    input_noise
        How much of it: a standard deviation in scaled units for ``"gaussian"``; otherwise a fraction, in [0, 1], of the
        features (of the sides for a block). One number, or a pair: training starts at the first and goes linearly to
        the second.
    learning_rate, weight_decay
        AdamW's; with no weight decay it is Adam. ``"auto"`` is 0.004, or 0.001 for convolutional nets.
    schedule
        ``"one-cycle"`` (up to the learning rate and down again) or ``"constant"``.
    batch_size
        Examples per step; a number larger than the data means all of them. ``"auto"`` is 64, or, for
        convolutional nets and fewer than 4,000 examples, 16; with ``neighbours`` it is about 768.
    epochs
        Passes over the data at most; ``"auto"`` aims at 5,500 steps, with 20 passes at least and 500 at most,
        and for convolutional nets at 30,000 images, with 10 passes at least and 50 at most; with ``neighbours`` at
        1,000 steps, with 3 passes at least.
    validation_fraction
        The fraction of the data, rounded down to whole examples, that is held out to validate each epoch, so that
        the best weights are kept; 0 for none. Two examples at least are left to learn from.
    patience
        Training ends when this many epochs in a row have not lowered the validation loss.
    devices, nodes
        Processes per machine, and machines, that share each batch; the result is that of one process up to rounding.
        More than one needs Lightning Fabric.
    device
        Where the nets work: ``"cpu"``, a GPU such as ``"cuda"`` or ``"cuda:1"``, or ``"auto"``, the first GPU if there
        is one and the nets are large enough to gain by it. Several ``devices`` are processes on the CPU. Not saved.
    precision
        In which the nets learn: ``"float32"``, ``"bfloat16"`` with weights of 32 bits, or ``"auto"``, the latter for
        convolutional nets where the processor has units for such numbers. Dense nets then learn by automatic
        differentiation, one after another, which for small ones takes longer.
    false_alarms
        What fraction of ordinary examples `predict` may call odd, in (0, 1); None is 0.05. It can be set after the fit,
        holds if the examples learned from are ordinary, and is refused next to a ``contamination``.
    contamination
        What fraction of the examples to learn from is odd, in (0, 0.5], or ``"auto"``, by quartiles of their scores
        (`narrows.evaluation.anomalies.rank_threshold`); None if all are ordinary. After a tenth of the training
        those of the largest losses, as many, are left out of each epoch, and at the end those of the highest scores of
        all that the model keeps; and `predict` calls as many of those learned from odd, as scikit-learn's and PyOD's
        detectors do, instead of going by ``false_alarms``.
    random_state
        A seed, a NumPy generator, or None for a new seed at every fit. The same seed gives the same weights, bit for
        bit, with one torch, one kind of processor and one number of threads (docs/exactness.md; not those of `VQVAE`
        on a GPU, which adds in any order, nor of convolutional nets while other work has the cores, of which fewer are
        then used; with ``OMP_NUM_THREADS=1`` only one ever is); NumPy's and torch's global states are neither read nor
        changed.
    """

    latent_dim: int = field(default=8, metadata=whole(1, MOST_UNITS))
    _: KW_ONLY
    net: Net = field(default="auto", metadata=checked(check_net))
    hidden: Sequence[int] | str = field(default="auto", metadata=checked(check_hidden, "auto"))
    activation: str = field(default="silu", metadata=one_of(ACTIVATIONS))
    shortcut: bool = field(default=True, metadata=true_or_false())
    likelihood: str = field(default="squared-error", metadata=one_of(LIKELIHOODS))
    sigma: float | str = field(default="learned", metadata=above(0, "learned"))
    prior: str = field(default="mixture", metadata=one_of(PRIORS))
    conditional: bool = field(default=False, metadata=true_or_false())
    scaling: str | tuple[float, float] = field(default="auto", metadata=checked(check_scaling))
    columns: Asked = field(default=None, metadata=checked(check_asked))
    column_weights: Mapping[Any, float] | None = field(default=None, metadata=checked(check_column_weights))
    neighbours: float = field(default=0.0, metadata=at_least(0))
    corruption: str = field(default="gaussian", metadata=one_of(CORRUPTIONS))
    input_noise: float | tuple[float, float] | str = field(default=(0.3, 0.05), metadata=checked(check_noise))
    learning_rate: float | str = field(default="auto", metadata=above(0, "auto"))
    weight_decay: float = field(default=0.1, metadata=at_least(0))
    schedule: str = field(default="one-cycle", metadata=one_of(SCHEDULES))
    batch_size: int | str = field(default="auto", metadata=whole(1, None, "auto"))
    epochs: int | str = field(default="auto", metadata=whole(1, None, "auto"))
    validation_fraction: float = field(default=0.1, metadata=at_least(0, 0.9))
    patience: int = field(default=100, metadata=whole(1))
    devices: int = field(default=1, metadata=whole(1))
    nodes: int = field(default=1, metadata=whole(1))
    device: str = field(default="auto", metadata=checked(check_device))
    precision: str = field(default="auto", metadata=one_of(PRECISIONS))
    false_alarms: float | None = field(default=None, metadata=checked(check_false_alarms))
    contamination: float | str | None = field(default=None, metadata=checked(check_contamination, "auto"))
    random_state: RandomState = field(default=None, metadata=checked(check_random_state))

    learns_from_pairs: ClassVar[bool] = False

    _rules: ClassVar[Rules] = SHARED

    def __new__(cls, *_: object, **options: object) -> Self:
        """Refuse an unknown option with the name of the closest known one."""
        known = cls._get_param_names()
        for name in set(options) - set(known):
            raise TypeError(f"{cls.__name__} has no option {name!r}{closest(name, known)}; it has {', '.join(known)}")
        estimator: Self = super().__new__(cls)
        return estimator

    def noise_levels(self) -> tuple[float, float]:
        """Return how much noise there is on inputs at the first step of a training and at the last."""
        return check_noise("input_noise", NOISE if isinstance(self.input_noise, str) else self.input_noise)

    def bottleneck(self) -> Bottleneck:
        """Return how the encoder's output becomes a code."""
        raise NotImplementedError

    def own_objective(self) -> Objective:
        """Return what training lowers, neighbours apart."""
        raise NotImplementedError

    def objective(self) -> Objective:
        """Return what training lowers."""
        own = self.own_objective()
        return Neighbours(own, float(self.neighbours)) if self.neighbours else own

    def check_options(self) -> None:
        """Refuse an option of the wrong type or out of range; scikit-learn wants this at `fit`, not before.

        Raises
        ------
        TypeError, ValueError
            Naming the option, its value, and what would be right.
        """
        for name, check in checks_of(type(self)).items():
            check(name, getattr(self, name))
        for rule in rules_of(type(self)):
            rule(self)

    def plan(self, n: int, *, convolutional: bool) -> tuple[int, int, float]:
        """Return epochs, batch size and learning rate for ``n`` examples."""
        size = (16 if convolutional and n < FEW_IMAGES else 64) if self.batch_size == "auto" else int(self.batch_size)
        if self.neighbours and self.batch_size == "auto":
            size = math.ceil(n / max(1, round(n / NEIGHBOURHOOD)))  # of the same size, since few have other neighbours
        rate = (1e-3 if convolutional else 4e-3) if self.learning_rate == "auto" else float(self.learning_rate)
        if self.epochs != "auto":
            return int(self.epochs), size, rate
        if self.neighbours:
            return min(MOST_EPOCHS, max(FEWEST_MAP_EPOCHS, MAP_STEPS // math.ceil(n / size))), size, rate
        if convolutional:
            return min(50, max(10, IMAGES // n)), size, rate
        return min(MOST_EPOCHS, max(FEWEST_EPOCHS, STEPS // math.ceil(n / size))), size, rate

    def build(
        self, shape: tuple[int, ...], classes: int, scaling: Scaling, table: Table | None = None
    ) -> BottleneckModel:
        """Return the untrained model: dense nets around the bottleneck, for inputs of ``shape``.

        Parameters
        ----------
        shape
            Of one example.
        classes
            That a conditional model tells apart; 0 for any other.
        scaling
            Of its inputs.
        table
            Whose rows they are, if they are not numbers alone.

        Raises
        ------
        ValueError
            If an option is not for a table.
        """
        bottleneck = self.bottleneck()
        coding = None if table is None else Coding(table.modelled)
        gappy = table is not None and any(column.missing for column in table.modelled)
        likelihood = self._likelihood(scaling) if table is None else self._mixed(table, scaling)
        encoder, decoder = encoder_and_decoder(
            shape,
            classes,
            self.latent_dim,
            bottleneck.width,
            net=self.net,
            hidden=self.hidden if isinstance(self.hidden, str) else [int(width) for width in self.hidden],
            activation=self.activation,
            shortcut=self.shortcut,
            coded=None if coding is None else (coding.width, likelihood.outputs_for(shape[0])),
        )
        return BottleneckModel(
            corruption=self._corruption(shape, scaling, table),
            encoder=encoder,
            bottleneck=bottleneck,
            decoder=decoder,
            likelihood=likelihood,
            prior=StandardNormal(1, self.latent_dim, 1),
            coding=coding,
            gaps=Gaps(table.modelled, self.latent_dim) if table is not None and gappy else None,
        )

    def _corruption(self, shape: tuple[int, ...], scaling: Scaling, table: Table | None) -> Corruption:
        levels, of_noisy = self.noise_levels(), not isinstance(self.input_noise, str)
        if table is None:
            return Corruption(self.corruption, *levels, shape, scaling.extremes, of_noisy=of_noisy)
        columns = enumerate(table.modelled)
        some = SOME_HIDDEN if isinstance(self.bottleneck(), DiagonalGaussian) else 1.0
        # A heap with noise on it is a heap no more.
        numbers = tuple(place for place, one in columns if one.kind in (*NUMBERS, "count") and not one.edges)
        return Corruption(self.corruption, *levels, shape, scaling.extremes, numbers, MOST_HIDDEN, some)

    def _mixed(self, table: Table, scaling: Scaling) -> Mixed:
        """Return the likelihood of a table's rows, whose numbers have the one that the options name."""
        sigma = None if self.sigma == "learned" else float(self.sigma)
        link = nn.Sigmoid() if scaling.unit_interval else nn.Identity()
        of_numbers: dict[str, Callable[[int], Located]] = {
            "squared-error": lambda columns: SquaredError(link, columns),
            "gaussian": lambda columns: Gaussian(link, sigma, columns),
            "laplace": lambda columns: Laplace(link, columns),
        }
        if self.likelihood not in of_numbers:
            raise ValueError(
                f"likelihood={self.likelihood!r} is for all features alike, but the columns of a table each "
                f"have their own; for its numbers take one of {', '.join(of_numbers)}"
            )
        others = [column for column in table.modelled if column.kind != "real"]
        if scaling.unit_interval and others:
            raise ValueError(
                f"scaling='global' is one range for all numbers, but column {others[0].name!r} is of kind "
                f"{others[0].kind!r}; take 'auto' or 'feature'"
            )
        return Mixed(table.modelled, scaling, of_numbers[self.likelihood])

    def _likelihood(self, scaling: Scaling) -> Likelihood:
        sigma = None if self.sigma == "learned" else float(self.sigma)
        return LIKELIHOODS[self.likelihood].for_data(scaling, sigma)
