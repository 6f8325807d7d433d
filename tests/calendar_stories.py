"""A venue with every kind of event in its calendar, for those who read feeds back.

Owns the fleet and its year: a bar by the clock of Rome that never closes, on nights on which clocks
change, with what was moved, called off and only asked for; and a hotel with stays.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from holdfast.node.hub import Hub
from tests.kit import HOTEL, Fleet

NAME = "Bar «Città», Notte; sì\\no"
BAR: dict[str, Any] = {
    "venue": "bar", "name": NAME, "kind": "restaurant", "time_zone": "Europe/Rome",
    "day_starts_at": "06:00", "slot_minutes": 30, "seating_minutes": 90,
    "policies": {"advance_days": 400},
    "resources": [
        {"id": "T1", "kind": "table", "seats": [1, 2], "area": "Main"},
        {"id": "T2", "kind": "table", "seats": [1, 2], "area": "Main, left"},
        {"id": "T3", "kind": "corner_table", "seats": [1, 4], "combines_with": ["T4"]},
        {"id": "T4", "kind": "corner_table", "seats": [1, 4]},
        {"id": "HALL", "kind": "pool", "capacity": 10, "counts": "people"},
    ],
    "allotments": [{"holder": "desk", "resources": ["T1"]}],
}  # fmt: skip
CLOCKS_BACK = "2027-10-31"
CLOCKS_FORWARD = "2028-03-26"


def bar(directory: Path) -> Fleet:
    """The bar's hub and desk, which know the same; to be closed by whoever asks for it."""
    fleet = Fleet(directory, BAR)
    desk = fleet.join("desk")
    fleet.sync_all()
    hub = fleet.the_hub
    fleet.reserve(desk, "19:30", ["T1"])
    fleet.reserve(hub, "23:30", ["T2"])
    moved = fleet.reserve(hub, "20:00", ["T3", "T4"], party=8)
    fleet.clocks.advance(hours=1)
    fleet.move(hub, moved, time="21:00")
    fleet.reserve(hub, "22:00", ["HALL"], party=3)
    fleet.reserve(hub, "18:00", ["T2"], kind="house")
    off = fleet.reserve(hub, "12:00", ["T2"])
    hub.reservations.cancel(off.code, "guest_request", "guest")
    # To 02:00 by the clock that was put back meanwhile; and within the hour that comes twice.
    fleet.reserve(hub, f"{CLOCKS_BACK}T01:30", ["T2"])
    fleet.reserve(hub, f"{CLOCKS_BACK}T02:30+02:00", ["T3"])
    fleet.reserve(hub, f"{CLOCKS_BACK}T02:30+01:00", ["T4"])
    fleet.reserve(hub, f"{CLOCKS_BACK}T03:30", ["T1"])
    fleet.reserve(hub, f"{CLOCKS_FORWARD}T01:30", ["T2"])
    fleet.reserve(hub, f"{CLOCKS_FORWARD}T03:00", ["T3"])
    fleet.sync_all()
    return fleet


def hotel(fleet: Fleet) -> None:
    """Beside the bar: two stays that follow each other, a day room, and two rooms of a type."""
    hub: Hub = fleet.the_hub
    hub.import_venue(copy.deepcopy(HOTEL))
    stays: list[tuple[str, list[str], dict[str, Any]]] = [
        ("2027-06-03T15:00", ["R101"], {"nights": 2}),
        ("2027-06-05T15:00", ["R101"], {"nights": 1}),
        ("2027-06-05T12:00", ["R101"], {"duration_minutes": 120}),
        (f"{CLOCKS_BACK}T15:00", ["DOUBLE"], {"nights": 3, "quantity": 2}),
    ]
    for time, names, more in stays:
        request = fleet.request(time, names, venue="hotel", **more)
        hub.reservations.create(request)
