"""What a venue knows of a guest over HTTP: to staff alone, at a device of the house, and sealed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from holdfast.api.permissions import ROLES
from holdfast.model.pseudonyms import agent_id
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from tests.api.conftest import DAY, bearer, booking, calling, token_for, venue_document

pytestmark = pytest.mark.anyio

ANNA, BRUNO = agent_id(b"k" * 32, "anna"), agent_id(b"k" * 32, "bruno")
TOLD = ("admin", "supervisor", "staff")
NUTS = "walnuts: Mara has the pen"


@pytest.fixture
def trattoria() -> dict[str, Any]:
    return venue_document(allotments=[{"holder": "desk", "resources": ["T*"]}])


@pytest.fixture
async def at_desk(desk: Node) -> AsyncGenerator[httpx.AsyncClient]:
    desk.sync()
    async with calling(desk) as client:
        yield client


async def made(client: httpx.AsyncClient, time: str = "19:30", **changes: Any) -> dict[str, Any]:
    asked = booking(**{"agent_id": ANNA, "starts_at": f"{DAY}T{time}", **changes})
    answer = await client.post("/reservations", json=asked)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def visited(client: httpx.AsyncClient, time: str, **changes: Any) -> dict[str, Any]:
    reservation = await made(client, time, **changes)
    await client.post(f"/reservations/{reservation['id']}/check-in", json={})
    answer = await client.post(f"/reservations/{reservation['id']}/complete", json={})
    found: dict[str, Any] = answer.json()
    return found


async def noted(client: httpx.AsyncClient, agent: str = ANNA, **changes: Any) -> dict[str, Any]:
    body = {"kind": "dietary", "text": NUTS, "alert": True} | changes
    answer = await client.post(f"/guests/{agent}/notes", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_visits_are_counted_and_equal_the_list(at_desk: httpx.AsyncClient):
    """H-20, H-38, H-47: in the reservation, in the history, by status and range."""
    first = await visited(at_desk, "12:00")
    second = await visited(at_desk, "15:00", occasion="birthday")
    assert [(one["visitor"]["visits"], one["visitor"]["repeat"]) for one in (first, second)] == [
        (1, False), (2, True)
    ]  # fmt: skip
    gone = await made(at_desk, "18:00")
    await at_desk.post(f"/reservations/{gone['id']}/cancel", json={"reason": "guest_request"})
    await made(at_desk, "18:00", agent_id=BRUNO)
    shown = (await at_desk.get(f"/guests/{ANNA}/history")).json()
    assert (shown["visits"], shown["reservations"], shown["statuses"]) == (
        2, 3, {"completed": 2, "cancelled": 1}
    )  # fmt: skip
    assert shown["occasions"] == [{"name": "birthday", "visits": 1}]
    path = f"/guests/{ANNA}/reservations"
    every = (await at_desk.get(path)).json()["items"]
    assert [one["code"] for one in every] == [first["code"], second["code"], gone["code"]]
    page = (await at_desk.get(path, params={"limit": 2})).json()
    rest = (await at_desk.get(path, params={"limit": 2, "cursor": page["next"]})).json()
    assert page["items"] + rest["items"] == every
    for query, found in (
        ({"status": "completed"}, [first, second]),
        ({"from": f"{DAY}T13:00", "to": f"{DAY}T18:00"}, [second]),
        ({"status": "no_show"}, []),
    ):
        items = (await at_desk.get(path, params=query)).json()["items"]
        assert [one["code"] for one in items] == [one["code"] for one in found]
    assert (await at_desk.get(path, params={"status": "gone"})).status_code == 422
    assert (await at_desk.get(path, params={"cursor": "x"})).status_code == 422


async def test_support_sees_the_booking_and_no_contact(at_desk: httpx.AsyncClient):
    """V-48."""
    path = f"/guests/{ANNA}/context"
    assert (await at_desk.get(path)).json() == {
        "agent_id": ANNA, "venue": "trattoria", "has_booking": False, "booking": None
    }  # fmt: skip
    guest = {"name": "Ann Smith", "email": "ann@example.org", "requests": "by the window"}
    reservation = await made(at_desk, guest=guest)
    answer = await at_desk.get(path)
    booked = answer.json()["booking"]
    assert (booked["code"], booked["party_size"]) == (reservation["code"], 2)
    assert booked["starts_in_minutes"] > 0
    assert not any(text in answer.text for text in guest.values())


@pytest.mark.parametrize("role", [role for role in ROLES if role != "read-only"])
async def test_an_alert_shows_to_staff_when_that_guest_books_and_to_nobody_else(
    at_desk: httpx.AsyncClient, role: str
):
    """H-21, H-27."""
    note = await noted(at_desk)
    await at_desk.put(f"/guests/{ANNA}/flags/vip", json={"up": True})
    token = bearer(await token_for(at_desk, role, ANNA if role == "guest" else None))
    answer = await at_desk.post("/reservations", json=booking(agent_id=ANNA), headers=token)
    assert answer.status_code == 201, answer.text
    again = await at_desk.get(f"/reservations/{answer.json()['id']}", headers=token)
    lists = await at_desk.get("/reservations", headers=token)
    for shown in (answer, again, lists):
        body = shown.json()
        one = body["items"][0] if "items" in body else body
        if role in TOLD:
            assert one["visitor"]["vip"]
            alert = {"note": note["id"], "kind": "dietary", "text": NUTS}
            assert one["visitor"]["alerts"] == [alert]
        else:
            assert "visitor" not in one
            assert NUTS not in shown.text
    if role not in TOLD:
        for path in ("history", "reservations", "context", "flags", "notes", "preferences"):
            assert (await at_desk.get(f"/guests/{ANNA}/{path}", headers=token)).status_code == 403


@pytest.mark.parametrize("role", [role for role in ROLES if role != "read-only"])
async def test_who_has_the_number_of_a_known_guest_is_told_of_to_staff_alone(
    at_desk: httpx.AsyncClient, role: str
):
    """H-20, H-24: another agent id, the same telephone; nobody is merged and nothing refused."""
    await made(at_desk, "12:00", guest={"name": "Anna", "phone": "+39 333 1234567"})
    await noted(at_desk)
    token = bearer(await token_for(at_desk, role, BRUNO if role == "guest" else None))
    body = booking(agent_id=BRUNO, guest={"name": "A.", "phone": "333 123 4567"})
    answer = await at_desk.post("/reservations", json=body, headers=token)
    assert answer.status_code == 201, answer.text
    again = await at_desk.get(f"/reservations/{answer.json()['id']}", headers=token)
    for shown in (answer, again):
        if role in TOLD:
            (known,) = shown.json()["known_as"]
            assert (known["agent_id"], known["by"], known["visits"]) == (ANNA, ["phone"], 0)
            assert [one["text"] for one in known["alerts"]] == [NUTS]
        else:
            assert "known_as" not in shown.json()
            assert ANNA not in shown.text
    waiting = {"venue": "trattoria", "date": DAY, "party_size": 2, "guest": body["guest"]}
    waits = await at_desk.post("/waitlist", json=waiting, headers=token)
    assert waits.status_code == 201, waits.text
    assert {one["agent_id"] for one in waits.json().get("known_as", [])} == (
        {ANNA, BRUNO} if role in TOLD else set()
    )
    if role in TOLD:
        series = body | {"rrule": "FREQ=WEEKLY;COUNT=2", "starts_at": f"{DAY}T22:00"}
        dates = (await at_desk.post("/reservations/series", json=series, headers=token)).json()
        first, second = dates["items"]
        assert first["known_as"] and "known_as" not in second
        await at_desk.post(f"/guests/{BRUNO}/merge", json={"other": ANNA})
        again = await at_desk.get(f"/reservations/{answer.json()['id']}", headers=token)
        assert [one["agent_id"] for one in again.json()["known_as"]] == [waits.json()["agent_id"]]


async def test_a_device_that_reads_no_cards_knows_nobody_by_their_number(hub: Hub, desk: Node):
    """The hub without the venue's key reads no card, so that it knows of nobody either."""
    async with calling(hub) as client:
        answer = await client.post(
            "/reservations", json=booking(guest={"name": "A.", "phone": "333 123 4567"})
        )
        assert answer.status_code == 201, answer.text
        assert "known_as" not in answer.json()


