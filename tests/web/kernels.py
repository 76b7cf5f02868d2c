"""The page's kernels for tests: calls of them as JSON, and what they return as arrays."""

import base64
import json
import math
import subprocess
from pathlib import Path

import numpy as np

from narrows.web.wire import pack
from outside import program

HARNESS = Path(__file__).with_name("kernels.mjs")


def sent(value):
    """A value of a call as JSON has it."""
    if isinstance(value, np.ndarray):
        return [None if math.isnan(number) else number for number in value.astype(np.float64).ravel().tolist()]
    return value


def job(portable, *calls):
    frame = base64.b64encode(pack(portable)).decode()
    return {"frame": frame, "calls": [[sent(value) for value in call] for call in calls]}


def returned(value):
    """What a kernel has returned, with arrays, flat, for lists of numbers."""
    if isinstance(value, dict):
        return {name: returned(own) for name, own in value.items()}
    if isinstance(value, list) and not any(isinstance(own, list) for own in value):
        numbers = [own for own in value if not isinstance(own, str) or own in ("NaN", "Infinity", "-Infinity")]
        return np.array([float(own) for own in value]) if len(numbers) == len(value) else value
    return [returned(own) for own in value] if isinstance(value, list) else value


def by_node(folder, *jobs):
    path = folder / "jobs.json"
    path.write_text(json.dumps(jobs))
    done = subprocess.run([program("node"), HARNESS, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [[returned(answer) for answer in answers] for answers in json.loads(done.stdout)]
