"""The house's word over HTTP: whom it is asked of, who gives it, and what everybody is told."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from holdfast.commands.words import guest_words
from holdfast.model.pseudonyms import agent_id
from holdfast.node.hub import Hub
from tests.api.conftest import DAY, bearer, booking, token_for, venue_document

pytestmark = pytest.mark.anyio

ANNA = agent_id(b"k" * 32, "anna")


@pytest.fixture
def trattoria() -> dict[str, Any]:
    return venue_document(allotments=[], policies={"max_party": 12, "confirmation": "manual"})


async def asked(client: httpx.AsyncClient, time: str = "19:30", role: str = "guest") -> Any:
    token = bearer(await token_for(client, role, ANNA if role == "guest" else None))
    answer = await client.post(
        "/reservations", json=booking(starts_at=f"{DAY}T{time}"), headers=token
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("role", "source", "approval"),
    [("guest", None, "pending"), ("kiosk", None, "pending"), ("staff", None, None),
     ("admin", "phone", None), ("staff", "website", "pending"), ("staff", "app", "pending"),
     ("staff", "partner", None)],
)  # fmt: skip
async def test_what_a_guest_asks_for_without_the_house_waits_for_its_word(
    client: httpx.AsyncClient, role: str, source: str | None, approval: str | None
):
    token = bearer(await token_for(client, role, ANNA if role == "guest" else None))
    body = booking() | ({"source": source} if source else {})
    made = await client.post("/reservations", json=body, headers=token)
    assert made.status_code == 201, made.text
    shown = made.json()
    assert (shown["status"], shown["assurance"]) == ("confirmed", "guaranteed")
    assert shown["approval"] == approval
    assert ("has yet to agree" in guest_words(shown)) == (approval is not None)


async def test_staff_list_approve_and_everybody_sees_it(client: httpx.AsyncClient):
    first, second = await asked(client), await asked(client, "12:00", "kiosk")
    await client.post("/reservations", json=booking(starts_at=f"{DAY}T15:00"))
    for query in ("", f"&venue=trattoria&date={DAY}"):
        listed = (await client.get(f"/reservations?approval=pending{query}")).json()["items"]
        assert [one["id"] for one in listed] == [second["id"], first["id"]]
    before = (await client.get(f"/reservations/{first['code']}")).headers["etag"]
    key = {"Idempotency-Key": "yes"}
    for again in (False, True):
        answer = await client.post(f"/reservations/{first['code']}/approve", headers=key)
        assert (answer.status_code, answer.json()["approval"]) == (200, "approved"), answer.text
        assert ("idempotency-replayed" in answer.headers) == again
    assert answer.headers["etag"] != before
    assert guest_words(answer.json()) == "It is booked. It is yours."
    told = (await client.get("/reservations?approval=approved")).json()["items"]
    assert [one["id"] for one in told] == [first["id"]]
    # Declining is cancelling, by the venue; then nobody asks any more.
    body = {"reason": "full", "by": "venue"}
    gone = await client.post(f"/reservations/{second['id']}/cancel", json=body)
    assert (gone.json()["status"], gone.json()["approval"]) == ("cancelled", None)
    assert (await client.get("/reservations?approval=pending")).json()["items"] == []
    late = await client.post(f"/reservations/{second['id']}/approve")
    assert (late.status_code, late.json()["reservation_status"]) == (409, "cancelled")
    wrong = await client.get("/reservations?approval=asked")
    assert wrong.status_code == 422 and wrong.json()["errors"][0]["field"] == "approval"


@pytest.mark.parametrize("role", ["kiosk", "guest", "read-only"])
async def test_nobody_else_gives_the_houses_word(client: httpx.AsyncClient, hub: Hub, role: str):
    online = booking(source="website", agent_id=ANNA)
    made = (await client.post("/reservations", json=online)).json()
    token = bearer(await token_for(client, role, ANNA if role == "guest" else None))
    answer = await client.post(f"/reservations/{made['id']}/approve", headers=token)
    assert answer.status_code == 403
    bulk = {"items": [{"action": "approve", "reservation": made["id"]}]}
    answer = await client.post("/reservations/bulk", json=bulk, headers=token)
    assert answer.status_code == 403
    assert hub.reservations.find(made["id"]).approval == "pending"


async def test_many_are_approved_in_one_request(client: httpx.AsyncClient):
    made = [
        (await client.post("/reservations", json=booking(source="app", starts_at=at))).json()
        for at in (f"{DAY}T12:00", f"{DAY}T19:30")
    ]
    items = [{"action": "approve", "reservation": one["code"]} for one in made]
    answer = await client.post("/reservations/bulk", json={"items": items})
    assert [one["done"] for one in answer.json()["items"]] == [True, True]
    assert (await client.get("/reservations?approval=pending")).json()["items"] == []


async def test_the_venue_shows_how_it_confirms(client: httpx.AsyncClient):
    shown = (await client.get("/venues/trattoria")).json()
    assert shown["policies"]["confirmation"] == "manual"
