"""The venue of the kill tests, and directories that belong together without a network.

Owns the venue's file and the making of a hub and its nodes. Real clocks: whoever is killed has
nobody to lend it a clock.
"""

from __future__ import annotations

import datetime
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from holdfast.node import joining
from holdfast.node.hub import Hub

TENANT = "demo"
VENUE = "trattoria"
BOOK = f"{TENANT}/{VENUE}"
URL = "http://hub.test"


def venue_document(version: int = 1) -> dict[str, Any]:
    """A hall that never fills and four tables that do."""
    tables = [{"id": f"T{n}", "kind": "table", "seats": [1, 4]} for n in range(1, 5)]
    hall = {"id": "HALL", "kind": "pool", "capacity": 90_000, "counts": "people"}
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return {
        "venue": VENUE,
        "name": f"Trattoria {version}",
        "kind": "restaurant",
        "time_zone": "Europe/Rome",
        "slot_minutes": 30,
        "seating_minutes": 90,
        "hours": {day: [["08:00", "24:00"]] for day in days},
        "policies": {"advance_days": 365, "max_party": 40},
        "resources": [*tables, hall],
    }


def a_start(rng: random.Random) -> str:
    """Some half hour of the coming months."""
    day = datetime.date.today() + datetime.timedelta(days=rng.randrange(2, 300))
    return f"{day.isoformat()}T{rng.randrange(10, 21):02}:{rng.choice(('00', '30'))}"


def make_hub(directory: Path) -> bytes:
    """A closed hub directory with the venue; returns its incarnation."""
    hub = Hub.init(directory, TENANT)
    hub.import_venue(venue_document())
    hub.close()
    return hub.identity.incarnation


def asking(hub: Hub) -> Callable[..., joining.Admitted]:
    """What `joining.ask` does, at a hub that is open in this process."""

    def ask(
        url: str, code: str, key: Any, sealing: Any, incarnation: bytes, trust: object = None,
        device: str = "",
    ) -> joining.Admitted:  # fmt: skip
        request = joining.request_for(code, key, sealing, incarnation, device)
        answer = joining.handle(hub, msgspec.msgpack.encode(request))
        return joining.read_answer(answer, code, key, sealing)

    return ask


def environment() -> dict[str, str]:
    """The environment of a program that the tests start: this checkout, this witness."""
    root = str(Path(__file__).parent.parent.parent)
    return {**os.environ, "PYTHONPATH": root}
