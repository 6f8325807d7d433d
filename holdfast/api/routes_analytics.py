"""Figures over HTTP: of a service, of a range of dates, of a tenant's venues, of a business, of a
guest.

Owns these routes and which form of an answer is wanted. What a figure means stands in
`holdfast.model.figures`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api import csv_text
from holdfast.api.auth import VENUES
from holdfast.api.callers import Caller
from holdfast.api.documented import operation
from holdfast.api.face import Asking, answer, caller_of, face_of
from holdfast.api.parsing import page_of, prefers, read_limit, read_query
from holdfast.api.shapes import analytics
from holdfast.model.errors import Invalid
from holdfast.model.figure_lines import line
from holdfast.model.limits import LIST_LIMIT
from holdfast.node import reporting
from holdfast.node.hub import Hub

TAGS = ["analytics"]
_COLUMNS: Final = analytics.FigureLine.__struct_fields__
FORMATS: Final = ("json", "csv")


class ServiceQuery(msgspec.Struct, kw_only=True):
    """A service date; left out: today's."""

    venue: str
    date: str | None = None
    format: str | None = None


class RangeQuery(msgspec.Struct, kw_only=True, rename={"first": "from", "last": "to"}):
    """Service dates, the last one included."""

    venue: str
    first: str
    last: str
    format: str | None = None


class NoShowsQuery(msgspec.Struct, kw_only=True, rename={"first": "from", "last": "to"}):
    """Service dates, the last one included; left out: of the last weeks."""

    venue: str
    first: str | None = None
    last: str | None = None
    format: str | None = None


class VenuesQuery(msgspec.Struct, kw_only=True, rename={"first": "from", "last": "to"}):
    """Service dates of each venue's own calendar, the last one included."""

    first: str
    last: str
    format: str | None = None
    limit: int | None = None
    cursor: str | None = None


class VolumeQuery(msgspec.Struct, kw_only=True):
    """All venues, some at a time."""

    limit: int | None = None
    cursor: str | None = None


class BusinessQuery(msgspec.Struct, kw_only=True, rename={"first": "from", "last": "to"}):
    """A business, and service dates of each venue's own calendar, the last one included."""

    account: str
    first: str
    last: str
    format: str | None = None


@get(
    "/analytics/service",
    operation_id="getServiceFigures",
    summary="Key figures of one service date",
    tags=TAGS,
    opt={"permission": "analytics.read", "reach": VENUES},
    operation_class=operation(query=ServiceQuery),
)
async def get_service_figures(request: Asking) -> Response[bytes]:
    face = face_of(request)
    query = read_query(request.query_params.multi_items(), ServiceQuery)
    as_csv = _wants_csv(request, query.format)
    caller_of(request).require(query.venue)
    found = await face.read(reporting.of_service, face.replica, query.venue, query.date)
    if as_csv:
        row = {"venue": query.venue, "date": found["date"], **line(found)}
        return _table(("venue", "date", *_COLUMNS), [row])
    return _shown(found, analytics.ServiceFigures)


@get(
    "/analytics/range",
    operation_id="getRangeFigures",
    summary="Key figures of service dates in a row, and a line for each",
    tags=TAGS,
    opt={"permission": "analytics.read", "reach": VENUES},
    operation_class=operation(query=RangeQuery),
)
async def get_range_figures(request: Asking) -> Response[bytes]:
    face = face_of(request)
    query = read_query(request.query_params.multi_items(), RangeQuery)
    as_csv = _wants_csv(request, query.format)
    caller_of(request).require(query.venue)
    found = await face.read(reporting.of_range, face.replica, query.venue, query.first, query.last)
    if as_csv:
        rows = [{"venue": query.venue, **day} for day in found["days"]]
        return _table(("venue", "date", *_COLUMNS), rows)
    return _shown(found, analytics.RangeFigures)


@get(
    "/analytics/turnover",
    operation_id="getTurnover",
    summary="How often each table was taken, and for how long",
    tags=TAGS,
    opt={"permission": "analytics.read", "reach": VENUES},
    operation_class=operation(query=RangeQuery),
)
async def get_turnover(request: Asking) -> Response[bytes]:
    face = face_of(request)
    query = read_query(request.query_params.multi_items(), RangeQuery)
    as_csv = _wants_csv(request, query.format)
    caller_of(request).require(query.venue)
    found = await face.read(reporting.of_tables, face.replica, query.venue, query.first, query.last)
    if not as_csv:
        return _shown(found, analytics.Turnover)
    rows = [
        {"venue": query.venue, "from": query.first, "to": query.last}
        | {name: one[name] for name in _TURNS[3:8]}
        | {f"minutes_{name}": value for name, value in one["minutes"].items()}
        for one in found["tables"]
    ]
    return _table(_TURNS, rows)


_TURNS: Final = (
    "venue", "from", "to", "resource", "area", "parties", "covers", "turns_per_day",
    "minutes_parties", "minutes_median", "minutes_mean",
)  # fmt: skip


@get(
    "/analytics/no-shows",
    operation_id="getNoShows",
    summary="Who did not come, week by week, and who again and again",
    description="Guests are told as pseudonyms. The table has a line for each week.",
    tags=TAGS,
    opt={"permission": "analytics.read", "reach": VENUES},
    operation_class=operation(query=NoShowsQuery),
)
async def get_no_shows(request: Asking) -> Response[bytes]:
    face = face_of(request)
    query = read_query(request.query_params.multi_items(), NoShowsQuery)
    as_csv = _wants_csv(request, query.format)
    caller_of(request).require(query.venue)
    found = await face.read(
        reporting.of_no_shows, face.replica, query.venue, query.first, query.last
    )
    if not as_csv:
        return _shown(found, analytics.NoShowReport)
    return _table(_WEEKS, [{"venue": query.venue, **week} for week in found["weeks"]])


