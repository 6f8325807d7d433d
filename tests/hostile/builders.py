"""Builders: a device that was taken over, and what must not change whatever it sends.

The attacker has what a stolen kiosk has: a valid certificate and key, its own chain, and software
that writes anything. Everything it sends goes to a real hub through `serving.handle_exchange`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from holdfast.model.entries import SCHEMA, Claim, Entry, encode
from holdfast.model.events import (
    KIND_BY_EVENT,
    ChainCertified,
    Event,
    ReservationCreated,
    encode_content,
)
from holdfast.model.ids import ENTROPY_BYTES, reservation_id
from holdfast.model.reservation import View
from holdfast.node import identity, serving, transport
from holdfast.node.local_identity import new_life
from holdfast.node.node import Node
from holdfast.node.replica import Replica
from holdfast.sync import messages, pages, seals
from holdfast.sync.messages import ExchangeRequest, ExchangeResponse, Frame
from tests.kit import START_MS, URL, Fleet

AGENT = "agent_" + "0" * 32
EVENING = START_MS // 1000 + 36 * 3600
VOLATILE = {"aside", "fleet", "meta", "sqlite_sequence", "violations"}
"""Tables that refused input may touch: what was kept aside as evidence, who was last heard, the
clock's high-water mark, and how often a rule said no."""


def contents(replica: Replica, *, without: set[str] = VOLATILE) -> dict[str, list[Any]]:
    """Everything a replica has on disk, by table."""
    connection = replica.store.db.conn
    tables = [
        row[0]
        for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if row[0] not in without
    ]
    return {
        table: connection.execute(f'SELECT * FROM "{table}" ORDER BY 1, 2').fetchall()
        for table in tables
    }


def created(**changes: Any) -> ReservationCreated:
    made = ReservationCreated(AGENT, 2, "RES-2027-AAAAAA", "2027-06-04")
    return msgspec.structs.replace(made, **changes)


def claim(resource: str = "T1", **changes: Any) -> Claim:
    return msgspec.structs.replace(Claim(resource, EVENING, EVENING + 5_400), **changes)


def entry(event: Event, **changes: Any) -> bytes:
    """An entry as its writer pleases."""
    made = Entry(
        KIND_BY_EVENT[type(event)], START_MS << 16, 5, b"", (), (), (), SCHEMA,
        encode_content(event),
    )  # fmt: skip
    return encode(msgspec.structs.replace(made, **changes))


