"""How a named model learns: what is set up before the training, and what is added after it."""

from __future__ import annotations

import atexit
import hashlib
import os
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby, repeat
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from narrows.arguments import closest, plain, random_seed
from narrows.data.parquet_rows import ParquetRows
from narrows.estimators.attributes import FittedAttributes
from narrows.estimators.training_data import training_set_of
from narrows.fitted.completion import complete
from narrows.fitted.fitted import Fitted
from narrows.fitted.saving import OWN
from narrows.fitted.scores import check_possible
from narrows.fitted.source import Source
from narrows.fitted.training_set import TrainingSet
from narrows.models.bottlenecks import GaussianPosterior
from narrows.models.likelihoods import Mixed
from narrows.models.model import BottleneckModel, check_nets
from narrows.models.nets import Shortcut, has_convolutions, initialise
from narrows.models.priors import PRIORS
from narrows.models.priors.mixtures import VampPrior
from narrows.models.start import start_at_components
from narrows.training.checkpoint import Checkpoint, kept_seeds
from narrows.training.distributed import ALONE, Alone, Processes, check_divisible
from narrows.training.examples import Examples
from narrows.training.loop import Step, Training
from narrows.training.member import Member, operations_of_step
from narrows.training.own_state import steps_in_own_state
from narrows.training.processor import device_for, give_back, half_for, limited_threads, operations_of
from narrows.training.starting import together

__all__ = ["Begun", "begin", "completed", "fit_together", "learned_prior"]

MOST_EXAMPLES, MOST_NUMBERS = 1000, 2**25
"""Examples that principal components are found in, where training starts with them, and numbers in these."""

PSEUDO_INPUTS = 500
"""As many as Tomczak & Welling 2018 take."""


@dataclass(frozen=True, slots=True)
class Begun:
    """An estimator about to learn.

    Attributes
    ----------
    estimator
        To be fitted.
    options
        Its options at this moment, as `Fitted` has them.
    member
        Its untrained model, and what that is to learn from.
    data
        All that it was given.
    seed
        What all chance comes from.
    """

    estimator: FittedAttributes
    options: dict[str, Any]
    member: Member
    data: TrainingSet
    seed: int


def begin(
    estimator: FittedAttributes,
    X: ArrayLike,
    y: ArrayLike | None,
    sample_weight: ArrayLike | None = None,
    data: TrainingSet | None = None,
    processes: Alone | Processes = ALONE,
    seed: int | None = None,
) -> Begun:
    """Check options and data and return what there is before the first step.

    Parameters
    ----------
    estimator
        Of which nothing changes.
    X, y, sample_weight
        As in `fit`.
    data
        The same, where an estimator of the same options, but for ``latent_dim`` and ``random_state``, has begun.
    processes
        That train it together.
    seed
        To go on with where ``random_state`` is None.
    """
    estimator.check_options()
    seed = processes.broadcast(random_seed(seed if estimator.random_state is None else estimator.random_state))
    options = _options_of(estimator, seed)
    if data is None:
        data = training_set_of(estimator, X, y, sample_weight)
    if estimator.contamination is not None and data.examples.all is not None:
        raise ValueError(
            f"contamination={estimator.contamination!r} ranks all examples in each epoch, and these are read in parts "
            "since memory cannot hold them; fit to some of them"
        )
    generator = torch.Generator().manual_seed(seed)
    training, validation = data.divided(estimator.validation_fraction, generator)
    model = _untrained(estimator, data, training, generator)
    operations = operations_of(model, training.take(torch.arange(1)))
    member = Member(model, training, validation, generator, operations, estimator.contamination)
    model.in_half = half_for(estimator.precision, model, *_device_for(estimator, [member]))
    return Begun(estimator, options, member, data, seed)


def _options_of(estimator: FittedAttributes, seed: int) -> dict[str, Any]:
    """Return what the fitted model keeps of its options: values that a file can hold."""
    options = {name: plain(value) for name, value in estimator.get_params(deep=False).items()}
    del options["device"]  # of this machine, not of the model
    if not isinstance(estimator.net, str):
        options["net"] = OWN
    if not isinstance(options["random_state"], int | None):
        options["random_state"] = seed
    return options


def _device_for(estimator: FittedAttributes, members: Sequence[Member]) -> tuple[torch.device, float]:
    """Return where ``members`` learn side by side, and the floating-point operations of a step."""
    batch = estimator.plan(members[0].training.n, convolutional=has_convolutions(members[0].model))[1]
    operations = operations_of_step(members, batch)
    return device_for("cpu" if estimator.devices * estimator.nodes > 1 else estimator.device, operations), operations


