"""How a named model learns: what is set up before the training, and what is added after it."""

from __future__ import annotations

import atexit
import hashlib
import math
import os
import sys
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, groupby
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from narrows.arguments import RandomState, choice, random_seed
from narrows.estimators.evaluating import Evaluating
from narrows.estimators.fitted import check_range
from narrows.estimators.labels import places_of
from narrows.estimators.training_set import TrainingSet
from narrows.models.model import BottleneckModel, check_nets
from narrows.models.nets import Shortcut, has_convolutions, initialise
from narrows.models.priors import PRIORS
from narrows.models.priors.mixtures import VampPrior
from narrows.models.start import start_at_components
from narrows.scaling import Scaling
from narrows.training.checkpoint import Checkpoint
from narrows.training.distributed import ALONE, Alone, Processes, check_divisible
from narrows.training.examples import Examples
from narrows.training.loop import Step, Training
from narrows.training.member import Member, operations_of_step
from narrows.training.processor import device_for, half_for, limited_threads, operations_of
from narrows.training.starting import leads, together

__all__ = ["Begun", "Fitting", "fit_together"]

MOST_COMPONENTS_OF, NUMBERS_IN_THEM = 1000, 2**25
"""Examples that principal components are found in, where training starts with them, and numbers in these."""


@dataclass(frozen=True, slots=True)
class Begun:
    """An estimator about to learn.

    Attributes
    ----------
    estimator
        It.
    member
        Its untrained model, and what that is to learn from.
    data
        All that it was given.
    seed
        What all chance comes from.
    """

    estimator: Fitting
    member: Member
    data: TrainingSet
    seed: int


