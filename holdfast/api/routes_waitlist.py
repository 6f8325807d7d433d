"""The waitlist over HTTP: join it, see who waits, offer a place, accept it, leave.

Owns these routes, and that a guest's token joins, sees, accepts and leaves for its own agent id
alone. Whose turn it is stands in `holdfast.model.waitlist`.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from litestar import Response, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api.auth import BOOKINGS, VENUES
from holdfast.api.bookings import asking_of, found, only_own, shown_reservation, wait
from holdfast.api.callers import Caller
from holdfast.api.documented import operation
from holdfast.api.face import Asking, Face, Replica, answer, caller_of, face_of
from holdfast.api.guest_contacts import check_contact
from holdfast.api.parsing import PageQuery, page_of, read_body, read_if_match, read_query
from holdfast.api.render_forms import render_waiting
from holdfast.api.shapes.waitlist import WaitingList, WaitingParty
from holdfast.model import wall
from holdfast.model.errors import Forbidden
from holdfast.model.forms import WAITLIST
from holdfast.model.ids import uuid_text
from holdfast.model.reservation import View, version_tag
from holdfast.model.waitlist import Place
from holdfast.node import waiting
from holdfast.node.amending import check_match
from holdfast.node.requests import OfferRequest, ReserveRequest, WaitRequest

TAGS = ["waitlist"]


class WaitlistQuery(PageQuery, kw_only=True):
    """A venue, left out: all; a service date, left out: from today on."""

    venue: str | None = None
    date: str | None = None


@post(
    "/waitlist",
    operation_id="joinWaitlist",
    summary="Put a party on the waitlist of a service date",
    description="It waits a week at the most, and not beyond the time that it asks for.",
    tags=TAGS,
    opt={"permission": "waitlist.join", "reach": VENUES, "counted": BOOKINGS},
    operation_class=operation(body=WaitRequest, keyed=True),
)
async def join_waitlist(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()

    def join() -> str:
        wanted = read_body(body, WaitRequest)
        caller.require(wanted.venue)
        if caller.role == "guest":
            only_own(caller, wanted.user_id, wanted.agent_id)
            wanted.agent_id = caller.agent_id
        check_contact(request, caller, wanted.guest, needed=True)
        if wanted.priority and not caller.may("waitlist.offer"):
            raise Forbidden("whose turn it is the house says; leave `priority` out")
        return uuid_text(
            waiting.join(face.replica, wanted, asking_of(caller), by_guest=caller.by_guest).id
        )

    answered = await face.answers.once(request, body, 201, join)
    headers = answered.headers | {"Location": f"/api/v1/waitlist/{answered.subject}"}
    return await _shown(face, caller, answered.subject, answered.status, headers)


@get(
    "/waitlist",
    operation_id="listWaitlist",
    summary="Who waits, in the order of their turns",
    tags=TAGS,
    opt={"permission": "waitlist.read", "reach": VENUES},
    operation_class=operation(query=WaitlistQuery),
)
async def list_waitlist(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), WaitlistQuery)
    return answer(await face.run(_listed, face.replica, caller, query))


def _listed(replica: Replica, caller: Caller, query: WaitlistQuery) -> WaitingList:
    if query.venue is not None:
        caller.require(query.venue)
        replica.venue(query.venue)
    if query.date is not None:
        wall.parse_date(query.date)
    names = replica.venue_ids() if query.venue is None else [query.venue]
    keyed = [
        (f"{name} {place.view.service_date} {place.position:08}", place)
        for name in names
        if caller.sees(name)
        for place in _line(replica, name, query.date)
        if caller.knows(place.view)
    ]
    places, cursor = page_of(keyed, query.limit, query.cursor)
    items = [_rendered(replica, caller, place) for place in places]
    return WaitingList(items=items, next=cursor)


def _line(replica: Replica, venue: str, date: str | None) -> Iterable[Place]:
    if date is not None:
        return waiting.line(replica, venue, date)
    return waiting.lines(replica, venue)


@get(
    "/waitlist/{reference:str}",
    operation_id="getWaiting",
    summary="One party that waits, or waited, by id or code",
    tags=TAGS,
    opt={"permission": "waitlist.find", "reach": VENUES},
    operation_class=operation(),
)
async def get_waiting(request: Asking, reference: FromPath[str]) -> Response[bytes]:
    return await _shown(face_of(request), caller_of(request), reference, 200, {})


@post(
    "/waitlist/{reference:str}/offer",
    operation_id="offerPlace",
    summary="Hold a place for a party that waits",
    description="The first that fits, or the one that is named, for the venue's "
    "`waitlist_offer_minutes` (without one: fifteen) or `minutes`.",
    tags=TAGS,
    status_code=200,
    opt={"permission": "waitlist.offer", "reach": VENUES},
    operation_class=operation(body=OfferRequest, keyed=True, waits=True, matches=True),
)
async def offer_place(request: Asking, reference: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()
    if_match = read_if_match(request.headers.get("if-match"))

    def offer() -> str:
        with face.replica.transaction():
            subject = uuid_text(_matching(face.replica, caller, reference, if_match).id)
            waiting.offer(face.replica, subject, read_body(body, OfferRequest))
        return subject

    answered = await face.answers.once(request, body, 200, offer)
    headers = answered.headers | await wait(face, request, answered.subject)
    return await _shown(face, caller, answered.subject, answered.status, headers)


@post(
    "/waitlist/{reference:str}/accept",
    operation_id="acceptOffer",
    summary="Make a reservation of what was offered",
    description="Its id and code stay the same. 410 `gone` once the offer has lapsed.",
    tags=TAGS,
    opt={"permission": "waitlist.accept", "reach": VENUES},
    operation_class=operation(body=ReserveRequest, keyed=True, waits=True, matches=True),
)
async def accept_offer(request: Asking, reference: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()
    if_match = read_if_match(request.headers.get("if-match"))

    def accept() -> str:
        with face.replica.transaction():
            waits = _matching(face.replica, caller, reference, if_match)
            subject = uuid_text(waits.id)
            wanted = read_body(body, ReserveRequest)
            if caller.role == "guest":
                only_own(caller, wanted.user_id, wanted.agent_id)
            check_contact(request, caller, wanted.guest, needed=waits.card is None)
            waiting.accept(
                face.replica, subject, wanted, asking_of(caller), by_guest=caller.by_guest
            )
        return subject

    answered = await face.answers.once(request, body, 201, accept)
    headers = answered.headers | {"Location": f"/api/v1/reservations/{answered.subject}"}
    headers |= await wait(face, request, answered.subject)
    return await shown_reservation(face, caller, answered.subject, answered.status, headers)


class LeaveQuery(msgspec.Struct, kw_only=True):
    """Why; needed of the house for who was displaced."""

    reason: str | None = None


@delete(
    "/waitlist/{reference:str}",
    operation_id="leaveWaitlist",
    summary="Leave the waitlist",
    description=(
        "With a `reason` for who was displaced (`state`): what a person was to look at ends with "
        "it. Who leaves by themself, at a kiosk or with their own token, need not say why."
    ),
    tags=TAGS,
    status_code=200,
    opt={"permission": "waitlist.join", "reach": VENUES},
    operation_class=operation(query=LeaveQuery, matches=True),
)
async def leave_waitlist(request: Asking, reference: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), LeaveQuery)
    if_match = read_if_match(request.headers.get("if-match"))

    def leave() -> tuple[WaitingParty, str]:
        with face.replica.transaction():
            subject = uuid_text(_matching(face.replica, caller, reference, if_match).id)
            gone = waiting.remove(face.replica, subject, query.reason, by_guest=caller.by_guest)
        place = waiting.place_of(face.replica, gone)
        return _rendered(face.replica, caller, place), version_tag(place.view)

    shown, version = await face.run(leave)
    return answer(shown, headers={"ETag": f'"{version}"'})


def _matching(replica: Replica, caller: Caller, reference: str, if_match: str | None) -> View:
    """Who waits, as long as they are as they were when they were looked at."""
    view = found(replica, caller, reference, WAITLIST)
    check_match(view, if_match)
    return view


async def _shown(
    face: Face, caller: Caller, reference: str, status: int, headers: dict[str, str]
) -> Response[bytes]:
    def render() -> tuple[WaitingParty, str]:
        view = found(face.replica, caller, reference, WAITLIST)
        place = waiting.place_of(face.replica, view)
        shown = _rendered(face.replica, caller, place, with_known=caller.told_who_is_known)
        return shown, version_tag(view)

    shown, version = await face.run(render)
    return answer(shown, status, headers | {"ETag": f'"{version}"'})


def _rendered(
    replica: Replica, caller: Caller, place: Place, *, with_known: bool = False
) -> WaitingParty:
    return render_waiting(
        replica, place, with_guest=caller.may("guests.read"), to_guest=caller.role == "guest",
        with_agent=caller.told_whose, with_known=with_known,
    )  # fmt: skip


ROUTES: list[HTTPRouteHandler] = [
    join_waitlist,
    list_waitlist,
    get_waiting,
    offer_place,
    accept_offer,
    leave_waitlist,
]
