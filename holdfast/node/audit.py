"""The record of changes: who did what, when, and what it changed.

Owns the reading of the journal as a list for people. It writes nothing and shows no personal data:
entries have none, and of a guest card only its id. Whether the record is whole is `verify`'s
business, found under this name too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from holdfast.model.claims import Seen
from holdfast.model.entries import Entry
from holdfast.model.errors import Conflict, Invalid, NotFound
from holdfast.model.events import ExceptionResolved
from holdfast.model.forms import HOLD, WAITLIST, form_now
from holdfast.model.ids import uuid_text
from holdfast.model.limits import LIST_LIMIT, LIST_LIMIT_MAX
from holdfast.model.reservation import BLOCK, View, content_of, fold, shown_claims
from holdfast.model.sitting import seated_at
from holdfast.node import actors
from holdfast.node.audit_words import book_change
from holdfast.node.lookup import (
    find_record,
    judged_at,
    position_of,
    rfc3339_ms,
    venue_time,
)
from holdfast.node.replica import Replica
from holdfast.node.verify import BadEntry, VerifyReport, verify_store
from holdfast.store.journal import JournalRow
from holdfast.sync import gate
from holdfast.sync.gate import Judged

__all__ = ["AUDIT_ACTOR", "BadEntry", "VerifyReport", "audit_entries", "state_of", "verify_store"]

KIND_WORDS: Final = {
    "reservation.created": "made",
    "reservation.amended": "changed",
    "reservation.moved": "moved",
    "reservation.reserved": "reserved",
    "reservation.expired": "lapsed",
    "reservation.cancelled": "cancelled",
    "reservation.checked_in": "checked in",
    "reservation.completed": "completed",
    "reservation.no_show": "marked as no-show",
    "reservation.no_show_undone": "no-show undone",
    "reservation.attendance_confirmed": "attendance confirmed",
    "claim.decided": "decided by the holder of the place",
    "claim.ended": "place freed",
    "exception.resolved": "exception resolved by a person",
    "operation.withdrawn": "operation withdrawn by its writer",
    "chain.certified": "device began to write",
    "chain.key_changed": "device changed its key",
    "chain.succeeded": "device went on as another life",
    "chain.closed": "life of a device closed by the hub",
    "node.revoked": "device shut out",
    "venue.configured": "venue configured",
    "venue.key_published": "venue key published",
    "venue.key_accepted": "venue key in force",
    "venue.key_handed": "venue key handed to a device",
    "codes.granted": "reservation codes granted",
    "guest.erased": "guest forgotten: the cards of this agent id are destroyed everywhere",
    "guest.erasure_confirmed": "a device has destroyed what it held of forgotten guests",
    "guest.exported": "all about a guest taken out in clear",
    "guest.restricted": "guest restricted in what they may reserve",
    "guest.restriction_lifted": "restriction of a guest lifted",
    "guest.profiled": "guest given a tier and tags",
    "guest.flagged": "guest marked, or a mark taken away",
    "guest.noted": "note about a guest written or changed",
    "guest.note_withdrawn": "note about a guest withdrawn",
    "guest.described": "what a guest prefers and agrees to was said",
    "guest.merged": "two agent ids said to be one guest",
    "guest.unmerged": "two agent ids said to be two guests after all",
    "resource.cleaned": "table cleaned",
    "service.notes_edited": "notes of a service edited",
    "reservation.approved": "approved by the house",
    "right.granted": "allotment granted",
    "right.returned": "allotment returned",
    "right.revoked": "allotment revoked",
}
FORM_WORDS: Final = {
    (HOLD, "reservation.created"): "held",
    (HOLD, "reservation.cancelled"): "hold given back",
    (HOLD, "reservation.expired"): "hold lapsed",
    (WAITLIST, "reservation.created"): "put on the waitlist",
    (WAITLIST, "reservation.moved"): "place offered",
    (WAITLIST, "reservation.cancelled"): "left the waitlist",
    (WAITLIST, "reservation.expired"): "waited in vain",
    (BLOCK, "reservation.created"): "taken out of use",
    (BLOCK, "reservation.cancelled"): "put back into use",
}
"""What a step is called of what was no reservation before it."""
AUDIT_ACTOR: Final = frozenset({"by", "by_name"})
"""What a change says of who did it, beside the device that wrote it."""
ASKED_TO_MOVE: Final = "asked to move"
"""A move whose new place somebody else has to give: it waits, and the old place stays."""
_ROWS_AT_ONCE: Final = 512
"""Rows read in one go under the replica's lock: writers wait for no more."""


