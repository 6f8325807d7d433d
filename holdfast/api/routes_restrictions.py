"""On which terms a person reserves, over HTTP: restrictions, tier and tags.

Owns these routes. What they do stands in `holdfast.node.guest_terms`; that a reservation is refused
for a restriction, in `holdfast.node.restricting`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api.auth import VENUES
from holdfast.api.callers import Caller
from holdfast.api.documented import operation
from holdfast.api.face import Asking, Replica, answer, caller_of, face_of
from holdfast.api.parsing import PageQuery, page_of, read_body, read_query
from holdfast.api.render import with_times
from holdfast.api.shapes import restrictions as shapes
from holdfast.model.errors import Invalid
from holdfast.model.restrictions import STATES
from holdfast.node import guest_terms

TAGS = ["guests"]


class RestrictionsOfQuery(PageQuery, kw_only=True):
    """Those that stand so; left out: all."""

    state: str | None = None


class RestrictionsQuery(RestrictionsOfQuery, kw_only=True):
    """Of one guest; left out: of all."""

    agent_id: str | None = None


class RestrictRequest(msgspec.Struct, kw_only=True):
    """`restriction` and `reason` are codes; `until` left out: until it is lifted."""

    venue: str | None = None
    restriction: str
    value: int | None = None
    until: str | None = None
    reason: str


class LiftRequest(msgspec.Struct, kw_only=True):
    """`reason` is a code."""

    reason: str


class ProfileQuery(msgspec.Struct, kw_only=True):
    """At which venue; left out where there is one."""

    venue: str | None = None


class ProfileRequest(msgspec.Struct, kw_only=True):
    """The whole of it: what is left out is taken away."""

    venue: str | None = None
    tier: str | None = None
    tags: list[str] = []


@get(
    "/restrictions",
    operation_id="listRestrictions",
    summary="Whom the house restricts in what they may reserve",
    tags=TAGS,
    opt={"permission": "guests.profile", "reach": VENUES},
    operation_class=operation(query=RestrictionsQuery),
)
async def list_restrictions(request: Asking) -> Response[bytes]:
    query = read_query(request.query_params.multi_items(), RestrictionsQuery)
    return await _listed(request, query, query.agent_id)


@get(
    "/guests/{agent_id:str}/restrictions",
    operation_id="listGuestRestrictions",
    summary="What one guest may not reserve, and what became of earlier restrictions",
    tags=TAGS,
    opt={"permission": "guests.profile", "reach": VENUES},
    operation_class=operation(query=RestrictionsOfQuery),
)
async def list_guest_restrictions(request: Asking, agent_id: FromPath[str]) -> Response[bytes]:
    query = read_query(request.query_params.multi_items(), RestrictionsOfQuery)
    return await _listed(request, query, agent_id)


async def _listed(
    request: Asking, query: RestrictionsOfQuery, agent: str | None
) -> Response[bytes]:
    if query.state is not None and query.state not in STATES:
        raise Invalid.field("state", f"must be one of {', '.join(STATES)}")
    face, caller = face_of(request), caller_of(request)

    def listed() -> list[dict[str, Any]]:
        return guest_terms.listed(face.replica, agent, sees=caller.sees)

    keyed = [
        (f"{one['made_at_ms']:015d} {one['id']}", _restriction(one))
        for one in await face.run(listed)
        if query.state in (None, one["state"])
    ]
    items, place = page_of(keyed, query.limit, query.cursor)
    return answer(shapes.RestrictionList(items=items, next=place))


def _restriction(item: dict[str, Any]) -> shapes.Restriction:
    return msgspec.convert(with_times(item), shapes.Restriction)


@post(
    "/guests/{agent_id:str}/restrictions",
    operation_id="restrictGuest",
    summary="Limit what a guest may reserve at a venue",
    description=(
        "Every device of the venue keeps to it as soon as it has heard of it. What was reserved "
        "before stands."
    ),
    tags=TAGS,
    opt={"permission": "guests.restrict", "reach": VENUES},
    operation_class=operation(body=RestrictRequest, keyed=True),
)
async def restrict_guest(request: Asking, agent_id: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()

    def restrict() -> str:
        wanted = read_body(body, RestrictRequest)
        _require(caller, wanted.venue)
        return guest_terms.restrict(
            face.replica, agent_id, wanted.restriction, wanted.reason, value=wanted.value,
            until=wanted.until, venue=wanted.venue, sees=caller.sees,
        )  # fmt: skip

    answered = await face.answers.once(request, body, 201, restrict)
    shown = await face.run(_shown, face.replica, agent_id, answered.subject)
    return answer(shown, answered.status, answered.headers)


@post(
    "/guests/{agent_id:str}/restrictions/{restriction_id:str}/lift",
    operation_id="liftRestriction",
    summary="Let a restriction bind no more",
    tags=TAGS,
    status_code=200,
    opt={"permission": "guests.restrict", "reach": VENUES},
    operation_class=operation(body=LiftRequest, keyed=True, answers={200: "as it is now"}),
)
async def lift_restriction(
    request: Asking, agent_id: FromPath[str], restriction_id: FromPath[str]
) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()

    def lift() -> str:
        wanted = read_body(body, LiftRequest)
        return guest_terms.lift(
            face.replica, restriction_id, wanted.reason, agent=agent_id, sees=caller.sees
        )

    answered = await face.answers.once(request, body, 200, lift)
    shown = await face.run(_shown, face.replica, agent_id, answered.subject)
    return answer(shown, answered.status, answered.headers)


def _shown(replica: Replica, agent: str, restriction: str) -> shapes.Restriction:
    listed = guest_terms.listed(replica, agent)
    return next(_restriction(one) for one in listed if one["id"] == restriction)


@get(
    "/guests/{agent_id:str}/profile",
    operation_id="getGuestProfile",
    summary="What a venue knows a guest as: tier and tags",
    tags=TAGS,
    opt={"permission": "guests.profile", "reach": VENUES},
    operation_class=operation(query=ProfileQuery),
)
async def get_guest_profile(request: Asking, agent_id: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), ProfileQuery)
    _require(caller, query.venue)

    def found() -> dict[str, Any]:
        return guest_terms.profile(face.replica, agent_id, venue=query.venue, sees=caller.sees)

    return answer(_profile(await face.run(found)))


@put(
    "/guests/{agent_id:str}/profile",
    operation_id="putGuestProfile",
    summary="Say what a guest is known as, whole",
    tags=TAGS,
    opt={"permission": "guests.profile", "reach": VENUES},
    operation_class=operation(body=ProfileRequest),
)
async def put_guest_profile(request: Asking, agent_id: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()

    def put_it() -> dict[str, Any]:
        wanted = read_body(body, ProfileRequest)
        _require(caller, wanted.venue)
        return guest_terms.set_profile(
            face.replica, agent_id, wanted.tier, wanted.tags, venue=wanted.venue, sees=caller.sees
        )

    return answer(_profile(await face.run(put_it)))


def _profile(found: dict[str, Any]) -> shapes.GuestProfile:
    return msgspec.convert(with_times(found), shapes.GuestProfile)


def _require(caller: Caller, venue: str | None) -> None:
    """Raises Forbidden for a venue that is not this caller's business."""
    if venue is not None:
        caller.require(venue)


ROUTES: list[HTTPRouteHandler] = [
    list_restrictions,
    list_guest_restrictions,
    restrict_guest,
    lift_restriction,
    get_guest_profile,
    put_guest_profile,
]
