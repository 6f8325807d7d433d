"""Exceptions and prognoses over HTTP: what is open, what can be done, and that it is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from holdfast.model import lifecycle
from tests.api.conftest import calling, token_for
from tests.kit import DAY, TRATTORIA, Fleet, exchange_once

pytestmark = pytest.mark.anyio


@pytest.fixture
def fleet(tmp_path: Path):
    with Fleet(tmp_path, TRATTORIA) as made:
        yield made


def displaced(fleet: Fleet) -> str:
    """The id of a reservation of a desk that the hub, which alone is asked below, displaced."""
    desk = fleet.join("desk")
    fleet.cut("desk")
    lost = fleet.reserve(desk, "19:30", ["T1"])
    fleet.reserve(fleet.the_hub, "19:30", ["T1"])
    fleet.heal()
    fleet.sync_all()
    return lost.code


async def only(client: httpx.AsyncClient) -> dict[str, Any]:
    item: dict[str, Any]
    [item] = (await client.get("/exceptions")).json()["items"]
    return item


async def resolve(client: httpx.AsyncClient, **body: Any) -> httpx.Response:
    item = await only(client)
    return await client.post(
        f"/exceptions/{item['id']}/resolve", json={"reason": "called_guest"} | body
    )


async def test_an_exception_says_what_can_be_done_in_words(fleet):
    code = displaced(fleet)
    async with calling(fleet.the_hub) as client:
        item = await only(client)
        assert (item["code"], item["kind"]) == (code, "displaced")
        assert item["actions"] == ["move", "cancel", "refund-later", "acknowledge"]
        assert [choice["action"] for choice in item["choices"]] == item["actions"]
        assert all(choice["does"] for choice in item["choices"])
        assert (await client.get(f"/exceptions/{item['id']}")).json() == item


async def test_a_move_is_made_and_stands_in_the_record(fleet):
    code = displaced(fleet)
    async with calling(fleet.the_hub) as client:
        done = await resolve(client, action="move", resources=["T2"])
        assert done.status_code == 200, done.text
        assert done.json()["action"] == "move"
        shown = (await client.get(f"/reservations/{code}")).json()
        assert (shown["status"], shown["resources"]) == (lifecycle.CONFIRMED, ["T2"])
        assert (await client.get("/exceptions")).json()["items"] == []
        audit = (await client.get("/audit", params={"reservation": code})).json()["items"]
        [resolved] = [one for one in audit if one["kind"] == "exception.resolved"]
        assert resolved["after"]["action"] == "move"
        assert resolved["after"]["reason"] == "called_guest"


async def test_the_same_key_does_it_once(fleet):
    code = displaced(fleet)
    async with calling(fleet.the_hub) as client:
        item = await only(client)
        body = {"action": "cancel", "reason": "called_guest"}
        for replayed in (None, "true"):
            done = await client.post(
                f"/exceptions/{item['id']}/resolve", json=body, headers={"Idempotency-Key": "k"}
            )
            assert done.status_code == 200
            assert done.headers.get("Idempotency-Replayed") == replayed
        assert (await client.get(f"/reservations/{code}")).json()["status"] == "cancelled"


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        ({"action": "shrug"}, 422, "invalid"),
        ({"action": "cancel", "reason": "Anna called"}, 422, "invalid"),
        ({"action": "move"}, 422, "invalid"),
        ({"action": "cancel", "resources": ["T2"]}, 422, "invalid"),
        ({"action": "move", "resources": ["T1"]}, 409, "not-available"),
        ({"action": "move", "starts_at": f"{DAY}T19:30"}, 409, "rule-violated"),
        ({"action": "move", "starts_at": "tomorrow"}, 422, "invalid"),
    ],
)
async def test_what_is_impossible_is_refused_and_it_stays_open(fleet, body, status, problem):
    displaced(fleet)
    async with calling(fleet.the_hub) as client:
        done = await resolve(client, **body)
        assert (done.status_code, done.json()["type"]) == (status, f"urn:holdfast:error:{problem}")
        assert (await only(client))["kind"] == "displaced"


async def test_what_the_status_has_ruled_out_is_a_bad_transition(fleet):
    desk = fleet.join("desk")
    made = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    fleet.cut("desk")
    desk.reservations.check_in(made.code)
    desk.reservations.complete(made.code)
    fleet.the_hub.reservations.cancel(made.code)
    fleet.heal()
    fleet.sync_all()
    async with calling(fleet.the_hub) as client:
        done = await resolve(client, action="walk", resources=["T2"])
        assert done.json()["type"] == "urn:holdfast:error:bad-transition"
        assert "walk is not possible any more" in done.json()["detail"]


async def test_a_party_that_walked_is_shown_where_it_sits(fleet):
    desk, hub = fleet.join("desk"), fleet.the_hub
    first = fleet.reserve(hub, "19:30", ["T1"])
    fleet.cut("desk")
    late = fleet.reserve(desk, "19:30", ["T2"])
    fleet.reserve(hub, "19:30", ["T2"])
    hub.reservations.check_in(first.code)
    fleet.clocks.advance(minutes=1)
    desk.reservations.check_in(late.code)
    fleet.heal()
    fleet.sync_all()
    async with calling(hub) as client:
        assert (await resolve(client, action="walk", resources=["T1"])).status_code == 200
        hub.settle(fleet.book)
        items = {one["kind"]: one for one in (await client.get("/exceptions")).json()["items"]}
        assert set(items) == {"seated_without_place", "two_parties"}
        assert items["two_parties"]["others"] == [
            (await client.get(f"/reservations/{first.code}")).json()["id"]
        ]
        shown = (await client.get(f"/reservations/{late.code}")).json()
        assert shown["seated_at"] == ["T1"]


async def test_only_a_supervisor_answers(fleet):
    displaced(fleet)
    async with calling(fleet.the_hub) as client:
        item = await only(client)
        token = await token_for(client, "staff")
        client.headers["Authorization"] = f"Bearer {token}"
        done = await client.post(
            f"/exceptions/{item['id']}/resolve", json={"action": "cancel", "reason": "other"}
        )
        assert done.status_code == 403


async def test_what_nobody_decided_has_a_prognosis_and_what_was_decided_has_none(fleet):
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    fleet.cut("desk", "kiosk")
    first = fleet.reserve(desk, "19:30", ["T1"])
    fleet.clocks.advance(minutes=1)
    late = fleet.reserve(kiosk, "19:30", ["T1"])
    exchange_once(desk, kiosk)
    async with calling(desk) as client:
        asked = (await client.get(f"/reservations/{first.code}")).json()
        shown = (await client.get(f"/reservations/{late.code}")).json()
        assert asked["prognosis"] == {
            "verdict": "admitted", "certainty": "open", "reason": "asked-first", "won": [],
        }  # fmt: skip
        assert shown["prognosis"]["verdict"] == "displaced"
        assert shown["prognosis"]["won"] == [asked["id"]]
        fleet.heal()
        fleet.sync_all()
        for code in (first.code, late.code):
            after = (await client.get(f"/reservations/{code}")).json()
            assert after["prognosis"] is None
            assert after["decision"]
