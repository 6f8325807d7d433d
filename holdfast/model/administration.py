"""What a book says about itself: its venue, its writers, closes, revocations, codes and keys.

Owns the fold of every entry that is not about a reservation. Only the hub's word counts for most of
it, in the order of the hub's chain; a later life of the hub follows an earlier one. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from holdfast.model.errors import Invalid
from holdfast.model.events import (
    SERIAL_BYTES,
    ChainCertified,
    ChainSucceeded,
    CodesGranted,
    Event,
    GuestErased,
    GuestErasureConfirmed,
    NodeRevoked,
    RightGranted,
    RightReturned,
    RightRevoked,
    VenueConfigured,
    VenueKeyAccepted,
    VenueKeyHanded,
    VenueKeyPublished,
)
from holdfast.model.forgetting import ERASERS, Erasure, Head, ShutOut
from holdfast.model.limits import CODE_PREFIXES
from holdfast.model.offers import VenueIndex
from holdfast.model.rights import Rights
from holdfast.model.roles import CARD_READERS
from holdfast.model.venue import parse_venue


class WriterInfo(NamedTuple):
    """Who wrote an entry: its incarnation, what its certificate says, and whether it is the hub."""

    incarnation: bytes
    name: str
    role: str
    number: int
    is_hub: bool


class Close(NamedTuple):
    """The head of an incarnation up to which its rights and decisions count."""

    entries: int
    head: bytes
    branch: bytes
    by: bytes


@dataclass
class Administration:
    """The folded administration of one book.

    `closes` by incarnation, and `closers` all that ever closed it; `revoked` holds the serial
    numbers of certificates that were shut out; `prefixes` by incarnation; `succeeded` maps an
    incarnation to the one that carries on; `desks` holds the sealing key of every front desk's
    incarnation, `hub_keys` that of every life of the hub, and `handed` the venue's private keys
    sealed to it, by the public key that each belongs to and by who handed it; `published` the
    venue's public keys that front desks made, with the least (stamp, incarnation) of each,
    `follows` the keys that each says it takes the place of (empty: none), and `accepted` those that
    the hub saw, with their place in its chain; `rights` says who may sell what; `erasures_written`
    holds by operation the erasures of all writers who may, `shut_outs` what may take their worth,
    `erasures` by agent id those that count (set by who holds the chains), `erasures_changes` how
    often that changed, and `confirmed` by operation who has destroyed what they cover, with the
    least stamp.
    """

    venue: VenueIndex | None = None
    venue_order: tuple[int, int] = (-1, -1)
    closes: dict[bytes, Close] = field(default_factory=dict)
    closers: dict[bytes, set[bytes]] = field(default_factory=dict)
    revoked: set[bytes] = field(default_factory=set)
    prefixes: dict[bytes, tuple[int, ...]] = field(default_factory=dict)
    succeeded: dict[bytes, bytes] = field(default_factory=dict)
    numbers: dict[bytes, int] = field(default_factory=dict)
    hubs: set[bytes] = field(default_factory=set)
    succeeds: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    published: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    accepted: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    desks: dict[bytes, bytes] = field(default_factory=dict)
    hub_keys: dict[bytes, bytes] = field(default_factory=dict)
    handed: dict[bytes, dict[bytes, dict[bytes, bytes]]] = field(default_factory=dict)
    follows: dict[bytes, set[bytes]] = field(default_factory=dict)
    erasures_written: dict[bytes, Erasure] = field(default_factory=dict)
    shut_outs: dict[bytes, ShutOut] = field(default_factory=dict)
    erasures: dict[str, list[Erasure]] = field(default_factory=dict)
    erasures_changes: int = 0
    confirmed: dict[bytes, dict[bytes, int]] = field(default_factory=dict)
    rights: Rights = field(init=False)

    def __post_init__(self) -> None:
        self.rights = Rights(self.closes)

    @property
    def venue_key(self) -> bytes:
        """The venue's public key in force; empty where no front desk has made one.

        The newest that the hub accepted, of those that a front desk published: the hub alone
        brings none into force. Until it has heard of any, the first by the stamp, so that two
        desks that joined at once agree.
        """
        accepted = [key for key in self.accepted if key in self.published]
        if accepted:
            return max(accepted, key=lambda key: self.accepted[key])
        first = [key for key in self.published if b"" in self.follows[key]]
        return min(first, key=lambda key: self.published[key], default=b"")

    def successors(self, key: bytes) -> list[bytes]:
        """The published keys that would take the place of one, and that the hub has not accepted
        yet; the first by the stamp first."""
        found = [
            new
            for new, before in self.follows.items()
            if key in before and new != key and new not in self.accepted
        ]
        return sorted(found, key=lambda new: self.published[new])

    def holders(self, key: bytes) -> set[bytes]:
        """The lives that hold the private half of one of the venue's keys, as far as is known: the
        one that published it, and those that it was handed to."""
        found = {incarnation for incarnation, keys in self.handed.items() if key in keys}
        if key in self.published:
            found.add(self.published[key][1])
        return found

    def handed_by(self, key: bytes, recipient: bytes) -> dict[bytes, bytes]:
        """The private half of one of the venue's keys as it was handed to a life, by who did so."""
        return self.handed.get(recipient, {}).get(key, {})

    def unconfirmed(self, incarnation: bytes) -> list[Erasure]:
        """The erasures of which a life of a device has not said that it holds nothing of them."""
        return [
            erasure
            for found in self.erasures.values()
            for erasure in found
            if incarnation not in self.confirmed.get(erasure.operation, ())
        ]

    @property
    def rivals(self) -> set[bytes]:
        """Lives of the hub that both claim to follow one, neither of which is closed (§5.9).

        Only closing a hub's life claims that: a device's second branch is closed by whichever hub
        meets it, and by the next one, where that was restored and does not know.
        """
        found: set[bytes] = set()
        for closed, closers in self.closers.items():
            if closed not in self.hubs:
                continue
            standing = {closer for closer in closers if closer not in self.closes}
            if len(standing) > 1:
                found |= standing
        return found

    def is_revoked(self, serials: Iterable[int]) -> bool:
        """Whether the hub shut out the bearer of any of these certificates."""
        return any(serial_bytes(serial) in self.revoked for serial in serials)

    def shut_out_at(self, serials: Iterable[int]) -> int:
        """The stamp with which the hub first shut out the bearer of any of these; 0: it did not."""
        named = frozenset(serial_bytes(serial) for serial in serials)
        found = (one.stamp for one in self.shut_outs.values() if not named.isdisjoint(one.serials))
        return min(found, default=0)

    def absorb(
        self,
        writer: WriterInfo,
        n: int,
        stamp: int,
        event: Event,
        *,
        operation: bytes = b"",
        counts: bool = True,
    ) -> None:
        """Fold one entry, other than a close: which closes count follows from all of them together,
        and `closes` and `closers` are set by who holds the chains.

        `operation` names the entry. `counts` is False for one that stands beyond the head where
        its writer's life was closed, or on a branch that does not count. The hub's entries are read
        in the order of its chain, so that a replica that gets them late still ends with the newest.
        """
        if isinstance(event, ChainCertified):
            self.numbers[writer.incarnation] = event.number
            self.succeeds[writer.incarnation] = event.succeeds
            if writer.is_hub:
                self.hubs.add(writer.incarnation)
                self.hub_keys[writer.incarnation] = event.sealing_key
            if writer.role in CARD_READERS:
                self.desks[writer.incarnation] = event.sealing_key
        elif isinstance(event, ChainSucceeded):
            if counts:
                self.succeeded.setdefault(writer.incarnation, event.by)
                self.rights.succeeded(writer.incarnation, n, event.by)
        elif isinstance(event, RightReturned):
            if counts:
                self.rights.returned(writer.incarnation, n, stamp, operation, event)
        elif isinstance(event, VenueKeyHanded) and writer.role in CARD_READERS:
            # By writer: only the receiver sees which is good, and junk must keep no good one out.
            keys = self.handed.setdefault(event.recipient, {})
            keys.setdefault(event.public_key, {}).setdefault(writer.incarnation, event.sealed)
        elif isinstance(event, VenueKeyPublished) and writer.role in CARD_READERS:
            order = (stamp, writer.incarnation)
            known = self.published.get(event.public_key, order)
            self.published[event.public_key] = min(order, known)
            self.follows.setdefault(event.public_key, set()).add(event.follows)
        elif isinstance(event, GuestErased) and writer.role in ERASERS:
            self.erasures_written.setdefault(
                operation,
                Erasure(
                    operation, event.agent_id, stamp, frozenset(event.also), event.reason,
                    writer.incarnation,
                ),
            )  # fmt: skip
        elif isinstance(event, GuestErasureConfirmed):
            for erasure in event.erasures:
                lives = self.confirmed.setdefault(erasure, {})
                lives[writer.incarnation] = min(stamp, lives.get(writer.incarnation, stamp))
        elif writer.is_hub and counts:
            self._absorb_hub(writer, n, stamp, event, operation)

    def count_erasures(self, counting: Iterable[bytes]) -> set[str]:
        """Let the erasures of these operations be those that count. Returns the agent ids of the
        guests for whom that is new."""
        before, now = self.erasures, dict[str, list[Erasure]]()
        found = [self.erasures_written[operation] for operation in counting]
        for erasure in sorted(found, key=lambda one: (one.stamp, one.operation)):
            now.setdefault(erasure.agent_id, []).append(erasure)
        self.erasures = now
        agents = before.keys() | now.keys()
        changed = {agent for agent in agents if before.get(agent) != now.get(agent)}
        self.erasures_changes += bool(changed)
        return changed

    def _absorb_hub(
        self, writer: WriterInfo, n: int, stamp: int, event: Event, operation: bytes
    ) -> None:
        if isinstance(event, VenueConfigured):
            order = (self.generation(writer.incarnation), n)
            if order > self.venue_order:
                self.venue, self.venue_order = read_venue(event), order
        elif isinstance(event, CodesGranted):
            held = self.prefixes.get(event.incarnation, ())
            self.prefixes[event.incarnation] = held + tuple(
                prefix
                for prefix in event.prefixes
                if prefix not in held and 0 <= prefix < CODE_PREFIXES
            )
        elif isinstance(event, NodeRevoked):
            self.revoked.update(event.serials)
            self.shut_outs[operation] = ShutOut(
                frozenset(event.serials),
                {life: Head(entries, digest) for life, entries, digest in event.heads},
                stamp,
            )
            for incarnation, entries, _ in event.heads:
                self.rights.shut_out(incarnation, entries, stamp)
        elif isinstance(event, RightGranted):
            self.rights.granted(operation, stamp, event)
        elif isinstance(event, RightRevoked):
            self.rights.revoked(stamp, operation, event)
        elif isinstance(event, VenueKeyAccepted):
            place = (self.generation(writer.incarnation), n)
            known = self.accepted.get(event.public_key, place)
            self.accepted[event.public_key] = max(place, known)

    def generation(self, incarnation: bytes) -> int:
        """How many lives of the hub came before this one: it closed one that closed one …

        A hub that was rebuilt from its root key cannot know how often that happened before; what
        it closed says so.
        """
        count = 0
        seen = {incarnation}
        while True:
            before = [
                closed
                for closed, close in self.closes.items()
                if close.by == incarnation and closed in self.hubs and closed not in seen
            ]
            if not before:
                return count
            incarnation = min(before)
            seen.add(incarnation)
            count += 1


def serial_bytes(serial: int) -> bytes:
    """A certificate's serial number as `node.revoked` names it."""
    return serial.to_bytes(SERIAL_BYTES, "big")


def read_venue(event: VenueConfigured) -> VenueIndex | None:
    """The venue that an entry configures; None where nothing here can read it."""
    try:
        return VenueIndex(parse_venue(msgspec.json.decode(event.document)))
    except (Invalid, msgspec.MsgspecError):
        # The hub checks a venue before it writes it; one that an older reader cannot understand
        # leaves the venue unknown here rather than half understood.
        return None
