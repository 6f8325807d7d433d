"""Who comes within a time, as far as it is known: what the rules of pacing count.

Owns the two counts. Which reservations are among those who come, `node.asking` says. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from holdfast.model.capacity import Profile


class Coming(NamedTuple):
    """A reservation: [start, end) in epoch seconds, without what is kept free after it. `sits`
    False: it counts where it starts alone, for its people have left, or it is for nights."""

    start: int
    end: int
    people: int
    sits: bool = True


class Comers:
    """Those who come within a time, to be counted over parts of it."""

    def __init__(self, coming: Iterable[Coming]) -> None:
        self._coming = tuple(coming)
        self._sitting = Profile()
        for one in self._coming:
            if one.sits and one.start < one.end:
                self._sitting.shift(one.start, one.end, one.people)

    def starting(self, first: int, before: int) -> int:
        """How many people start within [first, before)."""
        return sum(one.people for one in self._coming if first <= one.start < before)

    def at_once(self, start: int, end: int) -> int:
        """The most people who sit there at one instant of [start, end)."""
        return self._sitting.peak(start, end)
