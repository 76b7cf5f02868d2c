"""Command lines at random: each ends with 0, 1 or 2, in its time, and its error is a line that names what was typed.

Verbs and options are those that the command line itself lists; values are sensible, silly, or paths to what is no file:
pipes that nobody writes to and devices that never end. Servers bind, and then do not serve; figures stay empty.
"""

from __future__ import annotations

import io
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import traceback
import webbrowser
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch
import typer
import uvicorn

from battery.row import ROOT, Row
from narrows import VAE, Autoencoder, cli
from narrows.runs import anomalies, looking, making, page, using, writing

__all__ = ["rows"]

LINES, PROCESSES = 5000, 100

SECONDS, WAITED, BYTES = 10, 300, 6 * 2**30
"""What a command may take of the processor, by the clock, and all of them of private memory."""

PATHS = ["x.npy", "t.csv", "image.png", "vae.safetensors", "codes.csv", "images", "run"]
NO_FILES = ["missing.npy", "fifo", "fifo.npy", "fifo.csv", "fifo.png", "fifo.safetensors", "zero.npy", "zero.csv",
            "zero.safetensors", "zero.parquet", "/dev/null", "/dev/zero", "round", "t.csv/x", ".", "empty",
            "empty.npy", "empty.csv", "text.npy", "text.csv", "text.png", "text.safetensors"]  # fmt: skip
SILLY = ["", " ", "0", "1", "2", "-1", "-0", "3", "1.5", "1e999", "nan", "-inf", "x", "é", "\udcff", "1,2", ",", "2,1",
         "a=b", "=", "a=", "=b", "5" * 5000, str(10**18), str(10**20), "٣", "a\nb", "%s", "{}", "[", "'", "--", "-x",
         "x" * 5000, "vae", "gaussian", "all", "pad", "lecture"]  # fmt: skip
GOOD = {
    "DATA": [*PATHS[:3], "images", "x.npy", "t.csv"],
    "MODEL": ["m.safetensors", "vae.safetensors", "t.safetensors", "run"],
    "MODEL …": ["m.safetensors", "a=vae.safetensors", "run"],
    "[MODEL|RUN …]": ["m.safetensors", "run"],
    "CODES": ["codes.csv", "t.csv", "x.npy"],
    "KEY=VALUE": ["beta=4", "hidden=[4]", "hidden=[1000000000000]", "hidden=x", "batch_size=0", "batch_size=1e400",
                  "epochs=1", "learning_rate=-1", "prior=mixture", "loss=x", "optimizer=sgd", "columns=1",
                  "random_state=x", "scaling=feature", "corruption=null"],
    "NAME=KIND": ["a=real", "b=category", "a=x", "z=real", "b=binary"],
    "NAME": ["vae", "denoising", "wae", "vqvae", "lecture", "default", "autoencoder"],
    "D,D,…": ["1", "2,1", "1,1", "0", "1,x"],
    "NOISE": ["gaussian", "masking", "swap", "block"],
    "COLUMN=WHAT": ["a=1", "b=x", "a=", "z=1"],
    "KIND": ["linear", "spherical"],
    "TOPIC": ["xor", "perceptron"],
    "PAGE": ["start", "table"],
    "ADDRESS": ["127.0.0.1", "localhost", "300.1.1.1", "::1"],
}  # fmt: skip
OWN = (
    "--[a-z]|option: -|column '|X has|th(is|e) model|too few|extra argument|is not a model file|leads out|out[0-9]+[.]"
)
"""What else an error names: an option that was not typed, what the data or the model are, a file in a folder."""
EPOCHS = ["1", "1", "1", "2", "0", "-1", "x", ""]


