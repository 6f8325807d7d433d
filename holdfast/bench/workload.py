"""What the benchmark reserves: a venue with many bays, and a request for each of its slots.

Owns the sample data. Requests never collide, so that every operation is written, merged and
decided.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any, Final

from holdfast.node.requests import CreateRequest

VENUE: Final = "bench"
BAYS: Final = 40
SLOTS_PER_DAY: Final = 48
MINUTES: Final = 30


def venue_document() -> dict[str, Any]:
    return {
        "venue": VENUE,
        "name": "Benchmark",
        "kind": "centre",
        "time_zone": "Europe/Rome",
        "slot_minutes": MINUTES,
        "seating_minutes": MINUTES,
        "resources": [{"id": f"BAY-{n:02d}", "kind": "bay"} for n in range(BAYS)],
    }


def requests(first: int, count: int) -> Iterator[CreateRequest]:
    """The requests numbered `first` … `first + count` - 1, each for a slot of its own."""
    # In summer time and far from a clock change, so that every wall time of a day exists once.
    base = datetime.date(datetime.date.today().year + 1, 4, 10)
    for number in range(first, first + count):
        bay, rest = number % BAYS, number // BAYS
        day, slot = rest // SLOTS_PER_DAY, rest % SLOTS_PER_DAY
        year, day_of_season = divmod(day, 150)
        date = base.replace(year=base.year + year) + datetime.timedelta(days=day_of_season)
        minutes = slot * MINUTES
        yield CreateRequest(
            venue=VENUE,
            starts_at=f"{date}T{minutes // 60:02d}:{minutes % 60:02d}",
            party_size=2,
            duration_minutes=MINUTES,
            resources=[f"BAY-{bay:02d}"],
        )
