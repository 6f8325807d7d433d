"""Nothing lost while merging: `kill -9` of a hub that takes in, or of a node that pulls."""

from __future__ import annotations

import random
import select
import time
from pathlib import Path

import pytest

from holdfast.model.errors import Unreachable
from holdfast.model.ids import uuid_text
from holdfast.node import exchange
from holdfast.node.exchange import Exchange
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from holdfast.node.service import Service
from holdfast.store import queue
from tests.kill import children
from tests.kill.places import BOOK, make_hub
from tests.kill.support import (
    Child,
    Ledger,
    child,
    dice,
    examine,
    histories,
    leave,
    quick,
    reopened,
    write,
)
from tests.kit import assert_no_overlap, assert_same_book, every_view

pytestmark = pytest.mark.kill

PIECE = 48
"""Entries of a message here: a backlog of some hundreds comes in many pieces."""
KILLS_PER_HISTORY = 10


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "EXCHANGE_ENTRIES", PIECE)


class Fatal(children.Wire):
    """To a hub in a child process, which is killed at a random moment of one of its messages: while
    it takes it in, when it has answered and nobody has read it, or right after."""

    def __init__(self, node: Node, hub: Child, rng: random.Random, message: int) -> None:
        super().__init__(node, hub.pipe)
        self._hub = hub
        self._rng = rng
        self._left = message
        self._usual_s = 0.004
        self.killed = False

    def carry(self, headers: dict[str, str], body: bytes) -> bytes:
        self._pipe.send((headers, body))
        self._left -= 1
        began = time.monotonic()
        if self._left == 0:
            self._pipe.poll(self._rng.uniform(0, 1.5) * self._usual_s)
            self._hub.kill()
            self.killed = True
            if not self._pipe.poll() or self._rng.random() < 0.5:
                raise EOFError
        answer = children.heard(self._hub.receive())
        self._usual_s = (self._usual_s + time.monotonic() - began) / 2
        return answer


class Fleet:
    """A hub's directory, and nodes that are open in this process."""

    def __init__(self, directory: Path, **roles: str) -> None:
        self.hub_directory = directory / "hub"
        self.hub_incarnation = make_hub(self.hub_directory)
        self.nodes: dict[str, children.PipedNode] = {}
        self.ledgers: dict[str, Ledger] = {}
        hub = Hub.open(self.hub_directory)
        for name, role in roles.items():
            self.nodes[name] = quick(children.joined(hub, name, role, directory / name))
            self.ledgers[name] = Ledger()
        hub.close()

    def write(self, name: str, rng: random.Random, count: int) -> None:
        """So many operations at a node, with what was answered in its ledger."""
        write(self.nodes[name], self.ledgers[name], rng, count)

    def check_hub(self, hub: Service) -> None:
        """What the hub acknowledged or decided before it died is there."""
        for name, node in self.nodes.items():
            chain = node.store.journal.chain(BOOK, node.identity.incarnation)
            assert chain is not None
            merged = [op.n for op in node.store.queue.select(state=queue.MERGED, limit=1_000_000)]
            held = hub.store.journal.chain(BOOK, node.identity.incarnation)
            length = held.length if held is not None else 0
            assert length >= max(merged, default=0), f"the hub lost what it acknowledged to {name}"
            assert held is None or node.store.journal.hash_at(chain, length) == held.head
            own = node.store.journal.chain(BOOK, self.hub_incarnation)
            there = hub.store.journal.chain(BOOK, self.hub_incarnation)
            assert own is not None
            assert there is not None
            assert there.length >= own.length, f"the hub lost a decision that {name} was told"
            assert hub.store.journal.hash_at(there, own.length) == own.head

    def assert_agree(self, hub: Hub) -> None:
        """In the end all have the same, each operation has a verdict and each claim a decision."""
        nodes = list(self.nodes.values())
        for _ in range(2):
            for node in nodes:
                node.wire = children.Direct(node, hub)
                assert node.sync()["books_differing"] == []
        replicas: list[Service] = [hub, *nodes]
        assert len({Exchange(replica).heads_digest(BOOK) for replica in replicas}) == 1
        assert_same_book(replicas, BOOK)
        for replica in replicas:
            assert_no_overlap(replica, BOOK)
            assert not [v for v in every_view(replica, BOOK) if v.status == "commit_pending"]
            for ledger in self.ledgers.values():
                ledger.check(replica)
        for node in nodes:
            counts = node.store.queue.counts()
            assert counts[queue.MERGED] == sum(counts.values()), f"{node.name}: {counts}"
            assert node.store.check() == []
        assert hub.store.check() == []


