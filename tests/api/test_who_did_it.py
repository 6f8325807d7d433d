"""Who did what: entries name staff, applications and guests by pseudonyms; names stay at home."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from holdfast.api.auth import STAFF_HEADER
from holdfast.model.pseudonyms import agent_id, is_agent_id
from holdfast.node import actors
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from tests.api.conftest import bearer, calling, token_for
from tests.kit import DAY, TRATTORIA, Fleet

pytestmark = pytest.mark.anyio

PIN = "4711"
STAFF = ("Anna Rossi", "Bëla")
"""Who logs in at both desks, which never tell each other so."""
GUEST = agent_id(b"k" * 32, "a guest")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that cost next to nothing: what they cost is tested by itself."""
    monkeypatch.setattr("holdfast.node.pins._LOG_N", 1)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    divided = copy.deepcopy(TRATTORIA) | {
        "allotments": [
            {"holder": "desk", "resources": ["T1"]},
            {"holder": "bar", "resources": ["T2"]},
        ]
    }
    with Fleet(tmp_path, divided) as made:
        made.join("desk")
        made.join("bar")
        made.sync_all()
        yield made


@asynccontextmanager
async def with_staff(node: Hub | Node, *names: str) -> AsyncGenerator[httpx.AsyncClient, None]:
    """A device with these logins, called with its own token."""
    async with calling(node) as client:
        for name in names:
            added = await client.post("/staff", json={"name": name, "role": "staff", "pin": PIN})
            assert added.status_code == 201, added.text
        yield client


@pytest.fixture
async def desk(fleet: Fleet) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with with_staff(fleet.nodes["desk"], *STAFF) as client:
        yield client


async def logged_in(client: httpx.AsyncClient, name: str) -> httpx.AsyncClient:
    """A page at which somebody has logged in."""
    page = httpx.AsyncClient(transport=client._transport, base_url=client.base_url)
    answer = await page.post("/session", json={"staff": name, "pin": PIN})
    assert answer.status_code == 200, answer.text
    page.headers["X-CSRF-Token"] = answer.json()["csrf"]
    return page


async def reserved(client: httpx.AsyncClient, table: str, **changes: Any) -> dict[str, Any]:
    body = {
        "venue": "trattoria", "starts_at": f"{DAY}T19:30", "party_size": 2, "resources": [table],
    }  # fmt: skip
    answer = await client.post("/reservations", json=body | changes)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def told(client: httpx.AsyncClient, reservation: str) -> list[tuple[str, str | None]]:
    """Of each change of a reservation its kind, and the name of whoever did it."""
    answer = await client.get("/audit", params={"reservation": reservation})
    assert answer.status_code == 200, answer.text
    return [(one["kind"], one["by_name"]) for one in answer.json()["items"]]


async def test_two_staff_at_two_offline_desks_are_named_at_both_after_the_merge(fleet: Fleet):
    async with (
        with_staff(fleet.nodes["desk"], *STAFF) as desk,
        with_staff(fleet.nodes["bar"], *STAFF) as bar,
        calling(fleet.the_hub) as hub,
    ):
        by_anna = await reserved(await logged_in(desk, "anna rossi"), "T1")
        by_bela = await reserved(await logged_in(bar, "Bëla"), "T2")
        done = await (await logged_in(bar, "Anna Rossi")).post(
            f"/reservations/{by_bela['id']}/cancel", json={"reason": "guest_request"}
        )
        assert done.status_code == 200, done.text
        fleet.sync_all()
        fleet.sync_all()
        for client in (desk, bar):
            assert await told(client, by_anna["code"]) == [("reservation.created", "Anna Rossi")]
            assert await told(client, by_bela["code"]) == [
                ("reservation.created", "Bëla"),
                ("reservation.cancelled", "Anna Rossi"),
            ]
        # The hub has nobody's login, and knows that two of the three are of one person.
        assert {name for _, name in await told(hub, by_bela["code"])} == {None}
        rows = [
            *(await hub.get("/audit", params={"reservation": by_anna["code"]})).json()["items"],
            *(await hub.get("/audit", params={"reservation": by_bela["code"]})).json()["items"],
        ]
        by = [one["by"] for one in rows]
        assert by[0] == by[2] != by[1]
        assert all(is_agent_id(one) for one in by)


