#!/usr/bin/env bash
# h5py 3.16.0: an error raised while links are visited comes out as SystemError.
#
# One would guess that `visit_links` and `visititems_links`, which hand each link's name to a function, let that function's
# ValueError through, as `visit` and `visititems` do. They raise SystemError, which an `except ValueError` does not catch;
# the ValueError is its cause. So names are better gathered first, and judged afterwards.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet h5py==3.16.0 numpy==2.4.4
cd "$folder"
venv/bin/python - <<'END'
import h5py


def refuse(name, *_):
    raise ValueError(f"{name} is not wanted here")


raised = {}
with h5py.File("data.h5", "w") as file:
    file["images"] = [1, 2, 3]
    for method in ("visit", "visititems", "visit_links", "visititems_links"):
        try:
            getattr(file, method)(refuse)
        except Exception as error:
            raised[method] = type(error).__name__, type(error.__cause__).__name__
            print(f"{method}: {type(error).__name__}: {error}; its cause: {error.__cause__!r}")

assert raised["visit"] == raised["visititems"] == ("ValueError", "NoneType")
assert raised["visit_links"] == raised["visititems_links"] == ("SystemError", "ValueError")
END
