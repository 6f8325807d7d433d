"""Seating over HTTP: tables by name, and a better seating of a service as a proposal."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.conftest import DAY, bearer, booking, token_for, venue_document

pytestmark = pytest.mark.anyio


@pytest.fixture
def trattoria() -> dict[str, Any]:
    tables = [{"id": f"T{seats}", "kind": "table", "seats": [1, seats]} for seats in (2, 4, 6)]
    limits = [{"resources": ["T2"], "limit": 1}]
    return venue_document(resources=tables, allotments=[], overbooking=limits)


async def made(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/reservations", json=booking(**changes))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def assign(client: httpx.AsyncClient, code: str, *tables: str, **more: Any) -> httpx.Response:
    return await client.post(
        f"/reservations/{code}/assign", json={"resources": list(tables)} | more
    )


async def test_a_party_gets_the_tables_that_are_named(client: httpx.AsyncClient):
    one = await made(client)
    assert one["resources"] == ["T2"]
    both = await assign(client, one["code"], "T4", "T6")
    assert (both.status_code, both.json()["resources"]) == (200, ["T4", "T6"])
    key = {"Idempotency-Key": "a"}
    path, body = f"/reservations/{one['id']}/assign", {"resources": ["T2"]}
    first = await client.post(path, json=body, headers=key)
    again = await client.post(path, json=body, headers=key)
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_table_that_is_busy_or_too_small_is_refused_and_says_why(
    client: httpx.AsyncClient,
):
    one, four = await made(client), await made(client, party_size=4)
    busy = await assign(client, four["code"], "T6", "T2")
    assert (busy.status_code, busy.json()["type"]) == (409, "urn:holdfast:error:not-available")
    small = await assign(client, four["code"], "T2")
    assert [rule["rule"] for rule in small.json()["violations"]] == ["seats"]
    assert (await assign(client, one["code"])).status_code == 422
    assert (await assign(client, one["code"], "T9")).status_code == 422
    kept = (await client.get(f"/reservations/{four['id']}")).json()
    assert kept["resources"] == ["T4"]


async def test_only_a_supervisor_seats_two_parties_at_one_table(client: httpx.AsyncClient):
    await made(client, resources=["T2"])
    two = await made(client, resources=["T4"])
    reason = {"override": {"reason": "vip"}}
    admin = dict(client.headers)
    client.headers.update(bearer(await token_for(client, "staff")))
    assert (await assign(client, two["code"], "T2", **reason)).status_code == 403
    client.headers.update(admin)
    done = await assign(client, two["code"], "T2", **reason)
    assert (done.status_code, done.json()["override"]) == (200, {"reason": "vip"})


async def test_a_proposal_lists_moves_and_accepting_it_does_them(client: httpx.AsyncClient):
    one = await made(client, resources=["T6"], may_move=True)
    kept = await made(client, resources=["T4"], party_size=1)
    asked = {"date": DAY}
    proposed = await client.post("/venues/trattoria/optimise", json=asked)
    assert proposed.status_code == 200, proposed.text
    told = proposed.json()
    (move,) = told["moves"]
    assert (move["code"], move["from"], move["to"], move["reason"]) == (
        one["code"], ["T6"], ["T2"], "fits_better",
    )  # fmt: skip
    assert (told["before"]["waste"], told["after"]["waste"], told["unseated"]) == (4, 0, [])
    assert [(stay["code"], stay["reason"]) for stay in told["stays"]] == [
        (kept["code"], "asked_for")
    ]
    assert (await client.get(f"/reservations/{one['id']}")).json()["resources"] == ["T6"]
    path = f"/venues/trattoria/optimise/{told['id']}/accept"
    key = {"Idempotency-Key": "once"}
    done = await client.post(path, json=asked, headers=key)
    assert [item["resources"] for item in done.json()["items"]] == [["T2"]]
    assert (await client.post(path, json=asked, headers=key)).json() == done.json()
    stale = await client.post(path, json=asked)
    assert (stale.status_code, stale.json()["type"]) == (412, "urn:holdfast:error:stale")
    nothing = (await client.post("/venues/trattoria/optimise", json=asked)).json()
    assert nothing["moves"] == []
