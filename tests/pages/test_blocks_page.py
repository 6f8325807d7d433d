"""Places out of use at the desk's page, and the question before a reservation is cancelled."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.pages.front_desk import Desk, at_the_desk


def test_a_table_is_taken_out_of_use_over_a_reservation_only_on_purpose(
    browser: Browser, desk: Desk
):
    booked = desk.book("Nora", "T1")
    begin, end = desk.now(-15), desk.now(120)
    with at_the_desk(browser, desk, "floor") as page:
        expect(page.locator('[data-table="T1"][data-state="reserved"]')).to_be_visible()
        page.keyboard.press("b")
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="T1").click()
        dialog.get_by_label("From").fill(f"{begin:%H:%M}")
        dialog.get_by_label("Until").fill(f"{end:%H:%M}")
        dialog.get_by_label("For").select_option("maintenance")
        dialog.get_by_label("Why").select_option("repair")
        dialog.get_by_role("button", name="Take out of use", exact=True).click()
        expect(dialog.get_by_role("list", name="Their place")).to_contain_text("Nora")
        assert not desk.get("/blocks", venue="trattoria")["items"]

        dialog.get_by_role("button", name="all the same").click()
        expect(page.get_by_text("T1 out of use")).to_be_visible()
        (block,) = desk.get("/blocks", venue="trattoria")["items"]
        assert (block["kind"], block["reason"]) == ("maintenance", "repair")
        assert block["conflicts"] == [booked["id"]]


def test_a_block_of_every_week_is_made_and_ended_from_the_floor(browser: Browser, desk: Desk):
    begin, end = desk.now(-15), desk.now(120)
    with at_the_desk(browser, desk, "floor") as page:
        expect(page.locator('[data-table="T2"][data-state="available"]')).to_be_visible()
        page.keyboard.press("n")
        page.get_by_role("button", name="Take out of use instead").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="T2").click()
        dialog.get_by_label("From").fill(f"{begin:%H:%M}")
        dialog.get_by_label("Until").fill(f"{end:%H:%M}")
        dialog.get_by_label("How many weeks").fill("3")
        dialog.get_by_role("button", name="Take out of use", exact=True).click()
        page.locator('[data-table="T2"][data-state="blocked"]').get_by_role("button").click()
        page.get_by_role("dialog").get_by_role("button", name="Open").click()
        page.get_by_role("button", name="This and all later dates (3)").click()
        expect(page.locator('[data-table="T2"][data-state="available"]')).to_be_visible()
        left = desk.get("/blocks", venue="trattoria")["items"]
        assert {one["status"] for one in left} <= {"cancelled"}


def test_nothing_is_cancelled_before_somebody_said_yes(browser: Browser, desk: Desk):
    booked = desk.book("Olga", "T1")

    def status() -> str:
        found: str = desk.get(f"/reservations/{booked['id']}")["status"]
        return found

    with at_the_desk(browser, desk, "list") as page:
        page.get_by_role("button", name="Olga").click()
        page.get_by_role("button", name="Cancel the reservation").click()
        asked = page.get_by_role("dialog", name="Cancel the reservation?")
        expect(asked).to_contain_text("Olga")
        asked.get_by_role("button", name="Keep it").click()
        expect(asked).to_have_count(0)
        assert status() == "confirmed"

        page.get_by_role("button", name="Cancel the reservation").click()
        asked.get_by_role("button", name="the guest wishes it").click()
        expect(page.get_by_text("Olga cancelled")).to_be_visible()
        assert status() == "cancelled"
