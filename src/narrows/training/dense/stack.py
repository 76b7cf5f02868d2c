"""Learning without automatic differentiation: K dense models at once, exact to it and many times quicker."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from narrows.models.bottlenecks import DiagonalGaussian
from narrows.models.likelihoods import Gaussian, Likelihood, Mixed, SquaredError
from narrows.models.model import Batch, BottleneckModel
from narrows.models.neighbours import divergence, scale_at
from narrows.models.objectives import Neighbours
from narrows.models.priors.base import StandardNormal
from narrows.training.dense.cells import TERMS, Cells
from narrows.training.dense.codes import Plain, activation_of, code_of
from narrows.training.dense.compiled import CompiledGradients, CompiledPasses, kernels_for
from narrows.training.dense.layers import DERIVED, Net, Passes, linear_layers
from narrows.training.dense.losses import LOSSES, Features, link_of
from narrows.training.dense.weights import Weights
from narrows.training.examples import Examples
from narrows.training.general import Objective, rates

__all__ = ["Stack", "kind_of"]

HELD_OUT_AT_ONCE = 128
"""Examples a pass when nothing is learned: few, since the arrays of each size stay."""

NUMBERS_KEPT = 2**20
"""In held-out examples that are kept as they are seen: 4 MB, and as many again where there is noise on them."""

Given = tuple[Tensor, Tensor]
"""What is to be given back, and what the encoder sees of it."""


def kind_of(model: BottleneckModel, objective: Objective) -> Hashable | None:
    """Return what models must have in common to be trained as one `Stack`; None where only `General` can.

    Their codes may differ in size.
    """
    nets = [found for found in map(linear_layers, (model.encoder, model.decoder)) if found]
    code, output = code_of(model.bottleneck, objective), _output_kind(model.likelihood)
    if len(nets) < 2 or code is None or output is None or type(model.prior) is not StandardNormal:
        return None
    frames = [([p.out_features for p in deep[:-1]], shortcut is None, kind) for deep, shortcut, kind in nets]
    ends = nets[0][0][0].in_features, nets[1][0][-1].out_features
    codes = code.func, code.args, activation_of(model.bottleneck)
    return repr(frames), ends, codes, output, (*rates(model).values(),), next(model.parameters()).dtype


def _output_kind(likelihood: Likelihood) -> Hashable | None:
    if isinstance(likelihood, Mixed):
        parts = [_part_kind(part, TERMS) for part in likelihood.parts]  # type: ignore[arg-type]
        return None if None in parts else (likelihood.columns, *parts)
    return _part_kind(likelihood, LOSSES)


def _part_kind(likelihood: Likelihood, known: Mapping[Any, object]) -> Hashable | None:
    link = link_of(likelihood)
    fixed: tuple[float, ...] | None = None
    if isinstance(likelihood, Gaussian) and not likelihood.learned:
        fixed = (*likelihood.log_sigma.cpu().flatten().tolist(),)
    return (type(likelihood), link, fixed) if type(likelihood) in known and link in DERIVED else None


class Stack:
    """K models of one `kind_of` and AdamW, whose weights stand here until `store` writes them back.

    Parameters
    ----------
    models
        Whose codes may differ in size: smaller ones are filled up with units that are 0 and stay so.
    objective
        What is lowered.
    learning_rate, weight_decay
        As in `narrows.training.general.General`.
    """

    def __init__(
        self, models: Sequence[BottleneckModel], objective: Objective, learning_rate: float, weight_decay: float
    ) -> None:
        self.objective, self.rate, self.decay = objective, learning_rate, weight_decay
        parts = 2 if isinstance(models[0].bottleneck, DiagonalGaussian) else 1
        fractions = {p: fraction for model in models for p, fraction in rates(model).items()}
        encoders, decoders = [model.encoder for model in models], [model.decoder for model in models]
        to_code, to_output = activation_of(models[0].bottleneck), link_of(models[0].likelihood)
        nets = [Net.of(encoders, fractions, parts, to_code), Net.of(decoders, fractions, 1, to_output)]
        self._arrange(models, nets)
        with torch.no_grad():
            for layer, values in zip(self.layers, self.weights.values, strict=False):
                layer.read(values)

    def _arrange(self, models: Sequence[BottleneckModel], nets: Sequence[Net]) -> None:
        """Set up arrays for ``models`` and their ``nets``."""
        self.models, self.nets, self.stored = list(models), nets, False
        self.layers = [layer for net in self.nets for layer in net.layers]
        like = next(models[0].parameters())
        self.learned = [*zip(*(model.likelihood.parameters() for model in models), strict=True)]
        shapes = [*(layer.shape for layer in self.layers), *((len(models), *own[0].shape) for own in self.learned)]
        settings = [(self.rate * layer.rate, self.decay) for layer in self.layers]
        settings += [(self.rate, 0.0)] * len(self.learned)
        self.weights = Weights(shapes, settings, like)
        self.values, self.gradients = (
            blocks[len(self.layers) :] for blocks in (self.weights.values, self.weights.gradients)
        )
        for values, own in zip(self.values, self.learned, strict=True):
            values.copy_(torch.stack(own).detach())
        self.passes: dict[int, _Batch] = {}
        self.held_out: list[tuple[Batch, Given, list[Tensor]]] = []

    def step(
        self,
        batch: Batch,
        generators: Sequence[torch.Generator],
        progress: float,
        fraction: float,
        momentum: float,
    ) -> Tensor:
        """Lower the objective by a step and return its mean loss before, (K,), in nats per example.

        Parameters
        ----------
        batch
            Examples without context, since conditional models are `General`'s; their arrays have another axis in front,
            of length K: each model has its own.
        generators
            K of them, the only source of chance.
        progress, fraction, momentum
            As in `narrows.training.general.General.step`.
        """
        loss = self._passes(batch.x.shape[1]).gradients(batch, generators, progress)
        self.weights.update(fraction, momentum)
        self.stored = False
        return loss

    def measures(self, held_out: Examples) -> bool:
        """Say whether `mean_losses` serves: where all examples count alike, and each by itself.

        A GPU would wait for so many small passes.
        """
        by_itself = not isinstance(self.objective, Neighbours)
        return held_out.weights is None and by_itself and self.weights.flat[0].device.type == "cpu"

    @torch.no_grad()
    def mean_losses(self, held_out: Sequence[Examples]) -> list[float]:
        """Return what `narrows.training.best.mean_loss` says of each model, of as many examples each."""
        total, n = torch.zeros(len(held_out), dtype=torch.float64), len(held_out[0])
        for batch, given, generators in self._seen(held_out):
            size = batch.x.shape[1]
            total += self._passes(size).losses(batch, given, generators) * size
        return [value / n for value in total.tolist()]

    def _seen(self, held_out: Sequence[Examples]) -> Iterator[tuple[Batch, Given, list[torch.Generator]]]:
        """Yield batches of the examples, what is seen of them, and what the noise in their codes comes from.

        All is the same at every call, so that few examples are read, and their noise drawn, at the first one alone.
        """
        generators = [torch.Generator().manual_seed(0) for _ in held_out]
        for batch, given, states in self.held_out:
            for generator, state in zip(generators, states, strict=True):
                generator.set_state(state)
            yield batch, given, generators
        if self.held_out:
            return
        kept = []
        for chunks in zip(*(one.chunks() for one in held_out), strict=True):
            each = torch.stack([chunk.x for chunk in chunks]).split(HELD_OUT_AT_ONCE, 1)
            noisy = torch.stack([chunk.seen[0] for chunk in chunks]).split(HELD_OUT_AT_ONCE, 1)
            for x, seen in zip(each, noisy, strict=True):
                batch = Batch(x, None, None if chunks[0].noisy is None else seen)
                back, seen_now = self._passes(x.shape[1]).given(batch, generators, 1.0)
                if len(held_out) * len(held_out[0]) * held_out[0].features <= NUMBERS_KEPT:
                    kept.append((batch, (back, seen_now.clone()), [one.get_state() for one in generators]))
                yield batch, (back, seen_now), generators
        self.held_out = kept

    def _passes(self, examples: int) -> _Batch:
        if examples not in self.passes:
            self.passes[examples] = _Batch(self, examples)
        return self.passes[examples]

    def aim(self, objective: Objective) -> None:
        """Lower another ``objective`` of the same kind from the next step on."""
        self.objective, self.passes, self.held_out = objective, {}, []

    @torch.no_grad()
    def store(self) -> None:
        """Write the weights into the models, unless they are there already."""
        if self.stored:
            return
        self.stored = True
        for layer, values in zip(self.layers, self.weights.values, strict=False):
            layer.write(values)
        for own, values in zip(self.learned, self.values, strict=True):
            for parameter, value in zip(own, values, strict=True):
                parameter.copy_(value)

    def finite(self) -> list[bool]:
        """Say of each model whether all its weights are: whether their sum is, which is found sooner."""
        if math.isfinite(self.weights.flat[0].sum().item()):
            return [True] * len(self.models)
        sums = torch.stack([block.view(len(block), -1).sum(1) for block in self.weights.values])
        return sums.isfinite().all(0).tolist()

    def keep(self, numbers: Sequence[int]) -> None:
        """Go on with the models at ``numbers`` alone."""
        self.store()
        before = self.weights
        self._arrange([self.models[number] for number in numbers], [net.of_some(numbers) for net in self.nets])
        self.weights.take(before, numbers)

    def free(self) -> None:
        """Let go of the arrays that steps take."""
        self.passes, self.held_out = {}, []

    def state(self) -> dict[str, Tensor]:
        """Return a copy of the weights and of Adam's moments."""
        return {name: tensor.clone() for name, tensor in self.weights.state().items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go back to what `state` has returned."""
        self.stored = False
        for name, tensor in self.weights.state().items():
            tensor.copy_(state[name])


class _Batch:
    """What a `Stack` does with batches of one size, in arrays that are set up once."""

    def __init__(self, stack: Stack, examples: int) -> None:
        weights, model = stack.weights, stack.models[0]
        first, last = len(stack.nets[0].layers), len(stack.layers)
        compiled = kernels_for(weights.values[0], 6 * examples * sum(w.numel() for w in weights.values[:last]))
        passes = partial(CompiledPasses, compiled=compiled) if compiled else Passes
        self.encoder, self.decoder = (
            passes(net, weights.values[some], weights.gradients[some], examples)
            for net, some in zip(stack.nets, (slice(first), slice(first, last)), strict=True)
        )
        self.inputs = self.encoder.inputs
        self.sizes = sizes = [member.prior.latent_dim for member in stack.models]
        code = code_of(model.bottleneck, stack.objective)
        assert code is not None
        self.code = code(self.decoder.inputs, sizes)
        likelihoods: list[Any] = [member.likelihood for member in stack.models]
        kind = Cells if isinstance(model.likelihood, Mixed) else Features
        self.output = kind(likelihoods, stack.values, stack.gradients, self.decoder.outputs)
        self.model, self.corruptions = model, [member.corruption for member in stack.models]
        self.acts = any(one.acts for one in self.corruptions)
        self.acts_on_noisy = any(one.acts and one.of_noisy for one in self.corruptions)
        # A number would be made such a tensor at each use, which takes longer than the product.
        self.scale = self.inputs.new_full((), 1 / examples)
        objective = stack.objective
        self.weight = self.inputs.new_full((), objective.weight) if isinstance(objective, Neighbours) else None
        plain = type(self.code) is Plain and self.code.own is None and self.weight is None
        self.whole: CompiledGradients | None = None
        if plain and type(model.likelihood) is SquaredError:
            match self.encoder, self.decoder:
                case CompiledPasses() as encoder, CompiledPasses() as decoder:
                    self.whole = CompiledGradients(encoder, decoder)

    def gradients(self, batch: Batch, generators: Sequence[torch.Generator], progress: float) -> Tensor:
        """Set the weights' gradients of the mean loss of ``batch`` (K, examples, …), and return it, (K,)."""
        x, seen = self.given(batch, generators, progress)
        if self.whole is not None:
            return self.whole(seen, x)
        loss, by_mean = self._forward(batch, x, seen, generators, progress)
        gz = self.decoder.backward(self.output.g, inputs=True)
        self.encoder.backward(self.code.backward(gz, by_mean, self.scale), inputs=False)
        return loss

    def losses(self, batch: Batch, given: Given, generators: Sequence[torch.Generator]) -> Tensor:
        """Return the mean loss of ``batch`` (K, examples, …), as at the end of the training, (K,)."""
        return self._forward(batch, *given, generators, 1.0)[0]

    def given(self, batch: Batch, generators: Sequence[torch.Generator], progress: float) -> Given:
        """Return what is to be given back of ``batch``, and what the encoder sees of it, until the next call."""
        x, seen = batch.x, batch.seen[0]
        acts = self.acts if batch.noisy is None else self.acts_on_noisy
        if self.model.coding is not None:
            if acts:
                seen = torch.stack(self._corrupted(seen, generators, progress))
            x, seen = self.model.shown(x, seen), self._coded(seen)
        elif acts:
            each = self._corrupted(seen, generators, progress)
            seen = each[0][None] if len(each) == 1 else torch.stack(each, out=self.inputs)
        return x, seen

    def _forward(
        self, batch: Batch, x: Tensor, seen: Tensor, generators: Sequence[torch.Generator], progress: float
    ) -> tuple[Tensor, Tensor | None]:
        """Return the mean loss, (K,), and its gradient by the codes' mean if there is one, and set the output's."""
        z, cost = self.code.forward(self.encoder.forward(seen), generators, progress)
        loss = self.output.backward(x, self.decoder.forward(z), self.scale)
        loss = loss * self.scale if cost is None else (loss + cost) * self.scale
        by_mean = None
        if self.weight is not None:
            kl, by_mean = divergence(self._coded(batch.x), self.code.mean, self.sizes, scale_at(progress))
            loss.add_(kl.mul_(self.weight))
            by_mean.mul_(self.weight)
        return loss, by_mean

    def _coded(self, x: Tensor) -> Tensor:
        """Return what the encoder would see of inputs ``x`` (K, examples, features), had nothing been done to them."""
        return x if self.model.coding is None else self.model.coded(x.flatten(0, 1)).view(self.inputs.shape)

    def _corrupted(self, seen: Tensor, generators: Sequence[torch.Generator], progress: float) -> list[Tensor]:
        each = zip(self.corruptions, seen.unbind(), generators, strict=True)
        return [corrupt(rows, generator, progress) for corrupt, rows, generator in each]
