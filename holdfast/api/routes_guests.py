"""Guests over HTTP: who is it, what is known, hand it over, forget it; another key for the venue.

Owns these routes. What they do stands in `holdfast.node`: `guest_desk`, `forgetting`, `venue_keys`.
A search text is in a body, never in an address, and is kept nowhere.
"""

from __future__ import annotations

import contextlib
from typing import Any, Final

import msgspec
from litestar import Response, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api.documented import operation
from holdfast.api.face import Asking, Replica, answer, caller_of, face_of
from holdfast.api.parsing import PageQuery, page_of, read_body, read_limit, read_query
from holdfast.api.render import known_card, render_reservation, with_times
from holdfast.api.shapes import guest_desk as desk
from holdfast.api.shapes import guests as shapes
from holdfast.model.errors import Forbidden, NotFound
from holdfast.node import blocks, guest_desk

TAGS = ["guests"]
_AHEAD_OF_TIME: Final = ("sec-purpose", "purpose", "x-moz")
"""Headers by which browsers say that nobody has asked yet."""


class SearchRequest(msgspec.Struct, kw_only=True):
    """What is looked for; `limit` guests at most."""

    q: str
    limit: int | None = None


class NameQuery(msgspec.Struct, kw_only=True):
    """`begins`: `agent_` and at least six characters of an agent id; `limit` guests at most."""

    begins: str
    limit: int | None = None


class EraseQuery(msgspec.Struct, kw_only=True):
    """`reason` is a code."""

    reason: str = "guest_request"


class ErasureQuery(PageQuery, kw_only=True):
    """One guest; left out: all."""

    agent_id: str | None = None


class RotateRequest(msgspec.Struct, kw_only=True):
    """Nothing more needs to be said."""


class ShareRequest(msgspec.Struct, kw_only=True):
    """Nothing more needs to be said."""


@post(
    "/guests/search",
    operation_id="searchGuests",
    summary="Find guests by name, telephone number or e-mail address",
    description="At a device that holds the venue's key. The text is kept nowhere.",
    tags=TAGS,
    status_code=200,
    opt={"permission": "guests.find"},
    operation_class=operation(body=SearchRequest, keyed=True),
)
async def search_guests(request: Asking) -> Response[bytes]:
    face = face_of(request)
    body = await request.body()
    wanted = read_body(body, SearchRequest)
    limit = read_limit(wanted.limit)
    shown: list[list[dict[str, Any]]] = []

    async def search() -> str:
        shown.append(await face.run(guest_desk.find, face.replica, wanted.q, limit))
        return ""

    answered = await face.answers.once_outside(request, body, 200, search)
    # What was found is not kept for a replay: it looks again.
    if not shown:
        await search()
    items = [_found(one) for one in shown[0]]
    return answer(shapes.FoundGuests(items=items, next=None), answered.status, answered.headers)


@get(
    "/guests",
    operation_id="nameGuests",
    summary="Guests by the beginning of their agent id",
    description="Pseudonyms alone, also at a device that reads no card: to say whom one means.",
    tags=TAGS,
    opt={"permission": "guests.find"},
    operation_class=operation(query=NameQuery),
)
async def name_guests(request: Asking) -> Response[bytes]:
    face = face_of(request)
    query = read_query(request.query_params.multi_items(), NameQuery)
    limit = read_limit(query.limit)
    named = await face.run(guest_desk.beginning, face.replica, query.begins, limit)
    items = [shapes.NamedGuest(**one) for one in named]
    return answer(shapes.NamedGuests(items=items, next=None))


def _found(line: dict[str, Any]) -> shapes.FoundGuest:
    return shapes.FoundGuest(**(line | {"guest": known_card(line["guest"])}))


@get(
    "/guests/{agent_id:str}",
    operation_id="getGuest",
    summary="A guest: the newest card, the reservations, and what else the venue knows",
    tags=TAGS,
    opt={"permission": "guests.find"},
    operation_class=operation(),
)
async def get_guest(request: Asking, agent_id: FromPath[str]) -> Response[bytes]:
    face = face_of(request)

    def shown() -> shapes.Guest:
        (book, card, views), *_ = guest_desk.show(face.replica, agent_id)
        known = with_times(guest_desk.page_at(face.replica, book, agent_id))
        return shapes.Guest(
            agent_id=agent_id,
            venue=book.partition("/")[2],
            guest=known_card(card) if card else None,
            reservations=[render_reservation(face.replica, one, with_guest=True) for one in views],
            agent_ids=known["agent_ids"],
            erased=known["erased"],
            merges=msgspec.convert(known["merges"], list[desk.Merge]),
            history=msgspec.convert(known["history"], desk.GuestHistory | None),
            flags=msgspec.convert(known["flags"], desk.GuestFlags),
            details=msgspec.convert(known["details"], desk.GuestPreferences),
            notes=msgspec.convert(known["notes"], list[desk.GuestNote]),
        )

    return answer(await face.run(shown))


