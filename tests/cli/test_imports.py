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
import pandas, scipy.stats
assert pandas.Series([1, 2]).sum() == 3 and scipy.stats.norm.cdf(0) == 0.5
print("found", json.dumps(found))
"""

ALWAYS, DRAWING = ["torch", "sklearn"], ["matplotlib"]
"""And what these import themselves."""

EVALUATING = ["scipy.optimize._optimize", "scipy.spatial.distance", "sklearn.svm"]
"""Of SciPy it is what shows that a part of it has run."""

NEVER = [
    "matplotlib.pyplot",
    "numpy.f2py.crackfortran",
    "onnx",
    "pandas.core",  # which shows that pandas has run
    "polars",
    "pyarrow",
    "scipy.integrate._ivp",
    "scipy.interpolate._interpolate",
    "scipy.io.matlab",
    "scipy.stats._stats_py",
    "sklearn.datasets",
    "sklearn.ensemble",
    "sklearn.manifold",
    "sklearn.mixture",
    "sympy",
    "tensorboard",
    "torch._dynamo",
    "torchmetrics",
    "zuko",
]


def test_each_verb_imports_no_more_than_it_uses(tmp_path):
    """In the order of what they need, since one process runs them."""
    X = np.random.default_rng(0).random((80, 4, 4))
    VAE(2, epochs=1, hidden=(4,), random_state=0).fit(X).save(tmp_path / "m.safetensors")
    np.save(tmp_path / "x.npy", np.random.default_rng(1).random((80, 4, 4)))
    verbs = [
        ["encode", "m.safetensors", "x.npy", "--out", "codes.csv"],
        ["generate", "m.safetensors", "--n", "4", "--out", "new"],
        ["evaluate", "m.safetensors", "x.npy", "--out", "evaluated"],
    ]
    asked = json.dumps([ALWAYS + DRAWING + EVALUATING + NEVER, verbs])
    command = [sys.executable, "-c", SCRIPT, asked]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.rpartition("found ")[2])
    assert found == [ALWAYS, ALWAYS + DRAWING, ALWAYS + DRAWING + EVALUATING]
