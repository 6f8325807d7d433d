"""A place with bays and tables, and its machines: hub, desk, and the kiosk at the door."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any, Final

import httpx

from holdfast.node.hub import Hub
from holdfast.node.node import Node
from tests.cli.support import Running

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


class Machine:
    """A hub or node that runs, and whoever administers it."""

    def __init__(self, role: str, directory: Path) -> None:
        self.directory = directory
        self.running = Running(role, directory)
        self.url = self.running.url
        token = (directory / "admin-token").read_text("utf-8").strip()
        self.api = httpx.Client(
            base_url=f"{self.url}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
            trust_env=False,
        )

    def get(self, path: str, **query: Any) -> Any:
        answer = self.api.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self.api.post(path, json=body or {})
        assert answer.is_success, answer.text
        return answer.json()

    def ticket(self, page: str = "kiosk") -> str:
        """The address of a page, with a ticket that logs it in."""
        return f"{self.url}/{page}#ticket={self.post('/tickets', {'page': page})['ticket']}"

    def holds_bytes(self, needle: bytes) -> list[str]:
        """The files of the directory in which these bytes stand in clear."""
        files = (path for path in self.directory.rglob("*") if path.is_file())
        return [path.name for path in files if needle in path.read_bytes()]

    def stop(self) -> None:
        self.api.close()
        self.running.stop()


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
            one.stop()
