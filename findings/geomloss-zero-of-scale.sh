#!/usr/bin/env bash
# geomloss 0.3.1: how far two samples are apart depends on where the scale has its zero, and on their type.
#
# One would guess that a distance between samples does not change when both are moved by one number, as those that are
# computed from differences do not. Squared distances are taken as |x|² + |y|² − 2xy, of which in 32 bits, torch's own,
# rounding is left where the numbers are large beside their spread. Of samples that vary by 1 a Gaussian kernel's
# distance is a fifth too large near 1,000; near 10,000 it is NaN, the energy distance half of itself and the Laplacian
# kernel's three times as large. Sinkhorn's is off by hundredths. Years, kelvins, prices and detector counts are such
# numbers. Subtract a mean first. Of bytes the energy distance is nearly 0 whatever they are, since |x|² overflows;
# Sinkhorn refuses them, and the kernels are right.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet geomloss==0.3.1 torch==2.13.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import torch
from geomloss import SamplesLoss

generator = torch.Generator().manual_seed(0)
x, y = torch.randn(2, 300, 4, generator=generator)
y = y + 1
for name in ("energy", "gaussian", "laplacian", "sinkhorn"):
    distance = SamplesLoss(name, blur=0.5)
    exact = [float(distance(x.double() + zero, y.double() + zero)) for zero in (0, 1_000, 10_000)]
    found = [float(distance(x + zero, y + zero)) for zero in (0, 1_000, 10_000)]
    print(f"{name} near 0, 1,000 and 10,000: in 32 bits {found}, in 64 {exact}")
    assert max(exact) - min(exact) < 0.001 * exact[0]
    assert abs(found[0] / exact[0] - 1) < 0.001
    assert not abs(found[2] / exact[0] - 1) < (0.005 if name == "sinkhorn" else 0.3)

bytes_x = torch.randint(0, 100, (300, 4), generator=generator)
bytes_y = torch.randint(50, 150, (300, 4), generator=generator)
energy = {kind: float(SamplesLoss("energy")(bytes_x.to(kind), bytes_y.to(kind))) for kind in (torch.uint8, torch.float)}
print(f"energy of bytes {energy[torch.uint8]:.3g}, of the same numbers {energy[torch.float]:.3g}")
assert energy[torch.uint8] < 1 < 30 < energy[torch.float]
END
