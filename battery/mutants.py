"""How strong the tests are: the share of small mistakes, put into the source by chance, that make some of them fail.

A mutant is a module with one operator, comparison, number, truth value or statement changed. It runs in a fork of a
process that has imported what is heavy, against the tests of its own module alone, and no longer than they may take.
"""

from __future__ import annotations

import ast
import copy
import importlib
import importlib.abc
import importlib.machinery
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from battery.row import ROOT, Row

__all__ = ["rows"]

MUTANTS, TARGET = 200, 0.85
"""Of each file, and the share of them that are to be killed."""

SECONDS, WAITED = 40, 90
"""That the tests of a mutant may take of the processor, and by the clock."""

TESTS = {
    "storage": ["tests/test_storage.py"],
    "models/objectives": ["tests/models/test_objectives.py"],
    "fitted/scores": ["tests/fitted/test_scores.py", "tests/estimators/test_scoring.py"],
    "evaluation/intervals": ["tests/evaluation/test_intervals.py"],
    "foundations": ["tests/foundations"],
}
"""Of each file, or of those in a folder, whose tests have their names."""

OTHERS = {
    "approximation": "approximation", "networks": "boolean", "pooling": "convolution", "windows": "convolution",
    "primitives": "feedforward", "rules": "perceptron",
}  # fmt: skip
"""Files of foundations that are tested with another one."""

SWAPPED: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.MatMult: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A module with one change."""

    path: Path
    line: int
    told: str
    source: str

    @property
    def module(self) -> str:
        """Its name."""
        return ".".join(self.path.relative_to(ROOT / "src").with_suffix("").parts)


def changed(node: ast.AST) -> ast.AST | None:
    """Return the node with its mistake; None of those that have none."""
    new = copy.deepcopy(node)
    match new:
        case ast.Compare():
            new.ops[0] = SWAPPED[type(new.ops[0])]()
        case ast.BinOp() | ast.AugAssign() | ast.BoolOp() if type(new.op) in SWAPPED:
            new.op = SWAPPED[type(new.op)]()  # type: ignore[assignment]
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            return new.operand
        case ast.Constant(value=bool()):
            new.value = not new.value
        case ast.Constant(value=int() | float()):
            new.value += 1  # type: ignore[operator]
        case ast.Expr(value=ast.Call()):
            return ast.Pass()
        case ast.Raise():
            return ast.Pass()
        case _:
            return None
    return new


def places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Yield where something can be changed: a node, its field, and the place in that if it is a list."""
    for field, value in ast.iter_fields(tree):
        # What is said in errors and hints is nobody's behaviour; decorators are dataclasses' and take no values.
        if field in ("annotation", "returns", "decorator_list", "args") and not isinstance(tree, ast.Call):
            continue
        for place, child in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(child, ast.AST) or isinstance(child, ast.JoinedStr):
                continue
            if isinstance(child, ast.Assign) and "__all__" in ast.unparse(child.targets[0]):
                continue
            if changed(child) is not None:
                yield tree, field, place if isinstance(value, list) else None
            if not isinstance(child, ast.Raise):
                yield from places(child)


def mutant(path: Path, number: int) -> Mutant:
    """Return the module in ``path`` with the change of that number."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parent, field, place = list(places(tree))[number]
    old = getattr(parent, field) if place is None else getattr(parent, field)[place]
    new = changed(old)
    assert new is not None
    ast.copy_location(new, old)
    if place is None:
        setattr(parent, field, new)
    else:
        getattr(parent, field)[place] = new
    told = f"{ast.unparse(old):.70} → {ast.unparse(new):.70}"
    return Mutant(path, old.lineno, told, ast.unparse(ast.fix_missing_locations(tree)))  # type: ignore[attr-defined]


def sample(name: str, count: int, seed: int = 0) -> list[Mutant]:
    """Return some mutants of a file, or of those in a folder, each as likely as any other."""
    whole = ROOT / "src" / "narrows" / name
    files = sorted(whole.glob("*.py")) if whole.is_dir() else [whole.with_suffix(".py")]
    every = [(file, n) for file in files for n in range(len(list(places(ast.parse(file.read_text("utf-8"))))))]
    return [mutant(*one) for one in random.Random(seed).sample(every, min(count, len(every)))]


class Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives a mutant in place of its module."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        """Return that the mutant's module is here."""
        origin = str(self.mutant.path)
        return importlib.machinery.ModuleSpec(name, self, origin=origin) if name == self.mutant.module else None

    def exec_module(self, module: ModuleType) -> None:
        """Run it."""
        exec(compile(self.mutant.source, str(self.mutant.path), "exec"), module.__dict__)


def survives(one: Mutant, tests: Sequence[str]) -> bool:
    """Return whether all tests pass with a mutant, in a process of its own."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
            signal.alarm(WAITED)
            quiet = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(quiet, stream)
            sys.meta_path.insert(0, Loader(one))
            import pytest

            # Processes of their own have the module as it is.
            code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-k", "not fresh_process", *tests])
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def tests_of(name: str, one: Mutant) -> list[str]:
    """Return the tests of a mutant."""
    stem = one.path.stem
    known = [f"tests/{name}/test_{OTHERS.get(stem, stem)}.py"]
    return known if (ROOT / known[0]).exists() and name == "foundations" else TESTS[name]


def killed(name: str, count: int, seed: int = 0) -> tuple[int, list[Mutant]]:
    """Return how many mutants there were, and which survived."""
    found, left = sample(name, count, seed), []
    for number, one in enumerate(found, 1):
        began = time.monotonic()
        if survives(one, tests_of(name, one)):
            left.append(one)
            where = one.path.relative_to(ROOT / "src" / "narrows")
            print(f"survivor: {where}:{one.line}: {one.told}", file=sys.stderr, flush=True)
        if "BATTERY_VERBOSE" in os.environ:
            print(f"{name} {number}/{len(found)} {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
    return len(found), left


def rows(share: float) -> Iterator[Row]:
    """Yield the share of mutants that tests kill, and a twin: the tests of something else, which kill none."""
    os.chdir(ROOT)
    for name in ("torch", "sklearn", "scipy.stats", "pandas", "pydantic", "safetensors.torch"):
        importlib.import_module(name)
    for name in TESTS:
        count, left = killed(name, max(1, round(MUTANTS * share / 4)) if share < 1 else MUTANTS)
        told = f"{count - len(left)} of {count} killed"
        yield Row(f"mutants of {name}", told, f"≥ {TARGET:.0%}", share < 1 or len(left) <= (1 - TARGET) * count)
    other = survives(sample("evaluation/intervals", 1)[0], ["tests/test_chunks.py"])
    yield Row("— twin with the tests of something else: caught", "survives" if other else "killed", "survives", other)
