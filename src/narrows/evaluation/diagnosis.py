"""What is wrong with a model, in words, each with the figure behind it and what to try.

A rule speaks only where chance hardly could: by the interval of its number rather than by the number, and at limits
that healthy models keep far from. Tests train a hundred of those, and others with each of the faults.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from narrows.evaluation.findings import Finding
from narrows.evaluation.intervals import share
from narrows.evaluation.summary import Evaluation

__all__ = ["diagnosed"]

LATE = 0.1
"""The fraction of all progress that the last tenth of a finished training may still make."""

GAP, GAP_OVER_PCA = 4.0, 2.0
"""How many times the error on training examples that on new ones may be: in itself, and compared with PCA's own gap."""

ACTIVE = 0.5
"""The fraction of the units that should tell something of the input."""

LOST = 0.5
"""The fraction of the data's variance that may be lost on the way through the code."""

SPREAD = (0.5, 2.0)
"""How large deviations may be, in σ."""

GREY = 0.2
"""The fraction of the numbers that may be neither 0 nor 1 where a likelihood is for these."""

UNLIKE, UNLIKELY, OUTSIDE = 0.2, 1e-4, 0.01
"""How far apart scores may be, how improbable that, and the fraction of numbers that may be out of range."""

COPIES, LIKE_DATA = 0.4, 0.5
"""The fraction of the samples that may be nearer to training examples beyond chance; and the coverage from which on
they are like the data at all: those of a collapsed code are near to a few examples only."""

NOT_LEARNED, MOST_NAMED = 0.8, 3
"""The fraction of a column's variance that may be lost, and columns that are named."""

EXPECTED, VANISHED = 20, 0.2
"""Generated rows that should have a level, for their lack to tell; and the fraction of these that there should be."""

FEWEST_EXAMPLES = 50
"""Examples below which hardly anything can be told."""


def diagnosed(evaluation: Evaluation) -> Evaluation:
    """Return the evaluation with its findings, the gravest first; with none where no rule speaks."""
    return replace(evaluation, findings=tuple(finding for rule in RULES for finding in rule(evaluation)))


def _too_few(e: Evaluation) -> Iterator[Finding]:
    n = len(e.places)
    if n < FEWEST_EXAMPLES:
        exact = e.comparison.pca_is_exact
        ratio, whose = (e.comparison.over_mean, "the mean's") if exact else (e.comparison.over_pca, "PCA's")
        yield Finding(
            "too few examples",
            f"{n} examples are too few to tell much; what follows may be chance.",
            f"the model's error is {ratio.low:.2f} to {ratio.high:.2f} times {whose}",
            f"Evaluate on {FEWEST_EXAMPLES} examples or more, better hundreds, that were not seen in training.",
        )


def _far(e: Evaluation) -> Iterator[Finding]:
    if not e.far:
        return
    first, *others = e.far
    more = f", and so are {len(others)} more values" if others else ""
    yield Finding(
        "far value",
        f"A value is far from all others: that of {first.column} in row {first.row}"
        f"{', which was seen in training' if first.seen else ''}{more}.",
        f"it is {_shown(first.value)}; the others reach from {_shown(first.low)} to {_shown(first.high)}",
        "Correct it, or leave the row out, if it is a mistake. Training treats such a value like the most "
        "extreme of the others, so that the model is not spoilt; errors and scores use the value itself.",
    )


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


def _unlike(e: Evaluation) -> Iterator[Finding]:
    surprise = e.surprise
    if surprise is None:
        return
    if surprise.outside > OUTSIDE:
        yield Finding(
            "unlike the training data",
            "These examples reach beyond the range of the training data: they may be in other units, or "
            "prepared differently.",
            f"{surprise.outside:.1%} of their numbers lie outside it, by more than a tenth of it",
            "Give them as the training data were given, in the same units; or train on data like these.",
        )
    elif surprise.distance > UNLIKE and surprise.p_value < UNLIKELY:
        odder = surprise.scores.mean() > surprise.held_out.mean()
        yield Finding(
            "unlike the training data",
            f"These examples are {'odder' if odder else 'less odd'} to the model than those held out of its training "
            "data, so they come from another source, and the numbers here hold for such data only.",
            f"errors {surprise.scores.mean():.4f} against {surprise.held_out.mean():.4f}; so far apart by chance in "
            f"{surprise.p_value:.1g} of cases",
            "Look at the oddest with `narrows anomalies`; if they are what the model is for, train on data like them.",
        )


