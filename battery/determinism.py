"""Fresh processes come to the same weights of every member, and leave what is the process's own as it was.

That is looked at after a first fit, whose imports of other libraries do touch it: scikit-learn imports rich, which
draws from ``random`` meanwhile, and SciPy filters warnings of its own.
"""

from __future__ import annotations

import hashlib
import json
import locale
import os
import random
import subprocess
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from battery.row import ROOT, Row

__all__ = ["rows"]

PROCESSES = 10


def weights() -> dict[str, str]:
    """Return the digest of each member's weights after a fit, and that of the process's state before and after."""
    torch.manual_seed(0)  # of which a member's own nets are drawn, as a user's
    from members import CASES, MEMBERS, OF_IMAGES, SHAPES, data, labels

    MEMBERS["autoencoder"].fit(data(SHAPES["rows"]))
    found, before = {}, state()
    for name, kind in CASES:
        model, X = (MEMBERS | OF_IMAGES)[name], data(SHAPES[kind])
        model.set_params(random_state=int(os.environ.get("BATTERY_SEED", "0")))
        model.fit(X, labels(len(X)) if model.conditional else None)
        digest = hashlib.sha256()
        for tensor in model.model_.state_dict().values():
            digest.update(tensor.numpy().tobytes())
        found[f"{name}, {kind}"] = digest.hexdigest()
    after = state()
    return found | {"state": ", ".join(name for name in before if before[name] != after[name])}


def state() -> dict[str, str]:
    """Return what a process has of random numbers, threads, warnings and its locale."""
    return {
        "random": repr(random.getstate()),
        "torch": repr((torch.get_rng_state().tolist(), torch.get_num_threads(), torch.get_default_dtype())),
        "NumPy": repr((np.random.get_state()[1].tolist(), np.geterr())),  # type: ignore[index]  # noqa: NPY002
        "warnings": repr(warnings.filters),
        "locale": repr((locale.setlocale(locale.LC_ALL), Path.cwd())),
    }


def fresh(seed: int = 0) -> dict[str, str]:
    """Return `weights` of a new process."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    environment = os.environ | {"PYTHONPATH": path, "BATTERY_SEED": str(seed), "PYTHONHASHSEED": "random"}
    command = [
        sys.executable,
        "-c",
        "import json; from battery import determinism as d; print(json.dumps(d.weights()))",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def rows(share: float) -> Iterator[Row]:
    """Yield how many members differ between processes, whether the state does, and what another seed does."""
    count = max(2, round(PROCESSES * share))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        *runs, other = pool.map(fresh, [0] * count + [1])
    touched = {run.pop("state") for run in runs} - {""}
    different = [name for name in runs[0] if len({run[name] for run in runs}) > 1]
    told = f"{len(runs[0])} members, {len(different)} differ {different or ''}"
    yield Row(f"weights in {count} fresh processes", told, "0 differ", not different)
    yield Row("— what of the process's own was touched", "; ".join(touched) or "nothing", "nothing", not touched)
    caught = sum(other[name] != digest for name, digest in runs[0].items())
    yield Row("— twin with another seed: caught", f"{caught} of {len(runs[0])}", "all", caught == len(runs[0]))
