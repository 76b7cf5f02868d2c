"""Several softmaxes side by side, one a column: what a step of Newton's needs of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["softmax_slopes_and_curvatures"]


def softmax_slopes_and_curvatures(
    h: Tensor, widths: Sequence[int], own: Tensor, counted: Tensor, changes: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the gradients and Hessians of −Σ log softmax(h)ₖ, as `Likelihood.slopes_and_curvatures`.

    By a column's h they are p − eₖ and diag p − p pᵀ: along changes, means less that of k, and covariances.

    Parameters
    ----------
    h, widths
        Outputs (n, outputs), and how many of them are of each column.
    own, counted
        (n, columns), which of all outputs is k, and whether the column counts.
    changes
        (d, n, outputs).
    """
    along = changes.transpose(0, 1)
    p = torch.cat([part.softmax(-1) for part in h.split(widths, -1)], -1).to(along)
    p = p * counted.repeat_interleave(torch.tensor(widths), 1)
    weighted = along * p[:, None]
    means = torch.stack([part.sum(-1) for part in weighted.split(widths, -1)], -1)  # 0 where it does not count
    those = along.gather(2, own[:, None].expand(-1, along.shape[1], -1)) * counted[:, None]
    return (means - those).sum(-1), weighted @ along.mT - means @ means.mT
