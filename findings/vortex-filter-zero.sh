#!/usr/bin/env bash
# vortex-data 0.93.0: in a Vortex file −0 is less than 0 and not equal to it, and NaN is more than any number.
#
# One would guess that a filter finds what the same filter finds by pyarrow 26.0.1 in memory or in Parquet, all the more
# as the file hands itself out as a pyarrow dataset, which takes pyarrow's own expressions. "x < 0" finds −0, which
# rounding makes of small negative numbers, "x == 0" does not find it, "x > 5" finds NaN, and "x == nan" finds it, too.
# So a threshold on a score passes the rows whose score is broken.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet vortex-data==0.93.0 pyarrow==26.0.1
cd "$folder"
venv/bin/python - <<'END'
import pyarrow
import pyarrow.compute as pc
import pyarrow.dataset
import pyarrow.parquet
import vortex

print("vortex", vortex.__version__, "pyarrow", pyarrow.__version__)
table = pyarrow.table({"row": ["minus", "-0", "0", "seven", "nan"], "x": [-1.0, -0.0, 0.0, 7.0, float("nan")]})
vortex.io.write(table, "x.vortex")
pyarrow.parquet.write_table(table, "x.parquet")
x = pc.field("x")
nan = pyarrow.scalar(float("nan"))
filters = {  # name → filter, rows by pyarrow, rows by Vortex
    "x == 0": (x == 0.0, ["-0", "0"], ["0"]),
    "x < 0": (x < 0.0, ["minus"], ["minus", "-0"]),
    "x >= 0": (x >= 0.0, ["-0", "0", "seven"], ["0", "seven", "nan"]),
    "x > 5": (x > 5.0, ["seven"], ["seven", "nan"]),
    "x == nan": (x == nan, [], ["nan"]),
}
for name, (condition, right, expected) in filters.items():
    memory = table.filter(condition)["row"].to_pylist()
    parquet = pyarrow.dataset.dataset("x.parquet").to_table(filter=condition)["row"].to_pylist()
    found = vortex.open("x.vortex").to_dataset().to_table(filter=condition)["row"].to_pylist()
    print(f"{name}: by pyarrow {memory}, in Parquet {parquet}, in Vortex {found}")
    assert memory == right and parquet == right
    assert found == expected
END
