"""Reservations over HTTP, as the contract says, on a hub that sells its own capacity."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from holdfast.node.hub import Hub
from tests.api.conftest import DAY, booking, venue_document

pytestmark = pytest.mark.anyio

FIELDS = {
    "id", "code", "venue", "service_date", "starts_at", "ends_at", "party_size", "resources",
    "claims", "status", "assurance", "pending_change", "kind", "source", "agent_id", "stamp",
    "made_by", "sync", "decision", "metadata",
}  # fmt: skip


async def test_a_reservation_has_every_field_of_the_contract(client: httpx.AsyncClient):
    metadata = {"crm.contact": "crm:4711"}
    answer = await client.post("/reservations", json=booking(metadata=metadata))
    made = answer.json()
    assert answer.status_code == 201
    assert set(made) >= FIELDS
    assert "guest" not in made
    assert answer.headers["location"] == f"/api/v1/reservations/{made['id']}"
    assert re.fullmatch(r'"[0-9a-f]{16}"', answer.headers["etag"])
    assert re.fullmatch(r"[0-9a-f-]{36}", made["id"])
    assert re.fullmatch(r"RES-\d{4}-[0-9A-HJKMNP-TV-Z]{6}", made["code"])
    assert re.fullmatch(r"[0-9a-f]{12}-[0-9a-f]{4}-[0-9a-f]{32}", made["stamp"])
    offset = made["starts_at"][-6:]
    assert offset in ("+01:00", "+02:00")
    assert made["starts_at"] == f"{DAY}T19:30:00{offset}"
    assert made["ends_at"] == f"{DAY}T21:00:00{offset}"
    assert made["claims"] == [
        {
            "resource": "T1",
            "quantity": 1,
            "starts_at": made["starts_at"],
            "ends_at": made["ends_at"],
            "holder": "hub",
        }
    ]
    picked = {name: made[name] for name in ("status", "assurance", "sync", "made_by", "metadata")}
    assert picked == {
        "status": "confirmed", "assurance": "guaranteed", "sync": "merged", "made_by": "hub",
        "metadata": metadata,
    }  # fmt: skip
    assert made["decision"] is made["pending_change"] is None
    for reference in (made["id"], made["code"], made["code"].lower()):
        assert (await client.get(f"/reservations/{reference}")).json() == made


async def test_what_is_taken_is_refused_with_other_times(client: httpx.AsyncClient):
    for _ in range(2):
        assert (await client.post("/reservations", json=booking())).status_code == 201
    answer = await client.post("/reservations", json=booking())
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (409, "urn:holdfast:error:not-available")
    assert problem["alternatives"][0]["starts_at"].startswith(DAY)
    assert "waitlist_available" in problem


async def test_a_day_that_is_full_is_refused_with_days_nearby_and_what_is_offered_can_be_had(
    client: httpx.AsyncClient,
):
    for hour in range(0, 24, 3):
        for table in ("T1", "T2"):
            body = booking(starts_at=f"{DAY}T{hour:02}:00", resources=[table], duration_minutes=180)
            assert (await client.post("/reservations", json=body)).status_code == 201
    answer = await client.post("/reservations", json=booking())
    problem = answer.json()
    assert (answer.status_code, problem["reason"]) == (409, "full")
    assert problem["waitlist_available"] is True
    days = {slot["starts_at"][:10] for slot in problem["alternatives"]}
    assert DAY not in days and len(days) == 2
    for slot in problem["alternatives"]:
        taken = await client.post("/reservations", json=booking(starts_at=slot["starts_at"]))
        assert taken.status_code == 201, taken.text


async def test_metadata_that_cannot_be_written_is_answered_as_invalid(client: httpx.AsyncClient):
    nested: object = 1
    for _ in range(900):
        nested = {"a": nested}
    for value in (nested, 2**70):
        answer = await client.post("/reservations", json=booking(metadata={"crm.x": value}))
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:holdfast:error:invalid")


async def test_what_somebody_put_into_a_card_beside_texts_breaks_no_answer(
    hub, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    """A card is sealed: nobody can look into it before it is opened at a desk."""
    opened = {"name": "Ann", "phone": 5, "email": None, "dietary": ["nuts"], "colour": "red"}
    monkeypatch.setattr(hub.reservations, "guest", lambda view, own=False: opened)
    made = (await client.post("/reservations", json=booking())).json()
    assert made["guest"] == {"name": "Ann"}


async def test_a_change_needs_the_version_that_it_was_made_to(client: httpx.AsyncClient):
    answer = await client.post("/reservations", json=booking())
    path, tag = f"/reservations/{answer.json()['id']}", answer.headers["etag"]
    changed = await client.patch(path, json={"party_size": 3}, headers={"If-Match": tag})
    assert (changed.status_code, changed.json()["party_size"]) == (200, 3)
    assert changed.headers["etag"] != tag
    stale = await client.patch(path, json={"party_size": 4}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["type"]) == (412, "urn:holdfast:error:stale")
    assert (await client.patch(path, json={"party_size": 4}, headers={"If-Match": "*"})).is_success


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        # what is done in turn, and how it stands then
        ([("check-in", {"actual_party_size": 3}), ("complete", {})], "completed"),
        ([("confirm", {}), ("check-in", None)], "checked_in"),
        ([("cancel", {"reason": "weather", "by": "guest"})], "cancelled"),
    ],
)
async def test_a_reservation_is_marked_step_by_step(
    client: httpx.AsyncClient, steps: list[tuple[str, dict | None]], status: str
):
    made = (await client.post("/reservations", json=booking())).json()
    for step, body in steps:
        answer = await client.post(f"/reservations/{made['code']}/{step}", json=body)
        assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == status
    assert (await client.get(f"/reservations/{made['id']}")).json() == answer.json()


async def test_each_step_says_when_it_was_taken(client: httpx.AsyncClient, hub: Hub):
    """Confirmed again, came, left (H-13, H-16); who confirms a second time changes nothing."""
    made = (await client.post("/reservations", json=booking())).json()
    names = ("attendance_confirmed_at", "checked_in_at", "completed_at")
    assert [made[name] for name in names] == [None] * 3
    told: list[list[str | None]] = []
    for step in ("confirm", "confirm", "check-in", "complete"):
        answer = await client.post(f"/reservations/{made['id']}/{step}", json={})
        assert answer.status_code == 200, answer.text
        told.append([answer.json()[name] for name in names])
    assert told[0] == told[1] == [told[3][0], None, None]
    assert told[2] == [*told[3][:2], None]
    assert all(time and time[-6:] == made["starts_at"][-6:] for time in told[3])
    (listed,) = (await client.get("/reservations")).json()["items"]
    assert set(names) & set(listed) == {"checked_in_at"}


async def test_what_is_called_off_says_whether_that_was_in_time(
    client: httpx.AsyncClient, hub: Hub
):
    told = []
    for policies in ({}, {"cancel_cutoff_minutes": 527_040}):
        hub.import_venue(venue_document(policies=policies))
        made = (await client.post("/reservations", json=booking())).json()
        gone = await client.post(f"/reservations/{made['id']}/cancel", json={})
        told.append(gone.json()["cancelled"]["in_time"])
    assert told == [True, False]


async def test_a_step_that_is_not_possible_says_from_where_it_would_be(client: httpx.AsyncClient):
    made = (await client.post("/reservations", json=booking())).json()
    answer = await client.post(f"/reservations/{made['id']}/complete")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:holdfast:error:bad-transition")
    assert "checked in" in answer.json()["detail"]


PLACES = [
    {"id": "W1", "kind": "table", "seats": [1, 4], "area": "Winter Garden"},
    {"id": "B1", "kind": "table", "seats": [1, 4], "area": "Bar", "combines_with": ["B2"]},
    {"id": "B2", "kind": "table", "seats": [1, 4], "area": "Bar"},
    {"id": "S1", "kind": "table", "seats": [1, 4]},
]


async def test_a_list_can_be_of_an_area_and_table_after_table(client: httpx.AsyncClient, hub: Hub):
    """As on the sheet of a service (H-37)."""
    hub.import_venue(venue_document(resources=PLACES, allotments=[]))
    code_by_name = {}
    for name, hour, tables in (
        ("bar late", "21:00", ["B1"]), ("bar early", "12:00", ["B1"]),
        ("both", "19:00", ["B2", "B1"]), ("garden", "20:00", ["W1"]), ("nowhere", "11:00", ["S1"]),
    ):  # fmt: skip
        wanted = booking(starts_at=f"{DAY}T{hour}", resources=tables)
        answer = await client.post("/reservations", json=wanted)
        assert answer.status_code == 201, answer.text
        code_by_name[answer.json()["code"]] = name

    async def listed(**query: Any) -> list[str]:
        found: list[str] = []
        cursor: str | None = None
        while True:
            asked = query | ({"cursor": cursor} if cursor else {})
            page = (await client.get("/reservations", params=asked)).json()
            found += [code_by_name[item["code"]] for item in page["items"]]
            cursor = page["next"]
            if cursor is None:
                return found

    assert await listed(area="Bar", limit=1) == ["bar early", "both", "bar late"]
    # An answer's own word for it is taken too.
    assert await listed(area="winter-garden", status="confirmed") == ["garden"]
    here = {"venue": "trattoria", "date": DAY, "order": "table"}
    by_table = ["garden", "bar early", "both", "bar late", "nowhere"]
    assert await listed(**here) == await listed(**here, limit=2) == by_table
    assert await listed(**here, area="Bar") == by_table[1:4]

    for wrong, said in (
        ({"area": "Cellar"}, "is none of Bar, Winter Garden"),
        ({"area": "-"}, "is none of Bar, Winter Garden"),
        ({"order": "table", "venue": "trattoria"}, "give both"),
        ({"order": "name"}, "starts_at, table"),
    ):
        refused = await client.get("/reservations", params=wrong)
        assert refused.status_code == 422
        assert said in refused.json()["detail"]


async def test_lists_are_sorted_filtered_and_paged(client: httpx.AsyncClient):
    hours = ("20:00", "12:00", "16:00")
    for hour in hours:
        await client.post("/reservations", json=booking(starts_at=f"{DAY}T{hour}"))
    await client.put("/venues/other", json=venue_document(venue="other", name="Other"))
    await client.post("/reservations", json=booking(venue="other", starts_at=f"{DAY}T14:00"))

    async def hours_of(**query: Any) -> list[str]:
        found: list[str] = []
        cursor = None
        while True:
            page = await client.get(
                "/reservations", params=query | ({"cursor": cursor} if cursor else {})
            )
            assert page.status_code == 200, page.text
            found += [item["starts_at"][11:16] for item in page.json()["items"]]
            cursor = page.json()["next"]
            if cursor is None:
                return found

    assert await hours_of(limit=1) == ["12:00", "14:00", "16:00", "20:00"]
    assert await hours_of(venue="trattoria", limit=2) == ["12:00", "16:00", "20:00"]
    assert await hours_of(venue="other") == ["14:00"]
    half_open = {"from": f"{DAY}T12:00", "to": f"{DAY}T20:00"}
    assert await hours_of(venue="trattoria", **half_open) == ["12:00", "16:00"]
    assert await hours_of(date=DAY, status="confirmed", resource="T1") == [
        "12:00", "14:00", "16:00", "20:00",
    ]  # fmt: skip
    assert await hours_of(status="cancelled") == []


async def test_a_list_has_what_its_filters_say_and_nothing_else(client: httpx.AsyncClient):
    """V-31, H-37, H-38: by person, table, day and status, and by all of them at once."""
    made = {}
    for who, table, time in (
        ("anna", "T1", "12:00"), ("anna", "T2", "16:00"), ("bruno", "T2", "12:00"),
        ("bruno", "T1", "20:00"),
    ):  # fmt: skip
        body = booking(user_id=who, resources=[table], starts_at=f"{DAY}T{time}")
        one = (await client.post("/reservations", json=body)).json()
        made[f"{who} {table} {time}"] = one
    gone = made["bruno T1 20:00"]["id"]
    assert (await client.post(f"/reservations/{gone}/cancel", json={})).is_success

    async def found(**query: str) -> set[str]:
        answer = await client.get("/reservations", params=query)
        assert answer.status_code == 200, answer.text
        ids = {item["id"] for item in answer.json()["items"]}
        return {name for name, one in made.items() if one["id"] in ids}

    anna, bruno = (made[name]["agent_id"] for name in ("anna T1 12:00", "bruno T2 12:00"))
    assert await found() == made.keys()
    assert await found(agent_id=anna) == {"anna T1 12:00", "anna T2 16:00"}
    assert await found(resource="T2") == {"anna T2 16:00", "bruno T2 12:00"}
    assert await found(status="cancelled") == {"bruno T1 20:00"}
    until = {"venue": "trattoria", "from": f"{DAY}T12:00", "to": f"{DAY}T16:00"}
    assert await found(**until) == {"anna T1 12:00", "bruno T2 12:00"}
    assert await found(agent_id=bruno, resource="T2", status="confirmed", **until) == {
        "bruno T2 12:00"
    }
    assert await found(agent_id=bruno, resource="T1", status="confirmed") == set()


async def test_availability_names_the_best_choice_and_in_full_what_cannot_be_had(
    client: httpx.AsyncClient,
):
    for _ in range(2):
        await client.post("/reservations", json=booking())
    query: dict[str, Any] = {"venue": "trattoria", "party_size": 2, "date": DAY}
    slots = (await client.get("/availability", params=query)).json()["slots"]
    starts = {slot["starts_at"][11:16]: slot for slot in slots}
    assert "19:30" not in starts
    assert starts["21:00"]["resources"] == ["T1"]
    assert (starts["21:00"]["assurance"], starts["21:00"]["remaining"]) == ("guaranteed", 2)
    full = (await client.get("/availability", params=query | {"include": "full"})).json()["slots"]
    taken = next(slot for slot in full if slot["starts_at"][11:16] == "19:30")
    assert taken["reason"]
