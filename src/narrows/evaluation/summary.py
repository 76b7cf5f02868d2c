"""All that is known about how good a model is, and as a table of numbers with units and intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import kolmogorov

from narrows.evaluation.anomalies import CalibrationCurve
from narrows.evaluation.calibration import SigmaCoverage
from narrows.evaluation.columns import ColumnError
from narrows.evaluation.comparison import Comparison
from narrows.evaluation.copying import Copying
from narrows.evaluation.distributions import Pairs, Spread
from narrows.evaluation.factors import DCI
from narrows.evaluation.far import FarValue
from narrows.evaluation.findings import Finding
from narrows.evaluation.intervals import Estimate
from narrows.evaluation.likeness import Likeness

__all__ = ["Codes", "Density", "Evaluation", "Number", "OfTable", "Surprise"]


@dataclass(frozen=True, slots=True)
class Density:
    """How likely the model finds the test examples, and how well its likelihood fits them.

    Attributes
    ----------
    log_density, bits
        Nats per example, and bits per pixel or feature where the data are levels; None where it cannot be said.
    importance_sampled
        The tighter bound in nats, with as many codes as asked for; None if it was not asked for.
    coverage
        How often examples are within one and two σ of what a Gaussian likelihood expects; None for others.
    deviation
        Their root mean squared distance from it, in σ.
    between
        Share of the numbers that are neither 0 nor 1, where the likelihood is one of zeros and ones; None for others.
    """

    log_density: Estimate | None
    bits: Estimate | None
    importance_sampled: Estimate | None
    coverage: SigmaCoverage | None
    deviation: float | None
    between: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """What the codes of the test examples are like.

    Attributes
    ----------
    dead
        Units that are the same for every example.
    active, kl
        Units whose mean moves with the input, and KL(q(z | x) ‖ N(0, I)) of each unit in nats, (latent_dim,); None
        where the code is a function of the input.
    enough
        How many principal components of the codes, decoded, come within 5 % of the model's error; None if not measured.
    neighbour_accuracy, probe_accuracy
        How often the class is found from the code, by its nearest neighbours and by a plane; None without labels.
    trustworthiness, continuity
        Of a map, a code of two numbers; None for others.
    mutual_information_gap, dci
        Where the factors that the examples were drawn from are known.
    tokens
        How many different ones the codes have, and how many there are, where codes are quantised; None for others.
    """

    dead: int
    active: int | None
    kl: NDArray[np.float64] | None
    enough: int | None
    neighbour_accuracy: Estimate | None
    probe_accuracy: Estimate | None
    trustworthiness: Estimate | None
    continuity: Estimate | None
    mutual_information_gap: Estimate | None
    dci: DCI | None
    tokens: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Surprise:
    """How odd the test examples are, compared with those held out when the model was fitted.

    Attributes
    ----------
    scores, held_out
        Anomaly scores by reconstruction, (n,) and (m,).
    curve
        How often test examples are called odd, against how often they are meant to be.
    outside
        Share of the test examples' numbers that are outside the training data's range by more than a tenth of it; 0
        where that has no bounds.
    """

    scores: NDArray[np.float64]
    held_out: NDArray[np.float64]
    curve: CalibrationCurve
    outside: float

    @property
    def distance(self) -> float:
        """Kolmogorov and Smirnov's, of the two sets of scores."""
        both = np.concatenate([self.scores, self.held_out])
        shares = (np.searchsorted(np.sort(some), both, "right") / len(some) for some in (self.scores, self.held_out))
        return float(np.abs(np.subtract(*shares)).max())

    @property
    def p_value(self) -> float:
        """How often two sets of the same kind are as far apart by chance, in the limit of many scores."""
        n, m = len(self.scores), len(self.held_out)
        return float(kolmogorov(math.sqrt(n * m / (n + m)) * self.distance))


