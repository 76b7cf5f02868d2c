"""SIGKILL at any moment, full disks and folders that may not be written: what was there stays whole.

Trainings are killed by the tests' own harness, which also has the broken twin that writes checkpoints in their place.
"""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from battery.row import ROOT, Row
from narrows import Autoencoder, cli, load, storage
from narrows.data import parts
from narrows.data.dataset import Dataset
from narrows.runs import making, streaming, writing
from narrows.runs.journal import JOURNAL, Journal
from narrows.training import checkpoint
from narrows.training.checkpoint import Checkpoint
from narrows.web.lab import Lab
from narrows.web.worker import Go

__all__ = ["rows"]

KILLS, IN_WRITE, SWEEPS, STREAMS, EXPLORED = 200, 50, 40, 60, 20


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


def child(work: Callable[[], object], seconds: float = math.inf) -> str:
    """Do ``work`` in a fork that is killed after so many ``seconds``, and return how it ended."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            quiet = os.open(os.devnull, os.O_RDWR)
            for stream in (1, 2):
                os.dup2(quiet, stream)
            work()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            os._exit(code)
    end = time.monotonic() + seconds
    while not (ended := os.waitpid(process, os.WNOHANG))[0]:
        if time.monotonic() >= end:
            os.kill(process, signal.SIGKILL)
            ended = os.waitpid(process, 0)
            break
        time.sleep(0.002)
    return "killed" if os.WIFSIGNALED(ended[1]) else "failed" if os.WEXITSTATUS(ended[1]) else "ended"


@dataclass
class Rounds:
    """What came of work that was killed at moments by chance and begun again, round after round.

    ``in_write`` are the kills that left half a file, ``damaged`` the whole files that were not what they should be.
    """

    kills: int = 0
    in_write: int = 0
    ends: int = 0
    different: int = 0
    damaged: int = 0
    failed: int = 0

    @property
    def bad(self) -> int:
        """How often something was not as it should be."""
        return self.different + self.damaged + self.failed

    def rows(self, what: str, kills: int) -> Iterator[Row]:
        """Yield how many kills there were, and what came of them."""
        told = f"{self.kills}, {self.in_write} in a write; {self.ends} ends"
        yield Row(f"{what}: SIGKILLs", told, str(kills), self.kills >= kills and self.ends > 0)
        told = f"{self.different} differ, {self.damaged} damaged, {self.failed} failed"
        yield Row("— ends that differ, files that are damaged, errors", told, "0", not self.bad)


def rounds(out: Path, kills: int, work: Callable[[], object], whole: Callable[[str, bytes], bool]) -> Rounds:
    """Kill ``work``, which writes into the folder ``out``, until it was killed so often, and has ended once more.

    ``whole`` says whether a file that has its name holds what it should; it ends with what it holds after no kill.
    """
    found, rng, began = Rounds(), random.Random(0), time.monotonic()
    shutil.rmtree(out, ignore_errors=True)  # of rounds before, which may have ended with a kill
    if child(work) != "ended":
        raise RuntimeError(f"{out.name} fails even if nobody kills it")
    seconds, expected = time.monotonic() - began, files_in(out)
    shutil.rmtree(out)
    while (found.kills < kills or not found.ends) and not found.bad:
        began = time.monotonic()
        ended = child(work, rng.uniform(0, seconds) if found.kills < kills else math.inf)
        if ended == "killed":
            found.kills += 1
            found.in_write += any(out.glob(".*.tmp"))
            found.damaged += not all(whole(name, data) for name, data in files_in(out).items())
            continue
        seconds = min(seconds, time.monotonic() - began)  # of the first one much may have been imports
        found.failed += ended == "failed"
        found.ends += 1
        found.different += files_in(out) != expected
        shutil.rmtree(out)
    return found


def files_in(out: Path) -> dict[str, bytes]:
    """Return what the parts in a folder hold, and the tensors of its models, whose histories hold times."""
    parts = {file.name: file.read_bytes() for file in out.glob("part-*")}
    models = {file.name: storage.read_model(file)[1] for file in out.glob("latent_dim-*.safetensors")}
    return parts | {name: b"".join(bytes(made[one]) for one in sorted(made)) for name, made in models.items()}


def in_place(path: Path, data: bytes) -> None:
    """Write as a broken twin does: piece by piece where the whole should be."""
    with path.open("wb") as file:
        for piece in np.array_split(np.frombuffer(data, np.uint8), 10):
            file.write(piece.tobytes())
            file.flush()
            time.sleep(0.001)


def swept(share: float) -> Iterator[Row]:
    """Yield what comes of sweeps that are killed and resumed, as a person would type it, a checkpoint at each step."""
    kills = max(2, round(SWEEPS * share))
    Checkpoint.due = True  # type: ignore[assignment, method-assign]
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name), Path(name) / "out"
        np.save(folder / "x.npy", np.random.default_rng(0).random((200, 8)))

        def work() -> None:
            resume = ["--resume"] if any(out.glob("checkpoint*")) else []
            if not resume:
                shutil.rmtree(out, ignore_errors=True)
            sys.argv = ["narrows", "sweep", str(folder / "x.npy"), "--latent-dims", "1,2", "--epochs", "20"]
            sys.argv += ["--out", str(out), *resume]
            for module in (making, writing):
                module.write_figures = lambda *_: []  # type: ignore[attr-defined]
            cli.main()

        yield from rounds(out, kills, work, lambda *_: True).rows("sweep", kills)
        checkpoint.write_atomically = in_place  # type: ignore[assignment]
        twin = rounds(out, 1000, work, lambda *_: True)
        checkpoint.write_atomically = storage.write_atomically
        yield Row("— twin that writes in place: caught", f"after {twin.kills} kills", "caught", twin.bad > 0)


def streamed(share: float) -> Iterator[Row]:
    """Yield what comes of streams that are killed and gone on with, and of one that writes its parts in place."""
    kills = max(4, round(STREAMS * share))
    parts.ROWS, parts.ALIGNED, parts.BATCHES, streaming.BATCHES = 256, 256, 2, 2
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name), Path(name) / "out"
        rows = pd.DataFrame(np.random.default_rng(0).normal(size=(20_000, 4)), columns=list("abcd"))
        Autoencoder(2, epochs=1, random_state=0).fit(rows[:500]).save(folder / "model.safetensors")
        (folder / "data").mkdir()
        for number in range(2):
            rows[number::2].to_parquet(folder / "data" / f"{number}.parquet", index=False)

        def work() -> None:
            torch.set_num_threads(2)  # of a child alone, which works at two batches side by side
            if (out / "results.json").exists() and not (out / JOURNAL).exists():
                shutil.rmtree(out)  # it was killed when all was done, after which the folder is full
            streaming.encode(folder / "model.safetensors", str(folder / "data"), out, told=lambda _: None)

        child(work)
        wholes = files_in(out)
        shutil.rmtree(out)
        yield from rounds(out, kills, work, lambda name, data: data == wholes[name]).rows("stream", kills)
        Journal._aside = lambda journal, name: journal.folder / name  # type: ignore[method-assign]
        twin = rounds(out, 1000, work, lambda name, data: data == wholes[name])
        yield Row("— twin that writes in place: caught", f"after {twin.kills} kills", "caught", twin.bad > 0)


def explored(share: float) -> Iterator[Row]:
    """Yield what comes of trainings in the explorer whose process is killed: each says so, and another ends the same.

    What is kept of a training that was killed is what one that was not had at the same epochs.
    """
    kills = max(1, round(EXPLORED * share))
    yield from watched(kills, seed=0).rows("explorer's training", kills)
    twin = watched(1, seed=None)
    yield Row("— twin without a seed: caught", f"{twin.bad} differ", "≥ 1", twin.bad > 0)


def watched(kills: int, seed: int | None) -> Rounds:
    """Return what comes of an explorer whose trainings are killed that often."""
    lab, found, rng = Lab(), Rounds(), random.Random(0)
    data = Dataset("numbers", np.random.default_rng(0).random((200, 8)))

    def train(updates: float) -> dict[int, bytes]:
        """Return what is kept of a training that is killed after so many ``updates``, or that ends before."""
        lab.begin(data, "numbers", Autoencoder(2, epochs=30, random_state=seed))
        lab.tell(Go("play", fast=True))
        training, process = lab.watched, lab._process
        assert training is not None
        assert process is not None
        while training.news.mode != "over" and training.version < updates:
            time.sleep(0.001)
        if training.news.mode != "over":
            process.kill()  # once, and unasked whether it lives: the explorer reaps it, in a thread of its own
            while lab._process is process:  # which also says so of a training that had come to its end meanwhile
                time.sleep(0.001)
        found.kills += "exit code -9" in training.news.error
        found.ends += not training.news.error
        return {epoch: b"".join(map(bytes, weights.values())) for epoch, weights in training.kept.items()}

    expected = train(math.inf)
    while found.kills < kills:
        kept = train(rng.randrange(1, len(expected)))
        found.damaged += not kept.items() <= expected.items()
    found.different += train(math.inf) != expected
    lab.close()
    return found


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
    torch.set_num_threads(1)  # which forks could not share
    yield from killed(share)
    yield from swept(share)
    yield from streamed(share)
    yield from explored(share)
    yield from places()
