"""Learning without automatic differentiation: K dense models at once, exact to it and many times quicker."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor, nn

from narrows.models.bottlenecks import DiagonalGaussian
from narrows.models.likelihoods import Gaussian, Laplace, Likelihood, Located
from narrows.models.model import Batch, BottleneckModel
from narrows.models.priors.base import StandardNormal
from narrows.training.dense.codes import code_of
from narrows.training.dense.layers import DERIVED, Net, Passes, linear_layers
from narrows.training.dense.losses import LOSSES, Errors
from narrows.training.dense.weights import Weights
from narrows.training.general import Objective, rates

__all__ = ["Stack", "kind_of"]


def kind_of(model: BottleneckModel, objective: Objective) -> Hashable | None:
    """Return what models must have in common to be trained as one `Stack`; None where only `General` can.

    Their codes may differ in size.
    """
    if model.coding is not None:
        return None
    nets = [found for found in map(linear_layers, (model.encoder, model.decoder)) if found]
    code, output = code_of(model.bottleneck, objective), _output_kind(model.likelihood)
    if len(nets) < 2 or code is None or output is None or type(model.prior) is not StandardNormal:
        return None
    frames = [([p.out_features for p in deep[:-1]], shortcut is None, kind) for deep, shortcut, kind in nets]
    ends = nets[0][0][0].in_features, nets[1][0][-1].out_features
    return repr(frames), ends, code.func, code.args, output, (*rates(model).values(),), next(model.parameters()).dtype


def _output_kind(likelihood: Likelihood) -> Hashable | None:
    link = _link(likelihood)
    fixed = float(likelihood.log_sigma) if isinstance(likelihood, Gaussian) and not likelihood.learned else None
    return (type(likelihood), link, fixed) if type(likelihood) in LOSSES and link in DERIVED else None


def _link(likelihood: Likelihood) -> type[nn.Module]:
    return type(likelihood.link) if isinstance(likelihood, Located) else nn.Identity


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
        self._arrange(models, [Net.of(encoders, fractions, parts), Net.of(decoders, fractions, 1)])
        with torch.no_grad():
            for layer, values in zip(self.layers, self.weights.values, strict=False):
                layer.read(values)

    def _arrange(self, models: Sequence[BottleneckModel], nets: Sequence[Net]) -> None:
        """Set up arrays for ``models`` and their ``nets``."""
        self.models, self.nets = list(models), nets
        self.layers = [layer for net in self.nets for layer in net.layers]
        like = next(models[0].parameters())
        scales = [_log_scale(model.likelihood, like) for model in models]
        self.learned = [scale for scale in scales if isinstance(scale, nn.Parameter)]
        shapes = [*(layer.shape for layer in self.layers), *([(len(models),)] if self.learned else [])]
        settings = [(self.rate * layer.rate, self.decay) for layer in self.layers] + [(self.rate, 0.0)]  # a scale's
        self.weights = Weights(shapes, settings[: len(shapes)], like)
        self.log_scale = self.weights.values[-1] if self.learned else torch.stack(scales)
        if self.learned:
            self.log_scale.copy_(torch.stack(scales).detach())
        self.passes: dict[int, _Batch] = {}

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
        n = batch.x.shape[1]
        if n not in self.passes:
            self.passes[n] = _Batch(self, n)
        loss = self.passes[n].gradients(batch, generators, progress)
        self.weights.update(fraction, momentum)
        return loss

    def aim(self, objective: Objective) -> None:
        """Lower another ``objective`` of the same kind from the next step on."""
        self.objective, self.passes = objective, {}

    @torch.no_grad()
    def store(self) -> None:
        """Write the weights into the models."""
        for layer, values in zip(self.layers, self.weights.values, strict=False):
            layer.write(values)
        for scale, value in zip(self.learned, self.log_scale, strict=False):
            scale.copy_(value)

    def finite(self) -> Tensor:
        """Say of each model whether all its weights are, (K,)."""
        return torch.stack([block.view(len(block), -1).isfinite().all(1) for block in self.weights.values]).all(0)

    def keep(self, numbers: Sequence[int]) -> None:
        """Go on with the models at ``numbers`` alone."""
        self.store()
        before = self.weights
        self._arrange([self.models[number] for number in numbers], [net.of_some(numbers) for net in self.nets])
        self.weights.take(before, numbers)

    def state(self) -> dict[str, Tensor]:
        """Return a copy of the weights and of Adam's moments."""
        return {name: tensor.clone() for name, tensor in self.weights.state().items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go back to what `state` has returned."""
        for name, tensor in self.weights.state().items():
            tensor.copy_(state[name])


def _log_scale(likelihood: Likelihood, like: Tensor) -> Tensor:
    match likelihood:
        case Gaussian(log_sigma=scale) | Laplace(log_b=scale):
            return scale
    return like.new_zeros(())


class _Batch:
    """What a `Stack` does with batches of one size, in arrays that are set up once."""

    def __init__(self, stack: Stack, examples: int) -> None:
        weights, model = stack.weights, stack.models[0]
        first, last = len(stack.nets[0].layers), len(stack.layers)
        self.encoder = Passes(stack.nets[0], weights.values[:first], weights.gradients[:first], examples)
        self.decoder = Passes(stack.nets[1], weights.values[first:last], weights.gradients[first:last], examples)
        self.inputs = self.encoder.inputs
        sizes = [member.prior.latent_dim for member in stack.models]
        code = code_of(model.bottleneck, stack.objective)
        assert code is not None
        self.code = code(self.decoder.inputs, sizes)
        self.loss = LOSSES[type(model.likelihood)]
        link = _link(model.likelihood)
        self.activate, self.derive = DERIVED[link]
        self.linked = link is not nn.Identity
        self.mean, self.errors = torch.empty_like(self.decoder.outputs), Errors(self.decoder.outputs)
        self.corruptions = [member.corruption for member in stack.models]
        self.log_scale = stack.log_scale
        self.log_scale_gradient = weights.gradients[-1] if stack.learned else None
        # A number would be made such a tensor at each use, which takes longer than the product.
        self.scale = self.mean.new_full((), 1 / examples)

    def gradients(self, batch: Batch, generators: Sequence[torch.Generator], progress: float) -> Tensor:
        """Set the weights' gradients of the mean loss of ``batch`` (K, examples, …), and return it, (K,)."""
        seen = batch.seen[0]
        if any(corruption.acts and (batch.noisy is None or corruption.of_noisy) for corruption in self.corruptions):
            each = zip(self.corruptions, seen, generators, strict=True)
            torch.stack([corrupt(rows, generator, progress) for corrupt, rows, generator in each], out=self.inputs)
        else:
            self.inputs.copy_(seen)
        cost = self.code.forward(self.encoder.forward(), generators, progress)
        h = self.decoder.forward()
        mean, g, scale = h, self.errors.g, self.scale
        if self.linked:
            mean = self.mean
            self.activate(h, out=mean)
        loss, by_log_scale = self.loss(batch.x, mean, self.log_scale, self.errors)
        g.mul_(scale)
        if self.linked:
            self.derive(g, h, mean, grad_input=g)
        if self.log_scale_gradient is not None:
            torch.mul(by_log_scale, scale, out=self.log_scale_gradient)
        gz = self.decoder.backward(g, inputs=True)
        self.encoder.backward(self.code.backward(gz, scale), inputs=False)
        return loss * scale if cost is None else (loss + cost) * scale