class Fitting(Evaluating):
    """What an estimator does to learn."""

    def fit(
        self, X: ArrayLike, y: ArrayLike | None = None, *, checkpoint: str | os.PathLike[str] | None = None
    ) -> Self:
        """Learn from ``X``.

        Parameters
        ----------
        X
            Rows (n, features) or images (n, H, W[, C]), two or more, finite; any real type.
        y
            The examples' classes (n,), whole numbers or strings; None, or anything else, if they have none.
        checkpoint
            A file that holds the state of the training, written every half minute and at the end. Where there is one
            already, of the same options and data, training goes on from it and ends with the same weights, bit for
            bit, as if it had never stopped (as the same seed gives the same weights: ``random_state``).

        Raises
        ------
        TypeError, ValueError
            For an option or data that cannot be used, or a checkpoint of another training; the message names it, its
            value, and what would be right.
        FloatingPointError
            If training diverges, also at an eighth of the learning rate. As after an interruption, the best weights
            until then are kept.
        OSError
            If the checkpoint cannot be written; the one before is then still there. Of several ``devices``, if another
            process has ended.
        """
        for _ in self.fit_steps(X, y, checkpoint=checkpoint):
            pass
        return self

    @property
    def leads(self) -> bool:
        """Whether this process is the one of those that train together that writes and prints."""
        return leads(self.devices, self.nodes)

    def fit_steps(
        self, X: ArrayLike, y: ArrayLike | None = None, *, checkpoint: str | os.PathLike[str] | None = None
    ) -> Generator[Step]:
        """Learn from ``X`` as `fit` does, a step a yield, for whoever wants to watch, or to stop early.

        ``step.training.change(learning_rate=…, beta=…)`` lets it go on otherwise.
        Closed or interrupted after at least one epoch, the estimator is fitted, with the best weights seen until then.
        """
        for _, step in fit_together([self], X, y, checkpoint=checkpoint):
            yield step

    def begin(
        self, X: ArrayLike, y: ArrayLike | None, data: TrainingSet | None = None, processes: Alone | Processes = ALONE
    ) -> Begun:
        """Check options and data and return what there is before the first step.

        Parameters
        ----------
        X, y
            As of `fit`.
        data
            The same, where an estimator of the same options, but for ``latent_dim`` and ``random_state``, has begun.
        processes
            That train it together.
        """
        self.check_options()
        seed = processes.broadcast(random_seed(self.random_state))
        source = self._source(X, reset=True)
        data = data or TrainingSet.of(source, y, self.scaling, conditional=self.conditional)
        examples, generator = data.examples, torch.Generator().manual_seed(seed)
        held_out = min(math.floor(self.validation_fraction * len(examples)), len(examples) - 2)
        order = torch.randperm(len(examples), generator=generator)
        judged, learned = (examples.part(part) for part in order.tensor_split([held_out]))
        model = self._untrained(data.source.shape[1:], data.scaling, learned, generator)
        member = Member(model, learned, judged, generator, operations_of(model, learned.take(torch.arange(1))))
        model.in_half = half_for(self.precision, model, *self.place([member]))
        return Begun(self, member, data, seed)

    def place(self, members: Sequence[Member]) -> tuple[torch.device, float]:
        """Return where ``members`` learn side by side, and the floating-point operations of a step."""
        batch = self.pace(len(members[0].learned), convolutional=has_convolutions(members[0].model))[1]
        operations = operations_of_step(members, batch)
        return device_for("cpu" if self.devices * self.nodes > 1 else self.device, operations), operations

    def end(self, begun: Begun, history: list[dict[str, float]]) -> None:
        """Take the trained model over, and add what is known only now: error and noise on held-out data, the prior."""
        member, data = begun.member, begun.data
        self.set_fitted(member.model, data.scaling, data.source.shape[1:], begun.seed, history, data.classes)
        self._complete(member.learned, member.judged)
        self._fit_prior(self.prior, data.examples, data.labels, begun.seed)
        self._remember(data, member.learned, member.judged)

    def _untrained(
        self, shape: tuple[int, ...], scaling: Scaling, learned: Examples, generator: torch.Generator
    ) -> BottleneckModel:
        """Return the model as training starts with it, having seen that it fits the examples to learn from."""
        with torch.random.fork_rng(devices=[]):  # the layers' constructors draw weights, which are drawn anew below
            model = self.build(shape, 0 if learned.context is None else learned.context.shape[1], scaling)
        initialise(model, generator)
        some = next(learned.chunks())
        check_range(model, some.x)
        check_nets(model, some)
        if isinstance(model.encoder, Shortcut):
            few = min(len(learned), MOST_COMPONENTS_OF, max(self.latent_dim + 1, NUMBERS_IN_THEM // learned.features))
            parts = [part.x for part in learned.part(torch.arange(few)).chunks()]
            with limited_threads(1):  # of how many there are the sums depend
                start_at_components(model, torch.cat(parts))
        model.likelihood.calibrate(some.x, some.x.mean(0))  # the scale to start from
        model.prior = self.first_prior(model, learned, generator)
        return model

    def _complete(self, learned: Examples, judged: Examples) -> None:
        """Add what is known only after training: the noise's size and the error, both on held-out data."""
        first = next((judged if len(judged) else learned).chunks())
        with torch.no_grad():
            z = self.model_.posterior(*first).rsample(torch.Generator().manual_seed(self.seed_))
            mean = self.model_.likelihood.mean(self.model_.output(z, first.context))
            self.model_.likelihood.calibrate(first.x, mean)
        if len(judged):
            errors = self._errors(judged)
            self.validation_error_ = float(errors.mean()), float(errors.std() / math.sqrt(len(errors)))

    def _fit_prior(self, name: str, examples: Examples, labels: Tensor, seed: int) -> None:
        # Also of the examples that judged the training: a class may have no other.
        classes = 1 if self.classes_ is None else len(self.classes_)
        learned = self.model_.prior if isinstance(self.model_.prior, VampPrior) else None
        needed = learned or PRIORS[name].needs_codes
        posterior = self._posterior(examples if needed else examples.part(torch.arange(1)))
        with limited_threads(1):
            if learned:
                self.model_.prior = learned.frozen(posterior, labels, classes)
            else:
                self.model_.prior = PRIORS[name].fit(posterior, labels, classes, seed)

    def fit_prior(self, prior: str, X: ArrayLike, y: ArrayLike | None = None, random_state: RandomState = None) -> Self:
        """Change where new codes come from, by the codes of ``X``; the nets stay as they are.

        Parameters
        ----------
        prior
            ``"normal"``, ``"mixture"``, ``"posterior"``, ``"flow"`` or ``"flow-matching"``.
        X, y
            Examples, and their classes if `sample` is to be asked for one.
        random_state
            As of `sample`; None takes the seed of the fit.
        """
        choice("prior", prior, PRIORS)
        source = self._source(X)
        if self.classes_ is None:
            labels = np.zeros(len(source), np.int64)
        elif y is None:
            raise ValueError("y is needed: this model was fitted with classes, and new codes are drawn class by class")
        else:
            labels = places_of(y, self.classes_, len(source))
            missing = np.setdiff1d(np.arange(len(self.classes_)), labels)
            if len(missing):
                raise ValueError(f"y has no example of class {self.classes_[missing[0]]}, whose codes it is to fit")
        seed = self.seed_ if random_state is None else random_seed(random_state)
        self._fit_prior(prior, self._examples(source, y), torch.from_numpy(labels), seed)
        self.prior = prior
        if self.model_.bottleneck.draws:  # the likelihood is another now
            scores = {by: held_out for by, held_out in self.reference_.held_out.items() if by != "likelihood"}
            self.reference_ = replace(self.reference_, held_out=scores)
        return self


def fit_together(
    estimators: Sequence[Fitting],
    X: ArrayLike,
    y: ArrayLike | None = None,
    *,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Generator[tuple[Sequence[Fitting], Step]]:
    """Let ``estimators``, which differ in latent_dim and random_state alone, learn from ``X``.

    Those whose nets allow it learn side by side, which takes a fraction of the time, and each comes to what it would
    have come to alone, but for rounding; the others learn one after another. Closed or interrupted, those that have
    ended an epoch are fitted.

    Parameters
    ----------
    estimators, X, y
        As of `Fitting.fit`.
    checkpoint
        As there; where not all learn side by side, «-1», «-2» … is added to the file's name.

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
        check_divisible(first.bottleneck(), first.objective())
    with together(first.devices, first.nodes, partial(_exhaust, estimators, X, y, None)) as processes:
        yield from _fit(estimators, X, y, checkpoint, processes)


def _exhaust(*arguments: Any) -> None:
    for _ in _fit(*arguments):
        pass


def _fit(
    estimators: Sequence[Fitting],
    X: ArrayLike,
    y: ArrayLike | None,
    checkpoint: str | os.PathLike[str] | None,
    processes: Alone | Processes,
) -> Generator[tuple[Sequence[Fitting], Step]]:
    """Do what `fit_together` does, as one of these processes."""
    begun: list[Begun] = []
    for estimator in estimators:
        begun.append(estimator.begin(X, y, begun[0].data if begun else None, processes))
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
        yield from _train([one.estimator.begin(X, y, one.data)], None, errors, processes)
    if errors:
        raise FloatingPointError("; ".join(errors))


def _train(
    group: Sequence[Begun], path: Path | None, errors: list[str], processes: Alone | Processes
) -> Generator[tuple[Sequence[Fitting], Step], None, list[Begun]]:
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
        for place, (one, history) in enumerate(zip(group, training.history, strict=True)):
            if history and place not in training.diverged and processes.kept and not sys.is_finalizing():
                one.estimator.end(one, history)
    return [group[place] for place in training.diverged]


def _close(steps: Generator[Step]) -> None:
    with suppress(ValueError):  # of another thread's, which goes on to the end
        steps.close()


def _groups(begun: Sequence[Begun]) -> list[list[Begun]]:
    """Return those that can learn side by side, in their order."""

    def kind(one: Begun) -> object:
        return one.member.kind(one.estimator.objective()) or id(one)

    return [list(group) for _, group in groupby(begun, kind)]


def _training(group: Sequence[Begun], path: Path | None, processes: Alone | Processes) -> Training:
    first = group[0]
    epochs, batch_size, learning_rate = first.estimator.pace(
        len(first.member.learned), convolutional=has_convolutions(first.member.model)
    )
    members = [one.member for one in group]
    device = first.estimator.place(members)[0]
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


def _identity(group: Sequence[Begun], device: torch.device) -> dict[str, object]:
    """Return what a training depends on, by name."""
    data, start = hashlib.sha256(), hashlib.sha256()
    # As given: a picture's bytes are a quarter of what they are scaled.
    for array in chain(group[0].data.source.chunks(), [group[0].data.labels.numpy()]):
        data.update(np.ascontiguousarray(array).data)
    for one in group:
        for tensor in one.member.model.state_dict().values():
            start.update(tensor.numpy().tobytes())
    options = group[0].estimator.get_params() | {
        "latent_dim": [one.estimator.latent_dim for one in group],
        "random_state": [one.seed for one in group],
        "device": device.type,  # others draw other noise
    }
    named = {name: value if isinstance(value, float | int | list) else str(value) for name, value in options.items()}
    kind = type(group[0].estimator).__name__
    return {"model": kind, **named, "data": data.hexdigest(), "first weights": start.hexdigest()}
