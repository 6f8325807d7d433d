"""Every page and every view of it, each led to from its address: for tests that ask the same of
all."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page, expect

from tests.pages.front_desk import ADMIN, Desk, front_desk, venue_document


class World:
    """A restaurant at a busy hour, and where its pages stand."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.booked = desk.book(
            "Anna Ricci", "T1", minutes=60, guest={"phone": "+39 06 5550142"}, occasion="birthday"
        )
        desk.book("Bruno Neri", "T1", minutes=60, override={"reason": "vip_guest"})
        desk.book("Carla Testa", "T2", minutes=60)
        desk.book("Dario Blu", "G1", minutes=120)
        begin, end = desk.now(180).isoformat(), desk.now(240).isoformat()
        desk.post(
            "/blocks", venue="trattoria", kind="maintenance", reason="repair", resources=["T2"],
            starts_at=begin, ends_at=end,
        )  # fmt: skip
        desk.post(
            "/waitlist", venue="trattoria", date=desk.today(), party_size=4,
            guest={"name": "Elsa Viola", "phone": "+39 06 5550143"},
            **{"from": begin, "to": end},
        )  # fmt: skip
        desk.post("/sync/now")
        self.kiosk_token: str = desk.post("/tokens", name="door", role="kiosk")["token"]

    def log_in(self, page: Page, url: str, token: str = ADMIN) -> None:
        answer = page.context.request.post(f"{url}/api/v1/session", data={"token": token})
        assert answer.ok, answer.text()

    def at_the_desk(self, page: Page, view: str) -> None:
        self.log_in(page, self.desk.url)
        page.goto(f"{self.desk.url}/desk#{view}/{self.booked['service_date']}")
        expect(page.locator("main > *").first).to_be_visible()
        expect(page.locator(".trust [class*=tag]").first).to_be_visible()

    def at_the_hub(self, page: Page, view: str) -> None:
        self.log_in(page, self.desk.hub_url)
        page.goto(f"{self.desk.hub_url}/hub#{view}")
        expect(page.locator("main > *").first).to_be_visible()

    def at_the_kiosk(self, page: Page) -> None:
        self.log_in(page, self.desk.url, self.kiosk_token)
        page.goto(f"{self.desk.url}/kiosk")
        expect(page.get_by_text("How many are you?")).to_be_visible()


@contextmanager
def busy_hour(folder: Path) -> Generator[World]:
    limit = {"resources": ["T1"], "limit": 1, "from": "2020-01-01", "until": "2099-12-31"}
    with front_desk(folder, venue_document(overbooking=[limit])) as desk:
        yield World(desk)


def tap(page: Page, name: str | re.Pattern[str]) -> None:
    page.get_by_role("button", name=name).first.click()


def entrance(page: Page, world: World) -> None:
    page.goto(world.desk.url)
    expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()


def grid(page: Page, world: World) -> None:
    world.at_the_desk(page, "grid")
    expect(page.locator(".ec-event").first).to_be_attached()


def a_list(page: Page, world: World) -> None:
    world.at_the_desk(page, "list")
    expect(page.locator("main li").first).to_be_visible()


def floor(page: Page, world: World) -> None:
    world.at_the_desk(page, "floor")
    expect(page.locator("[data-table=T1]")).to_be_visible()


def waitlist(page: Page, world: World) -> None:
    world.at_the_desk(page, "waitlist")
    expect(page.get_by_text("Elsa Viola").first).to_be_visible()


def joining(page: Page, world: World) -> None:
    waitlist(page, world)
    tap(page, re.compile(r"^\+ "))
    dialog(page)


def notes(page: Page, world: World) -> None:
    world.at_the_desk(page, "notes")
    expect(page.locator("main textarea").first).to_be_visible()


def queue(page: Page, world: World) -> None:
    world.at_the_desk(page, "queue")


def exceptions(page: Page, world: World) -> None:
    world.at_the_desk(page, "exceptions")
    expect(page.locator("details[data-exception]").first).to_be_visible()


def resolving(page: Page, world: World) -> None:
    exceptions(page, world)
    page.locator("details[data-exception] .choices button").first.click()
    dialog(page)


