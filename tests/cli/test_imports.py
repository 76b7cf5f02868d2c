"""A command imports what it uses: what takes long to import comes with the first verb that needs it."""

import json
import subprocess
import sys

import numpy as np

from narrows import VAE

SCRIPT = """
import json, sys
from narrows.cli import POSTPONED, app
from narrows.cli.postponing import postpone

postpone(POSTPONED)

def loaded():
    found.append([module for module in heavy if module in sys.modules])

heavy, verbs = json.loads(sys.argv[1])
found = []
for verb in verbs:
    app(verb, standalone_mode=False)
    loaded()
import narrows.runs.evaluations
loaded()
import pandas, scipy.stats
assert pandas.Series([1, 2]).sum() == 3 and scipy.stats.norm.cdf(0) == 0.5
print("found", json.dumps(found))
"""

ALWAYS, DRAWING = ["torch", "sklearn"], ["matplotlib"]
"""And what these import themselves."""

NEVER = [
    "matplotlib.pyplot",
    "onnx",
    "pandas.core",  # of pandas and these of SciPy it is what shows that they have run
    "polars",
    "scipy.integrate._ivp",
    "scipy.io.matlab",
    "scipy.optimize._optimize",
    "scipy.spatial.distance",
    "scipy.stats._stats_py",
    "sklearn.datasets",
    "sklearn.ensemble",
    "sklearn.manifold",
    "sklearn.mixture",
    "sklearn.svm",
    "sympy",
    "tensorboard",
    "torch._dynamo",
    "torchmetrics",
    "zuko",
]


def test_each_verb_imports_no_more_than_it_uses(tmp_path):
    """In the order of what they need, since one process runs them; of evaluate, what comes before its work."""
    X = np.random.default_rng(0).random((40, 4, 4))
    VAE(2, epochs=1, hidden=(4,), random_state=0).fit(X).save(tmp_path / "m.safetensors")
    np.save(tmp_path / "x.npy", X)
    verbs = [
        ["encode", "m.safetensors", "x.npy", "--out", "codes.csv"],
        ["generate", "m.safetensors", "--n", "4", "--out", "new"],
    ]
    asked = json.dumps([ALWAYS + DRAWING + NEVER, verbs])
    command = [sys.executable, "-c", SCRIPT, asked]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.rpartition("found ")[2])
    assert found == [ALWAYS, ALWAYS + DRAWING, ALWAYS + DRAWING]
