"""Small mistakes that can be put into a module's source, one at a time, each a mutant of it.

They are those that mutation testing usually makes (mutmut, cosmic-ray): another operator or comparison, a condition
turned round, a number that is one more, another truth value or word, a statement, an argument or a decorator left out,
two arguments swapped, nothing returned, a loop that is not gone through, an exception that is not caught.
"""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from battery.row import ROOT

__all__ = ["Mutant", "mutants_of"]

SWAPPED: dict[type, type] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.MatMult: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip

REVERSED: dict[type, type] = {ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt}

UNORDERED = ("min", "max", "isinstance")
"""Functions whose arguments are not swapped: to no effect, or to nothing but a TypeError."""

Place = tuple[ast.AST, str, int | None]
"""Where a node stands: its parent, the parent's field, and which of that field's nodes it is, if it holds a list."""


@dataclass(frozen=True)
class Mutant:
    """A module with one change.

    Attributes
    ----------
    path
        The module's file.
    lines
        The first and the last of the statement that is changed, without the body that it may have.
    told
        What is changed, in short.
    source
        All of the module.
    """

    path: Path
    lines: tuple[int, int]
    told: str
    source: str

    @property
    def module(self) -> str:
        """Its name."""
        return ".".join(self.path.relative_to(ROOT / "src").with_suffix("").parts)

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT / 'src' / 'narrows')}:{self.lines[0]}: {self.told}"


def mutants_of(path: Path, count: int, seed: int = 0) -> list[Mutant]:
    """Return ``count`` mutants of the module in ``path``, each as likely as any other; all if there are fewer."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    every = list(_mistakes(tree, (0, 0)))
    chosen = random.Random(seed).sample(range(len(every)), min(count, len(every)))
    return [_mutant(path, tree, *every[number]) for number in sorted(chosen)]


def _mutant(path: Path, tree: ast.AST, place: Place, new: ast.AST | None, lines: tuple[int, int]) -> Mutant:
    parent, field, at = place
    old = getattr(parent, field)
    kept = old if at is None else old[at]
    if at is None:
        setattr(parent, field, new)
    else:
        old[at : at + 1] = [] if new is None else [new]
    source = ast.unparse(ast.fix_missing_locations(tree))
    if at is None:
        setattr(parent, field, old)
    elif new is None:
        old.insert(at, kept)
    else:
        old[at] = kept
    told = f"{_told(kept)} → {'nothing' if new is None else _told(new)}"
    return Mutant(path, lines, told, source)


def _told(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:70]


def _mistakes(tree: ast.AST, lines: tuple[int, int]) -> Iterator[tuple[Place, ast.AST | None, tuple[int, int]]]:
    """Yield each change that can be made below ``tree``: where, to what (None to leave it out), and in which lines."""
    if isinstance(tree, ast.stmt):
        lines = _head(tree)
    for field, value in ast.iter_fields(tree):
        for at, child in enumerate(value) if isinstance(value, list) else ((None, value),):
            if not isinstance(child, ast.AST) or _beside_the_point(child, field):
                continue
            within = _head(child) if isinstance(child, ast.stmt) else lines
            for new in _left_out(child, field) if at is not None else ():
                yield (tree, field, at), new, within
            for new in _changed(child) if field != "decorator_list" else ():
                yield (tree, field, at), ast.copy_location(new, child), within
            # What an error says is nobody's behaviour, and what a decorator is given dataclasses' matter.
            if not isinstance(child, ast.Raise) and field != "decorator_list":
                yield from _mistakes(child, lines)


def _head(node: ast.stmt) -> tuple[int, int]:
    """Return the first and the last line of a statement, up to the body that it may have."""
    body = getattr(node, "body", None)
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
    return first, max(node.lineno, body[0].lineno - 1) if body else node.end_lineno or node.lineno


def _beside_the_point(node: ast.AST, field: str) -> bool:
    """Return whether no mistake is put in there: types, prose, what is public, and what is said to the type checker."""
    if field in ("annotation", "returns"):
        return not any(isinstance(one, ast.Call) for one in ast.walk(node))  # as of a checked field
    if isinstance(node, ast.Assign):
        return "__all__" in ast.unparse(node.targets[0])
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, ast.JoinedStr | ast.Assert | ast.Import | ast.ImportFrom)


def _left_out(node: ast.AST, field: str) -> Iterator[ast.AST | None]:
    """Yield None if an argument or a decorator can be left out, and what stands for a statement that is."""
    if field in ("keywords", "decorator_list"):
        yield None
    elif isinstance(node, ast.Raise | ast.AugAssign | ast.Delete | ast.Continue) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await)
    ):
        yield ast.copy_location(ast.Pass(), node)


def _changed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the node with each of the mistakes that can be made in it."""
    yield from _of_expressions(node)
    yield from _of_statements(node)


def _but(node: ast.AST, **fields: Any) -> ast.AST:
    """Return a copy of a node of which some fields are others."""
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _of_expressions(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=[first, *others]):
            kinds = [of[type(first)] for of in (SWAPPED, REVERSED) if type(first) in of]
            yield from (_but(node, ops=[kind(), *others]) for kind in kinds)
        case ast.BoolOp(op=op, values=values):
            yield _but(node, op=SWAPPED[type(op)]())
            fewer = [values[:at] + values[at + 1 :] for at in range(len(values))]
            yield from (_but(node, values=left) if len(left) > 1 else left[0] for left in fewer)
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in SWAPPED:
            yield _but(node, op=SWAPPED[type(op)]())
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.Constant(value=value):
            yield from (_but(node, value=other) for other in _other(value))
        case ast.comprehension(ifs=[_, *_]):
            yield _but(node, ifs=[])
        case ast.Call(args=[ast.Starred(), *_] | [_, ast.Starred(), *_]):
            return  # whose order the one list has
        case ast.Call(args=[one, other, *others]) if ast.unparse(node.func) not in UNORDERED:
            yield _but(node, args=[other, one, *others])


def _of_statements(node: ast.AST) -> Iterator[ast.AST]:
    nothing = ast.Tuple([], ast.Load())
    match node:
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) if not isinstance(test, ast.Compare):
            yield _but(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.For():
            yield _but(node, iter=nothing)
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "None":
            yield _but(node, value=ast.Constant(None))
        case ast.Break():
            yield ast.Continue()
        case ast.ExceptHandler(type=ast.expr()):
            yield _but(node, type=nothing)


def _other(value: object) -> Iterator[object]:
    """Yield what is not ``value``: of numbers one more, of words another; of prose nothing."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield value + 1
    elif isinstance(value, bytes):
        yield value + b"X"
    elif isinstance(value, str) and " " not in value:
        yield f"{value}X"
