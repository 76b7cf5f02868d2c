"""The project's commands: demo, test, lint, bench, battery, docs. Standard library only; builds ``.venv`` by itself.

    python3 dev.py demo            train autoencoders on handwritten digits and draw the lecture's figure
    python3 dev.py test [ARGS]     run the tests; ARGS go to pytest
    python3 dev.py test --lowest   run the laws with the lowest versions that pyproject.toml allows, in .venv-lowest
    python3 dev.py lint            ruff, mypy, bandit and codespell; for the explorer's scripts Prettier and ESLint
    python3 dev.py bench [ARGS]    measure narrows beside its peers; "against REV" beside another commit of its own
    python3 dev.py battery [ARGS]  damage, attack and kill it; "--bounded" does a fiftieth, as CI does
    python3 dev.py docs            build the documentation into docs/_build

Further arguments are passed on to the tool that does the work. Both environments keep to constraints.txt.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
VENV, LOWEST = ROOT / ".venv", ROOT / ".venv-lowest"
CONSTRAINTS = ROOT / "constraints.txt"

COMPILED = "compiled"
"""What is installed besides the core and extras: the library of kernels, anew when these change."""

KERNELS = [ROOT / "setup.py", *sorted((ROOT / "src/narrows/compiled").glob("*.c"))]

PRETTIER, ESLINT = "prettier@3.10.1", "eslint@9.39.2"
SCRIPTS = ["src/narrows/web/static", "tests/web/*.mjs", "eslint.config.mjs"]

EXTRAS = {
    "demo": (),
    "test": ("test",),
    "lint": ("lint", "test"),
    "bench": ("bench",),
    "battery": ("test", "battery"),
    "docs": ("docs",),
}

# One more than there are cores, since tests of pages mostly wait for the browser; tests/conftest.py says which stay
# together.
IN_PARALLEL = ["-n", str((os.cpu_count() or 1) + 1), "--dist", "loadscope", "--no-loadscope-reorder"]

LAWS = [
    "tests/test_laws.py",
    "tests/columns",
    "tests/data",
    "tests/estimators/test_scikit_learn.py",
    "tests/estimators/test_tables.py",
]
"""What is run with the lowest versions: the family, and whatever meets NumPy, pandas, Pillow and scikit-learn."""


def python_of(environment: Path) -> Path:
    """Return the interpreter of an environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def commands(name: str, python: str, further: list[str]) -> list[list[str]]:
    """Return the command lines that do ``name``, each a list of arguments."""
    known = {
        "demo": [[python, "-m", "narrows", "sweep", "digits", *further]],
        "test": [[python, "-m", "pytest", *IN_PARALLEL, *further]],
        "lint": [
            [python, "-m", "ruff", "check", *further],
            [python, "-m", "ruff", "format", "--check"],
            [python, "-m", "mypy"],
            [python, "-m", "bandit", "--quiet", "--recursive", "--configfile", "pyproject.toml", "src"],
            [python, "-m", "codespell_lib"],
        ],
        "bench": [[python, "-m", "benchmarks", *further]],
        "battery": [[python, "-m", "battery", *further]],
        "docs": [[python, "-m", "sphinx", "-W", "--keep-going", "-b", "html", *further, "docs", "docs/_build"]],
    }[name]
    return [*known, *script_checks()] if name == "lint" else known


def script_checks() -> list[list[str]]:
    """Return the command lines that check the explorer's scripts; none where npx is not installed, except in CI."""
    npx = shutil.which("npx")
    if npx is None and os.environ.get("NARROWS_REQUIRE_BROWSER") != "1":
        print("The explorer's scripts are not checked: npx is not installed.", file=sys.stderr)
        return []
    run = [npx or "npx", "--yes", "--prefer-offline"]  # fetched once, and kept by npx
    return [[*run, PRETTIER, "--check", *SCRIPTS], [*run, ESLINT, *SCRIPTS]]


def project() -> dict[str, Any]:
    """Return what pyproject.toml says of the project."""
    import tomllib  # not at the top, where a Python too old for it would stop without saying so

    said: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return said


