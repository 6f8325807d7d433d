"""Sessions of pages: begun three ways, as good as what they were made from, and over in time."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import httpx
import pytest

from holdfast.api.app import make_app
from holdfast.api.permissions import PERMISSIONS
from holdfast.model.limits import (
    SESSION_IDLE_MS,
    SESSION_MS_MAX,
    SESSIONS_MAX,
    STAFF_IDLE_MS,
    STAFF_MS_MAX,
    TICKET_SECONDS,
    TICKETS_MAX,
)
from holdfast.node.hub import Hub
from tests.api.conftest import ADMIN, bearer, booking, calling
from tests.api.described import Transport
from tests.kit import Fleet

pytestmark = pytest.mark.anyio

PIN = "4711"


@pytest.fixture
def fleet(tmp_path: Path) -> Generator[Fleet, None, None]:
    with Fleet(tmp_path) as fleet:
        yield fleet


@pytest.fixture
async def admin(fleet: Fleet) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with calling(fleet.the_hub) as client:
        yield client


def page_of(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A browser that has been nowhere yet, at the same replica."""
    return httpx.AsyncClient(transport=client._transport, base_url=client.base_url)


async def logged_in(client: httpx.AsyncClient, **by: str) -> httpx.AsyncClient:
    """A page that logged in, and sends the second secret with what it writes."""
    page = page_of(client)
    answer = await page.post("/session", json=by)
    assert answer.status_code == 200, answer.text
    page.headers["X-CSRF-Token"] = answer.json()["csrf"]
    return page


async def token_of(client: httpx.AsyncClient, name: str = "t", **wanted: Any) -> str:
    made = await client.post("/tokens", json={"name": name, "role": "staff"} | wanted)
    token: str = made.json()["token"]
    return token


async def add_staff(client: httpx.AsyncClient, name: str = "Zoë", role: str = "staff") -> None:
    added = await client.post("/staff", json={"name": name, "role": role, "pin": PIN})
    assert added.status_code == 201, added.text


async def ticket_of(client: httpx.AsyncClient, page: str = "desk") -> str:
    made = await client.post("/tickets", json={"page": page})
    assert made.status_code == 201, made.text
    ticket: str = made.json()["ticket"]
    return ticket


async def status_of(page: httpx.AsyncClient) -> int:
    return (await page.get("/session")).status_code


# --- beginning ------------------------------------------------------------------------------------


async def test_a_page_logs_in_by_token_by_pin_or_by_ticket(admin: httpx.AsyncClient):
    await add_staff(admin)
    ways: list[tuple[dict[str, str], str, str]] = [
        ({"token": await token_of(admin)}, "t", "staff"),
        ({"token": ADMIN}, "admin-token", "admin"),
        ({"staff": "zoë", "pin": PIN}, "Zoë", "staff"),
        ({"ticket": await ticket_of(admin)}, "admin-token", "supervisor"),
        ({"ticket": await ticket_of(admin, "kiosk")}, "admin-token", "kiosk"),
        ({"ticket": await ticket_of(admin, "hub")}, "admin-token", "admin"),
    ]
    for by, name, role in ways:
        page = page_of(admin)
        answer = await page.post("/session", json=by)
        told = answer.json()
        assert answer.status_code == 200, answer.text
        assert (told["name"], told["role"], told["venue"], told["node"]) == (
            name,
            role,
            None,
            "hub",
        )
        cookie = answer.headers["set-cookie"]
        assert re.match(
            r"holdfast-[0-9a-f]{12}=hfs_[\w-]{43}; Path=/; HttpOnly; SameSite=Strict", cookie
        )
        assert "Secure" not in cookie and "Domain" not in cookie
        assert ("Max-Age" in cookie) == ("pin" not in by), "a shared device forgets who left"
        assert (await page.get("/session")).json() == told


