"""Damaged and hostile model files: each is refused with one kind of error, quickly, and none runs code.

A mutant is a member's file with some bits flipped, cut short, joined with another's, or with a header that lies. Half
of those that lie are sealed: their digest is right again, as of somebody who knows the format. Such a file is another
model, and may be loaded if it is one.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import random
import re
import resource
import struct
import sys
import tempfile
import time
import tracemalloc
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from battery.row import Row
from narrows import ModelFileError, load, storage

__all__ = ["rows"]

MUTANTS, TWINS = 100_000, 300

BLANK = b"0" * 64
DIGEST = re.compile(rb'sha256\\?":\\?"([0-9a-f]{64})')

LIES: list[Any] = [
    None, True, -1, 0, 1, 2**31, 2**62, 10**30, 1e308, "", "os.system", "../../etc/passwd", "builtins.exec", [], {},
    [[]], [2**40], [-1], "F16", "F64", "I64", {"__class__": "os.system"}, "a" * 10**5,
]  # fmt: skip

FORBIDDEN = re.compile(
    r"os\.(system|exec|posix_spawn|fork|remove|rename)|subprocess|pickle|socket|ctypes|marshal|shutil"
)


def members() -> list[bytes]:
    """Return the file of every member."""
    from members import CASES, MEMBERS, OF_IMAGES, SHAPES, data, labels

    files = []
    for name, kind in CASES:
        if name == "own nets":  # whose files need the nets beside them
            continue
        X = data(SHAPES[kind])
        stream = io.BytesIO()
        model = (MEMBERS | OF_IMAGES)[name]
        model.set_params(epochs=1).fit(X, labels(len(X)) if model.conditional else None).save(stream)
        files.append(stream.getvalue())
    return files


def sealed(data: bytes) -> bytes:
    """Return ``data`` with the digest that it should have."""
    found = DIGEST.search(data)
    if found is None:
        return data
    blank = data[: found.start(1)] + BLANK + data[found.end(1) :]
    return blank.replace(BLANK, hashlib.sha256(blank).hexdigest().encode(), 1)


def lying(data: bytes, rng: random.Random) -> bytes:
    """Return ``data`` with a header that says something else."""
    length = struct.unpack("<Q", data[:8])[0]
    if rng.random() < 0.1:
        return struct.pack("<Q", rng.choice([0, 1, length - 1, length + 1, 2**63, rng.randrange(2**24)])) + data[8:]
    header = json.loads(data[8 : 8 + length])
    inner = json.loads(header["__metadata__"]["narrows"])
    lied = inner if rng.random() < 0.6 else header[rng.choice([name for name in header if name != "__metadata__"])]
    key = rng.choice([name for name in lied if name != "sha256"])
    if isinstance(lied[key], dict) and lied[key] and rng.random() < 0.8:
        lied, key = lied[key], rng.choice(list(lied[key]))
    if rng.random() < 0.2:
        lied[rng.choice([key, "other"])] = lied.pop(key)
    elif isinstance(lied[key], list) and lied[key] and rng.random() < 0.7:
        lied[key] = [*lied[key]]
        lied[key][rng.randrange(len(lied[key]))] = rng.choice(LIES)
    else:
        lied[key] = rng.choice(LIES)
    header["__metadata__"]["narrows"] = json.dumps(inner, separators=(",", ":"))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def flipped(data: bytes, rng: random.Random) -> bytes:
    """Return ``data`` with one to eight bits changed."""
    changed = bytearray(data)
    for place in rng.sample(range(len(data)), rng.choice([1, 1, 2, 8])):
        changed[place] ^= 1 << rng.randrange(8)
    return bytes(changed)


def spliced(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """Return the beginning of ``data``, or all of it but a piece, with some of ``other``."""
    at, end = sorted(rng.sample(range(len(data)), 2))
    piece = other[rng.randrange(len(other)) :][: rng.choice([1, 8, 100, len(other)])]
    return data[:at] + piece + (data[end:] if rng.random() < 0.5 else b"")


class Judge:
    """Loads files, and counts what came of them."""

    def __init__(self) -> None:
        self.counts, self.slowest, self.other = Counter[str](), 0.0, set[str]()

    def load(self, data: bytes) -> Any:
        """Return the model in ``data``, or None if it was refused as it should be."""
        began = time.process_time()
        try:
            with warnings.catch_warnings(action="ignore"):
                model = load(io.BytesIO(data))
        except ModelFileError as error:
            self.counts["refused"] += "\n" not in str(error)
            model = None
        except Exception as error:  # noqa: BLE001 - which is what is looked for
            self.other.add(f"{type(error).__name__}: {error!s:.100}")
            model = None
        self.slowest = max(self.slowest, time.process_time() - began)
        return model


def mutants(count: int, judge: Judge, rng: random.Random, files: list[bytes]) -> None:
    """Load that many mutants, of every member as often."""
    while judge.counts["mutants"] < count:
        data = files[judge.counts["mutants"] % len(files)]
        kind = rng.choice(["flip", "cut", "splice", "lie", "sealed"])
        if kind == "flip":
            changed = flipped(data, rng)
        elif kind == "cut":
            changed = data[: rng.randrange(len(data))]
        elif kind == "splice":
            changed = spliced(data, rng.choice(files), rng)
        else:
            changed = lying(data, rng)
            changed = sealed(changed) if kind == "sealed" else changed
        if changed == data:
            continue
        model = judge.load(changed)
        judge.counts["mutants"] += 1
        if model is not None and kind != "sealed":
            judge.counts["silent"] += 1
        if model is not None and kind == "sealed":
            judge.counts["another model"] += 1


def hostile(canary: Path) -> list[bytes]:
    """Return files that would run code if anybody let them."""

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return open, (str(canary), "w")

    pickled = pickle.dumps(Bomb())
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", "3")
    array = io.BytesIO()
    np.save(array, np.array([Bomb()]), allow_pickle=True)
    entry = '"t%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    many = ("{" + ",".join(entry % number for number in range(10**6)) + "}").encode()
    few = ("{" + ",".join(entry % number for number in range(200_000)) + ',"__metadata__":{"narrows":"{}"}}').encode()
    deep = b'{"a":' * 10**5
    headers = [struct.pack("<Q", len(text)) + text for text in (many, few, deep, b"[" * 10**6)]
    return [pickled, stream.getvalue(), array.getvalue(), b"\x80\x02cos\nsystem\n.", *headers, b"", b"\x1f\x8b" * 50]


def no_code(files: list[bytes], judge: Judge) -> Row:
    """Return whether anything but loading happens while hostile files are loaded, under any suffix."""
    seen, listening = Counter[str](), False

    def hook(event: str, given: tuple[Any, ...]) -> None:
        writes = event == "open" and given[1] not in ("r", "rb", None)
        if listening and (FORBIDDEN.match(event) or event == "exec" or writes):
            seen[event] += 1

    sys.addaudithook(hook)
    with tempfile.TemporaryDirectory() as name:
        folder, canary = Path(name), Path(name) / "canary"
        bombs = hostile(canary)
        keys = ("estimator", "prior", "scaling")
        configured = [sealed(set_in(files[0], key, value)) for key in keys for value in LIES]
        ran, peak = Counter[str](), 0.0
        tracemalloc.start()
        for number, data in enumerate([*bombs, *configured]):
            for suffix in (".safetensors", ".pkl", ".pt", ".npz"):
                path = folder / f"{number}{suffix}"
                listening = False
                path.write_bytes(data)
                tracemalloc.reset_peak()
                listening = True
                began = time.process_time()
                try:
                    load(path)
                    ran["loaded"] += 1
                except ModelFileError:
                    ran["refused"] += 1
                listening = False
                judge.slowest = max(judge.slowest, time.process_time() - began)
                peak = max(peak, tracemalloc.get_traced_memory()[1] / 1e6)
                path.unlink()
        tracemalloc.stop()
        told = f"{ran['refused']} refused, {ran['loaded']} loaded, {sum(seen.values())} events of code"
        told += f", {peak:.0f} MB"
        good = not seen and not canary.exists() and not ran["loaded"] and peak <= 100
        row = Row("hostile files", told, "all refused, no code, ≤ 100 MB", good)
        listening = True
        pickle.loads(bombs[0]).close()
        listening = False
        assert seen, "a pickle that runs code was not noticed"
        assert canary.exists()
    return row


def set_in(data: bytes, key: str, value: Any) -> bytes:
    """Return ``data`` with a header whose metadata say ``value`` of ``key``."""
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    inner = json.loads(header["__metadata__"]["narrows"])
    header["__metadata__"]["narrows"] = json.dumps(inner | {key: value}, separators=(",", ":"))
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def rows(share: float) -> Iterator[Row]:
    """Yield what comes of mutants, of hostile files, and of a loader that believes what a file says of its digest."""
    rng, judge, files = random.Random(0), Judge(), members()
    for data in files:
        assert judge.load(data) is not None
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wanted = round(MUTANTS * share)
    mutants(wanted, judge, rng, files)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    yield no_code(files, judge)
    counts = judge.counts
    told = f"{counts['mutants']:,} of {len(files)} files"
    yield Row("mutants of model files", told, f"{wanted:,}", counts["mutants"] >= wanted)
    yield Row("— loaded, and not what was saved", str(counts["silent"]), "0", counts["silent"] == 0)
    yield Row("— another error than ModelFileError", "; ".join(judge.other) or "0", "0", not judge.other)
    told = f"{counts['another model']:,}"
    yield Row("— sealed lies that make another model", told, "no error", holds=True)
    yield Row("— slowest, s of processor", f"{judge.slowest:.2f}", "≤ 1", judge.slowest <= 1)
    yield Row("— memory above one whole load, MB", f"{grown:.0f}", "≤ 100", grown <= 100)
    broken, whole = Judge(), storage._digest
    storage._digest = lambda _, told: told
    for number in range(TWINS):
        data = files[number % len(files)]
        at = rng.randrange(len(data) // 2, len(data))
        if broken.load(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]) is not None:
            broken.counts["silent"] += 1
    storage._digest = whole
    yield Row("— twin without a digest: caught", str(broken.counts["silent"]), "≥ 1", broken.counts["silent"] >= 1)
