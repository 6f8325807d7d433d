"""The queue, the exchange with the hub, and the clock, over HTTP.

Owns these routes. What an exchange does stands in `holdfast.node`.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import UNSET

from holdfast.api.auth import VENUES
from holdfast.api.callers import Caller
from holdfast.api.documented import operation
from holdfast.api.face import Asking, Face, Replica, answer, caller_of, face_of
from holdfast.api.parsing import read_body, read_cursor, read_limit, read_query, write_cursor
from holdfast.api.render import guest_card, utc_text, venue_or_utc, with_times
from holdfast.api.shapes import sync
from holdfast.api.shapes.reservations import GuestCard
from holdfast.model import wall
from holdfast.model.errors import Invalid, NotFound
from holdfast.model.forms import form_now
from holdfast.model.ids import uuid_text
from holdfast.model.reservation import shown_claims
from holdfast.node.inspection import queue_item
from holdfast.node.node import Node
from holdfast.store.queue import STATES, Operation

TAGS = ["sync"]


class QueueQuery(msgspec.Struct, kw_only=True):
    """Operations in the order of writing; with `newest` the last written first."""

    state: str | None = None
    newest: bool = False
    limit: int | None = None
    cursor: str | None = None


class LogQuery(msgspec.Struct, kw_only=True):
    """The newest lines, oldest of them first."""

    limit: int | None = None


class WithdrawRequest(msgspec.Struct, kw_only=True):
    """`reason` is a code."""

    reason: str


class SampleRequest(msgspec.Struct, kw_only=True):
    """Time servers (`host[:port]`); left out: those of the settings."""

    servers: list[str] | None = None


class HubRequest(msgspec.Struct, kw_only=True):
    """Where the hub is from now on."""

    url: str


class RejoinRequest(msgspec.Struct, kw_only=True):
    """A one-time code, as the hub's `invite` gives it."""

    code: str


class Nothing(msgspec.Struct, kw_only=True):
    """A request that says all by its path."""


# --- the queue ------------------------------------------------------------------------------------


@get(
    "/queue",
    operation_id="listQueue",
    summary="The operations written here, and the fate of each",
    tags=TAGS,
    opt={"permission": "queue.read", "reach": VENUES},
    operation_class=operation(query=QueueQuery, answers={200: "counts, items, next"}),
)
async def list_queue(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), QueueQuery)
    if query.state is not None and query.state not in STATES:
        raise Invalid.field("state", f"must be one of {', '.join(STATES)}")
    limit, after = read_limit(query.limit), _place(query.cursor)

    def listed() -> dict[str, Any]:
        queue = face.replica.store.queue
        with face.replica.lock:
            among = _chains(face.replica, caller)
            found = queue.select(
                state=query.state, after=after, limit=limit + 1, among=among, newest=query.newest
            )
            items = [_item(face.replica, caller, one) for one in found[:limit]]
            counts = queue.counts(among)
        last = found[limit - 1] if len(found) > limit else None
        place = f"{last.chain}.{last.n}" if last is not None else None
        return {"counts": counts, "items": items, "next": write_cursor(place)}

    return answer(await face.run(listed))


def queue_counts(replica: Replica, caller: Caller) -> dict[str, int]:
    """The queue in numbers, as far as it is a caller's business."""
    with replica.lock:
        return replica.store.queue.counts(_chains(replica, caller))


def _chains(replica: Replica, caller: Caller) -> list[int] | None:
    """Of which chains a caller sees operations; None: of all."""
    venues = caller.limited_to()
    if venues is None:
        return None
    journal = replica.store.journal
    return [chain.id for one in venues for chain in journal.chains(replica.book_of(one))]


def _item(replica: Replica, caller: Caller, found: Operation) -> dict[str, Any]:
    """`subject` is how people call it; `reservation` is the id that other routes take."""
    return queue_item(replica, found) | {
        "reservation": uuid_text(found.subject) if found.subject else None,
        "written_at": utc_text(found.stamp >> 16),
        "about": _about(replica, caller, found),
    }


def _about(replica: Replica, caller: Caller, found: Operation) -> sync.Concerned | None:
    """Whom an operation concerns, as far as that is known here and the caller may know it."""
    book = replica.store.journal.chain_by_id(found.chain).book
    view = replica.view(found.subject, book) if found.subject else None
    if view is None or not view.code:
        return None
    card = guest_card(replica, view, own=False) if caller.may("guests.read") else UNSET
    return sync.Concerned(
        form=form_now(view) or "reservation",
        name=(card.name or None) if isinstance(card, GuestCard) else None,
        service_date=view.service_date,
        starts_at=wall.format_time(venue_or_utc(replica, book.partition("/")[2]), view.starts_at),
        party_size=view.party_size,
        resources=[claim.resource for claim in shown_claims(view)],
    )


def _place(cursor: str | None) -> tuple[int, int] | None:
    text = read_cursor(cursor)
    if text is None:
        return None
    chain, _, n = text.partition(".")
    if not all(part.isdecimal() and len(part) <= 18 for part in (chain, n)):
        raise Invalid.field("cursor", "is not one that this list gave; start again")
    return int(chain), int(n)


