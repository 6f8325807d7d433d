"""The same with real processes: their directories, what they print, and every byte on the wire."""

from __future__ import annotations

import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.support import DAY, Running, make_hub, program
from tests.privacy.scan import MARK, files_with, guest, traces, traces_in_files, user_id

pytestmark = pytest.mark.slow
GUESTS = 12


class Wiretap:
    """A way to the hub that writes down what passes, in both directions."""

    def __init__(self, url: str) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self._there = (host, int(port))
        self.heard: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._there)
            except OSError:
                near.close()  # The hub has stopped.
                continue
            self._open += [near, far]
            for source, target in ((near, far), (far, near)):
                thread = threading.Thread(target=self._pass, args=(source, target))
                self._threads.append(thread)
                thread.start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        said = bytearray()
        try:
            while data := source.recv(65_536):
                said += data
                target.sendall(data)
        except OSError:
            pass  # One of the two has gone.
        self.heard.append(bytes(said))
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in list(self._open):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self._threads:
            thread.join(10)
        for one in self._open:
            one.close()


@pytest.fixture
def serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, str], Running]]:
    monkeypatch.setenv("HOLDFAST_SYNC_COMPRESSION", "none")
    monkeypatch.setenv("HOLDFAST_STATE", str(tmp_path / "state"))
    started: list[Running] = []

    def start(role: str, name: str) -> Running:
        started.append(Running(role, tmp_path / name))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.stop()


def calling(directory: Path, running: Running) -> httpx.Client:
    token = (directory / "admin-token").read_text().strip()
    return httpx.Client(
        base_url=f"{running.url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=30
    )


def booking(n: int, **changes: Any) -> dict[str, Any]:
    return {
        "venue": "trattoria", "starts_at": f"{DAY}T{12 + n % 2}:00", "party_size": 2,
        "user_id": user_id(n), "guest": guest(n), "kind": "walk_in",
    } | changes  # fmt: skip


WHOEVER = "agent_" + "0" * 32
REFUSED: list[tuple[str, str, Any]] = [
    ("POST", "/reservations", booking(1, guest={"email": guest(1)["name"]})),
    ("POST", "/reservations", booking(1, guest={"phone": guest(1)["name"]})),
    ("POST", "/reservations", booking(1, guest=guest(1)["name"])),
    ("POST", "/reservations", booking(1, metadata={"crm.name": guest(1)["name"]})),
    ("POST", "/reservations", booking(1, party_size=1_000)),
    ("POST", "/guests/search", {"q": guest(1)["name"], "limit": -1}),
    ("POST", "/guests/search", {"q": [guest(1)["name"]]}),
    ("POST", f"/guests/{WHOEVER}/notes", {"kind": guest(1)["name"], "text": guest(1)["name"]}),
    ("POST", f"/guests/{WHOEVER}/notes", {"kind": "general", "text": guest(1)["name"] * 2_000}),
    ("PATCH", f"/guests/{WHOEVER}/preferences", {"language": guest(1)["name"]}),
    ("POST", f"/guests/{WHOEVER}/merge", {"other": guest(1)["name"]}),
    ("POST", "/venues/trattoria/rotate-key", {}),
]