def _untrained(
    estimator: FittedAttributes, data: TrainingSet, training: Examples, generator: torch.Generator
) -> BottleneckModel:
    """Return the model as training starts with it, having seen that it fits the examples to learn from."""
    classes = 0 if training.context is None else training.context.shape[1]
    with torch.random.fork_rng(devices=[]):  # the layers' constructors draw weights, which are drawn anew below
        model = estimator.build(data.input_shape, classes, data.scaling, data.table)
    initialise(model, generator)
    some = next(training.chunks())
    counts = model.likelihood.domain is not None and not model.likelihood.bounded
    # As given, for counts: one that is far below all others, and below 0, stands among the examples as their lowest.
    counts = counts and data.examples.all is None
    given = data.source.examples(data.scaling, None) if counts else data.examples
    check_possible(model.likelihood, data.scaling, given, data.feature_names)
    check_nets(model, some)
    if isinstance(model.encoder, Shortcut):
        few = min(len(training), MOST_EXAMPLES, max(estimator.latent_dim + 1, MOST_NUMBERS // training.features))
        first = [chunk.x for chunk in training.weighted().subset(torch.arange(few)).chunks()]
        with limited_threads(1):  # of how many there are the sums depend
            start_at_components(model, model.coded(torch.cat(first)))
    if data.table is None:
        model.likelihood.calibrate(some.x, some.x.mean(0))  # the scale to start from
    else:
        _weigh(estimator, data, model, some.x)
    if estimator.prior == "vampprior":
        model.prior = learned_prior(model, training, generator)
    return model


def _weigh(estimator: FittedAttributes, data: TrainingSet, model: BottleneckModel, cells: Tensor) -> None:
    """Set how much each column counts in the loss."""
    factors = {str(name): float(weight) for name, weight in (estimator.column_weights or {}).items()}
    assert data.table is not None
    names = [str(column.name) for column in data.table.modelled]
    for name in factors:
        if name not in names:
            raise ValueError(
                f"column_weights: {name!r} is not a column that the model learns from{closest(name, names)}"
            )
    weights = torch.tensor([factors.get(name, 1.0) for name in names])
    assert isinstance(model.likelihood, Mixed)
    model.likelihood.weigh(cells, weights, alike=not (model.bottleneck.draws or data.scaling.unit_interval))


def learned_prior(model: BottleneckModel, examples: Examples, generator: torch.Generator) -> VampPrior:
    """Return the VampPrior that training starts with: its pseudo-inputs are some of the ``examples``."""
    chosen = torch.randperm(len(examples), generator=generator)[:PSEUDO_INPUTS]
    # Of the nets, not of the model: a prior that knew its model would be copied with it, and again in it.
    posterior = partial(_posterior, model.encoder, model.bottleneck)
    return VampPrior(model.coded(examples.take(chosen).x), model.prior.latent_dim, posterior)


def _posterior(encoder: nn.Module, bottleneck: nn.Module, x: Tensor) -> GaussianPosterior:
    q: GaussianPosterior = bottleneck(encoder(x))
    return q


def completed(begun: Begun, history: Sequence[Mapping[str, float]]) -> Fitted:
    """Return what the training of ``begun``, whose model is trained now, has come to."""
    return complete(
        begun.member,
        begun.data,
        history,
        kind=type(begun.estimator).__name__,
        options=begun.options,
        seed=begun.seed,
        device=begun.estimator.device,
    )


def fit_together(
    estimators: Sequence[FittedAttributes],
    X: ArrayLike,
    y: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    *,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Generator[tuple[Sequence[FittedAttributes], Step]]:
    """Let ``estimators``, which differ in latent_dim and random_state alone, learn from ``X``.

    Those whose nets allow it learn side by side, which takes a fraction of the time, and each comes to what it would
    have come to alone, but for rounding; the others learn one after another. Closed or interrupted, those that have
    ended an epoch are fitted.

    Parameters
    ----------
    estimators, X, y, sample_weight
        As in `narrows.estimators.base.BottleneckEstimator.fit`.
    checkpoint
        As there; where not all learn side by side, -1, -2 … is added to the file's name.

    Yields
    ------
    Those that learn now, and their step.

    Raises
    ------
    FloatingPointError
        If one diverges, once all others are trained.
    """
    first = estimators[0]
    first.check_options()
    if first.devices * first.nodes > 1:
        if isinstance(X, ParquetRows):
            raise ValueError(
                f"devices={first.devices} and nodes={first.nodes} are for data that are read anywhere; Parquet parts "
                "are learned from by one process"
            )
        check_divisible(first.bottleneck(), first.objective(), first.corruption)
    with together(first.devices, first.nodes, partial(_exhaust, estimators, X, y, sample_weight, None)) as processes:
        yield from steps_in_own_state(_fit(estimators, X, y, sample_weight, checkpoint, processes))


def _exhaust(*arguments: Any) -> None:
    for _ in _fit(*arguments):
        pass


def _fit(
    estimators: Sequence[FittedAttributes],
    X: ArrayLike,
    y: ArrayLike | None,
    sample_weight: ArrayLike | None,
    checkpoint: str | os.PathLike[str] | None,
    processes: Alone | Processes,
) -> Generator[tuple[Sequence[FittedAttributes], Step]]:
    """Do what `fit_together` does, as one of these processes."""
    begun: list[Begun] = []
    for estimator, seed in zip(estimators, chain(kept_seeds(checkpoint), repeat(None)), strict=False):
        begun.append(begin(estimator, X, y, sample_weight, begun[0].data if begun else None, processes, seed))
    groups = _groups(begun) if processes.size == 1 else [[one] for one in begun]
    diverged: list[Begun] = []
    errors: list[str] = []
    for number, group in enumerate(groups):
        path = None if checkpoint is None else Path(checkpoint)
        if path and len(groups) > 1:
            path = path.with_stem(f"{path.stem}-{number + 1}")
        diverged += yield from _train(group, path, errors, processes)
    # Alone, one that left the others can go back and take smaller steps.
    for one in diverged:
        yield from _train([begin(one.estimator, X, y, None, one.data, seed=one.seed)], None, errors, processes)
    if errors:
        raise FloatingPointError("; ".join(errors))


def _train(
    group: Sequence[Begun], path: Path | None, errors: list[str], processes: Alone | Processes
) -> Generator[tuple[Sequence[FittedAttributes], Step], None, list[Begun]]:
    """Train those that can be side by side, and return those that diverged; one alone adds its error to ``errors``."""
    training, estimators = _training(group, path, processes), [one.estimator for one in group]
    steps = training.steps()
    close = partial(_close, steps)
    atexit.register(close)  # of one that nobody closes, before Python takes torch apart
    try:
        for step in steps:
            yield estimators, step
    except FloatingPointError as error:
        errors.append(f"latent_dim {estimators[0].latent_dim}: {error}")
    finally:
        steps.close()
        atexit.unregister(close)
        large = group[0].data.source.streamed
        for number, (one, history) in enumerate(zip(group, training.history, strict=True)):
            if history and number not in training.diverged and processes.kept and not sys.is_finalizing():
                if large:
                    give_back()
                one.estimator.fitted_ = completed(one, history)
        if large:
            give_back()
    return [group[number] for number in training.diverged]


def _close(steps: Generator[Step]) -> None:
    with suppress(ValueError):  # of another thread's, which goes on to the end
        steps.close()


def _groups(begun: Sequence[Begun]) -> list[list[Begun]]:
    """Return those that can learn side by side, in their order."""

    def kind(one: Begun) -> object:
        alone = one.data.examples.all is not None  # each in its own order, which is read only once
        return id(one) if alone else one.member.kind(one.estimator.objective()) or id(one)

    return [list(group) for _, group in groupby(begun, kind)]


def _training(group: Sequence[Begun], path: Path | None, processes: Alone | Processes) -> Training:
    first = group[0]
    epochs, batch_size, learning_rate = _pace(first)
    members = [one.member for one in group]
    device = _device_for(first.estimator, members)[0]
    return Training(
        members,
        first.estimator.objective(),
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        weight_decay=first.estimator.weight_decay,
        schedule=first.estimator.schedule,
        patience=first.estimator.patience,
        checkpoint=Checkpoint(path, _identity(group, device)) if path and not processes.rank else None,
        processes=processes,
        device=device,
    )


def _pace(begun: Begun) -> tuple[int, int, float]:
    """Return epochs, batch size and learning rate."""
    return begun.estimator.plan(begun.member.training.n, convolutional=has_convolutions(begun.member.model))


def _identity(group: Sequence[Begun], device: torch.device) -> dict[str, object]:
    """Return what the weights of a training depend on, by name."""
    first, data = group[0], group[0].data
    given, clean = (data.source, None) if data.noisy is None else (data.noisy, data.source)
    epochs, batch_size, learning_rate = _pace(first)
    start, weights = hashlib.sha256(), data.examples.weights
    for one in group:
        for tensor in one.member.model.state_dict().values():
            start.update(tensor.numpy().tobytes())
    return {
        "model": type(first.estimator).__name__,
        **first.estimator.get_params(),
        "latent_dim": [one.estimator.latent_dim for one in group],
        "random_state": [one.seed for one in group],
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "device": device.type,  # others draw other noise
        "prior": None if first.estimator.prior in PRIORS else first.estimator.prior,  # which are fitted afterwards
        "false_alarms": None,
        "data": _digest(given),
        "clean examples": None if clean is None else _digest(clean),
        "numbers": hashlib.sha256(data.fingerprints[0].tobytes()).hexdigest(),
        "type": str(data.source.dtype),
        "labels": hashlib.sha256(data.labels.numpy().tobytes()).hexdigest() if first.estimator.conditional else None,
        "sample weights": None if weights is None else hashlib.sha256(weights.numpy().tobytes()).hexdigest(),
        "first weights": start.hexdigest(),
    }


def _digest(source: Source) -> str:
    """Return what tells examples from others, as given: a picture's bytes are a quarter of what they are scaled."""
    digest = hashlib.sha256()
    for array in source.chunks():
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
