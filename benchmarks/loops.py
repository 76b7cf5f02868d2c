"""What people train small autoencoders with: the loop that every tutorial has, scikit-learn, PyOD, a scan in JAX.

Each has the layers features–hidden–d–hidden–features with ReLU and, but for scikit-learn's and PyOD's, a sigmoid at the
end, squared error, and Adam at 0.001; each returns the training error per feature of what it has come to.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.neural_network import MLPRegressor
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from narrows.models.model import BottleneckModel

__all__ = ["jax_scan", "plain", "plain_epochs", "plain_vae", "pyod", "sklearn", "vae_loss"]

Rows = NDArray[np.float32]


def plain_epochs(X: Rows, hidden: Sequence[int], d: int, seed: int, batch_size: int) -> Iterator[Callable[[], float]]:
    """Train by the loop that everyone writes; yield after each epoch what says the training error."""
    torch.manual_seed(seed)
    widths = [X.shape[1], *hidden, d, *reversed(hidden), X.shape[1]]
    layers = [layer for a, b in pairwise(widths) for layer in (nn.Linear(a, b), nn.ReLU())]
    net, x = nn.Sequential(*layers[:-1], nn.Sigmoid()), torch.from_numpy(X)
    loader = DataLoader(TensorDataset(x), batch_size=batch_size, shuffle=True)
    optimiser, criterion = torch.optim.Adam(net.parameters(), lr=0.001), nn.MSELoss()

    @torch.no_grad()
    def error() -> float:
        return float(criterion(net(x), x))

    while True:
        for (batch,) in loader:
            optimiser.zero_grad()
            loss = criterion(net(batch), batch)
            loss.backward()
            optimiser.step()
        yield error


def plain(X: Rows, hidden: Sequence[int], d: int, seed: int, epochs: int, batch_size: int = 32) -> float:
    """Train for so many epochs by `plain_epochs`."""
    *_, (_, error) = zip(range(epochs), plain_epochs(X, hidden, d, seed, batch_size), strict=False)
    return error()


def sklearn(X: Rows, hidden: Sequence[int], d: int, seed: int, epochs: int, batch_size: int = 32) -> float:
    """Train scikit-learn's own net."""
    net = MLPRegressor(
        hidden_layer_sizes=(*hidden, d, *reversed(hidden)),
        batch_size=batch_size,
        max_iter=epochs,
        random_state=seed,
        alpha=0,
        tol=0,
        n_iter_no_change=epochs,
    )
    return float(np.square(net.fit(X, X).predict(X) - X).mean())


def pyod(X: Rows, hidden: Sequence[int], d: int, seed: int, epochs: int, batch_size: int = 32) -> float:
    """Train PyOD's autoencoder, without what ours has not: batch normalisation and dropout."""
    from pyod.models.auto_encoder import AutoEncoder

    net = AutoEncoder(
        hidden_neuron_list=[*hidden, d],
        epoch_num=epochs,
        batch_size=batch_size,
        lr=0.001,
        batch_norm=False,
        dropout_rate=0.0,
        preprocessing=False,
        random_state=seed,
        verbose=0,
    ).fit(X)
    # Its scores are distances: the root of the sum of squares.
    return float(np.square(net.decision_scores_).mean() / X.shape[1])


def jax_scan(X: Rows, hidden: Sequence[int], d: int, seed: int, epochs: int, batch_size: int = 32) -> float:
    """Train by a scan over all steps, compiled as a whole; the compilation is part of it."""
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    import jax
    import jax.numpy as jnp

    rng, widths = np.random.default_rng(seed), [X.shape[1], *hidden, d, *reversed(hidden), X.shape[1]]
    weights = [
        tuple(rng.uniform(-(a**-0.5), a**-0.5, shape).astype(np.float32) for shape in ((a, b), (b,)))
        for a, b in pairwise(widths)
    ]
    batches = len(X) // batch_size
    orders = np.stack([rng.permutation(len(X))[: batches * batch_size] for _ in range(epochs)])
    x = jnp.asarray(X)

    def restored(weights: Any, x: Any) -> Any:
        for w, b in weights[:-1]:
            x = jnp.maximum(x @ w + b, 0)
        w, b = weights[-1]
        return jax.nn.sigmoid(x @ w + b)

    def loss(weights: Any, x: Any) -> Any:
        return jnp.square(restored(weights, x) - x).mean()

    def step(state: Any, places: Any) -> Any:
        weights, first, second, t = state
        gradients = jax.grad(loss)(weights, x[places])
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
        weights = jax.tree.map(
            lambda w, m, v: w - 0.001 * m / (1 - 0.9**t) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8), weights, first, second
        )
        return (weights, first, second, t + 1), None

    zeros = jax.tree.map(jnp.zeros_like, weights)
    scan = jax.jit(lambda state, places: jax.lax.scan(step, state, places)[0])
    state = scan((weights, zeros, zeros, 1.0), jnp.asarray(orders.reshape(-1, batch_size)))
    return float(loss(state[0], x))


def vae_loss(encoder: nn.Module, decoder: nn.Module, x: Tensor) -> Tensor:
    """Return the mean −ELBO of ``x`` (n, C, H, W) in [0, 1], as tutorials write it."""
    mu, log_var = encoder(x).chunk(2, 1)
    z = mu + torch.randn_like(mu) * (0.5 * log_var).exp()
    data = nn.functional.binary_cross_entropy_with_logits(decoder(z), x, reduction="sum")
    divergence = 0.5 * (mu.square() + log_var.exp() - 1 - log_var).sum()
    return (data + divergence) / len(x)


def classic_vae(X: Rows, epochs: int) -> nn.Module:
    """Train PyTorch's example of a VAE, 784-400-20, in batches of 128, on ``X`` (n, 784) in [0, 1]."""
    torch.manual_seed(0)
    net = nn.Module()
    net.encoder = nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 40))
    net.decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784))
    optimiser = torch.optim.Adam(net.parameters(), 1e-3)
    loader = DataLoader(torch.from_numpy(X), batch_size=128, shuffle=True)
    for _ in range(epochs):
        for batch in loader:
            loss = vae_loss(net.encoder, net.decoder, batch)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return net


def plain_vae(model: BottleneckModel, X: Rows, batch_size: int, epochs: int = 1, device: str = "cpu") -> None:
    """Train the nets of ``model``, drawn anew, as a VAE by the loop that everyone writes."""
    torch.manual_seed(0)
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.reset_parameters()
    model.train().to(device)
    loader = DataLoader(torch.from_numpy(X.reshape(len(X), -1)), batch_size=batch_size, shuffle=True)
    optimiser = torch.optim.Adam([*model.encoder.parameters(), *model.decoder.parameters()], 1e-3)
    for _ in range(epochs):
        for batch in loader:
            loss = vae_loss(model.encoder, model.decoder, batch.to(device))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    model.eval().cpu()
