"""SIGKILL at any moment, full disks and folders that may not be written: what was there stays whole.

Trainings are killed by the tests' own harness, which also has the broken twin that writes checkpoints in their place.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from battery.row import ROOT, Row
from narrows import Autoencoder, load

__all__ = ["rows"]

KILLS, IN_WRITE, SWEEPS = 200, 50, 20


def harness(folder: Path, *arguments: str) -> dict[str, int]:
    """Return what the harness counted."""
    command = [sys.executable, str(ROOT / "tests" / "training" / "harness.py"), str(folder), *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found: dict[str, int] = json.loads(done.stdout)
    return found


def killed(share: float) -> Iterator[Row]:
    """Yield what comes of a training that is killed again and again, and of one whose checkpoints are not atomic."""
    kills, in_write = max(4, round(KILLS * share)), max(2, round(IN_WRITE * share))
    with tempfile.TemporaryDirectory() as name:
        found = harness(Path(name), str(kills), str(in_write))
        told = f"{found['kills']}, {found['mid_write']} in a write; {found['rounds']} ends"
        good = found["kills"] >= kills and found["mid_write"] >= in_write
        yield Row("fit: SIGKILLs", told, f"{kills}, {in_write}", good)
        bad = {what: found[what] for what in ("different", "damaged", "failed")}
        yield Row("— weights that differ, files that are damaged", str(bad), "0", not any(bad.values()))
    with tempfile.TemporaryDirectory() as name:
        found = harness(Path(name), "1000", "1000", "broken")
        caught = found["damaged"] + found["failed"]
        yield Row("— twin that writes in place: caught", str(caught), "≥ 1", caught >= 1)


SWEEP = """
from narrows.cli import main
from narrows.training.checkpoint import Checkpoint
Checkpoint.due = True
main()
"""


def swept(share: float) -> Iterator[Row]:
    """Yield what comes of sweeps that are killed, resumed and killed again, as a person would type it."""
    kills, rng = max(2, round(SWEEPS * share)), random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "x.npy", np.random.default_rng(0).random((200, 8)))
        expected, killed, ends, different, failed = sweep(folder, "whole"), 0, 0, 0, 0
        while killed < kills and not failed:
            found: object = "killed"
            while found == "killed":
                resume = ["--resume"] if any((folder / "out").glob("checkpoint*")) else []
                if not resume:
                    shutil.rmtree(folder / "out", ignore_errors=True)
                found = sweep(folder, "out", *resume, patience=rng.uniform(1, 6) if killed < kills else None)
                killed += bool(resume) and found == "killed"
            ends, different = ends + 1, different + (found != expected)
            failed += "failed" in (found, expected)
            shutil.rmtree(folder / "out")
        told = f"{killed} of resumed ones; {ends} ends; {different} differ; {failed} failed"
        yield Row(
            "sweep: SIGKILLs, and --resume",
            told,
            f"{kills}; 0 differ",
            killed >= kills and not different and not failed,
        )


def sweep(folder: Path, out: str, *further: str, patience: float | None = None) -> object:
    """Return the weights of a sweep, or that it was killed when ``patience`` ended, or that it failed."""
    typed = ["sweep", "x.npy", "--latent-dims", "1,2", "--epochs", "60", "--out", out, *further]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(
        [sys.executable, "-c", SWEEP, *typed],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            status = process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            return "killed"
    if status != 0:
        return "failed"
    models = [load(path) for path in sorted((folder / out).glob("latent_dim-*.safetensors"))]
    return [tensor.numpy().tobytes() for model in models for tensor in model.model_.state_dict().values()]


def refused(folder: Path, prepare: str, undo: str, user: int | None = None) -> tuple[str, bool]:
    """Return the error of saving where that cannot be, and whether the file there is as it was."""
    X = np.random.default_rng(0).random((60, 8))
    path = folder / "m.safetensors"
    model = Autoencoder(2, epochs=1, random_state=0).fit(X)
    model.save(path)
    before = path.read_bytes()
    subprocess.run(prepare, shell=True, check=True, cwd=folder)
    if user is not None:
        os.seteuid(user)
    told = "saved"
    try:
        model.save(path)
    except OSError as error:
        told = f"{type(error).__name__}: {error.strerror}"
    finally:
        os.seteuid(os.getuid())
        subprocess.run(undo, shell=True, check=True, cwd=folder)
    whole = path.read_bytes() == before and [file.name for file in folder.glob("*.tmp") or folder.glob(".*")] == []
    load(path)
    return told, whole


def places() -> Iterator[Row]:
    """Yield what comes of saving to a full disk, and as an ordinary user to a folder of another; both need root."""
    if os.getuid() != 0:
        yield Row("full disk, another's folder", "not tried: needs root", "the old file whole", holds=True)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        told, whole = refused(folder, "chmod 555 .", "chmod 755 .", user=65534)
        yield Row("another's folder, as an ordinary user", told, "the old file whole", whole and "Permission" in told)
    with tempfile.TemporaryDirectory() as name:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", name], check=False).returncode == 0
        if not mounted:
            yield Row("full disk", "not tried: no mount here", "the old file whole", holds=True)
            return
        try:
            told, whole = refused(Path(name), "cat /dev/zero > fill 2>/dev/null || true", "rm -f fill")
            yield Row("full disk", told, "the old file whole", whole and "space" in told)
        finally:
            subprocess.run(["umount", name], check=True)


def rows(share: float) -> Iterator[Row]:
    """Yield what comes of kills, and of places that cannot be written."""
    yield from killed(share)
    yield from swept(share)
    yield from places()