async def test_under_tls_the_cookie_is_for_this_host_alone(fleet: Fleet):
    app = make_app(fleet.the_hub, admin_token=ADMIN)
    transport = Transport(app)  # type: ignore[arg-type]
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=transport, base_url="https://localhost/api/v1") as page,
    ):
        answer = await page.post("/session", json={"token": ADMIN})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-holdfast-") and "; Secure" in cookie
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert await status_of(page) == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 422),
        ({"staff": "zoë"}, 422),
        ({"pin": PIN}, 422),
        ({"token": ADMIN, "ticket": "x"}, 422),
        ({"token": "hft_wrong"}, 401),
        ({"ticket": "hfo_wrong"}, 401),
        ({"staff": "zoë", "pin": "0000"}, 401),
        ({"staff": "nobody", "pin": PIN}, 401),
        ({"staff": "zoë", "pin": "\u0664\u0667\u0661\u0661"}, 401),
    ],
)
async def test_what_is_wrong_begins_nothing(
    admin: httpx.AsyncClient, sent: dict[str, str], status: int
):
    await add_staff(admin)
    answer = await page_of(admin).post("/session", json=sent)
    assert answer.status_code == status, answer.text
    assert "set-cookie" not in answer.headers


async def test_a_node_tells_its_venue(fleet: Fleet):
    async with calling(fleet.join("desk")) as client:
        told = (await (await logged_in(client, token=ADMIN)).get("/session")).json()
        assert (told["venue"], told["node"]) == ("trattoria", "desk")
        refused = await client.post("/tickets", json={"page": "hub"})
        assert refused.status_code == 403


async def test_a_session_tells_what_it_may_do_and_a_ticket_no_more_than_its_page(fleet: Fleet):
    async with calling(fleet.join("desk")) as client:
        whole = (await client.get("/session")).json()
        assert whole["permissions"] == sorted(PERMISSIONS["admin"])
        ticket = (await client.post("/tickets", json={"page": "desk"})).json()["ticket"]
        told = (await (await logged_in(client, ticket=ticket)).get("/session")).json()
        assert told["permissions"] == sorted(PERMISSIONS["supervisor"])


# --- tickets --------------------------------------------------------------------------------------


async def test_a_ticket_is_good_once(admin: httpx.AsyncClient):
    ticket = await ticket_of(admin)
    assert [
        (await page_of(admin).post("/session", json={"ticket": ticket})).status_code
        for _ in range(2)
    ] == [200, 401]


@pytest.mark.parametrize(("seconds", "status"), [(TICKET_SECONDS - 1, 200), (TICKET_SECONDS, 401)])
async def test_a_ticket_is_good_for_a_minute(
    fleet: Fleet, admin: httpx.AsyncClient, seconds: int, status: int
):
    ticket = await ticket_of(admin)
    fleet.clocks.advance(seconds=seconds)
    answer = await page_of(admin).post("/session", json={"ticket": ticket})
    assert answer.status_code == status


async def test_tickets_that_nobody_uses_do_not_pile_up(fleet: Fleet, admin: httpx.AsyncClient):
    for _ in range(TICKETS_MAX + 5):
        await ticket_of(admin)
    (count,) = fleet.the_hub.store.db.conn.execute("SELECT count(*) FROM tickets").fetchone()
    assert count == TICKETS_MAX


async def test_a_pages_session_may_no_more_than_its_page_and_no_more_than_who_made_it(
    admin: httpx.AsyncClient,
):
    kiosk = await logged_in(admin, ticket=await ticket_of(admin, "kiosk"))
    assert (await kiosk.post("/reservations", json=booking(party_size=99))).status_code == 409
    for path in ("/tokens", "/queue", "/exceptions"):
        assert (await kiosk.get(path)).status_code == 403, path
    narrow = await token_of(admin, role="admin", permissions=["tickets.create", "queue.read"])
    made = await admin.post("/tickets", json={"page": "desk"}, headers=bearer(narrow))
    desk = await logged_in(admin, ticket=made.json()["ticket"])
    assert (await desk.get("/queue")).status_code == 200
    assert (await desk.get("/reservations")).status_code == 403


# --- what a page writes ---------------------------------------------------------------------------


async def test_a_write_by_cookie_needs_the_second_secret(admin: httpx.AsyncClient):
    page = await logged_in(admin, token=ADMIN)
    other = await logged_in(admin, token=ADMIN)
    right = page.headers.pop("X-CSRF-Token")
    for header, status in [
        ({}, 403),
        ({"X-CSRF-Token": ""}, 403),
        ({"X-CSRF-Token": right[:-1]}, 403),
        ({"X-CSRF-Token": "é"}, 403),
        ({"X-CSRF-Token": other.headers["X-CSRF-Token"]}, 403),
        ({"X-CSRF-Token": right}, 422),
    ]:
        sent = [(name.encode(), value.encode()) for name, value in header.items()]
        answer = await page.post("/reservations", json={}, headers=sent)
        assert answer.status_code == status, header
    assert (await page.get("/reservations")).status_code == 200
    assert (await page.delete("/session")).status_code == 403, "also the way out"


