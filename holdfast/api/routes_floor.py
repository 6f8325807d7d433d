"""The floor over HTTP: how the tables of a venue stand, and saying so of one.

Owns these routes. What a state means, and which steps there are, stands in `holdfast.model.floor`.
"""

from __future__ import annotations

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api.auth import VENUES
from holdfast.api.callers import Caller
from holdfast.api.documented import operation
from holdfast.api.face import Asking, answer, caller_of, face_of
from holdfast.api.parsing import read_body, read_query, read_time
from holdfast.api.render_floor import render_floor, render_table
from holdfast.api.shapes.floor import Floor, TableState
from holdfast.node import tables

TAGS = ["tables"]


class FloorQuery(msgspec.Struct, kw_only=True):
    """At an instant; left out: now."""

    at: str | None = None


class MarkRequest(msgspec.Struct, kw_only=True):
    """How a table stands now."""

    state: str


@get(
    "/venues/{venue:str}/floor",
    operation_id="getFloor",
    summary="How every table stands: free, reserved, occupied, to be cleaned, out of use",
    tags=TAGS,
    opt={"permission": "tables.read", "reach": VENUES},
    operation_class=operation(query=FloorQuery),
)
async def get_floor(request: Asking, venue: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    caller.require(venue)
    query = read_query(request.query_params.multi_items(), FloorQuery)

    def shown() -> Floor:
        replica = face.replica
        known = replica.venue(venue).venue
        at_s = read_time(known, query.at, "at")
        if at_s is None:
            at_s = replica.clock.now_ms() // 1000
        found = tables.shown(replica, venue, at_s)
        return render_floor(replica, known, found, at_s, with_guest=_reads_cards(caller))

    return answer(await face.run(shown))


@post(
    "/venues/{venue:str}/resources/{resource:str}/state",
    operation_id="markResource",
    summary="Say how a table stands",
    description=(
        "`occupied`: who is due there has come, and is checked in; `cleaning`: who sat there has "
        "gone, and their visit is completed; `available`: it is clean. What it is already changes "
        "nothing; any other jump is 409 `bad-transition`. Availability goes by reservations and "
        "blocks alone."
    ),
    tags=TAGS,
    status_code=200,
    opt={"permission": "tables.mark", "reach": VENUES},
    operation_class=operation(body=MarkRequest, keyed=True),
)
async def mark_resource(
    request: Asking, venue: FromPath[str], resource: FromPath[str]
) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    caller.require(venue)
    body = await request.body()

    def do() -> str:
        wanted = read_body(body, MarkRequest)
        return tables.mark(face.replica, venue, resource, wanted.state).resource.id

    answered = await face.answers.once(request, body, 200, do)

    def shown() -> TableState:
        known = face.replica.venue(venue).venue
        table = tables.one(face.replica, venue, resource)
        return render_table(face.replica, known, table, with_guest=_reads_cards(caller))

    return answer(await face.run(shown), answered.status, answered.headers)


def _reads_cards(caller: Caller) -> bool:
    return caller.may("guests.read")


ROUTES: list[HTTPRouteHandler] = [get_floor, mark_resource]
