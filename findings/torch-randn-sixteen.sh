#!/usr/bin/env bash
# torch 2.13.0: the sixteenth number drawn changes the fifteen before it, and what 32 and 64 bits have in common.
#
# One would guess that a generator's first 15 normal numbers are the same whether 15 or 16 are asked for, and that those of
# 32 and of 64 bits are either always alike or never. On a CPU up to 15 are drawn one by one, and those of 32 bits are the
# others rounded; from 16 on they are drawn in blocks, and nothing is the same. So a test of a few numbers
# sees no difference where a type is forgotten, and batches of different sizes have no noise in common.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet torch==2.13.0 numpy==2.4.4
cd "$folder"
venv/bin/python - <<'END'
import torch


def drawn(n, dtype):
    return torch.randn(n, dtype=dtype, generator=torch.Generator().manual_seed(0)).double()


for n in (5, 15, 16, 100):
    apart = float((drawn(n, torch.float32) - drawn(n, torch.float64)).abs().max())
    print(f"{n} numbers: those of 32 bits are up to {apart:.2g} away from those of 64")
    assert apart < 1e-6 if n < 16 else apart > 1
for dtype in (torch.float32, torch.float64):
    apart = (drawn(15, dtype) - drawn(16, dtype)[:15]).abs()
    print(f"{dtype}: 15 numbers and the first 15 of 16: {int((apart == 0).sum())} are the same")
    assert bool((apart > 0).all())
END
