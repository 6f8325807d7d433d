"""Allotments over HTTP: shown, granted, given back and taken back, each at the right place."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from holdfast.node.hub import Hub
from holdfast.node.node import Node
from tests.api.conftest import DAY, bearer, booking, calling, token_for, venue_document

pytestmark = pytest.mark.anyio

POOL = {"id": "HALL", "kind": "pool", "capacity": 10, "counts": "people"}
TABLES = venue_document()["resources"]


def wish(holder: str, *resources: str, **more: Any) -> dict[str, Any]:
    return {"holder": holder, "resources": list(resources), **more}


async def items(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get("/allotments", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def granted(client: httpx.AsyncClient, **changes: Any) -> list[dict[str, Any]]:
    body = {"venue": "trattoria", "holder": "desk", "resources": ["T1"]} | changes
    answer = await client.post("/allotments", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["next"] is None
    made: list[dict[str, Any]] = answer.json()["items"]
    return made


async def refused(client: httpx.AsyncClient, path: str, body: Any = None) -> tuple[int, str, str]:
    """The status, the name of the error and its sentence."""
    answer = await client.post(path, json=body or {})
    problem = answer.json()
    return answer.status_code, problem["type"].rpartition(":")[2], problem["detail"]


async def test_what_nobody_has_is_a_wish_that_says_why(client: httpx.AsyncClient):
    (one,) = await items(client, venue="trattoria")
    assert (one["holder"], one["resources"], one["state"]) == ("bar", ["T*"], "wish")
    assert (one["reason"], one["release_minutes"]) == ("bar has not joined yet", 0)
    assert (await client.get("/allotments", params={"venue": "nowhere"})).status_code == 404


async def test_what_is_granted_is_shown_and_sold_by_its_holder_alone(desk: Node, hub: Hub):
    async with calling(hub) as at_hub, calling(desk) as at_desk:
        (right,) = await granted(at_hub)
        assert {name: right[name] for name in ("holder", "resources", "quantity", "state")} == {
            "holder": "desk", "resources": ["T1"], "quantity": 1, "state": "active",
        }  # fmt: skip
        assert (right["sold"], right["valid_until"], right["releases_at"]) == (0, None, None)
        assert right["valid_from"][-6:] in ("+01:00", "+02:00"), "as the venue's clocks say"
        await at_desk.post("/sync/now")
        made = (await at_desk.post("/reservations", json=booking(resources=["T1"]))).json()
        assert (made["status"], made["assurance"]) == ("confirmed", "guaranteed")
        await at_desk.post("/sync/now")
        for client in (at_hub, at_desk):
            first = (await items(client))[0]
            assert first == right | {"sold": 1}


async def test_a_grant_takes_dates_a_share_and_a_release(desk: Node, hub: Hub):
    hub.import_venue(venue_document(resources=[*TABLES, POOL]))
    async with calling(hub) as client:
        (right,) = await granted(
            client, resources=["HALL"], quantity=4, until=DAY, release_minutes=120,
            **{"from": DAY},
        )  # fmt: skip
        assert right["valid_from"].startswith(f"{DAY}T00:00")
        assert right["valid_until"] > right["valid_from"]
        assert (right["quantity"], right["release_minutes"]) == (4, 120)
        assert right["releases_at"] is not None
        status, name, detail = await refused(
            client,
            "/allotments",
            {"venue": "trattoria", "holder": "desk", "resources": ["HALL"], "quantity": 7},
        )
        assert (status, name, detail) == (
            409, "rule-violated", "HALL has 6 left to hand out, not 7.",
        )  # fmt: skip


async def test_what_a_device_returns_is_the_hubs_again_until_a_person_grants_it_again(
    desk: Node, hub: Hub
):
    hub.import_venue(venue_document(allotments=[wish("desk", "T*")]))
    async with calling(hub) as at_hub, calling(desk) as at_desk:
        await at_desk.post("/sync/now")
        (right,) = await items(at_desk)
        path = f"/allotments/{right['id']}"
        status, name, detail = await refused(at_hub, f"{path}/return")
        assert (status, name) == (403, "forbidden")
        assert "desk holds it, and returns it there" in detail
        done = await at_desk.post(f"{path}/return")
        assert (done.status_code, done.json()["state"]) == (200, "returned")
        assert (await refused(at_desk, f"{path}/return"))[:2] == (409, "rule-violated")
        await at_desk.post("/sync/now")
        states = [(one["state"], one["reason"]) for one in await items(at_hub)]
        assert [state for state, _ in states] == ["returned", "wish"]
        assert "holdfast allotments grant --again" in states[1][1]
        again = await at_hub.post(
            "/allotments", json={"venue": "trattoria", "holder": "desk", "again": True}
        )
        assert again.status_code == 201
        assert [one["resources"] for one in again.json()["items"]] == [["T1", "T2"]]
        assert (await items(at_hub))[0]["state"] == "active"


async def test_the_hub_takes_an_allotment_back_and_nobody_else_does(desk: Node, hub: Hub):
    async with calling(hub) as at_hub, calling(desk) as at_desk:
        (right,) = await granted(at_hub)
        await at_desk.post("/sync/now")
        path = f"/allotments/{right['id']}/revoke"
        status, name, detail = await refused(at_desk, path, {"reason": "stolen"})
        assert (status, name) == (403, "forbidden")
        assert "only the hub revokes; do this there" in detail
        status, name, detail = await refused(at_hub, path, {"reason": "mario took it"})
        assert (status, name) == (422, "invalid")
        assert "mario" not in detail
        assert (await refused(at_hub, path))[:2] == (422, "invalid")
        done = await at_hub.post(path, json={"reason": "stolen"})
        assert (done.status_code, done.json()["state"], done.json()["reason"]) == (
            200, "revoked", "stolen",
        )  # fmt: skip
        assert (await refused(at_hub, path, {"reason": "stolen"}))[:2] == (409, "rule-violated")
        made = await at_hub.post("/reservations", json=booking(resources=["T1"]))
        assert made.json()["assurance"] == "guaranteed"


@pytest.mark.parametrize("which", ["0" * 32, "T1", "trattoria.wish-1"])
async def test_what_is_no_allotment_is_not_found(client: httpx.AsyncClient, which: str):
    body = {"reason": "stolen"}
    assert (await refused(client, f"/allotments/{which}/revoke", body))[:2] == (404, "not-found")
    assert (await refused(client, f"/allotments/{which}/return"))[:2] == (404, "not-found")


@pytest.mark.parametrize(
    ("changes", "status", "name", "said"),
    [
        ({"venue": "nowhere"}, 404, "not-found", "no venue 'nowhere'"),
        ({"holder": "bar"}, 404, "not-found", "no device 'bar' was heard"),
        ({"resources": []}, 422, "invalid", "ids or patterns such as T*"),
        ({"resources": ["X9"]}, 422, "invalid", "called 'X9'"),
        ({"quantity": 2}, 422, "invalid", "there is one T1"),
        ({"from": "soon"}, 422, "invalid", "from: 'soon' is no date"),
        ({"release_minutes": -5}, 422, "invalid", "release_minutes: must be from 0"),
        ({"again": True}, 422, "invalid", "resources: goes not with `again`"),
        ({"holder": "bar", "resources": None, "again": True}, 404, "not-found", "'bar'"),
        ({"resources": None, "again": True}, 404, "not-found", "wishes nothing for 'desk'"),
    ],
)
async def test_a_grant_that_cannot_be_says_why(
    desk: Node, hub: Hub, changes: dict[str, Any], status: int, name: str, said: str
):
    body = {"venue": "trattoria", "holder": "desk", "resources": ["T1"]} | changes
    async with calling(hub) as client:
        found = await refused(client, "/allotments", body)
        assert found[:2] == (status, name)
        assert said in found[2]


async def test_only_the_hub_grants(desk: Node):
    async with calling(desk) as client:
        status, name, detail = await refused(
            client, "/allotments", {"venue": "trattoria", "holder": "desk", "resources": ["T1"]}
        )
        assert (status, name, detail) == (403, "forbidden", "only the hub grants; do this there")


async def test_the_same_request_again_grants_nothing_twice(desk: Node, hub: Hub):
    body = {"venue": "trattoria", "holder": "desk", "resources": ["T1"], "until": DAY}
    async with calling(hub) as client:
        key = {"Idempotency-Key": "grant-1"}
        first = await client.post("/allotments", json=body, headers=key)
        again = await client.post("/allotments", json=body, headers=key)
        assert (again.status_code, again.json()) == (201, first.json())
        assert again.headers["idempotency-replayed"] == "true"
        (right,) = first.json()["items"]
        path, why = f"/allotments/{right['id']}/revoke", {"reason": "mistake"}
        taken = await client.post(path, json=why, headers=key)
        replayed = await client.post(path, json=why, headers=key)
        assert replayed.json() == taken.json()
        # A replay shows the thing as it is now.
        shown = (await client.post("/allotments", json=body, headers=key)).json()["items"]
        assert [one["state"] for one in shown] == ["revoked"]


async def test_staff_see_who_sells_what_and_change_nothing(desk: Node, hub: Hub):
    async with calling(hub) as client:
        staff = bearer(await token_for(client, "staff"))
        supervisor = bearer(await token_for(client, "supervisor"))
        body = {"venue": "trattoria", "holder": "desk", "resources": ["T1"]}
        assert (await client.get("/allotments", headers=staff)).status_code == 200
        denied = await client.post("/allotments", json=body, headers=staff)
        assert denied.status_code == 403
        done = await client.post("/allotments", json=body, headers=supervisor)
        assert done.status_code == 201
