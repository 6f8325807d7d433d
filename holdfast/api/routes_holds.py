"""Holds over HTTP: keep a place while a guest pays or types, longer, elsewhere, or not any more.

Owns these routes. What a hold is, and when it lapses, stands in `holdfast.node`: `holds` and
`lapsing`.
"""

from __future__ import annotations

import msgspec
from litestar import Response, delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import UNSET, UnsetType

from holdfast.api.auth import BOOKINGS, VENUES
from holdfast.api.bookings import asking_of, found, only_as_guest, only_own, shown_reservation, wait
from holdfast.api.callers import Caller
from holdfast.api.documented import operation
from holdfast.api.face import Asking, Face, Replica, answer, caller_of, face_of
from holdfast.api.guest_contacts import check_contact
from holdfast.api.parsing import (
    PageQuery,
    read_body,
    read_cursor,
    read_if_match,
    read_limit,
    read_query,
    write_cursor,
)
from holdfast.api.render_forms import render_hold
from holdfast.api.shapes.holds import Hold, HoldList
from holdfast.model import wall
from holdfast.model.forms import HOLD
from holdfast.model.ids import uuid_text
from holdfast.model.reservation import View, version_tag
from holdfast.node import holds
from holdfast.node.requests import HoldRequest, PatchRequest, ReserveRequest

TAGS = ["holds"]


class HoldQuery(PageQuery, kw_only=True):
    """A venue, a service date; left out: all."""

    venue: str | None = None
    date: str | None = None


class HoldPatch(msgspec.Struct, kw_only=True):
    """Another place or time; what is left out stays."""

    starts_at: str | UnsetType = UNSET
    party_size: int | UnsetType = UNSET
    duration_minutes: int | UnsetType | None = UNSET
    ends_at: str | UnsetType | None = UNSET
    nights: int | UnsetType | None = UNSET
    resources: list[str] | UnsetType = UNSET
    resource_kind: str | UnsetType | None = UNSET
    area: str | UnsetType | None = UNSET
    features: list[str] | UnsetType = UNSET
    quantity: int | UnsetType | None = UNSET
    may_move: bool | UnsetType = UNSET

    def wanted(self) -> PatchRequest:
        """The same as a change of a reservation."""
        return PatchRequest(**{name: getattr(self, name) for name in self.__struct_fields__})


class ExtendRequest(msgspec.Struct, kw_only=True):
    """How many minutes longer."""

    minutes: int


@post(
    "/holds",
    operation_id="createHold",
    summary="Hold a place for some minutes",
    description=(
        "For the venue's `hold_minutes` unless `minutes` says for how long. Answers at once: "
        "`guaranteed` on capacity held here, else `provisional` until its holder decides."
    ),
    tags=TAGS,
    opt={"permission": "holds.change", "reach": VENUES, "counted": BOOKINGS},
    operation_class=operation(body=HoldRequest, keyed=True, waits=True),
)
async def create_hold(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()

    def place() -> str:
        wanted = read_body(body, HoldRequest)
        caller.require(wanted.venue)
        if caller.role == "guest":
            only_as_guest(caller, wanted)
            wanted.agent_id = caller.agent_id
        check_contact(request, caller, wanted.guest, needed=False)
        return uuid_text(
            holds.place(face.replica, wanted, asking_of(caller), by_guest=caller.by_guest).id
        )

    answered = await face.answers.once(request, body, 201, place)
    headers = answered.headers | {"Location": f"/api/v1/holds/{answered.subject}"}
    headers |= await wait(face, request, answered.subject)
    return await _shown(face, caller, answered.subject, answered.status, headers)


@get(
    "/holds",
    operation_id="listHolds",
    summary="What is held now",
    tags=TAGS,
    opt={"permission": "holds.read", "reach": VENUES},
    operation_class=operation(query=HoldQuery),
)
async def list_holds(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), HoldQuery)
    return answer(await face.run(_listed, face.replica, caller, query))


def _listed(replica: Replica, caller: Caller, query: HoldQuery) -> HoldList:
    if query.venue is not None:
        caller.require(query.venue)
        replica.venue(query.venue)
    if query.date is not None:
        wall.parse_date(query.date)
    views, place = replica.reservations.select(
        venue=query.venue,
        date=query.date,
        agent_id=caller.agent_id if caller.role == "guest" else None,
        limit=read_limit(query.limit),
        cursor=read_cursor(query.cursor),
        among=caller.limited_to(),
        form=HOLD,
    )
    items = [_rendered(replica, caller, view) for view in views]
    return HoldList(items=items, next=write_cursor(place))


