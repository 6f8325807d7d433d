"""A supervisor's override over HTTP: who may, what is refused, and what is shown."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from holdfast.api.permissions import ROLES
from holdfast.model.pseudonyms import agent_id
from tests.api.conftest import DAY, bearer, booking, token_for, venue_document

pytestmark = pytest.mark.anyio

OVERRIDE = {"override": {"reason": "vip_guest"}}
ANNA = agent_id(b"k" * 32, "anna")


@pytest.fixture
def trattoria() -> dict[str, Any]:
    limits = [{"resources": ["T1"], "from": DAY, "until": DAY, "limit": 1}]
    return venue_document(allotments=[], overbooking=limits)


async def made(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/reservations", json=booking(**changes))
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


@pytest.mark.parametrize("role", ROLES)
async def test_a_supervisor_overrides_and_staff_kiosk_and_guest_do_not(
    client: httpx.AsyncClient, role: str
):
    await made(client, resources=["T1"])
    agent = ANNA if role == "guest" else None
    headers = bearer(await token_for(client, role, agent))
    body = booking(resources=["T1"]) | OVERRIDE
    answer = await client.post("/reservations", json=body, headers=headers)
    if role in ("admin", "supervisor"):
        assert answer.status_code == 201, answer.text
        shown = answer.json()
        assert (shown["status"], shown["override"]) == ("confirmed", {"reason": "vip_guest"})
        assert shown["exceptions"] == ["overbooked"]
    else:
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:holdfast:error:forbidden")


async def test_who_may_change_a_reservation_may_not_override_it_with_it(client: httpx.AsyncClient):
    await made(client, resources=["T1"])
    other = await made(client, resources=["T2"])
    body = {"resources": ["T1"]} | OVERRIDE
    staff = bearer(await token_for(client, "staff"))
    path = f"/reservations/{other['id']}"
    assert (await client.patch(path, json=body, headers=staff)).status_code == 403
    assert (await client.patch(path, json={"resources": ["T1"]})).status_code == 409
    moved = await client.patch(path, json=body)
    assert moved.status_code == 200, moved.text
    assert (moved.json()["resources"], moved.json()["override"]) == (
        ["T1"], {"reason": "vip_guest"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("override", "field"),
    [
        ({"reason": "Ann Smith"}, "override.reason"),
        ({"reason": "guest_request"}, "override.reason"),
        ({}, "override"),
        ({"reason": 7}, "override.reason"),
        ({"reason": "group", "note": "x"}, "override"),
        ("group", "override"),
    ],
)
async def test_a_reason_is_required_and_of_the_list(
    client: httpx.AsyncClient, override: Any, field: str
):
    answer = await client.post("/reservations", json=booking(override=override))
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert fault["field"] == field


async def test_the_limit_is_named_with_the_way_out(client: httpx.AsyncClient):
    for resource in ("T1", "T1", "T2"):
        await made(client, resources=[resource], **OVERRIDE)
    for resource, says in (("T1", "limit of 1 already"), ("T2", "the limit is 0")):
        answer = await client.post("/reservations", json=booking(resources=[resource]) | OVERRIDE)
        assert (answer.status_code, answer.json()["type"]) == (
            409, "urn:holdfast:error:rule-violated",
        )  # fmt: skip
        (violation,) = answer.json()["violations"]
        assert violation["rule"] == "overbooking-limit"
        for part in (resource, DAY, says, "`overbooking` in the venue file"):
            assert part in violation["message"]


async def test_with_room_nothing_is_marked_and_availability_offers_no_overbooked_place(
    client: httpx.AsyncClient,
):
    query: dict[str, str | int] = {"venue": "trattoria", "party_size": 2, "date": DAY}
    for expected in (None, None):
        assert (await made(client, **OVERRIDE))["override"] is expected
    slots = (await client.get("/availability", params=query)).json()["slots"]
    assert not [slot for slot in slots if slot["starts_at"].startswith(f"{DAY}T19:30")]
    assert (await made(client, **OVERRIDE))["resources"] == ["T1"]


async def test_what_is_overbooked_is_listed_until_somebody_has_seen_it(client: httpx.AsyncClient):
    await made(client, resources=["T1"])
    over = await made(client, resources=["T1"], **OVERRIDE)
    (item,) = (await client.get("/exceptions")).json()["items"]
    assert (item["kind"], item["code"], item["actions"]) == (
        "overbooked", over["code"], ["move", "acknowledge"],
    )  # fmt: skip
    path = f"/exceptions/{item['id']}/resolve"
    body = {"action": "overbook", "reason": "goodwill"}
    assert (await client.post(path, json=body)).status_code == 422, "it has its place already"
    staff = bearer(await token_for(client, "staff"))
    assert (await client.post(path, json=body, headers=staff)).status_code == 403
    done = await client.post(path, json={"action": "acknowledge", "reason": "seen"})
    assert done.status_code == 200
    assert (await client.get("/exceptions")).json()["items"] == []
    audit = (await client.get("/audit", params={"reservation": over["code"]})).json()["items"]
    assert audit[0]["after"]["override"] == "vip_guest"
    assert {"node", "role", "at"} <= set(audit[0])


async def test_a_venue_file_goes_round_with_its_limits(client: httpx.AsyncClient):
    shown = (await client.get("/venues/trattoria")).json()
    assert shown["overbooking"] == [{"resources": ["T1"], "from": DAY, "until": DAY, "limit": 1}]
    shown["overbooking"] = [{"resources": ["T*"], "limit": 2}]
    put = await client.put("/venues/trattoria", json=shown)
    assert put.status_code == 200, put.text
    assert (await client.get("/venues/trattoria")).json()["overbooking"] == shown["overbooking"]
