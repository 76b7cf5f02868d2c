#!/usr/bin/env bash
# tifffile 2026.3.3: a stack of three or four grey 8-bit images is written as one image in colour, or colour with
# transparency.
#
# One would guess n pages for an array (n, H, W), as there are for 2, 5 or 1,797. If n is 3 or 4 the first axis counts
# as the colours; Pillow 13.0.0, and whatever else goes by the format, then sees one picture, while tifffile itself
# gives the array back and so hides it. A program that writes batches meets it only when the last one happens to hold
# three. photometric="minisblack" helps.

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

seen = {}
for n in (1, 2, 3, 4, 5):
    stack = np.arange(n * 64, dtype=np.uint8).reshape(n, 8, 8)
    tifffile.imwrite("stack.tif", stack)
    with Image.open("stack.tif") as image:
        seen[n] = (image.n_frames, image.mode)
    print(n, "grey images; Pillow sees (pages, mode)", seen[n], "tifffile reads", tifffile.imread("stack.tif").shape)
    assert np.array_equal(tifffile.imread("stack.tif"), stack)
assert seen == {1: (1, "L"), 2: (2, "L"), 3: (1, "RGB"), 4: (1, "RGBA"), 5: (5, "L")}

tifffile.imwrite("stack.tif", np.zeros((3, 8, 8), np.uint8), photometric="minisblack")
with Image.open("stack.tif") as image:
    assert (image.n_frames, image.mode) == (3, "L")
END
