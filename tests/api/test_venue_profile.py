"""The profile of a venue, its account, and when guests check in by themselves."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.conftest import bearer, booking, token_for, venue_document

pytestmark = pytest.mark.anyio

PATH = "/venues/trattoria"


async def put(client: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    return await client.put(PATH, json=venue_document(allotments=[], **changes))


async def test_a_profile_is_created_and_read_and_its_slug_is_its_own(client: httpx.AsyncClient):
    profile = {"slug": "da-mario", "cuisine": ["roman"], "address": {"city": "Roma"}}
    assert (await put(client, profile=profile)).status_code == 200
    assert (await client.get(PATH)).json()["profile"] == profile
    # Its own slug it may keep, and no other venue may have it.
    assert (await put(client, profile=profile, featured=True)).status_code == 200
    other = venue_document(venue="bistro", name="Bistro", profile={"slug": "da-mario"})
    refused = await client.put("/venues/bistro", json=other)
    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {"field": "profile.slug", "message": "'da-mario' is already that of trattoria"}
    ]
    other["profile"] = {"slug": "bistro"}
    assert (await client.put("/venues/bistro", json=other)).status_code == 201


async def test_a_venue_is_found_by_the_geohash_of_its_place(client: httpx.AsyncClient):
    there = {"geo": [41.8902, 12.4922]}
    assert (await put(client, profile=there)).json()["profile"]["geohash"] == "sr2yk3bs1"
    shown = (await client.get(PATH)).json()
    # What is read can be put back as it is, and with another place: then it is that one's.
    assert (await client.put(PATH, json=shown)).status_code == 200
    shown["profile"]["geo"] = [57.64911, 10.40744]
    moved = (await client.put(PATH, json=shown)).json()
    assert moved["profile"]["geohash"] == "u4pruydqq"
    await put(client, profile=there)
    far = venue_document(venue="bistro", name="Bistro", profile={"geo": [57.64911, 10.40744]})
    await client.put("/venues/bistro", json=far)
    await client.put("/venues/cafe", json=venue_document(venue="cafe", name="Cafe"))
    for cell, names in (("sr2y", ["trattoria"]), ("u", ["bistro"]), ("s0", [])):
        listed = (await client.get("/venues", params={"geohash": cell})).json()["items"]
        assert [one["venue"] for one in listed] == names
    for wrong in ("sr2a", "sr2yk3bs1x"):
        assert (await client.get("/venues", params={"geohash": wrong})).status_code == 422


async def test_a_reservation_carries_the_account_that_the_venue_has_now(client: httpx.AsyncClient):
    await put(client, business_account="ba_1")
    made = (await client.post("/reservations", json=booking())).json()
    assert (made["business_account"], made["check_in"]) == ("ba_1", None)
    await put(client, business_account="ba_2")
    shown = (await client.get(f"/reservations/{made['id']}")).json()
    assert shown["business_account"] == "ba_2"
    assert shown["stamp"] == made["stamp"]


async def test_the_venue_says_when_guests_check_in_and_no_reservation_is_edited(
    client: httpx.AsyncClient,
):
    kiosk = bearer(await token_for(client, "kiosk"))
    admin = dict(client.headers)
    made = [(await client.post("/reservations", json=booking())).json() for _ in range(2)]
    await put(client, check_in={"opens_minutes": 30, "closes_minutes": 15})
    shown = (await client.get(f"/reservations/{made[0]['id']}")).json()
    assert "T19:00" in shown["check_in"]["opens_at"] and "T19:45" in shown["check_in"]["closes_at"]
    assert shown["stamp"] == made[0]["stamp"]
    client.headers.update(kiosk)
    early = await client.post(f"/reservations/{made[0]['id']}/check-in")
    assert [one["rule"] for one in early.json()["violations"]] == ["check-in"]
    assert "from 19:00 until 19:45" in early.json()["detail"]
    client.headers.update(admin)
    # The staff sees who is there.
    assert (await client.post(f"/reservations/{made[1]['id']}/check-in")).status_code == 200
    await put(client)
    client.headers.update(kiosk)
    assert (await client.post(f"/reservations/{made[0]['id']}/check-in")).status_code == 200
