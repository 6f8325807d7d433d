"""The bookkeeping of reminders: each is marked once, and who is refused sends nothing (H-17)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from holdfast.api.auth import STAFF_HEADER
from holdfast.model.limits import REMINDER_KINDS_MAX, REMINDERS_KEPT_DAYS
from holdfast.model.pseudonyms import agent_id
from tests.api.conftest import bearer, calling, token_for
from tests.kit import DAY, NEXT_DAY, Fleet

pytestmark = pytest.mark.anyio

ANNA = agent_id(b"k" * 32, "anna")
KIND = {"kind": "day_before"}
SOON = f"{DAY}T23:00"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path) as made:
        made.join("desk")
        made.sync_all()
        yield made


@pytest.fixture
async def hub(fleet: Fleet) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with calling(fleet.the_hub) as client:
        yield client


async def reserved(client: httpx.AsyncClient, time: str = "19:30", **more: Any) -> dict[str, Any]:
    at = time if "T" in time else f"{DAY}T{time}"
    body = {"venue": "trattoria", "starts_at": at, "party_size": 2} | more
    answer = await client.post("/reservations", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def due(client: httpx.AsyncClient, before: str = SOON, **more: Any) -> list[str]:
    query = KIND | {"venue": "trattoria", "due_before": before} | more
    answer = await client.get("/reminders", params=query)
    assert answer.status_code == 200, answer.text
    return [one["code"] for one in answer.json()["items"]]


async def marked(
    client: httpx.AsyncClient, one: dict[str, Any], **more: Any
) -> tuple[int, dict[str, Any]]:
    answer = await client.post(f"/reservations/{one['id']}/reminders", json=KIND | more)
    return answer.status_code, answer.json()


async def test_a_reminder_is_marked_once_and_is_due_no_more(fleet: Fleet, hub: httpx.AsyncClient):
    late, early = await reserved(hub, "20:00"), await reserved(hub, "19:30")
    after = await reserved(hub, f"{NEXT_DAY}T19:30")
    assert await due(hub) == [early["code"], late["code"]]
    status, mark = await marked(hub, early)
    assert (status, mark["code"], mark["kind"]) == (201, early["code"], "day_before")
    assert (mark["starts_at"], mark["by"]) == (early["starts_at"], None)
    assert await due(hub) == [late["code"]]
    fleet.clocks.advance(minutes=5)
    status, refused = await marked(hub, early)
    assert (status, refused["type"]) == (409, "urn:holdfast:error:conflict")
    assert "2027-06-02 10:13; send no second one" in refused["detail"]
    # Another kind is another reminder.
    assert await due(hub, kind="two_hours") == [early["code"], late["code"]]
    assert (await marked(hub, early, kind="two_hours"))[0] == 201
    listed = (await hub.get(f"/reservations/{early['code']}/reminders")).json()["items"]
    assert [one["kind"] for one in listed] == ["day_before", "two_hours"]
    assert listed[0] == mark
    assert await due(hub, f"{NEXT_DAY}T23:00") == [late["code"], after["code"]]


async def test_of_two_senders_that_ask_at_once_one_sends(hub: httpx.AsyncClient):
    one = await reserved(hub)
    statuses = [status for status, _ in await asyncio.gather(*(marked(hub, one) for _ in range(5)))]
    assert sorted(statuses) == [201, 409, 409, 409, 409]


async def test_a_sender_whose_answer_was_lost_is_told_again_that_it_sends(hub: httpx.AsyncClient):
    path = f"/reservations/{(await reserved(hub))['id']}/reminders"
    key = {"Idempotency-Key": "lost"}
    first, again = [await hub.post(path, json=KIND, headers=key) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    assert (await hub.post(path, json=KIND)).status_code == 409


async def test_a_mark_survives_a_restart(fleet: Fleet):
    async with calling(fleet.the_hub) as client:
        one = await reserved(client)
        assert (await marked(client, one))[0] == 201
    fleet.reopen("hub")
    async with calling(fleet.the_hub) as client:
        assert (await marked(client, one))[0] == 409
        assert await due(client) == []


async def test_nobody_is_reminded_of_what_was_called_off_is_not_certain_or_has_begun(
    fleet: Fleet, hub: httpx.AsyncClient
):
    gone, here, house = [await reserved(hub, kind=kind) for kind in ("guest", "guest", "house")]
    await hub.post(f"/reservations/{gone['id']}/cancel", json={})
    hold = {"venue": "trattoria", "starts_at": f"{DAY}T12:00", "party_size": 2}
    held = (await hub.post("/holds", json=hold)).json()
    assert await due(hub) == [here["code"]]
    for one, name in ((gone, "bad-transition"), (held, "bad-transition")):
        status, refused = await marked(hub, one)
        assert (status, refused["type"].rpartition(":")[2]) == (409, name)
    assert house["status"] == "confirmed"
    fleet.clocks.advance(hours=34)
    assert await due(hub) == []
    status, refused = await marked(hub, here)
    assert (status, refused["type"]) == (410, "urn:holdfast:error:gone")


async def test_who_was_moved_to_another_time_is_reminded_of_that_one(hub: httpx.AsyncClient):
    one = await reserved(hub)
    assert (await marked(hub, one))[0] == 201
    table = {"resources": ["T2"]}
    assert (await hub.patch(f"/reservations/{one['id']}", json=table)).status_code == 200
    assert await due(hub) == [], "another table is no other time"
    later = {"starts_at": f"{DAY}T21:00"}
    assert (await hub.patch(f"/reservations/{one['id']}", json=later)).status_code == 200
    assert await due(hub) == [one["code"]]
    assert (await marked(hub, one))[0] == 201
    assert (await marked(hub, one))[0] == 409


async def test_another_device_knows_nothing_of_a_mark(fleet: Fleet, hub: httpx.AsyncClient):
    """The honest limit: one sender, at one device."""
    one = await reserved(hub)
    assert (await marked(hub, one))[0] == 201
    fleet.sync_all()
    async with calling(fleet.nodes["desk"]) as desk:
        assert await due(desk) == [one["code"]]
        assert (await marked(desk, one))[0] == 201
    fleet.sync_all()
    fleet.assert_agree()


async def test_who_marked_it_is_told(hub: httpx.AsyncClient):
    token = {"name": "postman", "role": "staff", "permissions": ["reminders.mark"]}
    made = await hub.post("/tokens", json=token)
    assert made.status_code == 201, made.text
    sender = bearer(made.json()["token"])
    one = await reserved(hub)
    path = f"/reservations/{one['id']}/reminders"
    assert (await hub.get("/reservations", headers=sender)).status_code == 403
    answer = await hub.post(path, json=KIND, headers=sender)
    assert (answer.status_code, answer.json()["by"]["name"]) == (201, "postman")
    unknown = await hub.post(path, json=KIND, headers={STAFF_HEADER: quote("Zoë")})
    assert unknown.status_code == 422
    for role in ("kiosk", "guest", "read-only"):
        of_role = bearer(await token_for(hub, role, ANNA if role == "guest" else None))
        for answer in (
            await hub.get(path, headers=of_role), await hub.post(path, json=KIND, headers=of_role),
        ):  # fmt: skip
            assert answer.status_code == 403, role


async def test_a_long_list_comes_page_by_page_without_what_is_marked(hub: httpx.AsyncClient):
    codes = []
    for hour in range(8, 20):
        one = await reserved(hub, f"{hour:02}:00")
        if hour % 3 == 0:
            assert (await marked(hub, one))[0] == 201
        else:
            codes.append(one["code"])
    found, cursor = [], None
    while True:
        query = KIND | {"due_before": f"{DAY}T23:00+02:00", "limit": "3"}
        query |= {} if cursor is None else {"cursor": cursor}
        page = (await hub.get("/reminders", params=query)).json()
        assert len(page["items"]) <= 3
        found += [one["code"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == codes


async def test_what_is_long_over_is_forgotten(fleet: Fleet, hub: httpx.AsyncClient):
    old = await reserved(hub)
    assert (await marked(hub, old))[0] == 201
    fleet.clocks.advance(hours=24 * (REMINDERS_KEPT_DAYS + 3))
    new = await reserved(hub, "2027-07-20T19:30")
    assert (await hub.get(f"/reservations/{old['id']}/reminders")).json()["items"] != []
    assert (await marked(hub, new))[0] == 201
    assert (await hub.get(f"/reservations/{old['id']}/reminders")).json()["items"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "Day before!"}, "kind"),
        ({"kind": ""}, "kind"),
        ({"kind": "a" * 41}, "kind"),
        ({"at": "2027-06-02T10:14"}, "at"),
        ({"at": "soon"}, "at"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_what_makes_no_sense_is_named(
    hub: httpx.AsyncClient, body: dict[str, Any], field: str
):
    status, refused = await marked(hub, await reserved(hub), **body)
    assert status == 422
    assert [one["field"] for one in refused["errors"]] == [field]


async def test_there_is_an_end_to_the_kinds_of_one_reservation(hub: httpx.AsyncClient):
    one = await reserved(hub)
    for number in range(REMINDER_KINDS_MAX):
        assert (await marked(hub, one, kind=f"kind_{number}"))[0] == 201
    assert (await marked(hub, one, kind="one_more"))[0] == 422
    earlier = {"kind": "kind_0", "at": one["made_at"][:16]}
    assert (await marked(hub, one, **earlier))[0] == 409


async def test_nothing_was_sent_before_the_reservation_was_made(
    fleet: Fleet, hub: httpx.AsyncClient
):
    one = await reserved(hub)
    made = one["made_at"][:16]
    for at in ("1969-12-31T00:00", "2027-06-01T10:00"):
        status, refused = await marked(hub, one, at=at)
        assert (status, refused["errors"][0]["field"]) == (422, "at")
        assert one["code"] in refused["detail"]
    # To the minute, as people write it down.
    assert (await marked(hub, one, at=made))[0] == 201
