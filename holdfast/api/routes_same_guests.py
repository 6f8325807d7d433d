"""Flags of a guest, and who is one guest, over HTTP: marked, merged, taken apart, looked for.

Owns these routes. What they do stands in `holdfast.node`: `guest_marks`, `same_guests`,
`duplicate_guests`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api.auth import VENUES
from holdfast.api.documented import operation
from holdfast.api.face import Asking, answer, caller_of, face_of
from holdfast.api.guest_venues import GuestVenueQuery, require_venue
from holdfast.api.parsing import (
    PageQuery,
    read_body,
    read_cursor,
    read_limit,
    read_query,
    write_cursor,
)
from holdfast.api.render import known_card, with_times
from holdfast.api.shapes import guest_desk as shapes
from holdfast.node import duplicate_guests, guest_marks, same_guests

TAGS = ["guests"]


class FlagRequest(msgspec.Struct, kw_only=True):
    """Whether the guest is to be marked so."""

    venue: str | None = None
    up: bool


class MergeRequest(msgspec.Struct, kw_only=True):
    """With whom this one is one guest."""

    venue: str | None = None
    other: str


class UnmergeRequest(msgspec.Struct, kw_only=True):
    """With whom this one is no one guest; left out: with nobody."""

    venue: str | None = None
    other: str | None = None


class DuplicatesQuery(PageQuery, kw_only=True):
    """At which venue; left out where there is one."""

    venue: str | None = None


# --- flags ----------------------------------------------------------------------------------------


@get(
    "/guests/{agent_id:str}/flags",
    operation_id="getGuestFlags",
    summary="How a venue marks a guest",
    tags=TAGS,
    opt={"permission": "guests.find", "reach": VENUES},
    operation_class=operation(query=GuestVenueQuery),
)
async def get_guest_flags(request: Asking, agent_id: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), GuestVenueQuery)
    require_venue(caller, query.venue)

    def found() -> dict[str, Any]:
        return guest_marks.flags(face.replica, agent_id, venue=query.venue, sees=caller.sees)

    return answer(_flags(await face.run(found)))


@put(
    "/guests/{agent_id:str}/flags/{flag:str}",
    operation_id="putGuestFlag",
    summary="Mark a guest as VIP or issue, or take the mark away",
    tags=TAGS,
    opt={"permission": "guests.profile", "reach": VENUES},
    operation_class=operation(body=FlagRequest),
)
async def put_guest_flag(
    request: Asking, agent_id: FromPath[str], flag: FromPath[str]
) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()

    def put_it() -> dict[str, Any]:
        wanted = read_body(body, FlagRequest)
        require_venue(caller, wanted.venue)
        return guest_marks.set_flag(
            face.replica, agent_id, flag, wanted.up, venue=wanted.venue, sees=caller.sees
        )

    return answer(_flags(await face.run(put_it)))


def _flags(found: dict[str, Any]) -> shapes.GuestFlags:
    return msgspec.convert(with_times(found), shapes.GuestFlags)


# --- one guest or two -----------------------------------------------------------------------------


@post(
    "/guests/{agent_id:str}/merge",
    operation_id="mergeGuests",
    summary="Say that two pseudonyms are one guest",
    description=(
        "History, notes, restrictions, export and forgetting are of both from then on, at every "
        "device that has heard of it. It can be taken back."
    ),
    tags=TAGS,
    status_code=200,
    opt={"permission": "guests.merge", "reach": VENUES},
    operation_class=operation(body=MergeRequest, keyed=True),
)
async def merge_guests(request: Asking, agent_id: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()

    def merge() -> str:
        wanted = read_body(body, MergeRequest)
        require_venue(caller, wanted.venue)
        found = same_guests.merge(
            face.replica, agent_id, wanted.other, venue=wanted.venue, sees=caller.sees
        )
        return str(found["venue"])

    answered = await face.answers.once(request, body, 200, merge)
    found = await face.run(_person, face.replica, answered.subject, agent_id)
    return answer(found, answered.status, answered.headers)


@post(
    "/guests/{agent_id:str}/unmerge",
    operation_id="unmergeGuests",
    summary="Take back that pseudonyms are one guest",
    description="What was merged elsewhere, unheard of here, stands.",
    tags=TAGS,
    status_code=200,
    opt={"permission": "guests.merge", "reach": VENUES},
    operation_class=operation(body=UnmergeRequest, keyed=True),
)
async def unmerge_guests(request: Asking, agent_id: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()

    def unmerge() -> str:
        wanted = read_body(body, UnmergeRequest)
        require_venue(caller, wanted.venue)
        found = same_guests.unmerge(
            face.replica, agent_id, wanted.other, venue=wanted.venue, sees=caller.sees
        )
        return str(found["venue"])

    answered = await face.answers.once(request, body, 200, unmerge)
    found = await face.run(_person, face.replica, answered.subject, agent_id)
    return answer(found, answered.status, answered.headers)


def _person(replica: Any, venue: str, agent: str) -> shapes.SamePerson:
    with replica.lock:
        found = same_guests.person_at(replica, replica.book_of(venue), agent)
    return msgspec.convert(found, shapes.SamePerson)


@get(
    "/guests/duplicates",
    operation_id="listDuplicateGuests",
    summary="Pairs of guests with the same telephone number or e-mail address",
    description="At a device that holds the venue's key. Who was merged is none of them.",
    tags=TAGS,
    opt={"permission": "guests.merge", "reach": VENUES},
    operation_class=operation(query=DuplicatesQuery),
)
async def list_duplicate_guests(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), DuplicatesQuery)
    require_venue(caller, query.venue)
    limit = read_limit(query.limit)
    after = duplicate_guests.read_cursor(read_cursor(query.cursor))

    def found() -> list[dict[str, Any]]:
        return duplicate_guests.duplicates(
            face.replica, venue=query.venue, limit=limit + 1, after=after, sees=caller.sees
        )

    pairs = await face.run(found)
    last = duplicate_guests.cursor_of(pairs[limit - 1]) if len(pairs) > limit else None
    items = [_pair(one) for one in pairs[:limit]]
    return answer(shapes.DuplicateList(items=items, next=write_cursor(last)))


def _pair(pair: dict[str, Any]) -> shapes.Duplicate:
    guests = [
        shapes.DuplicateGuest(**(one | {"guest": known_card(one["guest"])}))
        for one in pair["guests"]
    ]
    return shapes.Duplicate(venue=pair["venue"], by=pair["by"], guests=guests)


ROUTES: list[HTTPRouteHandler] = [
    get_guest_flags,
    put_guest_flag,
    merge_guests,
    unmerge_guests,
    list_duplicate_guests,
]
