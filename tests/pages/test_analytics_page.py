"""The desk's figures: what the device works out, as numbers, tables, a file; also offline."""

from __future__ import annotations

import csv
import io

from playwright.sync_api import Browser, Locator, Page, expect

from tests.pages.browser import FINGER, PHONE, serious
from tests.pages.front_desk import ADMIN, Desk, at_the_desk


def figure(page: Page, key: str) -> Locator:
    return page.locator(f"[data-figure={key}]")


def a_day(desk: Desk) -> None:
    """Parties of which two walked in, one of them did not come after all, and one called off."""
    desk.book("Anna", "T1", party_size=4)
    late = desk.book("Bruno", "T2", minutes=-15, kind="walk_in", source="walk_in")
    desk.post(f"/reservations/{late['id']}/no-show")
    desk.book("Wanda", "T2", minutes=120, kind="walk_in", source="walk_in", party_size=3)
    gone = desk.book("Cora", "T1", minutes=180, source="phone")
    desk.post(f"/reservations/{gone['id']}/cancel", reason="guest_request", by="guest")


def test_the_figures_of_a_day_and_of_a_week_offline(browser: Browser, desk: Desk):
    a_day(desk)
    desk.post("/sync/pause")
    with at_the_desk(browser, desk, f"list/{desk.today()}") as page:
        expect(page.locator("main li").first).to_be_visible()
        page.get_by_role("button", name="More").press("Enter")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("menuitemradio", name="Figures")).to_be_focused()
        page.keyboard.press("Enter")
        told = desk.get("/analytics/service", venue="trattoria", date=desk.today())
        expect(figure(page, "covers")).to_contain_text(str(told["covers"]["booked"]))
        expect(figure(page, "no_shows")).to_contain_text("1")
        expect(figure(page, "cancellations")).to_contain_text("1")
        expect(figure(page, "walk_ins")).to_contain_text("5 guests")
        for name in ("Party sizes", "Where they came from", "Use of each place", "Guests by hour"):
            expect(page.get_by_role("heading", name=name)).to_be_visible()
        sources = page.locator("section.sheet", has_text="Where they came from")
        expect(sources.get_by_role("row", name="phone 1")).to_be_visible()
        expect(page.get_by_role("heading", name="Guests by day")).to_have_count(0)
        assert serious(page) == []

        page.get_by_role("button", name="7 days").click()
        expect(page.get_by_role("heading", name="Guests by day")).to_be_visible()
        desk.book("Dora", "T1", minutes=240)
        expect(figure(page, "covers")).to_contain_text(str(told["covers"]["booked"] + 2))

        link = page.get_by_role("link", name="As a table (CSV)").get_attribute("href")
        answer = page.context.request.get(f"{desk.url}{link}")
        rows = list(csv.DictReader(io.StringIO(answer.text())))
        assert len(rows) == 7
        assert (rows[-1]["date"], rows[-1]["no_show_parties"]) == (desk.today(), "1")


def test_a_phone_reads_them_too(browser: Browser, desk: Desk):
    a_day(desk)
    with at_the_desk(browser, desk, "analytics", PHONE, **FINGER) as page:
        expect(figure(page, "covers")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.get_by_role("button", name="Figures").get_attribute("aria-pressed") == "true"
        assert ADMIN not in page.content()
