"""Fixtures of the pages' tests. Without a Chromium they are skipped, and say how to get one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.pages.browser import (
    FINGER,
    PHONE,
    WAIT_MS,
    launch,
    skip_without_browser,
    watched_page,
)
from tests.pages.front_desk import Desk, front_desk
from tests.pages.machines import Restaurant

TEST_SECONDS = 400
"""A browser and three processes start before the first test of a module."""

expect.set_options(timeout=WAIT_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser and its processes take their time to start."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of a module and no longer: while it is open its event loop is this thread's, and nothing else
    here could run one."""
    skip_without_browser()
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
    with watched_page(browser, PHONE, **FINGER) as page:
        yield page


@pytest.fixture(scope="module")
def restaurant(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restaurant]:
    """A hub and a desk of a module's own, as processes."""
    with Restaurant(tmp_path_factory.mktemp("restaurant")) as made:
        yield made


@pytest.fixture
def desk(browser: Browser, tmp_path: Path) -> Iterator[Desk]:
    """A desk of a test's own that never closes, in this process."""
    with front_desk(tmp_path) as made:
        yield made