def audit_entries(
    replica: Replica,
    reservation: str | None = None,
    starts_ms: int | None = None,
    ends_ms: int | None = None,
    limit: int = LIST_LIMIT,
    cursor: str | None = None,
    sees: Callable[[str], bool] | None = None,
    *,
    newest: bool = False,
) -> tuple[list[dict[str, Any]], str | None]:
    """Changes with their writer, whoever did it, time, and the fields before and after, and the
    next cursor.

    Of one reservation (id or code) they come in the order of the fold, else in the order in which
    this replica learned of them. `starts_ms` and `ends_ms` bound the stamps, half-open; `sees`
    tells which venues may be looked at. `newest`: the last ones instead of the first, told in the
    same order, and the cursor leads to what was before them. Raises NotFound for an unknown
    reservation, Invalid for a cursor that no such list gave.
    """
    if not 1 <= limit <= LIST_LIMIT_MAX:
        raise Invalid.field("limit", f"must be from 1 to {LIST_LIMIT_MAX}")
    position = _position(cursor)
    if reservation is not None:
        found = _of_reservation(replica, reservation, position, sees, newest=newest)
    else:
        found = _of_journal(replica, position, sees, newest=newest)
    items, place = _page(found, starts_ms, ends_ms, limit)
    known = actors.names(replica)
    for item in items:
        item["by_name"] = known.get(item["by"])
    return items[::-1] if newest else items, place


def _page(
    found: Iterator[tuple[int, dict[str, Any]]],
    starts_ms: int | None,
    ends_ms: int | None,
    limit: int,
) -> tuple[list[dict[str, Any]], str | None]:
    items: list[dict[str, Any]] = []
    last = 0
    for place, item in found:
        if starts_ms is not None and item["at_ms"] < starts_ms:
            continue
        if ends_ms is not None and item["at_ms"] >= ends_ms:
            continue
        if len(items) == limit:
            return items, str(last)
        items.append(item)
        last = place
    return items, None


