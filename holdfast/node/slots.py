"""The slots of a service at this replica: how full each is, as far as is known here.

Owns the reading of what `model.slots` needs. Reads only.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from holdfast.model import calendar, slots
from holdfast.node import blocks

if TYPE_CHECKING:
    from holdfast.node.service import Service


def shown(replica: Service, venue_id: str, day: datetime.date) -> list[slots.Slot]:
    """Every slot of a service date, in order. Raises NotFound."""
    venue = replica.venue(venue_id).venue
    with replica.lock:
        if replica.in_transaction:
            replica.write_projections()
        book, projections = replica.book_of(venue_id), replica.store.projections
        first, before = calendar.service_day(venue, day)
        step = venue.slot_minutes * 60
        views = projections.select(
            book=book, starts_from=first - step, starts_before=before + step, form=None, limit=-1
        )
        longest = projections.longest_seconds(book)
        standing = blocks.in_use(replica, venue_id, first - longest, before)
    return slots.slots(venue, day, views, standing)
