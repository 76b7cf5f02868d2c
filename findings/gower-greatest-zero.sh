#!/usr/bin/env bash
# gower 0.1.2: a column whose greatest number is 0 counts for nothing in Gower's distance.
#
# One would guess that −10, −5 and 0 are as far apart as 0, 5 and 10: a column's differences are divided by its range,
# so that neither its zero nor its unit matters. The package divides by the greatest number first, to save memory, and
# where that is 0 it sets the range to 0, and with it all differences, as of a column that is constant. Depths below a
# surface, losses, decibels below full scale and logarithms of shares are such columns; beside others theirs are simply
# not seen, and no warning says so.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet gower==0.1.2 numpy==2.4.6 pandas==2.3.3 scipy==1.17.1 scikit-learn==1.9.1
cd "$folder"
venv/bin/python - <<'END'
import gower
import numpy as np
import pandas as pd

column = np.array([-10.0, -5.0, 0.0])
for shift in (0, -1, 10):
    found = gower.gower_matrix(pd.DataFrame({"depth": column + shift}))[0]
    print(f"{column + shift}: the first is {found} from the three")
    np.testing.assert_allclose(found, [0, 0, 0] if shift == 0 else [0, 0.5, 1], rtol=1e-6)

other = np.array([1.0, 1.0, 3.0])
for shift in (0, -1):
    found = gower.gower_matrix(pd.DataFrame({"depth": column + shift, "other": other}))[0]
    print(f"beside another column, moved by {shift}: {found}")
    np.testing.assert_allclose(found, [0, 0, 0.5] if shift == 0 else [0, 0.25, 1], rtol=1e-6)
END
