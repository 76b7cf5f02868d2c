#!/usr/bin/env bash
# copulas 0.14.1: the density of a Gaussian copula with its margins does not depend on the unit, and is no density.
#
# One would guess that `probability_density` of a fitted GaussianMultivariate sums to 1 over the plane, and is a
# hundredth in x and in y where both are counted in centimetres instead of metres: that is what a density is, and those
# of the library's own margins do. It is the density of the normal numbers that the columns are turned into, the
# margins' own are left out: over the plane it sums to 0.0001 for a deviation of 0.01 and to 10,000 for one of 100. So
# log-likelihoods of two models, or of a copula and of any other, differ by a number that hangs on nothing but the unit
# and the margins. `sample` and `cumulative_distribution` are right.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet copulas==0.14.1 numpy==2.4.6 pandas==2.3.3 scipy==1.17.1
cd "$folder"
venv/bin/python -W ignore - <<'END'
import numpy as np
import pandas as pd
from copulas.multivariate import GaussianMultivariate
from copulas.univariate import GaussianUnivariate

rng = np.random.default_rng(0)
standard = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 1_000)
ends = np.linspace(-6, 6, 121)
for unit in (0.01, 1, 100):
    model = GaussianMultivariate(distribution=GaussianUnivariate)
    model.fit(pd.DataFrame(standard * unit, columns=["x", "y"]))
    places = unit * ends
    x, y = np.meshgrid(places, places)
    cell = (places[1] - places[0]) ** 2
    total = model.probability_density(pd.DataFrame({"x": x.ravel(), "y": y.ravel()})).sum() * cell
    margin = GaussianUnivariate()
    margin.fit(standard[:, 0] * unit)
    alone = margin.probability_density(places).sum() * (places[1] - places[0])
    below = model.cumulative_distribution(pd.DataFrame({"x": [0.0], "y": [0.0]}))
    print(f"times {unit}: the density sums to {total:.3g}, a margin's to {alone:.3f}; below 0 lies {below:.2f}")
    assert abs(total / unit**2 - 1) < 0.1
    assert abs(alone - 1) < 1e-3
    assert abs(below - 1 / 3) < 0.05
END
