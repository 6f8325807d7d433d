"""What is occupied, and whether something more fits.

Owns the arithmetic of intervals and quantities. Knows nothing of who may sell (`reservation`,
`deciding`) or of where claims are kept: a loader brings those of one resource and one day, and
they stay in memory until their number outgrows the limit. A day keeps, beside its claims, how the
level changes and when: a check costs the instants at which anything begins or ends that day, not
the claims (ten thousand seats of one evening begin at one instant), and not the history.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from typing import Final, NamedTuple

from holdfast.model.entries import ClaimId
from holdfast.model.limits import OCCUPANCY_DAYS_IN_MEMORY, WON_SHOWN_MAX

DAY_SECONDS: Final = 86_400


class Held(NamedTuple):
    """A claim that occupies: [start, end) in epoch seconds, buffer included.

    `live` is False for a claim that waits for its decision: it keeps a cautious writer away, and
    a decider passes over it.
    """

    claim: ClaimId
    start: int
    end: int
    quantity: int
    live: bool
    reservation: bytes


Loader = Callable[[str, int, int], Iterable[Held]]
"""(resource, from, to) -> every held claim of the resource that touches [from, to)."""


def days(start: int, end: int) -> range:
    """The numbers of the days (UTC, from the epoch) that [start, end) touches."""
    return range(start // DAY_SECONDS, (end - 1) // DAY_SECONDS + 1)


class Profile:
    """How a level changes over time: the sum of all changes up to an instant is the level there.

    Intervals are half-open: at one instant what ends and what begins cancel out.
    """

    __slots__ = ("_change_by_instant", "_instants")

    def __init__(self) -> None:
        self._instants: list[int] = []
        self._change_by_instant: dict[int, int] = {}

    def shift(self, start: int, end: int, quantity: int) -> None:
        """Raise the level by `quantity` (lower it, where negative) throughout [start, end)."""
        self._change(start, quantity)
        self._change(end, -quantity)

    def _change(self, at: int, quantity: int) -> None:
        known = self._change_by_instant.get(at)
        if known is None:
            insort(self._instants, at)
            self._change_by_instant[at] = quantity
        elif known + quantity:
            self._change_by_instant[at] = known + quantity
        else:
            del self._change_by_instant[at]
            del self._instants[bisect_left(self._instants, at)]

    def peak(self, start: int, end: int) -> int:
        """The highest level at any instant of [start, end)."""
        instants, changes = self._instants, self._change_by_instant
        begun = bisect_right(instants, start)
        level = highest = sum([changes[at] for at in instants[:begun]])
        for at in instants[begun : bisect_left(instants, end)]:
            level += changes[at]
            if level > highest:
                highest = level
        return highest

    def without(self, intervals: Iterable[tuple[int, int, int]]) -> Profile:
        """The same less some (start, end, quantity) that are in it."""
        other = Profile()
        other._instants = self._instants.copy()
        other._change_by_instant = self._change_by_instant.copy()
        for start, end, quantity in intervals:
            other.shift(start, end, -quantity)
        return other


class _Day:
    """One resource on one day: its claims, and their levels within the day."""

    __slots__ = ("_all", "_live", "claims", "end", "start")

    def __init__(self, day: int, held: Iterable[Held]) -> None:
        self.start = day * DAY_SECONDS
        self.end = self.start + DAY_SECONDS
        self.claims: dict[ClaimId, Held] = {}
        self._all, self._live = Profile(), Profile()
        for one in held:
            self.put(one)

    def put(self, held: Held) -> None:
        """Add a claim, or take what is known now for what was known of it."""
        known = self.claims.get(held.claim)
        if known is not None:
            if known[1:4] == held[1:4] and held.live and not known.live:
                # It was granted, which is what becomes of most: only the level of what is live
                # changes.
                self.claims[held.claim] = held
                self._live.shift(*self._within(held))
                return
            self.drop(held.claim)
        self.claims[held.claim] = held
        self._all.shift(*self._within(held))
        if held.live:
            self._live.shift(*self._within(held))

    def drop(self, claim: ClaimId) -> None:
        held = self.claims.pop(claim, None)
        if held is not None:
            start, end, quantity = self._within(held)
            self._all.shift(start, end, -quantity)
            if held.live:
                self._live.shift(start, end, -quantity)

    def peak(self, start: int, end: int, ignoring: Collection[ClaimId], live_only: bool) -> int:
        profile = self._live if live_only else self._all
        left_out = [
            self._within(held)
            for claim in ignoring
            if (held := self.claims.get(claim)) is not None and (held.live or not live_only)
        ]
        if left_out:
            profile = profile.without(left_out)
        return profile.peak(max(start, self.start), min(end, self.end))

    def _within(self, held: Held) -> tuple[int, int, int]:
        return max(held.start, self.start), min(held.end, self.end), held.quantity


class Occupancy:
    """Held claims by resource and day (UTC), loaded on demand and kept in step by its owner.

    A rolled-back transaction makes memory and database differ: the owner then calls `forget`.
    """

    def __init__(self, load: Loader) -> None:
        self._load = load
        self._days: OrderedDict[tuple[str, int], _Day] = OrderedDict()

    def forget(self) -> None:
        self._days.clear()

    def add(self, resource: str, held: Held) -> None:
        for day in days(held.start, held.end):
            known = self._days.get((resource, day))
            if known is not None:
                known.put(held)

    def remove(self, resource: str, claim: ClaimId, start: int, end: int) -> None:
        for day in days(start, end):
            known = self._days.get((resource, day))
            if known is not None:
                known.drop(claim)

    def overlapping(self, resource: str, start: int, end: int) -> list[Held]:
        """Every held claim of the resource that shares an instant with [start, end)."""
        found: dict[ClaimId, Held] = {}
        for day in days(start, end):
            found.update(self._day(resource, day).claims)
        return [held for held in found.values() if held.start < end and held.end > start]

    def _day(self, resource: str, day: int) -> _Day:
        key = (resource, day)
        known = self._days.get(key)
        if known is None:
            start = day * DAY_SECONDS
            known = _Day(day, self._load(resource, start, start + DAY_SECONDS))
            self._days[key] = known
            if len(self._days) > OCCUPANCY_DAYS_IN_MEMORY:
                self._days.popitem(last=False)
        return known

    def free(
        self,
        resource: str,
        capacity: int,
        start: int,
        end: int,
        *,
        ignoring: Collection[ClaimId] = (),
        live_only: bool = False,
    ) -> int:
        """How much of the resource is free throughout [start, end); negative when oversold."""
        return capacity - max(
            self._day(resource, day).peak(start, end, ignoring, live_only)
            for day in days(start, end)
        )

    def occupants(
        self, resource: str, start: int, end: int, *, ignoring: Collection[ClaimId] = ()
    ) -> list[Held]:
        """The first WON_SHOWN_MAX live claims in the way, by their ids."""
        return heapq.nsmallest(
            WON_SHOWN_MAX,
            (
                held
                for held in self.overlapping(resource, start, end)
                if held.live and held.claim not in ignoring
            ),
        )
