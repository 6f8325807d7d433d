"""Calendars over HTTP: who gets one, by which secret, and when it has to be fetched again."""

from __future__ import annotations

import base64
import datetime
import logging
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import icalendar
import pytest

from holdfast.api.permissions import PERMISSIONS, ROLES
from holdfast.model.limits import CALENDAR_DAYS_MAX, CALENDARS_AT_ONCE
from holdfast.model.pseudonyms import agent_id
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from tests.api.conftest import DAY, bearer, booking, calling, token_for, venue_document

pytestmark = pytest.mark.anyio

ANNA = agent_id(b"k" * 32, "anna")
FEED = "/venues/trattoria/calendar.ics"
NOBODY = {"Authorization": ""}


async def made(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/reservations", json=booking(**changes))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def read(answer: httpx.Response) -> list[Any]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    return icalendar.Calendar.from_ical(answer.content).walk("VEVENT")


async def feed_token(client: httpx.AsyncClient, **narrowed: Any) -> str:
    """What `holdfast token create --role read-only --may calendar.read` makes."""
    body = {"name": "wall", "role": "read-only", "permissions": ["calendar.read"]} | narrowed
    answer = await client.post("/tokens", json=body)
    assert answer.status_code == 201, answer.text
    token: str = answer.json()["token"]
    return token


def password(token: str, user: str = "calendar") -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{token}'.encode()).decode()}"}


# --- what is in it --------------------------------------------------------------------------------


async def test_it_has_the_venues_reservations_as_they_are_listed(client: httpx.AsyncClient):
    kept = await made(client)
    off = await made(client, starts_at=f"{DAY}T12:00", resources=["T2"])
    await client.post(f"/reservations/{off['code']}/cancel", json={})
    found = {str(one["uid"]): one for one in read(await client.get(FEED))}
    assert set(found) == {kept["id"], off["id"]}
    assert [str(found[one["id"]]["status"]) for one in (kept, off)] == ["CONFIRMED", "CANCELLED"]
    for one in (kept, off):
        event = found[one["id"]]
        for name, field in (("dtstart", "starts_at"), ("dtend", "ends_at")):
            assert event.decoded(name) == datetime.datetime.fromisoformat(one[field])
        assert str(event["description"]) == one["code"]


async def test_it_names_no_person(hub: Hub, desk: Node):
    async with calling(desk) as client:
        guest = {
            "name": "Zinaida Quellwasser",
            "phone": "+39 055 123456",
            "requests": "Fensterplatz",
        }
        one = await made(client, guest=guest, occasion="birthday", source="phone")
        text = (await client.get(FEED)).text.replace("\r\n ", "")
    assert one["guest"]["name"] == guest["name"] and one["code"] in text
    for word in ("Zinaida", "+39", "Fensterplatz", "birthday", "phone", one["agent_id"], "agent_"):
        assert word not in text


async def test_a_resources_feed_and_a_window(client: httpx.AsyncClient):
    first = await made(client, resources=["T1"])
    second = await made(client, resources=["T2"], starts_at=f"{DAY}T12:00")

    async def told(**asked: str) -> list[str]:
        return [str(one["uid"]) for one in read(await client.get(FEED, params=asked))]

    assert await told() == [second["id"], first["id"]]
    assert await told(resource="T1") == [first["id"]]
    assert await told(**{"from": f"{DAY}T15:00"}) == [first["id"]]
    assert await told(**{"from": DAY, "to": f"{DAY}T15:00"}) == [second["id"]]
    assert await told(**{"to": DAY}) == []


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"resource": "T9"}, "resource"),
        ({"from": "soon"}, "from"),
        ({"from": "2026-01-01", "to": "2026-01-01"}, "to"),
        ({"from": "2026-01-01", "to": "2030-01-01"}, "to"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_what_cannot_be_understood_is_refused(
    client: httpx.AsyncClient, asked: dict[str, str], field: str
):
    answer = await client.get(FEED, params=asked)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]


async def test_a_window_is_bounded(client: httpx.AsyncClient):
    first = datetime.date(2026, 1, 1)
    longest = {"from": "2026-01-01", "to": f"{first + datetime.timedelta(CALENDAR_DAYS_MAX)}"}
    assert (await client.get(FEED, params=longest)).status_code == 200


