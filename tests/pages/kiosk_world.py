"""A place with bays and tables, and its machines: hub, desk, and the kiosk at the door."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any, Final

from holdfast.node.hub import Hub
from holdfast.node.node import Node
from tests.pages.machines import Machine

VENUE: Final[dict[str, Any]] = {
    "venue": "arcade",
    "name": "Arcade Roma",
    "kind": "centre",
    "time_zone": "Europe/Rome",
    "slot_minutes": 30,
    "seating_minutes": 60,
    "policies": {"max_party": 12, "cutoff_minutes": 30},
    "resources": [
        *({"id": f"BAY-{n}", "kind": "bay", "seats": [1, 4], "area": "Floor"} for n in range(1, 9)),
        *({"id": f"T{n}", "kind": "table", "seats": [1, 6], "area": "Garden"} for n in range(1, 9)),
    ],
    "allotments": [{"holder": "kiosk", "resources": ["BAY-*"]}],
}
"""It never closes, and has room for all tests together. The kiosk sells the bays by itself, and
asks the hub for tables."""


class Place:
    """The three machines; `close` ends them."""

    def __init__(self, place: Path) -> None:
        with closing(Hub.init(place / "hub", "rome")) as hub:
            hub.import_venue(VENUE)
            roles = {"desk": "front-desk", "kiosk": "kiosk"}
            codes = {name: hub.invite("arcade", role, name).code for name, role in roles.items()}
        self.hub = Machine("hub", place / "hub")
        for name, code in codes.items():
            Node.join(self.hub.url, code, place / name).close()
        self.desk = Machine("node", place / "desk")
        self.kiosk = Machine("node", place / "kiosk")

    def close(self) -> None:
        for one in (self.kiosk, self.desk, self.hub):
            one.close()
