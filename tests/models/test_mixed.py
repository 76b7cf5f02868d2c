"""Likelihoods of a table's columns: probabilities sum to 1, densities integrate to 1, and gaps are left out."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.integrate import quad
from torch import distributions, nn

from narrows.columns.column import MOST_LEVELS
from narrows.columns.table import Table
from narrows.models.coding import Coding
from narrows.models.corruptions import Corruption
from narrows.models.likelihoods import Gaussian, Laplace, Mixed, SquaredError
from narrows.models.likelihoods.levels import BinaryLevels, Categorical, Ordinal
from narrows.scaling import Scaling

N = 90
RNG = np.random.default_rng(0)
SIZES = pd.Categorical(RNG.choice(list("SML"), N, p=[0.6, 0.3, 0.1]), categories=list("SML"), ordered=True)
FRAME = pd.DataFrame(
    {
        "x": RNG.normal(size=N),
        "city": RNG.choice(["Brno", "Praha", "Plzeň", "Zlín"], N),
        "n": RNG.poisson(2, N),
        "yes": RNG.random(N) < 0.3,
        "size": SIZES,
        "colour": RNG.choice(["red", "green", "blue"], N),
        "y": RNG.normal(size=N),
    }
)
TABLE = Table.of(FRAME, None)
CELLS = torch.from_numpy(TABLE.cells(FRAME))
SCALING = Scaling("feature", np.zeros(7), np.ones(7))


def columns(*names):
    return [column for column in TABLE.columns if column.name in names]


def mixed():
    return Mixed(TABLE.modelled, SCALING, lambda k: SquaredError(nn.Identity(), k)).double()


KINDS = {
    "binary": (BinaryLevels, ["yes"]),
    "category": (Categorical, ["city", "colour"]),
    "ordinal": (Ordinal, ["size"]),
}


@pytest.mark.parametrize(("kind", "names"), KINDS.values(), ids=KINDS)
def test_probabilities_of_all_levels_and_of_an_unseen_one_sum_to_one(kind, names):
    found = columns(*names)
    likelihood = kind(found).double()
    h = torch.randn(5, likelihood.width, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 3
    for place, column in enumerate(found):
        x = torch.zeros(5, len(found), dtype=torch.float64)
        total = torch.zeros(5, dtype=torch.float64)
        for level in range(len(column.levels) + 1):
            x[:, place] = level
            total += likelihood.log_terms(x, h)[:, place].exp()
        torch.testing.assert_close(total, torch.ones(5, dtype=torch.float64), rtol=1e-6, atol=0)
        assert math.exp(likelihood.log_terms(x, h)[0, place].detach()) == pytest.approx(1 / (N + 1), rel=1e-6)


def test_levels_are_torchs_distributions():
    h = torch.tensor([[0.3, -1.0, 2.0, 0.1, 0.5, -0.5, 1.5]], dtype=torch.float64)
    x = torch.tensor([[2.0, 1.0]], dtype=torch.float64)
    seen = math.log1p(-1 / (N + 1))
    expected = [
        distributions.Categorical(logits=part).log_prob(at)[0]
        for part, at in zip(h.split([4, 3], 1), x[0], strict=True)
    ]
    found = Categorical(columns("city", "colour")).double().log_terms(x, h)[0]
    torch.testing.assert_close(found, torch.stack(expected) + seen, rtol=1e-6, atol=0)
    one = BinaryLevels(columns("yes")).double().log_terms(torch.ones(1, 1).double(), h[:, :1])[0, 0]
    assert float(one) == pytest.approx(math.log(1 / (1 + math.exp(-0.3))) + seen, rel=1e-6)


@pytest.mark.parametrize(("kind", "names"), KINDS.values(), ids=KINDS)
def test_the_usual_outputs_give_the_training_frequencies(kind, names):
    found = columns(*names)
    probabilities = kind(found).log_levels(kind(found).usual()[None]).exp()[0]
    for place, column in enumerate(found):
        shares = np.array(column.counts) / sum(column.counts)
        np.testing.assert_allclose(probabilities[place, : len(shares)].detach(), shares, rtol=1e-5)


def test_draws_of_levels_have_their_probabilities():
    likelihood = Categorical(columns("city", "colour"))
    h = likelihood.usual().expand(20_000, -1)
    drawn = likelihood.simulate(h, torch.Generator().manual_seed(0))
    for place, column in enumerate(columns("city", "colour")):
        shares = np.bincount(drawn[:, place].long().numpy(), minlength=len(column.levels)) / len(drawn)
        np.testing.assert_allclose(shares, np.array(column.counts) / N, atol=0.015)  # four standard errors


def test_rare_levels_share_an_output_by_their_frequencies():
    words = [f"w{i}" for i in range(2 * MOST_LEVELS)] * 2 + ["w3"] * 5 + ["w511"] * 2
    (column,) = Table.of(pd.DataFrame({"w": words}), None).columns
    likelihood = Categorical([column]).double()
    levels = torch.arange(len(column.levels)).double()[:, None]
    p = likelihood.log_terms(levels, likelihood.usual().double().expand(len(levels), -1)).exp().flatten()
    np.testing.assert_allclose(p / (1 - column.unseen), np.array(column.counts) / len(words), rtol=1e-5)
    drawn = likelihood.simulate(likelihood.usual().expand(4000, -1), torch.Generator().manual_seed(0))
    assert 0.4 < (drawn >= MOST_LEVELS - 1).double().mean() < 0.6
    assert drawn.unique().numel() > MOST_LEVELS
    certain = torch.nn.functional.one_hot(torch.zeros(3).long(), likelihood.width) * 1e3
    assert (likelihood.simulate(certain, torch.Generator().manual_seed(0)) == 0).all()


def test_a_missing_cell_is_left_out_and_moves_nothing():
    likelihood = mixed()
    h = torch.randn(N, likelihood.width, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    h.requires_grad_()
    terms = likelihood.log_terms(CELLS, h)
    for place in range(CELLS.shape[1]):
        gappy = CELLS.clone()
        gappy[:, place] = math.nan
        found = likelihood.log_terms(gappy, h)
        assert not found[:, place].any()
        torch.testing.assert_close(found.sum(1), terms.sum(1) - terms[:, place])
        likelihood.zero_grad()
        (slope,) = torch.autograd.grad(likelihood.loss(gappy, h).sum(), h, retain_graph=True)
        assert slope.isfinite().all()
        (alone,) = torch.autograd.grad(terms[:, place].sum(), h, retain_graph=True)
        assert not slope[:, (alone != 0).any(0)].any()


def test_columns_count_alike_in_parts_of_their_marginal():
    likelihood = mixed()
    likelihood.weigh(CELLS, torch.ones(7), alike=True)
    usual = torch.cat([part.usual() for part in likelihood.parts]).double()
    costs = likelihood.loss_terms(CELLS, usual.expand(N, -1)).mean(0)
    np.testing.assert_allclose(costs.detach(), np.full(7, 0.5), rtol=1e-5)
    city = columns("city")[0]
    shares = np.array(city.counts) / N
    entropy = -(shares * np.log(shares)).sum() - math.log1p(-city.unseen)
    assert float(likelihood.weights[1]) == pytest.approx(0.5 / entropy, rel=1e-5)
    likelihood.weigh(CELLS, torch.arange(7.0), alike=False)
    assert likelihood.weights.tolist() == list(range(7))


def test_the_mean_of_several_outputs_mixes_numbers_and_probabilities():
    likelihood = mixed()
    h = torch.zeros(2, 1, likelihood.width, dtype=torch.float64)
    h[:, 0, 0] = torch.tensor([1.0, 3.0])  # x
    places = sum(likelihood.widths[:1])
    h[0, 0, places + 1], h[1, 0, places + 2] = 9.0, 1.0  # city: sure of the second, or a little for the third
    found = likelihood.mix(h, torch.tensor([[0.25], [0.75]], dtype=torch.float64))
    assert float(found[0, 0]) == pytest.approx(2.5)
    assert float(found[0, 1]) == 2 if 0.75 * math.e / (3 + math.e) > 0.25 + 0.75 / (3 + math.e) else 1


def test_the_density_of_a_skewed_column_integrates_to_one():
    values = np.exp(RNG.normal(3, 1, 200))
    table = Table.of(pd.DataFrame({"income": values}), None)
    cells = table.cells(pd.DataFrame({"income": values}))
    scaling = Scaling("feature", cells.mean(0), cells.std(0))
    likelihood = Mixed(table.modelled, scaling, lambda k: SquaredError(nn.Identity(), k)).double()

    def density(value):
        x = scaling.apply(table.cells(pd.DataFrame({"income": [value]}))).astype(np.float64)
        h = torch.full((1, 1), 0.3, dtype=torch.float64)
        return math.exp(float(likelihood.log_terms(torch.from_numpy(x), h)) - likelihood.log_change(x, scaling)[0, 0])

    low = float(values.min())
    total = sum(quad(density, *ends, limit=200)[0] for ends in ((-9 * low, low), (low, 50), (50, 1000), (1000, 60_000)))
    assert total == pytest.approx(1, abs=1e-3)


def test_what_nets_see():
    x = torch.tensor([[0.5, 1.0, 2.0, 1.0, 0.0, 2.0, -1.0], [math.nan] * 7, [0.0, 4.0, 0.0, 2.0, 3.0, 3.0, 0.0]])
    coded = Coding(TABLE.modelled)(x)
    assert coded.shape == (3, Coding(TABLE.modelled).width) == (3, 4 * 2 + 1 + 4 + 3)
    numbers, missing, binary, city, colour = coded.split([4, 4, 1, 4, 3], 1)
    size = np.array(columns("size")[0].counts) / N
    mean = size @ np.arange(3)
    deviation = math.sqrt(size @ (np.arange(3) - mean) ** 2)
    torch.testing.assert_close(numbers[0], torch.tensor([0.5, 2.0, (0 - mean) / deviation, -1.0], dtype=torch.float32))
    assert numbers[1].tolist() == [0] * 4
    assert missing.tolist() == [[0] * 4, [1] * 4, [0, 0, 1, 0]]  # an unseen size is as one that is missing
    assert binary.flatten().tolist() == [0.5, 0, 0]
    assert city.tolist() == [[0, 1, 0, 0], [0] * 4, [0] * 4]
    assert colour.tolist() == [[0, 0, 1], [0] * 3, [0] * 3]


def test_corruption_of_cells_moves_numbers_and_hides_any():
    generator = torch.Generator().manual_seed(0)
    shape = (7,)
    noisy = Corruption("gaussian", 0.5, 0.5, shape, numbers=(0, 2, 6))(CELLS, generator, 0.0)
    moved = (noisy != CELLS).any(0)
    assert moved.tolist() == [True, False, True, False, False, False, True]
    for kind in ("masking", "block"):
        hidden = Corruption(kind, 0.3, 0.3, shape, numbers=(0, 2, 6))(CELLS, generator, 0.0)
        assert 0.2 < hidden.isnan().double().mean() < 0.4
        assert (hidden.isnan() | (hidden == CELLS)).all()
    both = Corruption("gaussian", 0.0, 0.0, shape, numbers=(0,), most_hidden=0.8)(CELLS, generator, 0.0)
    assert 0.3 < both.isnan().double().mean() < 0.5


@pytest.mark.parametrize("kind", [SquaredError, Gaussian, Laplace])
def test_cells_are_drawn_in_the_type_of_the_outputs(kind):
    for dtype in (torch.float32, torch.float64):
        likelihood = Mixed(TABLE.modelled, SCALING, lambda k: kind(nn.Identity(), columns=k)).to(dtype)
        h = torch.zeros(3, likelihood.width, dtype=dtype)
        assert likelihood.simulate(h, torch.Generator().manual_seed(0)).dtype == dtype


def test_a_count_in_bins_has_probabilities_that_sum_to_one():
    """As many cells as a histogram takes, with more zeros than a negative binomial of that mean and variance."""
    rng = np.random.default_rng(0)
    visits = np.where(rng.random(3000) < 0.4, 0, rng.poisson(4, 3000))
    table = Table.of(pd.DataFrame({"visits": visits}), {"visits": "count"})
    likelihood = Mixed(
        table.modelled, Scaling("feature", np.full(1, 2.0), np.full(1, 3.0)), lambda k: Gaussian(nn.Identity(), None, k)
    )
    scaling = Scaling("feature", np.full(1, 2.0), np.full(1, 3.0))
    x = scaling.apply(np.arange(visits.max() + 1.0)[:, None])
    h = torch.randn(likelihood.width, generator=torch.Generator().manual_seed(0)).expand(len(x), -1)
    log_p = likelihood.log_terms(torch.from_numpy(x), h).double() - torch.from_numpy(likelihood.log_change(x, scaling))
    assert float(log_p.exp().sum()) == pytest.approx(1, abs=1e-3)


def bins():
    """Histograms of a count and of a number, and cells inside and outside of their bins."""
    rng = np.random.default_rng(0)
    visits = np.where(rng.random(3000) < 0.4, 0, rng.poisson(4, 3000))
    table = Table.of(
        pd.DataFrame({"visits": visits, "share": rng.beta(0.3, 0.3, 3000)}), {"visits": "count", "share": "real"}
    )
    scaling = Scaling("feature", np.zeros(2), np.full(2, 3.0))
    likelihood = Mixed(table.modelled, scaling, lambda k: Gaussian(nn.Identity(), None, k)).double()
    return likelihood, torch.tensor([[0.0, 0.1], [1.0, 0.3], [math.nan, 0.2], [99.0, -5.0]]).double()


@pytest.mark.parametrize("numbers", [SquaredError, Gaussian, Laplace, None])
def test_slopes_and_curvatures_are_those_of_automatic_differentiation(numbers):
    """Of columns of each kind, with missing cells and levels and numbers that were not there at the fit."""
    if numbers is None:
        likelihood, x = bins()
    else:
        likelihood = Mixed(TABLE.modelled, SCALING, lambda k: numbers(nn.Identity(), columns=k)).double()
        x = CELLS[:4].double()
        x[0, :3], x[1, 3:] = math.nan, math.nan
        x[2, [column.name for column in TABLE.modelled].index("city")] = 4
    generator = torch.Generator().manual_seed(0)
    h = torch.randn(4, likelihood.width, dtype=torch.float64, generator=generator)
    along = torch.randn(3, 4, likelihood.width, dtype=torch.float64, generator=generator)
    slopes, curvatures = likelihood.slopes_and_curvatures(x, h, along)

    def cost(of_row, row):
        return -likelihood.log_terms(x[row : row + 1], of_row[None]).sum()

    for row in range(4):
        jacobian = torch.autograd.functional.jacobian(lambda one, row=row: cost(one, row), h[row])
        hessian = torch.autograd.functional.hessian(lambda one, row=row: cost(one, row), h[row])
        torch.testing.assert_close(slopes[row], along[:, row] @ jacobian, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(curvatures[row], along[:, row] @ hessian @ along[:, row].T, rtol=1e-5, atol=1e-6)