# --- fetching it again ----------------------------------------------------------------------------


async def test_what_did_not_change_is_not_sent_again(client: httpx.AsyncClient):
    one = await made(client)
    first = await client.get(FEED)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    for held in (tag, f'"other", W/{tag}', "*"):
        again = await client.get(FEED, headers={"If-None-Match": held})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    await client.post(f"/reservations/{one['code']}/cancel", json={})
    after = await client.get(FEED, headers={"If-None-Match": tag})
    assert after.status_code == 200 and after.headers["etag"] != tag


async def test_it_says_when_it_changed_last_and_goes_by_the_tag_alone(
    hub: Hub, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    empty = await client.get(FEED)
    assert "last-modified" not in empty.headers and "etag" in empty.headers
    await made(client)
    told = await client.get(FEED)
    said = parsedate_to_datetime(told.headers["last-modified"])
    assert abs(said.timestamp() - hub.clock.now_ms() / 1000) < 60
    # A device that was offline brings an old stamp later: by the date, nobody would hear of it.
    later = await client.get(FEED, headers={"If-Modified-Since": told.headers["last-modified"]})
    assert later.status_code == 200
    # Nor is it ever said to be of the future, whatever clock wrote the last change.
    at_ms = int(said.timestamp() * 1000) - 3_600_000
    monkeypatch.setattr(hub.clock, "now_ms", lambda: at_ms)
    early = await client.get(FEED)
    assert parsedate_to_datetime(early.headers["last-modified"]).timestamp() == at_ms // 1000


# --- by which secret ------------------------------------------------------------------------------


async def test_a_feeds_secret_is_taken_in_the_address_and_as_a_password(client: httpx.AsyncClient):
    one = await made(client)
    token = await feed_token(client)
    ways: list[dict[str, Any]] = [
        {"headers": bearer(token)},
        {"headers": password(token)},
        {"headers": password(token, user="")},
        {"headers": NOBODY, "params": {"key": token}},
    ]
    for sent in ways:
        (event,) = read(await client.get(FEED, **sent))
        assert str(event["uid"]) == one["id"]


async def test_it_opens_nothing_else(client: httpx.AsyncClient):
    token = await feed_token(client)
    for path in ("/reservations", "/venues", "/venues/trattoria", "/status", "/stream", "/tokens"):
        assert (await client.get(path, headers=bearer(token))).status_code == 403
        assert (await client.get(path, headers=password(token))).status_code == 401
        answer = await client.get(path, headers=NOBODY, params={"key": token})
        assert answer.status_code in (401, 422), path
    assert (
        await client.post("/reservations", json=booking(), headers=bearer(token))
    ).status_code == 403


@pytest.mark.parametrize("role", [role for role in ROLES if "calendar.read" in PERMISSIONS[role]])
async def test_a_token_that_may_more_is_not_taken_where_others_see_it(
    client: httpx.AsyncClient, role: str
):
    token = await token_for(client, role)
    assert (await client.get(FEED, headers=bearer(token))).status_code == 200
    ways: list[dict[str, Any]] = [
        {"headers": password(token)},
        {"headers": NOBODY, "params": {"key": token}},
    ]
    for sent in ways:
        answer = await client.get(FEED, **sent)
        assert answer.status_code == 403
        assert "--may calendar.read" in answer.json()["detail"]
        assert token not in answer.text


async def test_the_admin_token_is_no_password(client: httpx.AsyncClient):
    admin = client.headers["Authorization"].removeprefix("Bearer ")
    assert (await client.get(FEED, headers=password(admin))).status_code == 403


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"params": {"key": "hft_wrong"}},
        {"params": {"key": ""}},
        {"headers": password("hft_wrong")},
        {"headers": {"Authorization": "Basic no-base64!"}},
        {"headers": {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe").decode()}},
    ],
)
async def test_without_a_good_secret_a_program_is_asked_for_a_password(
    client: httpx.AsyncClient, sent: dict[str, Any]
):
    answer = await client.get(FEED, **({"headers": NOBODY} | sent))
    assert answer.status_code == 401
    asked = answer.headers["www-authenticate"]
    assert asked == 'Bearer realm="holdfast", Basic realm="holdfast calendar", charset="UTF-8"'


