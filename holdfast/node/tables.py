"""The floor at this replica: how every table stands now, and what a person says of one.

Owns the reading of what `model.floor` needs, and the commands. That a table is clean is an entry of
its own; that its guests sit there, or have gone, is one about their reservation (`marking`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.model import calendar, floor
from holdfast.model.errors import Invalid, NotFound
from holdfast.model.events import ResourceCleaned
from holdfast.model.ids import uuid_text
from holdfast.model.reservation import View
from holdfast.node import blocks, marking, recording

if TYPE_CHECKING:
    from holdfast.node.service import Service
    from holdfast.store.projections import Record

_SHOWN_MAX = 10_000


def shown(replica: Service, venue_id: str, at_s: int | None = None) -> list[floor.Table]:
    """Every table of a venue, at an instant (epoch seconds; None: now). Raises NotFound."""
    venue = replica.venue(venue_id).venue
    with replica.lock:
        now_s = replica.clock.now_ms() // 1000 if at_s is None else at_s
        book = replica.book_of(venue_id)
        if replica.in_transaction:
            replica.write_projections()
        marks = replica.store.tables.cleaned(book)
        cleaned = [one.said for one in marks if replica.vouched(book, one.chain, one.n)]
        return floor.tables(
            venue, now_s, _told(replica, venue_id, now_s), blocks.in_use(replica, venue_id), cleaned
        )


def _told(replica: Service, venue_id: str, now_s: int) -> list[Record]:
    """The reservations that the floor may show: those of the service date, whatever else stands
    there, and everybody who is here."""
    venue, book = replica.venue(venue_id).venue, replica.book_of(venue_id)
    today = calendar.service_date(venue, now_s).isoformat()
    projections = replica.store.projections
    longest = projections.longest_seconds(book)
    views: dict[bytes, View] = {}
    for found in (
        projections.select(book=book, date=today, form=None, limit=_SHOWN_MAX),
        projections.select(
            book=book, starts_from=now_s - longest, starts_before=now_s + floor.AHEAD_SECONDS,
            form=None, limit=_SHOWN_MAX,
        ),
    ):  # fmt: skip
        views |= {view.id: view for view in found if not blocks.is_block(view)}
    records = (replica.record(one, book) for one in views)
    return [record for record in records if record is not None]


def mark(replica: Service, venue_id: str, resource: str, state: str) -> floor.Table:
    """Say how a table stands, and return it as it is then. Raises NotFound, Invalid, BadTransition
    for a jump that no table makes, RoleForbidden."""
    if state not in floor.MARKS:
        raise Invalid.field("state", f"must be one of {', '.join(floor.MARKS)}")
    with replica.transaction():
        table = one(replica, venue_id, resource)
        step = floor.step(table, state)
        if step == floor.CHECK_IN:
            marking.check_in(replica, uuid_text(table.due[0].id))
        elif step == floor.COMPLETE:
            marking.complete(replica, uuid_text(table.party[0].id))
        elif step == floor.CLEAN:
            with recording.refused_as_invalid():
                replica.append(replica.book_of(venue_id), ResourceCleaned(resource))
        return one(replica, venue_id, resource)


def one(replica: Service, venue_id: str, resource: str) -> floor.Table:
    """A table, by its id. Raises NotFound."""
    for table in shown(replica, venue_id):
        if table.resource.id == resource:
            return table
    raise NotFound(f"{venue_id} has no resource {resource!r}; `holdfast tables list` shows them")
