"""Recurring reservations over HTTP: made, listed and called off together."""

from __future__ import annotations

import datetime
from typing import Any

import httpx
import pytest

from holdfast.model.pseudonyms import agent_id
from tests.api.conftest import DAY, bearer, booking, token_for

pytestmark = pytest.mark.anyio

ANNA, BRUNO = (agent_id(b"k" * 32, name) for name in ("anna", "bruno"))


def weekly(**changes: Any) -> dict[str, Any]:
    return booking(rrule="FREQ=WEEKLY;COUNT=3", resources=["T1"], agent_id=ANNA) | changes


async def test_a_series_is_made_listed_and_called_off(client: httpx.AsyncClient):
    answer = await client.post("/reservations/series", json=weekly())
    made = answer.json()
    assert (answer.status_code, made["refused"]) == (201, [])
    ids = [one["id"] for one in made["items"]]
    assert len(ids) == 3
    assert {one["series"] for one in made["items"]} == {made["series"]}
    alone = (await client.post("/reservations", json=booking(resources=["T2"]))).json()
    assert alone["series"] is None
    for reference in (ids[1], made["items"][2]["code"]):
        found = (await client.get("/reservations", params={"series": reference})).json()
        assert [one["id"] for one in found["items"]] == ids
    first = (await client.get("/reservations", params={"series": ids[0], "limit": 2})).json()
    more = {"series": ids[0], "cursor": first["next"]}
    rest = (await client.get("/reservations", params=more)).json()
    assert [one["id"] for one in first["items"] + rest["items"]] == ids
    body = {"reason": "guest_request", "series": True}
    gone = await client.post(f"/reservations/{ids[1]}/cancel", json=body)
    assert (gone.status_code, gone.json()["id"]) == (200, ids[1])
    shown = [(await client.get(f"/reservations/{one}")).json()["status"] for one in ids]
    assert shown == ["confirmed", "cancelled", "cancelled"]


async def test_what_cannot_be_had_is_told_date_by_date(client: httpx.AsyncClient):
    taken = booking(resources=["T1"])
    assert (await client.post("/reservations", json=taken)).status_code == 201
    refused = await client.post("/reservations/series", json=weekly())
    problem = refused.json()
    assert (refused.status_code, problem["type"]) == (409, "urn:holdfast:error:conflict")
    [date] = problem["refused"]
    assert (date["starts_at"][:10], date["error"]) == (DAY, "not-available")
    assert len((await client.get("/reservations")).json()["items"]) == 1
    made = await client.post("/reservations/series", json=weekly(each=True))
    assert made.status_code == 201
    assert len(made.json()["items"]) == 2
    assert [one["starts_at"] for one in made.json()["refused"]] == [date["starts_at"]]


async def test_the_same_request_again_makes_nothing_again(client: httpx.AsyncClient):
    assert (await client.post("/reservations", json=booking(resources=["T1"]))).status_code == 201
    key = {"Idempotency-Key": "k-1"}
    first = await client.post("/reservations/series", json=weekly(each=True), headers=key)
    again = await client.post("/reservations/series", json=weekly(each=True), headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["items"] == first.json()["items"]
    told = [(one["starts_at"], one["error"]) for one in again.json()["refused"]]
    assert told == [(one["starts_at"], one["error"]) for one in first.json()["refused"]]
    assert len((await client.get("/reservations")).json()["items"]) == 3


async def test_a_series_is_asked_for_alone_and_by_who_may_see_it(client: httpx.AsyncClient):
    [one, *_] = (await client.post("/reservations/series", json=weekly())).json()["items"]
    both = await client.get("/reservations", params={"series": one["id"], "date": DAY})
    assert [error["field"] for error in both.json()["errors"]] == ["series"]
    hers = bearer(await token_for(client, "guest", agent_id=ANNA))
    body = {"name": "his", "role": "guest", "agent_id": BRUNO}
    his = bearer((await client.post("/tokens", json=body)).json()["token"])
    query = {"series": one["code"]}
    assert len((await client.get("/reservations", params=query, headers=hers)).json()["items"]) == 3
    assert (await client.get("/reservations", params=query, headers=his)).status_code == 404
    answer = await client.post("/reservations/series", json=weekly(), headers=hers)
    assert answer.status_code == 403, "whole series the house makes"


async def test_four_dates_in_a_row_are_a_pattern(client: httpx.AsyncClient):
    path, query = f"/guests/{ANNA}/pattern", {"venue": "trattoria"}
    nothing = (await client.get(path, params=query)).json()
    assert (nothing["pattern"], nothing["dates"], nothing["next"]) == (None, None, None)
    made = await client.post("/reservations/series", json=weekly(rrule="FREQ=WEEKLY;COUNT=5"))
    ids = [one["id"] for one in made.json()["items"]]
    day = datetime.date.fromisoformat(DAY)
    await client.post(f"/reservations/{ids[-1]}/cancel", json={})
    found = (await client.get(path, params=query)).json()
    assert found["pattern"] == f"recurring_weekly_{day.strftime('%A').lower()}"
    assert (found["dates"], found["next"]) == (4, (day + datetime.timedelta(days=28)).isoformat())
    await client.post(f"/reservations/{ids[1]}/cancel", json={})
    assert (await client.get(path, params=query)).json()["pattern"] is None
    wrong = await client.get("/guests/anna/pattern", params=query)
    assert wrong.status_code == 422