def _components_win(e: Evaluation) -> Iterator[Finding]:
    ratio = e.comparison.over_pca
    if e.comparison.pca_is_exact:
        yield Finding(
            "no bottleneck",
            f"{e.latent_dim} principal components rebuild the examples without any error, so a code of {e.latent_dim} "
            "numbers has room for all that is in them.",
            f"the model's error is {e.comparison.model.error.value:.4f}, theirs {e.comparison.pca.error.value:.1g}",
            "Give it a smaller latent_dim: `narrows sweep` compares several.",
        )
    elif ratio.low > 1:
        idle = (
            f"The model uses {e.codes.active} of its {e.latent_dim} units; where the others would only carry noise, "
            f"that is right, and latent_dim={max(1, e.codes.active or 1)} is the fair comparison. Otherwise use"
            if _has_idle_units(e)
            else "Use"
        )
        yield Finding(
            "PCA is better",
            f"{e.latent_dim} principal components, which cost no training, rebuild the examples better.",
            f"the model's error is {ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f}) times theirs",
            f"{idle} PCA, or train longer, with more data, or without what holds the code back (weight_decay, beta, "
            "input_noise).",
        )


def _has_idle_units(e: Evaluation) -> bool:
    """Return whether units were switched off, as a variational bound does where they cost more than they tell.

    Principal components cannot: they copy the examples' noise, too (Lucas et al., “Don't blame the ELBO!”, 2019).
    """
    return e.codes.active is not None and e.codes.active < e.latent_dim


def _undertrained(e: Evaluation) -> Iterator[Finding]:
    advice = "Give it more epochs (epochs='auto' chooses by the size of the data), or a higher learning_rate."
    if e.late > LATE:
        yield Finding(
            "undertrained",
            "Training ended while the loss was still falling.",
            f"{e.late:.0%} of its whole fall came in the last tenth of the epochs",
            advice,
        )
    elif (
        e.comparison.over_pca.low > 1
        and e.learnt_error > e.learnt_pca_error
        and not _has_idle_units(e)
        and not e.comparison.pca_is_exact
    ):
        yield Finding(
            "undertrained",
            "Principal components rebuild even the examples that the model was trained on better than it does.",
            f"error on training examples {e.learnt_error:.4f}, theirs {e.learnt_pca_error:.4f}",
            f"{advice} Or something holds it back: beta, weight_decay, input_noise, a narrow hidden layer, dead units.",
        )


def _overtrained(e: Evaluation) -> Iterator[Finding]:
    if not e.learnt_error:
        return
    error, pca = e.comparison.model.error, e.comparison.pca.error.value
    gap, usual = error.low / e.learnt_error, max(1.0, pca / e.learnt_pca_error if e.learnt_pca_error else 1.0)
    if gap > GAP * usual**0.5 and gap > GAP_OVER_PCA * usual:
        yield Finding(
            "overtrained",
            "The model rebuilds its training examples far better than new ones: it has memorised them.",
            f"error {error.value:.4f} on new examples, {e.learnt_error:.4f} on training examples",
            "More data; a smaller net (hidden); more input_noise or weight_decay; a validation_fraction above 0, "
            "so that the best weights are kept.",
        )


def _dead(e: Evaluation) -> Iterator[Finding]:
    if e.codes.dead:
        yield Finding(
            "dead units",
            "Units of the code are the same for every example, and carry no information.",
            f"{e.codes.dead} of {e.latent_dim} units",
            "A ReLU on the code kills units for good, and so may a high learning_rate: leave the code linear, as "
            "recipe 'default' does. Or the data have fewer degrees of freedom: take a smaller latent_dim.",
        )


def _collapsed(e: Evaluation) -> Iterator[Finding]:
    active = e.codes.active
    if active is not None and e.codes.kl is not None and active < ACTIVE * e.latent_dim:
        yield Finding(
            "collapsed posterior",
            "Most of the code has collapsed to the prior: it is the same, but for noise, whatever the input.",
            f"{active} of {e.latent_dim} units are active; KL {e.codes.kl.sum():.2f} nats",
            "Lower beta, or let it rise slowly (warm_up); give free_bits; take sigma='learned'; or, if the error is "
            "low, take a smaller latent_dim.",
        )


def _too_narrow(e: Evaluation) -> Iterator[Finding]:
    lost = e.comparison.over_mean
    if lost.low > LOST:
        yield Finding(
            "latent_dim too small",
            "Most of what varies in the data does not come through the code.",
            f"{lost.value:.0%} of the variance is lost with {e.latent_dim} numbers",
            "Take a larger latent_dim; `narrows sweep` says which. For a map to look at, two numbers may do.",
        )