@dataclass(frozen=True, slots=True, eq=False)
class OfTable:
    """What there is to say of a table's columns, and of generated rows beside real ones.

    Attributes
    ----------
    columns
        How well each comes back.
    spreads
        How each is spread; none where there are too few rows.
    pairs
        How they go together; None of a single column, or of too few rows.
    told
        How well boosted trees tell generated rows from real ones, as an area under the ROC curve; None of too few.
    by_real, by_generated
        How well trees that learned from real rows, and from as many generated ones, tell the classes of the test
        examples, likewise; None where the model was fitted without classes, or no training examples were given.
    """

    columns: tuple[ColumnError, ...]
    spreads: tuple[Spread, ...] = ()
    pairs: Pairs | None = None
    told: Estimate | None = None
    by_real: Estimate | None = None
    by_generated: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """One number of an evaluation, for a table.

    Attributes
    ----------
    group, name, unit
        What it is.
    estimate
        The number and its interval of 95 %; without width where it is just counted.
    better
        ``"lower"``, ``"higher"`` or ``""``.
    """

    group: str
    name: str
    unit: str
    estimate: Estimate
    better: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """How good a model is, evaluated on examples that it has not seen in training.

    Attributes
    ----------
    model, latent_dim
        What it is.
    unit
        Of errors, in words.
    places
        Which of the given examples the model was evaluated on, (n,): the test examples.
    given, learnt
        How many examples were given, and how many of these the model had seen in training, on which it is not
        evaluated.
    repeated
        How many test examples are equal to some seen in training, as rows of categories or counts often are.
    far
        Values that are far from all others, the farthest first.
    comparison
        Reconstructions compared with those of principal components and with the mean.
    learnt_error, learnt_pca_error
        The model's error on training examples, and that of the principal components.
    late
        The fraction of the fall of the (validation) loss that came in the last tenth of the epochs.
    density, codes, surprise
        See these classes; ``surprise`` is None where nothing was held out when the model was fitted.
    generation
        Generated examples compared with the test examples.
    copying
        Whether they are too near to the training examples; None if these were not given.
    table
        What there is to say of columns; None where the model is not of a table.
    findings
        What is wrong with the model or the data, the gravest first; empty if nothing was found. The rules of
        `narrows.evaluation.diagnosis` find them in all that stands above.
    """

    model: str
    latent_dim: int
    unit: str
    places: NDArray[np.int64]
    given: int
    learnt: int
    repeated: int
    far: tuple[FarValue, ...]
    comparison: Comparison
    learnt_error: float
    learnt_pca_error: float
    late: float
    density: Density
    codes: Codes
    surprise: Surprise | None
    generation: Likeness | None
    copying: Copying | None
    table: OfTable | None = None
    findings: tuple[Finding, ...] = ()

    def numbers(self) -> list[Number]:
        """Return all numbers, in the order of their importance."""
        return [
            *self._of_reconstruction(),
            *self._of_columns(),
            *self._of_likelihood(),
            *self._of_codes(),
            *self._of_generation(),
            *self._of_rows(),
        ]

    def _of_reconstruction(self) -> Iterator[Number]:
        group, unit = "reconstruction", self.unit
        three = {"model": self.comparison.model, f"PCA with {self.latent_dim}": self.comparison.pca}
        for who, fidelity in (three | {"the mean": self.comparison.mean}).items():
            yield Number(group, f"error, {who}", unit, fidelity.error, "lower")
        if not self.comparison.pca_is_exact:
            yield Number(group, "model's error / PCA's", "ratio", self.comparison.over_pca, "lower")
        yield Number(group, "model's error / the mean's", "ratio", self.comparison.over_mean, "lower")
        yield Number(group, "error on training examples", unit, _counted(self.learnt_error), "lower")
        for who, images in three.items():
            if images.ssim is not None and images.psnr is not None:
                yield Number(group, f"PSNR, {who}", "dB", images.psnr, "higher")
                yield Number(group, f"SSIM, {who}", "at most 1", images.ssim, "higher")

    def _of_columns(self) -> Iterator[Number]:
        for found in () if self.table is None else self.table.columns:
            unit = f"{found.measure}{f', {found.unit}' if found.unit else ''}"
            others = f"PCA {found.pca.value:.4g}, {found.constant} {found.usual.value:.4g}"
            yield Number("columns", found.name, f"{unit}; {others}", found.model, "lower")

    def _of_likelihood(self) -> Iterator[Number]:
        group, density = "likelihood", self.density
        if density.log_density is not None:
            kind = "log p(x | z)" if self.codes.kl is None else "bound on log p(x)"
            yield Number(group, kind, "nats per example", density.log_density, "higher")
        if density.importance_sampled is not None:
            unit = "nats per example"
            yield Number(group, "importance-sampled bound", unit, density.importance_sampled, "higher")
        if density.bits is not None:
            yield Number(group, "code length", "bits per dimension", density.bits, "lower")
        if density.coverage is not None:
            yield Number(group, "within σ", "share; 0.683 of a Gaussian", density.coverage.one)
            yield Number(group, "within 2 σ", "share; 0.954 of a Gaussian", density.coverage.two)

    def _of_codes(self) -> Iterator[Number]:
        group, codes, units = "code", self.codes, f"of {self.latent_dim} units"
        yield Number(group, "dead units", units, _counted(codes.dead), "lower")
        if codes.active is not None and codes.kl is not None:
            yield Number(group, "active units", units, _counted(codes.active))
            yield Number(group, "KL to N(0, 1)", "nats per example", _counted(float(codes.kl.sum())))
        if codes.tokens is not None:
            used, all_there_are = codes.tokens
            yield Number(group, "tokens in use", f"of {all_there_are:,}", _counted(used))
        if codes.enough is not None:
            yield Number(group, "numbers that would do", f"of {self.latent_dim}", _counted(codes.enough))
        named = {
            "class by 5 neighbours": ("share right, from the code", codes.neighbour_accuracy),
            "class by a plane": ("share right, from the code", codes.probe_accuracy),
            "trustworthiness": ("at most 1", codes.trustworthiness),
            "continuity": ("at most 1", codes.continuity),
            "mutual information gap": ("at most 1", codes.mutual_information_gap),
        }
        if codes.dci is not None:
            named["disentanglement"] = ("at most 1", codes.dci.disentanglement)
            named["completeness"] = ("at most 1", codes.dci.completeness)
            named["informativeness"] = ("at most 1", codes.dci.informativeness)
        for name, (unit, estimate) in named.items():
            if estimate is not None:
                yield Number(group, name, unit, estimate, "higher")

    def _of_generation(self) -> Iterator[Number]:
        group, found = "generation", self.generation
        if found is not None:
            yield Number(group, "precision", "share of samples like real ones", found.precision, "higher")
            yield Number(group, "recall", "share of real ones like samples", found.recall, "higher")
            yield Number(group, "density", "about 1: as dense as real ones", found.density, "higher")
            yield Number(group, "coverage", "share of real ones with samples near", found.coverage, "higher")
            unit = "share right by an SVM; 0.5 if alike"
            yield Number(group, "told from real ones", unit, found.two_sample_accuracy, "lower")
            unit = "squared units of features"
            yield Number(group, "Fréchet distance", unit, found.frechet_distance, "lower")
        if self.copying is not None:
            unit = f"share of samples; {self.copying.expected:.2f} by chance"
            yield Number(group, "nearer to the training", unit, self.copying.nearer, "lower")

    def _of_rows(self) -> Iterator[Number]:
        group, found = "generation", self.table
        if found is None:
            return
        for spread in found.spreads:
            unit = f"total variation; {spread.by_chance:.3f} by chance"
            yield Number(group, f"spread of {spread.name}", unit, spread.distance, "lower")
        if found.pairs is not None:
            unit = f"mean total variation; {found.pairs.by_chance:.3f} by chance"
            yield Number(group, "spread of pairs", unit, found.pairs.distance, "lower")
            unit = f"mean difference; {found.pairs.difference_by_chance:.3f} by chance"
            yield Number(group, "association of pairs", unit, found.pairs.difference, "lower")
        if found.told is not None:
            unit = "area under the ROC curve of boosted trees; 0.5 if alike"
            yield Number(group, "told from real rows", unit, found.told, "lower")
        if found.by_real is not None and found.by_generated is not None:
            unit = "area under the ROC curve, of trees that learned from"
            yield Number(group, "classes by real rows", f"{unit} real rows", found.by_real, "higher")
            yield Number(group, "classes by generated rows", f"{unit} generated ones", found.by_generated, "higher")


def _counted(value: float) -> Estimate:
    """Return a number that was counted, not estimated."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} cannot be reported; it must be finite")
    return Estimate(number, number, number)
