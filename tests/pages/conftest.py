"""Fixtures of the pages' tests. Without a Chromium they are skipped, and say how to get one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.pages import support
from tests.pages.support import World, launch, watched_page

# A machine that has other work to do is slow, and not wrong.
expect.set_options(timeout=20_000)
TEST_SECONDS = 300


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser and two processes take their time to start."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of a module and no longer: while it is open its event loop is this thread's, and nothing else
    here could run one."""
    if support.CHROMIUM is None:
        pytest.skip("no Chromium here: `apt-get install chromium` lets the pages be tested")
    if not support.BUILT.is_file():
        pytest.skip("the pages are not built: `make web`")
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A desk's screen."""
    with watched_page(browser) as page:
        yield page


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """A phone, with a finger instead of a mouse."""
    with watched_page(browser, (390, 844), has_touch=True, is_mobile=True) as page:
        yield page


@pytest.fixture
def world(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A hub and a desk of this test's own."""
    made = World(tmp_path_factory.mktemp("pages"))
    yield made
    made.close()
