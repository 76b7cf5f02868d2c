"""What a person waits for: this build beside that of another commit, and beside what there is without narrows.

``python3 dev.py bench against REV`` checks ``REV`` out into a folder of its own and runs both with the same Python and
the same versions of everything else, taking turns; each piece of work is a process of its own. Medians of five rounds,
CPU and wall seconds, with one thread, or as many as ``OMP_NUM_THREADS`` says; then ratios of CPU time. Fits are timed
from data in memory to the fitted model and begin when all is imported, as in a notebook; commands are timed whole.
``NARROWS_MNIST`` as of ``benchmarks.likelihood``.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT, ROUNDS, THREADS = Path(__file__).resolve().parents[1], 5, os.environ.get("OMP_NUM_THREADS", "1")

Seconds = NDArray[np.float64]

SETUP = """
import os, tempfile, time, warnings
import numpy as np, torch
torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
warnings.simplefilter("ignore")
from narrows import VAE, Autoencoder, recipes
from narrows.data import load_data
from narrows.estimators.fitting import fit_together
X = (load_data("digits").X.reshape(-1, 64) / 16).astype(np.float32)
def lecture(d=8):
    return Autoencoder(d, random_state=0, **recipes.LECTURE)
lecture().fit(X[:64]).sample(2)  # imports what only fits import
folder = tempfile.TemporaryDirectory()
def error(model):
    return f"error {model.anomaly_score(X, by='reconstruction').mean():.4f}"
def plain(d, epochs=100):
    from benchmarks import loops
    return lambda: loops.plain(X, (32,), d, 0, epochs)
BEFORE
started = time.process_time(), time.perf_counter()
done = WORK
ended = time.process_time(), time.perf_counter()
print(ended[0] - started[0], ended[1] - started[1], SAID)
"""

WARM = "plain(8, 1)()"
"""Before the loop: its optimiser imports torch's compiler, which takes two fifths of the time of its 100 epochs."""

DIMS = "(1, 2, 4, 8, 16)"
SWEEP = f"models = [lecture(d) for d in {DIMS}]"

FITS: dict[str, tuple[str, str, str, str]] = {
    "lecture's recipe, d = 8, fit": ("", "lecture().fit(X)", "error(done)", "(8,)"),
    "the same, saved": ("", "lecture().fit(X).save(folder.name + '/model.safetensors')", "''", "(8,)"),
    "the same, and 64 new digits": ("", "lecture().fit(X).sample(64)", "''", "(8,)"),
    "the same, its steps alone": (
        "steps = lecture().fit_steps(X)",
        "next(step for step in steps if step.step == step.steps)",
        "''",
        "(8,)",
    ),
    f"lecture's recipe, d = {DIMS[1:-1]}, fit": (
        SWEEP,
        "[None for _ in fit_together(models, X)] and models[-1]",
        "error(done)",
        DIMS,
    ),
    "our defaults, d = 8, fit": ("", "Autoencoder(8, random_state=0).fit(X[:1437])", "error(done)", ""),
    "GridSearchCV, d = 2, 4, 8, cv = 3": (
        "from sklearn.model_selection import GridSearchCV",
        "GridSearchCV(Autoencoder(random_state=0), {'latent_dim': [2, 4, 8]}, cv=3).fit(X)",
        "f'score {done.best_score_:.1f} nats'",
        "",
    ),
}
"""Work: what comes before it, itself, what is said of it, and the latent_dim of the plain loops beside it."""

MNIST = {
    "a VAE of MNIST, evaluated on 10,000 images": (
        """rows = np.asarray(load_data(os.environ["NARROWS_MNIST"]).X).reshape(70_000, -1)
model = VAE(16, epochs=2, random_state=0).fit(rows[:20_000])""",
        "model.evaluate(rows[60_000:])",
        "f'error {done.comparison.model.error.value:.4f}'",
        "",
    )
}

CLASSIC = {
    "this build": (
        "VAE(20, hidden=(400,), likelihood='bernoulli', scaling='global', prior='normal', random_state=0, epochs=3, "
        "warm_up=0.0, input_noise=0.0, validation_fraction=0.0).fit(rows[:60_000]).fitted_.model"
    ),
    "plain PyTorch loop": "loops.classic_vae(rows[:60_000], 10)",
}
"""A dense VAE of MNIST's grey values (784-400-20); the loop is the classic example, whose logs end at 105.6 nats."""

GREY = """
from benchmarks import loops, training
rows = np.asarray(load_data(os.environ["NARROWS_MNIST"]).X, np.float32).reshape(70_000, -1) / 255
"""

MEMORY = """
import threading, time, torch
def held():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("RssAnon")) / 1024
most = [held()]
def watch():
    while True:
        most[0] = max(most[0], held())
        time.sleep(0.003)
threading.Thread(target=watch, daemon=True).start()
if rows := FILE:
    from narrows import Autoencoder
    from narrows.data import load_data
    torch.set_num_threads(1)
    X = load_data(rows).X
    Autoencoder(4, epochs=1, batch_size=1024, random_state=0).fit(X).transform(X)
print(most[0])
"""

COMMANDS = {
    "python3 dev.py demo, set up": ["sweep", "digits", "--out", "OUT"],
    "narrows generate MODEL": ["generate", "MODEL", "--out", "OUT"],
    "narrows encode MODEL digits": ["encode", "MODEL", "digits", "--out", "OUT.csv"],
    "narrows evaluate MODEL digits": ["evaluate", "MODEL", "digits", "--out", "OUT"],
}


