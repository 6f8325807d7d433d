"""Restrictions over HTTP: made, kept to, told to whom they may be told, and lifted."""

from __future__ import annotations

import datetime
from typing import Any

import httpx
import pytest

from holdfast.api.permissions import ROLES
from holdfast.model.pseudonyms import agent_id
from holdfast.model.restrictions import DISCREET
from holdfast.node.hub import Hub
from tests.api.conftest import DAY, bearer, booking, token_for, venue_document

pytestmark = pytest.mark.anyio

ANNA, BRUNO = agent_id(b"k" * 32, "anna"), agent_id(b"k" * 32, "bruno")
TOLD = ("admin", "supervisor", "staff")
SCREENS = ("kiosk", "guest")
NEXT = (datetime.date.fromisoformat(DAY) + datetime.timedelta(days=1)).isoformat()


@pytest.fixture
def trattoria() -> dict[str, Any]:
    return venue_document(allotments=[])


async def restrict(client: httpx.AsyncClient, **changes: object) -> dict[str, Any]:
    agent = changes.pop("agent", ANNA)
    body = {"restriction": "booking-ban", "reason": "no_shows"} | changes
    answer = await client.post(f"/guests/{agent}/restrictions", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_restriction_is_made_listed_and_lifted(client: httpx.AsyncClient):
    made = await restrict(client, until=f"{DAY}T12:00")
    assert made["until"].startswith(f"{DAY}T12:00:00+0")
    shown = {"agent_id": ANNA, "venue": "trattoria", "restriction": "booking-ban", "value": None,
             "reason": "no_shows", "state": "in_force", "by": "hub", "lifted": None}  # fmt: skip
    assert {name: made[name] for name in shown} == shown
    limit = await restrict(client, restriction="max-concurrent", value=2)
    other = await restrict(client, agent=BRUNO)
    path = f"/guests/{ANNA}/restrictions"
    assert (await client.get(path)).json() == {"items": [made, limit], "next": None}
    first = (await client.get("/restrictions?limit=2")).json()
    assert first["items"] == [made, limit]
    rest = (await client.get(f"/restrictions?cursor={first['next']}")).json()
    assert rest == {"items": [other], "next": None}

    answer = await client.post(f"{path}/{made['id']}/lift", json={"reason": "paid"})
    lifted = answer.json()
    assert (answer.status_code, lifted["state"]) == (200, "lifted")
    assert (lifted["lifted"]["reason"], lifted["lifted"]["by"]) == ("paid", "hub")
    for query, found in (
        (f"agent_id={ANNA}", [lifted, limit]),
        ("state=in_force", [limit, other]),
        (f"state=lifted&agent_id={ANNA}", [lifted]),
        ("state=expired", []),
    ):
        assert (await client.get(f"/restrictions?{query}")).json()["items"] == found


async def test_what_another_system_knows_of_a_person_comes_back_and_binds_a_new_reservation(
    hub: Hub, client: httpx.AsyncClient
):
    """V-01: the foreign id as the agent id, tags and tier, and each of the limits by itself."""
    hub.import_venue(venue_document(venue="bistro", name="Bistro", allotments=[]))
    crm = "hubspot-4711"
    first = await client.post("/reservations", json=booking(user_id=crm))
    agent = first.json()["agent_id"]
    assert crm not in first.text
    known = {"tier": "gold", "tags": ["certified", "member"]}
    put = await client.put(f"/guests/{agent}/profile", json={"venue": "trattoria", **known})
    assert put.status_code == 200, put.text
    shown = (await client.get(f"/guests/{agent}/profile?venue=trattoria")).json()
    assert {name: shown[name] for name in known} == known

    async def asked(venue: str = "trattoria", at: str = f"{DAY}T21:00") -> tuple[int, list[str]]:
        body = booking(user_id=crm, venue=venue, starts_at=at)
        answer = await client.post("/reservations", json=body)
        return answer.status_code, [one["rule"] for one in answer.json().get("violations", [])]

    later = (datetime.date.fromisoformat(DAY) + datetime.timedelta(days=60)).isoformat()
    for limit, value, at, refused in (
        ("max-concurrent", 1, f"{DAY}T21:00", (409, ["concurrent"])),
        ("max-advance-days", 30, f"{later}T19:30", (409, ["advance"])),
        ("booking-ban", None, f"{DAY}T21:00", (403, [])),
    ):
        body = {"venue": "trattoria", "restriction": limit, "reason": "no_shows"}
        made = await restrict(client, agent=agent, **(body | ({"value": value} if value else {})))
        assert await asked(at=at) == refused, limit
        lift = await client.post(
            f"/guests/{agent}/restrictions/{made['id']}/lift", json={"reason": "paid"}
        )
        assert lift.status_code == 200, lift.text
    await restrict(client, agent=agent, venue="trattoria")
    assert await asked() == (403, [])
    assert await asked("bistro") == (201, [])


@pytest.mark.parametrize("role", [role for role in ROLES if role != "read-only"])
async def test_staff_is_told_why_a_guest_may_not_reserve_and_a_screen_is_not(
    client: httpx.AsyncClient, role: str
):
    """V-47, H-25: whoever asks gets 403; the reason, the end and the way out are for the house."""
    token = bearer(await token_for(client, role, ANNA if role == "guest" else None))
    had = (await client.post("/reservations", json=booking(agent_id=ANNA), headers=token)).json()
    ban = await restrict(client, until=f"{NEXT}T00:00")
    asked = [("POST", "/reservations", booking(agent_id=ANNA, starts_at=f"{DAY}T21:00"))]
    if role != "kiosk":
        asked.append(("PATCH", f"/reservations/{had['id']}", {"starts_at": f"{DAY}T21:00"}))
    for method, path, body in asked:
        answer = await client.request(method, path, json=body, headers=token)
        told = answer.json()
        assert (answer.status_code, told["type"]) == (403, "urn:holdfast:error:forbidden")
        more = {name: told[name] for name in ("reason", "restriction", "until") if name in told}
        if role in TOLD:
            assert more == {"reason": "no_shows", "restriction": ban["id"], "until": ban["until"]}
            for part in ("no shows", ban["until"], "supervisor", f"guests lift {ban['id']}"):
                assert part in told["detail"]
        else:
            assert role in SCREENS
            assert (told["detail"], more) == (DISCREET, {})
    # What they have is theirs to cancel.
    cancelled = await client.post(f"/reservations/{had['id']}/cancel", json={}, headers=token)
    assert cancelled.json()["status"] == "cancelled"


@pytest.mark.parametrize("role", [*TOLD, *SCREENS])
async def test_the_third_at_a_time_and_a_day_too_far_are_refused_by_rule(
    client: httpx.AsyncClient, role: str
):
    """V-01: and a screen shows no number."""
    token = bearer(await token_for(client, role, ANNA if role == "guest" else None))
    await restrict(client, restriction="max-concurrent", value=2)
    await restrict(client, restriction="max-advance-days", value=3)
    for time in ("12:00", "14:00"):
        wanted = booking(agent_id=ANNA, starts_at=f"{DAY}T{time}")
        assert (await client.post("/reservations", json=wanted, headers=token)).status_code == 201
    wanted = booking(agent_id=ANNA, starts_at=f"{NEXT}T12:00")
    answer = await client.post("/reservations", json=wanted, headers=token)
    told = answer.json()
    assert (answer.status_code, told["type"]) == (409, "urn:holdfast:error:rule-violated")
    rules = ["person"] if role == "kiosk" else ["concurrent", "advance"]
    assert [one["rule"] for one in told["violations"]] == rules
    if role in TOLD:
        assert "2 at a time" in told["detail"]
        assert "3 days ahead" in told["detail"]
    else:
        assert told["detail"] == DISCREET
        assert {one["message"] for one in told["violations"]} == {DISCREET}


async def test_a_token_that_may_not_read_restrictions_is_told_nothing_of_them(
    client: httpx.AsyncClient,
):
    await restrict(client)
    body = {"name": "till", "role": "staff", "permissions": ["reservations.create"]}
    narrow = bearer((await client.post("/tokens", json=body)).json()["token"])
    answer = await client.post("/reservations", json=booking(agent_id=ANNA), headers=narrow)
    assert (answer.status_code, answer.json()["detail"]) == (403, DISCREET)


async def test_who_walks_in_without_a_name_is_taken(client: httpx.AsyncClient):
    await restrict(client)
    answer = await client.post("/reservations", json=booking(kind="walk_in"))
    assert answer.status_code == 201
    walk_in = booking(kind="walk_in", agent_id=ANNA)
    assert (await client.post("/reservations", json=walk_in)).status_code == 403


async def test_under_a_key_it_is_made_and_lifted_once(client: httpx.AsyncClient, hub: Hub):
    body = {"restriction": "booking-ban", "reason": "no_shows"}
    path, key = f"/guests/{ANNA}/restrictions", {"Idempotency-Key": "ban-1"}
    first = await client.post(path, json=body, headers=key)
    again = await client.post(path, json=body, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len((await client.get(path)).json()["items"]) == 1
    reused = await client.post(path, json=body | {"reason": "unpaid"}, headers=key)
    assert reused.status_code == 409
    lift, key = f"{path}/{first.json()['id']}/lift", {"Idempotency-Key": "lift-1"}
    done = [await client.post(lift, json={"reason": "paid"}, headers=key) for _ in range(2)]
    assert done[0].json() == done[1].json()
    kinds = [one["kind"] for one in (await client.get("/audit?limit=500")).json()["items"]]
    assert kinds.count("guest.restricted") == 1
    assert kinds.count("guest.restriction_lifted") == 1


async def test_a_profile_comes_back_as_it_was_put(client: httpx.AsyncClient):
    """V-01: tier and tags; the newest is the whole of it."""
    path = f"/guests/{ANNA}/profile"
    nothing: dict[str, Any] = {"tier": None, "tags": [], "by": None, "set_at": None}
    nothing |= {"agent_id": ANNA, "venue": "trattoria"}
    assert (await client.get(path)).json() == nothing
    put = await client.put(path, json={"tier": "gold", "tags": ["member", "Regular"]})
    shown = put.json()
    assert (put.status_code, shown["tier"], shown["by"]) == (200, "gold", "hub")
    assert shown["tags"] == ["member", "regular"]
    assert (await client.get(f"{path}?venue=trattoria")).json() == shown
    assert (await client.put(path, json={"tags": ["trained"]})).json()["tier"] is None
    assert (await client.put(path, json={})).json()["tags"] == []


REFUSED = [
    # method, path, body, status, in the detail
    ("POST", f"/guests/{ANNA}/restrictions", {"reason": "no_shows"}, 422, "restriction"),
    ("POST", f"/guests/{ANNA}/restrictions", {"restriction": "x", "reason": "other"}, 422, "must"),
    ("POST", "/guests/anna/restrictions", {"restriction": "booking-ban", "reason": "other"}, 422,
     "agent_ and 32 characters"),
    ("POST", f"/guests/{ANNA}/restrictions",
     {"restriction": "booking-ban", "reason": "other", "venue": "nowhere"}, 404, "no venue"),
    ("POST", f"/guests/{ANNA}/restrictions",
     {"restriction": "booking-ban", "reason": "other", "until": "2020-01-01"}, 422, "is over"),
    ("POST", f"/guests/{ANNA}/restrictions/{'0' * 32}/lift", {"reason": "paid"}, 404, "known here"),
    ("GET", "/restrictions?state=gone", None, 422, "in_force"),
    ("GET", "/restrictions?agent_id=anna", None, 422, "agent_ and 32 characters"),
    ("GET", "/guests/anna/restrictions", None, 422, "agent_ and 32 characters"),
    ("GET", "/guests/anna/profile", None, 422, "agent_ and 32 characters"),
    ("PUT", f"/guests/{ANNA}/profile", {"tier": "Ann's"}, 422, "must be one of"),
    ("PUT", f"/guests/{ANNA}/profile", {"tags": ["Ann's"]}, 422, "tags[0]"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status", "told"), REFUSED)
async def test_what_cannot_be_done_is_said(
    client: httpx.AsyncClient, method: str, path: str, body: Any, status: int, told: str
):
    answer = await client.request(method, path, json=body)
    assert (answer.status_code, told in answer.json()["detail"]) == (status, True), answer.text
    assert "Ann's" not in answer.json()["detail"]


async def test_where_there_are_several_venues_one_is_named(client: httpx.AsyncClient, hub: Hub):
    hub.import_venue(venue_document(venue="bistro", name="Bistro", allotments=[]))
    body = {"restriction": "booking-ban", "reason": "no_shows"}
    answer = await client.post(f"/guests/{ANNA}/restrictions", json=body)
    assert (answer.status_code, "bistro, trattoria" in answer.text) == (422, True)
    # Whoever is of one venue means that one, and sees no other.
    await restrict(client, venue="bistro")
    made = await client.post("/tokens", json={"name": "t", "role": "supervisor",
                                              "venues": ["trattoria"]})  # fmt: skip
    own = bearer(made.json()["token"])
    answer = await client.post(f"/guests/{ANNA}/restrictions", json=body, headers=own)
    assert answer.json()["venue"] == "trattoria"
    listed = (await client.get("/restrictions", headers=own)).json()["items"]
    assert [one["venue"] for one in listed] == ["trattoria"]
    answer = await client.put(
        f"/guests/{ANNA}/profile", json={"venue": "bistro", "tier": "gold"}, headers=own
    )
    assert answer.status_code == 403
