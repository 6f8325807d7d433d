"""How full the slots of a service are: the covers that may begin in each, and those that do.

Owns what counts as total, reserved and pending (feature H-22), and by `covers` what pacing counts:
what a slot is said to have left and what the rule `pacing` refuses are one number. A slot is about
beginnings: whether a table is free then, availability says. Pure.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from holdfast.model import calendar, lifecycle
from holdfast.model.forms import form_now
from holdfast.model.reservation import BLOCK, View, shown_claims
from holdfast.model.rules import blackouts
from holdfast.model.slot_overrides import covers_limit, is_closed, override_at, party_limits
from holdfast.model.venue import Blackout, SlotOverride, Venue

_OUT_OF_PACE: Final = (
    lifecycle.CANCELLED, lifecycle.NO_SHOW, lifecycle.COMMIT_FAILED, lifecycle.EXPIRED,
)  # fmt: skip
_UNDECIDED: Final = (lifecycle.INTENT, lifecycle.COMMIT_PENDING)


class Covers(NamedTuple):
    """People who begin within a time: of reservations that stand, and of what nobody has decided
    yet, or only keeps a place: requests to a holder, holds, offers to who waits."""

    reserved: int
    pending: int

    @property
    def together(self) -> int:
        """What pacing counts (DESIGN §1)."""
        return self.reserved + self.pending


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """One slot [start, end) in epoch seconds, and the covers that begin in it.

    `total` is how many guests may begin: 0 where none may, by its `override` or in the `blackout`
    of all the venue that is named (empty: in none). Else the limit, of the override or of the
    venue (`covers_per_slot`). Where there is no such limit, the seats of the active resources, less
    those that are blocked, or in a blackout, when the slot begins; None where one of these has no
    number of seats, and so takes any party.
    """

    start: int
    end: int
    total: int | None
    covers: Covers
    override: SlotOverride | None = None
    blackout: str = ""
    min_party: int = 1
    max_party: int | None = None

    @property
    def available(self) -> int | None:
        """total − reserved − pending, always. Below 0 it is overbooked: so many more begin than
        may, as where the slot was closed after they had reserved. None: not limited."""
        if self.total is None:
            return None
        return self.total - self.covers.reserved - self.covers.pending


def covers(views: Iterable[View], first: int, before: int, but: bytes = b"") -> Covers:
    """The covers of those that begin from `first` on and before `before`; `but`: one that is not
    counted. Who only waits for a place comes at no time yet, and a block is nobody."""
    reserved = pending = 0
    for view in views:
        if not first <= view.starts_at < before or view.id == but or not counts(view):
            continue
        if view.status in _UNDECIDED:
            pending += view.party_size
        else:
            reserved += view.party_size
    return Covers(reserved, pending)


def counts(view: View) -> bool:
    """Whether the covers of a reservation count where it begins: it stands, or may yet, and is no
    block. Who only waits for a place comes at no time yet."""
    if view.status in _OUT_OF_PACE or form_now(view) == BLOCK:
        return False
    return view.status != lifecycle.INTENT or bool(view.occupying or view.pending)


def slots(
    venue: Venue, day: datetime.date, views: Sequence[View], blocks: Sequence[View]
) -> list[Slot]:
    """The slots of a service date, in order: those in which the shortest seating may begin, and
    others in which something begins all the same. Of a venue that sells nights there are none.

    `views` are those that begin on that date, and a slot before and after it; `blocks` those that
    stand then.
    """
    if calendar.sells_nights(venue):
        return []
    first, before = calendar.service_day(venue, day)
    starts = calendar.slot_starts(venue, day, calendar.default_minutes(venue, 1))
    starts += [view.starts_at for view in views if counts(view)]
    found = sorted({calendar.slot_of(venue, start) for start in starts})
    return [
        _slot(venue, start, end, views, blocks) for start, end in found if first <= start < before
    ]


def _slot(
    venue: Venue, start: int, end: int, views: Sequence[View], blocks: Sequence[View]
) -> Slot:
    override = override_at(venue, start)
    shut = blackouts.overlapping(venue, start, start + 1, nights=False)
    whole = next((one.name for one in shut if not one.resources), "")
    if is_closed(override) or whole:
        total: int | None = 0
    else:
        total = covers_limit(venue, start)
        if total is None:
            total = _seats(venue, start, shut, blocks)
    least, most = party_limits(venue, start)
    return Slot(
        start=start,
        end=end,
        total=total,
        covers=covers(views, start, end),
        override=override,
        blackout=whole,
        min_party=least,
        max_party=most,
    )


def _seats(venue: Venue, at_s: int, shut: Sequence[Blackout], blocks: Sequence[View]) -> int | None:
    """The people whom all that is in use at an instant takes; None: not limited."""
    blocked: Counter[str] = Counter()
    for block in blocks:
        for claim in shown_claims(block):
            if claim.start <= at_s < claim.end:
                blocked[claim.resource] += claim.quantity
    seats = 0
    for resource in venue.resources:
        if not resource.active or any(blackouts.shuts(one, [resource.id]) for one in shut):
            continue
        units = resource.capacity - blocked[resource.id]
        if units <= 0:
            continue
        if resource.seats is None:
            return None
        seats += resource.seats * units
    return seats
