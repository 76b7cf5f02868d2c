"""How many threads work gets: as many as it is worth, the same on every idle machine, and fewer where others work."""

from collections.abc import Sequence
from time import perf_counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from narrows import Autoencoder
from narrows.training import processor
from narrows.training.processor import LONGEST_PAUSE, PAUSE, Threads, limited_threads


class Machine:
    """A clock whose pieces of work take as long as is said of so many threads at that piece."""

    def __init__(self, monkeypatch, seconds):
        self.now, self.seconds, self.counts = 0.0, seconds, []
        monkeypatch.setattr(processor, "time", SimpleNamespace(perf_counter=lambda: self.now))

    def work(self, threads, pieces):
        for _ in range(pieces):
            with threads:
                self.counts.append(torch.get_num_threads())
                self.now += self.seconds(self.counts[-1], len(self.counts) - 1)
        return self.counts[-pieces:]


@pytest.fixture(autouse=True)
def restored():
    with limited_threads(torch.get_num_threads()):
        yield


def idle(count, _piece):
    return 1 / count


def test_one_thread_shows_how_long_pieces_take_and_then_all_work(monkeypatch):
    assert Machine(monkeypatch, idle).work(Threads(4), 50) == [1] * 3 + [4] * 47
    assert Machine(monkeypatch, idle).work(Threads(4, first=1), 5) == [1, 4, 4, 4, 4]


def test_what_is_worth_one_thread_is_left_alone(monkeypatch):
    with limited_threads(3):
        assert Machine(monkeypatch, idle).work(Threads(1), 5) == [3] * 5


@pytest.mark.parametrize("stall", [7, 40, 41])
def test_a_single_stall_changes_nothing(monkeypatch, stall):
    machine = Machine(monkeypatch, lambda count, piece: 9 if piece == stall else 1 / count)
    assert machine.work(Threads(4), 80) == [1] * 3 + [4] * 77


def test_where_several_threads_take_longer_one_goes_on(monkeypatch):
    machine = Machine(monkeypatch, lambda count, _piece: 1 if count == 1 else 50)
    counts = machine.work(Threads(2), 2000)
    assert counts[:5] == [1, 1, 1, 2, 2]
    assert 2 < counts.count(2) < 20  # they are tried again, ever more seldom
    tries = [piece for piece, count in enumerate(counts) if count == 2]
    assert max(np.diff(tries)) <= 3 * LONGEST_PAUSE + 1


def test_with_part_of_the_cores_taken_part_of_the_threads_go_on(monkeypatch):
    machine = Machine(monkeypatch, lambda count, _piece: 1 / count if count <= 4 else 20)
    counts = machine.work(Threads(16), 300)
    assert set(counts[7:]) <= {4, 8}
    assert counts.count(4) > 280


def test_when_the_cores_are_free_again_all_threads_come_back(monkeypatch):
    machine = Machine(monkeypatch, lambda count, piece: 10 if count > 1 and 100 < piece < 200 else 1 / count)
    counts = machine.work(Threads(4), 200 + 6 * PAUSE * 4)
    assert counts[100] == 4
    assert set(counts[110:190]) == {1}
    assert counts[-1] == 4


def test_its_state_goes_on_where_it_was(monkeypatch):
    machine = Machine(monkeypatch, lambda count, piece: 10 if count > 1 and piece > 20 else 1 / count)
    whole, broken = Threads(4), Threads(4)
    expected = machine.work(whole, 300)
    machine.counts.clear()
    for _ in range(300):
        machine.work(broken, 1)
        state = broken.state()
        broken = Threads(4)
        broken.restore(state)
    assert machine.counts == expected


def busy_from(piece):
    """Let several threads take long from this piece on, by a clock of their own."""
    count = 0

    def seconds():
        nonlocal count
        count += 1
        slow = torch.get_num_threads() > 1 and count // 2 >= piece
        return perf_counter() + (1000 * count if slow else 0)

    return seconds


def images() -> Sequence:
    return np.random.default_rng(0).random((96, 16, 16))


@pytest.mark.parametrize("piece", [0, 4, 10**6])
def test_models_are_the_same_but_for_rounding_whatever_the_machine_does(monkeypatch, piece):
    monkeypatch.setattr(processor, "MUCH", 0)
    options = {"epochs": 4, "random_state": 0, "prior": "normal"}
    alone = Autoencoder(3, **options).fit(images())
    with limited_threads(2):
        monkeypatch.setattr(processor, "time", SimpleNamespace(perf_counter=busy_from(piece)))
        helped = Autoencoder(3, **options).fit(images())
        codes = helped.transform(images())
        assert torch.get_num_threads() == 2
    np.testing.assert_allclose(codes, alone.transform(images()), atol=2e-3)


def test_an_idle_machine_gives_the_same_weights_again(monkeypatch):
    monkeypatch.setattr(processor, "MUCH", 0)
    monkeypatch.setattr(processor, "time", SimpleNamespace(perf_counter=lambda: 0.0))
    with limited_threads(2):
        first, second = (Autoencoder(3, epochs=3, random_state=0).fit(images()) for _ in range(2))
    for one, other in zip(first.model_.parameters(), second.model_.parameters(), strict=True):
        assert torch.equal(one, other)
