"""A row as a person sees and changes it: bars in the columns' own terms, a slider a code, cells that are held."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from browser.explorer_process import go_to, served, settle, state
from narrows import Autoencoder
from narrows.data.dataset import Dataset
from narrows.web.entry import Entry
from narrows.web.library import Library
from people import HOSTILE, LEVEL, model_of_people, people

PEOPLE = people()
GAPPY = int(np.flatnonzero(PEOPLE["income"].isna())[0])
WIDE = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 200)), columns=[f"column {i}" for i in range(200)])


@pytest.fixture(scope="module")
def library():
    made = [("people", model_of_people(PEOPLE), PEOPLE), ("wide", Autoencoder(2, epochs=2, random_state=0), WIDE)]
    made[1][1].fit(WIDE)
    return Library([Entry(name, model, Dataset(name, X), len(X), ()) for name, model, X in made])


@pytest.fixture(scope="module")
def table(library):
    with served(library) as address:
        yield address


@pytest.fixture
def show(page, table):
    """Open a view of the tables' explorer."""

    def shown(view="row", **given):
        pairs = "&".join(f"{name}={value}" for name, value in {"view": view, **given}.items())
        go_to(page, f"{table}#{pairs}", view)
        return page

    return shown


def line(page, name):
    """Return the line of a column."""
    return page.locator(".line:not(.heads)").filter(
        has=page.locator(".name", has_text=re.compile(f"^{re.escape(name)}$"))
    )


def told(page, name):
    return line(page, name).locator(".told").inner_text()


def slider(page, unit):
    return page.locator(".sliders label", has_text=re.compile(f"^z{unit}")).locator("input")


def values(page):
    return page.locator(".line:not(.heads) .told").all_inner_texts()


def test_a_row_is_shown_in_its_columns_own_terms(show):
    page = show(example=GAPPY)
    own = PEOPLE.iloc[GAPPY]
    assert page.locator(".line:not(.heads)").count() == 8
    assert line(page, "age").locator(".original").inner_text() == str(own["age"])
    assert line(page, "since").locator(".original").inner_text() == str(own["since"].date())
    assert line(page, "income").locator(".original").inner_text() == "missing"
    assert "fills" in line(page, "income").get_attribute("class")
    filled = float(told(page, "income"))
    assert filled > 0
    assert line(page, "city").locator(".chance").count() == 3
    shares = [float(text.rstrip("%")) for text in line(page, "city").locator(".share").all_inner_texts()]
    assert sum(shares) == pytest.approx(100, abs=2)


def test_a_slider_moves_every_bar(show, library):
    page = show(example=1)
    before = values(page)
    slider(page, 1).focus()
    page.keyboard.press("Home")
    settle(page)
    assert sum(now != then for now, then in zip(values(page), before, strict=True)) >= 4
    z = [float(number) for number in state(page)["z"].split(",")]
    made = library["people"].estimator.inverse_transform([z])
    assert told(page, "age") == str(made["age"].iloc[0])
    page.get_by_role("button", name="Code of the example").click()
    settle(page)
    assert values(page) == before
    assert "z" not in state(page)


def test_a_cell_is_written_and_the_others_follow(show):
    page = show(example=1)
    line(page, "age").locator(".told").click()
    box = line(page, "age").get_by_role("textbox")
    box.fill("75")
    box.press("Enter")
    settle(page)
    assert told(page, "age") == "75"
    assert told(page, "city") == "Brno"
    assert line(page, "age").locator(".lock").get_attribute("aria-pressed") == "true"
    assert json.loads(state(page)["held"]) == {"age": "75"}
    shown = values(page)
    page.reload()
    page.locator("html[data-ready=row]").wait_for()
    settle(page)
    assert values(page) == shown
    line(page, "age").locator(".lock").click()
    settle(page)
    assert "held" not in state(page)
    assert line(page, "age").locator(".lock").get_attribute("aria-pressed") == "false"


def test_a_value_that_cannot_be_says_why_and_changes_nothing(show):
    page = show(example=1)
    before = values(page)
    line(page, "age").locator(".told").click()
    line(page, "age").get_by_role("textbox").fill("700")
    page.keyboard.press("Enter")
    page.locator(".status", has_text="the training data reach from").wait_for()
    settle(page)
    assert values(page) == before
    assert "held" not in state(page)
    line(page, "age").locator(".told").click()
    page.keyboard.press("Escape")
    line(page, "age").locator(".chance, .told").first.wait_for()
    line(page, "member").get_by_role("button", name=re.compile("True .*Hold member")).click()
    page.locator(".status:empty").wait_for(state="attached")


def test_levels_are_chosen_bars_dragged_and_keys_move_them(show):
    page = show(example=1)
    line(page, "city").locator(".told").click()
    line(page, "city").get_by_role("combobox").select_option("Plzeň")
    settle(page)
    assert told(page, "city") == "Plzeň"
    assert line(page, "city").locator(".chance").count() == 1
    bar = line(page, "visits").get_by_role("slider")
    bar.focus()
    bar.press("End")
    settle(page)
    assert told(page, "visits") == str(PEOPLE["visits"].max())
    assert bar.get_attribute("aria-valuetext") == told(page, "visits")
    assert set(json.loads(state(page)["held"])) == {"city", "visits"}
    box = line(page, "income").locator(".range").bounding_box()
    page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    settle(page)
    assert set(json.loads(state(page)["held"])) == {"city", "visits", "income"}
    page.get_by_role("button", name="Release all cells").click()
    settle(page)
    assert "held" not in state(page)


