#!/usr/bin/env bash
# tifffile 2026.3.3 (imagecodecs 2026.3.6): NaN in a TIFF compressed without loss by LERC comes back as 0.
#
# One would guess that a lossless compression gives NaN back, as zlib, Zstandard and JPEG XL do of the same array, or
# that it is refused. The LERC library takes NaN for "no value here" and keeps it in a mask beside the numbers; tifffile
# reads the numbers alone, and where the mask says "none" they are 0. So the gaps of an elevation map become sea level,
# without a word, while infinity comes back. imagecodecs shows the mask to whoever asks for it; narrows does, and refuses
# such a file.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet tifffile==2026.3.3 imagecodecs==2026.3.6 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import imagecodecs
import numpy as np
import tifffile

print("tifffile", tifffile.__version__, "imagecodecs", imagecodecs.__version__)
heights = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
heights[:2, 0] = np.nan, np.inf
for compression in ("zlib", "zstd", "jpegxl", "lerc"):
    tifffile.imwrite("heights.tif", heights, compression=compression)
    read = tifffile.imread("heights.tif")
    print(f"{compression}: {read[:2, 0]}, the rest equal: {np.array_equal(read[:, 1:], heights[:, 1:])}")
    np.testing.assert_array_equal(read[:, 1:], heights[:, 1:])
    np.testing.assert_array_equal(read[:2, 0], [0 if compression == "lerc" else np.nan, np.inf])

numbers, mask = imagecodecs.lerc_decode(imagecodecs.lerc_encode(heights), masks=True)
print(f"by imagecodecs with masks: {numbers[0, 0]}, which by the mask counts: {mask[0, 0]}")
assert numbers[0, 0] == 0 and not mask[0, 0] and mask.sum() == mask.size - 1
END
