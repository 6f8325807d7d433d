"""GET /stream: whoever watches learns of what changes, and of what was missed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from holdfast.api.app import close_streams, make_app
from holdfast.api.routes_stream import Parted
from holdfast.api.stream import Changes
from holdfast.model.limits import STREAM_CHANGES_KEPT
from holdfast.model.pseudonyms import agent_id
from holdfast.node.replica import Change
from tests.api.conftest import ADMIN, DAY, bearer, booking, token_for, venue_document
from tests.api.described import Document, Transport
from tests.kit import Fleet

pytestmark = pytest.mark.anyio

Event = dict[str, Any]


def change_of(reservation: bytes) -> Change:
    return Change(book="acme/trattoria", reservations=[reservation], seq=1, venue=False, own=True)


class Watcher:
    """The events of one stream, as they come; the ASGI application is called without a server,
    because the client in memory waits for the whole of an answer. Each event must be one that the
    OpenAPI document describes."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.first: Event = {}
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.left = asyncio.Event()
        self.ended = asyncio.Event()

    async def next(self, *kinds: str) -> Event:
        """The next event, of these kinds if any are named."""
        async with asyncio.timeout(10):
            while True:
                event = await self.events.get()
                self._document.check_event(event)
                if not kinds or event.get("event") in kinds:
                    return event


@asynccontextmanager
async def watching(app, headers: dict[str, str]) -> AsyncGenerator[Watcher, None]:
    watcher = Watcher(await Transport(app).document())
    scope: Any = {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/api/v1/stream", "raw_path": b"/api/v1/stream", "query_string": b"",
        "root_path": "", "client": None, "server": None, "extensions": {},
        "headers": [
            (name.lower().encode(), value.encode())
            for name, value in {"host": "localhost", **headers}.items()
        ],
    }  # fmt: skip
    requested = False

    async def receive() -> dict[str, Any]:
        nonlocal requested
        if not requested:
            requested = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await watcher.left.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        body = message.get("body", b"").decode()
        for block in filter(None, body.split("\r\n\r\n")):
            fields = dict(line.split(": ", 1) for line in block.split("\r\n") if line)
            watcher.events.put_nowait(fields)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            watcher.left.set()  # A server says so too, when the answer is over.

    async def run() -> None:
        await app(scope, receive, send)
        watcher.ended.set()

    task = asyncio.create_task(run())
    try:
        watcher.first = await watcher.next()
        yield watcher
    finally:
        watcher.left.set()
        await asyncio.wait_for(task, 10)


@pytest.fixture
async def app(hub):
    app = make_app(hub, admin_token=ADMIN)
    async with app.lifespan():
        yield app


@pytest.fixture
async def client(app):
    transport = Transport(app)
    base = "http://localhost/api/v1"
    async with httpx.AsyncClient(transport=transport, base_url=base, headers=bearer()) as client:
        yield client


async def test_a_watcher_gets_each_change_with_the_object_and_an_id(app, client):
    async with watching(app, bearer()) as watcher:
        made = (await client.post("/reservations", json=booking())).json()
        event = await watcher.next("reservation")
        assert json.loads(event["data"]) == made
        assert event["id"]
        await client.post(f"/reservations/{made['id']}/cancel")
        event = await watcher.next("reservation")
        assert json.loads(event["data"])["status"] == "cancelled"


async def test_a_new_venue_and_the_queue_are_told(app, client):
    async with watching(app, bearer()) as watcher:
        changed = (await client.get("/venues/trattoria")).json() | {"name": "Da Maria"}
        assert (await client.put("/venues/trattoria", json=changed)).status_code == 200
        event = await watcher.next("venue")
        assert json.loads(event["data"])["name"] == "Da Maria"
        assert "counts" in json.loads((await watcher.next("queue"))["data"])


async def test_who_comes_back_gets_what_was_missed_and_nothing_twice(app, client):
    async with watching(app, bearer()) as watcher:
        seen = (await client.post("/reservations", json=booking())).json()
        last = (await watcher.next("reservation"))["id"]
    missed = (await client.post("/reservations", json=booking())).json()
    async with watching(app, bearer() | {"last-event-id": last}) as watcher:
        event = await watcher.next("reservation")
        assert json.loads(event["data"])["id"] == missed["id"] != seen["id"]


