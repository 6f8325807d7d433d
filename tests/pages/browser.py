"""The browser of the pages' tests: how it starts, a page that complains of nothing, and axe."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright

from holdfast.api.routes_pages import FOLDER
from tests.cli.support import ROOT

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
AXE: Final = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
FLAGS: Final = (
    "--no-sandbox",  # in a container, as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE: Final = (1280, 800)
PHONE: Final = (390, 844)
FINGER: Final[dict[str, Any]] = {"has_touch": True, "is_mobile": True}
WAIT_MS: Final = 20_000
"""A machine that has other work to do is slow, and not wrong."""

# A browser notes every refusal of the API, which the page tells its user in its own way.
REFUSED: Final = re.compile(r"^Failed to load resource: .* status of 4\d\d\b")


def skip_without_browser() -> None:
    """Skip where there is no browser, or where the pages are not built."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here: `apt-get install chromium` lets the pages be tested")
    if not (FOLDER / "desk.html").is_file():
        pytest.skip("the pages are not built: `make web`")


def launch(playwright: Playwright) -> Browser:
    """The system's Chromium, which asks nobody outside for anything."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))


@contextmanager
def watched_page(browser: Browser, size: tuple[int, int] = WIDE, **options: Any) -> Iterator[Page]:
    """A page in a fresh profile, at a screen of `size`.

    An error or a warning in its console, a report of the Content-Security-Policy and an error that
    nobody caught fail the test.
    """
    usual = {"locale": "en-GB", "timezone_id": "Europe/Rome"}
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, **(usual | options)
    )
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    complaints: list[str] = []

    def note(said: ConsoleMessage) -> None:
        if said.type in ("error", "warning") and not REFUSED.search(said.text):
            complaints.append(f"{said.type}: {said.text}")

    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("console", note)
    try:
        yield page
        assert not complaints, complaints
    finally:
        context.close()


def serious(page: Page) -> list[str]:
    """What axe-core finds on a page that keeps somebody from using it."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
