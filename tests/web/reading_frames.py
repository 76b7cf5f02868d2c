"""How the tests read what the server sends."""

import json

import numpy as np

TOKEN = "a-token"


def read_frame(frame):
    """Return a frame's head with its arrays in place, by what wire.py's docstring says and nothing else."""
    length = int.from_bytes(frame[:4], "little")
    rest = memoryview(frame)[4 + length :]

    def placed(value):
        nonlocal rest
        if isinstance(value, list):
            return [placed(part) for part in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"array", "shape"}:
            count = int(np.prod(value["shape"]))
            array = np.frombuffer(rest[: count * np.dtype(value["array"]).itemsize], value["array"])
            rest = rest[array.nbytes :]
            return array.reshape(value["shape"])
        return {name: placed(part) for name, part in value.items()}

    head = placed(json.loads(frame[4 : 4 + length]))
    assert not len(rest)
    return head
