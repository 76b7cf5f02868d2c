"""Models of tables, and of numbers with names, are shown in their columns' own terms, and cells of theirs are held."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from narrows import Autoencoder
from narrows.data.dataset import Dataset
from narrows.web.entry import Entry
from narrows.web.library import Library, open_models
from narrows.web.server import answer
from people import HOSTILE, LEVEL, model_of_people, people
from web.reading_frames import read_frame

PEOPLE = people()
NAMED = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)).round(2) @ np.eye(3), columns=["a", "b", "c"])
GAPPY = int(np.flatnonzero(PEOPLE["income"].isna())[0])
MODELS = ["people", "named"]


@pytest.fixture(scope="module")
def library():
    named = Autoencoder(2, epochs=4, random_state=0).fit(NAMED)
    return Library(
        [
            Entry("people", model_of_people(PEOPLE), Dataset("people", PEOPLE), len(PEOPLE), ()),
            Entry("named", named, Dataset("named", NAMED), len(NAMED), ()),
        ]
    )


@pytest.fixture(scope="module")
def ask(library):
    def asked(name, **given):
        return SimpleNamespace(**read_frame(answer(library, json.dumps({"id": 7, "ask": name, **given}))))

    return asked


def test_a_model_says_its_columns(ask):
    rows, named = ask("models").models
    assert [column["name"] for column in rows["columns"]] == [*PEOPLE.columns[:-1]]  # the last tells rows apart
    assert rows["table"]
    assert not named["table"]
    by_name = {column["name"]: column for column in rows["columns"]}
    assert by_name["city"]["levels"] == ["Brno", "Plzeň", "Praha"]
    assert by_name["size"]["levels"] == ["S", "M", "L"]
    assert (by_name["age"]["decimals"], by_name["income"]["decimals"], by_name["since"]["decimals"]) == (0, 2, -1)
    assert by_name["age"]["ends"] == [str(PEOPLE["age"].min()), str(PEOPLE["age"].max())]
    assert by_name["since"]["ends"] == [str(PEOPLE["since"].min().date()), str(PEOPLE["since"].max().date())]
    assert [column["decimals"] for column in named["columns"]] == [2, 2, 2]


def test_cells_are_written_as_the_data_have_them(ask):
    found = ask("row", model="people", example=GAPPY)
    texts = dict(zip(PEOPLE.columns[:-1], found.original["texts"][0], strict=True))
    own = PEOPLE.iloc[GAPPY]
    assert texts["age"] == str(own["age"])
    assert texts["city"] == own["city"]
    assert texts["income"] == ""
    assert texts["member"] == str(own["member"])
    assert texts["since"] == str(own["since"].date())
    assert texts[HOSTILE] == own[HOSTILE]
    assert np.isnan(found.original["at"][0, 2])
    known = np.delete(found.original["at"][0], 2)
    assert ((known >= 0) & (known <= 1)).all()


def test_a_missing_cell_is_shown_with_what_impute_fills_it_with(ask, library):
    filled = ask("row", model="people", example=GAPPY).filled
    expected = library["people"].estimator.impute(PEOPLE.iloc[[GAPPY]])["income"].iloc[0]
    assert float(filled["row"]["texts"][0][2]) == pytest.approx(expected, rel=1e-3)
    assert filled["low"][2] < filled["row"]["at"][0, 2] < filled["high"][2]
    whole = int(np.flatnonzero(PEOPLE.notna().all(axis=1))[0])
    assert ask("row", model="people", example=whole).filled is None


@pytest.mark.parametrize("model", MODELS)
def test_the_code_of_an_example_says_what_its_reconstruction_does(ask, library, model):
    entry = library[model]
    coded = ask("row", model=model, example=5).coded
    means = ask("means", model=model, z=entry.codes[5].tolist())
    assert means.row["texts"] == coded["row"]["texts"]
    restored = entry.numbers(entry.estimator.reconstruct(entry.at([5])))
    if model == "named":
        np.testing.assert_allclose(means.row["at"], entry.columns.at(restored), atol=1e-5)
    else:
        assert means.row["texts"][0][1] == entry.columns.shown(restored).texts[0][1]
    assert entry.codes[5] == pytest.approx(coded["z"], abs=1e-5)


def test_held_cells_stay_and_the_others_follow(ask):
    """Age goes with city, and income with member, so that what is held is seen in the other."""
    shown = [ask("follow", model="people", held={"age": age}) for age in ("30", "70")]
    texts = [found.row["texts"][0] for found in shown]
    assert [text[0] for text in texts] == ["30", "70"]
    assert texts[1][1] == "Brno" != texts[0][1]
    assert all(np.isnan(found.low[0]) for found in shown)
    chances = [dict(map(tuple, found.chances[1])) for found in shown]
    assert chances[1]["Brno"] > chances[0].get("Brno", 0)
    rich, poor = (ask("follow", model="people", held={"member": held}) for held in ("True", "False"))
    assert float(rich.row["texts"][0][2]) > float(poor.row["texts"][0][2])
    assert (rich.low[2], rich.high[2]) > (poor.low[2], poor.high[2])


def test_a_cell_is_held_by_its_place_by_its_text_or_as_it_is(ask):
    dragged = ask("follow", model="people", held={"age": 1.0, "size": 0.5, "since": 0})
    ends = {column["name"]: column["ends"] for column in ask("models").models[0]["columns"]}
    assert dragged.row["texts"][0][0] == ends["age"][1]
    assert dragged.row["texts"][0][5] == "M"
    assert dragged.row["texts"][0][6] == ends["since"][0]
    own = {str(name): None for name, known in PEOPLE.iloc[GAPPY].notna().items() if known and name != "id"}
    held = ask("follow", model="people", held=own, example=GAPPY)
    shown = ask("row", model="people", example=GAPPY)
    assert held.row["texts"] == shown.filled["row"]["texts"]
    typed = ask("follow", model="people", held={"since": "2021-02-03", HOSTILE: LEVEL})
    assert typed.row["texts"][0][6:] == ["2021-02-03", LEVEL]
    assert ask("follow", model="named", held={"b": "7.25"}).row["texts"][0][1] == "7.25"


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({}, "held names no cell"),
        ({"salary": "1"}, "no column 'salary'"),
        ({"id": "p1"}, "learned nothing from the column 'id'"),
        ({"city": "Brnoo"}, "'Brnoo' is not one of the column's levels, 'Brno', 'Plzeň', 'Praha'; did you mean 'Brno'"),
        ({"age": "old"}, "'old' is not a number"),
        ({"age": "30.5"}, "whole numbers"),
        ({"age": "700"}, "the training data reach from"),
        ({"since": "soon"}, "is not a date"),
        ({"age": 2.0}, "from 0 to 1"),
        ({"income": None}, "there is none"),
        ({"age": ["30"]}, "held"),
    ],
)
def test_what_cannot_be_held_is_refused_in_words(ask, held, said):
    assert said in ask("follow", model="people", held=held, example=GAPPY).refused


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("row", {"example": 4000}, "4000"),
        ("means", {"z": [0.0]}, "2 numbers"),
        ("values", {"column": "salary"}, "salary"),
        ("look", {"given": {"pixels": "AAAA"}}, "have no pixels"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_words(ask, name, given, said):
    assert said in ask(name, model="people", **given).refused


def test_numbers_held_must_be_numbers(ask):
    assert "b='x' is not a number" in ask("follow", model="named", held={"b": "x"}).refused
    assert "not a finite" in ask("follow", model="named", held={"b": "inf"}).refused


@pytest.mark.parametrize("model", MODELS)
def test_every_view_of_models_shows_rows(ask, library, model):
    """What the others show of images they show of rows in words, one text a column."""
    entry, columns = library[model], len(library[model].columns.columns)
    z = entry.codes[0].tolist()
    shown = [
        ask("at", model=model, z=z).levels,
        ask("example", model=model, row=GAPPY if model == "people" else 1).original,
        ask("group", model=model, rows=[0, 1, 2]).mean,
        ask("decode", model=model, codes=[z]).levels,
        ask("noisy", model=model, z=z, sigma=0.5).levels,
        ask("samples", model=model, n=3).levels,
        ask("way", model=model, a=0, b=1).levels,
        ask("look", model=model, given={"example": 2}).restored,
        ask("explain", model=model, given={"example": 2}).ordinary,
        ask("noise", model=model, given={"example": 2}, corruption="masking", level=0.5).noisy,
        ask("compare", model=model).columns[0]["restored"],
    ]
    for rows in shown:
        assert {len(texts) for texts in rows["texts"]} == {columns}
        assert rows["at"].shape == (len(rows["texts"]), columns)
    assert ask("tiles", model=model, side=4).levels.shape == (16, columns)
    values = ask("values", model=model, column=entry.columns.headings[0].name).at
    np.testing.assert_allclose(values, entry.columns.at(entry.numbers(entry.X))[:, 0], atol=1e-6)


def test_new_rows_are_those_that_sample_draws(ask, library):
    drawn = library["people"].estimator.sample(5, random_state=3, missing=False)
    texts = ask("samples", model="people", n=5, seed=3).levels["texts"]
    assert [text[0] for text in texts] == [str(age) for age in drawn["age"]]
    assert [text[1] for text in texts] == drawn["city"].tolist()


def test_a_level_that_is_new_is_no_missing_cell(library):
    entry = library["people"]
    new = entry.columns.shown(entry.numbers(PEOPLE.head(1).assign(city="Atlantis")))
    assert new.texts[0][1] == ""
    assert (new.at > 1)[0, 1]


@pytest.mark.parametrize("data", [None, "people.csv"])
def test_models_of_tables_are_opened(tmp_path, monkeypatch, library, data):
    """With their data, whose types are those of the training, and without: then the rows are the model's own."""
    monkeypatch.chdir(tmp_path)
    PEOPLE.assign(member=PEOPLE["member"].astype(int), since=PEOPLE["since"].dt.date).to_csv("people.csv", index=False)
    library["people"].estimator.save("people.safetensors")
    (entry,) = open_models([tmp_path / "people.safetensors"], data)
    assert entry.from_prior == (data is None)
    assert [heading.name for heading in entry.columns.headings] == [*PEOPLE.columns[:-1]]
    assert np.isfinite(entry.errors).all()
    if data:
        np.testing.assert_allclose(entry.numbers(entry.X), library["people"].numbers(PEOPLE))
        assert open_models([tmp_path / "people.safetensors"], data).given["people"][1] == data


def test_data_of_other_columns_are_refused_by_name(tmp_path, library):
    library["people"].estimator.save(tmp_path / "people.safetensors")
    PEOPLE.drop(columns="city").to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(ValueError, match="X has no column 'city', which the model was fitted to"):
        open_models([tmp_path / "people.safetensors"], str(tmp_path / "other.csv"))


def test_whole_numbers_are_explored_as_any_others(tmp_path):
    """A frame of integers is a table, and needs no option to be shown."""
    whole = pd.DataFrame(np.random.default_rng(1).integers(0, 99, (80, 3)), columns=["a", "b", "c"])
    whole.to_csv(tmp_path / "whole.csv", index=False)
    Autoencoder(2, epochs=2, random_state=0).fit(whole).save(tmp_path / "whole.safetensors")
    (entry,) = open_models([tmp_path / "whole.safetensors"], str(tmp_path / "whole.csv"))
    shown = entry.columns.shown(entry.numbers(entry.at([4])))
    assert shown.texts == [[str(number) for number in whole.iloc[4]]]
