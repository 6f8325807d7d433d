"""Who is to be reminded, and who was: the bookkeeping for whatever sends reminders for a house.

Owns the rule that each reminder of a reservation is sent once: whoever sends marks it first, and
the mark is set once. It sends nothing. The marks are of this directory alone (`store.reminders`):
two senders at two devices know nothing of each other, and remind twice.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from holdfast.model import lifecycle, wall
from holdfast.model.errors import BadTransition, Conflict, Gone, Invalid
from holdfast.model.limits import REMINDER_KINDS_MAX, REMINDERS_KEPT_DAYS
from holdfast.model.reservation import View
from holdfast.node import recording
from holdfast.node.acting import acts_for
from holdfast.node.reservations import written_cursor
from holdfast.store.reminders import Mark

if TYPE_CHECKING:
    from holdfast.node.service import Service

_KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_MINUTE_MS: Final = 60_000
"""People write down when they sent something to the minute."""
_HOUSE: Final = "house"
"""The kind of reservation that nobody comes for whom one could remind."""


def due(
    replica: Service,
    kind: str,
    before: int,
    venue: str | None = None,
    *,
    among: Collection[str] | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> tuple[list[View], str | None]:
    """What is confirmed, starts from now on and before then (epoch seconds), and has no mark of
    this kind for its start: by start, with the cursor of the next page. `among`: the venues that
    may be looked at; None: all. Raises Invalid, NotFound."""
    check_kind(kind)
    now = replica.clock.now_ms() // 1000
    found: list[View] = []
    while True:
        views, cursor = replica.reservations.select(
            venue=venue, among=among, starts_from=now, starts_before=before,
            status=lifecycle.CONFIRMED, limit=limit, cursor=cursor,
        )  # fmt: skip
        with replica.lock:
            marks = replica.store.reminders
            found += [
                view for view in views
                if view.kind != _HOUSE and marks.get(view.id, kind, view.starts_at) is None
            ]  # fmt: skip
        if len(found) > limit:
            return found[:limit], written_cursor(found[limit - 1])
        if cursor is None or len(found) == limit:
            return found, cursor


def mark(replica: Service, reference: str, kind: str, at_ms: int | None = None) -> Mark:
    """Mark a reminder as sent, once for each start: who is refused sends nothing. `at_ms`: when, if
    not now (Unix milliseconds). Raises Conflict where it was marked before, BadTransition for what
    is not confirmed, Gone for what has begun, Invalid also for a time that is to come or before the
    reservation was made, NotFound."""
    check_kind(kind)
    with replica.transaction():
        view = recording.find(replica, reference)
        now_ms = replica.clock.now_ms()
        _require_ahead(view, now_ms)
        if at_ms is not None and at_ms > now_ms:
            raise Invalid.field("at", "is still to come; mark it when it is sent")
        if at_ms is not None and at_ms // _MINUTE_MS < view.made_at_ms // _MINUTE_MS:
            since = _when(replica, view, view.made_at_ms)
            raise Invalid.field(
                "at", f"is before {view.code} was made, {since}; nothing was sent then"
            )
        marks = replica.store.reminders
        before = marks.get(view.id, kind, view.starts_at)
        if before is not None:
            raise Conflict(
                f"the reminder {kind} of {view.code} was marked as sent already, "
                f"{_when(replica, view, before.at_ms)}; send no second one"
            )
        kinds = {one.kind for one in marks.of(view.id)}
        if len(kinds | {kind}) > REMINDER_KINDS_MAX:
            raise Invalid.field("kind", f"is one too many: {view.code} has {len(kinds)} kinds")
        made = Mark(
            view.book, view.id, kind, view.starts_at, now_ms if at_ms is None else at_ms, acts_for()
        )
        marks.put(made)
        marks.sweep(now_ms // 1000 - REMINDERS_KEPT_DAYS * 86_400)
        return made


def marks_of(replica: Service, view: View) -> list[Mark]:
    """What was marked here of a reservation, the oldest first."""
    with replica.lock:
        return replica.store.reminders.of(view.id)


def check_kind(kind: str) -> None:
    """Raises Invalid for what is no short code."""
    if not _KIND.match(kind):
        raise Invalid.field(
            "kind", "must be a code such as day_before: a-z, 0-9 and _, 40 characters at most"
        )


def _require_ahead(view: View, now_ms: int) -> None:
    if view.status != lifecycle.CONFIRMED:
        raise BadTransition(
            f"{view.code} is {lifecycle.called(view.status)}, so that there is nobody to remind",
            view.status,
        )
    if view.starts_at * 1000 <= now_ms:
        raise Gone(f"{view.code} has begun; there is nothing to remind of any more")


def _when(replica: Service, view: View, at_ms: int) -> str:
    venue = replica.venue(recording.venue_of(view)).venue
    return "at " + wall.format_time(venue, at_ms // 1000)[:16].replace("T", " ")
