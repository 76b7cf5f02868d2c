"""The model: the parts joined, x → corruption → encoder → bottleneck → z → decoder → likelihood → p(x | z)."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from typing import NamedTuple

import torch
from torch import Tensor, nn

from narrows.models.bottlenecks import Bottleneck, DiagonalGaussian, GaussianPosterior, Point
from narrows.models.coding import Coding
from narrows.models.corruptions import Corruption
from narrows.models.gaps import Gaps
from narrows.models.likelihoods import Likelihood
from narrows.models.nets import with_changes
from narrows.models.priors.base import Prior

__all__ = ["Batch", "BottleneckModel", "check_nets"]


class Batch(NamedTuple):
    """Examples, scaled, (n, features).

    Attributes
    ----------
    x
        As they are to be given back.
    context
        Their classes one-hot, (n, classes), for a conditional model, else None.
    noisy
        As the encoder sees them, (n, features), where they are known with noise and without; else None.
    """

    x: Tensor
    context: Tensor | None
    noisy: Tensor | None = None

    @property
    def seen(self) -> tuple[Tensor, Tensor | None]:
        """What the encoder sees of them, with the context."""
        return (self.x if self.noisy is None else self.noisy), self.context

    def take(self, rows: Tensor | int) -> Batch:
        """Return the examples at ``rows`` (k,)."""
        return self.each(lambda tensor: tensor[rows])

    def each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        """Return what ``change`` makes of each of the tensors that there are."""
        x, context, noisy = self
        return Batch(change(x), None if context is None else change(context), None if noisy is None else change(noisy))


class BottleneckModel(nn.Module):
    """Any model with a bottleneck, as a choice of parts; it sees scaled inputs, as rows (n, features).

    A conditional model's nets see the context along with input and code (Sohn et al. 2015).

    Parameters
    ----------
    corruption
        (x, generator, progress of training) ↦ x̃, used in training only.
    encoder, decoder
        Nets (n, features [+ classes]) → (n, bottleneck.width), and (…, latent_dim [+ classes]) → (…, features).
    bottleneck
        The encoder's output ↦ q(z | x).
    likelihood
        The decoder's output ↦ p(x | z).
    prior
        Where new codes come from.
    coding
        What the encoder sees of a table's cells; None where it sees the inputs themselves.
    gaps
        Which cells of a new row are missing; None where none are.

    Attributes
    ----------
    in_half
        Whether the nets compute in 16 bits (bfloat16) while they learn; weights and all else have 32.
    compiled
        What stands for each of the nets while they learn, if something does.
    """

    def __init__(
        self,
        *,
        corruption: Corruption,
        encoder: nn.Module,
        bottleneck: Bottleneck,
        decoder: nn.Module,
        likelihood: Likelihood,
        prior: Prior,
        coding: Coding | None = None,
        gaps: Gaps | None = None,
    ) -> None:
        super().__init__()
        self.corruption = corruption
        self.encoder = encoder
        self.bottleneck = bottleneck
        self.decoder = decoder
        self.likelihood = likelihood
        self.prior = prior
        self.coding = coding
        self.gaps = gaps
        self.in_half = False
        self.compiled: dict[nn.Module, Callable[[Tensor], Tensor]] = {}

    def posterior(self, x: Tensor, context: Tensor | None = None) -> Point | GaussianPosterior:
        """Return q(z | x) of inputs ``x`` (n, features); no corruption, no chance."""
        return self.posterior_of_coded(self.coded(x), context)

    def coded(self, x: Tensor) -> Tensor:
        """Return what the encoder sees of inputs ``x`` (n, features)."""
        if self.coding is None:
            return x
        seen: Tensor = self.coding(x)
        return seen

    def posterior_of_coded(self, x: Tensor, context: Tensor | None = None) -> Point | GaussianPosterior:
        """Return q(z | x) of what `coded` has made of inputs, (n, width)."""
        q: Point | GaussianPosterior = self.bottleneck(self._through(self.encoder, _beside(x, context)))
        return q

    def encode(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Return the codes (n, latent_dim) of inputs ``x`` (n, features): the mean of q(z | x)."""
        return self.posterior(x, context).mean

    def output(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        """Return the decoder's output (…, n, features), for the likelihood, of codes ``z`` (…, n, latent_dim)."""
        return self._through(self.decoder, _beside(z, context))

    def output_with_changes(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the same of codes ``z`` (n, d), and its changes (d, n, features) by each number of a code."""
        x = _beside(z, context)
        h, changes = with_changes(self.decoder, x, torch.eye(z.shape[1], x.shape[1])[:, None])
        return h, changes.expand(-1, len(z), -1)

    def decode(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        """Return the mean E[x | z], (n, features), of the codes nearest to ``z`` (n, latent_dim) that there can be."""
        return self.likelihood.mean(self.output(self.bottleneck.snap(z), context))

    def corrupted(self, batch: Batch, generator: torch.Generator, progress: float) -> Tensor:
        """Return what training shows the encoder of a batch, x̃ (n, features)."""
        if batch.noisy is not None and not self.corruption.of_noisy:
            return batch.noisy
        return self.corruption(batch.seen[0], generator, progress)

    def shown(self, x: Tensor, seen: Tensor) -> Tensor:
        """Return what of inputs ``x`` (n, features) the loss is of, where the encoder sees ``seen`` of them.

        Of a table's row whose code is drawn, no cell that the encoder does not see, or the loss would be no bound on
        the log-likelihood of anything (Mattei & Frellsen, “MIWAE”, 2019).
        """
        if self.coding is None or not isinstance(self.bottleneck, DiagonalGaussian):
            return x
        return x.masked_fill(seen.isnan(), math.nan)

    def log_prob(self, batch: Batch) -> Tensor:
        """Return log p(x | z), (n,), in nats: how well the code of what the encoder sees gives each x back."""
        return self._log_prob(batch.x, self.output(self.encode(*batch.seen), batch.context))

    def log_weights(self, batch: Batch, epsilon: Tensor) -> Tensor:
        """Return log p(x | z) + log p(z) − log q(z | x), (k, n) in nats, at z = μ + σ ε.

        Their mean over k is the evidence lower bound, the logarithm of the mean of their exponentials a tighter one
        (Burda et al. 2016); both are below log p(x).

        Parameters
        ----------
        batch
            n examples.
        epsilon
            Standard normal noise, (k, 1 or n, latent_dim).

        Raises
        ------
        TypeError
            If the code is deterministic, and so has no density.
        """
        q = self.posterior(*batch.seen)
        if isinstance(q, Point):
            raise TypeError("a deterministic code has no density to weigh by")
        z = q.mean + q.sigma * epsilon
        likelihood = self._log_prob(batch.x, self.output(z, batch.context))
        return likelihood + self.prior.log_prob(z) - q.log_prob(z)

    def log_likelihood(self, batch: Batch, epsilon: Tensor) -> Tensor:
        """Return the importance-sampled bound on log p(x), (n,) in nats; ``epsilon`` as in `log_weights`."""
        weights = self.log_weights(batch, epsilon)
        return weights.logsumexp(0) - math.log(len(weights))

    def _through(self, net: nn.Module, x: Tensor) -> Tensor:
        if not self.training:
            h: Tensor = net(x)
            return h
        through = self.compiled.get(net, net)
        with torch.autocast(x.device.type, torch.bfloat16) if self.in_half else nullcontext():
            h = through(x)
        return h.to(x.dtype)

    def _log_prob(self, x: Tensor, h: Tensor) -> Tensor:
        """Return log p(x | z) of the decoder's outputs ``h``, in 64 bits."""
        # Far from the training data a square may be beyond 32 bits; between bounds none is far, and 32 are quicker.
        if not self.likelihood.bounded:
            x, h = x.double(), h.double()
        return self.likelihood.log_prob(x, h).double()


@torch.no_grad()
def check_nets(model: BottleneckModel, batch: Batch) -> None:
    """Refuse nets that do not fit the ``batch`` or each other, which a user's own may not.

    Raises
    ------
    ValueError
        If they cannot take what they are given, or return other shapes than they should.
    """
    few = batch.take(torch.arange(min(2, len(batch.x))))
    n, width = len(few.x), model.bottleneck.width
    wanted = model.likelihood.outputs_for(few.x.shape[1])
    training = model.training
    model.eval()  # a batch normalisation is to learn nothing from it
    try:
        h = model.encoder(_beside(model.coded(few.seen[0]), few.context))
    except RuntimeError as error:
        raise ValueError(f"net: the encoder cannot take {n} of the examples: {error}") from error
    if h.shape != (n, width):
        raise ValueError(f"net: the encoder returned {tuple(h.shape)} for {n} examples; (n, {width}) is expected")
    try:
        output = model.output(model.encode(*few.seen), few.context)
    except RuntimeError as error:
        raise ValueError(
            f"net: the decoder cannot take {n} codes (n, numbers), or does not return images (n, C, H, W), or for rows "
            f"(n, features): {error}"
        ) from error
    if output.shape != (n, wanted):
        raise ValueError(f"net: the decoder returned {output.shape[1]:,} numbers per code; examples have {wanted:,}")
    model.train(training)


def _beside(x: Tensor, context: Tensor | None) -> Tensor:
    if context is None:
        return x
    return torch.cat([x, context.to(x).expand(*x.shape[:-1], -1)], -1)
