"""What waits is what it would have been: the same modules, each of which runs once."""

import subprocess
import sys

import pytest

RUNS = {
    "shapes/__init__.py": "print('shapes');from shapes.flat import Square; SIDES = Square.sides\n"
    "def __getattr__(name):\n    if name == 'colour': return 'red'\n    raise AttributeError(name)",
    "shapes/flat.py": "print('flat')\nclass Square:\n    sides = 4\n    def __init__(self, side=1): self.side = side",
    "shapes/solid.py": "print('solid')",
}

BEFORE = """
import sys
from narrows.cli.postponing import postpone
postpone({"shapes": ("Square",)})
import shapes
"""


@pytest.mark.parametrize(
    ("program", "printed"),
    [
        ("import shapes as s; import importlib.util as u; u.find_spec('shapes')", ""),
        ("from shapes import Square; print(isinstance(3, Square), isinstance(3, (Square, int)))", "False True"),
        ("print(shapes.SIDES)", "shapes flat 4"),
        ("from shapes import Square; print(Square(2).side, Square.sides)", "shapes flat 2 4"),
        ("from shapes import Square; shapes.SIDES; print(isinstance(shapes.Square(), Square))", "shapes flat True"),
        ("from shapes import Square\nclass Tile(Square): pass\nprint(Tile().side)", "shapes flat 1"),
        ("import shapes.flat; print(sys.modules['shapes.flat'].Square is shapes.Square)", "shapes flat True"),
        ("import shapes.flat as f; print(f.__spec__.loader.path == f.__file__)", "shapes flat True"),
        ("from shapes import solid; print(solid.__name__)", "shapes flat solid shapes.solid"),
        ("print(shapes.colour)", "shapes flat red"),
        ("try: shapes.circle\nexcept AttributeError as e: print(e)", "shapes flat circle"),
    ],
)
def test_a_module_runs_once_when_something_of_it_is_needed(tmp_path, program, printed):
    for name, text in RUNS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    command = [sys.executable, "-c", BEFORE + program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert " ".join(done.stdout.split()) == printed
