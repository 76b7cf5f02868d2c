#!/usr/bin/env bash
# ml_dtypes 0.6.0 with numpy 2.4.6: bfloat16 and 8-bit floats with a NaN are not sorted by sort, and unique repeats.
#
# One would guess what NumPy says of sort, "nan values to the end", and what it does for float16 and float32. The types
# compare NaN as neither smaller nor larger than anything, so that it stays where it is and parts the array into pieces,
# each of them sorted. `unique` of [1, nan, 1] is [1, nan, 1], searchsorted misses what is there, and the median, which
# NumPy takes from the sorted array, is a number, though the maximum is NaN. Of a thousand numbers with ten NaN all but
# a few are in order.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet ml_dtypes==0.6.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import ml_dtypes
import numpy as np

print("ml_dtypes", ml_dtypes.__version__, "numpy", np.__version__)
kinds = (np.float16, np.float32, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2)
for kind in kinds:
    x = np.array([3, np.nan, 1, 2, 1], kind)
    ordered, unique = np.sort(x), np.unique(np.array([1, np.nan, 1], kind))
    place = np.searchsorted(ordered, np.array(3, kind))
    with np.errstate(invalid="ignore"):
        largest, median = float(x.max()), float(np.median(x))
    print(f"{np.dtype(kind)}: sorted {ordered}, unique {unique}, 3 is at {place}, maximum {largest}, median {median}")
    if kind in (np.float16, np.float32):
        expected = [[1, 1, 2, 3, np.nan], [1, np.nan], 3, np.nan, np.nan]
    else:
        expected = [[3, np.nan, 1, 1, 2], [1, np.nan, 1], 5, np.nan, 1]
    for found, value in zip((ordered.astype(float), unique.astype(float), place, largest, median), expected):
        np.testing.assert_array_equal(found, value)

x = np.random.default_rng(0).normal(size=1000).astype(ml_dtypes.bfloat16)
x[::100] = np.nan
ordered, unique = np.sort(x).astype(float), np.unique(x).astype(float)
descents = int((np.diff(ordered[~np.isnan(ordered)]) < 0).sum())
doubles = len(unique) - len(np.unique(unique))
print(f"of 1,000 with ten NaN: {descents} steps down in the sorted ones, {doubles} repeated in the unique ones")
assert descents > 0 and doubles > 0
END