async def test_what_the_device_does_by_itself_is_nobodys_act(fleet: Fleet, desk: httpx.AsyncClient):
    anna = await logged_in(desk, "Anna Rossi")
    made = await reserved(anna, "T3")
    assert made["status"] == "commit_pending"
    fleet.sync_all()
    fleet.sync_all()
    assert await told(desk, made["code"]) == [
        ("reservation.created", "Anna Rossi"), ("claim.decided", None)
    ]  # fmt: skip
    items = (await desk.get("/audit", params={"limit": 500})).json()["items"]
    papers = [one for one in items if one["kind"].startswith(("chain.", "codes.", "right."))]
    assert papers
    assert {one["by"] for one in papers} == {None}


async def test_an_allotment_that_somebody_grants_returns_or_revokes_names_them(fleet: Fleet):
    anna, bela = ({STAFF_HEADER: quote(name)} for name in STAFF)
    async with (
        with_staff(fleet.nodes["desk"], *STAFF) as desk,
        with_staff(fleet.the_hub, *STAFF) as hub,
    ):
        body = {"venue": "trattoria", "holder": "desk", "resources": ["T3"]}
        (given,) = (await hub.post("/allotments", json=body, headers=anna)).json()["items"]
        fleet.sync_all()
        returned = await desk.post(f"/allotments/{given['id']}/return", json={}, headers=bela)
        assert returned.status_code == 200, returned.text
        held = {one["holder"]: one["id"] for one in (await hub.get("/allotments")).json()["items"]}
        revoked = await hub.post(
            f"/allotments/{held['bar']}/revoke", json={"reason": "lost"}, headers=bela
        )
        assert revoked.status_code == 200, revoked.text
        fleet.sync_all()
        said = {**body, "holder": "bar", "resources": None, "again": True}
        assert (await hub.post("/allotments", json=said, headers=anna)).status_code == 201
        items = (await hub.get("/audit", params={"limit": 500})).json()["items"]
    told_of = [(one["kind"], one["by_name"]) for one in items if one["kind"].startswith("right.")]
    assert told_of[-4:] == [
        ("right.granted", "Anna Rossi"), ("right.revoked", "Bëla"), ("right.returned", "Bëla"),
        ("right.granted", "Anna Rossi"),
    ]  # fmt: skip
    assert {name for _, name in told_of[:-4]} == {None}, "wishes of the venue file are nobody's"


async def test_check_in_and_completion_say_who_to_staff_and_to_nobody_else(
    fleet: Fleet, desk: httpx.AsyncClient
):
    made = await reserved(desk, "T1", agent_id=GUEST)
    path = f"/reservations/{made['id']}"
    anna, bela = await logged_in(desk, "Anna Rossi"), await logged_in(desk, "Bëla")
    checked_in = (await anna.post(f"{path}/check-in", json={})).json()
    assert checked_in["checked_in_by"]["name"] == "Anna Rossi"
    assert is_agent_id(checked_in["checked_in_by"]["agent_id"])
    assert checked_in["completed_by"] is None
    done = (await bela.post(f"{path}/complete", json={})).json()
    assert (done["checked_in_by"]["name"], done["completed_by"]["name"]) == STAFF
    looking = bearer(await token_for(desk, "read-only"))
    assert (await desk.get(path, headers=looking)).json()["completed_by"]["name"] == "Bëla"
    guest = bearer(await token_for(desk, "guest", GUEST))
    kiosk = bearer(await token_for(desk, "kiosk"))
    for headers in (guest, kiosk):
        shown = await desk.get(path, headers=headers)
        assert shown.status_code == 200, shown.text
        assert not {"checked_in_by", "completed_by"} & set(shown.json())
        assert "Anna" not in shown.text
        assert (await desk.get("/audit", headers=headers)).status_code == 403


