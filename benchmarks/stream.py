"""What it takes to bring a billion rows through a model: rows a second, memory, and the same bytes after a kill.

``narrows encode`` and ``narrows anomalies`` on a folder of Parquet parts of 20 columns, as a person would type it: each
stream is a process, which works at two batches side by side where there are two cores; the time for 100,000,000 rows is
extrapolated. Each stream is also killed by SIGKILL half way, and gone on with on one core, to the same bytes. Then the
memory that `fit` takes for ten parts, and for one.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from narrows import Autoencoder
from narrows.runs.journal import JOURNAL

ROWS, EXTRAPOLATED, ROWS_A_FILE = int(os.environ.get("ROWS", "20000000")), 100_000_000, 1_000_000

FEATURES = 20

TRAINED_ON = (1, 10)
"""Files."""

FIT = """
import resource, sys, time
from narrows import Autoencoder
from narrows.data.parquet_rows import ParquetRows
rows, began = ParquetRows.of(sys.argv[1]), time.monotonic()
model = Autoencoder(8, epochs=1, batch_size=256, prior="normal", random_state=0).fit(rows)
seconds, peak = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
model.save(sys.argv[2])
print(f"| {len(rows):,} | {seconds:.0f} | {peak:.0f} |", end=" ", flush=True)
"""


def data_in(folder: Path) -> None:
    """Write the parts, and a model of such rows next to them."""
    random = np.random.default_rng(0)
    mixing = random.normal(size=(5, FEATURES)).astype(np.float32)
    names = [f"x{i}" for i in range(FEATURES)]
    parts = folder / "data"
    parts.mkdir()
    for number in range(ROWS // ROWS_A_FILE):
        x = random.normal(size=(ROWS_A_FILE, 5)).astype(np.float32) @ mixing
        x += 0.1 * random.normal(size=x.shape).astype(np.float32)
        pq.write_table(pa.table(dict(zip(names, x.T, strict=True))), parts / f"{number:04}.parquet")
    first = pq.read_table(parts / "0000.parquet").slice(0, 20_000).to_pandas()
    Autoencoder(8, epochs=5, random_state=0).fit(first).save(folder / "model.safetensors")


def some_of(folder: Path, files: int) -> str:
    """Return a folder with the first so many ``files`` alone, links to them, and its name."""
    some = folder / f"data-{files}"
    if not some.exists():
        some.mkdir()
        for file in sorted((folder / "data").iterdir())[:files]:
            os.link(file, some / file.name)
    return some.name


def streamed(
    verb: str, folder: Path, out: str, *, killed: bool = False, threads: int | None = None
) -> tuple[float, float, float]:
    """Return a stream's seconds, those of a processor, and most megabytes; it may be killed half way."""
    command = [sys.executable, "-m", "narrows", verb, "model.safetensors", "data", "--out", out]
    began, half, quiet = time.monotonic(), ROWS // ROWS_A_FILE // 2, subprocess.DEVNULL
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    environment |= {} if threads is None else {"OMP_NUM_THREADS": str(threads)}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=quiet, stderr=quiet)
    while killed and len(list((folder / out).glob("part-*"))) < half:
        time.sleep(0.05)
    if killed:
        process.send_signal(signal.SIGKILL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = status
    if bool(status) != killed:
        raise RuntimeError(f"{' '.join(command)} ended with status {status}")
    return time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def digest(folder: Path) -> str:
    """Return what tells the parts in a folder from others."""
    found = hashlib.sha256()
    for file in sorted(folder.glob("part-*")):
        found.update(file.name.encode())
        found.update(file.read_bytes())
    return found.hexdigest()


def main() -> None:
    """Print a row for each stream, and for each training, in Markdown."""
    print(f"\nRows of {FEATURES} numbers in files of {ROWS_A_FILE:,}, load {os.getloadavg()[0]:.1f}\n")
    print("| verb | rows | seconds | rows a second ", end="")
    print(f"| minutes for {EXTRAPOLATED:,} | µs of a processor a row | peak MB | after a kill |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        # In another process, since a child's memory counts from what its parent had.
        making = multiprocessing.get_context("spawn").Process(target=data_in, args=(folder,))
        making.start()
        making.join()
        for verb in ("encode", "anomalies"):
            seconds, busy, peak = streamed(verb, folder, verb)
            row = [verb, f"{ROWS:,}", f"{seconds:.0f}", f"{ROWS / seconds:,.0f}"]
            row += [f"{seconds * EXTRAPOLATED / ROWS / 60:.1f}", f"{busy / ROWS * 1e6:.1f}", f"{peak:.0f}"]
            print(f"| {' | '.join([*row, killed_and_gone_on(verb, folder)])} |", flush=True)
        print("\n| learned from, in one pass | seconds | peak MB | model file, bytes |\n|---|---|---|---|")
        for files in TRAINED_ON:
            subprocess.run([sys.executable, "-c", FIT, some_of(folder, files), "trained"], cwd=folder, check=True)
            print(f"{(folder / 'trained').stat().st_size:,} |", flush=True)


def killed_and_gone_on(verb: str, folder: Path) -> str:
    """Return whether a stream that is killed half way and gone on with by one thread comes to the same bytes."""
    out = f"{verb}-killed"
    streamed(verb, folder, out, killed=True)
    if not (folder / out / JOURNAL).exists():
        raise RuntimeError("the stream was killed too late")
    streamed(verb, folder, out, threads=1)
    return "same bytes" if digest(folder / out) == digest(folder / verb) else "OTHER BYTES"


if __name__ == "__main__":
    main()
