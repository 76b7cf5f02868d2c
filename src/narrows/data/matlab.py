"""MATLAB's files up to version 7, read by SciPy in a process of its own: some damaged ones end the process that reads.

Run as a program, ``matlab.py FILE.mat FILE.npz``, it writes a file's arrays of numbers as NumPy has them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["read_matlab_5"]


def read_matlab_5(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of numbers in a file, sparse ones as dense, by name.

    Raises
    ------
    ValueError
        If it is damaged.
    """
    with TemporaryDirectory(prefix="narrows-") as folder:
        made = Path(folder) / "arrays.npz"
        # Not as a module of this package, all of which it would import.
        command = [sys.executable, "-P", __file__, str(path), str(made)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603
        if done.returncode:
            said = done.stderr.strip().splitlines() if done.returncode == 1 else []
            raise ValueError(said[-1].partition(": ")[2] if said else "it is damaged, and SciPy fails on it")
        with np.load(made) as arrays:
            return {name: arrays[f"arr_{place}"] for place, name in enumerate(arrays["names"].tolist())}


def _convert(path: str, made: str) -> None:
    from scipy import io

    found = {name: array.toarray() if hasattr(array, "toarray") else array for name, array in io.loadmat(path).items()}
    kept = {
        name: array
        for name, array in found.items()
        if isinstance(array, np.ndarray) and array.dtype.kind in "buif" and array.size > 1
    }
    np.savez(made, *kept.values(), names=np.array(list(kept), str))


if __name__ == "__main__":
    _convert(*sys.argv[1:])
