#!/usr/bin/env bash
# h5py 3.16.0 (HDF5 2.0.0): what the scale-offset filter keeps is not what is read back before closing, and NaN becomes
# a number.
#
# scaleoffset=2 asks for two decimals. One would guess that reading at once shows what was lost, so that a check after
# writing tells, and that NaN survives or is refused. But the open file answers from its cache, exact and with the NaN;
# after it is opened again the numbers are rounded and the NaN behind them is the least number of its chunk.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet h5py==3.16.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import h5py
import numpy as np

values = np.array([1.239, -1.5, 2.0, np.nan], np.float32)
with h5py.File("x.h5", "w") as file:
    dataset = file.create_dataset("x", data=values, chunks=(4,), scaleoffset=2)
    before = dataset[:]
with h5py.File("x.h5") as file:
    after = file["x"][:]
print("HDF5", h5py.version.hdf5_version)
print("written", values.tolist(), "\nbefore closing", before.tolist(), "\nopened again", after.round(4).tolist())

assert np.array_equal(before, values, equal_nan=True)
assert np.allclose(after[:3], [1.24, -1.5, 2.0])
assert np.isclose(after[3], -1.5)
END
