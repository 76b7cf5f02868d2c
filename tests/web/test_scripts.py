"""The page's scripts: their types by TypeScript, their functions by node; and that each word of theirs exists.

Without node or TypeScript they are skipped; NARROWS_REQUIRE_BROWSER=1 forbids that.
"""

import re
import subprocess
from pathlib import Path

import narrows.web
from outside import from_npm, program

STATIC = Path(narrows.web.__file__).parent / "static"
SCRIPTS = sorted(STATIC.rglob("*.js"))
STRINGS = "\n".join(path.read_text(encoding="utf-8") for path in sorted((STATIC / "strings").iterdir()))
TYPES = "--strict --checkJs --allowJs --noEmit --target es2022 --module nodenext --lib es2023,dom,dom.iterable"


def test_functions():
    units = Path(__file__).with_name("units.test.mjs")
    done = subprocess.run([program("node"), "--test", units], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_types(tmp_path_factory):
    tsc = from_npm("typescript", 5, tmp_path_factory) / ".bin" / "tsc"
    done = subprocess.run([tsc, *TYPES.split(), *SCRIPTS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_word_is_in_the_strings():
    known = set(re.findall(r"^  '([\w.-]+)':", STRINGS, re.MULTILINE))
    used = {key for path in SCRIPTS for key in re.findall(r"\bt\(\s*'([\w.-]+)'", path.read_text(encoding="utf-8"))}
    assert len(used) > 80
    assert used <= known


def test_no_word_is_left_over():
    """Keys that are put together are found by what stands before the last dot, or are a view's lead."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS if path.parent.name != "strings")
    for key in re.findall(r"^  '([\w.-]+)':", STRINGS, re.MULTILINE):
        put_together = f"`{key.rpartition('.')[0]}.${{" in text or key.endswith(".lead")
        assert f"'{key}'" in text or put_together, key


def test_nothing_comes_from_elsewhere():
    """No address but SVG's name, no inline script or style, and nothing that a strict policy forbids."""
    for path in [*SCRIPTS, *STATIC.glob("*.html"), *STATIC.rglob("*.css")]:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|@import|\burl\(", text), path
        assert not re.search(r"\beval\(|new Function|innerHTML|\.style\.cssText", text), path
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)", page)


def test_the_first_page_asks_for_all_its_scripts_at_once():
    """The page names what its own script and the first view import, one in another."""
    needed, waiting = set(), [STATIC / "shell" / "app.js", STATIC / "views" / "plane" / "plane.js"]
    while waiting:
        path = waiting.pop()
        if path not in needed:
            needed.add(path)
            imported = re.findall(r"^import .*? from '(.*?)';$", path.read_text(encoding="utf-8"), re.MULTILINE)
            waiting += [(path.parent / name).resolve() for name in imported]
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    named = re.findall(r'rel="modulepreload" href="/static/(.*?)"', page)
    assert sorted(named) == sorted(path.relative_to(STATIC).as_posix() for path in needed)