@get(
    "/guests/{agent_id:str}/export",
    operation_id="exportGuest",
    summary="Everything that is known of a guest, for the guest",
    description=(
        "That it was taken out is written into the book, for the audit: once in ten minutes for "
        "each who asks. What a browser fetches ahead of time is refused."
    ),
    tags=TAGS,
    opt={"permission": "guests.export"},
    operation_class=operation(),
)
async def export_guest(request: Asking, agent_id: FromPath[str]) -> Response[bytes]:
    face = face_of(request)
    _require_wanted(request)
    found = await face.run(guest_desk.export, face.replica, agent_id, caller_of(request).token)
    return answer(msgspec.convert(with_times(found), shapes.GuestExport))


def _require_wanted(request: Asking) -> None:
    """A GET may be sent without anybody's wish; a browser that does so says it. Raises
    Forbidden."""
    if any(request.headers.get(name) for name in _AHEAD_OF_TIME):
        raise Forbidden(
            "this was asked for ahead of time, and hands over what is known of a guest; ask when "
            "somebody wants it"
        )


@delete(
    "/guests/{agent_id:str}",
    operation_id="eraseGuest",
    summary="Forget a guest on every device",
    description=(
        "Cards are destroyed here at once, elsewhere as soon as each device hears of it; the "
        "reservations stay, under the pseudonym alone. In place of an agent id, the id or code of "
        "a block: what is forgotten is its note, on every date of its series. Answers how it "
        "stands."
    ),
    tags=TAGS,
    status_code=200,
    opt={"permission": "guests.erase"},
    operation_class=operation(query=EraseQuery),
)
async def erase_guest(request: Asking, agent_id: FromPath[str]) -> Response[bytes]:
    face = face_of(request)
    query = read_query(request.query_params.multi_items(), EraseQuery)
    report = await face.run(_erase, face.replica, agent_id, query.reason)
    return answer(shapes.ErasureList(items=_erasures(report), next=None))


def _erase(replica: Replica, reference: str, reason: str) -> list[dict[str, Any]]:
    agents = [reference]
    if not reference.startswith("agent_"):
        # Of what is no block either, the erasure itself says what it takes.
        with contextlib.suppress(NotFound):
            agents = blocks.note_agents(replica, reference)
    return [one for agent in agents for one in replica.forgetting.erase(agent, reason)]


@get(
    "/erasures",
    operation_id="listErasures",
    summary="Guests who are to be forgotten, and which devices have done so",
    tags=TAGS,
    opt={"permission": "guests.erase"},
    operation_class=operation(query=ErasureQuery),
)
async def list_erasures(request: Asking) -> Response[bytes]:
    face = face_of(request)
    query = read_query(request.query_params.multi_items(), ErasureQuery)
    report = await face.run(face.replica.forgetting.report, query.agent_id)
    keyed = [(f"{one.asked_at} {one.id}", one) for one in _erasures(report)]
    items, place = page_of(keyed, query.limit, query.cursor)
    return answer(shapes.ErasureList(items=items, next=place))


def _erasures(report: list[dict[str, Any]]) -> list[shapes.Erasure]:
    return msgspec.convert(with_times(report), list[shapes.Erasure])


@post(
    "/venues/{venue:str}/rotate-key",
    operation_id="rotateVenueKey",
    summary="Make another key for the venue, after a device that held it was stolen",
    tags=TAGS,
    status_code=200,
    opt={"permission": "venues.rotate-key"},
    operation_class=operation(body=RotateRequest, keyed=True),
)
async def rotate_venue_key(request: Asking, venue: FromPath[str]) -> Response[bytes]:
    face = face_of(request)
    body = await request.body()

    def rotate() -> str:
        read_body(body, RotateRequest)
        return _rotated(face.replica, venue)

    answered = await face.answers.once(request, body, 200, rotate)
    return answer(answered.subject.encode(), answered.status, answered.headers)


def _rotated(replica: Replica, venue: str) -> str:
    """The answer, which names keys and devices and nobody else."""
    replica.venue(venue)
    done = replica.cards.keys.rotate(replica.book_of(venue))
    return msgspec.json.encode(msgspec.convert(done, shapes.RotatedKey)).decode()


@post(
    "/venues/{venue:str}/share-key",
    operation_id="shareVenueKey",
    summary="Let the hub read this venue's guest cards, until the venue has another key",
    description=(
        "At a front desk. Whoever runs the hub, or has its disk or a backup of it, can then read "
        "the name and telephone number of every guest of this venue. It stands in the audit."
    ),
    tags=TAGS,
    status_code=200,
    opt={"permission": "venues.share-key"},
    operation_class=operation(body=ShareRequest, keyed=True),
)
async def share_venue_key(request: Asking, venue: FromPath[str]) -> Response[bytes]:
    face = face_of(request)
    body = await request.body()

    def share() -> str:
        read_body(body, ShareRequest)
        face.replica.venue(venue)
        done = face.replica.cards.keys.share_with_hub(face.replica.book_of(venue))
        return msgspec.json.encode(msgspec.convert(done, shapes.SharedKey)).decode()

    answered = await face.answers.once(request, body, 200, share)
    return answer(answered.subject.encode(), answered.status, answered.headers)


ROUTES: list[HTTPRouteHandler] = [
    search_guests,
    name_guests,
    get_guest,
    export_guest,
    erase_guest,
    list_erasures,
    rotate_venue_key,
    share_venue_key,
]
