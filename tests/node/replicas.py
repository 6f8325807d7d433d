"""Builders: a small tenant of bare replicas (a hub and a desk) that exchange pages by memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from holdfast.model.entries import HUB_RIGHT, Claim
from holdfast.model.events import (
    ClaimDecided,
    ReservationAmended,
    ReservationCancelled,
    ReservationCreated,
    VenueConfigured,
)
from holdfast.model.limits import PAGE_ENTRIES
from holdfast.node import identity as certificates
from holdfast.node.local_identity import LocalIdentity, new_life
from holdfast.node.replica import Merged, Replica, Written
from holdfast.node.timekeeping import Timekeeper
from holdfast.store.store import Store
from holdfast.sync.messages import Frame
from holdfast.sync.pages import PageKey
from holdfast.sync.seals import chain_start, client_id

TENANT, VENUE = "city", "trattoria"
BOOK = f"{TENANT}/{VENUE}"
START = 1_798_761_600  # 2027-01-01T00:00:00Z
AGENT = "agent_" + "a" * 32
VENUE_FILE: dict[str, Any] = {
    "venue": VENUE,
    "name": "Trattoria",
    "kind": "restaurant",
    "time_zone": "Europe/Rome",
    "hours": {"fri": [["12:00", "23:00"]]},
    "resources": [{"id": "T1", "kind": "table", "seats": [1, 4]}],
}


@dataclass
class Tenant:
    """A root key and the replicas that it certified, each in a directory of its own."""

    place: Path
    root_key: Ed25519PrivateKey
    root: bytes

    @classmethod
    def at(cls, place: Path) -> Tenant:
        key = Ed25519PrivateKey.generate()
        return cls(place, key, certificates.make_root(TENANT, key, START * 1000))

    def replica(
        self,
        name: str,
        directory: Path | None = None,
        *,
        number: int = 1,
        incarnation: bytes | None = None,
    ) -> Replica:
        """A replica in `place/name`; the one named `hub` is the hub."""
        role, venue = ("hub", "*") if name == "hub" else ("front-desk", VENUE)
        key = Ed25519PrivateKey.generate()
        made, nonce = new_life(key)
        leaf = certificates.issue(
            self.root_key, self.root, TENANT, venue, role, name, key.public_key(), START * 1000
        )
        identity = LocalIdentity(
            TENANT, venue, role, name, incarnation or made, number, key, [leaf],
            self.root, X25519PrivateKey.generate(), b"p" * 32, [], [], nonce,
        )  # fmt: skip
        directory = directory or self.place / name
        directory.mkdir(exist_ok=True)
        identity.save_keys(directory)
        store = Store(directory)
        with store.atomic():
            identity.save(store.records)
        return Replica(store, identity, Timekeeper())


def configure(hub: Replica, **changes: Any) -> None:
    """Write the venue on the hub's chain."""
    with hub.transaction():
        hub.append(BOOK, VenueConfigured(msgspec.json.encode(VENUE_FILE | changes)))


def claim(resource: str = "T1", *, right: bytes = b"", hours: int = 20) -> Claim:
    """Ninety minutes on 1 January 2027, from `hours` UTC."""
    start = START + hours * 3600
    return Claim(resource, start, start + 5_400, right=right)


def reserve(
    replica: Replica,
    code: str = "RES-2027-AAAAAA",
    *,
    party_size: int = 2,
    right: bytes = b"",
    date: str = "2027-01-01",
    **fields: Any,
) -> tuple[bytes, Written]:
    """Write a reservation: sold from the hub's right, or (on a desk) asked of the hub."""
    reservation = replica.reservation_ids.next(replica.identity.incarnation, START * 1000)
    sold = right or (HUB_RIGHT if replica.identity.role == "hub" else b"")
    with replica.transaction():
        written = replica.append(
            BOOK,
            ReservationCreated(AGENT, party_size, code, date, **fields),
            subject=reservation,
            claims=(claim(right=sold),),
        )
    return reservation, written


def amend(replica: Replica, reservation: bytes, **fields: Any) -> Written:
    with replica.transaction():
        view = replica.view(reservation)
        assert view is not None
        return replica.append(
            BOOK, ReservationAmended(fields), subject=reservation, follows=view.leaves
        )


def cancel(replica: Replica, reservation: bytes) -> Written:
    with replica.transaction():
        view = replica.view(reservation)
        assert view is not None
        return replica.append(
            BOOK,
            ReservationCancelled("guest_request", "guest"),
            subject=reservation,
            follows=view.leaves,
        )


def decide(
    hub: Replica,
    reservation: bytes,
    asked: Written,
    verdict: str = "admitted",
    reason: str = "free",
    won: tuple[bytes, ...] = (),
) -> Written:
    """The hub's decision on what a desk asked, naming the heads that the hub holds."""
    heads = tuple(
        (chain.incarnation, chain.length, chain.head[:8])
        for chain in hub.store.journal.chains(BOOK)
        if chain.incarnation != hub.identity.incarnation
    )
    with hub.transaction():
        return hub.append(
            BOOK,
            ClaimDecided(asked.operation, verdict, reason, won, heads),
            subject=reservation,
            claims=(claim(),),
        )


def send(source: Replica, target: Replica) -> Merged:
    """Everything that `source` wrote itself goes to `target`, page by page, sealed at its end."""
    incarnation = source.identity.incarnation
    chain = source.store.journal.chain(BOOK, incarnation)
    assert chain is not None
    frames = []
    for page in range(-(-chain.length // PAGE_ENTRIES)):
        first = page * PAGE_ENTRIES
        end = min(first + PAGE_ENTRIES, chain.length)
        base = source.store.journal.hash_at(chain, first) or chain_start(BOOK, incarnation)
        update = source.pages.update(
            PageKey(chain.id, page), client_id(BOOK, incarnation, page), 0, end - first
        )
        seal = source.seal_own(chain, end)
        frames.append(Frame(incarnation, page, base, update, end, seal))
    with target.transaction():
        return target.merge(BOOK, frames)
