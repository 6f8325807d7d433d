"""A venue that sells nights at the desk: each stay over the days that it covers."""

from __future__ import annotations

import datetime
from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.pages.browser import FINGER, PHONE, serious
from tests.pages.front_desk import Desk, at_the_desk, front_desk, venue_document

ROOMS = [
    {"id": "R1", "kind": "room", "seats": [1, 2]},
    {"id": "DBL", "kind": "pool", "counts": "units", "capacity": 5, "seats": [1, 2]},
]


@pytest.fixture
def desk(browser: Browser, tmp_path: Path) -> Generator[Desk]:
    document = venue_document(
        kind="lodging", name="Pensione Aurora", resources=ROOMS, day_starts_at="04:00",
        stays={"check_in": "15:00", "check_out": "11:00", "max_nights": 20},
        allotments=[{"holder": "desk", "resources": ["R1", "DBL"]}],
    )  # fmt: skip
    with front_desk(tmp_path, document) as desk:
        yield desk


def on(desk: Desk, days: int) -> str:
    return (datetime.date.fromisoformat(desk.today()) + datetime.timedelta(days=days)).isoformat()


def stay(desk: Desk, name: str, days: int, nights: int, room: str) -> dict[str, str]:
    return desk.post(
        "/reservations", venue="trattoria", starts_at=f"{on(desk, days)}T15:00", nights=nights,
        party_size=2, resources=[room], guest={"name": name},
    )  # fmt: skip


def test_a_stay_covers_its_days_also_where_it_began_before(browser: Browser, desk: Desk):
    stay(desk, "Anna Ricci", 1, 3, "R1")
    stay(desk, "Bruno Neri", 1, 2, "DBL")
    with at_the_desk(browser, desk, f"grid/{on(desk, 1)}") as page:
        grid = page.get_by_test_id("nights")
        anna = grid.get_by_role("button", name="Anna Ricci")
        expect(anna).to_have_attribute("data-nights", "3")
        expect(grid.get_by_role("region", name="DBL")).to_contain_text("1/5")
        page.get_by_role("button", name="Day after").click()
        expect(anna).to_have_attribute("data-nights", "2")
        anna.click()
        panel = page.get_by_role("dialog", name="Anna Ricci")
        expect(panel).to_contain_text("3 nights")
        panel.get_by_label("Nights").fill("4")
        panel.get_by_role("button", name="Save").click()
        page.keyboard.press("Escape")
        expect(anna).to_have_attribute("data-nights", "3")
        assert serious(page) == []


def test_nights_are_booked_where_they_are_free_and_listed(browser: Browser, desk: Desk):
    with at_the_desk(browser, desk, f"grid/{on(desk, 1)}", PHONE, **FINGER) as page:
        page.get_by_test_id("nights").get_by_role("button", name="R1").first.click()
        dialog = page.get_by_role("dialog", name="New reservation")
        dialog.get_by_label("Nights").fill("2")
        dialog.get_by_label("Name").fill("Carla")
        dialog.get_by_role("button", name="Book", exact=True).click()
        expect(page.get_by_role("button", name="Carla").first).to_have_attribute("data-nights", "2")
        page.get_by_role("button", name="List", exact=True).click()
        expect(page.locator("main li", has_text="Carla")).to_contain_text("2 nights")
        (made,) = desk.get("/reservations", venue="trattoria", date=on(desk, 1))["items"]
        assert (made["nights"], made["resources"]) == (2, ["R1"])
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
