"""Overbooking on purpose: who may sell beyond a capacity, how much, and whose word asks for it.

Owns that rule (DESIGN §5.12; docs/decisions/0011). One account at each instant may go below zero,
by the limit of the venue file, so that the limit holds without talking: that of the device to which
the hub granted all of a resource, where its right covers the whole time; else the hub's, unless
such a right touches that time. What is sold so counts in that account like any other claim, and the
next that ends heals it. Pure.
"""

from __future__ import annotations

import datetime
import fnmatch
from collections.abc import Callable, Collection
from typing import Final, NamedTuple

from holdfast.model import calendar
from holdfast.model.capacity import Occupancy
from holdfast.model.entries import Claim, ClaimId
from holdfast.model.events import Event, ReservationCreated, ReservationMoved
from holdfast.model.offers import VenueIndex
from holdfast.model.rights import HUB, Held, Rights
from holdfast.model.roles import OVERRIDERS
from holdfast.model.venue import Venue
from holdfast.model.wall import DAY_SECONDS

OVER_LIMIT: Final = "over-limit"
"""Why a decision did not admit what had no room, although somebody asked for it who may."""


def override_of(event: Event | None, role: str) -> str:
    """The reason with which an entry asks for a place beyond the capacity; empty where it does not,
    or where its writer's certificate gives it no such word."""
    if not isinstance(event, ReservationCreated | ReservationMoved) or role not in OVERRIDERS:
        return ""
    return event.override


def limit(venue: Venue, resource: str, start: int, end: int) -> int:
    """How much of a resource may be sold beyond its capacity throughout [start, end): the least of
    the limits of the days that it touches."""
    if not venue.overbooking:
        return 0
    day, last = _day(venue, start), _day(venue, end - 1)
    least = _limit_on(venue, resource, day)
    while least and day < last:
        day += datetime.timedelta(days=1)
        least = min(least, _limit_on(venue, resource, day))
    return least


def _limit_on(venue: Venue, resource: str, day: datetime.date) -> int:
    for one in venue.overbooking:
        if (
            any(fnmatch.fnmatchcase(resource, pattern) for pattern in one.resources)
            and (one.first is None or one.first <= day)
            and (one.last is None or day <= one.last)
        ):
            return one.limit
    return 0


def _day(venue: Venue, instant: int) -> datetime.date:
    """The day that an instant counts for: the service date; where nights are sold, the night,
    which lasts until the next guests may come."""
    if venue.stays is None:
        return calendar.service_date(venue, instant)
    wall = instant + calendar.utc_offset(venue, instant) - venue.stays.check_in * 60
    return datetime.date.fromordinal(_EPOCH_ORDINAL + wall // DAY_SECONDS)


_EPOCH_ORDINAL: Final = datetime.date(1970, 1, 1).toordinal()


def overbooker(rights: Rights, resource: str, start: int, end: int) -> bytes | None:
    """Who alone may overbook a resource for [start, end): a device, or HUB; None: nobody, because
    that time is one's only in part."""
    touching = [
        held
        for held in rights.of_resource(resource)
        if held.right.whole and held.start < end and start < held.end
    ]
    if not touching:
        return HUB
    covering = [held for held in touching if held.covers(resource, start, end)]
    return covering[0].holder if covering else None


class Room(NamedTuple):
    """What is left of an account, and how far it may go below zero."""

    right: bytes
    free: int
    limit: int


_ANY: Final = 1 << 40


class Overbooking:
    """What one replica may sell beyond the capacity: a stock like any other (`deciding.Stock`),
    which is asked only where there is no room.

    `from_when` says from which start on a right may still be sold (epoch seconds). `blocking`: the
    house takes the place out of use, for which there is no limit: it seats nobody.
    """

    def __init__(
        self,
        venue: VenueIndex,
        rights: Rights,
        node: bytes,
        occupancy: Occupancy,
        from_when: Callable[[Held], int] = lambda held: held.start,
        *,
        blocking: bool = False,
    ) -> None:
        self._blocking = blocking
        self._venue, self._rights, self._node = venue, rights, node
        self._occupancy, self._from_when = occupancy, from_when

    def right_for(self, claim: Claim, ignoring: Collection[ClaimId]) -> bytes | None:
        """The right from which a claim can be sold, within the limit; None where it cannot."""
        room = self.room(claim, ignoring)
        return room.right if room is not None and room.free + room.limit >= claim.quantity else None

    def room(self, claim: Claim, ignoring: Collection[ClaimId] = ()) -> Room | None:
        """The account that a claim would be sold from; None where it is not this replica that may
        overbook, or where the claim alone is more than there is."""
        resource = self._venue.resource(claim.resource)
        if resource is None:
            return None
        if overbooker(self._rights, claim.resource, claim.start, claim.end) != self._node:
            return None
        right, size = HUB, resource.capacity
        if self._node != HUB:
            held = next(
                held
                for held in self._rights.of_holder(
                    self._node, claim.resource, claim.start, claim.end
                )
                if held.right.whole
            )
            if claim.start < self._from_when(held):
                return None
            right, size = held.right.id, held.right.quantity
        if claim.quantity > size:
            return None
        free = self._occupancy.free(
            claim.resource, size, claim.start, claim.end, ignoring=ignoring, account=right
        )
        most = _ANY
        if not self._blocking:
            most = limit(self._venue.venue, claim.resource, claim.start, claim.end)
        return Room(right, free, most)
