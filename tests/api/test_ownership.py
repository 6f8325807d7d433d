"""Whose each thing is: from anybody else a write is refused, or becomes a request to its owner.

R-26, by what there is to own. That a device's own software may not get round it is tested in
tests/hostile.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, NamedTuple

import httpx
import pytest

from holdfast.model.pseudonyms import agent_id
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from tests.api.conftest import GARDEN, booking, calling, divided_venue

pytestmark = pytest.mark.anyio

ANNA = agent_id(b"k" * 32, "anna")


@pytest.fixture
def trattoria() -> dict[str, Any]:
    return divided_venue()


@pytest.fixture
async def at_desk(hub: Hub, desk: Node) -> AsyncGenerator[httpx.AsyncClient, None]:
    desk.sync()
    async with calling(desk) as client:
        yield client


class Owned(NamedTuple):
    """What is owned, how its owner is told of, and what somebody else asks who may do everything
    where they are."""

    what: str
    told: str
    asked_at: str
    method: str
    path: str
    json: Any


REFUSED = [
    Owned("the venue file", "at the hub", "desk", "PUT", "/venues/trattoria", divided_venue()),
    Owned("who sells what", "only the hub", "desk", "POST", "/allotments",
          {"venue": "trattoria", "holder": "desk", "resources": [GARDEN]}),
    Owned("a right", "desk holds it", "hub", "POST", "/allotments/{right}/return", {}),
    Owned("who belongs to the fleet", "at the hub", "desk", "POST", "/invites",
          {"venue": "trattoria", "role": "kiosk", "name": "x"}),
    Owned("who is shut out", "at the hub", "desk", "POST", "/nodes/desk/revoke",
          {"reason": "stolen"}),
    Owned("the venue's key", "at a front desk", "hub", "POST", "/venues/trattoria/rotate-key", {}),
    Owned("who reads guests", "at a front desk", "hub", "POST", "/venues/trattoria/share-key", {}),
    Owned("what a guest said", "front desk", "hub", "POST", "/guests/search", {"q": "ann"}),
]  # fmt: skip


@pytest.mark.parametrize("owned", REFUSED, ids=lambda owned: owned.what.replace(" ", "-"))
async def test_who_does_not_own_it_is_refused_and_told_who_does(
    hub: Hub, at_desk: httpx.AsyncClient, client: httpx.AsyncClient, owned: Owned
):
    right = next(one["id"] for one in (await client.get("/allotments")).json()["items"])
    asked = client if owned.asked_at == "hub" else at_desk
    before = {name: hub.tip(name) for name in hub.books}
    answer = await asked.request(owned.method, owned.path.format(right=right), json=owned.json)
    assert answer.status_code == 403, (owned, answer.text)
    assert owned.told in answer.json()["detail"]
    assert {name: hub.tip(name) for name in hub.books} == before


async def test_a_place_of_another_holder_is_asked_of_it_and_decided_there(
    at_desk: httpx.AsyncClient, client: httpx.AsyncClient
):
    for asking, resource, holder in ((at_desk, GARDEN, "hub"), (client, "T1", "desk")):
        made = await asking.post("/reservations", json=booking(resources=[resource], agent_id=ANNA))
        found = made.json()
        assert (made.status_code, found["status"]) == (201, "commit_pending")
        assert found["assurance"] == "provisional"
        assert found["waits_for"] == holder
        assert (await at_desk.post("/sync/now", json={})).status_code == 200
        assert (await at_desk.post("/sync/now", json={})).status_code == 200
        decided = (await asking.get(f"/reservations/{found['code']}")).json()
        assert decided["status"] == "confirmed"
        assert (decided["decision"]["verdict"], decided["decision"]["by"]) == ("admitted", holder)


async def test_a_change_of_what_another_holds_waits_and_the_old_place_stays(
    at_desk: httpx.AsyncClient,
):
    own = (await at_desk.post("/reservations", json=booking(resources=["T1"]))).json()
    assert own["status"] == "confirmed"
    moved = await at_desk.patch(f"/reservations/{own['id']}", json={"resources": [GARDEN]})
    assert moved.status_code == 202
    assert moved.json()["resources"] == ["T1"]
    assert moved.json()["pending_change"]["resources"] == [GARDEN]
