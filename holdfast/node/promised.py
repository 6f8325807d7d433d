"""Reservations that were promised a place and have none: found in a replica, and named in words.

Owns the way from a replica to `model.lost_promises`, and the shape in which every face tells of it.
It reads and changes nothing.
"""

from __future__ import annotations

from typing import Any

from holdfast.model import lost_promises
from holdfast.model.reservation import View
from holdfast.node.replica import Replica
from holdfast.node.words import lost_words
from holdfast.store.projections import Record


def lost(replica: Replica, view: View) -> dict[str, Any] | None:
    """How the promise of a reservation was lost: `how` (a code), `by` (the name of the device that
    had given it) and `words`; None where no promise was."""
    if not lost_promises.may_be_lost(view):
        return None
    with replica.lock:
        record = replica.record(view.id, view.book)
        return None if record is None else lost_of(replica, record)


def lost_of(replica: Replica, record: Record) -> dict[str, Any] | None:
    """The same of what was read already. Call under the lock."""
    found = lost_promises.lost(record.view, record.seen, replica.book(record.book).administration)
    if found is None:
        return None
    return {"how": found.how, "by": found.by, "words": lost_words(found.how, found.by)}
