"""Where a request comes from: other sites and foreign names are refused, whatever they ask."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from holdfast.api.app import make_app
from holdfast.node.hub import Hub
from holdfast.node.settings import Settings
from tests.api.conftest import ADMIN, calling

pytestmark = pytest.mark.anyio

OWN = {"Host": "localhost:8470"}
FOREIGN_HOSTS = ["evil.example", "localhost.evil.example", "evil@localhost", "", "desk.lan:1"]


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
async def test_a_foreign_name_is_refused(client: httpx.AsyncClient, host: str):
    """DNS rebinding: a name of somebody else's that leads here."""
    for path in ("/venues", "http://localhost/healthz", "http://localhost/nowhere"):
        answer = await client.get(path, headers={"Host": host})
        assert answer.status_code == 403, path


async def test_names_of_the_settings_are_served(hub: Hub):
    hub.settings = Settings(hosts=("Desk.lan",))
    async with calling(hub) as client:
        assert (await client.get("/venues", headers={"Host": "desk.lan:8470"})).status_code == 200
        assert (await client.get("/venues", headers={"Host": "desk.wan"})).status_code == 403


CALLS = [
    # headers, what GET /venues and POST /session give
    ({}, 200, 422),
    ({"Origin": "http://localhost:8470"}, 200, 422),
    ({"Origin": "http://localhost:8470", "Sec-Fetch-Site": "same-origin"}, 200, 422),
    ({"Sec-Fetch-Site": "none"}, 200, 422),
    ({"Origin": "http://localhost:8471"}, 403, 403),
    ({"Origin": "http://evil.example"}, 403, 403),
    ({"Origin": "null"}, 403, 403),
    ({"Origin": ""}, 403, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403, 403),
    ({"Sec-Fetch-Site": "same-site"}, 403, 403),
    ({"Sec-Fetch-Site": "nonsense"}, 403, 403),
]


@pytest.mark.parametrize(("headers", "reads", "writes"), CALLS)
async def test_a_page_of_another_site_calls_nothing(
    client: httpx.AsyncClient, headers: dict[str, str], reads: int, writes: int
):
    assert (await client.get("/venues", headers=OWN | headers)).status_code == reads
    assert (await client.post("/session", json={}, headers=OWN | headers)).status_code == writes
    if reads == 403:
        assert (await client.get("/stream", headers=OWN | headers)).status_code == 403


async def test_a_link_on_another_site_may_lead_to_what_stands_at_the_root(
    client: httpx.AsyncClient,
):
    headers = OWN | {"Sec-Fetch-Site": "cross-site"}
    assert (await client.get("http://localhost/healthz", headers=headers)).status_code == 200
    assert (await client.post("http://localhost/healthz", headers=headers)).status_code == 403


async def test_requests_between_replicas_are_signed_and_may_come_under_any_name(
    client: httpx.AsyncClient,
):
    answer = await client.post(
        "http://hub.example/sync/v1/join", content=b"x", headers={"Host": "hub.example"}
    )
    assert answer.status_code == 422


async def _opened(hub: Hub, path: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    """What an application sends to somebody who opens a socket."""
    app = make_app(hub, admin_token=ADMIN)
    sent: list[dict[str, Any]] = []
    scope: Any = {
        "type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"",
        "root_path": "", "scheme": "ws", "client": ("127.0.0.1", 1), "server": None,
        "subprotocols": [], "extensions": {}, "state": {}, "http_version": "1.1",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async with app.lifespan():
        await app(scope, receive, send)
    return sent


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        OWN | {"Origin": "http://evil.example"},
        OWN | {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_page_of_another_site_opens_no_socket(hub: Hub, headers: dict[str, str]):
    (closed,) = await _opened(hub, "/api/v1/anything", headers)
    assert (closed["type"], closed["code"]) == ("websocket.close", 1008)


async def test_every_answer_says_what_a_browser_may_not_do(client: httpx.AsyncClient):
    for path, headers in [
        ("/venues", {}),
        ("/nowhere", {}),
        ("/venues", {"Host": "evil.example"}),
        ("/venues", {"Authorization": "Bearer wrong"}),
        ("http://localhost/healthz", {}),
        ("http://localhost/schema/openapi.json", {}),
    ]:
        answer = await client.get(path, headers=headers)
        told = {name: answer.headers.get(name) for name in (
            "x-content-type-options", "referrer-policy", "x-frame-options", "cache-control",
            "content-security-policy", "cross-origin-resource-policy",
        )}  # fmt: skip
        assert told == {
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "x-frame-options": "DENY",
            "cache-control": "no-store",
            "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
            "cross-origin-resource-policy": "same-origin",
        }, path
        assert "server" not in answer.headers
        assert "strict-transport-security" not in answer.headers, "without TLS it means nothing"


@pytest.mark.parametrize("path", ["//api/v1/venues", "///api//v1/venues"])
async def test_more_slashes_lead_past_no_check_of_other_sites(hub: Hub, path: str):
    """The router takes several slashes for one."""
    headers = OWN | {"Sec-Fetch-Site": "cross-site", "Authorization": f"Bearer {ADMIN}"}
    (start, _) = await _asked(hub, "GET", path, headers)
    assert start["status"] == 403
    del headers["Sec-Fetch-Site"]
    (start, _) = await _asked(hub, "GET", path, headers)
    assert start["status"] == 200


@pytest.mark.parametrize("path", ["/sync/../api/v1/venues", "/sync/v1/../../api/v1/venues"])
async def test_no_way_round_through_the_paths_of_replicas_leads_to_the_api(hub: Hub, path: str):
    headers = {"Host": "evil.example", "Authorization": f"Bearer {ADMIN}"}
    (start, _) = await _asked(hub, "GET", path, headers)
    assert start["status"] == 404


async def _asked(hub: Hub, method: str, path: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    """What an application answers to a path that no client would leave as it is."""
    app = make_app(hub, admin_token=ADMIN)
    sent: list[dict[str, Any]] = []
    scope: Any = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": b"", "root_path": "", "scheme": "http", "client": ("127.0.0.1", 1),
        "server": None, "state": {}, "http_version": "1.1",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    async with app.lifespan():
        await app(scope, receive, send)
    return sent
