"""A front desk that never closes, in this process behind a real port, and pages logged in there.

For flows of the present hour: the venue's clock stands near noon whenever the tests run.
"""

from __future__ import annotations

import datetime
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from playwright.sync_api import Browser, Page

from holdfast.api.app import make_app
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from tests.pages.browser import WIDE, watched_page

ADMIN = "the-admin-token-of-these-tests"


def zone_at_noon() -> str:
    """A time zone in which it is about noon now, so that no test runs over the end of a day."""
    ahead = 12 - datetime.datetime.now(datetime.UTC).hour
    return f"Etc/GMT{-ahead:+d}"


def venue_document(**changes: Any) -> dict[str, Any]:
    """A trattoria that never closes: two tables of the desk, one of the hub's."""
    return {
        "venue": "trattoria",
        "name": "Trattoria da Mario",
        "kind": "restaurant",
        "time_zone": zone_at_noon(),
        "slot_minutes": 15,
        "seating_minutes": 90,
        "policies": {"max_party": 12},
        "resources": [
            {"id": "T1", "kind": "table", "seats": [1, 4], "area": "Main"},
            {"id": "T2", "kind": "table", "seats": [1, 4], "area": "Main"},
            {"id": "G1", "kind": "table", "seats": [1, 6], "area": "Garden"},
        ],
        "allotments": [{"holder": "desk", "resources": ["T*"]}],
    } | changes


class Desk:
    """A front desk: its address, and its API as the admin calls it."""

    def __init__(self, url: str, hub_url: str, node: Node, zone: str) -> None:
        self.url, self.hub_url, self.node, self._zone = url, hub_url, node, zone
        headers = {"Authorization": f"Bearer {ADMIN}"}
        self.api = httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=30)

    def now(self, minutes: int = 0) -> datetime.datetime:
        """The next quarter of an hour on the venue's clock, and minutes after it."""
        at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=15)
        quarter = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
        ahead = -int(self._zone.removeprefix("Etc/GMT"))
        zone = datetime.timezone(datetime.timedelta(hours=ahead))
        return (quarter + datetime.timedelta(minutes=minutes)).astimezone(zone)

    def today(self) -> str:
        return self.now().date().isoformat()

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self.api.post(path, json=body)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        answer = self.api.get(path, params=query)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def book(self, name: str, *resources: str, minutes: int = 0, **more: Any) -> dict[str, Any]:
        """A party of two, soon."""
        guest = {"name": name} | more.pop("guest", {})
        return self.post(
            "/reservations",
            **{
                "venue": "trattoria",
                "starts_at": self.now(minutes).isoformat(),
                "party_size": 2,
                "resources": list(resources),
                "guest": guest,
            }
            | more,
        )


@contextmanager
def served(replica: Hub | Node) -> Generator[str]:
    """A replica on a port of its own, in a thread."""
    config = uvicorn.Config(
        make_app(replica, admin_token=ADMIN), port=0, log_config=None, timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    started = threading.Event()
    startup = server.startup

    async def told(sockets: Any = None) -> None:
        await startup(sockets=sockets)
        started.set()

    server.startup = told  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert started.wait(30), "the server did not start"
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)


@contextmanager
def front_desk(folder: Path, document: dict[str, Any] | None = None) -> Generator[Desk]:
    """A front desk that has joined a hub, both served."""
    venue = document or venue_document()
    with ExitStack() as closing:
        hub = Hub.init(folder / "hub", "acme", synchronous="NORMAL")
        closing.callback(hub.close)
        hub.import_venue(venue)
        hub_url = closing.enter_context(served(hub))
        code = hub.invite("trattoria", "front-desk", "desk").code
        node = Node.join(hub_url, code, folder / "desk", synchronous="NORMAL")
        closing.callback(node.close)
        url = closing.enter_context(served(node))
        desk = Desk(url, hub_url, node, venue["time_zone"])
        closing.callback(desk.api.close)
        yield desk


@contextmanager
def at_the_desk(
    browser: Browser, desk: Desk, view: str, size: tuple[int, int] = WIDE, **options: Any
) -> Generator[Page]:
    """A page at the desk, logged in."""
    with watched_page(browser, size, **options) as page:
        logged_in = page.context.request.post(f"{desk.url}/api/v1/session", data={"token": ADMIN})
        assert logged_in.ok, logged_in.text()
        page.goto(f"{desk.url}/desk#{view}")
        yield page
