"""What a book says about itself: its venue, its writers, closes, revocations, codes and keys.

Owns the fold of every entry that is not about a reservation. Only the hub's word counts for most of
it, in the order of the hub's chain; a later life of the hub follows an earlier one. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from holdfast.model.errors import Invalid
from holdfast.model.events import (
    ChainCertified,
    ChainClosed,
    ChainSucceeded,
    CodesGranted,
    Event,
    NodeRevoked,
    VenueConfigured,
    VenueKeyHanded,
    VenueKeyPublished,
)
from holdfast.model.offers import VenueIndex
from holdfast.model.venue import parse_venue

CARD_READERS: Final = ("front-desk",)
"""Roles that hold the venue's private key and read guest cards (DESIGN §8)."""


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

    `closes` by incarnation; `prefixes` by incarnation; `succeeded` maps an incarnation to the one
    that carries on; `desks` holds the sealing key of every front desk's incarnation and `handed`
    the venue's private key sealed to it, with the public key it belongs to; `rivals` names two
    lives of the hub that both claim to follow one (§5.9).
    """

    venue: VenueIndex | None = None
    venue_order: tuple[int, int] = (-1, -1)
    closes: dict[bytes, Close] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    prefixes: dict[bytes, tuple[int, ...]] = field(default_factory=dict)
    succeeded: dict[bytes, bytes] = field(default_factory=dict)
    numbers: dict[bytes, int] = field(default_factory=dict)
    hubs: set[bytes] = field(default_factory=set)
    succeeds: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    venue_key: bytes = b""
    venue_key_order: tuple[int, bytes] = (1 << 64, b"")
    desks: dict[bytes, bytes] = field(default_factory=dict)
    handed: dict[bytes, tuple[bytes, bytes]] = field(default_factory=dict)
    rivals: set[bytes] = field(default_factory=set)

    def absorb(self, writer: WriterInfo, n: int, stamp: int, event: Event) -> bytes | None:
        """Fold one entry. Returns the incarnation whose entries must be folded anew, if any.

        The hub's entries are read in the order of its chain, so that a replica that gets them
        late still ends with the newest.
        """
        if isinstance(event, ChainCertified):
            self.numbers[writer.incarnation] = event.number
            self.succeeds[writer.incarnation] = event.succeeds
            if writer.is_hub:
                self.hubs.add(writer.incarnation)
            if writer.role in CARD_READERS:
                self.desks[writer.incarnation] = event.sealing_key
        elif isinstance(event, ChainSucceeded):
            self.succeeded[writer.incarnation] = event.by
        elif isinstance(event, VenueKeyHanded) and writer.role in CARD_READERS:
            self.handed.setdefault(event.recipient, (event.public_key, event.sealed))
        elif isinstance(event, VenueKeyPublished) and writer.role in CARD_READERS:
            # The first published key stands; two desks that joined at once agree by the stamp.
            order = (stamp, writer.incarnation)
            if len(event.public_key) == 32 and order < self.venue_key_order:
                self.venue_key, self.venue_key_order = event.public_key, order
        elif writer.is_hub and not self.beyond_close(writer.incarnation, n):
            return self._absorb_hub(writer, n, event)
        return None

    def _absorb_hub(self, writer: WriterInfo, n: int, event: Event) -> bytes | None:
        if isinstance(event, VenueConfigured):
            order = (self.generation(writer.incarnation), n)
            if order > self.venue_order:
                self.venue, self.venue_order = _read_venue(event), order
        elif isinstance(event, CodesGranted):
            held = self.prefixes.get(event.incarnation, ())
            self.prefixes[event.incarnation] = held + tuple(
                prefix for prefix in event.prefixes if prefix not in held and 0 <= prefix < 1024
            )
        elif isinstance(event, NodeRevoked):
            self.revoked.add(event.node)
        elif isinstance(event, ChainClosed):
            held_close = self.closes.get(event.incarnation)
            if held_close is not None:
                if held_close.by != writer.incarnation:
                    self.rivals |= {held_close.by, writer.incarnation}
                    return event.incarnation
                return None
            self.closes[event.incarnation] = Close(
                event.entries, event.head, event.branch, writer.incarnation
            )
            return event.incarnation
        return None

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

    def beyond_close(self, incarnation: bytes, n: int) -> bool:
        """Whether entry n of an incarnation stands beyond the head that was closed (§4.3)."""
        close = self.closes.get(incarnation)
        return close is not None and n > close.entries


def _read_venue(event: VenueConfigured) -> VenueIndex | None:
    try:
        return VenueIndex(parse_venue(msgspec.json.decode(event.document)))
    except (Invalid, msgspec.MsgspecError):
        # The hub checks a venue before it writes it; one that an older reader cannot understand
        # leaves the venue unknown here rather than half understood.
        return None
