"""Guests at the desk's page: found beyond the day, marked, noted, and what is to come of them."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.pages.front_desk import Desk, at_the_desk


def test_a_guest_of_another_day_is_found_by_telephone_and_never_in_an_address(
    browser: Browser, desk: Desk
):
    later = desk.book("Laura Neri", "T1", minutes=3 * 1440, guest={"phone": "+39 06 5550142"})
    with at_the_desk(browser, desk, "list") as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        expect(page.get_by_role("searchbox")).to_be_visible()
        page.keyboard.press("/")
        page.keyboard.type("+39065550142")
        page.get_by_role("button", name="Laura Neri").click()
        card = page.get_by_role("dialog", name="Laura Neri")
        expect(card).to_contain_text("+39 06 5550142")
        assert not [url for url in asked if "5550142" in url]

        card.get_by_role("button", name="T1").click()
        panel = page.get_by_role("dialog", name="Laura Neri")
        expect(panel).to_contain_text(later["code"])


def test_a_guest_is_marked_and_noted_and_the_desk_is_told(browser: Browser, desk: Desk):
    booked = desk.book("Marco", "T1")
    with at_the_desk(browser, desk, "list") as page:
        page.get_by_role("button", name="Marco").click()
        page.get_by_role("button", name="Guest's card").click()
        card = page.get_by_role("dialog", name="Marco").last
        card.get_by_role("button", name="VIP").click()
        expect(card.get_by_role("button", name="VIP")).to_have_attribute("aria-pressed", "true")

        card.get_by_role("button", name="Add a note").click()
        card.get_by_label("Kind").select_option("dietary")
        card.get_by_label("Note", exact=True).fill("No nuts")
        card.get_by_label("Tell whoever receives them").check()
        card.get_by_role("button", name="Save").click()
        notes = card.get_by_role("region", name="Notes")
        expect(notes.get_by_role("article")).to_contain_text("No nuts")
        card.get_by_label("Prefers").fill("The window")
        card.get_by_role("button", name="Save").click()
        expect(card.get_by_role("button", name="Save")).to_have_count(0)

        known = desk.get(f"/guests/{booked['agent_id']}")
        assert known["flags"]["vip"]["up"]
        assert [(one["text"], one["alert"]) for one in known["notes"]] == [("No nuts", True)]
        assert known["details"]["preferences"] == "The window"

        notes.get_by_role("button", name="Change").click()
        card.get_by_label("Note", exact=True).fill("No nuts, no fish")
        card.get_by_role("button", name="Save").click()
        expect(notes.get_by_role("article")).to_contain_text("no fish")
        notes.get_by_role("button", name="Withdraw").click()
        expect(notes.get_by_role("article")).to_have_count(0)
