"""What can be checked: books and their digests, exceptions for people, the audit.

Owns these routes and the shape of a book's description. The digests are made where entries are
folded.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler

from holdfast.api.documented import operation
from holdfast.api.face import Asking, Replica, answer, face_of
from holdfast.api.parsing import (
    read_body,
    read_cursor,
    read_limit,
    read_query,
    read_time,
    write_cursor,
)
from holdfast.api.render import utc_text
from holdfast.model import wall
from holdfast.model.entries import SCHEMA
from holdfast.model.errors import NotFound
from holdfast.model.ids import parse_uuid, uuid_text
from holdfast.model.limits import PAGE_ENTRIES
from holdfast.node.audit import audit_entries
from holdfast.node.service import EXCEPTION_ACTIONS
from holdfast.store.journal import ChainRow
from holdfast.store.projections import DateDigest

TAGS = ["books"]


class ExceptionsQuery(msgspec.Struct, kw_only=True):
    """One venue; left out: all."""

    venue: str | None = None


class ResolveRequest(msgspec.Struct, kw_only=True):
    """One of the exception's `actions`; `reason` is a code."""

    action: str
    reason: str


class AuditQuery(msgspec.Struct, kw_only=True, rename={"since": "from", "before": "to"}):
    """One reservation (id or code), or what was written from `from` until `to`."""

    reservation: str | None = None
    since: str | None = None
    before: str | None = None
    limit: int | None = None
    cursor: str | None = None


# --- books ----------------------------------------------------------------------------------------


@get(
    "/books",
    operation_id="listBooks",
    summary="The books held here",
    tags=TAGS,
    opt={"permission": "books.read"},
    operation_class=operation(answers={200: "items"}),
)
async def list_books(request: Asking) -> Response[bytes]:
    face = face_of(request)

    def listed() -> list[dict[str, Any]]:
        replica = face.replica
        with replica.lock:
            return [
                {
                    "venue": name.partition("/")[2],
                    "reservations": replica.store.projections.count(name),
                    **_digest(replica.store.projections.book_digest(name)),
                }
                for name in sorted(replica.books)
            ]

    return answer({"items": await face.run(listed), "next": None})


@get(
    "/books/{venue:str}",
    operation_id="getBook",
    summary="The digest, pages and heads of a book",
    tags=TAGS,
    opt={"permission": "books.read"},
    operation_class=operation(answers={200: "digest, entries, schema, waiting, pages, heads"}),
)
async def get_book(request: Asking, venue: str) -> Response[bytes]:
    face = face_of(request)
    return answer(await face.run(_book, face.replica, venue, None))


@get(
    "/books/{venue:str}/{date:str}",
    operation_id="getBookOfDate",
    summary="The digest of one service date, equal wherever the same entries are held",
    tags=TAGS,
    opt={"permission": "books.read"},
    operation_class=operation(answers={200: "digest, entries, schema, waiting, pages"}),
)
async def get_book_of_date(request: Asking, venue: str, date: str) -> Response[bytes]:
    face = face_of(request)
    return answer(await face.run(_book, face.replica, venue, wall.parse_date(date).isoformat()))


def _book(replica: Replica, venue: str, date: str | None) -> dict[str, Any]:
    name = replica.book_of(venue)
    projections = replica.store.projections
    with replica.lock:
        if date is None:
            digest = projections.book_digest(name)
        else:
            digest = projections.date_digest(name, date)
        shown: dict[str, Any] = {"venue": venue, "date": date} | _digest(digest)
        chains = replica.store.journal.chains(name)
        shown["pages"] = [page for chain in chains for page in _pages(replica, chain)]
        if date is None:
            shown["heads"] = [
                {
                    "node": _author(replica, chain),
                    "incarnation": chain.incarnation.hex(),
                    "branch": chain.branch.hex() or None,
                    "entries": chain.length,
                    "head": chain.head.hex(),
                }
                for chain in chains
            ]
            # Chains also hold the book's own administration, which concerns no date.
            shown["entries"] = sum(chain.length - chain.fork_at for chain in chains)
    return shown


def _digest(digest: DateDigest) -> dict[str, Any]:
    return {
        "digest": f"{digest.total:064x}",
        "entries": digest.entries,
        "schema": SCHEMA,
        "waiting": digest.waiting,
    }


def _pages(replica: Replica, chain: ChainRow) -> list[dict[str, Any]]:
    """The pages of a chain. `verified`: a valid seal covers it; one's own rest needs none here."""
    sealed = replica.store.journal.sealed_length(chain)
    own = chain.incarnation == replica.identity.incarnation
    pages = []
    for number, start in enumerate(range(0, chain.length, PAGE_ENTRIES)):
        end = min(start + PAGE_ENTRIES, chain.length)
        pages.append(
            {
                "node": _author(replica, chain),
                "incarnation": chain.incarnation.hex(),
                "page": number,
                "entries": end - start,
                "verified": own or end <= sealed,
            }
        )
    return pages


def _author(replica: Replica, chain: ChainRow) -> str | None:
    author = replica.authors(chain.book).get(chain.incarnation)
    return author.info.name if author else None


# --- exceptions -----------------------------------------------------------------------------------


