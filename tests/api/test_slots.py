"""Slots over HTTP: how full each is, and what its override says."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.conftest import DAY, booking, venue_document

pytestmark = pytest.mark.anyio

OVERRIDES: list[dict[str, Any]] = [
    {"from": f"{DAY}T18:00", "to": f"{DAY}T19:00", "kind": "normal", "max_party": 2,
     "covers_per_slot": 3},
    {"from": f"{DAY}T22:00", "to": f"{DAY}T23:00", "kind": "private_event"},
]  # fmt: skip


@pytest.fixture
def trattoria() -> dict[str, Any]:
    return venue_document(slot_overrides=OVERRIDES, allotments=[])


async def slots(client: httpx.AsyncClient, date: str = DAY) -> dict[str, dict[str, Any]]:
    answer = await client.get("/venues/trattoria/slots", params={"date": date})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["venue"], answer.json()["date"]) == ("trattoria", date)
    return {one["starts_at"][11:16]: one for one in answer.json()["items"]}


async def test_every_slot_of_a_day_says_what_is_taken_and_what_is_left(client: httpx.AsyncClient):
    body = booking(starts_at=f"{DAY}T18:00", party_size=2)
    assert (await client.post("/reservations", json=body)).status_code == 201
    held = {"venue": "trattoria", "starts_at": f"{DAY}T19:30", "party_size": 4}
    assert (await client.post("/holds", json=held)).status_code == 201
    shown = await slots(client)
    assert len(shown) == 96
    assert {name: shown["18:00"][name] for name in (
        "total", "reserved", "pending", "available", "override", "min_party", "max_party",
        "blackout",
    )} == {
        "total": 3, "reserved": 2, "pending": 0, "available": 1, "override": "normal",
        "min_party": 1, "max_party": 2, "blackout": None,
    }  # fmt: skip
    assert shown["18:00"]["ends_at"][11:16] == "18:15"
    assert (shown["19:30"]["total"], shown["19:30"]["pending"]) == (8, 4)
    assert (shown["19:30"]["available"], shown["19:30"]["max_party"]) == (4, 12)
    assert (shown["22:00"]["override"], shown["22:00"]["total"]) == ("private_event", 0)
    assert all(
        one["available"] == one["total"] - one["reserved"] - one["pending"]
        for one in shown.values()
    )


async def test_a_closed_slot_refuses_and_names_the_reason(client: httpx.AsyncClient):
    body = booking(starts_at=f"{DAY}T22:00")
    refused = await client.post("/reservations", json=body)
    assert (refused.status_code, refused.json()["type"]) == (
        409, "urn:holdfast:error:rule-violated",
    )  # fmt: skip
    (violation,) = refused.json()["violations"]
    assert violation["rule"] == "slot-override" and "private event" in violation["message"]
    asked: dict[str, Any] = {"venue": "trattoria", "date": DAY, "party_size": 2, "include": "full"}
    offered = (await client.get("/availability", params=asked)).json()["slots"]
    (closed,) = [one for one in offered if one["starts_at"][11:16] == "22:00"]
    assert (closed["reason"], closed["override"], closed["resources"]) == (
        "slot-override", "private_event", [],
    )  # fmt: skip


async def test_overrides_are_shown_as_they_were_put_and_slips_are_named(
    client: httpx.AsyncClient, trattoria: dict[str, Any]
):
    shown = (await client.get("/venues/trattoria")).json()
    assert shown["slot_overrides"] == OVERRIDES
    again = await client.put("/venues/trattoria", json=shown)
    assert (again.status_code, again.json()) == (200, shown)
    trattoria["slot_overrides"] = [OVERRIDES[0] | {"kind": "storm"}]
    answer = await client.put("/venues/trattoria", json=trattoria)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == ["slot_overrides[0].kind"]


async def test_what_makes_no_sense_is_told(client: httpx.AsyncClient):
    for asked in (
        "",
        "?date=today",
        "?date=0001-01-01",
        "?date=9999-12-31",
        f"?date={DAY}&party_size=2",
    ):
        assert (await client.get(f"/venues/trattoria/slots{asked}")).status_code == 422
    assert (await client.get(f"/venues/bistro/slots?date={DAY}")).status_code == 404
