"""What will probably become of a claim that nobody has decided yet, as far as one device can tell.

Owns that guess and nothing else (DESIGN §5.3). It uses the holder's own rule (`deciding`) on what
is known here, and judges what waits in the order of stamps, as the holder does with what one
exchange brings. It is no part of a folded reservation or of a digest: two devices that know
different things may well guess differently.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, NamedTuple

from holdfast.model import lifecycle
from holdfast.model.capacity import Held, Occupancy, Profile
from holdfast.model.claims import NO_RIGHTS, PENDING, STANDBY, ClaimView, wish_of
from holdfast.model.deciding import GrantedStock, HubStock, Stock, Verdict, decide
from holdfast.model.entries import Claim, ClaimId
from holdfast.model.limits import RIVALS_JUDGED_MAX, WON_SHOWN_MAX
from holdfast.model.offers import VenueIndex
from holdfast.model.overbooking import Overbooking
from holdfast.model.reservation import View
from holdfast.model.rights import HUB, Rights

LIKELY: Final = "likely"
OPEN: Final = "open"
CERTAINTIES: Final = (LIKELY, OPEN)

ASKED_FIRST: Final = "asked-first"
ASKED_LATER: Final = "asked-later"
CONTESTED: Final = "contested"

_OVER: Final = (lifecycle.CANCELLED, lifecycle.EXPIRED)


class Prognosis(NamedTuple):
    """The verdict to be expected. `certainty`: LIKELY where only what this device does not know
    could change it, OPEN where others ask for the same place and who reaches the holder first
    counts. `reason` is a code, `won` the reservations that stand in the way."""

    verdict: str
    certainty: str
    reason: str
    won: tuple[bytes, ...] = ()


class Waiting(NamedTuple):
    """One operation that asks for a place: its turn (stamp, author, operation), and the reservation
    that it is about. `makes`: it made the reservation; `override`: it asks for what is beyond the
    capacity, and may."""

    turn: tuple[int, bytes, bytes]
    view: View
    makes: bool
    override: bool = False

    @property
    def operation(self) -> bytes:
        return self.turn[2]

    @property
    def claims(self) -> list[ClaimView]:
        return [
            claim
            for claim in self.view.claims
            if claim.id.operation == self.operation and claim.state in (PENDING, STANDBY)
        ]


def prognosis(
    own: Sequence[Waiting],
    venue: VenueIndex,
    occupancy: Occupancy,
    waiting: Callable[[bytes], Sequence[Waiting]],
    rights: Rights = NO_RIGHTS,
) -> Prognosis | None:
    """What will become of a reservation, of which `own` waits; None where nothing does.

    `waiting` gives what waits of another reservation. Of several wishes of one reservation the last
    that can be had counts, else the last.
    """
    world = _World(venue, rights)
    guesses = [_guess(one, world, occupancy, waiting) for one in sorted(own) if not _is_void(one)]
    granted = [guess for guess in guesses if guess.verdict != "displaced"]
    last = granted or guesses
    return last[-1] if last else None


class _World(NamedTuple):
    """What a decision rests on beside what is occupied."""

    venue: VenueIndex
    rights: Rights

    def decide(self, one: Waiting, occupancy: Occupancy) -> Verdict:
        """What the holder that is asked would say."""
        holder = self.rights.answering((claim.asks, wish_of(claim)) for claim in one.claims)
        stock: Stock = (
            HubStock(self.venue, occupancy)
            if holder == HUB
            else GrantedStock(self.rights, holder, occupancy, lambda held: held.start)
        )
        own = {
            claim.id
            for claim in one.view.live
            if self.rights.holder(claim.id, claim.right, claim.end) == holder
        }
        beyond = Overbooking(self.venue, self.rights, holder, occupancy) if one.override else None
        return decide(one.view, one.operation, self.venue, stock, occupancy, own, beyond)

    def supposed(self, occupancy: Occupancy, absent: Collection[ClaimId]) -> _Supposed:
        return _Supposed(occupancy, absent, divided=bool(self.rights))


def _guess(
    one: Waiting,
    world: _World,
    occupancy: Occupancy,
    waiting: Callable[[bytes], Sequence[Waiting]],
) -> Prognosis:
    absent = {claim.id for claim in one.view.claims if claim.state in (PENDING, STANDBY)}
    best = world.decide(one, occupancy)
    worst = world.decide(one, world.supposed(occupancy, absent))
    if best.verdict == worst.verdict != "moved":
        # Whoever else asks changes nothing about it.
        return _likely(best)
    found = _others(one, occupancy, waiting)
    if len(found) > RIVALS_JUDGED_MAX:
        return Prognosis(best.verdict, OPEN, CONTESTED)
    rivals = sorted(other for other in found if not _is_void(other))
    absent.update(claim.id for other in found if _is_void(other) for claim in other.claims)
    worst = world.decide(one, world.supposed(occupancy, absent))
    if not rivals or worst.verdict == "admitted":
        return _likely(worst)
    verdict = _judge(one, rivals, absent, world, occupancy)
    reason = ASKED_FIRST if verdict.verdict == "admitted" else ASKED_LATER
    return Prognosis(verdict.verdict, OPEN, reason, verdict.won)


def _likely(verdict: Verdict) -> Prognosis:
    return Prognosis(verdict.verdict, LIKELY, verdict.reason, verdict.won)


def _others(
    one: Waiting, occupancy: Occupancy, waiting: Callable[[bytes], Sequence[Waiting]]
) -> list[Waiting]:
    """What else waits for the same places, and for the places of these, and so on: few more than
    are judged."""
    found: list[Waiting] = []
    places = one.claims
    asked: set[bytes] = {one.view.id}
    while places:
        claim = places.pop()
        for held in occupancy.overlapping(claim.resource, claim.start, claim.end):
            if held.live or held.reservation in asked:
                continue
            asked.add(held.reservation)
            for other in waiting(held.reservation):
                found.append(other)
                if not _is_void(other):
                    places += other.claims
            if len(found) > RIVALS_JUDGED_MAX:
                return found
    return found


def _is_void(one: Waiting) -> bool:
    """Whether its holder will end it without looking for a place, as `holding` does: cancelled, or
    a second making of a reservation that has its place."""
    if not one.claims or one.view.status in _OVER:
        return True
    if one.makes and one.operation != one.view.making:
        return True
    return bool(one.view.live) and all(claim.replaces is None for claim in one.claims)


def _judge(
    one: Waiting,
    rivals: Sequence[Waiting],
    absent: Collection[ClaimId],
    world: _World,
    occupancy: Occupancy,
) -> Verdict:
    """Decide what waits in the order of stamps, up to this one."""
    absent = {*absent, *(claim.id for rival in rivals for claim in rival.claims)}
    supposed = world.supposed(occupancy, absent)
    for rival in rivals:
        if rival.turn > one.turn:
            break
        verdict = world.decide(rival, supposed)
        absent.update(verdict.ends)
        if verdict.verdict == "admitted":
            absent.difference_update(claim.id for claim in rival.claims)
        elif verdict.verdict == "moved":
            supposed.put(rival, verdict.claims)
    return world.decide(one, supposed)


class _Supposed(Occupancy):
    """What would be occupied if all that waits had its place, except for some claims, and with
    some more. What it is made of is not changed."""

    def __init__(
        self, known: Occupancy, absent: Collection[ClaimId], *, divided: bool = False
    ) -> None:
        self._known = known
        self._absent = absent
        self._divided = divided
        self._more: list[tuple[str, Held]] = []

    def put(self, one: Waiting, claims: Iterable[Claim]) -> None:
        for index, claim in enumerate(claims):
            held = Held(
                ClaimId(one.operation, index), claim.start, claim.end, claim.quantity, True,
                one.view.id,
            )  # fmt: skip
            self._more.append((claim.resource, held))

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
        left_out = {*self._absent, *ignoring}
        if account is not None and self._divided:
            known = self._free_of(account, resource, capacity, start, end, left_out)
        else:
            known = self._known.free(resource, capacity, start, end, ignoring=left_out)
        return known - sum(held.quantity for held in self._added(resource, start, end))

    def keeps(
        self,
        resource: str,
        quantity: int,
        start: int,
        end: int,
        given_up: Collection[ClaimId],
        account: bytes,
    ) -> bool:
        return self._known.keeps(resource, quantity, start, end, given_up, account)

    def _free_of(
        self,
        account: bytes,
        resource: str,
        capacity: int,
        start: int,
        end: int,
        left_out: Collection[ClaimId],
    ) -> int:
        """What would be left to one holder if all that waits for the resource asked it."""
        level = Profile()
        for first, last, quantity in self._known.handed_out(resource) if account == HUB else ():
            if first < end and last > start:
                level.shift(max(first, start), min(last, end), quantity)
        for held in self._known.overlapping(resource, start, end):
            if held.claim in left_out:
                continue
            first, last = max(held.start, start), min(held.end, end)
            if held.live and held.account != account:
                last = min(last, held.split) if account == HUB else first
            elif held.live:
                first = max(first, held.split)
            if first < last:
                level.shift(first, last, held.quantity)
        return capacity - level.peak(start, end)

    def occupants(
        self, resource: str, start: int, end: int, *, ignoring: Collection[ClaimId] = ()
    ) -> list[Held]:
        present = [
            held
            for held in self._known.overlapping(resource, start, end)
            if held.claim not in self._absent and held.claim not in ignoring
        ]
        return heapq.nsmallest(WON_SHOWN_MAX, [*present, *self._added(resource, start, end)])

    def _added(self, resource: str, start: int, end: int) -> list[Held]:
        return [
            held
            for name, held in self._more
            if name == resource and held.start < end and held.end > start
        ]