async def test_a_guest_who_cancels_is_named_by_their_own_agent_id(
    fleet: Fleet, desk: httpx.AsyncClient
):
    made = await reserved(desk, "T1", agent_id=GUEST)
    guest = bearer(await token_for(desk, "guest", GUEST))
    path = f"/reservations/{made['id']}/cancel"
    done = await desk.post(path, json={"reason": "guest_request"}, headers=guest)
    assert done.status_code == 200, done.text
    items = (await desk.get("/audit", params={"reservation": made["id"]})).json()["items"]
    assert [(one["kind"], one["by"], one["by_name"]) for one in items[:2]] == [
        ("reservation.created", None, None),
        ("reservation.cancelled", GUEST, None),
    ]


async def test_an_application_is_named_by_its_token_and_is_no_login_of_that_name(
    fleet: Fleet, desk: httpx.AsyncClient
):
    named = {"name": "till-1", "role": "kiosk"}
    token = (await desk.post("/tokens", json=named)).json()["token"]
    made = await reserved(desk, "T1")
    again = await desk.post(f"/reservations/{made['id']}/check-in", json={}, headers=bearer(token))
    assert again.status_code == 200, again.text
    assert (await told(desk, made["code"]))[-1] == ("reservation.checked_in", "till-1")
    node = fleet.nodes["desk"]
    assert actors.of_application(node, "till-1") != actors.of_staff(node, "till-1")
    revoked = await desk.delete("/tokens/till-1")
    assert revoked.status_code in (200, 204), revoked.text
    assert (await told(desk, made["code"]))[-1] == ("reservation.checked_in", "till-1")


async def test_who_is_gone_stays_one_person_without_a_name(fleet: Fleet, desk: httpx.AsyncClient):
    made = await reserved(await logged_in(desk, "Anna Rossi"), "T1")
    assert (await desk.delete(f"/staff/{quote('Anna Rossi')}")).status_code == 200
    (item,) = (await desk.get("/audit", params={"reservation": made["id"]})).json()["items"]
    assert item["by"] == actors.of_staff(fleet.nodes["desk"], "anna rossi")
    assert item["by_name"] is None


async def test_a_block_says_who_made_it_to_who_may_know(fleet: Fleet, desk: httpx.AsyncClient):
    body = {
        "venue": "trattoria", "kind": "maintenance", "resources": ["T1"], "reason": "repair",
        "starts_at": f"{DAY}T18:00", "ends_at": f"{DAY}T23:00",
    }  # fmt: skip
    made = await desk.post("/blocks", json=body, headers={STAFF_HEADER: quote("Bëla")})
    assert made.status_code == 201, made.text
    assert made.json()["created_by"]["name"] == "Bëla"
    kiosk = bearer(await token_for(desk, "kiosk"))
    for path in ("/blocks", f"/blocks/{made.json()['id']}"):
        assert "Bëla" in (await desk.get(path)).text
        assert "created_by" not in (await desk.get(path, headers=kiosk)).text


async def test_flags_and_notes_say_who_of_the_house_set_them_and_an_export_does_not(
    fleet: Fleet, desk: httpx.AsyncClient
):
    anna = await logged_in(desk, "Anna Rossi")
    await reserved(anna, "T1", agent_id=GUEST, guest={"name": "Carla Verdi"})
    flags = (await anna.put(f"/guests/{GUEST}/flags/vip", json={"up": True})).json()
    assert flags["vip"]["set_by"]["name"] == "Anna Rossi"
    assert flags["issue"]["set_by"] is None
    assert (await anna.get(f"/guests/{GUEST}/flags")).json() == flags
    said = {"kind": "general", "text": "likes the window"}
    note = (await anna.post(f"/guests/{GUEST}/notes", json=said)).json()
    assert (note["written_by"]["name"], note["withdrawn_by"]) == ("Anna Rossi", None)
    bela = await logged_in(desk, "Bëla")
    gone = (await bela.post(f"/guests/{GUEST}/notes/{note['id']}/withdraw", json={})).json()
    assert (gone["written_by"]["name"], gone["withdrawn_by"]["name"]) == STAFF
    exported = await desk.get(f"/guests/{GUEST}/export")
    assert exported.status_code == 200, exported.text
    assert not {"set_by", "written_by", "withdrawn_by", "by_name"} & set(exported.text.split('"'))
    assert flags["vip"]["set_by"]["agent_id"] not in exported.text
    items = (await desk.get("/audit", params={"limit": 500})).json()["items"]
    by_kind = {one["kind"]: one["by_name"] for one in items}
    assert by_kind["guest.flagged"] == by_kind["guest.noted"] == "Anna Rossi"
    assert by_kind["guest.note_withdrawn"] == "Bëla"


