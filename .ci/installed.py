"""The distribution as others get it: built, installed into empty environments, and used outside of the repository.

    python3 .ci/installed.py

Builds an sdist, and from that a wheel for any Python 3 of this platform. Installs the wheel into an empty environment,
which must then have compiled kernels if there is a compiler, and there, in another folder, sweeps the digits, draws a
page of the lecture, prints one of the documentation, and starts the explorer, of which every static file is fetched.
Then a newer torch is put there (a wheel without content, since a real one has gigabytes), and pip is asked what it
would do to install narrows: it must leave torch alone.
"""

import http.cookiejar
import json
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import venv
import zipfile
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STATIC = ROOT / "src" / "narrows" / "web" / "static"
CONSTRAINTS = ROOT / "constraints.txt"
NEWER = re.findall(r"^torch<(.*)", CONSTRAINTS.read_text(encoding="utf-8"), re.MULTILINE)[0]
"""The first torch that is newer than what the constraints let into the project's own environments."""


def environment(folder: Path) -> str:
    """Build an empty environment, and return its interpreter."""
    venv.create(folder, with_pip=True, symlinks=True)
    return str(folder / "bin" / "python")


def run(*command: object, cwd: Path) -> str:
    """Run a command and return what it printed; stop where it fails."""
    print("$", *(str(part).replace(str(cwd), ".") for part in command), flush=True)
    return subprocess.run([*map(str, command)], cwd=cwd, check=True, stdout=subprocess.PIPE, text=True).stdout


def built(python: str, folder: Path) -> Path:
    """Return the wheel that is made of the sdist that is made of the repository."""
    run(python, "-m", "pip", "install", "--quiet", "build", cwd=folder)
    run(python, "-m", "build", "--outdir", folder / "dist", ROOT, cwd=folder)
    (wheel,) = (folder / "dist").glob("*-py3-none-*.whl")
    return wheel


def use(python: str, folder: Path) -> None:
    """Sweep, draw and explore with what is installed."""
    narrows = [python, "-m", "narrows"]
    has_kernels = "from narrows.compiled.kernels import kernels; print(kernels() is not None)"
    assert shutil.which("cc") is None or run(python, "-c", has_kernels, cwd=folder) == "True\n"
    run(*narrows, "sweep", "digits", "--latent-dims", "1,2", "--epochs", 2, "--out", "run", cwd=folder)
    run(*narrows, "lecture", "xor", "--out", "page", cwd=folder)
    assert run(*narrows, "help", "start", cwd=folder) == (ROOT / "docs" / "start.md").read_text("utf-8")
    for wanted in ("run/report.html", "run/reconstructions.png", "page"):
        assert (folder / wanted).exists(), wanted
    command = [*narrows, "explore", "run", "--no-browser"]
    explorer = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        address = next(line.strip() for line in explorer.stdout or [] if "http://" in line)
        fetched(address)
    finally:
        explorer.terminate()
        explorer.wait()


def fetched(address: str) -> None:
    """Fetch every static file of the repository from the explorer, and compare it."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    base = address.partition("?")[0]
    with closing(opener.open(address)) as page:  # which gives the cookie
        assert page.read() == (STATIC / "index.html").read_bytes()
    files = [file for file in STATIC.rglob("*") if file.is_file() and file.name != "index.html"]
    for file in files:
        with closing(opener.open(base + "static/" + file.relative_to(STATIC).as_posix())) as answer:
            assert answer.read() == file.read_bytes(), file
    print(f"  {len(files)} static files are served as they are")


def newer_torch(folder: Path) -> Path:
    """Write a wheel of a newer torch, and leave it empty."""
    path = folder / f"torch-{NEWER}-py3-none-any.whl"
    info = f"torch-{NEWER}.dist-info"
    tags = "Wheel-Version: 1.0\nGenerator: narrows\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: torch\nVersion: {NEWER}\n")
        wheel.writestr(f"{info}/WHEEL", tags)
        wheel.writestr(f"{info}/RECORD", f"{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return path


def main() -> None:
    """Do all of it in a folder that is taken away again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = environment(folder / "venv")
        wheel = built(environment(folder / "builder"), folder)
        pip = [python, "-m", "pip", "--quiet", "install"]
        run(*pip, "--constraint", CONSTRAINTS, wheel, cwd=folder)
        use(python, folder)
        run(python, "-m", "pip", "--quiet", "uninstall", "--yes", "narrows", cwd=folder)
        run(*pip, "--no-deps", "--force-reinstall", newer_torch(folder), cwd=folder)
        report = json.loads(run(*pip, "--dry-run", "--report", "-", wheel, cwd=folder))
        planned = [item["metadata"]["name"] for item in report["install"]]
        assert planned == ["narrows"], planned
        print(f"  with torch {NEWER} there, pip would install {', '.join(planned)} and nothing else")


if __name__ == "__main__":
    sys.exit(main())
