"""Guests over HTTP: who may ask what, and that nothing of a guest stands where it ought not."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import httpx
import pytest

from holdfast.node.hub import Hub
from holdfast.node.node import Node
from tests.api.conftest import bearer, booking, calling, token_for

pytestmark = pytest.mark.anyio

GUEST = {"name": "Ann Smith", "phone": "+44 20 7946 0018", "email": "ann@example.org"}


@pytest.fixture
async def at_desk(desk: Node) -> AsyncGenerator[httpx.AsyncClient]:
    desk.sync()
    async with calling(desk) as client:
        yield client


async def made(client: httpx.AsyncClient, **changes: object) -> dict:
    asked = booking(**{"user_id": "ann", "guest": GUEST, **changes})
    answer = await client.post("/reservations", json=asked)
    assert answer.status_code == 201, answer.text
    found: dict = answer.json()
    return found


async def test_the_beginning_of_an_agent_id_names_whom_it_may_mean(at_desk: httpx.AsyncClient):
    """Also after the guest was erased, and where nobody is known it names nobody."""
    reservation = await made(at_desk)
    agent = reservation["agent_id"]
    known = {"agent_id": agent, "reservations": 1, "last_code": reservation["code"]}
    for begins in (agent, agent[:12], f"{agent[:14]}…"):
        answer = await at_desk.get("/guests", params={"begins": begins})
        assert (answer.status_code, answer.json()["items"]) == (200, [known])
    other = "0" if agent[11] != "0" else "1"
    answer = await at_desk.get("/guests", params={"begins": agent[:11] + other})
    assert answer.json() == {"items": [], "next": None}
    for begins in (agent[:11], agent[6:], "agent_oooooo", f"{agent}0"):
        answer = await at_desk.get("/guests", params={"begins": begins})
        assert answer.status_code == 422
        assert "6 to 32 characters" in answer.json()["detail"]
    assert (await at_desk.delete(f"/guests/{agent}")).status_code == 200
    answer = await at_desk.get("/guests", params={"begins": agent[:12]})
    assert answer.json()["items"] == [known]


async def search(client: httpx.AsyncClient, text: str, **headers: str) -> httpx.Response:
    return await client.post("/guests/search", json={"q": text}, headers=headers)


async def test_a_guest_is_found_shown_handed_over_and_forgotten(at_desk: httpx.AsyncClient):
    reservation = await made(at_desk)
    agent = reservation["agent_id"]
    (found,) = (await search(at_desk, "smi")).json()["items"]
    assert (found["agent_id"], found["fit"], found["guest"]) == (agent, "beginning", GUEST)
    shown = (await at_desk.get(f"/guests/{agent}")).json()
    assert shown["guest"] == GUEST
    assert [one["code"] for one in shown["reservations"]] == [reservation["code"]]
    exported = (await at_desk.get(f"/guests/{agent}/export")).json()
    assert exported["venues"][0]["cards"][0]["guest"] == GUEST

    answer = await at_desk.delete(f"/guests/{agent}", params={"reason": "consent_withdrawn"})
    (erasure,) = answer.json()["items"]
    assert (erasure["reason"], erasure["by"], erasure["complete"]) == (
        "consent_withdrawn", "desk", False
    )  # fmt: skip
    states = {one["name"]: one["state"] for one in erasure["devices"]}
    assert states == {"hub": "waiting", "desk": "confirmed"}
    assert (await at_desk.post("/sync/now", json={})).status_code == 200
    (erasure,) = (await at_desk.get("/erasures", params={"agent_id": agent})).json()["items"]
    assert erasure["complete"]
    assert (await search(at_desk, "smi")).json()["items"] == []
    assert (await at_desk.get(f"/guests/{agent}")).json()["guest"] is None
    again = (await at_desk.get(f"/reservations/{reservation['code']}")).json()
    assert again["agent_id"] == agent and "guest" not in again


async def noted(client: httpx.AsyncClient) -> int:
    """How many entries of the book say that a guest's data was taken out."""
    items = (await client.get("/audit", params={"limit": 500})).json()["items"]
    return sum(one["kind"] == "guest.exported" for one in items)


