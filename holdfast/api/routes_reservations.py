"""Reservations over HTTP: make, list, read, change, cancel, mark.

Owns these routes, and that a guest's token sees and touches reservations of its own agent id alone,
a token of some venues those of its venues. The rules of reservations stand in
`holdfast.node.reservations`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec
from litestar import Response, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import UnsetType

from holdfast.api.auth import BOOKINGS, VENUES
from holdfast.api.bookings import asking_of, found, only_as_guest, only_own, shown_reservation, wait
from holdfast.api.callers import Caller
from holdfast.api.documented import operation
from holdfast.api.face import Asking, Replica, answer, caller_of, face_of
from holdfast.api.guest_contacts import check_contact
from holdfast.api.idempotency import Found
from holdfast.api.parsing import (
    page_of,
    read_body,
    read_cursor,
    read_if_match,
    read_limit,
    read_query,
    read_time,
    write_cursor,
)
from holdfast.api.render import render_reservation
from holdfast.api.shapes.reservations import ReservationList
from holdfast.model import wall
from holdfast.model.errors import Forbidden, Invalid
from holdfast.model.ids import uuid_text
from holdfast.model.reservation import View, shown_claims
from holdfast.model.venue import Venue
from holdfast.node import partnering, series, tracing
from holdfast.node.requests import CreateRequest, Override, PatchRequest

TAGS = ["reservations"]

TABLE: Final = "table"
ORDERS: Final = ("starts_at", TABLE)
_OF_A_DATE_MAX: Final = 1_000_000
"""All that a venue has on a date: it is put into another order before a page of it is taken."""


class ListQuery(
    msgspec.Struct, kw_only=True, rename={"starts_from": "from", "starts_before": "to"}
):
    """`date` is the service date; `from` and `to` filter `starts_at`, half-open."""

    venue: str | None = None
    date: str | None = None
    starts_from: str | None = None
    starts_before: str | None = None
    status: str | None = None
    agent_id: str | None = None
    resource: str | None = None
    area: str | None = None
    series: str | None = None
    approval: str | None = None
    order: str | None = None
    limit: int | None = None
    cursor: str | None = None


class CancelRequest(msgspec.Struct, kw_only=True):
    """`reason` and `by` are codes; `note` is free text, sealed for the venue. `series`: with all
    later dates of its series."""

    reason: str = "guest_request"
    by: str = "guest"
    note: str | None = None
    series: bool = False


class CheckInRequest(msgspec.Struct, kw_only=True):
    """How many came, where it differs from the party that was expected."""

    actual_party_size: int | None = None


class Nothing(msgspec.Struct, kw_only=True):
    """A request that says all by its path."""


# --- making and reading ---------------------------------------------------------------------------


@post(
    "/reservations",
    operation_id="createReservation",
    summary="Make a reservation",
    description=(
        "Answers at once: `confirmed` and `guaranteed` on capacity held here, else "
        "`commit_pending` and `provisional` until its holder decides. A `partner_reference` that "
        "was taken before makes nothing: 200, with the reservation that has it, whatever else is "
        "sent."
    ),
    tags=TAGS,
    opt={
        "permission": "reservations.create",
        "reach": VENUES,
        "counted": BOOKINGS,
        "traced": True,
    },
    operation_class=operation(body=CreateRequest, keyed=True, waits=True, traced=True),
)
async def create_reservation(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()

    def make() -> str:
        with tracing.step("request"):
            wanted = read_body(body, CreateRequest)
            caller.require(wanted.venue)
            only_override(caller, wanted.override)
            if caller.role == "guest":
                only_as_guest(caller, wanted)
                wanted.agent_id = caller.agent_id
            check_contact(request, caller, wanted.guest, needed=True)
            if wanted.partner_reference is not None and caller.by_guest:
                raise Forbidden("a partner's reference comes from the house; leave it out")
        before = partnering.known(face.replica, wanted)
        if before is not None:
            return Found(uuid_text(before.id))
        made = face.replica.reservations.create(wanted, asking_of(caller), by_guest=caller.by_guest)
        return uuid_text(made.id)

    answered = await face.answers.once(request, body, 201, make)
    headers = answered.headers | {"Location": f"/api/v1/reservations/{answered.subject}"}
    headers |= await wait(face, request, answered.subject)
    return await shown_reservation(face, caller, answered.subject, answered.status, headers)


@get(
    "/reservations",
    operation_id="listReservations",
    summary="List reservations",
    tags=TAGS,
    opt={"permission": "reservations.read", "reach": VENUES},
    operation_class=operation(query=ListQuery),
)
async def list_reservations(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), ListQuery)
    return answer(await face.run(_listed, face.replica, caller, query))


def _listed(replica: Replica, caller: Caller, query: ListQuery) -> bytes:
    if query.venue is not None:
        caller.require(query.venue)
    venue = replica.venue(query.venue).venue if query.venue is not None else None
    if query.date is not None:
        wall.parse_date(query.date)
    agent = query.agent_id
    if caller.role == "guest":
        only_own(caller, None, agent)
        agent = caller.agent_id
    if query.series is not None:
        return _series_listed(replica, caller, query, query.series)
    by_table = _is_by_table(query)
    limit, cursor = read_limit(query.limit), read_cursor(query.cursor)
    views, place = replica.reservations.select(
        venue=query.venue,
        date=query.date,
        starts_from=read_time(venue, query.starts_from, "from"),
        starts_before=read_time(venue, query.starts_before, "to"),
        status=query.status,
        agent_id=agent,
        resource=query.resource,
        area=query.area,
        limit=_OF_A_DATE_MAX if by_table else limit,
        cursor=None if by_table else cursor,
        among=caller.limited_to(),
        approval=query.approval,
    )
    if venue is not None and by_table:
        views, place = page_of(_by_table(venue, views), limit, query.cursor)
        return rendered(replica, caller, views, place)
    return rendered(replica, caller, views, write_cursor(place))


def _is_by_table(query: ListQuery) -> bool:
    """Whether tables come one after the other, as on the sheet of a service. Raises Invalid."""
    if query.order not in (None, *ORDERS):
        raise Invalid.field("order", f"must be one of {', '.join(ORDERS)}")
    if query.order != TABLE:
        return False
    if query.venue is None or query.date is None:
        raise Invalid.field("order", "tables have one for a `venue` and a `date`; give both")
    return True


def _by_table(venue: Venue, views: Iterable[View]) -> list[tuple[str, View]]:
    """Reservations by the first of their tables in the venue file, then by start and id; last what
    has none there."""
    place_by_id = {resource.id: n for n, resource in enumerate(venue.resources)}
    last = len(place_by_id)
    keyed = []
    for view in views:
        places = [place_by_id.get(claim.resource, last) for claim in shown_claims(view)]
        first = min(places, default=last)
        keyed.append((f"{first:06} {view.starts_at:012} {view.id.hex()}", view))
    return sorted(keyed, key=lambda pair: pair[0])


def _series_listed(replica: Replica, caller: Caller, query: ListQuery, reference: str) -> bytes:
    alone = ListQuery(series=reference, limit=query.limit, cursor=query.cursor)
    if query != alone:
        raise Invalid.field("series", "give it alone, with `limit` and `cursor` at the most")
    view = found(replica, caller, reference)
    keyed = [
        (f"{one.starts_at:012} {one.id.hex()}", one)
        for one in series.of(replica, uuid_text(view.id))
    ]
    views, place = page_of(keyed, query.limit, query.cursor)
    return rendered(replica, caller, views, place)


def rendered(replica: Replica, caller: Caller, views: list[View], place: str | None) -> bytes:
    """A list of reservations, as far as the caller may know; `place`: of the next page."""
    with_guest = caller.may("guests.read")
    to_guest = caller.role == "guest"
    told = caller.may("guests.profile")
    items = [
        render_reservation(
            replica,
            view,
            with_guest=with_guest,
            to_guest=to_guest,
            with_others=caller.told_of_others,
            with_visitor=told,
        )
        for view in views
    ]
    return msgspec.json.encode(ReservationList(items=items, next=place))


@get(
    "/reservations/{reference:str}",
    operation_id="getReservation",
    summary="One reservation, by id or code",
    tags=TAGS,
    opt={"permission": "reservations.find", "reach": VENUES},
    operation_class=operation(),
)
async def get_reservation(request: Asking, reference: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    return await shown_reservation(face, caller, reference, 200, {})


@patch(
    "/reservations/{reference:str}",
    operation_id="changeReservation",
    summary="Change a reservation",
    description=(
        "What is left out stays. 202 with `pending_change` where the new place is not held here: "
        "the old one stays until the change is decided."
    ),
    tags=TAGS,
    opt={"permission": "reservations.change", "reach": VENUES},
    operation_class=operation(
        body=PatchRequest,
        waits=True,
        matches=True,
    ),
)
async def change_reservation(request: Asking, reference: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()
    if_match = read_if_match(request.headers.get("if-match"))

    def change() -> str:
        wanted = read_body(body, PatchRequest)
        only_override(caller, wanted.override)
        if caller.role == "guest":
            only_as_guest(caller, wanted)
        check_contact(request, caller, wanted.guest, needed=False)
        with face.replica.transaction():
            view = found(face.replica, caller, reference)
            subject = uuid_text(view.id)
            face.replica.reservations.amend(
                subject, wanted, if_match, asking_of(caller), by_guest=caller.by_guest
            )
        return subject

    subject = await face.run(change)
    headers = await wait(face, request, subject)
    return await shown_reservation(face, caller, subject, None, headers)


# --- marking --------------------------------------------------------------------------------------

Act = Callable[[Replica, Caller, str, bytes], View]


def _cancel(replica: Replica, caller: Caller, subject: str, body: bytes) -> View:
    wanted = read_body(body, CancelRequest)
    if caller.role == "guest" and wanted.by != "guest":
        raise Forbidden("a guest cancels as guest")

    def cancel(one: str) -> View:
        return replica.reservations.cancel(
            one, wanted.reason, wanted.by, wanted.note,
            late=caller.may("reservations.cancel-late"), by_guest=caller.by_guest,
        )  # fmt: skip

    if wanted.series:
        return series.cancel_rest(replica, subject, cancel)[0]
    return cancel(subject)


def _check_in(replica: Replica, caller: Caller, subject: str, body: bytes) -> View:
    wanted = read_body(body, CheckInRequest)
    return replica.reservations.check_in(
        subject, wanted.actual_party_size, by_guest=caller.by_guest
    )


def _plain(name: str) -> Act:
    """A mark that takes no more than the reservation."""

    def act(replica: Replica, caller: Caller, subject: str, body: bytes) -> View:
        read_body(body, Nothing)
        marked: View = getattr(replica.reservations, name)(subject)
        return marked

    return act


def _marking(
    path: str,
    operation_id: str,
    summary: str,
    permission: str,
    act: Act,
    body: type[msgspec.Struct] = Nothing,
    *,
    asks: bool = False,
) -> HTTPRouteHandler:
    """The route of one mark; all of them differ in nothing but this. `asks`: it may ask for a
    place, whose answer a caller may wait for."""

    @post(
        f"/reservations/{{reference:str}}/{path}",
        operation_id=operation_id,
        summary=summary,
        tags=TAGS,
        status_code=200,
        opt={"permission": permission, "reach": VENUES},
        operation_class=operation(body=body, keyed=True, waits=asks),
    )
    async def mark(request: Asking, reference: FromPath[str]) -> Response[bytes]:
        face, caller = face_of(request), caller_of(request)
        sent = await request.body()

        def do() -> str:
            subject = uuid_text(found(face.replica, caller, reference).id)
            act(face.replica, caller, subject, sent)
            return subject

        answered = await face.answers.once(request, sent, 200, do)
        headers = answered.headers
        if asks:
            headers |= await wait(face, request, answered.subject)
        return await shown_reservation(face, caller, answered.subject, answered.status, headers)

    return mark


MARKS = [
    _marking(
        "cancel", "cancelReservation", "Cancel", "reservations.cancel", _cancel, CancelRequest
    ),
    _marking(
        "check-in", "checkInReservation", "The guest is here", "reservations.check-in", _check_in,
        CheckInRequest,
    ),
    _marking(
        "complete", "completeReservation", "The guest left", "reservations.complete",
        _plain("complete"),
    ),
    _marking(
        "no-show", "markNoShow", "Nobody came", "reservations.no-show", _plain("no_show")
    ),
    _marking(
        "undo-no-show", "undoNoShow", "Somebody came after all", "reservations.no-show",
        _plain("undo_no_show"), asks=True,
    ),
    _marking(
        "confirm", "confirmAttendance", "The guest said again that they will come",
        "reservations.confirm", _plain("confirm"),
    ),
    _marking(
        "approve", "approveReservation", "The house agrees to what a guest reserved by themself",
        "reservations.approve", _plain("approve"),
    ),
]  # fmt: skip


# --- what these routes share ----------------------------------------------------------------------


def only_override(caller: Caller, override: Override | UnsetType | None) -> None:
    """Beyond the capacity only a supervisor goes."""
    if override and not caller.may("reservations.override"):
        raise Forbidden(
            f"a token of the role {caller.role} may not overbook; a supervisor or an admin may"
        )


ROUTES: list[HTTPRouteHandler] = [
    create_reservation,
    list_reservations,
    get_reservation,
    change_reservation,
    *MARKS,
]
