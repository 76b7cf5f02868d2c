#!/usr/bin/env bash
# torch 2.13.0 (CPU): torch.multinomial with finite weights whose sum overflows draws one and the same index each time.
#
# One would guess an error, since weights that are infinite or NaN are refused in so many words, or else right draws:
# the weights need not sum to one. They are summed in their own type. Divided by infinity the running sums are 0 up to
# where they overflow, and with replacement each draw is the index of that place. Without replacement the draws are
# right.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet torch==2.13.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import torch

torch.manual_seed(0)
for weights in ([1.0, 3e38, 3e38], [3e38, 3e38, 3e38, 1.0], [1.0, 1e38, 1e38]):
    drawn = torch.multinomial(torch.tensor(weights), 2000, replacement=True).bincount(minlength=len(weights)).tolist()
    single = [torch.multinomial(torch.tensor(weights), 1, replacement=False).item() for _ in range(200)]
    print(weights, "with replacement", drawn, "one at a time", sorted(set(single)))
    overflows = not torch.tensor(weights).sum().isfinite()
    assert (drawn.count(2000) == 1) == overflows
    assert len(set(single)) >= 2
END
