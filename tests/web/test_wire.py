"""Frames: what is packed is what is read, whatever it is."""

from dataclasses import make_dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from narrows.web.wire import pack, pack_refusal
from web.reading_frames import read_frame

PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
ARRAYS = hnp.arrays(
    st.sampled_from([np.uint8, np.bool_, np.float32, np.float64, np.int64]),
    hnp.array_shapes(max_dims=4, max_side=4, min_side=0),
    elements={"min_value": 0, "max_value": 1},
)
Part = make_dataclass("Part", ["first", "second"])


@settings(max_examples=60, deadline=None)
@given(st.lists(PLAIN | ARRAYS, min_size=1, max_size=4), st.integers(0, 2**31))
def test_a_frame_holds_what_was_packed(values, number):
    read = read_frame(pack(Part(values, Part(values[0], "ž")), number))
    assert read["id"] == number
    for was, now in zip([*values, values[0]], [*read["first"], read["second"]["first"]], strict=True):
        if isinstance(was, np.ndarray):
            assert now.shape == was.shape
            np.testing.assert_array_equal(now, was.astype(now.dtype))
        else:
            assert now == was


def test_a_refusal_says_why():
    assert read_frame(pack_refusal("není", 4)) == {"id": 4, "refused": "není"}
