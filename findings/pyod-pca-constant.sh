#!/usr/bin/env bash
# PyOD 3.6.7: with a constant column, its PCA detector gives every example an infinite score and finds none odd.
#
# One would guess that a column without variance changes nothing, as it changes nothing in the principal components, or
# that it is refused. Its component has the eigenvalue 0, by which distances are divided, and 0 × ∞ is counted in. A
# second copy of another column gives scores of 10¹⁷, rounding errors divided by rounding errors, where they were
# below 100. Neither is said; without these columns odd and ordinary ones are told apart with few mistakes.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet pyod==3.6.7 scikit-learn==1.9.1 numpy==2.4.6 pandas==2.3.3
cd "$folder"
venv/bin/python -W ignore - <<'END'
import numpy as np
from pyod.models.pca import PCA
from sklearn.metrics import roc_auc_score

rng = np.random.default_rng(0)
ordinary, odd = rng.normal(size=(1000, 4)), rng.normal(size=(100, 4)) * 4
unseen, is_odd = np.r_[ordinary[500:], odd], np.r_[np.zeros(500), np.ones(100)]
beside = {
    "alone": lambda x: x,
    "with a constant": lambda x: np.c_[x, np.ones(len(x))],
    "with a copy": lambda x: np.c_[x, x[:, 0]],
}
seen = {}
for name, table in beside.items():
    model = PCA().fit(table(ordinary[:500]))
    scores = model.decision_function(table(unseen))
    seen[name] = np.median(scores), model.predict(table(unseen))[is_odd == 1].mean()
    print(f"{name}: median score {seen[name][0]:.3g}, share of the odd ones found {seen[name][1]:.2f}")
    if name == "alone":
        print("area under the curve", round(roc_auc_score(is_odd, scores), 3))

assert seen["alone"][0] < 1000
assert seen["alone"][1] > 0.8
assert np.isinf(seen["with a constant"][0])
assert seen["with a constant"][1] == 0
assert seen["with a copy"][0] > 1e12
END
