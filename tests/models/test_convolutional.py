"""Convolutional nets: any size there and back, and an initial signal that neither fades nor grows with depth."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from narrows.models.convolutional import ImageDecoder, ImageEncoder, halved, stage_channels
from narrows.models.nets import FromRows, ToRows, initialise

SIDES = st.integers(1, 70)


def seeded():
    return torch.Generator().manual_seed(0)


@settings(deadline=None, max_examples=40)
@given(SIDES, SIDES, st.integers(1, 4), st.integers(0, 3))
def test_what_comes_out_has_the_size_of_what_went_in(h, w, c, classes):
    encoder = FromRows(ImageEncoder(c + classes, (h, w), (8,), 5, "silu"), (h, w, c))
    decoder = ToRows(ImageDecoder(5 + classes, c, (h, w), (8,), "silu"))
    x = torch.rand(2, h * w * c + classes)
    z = encoder(x)
    assert z.shape == (2, 5)
    assert decoder(torch.cat([z, x[:, h * w * c :]], 1)).shape == (2, h * w * c)


@given(SIDES, SIDES)
def test_sizes_are_halved_down_to_less_than_eight_pixels(h, w):
    sizes = halved((h, w))
    assert sizes[0] == (h, w)
    assert min(sizes[-1]) < 8
    assert all(small == (-(-big[0] // 2), -(-big[1] // 2)) for big, small in pairwise(sizes))


@pytest.mark.parametrize(
    ("size", "channels"),
    [
        ((28, 28), [1, 16, 32]),
        ((64, 64), [1, 16, 32, 64, 128]),
        ((256, 256), [1, 4, 8, 16, 32, 64, 128]),
        ((5, 9), [1]),
    ],
)
def test_depth_and_width_follow_the_size(size, channels):
    assert stage_channels(1, halved(size)[:-1]) == channels


def test_rows_are_images_with_channels_last():
    images = torch.rand(3, 4, 5, 2)
    seen = []
    rows = torch.cat([images.flatten(1), torch.eye(3)], 1)
    wrapped = FromRows(torch.nn.Identity(), (4, 5, 2))
    wrapped.net.register_forward_hook(lambda *called: seen.append(called[2]))
    wrapped(rows)
    torch.testing.assert_close(seen[0][:, :2], images.permute(0, 3, 1, 2))
    torch.testing.assert_close(seen[0][:, 2:], torch.eye(3)[..., None, None].expand(-1, -1, 4, 5))


def test_codes_keep_the_axes_before_the_last():
    decoder = ToRows(ImageDecoder(3, 2, (17, 9), (8,), "silu"))
    z = torch.rand(4, 5, 3)
    assert decoder(z).shape == (4, 5, 17 * 9 * 2)
    torch.testing.assert_close(decoder(z)[1], decoder(z[1]), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("side", [16, 64, 256])
def test_signals_neither_fade_nor_grow_with_depth(side):
    encoder, decoder = ImageEncoder(3, (side, side), (64,), 8, "silu"), ImageDecoder(8, 3, (side, side), (64,), "silu")
    for net in (encoder, decoder):
        initialise(net, seeded())
    grids = torch.randn(8, 3, side, side, generator=seeded())
    assert 0.1 < encoder.stages(grids).std() < 10
    x = decoder.head(torch.randn(8, 8, generator=seeded())).unflatten(1, decoder.coarsest).permute(0, 3, 1, 2)
    first = x.std()
    for stage in reversed(decoder.stages):
        x = stage(x)
    assert 0.03 < x.std() / first < 30