def make(folder: Path) -> None:
    """Make what the command lines name."""
    rng = np.random.default_rng(0)
    X = rng.random((60, 4, 4))
    np.save(folder / "x.npy", X)
    table = "a,b\n" + "".join(f"{a:.3f},{'xyz'[i % 3]}\n" for i, a in enumerate(rng.random(60)))
    (folder / "t.csv").write_text(table)
    Autoencoder(2, epochs=1, hidden=(4,), random_state=0).fit(X).save(folder / "m.safetensors")
    VAE(2, epochs=1, hidden=(4,), random_state=0).fit(X).save(folder / "vae.safetensors")
    (folder / "codes.csv").write_text("code0,code1\n0.1,0.2\n")
    from PIL import Image

    (folder / "images").mkdir()
    for i in range(12):
        Image.fromarray((255 * X[i]).astype(np.uint8)).save(folder / "images" / f"{i}.png")
    Image.fromarray((255 * X[0]).astype(np.uint8)).save(folder / "image.png")
    (folder / "empty").mkdir()
    for suffix in ("npy", "csv"):
        (folder / f"empty.{suffix}").touch()
    for suffix in ("npy", "csv", "png", "safetensors"):
        (folder / f"text.{suffix}").write_text("neither fish nor fowl\n")
        os.mkfifo(folder / f"fifo.{suffix}")
    for suffix in ("npy", "csv", "parquet", "safetensors"):
        (folder / f"zero.{suffix}").symlink_to("/dev/zero")
    os.mkfifo(folder / "fifo")
    (folder / "round").symlink_to("round")
    for name, *line in (("t", "t.csv"), ("run", "x.npy", "--latent-dim", "2")):
        ended, said = typed(["train", *line, "--epochs", "1", "--out", name])
        assert ended == 0, said
    (folder / "t.safetensors").symlink_to(next((folder / "t").glob("*.safetensors")))


def line(rng: random.Random, verbs: dict[str, Any], number: int) -> list[str]:
    """Return a command line of which most is right."""
    verb = rng.choice(list(verbs))
    words = [verb]
    options = [
        p for p in verbs[verb].params if p.param_type_name == "option" and not {"--help", "--follow"} & set(p.opts)
    ]
    arguments = [p for p in verbs[verb].params if p.param_type_name == "argument"]
    words += [
        f"out{number}.onnx" if argument.metavar == "FILE.onnx" else value(rng, argument.metavar)
        for argument in arguments
        if rng.random() < 0.97 or verb == "explore"
    ]
    for parameter in rng.sample(options, min(len(options), rng.choice([0, 0, 1, 1, 1, 2, 3]))):
        if parameter.is_flag:
            words.append(parameter.opts[0])
        elif parameter.opts[0] != "--epochs":
            words += [parameter.opts[0], value(rng, parameter.metavar, f"out{number}")]
    if verb in {"train", "sweep", "map"}:
        words += ["--epochs", rng.choice(EPOCHS)]
    return words


def value(rng: random.Random, metavar: str, new: str = "") -> str:
    """Return what could stand for ``metavar``, mostly sensible."""
    chance = rng.random()
    if chance < 0.2:
        return rng.choice(NO_FILES)
    if chance < 0.35:
        return rng.choice(SILLY)
    if metavar in {"FOLDER", "FILE", "PATH"}:
        return rng.choice([new, f"{new}.csv", f"{new}.npy", f"{new}.parquet", "run", "t.csv"])
    return rng.choice(GOOD.get(metavar, SILLY[2:16]))


End = Callable[[Sequence[str]], tuple[object, str]]
"""Runs a command line, and returns how it ended, and what it said."""


class Hung(BaseException):
    """A command that took too long, as no handler of errors may take for one."""


def hung(*_: object) -> None:
    """Stop a command."""
    raise Hung


def typed(words: Sequence[str]) -> tuple[object, str]:
    """Return how a command ended, its status or what came through, and what it said on standard error."""
    sys.argv = ["narrows", *words]
    output, errors = io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace"), io.StringIO()
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.alarm(WAITED)
    try:
        with redirect_stdout(output), redirect_stderr(errors):
            cli.main()
    except SystemExit as end:
        return end.code, errors.getvalue()
    except BaseException as error:  # noqa: BLE001 - any of them is what is looked for
        told = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} in {Path(told.filename).name}:{told.lineno}", str(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
    return "no end", ""


