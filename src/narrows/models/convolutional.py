"""Convolutional nets for images: halved in size and doubled in channels stage by stage, down to the code, and back.

What the lecture “Úvod do generativních modelů” builds up to with convolution and pooling, with strides in place of
pooling. Stages have a residual block each (He et al. 2016), and the decoder enlarges by sub-pixel convolution (Shi et
al. 2016), cropped where a side is odd, so that what comes out has exactly the size of what went in.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from narrows.models.nets import ACTIVATIONS, Convolution, dense

__all__ = ["ImageDecoder", "ImageEncoder"]

COARSEST = 8
"""Pixels of the shorter side below which an image is not halved any more."""

FIRST_CHANNELS, FEWEST_CHANNELS, AT_PIXELS = 16, 4, 1024
"""Channels of the first stage: 16 for a longer side of up to 64 pixels, half as many at twice that, 4 at least."""

MOST_CHANNELS = 256
"""Of any stage."""


class ImageEncoder(nn.Module):
    """Images (n, C, H, W) ↦ (n, outputs).

    Parameters
    ----------
    channels
        C, with a plane for each class where the image comes with a context.
    size
        (H, W), 1 or more each.
    hidden
        Units of the dense layers after the convolutions.
    outputs
        Numbers that the bottleneck wants.
    activation
        A key of `ACTIVATIONS`.
    """

    def __init__(
        self, channels: int, size: tuple[int, int], hidden: Sequence[int], outputs: int, activation: str
    ) -> None:
        super().__init__()
        *finer, (h, w) = halved(size)
        counts = stage_channels(channels, finer)
        stages = [
            nn.Sequential(Convolution(before, after, stride=2), Residual(after, activation), ACTIVATIONS[activation]())
            for before, after in pairwise(counts)
        ]
        self.stages = nn.Sequential(*stages)
        self.head = dense([counts[-1] * h * w, *hidden, outputs], activation, shortcut=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs) of ``x`` (n, C, H, W)."""
        maps = self.stages(x.contiguous(memory_format=torch.channels_last))
        y: Tensor = self.head(maps.permute(0, 2, 3, 1).flatten(1))
        return y


class ImageDecoder(nn.Module):
    """Codes (n, inputs) ↦ images (n, C, H, W): `ImageEncoder` backwards.

    Parameters
    ----------
    inputs
        Numbers of the code and of the context.
    channels, size, hidden, activation
        As in `ImageEncoder`; ``hidden`` in its order too.
    """

    def __init__(
        self, inputs: int, channels: int, size: tuple[int, int], hidden: Sequence[int], activation: str
    ) -> None:
        super().__init__()
        *self.finer, (h, w) = halved(size)
        counts = stage_channels(channels, self.finer)
        self.coarsest = (h, w, counts[-1])
        self.head = dense([inputs, *hidden[::-1], counts[-1] * h * w], activation, shortcut=False)
        self.stages = nn.ModuleList(
            nn.Sequential(
                Residual(before, activation),
                ACTIVATIONS[activation](),
                Convolution(before, 4 * after),
                nn.PixelShuffle(2),
            )
            for after, before in pairwise(counts)
        )

    def forward(self, z: Tensor) -> Tensor:
        """Return (n, C, H, W) of ``z`` (n, inputs)."""
        x: Tensor = self.head(z).unflatten(1, self.coarsest).permute(0, 3, 1, 2)
        for (h, w), stage in zip(reversed(self.finer), reversed(self.stages), strict=True):
            x = stage(x)[..., :h, :w]
        return x


class Residual(nn.Module):
    """x ↦ x + f(x), with two convolutions in f and an activation before each (He et al. 2016)."""

    def __init__(self, channels: int, activation: str) -> None:
        super().__init__()
        activate = ACTIVATIONS[activation]
        # The second begins weak, so that a stage begins as little more than its strided convolution (De & Smith 2020).
        first, second = Convolution(channels, channels), Convolution(channels, channels, gain=1 / 8)
        self.layers = nn.Sequential(activate(), first, activate(), second)

    def forward(self, x: Tensor) -> Tensor:
        """Return x + f(x), (n, channels, h, w)."""
        y: Tensor = x + self.layers(x)
        return y


def halved(size: tuple[int, int]) -> list[tuple[int, int]]:
    """Return sizes (h, w) from an image's own to the coarsest: each half the one before, rounded up."""
    sizes = [size]
    while min(sizes[-1]) >= COARSEST:
        h, w = sizes[-1]
        sizes.append((-(-h // 2), -(-w // 2)))
    return sizes


def stage_channels(channels: int, finer: Sequence[tuple[int, int]]) -> list[int]:
    """Return the channels of the image and of each stage, which halves the sizes ``finer`` in turn."""
    first = min(FIRST_CHANNELS, max(FEWEST_CHANNELS, AT_PIXELS // max(finer[0]))) if finer else FIRST_CHANNELS
    return [channels, *(min(MOST_CHANNELS, first * 2**stage) for stage in range(len(finer)))]
