"""Tokens: narrower than their role, ending by themselves, and at once where they are revoked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import httpx
import pytest

from holdfast.model.errors import StorageFull
from holdfast.node.hub import Hub
from tests.api.conftest import bearer, booking, calling, venue_document
from tests.kit import DAY, TRATTORIA, Fleet

pytestmark = pytest.mark.anyio


@pytest.fixture
def fleet(tmp_path: Path) -> Generator[Fleet, None, None]:
    """A hub whose clock only the tests move."""
    with Fleet(tmp_path) as fleet:
        yield fleet


@pytest.fixture
async def at_hub(fleet: Fleet) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with calling(fleet.the_hub) as client:
        yield client


async def made(client: httpx.AsyncClient, **wanted: Any) -> dict[str, Any]:
    answer = await client.post("/tokens", json={"name": "t", "role": "staff"} | wanted)
    assert answer.status_code == 201, answer.text
    token: dict[str, Any] = answer.json()
    return token


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"venues": ["trattoria", "nowhere"]}, "venues"),
        ({"venues": ["trattoria"] * 65}, "venues"),
        ({"permissions": ["tokens.change"]}, "permissions"),
        ({"permissions": ["the.moon"]}, "permissions"),
        ({"expires_seconds": 0}, "expires_seconds"),
        ({"expires_seconds": 10**10}, "expires_seconds"),
        ({"role": "king"}, "role"),
        ({"agent_id": "agent_x"}, "agent_id"),
    ],
)
async def test_what_makes_no_sense_is_named(client: httpx.AsyncClient, wanted: Any, field: str):
    answer = await client.post("/tokens", json={"name": "t", "role": "staff"} | wanted)
    assert answer.status_code == 422, answer.text
    assert [one["field"] for one in answer.json()["errors"]] == [field]


async def test_a_token_with_an_end_is_worth_nothing_after_it(
    fleet: Fleet, at_hub: httpx.AsyncClient
):
    token = await made(at_hub, expires_seconds=3_600)
    forever = await made(at_hub, name="forever")
    assert token["expires_at"] and forever["expires_at"] is None
    for minutes, status in [(59, 200), (2, 401)]:
        fleet.clocks.advance(minutes=minutes)
        answer = await at_hub.get("/venues", headers=bearer(token["token"]))
        assert answer.status_code == status
    assert "has expired" in answer.json()["detail"]
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert (await at_hub.get("/venues", headers=bearer(forever["token"]))).status_code == 200


async def test_a_token_may_have_a_part_of_its_roles_permissions(client: httpx.AsyncClient):
    token = await made(client, permissions=["reservations.read", "venues.read"])
    assert token["permissions"] == ["reservations.read", "venues.read"]
    own = bearer(token["token"])
    assert (await client.get("/reservations", headers=own)).status_code == 200
    assert (await client.get("/venues", headers=own)).status_code == 200
    for method, path in [("GET", "/queue"), ("POST", "/reservations"), ("GET", "/stream")]:
        assert (await client.request(method, path, headers=own)).status_code == 403, path


async def test_nobody_gives_what_they_have_not(client: httpx.AsyncClient):
    """Else whoever may make tokens would be an admin by a detour."""
    maker = await made(client, name="maker", role="admin", permissions=["tokens.change"])
    own = bearer(maker["token"])
    for role in ("admin", "staff", "read-only"):
        answer = await client.post("/tokens", json={"name": "x", "role": role}, headers=own)
        assert answer.status_code == 403, role
        assert "nobody gives" in answer.json()["detail"]
    limited = await made(client, name="limited", role="admin", venues=["trattoria"])
    body = {"name": "x", "role": "staff", "venues": ["trattoria"]}
    answer = await client.post("/tokens", json=body, headers=bearer(limited["token"]))
    assert answer.status_code == 403


async def test_when_a_token_was_last_used_is_told(fleet: Fleet, at_hub: httpx.AsyncClient):
    token = await made(at_hub)
    assert token["used_at"] is None
    seen: set[str] = set()
    for minutes in (0, 0.5, 5):
        fleet.clocks.advance(minutes=minutes)
        assert (await at_hub.get("/venues", headers=bearer(token["token"]))).status_code == 200
        (row,) = (await at_hub.get("/tokens")).json()["items"]
        seen.add(row["used_at"])
    assert None not in seen and len(seen) == 2, "written down to the minute, not for each request"


@pytest.mark.parametrize("error", [StorageFull("the disk is full"), RuntimeError("no idea")])
async def test_where_its_use_cannot_be_written_down_a_token_works_and_the_log_says_so(
    client: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
):
    token = await made(client)

    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr("holdfast.api.auth.Access.note_use", fails)
    for _ in range(2):  # The second comes after the first's note was tried.
        assert (await client.get("/venues", headers=bearer(token["token"]))).status_code == 200
    told = [one.getMessage() for one in caplog.records if one.levelname != "INFO"]
    assert len(told) == 1 and ("disk is full" in told[0] or "RuntimeError" in told[0])


async def test_a_token_of_a_venue_sees_nothing_of_another(tmp_path: Path):
    """What there is to be hidden is there: the admin sees it."""
    other = {**TRATTORIA, "venue": "bistro", "name": "Bistro"}
    wished = [{"holder": "desk", "resources": ["T1"]}]
    with Fleet(tmp_path, {**TRATTORIA, "allotments": wished}) as fleet:
        fleet.the_hub.import_venue(other)
        desk = fleet.join("desk")
        async with calling(fleet.the_hub) as client:
            own = await made(client, role="supervisor", venues=["bistro"])
            made_here = await client.post("/reservations", json=booking(starts_at=f"{DAY}T20:00"))
            assert made_here.status_code == 201, made_here.text
            code = made_here.json()["code"]
            fleet.sync(desk)
            right = (await client.get("/allotments")).json()["items"][0]["id"]
            for path, hidden in [
                ("/reservations", code),
                ("/venues", TRATTORIA["name"]),
                ("/resources", "trattoria"),
                ("/allotments", right),
                ("/books", "trattoria"),
                ("/nodes", "trattoria"),
                ("/audit", code),
            ]:
                assert hidden in (await client.get(path)).text, path
                answer = await client.get(path, headers=bearer(own["token"]))
                assert answer.status_code == 200, path
                assert hidden not in answer.text and "trattoria" not in answer.text, path
            for path in (f"/reservations/{code}", f"/audit?reservation={code}"):
                answer = await client.get(path, headers=bearer(own["token"]))
                assert answer.status_code == 404, path


async def test_an_exception_of_another_venue_is_neither_seen_nor_resolved(tmp_path: Path):
    with Fleet(tmp_path) as fleet:
        fleet.the_hub.import_venue({**TRATTORIA, "venue": "bistro", "name": "Bistro"})
        desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
        fleet.cut("desk", "kiosk")
        for node in (desk, kiosk):
            fleet.reserve(node, "20:00", resources=["T1"])
        fleet.heal("desk", "kiosk")
        fleet.sync_all()
        async with calling(fleet.the_hub) as client:
            (found,) = (await client.get("/exceptions")).json()["items"]
            theirs = await made(client, name="a", role="supervisor", venues=["bistro"])
            ours = await made(client, name="b", role="supervisor", venues=["trattoria"])
            answer = {"action": found["actions"][0], "reason": "seen"}
            for token, status in [(theirs, 404), (ours, 200)]:
                own = bearer(token["token"])
                path = f"/exceptions/{found['id']}"
                listed = (await client.get("/exceptions", headers=own)).json()["items"]
                assert bool(listed) == (status == 200)
                assert (await client.get(path, headers=own)).status_code == status
                done = await client.post(f"{path}/resolve", json=answer, headers=own)
                assert (done.status_code == 404) == (status == 404), done.text


async def test_a_token_that_was_narrowed_stays_so_in_another_process(tmp_path: Path):
    hub = Hub.init(tmp_path / "hub", "acme", synchronous="NORMAL")
    hub.import_venue(venue_document())
    async with calling(hub) as client:
        token = await made(client, venues=["trattoria"], permissions=["venues.read"])
    hub.close()
    again = Hub.open(tmp_path / "hub")
    again.import_venue(venue_document(venue="bistro"))
    try:
        async with calling(again) as client:
            own = bearer(token["token"])
            listed = (await client.get("/venues", headers=own)).json()["items"]
            assert [one["venue"] for one in listed] == ["trattoria"]
            assert (await client.get("/venues/bistro", headers=own)).status_code == 403
            assert (await client.get("/reservations", headers=own)).status_code == 403
    finally:
        again.close()
