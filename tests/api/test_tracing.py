"""The steps of a reservation's making, told to whoever asks: their order, and that a step which
refuses is the last and leaves nothing behind (S-05)."""

from __future__ import annotations

import copy
import re
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from holdfast.model.errors import StorageFull
from holdfast.model.pseudonyms import agent_id
from holdfast.node import placing, tracing
from holdfast.node.node import Node
from holdfast.node.requests import CreateRequest
from holdfast.node.settings import Settings
from tests.api.conftest import bearer, calling, token_for
from tests.kit import DAY, TRATTORIA, Fleet

pytestmark = pytest.mark.anyio

ORDER = [
    "rate-limit", "request", "person", "rules", "availability", "contact", "right", "create",
]  # fmt: skip
TRACE = {"Prefer": "trace"}
BANNED = agent_id(b"k" * 32, "banned")
PHONE = "+39 055 1234567"
WANTED = {
    "venue": "trattoria", "starts_at": f"{DAY}T19:30", "party_size": 2, "resources": ["T1"],
}  # fmt: skip
RIGHTS: dict[str, Any] = copy.deepcopy(TRATTORIA) | {
    "allotments": [{"holder": "desk", "resources": ["T*"]}]
}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with Fleet(tmp_path, RIGHTS) as fleet:
        made = fleet.join("desk")
        fleet.sync_all()
        yield made


@pytest.fixture
async def desk(node: Node) -> AsyncGenerator[httpx.AsyncClient, None]:
    """A desk at which T2 is taken, and a guest with a telephone number is banned."""
    node.settings = Settings(requests_per_second=20)
    frozen = node.clock.monotonic_ms()
    node.clock.monotonic_ms = lambda: frozen  # type: ignore[method-assign]
    async with calling(node) as client:
        for body in (
            WANTED | {"resources": ["T2"]},
            WANTED | {"resources": ["T3"], "agent_id": BANNED, "guest": {"phone": PHONE}},
        ):
            assert (await client.post("/reservations", json=body)).status_code == 201
        ban = {"venue": "trattoria", "restriction": "booking-ban", "reason": "repeated_no_shows"}
        banned = await client.post(f"/guests/{BANNED}/restrictions", json=ban)
        assert banned.status_code == 201, banned.text
        yield client


def steps(answer: httpx.Response) -> list[str]:
    """The names of the steps, `!` behind what refused."""
    found = re.findall(
        r'([a-z-]+);dur=\d+\.\d\d(;desc="refused")?(?:, |$)', answer.headers["server-timing"]
    )
    return [name + ("!" if refused else "") for name, refused in found]


async def everything(client: httpx.AsyncClient, node: Node) -> list[Any]:
    """What a reservation or held capacity would show in."""
    query = {"venue": "trattoria", "date": DAY, "party_size": "2", "include": "full"}
    journal = node.store.journal
    chain = journal.chain(node.home, node.identity.incarnation)
    assert chain is not None
    return [
        (await client.get("/availability", params=query)).json(),
        *[(await client.get(f"/{name}")).json() for name in ("reservations", "holds", "queue")],
        chain.length,
        node.store.db.conn.execute("SELECT count(*) FROM claims").fetchone(),
    ]


async def test_the_steps_of_one_making_come_in_this_order(desk: httpx.AsyncClient):
    made = await desk.post("/reservations", json=WANTED, headers=TRACE)
    assert made.status_code == 201
    assert steps(made) == ORDER
    alone = await desk.post("/reservations", json=WANTED | {"resources": ["T4"]})
    assert alone.status_code == 201
    assert "server-timing" not in alone.headers, "who does not ask is told nothing"
    assert "server-timing" not in (await desk.get("/reservations", headers=TRACE)).headers


def breaks(module: object, name: str) -> Callable[[pytest.MonkeyPatch], None]:
    """The disk is full when this is called."""

    def full(*_: object, **__: object) -> None:
        raise StorageFull("the disk is full")

    return lambda monkeypatch: monkeypatch.setattr(module, name, full)


def as_it_is(_: pytest.MonkeyPatch) -> None:
    """Nothing is broken."""


@pytest.mark.parametrize(
    ("last", "changes", "status", "prepare"),
    [
        ("request", {"party_size": "two"}, 422, as_it_is),
        ("request", {"starts_at": "soon"}, 422, as_it_is),
        ("request", {"venue": "nowhere"}, 404, as_it_is),
        ("person", {"agent_id": BANNED}, 403, as_it_is),
        ("rules", {"party_size": 99}, 409, as_it_is),
        ("availability", {"resources": ["T2"]}, 409, as_it_is),
        ("contact", {"guest": {"phone": PHONE}}, 403, as_it_is),
        ("right", {}, 507, breaks(placing, "claims_of")),
        ("create", {}, 507, breaks(Node, "append")),
    ],
)
async def test_a_step_that_refuses_is_the_last_and_leaves_nothing(
    desk: httpx.AsyncClient,
    node: Node,
    monkeypatch: pytest.MonkeyPatch,
    last: str,
    changes: dict[str, Any],
    status: int,
    prepare: Callable[[pytest.MonkeyPatch], None],
):
    before = await everything(desk, node)
    with monkeypatch.context() as patched:
        prepare(patched)
        refused = await desk.post("/reservations", json=WANTED | changes, headers=TRACE)
    assert refused.status_code == status, refused.text
    assert steps(refused) == [*ORDER[: ORDER.index(last)], f"{last}!"]
    assert await everything(desk, node) == before
    made = await desk.post("/reservations", json=WANTED)
    assert made.json()["status"] == "confirmed", "what was asked for is still there"


async def test_who_asks_too_often_comes_to_no_other_step(desk: httpx.AsyncClient, node: Node):
    token = bearer(await token_for(desk, "staff"))
    before = await everything(desk, node)
    for _ in range(100):
        assert (await desk.get("/venues", headers=token)).status_code == 200
    refused = await desk.post("/reservations", json=WANTED, headers=TRACE | token)
    assert refused.status_code == 429
    assert steps(refused) == ["rate-limit!"]
    assert await everything(desk, node) == before


async def test_the_same_again_goes_through_no_step_twice(desk: httpx.AsyncClient):
    headers = TRACE | {"Idempotency-Key": "once"}
    first, again = [
        await desk.post("/reservations", json=WANTED, headers=headers) for _ in range(2)
    ]
    assert (steps(first), steps(again)) == (ORDER, ["rate-limit"])


@pytest.mark.parametrize("role", ["kiosk", "guest"])
async def test_who_may_not_know_why_a_person_is_refused_is_told_no_step(
    desk: httpx.AsyncClient, role: str
):
    token = bearer(await token_for(desk, role, BANNED if role == "guest" else None))
    wanted = WANTED if role == "guest" else WANTED | {"agent_id": BANNED}
    refused = await desk.post("/reservations", json=wanted, headers=TRACE | token)
    assert refused.status_code == 403
    assert "server-timing" not in refused.headers


def test_a_program_that_embeds_a_node_has_the_same_steps(node: Node):
    found = tracing.begin()
    try:
        node.reservations.create(asked("T1"))
    finally:
        tracing.stop()
    assert [one.name for one in found] == ORDER[1:]
    assert not any(one.refused for one in found)
    node.reservations.create(asked("T2"))
    assert len(found) == len(ORDER) - 1, "after the end nothing is kept"


def asked(table: str) -> CreateRequest:
    return CreateRequest(
        venue="trattoria", starts_at=f"{DAY}T19:30", party_size=2, resources=[table]
    )
