"""Training on tables by hand, against automatic differentiation."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch

from narrows import VAE, Autoencoder
from narrows.estimators.fitting import begin
from narrows.models.likelihoods import NegativeBinomial
from narrows.models.likelihoods.histogram import Histogram
from narrows.models.likelihoods.levels import BinaryLevels, Categorical, Ordinal
from narrows.models.model import Batch
from narrows.training.dense.stack import Stack, kind_of
from narrows.training.general import General
from steps import compare_step, compare_weights

SIZES = 3, 1, 5


def rows_of_all_kinds():
    """2,400 rows with gaps, of which there must be as many for numbers to be cut into bins."""
    rng, n = np.random.default_rng(0), 2400
    sizes, many = ["S", "M", "L", "XL"], rng.integers(300, size=n)
    frame = pd.DataFrame(
        {
            "bell": rng.normal(size=n),
            "other bell": rng.normal(size=n),
            "skewed": rng.exponential(size=n).round(1),
            "visits": rng.poisson(2, n).astype(float),
            "crimes": rng.negative_binomial(1, 0.1, n).astype(float),
            "yes": pd.Series(np.where(rng.random(n) < 0.3, "yes", "no"), dtype=object),
            "city": pd.Series(rng.choice(["Brno", "Praha", "Zlín"], n), dtype=object),
            "zip": pd.Series([f"0{number:03}" for number in many], dtype=object),
            "size": pd.Categorical(rng.choice(sizes, n), categories=sizes, ordered=True),
            "grade": pd.Categorical(rng.choice(["A", "B"], n), categories=["A", "B"], ordered=True),
        }
    )
    gaps = pd.DataFrame(rng.random(frame.shape) < 0.1, columns=frame.columns)
    gaps["crimes"] |= rng.random(n) < 0.2  # too few are left for bins
    return frame.mask(gaps)


ROWS = rows_of_all_kinds()
TABLES = {
    "autoencoder": (Autoencoder, ROWS, {}),
    "gaussian": (VAE, ROWS, {}),
    "laplace": (VAE, ROWS, {"likelihood": "laplace", "column_weights": {"city": 2.0}}),
    "fixed sigma": (VAE, ROWS, {"sigma": 0.3}),
    "unit interval": (Autoencoder, ROWS[["bell", "other bell"]].dropna(how="all"), {"scaling": "global"}),
}


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)], ids=["32", "64"])
@pytest.mark.parametrize("case", TABLES)
def test_tables_are_exact_to_automatic_differentiation(case, dtype, tolerance):
    kind, frame, options = TABLES[case]
    estimators = [kind(d, hidden=(16,), epochs=1, random_state=d, **options) for d in SIZES]
    begun = [begin(estimator, frame, None) for estimator in estimators]
    models = [one.member.model.to(dtype) for one in begun]
    assert len({kind_of(model, estimators[0].objective()) for model in models}) == 1
    kinds = {type(part) for part in models[0].likelihood.parts}
    assert case == "unit interval" or kinds >= {Histogram, NegativeBinomial, BinaryLevels, Categorical, Ordinal}
    twins = copy.deepcopy(models)
    stack = Stack(models, estimators[0].objective(), 1e-2, 0.1)
    each = [General(twin, estimators[0].objective(), 1e-2, 0.1) for twin in twins]
    ours, theirs = ([torch.Generator().manual_seed(place) for place in range(3)] for _ in range(2))
    for step in range(4):
        x = begun[0].data.examples.take(torch.arange(90 * step, 90 * (step + 1))).x.to(dtype)
        for place, column in enumerate(models[0].likelihood.columns):
            if column.levels:
                x[step, place] = len(column.levels)  # one that is new
        batch = Batch(x.view(3, 30, -1), None)
        compare_step(stack, each, batch, step / 4, ours, theirs, tolerance)
    stack.store()
    compare_weights(models, twins, 10 * tolerance)
