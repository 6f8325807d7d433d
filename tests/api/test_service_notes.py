"""The notes of a service over HTTP: for staff, at a desk that reads them, never blindly."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from holdfast.api.permissions import ROLES
from holdfast.node.node import Node
from tests.api.conftest import DAY, bearer, calling, token_for

pytestmark = pytest.mark.anyio

NOTES = f"/venues/trattoria/notes/{DAY}"
DINNER = {"service": "dinner"}


@pytest.fixture
async def at_desk(desk: Node) -> AsyncGenerator[httpx.AsyncClient]:
    desk.sync()
    async with calling(desk) as client:
        yield client


async def put(client: httpx.AsyncClient, text: str, tag: str, **headers: str) -> httpx.Response:
    return await client.put(
        NOTES, json={"text": text}, params=DINNER, headers={"If-Match": tag} | headers
    )


async def read(client: httpx.AsyncClient, **headers: str) -> httpx.Response:
    answer = await client.get(NOTES, params=DINNER, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


async def test_an_edit_is_made_to_what_was_read_and_merged_with_the_rest(
    at_desk: httpx.AsyncClient,
):
    empty = await read(at_desk)
    assert empty.json() == {
        "venue": "trattoria", "date": DAY, "service": "dinner", "text": "", "edits": 0,
        "unreadable": 0, "updated_at": None, "updated_by": None, "author": None,
        "cleared_at": None, "unplaced": [], "agent_id": empty.json()["agent_id"],
    }  # fmt: skip
    first = await put(at_desk, "One.\nTwo.\n", empty.headers["etag"])
    assert (first.status_code, first.json()["updated_by"]) == (200, "desk")
    second = await put(at_desk, "One.\nTwo.\nThree.\n", first.headers["etag"])
    third = await put(at_desk, "One!\nTwo.\n", first.headers["etag"])
    assert third.json()["text"] == "One!\nTwo.\nThree.\n"
    assert len({one.headers["etag"] for one in (empty, first, second, third)}) == 4
    again = await put(at_desk, "One!\nTwo.\n", first.headers["etag"])
    assert (again.json(), again.headers["etag"]) == (third.json(), third.headers["etag"])
    other = await at_desk.get(NOTES)
    assert (other.json()["service"], other.json()["text"]) == ("", "")
    today = await at_desk.get("/venues/trattoria/notes/today")
    assert today.json()["date"] != "today"


@pytest.mark.parametrize("tag", [None, "*"])
async def test_nothing_is_replaced_blindly(at_desk: httpx.AsyncClient, tag: str | None):
    headers = {} if tag is None else {"If-Match": tag}
    answer = await at_desk.put(NOTES, json={"text": "x"}, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "If-Match"


async def test_what_was_cleared_since_is_stale_and_gone(at_desk: httpx.AsyncClient):
    before = await put(at_desk, "secret", (await read(at_desk)).headers["etag"])
    path = f"/guests/{before.json()['agent_id']}"
    cleared = await at_desk.delete(path, params={"reason": "retention"})
    assert cleared.status_code == 200, cleared.text
    stale = await put(at_desk, "secret, and more", before.headers["etag"])
    assert (stale.status_code, stale.json()["type"]) == (412, "urn:holdfast:error:stale")
    shown = (await read(at_desk)).json()
    assert (shown["text"], shown["edits"]) == ("", 0)
    assert shown["cleared_at"] is not None


async def test_what_is_no_note_is_refused_and_named(at_desk: httpx.AsyncClient):
    tag = (await read(at_desk)).headers["etag"]
    for path, params, body, field in (
        (NOTES, {"service": "Dinner!"}, {"text": "x"}, "service"),
        ("/venues/trattoria/notes/soon", {}, {"text": "x"}, "date"),
        (NOTES, {}, {"text": "\x1b[2J"}, "text"),
        (NOTES, {}, {"words": "x"}, "words"),
    ):
        answer = await at_desk.put(path, params=params, json=body, headers={"If-Match": tag})
        assert answer.status_code == 422, answer.text
        assert field in str(answer.json()["errors"])
    long = await put(at_desk, "x" * 20_001, tag)
    assert (long.status_code, long.json()["violations"][0]["rule"]) == (409, "notes-too-long")


@pytest.mark.parametrize("role", ROLES)
async def test_staff_read_and_edit_notes_and_nobody_else(at_desk: httpx.AsyncClient, role: str):
    tag = (await read(at_desk)).headers["etag"]
    agent = "agent_" + "0" * 32 if role == "guest" else None
    headers = bearer(await token_for(at_desk, role, agent))
    shown = await at_desk.get(NOTES, headers=headers)
    written = await put(at_desk, "x", tag, **headers)
    allowed = 200 if role in ("admin", "supervisor", "staff") else 403
    assert (shown.status_code, written.status_code) == (allowed, allowed)


async def test_a_hub_without_the_venues_key_says_so(client: httpx.AsyncClient):
    for answer in (await client.get(NOTES), await put(client, "x", '"0"')):
        problem: dict[str, Any] = answer.json()
        assert answer.status_code == 403
        assert "key" in problem["detail"]
