"""What an evaluation costs: all numbers of a model of MNIST, judged by its 10,000 test images, without integrals.

``NARROWS_MNIST`` as of ``benchmarks.likelihood``.
"""

from __future__ import annotations

import os
import resource
import time

import torch

from narrows import VAE, Autoencoder
from narrows.data import load_data

MOST_LEARNT = 20_000


def main() -> None:
    """Print CPU seconds and memory, a row a model."""
    torch.set_num_threads(1)
    data = load_data(os.environ.get("NARROWS_MNIST", "mnist"))
    X, y = data.X[:MOST_LEARNT], data.y[:MOST_LEARNT]
    test, labels = data.X[-10_000:], data.y[-10_000:]
    print("| model | fit, CPU s | evaluate, CPU s | peak MiB | findings |")
    print("|---|---|---|---|---|")
    for model in (Autoencoder(16, net="dense", epochs=3), VAE(16, net="dense", epochs=3)):
        started = time.process_time()
        model.set_params(random_state=0).fit(X)
        fitted = time.process_time()
        found = model.evaluate(test, labels, X_train=X, y_train=y)
        seconds = time.process_time() - fitted
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        kinds = ", ".join(finding.kind for finding in found.findings) or "none"
        name = type(model).__name__
        print(f"| {name} | {fitted - started:.0f} | {seconds:.1f} | {peak:.0f} | {kinds} |", flush=True)


if __name__ == "__main__":
    main()
