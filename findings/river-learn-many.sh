#!/usr/bin/env bash
# river 0.26.1: a StandardScaler that learns rows together finds another variance than one that learns them singly, and
# may find a negative one.
#
# One would guess that learn_many and learn_one come to the same: "they produce exactly the same result", says the
# former, and learn_one subtracts the mean before it squares. learn_many takes the mean of the squares less the square
# of the mean, of which only rounding is left where the numbers are large beside their spread: of times in seconds
# since 1970 it was −153 instead of 0.93, and transform_one then gives complex numbers. One missing cell makes the
# variance NaN for good, though it is left out of the mean and of the count.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet river==0.26.1 numpy==2.4.6 pandas==2.3.3
cd "$folder"
venv/bin/python - <<'END'
import numpy as np
import pandas as pd
from river import __version__, preprocessing

print("river", __version__)
x = np.random.default_rng(0).normal(size=100)
gap = x.copy()
gap[3] = np.nan
seen = {}
for name, column in (("near 0", x), ("near 1,700,000,000", x + 1_700_000_000), ("near 0, one missing", gap)):
    table = pd.DataFrame({"x": column})
    together, singly = preprocessing.StandardScaler(), preprocessing.StandardScaler()
    for start in range(0, 100, 10):
        together.learn_many(table[start : start + 10])
    for value in column[~np.isnan(column)]:
        singly.learn_one({"x": value})
    seen[name] = together.vars["x"], singly.vars["x"]
    print(f"{name}: together {seen[name][0]:.4g}, singly {seen[name][1]:.4g}, by NumPy {np.nanvar(column):.4g}")
    np.testing.assert_allclose(singly.vars["x"], np.nanvar(column), rtol=1e-5)
    np.testing.assert_allclose(together.means["x"], np.nanmean(column), rtol=1e-9)
    if name == "near 1,700,000,000":
        scaled = [scaler.transform_one({"x": column[0]})["x"] for scaler in (together, singly)]
        print("the first row scaled: together {:.4g}, singly {:.4g}".format(*scaled))

np.testing.assert_allclose(*seen["near 0"])
# What is left is rounding alone, which another processor may do in another order.
assert not 0.5 < seen["near 1,700,000,000"][0] < 10
assert np.isnan(seen["near 0, one missing"][0])
END