@pytest.mark.parametrize("number", histories(5))
def test_a_hub_that_is_killed_while_it_merges_loses_nothing_it_acknowledged(
    number: int, tmp_path: Path
):
    rng = dice("while_it_merges", number)
    fleet = Fleet(tmp_path, desk="front-desk", kiosk="kiosk")
    kills = 0
    while kills < KILLS_PER_HISTORY:
        for name in fleet.nodes:
            fleet.write(name, rng, rng.randrange(20, 160))
        with child(children.serve_forever, fleet.hub_directory, PIECE) as hub:
            assert hub.receive() == "open"
            fatal = rng.randrange(1, 9)
            for node in rng.sample(list(fleet.nodes.values()), 2):
                wire = node.wire = Fatal(node, hub, rng, fatal)
                try:
                    node.sync()
                except Unreachable:
                    assert wire.killed, "the hub ended by itself"
                node.wire = None
                if wire.killed:
                    break
            else:
                hub.kill()
        kills += 1
        killed = reopened("hub", fleet.hub_directory, fleet.hub_incarnation, rng)
        fleet.check_hub(killed)
        leave(killed, rng)
    last = Hub.open(fleet.hub_directory)
    fleet.assert_agree(last)
    for node in fleet.nodes.values():
        examine(node, node.identity.incarnation)
        node.close()
    last.close()


@pytest.mark.parametrize("number", histories(4))
def test_a_node_that_is_killed_while_it_pulls_loses_nothing_and_catches_up(
    number: int, tmp_path: Path
):
    rng = dice("while_it_pulls", number)
    fleet = Fleet(tmp_path, desk="front-desk")
    hub, hubs = quick(Hub.open(fleet.hub_directory)), Ledger()
    desk = fleet.nodes.pop("desk")
    desk.close()
    for _ in range(KILLS_PER_HISTORY):
        write(hub, hubs, rng, rng.randrange(60, 250))
        with child(
            children.exchange_forever, desk.directory, PIECE, f"{rng.random()}", pipes=2
        ) as puller:
            words = answer_until_killed(hub, puller, rng)
        fleet.ledgers["desk"].hear(words)
        node = reopened("node", desk.directory, desk.identity.incarnation, rng)
        fleet.ledgers["desk"].check(node)
        leave(node, rng)
    again = children.PipedNode.open(desk.directory)
    assert again.identity.incarnation == desk.identity.incarnation
    assert isinstance(again, children.PipedNode)
    fleet.nodes["desk"], fleet.ledgers["hub"] = again, hubs
    fleet.assert_agree(hub)
    again.close()
    hub.close()


def answer_until_killed(hub: Hub, puller: Child, rng: random.Random) -> list[object]:
    """Be the hub of a node until a random moment around one of its messages; returns what it told
    its callers."""
    telling, asking = puller.pipes
    words: list[object] = []
    left, usual_s, fatal = rng.randrange(1, 10), 0.004, float("inf")
    answered = time.monotonic()
    while (wait := fatal - time.monotonic()) > 0:
        ready, _, _ = select.select([telling, asking], [], [], min(wait, 30))
        assert ready or fatal < float("inf"), "the node says nothing any more"
        if telling in ready:
            words.append(telling.recv())
        if asking in ready:
            usual_s = (usual_s + time.monotonic() - answered) / 2
            asking.send(children.said(hub, *asking.recv()))
            answered = time.monotonic()
            left -= 1
            if left == 0:
                # While it takes the answer in, or in what it does next.
                fatal = answered + rng.uniform(0, 2.0) * usual_s
    puller.kill()
    return words + puller.rest()


def test_what_an_early_piece_of_a_backlog_cancels_is_freed_with_the_last(tmp_path: Path):
    """Its table was admitted before, so that no decision of the last piece touches it again."""
    rng, fleet = random.Random(5), Fleet(tmp_path, desk="front-desk")
    hub, desk = Hub.open(fleet.hub_directory), fleet.nodes["desk"]
    desk.wire = children.Direct(desk, hub)
    view = desk.reservations.create(children.a_guest(rng, desk))
    desk.sync()
    desk.reservations.cancel(uuid_text(view.id), "guest_request", "guest", None)
    fleet.write("desk", rng, 3 * PIECE)
    desk.sync()
    freed = hub.view(view.id)
    assert freed is not None
    assert freed.status == "cancelled"
    assert [claim.state for claim in freed.claims] == ["ended"]
    fleet.assert_agree(hub)
    desk.close()
    hub.close()
