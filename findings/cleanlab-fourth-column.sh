#!/usr/bin/env bash
# cleanlab 2.9.0: an example a hundred times as far out as all others is the oddest of rows of three numbers, and more
# ordinary than most of rows of four.
#
# One would guess that how odd an example is among features hangs on how far away its neighbours are, however many
# columns there are, since one more column in which it is just as far out can only make it odder. Up to three columns
# distances are measured; from four on angles are, by the cosine, as the description of the parameters says, and along a
# direction that others have an example may lie as far out as it likes. That suits what large nets make of images, all
# of about one length; it does not suit codes of a few numbers, or rows of a table. A neighbour search of one's own
# (`knn` among the parameters) measures distances in any number of columns.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet cleanlab==2.9.0 scikit-learn==1.9.1 pandas==2.3.3 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'END'
import cleanlab
import numpy as np
from cleanlab.outlier import OutOfDistribution
from sklearn.neighbors import NearestNeighbors

print("cleanlab", cleanlab.__version__)
rng = np.random.default_rng(0)
rows = 1 + np.abs(rng.normal(size=(300, 6)))
for columns in range(2, 7):
    known, far = rows[:200, :columns], np.full((1, columns), 200.0)
    asked = np.r_[rows[200:, :columns], far]
    ranks = {}
    for name, knn in (("default", None), ("own", NearestNeighbors(n_neighbors=10).fit(known))):
        detector = OutOfDistribution(params={} if knn is None else {"knn": knn})
        detector.fit(features=known, verbose=False)
        scores = detector.score(features=asked)
        ranks[name] = int((scores[:-1] < scores[-1]).sum())
    print(f"{columns} columns: of 100 ordinary ones are odder {ranks['default']}; by distances {ranks['own']}")
    assert ranks["own"] == 0
    assert ranks["default"] == 0 if columns <= 3 else ranks["default"] > 50
END
