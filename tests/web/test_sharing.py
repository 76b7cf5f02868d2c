"""A shared page holds what it says, asks nobody, and answers each question as the server does."""

import base64
import gzip
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narrows.web import sharing
from narrows.web.sharing import share, thinned
from web.reading_frames import SHARED

MODELS = ["plane", "one", "wide", "denoising", "vae", "conditional", "colours"]


def payload(html):
    """Return what stands in a page, unzipped."""
    return gzip.decompress(base64.b64decode(SHARED.search(html)[3]))


@pytest.fixture(scope="module")
def page(library, asked_of):
    """Ask a page that was shared, with weights of 32 bits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharing, "MOST_EXACT", 2**30)
        return asked_of(share(thinned(library)))


def same(found, expected, close=1e-4):
    """Say whether an answer is the same, bytes to one level."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            same(found[name], value, close)
    elif isinstance(expected, np.ndarray):
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        atol = 1 if expected.dtype == np.uint8 else close
        np.testing.assert_allclose(found.astype(float), expected.astype(float), rtol=close, atol=atol)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            same(one, other, close)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=close, abs=close)
    else:
        assert found == expected


def compare(page, ask, name, **given):
    expected = vars(ask(name, **given))
    del expected["id"]
    same(page(name, **given), expected)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", ["plane", "units", "errors", "compare"])
def test_what_no_person_chooses_is_the_servers_answer(page, ask, name, model):
    compare(page, ask, name, model=model)


def look(page, ask, entry, **asked):
    """As the server's, but by an error that a page can compute of a drawing, without the training examples."""
    found, expected = page("look", **asked), vars(ask("look", **asked))
    errors = entry.estimator.anomaly_score(entry.X, entry.y, by="reconstruction")
    by = {"by": "reconstruction", "score": expected["error"], "odd": float(np.quantile(errors, 0.99))}
    by["fraction"] = pytest.approx(float((errors < expected["error"]).mean()), abs=0.003)
    by["outside"] = by["score"] > by["odd"] or expected["distance"] > expected["far"]
    del expected["id"]
    same(found, expected | by)


def label_for(library, model, draw):
    return {"label": draw(st.sampled_from("0123456789"))} if library[model].fitted.conditional else {}


@settings(max_examples=60, deadline=None)
@given(data=st.data(), model=st.sampled_from(MODELS))
def test_questions_at_random_are_answered_as_the_server_does(page, ask, library, data, model):
    entry, draw = library[model], data.draw
    d, n = entry.fitted.latent_dim, len(entry.X)
    number, row = st.floats(-3, 3), st.integers(0, n - 1)
    named = {"model": model} | label_for(library, model, draw)
    code = st.lists(number, min_size=d, max_size=d)
    compare(page, ask, "decode", codes=draw(st.lists(code, min_size=1, max_size=5)), **named)
    axes = draw(st.sampled_from(["pca", *([[1, 0], [0, 2]] if d > 2 else [])]))
    place = draw(st.lists(number, min_size=min(d, 2), max_size=min(d, 2)))
    compare(page, ask, "at", z=draw(code), point=draw(st.sampled_from([None, place])), axes=axes, **named)
    compare(page, ask, "example", model=model, row=draw(row))
    pixels = base64.b64encode(draw(st.binary(min_size=entry.fitted.features, max_size=entry.fitted.features))).decode()
    look(page, ask, entry, given=draw(st.sampled_from([{"example": draw(row)}, {"pixels": pixels}])), **named)
    kind = draw(st.sampled_from(["linear", "spherical"]))
    compare(page, ask, "way", a=draw(row), b=draw(row), steps=draw(st.integers(2, 9)), kind=kind, **named)


def test_why_an_input_is_odd_is_not_known(page, ask):
    why = page("explain", model="wide", given={"example": 3})
    assert not why["known"]
    assert why.keys() == vars(ask("explain", model="wide", given={"example": 3})).keys() - {"id"}
    same(why["ordinary"], ask("look", model="wide", given={"example": 3}).original)


@pytest.mark.parametrize("model", MODELS)
def test_groups_tiles_and_sums_are_the_servers(page, ask, library, model):
    named = {"model": model} | ({"label": "7"} if library[model].fitted.conditional else {})
    compare(page, ask, "tiles", side=5, **named)
    compare(page, ask, "oddest", model=model)
    compare(page, ask, "check", model=model)
    expected, found = ask("group", model=model, rows=[3, 5, 8, 13]), page("group", model=model, rows=[3, 5, 8, 13])
    table, read = (pd.read_csv(io.StringIO(text)) for text in (expected.csv, found.pop("csv")))
    pd.testing.assert_frame_equal(table, read, rtol=1e-5)
    same(found, {name: value for name, value in vars(expected).items() if name not in ("csv", "id")})
    if model != "colours":
        compare(page, ask, "arithmetic", model=model, start=5, minus="3", plus="7")


@pytest.mark.filterwarnings("ignore:X reaches")
@pytest.mark.parametrize("model", MODELS)
def test_what_chance_decides_is_drawn_alike(page, ask, library, model):
    """Noise in the code, new examples and corruptions differ from the server's as two seeds do."""
    entry = library[model]
    named = {"model": model} | ({"label": "7"} if entry.fitted.conditional else {})
    z = entry.codes[4].tolist()
    found = page("noisy", z=z, sigma=0.5, n=64, **named)
    spread = (found["codes"] - z) / entry.codes.std(0)
    assert abs(spread.mean()) < 0.25
    assert 0.35 < spread.std() < 0.65
    same(found["levels"], ask("decode", codes=found["codes"].tolist(), **named).levels)
    both = [page("samples", n=64, seed=2, **named), vars(ask("samples", n=64, seed=2, **named))]
    ours, theirs = (answer["codes"] for answer in both)
    assert np.abs(ours.mean(0) - theirs.mean(0)).max() < 0.8 * theirs.std(0).max()
    same(both[0]["levels"], ask("decode", codes=ours.tolist(), **named).levels)
    assert not np.array_equal(ours, page("samples", n=64, seed=3, **named)["codes"])
    compare(page, ask, "corruptions")
    clean = {"given": {"example": 7}, "level": 0, **named}
    compare(page, ask, "noise", **clean)
    for kind in page("corruptions")["kinds"]:
        ours, theirs = (
            np.mean(
                [f("noise", **clean | {"level": 0.4, "seed": seed, "corruption": kind["name"]}) for seed in range(9)]
            )
            for f in (lambda *a, **b: page(*a, **b)["error"], lambda *a, **b: ask(*a, **b).error)
        )
        assert ours == pytest.approx(theirs, rel=0.5)
