"""How cost grows with the number of examples, and what a second process saves.

Each row is a process of its own, with one thread: CPU time of `fit`, and the peak of its memory. Examples stand in an
``.npy`` file and are read as `load_data` does; what they show does not matter here.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from narrows import VAE
from narrows.data.synthetic import shapes

ROWS, IMAGES = (10_000, 100_000, 1_000_000), (10_000, 50_000, 200_000)

FEATURES, SIDE = 20, 28

BATCH, STEPS, ROUNDS = 128, 60, 3

FIT = """
import json, resource, sys, time
from narrows import Autoencoder
from narrows.data import load_data
X = load_data(sys.argv[1]).X
began = time.process_time()
times = []
for step in Autoencoder(8, epochs=1, batch_size=128, random_state=0).fit_steps(X):
    times.append(time.process_time())
ended = time.process_time()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([type(X).__name__, times[0] - began, times[-1] - times[0], ended - times[-1], peak]))
"""
"""What is held, then CPU seconds before the first step, of the steps and the judging, and after them, and megabytes."""


def growth(folder: Path, kind: str, counts: tuple[int, ...], example: tuple[int, ...]) -> None:
    """Print a row of costs for each of ``counts``."""
    print(f"\n| {kind} | held as | CPU s before | µs an example, training | µs an example, after | peak MB |")
    print("|---|---|---|---|---|---|")
    some = shapes(2000, size=SIDE).X if len(example) > 1 else np.random.default_rng(0).normal(size=(2000, *example))
    for n in counts:
        file = folder / "x.npy"
        dtype = np.uint8 if len(example) > 1 else np.float32
        x = np.lib.format.open_memmap(file, "w+", dtype, (n, *example))
        for start in range(0, n, len(some)):
            x[start : start + len(some)] = some[: n - start]
        del x
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        done = subprocess.run([sys.executable, "-c", FIT, file], stdout=subprocess.PIPE, check=True, env=environment)
        held, before, steps, after, peak = json.loads(done.stdout)
        print(
            f"| {n:,} | {held} | {before:.2f} | {1e6 * steps / n:.1f} | {1e6 * after / n:.1f} | {peak:.0f} |",
            flush=True,
        )


def images_a_second(devices: int, threads: int) -> float:
    """Return how many images a convolutional VAE learns from in a second of wall time: the median step's."""
    X = np.random.default_rng(0).integers(256, size=(BATCH * STEPS, SIDE, SIDE)).astype(np.uint8)
    model = VAE(16, batch_size=BATCH, epochs=1, validation_fraction=0, prior="normal", random_state=0, devices=devices)
    torch.set_num_threads(devices * threads)
    times = [time.perf_counter() for _ in model.fit_steps(X)]
    return BATCH / statistics.median(after - before for before, after in pairwise(times))


def in_processes() -> None:
    """Print what a second process brings, in rounds in which all take turns."""
    measured: dict[tuple[int, int], list[float]] = {(1, 1): [], (1, 2): [], (2, 1): []}
    for _ in range(ROUNDS):
        for kind, rates in measured.items():
            rates.append(images_a_second(*kind))
    load = os.getloadavg()[0]
    print(f"\nConvolutional VAE, {SIDE}×{SIDE}, batches of {BATCH}, median of {ROUNDS} rounds, load {load:.1f}\n")
    print("| processes | threads of each | images a second |")
    print("|---|---|---|")
    for (devices, threads), rates in measured.items():
        print(f"| {devices} | {threads} | {statistics.median(rates):.0f} |")


def main() -> None:
    """Print all, in Markdown."""
    with tempfile.TemporaryDirectory() as temporary:
        growth(Path(temporary), f"rows of {FEATURES}", ROWS, (FEATURES,))
        growth(Path(temporary), f"images of {SIDE}×{SIDE}", IMAGES, (SIDE, SIDE))
    in_processes()


if __name__ == "__main__":
    main()
