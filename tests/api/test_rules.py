"""The rules over HTTP: who is bound by which token, what a refusal carries, and its figures."""

from __future__ import annotations

import datetime
from typing import Any

import httpx
import pytest

from holdfast.model.pseudonyms import agent_id
from holdfast.model.restrictions import DISCREET
from holdfast.node.hub import Hub
from tests.api.conftest import DAY, bearer, booking, calling, token_for, venue_document

pytestmark = pytest.mark.anyio

ANNA = agent_id(b"k" * 32, "anna")
RULED = {
    "advance_days": 14, "min_minutes": 60, "concurrent": 5, "max_reschedules": 1,
    "rates": {"per_hour": 2}, "max_party": 4,
    "tiers": {"gold": {"advance_days": 30}}, "tags": {"vip": {"concurrent": 9}},
}  # fmt: skip


def later(days: int) -> str:
    return (datetime.date.fromisoformat(DAY) + datetime.timedelta(days=days)).isoformat()


CLOSING = {"from": later(2), "to": later(3), "name": "christmas-closing"}
GARDEN = {"from": f"{later(5)}T18:00", "to": f"{later(5)}T23:00", "name": "wedding",
          "resources": ["T2"]}  # fmt: skip


@pytest.fixture
def trattoria() -> dict[str, Any]:
    tables = [{"id": f"T{n}", "kind": "table", "seats": [1, 4]} for n in range(1, 9)]
    return venue_document(
        policies=RULED, resources=tables, allotments=[], blackouts=[CLOSING, GARDEN]
    )


async def test_who_breaks_two_rules_reads_both_and_books_what_is_suggested(
    client: httpx.AsyncClient,
):
    asked = booking(starts_at=f"{later(60)}T19:30", duration_minutes=30)
    answer = await client.post("/reservations", json=asked)
    assert answer.status_code == 409
    told = answer.json()
    assert told["type"] == "urn:holdfast:error:rule-violated"
    assert [one["rule"] for one in told["violations"]] == ["duration", "advance"]
    assert told["suggestions"]
    first, *others = told["suggestions"]
    for slot in (first, *others):
        body = booking(starts_at=slot["starts_at"], ends_at=slot["ends_at"])
        # The next one overlaps the first, which has this table now.
        body |= {"resources": slot["resources"]} if slot is first else {}
        assert (await client.post("/reservations", json=body)).status_code == 201


@pytest.mark.parametrize(
    ("role", "source", "bound"),
    [
        ("guest", None, True),
        ("kiosk", None, True),
        ("staff", None, False),
        ("staff", "corporate", False),
        ("staff", "website", True),
        ("supervisor", "phone", False),
        ("admin", "app", True),
    ],
)
async def test_only_people_who_ask_by_themselves_are_slowed_down(
    client: httpx.AsyncClient, role: str, source: str | None, bound: bool
):
    token = bearer(await token_for(client, role, ANNA if role == "guest" else None))
    statuses = []
    for hour in (12, 15, 18):
        body = booking(starts_at=f"{DAY}T{hour}:00", agent_id=ANNA, source=source)
        answer = await client.post("/reservations", json=body, headers=token)
        statuses.append(answer.status_code)
    # A kiosk reads neither which rule it was nor until when.
    refused = 409 if role == "kiosk" else 429
    assert statuses == [201, 201, refused if bound else 201]
    if bound and role != "kiosk":
        told = answer.json()
        assert told["type"] == "urn:holdfast:error:rate-limited"
        assert 0 < int(answer.headers["Retry-After"]) <= 3_600
        assert [one["rule"] for one in told["violations"]] == ["rates"]
        # With another rule it is one of those that say no.
        body |= {"party_size": 5}
        answer = await client.post("/reservations", json=body, headers=token)
        assert answer.status_code == 409
        assert [one["rule"] for one in answer.json()["violations"]] == ["party", "rates"]


