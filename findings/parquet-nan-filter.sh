#!/usr/bin/env bash
# pyarrow 26.0.1, pandas 3.1.1, duckdb 2.0.1: a filter on a Parquet file loses rows that hold NaN.
#
# One would guess that a filter at the file finds what the same filter finds in memory: NaN != 1 holds. But a row
# group's least and largest value leave NaN out; of [1, nan] both are 1, so "x != 1" skips the group unread. Even is_nan
# finds nothing, though the format tells readers that look for NaN to leave these two values aside. polars 2.1.0 finds
# all; pyarrow's ORC and Feather do as well.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet pyarrow==26.0.1 pandas==3.1.1 duckdb==2.0.1 polars==2.1.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.feather as feather
import pyarrow.orc as orc
import pyarrow.parquet as pq

table = pa.table({"x": [1.0, float("nan")]})
pq.write_table(table, "x.parquet")
orc.write_table(table, "x.orc")
feather.write_feather(table, "x.feather")
statistics = pq.ParquetFile("x.parquet").metadata.row_group(0).column(0).statistics
print("least and largest value in the file:", statistics.min, statistics.max)

x = pc.field("x")
found = {
    "memory, x != 1": table.filter(x != 1).num_rows,
    "ORC, x != 1": ds.dataset("x.orc", format="orc").to_table(filter=x != 1).num_rows,
    "Feather, x != 1": ds.dataset("x.feather", format="feather").to_table(filter=x != 1).num_rows,
    "polars, x != 1": pl.scan_parquet("x.parquet").filter(pl.col("x") != 1).collect().height,
    "polars, is_nan": pl.scan_parquet("x.parquet").filter(pl.col("x").is_nan()).collect().height,
    "pyarrow, x != 1": pq.read_table("x.parquet", filters=x != 1).num_rows,
    "pyarrow, is_nan": pq.read_table("x.parquet", filters=pc.is_nan(x)).num_rows,
    "pandas, x != 1": len(pd.read_parquet("x.parquet", filters=[("x", "!=", 1)])),
    "duckdb, x <> 1": len(duckdb.sql("select * from 'x.parquet' where x <> 1").fetchall()),
    "duckdb, isnan": len(duckdb.sql("select * from 'x.parquet' where isnan(x)").fetchall()),
}
for how, rows in found.items():
    print(f"{how:16} {rows} of 1 row")
assert list(found.values()) == 5 * [1] + 5 * [0]
END
