"""Many marks in one request: each for itself, told one by one, and once."""

from __future__ import annotations

import httpx
import pytest

from holdfast.model.limits import BULK_ITEMS_MAX
from tests.api.conftest import DAY, booking

pytestmark = pytest.mark.anyio


async def made(client: httpx.AsyncClient, time: str, **more: object) -> str:
    answer = await client.post("/reservations", json=booking(starts_at=f"{DAY}T{time}", **more))
    assert answer.status_code == 201, answer.text
    code: str = answer.json()["code"]
    return code


async def test_what_cannot_be_done_is_told_and_keeps_nothing_back(client: httpx.AsyncClient):
    first, second = await made(client, "12:00"), await made(client, "19:00")
    items = [
        {"action": "cancel", "reservation": first},
        {"action": "no-show", "reservation": second},
        {"action": "confirm", "reservation": "RES-2027-ZZZZZZ"},
        {"action": "cancel", "reservation": first},
        {"action": "confirm", "reservation": second},
    ]
    headers = {"Idempotency-Key": "evening"}
    answer = await client.post("/reservations/bulk", json={"items": items}, headers=headers)
    assert answer.status_code == 200, answer.text
    found = answer.json()["items"]
    assert [(one["done"], one["status"], one["error"]) for one in found] == [
        (True, "cancelled", None),
        (False, None, "rule-violated"),
        (False, None, "not-found"),
        (False, None, "bad-transition"),
        (True, "confirmed", None),
    ]
    assert "can be marked from then on" in found[1]["detail"]
    assert found[2]["reservation"] == "RES-2027-ZZZZZZ"
    again = await client.post("/reservations/bulk", json={"items": items}, headers=headers)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert [(one["done"], one["error"]) for one in again.json()["items"]] == [
        (one["done"], one["error"]) for one in found
    ]
    kept = (await client.get(f"/reservations/{second}")).json()
    assert (kept["status"], kept["attendance_confirmed"]) == ("confirmed", True)


@pytest.mark.parametrize(
    "items",
    [
        [],
        [{"action": "cancel", "reservation": "x"}] * (BULK_ITEMS_MAX + 1),
        [{"action": "burn", "reservation": "x"}],
        [{"action": "cancel"}],
    ],
)
async def test_a_request_that_makes_no_sense_does_nothing(
    client: httpx.AsyncClient, items: list[dict[str, str]]
):
    answer = await client.post("/reservations/bulk", json={"items": items})
    assert answer.status_code == 422, answer.text
