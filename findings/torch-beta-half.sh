#!/usr/bin/env bash
# torch 2.13.0: a quarter of the draws from Beta(0.001, 0.001) are exactly ½.
#
# One would guess 0 or 1 nearly always: half a per cent lies between 0.01 and 0.99, as in NumPy. A draw is one of two gamma numbers
# over their sum; numbers too small for their type are set to the smallest, so that two of them look alike. It is the
# same in 64 bits. From 0.01 on the draws are right.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet torch==2.13.0 numpy==2.4.6 scipy==1.17.0
cd "$folder"
venv/bin/python - <<'END'
import numpy as np
import torch
from scipy import stats
from torch.distributions import Beta

torch.manual_seed(0)
for a in (0.01, 0.001):
    right = stats.beta(a, a).cdf(0.99) - stats.beta(a, a).cdf(0.01)
    by_numpy = np.random.default_rng(0).beta(a, a, 200_000)
    shares = {"NumPy": ((by_numpy > 0.01) & (by_numpy < 0.99)).mean()}
    halves = {"NumPy": (by_numpy == 0.5).mean()}
    for kind in (torch.float32, torch.float64):
        both = torch.tensor(a, dtype=kind)
        drawn = Beta(both, both).sample((200_000,)).numpy()
        shares[str(kind)] = ((drawn > 0.01) & (drawn < 0.99)).mean()
        halves[str(kind)] = (drawn == 0.5).mean()
    print(f"Beta({a}, {a}) between 0.01 and 0.99: {right:.4f}; drawn", shares, "exactly ½:", halves)
    assert abs(shares["NumPy"] - right) < 0.002
    for kind in ("torch.float32", "torch.float64"):
        if a == 0.001:
            assert 0.2 < shares[kind] < 0.3
            assert 0.2 < halves[kind] < 0.3
        else:
            assert abs(shares[kind] - right) < 0.002
END
