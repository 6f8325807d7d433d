"""Who may only look: each view of the desk shows what there is, and offers no change to it."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, Request, expect

from tests.pages.browser import serious, watched_page
from tests.pages.front_desk import Desk

PIN = "471108"
VIEWS = {
    "grid": ".ec-event",
    "list": "main li",
    "floor": "[data-table=T1]",
    "waitlist": "main ol > li",
    "exceptions": "main section",
    "queue": "[data-operation=queued]",
    "analytics": "[data-figure=covers]",
    "settings": "main dl",
}
"""What is there when a view has been read."""
MUTATING = re.compile(
    r"New|Walk-in|Check in|They left|Did not come|They confirmed|Save|Cancel|Put on the waitlist"
    r"|Offer|Remove|They take it|Clean|Take out of use|Put back|Exchange now|Pause|Connect again"
    r"|Try now|Take it back|Add|Withdraw|Unlock|Another place|Seen to|Ask the time servers|Undo"
)
"""The names of what changes something, in whichever view."""


@contextmanager
def logged_in(browser: Browser, desk: Desk, role: str, view: str) -> Generator[Page]:
    """A page of a member of staff with a role, at a view of today."""
    name = f"Rita {role.replace('-', ' ')}"
    desk.api.post("/staff", json={"name": name, "role": role, "pin": PIN})
    with watched_page(browser) as page:
        who = {"staff": name, "pin": PIN}
        answer = page.context.request.post(f"{desk.url}/api/v1/session", data=who)
        assert answer.ok, answer.text()
        page.goto(f"{desk.url}/desk#{view}/{desk.today()}")
        expect(page.locator(".trust [class*=tag]").first).to_be_visible()
        yield page


def furnish(desk: Desk) -> None:
    """Something in every view: parties, a hold, a block, somebody who waits, a queue."""
    desk.book("Anna Ricci", "T1")
    seated = desk.book("Walter", "T2", kind="walk_in", source="walk_in")
    desk.post(f"/reservations/{seated['id']}/check-in")
    start, end = desk.now(180).isoformat(), desk.now(240).isoformat()
    desk.post("/holds", venue="trattoria", starts_at=start, party_size=2, resources=["T1"])
    desk.post(
        "/blocks", venue="trattoria", kind="maintenance", resources=["T2"], starts_at=start,
        ends_at=end,
    )  # fmt: skip
    desk.post(
        "/waitlist", venue="trattoria", date=desk.today(), party_size=2, guest={"name": "Wim"}
    )
    desk.post("/sync/pause")
    desk.book("Gaia", "G1")


def names(page: Page) -> list[str]:
    """What the buttons and links of the page are called."""
    found = page.locator("button, a[href], input, textarea, select").evaluate_all(
        "all => all.map(one => one.getAttribute('aria-label') ?? one.innerText ?? '')"
    )
    return [one.strip() for one in found if one.strip()]


def offered(page: Page) -> list[str]:
    return [one for one in names(page) if MUTATING.search(one)]


def typed_into(page: Page) -> int:
    """Fields within the view or a dialog that are no question about what is shown."""
    fields = "textarea:not([readonly]), select, input:not([type=date]):not([type=time])"
    return page.locator("main, dialog").locator(fields).count()


def test_no_view_offers_a_change_to_who_only_looks(browser: Browser, desk: Desk):
    furnish(desk)
    changes: list[str] = []

    def note(request: Request) -> None:
        if request.method != "GET":
            changes.append(f"{request.method} {request.url}")

    with logged_in(browser, desk, "read-only", "grid") as page:
        page.on("request", note)
        for view, shown in VIEWS.items():
            page.evaluate(f"location.hash = '#{view}/{desk.today()}'")
            expect(page.locator(shown).first).to_be_visible()
            assert offered(page) == [], view
            assert typed_into(page) == 0, view
            assert page.get_by_role("button", name="Notes").count() == 0
            assert serious(page) == [], view
            for key in ("n", "w", "b"):
                page.keyboard.press(key)
            expect(page.locator("dialog[open]")).to_have_count(0)

        page.evaluate(f"location.hash = '#grid/{desk.today()}'")
        card = page.locator(".ec-event.sort-guest.look-booked")
        card.scroll_into_view_if_needed()
        before = card.bounding_box()
        assert before is not None
        x, y = before["x"] + before["width"] / 2, before["y"] + 8
        for start in (y, y - 60):
            page.mouse.move(x, start)
            page.mouse.down()
            page.mouse.move(x, start + 45, steps=5)
            page.mouse.up()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog", name="New reservation")).to_have_count(0)
        assert card.bounding_box() == before, "nothing is dragged"

        page.evaluate(f"location.hash = '#list/{desk.today()}'")
        rows = page.locator("main li")
        expect(rows).not_to_have_count(0)
        assert rows.get_by_role("button").count() == rows.count(), "a row opens, and does no more"
        rows.first.get_by_role("button").click()
        panel = page.get_by_role("dialog")
        panel.get_by_text("History").click()
        expect(panel.locator("[data-step]").first).to_contain_text("Reservation made")
        assert (offered(page), typed_into(page)) == ([], 0)
        page.keyboard.press("Escape")

        page.evaluate(f"location.hash = '#floor/{desk.today()}'")
        for table in ("T1", "T2", "G1"):
            page.locator(f"[data-table={table}] .face").click()
            expect(page.get_by_role("dialog")).to_be_visible()
            assert (offered(page), typed_into(page)) == ([], 0)
            page.keyboard.press("Escape")
    assert changes == []


def test_the_same_walk_finds_the_controls_of_a_supervisor(browser: Browser, desk: Desk):
    """What the test above does not find is there, under these names, for who may."""
    furnish(desk)
    expected = {
        "grid": "New",
        "list": "Check in",
        "waitlist": "Put on the waitlist",
        "queue": "Connect again",
    }
    with logged_in(browser, desk, "supervisor", "grid") as page:
        for view, name in expected.items():
            page.evaluate(f"location.hash = '#{view}/{desk.today()}'")
            expect(page.get_by_role("button", name=name).first).to_be_visible()
            assert name in " ".join(offered(page))