def _position(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise Invalid.field("cursor", "is not one that this list gave; start again")
    return int(cursor)


# --- one reservation ----------------------------------------------------------------------------


def _of_reservation(
    replica: Replica,
    reference: str,
    last: int | None,
    sees: Callable[[str], bool] | None,
    *,
    newest: bool,
) -> Iterator[tuple[int, dict[str, Any]]]:
    """`last` is the place, counted from 1, that was told last."""
    unknown = NotFound(f"no reservation {reference!r} is known here")
    try:
        record = find_record(replica, reference)
    except Conflict as error:
        # It names what else is called so, in other venues too.
        raise error if sees is None else unknown from None
    if sees is not None and not sees(record.book.partition("/")[2]):
        raise unknown
    seen = _in_order(record.seen)
    places = range((len(seen) + 1 if last is None else last) - 2, -1, -1)
    for place in places if newest else range(last or 0, len(seen)):
        written = _written(replica, record.book, seen[place])
        yield place + 1, _change(replica, record.book, record.id, seen, place, written)


def _in_order(seen: Sequence[Seen]) -> list[Seen]:
    """Each entry once, as the fold orders them."""
    unique = {entry.operation: entry for entry in seen}
    return sorted(unique.values(), key=lambda entry: (entry.stamp, entry.node, entry.operation))


def _written(replica: Replica, book: str, entry: Seen) -> Entry | None:
    """The entry itself: how wrong the writer's clock may have been, and who did it, stand in it
    alone."""
    place = position_of(replica, book, entry.node, entry.operation, entry.stamp)
    judged = judged_at(replica, *place) if place is not None else None
    return judged.entry if judged is not None else None


def _change(
    replica: Replica,
    book: str,
    reservation: bytes,
    seen: Sequence[Seen],
    place: int,
    written: Entry | None,
) -> dict[str, Any]:
    entry = seen[place]
    venue = book.partition("/")[2]
    rights = replica.rights(book)
    view = fold(reservation, seen[: place + 1], rights)
    earlier = fold(reservation, seen[:place], rights) if place else None
    before = {} if earlier is None else state_of(replica, venue, earlier)
    after = state_of(replica, venue, view)
    item = _who_and_when(replica, book, entry.node, entry.kind, entry.stamp, written)
    event = content_of(entry)
    if isinstance(event, ExceptionResolved):
        after |= {
            "resolved": event.exception, "action": event.action, "reason": event.reason or None
        }  # fmt: skip
    changed = [name for name in after if after[name] != before.get(name)]
    if entry.kind == "reservation.moved" and after["pending_change"]:
        item["what"] = ASKED_TO_MOVE
    form = form_now(view if earlier is None else earlier)
    item["what"] = FORM_WORDS.get((form, entry.kind), item["what"])
    return item | {
        "operation": entry.operation.hex(),
        "reservation": uuid_text(reservation),
        "code": view.code or None,
        "counts": bool(entry.content),
        "before": {name: before[name] for name in changed if name in before},
        "after": {name: after[name] for name in changed},
    }


def state_of(replica: Replica, venue: str, view: View) -> dict[str, Any]:
    """A folded reservation's fields as JSON values, without anything personal."""
    fields: dict[str, Any] = {
        "status": view.status,
        "assurance": view.assurance,
        "service_date": view.service_date or None,
        "starts_at": venue_time(replica, venue, view.starts_at) if view.starts_at else None,
        "ends_at": venue_time(replica, venue, view.ends_at) if view.ends_at else None,
        "party_size": view.party_size,
        "resources": [claim.resource for claim in shown_claims(view)],
        "quantities": [claim.quantity for claim in shown_claims(view)],
        "kind": view.kind,
        "source": view.source,
        "may_move": view.may_move,
        "area": view.area or None,
        "occasion": view.occasion or None,
        "nights": view.nights,
        "agent_id": view.agent_id or None,
        "metadata": view.metadata,
        "guest_card": view.card.id.hex() if view.card is not None else None,
        "verdict": view.decision.verdict if view.decision is not None else None,
        "override": view.override or None,
        "cancel_reason": view.cancel_reason or None,
        "cancelled_by": view.cancelled_by or None,
        "checked_in_at": rfc3339_ms(view.checked_in_at_ms) if view.checked_in_at_ms else None,
        "actual_party_size": view.actual_party_size,
        "seated_at": seated_at(view),
        "attendance_confirmed": view.attendance_confirmed,
        "approval": view.approval or None,
        "exceptions": [kind for kind, _ in view.exceptions],
        "form": form_now(view) or None,
        **_form_of(replica, venue, view),
    }
    change = view.pending_change
    fields["pending_change"] = change and {
        "starts_at": venue_time(replica, venue, change["starts_at"]),
        "ends_at": venue_time(replica, venue, change["ends_at"]),
        "resources": change["resources"],
    }
    return fields


def _form_of(replica: Replica, venue: str, view: View) -> dict[str, Any]:
    """What is told of a hold, of who waits, and of a block."""
    form = view.form
    held = bool(form_now(view)) and bool(view.expires_at_ms)
    expires_s = view.expires_at_ms // 1000
    return {
        "expires_at": venue_time(replica, venue, expires_s) if held else None,
        "priority": form.priority if form is not None else 0,
        "used_for": (form.use or None) if form is not None else None,
        "block_reason": (form.reason or None) if form is not None else None,
        "series": (form.series.hex() or None) if form is not None else None,
    }


# --- everything, as it arrived ------------------------------------------------------------------


def _of_journal(
    replica: Replica, last: int | None, sees: Callable[[str], bool] | None, *, newest: bool
) -> Iterator[tuple[int, dict[str, Any]]]:
    """`last` is the place in the order of arrival that was told last."""
    journal = replica.store.journal
    while True:
        with replica.lock:
            walk = journal.walk_back(last) if newest else journal.walk(last or 0)
            rows = list(islice(walk, _ROWS_AT_ONCE))
        for row in rows:
            book = replica.store.journal.chain_by_id(row.chain).book
            if sees is None or sees(book.partition("/")[2]):
                yield row.seq, _row_item(replica, row)
        if len(rows) < _ROWS_AT_ONCE:
            return
        last = rows[-1].seq


def _row_item(replica: Replica, row: JournalRow) -> dict[str, Any]:
    chain = replica.store.journal.chain_by_id(row.chain)
    author = replica.authors(chain.book).get(chain.incarnation)
    judged = gate.for_role(
        gate.judge(chain.incarnation, row.n, row.hash, row.entry),
        author.role if author is not None else "",
    )
    entry = judged.entry
    if entry is None:
        item = _who_and_when(replica, chain.book, chain.incarnation, "unreadable", 0, None)
        return item | _administrative(judged, {}, {})
    if entry.subject:
        record = replica.record(entry.subject, chain.book)
        seen = _in_order(record.seen) if record is not None else []
        for place, each in enumerate(seen):
            if each.operation == judged.operation:
                return _change(replica, chain.book, entry.subject, seen, place, entry)
    item = _who_and_when(replica, chain.book, chain.incarnation, entry.kind, entry.stamp, entry)
    before, after = book_change(replica, chain.book, row, judged.event)
    return item | _administrative(judged, before, after)


def _administrative(
    judged: Judged, before: dict[str, Any], after: dict[str, Any]
) -> dict[str, Any]:
    return {
        "operation": judged.operation.hex(),
        "reservation": None,
        "code": None,
        "counts": judged.event is not None,
        "before": before,
        "after": after,
    }


def _who_and_when(
    replica: Replica, book: str, incarnation: bytes, kind: str, stamp: int, written: Entry | None
) -> dict[str, Any]:
    author = replica.authors(book).get(incarnation)
    venue = book.partition("/")[2]
    at_ms = stamp >> 16
    return {
        "venue": venue,
        "node": author.info.name if author is not None else "unknown",
        "role": author.info.role if author is not None else "unknown",
        "incarnation": incarnation.hex(),
        "kind": kind,
        "what": KIND_WORDS.get(kind, "written by a newer version, or unreadable"),
        "at": venue_time(replica, venue, at_ms // 1000),
        "at_ms": at_ms,
        "uncertainty_ms": written.uncertainty_ms if written is not None else 0,
        "by": (written.by or None) if written is not None else None,
    }