def test_a_slider_leaves_held_cells_alone(show):
    page = show(example=1, held='{"age":"30"}')
    slider(page, 2).focus()
    page.keyboard.press("End")
    settle(page)
    assert told(page, "age") == "30"
    assert line(page, "age").locator(".lock").get_attribute("aria-pressed") == "true"


def test_all_known_cells_held_fill_the_missing_one_as_impute_does(show, library):
    page = show(example=GAPPY)
    filled = told(page, "income")
    page.get_by_role("button", name="Hold all known cells").click()
    settle(page)
    assert told(page, "income") == filled
    assert line(page, "income").locator(".lock").get_attribute("aria-pressed") == "false"
    expected = library["people"].estimator.impute(PEOPLE.iloc[[GAPPY]])["income"].iloc[0]
    assert float(filled) == pytest.approx(expected, rel=1e-3)


def test_names_and_levels_are_texts_and_nothing_else(show):
    page = show(example=1)
    for view in ("row", "code", "input", "noise", "compare", "plane"):
        show(view, example=1, column="city", renew="0")
        assert page.locator("main img, main script").count() == 0
        assert HOSTILE in page.locator("main").inner_text()
    show(example=1)
    line(page, HOSTILE).locator(".told").click()
    line(page, HOSTILE).get_by_role("combobox").select_option(LEVEL)
    settle(page)
    assert told(page, HOSTILE) == LEVEL


def test_wide_tables_are_searched(show):
    page = show(model="wide")
    assert page.locator(".line:not(.heads)").count() == 200
    page.get_by_label("Find a column").fill("COLUMN 17")
    assert page.locator(".line:not(.heads):visible").count() == 11
    line(page, "column 17").get_by_role("slider").press("End")
    settle(page)
    assert "held" in state(page)


def test_the_oddest_come_first(show, library):
    page = show()
    page.get_by_role("button", name="Next oddest").click()
    assert state(page)["example"] == str(np.argmax(library["people"].scores))
    page.get_by_role("button", name="Next oddest").click()
    assert state(page)["example"] == str(np.argsort(-library["people"].scores)[1])


@pytest.mark.parametrize(("language", "words"), [("en", "It would be ordinary with "), ("cs", "Obyčejné by bylo s")])
def test_it_says_what_makes_a_row_odd(show, library, language, words):
    entry = library["people"]
    oddest = int(np.argmax(entry.scores))
    why = entry.estimator.explain(entry.at([oddest]))
    page = show(example=oddest, lang=language)
    page.locator(".view.row .why", has_text=words).wait_for()
    said = page.locator(".view.row .why").inner_text()
    for name, changed, odd in zip(why.columns, why.changed[0], why.odd[0], strict=True):
        assert (name in said) == changed
        assert ("odd" in line(page, name).get_attribute("class").split()) == odd
        assert line(page, name).locator(".p").inner_text().startswith("p ")


def test_only_rows_have_a_row(visit):
    page = visit("code", model="autoencoder-8", renew="0")
    assert page.locator("#to-row").count() == 0
    visit("row", model="autoencoder-8")
    assert "no columns" in page.locator("main .hint").inner_text()


def test_the_plane_shows_a_column(show):
    page = show("plane", column="city")
    assert page.locator(".of-column").inner_text().split() == ["city:", "Brno", "Plzeň", "Praha"]
    page.locator("label", has_text=re.compile("^Column")).locator("select").select_option("age")
    page.locator(".of-column", has_text="age: from").wait_for()
    settle(page)
    assert state(page)["column"] == "age"
    some = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(Boolean)"
    assert page.locator(".cloud").evaluate(some)


def test_numbers_are_read_as_the_language_writes_them(show):
    page = show(example=1, lang="cs")
    line(page, "income").locator(".told").click()
    line(page, "income").get_by_role("textbox").fill("25 000,50")
    page.keyboard.press("Enter")
    settle(page)
    assert told(page, "income") == "25000,50"


@pytest.mark.slow
@pytest.mark.parametrize("view", ["row", "plane", "code", "input", "noise", "compare"])
def test_a_narrow_window_needs_no_scrolling_sideways(show, page, view):
    page.set_viewport_size({"width": 390, "height": 844})
    show(view, lang="cs", example=GAPPY, renew="0")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(("model", "held"), [("people", '{"age":"60","city":"Brno"}'), ("wide", '{"column 3":"0.5"}')])
def test_the_python_of_what_is_held_runs(show, library, model, held):
    page = show(model=model, example=1, held=held)
    page.keyboard.press("p")
    made = {"model": library[model].estimator}
    exec(page.get_by_role("dialog").locator("pre").inner_text(), made)
    if model == "people":
        assert (made["rows"]["age"] == 60).all()
    else:
        assert made["row"][3] == 0.5


@pytest.mark.slow
@pytest.mark.parametrize("view", ["row", "plane", "code", "input", "noise", "compare"])
def test_the_python_of_each_view_runs(show, library, view):
    page = show(view, example=4, renew="0")
    page.keyboard.press("p")
    made = {"model": library["people"].estimator, "data": library["people"].dataset}
    exec(page.get_by_role("dialog").locator("pre").inner_text(), made)
    assert len(made) > 3


@pytest.mark.slow
@pytest.mark.parametrize("view", ["row", "plane", "code", "input", "noise", "compare"])
def test_axe_finds_no_serious_fault(show, axe, view):
    assert axe(show(view, example=GAPPY, renew="0")) == []
