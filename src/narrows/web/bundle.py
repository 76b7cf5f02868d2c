"""The explorer's page as one file: its modules joined into one script, its rules into one sheet, and what is shared.

A module becomes a function that returns what the module exports, and stands after those that it imports; so there can
be no circle among them. Nothing is loaded by such a page: a policy in its head forbids it, and names its one script and
its one sheet by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from graphlib import TopologicalSorter
from pathlib import Path, PurePosixPath

__all__ = ["STATIC", "joined", "page"]

STATIC = Path(__file__).parent / "static"

RULES = ("shell/page.css", "widgets/widgets.css")
"""Those of all views."""

COMMENT = re.compile(r"/\*\*.*?\*/|^\s*//.*?$", re.DOTALL | re.MULTILINE)
IMPORT = re.compile(r"^import (?:\{(?P<names>[^}]*)\}|\* as (?P<all>\w+)) from '(?P<path>[^']+)';$", re.MULTILINE)
EXPORT = re.compile(
    r"^export (?=(?:async function|function\*?|class|const) (?:\[(?P<several>[^\]]*)\]|(?P<one>\w+)))", re.MULTILINE
)
WANTED = re.compile(r"\bimport\(")

PRELUDE = """const modules = {};
const imported = (path) => Promise.resolve(modules[path.replace('../', '')]);"""
"""Views are imported when they are wanted, from a folder next to theirs; here they are there already."""

PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta http-equiv="content-security-policy" content="{policy}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>narrows</title>
    <link rel="icon" href="data:image/svg+xml;base64,{icon}" />
    <style>{rules}</style>
  </head>
  <body>
    <noscript>This page needs JavaScript. · Tato stránka potřebuje JavaScript.</noscript>
    <script type="application/octet-stream" id="shared" data-views="{views}" data-answers="{answers}">
{shared}</script>
    <script type="module">{script}</script>
  </body>
</html>
"""


def page(views: Sequence[tuple[str, str]], answers: Sequence[str], shared: bytes) -> str:
    """Return the page as one file of HTML.

    Parameters
    ----------
    views
        The folder and the name of each view that it has, in the page's order.
    answers
        The names of the modules that answer these.
    shared
        What they answer from, zipped.
    """
    modules = [f"views/{folder}/{name}.js" for folder, name in views]
    modules += [f"answers/{name}.js" for name in ("answers", *answers)]
    script = joined([*modules, "shell/app.js"])
    sheets = [*RULES, *dict.fromkeys(f"views/{folder}/{name}.css" for folder, name in views)]
    rules = "\n".join((STATIC / sheet).read_text(encoding="utf-8") for sheet in sheets)
    assert "</" not in rules  # nothing in it could end it
    assert "</script" not in script
    assert "<!--" not in script
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(rules)}'; img-src data: blob:; "
        "connect-src 'none'; base-uri 'none'; form-action 'none'"
    )
    return PAGE.format(
        policy=policy,
        icon=base64.b64encode((STATIC / "icon.svg").read_bytes()).decode(),
        rules=rules,
        views=" ".join(name for _, name in views),
        answers=" ".join(answers),
        shared=base64.b64encode(shared).decode(),
        script=script,
    )


def joined(names: Sequence[str]) -> str:
    """Return the modules of those ``names``, and all that they import, as one script, the last one at its end."""
    sources: dict[str, str] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in sources:
            sources[name] = COMMENT.sub("", (STATIC / name).read_text(encoding="utf-8"))
            waiting += _imports(name, sources[name])
    graph = {name: set(_imports(name, source)) for name, source in sources.items()}
    graph[names[-1]] |= sources.keys() - {names[-1]}
    order = TopologicalSorter(graph).static_order()
    return "\n".join([PRELUDE, *(_scoped(name, sources[name]) for name in order)]) + "\n"


def _imports(name: str, source: str) -> Iterable[str]:
    return [_resolved(name, found["path"]) for found in IMPORT.finditer(source)]


def _resolved(name: str, path: str) -> str:
    """Return the name of the module that the one called ``name`` means by ``path``."""
    parts: list[str] = []
    for part in (PurePosixPath(name).parent / path).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)


def _scoped(name: str, source: str) -> str:
    """Return a module as a statement that puts what it exports among ``modules``."""

    def taken(found: re.Match[str]) -> str:
        names = found["all"] or f"{{{found['names'].replace(' as ', ': ')}}}"
        return f"const {names} = modules['{_resolved(name, found['path'])}'];"

    exported = [found["one"] or found["several"] for found in EXPORT.finditer(source)]
    body = WANTED.sub("imported(", EXPORT.sub("", IMPORT.sub(taken, source)))
    lines = [line for line in body.splitlines() if line.strip()]
    return "\n".join([f"modules['{name}'] = (() => {{", *lines, f"return {{ {', '.join(exported)} }};", "})();"])


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
