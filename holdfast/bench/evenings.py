"""Availability as a front desk asks for it: a restaurant of 50 tables that is well booked.

Owns that venue, its evenings, and the figures of asking what is free, and for a page of the list.
The tables differ in seats and area, a part of them is put together, and the hub holds everything,
as where nobody was granted anything.
"""

from __future__ import annotations

import datetime
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx

from holdfast.bench import processes
from holdfast.model.errors import HoldfastError
from holdfast.node.hub import Hub
from holdfast.node.requests import AvailabilityRequest, CreateRequest

TABLES: Final = 50
PER_DAY: Final = 200
TRIES_PER_DAY: Final = 10 * PER_DAY
RUNS: Final = 25
PAGE: Final = 50
"""Reservations on one page of the list, the number that is given unless another is asked for."""


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
    """Book 200 parties on each of the days; who finds a time full asks for another. Returns how
    many reservations that made."""
    draw, made = random.Random(7), 0  # noqa: S311  (the same evenings in every run)
    for offset in range(days):
        day = first_day() + datetime.timedelta(days=offset)
        until = made + PER_DAY
        with hub.transaction():
            for _ in range(TRIES_PER_DAY):
                quarter = min(max(int(draw.gauss(29, 8)), 0), 43)
                request = CreateRequest(
                    venue="evenings", party_size=draw.choice((1, 2, 2, 2, 3, 4, 4, 5, 6)),
                    starts_at=f"{day}T{12 + quarter // 4:02d}:{quarter % 4 * 15:02d}",
                )  # fmt: skip
                try:
                    hub.reservations.create(request)
                except HoldfastError:
                    continue
                made += 1
                if made == until:
                    break
        assert made == until, f"{until - made} of {PER_DAY} parties found no time on {day}"
    return made


def measure(
    directory: Path, state: Path, progress: Callable[[str], None], *, quick: bool = False
) -> dict[str, float]:
    """Milliseconds, medians: of calls in this process for what is free for two on a service date
    and (unless `quick`) on 30 of them; of requests to a process of its own for the first page of
    that date's reservations. `state` is where those processes keep their witness."""
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
            "availability_reservations": made,
            "availability_day_ms": _median_ms(lambda: _ask(hub, day)),
        }
        if not quick:
            found["availability_30_days_ms"] = _median_ms(lambda: _ask(hub, month))
    finally:
        hub.close()
    return found | {"list_page_ms": _page_ms(directory / "evenings", state)}


def _ask(hub: Hub, request: AvailabilityRequest) -> None:
    hub.reservations.availability(request)


def _page_ms(directory: Path, state: Path) -> float:
    """One connection that stays open, as a desk's page has; an answer counts only when it is whole
    and has been read as JSON."""
    words = ["-m", "holdfast", "hub", "run", "--data", str(directory), "--port", "0"]
    token = (directory / "admin-token").read_text("utf-8").strip()
    path = f"/api/v1/reservations?venue=evenings&date={first_day()}&limit={PAGE}"
    with (
        processes.running(words, state) as child,
        httpx.Client(
            base_url=processes.ready_line(child), headers={"Authorization": f"Bearer {token}"}
        ) as client,
    ):

        def page() -> None:
            rows = client.get(path).raise_for_status().json()["items"]
            assert len(rows) == PAGE, f"a page of {len(rows)} reservations"

        return _median_ms(page)


def _median_ms(act: Callable[[], None]) -> float:
    act()
    taken = []
    for _ in range(RUNS):
        started = time.perf_counter()
        act()
        taken.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(taken), 2)
