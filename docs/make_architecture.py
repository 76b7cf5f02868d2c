"""Draw what imports what, from the imports themselves: ``.venv/bin/python docs/make_architecture.py``.

A part stands above all that it imports. Of the arrows, those that follow from others are left out: where A imports B,
and B imports C, that A imports C as well is not drawn.
"""

import ast
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "narrows"
LEFT_OUT = {"__main__", "pages", "arguments", "chunks", "dates"}
"""The package itself, and the leaves that nearly all import."""

BOX, APART = 1.37, 1.45
"""How wide a part is drawn, and how far from the next, in inches."""

SAYS = {
    "cli": "the command line",
    "columns": "cells ↔ numbers",
    "compiled": "kernels in C",
    "components": "principal components",
    "data": "what people have",
    "drawing": "arrays → pictures",
    "estimators": "scikit-learn's shell",
    "evaluation": "numbers from arrays",
    "export": "ONNX files",
    "exported": "what these say",
    "fitted": "the result, one value",
    "foundations": "the lecture, first half",
    "latent": "what codes can do",
    "lecture": "its pages",
    "models": "the parts, in torch",
    "recipes": "named settings",
    "runs": "every verb's work",
    "scaling": "units ↔ numbers",
    "scorer": "for other engines",
    "serving": "models behind HTTP",
    "storage": "one safe file",
    "sweeps": "which latent_dim",
    "training": "one loop of steps",
    "web": "the explorer",
}


def imports() -> dict[str, set[str]]:
    """Return what each part of narrows imports of the others."""
    found: dict[str, set[str]] = {}
    for path in SOURCE.rglob("*.py"):
        part = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        here = found.setdefault(part, set())
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "narrows":
                names = [node.module] if "." in (node.module or "") else [f"narrows.{one.name}" for one in node.names]
            elif isinstance(node, ast.Import):
                names = [one.name for one in node.names]
            here |= {name.split(".")[1] for name in names if name and name.startswith("narrows.")} - {part}
    drawn = found.keys() - {*LEFT_OUT, "__init__"}  # of a public name, `narrows` itself knows where it is from
    return {part: found[part] & drawn for part in sorted(drawn)}


def levels(graph: dict[str, set[str]]) -> dict[str, int]:
    """Return how high each part stands: one above the highest of what it imports."""
    level: dict[str, int] = {}
    for part in TopologicalSorter(graph).static_order():
        level[part] = 1 + max((level[below] for below in graph[part]), default=-1)
    return level


def needed(graph: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Return the arrows that do not follow from others."""
    beneath: dict[str, set[str]] = {}
    for part in TopologicalSorter(graph).static_order():
        beneath[part] = graph[part].union(*(beneath[below] for below in graph[part]))
    return [
        (part, below)
        for part, direct in graph.items()
        for below in sorted(direct)
        if not any(below in beneath[other] for other in direct - {below})
    ]


def places(graph: dict[str, set[str]], level: dict[str, int]) -> dict[str, tuple[float, float]]:
    """Return where each part stands: on its level, near what it is joined to, so that few arrows cross."""
    rows = {height: sorted(part for part in graph if level[part] == height) for height in {*level.values()}}
    across = {part: (i + 0.5) / len(row) for row in rows.values() for i, part in enumerate(row)}
    arrows = needed(graph)
    for _ in range(20):
        for row in rows.values():
            middle = {
                part: [across[other] for pair in arrows if part in pair for other in pair if other != part]
                for part in row
            }
            row.sort(key=lambda part: sum(middle[part]) / len(middle[part]) if middle[part] else across[part])
            across |= {part: (i + 0.5) / len(row) for i, part in enumerate(row)}
    return {part: (across[part], level[part]) for part in graph}


def draw() -> Figure:
    """Return the picture."""
    graph = imports()
    level = levels(graph)
    place = places(graph, level)
    wide = APART * max(Counter(level.values()).values())
    figure = Figure(figsize=(wide, 9), dpi=100, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.6, max(level.values()) + 0.6))
    axes.axis("off")
    for above, below in needed(graph):
        (x, y), (to, down) = place[above], place[below]
        steps = y - down
        bend = 0.0 if steps == 1 else (0.5 if abs(to - x) < 0.1 else 0.15) * (-1 if to >= x else 1)
        axes.add_patch(
            FancyArrowPatch(
                (x, y - 0.26),
                (to, down + 0.26),
                arrowstyle="-|>",
                mutation_scale=10,
                color="#8a94a6",
                linewidth=1,
                connectionstyle=f"arc3,rad={bend}",
                zorder=1,
            )
        )
    for part, (x, y) in place.items():
        folder = (SOURCE / part).is_dir()
        axes.add_patch(
            FancyBboxPatch(
                (x - BOX / wide / 2, y - 0.24),
                BOX / wide,
                0.48,
                boxstyle="round,pad=0,rounding_size=0.008",
                mutation_aspect=8,
                facecolor="#d9e6fa" if folder else "#eef3fb",
                edgecolor="#5b7db1",
                zorder=2,
            )
        )
        name = part + ("/" if folder else ".py")
        axes.text(x, y + 0.08, name, ha="center", va="center", fontsize=11, weight="bold", color="#14213d", zorder=3)
        axes.text(x, y - 0.12, SAYS[part], ha="center", va="center", fontsize=7.5, color="#3d4a63", zorder=3)
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).parent / "pictures" / "architecture.png")
