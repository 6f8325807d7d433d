"""Blocks over HTTP: by supervisors, all or none, over reservations on purpose only."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from holdfast.api.permissions import ROLES
from holdfast.model.pseudonyms import agent_id
from tests.api.conftest import bearer, calling, token_for
from tests.kit import DAY, NEXT_DAY, TRATTORIA, Fleet

pytestmark = pytest.mark.anyio

ANNA = agent_id(b"k" * 32, "anna")
FIELDS = {
    "id", "kind", "reason", "resources", "starts_at", "ends_at", "status", "assurance", "series",
    "conflicts",
}  # fmt: skip


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    divided = copy.deepcopy(TRATTORIA) | {
        "allotments": [{"holder": "desk", "resources": ["T1", "T2"]}]
    }
    with Fleet(tmp_path, divided) as made:
        made.join("desk")
        made.join("kiosk", role="kiosk")
        made.sync_all()
        yield made


@pytest.fixture
async def client(fleet: Fleet) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with calling(fleet.nodes["desk"]) as client:
        yield client


def wanted(*resources: str, **changes: Any) -> dict[str, Any]:
    return {
        "venue": "trattoria", "kind": "maintenance", "resources": list(resources),
        "starts_at": f"{DAY}T18:00", "ends_at": f"{DAY}T23:00",
    } | changes  # fmt: skip


def booking(*resources: str, **changes: Any) -> dict[str, Any]:
    return {
        "venue": "trattoria", "starts_at": f"{DAY}T19:30", "party_size": 2,
        "resources": list(resources),
    } | changes  # fmt: skip


async def made(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_block_has_every_field_of_the_contract(client: httpx.AsyncClient):
    body = wanted("T1", "T2", reason="repair", note="the lamp fell down")
    answer = await client.post("/blocks", json=body)
    block = answer.json()
    assert answer.status_code == 201, answer.text
    assert set(block) >= FIELDS
    assert answer.headers["location"] == f"/api/v1/blocks/{block['id']}"
    assert (block["kind"], block["reason"], block["note"]) == (
        "maintenance", "repair", "the lamp fell down",
    )  # fmt: skip
    assert block["resources"] == ["T1", "T2"]
    assert (block["starts_at"], block["ends_at"]) == (
        f"{DAY}T18:00:00+02:00", f"{DAY}T23:00:00+02:00",
    )  # fmt: skip
    assert (block["status"], block["assurance"]) == ("confirmed", "guaranteed")
    assert (block["series"], block["conflicts"]) == (None, [])
    assert "occurrences" not in block
    for reference in (block["id"], block["code"]):
        assert (await client.get(f"/blocks/{reference}")).json() == block
    taken = await client.post("/reservations", json=booking("T1"))
    assert taken.status_code == 409


async def test_what_is_blocked_is_listed_by_time_and_place_and_put_back(client: httpx.AsyncClient):
    first = await made(client, "/blocks", wanted("T1"))
    times = {"starts_at": f"{NEXT_DAY}T18:00", "ends_at": f"{NEXT_DAY}T23:00"}
    second = await made(client, "/blocks", wanted("T2", **times))

    async def ids(**query: Any) -> list[str]:
        return [one["id"] for one in (await client.get("/blocks", params=query)).json()["items"]]

    assert await ids() == await ids(venue="trattoria") == [first["id"], second["id"]]
    half_open = {"from": f"{DAY}T18:00", "to": f"{NEXT_DAY}T18:00"}
    assert await ids(venue="trattoria", **half_open) == [first["id"]]
    assert await ids(date=NEXT_DAY) == await ids(resource="T2") == [second["id"]]
    gone = await client.delete(f"/blocks/{first['code']}")
    assert (gone.status_code, gone.json()["status"]) == (200, "cancelled")
    assert await ids() == [second["id"]]
    assert (await client.post("/reservations", json=booking("T1"))).status_code == 201
    again = await client.delete(f"/blocks/{first['id']}")
    assert (again.status_code, again.json()["type"]) == (409, "urn:holdfast:error:bad-transition")


async def test_over_reservations_it_is_refused_with_their_ids_unless_forced(
    client: httpx.AsyncClient,
):
    there = await made(client, "/reservations", booking("T1"))
    refused = await client.post("/blocks", json=wanted("T2", "T1"))
    problem = refused.json()
    assert (refused.status_code, problem["type"]) == (409, "urn:holdfast:error:conflict")
    assert problem["conflicts"] == [there["id"]]
    assert there["code"] in problem["detail"]
    assert (await client.get("/blocks")).json()["items"] == [], "not even the free table"
    forced = await made(client, "/blocks", wanted("T2", "T1", force=True))
    assert (forced["status"], forced["conflicts"]) == ("confirmed", [there["id"]])
    assert (await client.get(f"/reservations/{there['id']}")).json()["status"] == "confirmed"
    await client.post(f"/reservations/{there['id']}/cancel")
    assert (await client.get(f"/blocks/{forced['id']}")).json()["conflicts"] == []


async def test_a_recurrence_is_answered_with_its_dates_and_ends_alone_or_from_there_on(
    client: httpx.AsyncClient,
):
    rule = "FREQ=WEEKLY;BYDAY=TH,FR;COUNT=5"
    block = await made(client, "/blocks", wanted("T1", rrule=rule))
    dates = [one["starts_at"][:10] for one in block["occurrences"]]
    assert dates == ["2027-06-03", "2027-06-04", "2027-06-10", "2027-06-11", "2027-06-17"]
    ids = [one["id"] for one in block["occurrences"]]
    assert ids[0] == block["id"]
    assert len(block["series"]) == 32
    alone = (await client.delete(f"/blocks/{ids[1]}")).json()
    assert (alone["status"], alone["series"]) == ("cancelled", block["series"])
    ended = await client.delete(f"/blocks/{ids[3]}", params={"series": True})
    assert ended.status_code == 200, ended.text
    listed = (await client.get("/blocks")).json()["items"]
    assert [one["id"] for one in listed] == [ids[0], ids[2]]
    assert {one["series"] for one in listed} == {block["series"]}
    left = (await client.get(f"/blocks/{ids[0]}")).json()["occurrences"]
    assert [one["id"] for one in left] == [ids[0], ids[2]]


async def test_many_are_made_in_one_step_or_none(client: httpx.AsyncClient):
    there = await made(client, "/reservations", booking("T1"))
    items = [wanted("T2"), wanted("T1"), wanted("T3")]
    refused = await client.post("/blocks/bulk", json={"items": items})
    problem = refused.json()
    assert (refused.status_code, problem["conflicts"]) == (409, [there["id"]])
    assert [one["field"] for one in problem["errors"]] == ["items[1]"]
    wrong = await client.post("/blocks/bulk", json={"items": [wanted("T2"), wanted("T9")]})
    assert [one["field"] for one in wrong.json()["errors"]] == ["items[1].resources"]
    shapeless = await client.post("/blocks/bulk", json={"items": [wanted("T2", colour="red")]})
    assert shapeless.status_code == 422
    for nothing in ([], [wanted("T2")] * 401):
        answer = await client.post("/blocks/bulk", json={"items": nothing})
        assert answer.status_code == 422
    elsewhere = await client.post("/blocks/bulk", json={"items": [wanted("T2", venue="nowhere")]})
    assert elsewhere.status_code == 404
    assert (await client.get("/blocks")).json()["items"] == []
    items[1]["force"] = True
    key = {"Idempotency-Key": "k-1"}
    answer = await client.post("/blocks/bulk", json={"items": items}, headers=key)
    assert answer.status_code == 201, answer.text
    assert [one["resources"] for one in answer.json()["items"]] == [["T2"], ["T1"], ["T3"]]
    again = await client.post("/blocks/bulk", json={"items": items}, headers=key)
    assert again.json() == answer.json()
    assert len((await client.get("/blocks")).json()["items"]) == 3


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("kind", {"kind": "party"}),
        ("reason", {"reason": "because Ann said so"}),
        ("ends_at", {"ends_at": f"{DAY}T18:00"}),
        ("rrule", {"rrule": "FREQ=WEEKLY"}),
        ("resources", {"resources": []}),
        ("quantity", {"quantity": 2}),
        ("quantity", {"quantity": 0}),
        ("colour", {"colour": "red"}),
    ],
)
async def test_what_makes_no_sense_is_named(
    client: httpx.AsyncClient, field: str, changes: dict[str, Any]
):
    answer = await client.post("/blocks", json=wanted("T1", **changes))
    assert answer.status_code == 422, answer.text
    assert [one["field"] for one in answer.json()["errors"]] == [field]


async def test_a_replay_blocks_once_and_shows_the_block_as_it_is_now(client: httpx.AsyncClient):
    key = {"Idempotency-Key": "k-1"}
    rule = {"rrule": "FREQ=DAILY;COUNT=3"}
    first = await client.post("/blocks", json=wanted("T1", **rule), headers=key)
    again = await client.post("/blocks", json=wanted("T1", **rule), headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    await client.delete(f"/blocks/{first.json()['id']}", params={"series": True})
    gone = (await client.post("/blocks", json=wanted("T1", **rule), headers=key)).json()
    assert (gone["status"], gone["occurrences"]) == ("cancelled", [])


@pytest.mark.parametrize("role", ROLES)
async def test_supervisors_block_and_whoever_works_there_sees_it(
    client: httpx.AsyncClient, role: str
):
    token = bearer(await token_for(client, role, ANNA if role == "guest" else None))
    told = {"kind": "private_event", "reason": "repair", "note": "the lamp fell down"}
    block = await made(client, "/blocks", wanted("T1", **told))
    changes = role in ("admin", "supervisor")
    tried = [
        await client.post("/blocks", json=wanted("T2"), headers=token),
        await client.post("/blocks/bulk", json={"items": [wanted("T3")]}, headers=token),
        await client.delete(f"/blocks/{block['id']}", headers=token),
    ]
    assert [one.status_code for one in tried] == ([201, 201, 200] if changes else [403] * 3)
    seen = await client.get(f"/blocks/{block['id']}", headers=token)
    listed = await client.get("/blocks", headers=token)
    assert {seen.status_code, listed.status_code} == {403 if role == "guest" else 200}
    reads = role in ("admin", "supervisor", "staff")
    assert ("lamp" in seen.text) == reads
    if role in ("kiosk", "guest"):
        assert "private_event" not in seen.text
        assert "repair" not in seen.text


async def test_a_kiosk_device_takes_nothing_out_of_use_whoever_asks(fleet: Fleet):
    async with calling(fleet.nodes["kiosk"]) as client:
        answer = await client.post("/blocks", json=wanted("T3"))
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:holdfast:error:forbidden")
        assert "front-desk" in answer.json()["detail"]


async def test_a_block_is_no_reservation_and_is_told_where_it_is(client: httpx.AsyncClient):
    block = await made(client, "/blocks", wanted("T1"))
    assert (await client.get("/reservations")).json()["items"] == []
    for method, path, body in (
        ("GET", "", None), ("PATCH", "", {"party_size": 3}), ("POST", "/cancel", {}),
        ("POST", "/check-in", {}),
    ):  # fmt: skip
        answer = await client.request(method, f"/reservations/{block['code']}{path}", json=body)
        assert answer.status_code == 404, answer.text
        assert f"GET /blocks/{block['code']}" in answer.json()["detail"]
    there = await made(client, "/reservations", booking("T2"))
    assert (await client.delete(f"/blocks/{there['id']}")).status_code == 404
    assert (await client.get(f"/reservations/{there['id']}")).json()["status"] == "confirmed"


async def test_two_devices_show_the_same_block(fleet: Fleet, client: httpx.AsyncClient):
    """The desk takes T3 out of use, which is the hub's to give."""
    block = await made(client, "/blocks", wanted("T3", note="the lamp fell down"))
    assert (block["status"], block["assurance"], block["waits_for"]) == (
        "commit_pending", "provisional", "hub",
    )  # fmt: skip
    fleet.sync_all()
    async with calling(fleet.the_hub) as hub, calling(fleet.nodes["kiosk"]) as kiosk:
        for other in (client, hub, kiosk):
            seen = (await other.get(f"/blocks/{block['id']}")).json()
            assert (seen["status"], seen["kind"]) == ("confirmed", "maintenance")
        assert "note" not in (await kiosk.get(f"/blocks/{block['id']}")).json()
        taken = await hub.post("/reservations", json=booking("T3"))
        assert taken.status_code == 409


