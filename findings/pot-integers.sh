#!/usr/bin/env bash
# POT 0.9.7.post1: the Wasserstein distance of samples that are integers is 0, whatever they are.
#
# One would guess that [0, 1] and [3, 4] are 3 apart, as they are as floats, by `emd2_1d` of the same library and by
# SciPy. Weights that are not given are made in the type of the samples, in which 1/n is 0; with one number in each
# sample, whose weight is 1, or with weights of one's own it is right. The sliced distance of integer rows is 0 as well.
# So generated images as bytes, counts or years look perfect beside any real ones, and no warning says otherwise.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet POT==0.9.7.post1 numpy==2.4.6 scipy==1.17.1
cd "$folder"
venv/bin/python - <<'END'
import numpy as np
import ot as pot  # codespell:ignore ot
from scipy import stats

u, v, weights = np.array([0, 1]), np.array([3, 4]), np.array([0.5, 0.5])
seen = {
    "integers": pot.wasserstein_1d(u, v),
    "floats": pot.wasserstein_1d(u.astype(float), v.astype(float)),
    "integers with weights": pot.wasserstein_1d(u, v, weights, weights),
    "one integer each": pot.wasserstein_1d(u[:1], v[:1]),
    "integers by emd2_1d": pot.emd2_1d(u, v, metric="euclidean"),
    "integers by SciPy": stats.wasserstein_distance(u, v),
}
rng = np.random.default_rng(0)
dark, bright = (rng.integers(low, low + 50, (100, 64), dtype=np.uint8) for low in (0, 200))
for kind in (np.uint8, float):
    distance = pot.sliced_wasserstein_distance(dark.astype(kind), bright.astype(kind), seed=0)
    seen[f"sliced, of dark and bright images as {np.dtype(kind)}"] = distance
for name, distance in seen.items():
    print(f"{name}: {distance:.4g}")

assert seen["integers"] == 0
assert all(np.isclose(distance, 3) for name, distance in list(seen.items())[1:6])
assert list(seen.values())[6] == 0
assert list(seen.values())[7] > 50
END
