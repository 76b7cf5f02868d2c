#!/usr/bin/env bash
# torch 2.13.0: binomial counts of 2²⁶ and more vary by a quarter too much when they are drawn in 32 bits.
#
# One would guess that such counts are rounded to what 32 bits can hold, 4 at that size, which is nothing beside their
# standard deviation of 4,096. The draw itself is computed in 32 bits: the variance is 1.2 to 1.3 times the right one,
# with far too heavy tails, and the mean a fiftieth of a standard deviation too high. Up to 2²⁴ it is right, and in 64
# bits throughout, and so are Poisson counts of this size in 32.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet torch==2.13.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import torch

torch.manual_seed(0)
ratios = {}
for kind in (torch.float32, torch.float64):
    for power in (20, 24, 26, 30):
        count = torch.full((200_000,), 2.0**power, dtype=kind)
        drawn = torch.binomial(count, torch.full_like(count, 0.5)).double()
        ratios[kind, power] = drawn.var().item() / 2.0 ** (power - 2)
        print(f"{kind}, 2^{power}: {ratios[kind, power]:.3f} of the right variance")
rate = torch.full((200_000,), 2.0**26)
poisson = torch.poisson(rate).double().var().item() / 2.0**26
print(f"Poisson, 2^26: {poisson:.3f}")

for (kind, power), ratio in ratios.items():
    if kind == torch.float32 and power > 24:
        assert 1.15 < ratio < 1.5
    else:
        assert 0.97 < ratio < 1.03
assert 0.97 < poisson < 1.03
END
