#!/usr/bin/env bash
# torch 2.13.0 (CPU) and ml_dtypes 0.6.0: infinity becomes 448 as torch's float8_e4m3fn, and NaN as ml_dtypes' of that
# name.
#
# One would guess NaN from both: the type has no infinity, and the two are one format by one name, equal on all that
# fits. torch saturates what is too large, infinity included, so that a loss that overflowed looks finite again. It does
# so for this type only: as float8_e5m2 infinity stays what it is, and as float8_e4m3fnuz it is NaN.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet torch==2.13.0 numpy==2.4.6 ml_dtypes==0.6.0
cd "$folder"
venv/bin/python - <<'END'
import ml_dtypes
import numpy as np
import torch

values = [448.0, 464.0, 480.0, 6e4, float("inf"), float("-inf")]
results = {}
for name in ("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2"):
    results[name] = [
        torch.tensor(values).to(getattr(torch, name)).float().tolist(),
        np.array(values, np.float32).astype(getattr(ml_dtypes, name)).astype(np.float32).tolist(),
    ]
    print(name, "of", values, "\n  torch    ", results[name][0], "\n  ml_dtypes", results[name][1])

assert results["float8_e4m3fn"][0] == [448, 448, 448, 448, 448, -448]
np.testing.assert_equal(results["float8_e4m3fn"][1], [448, 448] + 4 * [float("nan")])
np.testing.assert_equal(*results["float8_e4m3fnuz"])
np.testing.assert_equal(*results["float8_e5m2"])
END
