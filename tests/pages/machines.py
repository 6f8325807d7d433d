"""Hubs and nodes as real processes, called the way their administrator calls them."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Self

import httpx
from playwright.sync_api import Page, expect

from tests.cli.support import DAY, VENUE, Running, join_desk, program


def command(*words: object) -> None:
    """A command that must succeed, in a process of its own."""
    ended = program(*words)
    assert ended.returncode == 0, ended.stderr


class Machine:
    """A hub or node that runs on a directory."""

    def __init__(self, role: str, directory: Path) -> None:
        self._role, self.directory = role, directory
        self.running = Running(role, directory)
        self.url = self.running.url
        self.token = (directory / "admin-token").read_text("utf-8").strip()
        self.api = httpx.Client(
            base_url=f"{self.url}/api/v1",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=30,
            trust_env=False,
        )

    def get(self, path: str, **query: Any) -> Any:
        answer = self.api.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self.api.post(path, json=body or {})
        assert answer.is_success, answer.text
        return answer.json()

    def say(self, *words: object) -> Any:
        """A command on the directory, in a process of its own; what it prints as JSON."""
        ended = program(*words, "--json", "--data", self.directory)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    def reserve(self, time: str, resource: str, *, party: int = 2, name: str = "") -> Any:
        """A table of the sample restaurant on `DAY`."""
        body = {"venue": "trattoria", "starts_at": f"{DAY}T{time}", "party_size": party}
        guest = {"guest": {"name": name}} if name else {}
        return self.post("/reservations", body | {"resources": [resource]} | guest)

    def shown(self, made: dict[str, Any]) -> Any:
        """A reservation as it stands here now."""
        return self.get(f"/reservations/{made['id']}")

    def ticket(self, page: str, opens: str = "") -> str:
        """The address of a page with a ticket that logs in once; for the page `opens`, if named."""
        ticket = self.post("/tickets", {"page": opens or page})["ticket"]
        return f"{self.url}/{page}#ticket={ticket}"

    def holds_bytes(self, needle: bytes) -> list[str]:
        """The files of the directory in which these bytes stand in clear."""
        files = (path for path in self.directory.rglob("*") if path.is_file())
        return [path.name for path in files if needle in path.read_bytes()]

    def stop(self) -> None:
        """Tell it to end, and wait; one that has ended stays so."""
        if self.running.process.poll() is None:
            self.running.stop()

    def start_again(self) -> None:
        """At the address where it was before it was stopped."""
        assert self.running.process.poll() is not None, "stop it first"
        self.running = Running(self._role, self.directory, int(self.url.rpartition(":")[2]))
        assert self.running.url == self.url, self.running.first_line

    def close(self) -> None:
        self.api.close()
        self.stop()


class Restaurant:
    """The sample restaurant: a hub, and a desk that joined it and sells T1 and T2 by itself."""

    def __init__(self, place: Path) -> None:
        self._closing = ExitStack()
        # In processes of their own: in this thread a browser's event loop runs.
        command("hub", "init", "--data", place / "hub", "--tenant", "rome")
        command("venue", "import", VENUE, "--data", place / "hub")
        self.hub = self._closing.enter_context(closing(Machine("hub", place / "hub")))
        join_desk(place / "hub", self.hub.url, place / "desk")
        self.desk = self._closing.enter_context(closing(Machine("node", place / "desk")))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def another_desk(self, name: str) -> Machine:
        """A second desk of the restaurant. It has no table of its own: all but T1 and T2 are the
        hub's."""
        invited = program("hub", "invite", "--venue", "trattoria", "--role", "front-desk",
                          "--name", name, "--data", self.hub.directory)  # fmt: skip
        directory = self.hub.directory.parent / name
        code = invited.stdout.split()[-1]
        done = program("node", "join", self.hub.url, "--code", code, "--data", directory)
        assert done.returncode == 0, done.stderr
        return self._closing.enter_context(closing(Machine("node", directory)))

    def lose_a_table(self, time: str, name: str, resource: str = "T3") -> Any:
        """Somebody asks the desk, which is cut off, for a table that the hub sells meanwhile."""
        self.desk.post("/sync/pause")
        lost = self.desk.reserve(time, resource, name=name)
        self.hub.reserve(time, resource)
        self.desk.post("/sync/resume")
        self.desk.post("/sync/now")
        assert self.desk.get(f"/reservations/{lost['id']}")["status"] == "commit_failed"
        return lost


def enter(page: Page, machine: Machine, name: str = "desk") -> None:
    """Log in by a ticket, and wait until the page knows how far it can be trusted."""
    page.goto(machine.ticket(name))
    expect(page.locator(".trust [class*=tag]").first).to_be_visible()


def open_desk(page: Page, desk: Machine, view: str = "grid", date: str = DAY) -> None:
    """Log in at a desk and show a view of a day."""
    enter(page, desk)
    page.goto(f"{desk.url}/desk#{view}/{date}")
    page.reload()
    expect(page.locator(".trust [class*=tag]").first).to_be_visible()
