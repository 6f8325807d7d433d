"""How the floor looks as JSON. Decides nothing; a guest's card is added only where the caller says
that it may."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from holdfast.api.render import guest_card
from holdfast.api.shapes import floor as shapes
from holdfast.api.shapes.venues import ResourceEntry
from holdfast.model import calendar, wall
from holdfast.model.floor import STATES, Table
from holdfast.model.ids import uuid_text
from holdfast.model.reservation import View
from holdfast.model.venue import Resource, Venue, resource_document

if TYPE_CHECKING:
    from holdfast.api.face import Replica


def render_floor(
    replica: Replica, venue: Venue, tables: list[Table], at_s: int, *, with_guest: bool
) -> shapes.Floor:
    """The whole floor at an instant."""
    return shapes.Floor(
        venue=venue.id,
        at=wall.format_time(venue, at_s),
        date=calendar.service_date(venue, at_s).isoformat(),
        floors=[
            shapes.FloorPlan(
                id=one.id,
                name=one.name or UNSET,
                image=one.image or UNSET,
                size=one.size or UNSET,
                totals=_totals(table for table in tables if table.resource.floor == one.id),
            )
            for one in venue.floors
        ],
        totals=_totals(tables),
        items=[render_table(replica, venue, one, with_guest=with_guest) for one in tables],
    )


def render_table(
    replica: Replica, venue: Venue, table: Table, *, with_guest: bool
) -> shapes.TableState:
    """One resource, and how it stands."""

    def party(view: View) -> shapes.PartyAtTable:
        return shapes.PartyAtTable(
            id=uuid_text(view.id),
            code=view.code,
            status=view.status,
            assurance=view.assurance,
            starts_at=wall.format_time(venue, view.starts_at),
            ends_at=wall.format_time(venue, view.ends_at),
            party_size=view.actual_party_size or view.party_size,
            checked_in_at=wall.format_time(venue, view.checked_in_at_ms // 1000)
            if view.checked_in_at_ms
            else None,
            occasion=view.occasion or None,
            area=view.area or None,
            may_move=view.may_move,
            guest=guest_card(replica, view, own=False) if with_guest else UNSET,
        )

    values: dict[str, Any] = {
        "state": table.state,
        "since": wall.format_time(venue, table.since_ms // 1000) if table.since_ms else None,
        "party": [party(view) for view in table.party],
        "due": [party(view) for view in table.due],
        "next_party": party(table.next) if table.next is not None else None,
        "block": _block(venue, table.block) if table.block is not None else None,
        "taken": table.taken,
        "promised": table.promised,
    }
    entry = msgspec.convert(resource_document(table.resource), ResourceEntry)
    fields: dict[str, Any] = {name: getattr(entry, name) for name in entry.__struct_fields__}
    return shapes.TableState(**fields, **values)


def _block(venue: Venue, view: View) -> shapes.BlockAtTable:
    assert view.form is not None
    return shapes.BlockAtTable(
        id=uuid_text(view.id),
        code=view.code,
        kind=view.form.use,
        reason=view.form.reason or None,
        ends_at=wall.format_time(venue, view.ends_at),
    )


def _totals(tables: Iterable[Table]) -> shapes.FloorTotals:
    found = list(tables)
    states = Counter(table.state for table in found)
    active = [table.resource for table in found if table.resource.active]
    return shapes.FloorTotals(
        tables=len(active),
        seats=sum(map(_seats, active)),
        states=shapes.StateCounts(**{state: states[state] for state in STATES}),
    )


def _seats(resource: Resource) -> int:
    return (resource.seats or 0) * resource.capacity