async def test_a_note_is_written_changed_and_withdrawn(at_desk: httpx.AsyncClient):
    headers = {"Idempotency-Key": "once"}
    body = {"kind": "general", "text": "likes the corner"}
    path = f"/guests/{ANNA}/notes"
    first = await at_desk.post(path, json=body, headers=headers)
    again = await at_desk.post(path, json=body, headers=headers)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    note = first.json()
    assert (note["author"], note["by"], note["state"]) == ("admin-token", "desk", "readable")
    changed = await at_desk.patch(f"{path}/{note['id']}", json={"text": "hates the corner"})
    assert (changed.status_code, changed.json()["text"]) == (200, "hates the corner")
    assert (await at_desk.get(path)).json() == {"items": [changed.json()], "next": None}
    gone = await at_desk.post(f"{path}/{note['id']}/withdraw", json={})
    assert gone.json()["withdrawn"]["by"] == "desk"
    assert (await at_desk.get(path)).json()["items"] == []
    listed = (await at_desk.get(path, params={"withdrawn": "true"})).json()["items"]
    assert listed == [gone.json()]
    late = await at_desk.patch(f"{path}/{note['id']}", json={"text": "loves it"})
    assert (late.status_code, late.json()["type"]) == (409, "urn:holdfast:error:conflict")
    for wrong in ({"kind": "gossip", "text": "x"}, {"kind": "general", "text": ""}, {}):
        assert (await at_desk.post(path, json=wrong)).status_code == 422
    assert (await at_desk.patch(f"{path}/{'0' * 32}", json={"text": "x"})).status_code == 404
    other = f"/guests/{BRUNO}/notes/{note['id']}"
    assert (await at_desk.patch(other, json={"text": "x"})).status_code == 404


