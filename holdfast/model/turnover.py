"""How often the tables of a venue are taken, and for how long: turn-over (feature H-46).

Owns what these figures mean; docs/numbers.md has each in a line. They come from who was checked in
where, and from when their visit was completed, and from nothing that was planned. Functions of
reservations, a venue and dates, as all figures are.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable
from typing import Any

from holdfast.model.figures import HOUSE, SEATED, mean, median
from holdfast.model.moments import Told, completed_at_ms
from holdfast.model.open_time import OpenTime
from holdfast.model.sitting import sat_at
from holdfast.model.venue import Venue


class Turns:
    """The parties that came to a place, and how long those stayed of whom both ends were said."""

    def __init__(self) -> None:
        self.parties = 0
        self.covers = 0
        self.minutes: Counter[int] = Counter()

    def add(self, covers: int, minutes: int | None) -> None:
        self.parties += 1
        self.covers += covers
        if minutes is not None:
            self.minutes[minutes] += 1

    def figures(self, tables: int, days: int) -> dict[str, Any]:
        """As figures, for so many tables on so many open days."""
        return {
            "parties": self.parties,
            "covers": self.covers,
            "turns_per_day": round(self.parties / (tables * days), 2) if tables and days else None,
            "minutes": {
                "parties": self.minutes.total(),
                "median": median(self.minutes),
                "mean": mean(self.minutes),
            },
        }


def compute(
    venue: Venue, first: datetime.date, last: datetime.date, rows: Iterable[Told]
) -> dict[str, Any]:
    """The turn-over of the service dates from first to last: of each unit, of each area, of all.

    A party at tables that were put together counts at each of them, and once in an area. Pools are
    left out: nobody turns a bar over.
    """
    time = OpenTime(venue, first, last)
    days = sum(minutes > 0 for minutes in time.minutes)
    dates = {day.isoformat() for day in time.dates}
    units = {one.id: one for one in venue.resources if not one.pool}
    by_table = {name: Turns() for name in units}
    by_area = {one.area: Turns() for one in units.values()}
    whole = Turns()
    for told in rows:
        view = told.view
        if view.service_date not in dates or view.status not in SEATED or view.kind == HOUSE:
            continue
        places = [name for name in sat_at(view) if name in units]
        if not places:
            continue
        came_ms, left_ms = view.checked_in_at_ms, completed_at_ms(told.seen)
        minutes = (left_ms - came_ms) // 60_000 if came_ms and left_ms >= came_ms else None
        covers = view.actual_party_size or view.party_size
        whole.add(covers, minutes)
        for name in places:
            by_table[name].add(covers, minutes)
        for area in {units[name].area for name in places}:
            by_area[area].add(covers, minutes)
    in_area = Counter(one.area for one in units.values())
    return {
        "open_days": days,
        **whole.figures(len(units), days),
        "tables": [
            {"resource": name, "area": one.area or None, **by_table[name].figures(1, days)}
            for name, one in units.items()
        ],
        "areas": [
            {"area": area, "tables": in_area[area], **turns.figures(in_area[area], days)}
            for area, turns in by_area.items()
            if area
        ],
    }
