"""What entries about a book itself say in the record of changes, by names and times.

Owns that telling, entry by entry; which entries are told, and what changed of a reservation, is
`audit`'s business. Beside each name stands the life that it is the name of: names are given again.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from holdfast.model.events import (
    Event,
    GuestErasureConfirmed,
    GuestFlagged,
    GuestRestrictionLifted,
    RightReturned,
    RightRevoked,
    SealedCard,
    VenueConfigured,
)
from holdfast.model.rights import FOREVER
from holdfast.node import guest_marks
from holdfast.node.lookup import node_name, venue_time
from holdfast.node.replica import Replica
from holdfast.store.journal import JournalRow
from holdfast.sync import gate

_LIVES: Final = {
    "incarnation": "device",
    "holder": "holder",
    "recipient": "recipient",
    "by": "goes_on_as",
}
"""Fields that name a life of a device, and what they are called here."""
_INSTANTS: Final = frozenset({"start", "end", "until"})
_NEVER: Final = {"release_minutes": -1}
"""Numbers that stand for none."""


def book_change(
    replica: Replica, book: str, row: JournalRow, event: Event | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an entry about the book changed: of a venue its fields, else what the entry says."""
    if isinstance(event, VenueConfigured):
        before = _venue_before(replica, book, row)
        after = _document(event)
        names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        return (
            {name: before[name] for name in names if name in before},
            {name: after.get(name) for name in names},
        )
    if isinstance(event, GuestFlagged):
        with replica.lock:
            stood = guest_marks.stood_before(replica, book, row.hash[:16], event)
        return {event.flag: stood}, {"agent_id": event.agent_id, event.flag: event.up}
    return {}, {} if event is None else _said(replica, book, event)


def _said(replica: Replica, book: str, event: Event) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if name in _LIVES:
            said[_LIVES[name]] = node_name(replica, book, value)
            said[f"{_LIVES[name]}_incarnation"] = value.hex()
        elif name in _INSTANTS:
            # 0 and the end of time: it is not bounded.
            bounded = 0 < value < FOREVER
            said[name] = venue_time(replica, book.partition("/")[2], value) if bounded else None
        elif name == "until_ms":
            venue = book.partition("/")[2]
            said["until"] = venue_time(replica, venue, value // 1000) if value else None
        elif name in _NEVER and value == _NEVER[name]:
            said[name] = None
        elif isinstance(value, bytes) and 0 < len(value) <= 32:
            said[name] = value.hex()
        elif isinstance(value, int | str) and value != "":
            said[name] = value
        elif isinstance(value, tuple) and value and all(isinstance(one, str) for one in value):
            said[name] = list(value)
        elif isinstance(value, SealedCard):
            said["guest_card"] = value.id.hex()
    return said | _what_it_names(replica, book, event)


def _what_it_names(replica: Replica, book: str, event: Event) -> dict[str, Any]:
    """What an entry says by the names of earlier ones."""
    if isinstance(event, RightReturned | RightRevoked):
        ids = event.rights if isinstance(event, RightReturned) else (event.right,)
        by_id = replica.rights(book).by_id
        found = {name for one in ids if one in by_id for name in by_id[one].resources}
        return {"resources": sorted(found)}
    if isinstance(event, GuestRestrictionLifted):
        placed = replica.store.restrictions.find(book, event.restriction)
        return {"agent_id": placed.said.agent_id} if placed is not None else {}
    if isinstance(event, GuestErasureConfirmed):
        erasures = replica.book(book).administration.erasures
        named = set(event.erasures)
        return {
            "agent_ids": sorted(
                agent for agent, of in erasures.items() if any(one.operation in named for one in of)
            )
        }
    return {}


def _venue_before(replica: Replica, book: str, row: JournalRow) -> dict[str, Any]:
    with replica.lock:
        rows = replica.store.journal.administration(book)
        incarnation = replica.store.journal.chain_by_id(row.chain).incarnation
    earlier: dict[str, Any] = {}
    for other in rows:
        if other.chain == row.chain and other.n < row.n:
            event = gate.judge(incarnation, other.n, other.hash, other.entry).event
            if isinstance(event, VenueConfigured):
                earlier = _document(event)
    return earlier


def _document(event: VenueConfigured) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(event.document)
    except msgspec.DecodeError:
        return {}
    return document if isinstance(document, dict) else {}
