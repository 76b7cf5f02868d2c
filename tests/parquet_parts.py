"""Parquet parts to learn from, and a training on them that stops and goes on."""

import pyarrow as pa
import torch
from pyarrow import parquet as pq

OPTIONS = {"hidden": (8,), "epochs": 3, "batch_size": 32, "random_state": 0, "prior": "normal"}


def written(folder, frame):
    """Write a frame of 900 rows as three parts, one of them small, of row groups that do not divide these."""
    for number, (first, last) in enumerate([(0, 400), (400, 410), (410, 900)]):
        whole = pa.Table.from_pandas(frame[first:last], preserve_index=False)
        pq.write_table(whole, folder / f"{number}.parquet", row_group_size=70)
    return folder


def check_gone_on(kind, rows, folder, stops):
    """Assert that trainings which end after ``stops`` steps go on to the weights of one that does not."""
    options = OPTIONS | {"epochs": 2}
    whole = kind(2, **options).fit(rows).model_.state_dict()
    for stop in stops:
        path = folder / f"{stop}.checkpoint"
        steps = kind(2, **options).fit_steps(rows, checkpoint=path)
        for _ in range(stop):
            next(steps)
        steps.close()
        again = kind(2, **options).fit(rows, checkpoint=path).model_.state_dict()
        assert all(torch.equal(whole[name], tensor) for name, tensor in again.items())
