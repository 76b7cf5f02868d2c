#!/usr/bin/env bash
# pyarrow 26.0.1: FixedShapeTensorArray gives channels-last images back scrambled, and in another shape.
#
# One would guess that from_numpy_ndarray and to_numpy_ndarray undo each other: an array that it cannot keep it refuses,
# and for transposed ones the type has a permutation. But images (n, H, W, C) that are a view of (n, C, H, W) come back
# as (n, W, C, H), with numbers that are no transposition of theirs. Where just two axes change places the whole comes
# back right, and a tensor taken out singly, array[i].to_numpy(), is wrong: its rows overlap. A contiguous copy helps.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet pyarrow==26.0.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
from itertools import permutations

import numpy as np
import pyarrow as pa

planes = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
images = planes.transpose(0, 2, 3, 1)
array = pa.FixedShapeTensorArray.from_numpy_ndarray(images)
back = array.to_numpy_ndarray()
print(array.type)
print("images", images.shape, "come back as", back.shape)
assert back.shape == (2, 5, 3, 4)
assert not any(np.array_equal(back, images.transpose(0, *axes)) for axes in permutations((1, 2, 3)))

swapped = planes[:, 0, :2, :3].copy().transpose(0, 2, 1)
array = pa.FixedShapeTensorArray.from_numpy_ndarray(swapped)
single = array[0].to_numpy()
print("two axes swapped: in the stack", swapped[0].tolist(), "taken singly", single.tolist(), "strides", single.strides)
assert np.array_equal(array.to_numpy_ndarray(), swapped)
assert single.shape == swapped[0].shape and single.strides == (4, 8)
assert not np.array_equal(single, swapped[0])

copied = pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(images))
assert np.array_equal(copied.to_numpy_ndarray(), images) and np.array_equal(copied[0].to_numpy(), images[0])
END
