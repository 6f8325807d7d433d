"""A banned guest's number over HTTP: what a screen says, what staff is told, and who insists."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from holdfast.api.permissions import ROLES
from holdfast.model.pseudonyms import agent_id
from holdfast.model.restrictions import DISCREET
from holdfast.node.node import Node
from tests.api.conftest import DAY, bearer, booking, calling, token_for, venue_document

pytestmark = pytest.mark.anyio

ANNA, BRUNO = agent_id(b"k" * 32, "anna"), agent_id(b"k" * 32, "bruno")
PHONE = {"name": "A.", "phone": "333 123 4567"}


@pytest.fixture
def trattoria() -> dict[str, Any]:
    return venue_document(allotments=[{"holder": "desk", "resources": ["T*"]}])


@pytest.fixture
async def at_desk(desk: Node) -> AsyncGenerator[httpx.AsyncClient]:
    desk.sync()
    async with calling(desk) as client:
        had = booking(agent_id=ANNA, guest={"name": "Anna", "phone": "+39 333 1234567"})
        answer = await client.post("/reservations", json=had | {"starts_at": f"{DAY}T12:00"})
        assert answer.status_code == 201, answer.text
        body = {"restriction": "booking-ban", "reason": "no_shows"}
        answer = await client.post(f"/guests/{ANNA}/restrictions", json=body)
        assert answer.status_code == 201, answer.text
        yield client


@pytest.mark.parametrize("role", [role for role in ROLES if role != "read-only"])
async def test_a_screen_says_nothing_and_staff_is_told(at_desk: httpx.AsyncClient, role: str):
    token = bearer(await token_for(at_desk, role, BRUNO if role == "guest" else None))
    answer = await at_desk.post("/reservations", json=booking(guest=PHONE), headers=token)
    told = answer.json()
    assert answer.status_code == 403
    if role in ("kiosk", "guest"):
        plain = {"type", "title", "status", "detail"}
        assert (set(told), told["detail"]) == (plain, DISCREET)
    else:
        assert ANNA in told["detail"] and told["reason"] == "no_shows"
    insists = booking(guest=PHONE, override={"reason": "other"})
    answer = await at_desk.post("/reservations", json=insists, headers=token)
    assert answer.status_code == (201 if role in ("admin", "supervisor") else 403)
    other = booking(guest={"name": "A.", "phone": "333 765 4321"}, starts_at=f"{DAY}T22:00")
    assert (await at_desk.post("/reservations", json=other, headers=token)).status_code == 201