async def test_a_guest_moves_once_and_the_staff_goes_on(client: httpx.AsyncClient):
    guest = bearer(await token_for(client, "guest", ANNA))
    made = (await client.post("/reservations", json=booking(), headers=guest)).json()
    path = f"/reservations/{made['id']}"
    for hour, headers, status in (
        (12, guest, 200),
        (13, guest, 409),
        (14, bearer(await token_for(client, "staff")), 200),
        (15, guest, 409),
    ):
        change = {"starts_at": f"{DAY}T{hour}:00"}
        answer = await client.patch(path, json=change, headers=headers)
        assert answer.status_code == status, answer.text
    assert [one["rule"] for one in answer.json()["violations"]] == ["reschedules"]


async def test_a_guests_token_is_offered_what_that_guest_may_have(client: httpx.AsyncClient):
    guest = bearer(await token_for(client, "guest", ANNA))
    query: dict[str, Any] = {
        "venue": "trattoria", "date": DAY, "party_size": 2, "include": "full",
    }  # fmt: skip

    async def reasons(headers: dict[str, str] | None = None, **more: Any) -> set[str]:
        answer = await client.get("/availability", params=query | more, headers=headers)
        return {slot.get("reason", "") for slot in answer.json()["slots"]}

    for hour in (12, 15):
        body = booking(starts_at=f"{DAY}T{hour}:00")
        await client.post("/reservations", json=body, headers=guest)
    assert await reasons(guest) == {"rates"}
    assert await reasons() == {""}
    assert await reasons(agent_id=ANNA) == {""}, "the desk is not slowed down"
    for hour in (12, 15, 18):
        await client.post(
            "/reservations", json=booking(starts_at=f"{DAY}T{hour}:30", agent_id=ANNA)
        )
    assert await reasons(agent_id=ANNA) == {"concurrent"}
    other = agent_id(b"k" * 32, "bruno")
    answer = await client.get("/availability", params=query | {"agent_id": other}, headers=guest)
    assert answer.status_code == 403
    answer = await client.get("/availability", params=query | {"agent_id": "anna"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "agent_id")


# --- blackouts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "before", "named"),
    [
        (None, None, ["christmas-closing", "wedding"]),
        (later(2), later(4), ["christmas-closing"]),
        (later(3), None, ["christmas-closing", "wedding"]),
        (later(4), None, ["wedding"]),
        (None, later(2), []),
        (None, f"{later(2)}T00:01", ["christmas-closing"]),
        (f"{later(5)}T22:59", None, ["wedding"]),
        (f"{later(5)}T23:00", None, []),
    ],
)
async def test_periods_are_listed_that_touch_the_time_asked_for(
    client: httpx.AsyncClient, first: str | None, before: str | None, named: list[str]
):
    params = {name: day for name, day in (("from", first), ("to", before)) if day}
    answer = await client.get("/blackouts", params={"venue": "trattoria", **params})
    assert [one["name"] for one in answer.json()["items"]] == named


async def test_a_period_is_shown_as_it_is_written_and_with_its_instants(client: httpx.AsyncClient):
    closing, garden = (await client.get("/blackouts")).json()["items"]
    assert closing == CLOSING | {
        "venue": "trattoria",
        "starts_at": closing["starts_at"], "ends_at": closing["ends_at"],
    }  # fmt: skip
    assert closing["starts_at"].startswith(f"{later(2)}T00:00:00")
    assert closing["ends_at"].startswith(f"{later(4)}T00:00:00")
    assert garden["resources"] == ["T2"]
    assert garden["starts_at"].startswith(f"{later(5)}T18:00:00")
    refused = await client.post("/reservations", json=booking(starts_at=f"{later(3)}T12:00"))
    assert "christmas-closing" in refused.json()["detail"]


# --- figures --------------------------------------------------------------------------------------


