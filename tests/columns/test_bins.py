"""Columns of numbers that no bell describes are cut into bins, heaps among them, which come back exactly."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.integrate import quad

from narrows import VAE, Autoencoder
from narrows.columns.table import Table
from narrows.models.likelihoods.histogram import Histogram
from narrows.scaling import Scaling

N = 3000
RNG = np.random.default_rng(0)
GAINS = np.where(RNG.random(N) < 0.6, 0.0, np.where(RNG.random(N) < 0.1, 99.5, RNG.lognormal(1, 1, N)))
FRAME = pd.DataFrame(
    {
        "bell": RNG.normal(size=N),
        "gain": GAINS,
        "hours": np.where(RNG.random(N) < 0.5, 40, RNG.integers(1, 99, N)).astype(np.int8),
        "price": np.where(RNG.random(N) < 0.4, 9.99, RNG.lognormal(2, 1, N)),
        "seen": pd.Timestamp("2020-01-01") + pd.to_timedelta(RNG.integers(0, 2, N) * RNG.integers(0, 900, N), unit="D"),
        "city": RNG.choice(["Brno", "Praha"], N),
    }
)
TABLE = Table.of(FRAME, None)
BINNED = [column for column in TABLE.modelled if column.edges]


def cells_of(column):
    return TABLE.cells(FRAME)[:, TABLE.modelled.index(column)]


def test_which_columns_are_cut():
    assert [(column.name, column.kind) for column in BINNED] == [
        ("gain", "real"),
        ("hours", "whole"),
        ("price", "positive"),
        ("seen", "date"),
    ]
    assert not [column for column in Table.of(FRAME[:1000], None).modelled if column.edges]
    asked = Table.of(FRAME, {"gain": "real", "hours": "whole"})
    assert [column.name for column in asked.modelled if column.edges] == ["hours", "price", "seen"]
    assert "hours: whole number, in" in "".join(TABLE.notes)


@pytest.mark.parametrize("column", BINNED, ids=lambda column: column.name)
def test_each_cell_is_in_one_bin(column):
    edges = np.array(column.edges).reshape(-1, 2)
    assert (edges[:, 0] <= edges[:, 1]).all()
    assert (edges[1:, 0] >= edges[:-1, 1] - 1e-12).all()
    cells = cells_of(column)
    heaps = edges[edges[:, 0] == edges[:, 1], 0]
    inside = (cells[:, None] >= edges[:, 0]) & (cells[:, None] < edges[:, 1]) & ~np.isin(cells, heaps)[:, None]
    inside |= cells[:, None] == np.where(edges[:, 0] == edges[:, 1], edges[:, 0], np.nan)
    assert (inside.sum(1) <= 1).all()
    np.testing.assert_allclose(inside.sum(0)[:-1], column.counts[:-1], atol=1)
    assert sum(column.counts) == N


@pytest.mark.parametrize("column", BINNED, ids=lambda column: column.name)
def test_the_density_integrates_to_one(column):
    cells = cells_of(column)
    scaling = Scaling("feature", np.array([cells.mean()]), np.array([cells.std()]))
    likelihood = Histogram([column], scaling)
    h = likelihood.usual()[None] + torch.randn(1, likelihood.width, generator=torch.Generator().manual_seed(0))

    def density(x):
        return float(likelihood.log_terms(torch.tensor([[x]], dtype=torch.float64), h.double()).exp())

    low, high = likelihood.low[0].double().tolist(), likelihood.high[0].double().tolist()
    within = sum((b - a) * density((a + b) / 2) for a, b in zip(low, high, strict=True))
    beyond = quad(density, high[-1] + 1e-3, np.inf)[0] + quad(density, -np.inf, low[0] - 1e-3)[0]
    assert within == pytest.approx(N / (N + 1), abs=1e-5)
    assert 0 < beyond < 1 / (N + 1)
    wanted = torch.tensor([[low[3], high[8]], [high[-1] - 0.3, np.inf]], dtype=torch.float64)
    drawn = likelihood.simulate(h.expand(20_000, -1), torch.Generator().manual_seed(1))[:, 0].double()
    share = ((drawn >= wanted[0, 0]) & (drawn <= wanted[0, 1]) | (drawn >= wanted[1, 0])).double().mean()
    chance = float(likelihood.log_chance(h, 0, wanted).exp())
    assert float(share) == pytest.approx(chance, abs=0.02)
    assert float(likelihood.mean(h)) == pytest.approx(float(drawn.mean()), abs=0.05)


def test_heaps_come_back_exactly():
    model = VAE(2, hidden=(32,), epochs=10, random_state=0).fit(FRAME)
    new = model.sample(4000, random_state=0)
    assert new.dtypes.equals(FRAME.dtypes)
    for name, value in {"gain": 0.0, "price": 9.99, "hours": 40, "seen": pd.Timestamp("2020-01-01")}.items():
        assert (new[name] == value).mean() == pytest.approx((FRAME[name] == value).mean(), abs=0.06), name
    for name in ("gain", "price", "hours", "seen"):
        assert new[name].between(FRAME[name].min(), FRAME[name].max()).all()
    given = model.sample(300, random_state=0, given={"gain": 0, "price": (5, 9.99), "hours": {40, 41}})
    assert (given["gain"] == 0).all()
    assert given["price"].between(5, 9.99).all()
    assert given["hours"].isin([40, 41]).all()


def test_a_heap_is_the_number_that_it_was_whatever_exponentials_of_logarithms_are():
    rng = np.random.default_rng(0)
    prices = np.round(np.exp(rng.normal(3, 1, 100)), 2)
    frame = pd.DataFrame({"price": np.concatenate([np.repeat(prices, 30), np.exp(rng.normal(3, 2, 1000))])})
    (column,) = Autoencoder(1, hidden=(4,), epochs=1, random_state=0, columns={}).fit(frame).table_.columns
    assert column.kind == "positive"
    assert len(column.heaps) > 90
    assert set(column.heaps) <= set(prices)
    np.testing.assert_array_equal(column.values(np.log(column.heaps), bounded=True), column.heaps)
