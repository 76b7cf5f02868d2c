"""AdamW's step (Loshchilov & Hutter 2019), by torch's own kernel.

It is what ``torch.optim.AdamW(fused=True)`` calls, at a fifth of that one's price for small weights; and the optimiser
would import torch's compiler first, which takes longer than importing torch.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["BETA2", "Tensors", "adamw_step"]

BETA2 = 0.999
"""How much of the mean of squared gradients a step keeps."""

Tensors = list[Tensor] | tuple[Tensor, ...]


def adamw_step(
    values: Tensors,
    gradients: Tensors,
    first: Tensors,
    second: Tensors,
    steps: Tensor,
    *,
    rate: float,
    momentum: float,
    decay: float,
) -> None:
    """Change ``values`` and the moments of their gradients in place.

    Parameters
    ----------
    values, gradients, first, second
        Weights, which ask for no gradient now, their gradients, and the moments of these, of the same shapes.
    steps
        How many there have been, this one among them, a scalar.
    rate, momentum, decay
        Learning rate, β₁ and weight decay; β₂ is `BETA2`.
    """
    torch._fused_adamw_(
        values,
        gradients,
        first,
        second,
        [],
        [steps] * len(values),
        lr=rate,
        beta1=momentum,
        beta2=BETA2,
        weight_decay=decay,
        eps=1e-8,
        amsgrad=False,
        maximize=False,
    )
