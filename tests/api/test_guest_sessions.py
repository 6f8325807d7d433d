"""Guests without a token: who may become one, what they see, and when they are nobody any more."""

from __future__ import annotations

import json
import os
import re
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import icalendar
import pytest

from holdfast.api import sessions
from holdfast.api.app import make_app
from holdfast.model.limits import GUEST_IDLE_MS, GUEST_MS_MAX, GUESTS_AT_ONCE, WRONG_TOKENS_AT_ONCE
from holdfast.model.pseudonyms import AGENT_BYTES, agent_id, walk_in_agent_id
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from holdfast.node.settings import Settings
from holdfast.store.logins import SessionRow
from tests.api.conftest import ADMIN, DAY, bearer, booking, calling, token_for, venue_document
from tests.api.described import Transport
from tests.api.test_stream import watching

pytestmark = pytest.mark.anyio

AS_GUEST = {"guest": True, "venue": "trattoria"}
ANN = {"name": "Ann Smith", "phone": "+39 06 555 0199"}


def open_to_guests(replica: Hub | Node, **settings: Any) -> None:
    replica.settings = Settings(guest_page="on", **settings)


@pytest.fixture
def trattoria() -> dict[str, Any]:
    profile = {
        "address": {"street": "Via Roma 1", "postal_code": "00184", "city": "Roma"},
        "contact": {"phone": "+39 06 5550100"},
        "integrations": {"till": "T-77"},
    }
    own: dict[str, Any] = {"profile": profile, "business_account": "group-9"}
    own["guests"] = {"tiers": ["gold"], "tags": ["complainer"]}
    own["policies"] = {
        "max_party": 12,
        "concurrent": 5,
        "tiers": {"gold": {"concurrent": 9}},
        "tags": {"complainer": {"concurrent": 6}},
    }
    return venue_document(allotments=[{"holder": "desk", "resources": ["T*"]}], **own)


@pytest.fixture
async def client(hub: Hub, desk: Node) -> AsyncGenerator[httpx.AsyncClient, None]:
    """The admin of a hub that guests may use: it has a front desk's key to seal their cards to."""
    desk.sync()
    open_to_guests(hub)
    async with calling(hub) as client:
        yield client