def run(tree: Path, *arguments: str) -> tuple[Seconds, str]:
    """Return the CPU and wall seconds of a Python process with the narrows of ``tree``, and what it printed."""
    places = os.pathsep.join([str(tree / "src"), str(ROOT)])
    env = dict(os.environ, PYTHONPATH=places, OMP_NUM_THREADS=THREADS)
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has been compiled
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], env=env, capture_output=True, text=True, check=True)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - started
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return np.array([cpu, wall]), done.stdout


def script(before: str, work: str, said: str) -> str:
    """Return a program that times ``work``."""
    return SETUP.replace("BEFORE", before).replace("WORK", work).replace("SAID", said)


def fit(tree: Path, before: str, work: str, said: str) -> tuple[Seconds, str]:
    """Return the seconds of ``work`` alone, and what is said of it."""
    cpu, wall, *told = run(tree, "-c", script(before, work, said))[1].split()
    return np.array([cpu, wall], float), " ".join(told)


def command(tree: Path, folder: Path, name: str) -> tuple[Seconds, str]:
    """Return the seconds of a command, whose files are written into a new folder."""
    with tempfile.TemporaryDirectory(dir=folder) as out:
        found = {"MODEL": str(folder / "model.safetensors")}
        words = [found.get(word, word.replace("OUT", f"{out}/new")) for word in COMMANDS[name]]
        return run(tree, "-m", "narrows", *words)[0], ""


def processor() -> str:
    """Return the processor's name, as Linux has it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))


def row(name: str, work: dict[str, object], rounds: int) -> None:
    """Print a line: median seconds of each, in turns, what was said, and their CPU time by that of this build."""
    times: dict[str, list[Seconds]] = {who: [] for who in work}
    said: dict[str, str] = {}
    for _ in range(rounds):
        for who, do in work.items():
            found, said[who] = do()  # type: ignore[operator]
            times[who].append(found)
    median = {who: np.median(each, 0) for who, each in times.items()}
    mine = median["this build"][0]
    cells = [
        f"{who} {cpu:.3f} ({wall:.3f}) s{said[who] and ', ' + said[who]}: {cpu / mine:.2f} ×"
        for who, (cpu, wall) in median.items()
    ]
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main(revision: str, rounds: int = ROUNDS) -> None:
    """Print the table, in Markdown, of this build and the one of ``revision``."""
    with tempfile.TemporaryDirectory() as folder:
        other, git = Path(folder) / "tree", ["git", "-C", str(ROOT)]
        subprocess.run([*git, "worktree", "add", "--quiet", "--detach", str(other), revision], check=True)
        try:
            compare({"this build": ROOT, f"the build of {revision}": other}, Path(folder), rounds)
        finally:
            subprocess.run([*git, "worktree", "remove", "--force", str(other)], check=True)


def compare(trees: dict[str, Path], folder: Path, rounds: int) -> None:
    """Print the table's rows; of models that commands are given, each build takes its own."""
    print(f"{processor()}, torch {version('torch')}; threads: {THREADS}.\n")
    print("| work | CPU (wall) seconds, and how many times this build's CPU | | |\n|---|---|---|---|")
    for name, (before, work, said, dims) in (FITS | (MNIST if "NARROWS_MNIST" in os.environ else {})).items():
        turns: dict[str, object] = {
            who: lambda tree=tree: fit(tree, before, work, said)  # noqa: B023 - called before the next
            for who, tree in trees.items()
        }
        if dims:
            loops = f"[plain(d)() for d in {dims}][-1]"
            turns["plain PyTorch loop"] = lambda: fit(ROOT, WARM, loops, "f'error {done:.4f}'")  # noqa: B023 - likewise
        row(name, turns, rounds)
    if "NARROWS_MNIST" in os.environ:
        said = "f'{training.bound(done, rows[60_000:]):.1f} nats'"
        classic = {who: lambda work=work: fit(ROOT, GREY, work, said) for who, work in CLASSIC.items()}
        row("a VAE of MNIST's 60,000 grey images, 784-400-20", classic, 1)
    memory(trees, folder)
    for number, tree in enumerate(trees.values()):
        place = folder / str(number)
        place.mkdir()
        work = f"Autoencoder(8, random_state=0).fit(load_data('digits').X[:1437]).save('{place}/model.safetensors')"
        run(tree, "-c", script("", work, "''"))
    for name in COMMANDS:
        turns = {
            who: lambda tree=tree, place=folder / str(number): command(tree, place, name)  # noqa: B023 - likewise
            for number, (who, tree) in enumerate(trees.items())
        }
        row(name, turns | {"import torch": lambda: (run(ROOT, "-c", "import torch")[0], "")}, rounds)


def memory(trees: dict[str, Path], folder: Path) -> None:
    """Print the row of peak memory, mapped files aside, of fitting and encoding a million rows in a file."""
    rows = folder / "rows.npy"
    np.save(rows, np.random.default_rng(0).normal(size=(1_000_000, 20)).astype(np.float32))
    told = {who: float(run(tree, "-c", MEMORY.replace("FILE", repr(str(rows))))[1]) for who, tree in trees.items()}
    alone = float(run(ROOT, "-c", MEMORY.replace("FILE", "''"))[1])
    cells = [f"{who} {peak:.0f} MiB: {peak / alone:.2f} × import torch" for who, peak in told.items()]
    print(f"| 1,000,000 × 20 rows from a file, fit and encode | {' | '.join(cells)} |", flush=True)
