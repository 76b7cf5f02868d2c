#!/usr/bin/env bash
# torchmetrics 1.9.0: R² of useless predictions is 1 where the targets are small, or far from 0.
#
# One would guess that R² does not depend on the unit or the zero of the scale: it is one variance divided by another,
# and about 0 for a model that always says the mean, as scikit-learn 1.9.1 has it. But a sum of squares below 0.0001
# counts as 0, and no error over anything as 1, in 64 bits as well: fifty targets in thousandths give a perfect score.
# And the variance is the sum of squares less the square of the sum, which in 32 bits is noise for kelvin, years or
# prices: at 30,000 the constant scores 1.01, at 300,000 0.9999. The explained variance does the latter, too.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet torchmetrics==1.9.0 torch==2.13.0 scikit-learn==1.9.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import numpy as np
import torch
import torchmetrics
from sklearn.metrics import r2_score
from torchmetrics.functional import explained_variance
from torchmetrics.functional import r2_score as torch_r2_score

print("torchmetrics", torchmetrics.__version__)
deviations = np.random.default_rng(0).normal(size=50)
seen = {}
for unit, level in ((1, 0), (0.001, 0), (1, 3_000), (1, 30_000), (1, 300_000)):
    for kind in (torch.float32, torch.float64):
        y = torch.tensor(unit * deviations + level).to(kind)
        constant = torch.full_like(y, level)
        metric = torchmetrics.R2Score()
        metric.update(constant, y)
        found = torch_r2_score(constant, y).item()
        right = r2_score(y.double().numpy(), constant.double().numpy())
        explained = explained_variance(constant, y).item()
        seen[unit, level, kind] = found, explained
        name = f"{level} ± {unit}, {kind}"
        print(f"{name}: R² {found:.4f}, by scikit-learn {right:.4f}; explained variance {explained:.4f}")
        np.testing.assert_allclose(metric.compute().item(), found)
        assert -0.03 < right < 0

for kind in (torch.float32, torch.float64):
    assert -0.03 < seen[1, 0, kind][0] < 0 and abs(seen[1, 0, kind][1]) < 1e-6
    assert seen[0.001, 0, kind][0] == 1
assert abs(seen[1, 3_000, torch.float32][0]) > 0.1
# What is left of the variance there is rounding alone, which another processor may do in another order.
assert all(max(seen[1, level, torch.float32][score] for level in (30_000, 300_000)) > 0.9 for score in (0, 1))
assert all(-0.03 < seen[1, level, torch.float64][0] < 0 for level in (3_000, 30_000, 300_000))
END