async def test_who_changes_what_another_changed_meanwhile_is_told(at_desk: httpx.AsyncClient):
    """Two clerks with one note, and one guest's preferences, before them."""
    notes, preferences = f"/guests/{ANNA}/notes", f"/guests/{ANNA}/preferences"

    def seen(answer: httpx.Response) -> dict[str, str]:
        assert answer.is_success, answer.text
        return {"If-Match": answer.headers["etag"]}

    made = await at_desk.post(notes, json={"kind": "general", "text": "likes the corner"})
    path, both_saw = f"{notes}/{made.json()['id']}", seen(made)
    assert both_saw == {"If-Match": f'"{made.json()["version"]}"'}
    first = await at_desk.patch(path, json={"text": "hates the corner"}, headers=both_saw)
    for refused in (
        await at_desk.patch(path, json={"alert": True}, headers=both_saw),
        await at_desk.post(f"{path}/withdraw", json={}, headers=both_saw),
    ):
        assert (refused.status_code, refused.json()["type"]) == (412, "urn:holdfast:error:stale")
    (listed,) = (await at_desk.get(notes)).json()["items"]
    assert (listed["text"], listed["alert"]) == ("hates the corner", False)
    assert listed["version"] == first.json()["version"]
    gone = await at_desk.post(f"{path}/withdraw", json={}, headers=seen(first))
    assert gone.json()["withdrawn"]

    both_saw = seen(await at_desk.get(preferences))
    said = await at_desk.patch(preferences, json={"dietary": NUTS}, headers=both_saw)
    late = await at_desk.patch(preferences, json={"language": "it"}, headers=both_saw)
    assert late.status_code == 412
    assert seen(await at_desk.get(preferences)) == seen(said) != both_saw
    assert (await at_desk.get(preferences)).json()["language"] is None
    again = await at_desk.patch(preferences, json={"language": "it"}, headers=seen(said))
    assert again.json()["language"] == "it"


async def test_preferences_are_said_field_by_field(at_desk: httpx.AsyncClient):
    """H-26: consent with when it was given; null takes away, what is left out stays."""
    path = f"/guests/{ANNA}/preferences"
    said = {"dietary": NUTS, "language": "it", "sms": False, "marketing": True}
    assert (await at_desk.patch(path, json=said)).status_code == 200
    answer = await at_desk.patch(path, json={"dietary": None, "time_zone": "Europe/Rome"})
    shown = answer.json()
    assert {name: shown[name] for name in (*said, "time_zone", "email")} == said | {
        "dietary": None, "time_zone": "Europe/Rome", "email": None
    }  # fmt: skip
    assert {one["field"] for one in shown["said"]} == {"language", "sms", "marketing", "time_zone"}
    assert (await at_desk.get(path)).json() == shown
    wrong = await at_desk.patch(path, json={"sms": "no", "shoe_size": 42})
    assert {one["field"] for one in wrong.json()["errors"]} == {"sms", "shoe_size"}


