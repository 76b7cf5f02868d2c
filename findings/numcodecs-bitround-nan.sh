#!/usr/bin/env bash
# numcodecs 0.16.6: BitRound turns a NaN as graphics cards make it into −0.
#
# BitRound keeps a few bits of each number's fraction, so that arrays compress well. One would guess that NaN stays NaN,
# as NumPy's own does. It adds half a step to the bits as if they were an integer, without asking whether the number is
# finite. A NaN all of whose bits are set, the one that CUDA computes (7fffffff in hexadecimal), overflows into the sign
# and is −0 afterwards; one with the bits ffffffff is 0. So what broke looks like an ordinary zero, in a zarr array with
# this filter, too, and the largest number of a type becomes infinite.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet numcodecs==0.16.6 zarr==3.1.6 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import warnings

import numcodecs
import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # zarr says of these filters that they are not yet part of its third format
    import zarr
    from zarr.codecs.numcodecs import BitRound

print("numcodecs", numcodecs.__version__, "zarr", zarr.__version__)
bits = {np.float16: (np.uint16, 0x7FFF), np.float32: (np.uint32, 0x7FFFFFFF), np.float64: (np.uint64, 2**63 - 1)}
for kind, (integer, all_set) in bits.items():
    made = np.array([all_set, 2 * all_set + 1], integer).view(kind)
    x = np.concatenate([made, np.array([np.nan, 1.1, np.finfo(kind).max], kind)])
    codec = numcodecs.BitRound(keepbits=7)
    y = np.asarray(codec.decode(codec.encode(x)))
    print(f"{np.dtype(kind)}: {x} becomes {y}")
    assert np.isnan(x[:3]).all() and np.isnan(y[2])
    np.testing.assert_array_equal(y[:2], [0, 0])
    np.testing.assert_array_equal(np.signbit(y[:2]), [True, False])
    assert abs(y[3] - 1.1) < 0.01 and y[4] == np.inf

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    array = zarr.create_array({}, shape=(2,), dtype="float32", filters=[BitRound(keepbits=7)])
    array[:] = np.array([0x7FFFFFFF, 0x7FC00000], np.uint32).view(np.float32)
print("two NaN in a zarr array:", array[:])
np.testing.assert_array_equal(array[:], [0, np.nan])
END
