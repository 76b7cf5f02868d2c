"""A shared page holds what it says, asks nobody, and answers each question as the server does."""

import base64
import gzip
import hashlib
import io
import json
import re
from graphlib import CycleError
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from torch import nn

from narrows import VAE, Autoencoder
from narrows.cli.share import write_page
from narrows.data.dataset import Dataset
from narrows.web import bundle, sharing
from narrows.web.entry import Entry
from narrows.web.library import Library, open_models
from narrows.web.questions.sharing import contents
from narrows.web.server import answer
from narrows.web.sharing import share, thinned
from web.reading_frames import SHARED, read_frame

MODELS = ["plane", "one", "wide", "denoising", "vae", "conditional", "colours"]


def payload(html):
    """Return what stands in a page, unzipped."""
    return gzip.decompress(base64.b64decode(SHARED.search(html)[3]))


def words(html):
    """Return what of it is no array."""
    frame = payload(html)
    return frame[4 : 4 + int.from_bytes(frame[:4], "little")].decode()


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
    elif isinstance(expected, str) and re.fullmatch(r"-?\d+\.\d+", expected):  # a number, as a table's cells are said
        same(float(found), float(expected), close)
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
    by["fraction"] = pytest.approx(float((errors < expected["error"]).mean()), abs=2 / len(errors))
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


# --- What is in the file ----------------------------------------------------------


@pytest.fixture(scope="module")
def people():
    """A table with an identifier, categories, numbers, dates and missing cells; each name is hostile to a page."""
    rng = np.random.default_rng(0)
    n, age = 240, rng.normal(40, 12, 240).round()
    frame = pd.DataFrame(
        {
            "</script><script>alert(1)</script>": rng.choice(["a</script>", "<img src=x onerror=alert(2)>", "c"], n),
            "age": np.where(rng.random(n) < 0.1, np.nan, age),
            "wage": np.exp(rng.normal(3, 1, n) + age / 40),
            "since": pd.to_datetime("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D"),
            "who": [f"secret-{i:04}" for i in rng.permutation(n)],
        }
    )
    model = VAE(2, epochs=8, random_state=0).fit(frame)
    y = np.array(["<b>yes</b>", "no"])[rng.integers(0, 2, n)]
    return Library([Entry("people", model, Dataset("<i>people</i>", frame, y), 500, ())])


def test_identifiers_and_paths_are_not_in_the_file_and_the_file_says_so(people):
    html = share(thinned(people))
    assert b"secret-" not in payload(html)
    said = words(html)
    assert '"who"' not in said
    assert "load('people.safetensors')" in said
    assert "/" not in re.sub(r"</\w+>|narrows[^\"]*", "", said)
    (part,) = contents(people).parts
    assert part.left_out == ["who"]
    assert part.columns == list(people["people"].X.columns[:4])
    assert (part.count, part.total, part.labels) == (240, 500, ["<b>yes</b>", "no"])


def test_hostile_names_stand_nowhere_in_the_page_but_in_what_is_zipped(people):
    html = share(thinned(people))
    assert "alert(" not in html
    assert html.count("<script") == html.count("</script") == 2


def test_a_page_without_data_holds_samples_instead(library, people):
    both = thinned(Library([library["conditional"], people["people"]]), data=False)
    assert all(entry.from_prior for entry in both)
    head = payload(share(both))
    assert b"secret-" not in head
    assert [part.from_prior for part in contents(both).parts] == [True, True]
    samples, digits = both["conditional"].X, library["conditional"].X
    assert not (samples[:, None] == digits[None]).all((2, 3)).any()


def test_examples_are_thinned_the_same_for_models_of_the_same_data(library):
    few = thinned(library, 30)
    assert {len(entry.X) for entry in few} == {30}
    np.testing.assert_array_equal(few["plane"].X, few["vae"].X)
    assert words(share(few)).count('"numbers":') == 3


def test_a_net_of_ones_own_is_refused_by_name():
    class Mine(nn.Linear):
        pass

    X = load_digits().data[:60]
    model = Autoencoder(2, epochs=1, net=(Mine(64, 2), nn.Linear(2, 64))).fit(X)
    with pytest.raises(ValueError, match="mine cannot be shared: net: Mine"):
        share(Library([Entry("mine", model, Dataset("digits", X), 60, ())]))


def test_two_models_of_the_digits_are_small_and_exact_enough(library, asked_of, ask):
    """In 16 bits: bytes to two levels, numbers to 0.005."""
    two = thinned(Library([library["plane"], library["wide"]]))
    html = share(two)
    assert len(html) < 1.5e6
    page = asked_of(html)
    for model, z in (("plane", [0.5, -1]), ("wide", [0.3, 0, -1, 0.4, 1])):
        found, expected = (
            answer["levels"].astype(int)
            for answer in (page("decode", model=model, codes=[z]), vars(ask("decode", model=model, codes=[z])))
        )
        assert np.abs(found - expected).max() <= 2
        same(
            page("look", model=model, given={"example": 3})["z"], ask("look", model=model, given={"example": 3}).z, 5e-3
        )


