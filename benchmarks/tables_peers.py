"""Rows by a peer, TVAE or CTGAN of ctgan 0.12.1 (Xu et al. 2019) with its defaults; run in an environment of its own.

    python tables_peers.py TVAE|CTGAN TRAIN.csv ROWS SEED OUT.csv

The CPU seconds of its fit are printed. Columns of text are its discrete ones, a missing cell a level of its own.
"""

from __future__ import annotations

import sys
import time

import ctgan
import pandas as pd
import torch


def main(name: str, train: str, rows: int, seed: int, out: str) -> None:
    """Write ``rows`` new rows of a CSV file and print how long the fit took."""
    torch.set_num_threads(1)
    frame = pd.read_csv(train, keep_default_na=False)
    discrete = [column for column in frame if frame[column].dtype == object]
    model = getattr(ctgan, name)()
    model.set_random_state(seed)
    started = time.process_time()
    model.fit(frame, discrete)
    print(time.process_time() - started)
    model.sample(rows).to_csv(out, index=False)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
