"""The project's commands: demo, test, lint, bench, docs. Standard library only; builds ``.venv`` by itself.

    python3 dev.py demo            train autoencoders on handwritten digits and draw the lecture's figure
    python3 dev.py test [ARGS]     run the tests; ARGS go to pytest
    python3 dev.py lint            ruff and mypy
    python3 dev.py bench [ARGS]    measure narrows beside its peers
    python3 dev.py docs            build the documentation into docs/_build

Further arguments are passed on to the tool that does the work.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")

EXTRAS = {"demo": (), "test": ("test",), "lint": ("lint", "test"), "bench": ("bench",), "docs": ("docs",)}


def commands(name: str, further: list[str]) -> list[list[str]]:
    """Return the command lines that do ``name``, each a list of arguments."""
    python = str(PYTHON)
    return {
        "demo": [[python, "-m", "narrows", "sweep", "digits", *further]],
        "test": [[python, "-m", "pytest", "-n", "auto", "--dist", "worksteal", *further]],
        "lint": [
            [python, "-m", "ruff", "check", *further],
            [python, "-m", "ruff", "format", "--check"],
            [python, "-m", "mypy"],
        ],
        "bench": [[python, "-m", "benchmarks", *further]],
        "docs": [[python, "-m", "sphinx", "-W", "--keep-going", "-b", "html", *further, "docs", "docs/_build"]],
    }[name]


def stamp_of(extra: str) -> tuple[Path, str]:
    """Return the file that says ``extra`` is installed, and what it must hold: pyproject's and Python's fingerprint."""
    import tomllib  # not at the top, where a Python too old for it would stop without saying so

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = repr((project, sys.version, str(ROOT))).encode()
    return VENV / f".installed-{extra or 'core'}", hashlib.sha256(text).hexdigest()


def installed(extra: str) -> bool:
    """Say whether ``extra`` was installed whole, for the pyproject.toml of now."""
    stamp, fingerprint = stamp_of(extra)
    return PYTHON.exists() and stamp.exists() and stamp.read_text() == fingerprint


def install(extras: tuple[str, ...]) -> None:
    """Build ``.venv`` and install narrows with ``extras``, unless that is done; a half-built one is made anew."""
    missing = [extra for extra in ("", *extras) if not installed(extra)]
    if not missing:
        return
    if "" in missing:
        print(f"Building {VENV.name} (once; torch is large, so this takes a minute or more) …", flush=True)
        venv.create(VENV, with_pip=True, clear=True)
    target = f"{ROOT}[{','.join(filter(None, missing))}]" if any(missing) else str(ROOT)
    subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "--editable", target], check=True)
    for extra in missing:
        stamp, fingerprint = stamp_of(extra)
        stamp.write_text(fingerprint)


def main(arguments: list[str]) -> int:
    """Run the command that ``arguments`` name; return its exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036 - dev.py is also started by a Python that pip would refuse
        print(f"narrows needs Python 3.11 or newer; this is {sys.version.split()[0]}.", file=sys.stderr)
        return 2
    if not arguments or arguments[0] not in EXTRAS:
        print(__doc__)
        return 0 if arguments in ([], ["-h"], ["--help"]) else 2
    name, further = arguments[0], arguments[1:]
    try:
        install(EXTRAS[name])
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"dev.py: could not prepare {VENV}: {error}", file=sys.stderr)
        return 1
    for command in commands(name, further):
        status = subprocess.run(command, cwd=ROOT, check=False).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