async def test_only_the_directorys_own_token_says_for_whom_it_acts(
    fleet: Fleet, desk: httpx.AsyncClient
):
    made = await reserved(desk, "T1")
    path = f"/reservations/{made['id']}/check-in"
    staff = bearer(await token_for(desk, "staff"))
    refused = await desk.post(path, json={}, headers=staff | {STAFF_HEADER: "Anna%20Rossi"})
    assert refused.status_code == 403
    ticket = (await desk.post("/tickets", json={"page": "kiosk"})).json()["ticket"]
    page = httpx.AsyncClient(transport=desk._transport, base_url=desk.base_url)
    kiosk = {"X-CSRF-Token": (await page.post("/session", json={"ticket": ticket})).json()["csrf"]}
    for name in ("Anna%20Rossi", "Nobody"):
        refused = await page.post(path, json={}, headers=kiosk | {STAFF_HEADER: name})
        assert refused.status_code == 403
    unknown = await desk.post(path, json={}, headers={STAFF_HEADER: "Nobody"})
    assert unknown.status_code == 422
    assert "staff list" in unknown.json()["detail"]
    assert await told(desk, made["code"]) == [("reservation.created", None)]
    # Whoever looks after logins may name one that is still to come.
    named = {STAFF_HEADER: "Carla"}
    added = {"name": "Carla", "role": "staff", "pin": PIN}
    assert (await desk.post("/staff", json=added, headers=named)).status_code == 201
    done = await desk.post(path, json={}, headers=named)
    assert done.json()["checked_in_by"]["name"] == "Carla"
    # The next request of the same connection names nobody.
    await desk.post(f"/reservations/{made['id']}/complete", json={})
    assert (await told(desk, made["code"]))[1:3] == [
        ("reservation.checked_in", "Carla"), ("reservation.completed", None)
    ]  # fmt: skip


async def test_a_job_that_somebody_starts_is_the_devices_own_act(
    fleet: Fleet, desk: httpx.AsyncClient
):
    anna = {STAFF_HEADER: "Anna%20Rossi"}
    held = {
        "venue": "trattoria", "starts_at": f"{DAY}T19:30", "party_size": 2, "resources": ["T1"],
    }  # fmt: skip
    hold = await desk.post("/holds", json=held, headers=anna)
    assert hold.status_code == 201, hold.text
    fleet.clocks.advance(seconds=3_600)
    ran = await desk.post("/jobs/lapse/run", json={}, headers=anna)
    assert ran.status_code == 200, ran.text
    found = await told(desk, hold.json()["code"])
    assert found[0] == ("reservation.created", "Anna Rossi")
    assert ("reservation.expired", None) in found


async def test_a_name_is_in_no_journal(fleet: Fleet, desk: httpx.AsyncClient):
    await reserved(await logged_in(desk, "Bëla"), "T1")
    journal = fleet.nodes["desk"].store.journal
    data = b"".join(row.entry for row in journal.walk())
    assert actors.of_staff(fleet.nodes["desk"], "bëla").encode() in data
    assert "Bëla".encode() not in data
    assert "bëla".encode() not in data
