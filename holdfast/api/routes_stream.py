"""GET /stream: what changes, as server-sent events, to whoever may see it.

Owns the route and the form of its events. No guest's card is ever streamed: who may read one asks
for the reservation.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.response import ServerSentEvent, ServerSentEventMessage

from holdfast.api.auth import VENUES
from holdfast.api.bookings import names_told
from holdfast.api.callers import Caller
from holdfast.api.documented import EVENT_STREAM, operation
from holdfast.api.face import Asking, Face, Replica, caller_of, face_of
from holdfast.api.guest_streams import counted
from holdfast.api.operations import QueueNews
from holdfast.api.rates import address_of
from holdfast.api.render import render_reservation, render_venue
from holdfast.api.render_forms import render_block, render_hold, render_waiting
from holdfast.api.routes_sync import queue_counts, sync_status
from holdfast.api.sessions import GUEST
from holdfast.api.shapes.blocks import Block
from holdfast.api.shapes.books import NeedsPerson
from holdfast.api.shapes.common import QueueCounts
from holdfast.api.shapes.holds import Hold
from holdfast.api.shapes.reservations import Reservation
from holdfast.api.shapes.waitlist import WaitingParty
from holdfast.api.stream import Changed
from holdfast.model.errors import NotFound
from holdfast.model.forms import HOLD, WAITLIST, form_now, made_as
from holdfast.model.limits import STREAM_CHANGES_KEPT
from holdfast.model.reservation import BLOCK, View
from holdfast.node import contradicting, waiting

_PERMISSION_BY_EVENT = {
    "venue": "venues.read",
    "queue": "queue.read",
    "sync": "sync.read",
    "reservation": "reservations.read",
    HOLD: "holds.read",
    WAITLIST: "waitlist.read",
    BLOCK: "blocks.read",
}
_OF_RESERVATIONS = (
    *(_PERMISSION_BY_EVENT[one] for one in ("reservation", HOLD, WAITLIST, BLOCK)),
    "exceptions.read",
)
Events = list[tuple[str, bytes]]


@get(
    "/stream",
    operation_id="streamChanges",
    summary="What changes, as server-sent events",
    description=(
        "Events `reservation`, `hold`, `waitlist`, `block`, `venue`, `queue`, `sync`, `exception` "
        "with an `id` and the object as it is now; `Last-Event-ID` resumes, or gets `event: "
        "reset`: read everything anew. What was held, or waited, and is a reservation now is told "
        "as both once, so that who lists holds or the waitlist takes it out. A guest without a "
        "token has 4 open at once, and 32 of an address."
    ),
    tags=["stream"],
    opt={"permission": "stream.read", "reach": VENUES},
    operation_class=operation(media_type=EVENT_STREAM, resumes=True),
)
async def stream_changes(request: Asking) -> ServerSentEvent:
    face, caller = face_of(request), caller_of(request)
    start = face.changes.resume(request.headers.get("last-event-id"))
    events = _events(face, caller, start)
    if caller.origin[0] == GUEST:
        address = address_of(request.scope.get("client"))
        events = counted(events, face.guest_streams.opened(caller.session, address))
    return ServerSentEvent(events, headers={"X-Accel-Buffering": "no"})


async def _events(
    face: Face, caller: Caller, start: int | None
) -> AsyncGenerator[ServerSentEventMessage, None]:
    changes = face.changes
    shown: dict[str, bytes] = {}
    parted = Parted()
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
                if not _may_concern(caller, one):
                    start = one.number
                    continue
                for event, data in await face.run(_rendered, face, caller, one, parted):
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


class Parted:
    """What a watcher has been told was a hold, or waited, and is a reservation now; the newest."""

    def __init__(self, kept: int = STREAM_CHANGES_KEPT) -> None:
        self._kept = kept
        self._ids: OrderedDict[bytes, None] = OrderedDict()

    def first(self, reservation: bytes) -> bool:
        """Whether it has not been told yet; from now on it has."""
        new = reservation not in self._ids
        self._ids[reservation] = None
        self._ids.move_to_end(reservation)
        if len(self._ids) > self._kept:
            self._ids.popitem(last=False)
        return new


def _may_concern(caller: Caller, changed: Changed) -> bool:
    """Whether there may be an event in a change for this caller, as far as can be told without the
    worker, which every watcher would otherwise keep busy at each commit."""
    if changed.event == "reservation":
        return any(caller.may(permission) for permission in _OF_RESERVATIONS)
    if changed.event == "venue" and not caller.sees(changed.subject.decode()):
        return False
    return caller.may(_PERMISSION_BY_EVENT[changed.event])


def _rendered(face: Face, caller: Caller, changed: Changed, parted: Parted) -> Events:
    """The events of one change that may concern this caller, as they may see them."""
    if changed.event == "reservation":
        return _reservation(face, caller, changed, parted)
    data: Any
    if changed.event == "venue":
        try:
            told = face.replica.venue(changed.subject.decode()).venue
            data = render_venue(told, to_guest=caller.role == "guest")
        except NotFound:
            return []
    elif changed.event == "queue":
        with face.replica.lock:
            counts = queue_counts(face.replica, caller)
        data = QueueNews(counts=QueueCounts(**counts))
    else:
        data = sync_status(face, caller)
    return [(changed.event, msgspec.json.encode(data))]


def _reservation(face: Face, caller: Caller, changed: Changed, parted: Parted) -> Events:
    view = face.replica.view(changed.subject, changed.book)
    if view is None or not view.code:
        return []
    if not caller.knows(view):
        return []
    names = [form_now(view) or "reservation"]
    if made_as(view) and names == ["reservation"] and parted.first(view.id):
        names.insert(0, made_as(view))
    events = [
        (name, msgspec.json.encode(_SHOWN[name](face.replica, caller, view)))
        for name in names
        if caller.may(_PERMISSION_BY_EVENT[name])
    ]
    if caller.may("exceptions.read"):
        events += [
            ("exception", msgspec.json.encode(msgspec.convert(item, NeedsPerson)))
            for item in contradicting.items_about(face.replica, view)
        ]
    return events


def _plainly(replica: Replica, caller: Caller, view: View) -> Reservation:
    return render_reservation(
        replica, view, whole=True, with_guest=False, with_agent=caller.told_whose,
        with_others=caller.told_of_others, with_visitor=caller.may("guests.profile"),
        with_who=caller.told_who_did,
    )  # fmt: skip


def _held(replica: Replica, caller: Caller, view: View) -> Hold:
    return render_hold(
        replica, view, with_agent=caller.told_whose, with_others=caller.told_of_others
    )


def _in_line(replica: Replica, caller: Caller, view: View) -> WaitingParty:
    return render_waiting(
        replica, waiting.place_of(replica, view), with_agent=caller.told_whose,
        to_guest=caller.role == "guest",
    )  # fmt: skip


def _blocked(replica: Replica, caller: Caller, view: View) -> Block:
    return render_block(
        replica, view, with_others=caller.told_of_others, names=names_told(replica, caller)
    )


_SHOWN: dict[str, Callable[[Replica, Caller, View], Any]] = {
    "reservation": _plainly,
    HOLD: _held,
    WAITLIST: _in_line,
    BLOCK: _blocked,
}


ROUTES: list[HTTPRouteHandler] = [stream_changes]
