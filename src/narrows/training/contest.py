"""Which models still learn, and how good each has been: histories, patience, best weights, and what was noticed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from narrows.training.best import Best
from narrows.training.member import Member
from narrows.training.noticing import looks, noticed

__all__ = ["Contest", "Standing"]


@dataclass(slots=True)
class Standing:
    """All of a `Contest` that changes.

    Attributes
    ----------
    active
        The members that still learn, by their numbers.
    diverged
        Those that left the others because their loss or weights were no longer finite.
    history
        Of each member, a row per epoch.
    best
        Of each, the best weights seen.
    notes
        Of each, what was noticed, by kind and in words.
    comparable
        Rows of the history before the first whose loss compares with the last.
    """

    active: list[int]
    diverged: list[int]
    history: list[list[dict[str, float]]]
    best: list[Best]
    notes: list[dict[str, str]]
    comparable: int


class Contest:
    """Members that learn side by side, each until it diverges or its validation loss has not fallen for long.

    Parameters
    ----------
    members
        All of them.
    epochs, patience
        At most, and fewer once ``patience`` of them have not lowered the validation loss.
    store
        What writes their weights into the models.
    """

    def __init__(self, members: Sequence[Member], epochs: int, patience: int, store: Callable[[], None]) -> None:
        self.members, self.patience, self.looks, self.store = members, patience, looks(epochs), store
        everyone = range(len(members))
        self.now = Standing(
            active=[*everyone],
            diverged=[],
            history=[[] for _ in everyone],
            best=[Best() for _ in everyone],
            notes=[{} for _ in everyone],
            comparable=0,
        )

    def enter(self, rows: dict[int, dict[str, float]], diverged: Sequence[int]) -> list[int]:
        """Add an epoch's ``rows``, by member, and return the indices among the active of those that go on."""
        for number, row in rows.items():
            self.now.history[number].append(row)
            if row["epoch"] in self.looks:
                self._look(number)
        self.now.diverged += diverged
        before = self.now.active
        self.now.active = [number for number in before if number in rows and self._waited(number) < self.patience]
        return [before.index(number) for number in self.now.active]

    def forget(self) -> None:
        """Seek the best weights anew, since losses from now on don't compare with those before."""
        self.now.best = [Best() for _ in self.members]
        self.now.comparable = max(map(len, self.now.history))

    def settle(self) -> None:
        """Leave the best weights in the models, where there are any."""
        for member, best in zip(self.members, self.now.best, strict=True):
            if best.weights:
                member.model.load_state_dict(best.weights)

    def state(self) -> Standing:
        """Return all that changes, not a copy."""
        return self.now

    def restore(self, state: Standing) -> None:
        """Go on from what `state` has returned."""
        self.now = state

    def _waited(self, number: int) -> int:
        """Take note of how good a member is, and return the epochs since it was best."""
        row = self.now.history[number][-1]
        if "validation_loss" not in row:
            return 0
        best = self.now.best[number]
        if row["validation_loss"] < best.loss:
            self.store()
            weights: dict[str, Tensor] = self.members[number].model.state_dict()
            best = Best(int(row["epoch"]), row["validation_loss"], {name: t.clone() for name, t in weights.items()})
            self.now.best[number] = best
        return int(row["epoch"]) - best.epoch

    def _look(self, number: int) -> None:
        """Note what is wrong with a member's model as it is now."""
        self.store()
        member, history = self.members[number], self.now.history[number][self.now.comparable :]
        examples = member.validation if len(member.validation) else member.training
        for kind, words in noticed(member.model, examples, history).items():
            self.now.notes[number].setdefault(kind, words)
