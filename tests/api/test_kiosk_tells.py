"""What a screen at which anybody stands tells of others: nothing, whatever it is asked about."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from holdfast.model.pseudonyms import agent_id
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from holdfast.node.requests import CreateRequest
from tests.api.conftest import DAY, bearer, booking, divided_venue, token_for

pytestmark = pytest.mark.anyio

ANNA = agent_id(b"k" * 32, "anna")
WISH = {"venue": "trattoria", "date": DAY, "party_size": 2, "from": "19:30", "to": "19:30"}


@pytest.fixture
def trattoria() -> dict[str, Any]:
    return divided_venue()


async def test_of_what_is_held_or_waits_a_kiosk_does_not_tell_whose_it_is(
    client: httpx.AsyncClient,
):
    """Else whoever knows a user id would join the line with it, and see where else it stands."""
    kiosk = bearer(await token_for(client, "kiosk"))
    for path, wanted in (("/holds", booking(user_id="u-4711")), ("/waitlist", WISH)):
        body = wanted | {"user_id": "u-4711"}
        staff = (await client.post(path, json=body)).json()
        assert staff["agent_id"].startswith("agent_")
        made = await client.post(path, json=body, headers=kiosk)
        assert (made.status_code, made.json()["agent_id"]) == (201, None)
        for one in (staff, made.json()):
            found = (await client.get(f"{path}/{one['code']}", headers=kiosk)).json()
            assert (found["id"], found["agent_id"]) == (one["id"], None)
        gone = await client.delete(f"{path}/{made.json()['id']}", headers=kiosk)
        assert (gone.status_code, gone.json()["agent_id"]) == (200, None)


async def test_a_kiosk_gathers_no_codes_of_reservations_to_come(client: httpx.AsyncClient):
    """Whose code one has one can call off: also once what was held is reserved."""
    kiosk = bearer(await token_for(client, "kiosk"))
    assert (await client.post("/holds", json=booking())).status_code == 201
    assert (await client.post("/waitlist", json=WISH)).status_code == 201
    for path in ("/holds", "/holds?venue=trattoria", "/waitlist", f"/waitlist?date={DAY}"):
        answer = await client.get(path, headers=kiosk)
        assert (answer.status_code, "RES-" in answer.text) == (403, False), path


@pytest.mark.parametrize("role", ["kiosk", "guest"])
async def test_who_was_displaced_is_not_told_by_which_reservation(
    client: httpx.AsyncClient, hub: Hub, desk: Node, role: str
):
    """By its id whoever stands at a kiosk would find it, and call it off."""
    desk.sync()
    desk.sync()
    asks = bearer(await token_for(client, role, ANNA if role == "guest" else None))
    late = await client.post("/reservations", json=booking(resources=["T1"]), headers=asks)
    assert late.json()["status"] == "commit_pending"
    won = desk.reservations.create(_request())
    desk.sync()
    desk.sync()
    path = f"/reservations/{late.json()['code']}"
    told = (await client.get(path)).json()
    assert (told["status"], len(told["decision"]["won"])) == ("commit_failed", 1)
    seen = (await client.get(path, headers=asks)).json()
    assert (seen["decision"]["verdict"], seen["decision"]["won"]) == ("displaced", [])
    if role == "guest":
        (listed,) = (await client.get("/reservations", headers=asks)).json()["items"]
        assert listed["decision"]["won"] == []
    assert str(won.code) not in str(seen)


def _request() -> CreateRequest:
    return CreateRequest(
        venue="trattoria", starts_at=f"{DAY}T19:30", party_size=2, resources=["T1"]
    )


async def test_a_kiosk_is_not_told_over_whose_reservations_a_block_stands(
    client: httpx.AsyncClient,
):
    kiosk = bearer(await token_for(client, "kiosk"))
    there = (await client.post("/reservations", json=booking(resources=["G1"]))).json()
    block = {
        "venue": "trattoria", "kind": "maintenance", "resources": ["G1"], "force": True,
        "starts_at": f"{DAY}T19:00", "ends_at": f"{DAY}T20:00",
    }  # fmt: skip
    made = (await client.post("/blocks", json=block)).json()
    assert made["conflicts"] == [there["id"]]
    for path in (f"/blocks/{made['id']}", "/blocks"):
        answer = await client.get(path, headers=kiosk)
        assert answer.status_code == 200
        assert there["id"] not in answer.text
