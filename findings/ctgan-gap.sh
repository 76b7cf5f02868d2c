#!/usr/bin/env bash
# ctgan 0.12.1: TVAE learns from a numeric column with one missing cell, and has no rows to give afterwards.
#
# One would guess that both models of this library refuse the table, as CTGAN does before it begins. TVAE trains to the
# end without a word, and only `sample` fails, with a message on shapes that names no column. A missing cell among texts
# is a level of its own to both, so that tables whose gaps are all there do work.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet ctgan==0.12.1 rdt==2.0.0 torch==2.13.0 pandas==2.3.3 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'END'
import numpy as np
import pandas as pd
from ctgan import CTGAN, TVAE

rng = np.random.default_rng(0)
table = pd.DataFrame({"level": rng.choice(["x", "y", None], 600), "number": rng.normal(size=600)})
whole = TVAE(epochs=30, batch_size=100, enable_gpu=False)
whole.set_random_state(0)
whole.fit(table, ["level"])
missing = whole.sample(600)["level"].isna().mean()
print(f"missing levels: {table['level'].isna().mean():.2f} of the table, {missing:.2f} of the rows made")

table.loc[3, "number"] = np.nan
said = {}
for kind in CTGAN, TVAE:
    model = kind(epochs=1, batch_size=100, enable_gpu=False)
    for name, step in {"fit": lambda: model.fit(table, ["level"]), "sample": lambda: model.sample(5)}.items():
        try:
            step()
        except Exception as error:
            said[kind.__name__] = name, str(error)
            print(f"{kind.__name__} fails in {name}: {error}")
            break

assert missing > 0.1
assert said["CTGAN"][0] == "fit"
assert "null" in said["CTGAN"][1]
assert said["TVAE"][0] == "sample"
assert "hape" in said["TVAE"][1]
END