async def test_a_token_that_is_sent_counts_and_not_the_cookie_beside_it(admin: httpx.AsyncClient):
    page = await logged_in(admin, token=ADMIN)
    del page.headers["X-CSRF-Token"]
    staff = bearer(await token_of(admin))
    assert (await page.post("/reservations", json={}, headers=staff)).status_code == 422
    assert (await page.get("/tokens", headers=staff)).status_code == 403
    assert (await page.get("/venues", headers=bearer("wrong"))).status_code == 401
    of_a_proxy = {"Authorization": "Basic dXNlcjpwYXNz"}
    assert (await page.get("/tokens", headers=of_a_proxy)).status_code == 200
    assert (await page_of(admin).get("/tokens", headers=of_a_proxy)).status_code == 401


async def test_who_is_let_in_while_a_session_ends_does_not_bring_it_back(fleet: Fleet):
    app = make_app(fleet.the_hub, admin_token=ADMIN)
    sessions = app.state.face.access.sessions
    session = sessions.begin(app.state.face.access.tokens.authenticate(ADMIN).origin)
    find = sessions.find

    def ended_meanwhile(digest: bytes) -> Any:
        caller = find(digest)
        sessions.end(digest)
        return caller

    sessions.find = ended_meanwhile
    sessions.authenticate(session.secret)
    assert find(session.caller.session) is None


# --- ending ---------------------------------------------------------------------------------------


async def test_whoever_logs_out_is_out(admin: httpx.AsyncClient):
    page, other = await logged_in(admin, token=ADMIN), await logged_in(admin, token=ADMIN)
    cookies = dict(page.cookies)
    answer = await page.delete("/session")
    assert (answer.status_code, answer.json()) == (200, {"state": "ended"})
    assert "Max-Age=0" in answer.headers["set-cookie"] and not page.cookies
    page.cookies.update(cookies)
    assert await status_of(page) == 401
    assert await status_of(other) == 200


async def test_with_what_it_was_made_from_a_session_ends(admin: httpx.AsyncClient):
    for name in ("Zoë", "Ugo"):
        await add_staff(admin, name)
    by_token = await logged_in(admin, token=await token_of(admin, "gone"))
    made = await admin.post(
        "/tickets",
        json={"page": "desk"},
        headers=bearer(await token_of(admin, "boss", role="admin")),
    )
    by_ticket = await logged_in(admin, ticket=made.json()["ticket"])
    removed = await logged_in(admin, staff="Zoë", pin=PIN)
    with_new_pin = await logged_in(admin, staff="Ugo", pin=PIN)
    untouched = await logged_in(admin, token=ADMIN)
    for page, method, path, body in [
        (by_token, "DELETE", "/tokens/gone", None),
        (by_ticket, "DELETE", "/tokens/boss", None),
        (removed, "DELETE", "/staff/Zoë", None),
        (with_new_pin, "PUT", "/staff/ugo/pin", {"pin": "987654"}),
    ]:
        assert await status_of(page) == 200, path
        assert (await admin.request(method, path, json=body)).status_code == 200, path
        assert await status_of(page) == 401, path
    assert await status_of(untouched) == 200
    # Whoever comes back under that name is somebody else.
    await add_staff(admin, "Zoë")
    assert await status_of(removed) == 401


async def test_a_session_of_a_token_ends_with_the_tokens_time(
    fleet: Fleet, admin: httpx.AsyncClient
):
    page = await logged_in(admin, token=await token_of(admin, expires_seconds=600))
    fleet.clocks.advance(minutes=9)
    assert await status_of(page) == 200
    fleet.clocks.advance(minutes=1)
    assert await status_of(page) == 401