async def test_what_is_handed_over_again_is_noted_once_for_each_who_asks(
    at_desk: httpx.AsyncClient,
):
    agent, other = [(await made(at_desk, user_id=user))["agent_id"] for user in ("ann", "bob")]
    for _ in range(3):
        answer = await at_desk.get(f"/guests/{agent}/export")
        assert answer.json()["venues"][0]["cards"][0]["guest"] == GUEST
        assert answer.headers["Cache-Control"] == "no-store"
    assert await noted(at_desk) == 1
    await at_desk.get(f"/guests/{other}/export")
    assert await noted(at_desk) == 2, "of somebody else"
    supervisor = bearer(await token_for(at_desk, "supervisor", None))
    for _ in range(2):
        assert (await at_desk.get(f"/guests/{agent}/export", headers=supervisor)).is_success
    assert await noted(at_desk) == 3, "by somebody else"


AHEAD_OF_TIME = [
    {"Sec-Purpose": "prefetch"},
    {"Sec-Purpose": "prefetch;prerender"},
    {"Purpose": "prefetch"},
    {"X-Moz": "prefetch"},
]


@pytest.mark.parametrize("headers", AHEAD_OF_TIME, ids=str)
async def test_what_nobody_has_asked_for_yet_is_not_handed_over_and_leaves_no_entry(
    at_desk: httpx.AsyncClient, headers: dict[str, str]
):
    agent = (await made(at_desk))["agent_id"]
    answer = await at_desk.get(f"/guests/{agent}/export", headers=headers)
    assert answer.status_code == 403 and "ahead of time" in answer.json()["detail"]
    assert GUEST["name"] not in answer.text
    assert await noted(at_desk) == 0


async def test_a_search_under_a_key_looks_again_and_keeps_nothing(
    at_desk: httpx.AsyncClient, desk: Node
):
    await made(at_desk)
    key = {"Idempotency-Key": "find-1"}
    first = await search(at_desk, "smith", **key)
    again = await search(at_desk, "smith", **key)
    assert again.json() == first.json() and again.headers["Idempotency-Replayed"] == "true"
    assert (await search(at_desk, "stone", **key)).status_code == 409
    rows = desk.store.db.conn.execute("SELECT * FROM answers").fetchall()
    assert rows and not any("smith" in str(row).lower() for row in rows)


async def test_the_hub_reads_nobody_and_erases_all_the_same(client: httpx.AsyncClient, hub: Hub):
    agent = (await client.post("/reservations", json=booking(user_id="ann"))).json()["agent_id"]
    for answer in (
        await search(client, "ann"),
        await client.get(f"/guests/{agent}"),
        await client.get(f"/guests/{agent}/export"),
        await client.post("/venues/trattoria/rotate-key", json={}),
    ):
        assert answer.status_code == 403 and "front desk" in answer.json()["detail"]
    answer = await client.delete(f"/guests/{agent}")
    assert [one["reason"] for one in answer.json()["items"]] == ["guest_request"]


REFUSED = [
    # method, path, status, in the detail
    ("DELETE", "/guests/agent_" + "0" * 32, 404, "guests find"),
    ("DELETE", "/guests/ann", 422, "agent_ and 32 characters"),
    ("GET", "/guests/agent_" + "0" * 32, 404, "nothing of"),
    ("POST", "/venues/nowhere/rotate-key", 404, "no venue"),
    ("POST", "/venues/nowhere/share-key", 404, "no venue"),
]


@pytest.mark.parametrize(("method", "path", "status", "told"), REFUSED)
async def test_what_cannot_be_done_is_said(
    at_desk: httpx.AsyncClient, method: str, path: str, status: int, told: str
):
    answer = await at_desk.request(method, path)
    assert answer.status_code == status and told in answer.json()["detail"], answer.text


