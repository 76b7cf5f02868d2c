"""How the tests read what the server sends, and what a shared page does."""

import base64
import json
import re

import numpy as np

TOKEN = "a-token"
SHARED = re.compile(r'id="shared" data-views="(.*?)" data-answers="(.*?)">\s*(.*?)</script>', re.DOTALL)


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


def arrays(value):
    """Return an array where the JSON of a shared page's answer says one, as in tests/web/shared_page.mjs."""
    if "array" not in value:
        return value
    return np.frombuffer(base64.b64decode(value["bytes"]), value["array"]).reshape(value["shape"])
