"""The waitlist of the desk's page: who waits, what they are offered, and what becomes of it."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.pages.front_desk import Desk, at_the_desk


def test_a_party_joins_is_offered_a_place_and_takes_it(browser: Browser, desk: Desk):
    with at_the_desk(browser, desk, "waitlist") as page:
        page.get_by_role("button", name="Put on the waitlist").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Name").fill("Greta")
        dialog.get_by_role("button", name="Put on the waitlist").click()
        line = page.get_by_role("listitem").filter(has_text="Greta")
        expect(line).to_have_attribute("data-state", "waiting")

        line.get_by_role("button", name="Offer a place").click()
        page.get_by_role("dialog").get_by_role("button", name="The first that fits").click()
        expect(line).to_have_attribute("data-state", "offered")
        timer = line.locator("[data-timer]")
        stood = timer.inner_text()
        expect(timer).not_to_have_text(stood)

        line.get_by_role("button", name="They take it").click()
        expect(line).to_have_count(0)
        day = desk.get("/reservations", venue="trattoria", date=desk.today(), status="confirmed")
        assert [one["guest"]["name"] for one in day["items"]] == ["Greta"]


def test_who_joins_elsewhere_shows_in_turn_and_can_be_taken_off(browser: Browser, desk: Desk):
    with at_the_desk(browser, desk, "waitlist") as page:
        expect(page.get_by_text("Nobody waits")).to_be_visible()
        for name in ("Hanna", "Ivo"):
            wish = {"venue": "trattoria", "date": desk.today(), "party_size": 2}
            desk.post("/waitlist", **wish, guest={"name": name})
        expect(page.get_by_role("listitem")).to_have_count(2)
        expect(page.get_by_role("listitem").first).to_contain_text("Hanna")

        page.get_by_role("button", name="Remove Hanna").click()
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        expect(page.get_by_role("listitem")).to_have_count(1)
        expect(page.get_by_role("listitem").first).to_contain_text("Ivo")


def test_who_lost_a_place_stands_first_with_the_reason(browser: Browser, desk: Desk):
    desk.post("/sync/pause")
    lost = desk.book("Jana", "G1", minutes=60)
    at_hub = {"Authorization": desk.api.headers["Authorization"]}
    with at_the_desk(browser, desk, "waitlist") as page:
        wish = {"venue": "trattoria", "date": desk.today(), "party_size": 2}
        desk.post("/waitlist", **wish, guest={"name": "Karl"})
        body = {k: lost[k] for k in ("venue", "starts_at", "party_size", "resources")}
        taken = desk.api.post(f"{desk.hub_url}/api/v1/reservations", json=body, headers=at_hub)
        assert taken.is_success, taken.text
        desk.post("/sync/resume")
        desk.api.post("/sync/now")
        first = page.get_by_role("listitem").first
        expect(first).to_contain_text("Jana")
        expect(first).to_contain_text("already taken")
        first.get_by_role("button", name="Remove").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Why").select_option("found_alternative")
        dialog.get_by_role("button", name="Remove").click()
        expect(page.get_by_role("listitem").first).to_contain_text("Karl")
