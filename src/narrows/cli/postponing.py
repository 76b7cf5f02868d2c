"""Modules that run when something of theirs is first asked for.

scikit-learn imports pandas and ``scipy.stats``, half as much as all of torch, for functions that most commands never
call. In the command line, whose process is ours, both wait. The standard library's LazyLoader runs a module as soon as
a second import statement names it, since that asks for its ``__spec__``.
"""

from __future__ import annotations

import sys
import threading
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

__all__ = ["postpone"]

LOCK = threading.RLock()
"""That threads wait at while one of them runs a module."""


class Postponed(ModuleType):
    """A module that runs at the first question for what it does not have yet."""

    def __getattr__(self, name: str) -> Any:
        with LOCK:
            if (spec := vars(self).pop("_postponed", None)) is not None:
                if spec.submodule_search_locations is not None:
                    self.__path__ = spec.submodule_search_locations
                spec.loader.exec_module(self)
        return object.__getattribute__(self, name)


def postpone(name: str) -> None:
    """Let the module wait that imports will bind, unless it has run already."""
    if name in sys.modules:
        return
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    module.__class__ = Postponed
    vars(module).pop("__path__", None)  # asked for by the import of a submodule, before which it has to run
    vars(module)["_postponed"] = spec
    sys.modules[name] = module
