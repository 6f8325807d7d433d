"""Who may do what: the table, and that routes keep to it."""

from __future__ import annotations

import httpx
import pytest

from holdfast.api.app import make_app
from holdfast.api.permissions import ALL, KNOWN, PERMISSIONS, PUBLIC, ROLES, may
from holdfast.model.pseudonyms import agent_id
from tests.api.conftest import ADMIN, bearer, booking, token_for

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
    (("GET", "/reservations"), set(ROLES)),
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
]


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_may_do_what_its_row_says(client: httpx.AsyncClient, role: str):
    token = await token_for(client, role, ANNA if role == "guest" else None)
    for (method, path), roles in TRIED:
        answer = await client.request(method, path, headers=bearer(token))
        assert (answer.status_code != 403) == (role in roles), (role, method, path, answer.text)


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