async def test_what_is_refused_again_and_again_is_seen_in_the_figures(
    client: httpx.AsyncClient, hub: Hub
):
    async def figures(**days: str) -> dict[str, dict[str, Any]]:
        params = {"venue": "trattoria", **days}
        answer = await client.get("/analytics/violations", params=params)
        assert answer.status_code == 200, answer.text
        return {one["rule"]: one for one in answer.json()["items"]}

    assert await figures() == {}
    for times in (1, 2, 3):
        body = booking(party_size=5, source="website")
        # A key that was used up by a refusal is none; what it repeats is counted again.
        await client.post("/reservations", json=body, headers={"Idempotency-Key": "same"})
        assert (await figures())["party"]["count"] == times
    made = (await client.post("/reservations", json=booking())).json()
    await client.patch(f"/reservations/{made['id']}", json={"party_size": 5})
    shown = (await figures())["party"]
    weekday = datetime.date.fromisoformat(DAY).strftime("%a").lower()
    assert shown["sources"] == {"website": 3, "direct": 1}
    assert (shown["kinds"], shown["hours"]) == ({"guest": 4}, {"19": 4})
    assert shown["weekdays"] == {weekday: 4}
    assert shown["first_day"] == shown["last_day"]
    assert "agent" not in str(await figures())
    assert await figures(to=shown["first_day"]) == {}
    assert await figures(**{"from": shown["first_day"]})
    answer = await client.get("/analytics/violations", params={"venue": "trattoria", "from": "now"})
    assert answer.status_code == 422
    assert (await client.get("/analytics/violations", params={"venue": "x"})).status_code == 404


# --- the venue file over HTTP ---------------------------------------------------------------------


async def test_the_rules_of_a_venue_are_shown_as_they_were_put(
    client: httpx.AsyncClient, trattoria: dict[str, Any]
):
    shown = (await client.get("/venues/trattoria")).json()
    for name, value in RULED.items():
        assert shown["policies"][name] == value
    assert shown["blackouts"] == [CLOSING, GARDEN]
    again = await client.put("/venues/trattoria", json=shown)
    assert (again.status_code, again.json()) == (200, shown)
    trattoria["policies"] = RULED | {"tiers": {"gold": {"advance_days": 3}}}
    wrong = await client.put("/venues/trattoria", json=trattoria)
    assert wrong.status_code == 422
    assert [one["field"] for one in wrong.json()["errors"]] == ["policies.tiers.gold.advance_days"]


@pytest.mark.parametrize("role", ["kiosk", "staff"])
async def test_nobody_holds_under_no_name_what_the_rules_give_them_no_more(
    client: httpx.AsyncClient, role: str
):
    """Two an hour at a screen, and five ahead whoever asks: also by way of holds."""
    asks = bearer(await token_for(client, role))
    answers = []
    for n in range(1, 7):
        wanted = booking(resources=[f"T{n}"]) if n != 2 else booking(resources=["T8"])
        held = await client.post("/holds", json=wanted, headers=asks)
        assert held.status_code == 201, held.text
        path = f"/holds/{held.json()['id']}/reserve"
        answers.append(await client.post(path, json={"user_id": "u-4711"}, headers=asks))
    taken = 2 if role == "kiosk" else 5
    assert [answer.status_code for answer in answers[:taken]] == [201] * taken
    assert {answer.status_code for answer in answers[taken:]} == {409}
    rules = {one["rule"] for answer in answers[taken:] for one in answer.json()["violations"]}
    assert rules == ({"person"} if role == "kiosk" else {"concurrent"})
    # The place is still held: for somebody else it is there.
    assert (await client.post(path, json={"user_id": "u-4712"}, headers=asks)).status_code == 201


