"""Idempotency-Key: the same request twice does it once, also after a restart, and never reuses."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from pathlib import Path

import httpx
import msgspec
import pytest

from holdfast.node.hub import Hub
from tests.api.conftest import bearer, booking, calling, token_for, venue_document

pytestmark = pytest.mark.anyio


def keyed(key: str = "k-1") -> dict[str, str]:
    return {"Idempotency-Key": key}


async def test_the_same_request_gives_the_first_answer_again(client: httpx.AsyncClient):
    first = await client.post("/reservations", json=booking(), headers=keyed())
    spaced = json.dumps(dict(reversed(booking().items())), indent=3)
    again = await client.post("/reservations", content=spaced, headers=keyed())
    assert again.json() == first.json()
    assert (again.status_code, again.headers["location"]) == (201, first.headers["location"])
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len((await client.get("/reservations")).json()["items"]) == 1


async def test_a_replay_shows_the_thing_as_it_is_now(client: httpx.AsyncClient):
    made = (await client.post("/reservations", json=booking(), headers=keyed())).json()
    await client.post(f"/reservations/{made['id']}/cancel")
    again = await client.post("/reservations", json=booking(), headers=keyed())
    assert (again.status_code, again.json()["status"]) == (201, "cancelled")


async def test_another_body_under_the_key_is_refused(client: httpx.AsyncClient):
    await client.post("/reservations", json=booking(), headers=keyed())
    for body in (booking(party_size=3), {}):
        answer = await client.post("/reservations", json=body, headers=keyed())
        kind = "urn:holdfast:error:idempotency-key-reused"
        assert (answer.status_code, answer.json()["type"]) == (409, kind)


async def test_one_key_cannot_cancel_two_reservations(client: httpx.AsyncClient):
    first, second = [(await client.post("/reservations", json=booking())).json() for _ in "ab"]
    cancelled = await client.post(f"/reservations/{first['id']}/cancel", headers=keyed())
    assert cancelled.json()["status"] == "cancelled"
    refused = await client.post(f"/reservations/{second['id']}/cancel", headers=keyed())
    assert refused.status_code == 409
    assert (await client.get(f"/reservations/{second['id']}")).json()["status"] == "confirmed"


async def test_keys_are_per_token_and_route(client: httpx.AsyncClient):
    staff = bearer(await token_for(client, "staff"))
    one = await client.post("/reservations", json=booking(), headers=keyed())
    other = await client.post("/reservations", json=booking(), headers=keyed() | staff)
    assert one.json()["id"] != other.json()["id"]
    checked = await client.post(f"/reservations/{one.json()['id']}/check-in", headers=keyed())
    assert checked.status_code == 200


async def test_what_failed_may_be_tried_again_under_its_key(client: httpx.AsyncClient):
    wrong = await client.post("/reservations", json=booking(party_size=0), headers=keyed())
    assert wrong.status_code == 422
    right = await client.post("/reservations", json=booking(), headers=keyed())
    assert right.status_code == 201


async def test_running_twins_make_one_reservation(client: httpx.AsyncClient):
    answers = await asyncio.gather(
        *(client.post("/reservations", json=booking(), headers=keyed()) for _ in range(8))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    replays = [answer for answer in answers if "idempotency-replayed" in answer.headers]
    assert len(replays) == 7


@pytest.mark.parametrize("key", ["", "k" * 256, "schl\u00fcssel"])
async def test_a_key_that_is_none_is_refused(client: httpx.AsyncClient, key: str):
    headers = [(b"idempotency-key", key.encode("latin-1"))]
    answer = await client.post("/reservations", json=booking(), headers=headers)
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


async def test_keys_survive_a_restart_and_no_body_is_kept(tmp_path: Path):
    hub = Hub.init(tmp_path / "hub", "acme")
    hub.import_venue(venue_document())
    body = booking(user_id="anna@example.org")
    async with calling(hub) as client:
        first = (await client.post("/reservations", json=body, headers=keyed())).json()
    hub.close()
    assert b"anna@example.org" not in (tmp_path / "hub" / "holdfast.db").read_bytes()

    hub = Hub.open(tmp_path / "hub")
    async with calling(hub) as client:
        again = await client.post("/reservations", json=body, headers=keyed())
        assert again.headers["idempotency-replayed"] == "true"
        assert again.json()["id"] == first["id"]
        assert len((await client.get("/reservations")).json()["items"]) == 1
    hub.close()


@pytest.mark.parametrize(
    ("path", "body", "secret"),
    [
        ("/tokens", {"name": "till", "role": "staff"}, "token"),
        ("/invites", {"venue": "trattoria", "role": "kiosk", "name": "k1"}, "code"),
    ],
)
async def test_a_secret_is_shown_once_also_under_a_key(
    client: httpx.AsyncClient, path: str, body: dict[str, str], secret: str
):
    first = await client.post(path, json=body, headers=keyed())
    again = await client.post(path, json=body, headers=keyed())
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()[secret]
    assert again.json() == first.json() | {secret: None}


async def test_who_has_the_disk_cannot_try_names_on_what_is_kept_of_a_request(
    client: httpx.AsyncClient, hub: Hub
):
    """A kiosk reads no card; what it keeps to tell requests apart must not say whose name was
    typed, to somebody who has all its files and tries one name after the other."""
    key = "0f8fad5b-d9cb-469f-a165-70867728950e"
    body = booking()
    made = await client.post("/reservations", json=body, headers=keyed(key))
    assert made.status_code == 201
    ((kept, digest),) = hub.store.db.conn.execute("SELECT key, body_hash FROM answers").fetchall()
    assert key not in kept
    own = hub.store.records.get("api.answer_key")
    assert own is not None
    tried = msgspec.json.encode(body, order="deterministic")
    for by in (own, kept.encode(), bytes.fromhex(kept)):
        hashed = hmac.new(by, digestmod=hashlib.sha256)
        for part in (b"/api/v1/reservations", b"", tried):
            hashed.update(len(part).to_bytes(8, "big") + part)
        assert hashed.digest() != digest


async def test_a_key_that_an_earlier_version_kept_is_still_known(
    client: httpx.AsyncClient, hub: Hub
):
    body = booking()
    made = (await client.post("/reservations", json=body, headers=keyed("other"))).json()
    own = hub.store.records.get("api.answer_key")
    assert own is not None
    hashed = hmac.new(own, digestmod=hashlib.sha256)
    sent = msgspec.json.encode(body, order="deterministic")
    for part in (b"/api/v1/reservations", b"", sent):
        hashed.update(len(part).to_bytes(8, "big") + part)
    with hub.transaction():
        hub.store.db.conn.execute(
            "UPDATE answers SET key = ?, body_hash = ?", ("earlier", hashed.digest())
        )
    again = await client.post("/reservations", json=body, headers=keyed("earlier"))
    assert (again.json()["id"], again.headers["idempotency-replayed"]) == (made["id"], "true")
    another = await client.post("/reservations", json={}, headers=keyed("earlier"))
    assert another.status_code == 409
