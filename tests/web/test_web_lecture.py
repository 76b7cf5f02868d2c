"""The lecture's pages are answered with what `narrows.foundations` says, also where no model is open."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_frames import read_frame

from narrows.web.library import Library
from narrows.web.server import answer


@pytest.fixture(scope="module")
def ask():
    library = Library()

    def asked(name, **given):
        return SimpleNamespace(**read_frame(answer(library, json.dumps({"id": 1, "ask": name, **given}))))

    return asked


@given(x=st.floats(-6, 6).filter(lambda x: abs(x) > 1e-3), k=st.floats(0.5, 20))
@settings(deadline=None, max_examples=30)
def test_activations_are_torchs_and_their_slopes_autograds(ask, x, k):
    found = ask("activations", x=x, k=k)
    places = torch.tensor(np.append(found.x, x), dtype=torch.float64, requires_grad=True)
    functions = {"sigmoid": lambda v: torch.sigmoid(k * v), "tanh": torch.tanh, "relu": torch.relu}
    for name, function in functions.items():
        i = found.names.index(name)
        values = function(places)
        (slopes,) = torch.autograd.grad(values.sum(), places)
        np.testing.assert_allclose(np.append(found.values[i], found.at[i]), values.detach(), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(np.append(found.slopes[i], found.slope[i]), slopes, rtol=1e-4, atol=1e-5)
    assert found.at[found.names.index("step")] == (x >= 0)


def test_the_corners_are_where_the_lecture_has_them(ask):
    found = ask("activations", x=0)
    assert dict(zip(found.names, found.at, strict=True)) == {"step": 1, "sigmoid": 0.5, "tanh": 0, "relu": 0}
    assert dict(zip(found.names, found.slope, strict=True)) == {"step": 0, "sigmoid": 0.25, "tanh": 1, "relu": 0}
    assert 0 in found.x


@pytest.mark.parametrize(("given", "named"), [({"x": 7}, "x"), ({"x": "a"}, "x"), ({"x": 0, "k": 0}, "k")])
def test_what_is_out_of_range_is_refused_by_name(ask, given, named):
    assert ask("activations", **given).refused.startswith(f"{named}:")
