"""What can be checked: books and their digests, exceptions for people, the audit.

Owns these routes. What they show is read in `holdfast.node`: `inspection` and `audit`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api.auth import VENUES
from holdfast.api.callers import Caller
from holdfast.api.documented import operation
from holdfast.api.face import Asking, Replica, answer, caller_of, face_of
from holdfast.api.parsing import (
    PageQuery,
    page_of,
    read_body,
    read_cursor,
    read_limit,
    read_moment,
    read_query,
    write_cursor,
)
from holdfast.api.render import guest_card
from holdfast.api.shapes import books
from holdfast.model.contradictions import OVERBOOK
from holdfast.model.errors import Forbidden, NotFound
from holdfast.model.ids import parse_uuid
from holdfast.model.venue import Venue
from holdfast.node import attention, inspection
from holdfast.node.audit import audit_entries

TAGS = ["books"]


class ExceptionsQuery(PageQuery, kw_only=True):
    """One venue; left out: all."""

    venue: str | None = None


class ResolveRequest(msgspec.Struct, kw_only=True):
    """One of the exception's `actions`, which is carried out; `reason` is a code. `move` and `walk`
    name the place: `resources`, and for `move` also or instead `starts_at`; `overbook` may name it,
    and takes what was asked for last where it is left out."""

    action: str
    reason: str
    resources: list[str] = []
    starts_at: str | None = None


class AuditQuery(msgspec.Struct, kw_only=True, rename={"since": "from", "before": "to"}):
    """One reservation (id or code), one venue, or what was written from `from` until `to`; with
    `newest` the last of it."""

    reservation: str | None = None
    venue: str | None = None
    since: str | None = None
    before: str | None = None
    newest: bool = False
    limit: int | None = None
    cursor: str | None = None


# --- books ----------------------------------------------------------------------------------------


@get(
    "/books",
    operation_id="listBooks",
    summary="The books held here",
    tags=TAGS,
    opt={"permission": "books.read", "reach": VENUES},
    operation_class=operation(query=PageQuery),
)
async def list_books(request: Asking) -> Response[bytes]:
    face = face_of(request)
    query = read_query(request.query_params.multi_items(), PageQuery)
    found = msgspec.convert(
        await face.run(inspection.list_books, face.replica), list[books.BookLine]
    )
    caller = caller_of(request)
    keyed = [(one.book, one) for one in found if caller.sees(one.venue)]
    items, place = page_of(keyed, query.limit, query.cursor)
    return answer(books.BookList(items=items, next=place))


@get(
    "/books/{venue:str}",
    operation_id="getBook",
    summary="The digest, pages and heads of a book",
    tags=TAGS,
    opt={"permission": "books.read", "reach": VENUES},
    operation_class=operation(),
)
async def get_book(request: Asking, venue: FromPath[str]) -> Response[bytes]:
    face = face_of(request)
    caller_of(request).require(venue)
    found = await face.run(inspection.book_summary, face.replica, venue)
    return answer(msgspec.convert(found, books.Book))


@get(
    "/books/{venue:str}/{date:str}",
    operation_id="getBookOfDate",
    summary="The digest of one service date, equal wherever the same entries are held",
    tags=TAGS,
    opt={"permission": "books.read", "reach": VENUES},
    operation_class=operation(),
)
async def get_book_of_date(
    request: Asking, venue: FromPath[str], date: FromPath[str]
) -> Response[bytes]:
    face = face_of(request)
    caller_of(request).require(venue)
    found = await face.run(inspection.date_summary, face.replica, venue, date)
    return answer(msgspec.convert(found, books.BookOfDate))


# --- exceptions -----------------------------------------------------------------------------------


@get(
    "/exceptions",
    operation_id="listExceptions",
    summary="What a person must look at",
    tags=TAGS,
    opt={"permission": "exceptions.read", "reach": VENUES},
    operation_class=operation(query=ExceptionsQuery),
)
async def list_exceptions(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), ExceptionsQuery)
    if query.venue is not None:
        caller.require(query.venue)
    return answer(await face.run(_listed, face.replica, caller, query))


def _listed(replica: Replica, caller: Caller, query: ExceptionsQuery) -> books.NeedsPersonList:
    found = [
        one for one in inspection.exceptions(replica, query.venue) if caller.sees(one["venue"])
    ]
    keyed = []
    for one in found:
        late, since, identity = inspection.rank(one)
        keyed.append((f"{int(late)} {since} {identity}", one))
    items, place = page_of(keyed, query.limit, query.cursor)
    shown = [_rendered(replica, caller, one) for one in items]
    return books.NeedsPersonList(items=shown, next=place)


def _rendered(replica: Replica, caller: Caller, item: dict[str, Any]) -> books.NeedsPerson:
    """An exception, with the card of the guest whom it is about where a list of reservations would
    show it to this caller."""
    shown = msgspec.convert(item, books.NeedsPerson)
    about = parse_uuid(item["subject"])
    if about is not None and caller.may("guests.read"):
        view = replica.view(about, replica.book_of(item["venue"]))
        if view is not None:
            shown.guest = guest_card(replica, view, own=False)
    return shown


@get(
    "/exceptions/{exception_id:str}",
    operation_id="getException",
    summary="One exception",
    tags=TAGS,
    opt={"permission": "exceptions.read", "reach": VENUES},
    operation_class=operation(),
)
async def get_exception(request: Asking, exception_id: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)

    def shown() -> books.NeedsPerson:
        return _rendered(face.replica, caller, _open(face.replica, caller, exception_id))

    return answer(await face.run(shown))


def _open(replica: Replica, caller: Caller, exception_id: str) -> dict[str, Any]:
    """An open exception that is the caller's business. Raises NotFound."""
    inspection.parse_exception_id(exception_id)
    for item in inspection.exceptions(replica):
        if item["id"] == exception_id and caller.sees(item["venue"]):
            return item
    raise NotFound(f"no open exception {exception_id}; it may have been resolved")


