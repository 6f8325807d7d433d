"""Every error is a problem that a person understands, and none tells what it should not."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest

from holdfast.model.limits import BODY_BYTES_MAX
from tests.api.conftest import booking, calling

pytestmark = pytest.mark.anyio

REFUSALS: list[tuple[str, str, dict[str, Any], int, str]] = [
    # method, path, what is sent, status, name
    ("GET", "/nowhere", {}, 404, "not-found"),
    ("GET", "http://localhost/schema/redoc", {}, 404, "not-found"),
    ("DELETE", "/venues", {}, 405, "method-not-allowed"),
    ("GET", "/reservations/RES-2026-000000", {}, 404, "not-found"),
    ("GET", "/reservations/%00", {}, 404, "not-found"),
    ("GET", "/venues/nowhere", {}, 404, "not-found"),
    ("GET", "/venues", {"headers": {"Authorization": ""}}, 401, "unauthorised"),
    ("GET", "/venues", {"headers": {"Authorization": "Bearer nonsense"}}, 401, "unauthorised"),
    ("GET", "/venues", {"headers": {"Authorization": "Basic YTpi"}}, 401, "unauthorised"),
    ("GET", "/venues", {"headers": {"Host": "evil.example"}}, 403, "forbidden"),
    ("GET", "/venues", {"headers": {"Host": "127.0.0.1@evil.example"}}, 403, "forbidden"),
    ("GET", "/venues", {"headers": {"Origin": "https://evil.example"}}, 403, "forbidden"),
    ("GET", "/venues", {"headers": {"Origin": "null"}}, 403, "forbidden"),
    ("POST", "/sync/now", {}, 403, "forbidden"),
    ("POST", "/reservations", {"content": b"{"}, 422, "invalid"),
    ("POST", "/reservations", {"content": b"[]"}, 422, "invalid"),
    ("POST", "/reservations", {"content": b"\xff"}, 422, "invalid"),
    ("POST", "/reservations", {"content": b"[" * 100_000}, 422, "invalid"),
    ("POST", "/reservations", {"content": b" " * (BODY_BYTES_MAX + 1)}, 413, "payload-too-large"),
    ("POST", "/reservations", {"json": booking(starts_at="soon")}, 422, "invalid"),
    ("POST", "/reservations", {"json": booking(party_size=2**60)}, 422, "invalid"),
    ("POST", "/reservations", {"json": booking(resources=["T1", 2])}, 422, "invalid"),
    ("POST", "/reservations", {"json": booking(party_size=40)}, 409, "rule-violated"),
    ("GET", "/reservations?limit=0", {}, 422, "invalid"),
    ("GET", "/reservations?limit=many", {}, 422, "invalid"),
    ("GET", "/reservations?limit=1&limit=2", {}, 422, "invalid"),
    ("GET", "/reservations?cursor=%21", {}, 422, "invalid"),
    ("GET", "/reservations?date=tomorrow", {}, 422, "invalid"),
    ("GET", "/reservations?stauts=confirmed", {}, 422, "invalid"),
    ("GET", "/reservations?from=2026-07-01T10:00", {}, 422, "invalid"),
    ("GET", "/reservations?status=lost", {}, 422, "invalid"),
    ("GET", "/venues?limit=501", {}, 422, "invalid"),
    ("GET", "/venues?cursor=%21", {}, 422, "invalid"),
    ("GET", "/venues/trattoria?date=2026-07-01", {}, 422, "invalid"),
    ("GET", "/clock?now=1", {}, 422, "invalid"),
    ("POST", "/reservations?dry_run=1", {"json": booking()}, 422, "invalid"),
    ("GET", "/availability?venue=trattoria", {}, 422, "invalid"),
    ("GET", "/queue?state=lost", {}, 422, "invalid"),
    ("GET", "/queue?cursor=AAAA", {}, 422, "invalid"),
    ("GET", "/queue/abc", {}, 404, "not-found"),
    ("GET", "/exceptions/abc", {}, 404, "not-found"),
    ("GET", "/books/trattoria/someday", {}, 422, "invalid"),
    ("POST", "/backup", {"json": {"path": "copy.db"}}, 422, "invalid"),
    ("POST", "/backup", {"json": {"path": "/no/such/place/copy.db"}}, 500, "directory"),
    ("POST", "/backup", {"json": {"path": "/tmp/\0"}}, 500, "directory"),
    ("POST", "/tokens", {"json": {"name": "x y", "role": "king"}}, 422, "invalid"),
    ("POST", "/nodes/desk/revoke", {"json": {"reason": "It was stolen!"}}, 422, "invalid"),
    ("POST", "/nodes/desk/revoke", {"json": {"reason": "stolen"}}, 404, "not-found"),
]


@pytest.mark.parametrize(("method", "path", "sent", "status", "name"), REFUSALS)
async def test_what_cannot_be_done_is_answered_with_a_problem(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    sent: dict[str, Any],
    status: int,
    name: str,
):
    answer = await client.request(method, path, **sent)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (status, f"urn:holdfast:error:{name}"), problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert len(problem["detail"]) > 15
    assert ("errors" in problem) == (name == "invalid")


async def test_every_faulty_field_is_named_at_once(client: httpx.AsyncClient):
    sent = {"venue": 3, "party_size": "two", "guests": [], "resources": ["T1", 7], "area": None}
    answer = await client.post("/reservations", json=sent)
    messages = {error["field"]: error["message"] for error in answer.json()["errors"]}
    assert messages == {
        "guests": "is not a field of this request",
        "venue": "must be text, not a whole number",
        "starts_at": "is required",
        "party_size": "must be a whole number, not text",
        "resources[1]": "must be text, not a whole number",
    }


async def test_a_step_that_cannot_be_says_how_the_reservation_stands(client: httpx.AsyncClient):
    made = (await client.post("/reservations", json=booking())).json()
    await client.post(f"/reservations/{made['id']}/cancel", json={})
    problem = (await client.post(f"/reservations/{made['id']}/check-in", json={})).json()
    # `status` is what RFC 9457 calls so in every problem.
    assert (problem["status"], problem["reservation_status"]) == (409, "cancelled")


async def test_a_method_that_is_not_taken_names_those_that_are(client: httpx.AsyncClient):
    answer = await client.delete("/venues")
    assert "GET" in answer.headers["allow"]


async def test_nobody_sees_a_traceback_and_the_log_has_it_without_what_was_sent(
    hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def fails(request, *_, **__):
        raise KeyError(f"no idea what {request.user_id} wants")

    monkeypatch.setattr(hub.reservations, "create", fails)
    async with calling(hub) as client:
        answer = await client.post("/reservations", json=booking(user_id="anna@example.org"))
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (500, "urn:holdfast:error:internal")
    assert "KeyError" not in answer.text
    record = next(r for r in caplog.records if r.levelno == logging.ERROR)
    assert problem["error_id"] in record.getMessage()
    assert "KeyError" in record.getMessage()
    assert "test_errors.py" in record.getMessage()
    assert "anna" not in caplog.text


async def test_the_access_log_names_routes_and_tokens_and_nobody(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.INFO, logger="holdfast.api"):
        await client.get("/reservations/anna@example.org", params={"q": "anna"})
    line = next(r.getMessage() for r in caplog.records if r.name == "holdfast.api")
    assert line.startswith("GET /api/v1/reservations/{reference} 422 ")
    assert line.endswith(" ms admin-token")
    assert "anna" not in "".join(r.getMessage() for r in caplog.records if r.name != "httpx")


@pytest.mark.parametrize("path", ["/venues", "/nowhere", "http://localhost/metrics"])
async def test_every_answer_forbids_what_a_browser_might_do_with_it(
    client: httpx.AsyncClient, path: str
):
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8470", "127.0.0.1:1", "[::1]:80", "192.168.1.7", "desk.lan"]
)
async def test_addresses_loopback_names_and_the_bound_name_are_served(hub, host: str):
    async with calling(hub, hosts=["desk.lan"]) as client:
        own = {"Host": host, "Origin": f"http://{host}"}
        assert (await client.get("/venues", headers=own)).status_code == 200
