"""How many bits a channel has in a file, where Pillow makes others of them, and its numbers as they were written."""

from __future__ import annotations

from typing import IO, NamedTuple

import numpy as np
from PIL import Image, ImageFile

from narrows.data.pixels import Raw

__all__ = ["Depth", "depth_of", "mend_key", "raw_levels"]

WHITE = 2**16 - 1
"""As which Pillow reads what a PGM of more than eight bits says is white."""

HEAD = 2**13
"""Bytes from a file's beginning that hold what JPEG 2000 and HEIF say of their channels."""

SIZES = b"\xff\x4f\xff\x51"
"""How a JPEG 2000 codestream begins; 40 bytes on stands how many bits a channel has less one, and 128 if signed."""

CHANNELS = b"pixi"
"""The box in which HEIF files, also AVIF's, say how many bits each channel has; 5 bytes after its name."""


class Depth(NamedTuple):
    """What a file says of its channels.

    Attributes
    ----------
    bits
        Each has in the file; 0 where that is not told.
    signed
        Whether they hold negative numbers.
    white
        What a PGM or PPM says is white, or 0.
    lost
        Whether Pillow keeps the upper 8 bits alone.
    """

    bits: int
    signed: bool = False
    white: int = 0
    lost: bool = False

    @property
    def said(self) -> tuple[str, ...]:
        """What is to be said of lost bits, if there are any."""
        return (f"of {self.bits} bits a channel: the upper 8 are read, the others are lost",) * self.lost


def depth_of(image: ImageFile.ImageFile) -> Depth:
    """Return what an image's file, not yet decoded, says of its channels.

    Of PNG, PGM and PPM Pillow's plan of the decoding tells: a raw mode, such as ``RGB;16B``, and what follows that.
    """
    deep = image.mode in ("I", "F") or image.mode.startswith("I;16")
    if image.format in ("JPEG2000", "AVIF", "HEIF"):
        bits, signed = _of_head(image.fp)
        return Depth(bits, signed, lost=bits > 8 and not deep)
    args = image.tile[0][3] if image.tile else ""  # a plain tuple before Pillow 11
    raw, *others = args if isinstance(args, tuple) else (args,)
    white = (others[0] if image.format == "PPM" and others else None) or 0  # None of a PBM before Pillow 11
    bits = 16 if ";16" in str(raw) else int(white).bit_length()
    return Depth(bits, white=white, lost=bits > 8 and not deep)


def _of_head(stream: IO[bytes] | None) -> tuple[int, bool]:
    if stream is None:
        return 0, False
    place = stream.tell()
    stream.seek(0)
    head = stream.read(HEAD)
    stream.seek(place)
    start, box = head.find(SIZES), head.find(CHANNELS)
    if start >= 0 and len(head) > start + 42:
        return (head[start + 42] & 127) + 1, head[start + 42] > 127
    return (head[box + 9] if 0 <= box < len(head) - 9 else 0), False


def raw_levels(image: Image.Image, depth: Depth, mode: str, kind: str | None) -> Raw | None:
    """Return grey levels that Pillow stretches or shifts as they were written; None where it does neither.

    It multiplies those of a PGM so that white is 65,535. Those of JPEG 2000 it multiplies to fill 16 bits (of 8 at
    most, 8), and adds half of that to signed ones.

    Parameters
    ----------
    image
        As Pillow made it.
    depth
        What the file says.
    mode, kind
        Pillow's mode and format of the file, not yet decoded.
    """
    if mode == "I" and 0 < depth.white < WHITE:
        return Raw(np.rint(np.asarray(image) * (depth.white / WHITE)).astype(np.uint16), mode)
    if kind != "JPEG2000" or not depth.bits or mode not in ("L", "I;16"):
        return None
    room = 8 if mode == "L" else 16
    if not depth.signed and (
        depth.bits >= room or room == 8
    ):  # levels of fewer bits than 8 are between black and white
        return None
    levels = np.asarray(image).astype(np.int32) >> max(0, room - depth.bits)
    if not depth.signed:
        return Raw(levels.astype(np.uint16), mode)
    return Raw((levels - 2 ** (min(depth.bits, room) - 1)).astype(np.int16), mode)


def mend_key(image: ImageFile.ImageFile) -> None:
    """Let the colour that is transparent in a PNG be one of those that Pillow makes of its pixels.

    Pillow keeps the upper half of 16-bit colours, but the key's lower one (findings/pillow-16-bit-key.sh), and takes
    grey levels of two and four bits to 255, but not the key (“Portable Network Graphics”, 3rd edition, 2025).
    """
    key = image.info.get("transparency")
    raw = image.tile[0][3] if image.format == "PNG" and image.tile else ""  # a plain tuple before Pillow 11
    if raw == "RGB;16B" and isinstance(key, tuple):
        image.info["transparency"] = tuple(level >> 8 for level in key)
    elif raw in ("L;2", "L;4") and isinstance(key, int):
        image.info["transparency"] = key * (85 if raw == "L;2" else 17)
