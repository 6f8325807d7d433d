"""Who may do what: the table, and that routes keep to it."""

from __future__ import annotations

from datetime import datetime

import httpx
import pytest

from holdfast.api.app import make_app
from holdfast.api.permissions import ALL, KNOWN, PERMISSIONS, PUBLIC, ROLES, may
from holdfast.model.pseudonyms import agent_id
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from tests.api.conftest import ADMIN, bearer, booking, calling, token_for, venue_document

pytestmark = pytest.mark.anyio

ANNA, BRUNO = agent_id(b"k" * 32, "anna"), agent_id(b"k" * 32, "bruno")


def test_every_route_names_a_permission_that_somebody_has(hub):
    app = make_app(hub, admin_token=ADMIN)
    for route in app.routes:
        for handler in getattr(route, "route_handlers", [getattr(route, "route_handler", None)]):
            if handler is None or route.path.startswith("/schema"):
                continue
            permission = handler.opt.get("permission")
            automatic = handler.handler_name == "options_handler"
            assert automatic or permission in {PUBLIC, KNOWN} | ALL, route.path


def test_what_no_row_names_is_refused():
    assert not may("admin", "the.moon")
    assert not may("nobody", "venues.read")
    assert set(PERMISSIONS) == set(ROLES)


TRIED = [
    # what is tried, and the roles that may
    (("GET", "/venues"), set(ROLES)),
    (("GET", "/availability?venue=trattoria&party_size=2&date=2030-07-01"), set(ROLES)),
    (("GET", "/reservations"), set(ROLES) - {"kiosk"}),
    (("POST", "/reservations"), {"admin", "supervisor", "staff", "kiosk", "guest"}),
    (("GET", "/queue"), {"admin", "supervisor", "staff", "read-only"}),
    (("GET", "/exceptions"), {"admin", "supervisor", "staff", "read-only"}),
    (("GET", "/audit"), {"admin", "supervisor", "read-only"}),
    (("GET", "/nodes"), {"admin", "supervisor", "read-only"}),
    (("GET", "/tokens"), {"admin"}),
    (("GET", "/config"), {"admin"}),
    (("PUT", "/venues/other"), {"admin"}),
    (("POST", "/backup"), {"admin"}),
    (("POST", "/invites"), {"admin"}),
    (("GET", "/invites"), {"admin"}),
    (("DELETE", "/invites/nobody"), {"admin"}),
    (("POST", "/certificate/renew"), {"admin"}),
    (("POST", "/hub/recover"), {"admin"}),
    (("GET", "/allotments"), {"admin", "supervisor", "staff", "read-only"}),
    (("POST", "/allotments"), {"admin", "supervisor"}),
    (("POST", f"/allotments/{'0' * 32}/revoke"), {"admin", "supervisor"}),
    (("POST", "/holds"), {"admin", "supervisor", "staff", "kiosk", "guest"}),
    (("POST", "/waitlist"), {"admin", "supervisor", "staff", "kiosk", "guest"}),
    (("POST", "/blocks"), {"admin", "supervisor"}),
    (("GET", "/blocks"), {"admin", "supervisor", "staff", "kiosk", "read-only"}),
    (("POST", "/jobs/lapse/run"), {"admin", "supervisor"}),
]


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_may_do_what_its_row_says(client: httpx.AsyncClient, role: str):
    token = await token_for(client, role, ANNA if role == "guest" else None)
    for (method, path), roles in TRIED:
        answer = await client.request(method, path, headers=bearer(token))
        assert (answer.status_code != 403) == (role in roles), (role, method, path, answer.text)


@pytest.mark.parametrize(("minutes", "late"), [(121, False), (119, True)])
@pytest.mark.parametrize("role", [role for role in ROLES if role != "read-only"])
async def test_two_hours_before_the_start_only_a_supervisor_or_an_admin_cancels(
    hub: Hub, desk: Node, monkeypatch: pytest.MonkeyPatch, role: str, minutes: int, late: bool
):
    """V-46: 1 h 59 refused, 2 h 01 accepted, wherever it is asked; staff is no admin."""
    hub.import_venue(venue_document(policies={"cancel_cutoff_minutes": 120}, allotments=[]))
    desk.sync()
    for replica in (hub, desk):
        async with calling(replica) as client:
            token = bearer(await token_for(client, role, ANNA if role == "guest" else None))
            made = (await client.post("/reservations", json=booking(agent_id=ANNA))).json()
            start_ms = datetime.fromisoformat(made["starts_at"]).timestamp() * 1000
            with monkeypatch.context() as patch:
                patch.setattr(
                    replica.clock, "now_ms", lambda at=start_ms: int(at) - minutes * 60_000
                )
                answer = await client.post(
                    f"/reservations/{made['id']}/cancel", json={}, headers=token
                )
            if late and role not in ("admin", "supervisor"):
                assert answer.status_code == 409, answer.text
                told = answer.json()
                assert told["type"] == "urn:holdfast:error:rule-violated"
                assert [one["rule"] for one in told["violations"]] == ["cancel-cutoff"]
                for part in (made["code"], "2 h", "17:30", "a supervisor or an admin"):
                    assert part in told["detail"]
            else:
                assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")


