"""The desk's toolbar: one line at 1280 pixels, whole on a phone, all of it by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.pages.browser import FINGER, PHONE, serious
from tests.pages.front_desk import Desk, at_the_desk


@pytest.mark.parametrize("locale", ["en-GB", "de-DE", "es-ES", "nl-NL", "pt-PT"])
def test_it_is_one_line_in_every_language(browser: Browser, desk: Desk, locale: str):
    with at_the_desk(browser, desk, "list", locale=locale) as page:
        tools = page.locator(".tools")
        expect(tools).to_be_visible()
        tops = tools.locator("> *").evaluate_all(
            "all => [...new Set(all.map(one => Math.round(one.getBoundingClientRect().top)))]"
        )
        assert len(tops) == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
        cut = tools.locator(".views > button span").evaluate_all(
            "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).length"
        )
        assert cut == 0, "no view's name is cut"


def test_the_rarer_views_stand_in_a_menu(browser: Browser, desk: Desk):
    with at_the_desk(browser, desk, "list") as page:
        opener = page.get_by_role("button", name="More")
        opener.press("Enter")
        expect(opener).to_have_attribute("aria-expanded", "true")
        assert serious(page) == []
        page.keyboard.press("Escape")
        expect(page.get_by_role("menu")).to_have_count(0)
        expect(opener).to_be_focused()
        opener.click()
        page.get_by_role("menuitemradio", name="Settings").click()
        chosen = page.get_by_role("button", name="Settings")
        expect(chosen).to_have_attribute("aria-pressed", "true")
        expect(page.get_by_role("region", name="Settings")).to_be_visible()


def test_on_a_phone_everything_can_be_touched(browser: Browser, desk: Desk):
    with at_the_desk(browser, desk, "list", PHONE, **FINGER) as page:
        page.get_by_role("button", name="More").tap()
        expect(page.get_by_role("menuitemradio", name="Queue")).to_be_in_viewport(ratio=1)
        small = page.locator("header button, header input").evaluate_all(
            "all => all.filter(one => Math.min(one.offsetWidth, one.offsetHeight) < 44)"
            ".map(one => one.outerHTML)"
        )
        assert small == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