async def test_two_are_found_merged_and_taken_apart(at_desk: httpx.AsyncClient):
    """H-24."""
    guest = {"name": "Ann Smith", "email": "ann@example.org"}
    await made(at_desk, guest=guest)
    await made(at_desk, agent_id=BRUNO, guest={"name": "Ann", "email": "ANN@EXAMPLE.ORG"})
    (pair,) = (await at_desk.get("/guests/duplicates")).json()["items"]
    assert pair["by"] == ["email"]
    assert {one["agent_id"] for one in pair["guests"]} == {ANNA, BRUNO}
    merged = await at_desk.post(f"/guests/{ANNA}/merge", json={"other": BRUNO})
    assert (merged.status_code, merged.json()["agent_ids"]) == (200, sorted([ANNA, BRUNO]))
    assert (await at_desk.get("/guests/duplicates")).json()["items"] == []
    shown = (await at_desk.get(f"/guests/{BRUNO}")).json()
    assert (len(shown["reservations"]), len(shown["merges"])) == (2, 1)
    assert shown["history"]["reservations"] == 2
    exported = (await at_desk.get(f"/guests/{ANNA}/export")).json()["venues"][0]
    assert {one["agent_id"] for one in exported["cards"]} == {ANNA, BRUNO}
    apart = await at_desk.post(f"/guests/{BRUNO}/unmerge", json={"other": ANNA})
    assert (apart.json()["agent_ids"], apart.json()["merges"]) == ([BRUNO], [])
    for wrong in ({"other": ANNA}, {"other": "ann"}, {}):
        assert (await at_desk.post(f"/guests/{ANNA}/merge", json=wrong)).status_code == 422
    await at_desk.post(f"/guests/{ANNA}/merge", json={"other": BRUNO})
    items = (await at_desk.delete(f"/guests/{ANNA}")).json()["items"]
    assert {one["agent_id"] for one in items} == {ANNA, BRUNO}


async def test_a_toggled_flag_stands_in_the_audit_with_what_it_was(at_desk: httpx.AsyncClient):
    for up in (True, False):
        answer = await at_desk.put(f"/guests/{ANNA}/flags/issue", json={"up": up})
        assert (answer.status_code, answer.json()["issue"]["up"]) == (200, up)
    assert (await at_desk.get(f"/guests/{ANNA}/flags")).json()["vip"]["by"] is None
    told = (await at_desk.get("/audit", params={"limit": 500})).json()["items"]
    flagged = [one for one in told if one["kind"] == "guest.flagged"]
    assert [(one["before"]["issue"], one["after"]["issue"]) for one in flagged] == [
        (False, True), (True, False)
    ]  # fmt: skip
    assert (await at_desk.put(f"/guests/{ANNA}/flags/loud", json={"up": True})).status_code == 422


async def test_a_token_for_another_venue_is_told_nothing(hub: Hub, client: httpx.AsyncClient):
    hub.import_venue(venue_document(venue="bistro", name="Bistro", allotments=[]))
    await client.put(f"/guests/{ANNA}/flags/vip", json={"venue": "trattoria", "up": True})
    body = {"name": "bistro", "role": "staff", "venues": ["bistro"]}
    token = bearer((await client.post("/tokens", json=body)).json()["token"])
    for path in ("history", "reservations", "context", "flags"):
        asked = f"/guests/{ANNA}/{path}"
        there = await client.get(asked, params={"venue": "trattoria"}, headers=token)
        assert there.status_code == 403
        assert (await client.get(asked, headers=token)).json().get("venue") in ("bistro", None)
    flags = (await client.get(f"/guests/{ANNA}/flags", headers=token)).json()
    assert not flags["vip"]["up"]
    said = {"venue": "trattoria", "other": BRUNO}
    answer = await client.post(f"/guests/{ANNA}/merge", json=said, headers=token)
    assert answer.status_code == 403
