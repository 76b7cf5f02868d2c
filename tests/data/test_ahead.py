"""Threads that are ahead: results in order, an error in its place, and nothing goes on after the end."""

import threading
import time
from concurrent.futures import CancelledError
from contextlib import closing

import pytest

from narrows.data.ahead import Interruptible, in_order


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_results_come_in_order_and_no_more_items_are_taken_than_there_is_room_for(workers):
    taken, came = [], []

    def items():
        for item in range(20):
            taken.append(item)
            yield item, 2

    def late(item, factor):
        time.sleep(0.002 * (item % 3))
        return factor * item

    for result in in_order(late, items(), workers, ahead=2):
        came.append(result)
        assert len(taken) <= len(came) + 2
    assert came == list(range(0, 40, 2))


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_comes_in_its_items_place(workers):
    each = in_order(lambda item: 6 // (3 - item), ((item,) for item in range(9)), workers, ahead=2)
    assert [next(each) for _ in range(3)] == [2, 3, 6]
    with pytest.raises(ZeroDivisionError):
        next(each)


@pytest.mark.parametrize("workers", [1, 2])
def test_so_does_the_error_of_an_item_that_cannot_be_taken(workers):
    def items():
        yield from ((item,) for item in range(3))
        raise OSError("unreadable")

    each = in_order(lambda item: item, items(), workers, ahead=2)
    assert [next(each) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="unreadable"):
        next(each)


@pytest.mark.parametrize("of", ["an item", "the caller"])
def test_what_threads_are_at_is_interrupted_at_an_error(of):
    began, interrupted = threading.Event(), []

    def work(item):
        if item == 0:
            began.wait()
            return 1 // (of == "the caller")
        began.set()
        try:
            while True:
                time.sleep(0.001)
        except KeyboardInterrupt:
            interrupted.append(item)
            raise

    worked = Interruptible(work)
    each = in_order(worked, ((item,) for item in range(9)), 2, 2, worked.interrupt)
    with pytest.raises(ZeroDivisionError), closing(each):
        assert 1 // (next(each) - 1)
    assert sorted(interrupted) in ([1], [1, 2])
    with pytest.raises(CancelledError):
        worked(0)
