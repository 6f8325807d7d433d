"""The notes of a service at the desk: two who write at once, and neither's words are lost."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.pages.front_desk import Desk, at_the_desk


def text_at(desk: Desk) -> str:
    found: str = desk.get(f"/venues/trattoria/notes/{desk.today()}")["text"]
    return found


def ready(page: Page) -> None:
    expect(page.get_by_text("Nothing was written yet")).to_be_visible()


def test_what_two_type_at_once_both_read(browser: Browser, desk: Desk):
    with (
        at_the_desk(browser, desk, "notes") as one,
        at_the_desk(browser, desk, "notes") as other,
    ):
        ready(one)
        ready(other)
        first, second = (page.get_by_role("textbox", name="Notes") for page in (one, other))
        first.press_sequentially("The fish is off. ")
        expect(second).to_have_value("The fish is off. ")
        expect(other.get_by_text("New words by")).to_be_visible()

        first.press("Home")
        first.press_sequentially("Tonight: ")
        second.press("End")
        second.press_sequentially("Table 4 has a birthday.")
        whole = "Tonight: The fish is off. Table 4 has a birthday."
        expect(first).to_have_value(whole)
        expect(second).to_have_value(whole)
        expect(one.get_by_text("Saved, last by")).to_be_visible()
        assert text_at(desk) == whole


def test_what_was_just_typed_is_kept_when_another_view_is_opened(browser: Browser, desk: Desk):
    with at_the_desk(browser, desk, "notes") as page:
        ready(page)
        page.get_by_role("textbox", name="Notes").fill("Wine list is new.")
        page.get_by_role("button", name="List", exact=True).click()
        page.get_by_role("button", name="Notes", exact=True).click()
        expect(page.get_by_role("textbox", name="Notes")).to_have_value("Wine list is new.")
        assert text_at(desk) == "Wine list is new."