def new(page: Page, world: World) -> None:
    a_list(page, world)
    page.keyboard.press("n")
    page.wait_for_selector("dialog[open] .slots button")


def walk_in(page: Page, world: World) -> None:
    a_list(page, world)
    page.keyboard.press("w")
    dialog(page)


def blocking(page: Page, world: World) -> None:
    a_list(page, world)
    page.keyboard.press("b")
    dialog(page)


def panel(page: Page, world: World) -> None:
    a_list(page, world)
    tap(page, re.compile("Anna Ricci"))
    dialog(page)
    page.get_by_text("History").click()
    expect(page.locator("dialog[open] ol li").first).to_be_visible()


def cancelling(page: Page, world: World) -> None:
    panel(page, world)
    tap(page, "Cancel the reservation")
    expect(page.get_by_role("button", name="Keep it")).to_be_visible()


def guest(page: Page, world: World) -> None:
    panel(page, world)
    tap(page, "Guest's card")
    expect(page.get_by_role("button", name="VIP")).to_be_visible()


def search(page: Page, world: World) -> None:
    a_list(page, world)
    page.keyboard.press("/")
    page.keyboard.type("anna")
    expect(page.locator(".found button").first).to_be_visible()


def at_the_hub(view: str) -> Callable[[Page, World], None]:
    return lambda page, world: world.at_the_hub(page, view)


def found(page: Page, world: World) -> None:
    world.at_the_hub(page, "search")
    tap(page, "Search")
    expect(page.locator("table tbody tr").first).to_be_visible()


def kiosk(page: Page, world: World) -> None:
    world.at_the_kiosk(page)


def kiosk_when(page: Page, world: World) -> None:
    kiosk(page, world)
    tap(page, "2 people")
    expect(page.get_by_role("heading", name="What would you like?")).not_to_be_visible()
    expect(page.get_by_role("button", name=re.compile(r"^(Now|\d\d:\d\d)")).first).to_be_visible()


def kiosk_sure(page: Page, world: World) -> None:
    kiosk_when(page, world)
    tap(page, re.compile(r"^(Now|\d\d:\d\d)"))
    expect(page.get_by_role("heading", name="Is this right?")).to_be_visible()


def kiosk_done(page: Page, world: World) -> None:
    kiosk_sure(page, world)
    tap(page, "Yes, book it")
    expect(page.get_by_role("heading", name=re.compile("Booked|Noted"))).to_be_visible()


def kiosk_code(page: Page, world: World) -> None:
    kiosk(page, world)
    tap(page, "I have a reservation")
    expect(page.get_by_role("button", name="Find it")).to_be_visible()


def kiosk_found(page: Page, world: World) -> None:
    kiosk_code(page, world)
    for sign in world.booked["code"][-6:]:
        page.get_by_role("button", name=sign, exact=True).first.click()
    tap(page, "Find it")
    expect(page.get_by_role("heading", name="Is this yours?")).to_be_visible()


def dialog(page: Page) -> None:
    expect(page.locator("dialog[open]").last).to_be_visible()


VIEWS: Final[dict[str, Callable[[Page, World], Any]]] = {
    "entrance": entrance,
    "desk-grid": grid, "desk-list": a_list, "desk-floor": floor, "desk-waitlist": waitlist,
    "desk-notes": notes, "desk-queue": queue, "desk-exceptions": exceptions,
    "desk-search": search, "desk-new": new, "desk-walk-in": walk_in, "desk-block": blocking,
    "desk-panel": panel, "desk-cancel": cancelling, "desk-guest": guest, "desk-join": joining,
    "desk-resolve": resolving,
    "hub-watch": at_the_hub("watch"), "hub-fleet": at_the_hub("fleet"), "hub-search": found,
    "hub-exceptions": at_the_hub("exceptions"), "hub-merges": at_the_hub("merges"),
    "hub-books": at_the_hub("books"), "hub-book": at_the_hub("books/trattoria"),
    "kiosk": kiosk, "kiosk-when": kiosk_when, "kiosk-sure": kiosk_sure, "kiosk-done": kiosk_done,
    "kiosk-code": kiosk_code, "kiosk-found": kiosk_found,
}  # fmt: skip
"""How each view is led to. Each begins with a login of its own."""
