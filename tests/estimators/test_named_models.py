"""A named model picks parts: no method of ours that does something is written a second time below."""

import inspect

import pytest

from narrows.estimators import ESTIMATORS


def methods_of(kind):
    """The methods that a class of ours writes itself, but for Python's and scikit-learn's own hooks."""
    own = vars(kind).items() if kind.__module__.startswith("narrows") else ()
    return {name: method for name, method in own if inspect.isfunction(method) and not name.startswith("__")}


@pytest.mark.parametrize("kind", ESTIMATORS.values())
def test_no_implemented_method_is_overridden(kind):
    written = {}
    for base in kind.__mro__:
        for name, method in methods_of(base).items():
            only_declared = "raise NotImplementedError" in inspect.getsource(method)
            assert name not in written or only_declared, f"{written[name]} overrides {name} of {base.__name__}"
            written[name] = base.__name__
    assert {"fit", "transform", "evaluate", "check_options", "bottleneck", "objective"} <= set(written)


@pytest.mark.parametrize("kind", ESTIMATORS.values())
def test_a_named_model_says_only_what_its_parts_are(kind):
    assert set(methods_of(kind)) <= {"bottleneck", "own_objective"}
