"""Replicas with the same entries show the same book: for every order, grouping and repetition.

One fleet lives through a day that has everything in it (concurrent changes, a copied device, a
restored hub, a device shut out). What it wrote is then cut into frames at random places, doubled,
damaged,
shuffled, and given to replicas that know nothing.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.model import restrictions
from holdfast.model.limits import PAGE_ENTRIES
from holdfast.node import guest_terms, restricting
from holdfast.node.exchange import Exchange
from holdfast.node.local_identity import LocalIdentity
from holdfast.node.replica import Replica
from holdfast.store.store import Store
from holdfast.sync.messages import Frame
from holdfast.sync.pages import PageDocument
from holdfast.sync.seals import chain_run, chain_start, client_id, sign_seal
from tests.kit import (
    NEXT_DAY,
    TRATTORIA,
    Fleet,
    assert_same_book,
    entries_of,
    exchange_once,
)

AGENT = "agent_" + "a" * 32


class Line(NamedTuple):
    """One branch of one chain, whole, and the key that seals it."""

    incarnation: bytes
    entries: list[bytes]
    key: Ed25519PrivateKey


class World(NamedTuple):
    book: str
    lines: list[Line]
    identity: LocalIdentity
    fleet: Fleet
    directory: Path


def frame_of(book: str, line: Line, have: int, upto: int) -> Frame:
    """What its author sends to somebody who holds `have` entries; within one page."""
    page = have // PAGE_ENTRIES
    assert (upto - 1) // PAGE_ENTRIES == page
    first = page * PAGE_ENTRIES
    document = PageDocument(client_id(book, line.incarnation, page))
    document.append(line.entries[first:upto])
    hashes = [chain_start(book, line.incarnation)]
    hashes += chain_run(hashes[0], line.entries[:upto])
    seal = sign_seal(line.key, book, line.incarnation, upto, hashes[upto])
    update = document.update_after(have - first)
    return Frame(line.incarnation, page, hashes[have], update, upto, seal)


def live_through_a_day(fleet: Fleet) -> None:
    hub, desk = fleet.the_hub, fleet.join("desk")
    kiosk, calls = fleet.join("kiosk", "kiosk"), fleet.join("calls", "channel")
    fleet.sync_all()
    first = fleet.reserve(desk, "12:00", ["T1"], guest={"name": "Anna"})
    hall = fleet.reserve(kiosk, "12:00", ["HALL"], party=6)
    fleet.sync_all()
    # Everybody changes the same things while nobody is connected.
    fleet.move(desk, first, time="14:00")
    fleet.move(calls, first, time=f"{NEXT_DAY}T12:00")
    fleet.move(kiosk, first, occasion="birthday")
    fleet.move(calls, hall, party_size=9)
    kiosk.reservations.cancel(hall.code)
    desk.reservations.check_in(hall.code)
    for node, table in itertools.product((desk, kiosk, calls), ("T1", "T2")):
        fleet.reserve(node, "19:30", [table], may_move=table == "T2")
        fleet.clocks.advance(seconds=3)
    # What the house makes of a guest, and makes of it again elsewhere.
    ban = guest_terms.restrict(desk, AGENT, "booking-ban", "no_shows")
    guest_terms.set_profile(desk, AGENT, "gold", ["member"])
    fleet.sync_all()
    guest_terms.lift(hub, ban, "paid")
    guest_terms.set_profile(hub, AGENT, None, ["regular"])
    guest_terms.restrict(hub, AGENT, "max-concurrent", "no_shows", value=2)
    # The desk's machine is rolled back unnoticed: two branches of one chain, later three.
    twin = fleet.clone_unnoticed("desk", "twin")
    desk = fleet.nodes["desk"]
    fleet.reserve(desk, "21:30", ["T1"])
    guest_terms.set_profile(desk, AGENT, "silver", [])
    limit = guest_terms.restrict(twin, AGENT, "max-concurrent", "unpaid", value=3)
    guest_terms.lift(twin, limit, "mistake")
    guest_terms.restrict(twin, AGENT, "max-advance-days", "no_shows", value=7)
    fleet.move(twin, first, source="phone")
    fleet.reserve(twin, "21:30", ["T1"])
    fleet.sync(desk, twin, kiosk, calls)
    # The hub is restored from a backup and goes on without the kiosk, which knows more.
    backup = fleet.copy("hub", "backup")
    hub = fleet.the_hub
    changed = copy.deepcopy(TRATTORIA)
    changed["buffer_minutes"] = 15
    hub.import_venue(changed)
    fleet.reserve(hub, "17:00", ["T1"])
    fleet.reserve(kiosk, "17:00", ["T1"])
    hub.reservations.cancel(fleet.reserve(hub, "17:00", ["T2"]).code)
    fleet.sync(kiosk)
    fleet.reserve(kiosk, "16:00", ["T3"], party=3)
    fleet.stop_hub()
    fleet.open("hub", backup)
    fleet.cut("kiosk")
    fleet.sync_all()
    fleet.the_hub.recover(proceed=True)
    fleet.reserve(fleet.the_hub, "17:00", ["T1"])
    fleet.sync_all()
    # What the kiosk knows comes to light all the same.
    exchange_once(calls, kiosk)
    calls.reservations.cancel(first.code)
    fleet.sync_all()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("world")
    with Fleet(directory) as fleet:
        live_through_a_day(fleet)
        keys: dict[bytes, Ed25519PrivateKey] = {}
        for replica in fleet.replicas():
            identity = replica.identity
            for incarnation in (identity.incarnation, *identity.succeeds):
                keys[incarnation] = identity.key
        lines: dict[tuple[bytes, bytes], Line] = {}
        for replica in fleet.replicas():
            for incarnation, key in keys.items():
                for entries in entries_of(replica, fleet.book, incarnation):
                    tip = chain_run(chain_start(fleet.book, incarnation), entries)[-1]
                    lines[incarnation, tip] = Line(incarnation, entries, key)
        whole = [line for line in lines.values() if not _is_prefix(line, lines.values())]
        assert len(whole) > len({line.incarnation for line in whole}), "no chain has branches"
        yield World(
            fleet.book, whole, fleet.nodes["calls"].identity, fleet, tmp_path_factory.mktemp("seen")
        )


def _is_prefix(line: Line, lines: Iterable[Line]) -> bool:
    return any(
        other.incarnation == line.incarnation
        and len(other.entries) > len(line.entries)
        and other.entries[: len(line.entries)] == line.entries
        for other in lines
    )


_numbers = itertools.count()


@contextlib.contextmanager
def stranger(world: World) -> Iterator[Replica]:
    """A replica that holds nothing yet."""
    directory = world.directory / f"replica{next(_numbers)}"
    directory.mkdir()
    identity = dataclasses.replace(world.identity, incarnation=os.urandom(16), succeeds=[])
    store = Store(directory, synchronous="OFF")
    replica = Replica(store, identity, world.fleet.clocks.of("stranger"))
    try:
        yield replica
    finally:
        replica.close()


def deliver(replica: Replica, book: str, groups: list[list[Frame]]) -> None:
    """Give frames in these groups; what lacks a predecessor is offered again, as by a sync."""
    for _ in range(sum(len(group) for group in groups) + 1):
        late: list[list[Frame]] = []
        for group in groups:
            with replica.transaction():
                refused = replica.merge(book, group).refused
            gaps = {(inc, page) for inc, page, reason in refused if reason == "gap"}
            again = [f for f in group if (f.incarnation, f.page) in gaps]
            if again:
                late.append(again)
        if not late:
            return
        groups = late
    raise AssertionError("some frames are refused for a gap for ever")


def administration_of(replica: Replica, book: str) -> dict[str, object]:
    found = replica.book(book).administration
    return {
        "venue": found.venue.venue if found.venue is not None else None,
        "closes": {i: (c.entries, c.head) for i, c in found.closes.items()},
        "revoked": found.revoked,
        "prefixes": {i: set(p) for i, p in found.prefixes.items()},
        "venue_key": found.venue_key,
    }


@pytest.fixture(scope="module")
def expected(world: World) -> dict[str, object]:
    """What a replica shows that got every chain whole, one after the other."""
    with stranger(world) as replica:
        for line in world.lines:
            deliver(replica, world.book, [[frame_of(world.book, line, 0, len(line.entries))]])
        shown = what_it_shows(replica, world.book)
    assert shown["lifts"] and shown["binding"] and shown["profile"]
    return shown


def what_it_shows(replica: Replica, book: str) -> dict[str, object]:
    return {
        "heads": Exchange(replica).heads_digest(book),  # type: ignore[arg-type]
        "digest": replica.store.projections.book_digest(book),
        "restrictions": restricting.written(replica, book),
        "lifts": sorted(restricting.lifts_of(replica, book, restricting.written(replica, book))),
        "binding": restricting.in_force(replica, book, AGENT),
        "profile": restrictions.profile_of(restricting.profiles_of(replica, book, AGENT)),
        **administration_of(replica, book),
    }


@st.composite
def deliveries(draw: st.DrawFn, world: World) -> list[list[Frame]]:
    """Every entry at least once, cut, doubled and overlapping at random, in random order."""
    frames: list[Frame] = []
    for line in world.lines:
        n = len(line.entries)
        cuts = sorted(draw(st.sets(st.integers(1, n - 1), max_size=5)) | {0, n})
        frames += [frame_of(world.book, line, a, b) for a, b in itertools.pairwise(cuts)]
        for _ in range(draw(st.integers(0, 2))):
            have = draw(st.integers(0, n - 1))
            frames.append(frame_of(world.book, line, have, draw(st.integers(have + 1, n))))
    for frame in draw(st.lists(st.sampled_from(frames), max_size=3)):
        cut = draw(st.integers(0, len(frame.update) - 1))
        frames.append(msgspec.structs.replace(frame, update=frame.update[:cut]))
    order = draw(st.permutations(frames))
    groups: list[list[Frame]] = []
    while order:
        size = draw(st.integers(1, 6))
        groups.append(order[:size])
        order = order[size:]
    return groups


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_same_entries_show_the_same_book_in_any_order(world, expected, data):
    groups = data.draw(deliveries(world), label="frames")
    with stranger(world) as replica:
        deliver(replica, world.book, groups)
        shown = what_it_shows(replica, world.book)
        for name, value in expected.items():
            assert shown[name] == value, f"{name} depends on the order of arrival"
        assert_same_book([replica], world.book)


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_replica_opened_again_shows_what_it_showed(world, expected, data):
    with stranger(world) as replica:
        deliver(replica, world.book, data.draw(deliveries(world)))
        directory, identity = replica.store.directory, replica.identity
    version = data.draw(st.sampled_from([1, 2]))
    with mock.patch("holdfast.node.replica.PROJECTION_VERSION", version):
        store = Store(directory, synchronous="OFF")
        again = Replica(store, identity, world.fleet.clocks.of("x"))
    try:
        shown = what_it_shows(again, world.book)
    finally:
        again.close()
    for name, value in expected.items():
        assert shown[name] == value, f"{name} is another after a restart"


def test_every_branch_that_was_written_is_held_and_no_other(world, expected):
    with stranger(world) as replica:
        for line in world.lines:
            for n in range(len(line.entries)):
                deliver(replica, world.book, [[frame_of(world.book, line, n, n + 1)]])
        for incarnation in {line.incarnation for line in world.lines}:
            held = entries_of(replica, world.book, incarnation)
            written = [line.entries for line in world.lines if line.incarnation == incarnation]
            assert sorted(held) == sorted(written)
        assert what_it_shows(replica, world.book) == expected


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_devices_that_exchange_with_each_other_bring_everything_to_everyone(tmp_path_factory, data):
    """Random exchanges between any two, hub and nodes alike, and random writes between them."""
    with Fleet(tmp_path_factory.mktemp("gossip")) as fleet:
        desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
        calls = fleet.join("calls", "channel")
        fleet.sync_all(2)
        nodes = [desk, kiosk, calls]
        views = []
        for _ in range(data.draw(st.integers(3, 14))):
            what = data.draw(st.sampled_from(["write", "write", "change", "meet", "meet", "sync"]))
            node = data.draw(st.sampled_from(nodes))
            fleet.clocks.advance(seconds=1)
            if what == "write":
                try:
                    table = data.draw(st.sampled_from([["T1"], ["T2"], []]))
                    views.append(fleet.reserve(node, "19:30", table))
                except Exception as error:  # a table that is taken is an answer too
                    assert type(error).__name__ == "NotAvailable"
            elif what == "change" and views:
                view = data.draw(st.sampled_from(views))
                shown = node.view(view.id)
                if (
                    shown is not None
                    and shown.code
                    and shown.status in ("confirmed", "commit_pending")
                ):
                    if data.draw(st.booleans()):
                        node.reservations.cancel(view.code)
                    else:
                        fleet.move(
                            node, view, occasion=data.draw(st.sampled_from(["birthday", "date"]))
                        )
            elif what == "meet":
                other = data.draw(st.sampled_from([n for n in nodes if n is not node]))
                exchange_once(node, other)
            else:
                node.sync()
        fleet.sync_all(3)
        fleet.assert_agree()
        for view in views:
            assert fleet.now(desk, view).pending == [], "a claim was never decided"
        assert [n.store.queue.waiting() for n in nodes] == [0, 0, 0]