@get(
    "/queue/{operation_id:str}",
    operation_id="getOperation",
    summary="One operation",
    tags=TAGS,
    opt={"permission": "queue.read", "reach": VENUES},
    operation_class=operation(answers={200: "the operation"}),
)
async def get_operation(request: Asking, operation_id: FromPath[str]) -> Response[bytes]:
    face = face_of(request)
    return answer(await face.run(_operation, face.replica, caller_of(request), operation_id))


@post(
    "/queue/{operation_id:str}/retry",
    operation_id="retryOperation",
    summary="Send it again now",
    tags=TAGS,
    status_code=200,
    opt={"permission": "sync.control", "reach": VENUES},
    operation_class=operation(body=Nothing, answers={200: "the operation"}, keyed=True),
)
async def retry_operation(request: Asking, operation_id: FromPath[str]) -> Response[bytes]:
    face = face_of(request)
    body = await request.body()

    def retry() -> str:
        read_body(body, Nothing)
        found = _found(face.replica, caller_of(request), operation_id)
        face.replica.retry(found.id)
        return found.id.hex()

    answered = await face.answers.once(request, body, 200, retry)
    shown = await face.run(_operation, face.replica, caller_of(request), answered.subject)
    return answer(shown, answered.status, answered.headers)


@post(
    "/queue/{operation_id:str}/withdraw",
    operation_id="withdrawOperation",
    summary="The way out for an operation that cannot count",
    tags=TAGS,
    status_code=200,
    opt={"permission": "queue.change", "reach": VENUES},
    operation_class=operation(body=WithdrawRequest, answers={200: "the operation"}, keyed=True),
)
async def withdraw_operation(request: Asking, operation_id: FromPath[str]) -> Response[bytes]:
    face = face_of(request)
    body = await request.body()

    def withdraw() -> str:
        wanted = read_body(body, WithdrawRequest)
        found = _found(face.replica, caller_of(request), operation_id)
        face.replica.withdraw(found.id, wanted.reason)
        return found.id.hex()

    answered = await face.answers.once(request, body, 200, withdraw)
    shown = await face.run(_operation, face.replica, caller_of(request), answered.subject)
    return answer(shown, answered.status, answered.headers)


def _found(replica: Replica, caller: Caller, operation_id: str) -> Operation:
    found = None
    if len(operation_id) == 32:
        try:
            name = bytes.fromhex(operation_id)
        except ValueError:
            name = b""
        with replica.lock:
            found = replica.store.queue.get(name)
            if found is not None:
                book = replica.store.journal.chain_by_id(found.chain).book
                found = found if caller.sees(book.partition("/")[2]) else None
    if found is None:
        raise NotFound(f"no operation {operation_id} in this queue; finished ones stay 7 days")
    return found


def _operation(replica: Replica, caller: Caller, operation_id: str) -> dict[str, Any]:
    with replica.lock:
        return _item(replica, caller, _found(replica, caller, operation_id))


# --- the exchange with the hub --------------------------------------------------------------------


def sync_status(face: Face, caller: Caller) -> dict[str, Any]:
    """`GET /sync`. A hub has no hub: it is where the others connect."""
    replica = face.replica
    if isinstance(replica, Node):
        status: dict[str, Any] = with_times(replica.sync_status())
        return status
    with replica.lock:
        seen = [
            row.last_seen_ms
            for row in replica.store.records.fleet()
            if caller.sees(row.book.partition("/")[2])
        ]
    return {
        "state": "connected",
        "reason": None,
        "detail": None,
        "way_out": [],
        "hub": None,
        "last_exchange_at": utc_text(max(seen)) if seen else None,
        "queued": 0,
    }


@get(
    "/sync",
    operation_id="getSync",
    summary="How the exchange with the hub stands",
    tags=TAGS,
    opt={"permission": "sync.read", "reach": VENUES},
    operation_class=operation(
        answers={200: "state, its reason, detail and way_out, hub, last_exchange_at, queued"}
    ),
)
async def get_sync(request: Asking) -> Response[bytes]:
    face = face_of(request)
    return answer(await face.run(sync_status, face, caller_of(request)))


@get(
    "/sync/log",
    operation_id="getSyncLog",
    summary="What the exchange did lately",
    tags=TAGS,
    opt={"permission": "sync.read"},
    operation_class=operation(query=LogQuery, answers={200: "items"}),
)
async def get_sync_log(request: Asking) -> Response[bytes]:
    face = face_of(request)
    query = read_query(request.query_params.multi_items(), LogQuery)
    limit = read_limit(query.limit)

    def lines() -> list[dict[str, str]]:
        with face.replica.lock:
            rows = face.replica.store.records.sync_log(limit)
        return [{"at": utc_text(at), "event": what, "detail": detail} for at, what, detail in rows]

    return answer({"items": await face.run(lines), "next": None})


