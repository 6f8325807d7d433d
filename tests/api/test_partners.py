"""A partner's reference over HTTP: once made, then found; looked for in a body, kept nowhere."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from holdfast.model.pseudonyms import agent_id
from holdfast.node.hub import Hub
from tests.api.conftest import DAY, bearer, booking, token_for, venue_document

pytestmark = pytest.mark.anyio

REFERENCE = "Rossi BK-4711"


@pytest.fixture
def trattoria() -> dict[str, Any]:
    return venue_document(allotments=[])


def asked(**changes: Any) -> dict[str, Any]:
    return booking(source="agency", partner_reference=REFERENCE) | changes


async def test_the_same_reference_again_is_the_first_reservation_as_it_is_now(
    client: httpx.AsyncClient, hub: Hub
):
    first = await client.post("/reservations", json=asked())
    assert first.status_code == 201, first.text
    made = first.json()
    for body in (asked(), asked(starts_at=f"{DAY}T12:00", party_size=4), asked(party_size=99)):
        again = await client.post("/reservations", json=body)
        assert (again.status_code, again.json()) == (200, made)
        assert again.headers["location"] == first.headers["location"]
        assert again.headers["etag"] == first.headers["etag"]
    await client.post(f"/reservations/{made['id']}/check-in")
    assert (await client.post("/reservations", json=asked())).json()["status"] == "checked_in"
    assert len(hub.reservations.select()[0]) == 1
    assert REFERENCE not in first.text and "Rossi" not in str(made)


async def test_a_key_and_a_reference_go_together(client: httpx.AsyncClient):
    made = (await client.post("/reservations", json=asked())).json()
    key = {"Idempotency-Key": "k"}
    for replayed in (False, True):
        again = await client.post("/reservations", json=asked(), headers=key)
        assert (again.status_code, again.json()["id"]) == (200, made["id"])
        assert ("idempotency-replayed" in again.headers) == replayed
    other = await client.post("/reservations", json=asked(party_size=3), headers=key)
    assert other.status_code == 409


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"source": "phone"}, "partner_reference"), ({"source": None}, "partner_reference"),
     ({"partner_reference": ""}, "partner_reference"),
     ({"partner_reference": "x" * 129}, "partner_reference"),
     ({"partner_reference": "Mario\nRossi"}, "partner_reference")],
)  # fmt: skip
async def test_what_is_no_reference_is_refused_and_not_repeated(
    client: httpx.AsyncClient, changes: dict[str, Any], field: str
):
    answer = await client.post("/reservations", json=asked(**changes))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert "Rossi" not in answer.text and "xxx" not in answer.text


@pytest.mark.parametrize("role", ["guest", "kiosk"])
async def test_who_asks_for_themself_has_no_partners_reference(
    client: httpx.AsyncClient, role: str
):
    """Nor does anybody learn by trying that somebody has one."""
    anna = agent_id(b"k" * 32, "anna") if role == "guest" else None
    token = bearer(await token_for(client, role, anna))
    for made in (False, True):
        answer = await client.post("/reservations", json=asked(), headers=token)
        assert answer.status_code == 403, made
        await client.post("/reservations", json=asked())


async def test_it_is_looked_for_in_a_body(client: httpx.AsyncClient):
    made = (await client.post("/reservations", json=asked())).json()
    wanted = {"venue": "trattoria", "partner_reference": REFERENCE}
    key = {"Idempotency-Key": "k"}
    for replayed in (False, True):
        found = await client.post("/reservations/search", json=wanted, headers=key)
        assert (found.status_code, found.json()["next"]) == (200, None)
        assert [one["id"] for one in found.json()["items"]] == [made["id"]]
        assert ("idempotency-replayed" in found.headers) == replayed
    for more, ids in (
        ({"source": "agency"}, [made["id"]]), ({"source": "partner"}, []),
        ({"partner_reference": "BK-4711"}, []),
    ):  # fmt: skip
        found = await client.post("/reservations/search", json=wanted | more)
        assert [one["id"] for one in found.json()["items"]] == ids
    for wrong, status in (
        ({"source": "phone"}, 422), ({"partner_reference": " "}, 422), ({"venue": "nowhere"}, 404),
    ):  # fmt: skip
        answer = await client.post("/reservations/search", json=wanted | wrong)
        assert answer.status_code == status
    anna = agent_id(b"k" * 32, "anna")
    guest = bearer(await token_for(client, "guest", anna))
    theirs = await client.post("/reservations/search", json=wanted, headers=guest)
    assert theirs.json()["items"] == [], "a guest finds nobody else's"
