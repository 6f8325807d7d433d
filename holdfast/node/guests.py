"""Guest cards at this replica: sealed when written, read only where the venue's key is.

Owns the join of the card cryptography (`cards`) with the venue's key in the book and the card keys
beside it. A kiosk seals and cannot read; a front desk reads; the hub only forwards, unless a front
desk handed it the venue's key (DESIGN §8).
The keys themselves are `venue_keys`' business, finding guests `guest_index`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from holdfast.model import card_ids
from holdfast.model.errors import RuleViolated
from holdfast.model.events import SealedCard
from holdfast.model.limits import EXPORT_NOTED_SECONDS
from holdfast.model.roles import CARD_READERS
from holdfast.node import cards
from holdfast.node.guest_index import GuestIndex
from holdfast.node.venue_keys import VenueKeys

if TYPE_CHECKING:
    from holdfast.node.service import Service

LOCKED_KEY = "cards.locked"
"""Set with a new life that was restored or copied, until it has exchanged once."""


class Exports:
    """Whose data was taken out lately, by whom and of which book, as far as the book tells of it. A
    restart forgets, which costs an entry."""

    def __init__(self, replica: Service) -> None:
        self._r = replica
        self._until_ms: dict[tuple[str, str, str], float] = {}

    def is_noted(self, asked: tuple[str, str, str]) -> bool:
        return self._until_ms.get(asked, 0.0) > self._r.clock.monotonic_ms()

    def note(self, asked: Iterable[tuple[str, str, str]]) -> None:
        """The book has an entry about these, from now on for EXPORT_NOTED_SECONDS."""
        now = self._r.clock.monotonic_ms()
        self._until_ms = {one: end for one, end in self._until_ms.items() if end > now}
        self._until_ms.update((one, now + EXPORT_NOTED_SECONDS * 1_000) for one in asked)


class Guests:
    def __init__(self, replica: Service) -> None:
        self._r = replica
        self.exports = Exports(replica)
        self.keys = VenueKeys(replica)
        self.index = GuestIndex(replica)

    def keep_up(self, book: str) -> bool:
        """What an exchange leaves to do here: keys to hand on, to take and to seal anew, cards to
        put into the index. Returns whether there is something to send."""
        if self._r.identity.role not in CARD_READERS:
            return False
        before = self._r.tip(book)
        self.keys.pass_on(book)
        sealed = self.keys.seal_anew(book)
        self.index.keep_up(book)
        return bool(sealed) or self._r.tip(book) != before

    def reader_in_force(self, book: str) -> X25519PrivateKey | None:
        """The venue's private key, where this device may open cards with it."""
        return None if self.locked else self.keys.in_force(book)

    def seal(self, venue: str, agent: str, guest: dict[str, Any]) -> SealedCard:
        """Seal a card for the venue; call inside a transaction. Raises Invalid, RuleViolated."""
        return self.seal_fields(venue, agent, cards.check_card(guest))

    def seal_fields(self, venue: str, agent: str, fields: dict[str, Any]) -> SealedCard:
        """The same for what is no guest's card and was looked at already."""
        book = self._r.book_of(venue)
        public = self._r.book(book).administration.venue_key
        if not public:
            message = (
                "Guest details cannot be kept yet: no front desk of this venue has joined, so that "
                "nobody could read them. Join a front desk first, or leave the guest out."
            )
            raise RuleViolated(message, [{"rule": "no-venue-key", "message": message}])
        sealed = cards.seal_fields(
            fields,
            X25519PublicKey.from_public_bytes(public),
            venue=book,
            agent_id=agent,
            life=self._r.identity.incarnation,
        )
        text, key = sealed.text_digest, card_ids.key_digest(public, sealed.sealed_key)
        self._r.store.cards.put_key(book, text, key, public, sealed.sealed_key)
        return SealedCard(card_ids.card_id(text, key), sealed.ciphertext, key)

    @property
    def locked(self) -> bool:
        """Whether this directory was restored or copied and has not exchanged with the hub since:
        it may hold cards of guests who were forgotten meanwhile, and opens none."""
        return self._r.store.records.get(LOCKED_KEY) is not None

    def unlock(self) -> None:
        """Everything that the hub knows of erasures is here."""
        with self._r.lock:
            if self.locked:
                with self._r.transaction():
                    self._r.store.records.drop(LOCKED_KEY)
                    for book in self._r.books:
                        self._r.store.cards.try_again(book)

    def read(self, venue: str, agents: Iterable[str], card: SealedCard) -> dict[str, Any] | None:
        """The card in clear, where it was sealed for one of these guests; None where it was not,
        where this replica lacks the venue's key or the card's key, or may not open cards yet.
        """
        book = self._r.book_of(venue)
        with self._r.lock:
            keys = [] if self.locked else self._r.store.cards.keys(book, card.id)
        for key, private, agent in product(keys, self.keys.readers(book), agents):
            sealed = cards.SealedCard(card.ciphertext, key.text_digest, key.sealed)
            opened = cards.open_card(sealed, private, venue=book, agent_id=agent)
            if opened is not None:
                return opened
        return None