class Attacker:
    """One device's key, certificate and chain, in hands that follow no rule."""

    def __init__(self, fleet: Fleet, node: Node) -> None:
        self.fleet, self.node = fleet, node
        self.identity = node.identity
        self.book = node.home
        self.incarnation = node.identity.incarnation
        self.round = 1_000

    def new_id(self) -> bytes:
        """An id that its life may give a reservation."""
        return reservation_id(self.incarnation, START_MS, os.urandom(ENTROPY_BYTES))

    @property
    def chain(self) -> list[bytes]:
        """The entries of its chain that the hub counts."""
        journal = self.fleet.the_hub.store.journal
        row = journal.chain(self.book, self.incarnation)
        return journal.entries(row, 0, row.length) if row else []

    def frame(self, *entries: bytes, after: int | None = None, **changes: Any) -> Frame:
        """Entries behind the first `after` of its chain (all that the hub has), honestly sealed."""
        held = self.chain
        held = held if after is None else held[:after]
        return self.frame_of([*held, *entries], len(held), **changes)

    def frame_of(
        self, entries: list[bytes], after: int = 0, *, incarnation: bytes = b"", **changes: Any
    ) -> Frame:
        incarnation = incarnation or self.incarnation
        start = seals.chain_start(self.book, incarnation)
        hashes = [start, *seals.chain_run(start, entries)]
        document = pages.PageDocument(seals.client_id(self.book, incarnation, 0))
        document.append(entries)
        seal = seals.sign_seal(self.identity.key, self.book, incarnation, len(entries), hashes[-1])
        made = Frame(
            incarnation, 0, hashes[after], document.update_after(after), len(entries), seal
        )
        return msgspec.structs.replace(made, **changes)

    def another_chain(self, *entries: bytes, **changes: Any) -> Frame:
        """A chain of another incarnation with the same certificate."""
        return self.life(ChainCertified(self.certificates, bytes(32)), *entries, **changes)

    def life(self, certified: ChainCertified, *entries: bytes, **changes: Any) -> Frame:
        """A chain that begins so, under a name that its own key may bear."""
        incarnation, nonce = new_life(self.identity.key)
        first = entry(msgspec.structs.replace(certified, nonce=nonce))
        return self.frame_of([first, *entries], incarnation=incarnation, **changes)

    @property
    def certificates(self) -> tuple[bytes, ...]:
        return tuple(self.identity.certificates)

    def request(self, *frames: Frame, **changes: Any) -> ExchangeRequest:
        self.round += 1
        made = ExchangeRequest(
            1, self.book, self.incarnation, self.round, START_MS, None, (), frames
        )
        return msgspec.structs.replace(made, **changes)

    def post(self, body: bytes, **headers: str) -> ExchangeResponse:
        """Sign bytes and send them. Raises what the hub answers."""
        url = URL + transport.EXCHANGE_PATH

        def deliver(signed: dict[str, str]) -> bytes:
            _, _, answer = serving.handle_exchange(
                self.fleet.the_hub, "POST", transport.EXCHANGE_PATH, "hub.test",
                {**signed, **headers}, body,
            )  # fmt: skip
            return answer

        return messages.decode(
            transport.converse(self.identity, url, body, deliver)[1], ExchangeResponse
        )

    def send(self, *frames: Frame, **changes: Any) -> ExchangeResponse:
        return self.post(messages.encode(self.request(*frames, **changes)))

    def write(self, *entries: bytes) -> ExchangeResponse:
        """Append entries to its own chain, with a good seal."""
        return self.send(self.frame(*entries))


class Town:
    """A fleet with an honest desk, which has sold T1 and T2, and the attacker's kiosk."""

    def __init__(self, directory: Path) -> None:
        self.fleet = Fleet(directory)
        self.desk = self.fleet.join("desk")
        self.kiosk = self.fleet.join("kiosk", "kiosk")
        self.sold = self.fleet.reserve(self.desk, "2027-06-05T19:30", ["T1"])
        self.fleet.reserve(self.desk, "2027-06-05T19:30", ["T2"])
        self.fleet.sync_all()
        self.fleet.assert_agree()
        self.attacker = Attacker(self.fleet, self.kiosk)
        self.hub = self.fleet.the_hub

    def __enter__(self) -> Town:
        return self

    def __exit__(self, *error: object) -> None:
        self.fleet.__exit__(*error)

    @property
    def book(self) -> str:
        return self.fleet.book

    def stranger(self) -> Attacker:
        """A device with a certificate of another tenant's root, which calls itself the same."""
        made = Attacker(self.fleet, self.kiosk)
        key, root_key = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
        own = self.kiosk.identity
        root = identity.make_root(own.tenant, root_key, START_MS)
        leaf = identity.issue(
            root_key, root, own.tenant, own.venue, own.role, own.name, key.public_key(), START_MS
        )
        life = new_life(key)
        made.identity = type(own)(
            own.tenant, own.venue, own.role, own.name, life[0], 1, key, [leaf], root,
            X25519PrivateKey.generate(), bytes(32), [], [], life[1],
        )  # fmt: skip
        made.incarnation = made.identity.incarnation
        return made

    def now(self, view: View) -> View:
        return self.fleet.now(self.hub, view)

    def assert_alive(self) -> None:
        """Honest devices go on: what was sold stands, something new is sold, all agree."""
        new = self.fleet.reserve(self.desk, "2027-06-06T19:30", ["T1"])
        self.fleet.sync(self.desk, self.desk)
        assert self.now(self.sold).status == "confirmed"
        assert self.now(new).status == "confirmed"
        # The kiosk itself, back with its honest software, hears of everything too.
        self.fleet.sync_all()
        assert self.fleet.now(self.desk, new).status == "confirmed"
        self.fleet.assert_agree()