async def test_a_kiosk_reads_nothing_of_a_person_out_of_a_refusal(client: httpx.AsyncClient):
    """Who has reservations, and since when, is no business of whoever knows a user id."""
    kiosk = bearer(await token_for(client, "kiosk"))
    other = agent_id(b"k" * 32, "bruno")
    for hour in (12, 15):
        body = booking(starts_at=f"{DAY}T{hour}:00", agent_id=ANNA)
        assert (await client.post("/reservations", json=body, headers=kiosk)).status_code == 201
    for hour in range(11, 16):
        body = booking(starts_at=f"{later(1)}T{hour}:00", agent_id=other)
        assert (await client.post("/reservations", json=body)).status_code == 201

    async def refused(path: str, **wanted: Any) -> dict[str, Any]:
        answer = await client.post(path, json=booking(**wanted), headers=kiosk)
        assert answer.status_code == 409, answer.text
        assert "retry-after" not in answer.headers
        told = answer.json()
        return {name: told.get(name) for name in ("detail", "violations", "suggestions")}

    lately = await refused("/reservations", starts_at=f"{DAY}T19:00", agent_id=ANNA)
    ahead = await refused("/reservations", starts_at=f"{DAY}T19:00", agent_id=other)
    assert lately == ahead == await refused("/holds", starts_at=f"{DAY}T19:00", agent_id=ANNA)
    assert lately["violations"] == [{"rule": "person", "message": DISCREET}]
    assert (lately["detail"], lately["suggestions"]) == (DISCREET, [])
    # What says no to anybody stands in its own words beside it.
    far = await refused("/reservations", starts_at=f"{later(60)}T19:00", agent_id=ANNA)
    nobody = await refused("/reservations", starts_at=f"{later(60)}T19:00")
    assert [one["rule"] for one in far["violations"]] == ["advance", "person"]
    assert far["violations"][0] == nobody["violations"][0]
    # Nor does the way round: what is free is what is free for anybody.
    query: dict[str, Any] = {
        "venue": "trattoria", "date": DAY, "party_size": 2, "include": "full",
    }  # fmt: skip
    plain, named = [
        (await client.get("/availability", params=query | more, headers=kiosk)).json()
        for more in ({}, {"agent_id": ANNA})
    ]
    assert plain == named
    # The house counts what it was.
    counted = (await client.get("/analytics/violations", params={"venue": "trattoria"})).text
    assert "rates" in counted
    assert "person" not in counted


async def test_a_guests_own_token_reads_the_rules_in_plain_words(client: httpx.AsyncClient):
    guest = bearer(await token_for(client, "guest", ANNA))
    for hour in (12, 15, 18):
        body = booking(starts_at=f"{DAY}T{hour}:00")
        answer = await client.post("/reservations", json=body, headers=guest)
    assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (429, True)
    assert "within an hour" in answer.json()["detail"]


async def test_the_usual_limits_of_tables_are_shown_and_null_takes_them_away_for_good(hub: Hub):
    """A file that is read, changed elsewhere and put back keeps having no limit."""
    trattoria = venue_document(policies={}, allotments=[])
    day = datetime.date.fromisoformat(DAY) + datetime.timedelta(days=100)
    far = booking(starts_at=f"{day}T19:30")
    async with calling(hub) as client:
        await client.put("/venues/trattoria", json=trattoria)
        usual = (await client.get("/venues/trattoria")).json()
        assert (usual["policies"]["advance_days"], usual["policies"]["max_party"]) == (90, 12)
        for wanted, rule in ((far, "advance"), (booking(party_size=13), "party")):
            refused = await client.post("/reservations", json=wanted)
            assert refused.status_code == 409
            assert [one["rule"] for one in refused.json()["violations"]] == [rule]
        usual["policies"] |= {"advance_days": None, "max_party": None}
        assert (await client.put("/venues/trattoria", json=usual)).status_code == 200
        free = (await client.get("/venues/trattoria")).json()
        assert (free["policies"]["advance_days"], free["policies"]["max_party"]) == (None, None)
        assert (await client.post("/reservations", json=far)).status_code == 201
        assert (await client.put("/venues/trattoria", json=free | {"name": "M"})).status_code == 200
        again = (await client.get("/venues/trattoria")).json()
        assert again == free | {"name": "M"}
