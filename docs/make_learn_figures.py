"""Make the figures of the chapters in docs/learn: ``.venv/bin/python docs/make_learn_figures.py [CHAPTER …]``."""

import sys
from pathlib import Path

from matplotlib.figure import Figure

from narrows.lecture.pages import make_page
from narrows.lecture.rows import find

PICTURES = Path(__file__).parent / "pictures"


def of_row(row: str) -> Figure:
    """Return the figure that ``narrows lecture`` draws of a row."""
    return make_page(find(row)).figure


FIGURES = {
    "units": lambda: of_row("L3"),
    "rules": lambda: of_row("L2"),
    "boolean": lambda: of_row("L5"),
    "networks": lambda: of_row("L6"),
    "graph": lambda: of_row("L7"),
    "descent": lambda: of_row("L9"),
    "backpropagation": lambda: of_row("L11"),
    "approximation": lambda: of_row("L13"),
    "convolution": lambda: of_row("L16"),
}

if __name__ == "__main__":
    for name in sys.argv[1:] or FIGURES:
        FIGURES[name]().savefig(PICTURES / f"learn-{name}.png", dpi=100, bbox_inches="tight", facecolor="white")
