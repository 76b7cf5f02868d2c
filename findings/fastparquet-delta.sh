#!/usr/bin/env bash
# fastparquet 2026.9.0 and duckdb 2.0.1: 32-bit integers of a Parquet file that one writes the other reads as other
# integers.
#
# One would guess that a column of whole numbers comes back as it was written, or that an encoding that a reader does
# not know is refused, as fastparquet refuses byte streams that are split. duckdb's `parquet_version v2` writes
# differences (DELTA_BINARY_PACKED), as Java's writer of version 2 does and pyarrow where it is asked to. pyarrow and
# polars read them. fastparquet does where neighbours lie less than about 2²⁷ apart; where they are farther, as
# identifiers and hashes in no order are, all but the first few rows are wrong, of the right type and number, and
# without a word.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet \
    fastparquet==2026.9.0 duckdb==2.0.1 pyarrow==26.0.1 polars==2.1.0 pandas==3.1.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import duckdb
import fastparquet
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

print("fastparquet", fastparquet.__version__, "duckdb", duckdb.__version__)


def read(name):
    """What four readers make of the column x, and how it is encoded."""
    return (
        pq.ParquetFile(name).metadata.row_group(0).column(0).encodings,
        pq.read_table(name)["x"].to_numpy(),
        pl.read_parquet(name)["x"].to_numpy(),
        duckdb.sql(f"select x from '{name}'").fetchnumpy()["x"],
        fastparquet.ParquetFile(name).to_pandas()["x"].to_numpy(),
    )


rng = np.random.default_rng(0)
for bits in (8, 16, 24, 27, 29, 30):
    numbers = rng.integers(0, 2**bits, 1_000).astype(np.int32)
    rows = pa.table({"x": numbers})
    pq.write_table(rows, "arrow.parquet", use_dictionary=False, column_encoding={"x": "DELTA_BINARY_PACKED"})
    duckdb.sql("copy (select x from rows) to 'duck.parquet' (parquet_version v2)")
    for name in ("arrow.parquet", "duck.parquet"):
        encodings, *right, found = read(name)
        wrong = np.mean(found != numbers)
        print(f"{name}, up to 2**{bits}, {encodings}: fastparquet has {wrong:.1%} wrong ({found.dtype})")
        assert all(np.array_equal(of, numbers) for of in right)
        assert found.dtype == np.int32
        if "DELTA_BINARY_PACKED" in encodings:
            assert wrong == 0 if bits <= 27 else wrong > 0.9
    if bits == 30:
        print(f"for {numbers[:6].tolist()}: {found[:6].tolist()}")
        assert "DELTA_BINARY_PACKED" in encodings
END
