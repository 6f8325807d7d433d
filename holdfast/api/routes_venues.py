"""Venues over HTTP: their files, their resources, when they are shut, and what is free.

Owns these routes. Reading a venue file and finding what is free stand in `holdfast.model` and
`holdfast.node`.
"""

from __future__ import annotations

import msgspec
from litestar import Response, get, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api.auth import VENUES
from holdfast.api.bookings import asking_of
from holdfast.api.callers import Caller
from holdfast.api.documented import operation
from holdfast.api.face import Asking, Replica, answer, caller_of, face_of
from holdfast.api.parsing import (
    PageQuery,
    page_of,
    read_if_match,
    read_moment,
    read_object,
    read_query,
)
from holdfast.api.render import render_venue
from holdfast.api.shapes import venues
from holdfast.api.shapes.venue_file import VenueFile
from holdfast.model import geohash, wall
from holdfast.model.errors import Forbidden, Invalid
from holdfast.model.offers import VenueIndex
from holdfast.model.rules import blackouts
from holdfast.model.venue import (
    Blackout,
    Venue,
    blackout_document,
    resource_document,
    version_tag,
)
from holdfast.node.requests import AvailabilityRequest

TAGS = ["venues"]


class AvailabilityQuery(
    msgspec.Struct, kw_only=True, rename={"starts_from": "from", "starts_before": "to"}
):
    """A service date, or `from` and `to`; `include=full` adds what cannot be had, and why. With a
    person it is what that person may have; of a walk-in the present minute comes first."""

    venue: str
    party_size: int
    kind: str = "guest"
    date: str | None = None
    starts_from: str | None = None
    starts_before: str | None = None
    duration_minutes: int | None = None
    nights: int | None = None
    area: str | None = None
    resource_kind: str | None = None
    quantity: int | None = None
    features: str | None = None
    include: str | None = None
    agent_id: str | None = None


class BlackoutQuery(PageQuery, kw_only=True, rename={"starts_from": "from", "starts_before": "to"}):
    """Periods of a venue, or of all, that touch the time from `from` on and before `to`."""

    venue: str | None = None
    starts_from: str | None = None
    starts_before: str | None = None


class VenueQuery(PageQuery, kw_only=True):
    """One venue; left out: all that this replica knows."""

    venue: str | None = None


class VenuesListQuery(PageQuery, kw_only=True):
    """`include=inactive`: also those that are out of service. `geohash`: those in that cell."""

    include: str | None = None
    geohash: str | None = None


@get(
    "/availability",
    operation_id="getAvailability",
    summary="What can be had when",
    tags=TAGS,
    opt={"permission": "availability.read", "reach": VENUES},
    operation_class=operation(query=AvailabilityQuery),
)
async def get_availability(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), AvailabilityQuery)
    caller.require(query.venue)
    if caller.role == "guest" and query.agent_id not in (None, caller.agent_id):
        raise Forbidden("a guest's token is for its own agent id only; leave the person out")
    if caller.role == "guest" and query.kind != "guest":
        raise Forbidden("a guest's token is for reservations of the kind guest; leave `kind` out")
    if query.include not in (None, "full"):
        raise Invalid.field("include", "must be full, or left out")
    wanted = AvailabilityRequest(
        venue=query.venue,
        party_size=query.party_size,
        kind=query.kind,
        date=query.date,
        starts_from=_unescaped(query.starts_from),
        starts_before=_unescaped(query.starts_before),
        duration_minutes=query.duration_minutes,
        nights=query.nights,
        area=query.area,
        resource_kind=query.resource_kind,
        quantity=query.quantity,
        features=[word for word in (query.features or "").split(",") if word],
        include_full=query.include == "full",
        # What somebody may have is nothing to ask at a screen: there it is what anybody may.
        agent_id=(query.agent_id if asking_of(caller).plain else None) or caller.agent_id or None,
    )

    def slots() -> venues.Availability:
        found = face.replica.reservations.availability(wanted, by_guest=caller.by_guest)
        if not caller.may("blocks.read"):
            found = [{key: one[key] for key in one if key != "blocks"} for one in found]
        return venues.Availability(slots=msgspec.convert(found, list[venues.Slot]))

    return answer(await face.run(slots))


def _unescaped(text: str | None) -> str | None:
    """In a query an unescaped `+` of an offset arrives as a space."""
    if text is not None and "T" in text:
        return text.replace(" ", "+")
    return text


@get(
    "/venues",
    operation_id="listVenues",
    summary="The venue files; those that are featured first",
    tags=TAGS,
    opt={"permission": "venues.read", "reach": VENUES},
    operation_class=operation(query=VenuesListQuery),
)
async def list_venues(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), VenuesListQuery)
    if query.include not in (None, "inactive"):
        raise Invalid.field("include", "must be inactive, or left out")
    cell = query.geohash or ""
    if cell and not geohash.WORD.fullmatch(cell):
        raise Invalid.field("geohash", f"must be {geohash.MEANS}, or left out")

    def listed() -> venues.VenueList:
        known = [
            index for index in _indexes(face.replica, caller, None)
            if (index.venue.active or query.include)
            and index.venue.profile.geohash.startswith(cell)
        ]  # fmt: skip
        keyed = sorted((f"{not index.venue.featured:d}{index.venue.id}", index) for index in known)
        page, place = page_of(keyed, query.limit, query.cursor)
        to_guest = caller.role == "guest"
        items = [render_venue(index.venue, to_guest=to_guest) for index in page]
        return venues.VenueList(items=items, next=place)

    return answer(await face.run(listed))


