#!/usr/bin/env bash
# datasets 5.2.0: with_format("numpy") gives a column of doubles as float64 in a row and as float32 in a slice.
#
# One would guess one type for one column, and the one that its features name (float64). What a number is rounded to
# depends on how many rows were asked for at once, so that a value looked up singly is not found in the column it came
# from.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet datasets==5.2.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import numpy as np
from datasets import Dataset

dataset = Dataset.from_dict({"x": [0.1, 0.2, 0.3]}).with_format("numpy")
row, rows, column = dataset[0]["x"], dataset[:2]["x"], dataset["x"][:]
print(dataset.features, "row", row.dtype, "rows", rows.dtype, "column", column.dtype)
print("row 0 is in the column:", bool((column == row).any()))

assert dataset.features["x"].dtype == "float64"
assert (row.dtype, rows.dtype, column.dtype) == (np.float64, np.float32, np.float32)
assert not (column == row).any()
END
