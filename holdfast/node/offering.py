"""What this replica can offer: the first free choice, slots with what remains, covers of a slot.

Owns the join of the venue's calendar and choices with what is occupied here. Reads only.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast.model import calendar, lifecycle, rules, wall
from holdfast.model.entries import Claim, ClaimId
from holdfast.model.errors import Invalid
from holdfast.model.forms import form_now
from holdfast.model.limits import SLOT_DAYS_MAX
from holdfast.model.offers import Choice, VenueIndex, candidates
from holdfast.model.reservation import BLOCK
from holdfast.node import selling
from holdfast.node.requests import AvailabilityRequest

if TYPE_CHECKING:
    from holdfast.node.service import Service


class Slot(NamedTuple):
    """One start time: the best choice (None: cannot be had, and why) and how much remains."""

    start: int
    end: int
    choice: Choice | None
    remaining: int
    assurance: str
    reason: str


def first_free(
    replica: Service,
    venue: VenueIndex,
    choices: Iterable[Choice],
    start: int,
    end: int,
    *,
    ignoring: Collection[ClaimId] = (),
) -> Choice | None:
    """The choice to take for [start, end): the first that would be guaranteed here and now, else
    the first that is free as far as is known here and that one holder can answer for."""
    occupancy = replica.store.projections.occupancy(replica.book_of(venue.venue.id))
    divided = bool(replica.rights(replica.book_of(venue.venue.id)))
    asked = split = None
    for choice in choices:
        for name, quantity in zip(choice.resources, choice.quantities, strict=True):
            resource = venue.resource_by_id[name]
            if occupancy.free(name, resource.capacity, start, end, ignoring=ignoring) < quantity:
                break
        else:
            if not divided:
                return choice
            terms = selling.terms(replica, venue, claims_for(choice, start, end), ignoring)
            if terms.guaranteed:
                return choice
            if asked is None and (terms.asks or not _is_split(replica, venue, choice, start, end)):
                asked = choice
            split = split or choice
    return asked or split


def _is_split(replica: Service, venue: VenueIndex, choice: Choice, start: int, end: int) -> bool:
    """Whether units that are put together have several holders: nobody can answer for all."""
    rights = replica.rights(replica.book_of(venue.venue.id))
    return len(choice.resources) > 1 and any(
        held.covers(name, start, end)
        for name in choice.resources
        if not venue.resource_by_id[name].pool
        for held in rights.of_resource(name)
    )


def claims_for(choice: Choice, start: int, end: int) -> list[Claim]:
    """What a choice would occupy, asked of nobody yet."""
    return [
        Claim(resource, start, end, quantity)
        for resource, quantity in zip(choice.resources, choice.quantities, strict=True)
    ]


def assurance_of(replica: Service, venue: VenueIndex, choice: Choice, start: int, end: int) -> str:
    """What a reservation of a choice would be here and now: guaranteed or provisional."""
    terms = selling.terms(replica, venue, claims_for(choice, start, end))
    return "guaranteed" if terms.guaranteed else "provisional"


def slots(replica: Service, venue: VenueIndex, request: AvailabilityRequest) -> list[Slot]:
    """Every start time asked for, in order. Raises Invalid for a request that makes no sense."""
    if request.party_size < 1:
        raise Invalid.field("party_size", "must be at least 1")
    found = []
    for day in _days(venue, request):
        minutes = request.duration_minutes
        if minutes is None and request.nights is None and not calendar.sells_nights(venue.venue):
            minutes = calendar.default_minutes(venue.venue, request.party_size)
        if minutes is not None and minutes < 1:
            raise Invalid.field("duration_minutes", "must be at least 1")
        for start in calendar.slot_starts(venue.venue, day, minutes):
            if _wanted(venue, request, start):
                slot = _slot(replica, venue, request, day, start, minutes)
                if slot.choice is not None or request.include_full:
                    found.append(slot)
    return found


def _days(venue: VenueIndex, request: AvailabilityRequest) -> list[datetime.date]:
    if request.date is not None:
        return [wall.parse_date(request.date)]
    if request.starts_from is None or request.starts_before is None:
        raise Invalid.field("date", "give date, or from and to")
    first = calendar.service_date(
        venue.venue, wall.local_to_epoch(venue.venue, request.starts_from, "from")
    )
    last = calendar.service_date(
        venue.venue, wall.local_to_epoch(venue.venue, request.starts_before, "to")
    )
    days = (last - first).days + 1
    if days > SLOT_DAYS_MAX:
        raise Invalid.field("to", f"at most {SLOT_DAYS_MAX} days at once")
    return [first + datetime.timedelta(days=offset) for offset in range(max(days, 0))]


def _wanted(venue: VenueIndex, request: AvailabilityRequest, start: int) -> bool:
    if request.starts_from is None or request.starts_before is None:
        return True
    first = wall.local_to_epoch(venue.venue, request.starts_from, "from")
    return first <= start < wall.local_to_epoch(venue.venue, request.starts_before, "to")


def _slot(
    replica: Service,
    venue: VenueIndex,
    request: AvailabilityRequest,
    day: datetime.date,
    start: int,
    minutes: int | None,
) -> Slot:
    nights = None
    if minutes is None:
        nights = request.nights or 1
        start, end = calendar.stay_interval(venue.venue, day, nights)
    else:
        end = start + minutes * 60
    broken = rules.violations(
        venue.venue,
        rules.Proposal(request.party_size, start, end, "guest", nights),
        replica.clock.now_ms() // 1000,
        covers_in_slot(replica, venue, start) if venue.venue.covers_per_slot else 0,
    )
    if broken:
        return Slot(start, end, None, 0, "none", broken[0]["rule"])
    choices = list(
        candidates(venue, request.party_size, request.quantity, request.resource_kind, request.area)
    )
    occupied_end = end + venue.venue.buffer_minutes * 60
    choice = first_free(replica, venue, choices, start, occupied_end)
    if choice is None:
        return Slot(start, end, None, 0, "none", "full" if choices else "party")
    remaining = _remaining(replica, venue, choices, start, occupied_end)
    assurance = assurance_of(replica, venue, choice, start, occupied_end)
    return Slot(start, end, choice, remaining, assurance, "")


def _remaining(
    replica: Service, venue: VenueIndex, choices: list[Choice], start: int, end: int
) -> int:
    """How much is left: free places of pools, free single units, or 1 where only tables put
    together would do."""
    occupancy = replica.store.projections.occupancy(replica.book_of(venue.venue.id))
    total = 0
    for choice in choices:
        if len(choice.resources) == 1:
            resource = venue.resource_by_id[choice.resources[0]]
            total += max(0, occupancy.free(resource.id, resource.capacity, start, end))
    return max(total, 1)


def covers_in_slot(replica: Service, venue: VenueIndex, start: int, exclude: bytes = b"") -> int:
    """Covers of reservations that start in the same slot: what pacing counts (DESIGN §1)."""
    first, last = calendar.slot_of(venue.venue, start)
    views = replica.store.projections.select(
        book=replica.book_of(venue.venue.id), starts_from=first, starts_before=last, form=None,
        limit=10_000,
    )  # fmt: skip
    gone = (lifecycle.CANCELLED, lifecycle.NO_SHOW, lifecycle.COMMIT_FAILED, lifecycle.EXPIRED)
    return sum(
        view.party_size
        for view in views
        if view.status not in gone
        and view.id != exclude
        and form_now(view) != BLOCK
        # Who only waits for a place comes at no time yet.
        and (view.status != lifecycle.INTENT or view.occupying or view.pending)
    )


def render_slot(venue: VenueIndex, slot: Slot) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "starts_at": wall.format_time(venue.venue, slot.start),
        "ends_at": wall.format_time(venue.venue, slot.end),
        "resources": list(slot.choice.resources) if slot.choice else [],
        "assurance": slot.assurance,
        "remaining": slot.remaining,
    }
    if slot.reason:
        shown["reason"] = slot.reason
    return shown