async def test_a_reason_of_ones_own_is_not_repeated(at_desk: httpx.AsyncClient):
    agent = (await made(at_desk))["agent_id"]
    answer = await at_desk.delete(f"/guests/{agent}", params={"reason": "Ann Smith asked"})
    assert answer.status_code == 422 and "Smith" not in answer.text


ALLOWED = [
    (("POST", "/guests/search"), {"admin", "supervisor", "staff"}),
    (("GET", "/guests/{agent}"), {"admin", "supervisor", "staff"}),
    (("GET", "/guests/{agent}/export"), {"admin", "supervisor"}),
    (("GET", "/erasures"), {"admin", "supervisor"}),
    (("POST", "/venues/trattoria/rotate-key"), {"admin", "supervisor"}),
    (("POST", "/venues/trattoria/share-key"), {"admin"}),
    (("DELETE", "/guests/{agent}"), {"admin", "supervisor"}),
]


@pytest.mark.parametrize("role", ["admin", "supervisor", "staff", "kiosk", "guest", "read-only"])
async def test_who_may_ask_about_guests(at_desk: httpx.AsyncClient, role: str):
    agent = (await made(at_desk))["agent_id"]
    token = await token_for(at_desk, role, agent if role == "guest" else None)
    for (method, path), roles in ALLOWED:
        body = {"q": "ann"} if path.endswith("search") else {}
        answer = await at_desk.request(
            method, path.format(agent=agent), headers=bearer(token),
            json=body if method == "POST" else None,
        )  # fmt: skip
        assert (answer.status_code != 403) == (role in roles), (role, method, path, answer.text)


async def test_another_key_is_made_at_the_desk(at_desk: httpx.AsyncClient):
    await made(at_desk)
    done = (await at_desk.post("/venues/trattoria/rotate-key", json={})).json()
    assert done["handed_to"] == [] and done["public_key"] != done["follows"]
    again = await at_desk.post("/venues/trattoria/rotate-key", json={})
    assert again.status_code == 409
    await at_desk.post("/sync/now", json={})
    assert len((await search(at_desk, "smith")).json()["items"]) == 1


async def test_who_is_given_a_reservation_does_not_see_the_card_of_who_had_it(
    at_desk: httpx.AsyncClient,
):
    booked = await made(at_desk)
    other = "agent_" + "2" * 32
    path = f"/reservations/{booked['id']}"
    assert (await at_desk.patch(path, json={"agent_id": other})).status_code == 200
    own = bearer(await token_for(at_desk, "guest", other))
    shown = await at_desk.get(path, headers=own)
    assert (shown.json()["agent_id"], "guest" in shown.json()) == (other, False)
    listed = (await at_desk.get("/reservations", headers=own)).json()["items"]
    assert ["guest" in one for one in listed] == [False]
    assert (await at_desk.get(path)).json()["guest"] == GUEST, "the house sees whose card it is"


async def test_the_hub_reads_a_venues_guests_once_its_front_desk_lets_it(
    at_desk: httpx.AsyncClient, client: httpx.AsyncClient
):
    reservation = await made(at_desk)
    await at_desk.post("/sync/now", json={})
    hidden = (await client.get(f"/reservations/{reservation['code']}")).json()
    assert "guest" not in hidden or hidden["guest"] is None
    refused = await client.post("/venues/trattoria/share-key", json={})
    assert refused.status_code == 403, "the hub does not help itself"
    done = await at_desk.post("/venues/trattoria/share-key", json={})
    assert (done.status_code, done.json()["handed_to"]) == (200, ["hub"])
    await at_desk.post("/sync/now", json={})
    (found,) = (await search(client, "smith")).json()["items"]
    assert found["guest"] == GUEST
    assert (await client.get(f"/reservations/{reservation['code']}")).json()["guest"] == GUEST
    await at_desk.post("/venues/trattoria/rotate-key", json={})
    await at_desk.post("/sync/now", json={})
    assert (await search(client, "smith")).status_code == 403
