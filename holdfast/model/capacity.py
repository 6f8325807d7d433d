"""What is occupied, and whether something more fits.

Owns the arithmetic of intervals and quantities. Knows nothing of who may sell (`reservation`,
`deciding`) or of where claims are kept: a loader brings those of one resource and one day, and
they stay in memory until their number outgrows the limit, so that a check costs what is on that
day and not what is in the history.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from typing import Final, NamedTuple

from holdfast.model.entries import ClaimId
from holdfast.model.limits import OCCUPANCY_DAYS_IN_MEMORY

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


class Occupancy:
    """Held claims by resource and day (UTC), loaded on demand and kept in step by its owner.

    A rolled-back transaction makes memory and database differ: the owner then calls `forget`.
    """

    def __init__(self, load: Loader) -> None:
        self._load = load
        self._days: OrderedDict[tuple[str, int], dict[ClaimId, Held]] = OrderedDict()

    def forget(self) -> None:
        self._days.clear()

    def add(self, resource: str, held: Held) -> None:
        for day in days(held.start, held.end):
            known = self._days.get((resource, day))
            if known is not None:
                known[held.claim] = held

    def remove(self, resource: str, claim: ClaimId, start: int, end: int) -> None:
        for day in days(start, end):
            known = self._days.get((resource, day))
            if known is not None:
                known.pop(claim, None)

    def overlapping(self, resource: str, start: int, end: int) -> list[Held]:
        """Every held claim of the resource that shares an instant with [start, end)."""
        first, last = start // DAY_SECONDS, (end - 1) // DAY_SECONDS
        if first == last:
            return [
                h for h in self._day(resource, first).values() if h.start < end and h.end > start
            ]
        found: dict[ClaimId, Held] = {}
        for day in range(first, last + 1):
            found.update(self._day(resource, day))
        return [held for held in found.values() if held.start < end and held.end > start]

    def _day(self, resource: str, day: int) -> dict[ClaimId, Held]:
        key = (resource, day)
        known = self._days.get(key)
        if known is None:
            start = day * DAY_SECONDS
            known = {h.claim: h for h in self._load(resource, start, start + DAY_SECONDS)}
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
        held = [
            h
            for h in self.overlapping(resource, start, end)
            if h.claim not in ignoring and (h.live or not live_only)
        ]
        return capacity - peak(held, start, end)

    def occupants(
        self, resource: str, start: int, end: int, *, ignoring: Collection[ClaimId] = ()
    ) -> list[Held]:
        """The live claims in the way, earliest first."""
        return sorted(
            h for h in self.overlapping(resource, start, end) if h.live and h.claim not in ignoring
        )


def peak(held: list[Held], start: int, end: int) -> int:
    """The greatest quantity held at one instant of [start, end)."""
    if not held:
        return 0
    if len(held) == 1:
        return held[0].quantity
    steps: list[tuple[int, int]] = []
    for one in held:
        steps.append((max(one.start, start), one.quantity))
        if one.end < end:
            # Half-open intervals: at one instant the ends come before the starts (negative first).
            steps.append((one.end, -one.quantity))
    steps.sort()
    level = highest = 0
    for _, change in steps:
        level += change
        highest = max(highest, level)
    return highest