@get(
    "/exceptions",
    operation_id="listExceptions",
    summary="What a person must look at",
    tags=TAGS,
    opt={"permission": "exceptions.read"},
    operation_class=operation(query=ExceptionsQuery, answers={200: "items"}),
)
async def list_exceptions(request: Asking) -> Response[bytes]:
    face = face_of(request)
    query = read_query(request.query_params.multi_items(), ExceptionsQuery)
    items = await face.run(_exceptions, face.replica, query.venue)
    return answer({"items": items, "next": None})


def _exceptions(replica: Replica, venue: str | None) -> list[dict[str, Any]]:
    book = replica.book_of(venue) if venue is not None else None
    with replica.lock:
        rows = replica.store.projections.exceptions(book)
        return [render_exception(replica, reservation, kind, at) for reservation, kind, at in rows]


def render_exception(
    replica: Replica, reservation: bytes, kind: str, since_ms: int
) -> dict[str, Any]:
    """One exception, with a sentence and what can be done about it."""
    record = replica.record(reservation)
    view = record.view if record else None
    sentence = _SENTENCES.get(kind, kind.replace("_", " "))
    return {
        "id": f"{uuid_text(reservation)}.{kind}",
        "kind": kind,
        "subject": uuid_text(reservation),
        "code": view.code if view else None,
        "venue": record.book.partition("/")[2] if record else None,
        "service_date": view.service_date if view else None,
        "detail": f"{view.code if view else uuid_text(reservation)}: {sentence}",
        "since": utc_text(since_ms),
        "actions": list(EXCEPTION_ACTIONS.get(kind, ("acknowledge",))),
    }


_SENTENCES = {
    "displaced": "its place went to somebody else; speak to the guest.",
    "seated_without_place": "the guest sits where nothing is held for them.",
    "seated_though_cancelled": "somebody cancelled while the guest was seated.",
    "no_show_and_checked_in": "one device says that nobody came, another that the guest is here.",
    "no_show_and_cancelled": "one device says that nobody came, another that it was cancelled.",
    "checked_in_twice": "two devices checked a guest in on it.",
}


@get(
    "/exceptions/{exception_id:str}",
    operation_id="getException",
    summary="One exception",
    tags=TAGS,
    opt={"permission": "exceptions.read"},
    operation_class=operation(answers={200: "the exception"}),
)
async def get_exception(request: Asking, exception_id: str) -> Response[bytes]:
    face = face_of(request)

    def found() -> dict[str, Any]:
        reservation, kind = _named(exception_id)
        record = face.replica.record(reservation)
        since = dict(record.view.exceptions).get(kind) if record else None
        if since is None:
            raise NotFound(f"no open exception {exception_id}")
        return render_exception(face.replica, reservation, kind, since)

    return answer(await face.run(found))


@post(
    "/exceptions/{exception_id:str}/resolve",
    operation_id="resolveException",
    summary="Say what was done about it, and do it",
    tags=TAGS,
    status_code=200,
    opt={"permission": "exceptions.resolve"},
    operation_class=operation(
        body=ResolveRequest, answers={200: "what was resolved, and how"}, keyed=True
    ),
)
async def resolve_exception(request: Asking, exception_id: str) -> Response[bytes]:
    face = face_of(request)
    body = await request.body()

    def resolve() -> str:
        wanted = read_body(body, ResolveRequest)
        reservation, kind = _named(exception_id)
        face.replica.resolve_exception(reservation, kind, wanted.action, wanted.reason)
        done = {"id": exception_id, "state": "resolved"} | msgspec.to_builtins(wanted)
        return msgspec.json.encode(done).decode()

    answered = await face.answers.once(request, body, 200, resolve)
    return answer(answered.subject.encode(), answered.status, answered.headers)


def _named(exception_id: str) -> tuple[bytes, str]:
    text, _, kind = exception_id.partition(".")
    reservation = parse_uuid(text)
    if reservation is None or not kind:
        raise NotFound(f"no open exception {exception_id}")
    return reservation, kind


# --- the audit ------------------------------------------------------------------------------------


@get(
    "/audit",
    operation_id="listAudit",
    summary="Every change: who, when, what, before, after",
    tags=TAGS,
    opt={"permission": "audit.read"},
    operation_class=operation(query=AuditQuery, answers={200: "items, oldest first, and next"}),
)
async def list_audit(request: Asking) -> Response[bytes]:
    face = face_of(request)
    query = read_query(request.query_params.multi_items(), AuditQuery)
    since = read_time(None, query.since, "from")
    before = read_time(None, query.before, "to")

    def listed() -> dict[str, Any]:
        items, place = audit_entries(
            face.replica,
            query.reservation,
            None if since is None else since * 1000,
            None if before is None else before * 1000,
            read_limit(query.limit),
            read_cursor(query.cursor),
        )
        shown = [{k: v for k, v in item.items() if k != "at_ms"} for item in items]
        return {"items": shown, "next": write_cursor(place)}

    return answer(await face.run(listed))


ROUTES: list[HTTPRouteHandler] = [
    list_books,
    get_book,
    get_book_of_date,
    list_exceptions,
    get_exception,
    resolve_exception,
    list_audit,
]
