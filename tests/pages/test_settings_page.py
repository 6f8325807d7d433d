"""The settings: read at a device, changed at the hub with what is wrong said at its field."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import httpx
from playwright.sync_api import Browser, Page, expect

from tests.pages.browser import serious, watched_page
from tests.pages.front_desk import ADMIN, Desk, at_the_desk


@contextmanager
def at_the_hub(browser: Browser, desk: Desk) -> Generator[Page]:
    """The hub's page of the venue, with an admin's session."""
    with watched_page(browser) as page:
        answer = page.context.request.post(f"{desk.hub_url}/api/v1/session", data={"token": ADMIN})
        assert answer.ok, answer.text()
        page.goto(f"{desk.hub_url}/desk?venue=trattoria#settings")
        yield page


def venue(desk: Desk) -> httpx.Response:
    return httpx.get(
        f"{desk.hub_url}/api/v1/venues/trattoria", headers={"Authorization": f"Bearer {ADMIN}"}
    )


def test_an_admin_changes_the_venue_at_the_hub(browser: Browser, desk: Desk):
    with at_the_hub(browser, desk) as page:
        form = page.get_by_role("form", name="Venue")
        form.get_by_label("Minutes between start times").fill("0")
        form.get_by_label("It never closes").uncheck()
        form.get_by_role("button", name="Add hours: Monday").click()
        form.get_by_label("Monday: From").fill("25:00")
        form.get_by_role("button", name="Save").click()
        expect(form.get_by_role("alert")).to_have_count(2)
        expect(form.get_by_role("alert").first).to_contain_text("must be from 1 to 1440, not 0")
        expect(form.get_by_role("group", name="Monday")).to_contain_text("is no time of day")
        assert venue(desk).json()["slot_minutes"] == 15, "nothing was changed"
        assert serious(page) == []

        form.get_by_label("Minutes between start times").fill("30")
        form.get_by_label("Monday: From").fill("18:00")
        form.get_by_label("Monday: Until").fill("24:00")
        form.get_by_label("Name").fill("Trattoria da Maria")
        form.get_by_label("Largest party").fill("9")
        form.get_by_label("People reserve by themselves").uncheck()
        form.get_by_label("G1").uncheck()
        form.get_by_role("button", name="Save").click()
        expect(page.locator(".notice")).to_contain_text("Saved.")
        expect(page.get_by_role("heading", level=1)).to_have_text("Trattoria da Maria")
        now = venue(desk).json()
        assert (now["name"], now["slot_minutes"]) == ("Trattoria da Maria", 30)
        assert now["hours"]["mon"] == [["18:00", "24:00"]]
        assert (now["accepting"], now["policies"]["max_party"]) == (False, 9)
        assert [one["id"] for one in now["resources"] if one.get("active") is False] == ["G1"]
        assert now["allotments"], "what the form does not show stays"


def test_what_somebody_else_saved_meanwhile_is_not_overwritten(browser: Browser, desk: Desk):
    with at_the_hub(browser, desk) as page:
        form = page.get_by_role("form", name="Venue")
        form.get_by_label("Name").fill("Mine")
        other = venue(desk)
        put = httpx.put(
            f"{desk.hub_url}/api/v1/venues/trattoria",
            json=other.json() | {"seating_minutes": 75},
            headers={"Authorization": f"Bearer {ADMIN}", "If-Match": other.headers["etag"]},
        )
        assert put.status_code == 200, put.text
        form.get_by_role("button", name="Save").click()
        expect(form.get_by_role("alert")).to_contain_text("was changed meanwhile")
        assert venue(desk).json()["name"] == "Trattoria da Mario"
        form.get_by_role("button", name="Read it again").click()
        expect(form.get_by_label("Minutes of a seating")).to_have_value("75")


def test_a_device_shows_them_offline_and_keeps_its_own_staff(browser: Browser, desk: Desk):
    desk.post("/sync/pause")
    with at_the_desk(browser, desk, "list") as page:
        expect(page.locator("main > *").first).to_be_visible()
        page.keyboard.press("7")
        expect(page.get_by_text("A venue is changed at its hub")).to_be_visible()
        facts = page.get_by_role("region", name="As it is set")
        for words in ("Etc/GMT", "15", "90", "12"):
            expect(facts).to_contain_text(words)
        expect(page.get_by_role("form", name="Venue")).to_have_count(0)

        staff = page.get_by_role("form", name="Add somebody")
        staff.get_by_label("Name").fill("Eva Lang")
        staff.get_by_label("PIN").fill("12")
        staff.get_by_role("button", name="Add somebody").click()
        expect(staff.get_by_role("alert")).to_contain_text("must be 4 to 10 digits")
        staff.get_by_label("PIN").fill("471108")
        staff.get_by_role("button", name="Add somebody").click()
        row = page.locator("[data-staff='Eva Lang']")
        expect(row).to_contain_text("never logged in")
        assert serious(page) == []
        with httpx.Client(base_url=f"{desk.url}/api/v1") as eva:
            assert eva.post("/session", json={"staff": "Eva Lang", "pin": "471108"}).is_success
        row.get_by_role("button", name="Remove").click()
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        expect(row).to_have_count(0)
        assert desk.get("/staff")["items"] == []


def test_a_supervisor_sees_them_and_changes_none(browser: Browser, desk: Desk):
    desk.post("/staff", name="Sam", role="supervisor", pin="471108")
    with watched_page(browser) as page:
        who = {"staff": "Sam", "pin": "471108"}
        assert page.context.request.post(f"{desk.url}/api/v1/session", data=who).ok
        page.goto(f"{desk.url}/desk#settings")
        expect(page.locator("[data-staff=Sam]")).to_be_visible()
        expect(page.get_by_role("form")).to_have_count(0)
        expect(page.get_by_role("button", name="Remove")).to_have_count(0)
