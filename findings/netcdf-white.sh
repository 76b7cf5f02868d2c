#!/usr/bin/env bash
# netCDF4 1.7.5.1.post1: white pixels of an image of bytes are missing when it is read.
#
# One would guess that a variable for which nobody named a value that means "missing" has none missing, all the more
# as the library prints of it "default _FillValue of 255 ignored". It masks 255 all the same, in signed bytes −127, even
# where the file says that all from 0 to 255 is valid; the mean of [0, 254, 255] is 127. h5py shows that the file holds
# 255. What is created with fill_value=False, or read after set_auto_mask(False), is whole.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet netCDF4==1.7.5.1.post1 h5py==3.16.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import h5py
import netCDF4
import numpy as np

pixels = np.array([0, 254, 255], np.uint8)
with netCDF4.Dataset("images.nc", "w") as file:
    file.createDimension("x", 3)
    file.createVariable("plain", "u1", ("x",))[:] = pixels
    file.createVariable("unfilled", "u1", ("x",), fill_value=False)[:] = pixels
    file.createVariable("signed", "i1", ("x",))[:] = np.array([0, -127, -128], np.int8)
    valid = file.createVariable("valid", "u1", ("x",))
    valid.valid_range = np.array([0, 255], np.uint8)
    valid[:] = pixels
with netCDF4.Dataset("images.nc") as file:
    said = str(file["plain"]).splitlines()[-1]
    read = {name: file[name][:] for name in ("plain", "unfilled", "signed", "valid")}
    print("netCDF4", netCDF4.__version__, "says", repr(said), "and reads")
    for name, values in read.items():
        print(f"  {name}: {values}, mean {values.mean():.1f}")
with h5py.File("images.nc") as file:
    held = file["plain"][:]
print("the file holds", held)

assert "_FillValue of 255 ignored" in said
assert held.tolist() == [0, 254, 255]
assert read["plain"].tolist() == read["valid"].tolist() == [0, 254, None]
assert read["signed"].tolist() == [0, None, -128]
assert read["unfilled"].tolist() == [0, 254, 255]
END
