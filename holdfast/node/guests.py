"""Guest cards at this replica: sealed when written, read only where the venue's key is.

Owns the join of the card cryptography (`cards`) with the venue's key in the book and the card keys
beside it. A kiosk seals and cannot read; a front desk reads; the hub only forwards (DESIGN §8).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from holdfast.model.errors import RuleViolated
from holdfast.model.events import SealedCard, VenueKeyHanded, VenueKeyPublished
from holdfast.model.limits import VENUE_KEYS_MAX
from holdfast.model.roles import CARD_READERS
from holdfast.node import cards
from holdfast.node.keys import read_secret, write_secret

if TYPE_CHECKING:
    from holdfast.node.service import Service

VENUE_KEY_FILE = "venue.key"


class Guests:
    def __init__(self, replica: Service) -> None:
        self._r = replica
        self._path = replica.directory / "keys" / VENUE_KEY_FILE
        self._private: X25519PrivateKey | None = None

    def private_key(self) -> X25519PrivateKey | None:
        """The venue's private key, where this replica holds it."""
        if self._private is None and self._path.exists():
            self._private = X25519PrivateKey.from_private_bytes(read_secret(self._path))
        return self._private

    def ensure_venue_key(self, book: str) -> None:
        """The first front desk of a venue makes its key and publishes the public half."""
        # Two threads that both find none would make two, and one of them would be lost.
        with self._r.lock:
            self._ensure_venue_key(book)

    def _ensure_venue_key(self, book: str) -> None:
        if self._r.identity.role not in CARD_READERS or self._r.book(book).administration.venue_key:
            return
        private = self.private_key()
        if private is None:
            private = X25519PrivateKey.generate()
            # On disk before it is published: a key that is lost cannot be made again.
            write_secret(self._path, private.private_bytes_raw())
            self._private = private
        with self._r.transaction():
            self._r.append(book, VenueKeyPublished(private.public_key().public_bytes_raw()))

    def pass_on(self, book: str) -> None:
        """Hand the venue's key to front desks that have none, and take the one handed to this.

        It travels as an entry, sealed to the receiving desk's own key: the hub only forwards it.
        """
        # Desks come by merges, which other threads make.
        with self._r.lock:
            self._pass_on(book)

    def _pass_on(self, book: str) -> None:
        """Two desks that were cut off may each have made a key: one of them is in force, and cards
        were sealed to the other as well. So every desk gets every key that was published."""
        administration = self._r.book(book).administration
        own = self._r.identity.incarnation
        held = {_public(key): key for key in self._readers()}
        for public, sealed in administration.handed.get(own, {}).items():
            if public in held or public not in administration.published:
                continue
            key = cards.accept_key(sealed, self._r.identity.sealing_private, book)
            if key is not None and _public(key) == public and len(held) < VENUE_KEYS_MAX:
                write_secret(self._former(public), key.private_bytes_raw())
                held[public] = key
        if administration.venue_key in held:
            self._put_in_force(held[administration.venue_key])
        lacking = [
            (incarnation, sealing_key, public)
            for incarnation, sealing_key in administration.desks.items()
            for public in held
            if public in administration.published
            and public not in administration.handed.get(incarnation, {})
            and incarnation != own
            and incarnation not in administration.closes
        ]
        if not lacking:
            return
        with self._r.transaction():
            for incarnation, sealing_key, public in lacking:
                recipient = X25519PublicKey.from_public_bytes(sealing_key)
                sealed = cards.hand_key(held[public], recipient, book)
                self._r.append(book, VenueKeyHanded(incarnation, public, sealed))

    def _put_in_force(self, key: X25519PrivateKey) -> None:
        """Seal and publish with this key from now on; what another one sealed stays readable."""
        present = self.private_key()
        if present is not None and _public(present) == _public(key):
            return
        if present is not None:
            write_secret(self._former(_public(present)), present.private_bytes_raw())
        write_secret(self._path, key.private_bytes_raw())
        self._former(_public(key)).unlink(missing_ok=True)
        self._private = key

    def _former(self, public: bytes) -> Path:
        """Where a key stands that is not in force."""
        return self._path.with_name(f"venue-{public.hex()[:16]}.key")

    def seal(self, venue: str, agent: str, guest: dict[str, Any]) -> SealedCard:
        """Seal a card for the venue; call inside a transaction. Raises Invalid, RuleViolated."""
        book = self._r.book_of(venue)
        public = self._r.book(book).administration.venue_key
        if not public:
            message = (
                "Guest details cannot be kept yet: no front desk of this venue has joined, so that "
                "nobody could read them. Join a front desk first, or leave the guest out."
            )
            raise RuleViolated(message, [{"rule": "no-venue-key", "message": message}])
        sealed = cards.seal_card(
            guest, X25519PublicKey.from_public_bytes(public), venue=book, agent_id=agent
        )
        self._r.store.records.put_card_key(sealed.card_id, book, agent, sealed.sealed_key, 0)
        return SealedCard(sealed.card_id, sealed.ciphertext)

    def read(self, venue: str, agent: str, card: SealedCard) -> dict[str, Any] | None:
        """The card in clear; None where this replica lacks the venue's key or the card's key."""
        with self._r.lock:
            key = self._r.store.records.card_key(card.id)
        if key is None or key.sealed is None:
            return None
        sealed = cards.SealedCard(card.id, card.ciphertext, key.sealed)
        for private in self._readers():
            opened = cards.open_card(
                sealed, private, venue=self._r.book_of(venue), agent_id=key.agent_id or agent
            )
            if opened is not None:
                return opened
        return None

    def _readers(self) -> Iterator[X25519PrivateKey]:
        """The venue's key, then those it took the place of at this desk."""
        private = self.private_key()
        if private is not None:
            yield private
        for path in sorted(self._path.parent.glob("venue-*.key")):
            yield X25519PrivateKey.from_private_bytes(read_secret(path))


def _public(key: X25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()
