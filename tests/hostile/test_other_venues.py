"""A device gets its own venue's book and no other, whatever it asks and however it asks it."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from holdfast.model.errors import Forbidden, HoldfastError, Invalid
from holdfast.node import renewing, serving, transport
from holdfast.node.exchange import Exchange
from holdfast.node.hub import Hub
from holdfast.node.local_identity import LocalIdentity
from holdfast.node.node import Node
from holdfast.node.renewing import RENEW_PATH
from holdfast.sync import live_keys, messages
from holdfast.sync.messages import Cursor, ExchangeRequest
from tests.kit import HOTEL, TENANT, TRATTORIA, URL, Fleet, posted

OTHER = f"{TENANT}/osteria"
Ask = Callable[[Fleet, Node, ExchangeRequest], ExchangeRequest]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[tuple[Fleet, Node, Node]]:
    """A fleet with two venues, a desk in one and a bar in the other, both with sales."""
    with Fleet(tmp_path) as fleet:
        fleet.the_hub.import_venue({**copy.deepcopy(TRATTORIA), "venue": "osteria"})
        fleet.the_hub.import_venue(copy.deepcopy(HOTEL))
        desk, bar = fleet.join("desk"), fleet.join("bar", "front-desk", "osteria")
        fleet.reserve(desk, "19:30", ["T1"])
        fleet.reserve(bar, "19:30", ["T1"], venue="osteria")
        fleet.sync_all()
        yield fleet, desk, bar


def of_other(fleet: Fleet, desk: Node, request: ExchangeRequest) -> ExchangeRequest:
    return msgspec.structs.replace(request, book=OTHER)


def with_their_cursor(fleet: Fleet, desk: Node, request: ExchangeRequest) -> ExchangeRequest:
    cursor = Cursor(fleet.the_hub.identity.incarnation, 0, 0)
    return msgspec.structs.replace(request, book=OTHER, cursor=cursor, heads=None)


def with_frames(fleet: Fleet, desk: Node, request: ExchangeRequest) -> ExchangeRequest:
    frames, _ = Exchange(desk).frames_lacking(desk.home, {})
    return msgspec.structs.replace(request, book=OTHER, frames=tuple(frames))


def as_their_device(fleet: Fleet, desk: Node, request: ExchangeRequest) -> ExchangeRequest:
    bar = fleet.nodes["bar"].identity.incarnation
    return msgspec.structs.replace(request, book=OTHER, sender=bar)


def of_another_tenant(fleet: Fleet, desk: Node, request: ExchangeRequest) -> ExchangeRequest:
    return msgspec.structs.replace(request, book="other/trattoria")


def of_the_tenants_own(fleet: Fleet, desk: Node, request: ExchangeRequest) -> ExchangeRequest:
    return msgspec.structs.replace(request, book=f"{TENANT}/*")


def of_nothing(fleet: Fleet, desk: Node, request: ExchangeRequest) -> ExchangeRequest:
    return msgspec.structs.replace(request, book="")


ASKED: tuple[Ask, ...] = (
    of_other, with_their_cursor, with_frames, as_their_device, of_another_tenant,
    of_the_tenants_own, of_nothing,
)  # fmt: skip


def state_of(hub: Hub) -> tuple[object, ...]:
    journal = hub.store.journal
    heads = [
        (c.book, c.incarnation, c.length, c.head)
        for name in sorted(hub.books)
        for c in journal.chains(name)
    ]
    return heads, sorted(hub.books), hub.store.records.fleet(), hub.store.records.certificates()


@pytest.mark.parametrize("ask", ASKED, ids=lambda ask: ask.__name__)
def test_an_exchange_about_another_book_is_refused_and_changes_nothing(
    town: tuple[Fleet, Node, Node], ask: Ask
) -> None:
    fleet, desk, _ = town
    request = ask(fleet, desk, Exchange(desk).request(desk.new_peer()))
    before = state_of(fleet.the_hub)
    with pytest.raises(Forbidden):
        posted(fleet.hub, desk.identity, transport.EXCHANGE_PATH, messages.encode(request))
    assert state_of(fleet.the_hub) == before


@pytest.mark.parametrize("ask", ASKED, ids=lambda ask: ask.__name__)
def test_nor_is_it_heard_on_the_live_channel_or_told_any_news(
    town: tuple[Fleet, Node, Node], ask: Ask
) -> None:
    fleet, desk, bar = town
    session = live_session(fleet, desk.identity)
    good = Exchange(desk).request(desk.new_peer())
    before = state_of(fleet.the_hub)
    with pytest.raises(Forbidden):
        session.receive(messages.encode(ask(fleet, desk, good)))
    assert state_of(fleet.the_hub) == before
    fleet.reserve(bar, "21:00", ["T2"], venue="osteria")
    fleet.sync(bar)
    assert session.news() is None
    session.close()


def live_session(fleet: Fleet, identity: LocalIdentity) -> serving.LiveSession:
    key = live_keys.write_key(X25519PrivateKey.generate())
    headers = transport.signed_headers(identity, "GET", URL + transport.LIVE_PATH, b"", key)

    async def accept() -> serving.LiveSession:
        return serving.LiveSession.accept(
            fleet.the_hub, "GET", transport.LIVE_PATH, "hub.test", headers
        )

    return asyncio.run(accept())


def test_what_a_device_is_told_holds_nothing_of_another_book(
    town: tuple[Fleet, Node, Node],
) -> None:
    fleet, desk, bar = town
    fleet.the_hub.renew(new_key=True)
    fleet.sync_all()
    told = posted(
        fleet.hub, desk.identity, transport.EXCHANGE_PATH,
        messages.encode(Exchange(desk).request(desk.new_peer())),
    )  # fmt: skip
    answer = messages.decode(told, messages.ExchangeResponse)
    known = set(fleet.the_hub.book(desk.home).authors)
    assert {frame.incarnation for frame in answer.frames} <= known
    assert {head.incarnation for head in answer.heads or ()} <= known
    assert bar.identity.incarnation not in known
    assert list(desk.store.journal.books()) == [desk.home]


def test_a_renewal_says_nothing_of_a_book_and_is_for_whom_the_certificate_names(
    town: tuple[Fleet, Node, Node],
) -> None:
    fleet, desk, bar = town
    # There is no field in which another venue, name or role could be asked for.
    assert renewing.RenewRequest.__struct_fields__ == ("version", "key", "proof")
    stolen = renewing.request_for(bar.identity.proven, bar.identity.key)
    with pytest.raises(HoldfastError):
        posted(fleet.hub, desk.identity, RENEW_PATH, stolen)
    desk.renew()
    assert desk.identity.proven.writer == (TENANT, "trattoria", "front-desk", "desk")


def test_a_certificate_of_another_tenant_is_nobody_here(
    town: tuple[Fleet, Node, Node], tmp_path: Path
) -> None:
    fleet = town[0]
    with Fleet(tmp_path / "else") as other:
        stranger = other.join("desk")
        body = messages.encode(Exchange(stranger).request(stranger.new_peer()))
        before = state_of(fleet.the_hub)
        for path in (transport.EXCHANGE_PATH, RENEW_PATH):
            with pytest.raises(HoldfastError, match="not issued by this tenant"):
                posted(fleet.hub, stranger.identity, path, body)
        with pytest.raises(HoldfastError, match="not issued by this tenant"):
            live_session(fleet, stranger.identity)
        assert state_of(fleet.the_hub) == before


@pytest.mark.parametrize("path", sorted(serving.HANDLERS))
def test_a_request_for_one_path_is_none_for_another(
    town: tuple[Fleet, Node, Node], path: str
) -> None:
    """What was signed for one kind of request is read as no other kind."""
    fleet, desk, _ = town
    bodies = {
        transport.EXCHANGE_PATH: messages.encode(Exchange(desk).request(desk.new_peer())),
        RENEW_PATH: renewing.request_for(desk.identity.proven, desk.identity.key),
    }
    for meant, body in bodies.items():
        if meant == path:
            continue
        before = state_of(fleet.the_hub)
        with pytest.raises((Invalid, HoldfastError)):
            posted(fleet.hub, desk.identity, path, body)
        assert state_of(fleet.the_hub) == before
