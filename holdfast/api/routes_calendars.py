"""Calendars over HTTP: what a calendar program subscribes to, and one reservation to import.

Owns these routes, the versions of a feed and its keeping. What an event is stands in
`holdfast.model.feeds`,
how it is written in `calendar_text`.
"""

from __future__ import annotations

import hashlib
from email.utils import formatdate
from typing import Final

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api import calendar_text
from holdfast.api.auth import CALENDARS, VENUES
from holdfast.api.bookings import found
from holdfast.api.documented import operation
from holdfast.api.face import Asking, Replica, caller_of, face_of
from holdfast.api.parsing import is_held, read_moment, read_query
from holdfast.model.reservation import View
from holdfast.node import calendars

_HELD: Final = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
"""A program keeps it and asks whether it is still the same; nobody in between keeps it."""


class CalendarQuery(
    msgspec.Struct, kw_only=True, rename={"starts_from": "from", "starts_before": "to"}
):
    """Events that touch the time between `from` and `to`; `key` is the secret of a token that may
    read calendars and nothing else, for programs that send no header."""

    resource: str | None = None
    starts_from: str | None = None
    starts_before: str | None = None
    key: str | None = None


@get(
    "/venues/{venue:str}/calendar.ics",
    operation_id="getCalendar",
    summary="A venue's reservations as a calendar feed, without personal data",
    tags=["venues"],
    opt={"permission": "calendar.read", "reach": VENUES, "counted": CALENDARS},
    operation_class=operation(
        query=CalendarQuery, media_type=calendar_text.MEDIA_TYPE, cached=True
    ),
)
async def get_calendar(request: Asking, venue: FromPath[str]) -> Response[bytes]:
    face = face_of(request)
    query = read_query(request.query_params.multi_items(), CalendarQuery)
    caller_of(request).require(venue)
    body, changed_ms = await face.read(_written, face.replica, venue, query)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = _HELD | {"ETag": tag}
    if changed_ms:
        # Never later than now, whatever clock it was written by (RFC 9110, 8.8.2.1).
        seconds = min(changed_ms, face.replica.clock.now_ms()) // 1_000
        headers["Last-Modified"] = formatdate(seconds, usegmt=True)
    # If-Modified-Since is not heeded: what a device wrote offline comes late, with an old stamp.
    if is_held(request.headers.get("if-none-match"), tag):
        return Response(b"", status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=calendar_text.MEDIA_TYPE)


def _written(replica: Replica, venue: str, query: CalendarQuery) -> tuple[bytes, int]:
    """The feed, and when the newest of its events changed, Unix milliseconds; 0: it has none."""
    known = replica.venue(venue).venue
    feed = calendars.feed(
        replica,
        venue,
        read_moment(known, query.starts_from, "from"),
        read_moment(known, query.starts_before, "to"),
        query.resource,
    )
    changed_ms = max((event.changed_ms for event in feed.events), default=0)
    return calendar_text.calendar(feed.venue, feed.events), changed_ms


@get(
    "/reservations/{reference:str}/calendar.ics",
    operation_id="getReservationCalendar",
    summary="One reservation as a calendar file, without personal data",
    description="To import once: the event has the id that it has in the venue's feed.",
    tags=["reservations"],
    opt={"permission": "reservations.find", "reach": VENUES},
    operation_class=operation(media_type=calendar_text.MEDIA_TYPE),
)
async def get_reservation_calendar(request: Asking, reference: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)

    def find() -> View:
        return found(face.replica, caller, reference)

    view = await face.run(find)
    told = await face.read(calendars.single, face.replica, view)
    body = calendar_text.calendar(told.venue, told.events, subscribed=False)
    headers = {"Content-Disposition": f'attachment; filename="{view.code}.ics"'}
    return Response(body, headers=headers, media_type=calendar_text.MEDIA_TYPE)


ROUTES: list[HTTPRouteHandler] = [get_calendar, get_reservation_calendar]