@post(
    "/exceptions/{exception_id:str}/resolve",
    operation_id="resolveException",
    summary="Say what was done about it, and do it",
    tags=TAGS,
    status_code=200,
    opt={"permission": "exceptions.resolve", "reach": VENUES},
    operation_class=operation(body=ResolveRequest, keyed=True),
)
async def resolve_exception(request: Asking, exception_id: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()

    def resolve() -> str:
        wanted = read_body(body, ResolveRequest)
        if attention.action_code(wanted.action) == OVERBOOK and not caller.may(
            "reservations.override"
        ):
            raise Forbidden(f"a token of the role {caller.role} may not overbook")
        if caller.venues:
            _open(face.replica, caller, exception_id)
        attention.resolve(
            face.replica, exception_id, wanted.action, wanted.reason, wanted.resources,
            wanted.starts_at,
        )  # fmt: skip
        done = books.Resolved(
            id=exception_id, state="resolved", action=wanted.action, reason=wanted.reason
        )
        return msgspec.json.encode(done).decode()

    answered = await face.answers.once(request, body, 200, resolve)
    return answer(answered.subject.encode(), answered.status, answered.headers)


# --- the audit ------------------------------------------------------------------------------------


@get(
    "/audit",
    operation_id="listAudit",
    summary="Every change: who, when, what, before, after",
    tags=TAGS,
    opt={"permission": "audit.read", "reach": VENUES},
    operation_class=operation(query=AuditQuery),
)
async def list_audit(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), AuditQuery)

    def listed() -> books.ChangeList:
        if query.venue is not None:
            caller.require(query.venue)
            face.replica.venue(query.venue)
        clock = _clock_of(face.replica, caller, query.venue)
        since = read_moment(clock, query.since, "from")
        before = read_moment(clock, query.before, "to")
        items, place = audit_entries(
            face.replica,
            query.reservation,
            None if since is None else since * 1000,
            None if before is None else before * 1000,
            read_limit(query.limit),
            read_cursor(query.cursor),
            sees=_seen_by(caller, query.venue),
            newest=query.newest,
        )
        shown = msgspec.convert(items, list[books.Change])
        return books.ChangeList(items=shown, next=write_cursor(place))

    return answer(await face.run(listed))


def _seen_by(caller: Caller, venue: str | None) -> Callable[[str], bool] | None:
    """Which venues are told; None: all."""
    if venue is not None:
        return lambda one: one == venue
    return caller.sees if caller.venues else None


def _clock_of(replica: Replica, caller: Caller, venue: str | None) -> Venue | None:
    """The venue whose clock a time without an offset is read by: the one that is named, else any of
    those that the caller sees, if they all have the same; None where they differ."""
    if venue is not None:
        return replica.venue(venue).venue
    seen = [replica.venue(one).venue for one in replica.venue_ids() if caller.sees(one)]
    return seen[0] if len({one.time_zone for one in seen}) == 1 else None


ROUTES: list[HTTPRouteHandler] = [
    list_books,
    get_book,
    get_book_of_date,
    list_exceptions,
    get_exception,
    resolve_exception,
    list_audit,
]
