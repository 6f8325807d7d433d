"""Every page and view keeps nobody from using it: by axe-core, light and dark, and with the page
turned for a language that is written from right to left."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.pages.browser import PHONE, WIDE, serious, watched_page
from tests.pages.views import VIEWS, World, busy_hour

TOO_WIDE = """
() => [...document.querySelectorAll("html, main, header.bar, dialog[open], dialog[open] > *")]
  .filter((one) => one.scrollWidth > one.clientWidth + 1)
  .map((one) => `${one.tagName} is ${one.scrollWidth} wide in ${one.clientWidth}`)
"""


@pytest.fixture(scope="module")
def world(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with busy_hour(tmp_path_factory.mktemp("world")) as made:
        yield made


def turned(page: Page, size: tuple[int, int]) -> list[str]:
    """What is too wide for a screen when the page is turned to right-to-left."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.evaluate("document.documentElement.dir = 'rtl'")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    found: list[str] = page.evaluate(TOO_WIDE)
    return [f"{size[0]} px: {one}" for one in found]


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_keeps_anybody_from_using_it(browser: Browser, world: World, view: str) -> None:
    with watched_page(browser, reduced_motion="reduce") as page:
        VIEWS[view](page, world)
        complaints = []
        for look in ("light", "dark"):
            page.emulate_media(color_scheme=look)
            complaints += [f"{look}: {one}" for one in serious(page)]
        assert complaints == []


@pytest.mark.parametrize("view", VIEWS)
def test_it_fits_when_it_is_turned_to_right_to_left(
    browser: Browser, world: World, view: str
) -> None:
    with watched_page(browser, reduced_motion="reduce") as page:
        VIEWS[view](page, world)
        assert turned(page, WIDE) + turned(page, PHONE) == []
