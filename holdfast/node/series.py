"""Recurring reservations: made together by a rule, called off together from one date on (S-28).

Owns the reading of a request for several dates, what became of each, the finding of a series, and
the question whether a guest comes in a pattern without one (`model.patterns`).
Each date is made as any reservation is (`reserving`): checked for room and by the rules, with those
before it. All of them or none; or, where the request says so, each that can be had.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from holdfast.model import calendar, lifecycle, series, wall
from holdfast.model.errors import (
    Conflict,
    Invalid,
    NotAvailable,
    NotFound,
    RateLimited,
    RuleViolated,
)
from holdfast.model.ids import uuid_text
from holdfast.model.offers import VenueIndex
from holdfast.model.patterns import Pattern, pattern
from holdfast.model.pseudonyms import is_agent_id
from holdfast.model.recurrence import occurrences
from holdfast.model.reservation import View
from holdfast.node import placing, recording, reserving
from holdfast.node.requests import CreateRequest, SeriesRequest
from holdfast.node.restricting import STAFF, Asking

if TYPE_CHECKING:
    from holdfast.node.service import Service

_ENDED: Final = (lifecycle.CANCELLED, lifecycle.EXPIRED, lifecycle.COMPLETED, lifecycle.NO_SHOW)
_COMES: Final = (lifecycle.CONFIRMED, lifecycle.CHECKED_IN, lifecycle.COMPLETED)
_PAGE: Final = 500
_NAMED: Final = 3


class Refused(NamedTuple):
    """A date that could not be had: its start in epoch seconds, and why."""

    start: int
    error: NotAvailable | RuleViolated | RateLimited


class Made(NamedTuple):
    """What became of the dates of a request, each list in their order."""

    views: list[View]
    refused: list[Refused]


def create(replica: Service, request: SeriesRequest, asking: Asking = STAFF) -> Made:
    """Make a reservation on every date of a rule: all of them or none; with `each`, those that can
    be had. Raises Invalid, NotFound, Forbidden, and Conflict (with `refused`) where a date cannot
    be had, or with `each` none of them."""
    venue = replica.venue(request.venue)
    dates = _dates(venue, request)
    agent = reserving.agent_of(replica, request.user_id, request.agent_id)
    name = os.urandom(16).hex()
    found = Made([], [])
    with replica.transaction():
        for start, end in dates:
            wanted = _wanted(venue, request, start, end, agent, name)
            try:
                found.views.append(reserving.create(replica, wanted, asking))
            except (NotAvailable, RuleViolated, RateLimited) as error:
                found.refused.append(Refused(start, error))
        if found.refused and not (request.each and found.views):
            raise _conflict(venue, found.refused, len(dates))
    for one in found.refused:
        offered = one.error.extra.get("alternatives", [])
        offered[:] = [slot for slot in offered if not _taken(found.views, slot)]
    return found


def _taken(views: list[View], slot: dict[str, Any]) -> bool:
    """Whether a date of the series that was made after a slot was found has its place."""
    start, end = (datetime.datetime.fromisoformat(slot[at]) for at in ("starts_at", "ends_at"))
    return any(
        claim.resource in slot["resources"]
        and claim.start < end.timestamp()
        and start.timestamp() < claim.end
        for view in views
        for claim in view.occupying
    )


def of(replica: Service, reference: str) -> list[View]:
    """The reservations of a series, by the id or code of one of them, in the order of their starts.
    Raises NotFound."""
    view = recording.find(replica, reference)
    if not series.series_of(view):
        raise NotFound(f"{view.code} was made alone, and belongs to no series")
    return _members(replica, view)


def rest(replica: Service, reference: str) -> list[View]:
    """A reservation and those of its series that begin later and are not over. Call inside
    `transaction`. Raises NotFound."""
    view = recording.find(replica, reference)
    later = [
        one
        for one in _members(replica, view)
        if (one.starts_at, one.id) > (view.starts_at, view.id) and one.status not in _ENDED
    ]
    return [view, *later]


def cancel_rest(replica: Service, reference: str, cancel: Callable[[str], View]) -> list[View]:
    """Call a reservation and the rest of its series off, all of them or none. Raises what `cancel`
    does, and NotFound."""
    with replica.transaction():
        return [cancel(uuid_text(one.id)) for one in rest(replica, reference)]


def habit(replica: Service, venue_id: str, agent: str) -> Pattern | None:
    """Whether a guest comes to a venue again and again on the same day, by the reservations that
    stand and the visits that were. Raises NotFound, Invalid for what is no agent id."""
    venue = replica.venue(venue_id).venue
    if not is_agent_id(agent):
        raise Invalid.field("agent_id", "is no agent id, such as reservations show it")
    views = _of_guest(replica, replica.book_of(venue_id), agent)
    dates = [wall.parse_date(view.service_date) for view in views if view.status in _COMES]
    return pattern(dates, calendar.service_date(venue, replica.clock.now_ms() // 1000))


def _members(replica: Service, view: View) -> list[View]:
    return series.members(view, _of_guest(replica, view.book, view.agent_id))


def _of_guest(replica: Service, book: str, agent: str) -> list[View]:
    """All reservations of a guest, which are found by an index, in the order of their starts."""
    if replica.in_transaction:
        replica.write_projections()
    found: list[View] = []
    after = None
    with replica.lock:
        while True:
            page = replica.store.projections.select(
                book=book, agent_id=agent, after=after, limit=_PAGE
            )
            found += page
            if len(page) < _PAGE:
                return found
            after = (page[-1].starts_at, page[-1].id)


def _dates(venue: VenueIndex, request: SeriesRequest) -> list[tuple[int, int]]:
    place = placing.place_of(venue, _single(request))
    dates = occurrences(venue.venue, place.start, place.end, request.rrule)
    if any(one[1] > then[0] for one, then in pairwise(sorted(dates))):
        raise Invalid.field("rrule", "its dates overlap; make each shorter, or fewer")
    return dates


def _single(request: SeriesRequest) -> CreateRequest:
    fields: dict[str, Any] = {name: getattr(request, name) for name in request.__struct_fields__}
    for name in ("rrule", "each"):
        del fields[name]
    return CreateRequest(**fields)


def _wanted(
    venue: VenueIndex, request: SeriesRequest, start: int, end: int, agent: str, name: str
) -> CreateRequest:
    """The request for one date: at the same times by the wall clock as the first."""
    ends_at = None
    if request.ends_at is not None:
        ends_at = wall.format_time(venue.venue, end)
    return msgspec.structs.replace(
        _single(request),
        starts_at=wall.format_time(venue.venue, start),
        ends_at=ends_at,
        user_id=None,
        agent_id=agent,
        metadata=series.named(request.metadata, name),
    )


def _conflict(venue: VenueIndex, refused: list[Refused], dates: int) -> Conflict:
    days = [wall.format_time(venue.venue, one.start)[:10] for one in refused]
    named = ", ".join(days[:_NAMED]) + (" …" if len(days) > _NAMED else "")
    return Conflict(
        f"{len(refused)} of {dates} dates cannot be had ({named}: {refused[0].error.detail}); "
        "nothing was reserved: ask for another time, or take what can be had (`each`, `--each`)",
        conflicts=[],
        refused=[told(venue, one) for one in refused],
    )


def told(venue: VenueIndex, one: Refused) -> dict[str, Any]:
    """Why a date could not be had, as the API shows it."""
    extra = one.error.extra
    return {
        "starts_at": wall.format_time(venue.venue, one.start),
        "error": one.error.name,
        "detail": one.error.detail,
        "alternatives": extra.get("alternatives") or extra.get("suggestions") or [],
    }