def _wasteful(e: Evaluation) -> Iterator[Finding]:
    enough = e.codes.enough
    if enough is not None and 2 * enough <= e.latent_dim:
        yield Finding(
            "latent_dim wasteful",
            f"The code's {e.latent_dim} numbers say no more than {enough} would.",
            f"the codes' first {'principal component' if enough == 1 else f'{enough} principal components'}, decoded: "
            "an error within 5 % of the model's",
            f"Take latent_dim={enough} or a little more: smaller codes sample better and are quicker to compare.",
        )


def _unfit_likelihood(e: Evaluation) -> Iterator[Finding]:
    if e.density.deviation is not None and not SPREAD[0] < e.density.deviation < SPREAD[1]:
        wide = e.density.deviation < 1
        yield Finding(
            "likelihood does not fit",
            f"The likelihood expects {'larger' if wide else 'smaller'} deviations than there are, so its nats are "
            "wrong, and so is their weight against the KL divergence.",
            f"deviations are {e.density.deviation:.2g} σ",
            "sigma='learned' fits it to the data.",
        )
    if e.density.between is not None and e.density.between > GREY:
        yield Finding(
            "likelihood does not fit",
            "A Bernoulli likelihood is for zeros and ones; it treats values in between as probabilities, so "
            "its nats are not a log-density of the data.",
            f"{e.density.between:.0%} of the numbers are neither",
            "likelihood='continuous-bernoulli' or 'gaussian' fits them.",
        )


def _copies(e: Evaluation) -> Iterator[Finding]:
    like_data = e.generation is not None and e.generation.coverage.value > LIKE_DATA
    if like_data and e.copying is not None and e.copying.excess.low > COPIES:
        found = e.copying
        yield Finding(
            "samples copy the training data",
            "New examples are nearer to training examples than chance allows: the model repeats what it has seen.",
            f"{found.nearer.value:.0%} of the samples, {found.expected:.0%} by chance",
            "With prior='posterior', take one that does not remember examples (fit_prior 'mixture'); with any "
            "other, train for fewer epochs, or with more input_noise or weight_decay.",
        )


def _not_learned(e: Evaluation) -> Iterator[Finding]:
    columns = () if e.table is None else e.table.columns
    lost = [one for one in columns if one.lost.low > NOT_LEARNED and one.cells >= FEWEST_EXAMPLES]
    if lost:
        worst = max(lost, key=lambda one: one.lost.value)
        yield Finding(
            "column not learned",
            f"What the code says of {_named([one.name for one in lost])} is hardly more than the column's mean or "
            "shares say.",
            f"the error of {worst.name!r} is {worst.lost.value:.2f} times that of its mean or shares alone",
            "If it goes with no other column, nothing but a number of its own in the code can hold it: take a larger "
            "latent_dim, a larger weight in column_weights, or leave the column out.",
        )


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:MOST_NAMED]))
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return f"column{'s' * (len(names) > 1)} {shown}{more}"


def _vanished(e: Evaluation) -> Iterator[Finding]:
    rare = []
    for spread in () if e.table is None else e.table.spreads:
        n, m = spread.rows
        for level, real, made in zip(spread.levels, spread.real, spread.generated, strict=False):
            least, most = share(np.arange(n) < round(real * n)).low, share(np.arange(m) < round(made * m)).high
            if least * m >= EXPECTED and most < VANISHED * least:
                rare.append((f"{level!r} of column {spread.name!r}", real, made))
    if rare:
        level, real, made = max(rare, key=lambda each: float(each[1]))
        more = f", and {len(rare) - 1:,} more" if len(rare) > 1 else ""
        yield Finding(
            "level vanishes",
            f"Generated rows hardly ever have a level that real ones have: {level}{more}.",
            f"{made:.1%} of generated rows, {real:.1%} of real ones",
            "Take a larger latent_dim, or more weight for the column in column_weights; or another prior: "
            "fit_prior 'mixture', 'posterior' or 'flow-matching'.",
        )


RULES: list[Callable[[Evaluation], Iterator[Finding]]] = [
    _too_few,
    _far,
    _unlike,
    _components_win,
    _undertrained,
    _overtrained,
    _collapsed,
    _dead,
    _too_narrow,
    _wasteful,
    _unfit_likelihood,
    _not_learned,
    _vanished,
    _copies,
]
