"""The day's grid: rows and columns, sorts by colour, sign and word, a hundred places at once."""

from __future__ import annotations

import datetime
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.pages.browser import serious
from tests.pages.front_desk import Desk, at_the_desk, front_desk, venue_document

ROW_PX = 26
"""Of half an hour, as `Grid.svelte` draws it."""
SORTS = {
    "reservation": "Anna",
    "walk-in": "Walter",
    "the house": "Staff meal",
    "held": "Holger",
    "maintenance": "maintenance",
}
"""What each sort of entry says of itself, and the card that says it."""


def tomorrow(desk: Desk, time: str) -> str:
    return f"{datetime.date.fromisoformat(desk.today()) + datetime.timedelta(days=1)}T{time}"


def book(desk: Desk, name: str, resource: str, time: str, minutes: int = 60, **more: str) -> None:
    desk.post(
        "/reservations", venue="trattoria", starts_at=tomorrow(desk, time), party_size=2,
        duration_minutes=minutes, resources=[resource], guest={"name": name}, **more,
    )  # fmt: skip


def height(page: Page, name: str) -> float:
    box = page.locator(".ec-event", has_text=name).bounding_box()
    assert box is not None
    return box["height"]


def test_a_day_has_48_rows_and_an_hour_covers_two(browser: Browser, desk: Desk):
    book(desk, "Anna", "T1", "12:00")
    book(desk, "Bruno", "T2", "12:00", 90)
    with at_the_desk(browser, desk, f"grid/{tomorrow(desk, '')[:10]}") as page:
        expect(page.locator(".ec-event")).to_have_count(2)
        rows = page.locator(".ec-events").first.evaluate("one => one.parentElement.offsetHeight")
        assert round(rows / ROW_PX, 1) == 48
        expect(page.locator(".ec-col-head")).to_have_count(3)
        assert abs(height(page, "Anna") - 2 * ROW_PX) < 3
        assert abs(height(page, "Bruno") - 3 * ROW_PX) < 3


def test_a_drag_over_three_cells_asks_for_90_minutes_there(browser: Browser, desk: Desk):
    book(desk, "Anna", "T1", "12:00")
    with at_the_desk(browser, desk, f"grid/{tomorrow(desk, '')[:10]}") as page:
        card = page.locator(".ec-event", has_text="Anna")
        card.scroll_into_view_if_needed()
        at, column = card.bounding_box(), page.locator(".ec-col-head", has_text="T2").bounding_box()
        assert at is not None and column is not None
        x, y = column["x"] + column["width"] / 2, at["y"] + 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 2, y + 6)
        page.mouse.move(x, y + 3 * ROW_PX - 4, steps=6)
        page.mouse.up()
        dialog = page.get_by_role("dialog", name="New reservation")
        expect(dialog).to_contain_text("12:00–13:30 (90 minutes)")
        expect(dialog).to_contain_text("Where: T2")
        dialog.get_by_label("Name").fill("Carla")
        dialog.get_by_role("button", name="Book").click()
        expect(page.locator(".ec-event", has_text="Carla")).to_be_visible()
        assert abs(height(page, "Carla") - 3 * ROW_PX) < 3


def test_five_sorts_are_told_apart_by_colour_and_by_words(browser: Browser, desk: Desk):
    book(desk, "Anna", "T1", "12:00")
    book(desk, "Walter", "T1", "14:00", kind="walk_in", source="walk_in")
    book(desk, "Staff meal", "T1", "16:00", kind="house")
    held = tomorrow(desk, "12:00")
    desk.post(
        "/holds", venue="trattoria", starts_at=held, party_size=2, resources=["T2"],
        guest={"name": "Holger"},
    )  # fmt: skip
    desk.post(
        "/blocks", venue="trattoria", kind="maintenance", resources=["T2"],
        starts_at=tomorrow(desk, "15:00"), ends_at=tomorrow(desk, "16:00"),
    )  # fmt: skip
    with at_the_desk(browser, desk, f"grid/{tomorrow(desk, '')[:10]}") as page:
        expect(page.locator(".ec-event")).to_have_count(len(SORTS))
        looks = set()
        for words, name in SORTS.items():
            card = page.locator(".ec-event", has_text=name)
            expect(card).to_contain_text(words)
            looks.add(card.evaluate("one => getComputedStyle(one).background"))
        assert len(looks) == len(SORTS), "five colours"
        legend = page.get_by_test_id("legend").get_by_role("listitem")
        expect(legend).to_have_count(len(SORTS))
        assert serious(page) == []


def test_a_hundred_places_are_drawn_and_used_at_once(browser: Browser, tmp_path: Path):
    bays = [{"id": f"B{n}", "kind": "bay", "seats": [1, 4]} for n in range(1, 101)]
    document = venue_document(resources=bays, allotments=[{"holder": "desk", "resources": ["*"]}])
    with front_desk(tmp_path, document) as desk:
        for number in range(1, 101):
            book(desk, f"Guest {number}", f"B{number}", f"{8 + number % 12:02}:00")
        with at_the_desk(browser, desk, f"grid/{tomorrow(desk, '')[:10]}") as page:
            expect(page.locator(".ec-event")).to_have_count(100)
            expect(page.locator(".ec-col-head")).to_have_count(100)
            assert page.evaluate("document.querySelectorAll('*').length") < 4_000, "no cell each"
            last = page.locator(".ec-event", has_text="Guest 100")
            last.scroll_into_view_if_needed()
            last.click()
            expect(page.get_by_role("dialog", name="Guest 100")).to_be_visible()
