"""What the tests of the pages are made of: a hub and a desk as real processes, and a browser."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.cli.support import DAY, ROOT, VENUE, Running, join_desk, program

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
BUILT = ROOT / "holdfast" / "api" / "pages" / "desk.html"
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = [
    "--no-sandbox",  # in a container, as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE = (1280, 800)


def launch(playwright: Playwright) -> Browser:
    """The system's Chromium, which asks nobody outside for anything."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)


def done(*words: object) -> None:
    """A command in a process of its own, which must succeed: in this one a browser runs."""
    ended = program(*words)
    assert ended.returncode == 0, ended.stderr


class World:
    """A hub and a desk of the sample restaurant, each its own process on its own directory."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.hub_directory = place / "hub"
        done("hub", "init", "--data", self.hub_directory, "--tenant", "rome")
        done("venue", "import", VENUE, "--data", self.hub_directory)
        self.hub = Running("hub", self.hub_directory)
        self.desk_directory = place / "desk"
        join_desk(self.hub_directory, self.hub.url, self.desk_directory)
        self.desk = Running("node", self.desk_directory)

    def close(self) -> None:
        for one in (self.desk, self.hub):
            if one.process.poll() is None:
                one.stop()

    def say(self, *words: object, at: str = "desk") -> Any:
        """A command at the desk or at the hub; what it prints as JSON."""
        directory = self.desk_directory if at == "desk" else self.hub_directory
        ended = program(*words, "--json", "--data", directory)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    def book(self, time: str, *words: object, at: str = "desk", party: int = 2) -> dict[str, Any]:
        made: dict[str, Any] = self.say(
            "reserve", "--venue", "trattoria", "--at", f"{DAY}T{time}", "--party", party, *words,
            at=at,
        )  # fmt: skip
        return made

    def shown(self, reference: str, at: str = "desk") -> dict[str, Any]:
        found: dict[str, Any] = self.say("reservations", "show", reference, at=at)
        return found

    def ticket(self, at: str = "desk", page: str = "") -> str:
        """The address of a page, with the ticket that logs it in."""
        url: str = self.say("open", *(["--as", page] if page else []), at=at)["url"]
        return url


class Watched:
    """What a page complains about; any of it fails the test."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("console", lambda message: self._note(message.type, message.text))

    def _note(self, kind: str, text: str) -> None:
        # The browser notes every refusal of the API, which the page tells its user in its own way.
        if kind in ("error", "warning") and not text.startswith("Failed to load resource"):
            self.complaints.append(f"{kind}: {text}")


@contextmanager
def watched_page(browser: Browser, size: tuple[int, int] = WIDE, **options: Any) -> Iterator[Page]:
    """A page of its own in a fresh profile, at a screen of `size`; no complaint is overlooked."""
    usual = {"locale": "en-GB", "timezone_id": "Europe/Rome"}
    context: BrowserContext = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, **(usual | options)
    )
    page = context.new_page()
    watched = Watched(page)
    page.set_default_timeout(20_000)
    yield page
    context.close()
    assert not watched.complaints, watched.complaints


def open_desk(page: Page, world: World, view: str = "grid", date: str = DAY) -> None:
    """Log the page in and show a day."""
    page.goto(world.ticket())
    page.wait_for_selector("header.bar")
    page.goto(f"{world.desk.url}/desk#{view}/{date}")
    page.reload()
    page.wait_for_selector("header.bar")


def serious(page: Page) -> list[str]:
    """What axe-core finds on a page that keeps somebody from using it."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
