"""The floor over HTTP: plans and their totals, who sits where, and saying so of a table."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from holdfast.node.node import Node
from tests.api.conftest import bearer, booking, calling, token_for, venue_document

pytestmark = pytest.mark.anyio


@pytest.fixture
def trattoria() -> dict[str, Any]:
    return venue_document(
        floors=[
            {"id": "garden", "name": "The garden", "image": "/garden.svg", "size": [800, 600]},
            {"id": "house"},
        ],
        resources=[
            {
                "id": "T1", "kind": "table", "seats": [1, 4], "floor": "house", "type": "booth",
                "position": [40, 25], "size": [80, 80], "shape": "round", "features": ["window"],
            },
            {"id": "T2", "kind": "table", "seats": [1, 6], "floor": "garden"},
            {"id": "T3", "kind": "table", "seats": [1, 8], "floor": "garden", "active": False},
            {"id": "BAR", "kind": "pool", "capacity": 12, "floor": "house"},
        ],
        allotments=[],
    )  # fmt: skip


FLOOR = "/venues/trattoria/floor"


def walk_in(**changes: Any) -> dict[str, Any]:
    """A party that stands at the door now."""
    return booking(kind="walk_in", resources=["T1"]) | changes


async def table(client: httpx.AsyncClient, name: str = "T1", **params: Any) -> dict[str, Any]:
    items = (await client.get(FLOOR, params=params)).json()["items"]
    return dict(next(one for one in items if one["id"] == name))


async def mark(client: httpx.AsyncClient, state: str, name: str = "T1", **headers: str) -> Any:
    path = f"/venues/trattoria/resources/{name}/state"
    return await client.post(path, json={"state": state}, headers=headers)


async def now(client: httpx.AsyncClient) -> str:
    return str((await client.get(FLOOR)).json()["at"])


async def test_a_plan_counts_the_tables_that_are_in_use(client: httpx.AsyncClient):
    shown = (await client.get(FLOOR)).json()
    garden, house = shown["floors"]
    assert (garden["name"], garden["image"], garden["size"]) == (
        "The garden", "/garden.svg", [800, 600],
    )  # fmt: skip
    assert (garden["totals"]["tables"], garden["totals"]["seats"]) == (1, 6)
    assert (house["totals"]["tables"], house["totals"]["seats"]) == (2, 16)
    assert (shown["totals"]["tables"], shown["totals"]["seats"]) == (3, 22)
    assert shown["totals"]["states"] == {
        "available": 3, "reserved": 0, "occupied": 0, "cleaning": 0, "blocked": 0, "inactive": 1,
    }  # fmt: skip
    first = shown["items"][0]
    assert {name: first[name] for name in ("type", "position", "size", "shape", "features")} == {
        "type": "booth", "position": [40, 25], "size": [80, 80], "shape": "round",
        "features": ["window"],
    }  # fmt: skip


async def test_a_table_goes_round(client: httpx.AsyncClient):
    made = await client.post(
        "/reservations", json=walk_in(starts_at=await now(client), occasion="birthday")
    )
    assert made.status_code == 201, made.text
    shown = await table(client)
    assert (shown["state"], shown["promised"], shown["taken"]) == ("reserved", 1, 0)
    (due,) = shown["due"]
    assert (due["code"], due["occasion"]) == (made.json()["code"], "birthday")
    seated = await mark(client, "occupied")
    assert (seated.status_code, seated.json()["state"]) == (200, "occupied")
    assert seated.json()["since"] == seated.json()["party"][0]["checked_in_at"]
    assert [one["code"] for one in seated.json()["party"]] == [made.json()["code"]]
    assert (await mark(client, "occupied")).json()["state"] == "occupied"
    jump = await mark(client, "available")
    assert (jump.status_code, jump.json()["type"]) == (409, "urn:holdfast:error:bad-transition")
    assert jump.json()["table_state"] == "occupied"
    left = await mark(client, "cleaning")
    assert (left.json()["state"], left.json()["party"]) == ("cleaning", [])
    done = (await client.get(f"/reservations/{made.json()['id']}")).json()
    assert done["status"] == "completed"
    clean = await mark(client, "available", **{"Idempotency-Key": "k1"})
    again = await mark(client, "available", **{"Idempotency-Key": "k1"})
    assert clean.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert clean.json()["state"] == "available"


async def test_what_a_party_asked_for_is_read_on_the_floor_by_those_who_receive_it(desk: Node):
    """H-10: occasion, area, requests and diet; a screen on the wall is told of no guest."""
    asked = {"name": "Anna", "requests": "by the window", "dietary": "no nuts"}
    async with calling(desk) as client:
        body = walk_in(starts_at=await now(client), occasion="anniversary", guest=asked)
        assert (await client.post("/reservations", json=body)).status_code == 201
        wall, staff = [bearer(await token_for(client, role)) for role in ("read-only", "staff")]
        for headers, guest in ((staff, asked), (wall, None)):
            items = (await client.get(FLOOR, headers=headers)).json()["items"]
            (due,) = items[0]["due"]
            assert (due["occasion"], due.get("guest")) == ("anniversary", guest)


async def test_a_broken_table_says_what_it_is_out_of_use_for(client: httpx.AsyncClient):
    at = await now(client)
    body = {
        "venue": "trattoria", "kind": "maintenance", "reason": "broken", "resources": ["T1"],
        "starts_at": at, "ends_at": f"{at[:4]}-12-31T23:00",
    }  # fmt: skip
    assert (await client.post("/blocks", json=body)).status_code == 201
    shown = await table(client)
    assert shown["state"] == "blocked"
    assert (shown["block"]["kind"], shown["block"]["reason"]) == ("maintenance", "broken")
    assert (await mark(client, "available")).json()["table_state"] == "blocked"
    there = f"venue=trattoria&date={at[:10]}&party_size=4&resource_kind=table"
    slots = (await client.get(f"/availability?{there}")).json()["slots"]
    assert all(one["resources"] == ["T2"] for one in slots)


async def test_what_makes_no_sense_is_told(client: httpx.AsyncClient):
    assert (await mark(client, "dirty")).status_code == 422
    assert (await mark(client, "available", "T9")).status_code == 404
    assert (await client.get(FLOOR, params={"at": "noon"})).status_code == 422
    assert (await client.get("/venues/bistro/floor")).status_code == 404


async def test_the_turn_over_is_a_table_for_a_spreadsheet_too(client: httpx.AsyncClient):
    at = await now(client)
    made = (await client.post("/reservations", json=walk_in(starts_at=at))).json()
    await mark(client, "occupied")
    await mark(client, "cleaning")
    day = made["service_date"]
    asked = f"/analytics/turnover?venue=trattoria&from={day}&to={day}"
    told = (await client.get(asked)).json()
    assert (told["parties"], told["tables"][0]["minutes"]["parties"]) == (1, 1)
    table = await client.get(f"{asked}&format=csv")
    header, first, *rest = table.text.splitlines()
    assert header.startswith("venue,from,to,resource,area,parties,covers,turns_per_day,minutes_")
    assert first.startswith(f"trattoria,{day},{day},T1,,1,2,1.0,1,0.0,0.0")
    assert len(rest) == 2
