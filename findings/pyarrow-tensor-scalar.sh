#!/usr/bin/env bash
# pyarrow 26.0.1: one tensor taken out of a FixedShapeTensorArray of transposed tensors holds wrong numbers.
#
# One would guess that array[i].to_numpy() is array.to_numpy_ndarray()[i]. The array keeps the memory as it lies and a
# permutation, and as a whole it is right, also after Parquet; the single tensor gets strides that belong to the other shape, so
# that its rows overlap. Channels-last images stored this way come out scrambled one at a time, with the right shape.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet pyarrow==26.0.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import numpy as np
import pyarrow as pa

stack = np.arange(12, dtype=np.float32).reshape(2, 2, 3).transpose(0, 2, 1)
array = pa.FixedShapeTensorArray.from_numpy_ndarray(stack)
whole, single = array.to_numpy_ndarray()[0], array[0].to_numpy()
print(array.type)
print("of the whole", whole.tolist())
print("taken singly", single.tolist(), "strides", single.strides)

assert np.array_equal(array.to_numpy_ndarray(), stack)
assert single.shape == whole.shape
assert single.tolist() == [[0, 2], [1, 3], [2, 4]]
END
