#!/usr/bin/env bash
# torch 2.13.0: drawing without replacement more often than there are positive weights gives what has weight 0.
#
# One would guess an error, as where all weights are 0 and as in NumPy. Instead those that cannot be drawn come last, so that a
# data loader's `WeightedRandomSampler` hands out the examples that were to be left out.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet torch==2.13.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import numpy as np
import torch
from torch.utils.data import WeightedRandomSampler

weights = [0.5, 0.5, 0.0, 0.0]
drawn = torch.multinomial(torch.tensor(weights), 3, replacement=False).tolist()
sampled = list(WeightedRandomSampler(weights, 4, replacement=False))
print("weights", weights, "drawn", drawn, "sampled", sampled)
refused = []
for name, call in {
    "NumPy": lambda: np.random.default_rng(0).choice(4, 3, replace=False, p=weights),
    "torch, of zeros": lambda: torch.multinomial(torch.zeros(4), 1),
}.items():
    try:
        call()
    except (ValueError, RuntimeError) as error:
        refused.append(name)
        print(f"{name}: {error}")

assert refused == ["NumPy", "torch, of zeros"]
assert sorted(drawn[:2]) == [0, 1]
assert drawn[2] in (2, 3)
assert sorted(sampled) == [0, 1, 2, 3]
END
