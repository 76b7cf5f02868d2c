#!/usr/bin/env bash
# pytest-xdist 3.8.0 with pytest 9.2.0: --dist loadgroup sends the tests of one group to several workers.
#
# One would guess that tests marked xdist_group("one") run in one worker, as documented, and as they do with pytest 8.4.2,
# which the same release of xdist allows as well. Nothing is said: a group that shares a port, a database or an expensive
# fixture is torn apart.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >test_group.py <<'END'
import os
import time

import pytest


@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(8))
def test_group(number):
    time.sleep(0.2)
    with open("workers.txt", "a") as file:
        print(os.environ["PYTEST_XDIST_WORKER"], file=file)
END
for version in 8.4.2 9.2.0; do
    python3.11 -m venv --clear venv
    venv/bin/pip install --quiet --quiet "pytest==$version" pytest-xdist==3.8.0
    rm -f workers.txt
    venv/bin/python -m pytest -q -n 2 --dist loadgroup -p no:cacheprovider >log.txt
    tail -1 log.txt
    found=$(sort -u workers.txt | wc -l)
    echo "pytest $version: the group ran in $found worker(s)"
    [ "$version" = 8.4.2 ] && expected=1 || expected=2
    [ "$found" = "$expected" ]
done
