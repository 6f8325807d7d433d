"""A front desk and its hub over real HTTP: what is asked, what is waited for, what is refused."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from holdfast.node.exchange import Exchange
from holdfast.node.transport import LIVE_PATH, signed_headers
from holdfast.sync.messages import ExchangeResponse, decode, encode
from tests.api.conftest import (
    DAY,
    GARDEN,
    bearer,
    booking,
    calling,
    divided_venue,
    token_for,
)
from tests.node.dialling import dialled, upgrade

pytestmark = pytest.mark.anyio


@pytest.fixture
def trattoria() -> dict[str, Any]:
    return divided_venue()


async def test_what_a_node_holds_it_sells_guaranteed_and_at_once(desk, hub):
    async with calling(desk) as client:
        await client.post("/sync/pause")
        made = (await client.post("/reservations", json=booking())).json()
        assert (made["status"], made["assurance"]) == ("confirmed", "guaranteed")
        assert (made["sync"], made["decision"], made["waits_for"]) == ("queued", None, None)
        assert [claim["holder"] for claim in made["claims"]] == ["desk"]
        await client.post("/sync/resume")
        assert (await client.post("/sync/now")).json()["pushed"] >= 1
    async with calling(hub) as client:
        there = (await client.get(f"/reservations/{made['id']}")).json()
        assert (there["status"], there["assurance"]) == ("confirmed", "guaranteed")
        assert there["claims"] == made["claims"]


async def test_the_hub_asks_the_node_for_what_the_node_holds(desk, hub):
    async with calling(hub) as at_hub, calling(desk) as at_desk:
        answer = await at_hub.post("/reservations", json=booking(resources=["T1"]))
        made = answer.json()
        assert (made["status"], made["assurance"]) == ("commit_pending", "provisional")
        assert (made["waits_for"], made["claims"][0]["holder"]) == ("desk", None)
        await at_desk.post("/sync/now")
        await at_desk.post("/sync/now")
        for client in (at_hub, at_desk):
            after = (await client.get(f"/reservations/{made['id']}")).json()
            assert (after["status"], after["assurance"]) == ("confirmed", "admitted")
            assert (after["waits_for"], after["decision"]["by"]) == (None, "desk")


async def test_for_the_rest_a_node_answers_at_once_and_provisionally(desk):
    async with calling(desk) as client:
        answer = await client.post("/reservations", json=booking(resources=[GARDEN]))
        made = answer.json()
        assert (made["status"], made["assurance"]) == ("commit_pending", "provisional")
        assert (made["sync"], made["decision"], made["waits_for"]) == ("queued", None, "hub")
        queue = (await client.get("/queue", params={"state": "queued"})).json()
        assert [(one["kind"], one["reservation"]) for one in queue["items"]] == [
            ("reservation.created", made["id"])
        ]
        operation = queue["items"][0]["id"]
        assert (await client.get(f"/queue/{operation}")).json() == queue["items"][0]


async def test_who_prefers_to_wait_gets_the_decision(desk):
    async with calling(desk) as client:

        async def make() -> httpx.Response:
            return await client.post(
                "/reservations", json=booking(resources=[GARDEN]), headers={"Prefer": "wait=10"}
            )

        waiting = asyncio.create_task(make())
        while not (await client.get("/reservations")).json()["items"]:
            await asyncio.sleep(0)
        done = (await client.post("/sync/now")).json()
        assert set(done) >= {"pushed", "pulled", "verdicts", "books_differing"}
        answer = await waiting
        made = answer.json()
        assert (answer.status_code, made["status"], made["sync"]) == (201, "confirmed", "merged")
        assert made["assurance"] == "admitted"
        assert answer.headers["preference-applied"] == "wait=10"
        assert (made["decision"]["verdict"], made["decision"]["by"]) == ("admitted", "hub")


async def test_who_prefers_not_to_wait_long_is_answered_as_it_is(desk):
    async with calling(desk) as client:
        answer = await client.post(
            "/reservations", json=booking(resources=[GARDEN]), headers={"Prefer": "wait=0"}
        )
        assert answer.json()["status"] == "commit_pending"
        assert answer.headers["preference-applied"] == "wait=0"


async def test_a_change_onto_capacity_held_elsewhere_stays_pending_until_decided(desk):
    async with calling(desk) as client:
        made = (await client.post("/reservations", json=booking(resources=[GARDEN]))).json()
        await client.post("/sync/now")
        path = f"/reservations/{made['id']}"
        changed = await client.patch(path, json={"starts_at": f"{DAY}T21:00"})
        assert changed.status_code == 202
        assert changed.json()["starts_at"] == made["starts_at"]
        change = changed.json()["pending_change"]
        assert (change["starts_at"][:16], change["resources"]) == (f"{DAY}T21:00", [GARDEN])
        await client.post("/sync/now")
        after = (await client.get(path)).json()
        assert (after["starts_at"][:16], after["pending_change"]) == (f"{DAY}T21:00", None)


async def test_both_sides_have_the_same_book(desk, hub):
    async with calling(desk) as at_desk, calling(hub) as at_hub:
        await at_desk.post("/reservations", json=booking())
        await at_desk.post("/sync/now")
        for path in (f"/books/trattoria/{DAY}", "/books/trattoria"):
            one, other = (await at_desk.get(path)).json(), (await at_hub.get(path)).json()
            assert one["digest"] == other["digest"]
            assert one["entries"] == other["entries"] > 0
            assert all(page["verified"] for page in one["pages"])
        nodes = (await at_hub.get("/nodes")).json()["items"]
        assert [(one["name"], one["role"]) for one in nodes] == [("desk", "front-desk")]
        assert nodes[0]["last_seen_at"].endswith("Z")


async def test_guests_are_read_at_the_desk_by_those_who_may(desk, hub):
    async with calling(desk) as at_desk, calling(hub) as at_hub:
        kiosk = bearer(await token_for(at_desk, "kiosk"))
        body = booking(guest={"name": "Anna Rossi", "phone": "+39 06 1234"})
        made = (await at_desk.post("/reservations", json=body)).json()
        assert made["guest"]["name"] == "Anna Rossi"
        path = f"/reservations/{made['id']}"
        assert "guest" not in (await at_desk.get(path, headers=kiosk)).json()
        await at_desk.post("/sync/now")
        assert "guest" not in (await at_hub.get(path)).json()


async def test_a_paused_node_says_so_until_it_is_resumed(desk):
    async with calling(desk) as client:
        assert (await client.post("/sync/pause")).json()["state"] == "paused"
        refused = await client.post("/sync/now")
        assert (refused.status_code, refused.json()["type"]) == (
            503, "urn:holdfast:error:unreachable",
        )  # fmt: skip
        assert (await client.post("/sync/resume")).json()["state"] != "paused"
        assert (await client.post("/sync/now")).status_code == 200
        log = (await client.get("/sync/log")).json()["items"]
        assert {"paused", "resumed"} <= {line["event"] for line in log}


async def test_withdrawing_is_the_way_out_of_what_was_not_sent(desk):
    async with calling(desk) as client:
        made = (await client.post("/reservations", json=booking())).json()
        operation = (await client.get("/queue")).json()["items"][0]["id"]
        assert (await client.post(f"/queue/{operation}/retry")).status_code == 200
        done = await client.post(f"/queue/{operation}/withdraw", json={"reason": "duplicate"})
        assert done.json()["state"] == "withdrawn"
        after = (await client.get(f"/reservations/{made['id']}")).json()
        assert after["status"] == "cancelled"


async def test_what_the_hub_does_is_refused_at_a_node(desk):
    async with calling(desk) as client:
        for method, path in [
            ("GET", "/nodes"), ("POST", "/invites"), ("POST", "/hub/recover"),
            ("PUT", "/venues/trattoria"),
        ]:  # fmt: skip
            answer = await client.request(method, path, json={})
            assert (answer.status_code, "hub" in answer.json()["detail"]) == (403, True)


@pytest.mark.parametrize("path", ["exchange", "join"])
async def test_unsigned_requests_between_replicas_are_refused(hub_url: str, path: str):
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{hub_url}/sync/v1/{path}", content=b"anything")
    assert answer.status_code in (401, 422)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_live_channel_answers_and_brings_news(desk, hub, hub_url: str):
    async with dialled(upgrade(desk.identity, hub_url)) as channel:
        desk.prepare()
        exchange = Exchange(desk)
        request = exchange.request(desk.peer)
        await channel.say(encode(request))
        answered = await asyncio.wait_for(channel.hear(), 10)
        exchange.absorb(desk.peer, request, decode(answered, ExchangeResponse))

        async with calling(hub) as client:
            made = (await client.post("/reservations", json=booking())).json()
        pushed = await asyncio.wait_for(channel.hear(), 10)
        exchange.absorb(desk.peer, request, decode(pushed, ExchangeResponse))
    async with calling(desk) as client:
        assert (await client.get(f"/reservations/{made['id']}")).json()["status"] == "confirmed"


async def test_the_live_channel_is_closed_to_who_cannot_prove_itself(hub_url: str):
    with pytest.raises(InvalidStatus) as refused:
        await connect(hub_url.replace("http", "ws", 1) + LIVE_PATH)
    assert refused.value.response.status_code == 403


async def test_an_upgrade_without_a_signed_key_opens_no_live_channel(desk, hub_url: str):
    url = hub_url + LIVE_PATH
    key = upgrade(desk.identity, hub_url).headers["Holdfast-Live-Key"]
    without = signed_headers(desk.identity, "GET", url, b"")
    for headers in (
        without, without | {"Holdfast-Live-Key": key},
        signed_headers(desk.identity, "GET", url, b"", "no key"),
        signed_headers(desk.identity, "GET", url, b"", base64.b64encode(bytes(32)).decode()),
        signed_headers(desk.identity, "GET", url, b"", key) | {"Holdfast-Live-Key": key[::-1]},
    ):  # fmt: skip
        with pytest.raises(InvalidStatus) as refused:
            await connect(url.replace("http", "ws", 1), additional_headers=headers)
        assert refused.value.response.status_code == 403


async def test_an_operation_says_whom_it_concerns_and_the_last_written_can_come_first(desk):
    async with calling(desk) as client:
        guest = {"name": "Anna Ricci"}
        for time in ("18:00", "20:00"):
            body = booking(starts_at=f"{DAY}T{time}", resources=["T1"], guest=guest)
            assert (await client.post("/reservations", json=body)).status_code == 201
        made = (await client.get("/queue", params={"newest": True, "limit": 1})).json()
        about = made["items"][0]["about"]
        assert (about["form"], about["name"], about["party_size"]) == (
            "reservation",
            "Anna Ricci",
            2,
        )
        assert (about["starts_at"][:16], about["resources"]) == (f"{DAY}T20:00", ["T1"])
        more = {"newest": True, "limit": 1, "cursor": made["next"]}
        before = (await client.get("/queue", params=more)).json()["items"][0]
        assert before["about"]["starts_at"][:16] == f"{DAY}T18:00"
        assert before["written_at"] <= made["items"][0]["written_at"]
        whole = (await client.get("/queue")).json()["items"]
        assert [one["id"] for one in whole[-2:]] == [before["id"], made["items"][0]["id"]]
        reader = await token_for(client, "read-only")
        told = (await client.get("/queue", headers=bearer(reader))).json()["items"]
        assert told[-1]["about"]["name"] is None
