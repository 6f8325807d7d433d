"""Who asks too often is told when to come again; nobody else waits for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from holdfast.api.app import make_app
from holdfast.api.rates import Buckets, Rate, address_of
from holdfast.model.errors import RateLimited
from holdfast.model.limits import WRONG_TOKENS_AT_ONCE
from holdfast.model.pseudonyms import agent_id
from holdfast.node.hub import Hub
from holdfast.node.settings import Settings
from tests.api.conftest import ADMIN, bearer, booking, calling, token_for

pytestmark = pytest.mark.anyio

ANNA = agent_id(b"k" * 32, "anna")


class Clock:
    """Milliseconds that only the test moves."""

    def __init__(self) -> None:
        self.ms = 5_000.0

    def __call__(self) -> float:
        return self.ms


HISTORIES = [
    # rate a second, at once; then: after so many milliseconds, how many of five are let through
    ((1, 3), [(0, 3), (0, 0), (999, 0), (1, 1), (10_000, 3)]),
    ((10, 1), [(0, 1), (50, 0), (50, 1), (1_000, 1)]),
    ((0.5, 2), [(0, 2), (1_999, 0), (1, 1), (-5_000, 0), (7_000, 1)]),
]


@pytest.mark.parametrize(("rate", "history"), HISTORIES)
async def test_a_bucket_gives_what_has_come_in(rate: tuple[float, float], history: Any):
    clock = Clock()
    buckets = Buckets(Rate("tries", *rate), clock)
    for after_ms, let in history:
        clock.ms += after_ms
        assert sum(_is_let(buckets) for _ in range(5)) == let, after_ms


def _is_let(buckets: Buckets, who: str = "one") -> bool:
    try:
        buckets.take(who)
    except RateLimited:
        return False
    return True


async def test_the_refusal_says_when_and_coming_then_is_enough():
    clock = Clock()
    buckets = Buckets(Rate("tries", 0.1, 1), clock)
    buckets.take("one")
    with pytest.raises(RateLimited, match="too many tries; try again in 10 seconds") as refused:
        buckets.take("one")
    assert refused.value.extra["retry_after"] == 10
    buckets.take("other")
    clock.ms += 10_000
    buckets.take("one")


async def test_the_memory_is_bounded_and_forgets_who_was_longest_away():
    buckets = Buckets(Rate("tries", 1, 1), Clock(), kept=3)
    for who in "abcade":
        _is_let(buckets, who)
    assert len(buckets) == 3
    assert [_is_let(buckets, who) for who in "ab"] == [False, True]


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (None, ""),
        (("192.0.2.7", 1), "192.0.2.7"),
        (("::ffff:192.0.2.7", 1), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 1), "2001:db8:1:2::/64"),
        (("testclient", 1), "testclient"),
    ],
)
async def test_who_an_address_belongs_to(client: tuple[str, int] | None, address: str):
    assert address_of(client) == address


# --- at the routes --------------------------------------------------------------------------------


@pytest.fixture
def bounded(hub: Hub) -> Callable[..., Hub]:
    """The hub with other bounds, and a clock that stands still."""

    def set_to(**settings: float) -> Hub:
        now_ms = hub.clock.monotonic_ms()
        hub.settings = Settings(**settings)  # type: ignore[arg-type]
        hub.clock.monotonic_ms = lambda: now_ms  # type: ignore[method-assign]
        return hub

    return set_to


async def test_each_token_has_its_own_bound(bounded: Callable[..., Hub]):
    async with calling(bounded(requests_per_second=2)) as client:
        one, other = [bearer(await token_for(client, role)) for role in ("staff", "read-only")]
        found = [(await client.get("/venues", headers=one)).status_code for _ in range(11)]
        assert found == [200] * 10 + [429]
        refused = await client.get("/venues", headers=one)
        assert refused.json()["type"] == "urn:holdfast:error:rate-limited"
        assert refused.headers["retry-after"] == "1"
        assert (await client.get("/venues", headers=other)).status_code == 200


async def test_what_needs_no_token_is_bounded_by_address(bounded: Callable[..., Hub]):
    async with calling(bounded(requests_per_second=1)) as client:
        path = "http://localhost/healthz"
        found = [(await client.get(path)).status_code for _ in range(6)]
        assert found == [200] * 5 + [429]


@pytest.mark.parametrize(("role", "bound"), [("kiosk", True), ("guest", True), ("staff", False)])
async def test_kiosks_and_guests_ask_for_so_many_reservations(
    bounded: Callable[..., Hub], role: str, bound: bool
):
    async with calling(bounded(bookings_per_minute=3)) as client:
        own = bearer(await token_for(client, role, ANNA if role == "guest" else None))
        found = [
            (await client.post("/reservations", json=booking(party_size=99), headers=own))
            for _ in range(4)
        ]
        assert [one.status_code for one in found] == [409] * 3 + [429 if bound else 409]
        if bound:
            assert found[-1].headers["retry-after"] == "20"
            for path in ("/holds", "/waitlist"):
                assert (await client.post(path, json={}, headers=own)).status_code == 429
            assert (await client.get("/venues", headers=own)).status_code == 200


async def test_wrong_tokens_are_bounded_and_right_ones_pass_beside_them(
    bounded: Callable[..., Hub], client: httpx.AsyncClient
):
    async with calling(bounded()) as client:
        wrong = [
            (await client.get("/venues", headers=bearer(f"hft_{number}"))).status_code
            for number in range(WRONG_TOKENS_AT_ONCE + 1)
        ]
        assert wrong == [401] * WRONG_TOKENS_AT_ONCE + [429]
        tickets = await client.post("/session", json={"ticket": "hfo_x"})
        assert tickets.status_code == 429
        assert (await client.get("/venues")).status_code == 200
        nothing = await client.get("/venues", headers={"Authorization": ""})
        assert nothing.status_code in (401, 429)


async def test_requests_between_replicas_have_a_bound_of_their_own(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("holdfast.api.rates.SYNC_REQUESTS_PER_SECOND", 0.5)
    async with calling(hub) as client:
        path = "http://localhost/sync/v1/join"
        found = [(await client.post(path, content=b"x")) for _ in range(3)]
        assert [one.status_code for one in found] == [422, 422, 429]
        assert found[-1].headers["retry-after"] == "2"
        assert found[-1].headers["content-type"] == "application/problem+json"
        assert (await client.get("/venues")).status_code == 200


async def test_replicas_are_bounded_by_address_however_their_path_is_written(hub: Hub):
    """The router takes several slashes for one."""
    app = make_app(hub, admin_token=ADMIN)
    face = app.state.face
    face.access.rates.sync = Buckets(Rate("exchanges", 1, 4), lambda: 0.0)
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with app.lifespan(), httpx.AsyncClient(transport=transport) as client:
        urls = ["http://localhost/sync/v1/join", "http://localhost//sync/v1/join"]
        found = [(await client.post(url, content=b"x")).status_code for url in urls * 3]
    assert found == [422] * 4 + [429] * 2
