#!/usr/bin/env bash
# imbalanced-learn 0.14.2: new examples that SMOTE makes of bytes lie nowhere near those that it makes them of.
#
# One would guess that what is made between 10 and 12 is 10, 11 or 12, rounded to the type that goes in and comes out.
# The difference of two neighbours is taken in bytes, where 10 − 12 is 254, so that a share of it leads past both and
# round the whole range. Images as bytes, the form they come in, get grey pixels out of black ones. As int64 it is
# right. ADASYN and BorderlineSMOTE do the same.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet imbalanced-learn==0.14.2 scikit-learn==1.9.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import numpy as np
from imblearn.over_sampling import ADASYN, SMOTE, BorderlineSMOTE

rng = np.random.default_rng(0)
rare, common = rng.integers(10, 13, (20, 2)), rng.integers(11, 15, (200, 2))
X, y = np.r_[rare, common], np.r_[np.ones(20), np.zeros(200)]
for sampler in (SMOTE, BorderlineSMOTE, ADASYN):
    seen = {}
    for kind in (np.int64, np.uint8):
        made, of = sampler(random_state=0).fit_resample(X.astype(kind), y)
        assert made.dtype == kind
        seen[kind] = np.unique(made[len(X) :])
        values = f"{len(seen[kind])} values from {seen[kind].min()} to {seen[kind].max()}"
        print(f"{sampler.__name__} makes of 10, 11 and 12 as {np.dtype(kind)} {values}")
    assert set(seen[np.int64].tolist()) <= {10, 11, 12}
    assert seen[np.uint8].min() < 10 and seen[np.uint8].max() > 200
END
