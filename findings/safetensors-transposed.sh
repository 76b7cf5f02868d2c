#!/usr/bin/env bash
# safetensors 0.8.0 with numpy 2.4.6: numpy.save writes a transposed array's numbers in the wrong order, and says
# nothing.
#
# One would guess that the file holds what the array shows: numpy's own save and tobytes put any layout into C order,
# and safetensors.torch refuses tensors that are not contiguous. What is written is the memory as it lies, under the
# shape that the array shows. Arrays in Fortran order (from LAPACK, pandas or Octave) are as wrong. ascontiguousarray
# helps.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet safetensors==0.8.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import numpy as np
from safetensors.numpy import load, save

matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
arrays = {"transposed": matrix.T, "fortran": np.asfortranarray(matrix), "copied": np.ascontiguousarray(matrix.T)}
loaded = load(save(arrays))
for name, array in arrays.items():
    print(name, "saved", array.tolist(), "loaded", loaded[name].tolist())

assert loaded["transposed"].tolist() == [[0, 1], [2, 3], [4, 5]]
assert loaded["fortran"].tolist() == [[0, 3, 1], [4, 2, 5]]
assert np.array_equal(loaded["copied"], matrix.T)
END
