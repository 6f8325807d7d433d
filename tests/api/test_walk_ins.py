"""Guests who stand there: they may begin this minute, which nobody could ask for ahead."""

from __future__ import annotations

import datetime
from typing import Any

import httpx
import pytest

from holdfast.model.pseudonyms import agent_id
from tests.api.conftest import bearer, booking, token_for, venue_document

pytestmark = pytest.mark.anyio

NOTICE = 45
"""Minutes before a start that somebody who asks ahead has to keep."""


@pytest.fixture
def trattoria() -> dict[str, Any]:
    return venue_document(
        policies={"cutoff_minutes": NOTICE},
        resources=[{"id": "T1", "kind": "table", "seats": [1, 4]}],
    )


def around_now() -> dict[str, str]:
    """A query for the starts from an hour ago to three hours from now."""
    now = datetime.datetime.now(datetime.UTC)
    hours = [now + datetime.timedelta(hours=1 + shift) for shift in (-2, 2)]
    return dict(zip(("from", "to"), (at.isoformat() for at in hours), strict=True))


async def starts(client: httpx.AsyncClient, **more: str) -> list[tuple[datetime.datetime, str]]:
    query = {"venue": "trattoria", "party_size": "3"} | around_now() | more
    answer = await client.get("/availability", params=query)
    assert answer.status_code == 200, answer.text
    return [
        (datetime.datetime.fromisoformat(slot["starts_at"]), slot["starts_at"])
        for slot in answer.json()["slots"]
    ]


async def test_a_walk_in_is_offered_this_minute_first_and_may_have_it(client: httpx.AsyncClient):
    minute = datetime.timedelta(minutes=1)
    before = datetime.datetime.now(datetime.UTC)
    offered = await starts(client, kind="walk_in")
    after = datetime.datetime.now(datetime.UTC)
    (first, text), *later = offered
    assert before - minute < first <= after
    assert later
    assert all(at > first and at.minute % 15 == 0 for at, _ in later)
    ahead = await starts(client)
    assert ahead
    assert all(at >= before + NOTICE * minute for at, _ in ahead)
    wish = booking(starts_at=text, party_size=3)
    assert (await client.post("/reservations", json=wish)).status_code == 409
    made = await client.post("/reservations", json=wish | {"kind": "walk_in"})
    assert (made.status_code, made.json()["status"]) == (201, "confirmed")


async def test_a_kind_that_there_is_not_and_one_that_is_not_a_guests_are_refused(
    client: httpx.AsyncClient,
):
    query = {"venue": "trattoria", "party_size": "3"} | around_now()
    unknown = await client.get("/availability", params=query | {"kind": "flying"})
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "kind")
    guest = bearer(await token_for(client, "guest", agent_id(b"k" * 32, "anna")))
    for kind, status in (("guest", 200), ("walk_in", 403)):
        answer = await client.get("/availability", params=query | {"kind": kind}, headers=guest)
        assert answer.status_code == status, answer.text