@pytest.mark.parametrize(
    ("by", "idle_ms", "whole_ms"),
    [
        ({"token": ADMIN}, SESSION_IDLE_MS, SESSION_MS_MAX),
        ({"staff": "Zoë", "pin": PIN}, STAFF_IDLE_MS, STAFF_MS_MAX),
    ],
)
async def test_a_session_ends_unused_and_in_the_end_also_used(
    fleet: Fleet, admin: httpx.AsyncClient, by: dict[str, str], idle_ms: int, whole_ms: int
):
    await add_staff(admin)
    unused, used = await logged_in(admin, **by), await logged_in(admin, **by)
    step_s = idle_ms / 1_000 * 0.6
    fleet.clocks.advance(seconds=step_s)
    assert await status_of(used) == 200
    fleet.clocks.advance(seconds=step_s)
    assert (await status_of(unused), await status_of(used)) == (401, 200)
    passed_s = 2 * step_s
    while passed_s + step_s < whole_ms / 1_000:
        fleet.clocks.advance(seconds=step_s)
        passed_s += step_s
        assert await status_of(used) == 200
    fleet.clocks.advance(seconds=step_s)
    assert await status_of(used) == 401


@pytest.mark.parametrize("hours", [-48, 48])
async def test_a_wall_clock_that_is_set_ends_no_session_and_prolongs_none(
    fleet: Fleet, admin: httpx.AsyncClient, hours: int
):
    await add_staff(admin)
    page = await logged_in(admin, staff="Zoë", pin=PIN)
    fleet.clocks.off_ms["hub"] = hours * 3_600_000.0
    assert await status_of(page) == 200
    fleet.clocks.advance(seconds=STAFF_IDLE_MS / 1_000)
    assert await status_of(page) == 401


async def test_sessions_survive_a_restart_and_no_other_life_of_the_directory(fleet: Fleet):
    async with calling(fleet.the_hub) as client:
        page = await logged_in(client, token=ADMIN)
        cookies = dict(page.cookies)
    async with calling(fleet.the_hub) as client:
        page = page_of(client)
        page.cookies.update(cookies)
        assert await status_of(page) == 200
    # The same rows, as a copy of the directory that began another life has them.
    with fleet.the_hub.transaction():
        fleet.the_hub.store.db.conn.execute("UPDATE sessions SET life = ?", (bytes(16),))
    async with calling(fleet.the_hub) as client:
        page = page_of(client)
        page.cookies.update(cookies)
        assert await status_of(page) == 401


async def test_with_another_admin_token_the_old_ones_sessions_are_over(fleet: Fleet):
    async with calling(fleet.the_hub) as client:
        cookies = dict((await logged_in(client, token=ADMIN)).cookies)
    app = make_app(fleet.the_hub, admin_token="another")
    transport = Transport(app)  # type: ignore[arg-type]
    async with (
        app.lifespan(),
        httpx.AsyncClient(
            transport=transport, base_url="http://localhost/api/v1", cookies=cookies
        ) as page,
    ):
        assert await status_of(page) == 401


async def test_a_device_has_so_many_sessions_and_the_longest_unused_makes_room(
    fleet: Fleet, admin: httpx.AsyncClient
):
    first, second = await logged_in(admin, token=ADMIN), await logged_in(admin, token=ADMIN)
    fleet.clocks.advance(minutes=1)
    assert await status_of(first) == 200
    for _ in range(SESSIONS_MAX - 1):
        await logged_in(admin, token=ADMIN)
    assert (await status_of(first), await status_of(second)) == (200, 401)


async def test_who_logs_in_again_and_again_logs_nobody_else_out(
    fleet: Fleet, admin: httpx.AsyncClient
):
    """A partner's narrow token, and a desk that nobody has touched for longer."""
    await add_staff(admin)
    desk = await logged_in(admin, staff="Zoë", pin=PIN)
    partner = await token_of(admin, role="read-only")
    fleet.clocks.advance(minutes=1)
    for _ in range(SESSIONS_MAX + 1):
        await logged_in(admin, token=partner)
    assert await status_of(desk) == 200


async def test_nothing_secret_of_a_session_is_on_disk(hub: Hub):
    async with calling(hub) as client:
        await add_staff(client)
        page = await logged_in(client, staff="Zoë", pin=PIN)
        by_token = await logged_in(client, token=ADMIN)
        ticket = await ticket_of(client)
        secrets = [*page.cookies.values(), *by_token.cookies.values(), ticket]
        secrets += [page.headers["X-CSRF-Token"], by_token.headers["X-CSRF-Token"]]
    hub.store.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    found = hub.store.path.read_bytes()
    assert len(secrets) == 5
    assert not [one for one in secrets if one.encode() in found]