@pytest.mark.parametrize("last", ["another-7", "", "-", "xx", "deadbeef-99999999999999999999"])
async def test_who_comes_back_to_another_life_is_told_to_read_anew(app, client, last: str):
    async with watching(app, bearer() | {"last-event-id": last}) as watcher:
        assert watcher.first["event"] == "reset"
        made = (await client.post("/reservations", json=booking())).json()
        event = await watcher.next("reservation")
        assert json.loads(event["data"])["id"] == made["id"]


async def test_each_thing_is_told_by_the_name_of_what_it_is_now(app, client):
    """A hold that is reserved is told as both, once: whoever lists holds takes it out."""
    async with watching(app, bearer()) as watcher:
        held = (await client.post("/holds", json=booking())).json()
        event = await watcher.next("hold", "reservation")
        assert (event["event"], json.loads(event["data"])) == ("hold", held)
        done = (await client.post(f"/holds/{held['id']}/reserve", json={})).json()
        event = await watcher.next("hold", "reservation")
        assert (event["event"], json.loads(event["data"])["status"]) == ("hold", "confirmed")
        event = await watcher.next("hold", "reservation")
        assert (event["event"], json.loads(event["data"])) == ("reservation", done)
        await client.post(f"/reservations/{held['id']}/check-in")
        event = await watcher.next("hold", "reservation")
        assert event["event"] == "reservation"
        released = (await client.post("/holds", json=booking())).json()
        await watcher.next("hold")
        await client.delete(f"/holds/{released['id']}")
        event = await watcher.next("hold", "reservation")
        assert (event["event"], json.loads(event["data"])["status"]) == ("hold", "cancelled")


async def test_the_waitlist_and_blocks_are_told_to_whom_they_concern(app, client):
    kiosk = bearer(await token_for(client, "kiosk"))
    guest = bearer(await token_for(client, "guest", agent_id(b"k" * 32, "anna")))
    async with (
        watching(app, bearer()) as watcher,
        watching(app, kiosk) as at_kiosk,
        watching(app, guest) as at_guest,
    ):
        wish = {"venue": "trattoria", "date": DAY, "party_size": 2, "from": "19:30", "to": "19:30"}
        waits = (await client.post("/waitlist", json=wish)).json()
        assert json.loads((await watcher.next("waitlist"))["data"]) == waits
        offered = (await client.post(f"/waitlist/{waits['id']}/offer", json={})).json()
        assert json.loads((await watcher.next("waitlist"))["data"]) == offered
        done = (await client.post(f"/waitlist/{waits['id']}/accept", json={})).json()
        told = json.loads((await watcher.next("waitlist", "reservation"))["data"])
        assert (told["state"], told["position"]) == ("accepted", 0)
        assert json.loads((await watcher.next("waitlist", "reservation"))["data"]) == done
        block = {
            "venue": "trattoria", "kind": "blocked", "resources": ["T2"],
            "starts_at": f"{DAY}T10:00", "ends_at": f"{DAY}T11:00",
        }  # fmt: skip
        answer = await client.post("/blocks", json=block)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        for one in (watcher, at_kiosk):
            event = await one.next("block")
            assert json.loads(event["data"])["id"] == made["id"]
        own = (await client.post("/holds", json=booking(), headers=guest)).json()
        event = await at_guest.next()
        assert (event["event"], json.loads(event["data"])["id"]) == ("hold", own["id"])


def test_what_was_told_as_parted_is_remembered_within_bounds():
    parted = Parted(kept=2)
    assert [parted.first(one) for one in (b"a", b"a", b"b", b"c", b"a")] == [
        True, False, True, True, True,
    ]  # fmt: skip


async def test_what_a_person_must_look_at_is_told_when_it_arises(tmp_path):
    with Fleet(tmp_path) as fleet:
        desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
        fleet.reserve(desk, "19:30", ["T1"])
        lost = fleet.reserve(kiosk, "19:30", ["T1"])
        fleet.sync(desk)
        app = make_app(fleet.the_hub, admin_token=ADMIN)
        async with app.lifespan(), watching(app, bearer()) as watcher:
            fleet.sync(kiosk)
            told = json.loads((await watcher.next("exception"))["data"])
            assert (told["kind"], told["code"]) == ("displaced", lost.code)


