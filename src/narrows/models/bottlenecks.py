"""Bottlenecks: how the encoder's output becomes a code z.

In the classic autoencoder the code is a function of the input, q_φ(z | x) = δ(z − f(x)) (Hinton & Salakhutdinov 2006).
"""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["Deterministic"]


class Deterministic(nn.Module):
    """z = a(h): the code is the encoder's output itself, through an activation if there is one.

    Parameters
    ----------
    activation
        a. A linear code (``nn.Identity()``) keeps every unit alive; the lecture's ReLU kills some for good.
    """

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.activation = activation

    def forward(self, h: Tensor) -> Tensor:
        """Return the code (n, latent_dim) of the encoder's output ``h`` (n, latent_dim)."""
        code: Tensor = self.activation(h)
        return code
