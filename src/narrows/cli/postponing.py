"""Modules that run when something of theirs is first asked for.

scikit-learn imports pandas and ``scipy.stats``, half as much as all of torch, for functions that most commands never
call. In the command line, whose process is ours, both wait. The standard library's LazyLoader runs a module as soon as
a second import statement names it, since that asks for its ``__spec__``.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

__all__ = ["postpone"]

LOCK = threading.RLock()
"""That threads wait at while one of them runs a module."""


class StandIn:
    """What others take from a module that has not run: a function, or a class, of which nothing is an instance yet."""

    def __init__(self, module: ModuleType, name: str) -> None:
        self._module, self._name = module, name

    def _real(self) -> Any:
        run(self._module)
        return getattr(self._module, self._name)

    def __instancecheck__(self, instance: object) -> bool:
        return "_postponed" not in vars(self._module) and isinstance(instance, self._real())

    def __subclasscheck__(self, subclass: type) -> bool:
        return "_postponed" not in vars(self._module) and issubclass(subclass, self._real())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._real()(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real(), name)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self._real(),)


class Postponed(ModuleType):
    """A module that runs at the first question for what it does not have yet."""

    def __getattr__(self, name: str) -> Any:
        run(self)
        # While it runs, it asks itself for what it does not have yet.
        return object.__getattribute__(self, name) if isinstance(self, Postponed) else getattr(self, name)


def run(module: ModuleType) -> bool:
    """Run a module, unless it has; say whether it had not."""
    with LOCK:
        later = vars(module).pop("_postponed", None)
        if later is None:
            return False
        for name in later.taken:
            vars(module).pop(name)
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = later.loader
        later.loader.exec_module(module)
        module.__class__ = ModuleType
        return True


class Later(Loader):
    """What loads a module later, and meanwhile something in its place."""

    def __init__(self, loader: Loader, taken: Sequence[str]) -> None:
        self.loader, self.taken = loader, taken

    def exec_module(self, module: ModuleType) -> None:
        """Put something in its place."""
        module.__class__ = Postponed
        vars(module).update({name: StandIn(module, name) for name in self.taken}, _postponed=self)


class Loaded(Loader):
    """What gives the module that there is, and leaves it as it is."""

    def __init__(self, module: ModuleType) -> None:
        self.module, self.spec = module, module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:  # noqa: ARG002 - a loader's
        """Return it."""
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        """Give it back its own spec."""
        module.__spec__ = self.spec


class Finder(MetaPathFinder):
    """What finds the modules that are to be postponed, and runs them before one of their submodules is imported."""

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        self.names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module is, if it is one of these."""
        parent = sys.modules.get(fullname.rpartition(".")[0])
        if isinstance(parent, Postponed) and run(parent) and fullname in sys.modules:
            module = sys.modules[fullname]
            module.__spec__ = ModuleSpec(fullname, Loaded(module))  # which importlib prefers to what is returned here
            return module.__spec__
        spec = PathFinder.find_spec(fullname, path, target) if fullname in self.names else None
        if spec is not None and spec.loader is not None:
            spec.loader = Later(spec.loader, self.names[fullname])
        return spec


def postpone(names: Mapping[str, Sequence[str]]) -> None:
    """Let modules wait that imports will bind, unless they have run already.

    Parameters
    ----------
    names
        The modules, and of each what others take from it when they are imported, or ask whether something is one of.
    """
    sys.meta_path.insert(0, Finder(names))
