"""Makes the pictures of the documents: a lively evening at the sample restaurant, page by page.

    python tools/screenshots.py [--to docs/pictures]

It makes a hub, a front desk and a kiosk of its own, fills them with invented guests, stops the hub
where a picture is about that, and writes one PNG for each. The venue's clock stands at about seven
in the evening whenever it runs. It needs Chromium and the built pages, as the pages' tests do.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import yaml
from playwright.sync_api import Browser, Page, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from tests.pages.browser import launch
from tests.pages.front_desk import ADMIN, Desk, served

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "pictures"
MOST_BYTES: Final = 150_000
HOUR: Final = 19
WIDE, PHONE = (1280, 800), (390, 844)

# Table, minutes from now, people, who, and how far they are.
EVENING: Final = (
    ("T1", -75, 2, "Anna Ricci", "here"), ("T1", 30, 2, "Luca Marini", "booked"),
    ("T2", -45, 2, "Sofia Conti", "here"), ("T2", 60, 2, "Noor Haddad", "booked"),
    ("T3", -90, 4, "Familie Vogel", "here"), ("T3", 15, 3, "Bruno Neri", "booked"),
    ("T4", -30, 4, "Chiara Galli", "here"), ("T4", 75, 4, "Mateo Ruiz", "booked"),
    ("T5", 0, 6, "Elsa Viola", "booked"), ("T6", -60, 2, "Paul Jansen", "here"),
    ("T6", 45, 2, "Ines Duarte", "booked"), ("T7", 15, 4, "Giulia Moro", "booked"),
    ("T8", 30, 8, "Dario Blu", "booked"),
)  # fmt: skip
EARLIER: Final = (("T1", -190, 2), ("T3", -205, 3), ("T5", -150, 5), ("T8", -170, 6))


def evening_zone() -> str:
    """A time zone in which it is about `HOUR` now."""
    ahead = (HOUR - datetime.datetime.now(datetime.UTC).hour + 11) % 24 - 11
    return f"Etc/GMT{-ahead:+d}"


def venue() -> dict[str, Any]:
    """The sample restaurant, which is open today and whose clock stands in the evening."""
    path = Path(__file__).resolve().parent.parent / "examples" / "trattoria.yaml"
    document: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    every_day = {day: [["15:30", "02:00"]] for day in document["hours"]}
    changes: dict[str, Any] = {
        "time_zone": evening_zone(), "hours": every_day, "closed": [], "covers_per_slot": 60,
        "policies": {"max_party": 12, "min_party": 1, "hold_minutes": 15},
        "allotments": [{"holder": "desk", "resources": ["T1", "T2", "T3", "T4", "T5", "T6"]}],
        "overbooking": [],
    }  # fmt: skip
    return document | changes


class Evening:
    """A hub, a desk and a kiosk with everything that goes on there."""

    def __init__(self, place: Path) -> None:
        self.closing = ExitStack()
        document = venue()
        hub = Hub.init(place / "hub", "rome", synchronous="NORMAL")
        self.closing.callback(hub.close)
        hub.import_venue(document)
        for name, many in (("osteria", 6), ("enoteca", 4), ("gelateria", 0)):
            hub.import_venue(
                document | {"venue": name, "name": f"{name.title()} del Porto", "allotments": []}
            )
            for number in range(1, many + 1):
                self._seat(hub, name, f"T{number}")
        self.hub_up = ExitStack()
        hub_url = self.hub_up.enter_context(served(hub))
        self.closing.callback(self.hub_up.close)
        self.desk = self._joined(hub, hub_url, place, "desk", "front-desk", document)
        self.kiosk = self._joined(hub, hub_url, place, "kiosk", "kiosk", document)
        self._fill()

    def _joined(
        self, hub: Hub, hub_url: str, place: Path, name: str, role: str, document: dict[str, Any]
    ) -> Desk:
        code = hub.invite("trattoria", role, name).code
        node = Node.join(hub_url, code, place / name, synchronous="NORMAL")
        self.closing.callback(node.close)
        url = self.closing.enter_context(served(node))
        return Desk(url, hub_url, node, document["time_zone"])

    def _seat(self, hub: Hub, venue_id: str, table: str) -> None:
        from holdfast.node.requests import CreateRequest

        now = datetime.datetime.now(datetime.UTC).replace(second=0, microsecond=0)
        made = hub.reservations.create(
            CreateRequest(
                venue=venue_id, starts_at=now.isoformat(), party_size=2, resources=[table],
                kind="walk_in", may_move=True,
            )
        )  # fmt: skip
        hub.reservations.check_in(made.code)

    def _fill(self) -> None:
        desk = self.desk
        for table, minutes, people in EARLIER:
            self._come(table, minutes, people, "", leaves=True)
        for table, minutes, people, name, how in EVENING:
            if how == "here":
                self._come(table, minutes, people, name)
            else:
                self._book(table, minutes, people, name)
        begin, end = desk.now(90), desk.now(150)
        desk.post(
            "/waitlist", venue="trattoria", date=desk.today(), party_size=3,
            guest={"name": "Tom Weber"}, **{"from": begin.isoformat(), "to": end.isoformat()},
        )  # fmt: skip
        desk.post("/sync/now")
        desk.post("/sync/now")

    def _book(self, table: str, minutes: int, people: int, name: str, **more: Any) -> Any:
        return self.desk.book(name, table, minutes=minutes, party_size=people, **more)

    def _come(
        self, table: str, minutes: int, people: int, name: str, *, leaves: bool = False
    ) -> None:
        made = self._book(table, minutes, people, name or "Walk-in", kind="walk_in")
        self.desk.post(f"/reservations/{made['id']}/check-in")
        if leaves:
            self.desk.post(f"/reservations/{made['id']}/complete")

    def cut(self) -> None:
        """The hub is gone, and the desk goes on: what it holds is certain, the rest waits."""
        self.hub_up.close()
        self._book("T1", 150, 2, "Marta Sala")
        self._book("T7", 120, 4, "Jonas Berg")
        unreachable = self.desk.api.post("/sync/now")
        assert unreachable.status_code == 503, unreachable.text


def log_in(page: Page, url: str, token: str = ADMIN) -> None:
    answer = page.context.request.post(f"{url}/api/v1/session", data={"token": token})
    assert answer.ok, answer.text()


def desk_page(view: str, ready: str) -> Callable[[Page, Evening], None]:
    """A view of the desk, once what it is about can be seen."""

    def show(page: Page, evening: Evening) -> None:
        log_in(page, evening.desk.url)
        page.goto(f"{evening.desk.url}/desk#{view}/{evening.desk.today()}")
        expect(page.locator(".trust [class*=tag]").first).to_be_visible()
        expect(page.locator(ready).first).to_be_attached()
        expect(page.locator(".covers")).not_to_contain_text("0 parties")
        if view == "grid":
            page.locator(".ec-event", has_text="Anna Ricci").scroll_into_view_if_needed()

    return show


def board(page: Page, evening: Evening) -> None:
    log_in(page, evening.desk.hub_url)
    page.goto(f"{evening.desk.hub_url}/hub#watch")
    expect(page.locator("[data-venue=osteria]")).to_contain_text("6/8")
    expect(page.locator("[data-volume=month]")).to_be_visible()


def door(page: Page, evening: Evening) -> None:
    log_in(
        page, evening.kiosk.url, evening.kiosk.post("/tokens", name="door", role="kiosk")["token"]
    )
    page.goto(f"{evening.kiosk.url}/kiosk")
    expect(page.get_by_text("How many are you?")).to_be_visible()


CONNECTED: Final = {
    "desk-grid": (desk_page("grid", ".ec-event"), WIDE, "light"),
    "desk-floor": (desk_page("floor", "[data-state=occupied]"), WIDE, "light"),
    "desk-floor-dark": (desk_page("floor", "[data-state=occupied]"), WIDE, "dark"),
    "desk-phone": (desk_page("list", "main li"), PHONE, "light"),
    "kiosk": (door, (800, 1100), "light"),
    "hub-board": (board, WIDE, "light"),
}
CUT_OFF: Final = {"desk-queue": (desk_page("queue", "[data-state=queued], main li"), WIDE, "light")}


def picture(browser: Browser, evening: Evening, to: Path, name: str, how: Any) -> None:
    """One picture; it ends with an error where it is larger than the documents bear."""
    show, size, look = how
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=look, locale="en-GB",
        reduced_motion="reduce",
    )  # fmt: skip
    page = context.new_page()
    show(page, evening)
    page.evaluate("document.fonts.ready")
    shot = page.screenshot(animations="disabled", caret="hide", scale="css")
    context.close()
    if len(shot) > MOST_BYTES:
        raise SystemExit(f"error: {name} is {len(shot)} bytes, more than {MOST_BYTES}")
    (to / f"{name}.png").write_bytes(shot)
    sys.stderr.write(f"{name}.png: {len(shot)} bytes\n")


def main() -> int:
    """Make all of them; 0."""
    parser = argparse.ArgumentParser(description="Make the pictures of the documents.")
    parser.add_argument("--to", type=Path, default=FOLDER, help="the folder (default: %(default)s)")
    to: Path = parser.parse_args().to
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = launch(playwright)
        evening = Evening(Path(folder))
        with evening.closing:
            for name, how in CONNECTED.items():
                picture(browser, evening, to, name, how)
            evening.cut()
            for name, how in CUT_OFF.items():
                picture(browser, evening, to, name, how)
        browser.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
