"""Allotments over HTTP: who may sell what, and how that changes hands.

Owns these routes. What is shown, and what a person may ask for, stands in
`holdfast.node.allotments`.
"""

from __future__ import annotations

from typing import Final

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api.auth import VENUES
from holdfast.api.callers import Caller
from holdfast.api.documented import operation
from holdfast.api.face import Asking, Replica, answer, caller_of, face_of
from holdfast.api.parsing import PageQuery, page_of, read_body, read_query
from holdfast.api.shapes import allotments as shapes
from holdfast.model.errors import Forbidden, Invalid
from holdfast.node import allotments, former_grants, hub_rest
from holdfast.node.hub import Hub

TAGS = ["allotments"]


REST: Final = "rest"


class AllotmentQuery(PageQuery, kw_only=True):
    """One venue; left out: all that this replica knows. `include=rest`: also what is nobody's."""

    venue: str | None = None
    include: str | None = None


class GrantRequest(
    msgspec.Struct, kw_only=True, rename={"from_date": "from", "until_date": "until"}
):
    """What a device is to hold; or, with `again`, what the venue file wishes for it."""

    venue: str
    holder: str
    resources: list[str] | None = None
    quantity: int | None = None
    from_date: str | None = None
    until_date: str | None = None
    release_minutes: int | None = None
    again: bool = False


class ReturnRequest(msgspec.Struct, kw_only=True):
    """Nothing more needs to be said."""


class RevokeRightRequest(msgspec.Struct, kw_only=True):
    """`reason` is a code."""

    reason: str


@get(
    "/allotments",
    operation_id="listAllotments",
    summary="Who may sell what",
    tags=TAGS,
    opt={"permission": "allotments.read", "reach": VENUES},
    operation_class=operation(query=AllotmentQuery),
)
async def list_allotments(request: Asking) -> Response[bytes]:
    face = face_of(request)
    caller = caller_of(request)
    query = read_query(request.query_params.multi_items(), AllotmentQuery)
    if query.venue is not None:
        caller.require(query.venue)
    if query.include not in (None, REST):
        raise Invalid.field("include", f"must be {REST}, or left out")

    def listed() -> shapes.AllotmentList:
        found = allotments.listing(face.replica, query.venue)
        keyed = [(key, item) for key, item in found if caller.sees(item["venue"])]
        items, place = page_of(keyed, query.limit, query.cursor)
        shown = _list(items, place)
        if query.include is None:
            return shown
        venues = face.replica.venue_ids() if query.venue is None else [query.venue]
        rest = [
            one for name in venues if caller.sees(name) for one in hub_rest.rest(face.replica, name)
        ]
        shown.rest = msgspec.convert(rest, list[shapes.HubsRest])
        return shown

    return answer(await face.run(listed))


@post(
    "/allotments",
    operation_id="grantAllotment",
    summary="Hand resources to a device, at the hub",
    description=(
        "`resources` with the rest, or `again` alone: then what the venue file wishes for the "
        "device is granted, also what it had once."
    ),
    tags=TAGS,
    opt={"permission": "allotments.change", "reach": VENUES},
    operation_class=operation(body=GrantRequest, keyed=True),
)
async def grant_allotment(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    hub = _hub(face.replica)
    body = await request.body()

    def grant() -> str:
        wanted = read_body(body, GrantRequest)
        caller.require(wanted.venue)
        if wanted.again:
            rights = allotments.grant_again(hub, wanted.venue, _alone(wanted))
        else:
            rights = allotments.grant(
                hub,
                allotments.Wanted(
                    wanted.venue, wanted.holder, wanted.resources or [], wanted.quantity,
                    wanted.from_date, wanted.until_date, wanted.release_minutes,
                ),
            )  # fmt: skip
        return " ".join(right.hex() for right in rights)

    answered = await face.answers.once(request, body, 201, grant)

    def shown() -> shapes.AllotmentList:
        rights = [bytes.fromhex(one) for one in answered.subject.split()]
        made = _list([allotments.shown(hub, right) for right in rights], None)
        wanted = read_body(body, GrantRequest)
        if wanted.again:
            made.former = former_grants.commands(hub, wanted.venue, wanted.holder)
        return made

    return answer(await face.run(shown), answered.status, answered.headers)


def _hub(replica: Replica) -> Hub:
    if not isinstance(replica, Hub):
        raise Forbidden("only the hub grants; do this there")
    return replica


def _alone(wanted: GrantRequest) -> str:
    """The holder; what else is said beside `again` would be ignored. Raises Invalid."""
    for field in ("resources", "quantity", "from_date", "until_date", "release_minutes"):
        if getattr(wanted, field) is not None:
            name = field.removesuffix("_date")
            raise Invalid.field(name, "goes not with `again`: the venue file says what is granted")
    return wanted.holder


@post(
    "/allotments/{right_id:str}/return",
    operation_id="returnAllotment",
    summary="Give it back to the hub, at the device that holds it",
    tags=TAGS,
    status_code=200,
    opt={"permission": "allotments.change", "reach": VENUES},
    operation_class=operation(body=ReturnRequest, keyed=True, answers={200: "as it is now"}),
)
async def return_allotment(request: Asking, right_id: FromPath[str]) -> Response[bytes]:
    face = face_of(request)
    body = await request.body()

    def give_back() -> str:
        read_body(body, ReturnRequest)
        allotments.give_back(face.replica, _right(face.replica, caller_of(request), right_id))
        return right_id

    answered = await face.answers.once(request, body, 200, give_back)
    shown = await face.run(_shown, face.replica, answered.subject)
    return answer(shown, answered.status, answered.headers)


@post(
    "/allotments/{right_id:str}/revoke",
    operation_id="revokeAllotment",
    summary="Take it back, at the hub: what its holder wrote beyond what is known here is no sale",
    tags=TAGS,
    status_code=200,
    opt={"permission": "allotments.change", "reach": VENUES},
    operation_class=operation(body=RevokeRightRequest, keyed=True, answers={200: "as it is now"}),
)
async def revoke_allotment(request: Asking, right_id: FromPath[str]) -> Response[bytes]:
    face = face_of(request)
    body = await request.body()

    def revoke() -> str:
        wanted = read_body(body, RevokeRightRequest)
        right = _right(face.replica, caller_of(request), right_id)
        allotments.revoke(face.replica, right, wanted.reason)
        return right_id

    answered = await face.answers.once(request, body, 200, revoke)
    shown = await face.run(_shown, face.replica, answered.subject)
    return answer(shown, answered.status, answered.headers)


def _right(replica: Replica, caller: Caller, right_id: str) -> bytes:
    """A right that is the caller's business. Raises NotFound."""
    right = allotments.parse_id(right_id)
    if not caller.sees(allotments.venue_of(replica, right)):
        raise allotments.no_such(right_id)
    return right


def _shown(replica: Replica, right_id: str) -> shapes.Allotment:
    item = allotments.shown(replica, allotments.parse_id(right_id))
    return msgspec.convert(item, shapes.Allotment)


def _list(items: list[allotments.Item], place: str | None) -> shapes.AllotmentList:
    shown = msgspec.convert(items, list[shapes.Allotment])
    return shapes.AllotmentList(items=shown, next=place)


ROUTES: list[HTTPRouteHandler] = [
    list_allotments,
    grant_allotment,
    return_allotment,
    revoke_allotment,
]
