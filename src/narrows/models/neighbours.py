"""Neighbours of the input that stay neighbours in the code: t-SNE's divergence, of a net.

Which examples of a batch are neighbours is said by a distribution over its pairs. Of the inputs it is P, with a
Gaussian around each example that is wide enough to have `PERPLEXITY` neighbours; of the codes it is Q, with one
heavy-tailed kernel for all, so that strangers have room to be far apart. KL(P ‖ Q) is what t-SNE lowers by moving
points (van der Maaten & Hinton 2008); here a net lowers it, and so knows where new examples belong (van der Maaten,
“Learning a parametric embedding by preserving local structure”, 2009).

`affinities` and `divergence` take K batches side by side; `arranged` moves points themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["Divergence", "affinities", "arranged", "divergence", "scale_at"]

PERPLEXITY = 10.0
"""Neighbours that an example has in a batch, as the exponential of an entropy."""

FIRST_SCALE, LAST_SCALE, NARROWED = 1.0, 6e-4, 0.5
"""s² as a fraction of the codes' mean squared distance at the start of a training, from so much of it on, and how much
that is: first the whole is arranged, as by the eigenvectors of a graph, and then neighbourhoods in their places."""

NEWTON_STEPS = 20
"""To each Gaussian's width, whose logarithm moves by 1 at most in each: more than enough."""

ATTRACTED, EXAGGERATED, MOVED = 250, 12.0, 250
"""Steps of points that move: first with P so many times itself, so that clusters find their places, and then as it is.

On codes of digits and breast cancer 350 steps in all keep fewer neighbours, and 750 no more."""

STARTED = 1e-4
"""How far apart points begin: what draws them together must be stronger than what pushes them apart."""


def affinities(x: Tensor, perplexity: float = PERPLEXITY) -> Tensor:
    """Return P (K, n, n) of inputs ``x`` (K, n, numbers): pᵢⱼ = (pⱼ|ᵢ + pᵢ|ⱼ) / 2n.

    pⱼ|ᵢ is exp(−βᵢ ‖xᵢ − xⱼ‖²), normalised over the nearest 3 × ``perplexity`` of the others, and βᵢ such that its
    entropy is log ``perplexity`` (van der Maaten 2014); in a small batch a third as many as there are others.
    """
    n, x = x.shape[1], x - x.mean(1, keepdim=True)  # or digits would be lost far from the origin
    distances = torch.cdist(x, x).square()
    distances.diagonal(dim1=1, dim2=2).fill_(math.inf)
    near, places = distances.topk(min(n - 1, int(3 * perplexity) + 1), 2, largest=False, sorted=False)
    near = near - near.amin(2, keepdim=True)
    near = near / near.mean(2, keepdim=True).clamp_min(torch.finfo(x.dtype).tiny)
    entropy = math.log(max(1.0, min(perplexity, (n - 1) / 3)))
    log_beta = torch.zeros_like(near[..., :1])
    for _ in range(NEWTON_STEPS):
        beta = log_beta.exp()
        log_p = (-beta * near).log_softmax(2)
        p = log_p.exp()
        mean = (p * near).sum(2, keepdim=True)
        excess = -(p * log_p).sum(2, keepdim=True) - entropy
        slope = beta.square() * ((p * near.square()).sum(2, keepdim=True) - mean.square())
        log_beta = log_beta + (excess / slope.clamp_min(torch.finfo(x.dtype).eps)).clamp(-1, 1)
    p = (-log_beta.exp() * near).softmax(2)
    joint = torch.zeros_like(distances).scatter_(2, places, p)
    return (joint + joint.transpose(1, 2)) / (2 * n)


