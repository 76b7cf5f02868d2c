#!/usr/bin/env bash
# sdmetrics 0.32.0: how much of a column's range synthetic rows cover is computed in the column's type, and overflows.
#
# One would guess that this share is the same for whole numbers of any size. The distances to the ends of the range are
# taken in bytes, if that is what the table holds, as tables do that were made small. Synthetic bytes from 5 to 100
# cover half of a range of 10 to 200, and count as none; signed ones from −50 to 50 cover half of −100 to 100, and count
# as all of it. As 64-bit integers both are right. A warning of NumPy's that a subtraction overflowed is all that tells.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet sdmetrics==0.32.0
cd "$folder"
venv/bin/python - <<'END'
import pandas as pd
import sdmetrics
from sdmetrics.single_column import RangeCoverage

print("sdmetrics", sdmetrics.__version__)
for kind, real, synthetic, expected in (("uint8", [10, 200], [5, 100], 0), ("int8", [-100, 100], [-50, 50], 1)):
    found, right = (
        RangeCoverage.compute(pd.Series(real, dtype=column), pd.Series(synthetic, dtype=column))
        for column in (kind, "int64")
    )
    print(f"{synthetic} of {real}: {found} as {kind}, {right:.3f} as int64")
    assert found == expected
    assert 0.45 < right < 0.55
END