# --- Tables -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def tables(library, people, table, asked_of):
    named = pd.DataFrame(table, columns=list("abcd"))
    numbers = Entry("named", Autoencoder(2, epochs=4, random_state=0).fit(named), Dataset("named", named), 300, ())
    both = Library([library["rows"], people["people"], numbers])

    def asked(name, **given):
        return SimpleNamespace(**read_frame(answer(both, json.dumps({"id": 7, "ask": name, **given}))))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharing, "MOST_EXACT", 2**30)
        return asked_of(share(thinned(both))), asked


@pytest.mark.parametrize("model", ["rows", "people", "named"])
@pytest.mark.parametrize("name", ["plane", "units", "errors", "compare", "oddest", "tiles"])
def test_what_is_said_of_a_table_is_the_servers_answer(tables, name, model):
    compare(*tables, name, model=model)


@settings(max_examples=20, deadline=None)
@given(data=st.data(), model=st.sampled_from(["rows", "people", "named"]))
def test_rows_are_answered_as_the_server_does(tables, data, model):
    row, code = data.draw(st.integers(0, 100)), data.draw(st.lists(st.floats(-2, 2), min_size=2, max_size=2))
    compare(*tables, "decode", model=model, codes=[code])
    compare(*tables, "example", model=model, row=row)
    compare(*tables, "at", model=model, point=code)
    page, ask = tables
    if model == "rows":  # whose columns have no names
        return
    found, expected = page("means", model=model, z=code), vars(ask("means", model=model, z=code))
    same({name: found[name] for name in ("z", "row", "chances")}, {n: expected[n] for n in ("z", "row", "chances")})
    found, expected = page("row", model=model, example=row), vars(ask("row", model=model, example=row))
    for name in ("original", "label", "error", *(("score", "odd") if model == "people" else ())):
        same(found[name], expected[name], 1e-3)
    assert (found["filled"] is None) == (expected["filled"] is None)


def test_values_and_held_cells_are_the_servers(tables):
    compare(*tables, "values", model="people", column="age")
    page, ask = tables
    held = {"age": 0.5, "wage": None}
    found, expected = (
        page("follow", model="people", held=held, example=3),
        vars(ask("follow", model="people", held=held, example=3)),
    )
    assert found["row"]["texts"][0][1:3] == expected["row"]["texts"][0][1:3]
    assert "column" in page("follow", model="people", held={"no": 0.5})["refused"]


# --- The bundle -------------------------------------------------------------------


def test_each_module_is_in_the_bundle_once_and_after_those_that_it_imports(library):
    html = share(thinned(Library([library["plane"]]), 20))
    script = html[html.rindex('<script type="module">') :]
    named = re.findall(r"^modules\['(.*?)'\] = ", script, re.MULTILINE)
    assert len(named) == len(set(named)) > 30
    assert named[-1] == "shell/app.js"
    used = [(at.start(), at[1]) for at in re.finditer(r"= modules\['(.*?)'\];", script)]
    assert all(script.index(f"modules['{name}'] = ") < at for at, name in used)
    assert not re.search(r"^\s*(import|export)\b", script, re.MULTILINE)
    assert "import(" not in script


def test_modules_that_import_each_other_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "STATIC", tmp_path)
    (tmp_path / "a.js").write_text("import { b } from './b.js';\nexport const a = 1;\n")
    (tmp_path / "b.js").write_text("import { a } from './a.js';\nexport const b = 1;\n")
    with pytest.raises(CycleError):
        bundle.joined(["a.js"])


def test_the_policy_names_the_pages_own_script_and_rules_and_nothing_else(library):
    html = share(thinned(Library([library["plane"]]), 20))
    policy = re.search(r'content-security-policy" content="(.*?)"', html)[1]
    for part, directive in (
        (r"<style>(.*?)</style>", "style-src"),
        (r'<script type="module">(.*?)</script>', "script-src"),
    ):
        digest = hashlib.sha256(re.search(part, html, re.DOTALL)[1].encode()).digest()
        assert f"{directive} 'sha256-{base64.b64encode(digest).decode()}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "connect-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r'\s(src|href)="(?!data:)', html)


def test_what_is_said_is_what_is_in_the_file_also_where_more_is_asked_for(tmp_path, capsys):
    """2,000 are the most unless a person asks for more."""
    X = np.random.default_rng(0).normal(size=(2100, 3))
    np.save(tmp_path / "x.npy", X)
    Autoencoder(2, epochs=1, hidden=(4,), random_state=0, prior="normal").fit(X).save(tmp_path / "m.safetensors")
    opened = thinned(open_models([tmp_path / "m.safetensors"], str(tmp_path / "x.npy"), 2050), 2050)
    write_page(opened, tmp_path / "m.html")
    assert "2,050 of the 2,100 examples" in capsys.readouterr().out
    assert [len(entry.X) for entry in opened] == [2050]
