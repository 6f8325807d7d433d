"""A hub and a front desk as real processes, and a browser before them; builders for page tests.

Owns the starting and stopping of both, the few requests by which a test makes something happen at
one of them, and a page that fails its test on any console error, page error or report of the
Content-Security-Policy.
"""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from holdfast.api.routes_pages import FOLDER

ROOT = Path(__file__).parent.parent.parent
CHROMIUM = shutil.which("chromium")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip
VENUE = "trattoria"


def can_be_seen() -> None:
    """Skip where there is no browser, or where the pages are not built."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    if not (FOLDER / "hub.html").is_file():
        pytest.skip("the pages are not built; run `make web`")


def open_day() -> str:
    """A Thursday to come, on which the trattoria is open."""
    today = datetime.datetime.now(datetime.UTC).date()
    return (today + datetime.timedelta((3 - today.weekday()) % 7 or 7)).isoformat()


class Device:
    """A directory whose process runs, called with its own token."""

    def __init__(self, directory: Path, url: str) -> None:
        self.directory, self.url = directory, url
        token = (directory / "admin-token").read_text().strip()
        self.http = httpx.Client(
            base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=30
        )

    def get(self, path: str, **query: Any) -> Any:
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None) -> Any:
        answer = self.http.post(path, json={} if body is None else body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def reserve(self, day: str, time: str, resource: str, **more: Any) -> Any:
        body = {"venue": VENUE, "starts_at": f"{day}T{time}", "party_size": 2}
        return self.post("/reservations", body | {"resources": [resource]} | more)

    def address(self, page: str, role: str = "") -> str:
        """Of a page, with a ticket that logs in once."""
        ticket = self.post("/tickets", {"page": role or page})["ticket"]
        return f"{self.url}/{page}#ticket={ticket}"


class World:
    """A hub and a desk that joined it; T1 and T2 are the desk's to sell."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self.day = open_day()
        self.run("hub", "init", "--data", "hub", "--tenant", "rome")
        self.run("venue", "import", str(ROOT / "examples/trattoria.yaml"), "--data", "hub")
        self.hub = self._start("hub", "hub")
        self.desk = self._join("desk")

    def _join(self, name: str) -> Device:
        code = self.hub.post("/invites", {"venue": VENUE, "role": "front-desk", "name": name})
        self.run("node", "join", self.hub.url, "--code", code["code"], "--data", name)
        return self._start("node", name)

    def run(self, *words: str) -> str:
        command = [sys.executable, "-m", "holdfast", *words]
        done = subprocess.run(
            command, cwd=self._folder, env=self._environment(), capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _start(self, kind: str, name: str) -> Device:
        process = subprocess.Popen(
            [sys.executable, "-m", "holdfast", kind, "run", "--data", name, "--port", "0"],
            cwd=self._folder, env=self._environment(), stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._stack.callback(process.wait, 20)
        self._stack.callback(process.terminate)
        assert process.stdout is not None
        self._stack.callback(process.stdout.close)
        for line in process.stdout:
            if line.startswith("ready "):
                return Device(self._folder / name, line.split()[1])
        raise AssertionError(f"{name} did not start")

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT), "HOLDFAST_STATE": str(self._folder)}

    def lose_a_table(self, time: str, name: str, resource: str = "T3") -> Any:
        """Somebody asks the desk, which is cut off, for a table that the hub sells meanwhile."""
        self.desk.post("/sync/pause")
        lost = self.desk.reserve(self.day, time, resource, guest={"name": name})
        self.hub.reserve(self.day, time, resource)
        self.desk.post("/sync/resume")
        self.desk.post("/sync/now")
        assert self.desk.get(f"/reservations/{lost['id']}")["status"] == "commit_failed"
        return lost


def enter(page: Page, device: Device, name: str = "desk") -> None:
    """Log in by a ticket, and wait until the page stands."""
    page.goto(device.address(name))
    expect(page.locator(".trust [class*=tag]").first).to_be_visible(timeout=20_000)


@contextmanager
def running(folder: Path) -> Generator[World, None, None]:
    with ExitStack() as stack:
        yield World(folder, stack)


@contextmanager
def browsing() -> Generator[Browser, None, None]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


def _is_complaint(told: ConsoleMessage) -> bool:
    """Whether the console reports a mistake. That the device refused something is none: a browser
    notes every answer from 400 on."""
    return told.type == "error" and not told.text.startswith("Failed to load resource")


@contextmanager
def watched(browser: Browser, **options: Any) -> Generator[Page, None, None]:
    """A page of a fresh context; what it complains of fails the test."""
    context = browser.new_context(**{"locale": "en-GB"} | options)
    page = context.new_page()
    complaints: list[str] = []

    def note(told: ConsoleMessage) -> None:
        if _is_complaint(told):
            complaints.append(told.text)

    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", note)
    yield page
    context.close()
    assert complaints == []