async def test_a_token_that_may_not_read_blocks_is_not_told_of_them_by_a_refusal(
    client: httpx.AsyncClient,
):
    await made(client, "/blocks", wanted("T1", "T2", "T3", "T4", reason="repair"))
    body = {
        "name": "widget", "role": "staff",
        "permissions": ["availability.read", "reservations.create", "reservations.read"],
    }  # fmt: skip
    narrow = bearer((await client.post("/tokens", json=body)).json()["token"])
    refused = await client.post("/reservations", json=booking("T1"), headers=narrow)
    assert (refused.status_code, refused.json()["reason"]) == (409, "blocked")
    query: dict[str, Any] = {"venue": "trattoria", "date": DAY, "party_size": 2, "include": "full"}
    slots = await client.get("/availability", params=query, headers=narrow)
    assert "blocked" in slots.text
    for said in (refused.text, slots.text):
        assert "repair" not in said
        assert "blocks" not in said


async def test_what_is_out_of_use_says_so_to_everybody_and_why_to_the_house(
    client: httpx.AsyncClient,
):
    await made(client, "/blocks", wanted("T1", "T2", "T3", "T4", reason="repair"))
    staff = bearer(await token_for(client, "staff"))
    guest = bearer(await token_for(client, "guest", ANNA))
    kiosk = bearer(await token_for(client, "kiosk"))
    query: dict[str, Any] = {
        "venue": "trattoria", "date": DAY, "party_size": 2, "include": "full",
    }  # fmt: skip
    for headers, told in ((staff, True), (guest, False), (kiosk, False)):
        for resources in (["T1"], []):
            answer = await client.post("/reservations", json=booking(*resources), headers=headers)
            problem = answer.json()
            assert (answer.status_code, problem["type"], problem["reason"]) == (
                409, "urn:holdfast:error:not-available", "blocked",
            )  # fmt: skip
            assert "is out of use" in problem["detail"]
            assert ("repair" in problem["detail"]) is told
            assert ("blocks" in problem) is told
            assert problem["alternatives"]
        slots = (await client.get("/availability", params=query, headers=headers)).json()["slots"]
        (slot,) = [one for one in slots if one["starts_at"][11:16] == "19:30"]
        assert (slot["reason"], "blocks" in slot) == ("blocked", told)
        if told:
            assert slot["blocks"] == problem["blocks"]
            assert slot["blocks"][0]["reason"] == "repair"
