#!/usr/bin/env bash
# Pillow 13.0.0: of a 16-bit RGB PNG with a transparent colour, pixels of another colour become transparent.
#
# Such a file names one colour of 16 bits a channel that is transparent (tRNS). Pillow keeps the upper byte of each
# pixel. One would guess that it keeps the key's upper byte too, or that no pixel matches; it takes the key's lower
# byte. So the colour 1234 5678 9abc (hexadecimal) stays opaque, and any colour 34xx 78xx bcxx, which the file never
# mentions, is transparent.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet pillow==13.0.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import struct
import zlib

import numpy as np
from PIL import Image


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


key, other = (0x1234, 0x5678, 0x9ABC), (0x3400, 0x7800, 0xBC00)
with open("key.png", "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)))
    file.write(chunk(b"tRNS", struct.pack(">3H", *key)))
    file.write(chunk(b"IDAT", zlib.compress(b"\0" + struct.pack(">6H", *key, *other))) + chunk(b"IEND", b""))
with Image.open("key.png") as image:
    print("mode", image.mode, "key", image.info["transparency"])
    alpha = np.asarray(image.convert("RGBA"))[0, :, 3].tolist()
print("opacity of the key's colour and of the other:", alpha)
assert alpha == [255, 0]
END
