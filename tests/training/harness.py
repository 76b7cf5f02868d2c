"""Kill a training by SIGKILL again and again and see whether it always comes to the same weights.

    python harness.py FOLDER KILLS MID_WRITE [broken]

Children are forked, so that torch is imported once. Half of the kills come in the middle of writing a checkpoint, of
which the child tells through a pipe, and half some time after it, so that also on a slow machine they get on. With
``broken`` checkpoints are written straight to their place: the harness must then find a damaged one. Prints what it
counted, as JSON.
"""

import contextlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np
import torch

from narrows import Autoencoder, storage
from narrows.training import checkpoint

X = np.random.default_rng(0).random((60, 8))
PIECES = 6


def estimator():
    return Autoencoder(2, hidden=(16,), epochs=12, batch_size=16, random_state=0, prior="normal")


def digest(fitted):
    return torch.cat([tensor.flatten() for tensor in fitted.model_.state_dict().values()]).numpy().tobytes()


class InPieces:
    """A file that takes its time to be written, and says so."""

    def __init__(self, file, told):
        self.file, self.told = file, told

    def write(self, data):
        for piece in np.array_split(np.frombuffer(data, np.uint8), PIECES):
            self.file.write(piece.tobytes())
            self.file.flush()
            os.write(self.told, b"w")
            time.sleep(0.0005)

    def __getattr__(self, name):
        return getattr(self.file, name)


def train(path, told, broken):
    """In the child: a checkpoint after every step."""
    checkpoint.Checkpoint.due = True

    @contextlib.contextmanager
    def opened(file, mode="r", **options):
        with open(file, mode, **options) as opened:  # noqa: PTH123 - as storage does
            yield InPieces(opened, told) if "b" in mode and mode != "rb" else opened

    def write_in_place(path, data):
        with opened(path, "wb") as file:
            file.write(data)

    storage.open = opened  # which hides the built-in one there
    if broken:
        checkpoint.write_atomically = write_in_place
    fitted = estimator().fit(X, checkpoint=path)
    path.with_suffix(".weights").write_bytes(digest(fitted))


def life(path, broken, *, in_write):
    """Start a child, kill it, and say whether it was killed, or how it ended."""
    heard, told = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(heard)
            train(path, told, broken)
            code = 0
        except checkpoint.CheckpointError:
            code = 3
        finally:
            os._exit(code)
    os.close(told)
    with os.fdopen(heard, "rb", buffering=0) as pipe:
        for _ in range(random.randrange(in_write, 8 * PIECES)):
            if not pipe.read(1):
                break
        if not in_write:
            time.sleep(random.uniform(0, 0.05))
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return "killed" if os.WIFSIGNALED(status) else {0: "ended", 3: "damaged"}.get(os.WEXITSTATUS(status), "failed")


def main(folder, kills, mid_write, *, broken):
    random.seed(0)
    assert storage.write_atomically is checkpoint.write_atomically
    expected = digest(estimator().fit(X))
    counts = {"kills": 0, "mid_write": 0, "rounds": 0, "different": 0, "damaged": 0, "failed": 0}
    path = folder / "a.checkpoint"
    while counts["kills"] < kills or counts["mid_write"] < mid_write or counts["rounds"] == 0:
        in_write = counts["mid_write"] < mid_write and random.random() < 0.5
        there = path.exists()
        ended = life(path, broken, in_write=in_write)
        if ended == "killed" and there:
            counts["kills"] += 1
            counts["mid_write"] += in_write
        if ended in {"damaged", "failed"}:
            counts[ended] += 1
            path.unlink(missing_ok=True)
            if broken:
                break
        if ended == "ended":
            counts["rounds"] += 1
            counts["different"] += path.with_suffix(".weights").read_bytes() != expected
            path.unlink()
    print(json.dumps(counts))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), broken=sys.argv[4:] == ["broken"])
