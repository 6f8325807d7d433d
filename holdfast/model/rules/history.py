"""What the entries about a reservation say that the rules ask for."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.claims import DEAD, REQUESTS, Seen, order
from holdfast.model.events import ReservationMoved
from holdfast.model.reservation import View, content_of


def reschedules(view: View, seen: Sequence[Seen]) -> int:
    """How often whoever has a reservation moved it to another start. What came to nothing is not
    counted, nor what the staff moved; what still waits for its decision is."""
    refused = {claim.id.operation for claim in view.claims if claim.state == DEAD}
    number, before = 0, None
    unique = {entry.operation: entry for entry in seen}
    for entry in sorted(unique.values(), key=order):
        if entry.kind not in REQUESTS or not entry.claims or entry.operation in refused:
            continue
        start = min(claim.start for claim in entry.claims)
        event = content_of(entry)
        if isinstance(event, ReservationMoved) and event.by_guest and start != before:
            number += 1
        before = start
    return number