@post(
    "/sync/now",
    operation_id="syncNow",
    summary="Exchange with the hub, and answer when it is over",
    tags=TAGS,
    status_code=200,
    opt={"permission": "sync.control"},
    operation_class=operation(
        answers={200: "pushed, pulled, verdicts, books_differing"}, keyed=True
    ),
)
async def sync_now(request: Asking) -> Response[bytes]:
    face = face_of(request)
    node = face.node()
    body = await request.body()
    read_body(body, Nothing)

    async def exchange() -> str:
        # Not in the worker: an exchange waits for the network, and writers must not wait with it.
        async with face.exchanging:
            done = with_times(await asyncio.to_thread(node.sync))
        face.changes.publish("sync")
        return msgspec.json.encode(done).decode()

    answered = await face.answers.once_outside(request, body, 200, exchange)
    return answer(answered.subject.encode(), answered.status, answered.headers)


async def _switch(request: Asking, face: Face, name: str) -> Response[bytes]:
    node = face.node()
    body = await request.body()
    read_body(body, Nothing)

    async def switch() -> str:
        await face.run(node.pause if name == "pause" else node.resume)
        face.changes.publish("sync")
        return name

    answered = await face.answers.once_outside(request, body, 200, switch)
    shown = await face.run(sync_status, face, caller_of(request))
    return answer(shown, answered.status, answered.headers)


@post(
    "/sync/pause",
    operation_id="pauseSync",
    summary="Cut hub and time servers as an unplugged network does",
    tags=TAGS,
    status_code=200,
    opt={"permission": "sync.control"},
    operation_class=operation(answers={200: "as GET /sync"}, keyed=True),
)
async def pause_sync(request: Asking) -> Response[bytes]:
    return await _switch(request, face_of(request), "pause")


@post(
    "/sync/resume",
    operation_id="resumeSync",
    summary="Plug it in again",
    tags=TAGS,
    status_code=200,
    opt={"permission": "sync.control"},
    operation_class=operation(answers={200: "as GET /sync"}, keyed=True),
)
async def resume_sync(request: Asking) -> Response[bytes]:
    return await _switch(request, face_of(request), "resume")


@post(
    "/sync/hub",
    operation_id="setHub",
    summary="Dial another address from now on: a hub that moved, or was rebuilt",
    tags=TAGS,
    status_code=200,
    opt={"permission": "sync.change"},
    operation_class=operation(body=HubRequest, answers={200: "as GET /sync"}, keyed=True),
)
async def set_hub(request: Asking) -> Response[bytes]:
    face = face_of(request)
    node = face.node()
    body = await request.body()
    wanted = read_body(body, HubRequest)

    async def change() -> str:
        await face.run(node.set_hub, wanted.url)
        face.changes.publish("sync")
        return node.hub_url

    answered = await face.answers.once_outside(request, body, 200, change)
    shown = await face.run(sync_status, face, caller_of(request))
    return answer(shown, answered.status, answered.headers)


@post(
    "/sync/rejoin",
    operation_id="rejoin",
    summary="Get a new certificate with a new code, and keep the data",
    tags=TAGS,
    status_code=200,
    opt={"permission": "sync.change"},
    operation_class=operation(body=RejoinRequest, answers={200: "as GET /sync"}, keyed=True),
)
async def rejoin(request: Asking) -> Response[bytes]:
    face = face_of(request)
    node = face.node()
    body = await request.body()
    wanted = read_body(body, RejoinRequest)

    async def join_again() -> str:
        # Not in the worker: the hub may take its time, and writers must not wait with it.
        await asyncio.to_thread(node.rejoin, wanted.code)
        face.changes.publish("sync")
        return node.name

    answered = await face.answers.once_outside(request, body, 200, join_again)
    shown = await face.run(sync_status, face, caller_of(request))
    return answer(shown, answered.status, answered.headers)


# --- the clock ------------------------------------------------------------------------------------


@get(
    "/clock",
    operation_id="getClock",
    summary="What the clock says, and how wrong it may be",
    tags=TAGS,
    opt={"permission": "clock.read", "reach": VENUES},
    operation_class=operation(answers={200: "state, offset_ms, uncertainty_ms, sources"}),
)
async def get_clock(request: Asking) -> Response[bytes]:
    return answer(face_of(request).replica.clock.status())


@post(
    "/clock/sample",
    operation_id="sampleClock",
    summary="Ask time servers now",
    tags=TAGS,
    status_code=200,
    opt={"permission": "clock.sample"},
    operation_class=operation(body=SampleRequest, answers={200: "what each said"}, keyed=True),
)
async def sample_clock(request: Asking) -> Response[bytes]:
    face = face_of(request)
    body = await request.body()
    wanted = read_body(body, SampleRequest)
    servers = face.replica.settings.ntp if wanted.servers is None else wanted.servers

    async def sample() -> str:
        done = await asyncio.to_thread(face.replica.clock.sample, list(servers))
        return msgspec.json.encode(done).decode()

    answered = await face.answers.once_outside(request, body, 200, sample)
    return answer(answered.subject.encode(), answered.status, answered.headers)


ROUTES: list[HTTPRouteHandler] = [
    list_queue,
    get_operation,
    retry_operation,
    withdraw_operation,
    get_sync,
    get_sync_log,
    sync_now,
    pause_sync,
    resume_sync,
    set_hub,
    rejoin,
    get_clock,
    sample_clock,
]
