"""Which nets stand around the bottleneck: dense or convolutional, by the data's shape, or a user's own."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import torch
from torch import nn

from narrows.arguments import choice, integers
from narrows.models.convolutional import ImageDecoder, ImageEncoder
from narrows.models.nets import FromRows, Own, Shortcut, ToRows, dense

__all__ = ["Net", "check_net", "encoder_and_decoder"]

Net = str | tuple[nn.Module, nn.Module]

NETS = ("auto", "dense", "convolutional")

LEAST_SIDE = 16
"""Pixels of the shorter side from which images get convolutions."""

NARROW, WIDE, LARGE, HEAD = (256, 256, 128), (256, 128), (512, 256), (256,)
"""Hidden layers for codes of at most 2 numbers, of more, for inputs of many, and after convolutions; chosen on training
data only."""

MANY_FEATURES, MOST_LAYERS = 400, 100


def check_net(name: str, value: object) -> None:
    """Refuse a net that is not known.

    Raises
    ------
    TypeError, ValueError
        Naming the option, its value, and what would be right.
    """
    if isinstance(value, str):
        choice(name, value, NETS)
    elif not isinstance(value, tuple | list) or [isinstance(each, nn.Module) for each in value] != [True, True]:
        raise TypeError(f"{name}={value!r} must be one of {', '.join(NETS)}, or a pair of torch modules")


def check_hidden(name: str, value: object) -> None:
    """Refuse hidden layers that cannot be built, as `check_net` does."""
    if len(integers(name, value, 1)) > MOST_LAYERS:
        raise ValueError(f"{name} has {len(integers(name, value, 1))} layers; at most {MOST_LAYERS} are allowed")


def encoder_and_decoder(
    shape: tuple[int, ...],
    classes: int,
    latent_dim: int,
    width: int,
    *,
    net: Net,
    hidden: Sequence[int] | str,
    activation: str,
    shortcut: bool,
    coded: tuple[int, int] | None = None,
) -> tuple[nn.Module, nn.Module]:
    """Return (n, features + classes) ↦ (n, width), and (…, latent_dim + classes) ↦ (…, features).

    Parameters
    ----------
    shape
        Of an example.
    classes
        Numbers of the context, 0 or more.
    latent_dim, width
        Numbers of the code, and of what the bottleneck makes it from.
    net, hidden, activation, shortcut
        As in `narrows.estimators.options.Options`.
    coded
        Of a table, how many numbers the encoder sees of a row, and how many its likelihood wants; else each feature is
        one of both.

    Raises
    ------
    ValueError
        If the net is for images and these are rows.
    """
    inputs, features = latent_dim + classes, math.prod(shape)
    h, w, c = (*shape, 1, 1)[:3]
    if not isinstance(net, str):
        own = [Own(copy.deepcopy(each).to("cpu", torch.float32)) for each in net]
        return (FromRows(own[0], (h, w, c)), ToRows(own[1])) if len(shape) > 1 else (own[0], own[1])
    fits = len(shape) > 1 and min(h, w) >= LEAST_SIDE and isinstance(hidden, str)
    if net == "convolutional" or (net == "auto" and fits):
        if len(shape) == 1:
            raise ValueError("net='convolutional' is for images (n, H, W[, C]), but X holds rows (n, features)")
        layers = HEAD if isinstance(hidden, str) else hidden
        encoder = FromRows(ImageEncoder(c + classes, (h, w), layers, width, activation), (h, w, c))
        decoder = ToRows(ImageDecoder(inputs, c, (h, w), layers, activation))
        if not shortcut:
            return encoder, decoder
        return (
            Shortcut(nn.Linear(features + classes, width), encoder),
            Shortcut(nn.Linear(inputs, features), decoder),
        )
    seen, wanted = coded or (features, features)
    wide = WIDE if seen <= MANY_FEATURES else LARGE
    layers = (NARROW if latent_dim <= 2 else wide) if isinstance(hidden, str) else hidden
    return (
        dense([seen + classes, *layers, width], activation, shortcut=shortcut),
        dense([inputs, *layers[::-1], wanted], activation, shortcut=shortcut),
    )