async def test_two_parties_at_one_table_are_told_when_the_second_is_seated(tmp_path):
    with Fleet(tmp_path) as fleet:
        desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
        desk.reservations.check_in(fleet.reserve(desk, "19:30", ["T1"]).code)
        fleet.clocks.advance(minutes=1)
        late = fleet.reserve(kiosk, "19:30", ["T1"])
        kiosk.reservations.check_in(late.code)
        fleet.sync(desk)
        app = make_app(fleet.the_hub, admin_token=ADMIN)
        async with app.lifespan(), watching(app, bearer()) as watcher:
            fleet.sync(kiosk)
            told = {json.loads((await watcher.next("exception"))["data"])["kind"] for _ in "12"}
            assert told == {"seated_without_place", "two_parties"}


async def test_the_memory_is_bounded_and_says_when_it_forgot():
    changes = Changes()
    changes.start(asyncio.get_running_loop())
    first = changes.id_of(0)
    for number in range(STREAM_CHANGES_KEPT):
        changes.committed(change_of(number.to_bytes(16, "big")))
    await asyncio.sleep(0)
    assert changes.resume(first) is None
    assert changes.after(0) is None
    recent = changes.after(changes.last - 2)
    assert recent is not None
    assert [one.event for one in recent] == ["reservation", "queue"]
    changes.stop()


async def test_a_thing_that_changed_often_is_told_once():
    changes = Changes()
    changes.start(asyncio.get_running_loop())
    for _ in range(5):
        changes.committed(change_of(b"r" * 16))
    await asyncio.sleep(0)
    found = changes.after(0)
    assert found is not None
    assert [one.event for one in found] == ["reservation", "queue"]
    changes.stop()


async def test_a_guest_hears_of_its_own_reservations_and_of_nothing_else(app, client):
    anna = agent_id(b"k" * 32, "anna")
    guest = bearer(await token_for(client, "guest", anna))
    async with watching(app, guest) as watcher:
        await client.post("/reservations", json=booking())
        own = (await client.post("/reservations", json=booking(agent_id=anna))).json()
        event = await watcher.next()
        assert (event["event"], json.loads(event["data"])["id"]) == ("reservation", own["id"])
        assert watcher.events.empty()


@pytest.mark.parametrize("by", ["token", "page's session", "logging out", "removed"])
async def test_a_stream_ends_at_once_with_what_it_was_opened_by(app, client, by):
    """Nothing more comes: not even what was on its way."""
    if by == "removed":
        await client.post("/staff", json={"name": "Zoë", "role": "staff", "pin": "4711"})
        way = {"staff": "Zoë", "pin": "4711"}
    else:
        token = await token_for(client, "staff")
        way = {"token": token}
    headers = bearer(token) if by == "token" else {}
    csrf = ""
    if by != "token":
        page = httpx.AsyncClient(transport=client._transport, base_url=client.base_url)
        csrf = (await page.post("/session", json=way)).json()["csrf"]
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in page.cookies.items())}
    async with watching(app, headers) as watcher:
        await client.post("/reservations", json=booking())
        await watcher.next("reservation")
        if by == "logging out":
            done = await page.delete("/session", headers={"X-CSRF-Token": csrf})
        else:
            path = "/staff/zoë" if by == "removed" else "/tokens/a-staff"
            done = await client.delete(path)
        assert done.status_code == 200
        await asyncio.wait_for(watcher.ended.wait(), 10)
        await client.post("/reservations", json=booking(resources=["T2"]))
        rest = [watcher.events.get_nowait() for _ in range(watcher.events.qsize())]
        assert "reservation" not in [event.get("event") for event in rest]


async def test_a_token_of_a_venue_hears_of_its_venue_alone(app, client):
    await client.put("/venues/bistro", json=venue_document(venue="bistro", allotments=[]))
    body = {"name": "bistro", "role": "supervisor", "venues": ["bistro"]}
    own = bearer((await client.post("/tokens", json=body)).json()["token"])
    async with watching(app, own) as watcher:
        await client.post("/reservations", json=booking())
        await client.put("/venues/trattoria", json=venue_document(name="New"))
        theirs = await client.post("/reservations", json=booking(venue="bistro"))
        told = await watcher.next("reservation", "venue", "exception")
        assert json.loads(told["data"])["id"] == theirs.json()["id"]


async def test_streams_end_when_the_server_is_about_to_stop(app):
    async with watching(app, bearer()) as watcher:
        close_streams(app)
        await asyncio.wait_for(watcher.ended.wait(), 10)