def arranged(x: Tensor, start: Tensor, perplexity: float) -> Tensor:
    """Return points (n, 2) of which those are near to each other that are so in ``x`` (n, numbers): t-SNE's map.

    Down the gradient of KL(P ‖ Q), with momentum and a gain for each number (van der Maaten & Hinton 2008) and a rate
    that grows with n (Belkina et al. 2019). All pairs push each other away: up to some thousand points these are
    quicker products of matrices than scikit-learn's walk through a tree (Barnes & Hut), and exact.

    Parameters
    ----------
    x
        Two or more.
    start
        Where the points begin, (n, 2), up to their scale: principal components, which keep the whole in its order.
    perplexity
        Neighbours of each.
    """
    p = affinities(x[None], perplexity)[0]
    points = start - start.mean(0)
    points = points * (STARTED / points.std(0).amax().clamp_min(torch.finfo(x.dtype).tiny))
    rate = max(len(x) / EXAGGERATED / 4, 50.0)
    for attraction, steps, momentum in ((p * EXAGGERATED, ATTRACTED, 0.5), (p, MOVED, 0.8)):
        moved, gains = torch.zeros_like(points), torch.ones_like(points)  # anew, or most gains would begin at the least
        for _ in range(steps):
            norms = points.square().sum(1)
            kernel = torch.addmm(norms, points, points.T, alpha=-2).add_(norms[:, None] + 1).clamp_min_(1).reciprocal_()
            kernel.fill_diagonal_(0)
            forces = torch.addcdiv(attraction, kernel, -kernel.sum()).mul_(kernel)
            slopes = 4 * (forces.sum(1, keepdim=True) * points - forces @ points)
            gains = torch.where(slopes * moved < 0, gains + 0.2, gains * 0.8).clamp_min_(0.01)
            moved = momentum * moved - rate * gains * slopes
            points = points + moved
    return points


def scale_at(progress: float) -> float:
    """Return s², as a fraction of the codes' mean squared distance, at this fraction of the training, in [0, 1]."""
    return float(FIRST_SCALE * (LAST_SCALE / FIRST_SCALE) ** min(1.0, progress / NARROWED))


def divergence(x: Tensor, z: Tensor, sizes: Sequence[int], scale: float) -> tuple[Tensor, Tensor]:
    """Return KL(P ‖ Q) of batches in nats, (K,), and its gradient by the codes, (K, n, latent_dim).

    qᵢⱼ is (1 + ‖zᵢ − zⱼ‖² / α s²)^(−(α+1)/2), normalised over all pairs: Student's t with α = latent_dim − 1 degrees of
    freedom, 1 at least, as van der Maaten (2009) has it. Its scale s is so much of the codes' own spread that only
    their arrangement counts: how large codes are is left to the bottleneck and the prior, which may bound them.

    Parameters
    ----------
    x
        Inputs (K, n, numbers).
    z
        Their codes (K, n, latent_dim).
    sizes
        Of each model's code; units that it lacks are 0.
    scale
        s² as a fraction of the codes' mean squared distance.
    """
    n = x.shape[1]
    if n < 2:  # nobody is a neighbour
        return z.new_zeros(len(z)), torch.zeros_like(z)
    z = z - z.mean(1, keepdim=True)
    # By differences, since the scale is small compared with the squares that a product of matrices would add.
    distances = torch.cdist(z, z, compute_mode="donot_use_mm_for_euclid_dist").square()
    p = affinities(x)
    alpha = torch.tensor([max(1, size - 1) for size in sizes]).to(z)[:, None, None]
    spread = distances.mean((1, 2), keepdim=True).clamp_min(1e-12)
    scaled = distances / (scale * spread)
    kernel = 1 / (1 + scaled / alpha)
    log_t = (alpha + 1) / 2 * kernel.log()
    t = log_t.exp()
    t.diagonal(dim1=1, dim2=2).zero_()
    total = t.sum((1, 2), keepdim=True)
    kl = (torch.xlogy(p, p) - p * log_t).sum((1, 2)) + total.log().flatten()
    by_scaled = (alpha + 1) / (2 * alpha) * (p - t / total) * kernel
    by_spread = (by_scaled * scaled).sum((1, 2), keepdim=True) / (n * n)
    by_distance = (by_scaled / scale - by_spread) / spread
    return kl, 4 * (by_distance.sum(2, keepdim=True) * z - by_distance @ z)


class Divergence(torch.autograd.Function):
    """`divergence` of one batch, (n, numbers) and (n, latent_dim), for automatic differentiation by the codes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, z: Tensor, scale: float) -> Tensor:
        """Return the divergence in nats."""
        kl, gradient = divergence(x[None], z[None], [z.shape[1]], scale)
        ctx.save_for_backward(gradient[0])
        return kl[0]

    @staticmethod
    def backward(ctx: Any, by_kl: Tensor) -> tuple[None, Tensor, None]:
        """Return its gradient by the codes; the inputs have none."""
        (gradient,) = ctx.saved_tensors
        return None, by_kl * gradient, None
