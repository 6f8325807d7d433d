"""A node's hub may move, and its code may be new, while the node's process runs."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from holdfast.node.hub import Hub
from holdfast.node.node import Node
from tests.api.conftest import GARDEN, booking, calling, divided_venue, token_for

pytestmark = pytest.mark.anyio


@pytest.fixture
def trattoria() -> dict[str, Any]:
    return divided_venue()


async def test_another_address_counts_from_the_next_exchange_on(desk: Node, hub_url: str):
    async with calling(desk) as client:
        gone = await client.post("/sync/hub", json={"url": "http://127.0.0.1:9/"})
        assert (gone.status_code, gone.json()["hub"]) == (200, "http://127.0.0.1:9")
        assert (await client.post("/sync/now")).status_code == 503
        back = await client.post("/sync/hub", json={"url": hub_url})
        assert back.json()["hub"] == hub_url
        assert (await client.post("/sync/now")).status_code == 200


async def test_what_is_no_address_is_refused_and_changes_nothing(desk: Node, hub_url: str):
    async with calling(desk) as client:
        refused = await client.post("/sync/hub", json={"url": "hub.example.org"})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "url")
        assert (await client.get("/sync")).json()["hub"] == hub_url


async def test_an_address_in_the_settings_wins_and_says_so(hub: Hub, desk: Node, tmp_path: Path):
    directory = desk.directory
    desk.close()
    node = Node.open(directory, hub_url="http://127.0.0.1:9", synchronous="NORMAL")
    try:
        async with calling(node) as client:
            refused = await client.post("/sync/hub", json={"url": "http://127.0.0.1:10"})
            assert refused.status_code == 409
            assert "hub_url" in refused.json()["detail"]
    finally:
        node.close()


async def test_a_new_code_gives_a_new_certificate_and_keeps_the_data(hub: Hub, desk: Node):
    before = desk.identity.certificates
    async with calling(desk) as client:
        made = (await client.post("/reservations", json=booking(resources=[GARDEN]))).json()
        own = (await client.post("/reservations", json=booking())).json()
        assert own["assurance"] == "guaranteed"
        wrong = await client.post("/sync/rejoin", json={"code": "nonsense"})
        assert wrong.status_code == 401
        code = hub.invite("trattoria", "front-desk", "desk").code
        assert (await client.post("/sync/rejoin", json={"code": code})).status_code == 200
        assert desk.identity.certificates != before
        assert (await client.post("/sync/now")).json()["pushed"] >= 1
        found = (await client.get(f"/reservations/{made['id']}")).json()
        assert found["assurance"] == "admitted"
        # It is another life, whose rights a person gives it (DESIGN §5.8).
        again = (await client.post("/reservations", json=booking())).json()
        assert again["assurance"] == "provisional"
        assert hub.granting.fulfil(hub.book_of("trattoria"), again="desk") == 1
        await client.post("/sync/now")
        after = (await client.post("/reservations", json=booking())).json()
        assert after["assurance"] == "guaranteed"


async def test_a_cut_off_node_cannot_rejoin(hub: Hub, desk: Node):
    code = hub.invite("trattoria", "front-desk", "desk").code
    async with calling(desk) as client:
        await client.post("/sync/pause")
        assert (await client.post("/sync/rejoin", json={"code": code})).status_code == 503


async def test_only_the_directorys_own_token_may_and_only_at_a_node(hub: Hub, desk: Node):
    async with calling(desk) as client:
        token = await token_for(client, "supervisor")
    async with calling(desk, token) as client:
        body = {"url": "http://127.0.0.1:9"}
        assert (await client.post("/sync/hub", json=body)).status_code == 403
    async with calling(hub) as client:
        assert (await client.post("/sync/hub", json=body)).status_code == 403


def test_exchanges_from_many_threads_take_turns(desk: Node):
    """A second caller waits; both get an answer, and the books agree."""
    done: list[object] = []

    def exchange() -> None:
        done.append(desk.sync()["books_differing"])

    threads = [threading.Thread(target=exchange) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert done == [[], [], [], []]
