#!/usr/bin/env bash
# torchmetrics 1.9.0: Spearman's correlation with a NaN among the predictions is an ordinary number, as if NaN were the
# largest.
#
# One would guess NaN, as Pearson's correlation of the same library and SciPy 1.17.1 have it. Ranks come from sorting,
# which puts NaN last, and from there on nothing tells that it was one: a model that broke on one example scores 0.5 or
# 1.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet torchmetrics==1.9.0 torch==2.13.0 scipy==1.17.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import torch
from scipy.stats import spearmanr
from torchmetrics.functional import pearson_corrcoef, spearman_corrcoef

target = torch.tensor([1.0, 2.0, 3.0])
nan = float("nan")
for values in ([1.0, nan, 3.0], [1.0, 2.0, nan]):
    predicted = torch.tensor(values)
    spearman, pearson = spearman_corrcoef(predicted, target).item(), pearson_corrcoef(predicted, target).item()
    scipy = spearmanr(predicted, target).statistic
    print(values, "Spearman", spearman, "Pearson", pearson, "SciPy's Spearman", scipy)
    assert abs(spearman - (0.5 if values[1] != values[1] else 1.0)) < 1e-5
    assert pearson != pearson and scipy != scipy
END
