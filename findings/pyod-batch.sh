#!/usr/bin/env bash
# PyOD 3.6.7: five of its detectors score new examples by each other.
#
# One would guess that a fitted detector gives an example one score, whichever come with it, as KNN does and as its
# description, "using the fitted detector", says. LMDD, COF and SOD compute from the batch alone, whatever they were
# fitted on, and ROD and CD compare within it, too. One example by itself has the lowest score there is (LMDD), the same
# as any other (ROD), NaN (CD) or an error (COF, SOD), and of fifty from far away LMDD, ROD and SOD find none odd. So a
# detector that did well on a test set says nothing of examples that come singly.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet pyod==3.6.7 scikit-learn==1.9.1 numpy==2.4.6 pandas==2.3.3
cd "$folder"
venv/bin/python -W ignore - <<'END'
import numpy as np
from pyod.models.cd import CD
from pyod.models.cof import COF
from pyod.models.knn import KNN
from pyod.models.lmdd import LMDD
from pyod.models.rod import ROD
from pyod.models.sod import SOD

rng = np.random.default_rng(0)
train, ordinary = rng.normal(size=(200, 3)), rng.normal(size=(49, 3))
far = np.array([[8.0, 8.0, 8.0]])
all_far = far + 0.1 * rng.normal(size=(50, 3))
alone, share, same = {}, {}, {}
for kind in (KNN, LMDD, ROD, CD, COF, SOD):
    name, model = kind.__name__, kind().fit(train)
    among = model.decision_function(np.r_[ordinary, far])
    same[name] = np.array_equal(kind().fit(100 * train + 50).decision_function(np.r_[ordinary, far]), among)
    try:
        alone[name] = [float(model.decision_function(x)[0]) for x in (ordinary[:1], far)]
    except (IndexError, ValueError) as error:
        alone[name] = type(error).__name__
    share[name] = float(model.predict(all_far).mean())
    print(
        f"{name}: limit {model.threshold_:.3g}; among others an ordinary one {among[0]:.3g} and one from far away "
        f"{among[-1]:.3g}, {'the same' if same[name] else 'others'} fitted on another table; alone {alone[name]}; "
        f"of fifty from far away {share[name]:.0%} are found"
    )
    assert among[-1] > model.threshold_
    if name == "KNN":
        np.testing.assert_allclose(alone[name], [among[0], among[-1]])

assert [name for name in same if same[name]] == ["LMDD", "COF", "SOD"]
assert alone["LMDD"] == [0, 0]
assert alone["ROD"][0] == alone["ROD"][1]
assert np.isnan(alone["CD"]).all()
assert (alone["COF"], alone["SOD"]) == ("IndexError", "ValueError")
assert share["KNN"] == 1
assert share["LMDD"] == share["ROD"] == share["SOD"] == 0
END
