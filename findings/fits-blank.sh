#!/usr/bin/env bash
# astropy 8.0.2: missing pixels of a FITS image are NaN in signed integers, and ordinary numbers in unsigned ones.
#
# A FITS image of integers may name one that means "no value" (BLANK). One would guess that astropy reads such pixels as
# NaN, as it does of an image of 16 signed bits, whatever the integers are. Of one of 16 unsigned bits, in which cameras
# write, it gives integers that hold no NaN, and the missing pixel is 65,535, which looks like a saturated one. Nothing
# is said. With uint=False it is NaN.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet astropy==8.0.2 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import astropy
import numpy as np
from astropy.io import fits

print("astropy", astropy.__version__)
for kind, missing in ((np.int16, -1), (np.uint16, 65535), (np.uint32, 2**32 - 1)):
    image = fits.PrimaryHDU(np.array([[1, 2, missing]], kind))
    # BLANK is what the file holds; unsigned integers are held less half their range (BZERO).
    image.header["BLANK"] = missing - int(image.header.get("BZERO", 0))
    image.writeto("image.fits", overwrite=True, output_verify="exception")
    read, signed = fits.getdata("image.fits"), fits.getdata("image.fits", uint=False)
    print(f"{np.dtype(kind)}: {read.tolist()} as {read.dtype}; with uint=False {signed.tolist()} as {signed.dtype}")
    np.testing.assert_array_equal(signed, [[1, 2, np.nan]])
    np.testing.assert_array_equal(read, [[1, 2, np.nan if kind is np.int16 else missing]])
END
