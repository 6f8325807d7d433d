"""Which places are out of use here, and whether that is why nothing is free.

Owns the reading of the blocks that stand, and how they are told: to the house with what they are
for, to others not at all. The rule stands in `model.out_of_use`. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from holdfast.model import out_of_use, wall
from holdfast.model.ids import uuid_text
from holdfast.model.offers import Choice, VenueIndex
from holdfast.model.out_of_use import BLOCKED, FULL, Taken
from holdfast.model.reservation import BLOCK, View, shown_claims

if TYPE_CHECKING:
    from holdfast.node.service import Service

TOLD_MAX: Final = 5
"""Blocks that one refusal names."""


class OutOfUse:
    """The blocks that touch a span of time, read once for all that is asked about it."""

    def __init__(self, replica: Service, venue: VenueIndex, first: int, before: int) -> None:
        self._venue = venue
        book = replica.book_of(venue.venue.id)
        if replica.in_transaction:
            # What this transaction has written counts too.
            replica.write_projections()
        projections = replica.store.projections
        self._occupancy = projections.occupancy(book)
        longest = projections.longest_seconds(book)
        standing = projections.select(
            book=book, form=BLOCK, starts_from=first - longest, starts_before=before, limit=-1
        )
        self._view_by_id = {view.id: view for view in standing if view.ends_at > first}

    def why(self, choices: Sequence[Choice], start: int, end: int) -> tuple[str, list[View]]:
        """Why none of some choices is free throughout [start, end): `full`; or `blocked`, and the
        blocks that are in the way, in the order of their starts."""
        if not self._view_by_id:
            return FULL, []

        def capacity_of(name: str) -> int:
            return self._venue.resource_by_id[name].capacity

        def blocked(name: str) -> Iterable[Taken]:
            for held in self._occupancy.overlapping(name, start, end):
                if held.reservation in self._view_by_id:
                    yield held.start, held.end, held.quantity

        if not out_of_use.all_out_of_use(choices, capacity_of, blocked, start, end):
            return FULL, []
        return BLOCKED, self._in_the_way(choices, start, end)

    def _in_the_way(self, choices: Sequence[Choice], start: int, end: int) -> list[View]:
        ids = {
            held.reservation
            for name in {name for choice in choices for name in choice.resources}
            for held in self._occupancy.overlapping(name, start, end)
        }
        found = [view for one, view in self._view_by_id.items() if one in ids]
        return sorted(found, key=lambda view: (view.starts_at, view.id))


def told(venue: VenueIndex, views: Sequence[View]) -> list[dict[str, Any]]:
    """Blocks as the house is told of them."""
    return [
        {
            "id": uuid_text(view.id),
            "kind": view.form.use,
            "reason": view.form.reason or None,
            "resources": sorted({claim.resource for claim in shown_claims(view)}),
            "starts_at": wall.format_time(venue.venue, view.starts_at),
            "ends_at": wall.format_time(venue.venue, view.ends_at),
        }
        for view in views[:TOLD_MAX]
        if view.form is not None
    ]


def words(venue: VenueIndex, views: Sequence[View]) -> str:
    """What the house reads of the first block in the way: what for, why, and until when, where no
    other one follows."""
    for view in views:
        if view.form is not None:
            what = "" if view.form.use == "blocked" else view.form.use.replace("_", " ")
            why = view.form.reason.replace("_", " ")
            until = wall.format_time(venue.venue, view.ends_at)[:16].replace("T", " ")
            said = dict.fromkeys(part for part in (what, why) if part)
            ends = [f"until {until}"] if len(views) == 1 else []
            return ", ".join([*[": ".join(said)] * bool(said), *ends])
    return ""
