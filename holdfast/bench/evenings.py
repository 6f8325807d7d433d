"""Availability as a front desk asks for it: a restaurant of 50 tables that is well booked.

Owns that venue, its evenings, and the figures of asking what is free. The tables differ in seats
and area, a part of them is put together, and the hub holds everything, as where nobody was granted
anything.
"""

from __future__ import annotations

import datetime
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from holdfast.model.errors import HoldfastError
from holdfast.node.hub import Hub
from holdfast.node.requests import AvailabilityRequest, CreateRequest

TABLES: Final = 50
PER_DAY: Final = 200
RUNS: Final = 25


def venue_document() -> dict[str, Any]:
    """50 tables of 2 to 8 seats in three areas, open from noon to midnight, slots of 15 minutes."""
    tables: list[dict[str, Any]] = []
    for number in range(1, TABLES + 1):
        seats = (2, 2, 4, 4, 4, 6, 8)[number % 7]
        table: dict[str, Any] = {
            "id": f"T{number:02d}", "kind": "table", "seats": [max(1, seats // 2), seats],
            "area": ("Main", "Garden", "Bar")[number % 3],
        }  # fmt: skip
        if number % 10 == 0:
            table["combines_with"] = [f"T{number - 1:02d}"]
        tables.append(table)
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return {
        "venue": "evenings",
        "name": "Evenings",
        "kind": "restaurant",
        "time_zone": "Europe/Rome",
        "slot_minutes": 15,
        "seating_minutes": {"2": 75, "4": 90, "8": 120},
        "buffer_minutes": 10,
        "hours": {day: [["12:00", "24:00"]] for day in days},
        "policies": {"advance_days": 730, "max_party": 8},
        "resources": tables,
    }


def first_day() -> datetime.date:
    return datetime.date(datetime.date.today().year + 1, 4, 10)


def fill(hub: Hub, days: int) -> int:
    """Book each of the days as far as 200 parties fit. Returns how many reservations that made."""
    draw, made = random.Random(7), 0  # noqa: S311  (the same evenings in every run)
    for offset in range(days):
        day = first_day() + datetime.timedelta(days=offset)
        with hub.transaction():
            for _ in range(PER_DAY):
                quarter = min(max(int(draw.gauss(29, 8)), 0), 43)
                request = CreateRequest(
                    venue="evenings", party_size=draw.choice((1, 2, 2, 2, 3, 4, 4, 5, 6)),
                    starts_at=f"{day}T{12 + quarter // 4:02d}:{quarter % 4 * 15:02d}",
                )  # fmt: skip
                try:
                    hub.reservations.create(request)
                except HoldfastError:
                    continue  # That time is full; as many as fit come.
                made += 1
    return made


def measure(
    directory: Path, progress: Callable[[str], None], *, quick: bool = False
) -> dict[str, float]:
    """Milliseconds, medians of calls in this process: a service date for two, and (unless `quick`)
    30 of them."""
    progress(f"what is free at {TABLES} tables")
    hub = Hub.init(directory / "evenings", "bench", synchronous="NORMAL")
    try:
        hub.import_venue(venue_document())
        made = fill(hub, 1 if quick else 30)
        last = first_day() + datetime.timedelta(days=29)
        day = AvailabilityRequest(venue="evenings", party_size=2, date=first_day().isoformat())
        month = AvailabilityRequest(
            venue="evenings", party_size=2, starts_from=f"{first_day()}T12:00",
            starts_before=f"{last}T23:59",
        )  # fmt: skip
        found: dict[str, float] = {
            "availability_reservations": made, "availability_day_ms": _median_ms(hub, day),
        }  # fmt: skip
        if not quick:
            found["availability_30_days_ms"] = _median_ms(hub, month)
        return found
    finally:
        hub.close()


def _median_ms(hub: Hub, request: AvailabilityRequest) -> float:
    hub.reservations.availability(request)
    taken = []
    for _ in range(RUNS):
        started = time.perf_counter()
        hub.reservations.availability(request)
        taken.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(taken), 2)
