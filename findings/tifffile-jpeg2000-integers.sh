#!/usr/bin/env bash
# tifffile 2026.3.3 (imagecodecs 2026.3.6): 32-bit labels in a TIFF compressed by JPEG 2000 come back as others.
#
# One would guess that the compression, which loses nothing of 8 and 16 bits unless it is told to, gives these back,
# or that they are refused, as those of 64 bits are. Numbers up to 2²⁴ come back. Of larger ones the coder has no room
# for the upper bits: an image of five labels is read as one of more than a thousand, of the same shape and type, and
# nothing is said. Compressed by zlib all is right. narrows refuses such a file.

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
labels = np.random.default_rng(0).integers(0, 5, (64, 64))
small, large = 4_000_000, 100_000_000
for kind, step in ((np.uint8, 50), (np.uint16, 15_000), (np.uint32, small), (np.int32, large), (np.uint32, large)):
    for compression in ("zlib", "jpeg2000"):
        tifffile.imwrite("labels.tif", (step * labels).astype(kind), compression=compression)
        read = tifffile.imread("labels.tif")
        share, values = (read == step * labels).mean(), len(np.unique(read))
        name = f"five labels up to {4 * step:,} as {np.dtype(kind)}"
        print(f"{name}, {compression}: {share:.0%} come back, {values} values")
        assert read.dtype == kind and read.shape == labels.shape
        if compression == "jpeg2000" and step > small:
            assert share < 0.1 and values > 1_000
        else:
            assert share == 1

try:
    tifffile.imwrite("labels.tif", labels.astype(np.uint64), compression="jpeg2000")
except KeyError as error:
    print("64 bits:", type(error).__name__, error)
else:
    raise AssertionError
END
