"""A hub behind its HTTP face, in memory of the test and on a real directory; builders for both."""

from __future__ import annotations

import datetime
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from holdfast.api.app import make_app
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from tests.api.described import Transport

ADMIN = "the-admin-token-of-these-tests"
DAY = (datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=3)).isoformat()


def venue_document(**changes: Any) -> dict[str, Any]:
    """A trattoria with two tables that never closes; what it wishes for the bar is the hub's."""
    return {
        "venue": "trattoria",
        "name": "Trattoria da Mario",
        "kind": "restaurant",
        "time_zone": "Europe/Rome",
        "slot_minutes": 15,
        "seating_minutes": 90,
        "policies": {"max_party": 12},
        "resources": [
            {"id": "T1", "kind": "table", "seats": [1, 4]},
            {"id": "T2", "kind": "table", "seats": [1, 4]},
        ],
        "allotments": [{"holder": "bar", "resources": ["T*"], "release_minutes": 0}],
    } | changes


GARDEN = "G1"
"""The one table of `divided_venue` that the desk does not hold."""


def divided_venue() -> dict[str, Any]:
    """The same with a third table: T1 and T2 are the desk's to sell, the garden's the hub's."""
    garden = {"id": GARDEN, "kind": "table", "seats": [1, 4]}
    tables = [*venue_document()["resources"], garden]
    return venue_document(resources=tables, allotments=[{"holder": "desk", "resources": ["T*"]}])


def booking(**changes: Any) -> dict[str, Any]:
    """A request for a table for two."""
    return {"venue": "trattoria", "starts_at": f"{DAY}T19:30", "party_size": 2} | changes


def bearer(token: str = ADMIN) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def calling(
    replica: Hub | Node, token: str | None = ADMIN, **options: Any
) -> AsyncGenerator[httpx.AsyncClient, None]:
    """A client of a replica's application, whose life goes with it.

    Every answer that it gets must be one that the OpenAPI document describes.
    """
    app = make_app(replica, admin_token=ADMIN, **options)
    transport = Transport(app, raise_app_exceptions=False)  # type: ignore[arg-type]
    headers = {} if token is None else bearer(token)
    async with (
        app.lifespan(),
        httpx.AsyncClient(
            transport=transport, base_url="http://localhost/api/v1", headers=headers
        ) as client,
    ):
        yield client


async def token_for(client: httpx.AsyncClient, role: str, agent_id: str | None = None) -> str:
    """A new token of a role."""
    body = {"name": f"a-{role}", "role": role, "agent_id": agent_id}
    made = await client.post("/tokens", json=body)
    assert made.status_code == 201, made.text
    token: str = made.json()["token"]
    return token


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def trattoria() -> dict[str, Any]:
    """The venue file of `hub`; a test file may have another."""
    return venue_document()


@pytest.fixture
def hub(tmp_path: Path, trattoria: dict[str, Any]) -> Generator[Hub, None, None]:
    """A hub with one venue."""
    hub = Hub.init(tmp_path / "hub", "acme", synchronous="NORMAL")
    hub.import_venue(trattoria)
    yield hub
    hub.close()


@pytest.fixture
async def client(hub: Hub) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with calling(hub) as client:
        yield client


@pytest.fixture
def hub_url(hub: Hub) -> Generator[str, None, None]:
    """The same hub on a real port, in a thread."""
    config = uvicorn.Config(
        make_app(hub, admin_token=ADMIN), port=0, log_config=None, timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    started = threading.Event()
    startup = server.startup

    async def told(sockets: Any = None) -> None:
        await startup(sockets=sockets)
        started.set()

    server.startup = told  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run)
    thread.start()
    assert started.wait(20), "the hub did not start"
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def desk(hub: Hub, hub_url: str, tmp_path: Path) -> Generator[Node, None, None]:
    """A front desk that joined the hub."""
    code = hub.invite("trattoria", "front-desk", "desk").code
    node = Node.join(hub_url, code, tmp_path / "desk", synchronous="NORMAL")
    yield node
    node.close()