async def test_a_revoked_or_expired_secret_is_worth_nothing(
    hub: Hub, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    token = await feed_token(client, expires_seconds=60)
    keyed: dict[str, Any] = {"headers": NOBODY, "params": {"key": token}}
    assert (await client.get(FEED, **keyed)).status_code == 200
    now_ms = hub.clock.now_ms()
    with monkeypatch.context() as patch:
        patch.setattr(hub.clock, "now_ms", lambda: now_ms + 61_000)
        assert (await client.get(FEED, **keyed)).status_code == 401
    await client.delete("/tokens/wall")
    assert (await client.get(FEED, **keyed)).status_code == 401


async def test_a_feed_of_one_venue_is_of_that_venue(hub: Hub, client: httpx.AsyncClient):
    hub.import_venue(venue_document(venue="bistro", name="Bistro", allotments=[]))
    token = await feed_token(client, venues=["bistro"])
    keyed: dict[str, Any] = {"headers": NOBODY, "params": {"key": token}}
    assert (await client.get("/venues/bistro/calendar.ics", **keyed)).status_code == 200
    assert (await client.get(FEED, **keyed)).status_code == 403
    assert (await client.get("/venues/nowhere/calendar.ics", **keyed)).status_code == 403
    assert (await client.get("/venues/nowhere/calendar.ics")).status_code == 404


async def test_a_pages_session_counts_and_not_the_password_of_a_proxy_before_it(
    client: httpx.AsyncClient,
):
    token = await token_for(client, "staff")
    logged_in = await client.post("/session", json={"token": token}, headers=NOBODY)
    assert logged_in.status_code == 200
    assert (await client.get(FEED, headers=password("of the proxy"))).status_code == 200


@pytest.mark.parametrize("role", ["kiosk", "guest"])
async def test_a_kiosk_and_a_guest_have_no_feed(client: httpx.AsyncClient, role: str):
    token = await token_for(client, role, ANNA if role == "guest" else None)
    assert (await client.get(FEED, headers=bearer(token))).status_code == 403
    body = {"name": "x", "role": role, "permissions": ["calendar.read"]}
    body |= {"agent_id": ANNA} if role == "guest" else {}
    assert (await client.post("/tokens", json=body)).status_code == 422


async def test_a_feed_is_not_fetched_all_the_time(client: httpx.AsyncClient):
    token = await feed_token(client)
    fetched = 0
    while (answer := await client.get(FEED, headers=bearer(token))).status_code == 200:
        fetched += 1
        assert fetched < 10 * CALENDARS_AT_ONCE, "nothing ever ends it"
    assert answer.status_code == 429 and "retry-after" in answer.headers
    assert fetched >= CALENDARS_AT_ONCE
    assert (await client.get(FEED)).status_code == 200, "another token has its own"


async def test_no_log_ever_has_a_secret(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    caplog.set_level(logging.DEBUG)
    token = await feed_token(client)
    wrong = "hft_somebody-elses"
    for key in (token, wrong):
        await client.get(FEED, headers=NOBODY, params={"key": key})
        await client.get(FEED, headers=NOBODY, params={"key": key, "colour": "red"})
        await client.get("/venues", headers=NOBODY, params={"key": key})
    with monkeypatch.context() as patch:
        patch.setattr("holdfast.node.calendars.feed", lambda *_: 1 / 0)
        failed = await client.get(FEED, headers=NOBODY, params={"key": token})
    assert failed.status_code == 500 and token not in failed.text
    ours = [one for one in caplog.records if one.name.startswith("holdfast")]
    assert any("/venues/{venue}/calendar.ics" in one.getMessage() for one in ours)
    assert any("wall" in one.getMessage() for one in ours), "the token's name is there"
    for one in ours:
        assert "key=" not in one.getMessage() and "hft_" not in one.getMessage()


async def test_a_feeds_use_is_noted_and_its_secret_kept_nowhere(
    hub: Hub, client: httpx.AsyncClient, tmp_path: Path
):
    token = await feed_token(client)
    await client.get(FEED, headers=NOBODY, params={"key": token})
    (row,) = (await client.get("/tokens")).json()["items"]
    assert (row["name"], row["permissions"]) == ("wall", ["calendar.read"])
    assert row["used_at"] is not None
    hub.store.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert token.encode() not in hub.store.path.read_bytes()
