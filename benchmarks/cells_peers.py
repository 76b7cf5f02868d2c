"""What SHAP (0.51.0, Lundberg & Lee 2017) takes to explain PyOD's IForest; run in an environment of its own.

    python cells_peers.py ROWS.npz

The CPU seconds of a row are printed as JSON, for its TreeExplainer on all rows and its KernelExplainer on a few, with
100 training rows as background.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import shap
from pyod.models.iforest import IForest

FEW, BACKGROUND = 5, 100


def main(file: str) -> None:
    """Print the seconds."""
    held = np.load(file)
    training, rows = held["training"], held["rows"]
    model = IForest(random_state=0).fit(training)
    trees = shap.TreeExplainer(model.detector_)
    trees.shap_values(rows[:2])
    started = time.process_time()
    trees.shap_values(rows)
    seconds = {"TreeExplainer": (time.process_time() - started) / len(rows)}
    kernel = shap.KernelExplainer(model.decision_function, training[:BACKGROUND])
    started = time.process_time()
    kernel.shap_values(rows[:FEW], silent=True)
    print(json.dumps({**seconds, "KernelExplainer": (time.process_time() - started) / FEW}))


if __name__ == "__main__":
    main(sys.argv[1])
