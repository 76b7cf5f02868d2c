"""How strong the tests are: the share of small mistakes, put into the source by chance, that make some of them fail.

    python -m battery.mutants [FILE ...]     of these alone, such as storage or foundations/descent

The tests run once as the source is, and what is noted is how long each takes and through which lines it goes. A mutant
then meets those alone that go through its line, the quickest first, in a fork of a process that has imported all but
what depends on its module, and no longer than they may take. It may do to the machine what its user may, so that tests
of what writes files do that in folders of their own alone.
"""

from __future__ import annotations

import gc
import importlib
import importlib.abc
import importlib.machinery
import json
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pytest

from battery.mistakes import Mutant, mutants_of
from battery.row import ROOT, Row

__all__ = ["rows"]

MUTANTS, TARGET = 200, 0.85
"""Of each file, and the share of them that are to be killed."""

SECONDS, BYTES = 3, 6 * 2**30
"""That a mutant may take of the processor beyond twice what its tests took before, and of memory."""

SOURCE = ROOT / "src" / "narrows"

OTHERS = {
    "networks": "boolean", "pooling": "convolution", "windows": "convolution",
    "primitives": "feedforward", "rules": "perceptron",
}  # fmt: skip
"""Files of foundations that are tested with another one."""

TESTS = {
    "storage": "tests/test_storage.py",
    "models/objectives": "tests/models/test_objectives.py",
    "fitted/scores": "tests/fitted/test_scores.py",
    "evaluation/intervals": "tests/evaluation/test_intervals.py",
    **{
        f"foundations/{file.stem}": f"tests/foundations/test_{OTHERS.get(file.stem, file.stem)}.py"
        for file in sorted((SOURCE / "foundations").glob("[a-z]*.py"))
    },
    "foundations/arguments": "tests/foundations",  # what it refuses is tested where it is used
}
"""Of each file."""

QUIETLY = ["-q", "-p", "no:cacheprovider", "-p", "no:unraisableexception", "-k", "not fresh_process"]
"""How pytest is called: processes of their own would have the module as it is; to look for what was not closed takes
longer than most of the tests."""

Watch = Callable[[FrameType, str, object], Any]


@dataclass
class Noted:
    """What the tests are like where nothing is wrong.

    Attributes
    ----------
    seconds
        That each test takes, by its name.
    lines
        Those of a file that each test goes through, by the file's name; those gone through at import belong to "".
    """

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[str, list[int]]] = field(default_factory=dict)

    def tests_of(self, one: Mutant) -> list[str]:
        """Return the tests that a mutant may fail, the quickest first."""
        first, last = one.lines
        there = self.lines.get(str(one.path), {})
        reached = {test for test, lines in there.items() if any(first <= line <= last for line in lines)}
        return sorted(self.seconds if "" in reached else reached, key=self.seconds.__getitem__)


