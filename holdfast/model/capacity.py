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
from holdfast.model.rights import HUB

DAY_SECONDS: Final = 86_400


class Held(NamedTuple):
    """A claim that occupies: [start, end) in epoch seconds, buffer included.

    `live` is False for a claim that waits for its decision: it keeps a cautious writer away, and
    a decider passes over it. `account` is the right that it is counted against, HUB for what was
    granted to nobody; before the instant `split` it counts against the hub all the same, to which
    those instants went back.
    """

    claim: ClaimId
    start: int
    end: int
    quantity: int
    live: bool
    reservation: bytes
    account: bytes = HUB
    split: int = 0


Loader = Callable[[str, int, int], Iterable[Held]]
"""(resource, from, to) -> every held claim of the resource that touches [from, to)."""

Granted = Callable[[str], Iterable[tuple[int, int, int]]]
"""resource -> (from, to, quantity) of every right that the hub has handed to somebody."""


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

    def above(self, most: int, start: int, end: int) -> list[tuple[int, int]]:
        """The parts of [start, end) in which the level is above `most`, in order."""
        instants, changes = self._instants, self._change_by_instant
        begun = bisect_right(instants, start)
        level = sum([changes[at] for at in instants[:begun]])
        found: list[tuple[int, int]] = []
        since = start if level > most else -1
        for at in instants[begun : bisect_left(instants, end)]:
            level += changes[at]
            if level > most:
                if since < 0:
                    since = at
            elif since >= 0:
                found.append((since, at))
                since = -1
        if since >= 0:
            found.append((since, end))
        return found

    def without(self, intervals: Iterable[tuple[int, int, int]]) -> Profile:
        """The same less some (start, end, quantity) that are in it."""
        other = Profile()
        other._instants = self._instants.copy()
        other._change_by_instant = self._change_by_instant.copy()
        for start, end, quantity in intervals:
            other.shift(start, end, -quantity)
        return other


class _Day:
    """One resource on one day: its claims, and their levels within the day: of all of them, and of
    those that are granted, by the account that each is counted against."""

    __slots__ = ("_all", "_live", "claims", "end", "start")

    def __init__(
        self, day: int, held: Iterable[Held], granted: Iterable[tuple[int, int, int]]
    ) -> None:
        self.start = day * DAY_SECONDS
        self.end = self.start + DAY_SECONDS
        self.claims: dict[ClaimId, Held] = {}
        self._all = Profile()
        self._live: dict[bytes, Profile] = {HUB: Profile()}
        for start, end, quantity in granted:
            # What the hub handed out is as good as sold to it.
            first, last = max(start, self.start), min(end, self.end)
            if first < last:
                self._live[HUB].shift(first, last, quantity)
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
                self._shift_live(held, 1)
                return
            self.drop(held.claim)
        self.claims[held.claim] = held
        self._all.shift(*self._within(held))
        if held.live:
            self._shift_live(held, 1)

    def drop(self, claim: ClaimId) -> None:
        held = self.claims.pop(claim, None)
        if held is not None:
            start, end, quantity = self._within(held)
            self._all.shift(start, end, -quantity)
            if held.live:
                self._shift_live(held, -1)

    def _shift_live(self, held: Held, sign: int) -> None:
        for account, (start, end, quantity) in self._counted(held):
            profile = self._live.get(account)
            if profile is None:
                profile = self._live[account] = Profile()
            profile.shift(start, end, sign * quantity)

    def _counted(self, held: Held) -> list[tuple[bytes, tuple[int, int, int]]]:
        """The parts of a granted claim on this day, each with the account it counts against."""
        whole = start, end, quantity = self._within(held)
        if held.account == HUB:
            return [(HUB, whole)]
        cut = min(max(held.split, start), end)
        parts = [(HUB, (start, cut, quantity)), (held.account, (cut, end, quantity))]
        return [(account, part) for account, part in parts if part[0] < part[1]]

    def peak(
        self, start: int, end: int, ignoring: Collection[ClaimId], account: bytes | None
    ) -> int:
        profile = self._all if account is None else self._live.get(account)
        if profile is None:
            return 0
        left_out: list[tuple[int, int, int]] = []
        for claim in ignoring:
            held = self.claims.get(claim)
            if held is not None and account is None:
                left_out.append(self._within(held))
            elif held is not None and held.live and account is not None:
                left_out.extend(part for whose, part in self._counted(held) if whose == account)
        if left_out:
            profile = profile.without(left_out)
        return profile.peak(max(start, self.start), min(end, self.end))

    def above(self, most: int, start: int, end: int) -> list[tuple[int, int]]:
        """The parts of [start, end) on this day in which more than `most` is held."""
        return self._all.above(most, max(start, self.start), min(end, self.end))

    def _within(self, held: Held) -> tuple[int, int, int]:
        return max(held.start, self.start), min(held.end, self.end), held.quantity


class Occupancy:
    """Held claims by resource and day (UTC), loaded on demand and kept in step by its owner.

    A rolled-back transaction makes memory and database differ: the owner then calls `forget`.
    """

    def __init__(self, load: Loader, granted: Granted = lambda _: ()) -> None:
        self._load = load
        self._granted = granted
        self._days: OrderedDict[tuple[str, int], _Day] = OrderedDict()

    def handed_out(self, resource: str) -> Iterable[tuple[int, int, int]]:
        """(from, to, quantity) of what the hub granted of a resource."""
        return self._granted(resource)

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
            held = self._load(resource, start, start + DAY_SECONDS)
            known = _Day(day, held, self._granted(resource))
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
        account: bytes | None = None,
    ) -> int:
        """How much is left of `capacity` throughout [start, end); negative when oversold.

        Of the whole resource, with all that is asked for; or, with an `account`, of what that right
        (HUB: what was granted to nobody) can still sell, where only granted claims count.
        """
        return capacity - max(
            [
                self._day(resource, day).peak(start, end, ignoring, account)
                for day in days(start, end)
            ]
        )

    def keeps(
        self,
        resource: str,
        quantity: int,
        start: int,
        end: int,
        given_up: Collection[ClaimId],
        account: bytes,
    ) -> bool:
        """Whether one granted claim that is given up has all of this against the same account: it
        may stay, though the place is out of use or overbooked on purpose besides."""
        return bool(given_up) and any(
            held.claim in given_up
            and held.live
            and held.account == account
            and (account == HUB or held.split <= start)
            and held.start <= start
            and held.end >= end
            and held.quantity >= quantity
            for held in self.overlapping(resource, start, end)
        )

    def taken(
        self, resource: str, capacity: int, quantity: int, start: int, end: int
    ) -> list[tuple[int, int]]:
        """The parts of [start, end) in which less than `quantity` of the resource is left, with all
        that is asked for, in order; two that touch at a midnight of UTC are told apart."""
        return [
            part
            for day in days(start, end)
            for part in self._day(resource, day).above(capacity - quantity, start, end)
        ]

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
