"""What a model says of each cell: against rows drawn by other means, and against weights reckoned here."""

import numpy as np
import pandas as pd
import pytest
import torch

from narrows import VAE, Autoencoder
from narrows.fitted.marginals import at_code, given_cells

N = 400
RNG = np.random.default_rng(3)
A, B = RNG.normal(size=(2, N))
PEOPLE = pd.DataFrame(
    {
        "age": np.rint(50 + 15 * A),
        "income": np.exp(10 + B + 0.1 * RNG.normal(size=N)),
        "city": np.where(A > 0.5, "Brno", np.where(A > -0.5, "Praha", "Plzeň")),
        "member": B > 0,
        "visits": RNG.poisson(np.exp(0.5 + A)),
        "height": 170 + 5 * A + 5 * B + RNG.normal(size=N),
    }
)
PEOPLE.loc[RNG.random(N) < 0.2, "income"] = None


@pytest.fixture(scope="module")
def people():
    return VAE(2, hidden=(16,), epochs=15, random_state=0, columns={"age": "whole"}).fit(PEOPLE)


def cells_of(model, **known):
    places = {column.name: place for place, column in enumerate(model.table_.modelled)}
    cells = np.full(len(places), np.nan)
    for name, cell in known.items():
        cells[places[name]] = cell
    return cells, places


@pytest.mark.parametrize(("given", "known"), [({"city": "Brno"}, {"city": 0}), ({"age": 65}, {"age": 65})])
def test_what_follows_from_a_cell_is_what_rows_with_it_are_like(people, given, known):
    """They are drawn by `sample`, whose codes meet conditions and are moved; here codes are only weighted."""
    cells, places = cells_of(people, **known)
    said = given_cells(people.fitted_, cells, None)
    drawn = people.table_.cells(people.sample(6000, random_state=0, given=given, missing=False))
    for name in ("income", "height", "age"):
        place = places[name]
        if name in known:
            assert said.cells[place] == known[name]
            continue
        spread = drawn[:, place].std()
        assert said.cells[place] == pytest.approx(drawn[:, place].mean(), abs=0.15 * spread)
        for end, share in ((said.low, 0.1), (said.high, 0.9)):
            assert np.mean(drawn[:, place] < end[place]) == pytest.approx(share, abs=0.07)
    place = places["member"]
    np.testing.assert_allclose(
        said.chances[place], np.bincount(drawn[:, place].astype(int), minlength=2) / 6000, atol=0.05
    )


def test_a_row_of_which_most_is_known_is_filled_as_impute_fills_it(people):
    row = int(np.flatnonzero(PEOPLE["income"].isna())[0])
    x = PEOPLE.iloc[[row]]
    cells = people.table_.cells(x)[0]
    said = given_cells(people.fitted_, cells, None)
    place = list(PEOPLE).index("income")
    assert np.exp(said.cells[place]) == pytest.approx(people.impute(x)["income"].iloc[0], rel=1e-4)
    np.testing.assert_array_equal(np.delete(said.cells, place), np.delete(cells, place))
    assert said.low[place] < said.cells[place] < said.high[place]


def test_a_code_says_what_it_decodes_to_and_how_probable_levels_are(people):
    z = people.transform(PEOPLE)[7]
    said = at_code(people.fitted_, z, None)
    np.testing.assert_array_equal(said.z, z)
    decoded = people.model_.decode(torch.from_numpy(z)[None]).detach().numpy()
    np.testing.assert_allclose(said.cells, people.scaling_.undo(decoded)[0], rtol=1e-5)
    for column, chances in zip(people.table_.modelled, said.chances, strict=True):
        assert len(chances) == len(column.levels)
        assert not len(chances) or chances.sum() == pytest.approx(1, abs=1e-5)
    place = list(PEOPLE).index("height")
    sigma = people.model_.likelihood.parts[0].scales.detach().numpy()[1] * people.scaling_.scale[place]
    assert said.high[place] - said.low[place] == pytest.approx(2 * 1.2816 * sigma, rel=0.15)


def test_numbers_without_gaps_follow_by_the_same_rule():
    """Weights of many codes, reckoned from what they decode to and σ alone."""
    X = np.stack([A, A + B, 2 * B], 1) + 0.1 * RNG.normal(size=(N, 3))
    model = Autoencoder(2, hidden=(16,), epochs=20, random_state=0).fit(X)
    z = model.model_.prior.sample(100_000, torch.Generator().manual_seed(1))[0].numpy()
    decoded, sigma = model.inverse_transform(z), model.model_.likelihood.deviation * model.scaling_.scale
    for cells in ([1.0, np.nan, np.nan], [1.0, np.nan, 0.5]):  # by the prior's codes, and by those around the mode
        known = ~np.isnan(cells)
        said = given_cells(model.fitted_, np.array(cells), None)
        off = (decoded - cells)[:, known] / sigma[known]
        expected = np.average(decoded, 0, np.exp(-0.5 * np.square(off).sum(1)))
        np.testing.assert_allclose(said.cells, np.where(known, cells, expected), atol=0.15)
        assert (np.isnan(said.low) == known).all()
        assert (said.low < said.cells)[~known].all()
