#!/usr/bin/env bash
# SDV 2.0.0: a column called "city" comes back with towns that its table does not have.
#
# One would guess that a synthesizer makes new rows from the levels it has seen, as it does of any other column of texts.
# The metadata that the library detects go by the column's name: "city" is personal data, and is filled with invented
# towns, independent of all other columns. "town" with the same cells is a category. There is no warning; the metadata say
# so to whoever prints them.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet sdv==2.0.0 torch==2.13.0
cd "$folder"
venv/bin/python -W ignore - <<'END'
import numpy as np
import pandas as pd
from sdv.metadata import Metadata
from sdv.single_table import GaussianCopulaSynthesizer

rng = np.random.default_rng(0)
towns = rng.choice(["Brno", "Olomouc", "Praha"], 300)
table = pd.DataFrame({"city": towns, "town": towns, "rent": 9000 + 6000 * (towns == "Praha") + rng.normal(0, 500, 300)})
metadata = Metadata.detect_from_dataframes({"table": table})
kinds = {name: column["sdtype"] for name, column in metadata.tables["table"].to_dict()["columns"].items()}
model = GaussianCopulaSynthesizer(metadata)
model.fit({"table": table})
new = model.sample(300)["table"]
seen = {name: float(new[name].isin(table[name]).mean()) for name in ("city", "town")}
print(f"taken for: {kinds}")
print(f"rows made whose cell is one of the table's: {seen}; such as {new['city'].unique()[:3].tolist()}")

assert kinds["city"] == "city"
assert kinds["town"] == "categorical"
assert seen == {"city": 0.0, "town": 1.0}
END
