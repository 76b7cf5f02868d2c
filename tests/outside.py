"""Programs and packages of others: a test that lacks one is skipped, which NARROWS_REQUIRE_BROWSER=1 forbids."""

import os
import shutil
import subprocess
from contextlib import suppress

import pytest


def missing(reason):
    if os.environ.get("NARROWS_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def program(name):
    """Return the path of a program."""
    return shutil.which(name) or missing(f"{name} is not installed")


def from_npm(name, version, tmp_path_factory):
    """Return the folder of a package from npm's registry, fetched once; it is there whole or not at all.

    Workers that begin at once each fetch it, and one of them puts it into its place.
    """
    folder = tmp_path_factory.getbasetemp().parent / f"narrows-{name}"
    if not folder.exists():
        made = tmp_path_factory.mktemp(name)
        install = [program("npm"), "install", "--no-audit", "--no-fund", "--prefix", made, f"{name}@{version}"]
        if subprocess.run(install, capture_output=True, check=False).returncode:
            missing(f"{name} cannot be fetched")
        with suppress(OSError):  # another was quicker
            made.rename(folder)
    return folder / "node_modules"
