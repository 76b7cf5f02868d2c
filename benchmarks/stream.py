"""What it takes to bring a billion rows through a model: rows a second, memory, and the same bytes after a kill.

``narrows encode`` and ``narrows anomalies`` on a folder of Parquet parts of 20 columns, each stream a process of one
thread, as a person would type it; the time for 100,000,000 rows is extrapolated. The first stream is also killed by
SIGKILL half way, and gone on with.
"""

from __future__ import annotations

import hashlib
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

ROWS, ROWS_A_FILE, FEATURES, EXTRAPOLATED = int(os.environ.get("ROWS", "20000000")), 1_000_000, 20, 100_000_000


def data_in(folder: Path) -> Path:
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
    return parts


def streamed(verb: str, folder: Path, out: str, *, killed: bool = False) -> tuple[float, float]:
    """Return the seconds that a stream took, and the most megabytes of memory; it may be killed half way."""
    command = [sys.executable, "-m", "narrows", verb, "model.safetensors", "data", "--out", out]
    began, half = time.monotonic(), ROWS // ROWS_A_FILE // 2
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while killed and len(list((folder / out).glob("part-*"))) < half:
        time.sleep(0.05)
    if killed:
        process.send_signal(signal.SIGKILL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = status
    if bool(status) != killed:
        raise RuntimeError(f"{' '.join(command)} ended with status {status}")
    return time.monotonic() - began, used.ru_maxrss / 1024


def digest(folder: Path) -> str:
    """Return what tells the parts in a folder from others."""
    found = hashlib.sha256()
    for file in sorted(folder.glob("part-*")):
        found.update(file.name.encode())
        found.update(file.read_bytes())
    return found.hexdigest()


def main() -> None:
    """Print a row for each stream, in Markdown."""
    print(f"\nrows of {FEATURES} numbers, {ROWS:,} in files of {ROWS_A_FILE:,}, load {os.getloadavg()[0]:.1f}\n")
    print(f"| verb | seconds | rows a second | minutes for {EXTRAPOLATED:,} | peak MB | after a kill |")
    print("|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data_in(folder)
        for verb in ("encode", "anomalies"):
            seconds, peak = streamed(verb, folder, verb)
            same = "—"
            if verb == "encode":
                streamed(verb, folder, "killed", killed=True)
                if not (folder / "killed" / JOURNAL).exists():
                    raise RuntimeError("the stream was killed too late")
                peak = max(peak, streamed(verb, folder, "killed")[1])
                same = "same bytes" if digest(folder / "killed") == digest(folder / verb) else "OTHER BYTES"
            minutes = seconds * EXTRAPOLATED / ROWS / 60
            print(
                f"| {verb} | {seconds:.0f} | {ROWS / seconds:,.0f} | {minutes:.1f} | {peak:.0f} | {same} |", flush=True
            )


if __name__ == "__main__":
    main()