class Noting:
    """A plugin of pytest that notes what tests are like; what a fixture does, each test that has it does."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = set(map(str, files))
        self.seconds: dict[str, float] = defaultdict(float)
        self.lines: dict[str, dict[str, set[int]]] = {file: defaultdict(set) for file in self.files}
        self.of_fixtures: dict[str, set[tuple[str, int]]] = defaultdict(set)
        self.now: set[tuple[str, int]] = set()
        threading.settrace(self.watch)
        sys.settrace(self.watch)

    def watch(self, frame: FrameType, event: str, _: object) -> Watch | None:
        """Note the line that a frame is at, if it is of one of the files."""
        if event == "call" and frame.f_code.co_filename not in self.files:
            return None
        self.now.add((frame.f_code.co_filename, frame.f_lineno))
        return self.watch

    def note(self, test: str, lines: set[tuple[str, int]]) -> None:
        """Note that a test goes through lines."""
        for file, line in lines:
            self.lines[file][test].add(line)

    def pytest_collection_finish(self) -> None:
        """Note what importing goes through."""
        self.note("", self.now)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        """Note what a fixture goes through."""
        before, self.now = self.now, set()
        try:
            return (yield)
        finally:
            self.of_fixtures[fixturedef.argname] |= self.now
            self.now |= before

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        """Note what a test goes through."""
        self.now, began = set(), time.process_time()
        done = yield
        self.seconds[item.nodeid] = time.process_time() - began
        self.note(item.nodeid, self.now.union(*(self.of_fixtures[name] for name in item.fixturenames)))
        return done


class Chosen:
    """A plugin of pytest that runs some tests, in an order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self.tests = {test: number for number, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Leave the others out."""
        items[:] = sorted((i for i in items if i.nodeid in self.tests), key=lambda item: self.tests[item.nodeid])


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives a mutant in place of its module, and refuses other modules."""

    def __init__(self, mutant: Mutant | None = None, refused: Sequence[str] = ()) -> None:
        self.mutant, self.refused = mutant, refused

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        """Return that the mutant's module is here."""
        if name in self.refused:
            raise ImportError(name)
        if self.mutant is None or name != self.mutant.module:
            return None
        return importlib.machinery.ModuleSpec(name, self, origin=str(self.mutant.path))

    def exec_module(self, module: ModuleType) -> None:
        """Run it."""
        assert self.mutant is not None
        exec(compile(self.mutant.source, str(self.mutant.path), "exec"), module.__dict__)


def named(file: Path) -> str:
    """Return the name of a file's module."""
    return ".".join(file.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")


def forked(work: Callable[[], int], *, quiet: bool = True) -> int:
    """Do ``work`` in a fork, and return how that ended."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            null = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2) if quiet else ():
                os.dup2(null, stream)
            code = work()
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1]


def prepare(refused: Sequence[str]) -> None:
    """Import what takes long, and what can be without the modules whose mutants are to come."""
    import hypothesis

    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for name in ("torch", "sklearn.datasets", "scipy.stats", "pandas", "pydantic", "safetensors.torch"):
        importlib.import_module(name)
    # Found is enough: what fails need not be made small, nor kept for the next time.
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile("found", derandomize=True, database=None, deadline=None, phases=phases)
    hypothesis.settings.load_profile("found")
    sys.meta_path.insert(0, Finder(refused=refused))
    for file in sorted(SOURCE.rglob("*.py")):
        try:
            if file.stem != "__main__":
                importlib.import_module(named(file))
        except ImportError:
            continue  # it depends on one of them, or on what is not installed
    sys.meta_path.pop(0)
    gc.freeze()


def noted(tests: Sequence[str], files: Sequence[Path]) -> Noted:
    """Return what tests are like, all of which must pass."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "noted")

        def run() -> int:
            noting = Noting(files)
            code = pytest.main([*QUIETLY, *tests], plugins=[noting])
            lines = {file: {test: sorted(found) for test, found in of.items()} for file, of in noting.lines.items()}
            path.write_text(json.dumps([noting.seconds, lines]))
            return code

        if forked(run):
            raise RuntimeError(f"{' '.join(tests)} fail where nothing is wrong")
        return Noted(*json.loads(path.read_text()))


def survives(one: Mutant, tests: Sequence[str], chosen: Sequence[str], seconds: float) -> bool:
    """Return whether the ``chosen`` among ``tests`` pass with a mutant, in no more than ``seconds``."""

    def run() -> int:
        most = round(seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))
        resource.setrlimit(resource.RLIMIT_DATA, (BYTES, BYTES))
        signal.alarm(10 * most)
        sys.meta_path.insert(0, Finder(one))
        return pytest.main(["-x", *QUIETLY, *tests], plugins=[Chosen(chosen)])

    return not chosen or forked(run) == 0


def survivors(name: str, known: Noted, tests: Sequence[str], count: int, seed: int = 0) -> tuple[int, int]:
    """Return how many mutants of a file were made, and how many survive ``tests``; say which."""
    began, found, left = time.monotonic(), mutants_of(SOURCE / f"{name}.py", count, seed), 0
    for one in found:
        chosen = known.tests_of(one)
        if survives(one, tests, chosen, SECONDS + 2 * sum(known.seconds[test] for test in chosen)):
            left += 1
            print(f"survivor{'' if chosen else ', met by no test'}: {one}", file=sys.stderr, flush=True)
    print(f"{name}: {len(found)} in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return len(found), left


def counted(names: Sequence[str], tests: Sequence[str], count: int) -> dict[str, tuple[int, int]]:
    """Return `survivors` of each file, from a process that has imported nothing that depends on any of them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "counted")

        def run() -> int:
            files = [SOURCE / f"{name}.py" for name in names]
            prepare([named(file) for file in files])
            known = noted(tests, files)
            path.write_text(json.dumps({name: survivors(name, known, tests, count) for name in names}))
            return 0

        if forked(run, quiet=False):
            raise RuntimeError(f"{' '.join(names)} could not be tried")
        found: dict[str, tuple[int, int]] = json.loads(path.read_text())
        return found


def rows(share: float, names: Sequence[str] = tuple(TESTS)) -> Iterator[Row]:
    """Yield the share of mutants that tests kill, and a twin: the tests of something else, which kill none."""
    os.chdir(ROOT)
    count = max(1, round(MUTANTS * share / 4)) if share < 1 else MUTANTS
    for tests in dict.fromkeys(TESTS[name] for name in names):
        for name, (made, left) in counted([name for name in names if TESTS[name] == tests], [tests], count).items():
            told = f"{made - left} of {made} killed"
            yield Row(f"mutants of {name}", told, f"≥ {TARGET:.0%}", share < 1 or left <= (1 - TARGET) * made)
    other = ["tests/test_chunks.py"]
    (one,) = mutants_of(SOURCE / "evaluation/intervals.py", 1)
    twin = survives(one, other, list(noted(other, []).seconds), 20 * SECONDS)  # and imports all anew
    yield Row("— twin with the tests of something else: caught", "survives" if twin else "killed", "survives", twin)


if __name__ == "__main__":
    for row in rows(1, sys.argv[1:] or tuple(TESTS)):
        print(row, flush=True)