@get(
    "/holds/{reference:str}",
    operation_id="getHold",
    summary="One hold, by id or code, and what became of it",
    tags=TAGS,
    opt={"permission": "holds.find", "reach": VENUES},
    operation_class=operation(),
)
async def get_hold(request: Asking, reference: FromPath[str]) -> Response[bytes]:
    return await _shown(face_of(request), caller_of(request), reference, 200, {})


@patch(
    "/holds/{reference:str}",
    operation_id="changeHold",
    summary="Hold another place or time instead",
    description=(
        "What is left out stays, also until when it is held. 202 with `pending_change` where the "
        "new place is not held here: the old one stays until the change is decided."
    ),
    tags=TAGS,
    opt={"permission": "holds.change", "reach": VENUES},
    operation_class=operation(body=HoldPatch, waits=True, matches=True),
)
async def change_hold(request: Asking, reference: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()
    if_match = read_if_match(request.headers.get("if-match"))

    def change() -> str:
        wanted = read_body(body, HoldPatch).wanted()
        with face.replica.transaction():
            subject = uuid_text(found(face.replica, caller, reference, HOLD).id)
            holds.change(
                face.replica,
                subject,
                wanted,
                if_match,
                asking_of(caller),
                by_guest=caller.by_guest,
            )
        return subject

    subject = await face.run(change)
    headers = await wait(face, request, subject)
    return await _shown(face, caller, subject, None, headers)


@post(
    "/holds/{reference:str}/extend",
    operation_id="extendHold",
    summary="Hold it longer, once, and for thirty minutes in all at the most",
    tags=TAGS,
    status_code=200,
    opt={"permission": "holds.change", "reach": VENUES},
    operation_class=operation(body=ExtendRequest, keyed=True),
)
async def extend_hold(request: Asking, reference: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()

    def extend() -> str:
        subject = uuid_text(found(face.replica, caller, reference, HOLD).id)
        holds.extend(face.replica, subject, read_body(body, ExtendRequest).minutes)
        return subject

    answered = await face.answers.once(request, body, 200, extend)
    return await _shown(face, caller, answered.subject, answered.status, answered.headers)


@post(
    "/holds/{reference:str}/reserve",
    operation_id="reserveHold",
    summary="Make a reservation of it, at the place that is held",
    description="Its id and code stay the same. 410 `gone` once it has lapsed.",
    tags=TAGS,
    opt={"permission": "reservations.create", "reach": VENUES},
    operation_class=operation(body=ReserveRequest, keyed=True, waits=True),
)
async def reserve_hold(request: Asking, reference: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()

    def reserve() -> str:
        held = found(face.replica, caller, reference, HOLD)
        subject = uuid_text(held.id)
        wanted = read_body(body, ReserveRequest)
        if caller.role == "guest":
            only_own(caller, wanted.user_id, wanted.agent_id)
        check_contact(request, caller, wanted.guest, needed=held.card is None)
        holds.reserve(face.replica, subject, wanted, asking_of(caller), by_guest=caller.by_guest)
        return subject

    answered = await face.answers.once(request, body, 201, reserve)
    headers = answered.headers | {"Location": f"/api/v1/reservations/{answered.subject}"}
    headers |= await wait(face, request, answered.subject)
    return await shown_reservation(face, caller, answered.subject, answered.status, headers)


@delete(
    "/holds/{reference:str}",
    operation_id="releaseHold",
    summary="Give it back",
    tags=TAGS,
    status_code=200,
    opt={"permission": "holds.change", "reach": VENUES},
    operation_class=operation(),
)
async def release_hold(request: Asking, reference: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)

    def release() -> str:
        with face.replica.transaction():
            subject = uuid_text(found(face.replica, caller, reference, HOLD).id)
            holds.release(face.replica, subject)
        return subject

    return await _shown(face, caller, await face.run(release), 200, {})


async def _shown(
    face: Face, caller: Caller, reference: str, status: int | None, headers: dict[str, str]
) -> Response[bytes]:
    """The hold as it is now; 202 while a change of it waits and no status is given."""

    def render() -> tuple[bytes, str, bool]:
        view = found(face.replica, caller, reference, HOLD)
        body = msgspec.json.encode(_rendered(face.replica, caller, view))
        return body, version_tag(view), view.pending_change is not None

    body, version, changing = await face.run(render)
    if status is None:
        status = 202 if changing else 200
    return answer(body, status, headers | {"ETag": f'"{version}"'})


def _rendered(replica: Replica, caller: Caller, view: View) -> Hold:
    return render_hold(
        replica, view, with_guest=caller.may("guests.read"), to_guest=caller.role == "guest",
        with_agent=caller.told_whose, with_others=caller.told_of_others,
    )  # fmt: skip


ROUTES: list[HTTPRouteHandler] = [
    create_hold,
    list_holds,
    get_hold,
    change_hold,
    extend_hold,
    reserve_hold,
    release_hold,
]
