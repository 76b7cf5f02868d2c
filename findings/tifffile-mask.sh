#!/usr/bin/env bash
# tifffile 2026.3.3 and Pillow 13.0.0: a mask of booleans that one writes as TIFF the other reads as its negative.
#
# One would guess that True comes back as True: it does within either library. tifffile marks booleans, and no other
# type, as MINISWHITE (0 is white) and reads them without looking at the mark; Pillow looks. By the format it is Pillow
# that is right, so that foreground and background change places silently between two stages of a pipeline.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet tifffile==2026.3.3 pillow==13.0.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import numpy as np
import tifffile
from PIL import Image

mask = np.zeros((4, 8), bool)
mask[1:3, 2:5] = True
tifffile.imwrite("mask.tif", mask)
with tifffile.TiffFile("mask.tif") as file:
    print("mark in the file:", file.pages[0].photometric.name)
    itself = file.asarray()
with Image.open("mask.tif") as image:
    other = np.asarray(image)
Image.fromarray(mask).save("pillow.tif")
print("written", mask[1].astype(int), "tifffile reads", itself[1].astype(int), "Pillow reads", other[1].astype(int))

assert np.array_equal(itself, mask)
assert np.array_equal(other, ~mask)
assert np.array_equal(tifffile.imread("pillow.tif"), mask)
END
