"""What is offered instead of a place that is refused or full: other times, areas, kinds of rooms.

Owns which of these are looked for and in which order they are told. Where to look for other times
stands in `model.rules.suggesting`, what can be had there in `offering`. Whatever is offered could
be had by whoever asks at the moment of the answer. Writes nothing.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from holdfast.model import calendar, restrictions
from holdfast.model.areas import area_asked
from holdfast.model.errors import Invalid, RuleViolated
from holdfast.model.offers import VenueIndex
from holdfast.model.rules.suggesting import Search
from holdfast.node import offering, restricting
from holdfast.node.asking import Asked, Place
from holdfast.node.offering import Slot
from holdfast.node.requests import AvailabilityRequest

if TYPE_CHECKING:
    from holdfast.node.service import Service

ALTERNATIVES: Final = 3
"""Other times; and so many other areas, and other kinds."""


def near(
    replica: Service, venue: VenueIndex, place: Place, asked: Asked, where: Search
) -> list[dict[str, Any]]:
    """The nearest slots that can be had by whoever asks ahead, in order of time. Where the start
    itself is not among them: if an area was asked for, then those of that start in other areas; who
    named an area is offered that first, and whose evening is planned need not move it. Of nights,
    then the same nights in rooms of other kinds."""
    request = AvailabilityRequest(
        venue=venue.venue.id,
        party_size=place.party_size,
        duration_minutes=where.minutes,
        nights=where.nights,
        quantity=place.quantity,
        resource_kind=_kind(venue, asked),
        area=asked.area,
        features=list(asked.features),
    )
    somebody = replace(asked, kind="guest", resources=())
    with contextlib.suppress(Invalid, RuleViolated):
        may = _may_on(replica, venue, asked)
        allowed = where._replace(days=tuple(tuple(filter(may, days)) for days in where.days))
        slots = [
            slot
            for slot in offering.nearest(
                replica, venue, request, somebody, allowed, place.start, ALTERNATIVES
            )
            if not _is_had(asked, slot)
        ]
        found = [offering.render_slot(venue, slot) for slot in slots]
        if any(slot.start == place.start for slot in slots):
            return found
        if not may(calendar.service_date(venue.venue, place.start)):
            return found
        if asked.area:
            others = offering.elsewhere(replica, venue, request, somebody, place.start)
            found += [offering.render_slot(venue, slot) for slot in others[:ALTERNATIVES]]
        if where.nights is not None:
            found += _of_other_kinds(replica, venue, request, somebody, place.start)
        return found
    return []


def _is_had(asked: Asked, slot: Slot) -> bool:
    """Whether a slot is the place that whoever moves has already."""
    if asked.moved is None or slot.choice is None:
        return False
    had = {claim.resource for claim in asked.moved.live}
    return asked.present == (slot.start, slot.end) and had == set(slot.choice.resources)


def _kind(venue: VenueIndex, asked: Asked) -> str | None:
    """The kind that was asked for, be it by the name of a place."""
    if asked.resource_kind is None and asked.resources:
        named = venue.resource(asked.resources[0])
        return None if named is None else named.kind
    return asked.resource_kind or venue.usual_kind(asked.area or "")


def _may_on(replica: Service, venue: VenueIndex, asked: Asked) -> Callable[[datetime.date], bool]:
    """Whether a restriction leaves a day to this person, and not to others alone."""
    if not asked.agent_id:
        return lambda _: True
    with replica.lock:
        binding = restricting.in_force(replica, replica.book_of(venue.venue.id), asked.agent_id)
    today = calendar.service_date(venue.venue, replica.clock.now_ms() // 1000)
    kind = restrictions.LIMITED_KIND
    return lambda day: not restrictions.advance_violations(binding, kind, day, today)


def _of_other_kinds(
    replica: Service, venue: VenueIndex, request: AvailabilityRequest, asked: Asked, start: int
) -> list[dict[str, Any]]:
    """The slot of the same nights in each other kind that has beds for the party, the best fitting
    first. What takes any party, such as a space for a car, is no room for it."""
    day = calendar.service_date(venue.venue, start)
    here = request.resource_kind or venue.usual_kind(request.area or "")
    same_nights = Search(((day,),), None, request.nights)
    found: list[tuple[Slot, str]] = []
    for kind in dict.fromkeys(one.kind for one in venue.venue.resources):
        if kind == here or not _sleeps(venue, request, kind):
            continue
        of_kind = msgspec.structs.replace(request, resource_kind=kind)
        slots = offering.nearest(replica, venue, of_kind, asked, same_nights, start, 1)
        found += [(slot, kind) for slot in slots]
    found.sort(key=lambda one: one[0].choice.order if one[0].choice else ())
    return [
        offering.render_slot(venue, slot) | {"resource_kind": kind}
        for slot, kind in found[:ALTERNATIVES]
    ]


def _sleeps(venue: VenueIndex, request: AvailabilityRequest, kind: str) -> bool:
    """Whether places of a kind are for so many people, by their number of beds."""
    choices = venue.offers(
        request.party_size, request.quantity or 1, kind, area_asked(venue, request.area),
        frozenset(request.features),
    )  # fmt: skip
    return any(choice.seats is not None for choice in choices)
