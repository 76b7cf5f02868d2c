#!/usr/bin/env bash
# prince 0.23.0: where FAMD places a row depends on the rows that come with it, and alone its categories count for
# nothing.
#
# One would guess that a fitted factor analysis of mixed data gives a row one place, as the library's PCA and MCA do,
# which use what they were fitted on. FAMD takes the shares of the categories, by which it centres and scales them, from
# the rows it is given (a comment in its source says so, its description does not). Of one row alone each share is 0 or
# 1, and taken away it leaves nothing: rows that differ in nothing but their category get one and the same place. So
# points that a model adds singly are not where a table of the same points has them, and no two batches can be compared.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet prince==0.23.0 scikit-learn==1.9.1 pandas==2.3.3 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'END'
import numpy as np
import pandas as pd
import prince

print("prince", prince.__version__)
rng = np.random.default_rng(0)
rows = pd.DataFrame(
    {
        "height": rng.normal(size=50),
        "weight": rng.normal(size=50),
        "colour": rng.choice(["red", "green", "blue"], 50),
        "shape": rng.choice(["round", "square"], 50),
    }
)
for kind, columns in (("PCA", ["height", "weight"]), ("MCA", ["colour", "shape"]), ("FAMD", list(rows))):
    model = getattr(prince, kind)(n_components=2, random_state=0).fit(rows[columns])
    together = model.transform(rows[columns]).to_numpy()
    halves = np.r_[model.transform(rows[columns][:25]), model.transform(rows[columns][25:])]
    singly = np.concatenate([model.transform(rows[columns][place : place + 1]) for place in range(50)])
    off = [float(np.abs(other - together).max()) for other in (halves, singly)]
    print(f"{kind}: in halves up to {off[0]:.2g} away from where all have it, singly {off[1]:.2g}")
    assert min(off) > 0.01 if kind == "FAMD" else max(off) < 1e-9

places = []
for colour in ("red", "green", "blue"):
    row = rows[:1].assign(colour=colour)
    places.append(model.transform(row).to_numpy()[0])
    print(f"one row, {colour}: {places[-1]}")
assert np.ptp(places, axis=0).max() < 1e-9
table = model.transform(pd.concat([rows[:1].assign(colour=colour) for colour in ("red", "green", "blue")])).to_numpy()
print(f"the same three together: {table.round(3).tolist()}")
assert np.ptp(table, axis=0).max() > 0.1
END