async def test_a_guest_sees_and_touches_its_own_reservations_alone(client: httpx.AsyncClient):
    guest = bearer(await token_for(client, "guest", ANNA))
    other = (await client.post("/reservations", json=booking(agent_id=BRUNO))).json()
    own = (await client.post("/reservations", json=booking(), headers=guest)).json()
    assert own["agent_id"] == ANNA

    listed = (await client.get("/reservations", headers=guest)).json()["items"]
    assert [item["id"] for item in listed] == [own["id"]]
    assert (await client.get(f"/reservations/{own['code']}", headers=guest)).status_code == 200
    for method, path, body, status in [
        ("GET", f"/reservations/{other['id']}", None, 404),
        ("POST", f"/reservations/{other['id']}/cancel", {}, 404),
        ("PATCH", f"/reservations/{other['id']}", {"party_size": 1}, 404),
        ("GET", f"/reservations?agent_id={BRUNO}", None, 403),
        ("POST", "/reservations", booking(agent_id=BRUNO), 403),
        ("POST", "/reservations", booking(user_id="bruno"), 403),
        ("PATCH", f"/reservations/{own['id']}", {"agent_id": BRUNO}, 403),
        ("POST", "/reservations", booking(kind="house"), 403),
        ("PATCH", f"/reservations/{own['id']}", {"kind": "walk_in"}, 403),
        ("PATCH", f"/reservations/{own['id']}", {"kind": "guest"}, 200),
        ("POST", f"/reservations/{own['id']}/cancel", {"by": "venue"}, 403),
        ("POST", f"/reservations/{own['id']}/check-in", {}, 403),
        ("POST", f"/reservations/{own['id']}/cancel", {}, 200),
    ]:
        answer = await client.request(method, path, json=body, headers=guest)
        assert answer.status_code == status, (method, path, answer.text)


async def test_a_token_is_shown_once_kept_as_a_hash_and_gone_when_revoked(
    client: httpx.AsyncClient, hub
):
    token = await token_for(client, "staff")
    assert (await client.get("/venues", headers=bearer(token))).status_code == 200
    listed = (await client.get("/tokens")).json()["items"]
    assert [(one["name"], one["role"]) for one in listed] == [("a-staff", "staff")]
    assert token not in str(listed)
    hub.store.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert token.encode() not in hub.store.path.read_bytes()

    assert (await client.delete("/tokens/a-staff")).json()["revoked_at"]
    assert (await client.get("/venues", headers=bearer(token))).status_code == 401
    assert (await client.delete("/tokens/a-staff")).status_code == 404
    again = await client.post("/tokens", json={"name": "a-staff", "role": "staff"})
    assert (again.status_code, again.json()["type"]) == (409, "urn:holdfast:error:conflict")


async def test_a_kiosk_finds_what_somebody_has_the_code_of_and_learns_of_nobody(
    client: httpx.AsyncClient,
):
    """Who stands there and knows a user id learns nothing of that person."""
    made = (await client.post("/reservations", json=booking(user_id="u-4711"))).json()
    kiosk = bearer(await token_for(client, "kiosk"))
    other = await client.post("/reservations", json=booking(user_id="u-4711"), headers=kiosk)
    assert (other.status_code, other.json()["agent_id"]) == (201, None)
    for path in ("/reservations", f"/reservations?agent_id={made['agent_id']}"):
        assert (await client.get(path, headers=kiosk)).status_code == 403
    found = (await client.get(f"/reservations/{made['code']}", headers=kiosk)).json()
    assert (found["id"], found["agent_id"]) == (made["id"], None)
    seen = (await client.get(f"/reservations/{made['code']}")).json()
    assert seen["agent_id"] == made["agent_id"]
