"""GET /stream: what changes, as server-sent events, to whoever may see it.

Owns the route and the form of its events. No guest's card is ever streamed: who may read one asks
for the reservation.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.response import ServerSentEvent, ServerSentEventMessage

from holdfast.api.auth import VENUES
from holdfast.api.callers import Caller
from holdfast.api.documented import EVENT_STREAM, operation
from holdfast.api.face import Asking, Face, caller_of, face_of
from holdfast.api.operations import QueueNews
from holdfast.api.render import render_reservation, render_venue
from holdfast.api.routes_sync import queue_counts, sync_status
from holdfast.api.shapes.books import NeedsPerson
from holdfast.api.shapes.common import QueueCounts
from holdfast.api.stream import Changed
from holdfast.model.errors import NotFound
from holdfast.node import contradicting

_PERMISSION_BY_EVENT = {"venue": "venues.read", "queue": "queue.read", "sync": "sync.read"}


@get(
    "/stream",
    operation_id="streamChanges",
    summary="What changes, as server-sent events",
    description=(
        "Events `reservation`, `venue`, `queue`, `sync`, `exception` with an `id` and the object "
        "as it is now; `Last-Event-ID` resumes, or gets `event: reset`: read everything anew."
    ),
    tags=["stream"],
    opt={"permission": "stream.read", "reach": VENUES},
    operation_class=operation(media_type=EVENT_STREAM, resumes=True),
)
async def stream_changes(request: Asking) -> ServerSentEvent:
    face, caller = face_of(request), caller_of(request)
    start = face.changes.resume(request.headers.get("last-event-id"))
    return ServerSentEvent(_events(face, caller, start), headers={"X-Accel-Buffering": "no"})


async def _events(
    face: Face, caller: Caller, start: int | None
) -> AsyncGenerator[ServerSentEventMessage, None]:
    changes = face.changes
    shown: dict[str, bytes] = {}
    if start is None:
        start = changes.last
        yield ServerSentEventMessage(event="reset", id=changes.id_of(start), data="{}")
    else:
        yield ServerSentEventMessage(id=changes.id_of(start), data=None, comment="watching")
    async with aclosing(changes.watch()) as watched:
        async for changed in watched:
            if not face.access.stands(caller):
                return  # Revoked, expired or logged out; whoever asks again is told.
            news = changes.after(start) if changed else [Changed(start, "sync", b"")]
            if news is None:
                start = changes.last
                yield ServerSentEventMessage(event="reset", id=changes.id_of(start), data="{}")
                continue
            for one in news:
                for event, data in await face.run(_rendered, face, caller, one):
                    # Things of which there is only one are sent when they differ.
                    if not one.subject and shown.get(event) == data:
                        continue
                    if not one.subject:
                        shown[event] = data
                    if not face.access.stands(caller):
                        return
                    identity = changes.id_of(one.number)
                    yield ServerSentEventMessage(event=event, id=identity, data=data)
                start = one.number
            if not changed:
                yield ServerSentEventMessage(comment="still here", data=None)


def _rendered(face: Face, caller: Caller, changed: Changed) -> list[tuple[str, bytes]]:
    """The events of one change, as this caller may see them."""
    if changed.event == "reservation":
        return _reservation(face, caller, changed)
    if changed.event == "venue" and not caller.sees(changed.subject.decode()):
        return []
    if not caller.may(_PERMISSION_BY_EVENT[changed.event]):
        return []
    data: Any
    if changed.event == "venue":
        try:
            data = render_venue(face.replica.venue(changed.subject.decode()).venue)
        except NotFound:
            return []
    elif changed.event == "queue":
        with face.replica.lock:
            counts = queue_counts(face.replica, caller)
        data = QueueNews(counts=QueueCounts(**counts))
    else:
        data = sync_status(face, caller)
    return [(changed.event, msgspec.json.encode(data))]


def _reservation(face: Face, caller: Caller, changed: Changed) -> list[tuple[str, bytes]]:
    view = face.replica.view(changed.subject, changed.book)
    if view is None or not view.code:
        return []
    if not caller.knows(view) or not caller.may("reservations.read"):
        return []
    shown = render_reservation(face.replica, view, with_guest=False)
    events = [("reservation", msgspec.json.encode(shown))]
    if caller.may("exceptions.read"):
        events += [
            ("exception", msgspec.json.encode(msgspec.convert(item, NeedsPerson)))
            for item in contradicting.items_about(face.replica, view)
        ]
    return events


ROUTES: list[HTTPRouteHandler] = [stream_changes]
