#!/usr/bin/env bash
# Pillow 13.0.0: grey levels of a JPEG 2000 of neither 8 nor 16 bits are not its writer's, nor are signed ones.
#
# One would guess that levels of 12 bits come back as they were written: those of a 12-bit TIFF do, and Pillow's mode
# I;16 has room for them. But they come back sixteen times as large, of 10 bits 64 times, and signed ones, as CT has
# them, with 32,768 added. Of 9 bits it depends on the wrapping: all are kept of a bare codestream, but in a JP2 the
# lowest bit is lost, since the head of that is read as if it said 8.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet pillow==13.0.0 imagecodecs==2026.3.6 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
from io import BytesIO

import numpy as np
from imagecodecs import jpeg2k_decode, jpeg2k_encode
from PIL import Image


def of_pillow(levels, wrapping="jp2", **how):
    file = jpeg2k_encode(levels, codecformat=wrapping, reversible=True, level=0, **how)
    assert np.array_equal(jpeg2k_decode(file), levels)
    with Image.open(BytesIO(file)) as image:
        seen = np.asarray(image)
        print(f"{levels.dtype} {how} {wrapping}: {levels[0, :4]} is mode {image.mode}: {seen[0, :4]}")
    return seen


levels = np.arange(256, dtype=np.uint16).reshape(16, 16)
assert np.array_equal(of_pillow(levels, bitspersample=12), levels * 16)
assert np.array_equal(of_pillow(levels, bitspersample=10), levels * 64)
assert np.array_equal(of_pillow(levels, bitspersample=9, wrapping="j2k"), levels * 128)
assert np.array_equal(of_pillow(levels, bitspersample=9), (levels + 1) // 2)
signed = levels.astype(np.int16) - 100
assert np.array_equal(of_pillow(signed), signed.astype(int) + 32768)
END
