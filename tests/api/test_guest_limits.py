"""Guests without a token: how much they write and watch, and what they say of themselves."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from holdfast.api import routes_stream
from holdfast.api.app import make_app
from holdfast.api.guest_streams import GuestStreams, counted
from holdfast.model.errors import RateLimited
from holdfast.model.limits import GUEST_STREAMS_MAX, GUEST_STREAMS_PER_ADDRESS_MAX
from holdfast.model.pseudonyms import agent_id
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from tests.api.conftest import ADMIN, DAY, bearer, booking, calling, token_for
from tests.api.described import Transport
from tests.api.test_guest_sessions import ANN, new_guest, open_to_guests
from tests.api.test_stream import watching

pytestmark = pytest.mark.anyio

WAITS = {"venue": "trattoria", "date": DAY, "party_size": 2}


def frozen(replica: Hub | Node) -> None:
    """Nothing comes into a bucket any more."""
    now_ms = replica.clock.monotonic_ms()
    replica.clock.monotonic_ms = lambda: now_ms  # type: ignore[method-assign]


def numbered(last: int) -> dict[str, str]:
    return {"name": "Ann Smith", "phone": f"+39 06 555 01{last:02}"}


@pytest.fixture
async def client(hub: Hub, desk: Node) -> AsyncGenerator[httpx.AsyncClient, None]:
    """The admin of a hub that guests may use: it has a front desk's key to seal their cards to."""
    desk.sync()
    open_to_guests(hub)
    async with calling(hub) as client:
        yield client


# --- writing --------------------------------------------------------------------------------------


async def test_nobody_asks_of_many_numbers_whether_they_are_banned(hub: Hub, desk: Node):
    open_to_guests(desk)
    frozen(desk)
    async with calling(desk) as staff:
        hers = (await staff.post("/reservations", json=booking(guest=ANN))).json()
        ban = {"venue": "trattoria", "restriction": "booking-ban", "reason": "conduct"}
        put = await staff.post(f"/guests/{hers['agent_id']}/restrictions", json=ban)
        assert put.status_code == 201, put.text
        page, found = await new_guest(staff), []
        asked = booking(starts_at=f"{DAY}T12:00", guest=numbered(50))
        made = (await page.post("/reservations", json=asked)).json()
        for last in (*range(60, 68), 99):
            sent = {"guest": numbered(last)}
            found.append(await page.patch(f"/reservations/{made['id']}", json=sent))
        assert [one.status_code for one in found] == [200] * 8 + [403]
        other = await new_guest(staff)
        for one, way, path in (
            (page, "PATCH", f"/reservations/{made['id']}"),
            (other, "POST", "/reservations"),
            (other, "POST", "/holds"),
            (other, "POST", "/waitlist"),
        ):
            body = {"/reservations": booking(), "/holds": booking(), "/waitlist": WAITS}
            sent = body.get(path, {}) | {"guest": numbered(70)}
            refused = await one.request(way, path, json=sent)
            assert refused.status_code == 429, path
            assert "telephone numbers and e-mail addresses" in refused.json()["detail"]
            assert 0 < int(refused.headers["Retry-After"]) <= 60
        changed = await page.patch(f"/reservations/{made['id']}", json={"party_size": 3})
        assert changed.status_code == 200, changed.text
        assert (await staff.post("/reservations", json=booking(guest=ANN))).status_code == 403


@pytest.mark.parametrize(
    ("way", "path", "sent"),
    [
        ("PATCH", "/reservations/RES-2027-ZZZZZZ", {"party_size": 3}),
        ("POST", "/reservations/RES-2027-ZZZZZZ/confirm", {}),
        ("POST", "/reservations/search", {"venue": "trattoria", "partner_reference": "x"}),
        ("PATCH", "/holds/RES-2027-ZZZZZZ", {"party_size": 3}),
        ("POST", "/holds/RES-2027-ZZZZZZ/extend", {"minutes": 5}),
        ("DELETE", "/holds/RES-2027-ZZZZZZ", None),
        ("POST", "/waitlist/RES-2027-ZZZZZZ/accept", {}),
        ("DELETE", "/waitlist/RES-2027-ZZZZZZ", None),
    ],
)
async def test_whatever_guests_of_an_address_write_is_counted(
    hub: Hub, way: str, path: str, sent: dict[str, Any] | None
):
    open_to_guests(hub, bookings_per_minute=4)
    frozen(hub)
    async with calling(hub) as admin:
        pages = [await new_guest(admin) for _ in range(2)]
        found = []
        for n in range(6):
            headers = {"Idempotency-Key": f"key-{n}"} if way == "POST" else {}
            answer = await pages[n % 2].request(way, path, json=sent, headers=headers)
            found.append(answer.status_code)
        assert 429 not in found[:4], found
        assert found[4:] == [429, 429]
        assert (await pages[0].get("/reservations")).status_code == 200
        assert (await admin.request(way, path, json=sent)).status_code != 429


# --- who they are ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("guest", "fields"),
    [
        (None, ["guest.name", "guest.phone"]),
        ({}, ["guest.name", "guest.phone"]),
        ({"name": "Ann"}, ["guest.phone"]),
        ({"name": "Ann", "phone": "12 34 56", "email": " "}, ["guest.phone"]),
        ({"name": "  ", "phone": "06 5550199"}, ["guest.name"]),
        ({"name": "Ann", "phone": "06 5550199"}, []),
        ({"name": "Ann", "email": "ann@example.org"}, []),
    ],
)
async def test_a_guest_says_who_they_are_and_how_they_are_reached(
    client: httpx.AsyncClient, guest: dict[str, Any] | None, fields: list[str]
):
    page = await new_guest(client)
    held = await page.post("/holds", json=booking(starts_at=f"{DAY}T12:00"))
    assert held.status_code == 201, held.text
    given = {} if guest is None else {"guest": guest}
    for path, body in (
        ("/reservations", booking()),
        ("/waitlist", WAITS),
        (f"/holds/{held.json()['id']}/reserve", {}),
    ):
        answer = await page.post(path, json=body | given)
        assert answer.status_code == (422 if fields else 201), (path, answer.text)
        assert [one["field"] for one in answer.json().get("errors", [])] == fields


