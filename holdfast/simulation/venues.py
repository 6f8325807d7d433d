"""The simulated places: a restaurant with units, a combination and a pool; a house with stays.

Small on purpose: a day must bring several parties for one table, or nothing is ever contested.
Some of it may be overbooked on purpose.
"""

from __future__ import annotations

from typing import Any, Final

TENANT: Final = "simulated"

_WEEK: Final = {
    day: [["08:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
}

RESTAURANT: Final[dict[str, Any]] = {
    "venue": "trattoria",
    "name": "Trattoria",
    "kind": "restaurant",
    "time_zone": "Europe/Rome",
    "slot_minutes": 30,
    "seating_minutes": 90,
    "hours": _WEEK,
    "policies": {"advance_days": 365, "max_party": 12},
    "resources": [
        {"id": "T1", "kind": "table", "seats": [1, 2], "area": "Main"},
        {"id": "T2", "kind": "table", "seats": [1, 2], "area": "Main"},
        {"id": "T3", "kind": "table", "seats": [2, 4], "area": "Main", "combines_with": ["T4"]},
        {"id": "T4", "kind": "table", "seats": [2, 4], "area": "Garden", "priority": 1},
        {"id": "HALL", "kind": "pool", "capacity": 10, "counts": "people"},
    ],
    "overbooking": [
        {"resources": ["T1", "T3"], "limit": 1},
        {"resources": ["HALL"], "limit": 2},
    ],
}
HOTEL: Final[dict[str, Any]] = {
    "venue": "hotel",
    "name": "Hotel",
    "kind": "lodging",
    "time_zone": "Europe/Rome",
    "stays": {"check_in": "15:00", "check_out": "11:00", "max_nights": 30},
    "policies": {"advance_days": 365},
    "resources": [
        {"id": "DOUBLE", "kind": "room", "capacity": 2, "counts": "units", "seats": [1, 2]},
        {"id": "R101", "kind": "suite", "seats": [1, 4]},
    ],
    "overbooking": [{"resources": ["DOUBLE"], "limit": 1}],
}
VENUES: Final = {"trattoria": RESTAURANT, "hotel": HOTEL}
