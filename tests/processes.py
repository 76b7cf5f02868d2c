"""Processes of others, as Linux tells of them."""

from pathlib import Path


def is_alive(process):
    """Whether it runs; one that has ended may still wait to be buried."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # before it is opened, and before it is read
        return False
