"""Processes that are killed in the middle of a write."""

import signal
import subprocess
import sys

CUT = """
import os, signal, sys
from narrows.storage import write_atomically
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
write_atomically(sys.argv[1], b"whole")
"""


def killed_in_write(path):
    """Leave beside ``path`` what a process leaves that was killed before what it wrote had its name."""
    done = subprocess.run([sys.executable, "-c", CUT, str(path)], check=False, timeout=90)
    assert done.returncode == -signal.SIGKILL