_WEEKS: Final = ("venue", "week", "from", "to", "due", "parties", "covers", "rate")


@get(
    "/analytics/venues",
    operation_id="getVenueFigures",
    summary="Key figures of each venue, at the hub",
    tags=TAGS,
    opt={"permission": "analytics.read", "reach": VENUES},
    operation_class=operation(query=VenuesQuery),
)
async def get_venue_figures(request: Asking) -> Response[bytes]:
    face = face_of(request)
    hub, caller = face.hub(), caller_of(request)
    query = read_query(request.query_params.multi_items(), VenuesQuery)
    as_csv = _wants_csv(request, query.format)

    def counted() -> tuple[list[dict[str, Any]], str | None]:
        names, place = _page(hub, caller, query)
        return reporting.of_venues(hub, names, query.first, query.last), place

    lines, place = await face.read(counted)
    if as_csv:
        rows = [{"from": query.first, "to": query.last, **one} for one in lines]
        return _table(("venue", "name", "from", "to", *_COLUMNS), rows)
    return _shown({"items": lines, "next": place}, analytics.VenueFigures)


@get(
    "/analytics/volume",
    operation_id="getVolume",
    summary="What each venue has today, this week and this month, at the hub",
    tags=TAGS,
    opt={"permission": "analytics.read", "reach": VENUES},
    operation_class=operation(query=VolumeQuery),
)
async def get_volume(request: Asking) -> Response[bytes]:
    face = face_of(request)
    hub, caller = face.hub(), caller_of(request)
    query = read_query(request.query_params.multi_items(), VolumeQuery)

    def counted() -> dict[str, Any]:
        names, place = _page(hub, caller, query)
        return {"items": reporting.of_volume(hub, names), "next": place}

    return answer(msgspec.convert(await face.read(counted), analytics.Volumes))


def _page(
    hub: Hub, caller: Caller, query: VenuesQuery | VolumeQuery
) -> tuple[list[str], str | None]:
    """The venues of a page: of so many that an answer is not waited for too long."""
    keyed = [(name, name) for name in hub.venue_ids() if caller.sees(name)]
    limit = LIST_LIMIT if query.limit is None else read_limit(query.limit)
    return page_of(keyed, limit, query.cursor)


@get(
    "/analytics/business",
    operation_id="getBusinessFigures",
    summary="Key figures of all venues of a business together, at the hub",
    description="Whoever may not see one of its venues gets none of the sums.",
    tags=TAGS,
    opt={"permission": "analytics.read", "reach": VENUES},
    operation_class=operation(query=BusinessQuery),
)
async def get_business_figures(request: Asking) -> Response[bytes]:
    face = face_of(request)
    hub, caller = face.hub(), caller_of(request)
    query = read_query(request.query_params.multi_items(), BusinessQuery)
    as_csv = _wants_csv(request, query.format)

    def added() -> dict[str, Any]:
        for venue in reporting.venues_of_business(hub, query.account):
            caller.require(venue)
        return reporting.of_business(hub, query.account, query.first, query.last)

    found = await face.read(added)
    if not as_csv:
        return _shown(found, analytics.BusinessFigures)
    same = {"business_account": query.account, "from": query.first, "to": query.last}
    total = {"venue": None, "name": None, **line(found)}
    rows = [same | one for one in (*found["venues"], total)]
    return _table(("business_account", "venue", "name", "from", "to", *_COLUMNS), rows)


@get(
    "/analytics/agents/{agent_id:str}",
    operation_id="getAgentFigures",
    summary="How many reservations a guest has in each status",
    tags=TAGS,
    opt={"permission": "analytics.read", "reach": VENUES},
    operation_class=operation(),
)
async def get_agent_figures(request: Asking, agent_id: FromPath[str]) -> Response[bytes]:
    face = face_of(request)
    among = caller_of(request).limited_to()
    found = await face.read(reporting.of_agent, face.replica, agent_id, among)
    return _shown(found, analytics.AgentFigures)


# --- which form -----------------------------------------------------------------------------------


def _wants_csv(request: Asking, form: str | None) -> bool:
    """Whether a table is wanted: by `format`, else by the header `Accept`. Raises Invalid."""
    if form is None:
        return prefers(request.headers.get("accept"), csv_text.MEDIA_TYPE, "application/json")
    if form not in FORMATS:
        raise Invalid.field("format", f"must be one of {', '.join(FORMATS)}")
    return form == "csv"


def _shown(found: dict[str, Any], shape: type[msgspec.Struct]) -> Response[bytes]:
    return answer(msgspec.convert(found, shape), headers=_VARY)


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Response[bytes]:
    return Response(csv_text.table(columns, rows), headers=_VARY, media_type=csv_text.MEDIA_TYPE)


_VARY: Final = {"Vary": "Accept"}

ROUTES: list[HTTPRouteHandler] = [
    get_service_figures,
    get_range_figures,
    get_turnover,
    get_venue_figures,
    get_volume,
    get_no_shows,
    get_business_figures,
    get_agent_figures,
]