def stranger(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A browser that has been nowhere yet, at the same replica."""
    return httpx.AsyncClient(transport=client._transport, base_url=client.base_url)


async def new_guest(client: httpx.AsyncClient) -> httpx.AsyncClient:
    page = stranger(client)
    answer = await page.post("/session", json=AS_GUEST)
    assert answer.status_code == 200, answer.text
    page.headers["X-CSRF-Token"] = answer.json()["csrf"]
    return page


async def reserved(page: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    made = await page.post("/reservations", json=booking(source="website", guest=ANN) | changes)
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


def the_event(content: bytes) -> Any:
    """The one event of a calendar file."""
    (event,) = icalendar.Calendar.from_ical(content).walk("VEVENT")
    return event


# --- who may come in ------------------------------------------------------------------------------


async def test_a_device_is_open_to_nobody_until_somebody_opens_it(hub: Hub):
    async with calling(hub) as admin:
        refused = await stranger(admin).post("/session", json=AS_GUEST)
        assert refused.status_code == 403
        assert '`guest_page = "on"` in its config.toml and a restart' in refused.json()["detail"]
        assert "set-cookie" not in refused.headers


async def test_a_venue_that_takes_nothing_online_lets_nobody_in(client: httpx.AsyncClient):
    document = (await client.get("/venues/trattoria")).json()
    for change in ({"accepting": False}, {"active": False}):
        put = await client.put("/venues/trattoria", json=document | change)
        assert put.status_code == 200, put.text
        for asked in (AS_GUEST, {"guest": True}):
            refused = await stranger(client).post("/session", json=asked)
            assert refused.status_code == 403, change
            assert "Trattoria da Mario" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"guest": True}, 200),
        ({"guest": True, "venue": "nowhere"}, 404),
        ({"guest": False, "venue": "trattoria"}, 422),
        ({"venue": "trattoria"}, 422),
        ({"guest": True, "token": ADMIN}, 422),
    ],
)
async def test_what_is_asked_for(client: httpx.AsyncClient, sent: dict[str, Any], status: int):
    assert (await stranger(client).post("/session", json=sent)).status_code == status


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(client: httpx.AsyncClient):
    answer = await stranger(client).post("/session", json=AS_GUEST)
    cookie = answer.headers["set-cookie"]
    assert re.fullmatch(
        r"holdfast-[0-9a-f]{12}=hfs_[\w-]{43}; Path=/; HttpOnly; SameSite=Strict; "
        rf"Max-Age={GUEST_MS_MAX // 1_000}",
        cookie,
    )
    assert (answer.json()["name"], answer.json()["role"]) == ("guest", "guest")


async def test_one_address_makes_only_so_many_guests(hub: Hub, client: httpx.AsyncClient):
    now_ms = hub.clock.monotonic_ms()
    hub.clock.monotonic_ms = lambda: now_ms  # type: ignore[method-assign]
    page = stranger(client)
    found = [
        (await page.post("/session", json=AS_GUEST)).status_code for _ in range(GUESTS_AT_ONCE + 1)
    ]
    assert found == [200] * GUESTS_AT_ONCE + [429]


async def test_whoever_becomes_another_guest_books_no_more_than_one(hub: Hub):
    open_to_guests(hub, bookings_per_minute=3)
    now_ms = hub.clock.monotonic_ms()
    hub.clock.monotonic_ms = lambda: now_ms  # type: ignore[method-assign]
    async with calling(hub) as admin:
        found = []
        for _ in range(4):
            page = await new_guest(admin)
            found.append(await page.post("/holds", json=booking(party_size=99)))
        assert [one.status_code for one in found] == [409] * 3 + [429]


# --- what a guest sees ----------------------------------------------------------------------------


async def test_a_guest_sees_and_touches_only_what_is_their_own(client: httpx.AsyncClient):
    ann, bob = await new_guest(client), await new_guest(client)
    hers = await reserved(ann)
    his = await reserved(bob, starts_at=f"{DAY}T12:00")
    assert hers["agent_id"] != his["agent_id"]
    assert [one["id"] for one in (await ann.get("/reservations")).json()["items"]] == [hers["id"]]
    for path in (f"/reservations/{his['code']}", f"/reservations/{his['id']}/calendar.ics"):
        assert (await ann.get(path)).status_code == 404
    assert (await ann.post(f"/reservations/{his['id']}/cancel", json={})).status_code == 404
    moved = await ann.patch(f"/reservations/{his['id']}", json={"party_size": 3})
    assert moved.status_code == 404
    for path in ("/queue", "/audit", "/blocks", "/resources", "/tokens", "/exceptions"):
        assert (await ann.get(path)).status_code == (200 if path == "/resources" else 403), path
    gone = await bob.post(f"/reservations/{his['id']}/cancel", json={})
    assert gone.json()["status"] == "cancelled"


async def test_what_is_the_houses_own_stands_in_no_guests_venue(client: httpx.AsyncClient):
    page = await new_guest(client)
    for told in (
        (await page.get("/venues/trattoria")).json(),
        (await page.get("/venues")).json()["items"][0],
    ):
        assert told["profile"]["contact"]["phone"] == "+39 06 5550100"
        assert "integrations" not in told["profile"]
        assert told["allotments"] == [] and "business_account" not in told
        assert told["policies"]["concurrent"] == 5
        assert "gold" not in json.dumps(told) and "complainer" not in json.dumps(told)
    whole = (await client.get("/venues/trattoria")).json()
    assert whole["policies"]["tiers"] and whole["policies"]["tags"]
    assert whole["profile"]["integrations"] == {"till": "T-77"} and whole["allotments"]


async def test_a_guest_is_told_no_account_and_no_device_of_the_house(
    client: httpx.AsyncClient, desk: Node
):
    page = await new_guest(client)
    made = await reserved(page)
    desk.sync()
    hold = {"venue": "trattoria", "starts_at": f"{DAY}T13:00", "party_size": 2}
    held = (await page.post("/holds", json=hold)).json()
    wish = {"venue": "trattoria", "date": DAY, "party_size": 2, "guest": ANN}
    waits = (await page.post("/waitlist", json=wish)).json()
    listed = [(await page.get(f"/{kind}")).json()["items"] for kind in ("reservations", "waitlist")]
    one = (await page.get(f"/reservations/{made['id']}")).json()
    for told in (made, held, waits, one, *listed[0], *listed[1]):
        assert told["made_by"] == "" and told.get("business_account") is None
        assert [claim["holder"] for claim in told.get("claims", [])] in ([None], [])
    whole = (await client.get(f"/reservations/{made['id']}")).json()
    assert (whole["made_by"], whole["business_account"]) == ("hub", "group-9")
    assert [claim["holder"] for claim in whole["claims"]] == ["desk"]


async def test_nor_does_the_stream_tell_a_guest_of_them(hub: Hub):
    app: Any = make_app(hub, admin_token=ADMIN)
    base = "http://localhost/api/v1"
    admin = httpx.AsyncClient(transport=Transport(app), base_url=base, headers=bearer())
    async with app.lifespan(), admin:
        anna = agent_id(b"k" * 32, "anna")
        guest = bearer(await token_for(admin, "guest", anna))
        async with watching(app, guest) as watcher:
            await admin.post("/reservations", json=booking(agent_id=anna))
            told = json.loads((await watcher.next("reservation"))["data"])
    assert (told["agent_id"], told["made_by"], told["business_account"]) == (anna, "", None)
    assert [claim["holder"] for claim in told["claims"]] == [None]


async def test_a_write_needs_the_second_secret(client: httpx.AsyncClient):
    page = await new_guest(client)
    del page.headers["X-CSRF-Token"]
    assert (await page.post("/reservations", json=booking())).status_code == 403


async def test_a_guests_calendar_file_has_the_code_and_the_way_and_nobody(hub: Hub, desk: Node):
    open_to_guests(desk)
    async with calling(desk) as admin:
        await _check_the_calendar_file(await new_guest(admin))


async def _check_the_calendar_file(page: httpx.AsyncClient) -> None:
    made = await reserved(page, guest=ANN)
    answer = await page.get(f"/reservations/{made['id']}/calendar.ics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == f'attachment; filename="{made["code"]}.ics"'
    event = the_event(answer.content)
    assert str(event["UID"]) == made["id"]
    assert event["DTSTART"].dt.isoformat() == made["starts_at"]
    assert event["DTEND"].dt.isoformat() == made["ends_at"]
    assert (str(event["SUMMARY"]), str(event["STATUS"])) == ("Trattoria da Mario", "CONFIRMED")
    assert str(event["LOCATION"]) == "Via Roma 1, 00184 Roma"
    assert made["code"] in str(event["DESCRIPTION"])
    assert b"Ann" not in answer.content and b"555 0199" not in answer.content
    await page.post(f"/reservations/{made['id']}/cancel", json={})
    again = await page.get(f"/reservations/{made['id']}/calendar.ics")
    later = the_event(again.content)
    assert str(later["STATUS"]) == "CANCELLED"
    assert int(later["SEQUENCE"]) > int(event["SEQUENCE"])


async def test_who_only_waits_has_nothing_for_a_calendar(client: httpx.AsyncClient):
    page = await new_guest(client)
    asked = {"venue": "trattoria", "date": DAY, "party_size": 2, "guest": ANN}
    waits = (await page.post("/waitlist", json=asked)).json()
    assert (await page.get(f"/reservations/{waits['id']}/calendar.ics")).status_code == 404


async def test_a_guest_finds_what_they_reserved_by_telephone_and_does_not_own_it(
    hub: Hub, desk: Node
):
    open_to_guests(desk)
    async with calling(desk) as staff:
        made = await staff.post("/reservations", json=booking(guest=ANN, source="phone"))
        code = made.json()["code"]
        page = await new_guest(staff)
        asked = {"reference": code, "phone": "06 5550199"}
        found = await page.post("/reservations/lookup", json=asked)
        assert found.status_code == 200, found.text
        assert found.json()["code"] == code and "guest" not in found.json()
        wrong = await page.post("/reservations/lookup", json=asked | {"phone": "06 5550198"})
        assert wrong.status_code == 404
        assert (await page.post(f"/reservations/{code}/cancel", json={})).status_code == 404


# --- when it is over ------------------------------------------------------------------------------


async def test_closing_the_page_shuts_every_guest_out_and_opening_it_lets_them_back(
    hub: Hub, client: httpx.AsyncClient
):
    page = await new_guest(client)
    made = await reserved(page)
    hub.settings = Settings()
    assert (await page.get("/reservations")).status_code == 401
    open_to_guests(hub)
    assert (await page.get("/reservations")).json()["items"][0]["id"] == made["id"]


async def test_a_guests_cookie_of_before_is_no_wrong_token(hub: Hub, client: httpx.AsyncClient):
    now_ms = hub.clock.monotonic_ms()
    hub.clock.monotonic_ms = lambda: now_ms  # type: ignore[method-assign]
    page = await new_guest(client)
    hub.settings = Settings()
    for _ in range(int(WRONG_TOKENS_AT_ONCE)):
        assert (await page.get("/reservations")).status_code == 401
    wrong = await stranger(client).post("/session", json={"token": "no token"})
    assert wrong.status_code == 401


async def test_a_guest_who_leaves_is_a_stranger(client: httpx.AsyncClient):
    page = await new_guest(client)
    await reserved(page)
    assert (await page.delete("/session")).status_code == 200
    assert (await page.get("/session")).status_code == 401
    again = await new_guest(client)
    assert (await again.get("/reservations")).json()["items"] == []


async def test_a_guest_is_known_for_months_and_not_for_ever(hub: Hub, client: httpx.AsyncClient):
    page, elapsed_ms = await new_guest(client), 0.0
    begun_ms = hub.clock.monotonic_ms()
    hub.clock.monotonic_ms = lambda: begun_ms + elapsed_ms  # type: ignore[method-assign]
    for days in (60, 120):
        elapsed_ms = days * 86_400_000.0
        assert (await page.get("/session")).status_code == 200, days
    elapsed_ms += GUEST_IDLE_MS
    assert (await page.get("/session")).status_code == 401


async def test_a_crowd_of_guests_logs_no_staff_out_and_hides_no_reservation(
    hub: Hub, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sessions, "GUEST_SESSIONS_MAX", 3)
    staff = stranger(client)
    logged_in = await staff.post("/session", json={"token": await token_for(client, "staff")})
    assert logged_in.status_code == 200
    has = await new_guest(client)
    await reserved(has)
    idle = await new_guest(client)
    for _ in range(3):
        await new_guest(client)
    assert (await staff.get("/session")).status_code == 200
    assert (await has.get("/session")).status_code == 200
    assert (await idle.get("/session")).status_code == 401


async def has_one(client: httpx.AsyncClient) -> str:
    """An agent id that waits for a place."""
    agent = walk_in_agent_id(os.urandom(AGENT_BYTES))
    wish = {"venue": "trattoria", "date": DAY, "party_size": 2, "agent_id": agent}
    assert (await client.post("/waitlist", json=wish)).status_code == 201
    return agent


async def test_however_many_have_something_one_who_has_nothing_makes_room(
    hub: Hub, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    """Also where those with a reservation were not here for longer than anybody else."""
    have = [await has_one(client) for _ in range(120)]
    nothing = [walk_in_agent_id(os.urandom(AGENT_BYTES)) for _ in range(2)]
    now_ms, life = hub.clock.now_ms(), hub.identity.incarnation
    rows = [
        SessionRow(os.urandom(32), life, "guest", agent, "", now_ms - 10_000, now_ms - 9_000 + at)
        for at, agent in enumerate([*have, *nothing])
    ]
    with hub.transaction():
        for row in rows:
            hub.store.logins.put_session(row)
    monkeypatch.setattr(sessions, "GUEST_SESSIONS_MAX", len(rows))
    await new_guest(client)
    left = {row.subject for row in hub.store.logins.sessions()}
    assert left >= {*have, nothing[1]} and nothing[0] not in left


async def test_who_has_nothing_to_come_makes_room_before_who_has(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sessions, "GUEST_SESSIONS_MAX", 3)
    first, over, last = [await new_guest(client) for _ in range(3)]
    await reserved(first)
    cancelled = await reserved(over, starts_at=f"{DAY}T12:00")
    await over.post(f"/reservations/{cancelled['id']}/cancel", json={})
    await reserved(last, starts_at=f"{DAY}T15:00")
    newest = await new_guest(client)
    await reserved(newest, starts_at=f"{DAY}T09:00")
    found = [(await one.get("/session")).status_code for one in (first, over, last, newest)]
    assert found == [200, 401, 200, 200]
    # Where all have something to come, whoever is longest unused goes.
    await new_guest(client)
    found = [(await one.get("/session")).status_code for one in (first, last, newest)]
    assert found == [401, 200, 200]