async def test_what_was_said_once_need_not_be_said_again_and_is_not_taken_back(
    client: httpx.AsyncClient,
):
    page = await new_guest(client)
    held = (await page.post("/holds", json=booking(guest=ANN))).json()
    made = await page.post(f"/holds/{held['id']}/reserve", json={})
    assert made.status_code == 201, made.text
    path = f"/reservations/{held['id']}"
    assert (await page.patch(path, json={"guest": {"name": "Bob"}})).status_code == 422
    assert (await page.patch(path, json={"occasion": "birthday"})).status_code == 200
    waits = (await page.post("/waitlist", json=WAITS | {"guest": ANN})).json()
    offered = await client.post(f"/waitlist/{waits['id']}/offer", json={})
    assert offered.status_code == 200, offered.text
    taken = await page.post(f"/waitlist/{waits['id']}/accept", json={})
    assert taken.status_code == 201, taken.text


async def test_of_a_guests_token_its_program_knows_who_it_is(client: httpx.AsyncClient):
    anna = agent_id(b"k" * 32, "anna")
    client.headers.update(bearer(await token_for(client, "guest", anna)))
    assert (await client.post("/reservations", json=booking())).status_code == 201


async def test_nobody_waits_by_themself_for_a_venue_that_takes_nothing_online(
    client: httpx.AsyncClient,
):
    page = await new_guest(client)
    document = (await client.get("/venues/trattoria")).json() | {"accepting": False}
    assert (await client.put("/venues/trattoria", json=document)).status_code == 200
    refused = await page.post("/waitlist", json=WAITS | {"guest": ANN})
    assert refused.status_code == 409, refused.text
    assert [one["rule"] for one in refused.json()["violations"]] == ["online"]
    assert (await client.post("/waitlist", json=WAITS)).status_code == 201


# --- watching -------------------------------------------------------------------------------------


async def test_one_guest_watches_so_often_and_leaving_gives_it_back(hub: Hub):
    open_to_guests(hub)
    app = make_app(hub, admin_token=ADMIN)
    transport = Transport(app)  # type: ignore[arg-type]
    base = "http://localhost/api/v1"
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url=base) as client:
        page, other = await new_guest(client), await new_guest(client)
        async with AsyncExitStack() as stack:
            for _ in range(GUEST_STREAMS_MAX):
                await stack.enter_async_context(watching(app, cookie_of(page)))
            async with asyncio.timeout(10):
                refused = await page.get("/stream")
            assert refused.status_code == 429
            assert "watches 4 times already" in refused.json()["detail"]
            assert refused.headers["Retry-After"]
            async with watching(app, cookie_of(other)):
                assert len(app.state.face.guest_streams) == GUEST_STREAMS_MAX + 1
            for _ in range(GUEST_STREAMS_MAX + 1):
                await stack.enter_async_context(watching(app, bearer()))
        assert len(app.state.face.guest_streams) == 0
        async with watching(app, cookie_of(page)) as watcher:
            assert watcher.first


def cookie_of(page: httpx.AsyncClient) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in page.cookies.items())}


async def test_one_address_watches_so_often_whoever_it_says_it_is():
    streams = GuestStreams()
    ends = [streams.opened(bytes([n]), "203.0.113.7") for n in range(GUEST_STREAMS_PER_ADDRESS_MAX)]
    with pytest.raises(RateLimited, match="this address watches 32 times"):
        streams.opened(b"another", "203.0.113.7")
    streams.opened(b"another", "203.0.113.8")()
    ends[0]()
    ends[0]()
    assert len(streams) == GUEST_STREAMS_PER_ADDRESS_MAX - 1
    streams.opened(b"another", "203.0.113.7")
    with pytest.raises(RateLimited):
        streams.opened(b"one more", "203.0.113.7")


async def test_a_stream_that_was_never_begun_is_over_too():
    async def events() -> AsyncGenerator[int, None]:
        yield 1

    streams = GuestStreams()
    watched = counted(events(), streams.opened(b"session", "203.0.113.7"))
    assert len(streams) == 1
    del watched
    gc.collect()
    assert len(streams) == 0


async def test_of_what_a_guest_never_hears_nothing_is_asked_for_them(
    hub: Hub, desk: Node, monkeypatch: pytest.MonkeyPatch
):
    desk.sync()
    open_to_guests(hub)
    asked: list[str] = []
    real = routes_stream._rendered

    def noted(face: Any, caller: Any, changed: Any, parted: Any) -> Any:
        asked.append(changed.event)
        return real(face, caller, changed, parted)

    monkeypatch.setattr(routes_stream, "_rendered", noted)
    app = make_app(hub, admin_token=ADMIN)
    transport = Transport(app)  # type: ignore[arg-type]
    base = "http://localhost/api/v1"
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=transport, base_url=base, headers=bearer()) as staff,
    ):
        page = await new_guest(staff)
        async with watching(app, cookie_of(page)) as watcher:
            await staff.post("/reservations", json=booking())
            made = await page.post("/reservations", json=booking(guest=ANN))
            assert made.status_code == 201, made.text
            event = await watcher.next("reservation")
            assert made.json()["id"] in event["data"]
    assert asked == ["reservation"] * 2