def stamp_of(environment: Path, extra: str) -> tuple[Path, str]:
    """Return the file that says ``extra`` is installed, and what it must hold: what an installation depends on."""
    if extra == COMPILED:
        text = b"".join(file.read_bytes() for file in KERNELS)
    else:
        text = repr((project(), CONSTRAINTS.read_text(encoding="utf-8"), sys.version, str(ROOT))).encode()
    return environment / f".installed-{extra or 'core'}", hashlib.sha256(text).hexdigest()


def installed(environment: Path, extra: str) -> bool:
    """Say whether ``extra`` was installed whole, for the pyproject.toml and constraints.txt of now."""
    stamp, fingerprint = stamp_of(environment, extra)
    return python_of(environment).exists() and stamp.exists() and stamp.read_text() == fingerprint


def install(environment: Path, extras: tuple[str, ...], *, lowest: bool) -> None:
    """Build ``environment`` and install narrows with ``extras``, unless that is done; a half-built one is made anew."""
    missing = [extra for extra in ("", COMPILED, *extras) if not installed(environment, extra)]
    if not missing:
        return
    if "" in missing:
        print(f"Building {environment.name} (once; torch is large, so this takes a minute or more) …", flush=True)
        venv.create(environment, with_pip=True, clear=True)
    constraints = lowest_versions(environment, extras) if lowest else CONSTRAINTS
    wanted = ",".join(extra for extra in missing if extra not in {"", COMPILED})
    target = f"{ROOT}[{wanted}]" if wanted else str(ROOT)
    pip = [str(python_of(environment)), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--constraint", str(constraints), "--editable", target], check=True)
    for extra in missing:
        stamp, fingerprint = stamp_of(environment, extra)
        stamp.write_text(fingerprint)


def lowest_versions(environment: Path, extras: tuple[str, ...]) -> Path:
    """Return a file of the lowest direct versions that pyproject.toml allows; constraints.txt decides what it names."""
    decided = {name_of(line) for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines()}
    wanted = [*project()["dependencies"], *(line for e in extras for line in project()["optional-dependencies"][e])]
    open_ = "\n".join(line for line in wanted if name_of(line) not in decided)
    found, python = environment / "lowest.txt", str(python_of(environment))
    subprocess.run([python, "-m", "pip", "install", "--quiet", "uv"], check=True)
    resolve = [python, "-m", "uv", "pip", "compile", "--quiet", "--resolution", "lowest-direct", "--python", python]
    files = ["--constraint", str(CONSTRAINTS), "--output-file", str(found), "-"]
    subprocess.run([*resolve, *files], input=open_, text=True, check=True)
    return found


def name_of(requirement: str) -> str:
    """Return the project that a line of requirements names; "" of a comment."""
    return re.split(r"[^\w.-]", requirement)[0]


def main(arguments: list[str]) -> int:
    """Run the command that ``arguments`` name; return its exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036 - dev.py is also started by a Python that pip would refuse
        print(f"narrows needs Python 3.11 or newer; this is {sys.version.split()[0]}.", file=sys.stderr)
        return 2
    if not arguments or arguments[0] not in EXTRAS:
        print(__doc__)
        return 0 if arguments in ([], ["-h"], ["--help"]) else 2
    name, further = arguments[0], arguments[1:]
    lowest = name == "test" and further[:1] == ["--lowest"]
    if lowest:
        # What old releases call of others' may be deprecated in those.
        further = ["-W", "ignore::DeprecationWarning", *(further[1:] or LAWS)]
    environment = LOWEST if lowest else VENV
    try:
        install(environment, EXTRAS[name], lowest=lowest)
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"dev.py: could not prepare {environment}: {error}", file=sys.stderr)
        return 1
    for command in commands(name, str(python_of(environment)), further):
        try:
            status = subprocess.run(command, cwd=ROOT, check=False).returncode
        except FileNotFoundError:
            print(f"dev.py: {command[0]} is not installed", file=sys.stderr)
            return 1
        if status:
            return status
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
