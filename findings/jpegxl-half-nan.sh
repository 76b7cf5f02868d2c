#!/usr/bin/env bash
# imagecodecs 2026.3.6 (libjxl 0.11.2): NaN in an image of 16-bit floats compressed by JPEG XL without loss is infinite
# afterwards.
#
# One would guess that NaN stays NaN, as it does in one of 32 bits and as everything else does here, infinity and the
# least numbers included. A pixel without a value is one that is infinitely bright then; a check for NaN finds nothing,
# and a mean without them is infinite. A TIFF by tifffile with this compression has it, too, and nothing is said.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet imagecodecs==2026.3.6 tifffile==2026.3.3 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import imagecodecs
import numpy as np
import tifffile

print("imagecodecs", imagecodecs.__version__, "tifffile", tifffile.__version__)
image = np.tile(np.array([1, np.nan, np.inf, -np.inf, 6e-8, 65_504, 0.1, -2], np.float16), (16, 2))
for kind in (np.float32, np.float16):
    numbers = image.astype(kind)
    plain = imagecodecs.jpegxl_decode(imagecodecs.jpegxl_encode(numbers, lossless=True))
    tifffile.imwrite("image.tif", numbers, compression="jpegxl")
    wrapped = tifffile.imread("image.tif")
    for found in (plain, wrapped):
        print(f"{np.dtype(kind)}: {numbers[0, :8]} is {found[0, :8]} ({found.dtype})")
        assert found.dtype == kind
        expected = np.where(np.isnan(numbers), np.inf, numbers) if kind is np.float16 else numbers
        np.testing.assert_array_equal(found, expected)
END