def fault(words: Sequence[str], ended: object, said: str) -> str:
    """Return what is wrong with the end of a command; "" if nothing is."""
    if ended not in (0, 1, 2, *([3] if words[0] == "watch" else [])):  # by which a watch says that the data changed
        return f"{ended}: {said[:200]}"
    if "Traceback" in said:
        return "a traceback"
    told = [text for text in said.splitlines() if text.startswith("narrows: error: ")]
    if ended != 2:
        return "" if not told else f"an error, and status {ended}"
    if len(told) != 1 or not said.rstrip("\n").endswith(told[0]):
        return f"no line, or more than one: {said[-200:]!r}"
    return "" if named(words, told[0].partition(" (narrows help ")[0]) else f"names nothing that was typed: {told[0]}"


def named(words: Sequence[str], told: str) -> bool:
    """Return whether an error names an option, an argument or a value, or an argument that is missing."""
    parts = {part for word in words[1:] for part in (word, word.lstrip("-"), *word.split("="), *word.split(","))}
    parts |= {" ".join(part.split()) for part in parts}  # as an error has it, which is one line
    parts |= {part.replace("-", "_") for part in parts if part.startswith(tuple("abcdefghijklmnopqrstuvwxyz"))}
    shown = {part for part in parts if len(part.strip()) > 1} | {repr(part) for part in parts}
    return (
        any(name in told for name in (*GOOD, "FILE.onnx"))
        or re.search(OWN, told) is not None
        or any(part[:100] in told for part in shown)
        or told.removeprefix("narrows: error: ").split(" ")[0] in parts  # short ones where the error begins with them
    )


def broken(*_: object) -> None:
    """Say an error as nobody should."""
    print("narrows: error: it does not work", file=sys.stderr)
    sys.exit(2)


def count(number: int, verbs: dict[str, Any], end: End, seed: int, *, told: bool = True) -> Row:
    """Return what comes of ``number`` command lines, and say on standard error which were wrong."""
    rng, ends, faults = random.Random(seed), Counter[object](), Counter[str]()
    for one in range(number):
        words = line(rng, verbs, one)
        ended, said = end(words)
        ends[ended] += 1
        if wrong := fault(words, ended, said):
            faults[words[0]] += 1
            if told:
                print(f"{[word[:60] for word in words]}: {wrong}", file=sys.stderr)
    figure = f"{number:,}; ends {dict(sorted(ends.items(), key=str))}; wrong {sum(faults.values())}"
    return Row("command lines at random", figure, "0 wrong", not faults and ends[0] > 0 and ends[2] > 0)


def in_process(words: Sequence[str]) -> tuple[object, str]:
    """Return how a process of its own ended."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "narrows", *words]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=WAITED, check=False)
    except subprocess.TimeoutExpired:
        return "hung", ""
    return done.returncode, done.stderr


def rows(share: float) -> Iterator[Row]:
    """Yield what comes of command lines, of some as processes, and of a command line whose errors name nothing."""
    torch.set_num_threads(1)  # whose seconds would all count, also of those that wait for each other
    resource.setrlimit(resource.RLIMIT_DATA, (BYTES, BYTES))
    signal.signal(signal.SIGALRM, hung)
    signal.signal(signal.SIGPROF, hung)
    uvicorn.Server.run = lambda *_, **__: None  # type: ignore[method-assign]
    webbrowser.open = lambda *_, **__: True  # type: ignore[assignment]
    for module in (anomalies, looking, making, using, writing):
        module.write_figures = lambda *_: []  # type: ignore[attr-defined]
    page._shown = lambda _: ""  # type: ignore[assignment]
    verbs: dict[str, Any] = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        try:
            make(Path(name))
            yield count(round(LINES * share), verbs, typed, 0)
            served = {name: verb for name, verb in verbs.items() if name not in {"serve", "explore"}}
            few = count(round(PROCESSES * share) or 1, served, in_process, 1)
            yield Row("— as processes", few.figure, few.target, "wrong 0" in few.figure)
            cli._fail = broken  # type: ignore[assignment]
            twin = count(20, verbs, typed, 2, told=False)
            yield Row("— twin whose errors name nothing: caught", twin.figure, "≥ 1", not twin.holds)
        finally:
            os.chdir(before)