def test_real_processes_keep_no_guest_and_send_none(
    serve: Callable[[str, str], Running], tmp_path: Path
):
    make_hub(tmp_path / "hub")
    running = {"hub": serve("hub", "hub")}
    tap = Wiretap(running["hub"].url)
    for name, role in (("desk", "front-desk"), ("kiosk", "kiosk")):
        invited = program(
            "hub", "invite", "--venue", "trattoria", "--role", role, "--name", name,
            "--data", tmp_path / "hub",
        )  # fmt: skip
        joined = program(
            "node", "join", tap.url, "--code", invited.stdout.split()[-1],
            "--data", tmp_path / name,
        )  # fmt: skip
        assert joined.returncode == 0, joined.stderr
        running[name] = serve("node", name)
    clients = {name: calling(tmp_path / name, one) for name, one in running.items()}
    answers: list[bytes] = []

    # What the hub and a kiosk say, and every error anywhere, says nothing of a guest.
    agents = []
    for n in range(GUESTS):
        where = ("desk", "kiosk")[n % 2]
        made = clients[where].post(
            "/reservations", json=booking(n), headers={"Idempotency-Key": f"key-{n}"}
        )
        assert made.status_code in (201, 409), made.text
        if where == "kiosk" or made.status_code == 409:
            answers.append(made.content)
        if made.status_code == 201:
            agents.append(made.json()["agent_id"])
    assert len(agents) >= GUESTS // 2
    for client in clients.values():
        for method, path, body in REFUSED:
            answer = client.request(method, path, json=body)
            assert answer.status_code >= 400 or path.startswith("/venues"), answer.text
            answers.append(answer.content)
    noted = clients["desk"].post(
        f"/guests/{agents[1]}/notes",
        json={"kind": "dietary", "text": guest(2)["requests"], "alert": True},
        headers={"Idempotency-Key": "noted"},
    )
    assert noted.json()["text"] == guest(2)["requests"]
    said = {"dietary": guest(2)["dietary"], "preferences": guest(2)["requests"]}
    answer = clients["desk"].patch(f"/guests/{agents[1]}/preferences", json=said)
    assert answer.json()["dietary"] == guest(2)["dietary"]
    for name in ("desk", "kiosk", "desk"):
        assert clients[name].post("/sync/now", json={}).status_code == 200
    found = clients["desk"].post("/guests/search", json={"q": MARK}).json()["items"]
    assert {one["agent_id"] for one in found} == set(agents)
    for name, client in clients.items():
        root = httpx.URL(running[name].url)
        for path in ("/metrics", "/schema/openapi.json", "/readyz"):
            answers.append(httpx.get(root.join(path)).content)
        for path in ("/status", "/sync", "/audit", "/books", "/config"):
            answers.append(client.get(path).content)
        if name != "desk":
            # The desk's name whom an operation, or something lost, concerns.
            answers += [client.get(path).content for path in ("/queue", "/exceptions")]
            answers.append(client.get("/reservations").content)
            answers.append(client.post("/guests/search", json={"q": MARK}).content)
    failed = program("guests", "find", guest(1)["name"], "--data", tmp_path / "kiosk")
    assert failed.returncode == 1
    answers += [failed.stdout.encode(), failed.stderr.encode()]
    assert program("backup", tmp_path / "desk.backup", "--data", tmp_path / "desk").returncode == 0

    key = sealed_key(tmp_path / "desk", agents[0])
    erased = program(
        "guests", "erase", agents[0], "--reason", "guest_request", "--data", tmp_path / "desk"
    )
    assert erased.returncode == 0, erased.stderr
    for name in ("desk", "kiosk", "desk"):
        assert clients[name].post("/sync/now", json={}).status_code == 200
    (erasure,) = clients["desk"].get("/erasures").json()["items"]
    assert {one["name"]: one["state"] for one in erasure["devices"]} == {
        "hub": "confirmed", "desk": "confirmed", "kiosk": "confirmed"
    }  # fmt: skip
    directories = [tmp_path / name for name in running]
    assert files_with(key, *directories) == []
    assert files_with(key, tmp_path) == [str(tmp_path / "desk.backup")]

    for client in clients.values():
        client.close()
    for one in running.values():
        _, errors = one.stop()
        answers.append(errors.encode())
    tap.close()
    assert [data[:300] for data in answers if traces(data)] == []
    assert traces_in_files(tmp_path) == {}
    assert sum(map(len, tap.heard)) > GUESTS * 500
    assert [data[:300] for data in tap.heard if traces(data)] == []
    assert (tmp_path / "desk" / "log" / "holdfast.log").read_text()


def sealed_key(directory: Path, agent: str) -> bytes:
    """A card's sealed key as it stands in a directory whose process runs."""
    with sqlite3.connect(f"file:{directory / 'holdfast.db'}?mode=ro", uri=True) as connection:
        row = connection.execute(
            "SELECT sealed FROM card_keys JOIN cards USING (id, book) WHERE agent_id = ?", (agent,)
        ).fetchone()
    connection.close()
    found: bytes = row[0]
    return found
