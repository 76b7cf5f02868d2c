#!/usr/bin/env bash
# blosc2 4.14.1: the remainder does not belong to the quotient that the same library computes.
#
# One would guess that -7 % 3 is 2, as in Python, NumPy and the array API, after whose functions the library's are
# named: `remainder` says that it "is equivalent to the Python modulus operator". It is −1, the remainder of C, while
# -7 // 3 is rounded down to −3 as in Python; so (x // 3) * 3 + x % 3 is −10 and no longer x. Hours before
# midnight and angles below 0 come out negative. Halves are rounded away from 0, though the description refers
# to NumPy, which rounds them to even numbers.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet blosc2==4.14.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import blosc2
import numpy as np

print("blosc2", blosc2.__version__, "numpy", np.__version__)
for kind in (np.int64, np.float64):
    x, three = np.array([-7, 7, -8], kind), np.array(3, kind)
    packed = blosc2.asarray(x)
    for divisor in (3, -3):
        quotient, remainder = (packed // divisor)[:], (packed % divisor)[:]
        print(f"{np.dtype(kind)} by {divisor}: quotient {quotient}, remainder {remainder}, by NumPy {x % divisor}")
        np.testing.assert_array_equal(quotient, x // divisor)
        np.testing.assert_array_equal(remainder, np.fmod(x, divisor))
        assert (quotient * divisor + remainder != x).any() and (x // divisor * divisor + x % divisor == x).all()
halves = np.array([0.5, 1.5, 2.5, -0.5])
rounded = blosc2.round(blosc2.asarray(halves))[:]
print(f"{halves} rounded: {rounded}, by NumPy {np.round(halves)}")
np.testing.assert_array_equal(rounded, [1, 2, 3, -1])
np.testing.assert_array_equal(np.round(halves), [0, 2, 2, 0])
END
