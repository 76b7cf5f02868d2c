#!/usr/bin/env bash
# torchmetrics 1.9.0 with torch 2.13.0: errors of uint8 images are computed in uint8 and wrap around.
#
# One would guess that a metric either refuses bytes or takes them as numbers, for it returns a float. The difference
# and its square are taken before the conversion: that of 200 and 0 is 64 when squared, and 1 and 2 are 255 or 1 apart,
# depending on which of them is the prediction. As int64 they are right, and so is the peak signal-to-noise ratio of the
# same bytes.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet torchmetrics==1.9.0 torch==2.13.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import torch
from torchmetrics.functional import mean_absolute_error, mean_squared_error
from torchmetrics.functional.image import peak_signal_noise_ratio

zeros, bright = torch.zeros(1, 1, 2, 2, dtype=torch.uint8), torch.full((1, 1, 2, 2), 200, dtype=torch.uint8)
one, two = zeros + 1, zeros + 2
seen = {
    "squared error of 0 and 200": mean_squared_error(zeros, bright).item(),
    "absolute error of 1 and 2": mean_absolute_error(one, two).item(),
    "absolute error of 2 and 1": mean_absolute_error(two, one).item(),
}
for name, value in seen.items():
    print(name, value)
bytes_ratio = peak_signal_noise_ratio(zeros, bright, data_range=255.0)
ratio = peak_signal_noise_ratio(zeros.float(), bright.float(), data_range=255.0)
print("squared error as int64", mean_squared_error(zeros.long(), bright.long()).item())
print("signal-to-noise of the bytes", bytes_ratio.item())

assert list(seen.values()) == [64, 255, 1]
assert mean_squared_error(zeros.long(), bright.long()) == 40_000
torch.testing.assert_close(bytes_ratio, ratio)
END
