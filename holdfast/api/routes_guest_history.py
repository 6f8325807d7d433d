"""What a guest's reservations say, over HTTP: history, list, and what a caller is likely to mean.

Owns these routes. What they do stands in `holdfast.node.guest_history`. They rest on pseudonyms: no
card is opened.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api.auth import VENUES
from holdfast.api.documented import operation
from holdfast.api.face import Asking, answer, caller_of, face_of
from holdfast.api.guest_venues import GuestVenueQuery, require_venue
from holdfast.api.parsing import (
    PageQuery,
    read_cursor,
    read_limit,
    read_query,
    read_time,
    write_cursor,
)
from holdfast.api.render import render_reservation
from holdfast.api.shapes import guest_desk as shapes
from holdfast.api.shapes.reservations import ReservationList
from holdfast.model.reservation import shown_claims
from holdfast.node import guest_history, guest_scope
from holdfast.node.lookup import venue_time

TAGS = ["guests"]


class HistoryListQuery(
    PageQuery, kw_only=True, rename={"starts_from": "from", "starts_before": "to"}
):
    """A guest's reservations at a venue, by status and start."""

    venue: str | None = None
    status: str | None = None
    starts_from: str | None = None
    starts_before: str | None = None


@get(
    "/guests/{agent_id:str}/history",
    operation_id="getGuestHistory",
    summary="What a guest's reservations at a venue say: visits, no-shows, cancellations",
    tags=TAGS,
    opt={"permission": "guests.find", "reach": VENUES},
    operation_class=operation(query=GuestVenueQuery),
)
async def get_guest_history(request: Asking, agent_id: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), GuestVenueQuery)
    require_venue(caller, query.venue)

    def found() -> dict[str, Any]:
        return guest_history.history(face.replica, agent_id, venue=query.venue, sees=caller.sees)

    return answer(msgspec.convert(await face.run(found), shapes.GuestHistory))


@get(
    "/guests/{agent_id:str}/reservations",
    operation_id="listGuestReservations",
    summary="A guest's reservations at a venue, under whatever pseudonym they were merged",
    tags=TAGS,
    opt={"permission": "guests.find", "reach": VENUES},
    operation_class=operation(query=HistoryListQuery),
)
async def list_guest_reservations(request: Asking, agent_id: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), HistoryListQuery)
    require_venue(caller, query.venue)

    def found() -> bytes:
        venue = guest_scope.venue_meant(face.replica, query.venue, caller.sees).venue
        views, place = guest_history.reservations(
            face.replica,
            agent_id,
            venue=venue.id,
            status=query.status,
            starts_from=read_time(venue, query.starts_from, "from"),
            starts_before=read_time(venue, query.starts_before, "to"),
            limit=read_limit(query.limit),
            cursor=read_cursor(query.cursor),
        )
        reads = caller.may("guests.read")
        items = [render_reservation(face.replica, view, with_guest=reads) for view in views]
        return msgspec.json.encode(ReservationList(items=items, next=write_cursor(place)))

    return answer(await face.run(found))


@get(
    "/guests/{agent_id:str}/context",
    operation_id="getGuestContext",
    summary="The reservation that a guest who calls is likely to mean, without any contact",
    tags=TAGS,
    opt={"permission": "guests.find", "reach": VENUES},
    operation_class=operation(query=GuestVenueQuery),
)
async def get_guest_context(request: Asking, agent_id: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), GuestVenueQuery)
    require_venue(caller, query.venue)

    def found() -> shapes.GuestContext:
        venue = guest_scope.venue_meant(face.replica, query.venue, caller.sees).venue.id
        view, minutes = guest_history.context(face.replica, agent_id, venue=venue)
        booking = None
        if view is not None and minutes is not None:
            booking = shapes.BookedNow(
                code=view.code,
                status=view.status,
                starts_at=venue_time(face.replica, venue, view.starts_at),
                ends_at=venue_time(face.replica, venue, view.ends_at),
                party_size=view.party_size,
                resources=[claim.resource for claim in shown_claims(view)],
                starts_in_minutes=minutes,
            )
        return shapes.GuestContext(
            agent_id=agent_id, venue=venue, has_booking=booking is not None, booking=booking
        )

    return answer(await face.run(found))


ROUTES: list[HTTPRouteHandler] = [
    get_guest_history,
    list_guest_reservations,
    get_guest_context,
]
