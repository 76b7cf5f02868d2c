"""A table of people for the explorer's tests: a column of each kind, gaps, and names and levels that are no words."""

import numpy as np
import pandas as pd

from narrows import VAE

HOSTILE = "<img src=x onerror=alert(1)>"
LEVEL = "\"'><script>alert(2)</script>"


def people(n=200):
    """Return ``n`` people, of whom some incomes and cities are missing."""
    rng = np.random.default_rng(8)
    a, b = rng.normal(size=(2, n))
    table = pd.DataFrame(
        {
            "age": np.rint(50 + 12 * a).astype(int),
            "city": np.where(a > 0.5, "Brno", np.where(a > -0.5, "Praha", "Plzeň")),
            "income": np.exp(10 + b + 0.1 * rng.normal(size=n)).round(2),
            "member": b > 0,
            "visits": rng.poisson(np.exp(0.5 + 0.6 * a)),
            "size": pd.Categorical(
                np.array(list("SML"))[np.digitize(a + b, [-1, 1])], categories=list("SML"), ordered=True
            ),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.rint(400 + 100 * b), unit="D"),
            HOSTILE: np.where(b > 0.3, LEVEL, "plain & simple"),
            "id": [f"p{number}" for number in range(n)],
        }
    )
    table.loc[rng.random(n) < 0.15, "income"] = None
    table.loc[rng.random(n) < 0.1, "city"] = None
    return table


def model_of_people(table):
    """Return a small model of them."""
    return VAE(2, hidden=(16,), epochs=15, random_state=0, columns={HOSTILE: "category"}).fit(table)
