"""The floor of the desk's page: how tables stand, and parties that are taken to one."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.pages.browser import FINGER, PHONE
from tests.pages.front_desk import Desk, at_the_desk, front_desk, venue_document

FLOORS = [
    {"id": "ground", "name": "Ground floor", "size": [600, 400]},
    {"id": "roof", "name": "Roof"},
]
TABLES = [
    {
        "id": "T1", "kind": "table", "seats": [1, 4], "area": "Main", "floor": "ground",
        "position": [40, 40], "size": [120, 100], "shape": "round",
    },
    {
        "id": "T2", "kind": "table", "seats": [1, 4], "area": "Main", "floor": "ground",
        "position": [400, 240], "size": [120, 100], "shape": "rectangle",
    },
    {"id": "G1", "kind": "table", "seats": [1, 6], "area": "Garden", "floor": "roof"},
]  # fmt: skip


@pytest.fixture
def desk(browser: Browser, tmp_path: Path) -> Generator[Desk]:
    document = venue_document(floors=FLOORS, resources=TABLES)
    with front_desk(tmp_path, document) as desk:
        yield desk


def table(page: Page, name: str, state: str) -> Locator:
    """A table in a state; waited for."""
    found = page.locator(f'[data-table="{name}"][data-state="{state}"]')
    expect(found).to_be_visible()
    return found


def centre(found: Locator) -> tuple[float, float]:
    box = found.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def resources(desk: Desk, booked: dict[str, str]) -> list[str]:
    found: list[str] = desk.get(f"/reservations/{booked['id']}")["resources"]
    return found


def test_a_party_is_dragged_from_its_table_to_another(browser: Browser, desk: Desk):
    booked = desk.book("Anna Ricci", "T1")
    with at_the_desk(browser, desk, "floor") as page:
        expect(table(page, "T1", "reserved")).to_contain_text("Anna Ricci")
        # The floor may be read before the day, which says what may be moved.
        expect(page.locator("aside")).to_contain_text("Anna Ricci")
        page.mouse.move(*centre(table(page, "T1", "reserved")))
        page.mouse.down()
        page.mouse.move(*centre(table(page, "T2", "available")), steps=5)
        page.mouse.up()
        expect(table(page, "T2", "reserved")).to_contain_text("Anna Ricci")
        table(page, "T1", "available")
        assert resources(desk, booked) == ["T2"]

        page.get_by_role("button", name="Undo").click()
        expect(table(page, "T1", "reserved")).to_contain_text("Anna Ricci")
        assert resources(desk, booked) == ["T1"]


def test_a_finger_takes_a_party_from_the_list_to_a_table(browser: Browser, desk: Desk):
    booked = desk.book("Bruno", "T1")
    with at_the_desk(browser, desk, "floor", PHONE, **FINGER) as page:
        chip = page.get_by_role("button", name="Bruno").first
        table(page, "T1", "reserved")
        target = table(page, "T2", "available")
        target.scroll_into_view_if_needed()
        touches = page.context.new_cdp_session(page)

        def touch(kind: str, *at: tuple[float, float]) -> None:
            points = [{"x": x, "y": y} for x, y in at]
            touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        touch("touchStart", centre(chip))
        expect(page.locator(".ghost")).to_be_visible()
        touch("touchMove", centre(target))
        expect(page.locator('[data-table="T2"].over')).to_be_visible()
        touch("touchEnd")
        expect(table(page, "T2", "reserved")).to_contain_text("Bruno")
        assert resources(desk, booked) == ["T2"]
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, "the page is wider than the phone"


def test_a_party_is_taken_to_a_table_by_keyboard(browser: Browser, desk: Desk):
    booked = desk.book("Carla", "T1")
    with at_the_desk(browser, desk, "floor") as page:
        page.locator("aside").get_by_role("button", name="Carla").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("Carla, 2", exact=False).last).to_contain_text("choose a table")
        table(page, "T2", "available").get_by_role("button").focus()
        page.keyboard.press("Enter")
        expect(table(page, "T2", "reserved")).to_contain_text("Carla")
        assert resources(desk, booked) == ["T2"]


def test_what_cannot_be_had_stays_where_it_was_and_says_why(browser: Browser, desk: Desk):
    mover, sits = desk.book("Anna", "T1"), desk.book("Bruno", "T2")
    with at_the_desk(browser, desk, "floor") as page:
        page.locator("aside").get_by_role("button", name="Anna").click()
        table(page, "T2", "reserved").get_by_role("button").click()
        expect(page.get_by_role("alert")).to_be_visible()
        expect(table(page, "T1", "reserved")).to_contain_text("Anna")
        assert resources(desk, mover) == ["T1"]
        assert resources(desk, sits) == ["T2"]


def test_a_table_goes_from_free_to_taken_to_cleaned(browser: Browser, desk: Desk):
    with at_the_desk(browser, desk, "floor") as page:
        table(page, "T1", "available").get_by_role("button").click()
        dialog = page.get_by_role("dialog", name="Walk-in")
        dialog.get_by_label("Name").fill("Dario")
        dialog.get_by_role("button", name="Book").click()
        expect(table(page, "T1", "occupied")).to_contain_text("Dario")
        expect(page.get_by_test_id("totals")).to_contain_text("2 of 14 seats taken")

        table(page, "T1", "occupied").get_by_role("button").click()
        page.get_by_role("dialog", name="Dario").get_by_role("button", name="They left").click()
        page.keyboard.press("Escape")
        table(page, "T1", "cleaning").get_by_role("button", name="✓ Clean").click()
        table(page, "T1", "available")


def test_what_others_do_shows_by_itself_on_every_floor(browser: Browser, desk: Desk):
    with at_the_desk(browser, desk, "floor") as page:
        table(page, "T1", "available")
        desk.book("Elena", "T1")
        expect(table(page, "T1", "reserved")).to_contain_text("Elena")
        page.get_by_role("button", name="Roof").click()
        table(page, "G1", "available")
        expect(page.locator('[data-table="T1"]')).to_have_count(0)


def test_how_full_each_hour_is_shows_at_a_glance_and_leads_there(browser: Browser, desk: Desk):
    desk.book("Anna Ricci", "T1", minutes=120, party_size=4)
    hour = desk.now(120).strftime("%H")
    with at_the_desk(browser, desk, "floor") as page:
        full = page.get_by_test_id("heat").locator(f"[data-hour='{hour}']")
        expect(full).to_contain_text("4 of 14 seats taken")
        calm = page.get_by_test_id("heat").locator("[data-hour='03']")
        shades = {one.evaluate("b => getComputedStyle(b).backgroundColor") for one in (full, calm)}
        assert len(shades) == 2, "a shade beside the number"
        full.click()
        expect(page.get_by_label("Shown time")).to_have_value(f"{hour}:00")