@get(
    "/venues/{venue:str}",
    operation_id="getVenue",
    summary="A venue file as JSON",
    tags=TAGS,
    opt={"permission": "venues.read", "reach": VENUES},
    operation_class=operation(),
)
async def get_venue(request: Asking, venue: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    caller.require(venue)
    found = await face.run(lambda: face.replica.venue(venue).venue)
    shown = render_venue(found, to_guest=caller.role == "guest")
    return answer(shown, headers={"ETag": f'"{version_tag(found)}"'})


@put(
    "/venues/{venue:str}",
    operation_id="putVenue",
    summary="Create or update a venue, at the hub",
    tags=TAGS,
    opt={"permission": "venues.change", "reach": VENUES},
    operation_class=operation(body=VenueFile, matches=True),
)
async def put_venue(request: Asking, venue: FromPath[str]) -> Response[bytes]:
    face = face_of(request)
    hub = face.hub()
    caller_of(request).require(venue)
    if_match = read_if_match(request.headers.get("if-match"))
    document = read_object(await request.body())
    if document.setdefault("venue", venue) != venue:
        raise Invalid.field("venue", f"must be {venue}, as the path says, or left out")

    def put_it() -> tuple[bool, Venue]:
        new = venue not in hub.venue_ids()
        return new, hub.import_venue(document, if_match)

    new, put = await face.run(put_it)
    tag = {"ETag": f'"{version_tag(put)}"'}
    return answer(render_venue(put), 201 if new else 200, tag)


@get(
    "/resources",
    operation_id="listResources",
    summary="What can be reserved",
    tags=TAGS,
    opt={"permission": "venues.read", "reach": VENUES},
    operation_class=operation(query=VenueQuery),
)
async def list_resources(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), VenueQuery)

    def listed() -> venues.ResourceList:
        keyed = [
            (_place(index, number), {"venue": index.venue.id} | resource_document(resource))
            for index in _indexes(face.replica, caller, query.venue)
            for number, resource in enumerate(index.venue.resources)
        ]
        found, place = page_of(keyed, query.limit, query.cursor)
        items = msgspec.convert(found, list[venues.Resource])
        return venues.ResourceList(items=items, next=place)

    return answer(await face.run(listed))


@get(
    "/blackouts",
    operation_id="listBlackouts",
    summary="When guests are not taken",
    tags=TAGS,
    opt={"permission": "venues.read", "reach": VENUES},
    operation_class=operation(query=BlackoutQuery),
)
async def list_blackouts(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), BlackoutQuery)

    def listed() -> venues.BlackoutList:
        clock = face.replica.venue(query.venue).venue if query.venue is not None else None
        first = read_moment(clock, query.starts_from, "from")
        before = read_moment(clock, query.starts_before, "to")
        keyed = [
            (_place(index, number), _shown_blackout(index.venue, blackout, start, end))
            for index in _indexes(face.replica, caller, query.venue)
            for number, (start, end, blackout) in enumerate(_in_order(index.venue))
            if (first is None or first < end) and (before is None or start < before)
        ]
        found, place = page_of(keyed, query.limit, query.cursor)
        return venues.BlackoutList(items=found, next=place)

    return answer(await face.run(listed))


def _in_order(venue: Venue) -> list[tuple[int, int, Blackout]]:
    """The blackouts of a venue with their instants, as nights meet them where it sells nights."""
    found = [
        (*blackouts.period(venue, one, nights=venue.stays is not None), one)
        for one in venue.blackouts
    ]
    return sorted(found, key=lambda one: one[:2])


def _shown_blackout(venue: Venue, blackout: Blackout, start: int, end: int) -> venues.VenueBlackout:
    return msgspec.convert(
        blackout_document(blackout)
        | {
            "venue": venue.id,
            "starts_at": wall.format_time(venue, start),
            "ends_at": wall.format_time(venue, end),
        },
        venues.VenueBlackout,
    )


def _indexes(replica: Replica, caller: Caller, venue: str | None) -> list[VenueIndex]:
    if venue is not None:
        caller.require(venue)
        return [replica.venue(venue)]
    names = [name for name in replica.venue_ids() if caller.sees(name)]
    return [replica.venue(name) for name in names]


def _place(index: VenueIndex, number: int) -> str:
    """Sorts by venue, then in the order of its file."""
    return f"{index.venue.id}\0{number:08}"


ROUTES: list[HTTPRouteHandler] = [
    get_availability,
    list_venues,
    get_venue,
    put_venue,
    list_resources,
    list_blackouts,
]
