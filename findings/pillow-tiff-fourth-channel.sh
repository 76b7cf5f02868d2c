#!/usr/bin/env bash
# Pillow 13.0.0: of a TIFF of red, green, blue and near infrared the last is left out, without a word.
#
# One would guess that four channels come back as four, as RGBA and CMYK do, or that the file is refused, as Pillow
# refuses one of seven channels and any of 16 bits. A channel beside the colours that is not alpha, which the format
# calls unspecified, is dropped, and two, too; so is the second channel of a grey image.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet pillow==13.0.0 tifffile==2026.3.3 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import numpy as np
import tifffile
from PIL import Image, UnidentifiedImageError


def of_pillow(channels, colours):
    image = np.random.default_rng(0).integers(0, 256, (8, 8, channels), np.uint8)
    more = ["unspecified"] * (channels - colours)
    tifffile.imwrite("x.tif", image, photometric="rgb" if colours == 3 else "minisblack", extrasamples=more)
    with Image.open("x.tif") as opened:
        seen = np.asarray(opened)
        print(f"{channels} channels, of them {colours} of colour: mode {opened.mode}, {seen.shape}")
    assert np.array_equal(tifffile.imread("x.tif"), image)
    assert np.array_equal(seen, image[..., :colours] if colours > 1 else image[..., 0])


of_pillow(4, 3)
of_pillow(5, 3)
of_pillow(2, 1)
try:
    of_pillow(7, 3)
except UnidentifiedImageError:
    print("7 channels: refused")
else:
    raise AssertionError("7 channels were read")
END
