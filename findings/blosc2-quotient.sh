#!/usr/bin/env bash
# blosc2 4.14.1: an array of integers over another is rounded to whole numbers, and called floating point.
#
# One would guess that 3 / 2 is 1.5, as of Python, of NumPy, of the array API, and of this library itself where the
# divisor is a number or a NumPy array is divided first. Of two of its own arrays of integers the quotient is 1, in an
# array of float64 (of two of int32, float32), so that neither the type nor a warning says that what is behind the point
# was cut off: shares of counts, such as pixels of a class over all, are 0 or 1. `divide` does the same, and the mean of
# a quotient is a mean of whole numbers. Negative ones are cut towards 0, unlike by `//`. With one of the two as floats
# it is right.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet blosc2==4.14.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import blosc2
import numpy as np

print("blosc2", blosc2.__version__)
above, below = np.array([3, 1, 99, -7]), np.array([2, 3, 100, 2])
for kind in (np.int8, np.int16, np.int32, np.int64):
    a, b = above.astype(kind), below.astype(kind)
    found = (blosc2.asarray(a) / blosc2.asarray(b)).compute()
    named = blosc2.divide(blosc2.asarray(a), blosc2.asarray(b))[:]
    print(f"{np.dtype(kind)}: {found[:]} ({found.dtype}), divide {named}, NumPy {a / b}")
    assert found.dtype == (np.float32 if kind is np.int32 else np.float64)
    np.testing.assert_array_equal(found[:], [1, 0, 0, -3])
    np.testing.assert_array_equal(named, [1, 0, 0, -3])
    mean = float((blosc2.asarray(a) / blosc2.asarray(b)).mean())
    print(f"    mean {mean}, of NumPy {np.mean(a / b)}")
    assert mean == -0.5
    np.testing.assert_allclose((blosc2.asarray(a) / 2).compute()[:], a / 2)
    np.testing.assert_allclose((blosc2.asarray(a.astype(float)) / blosc2.asarray(b)).compute()[:], a / b)
END
