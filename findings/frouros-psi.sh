#!/usr/bin/env bash
# frouros 0.9.0: the population stability index of two samples of one distribution is about 7, far above what means
# drift.
#
# One would guess next to nothing: the customary limits are 0.1 and 0.25. The index sums, over bins of equal width, the
# difference of two shares times the logarithm of their quotient. A share of 0 is replaced by the smallest number there
# is, 2e-308, whose logarithm is −708, so that each per cent of one sample in a bin where the other has none counts 7.
# Tails are such bins. Of pairs of 100 normal numbers most are "drifted", and some of pairs of 1,000; with one case
# counted in each empty bin instead the index is about 0.16 and 0.02. Bins of one's own cannot be given.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet frouros==0.9.0
cd "$folder"
venv/bin/python - <<'END'
import frouros
import numpy as np
from frouros.detectors.data_drift import PSI

rng = np.random.default_rng(0)


def indices(size):
    found, smoothed = [], []
    for _ in range(200):
        reference, sample = rng.normal(size=(2, size))
        detector = PSI()
        detector.fit(X=reference)
        found.append(detector.compare(X=sample)[0].distance)
        edges = np.histogram_bin_edges(np.concatenate((reference, sample)), 10)
        p, q = (np.maximum(np.histogram(x, edges)[0], 1) / size for x in (reference, sample))
        smoothed.append(((q - p) * np.log(q / p)).sum())
    return np.array(found), np.array(smoothed)


print("frouros", frouros.__version__)
for size in (100, 1_000):
    found, smoothed = indices(size)
    for name, values in (("", found), (", one case in each empty bin", smoothed)):
        drifted = (values > 0.25).mean()
        print(f"{size}{name}: median {np.median(values):.2f}, largest {values.max():.1f}, {drifted:.0%} above 0.25")
    assert found.max() > 2 and (smoothed > 0.25).mean() < 0.2
    if size == 100:
        assert np.median(found) > 5 and (found > 0.25).mean() > 0.5
END
