"""Imports point downward only, there are no cycles, and asking for help loads no torch."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "narrows"
PARTS = {path.stem for path in SOURCE.iterdir()}

# What each part may import of the others, also inside functions. Whatever is not listed imports nothing of ours.
MAY_IMPORT = {
    "columns": {"arguments", "dates", "pages"},
    "components": {"chunks"},
    "scaling": {"arguments", "chunks"},
    "data": {"arguments", "chunks", "dates", "pages"},
    "evaluation": {"arguments", "chunks", "components"},
    "latent": {"arguments"},
    "models": {"columns", "components", "scaling"},
    "storage": {"pages"},
    "training": {"compiled", "evaluation", "models", "pages", "storage"},
    "fitted": {
        "arguments",
        "chunks",
        "columns",
        "compiled",
        "components",
        "data",
        "evaluation",
        "models",
        "scaling",
        "storage",
        "training",
    },
    "estimators": {"arguments", "columns", "data", "evaluation", "fitted", "models", "scaling", "storage", "training"},
    "sweeps": {"arguments", "components", "data", "estimators", "evaluation", "fitted", "training"},
    "scorer": {"arguments", "columns", "data", "estimators", "fitted", "training"},
    "lecture": {"arguments", "drawing", "foundations"},
    "runs": {
        "arguments",
        "chunks",
        "columns",
        "components",
        "data",
        "dates",
        "drawing",
        "estimators",
        "evaluation",
        "export",
        "fitted",
        "latent",
        "lecture",
        "models",
        "scorer",
        "storage",
        "sweeps",
        "training",
    },
    "serving": {"arguments", "columns", "data", "estimators", "fitted", "runs", "training"},
    "exported": {"estimators", "fitted", "models"},
    "export": {"estimators", "exported", "fitted", "models", "storage", "training"},
    "web": {
        "arguments",
        "chunks",
        "columns",
        "data",
        "estimators",
        "evaluation",
        "fitted",
        "foundations",
        "latent",
        "models",
        "recipes",
        "runs",
        "serving",
        "sweeps",
        "training",
    },
    "cli": {
        "",
        "arguments",
        "data",
        "estimators",
        "evaluation",
        "lecture",
        "pages",
        "recipes",
        "runs",
        "serving",
        "sweeps",
        "web",
    },
    "": {"estimators", "latent", "recipes", "scorer", "storage", "sweeps"},
    "__main__": {"cli"},
}


def part(module):
    """The part of narrows that a dotted name belongs to; "" is the package itself."""
    return [*module.split("."), ""][1]


def modules():
    for path in sorted(SOURCE.rglob("*.py")):
        name = ".".join(["narrows", *path.relative_to(SOURCE).with_suffix("").parts]).removesuffix(".__init__")
        yield name, ast.parse(path.read_text(encoding="utf-8"))


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "narrows":
            yield node.module if node.module != "narrows" else "narrows", [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names if alias.name.split(".")[0] == "narrows")


@pytest.mark.parametrize(("name", "tree"), list(modules()), ids=[name for name, _ in modules()])
def test_imports_point_downward(name, tree):
    own = part(name)
    for target, names in imports(tree):
        parts = {part(target)} if target != "narrows" else {name if name in PARTS else "" for name in names}
        for other in parts - {own}:
            assert other in MAY_IMPORT.get(own, set()), f"{name} must not import {target}"


def test_no_cycles_between_modules():
    """Imports inside functions, and those for types alone, count as any others."""
    known = {name for name, _ in modules()}
    graph = {}
    for name, tree in modules():
        graph[name] = set()
        for target, names in imports(tree):
            graph[name] |= {f"{target}.{n}" for n in names if f"{target}.{n}" in known} or {target}
    graph = {name: targets - {name} for name, targets in graph.items()}
    assert len(list(TopologicalSorter(graph).static_order())) >= len(known)


@pytest.mark.parametrize("code", ["import narrows", "import narrows.cli"])
def test_importing_loads_nothing_heavy(code):
    script = f"import sys; {code}; print([m for m in ('torch', 'sklearn', 'matplotlib', 'numpy') if m in sys.modules])"
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"
