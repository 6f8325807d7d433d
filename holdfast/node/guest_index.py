"""Finding guests at the desk without keeping a word of them: the blind index.

Owns the index of this device: rows of a keyed hash of each word by which a card can be found. The
key is made from the venue's private key, so that only who could open the cards can ask anything of
the index; it is never sent. Cards are put in when they arrive, so many at a time, and the rest when
somebody looks for a guest.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from holdfast.model import guest_words
from holdfast.model.errors import Invalid
from holdfast.model.events import Event, SealedCard, card_of
from holdfast.model.reservation import content_of
from holdfast.node import cards
from holdfast.node.venue_keys import public_of
from holdfast.store.cards import UNREADABLE, PlacedCard

if TYPE_CHECKING:
    from holdfast.node.replica import Replica
    from holdfast.node.service import Service

CARDS_PER_MERGE: Final = 64
"""Cards that are put into the index after an exchange; opening one takes a fifth of a
millisecond."""
_CARDS_AT_ONCE: Final = 256
_TOKEN_BYTES: Final = 8
"""Enough to tell words apart; what is found is opened and looked at before it is shown."""


def indexed_under_key(book: str) -> str:
    """The name of the record with the public half of the key that a book's index was made from."""
    return f"guests.indexed_under.{book}"


class Found(NamedTuple):
    """A card that fits what was looked for, and how well (`guest_words.EXACT` or `BEGINNING`)."""

    placed: PlacedCard
    fit: int


class GuestIndex:
    def __init__(self, replica: Service) -> None:
        self._r = replica

    def keep_up(self, book: str, limit: int | None = CARDS_PER_MERGE) -> int:
        """Put cards into the index that are not in it yet, `limit` of them, or (None) all. Returns
        how many were looked at. Does nothing where this device cannot open cards."""
        with self._r.lock:
            private = self._r.cards.reader_in_force(book)
            if private is None:
                self._forget(book)
                return 0
            if not self._r.store.cards.to_index(book, 0, 1) and self._is_under(book, private):
                return 0
            with self._r.transaction():
                return self._keep_up(book, private, limit)

    def _is_under(self, book: str, private: X25519PrivateKey) -> bool:
        return self._r.store.records.get(indexed_under_key(book)) == public_of(private)

    def _forget(self, book: str) -> None:
        """Leave no words of guests whose cards this replica may not open any more."""
        if self._r.store.records.get(indexed_under_key(book)) is None:
            return
        with self._r.transaction():
            self._r.store.cards.clear_words(book)
            self._r.store.records.drop(indexed_under_key(book))

    def _keep_up(self, book: str, private: X25519PrivateKey, limit: int | None) -> int:
        rows = self._r.store.cards
        if not self._is_under(book, private):
            # The venue has another key: words under the old one would be found by who stole it.
            rows.clear_words(book)
            self._r.store.records.put(indexed_under_key(book), public_of(private))
        key = index_key(private, book)
        looked_at = 0
        while limit is None or looked_at < limit:
            wanted = _CARDS_AT_ONCE if limit is None else min(limit - looked_at, _CARDS_AT_ONCE)
            batch = rows.to_index(book, 0, wanted)
            if not batch:
                break
            for placed in batch:
                words = self._words(book, placed)
                if words is None:
                    rows.mark(placed.num, UNREADABLE)
                else:
                    rows.put_words(
                        placed.num,
                        ((token(key, word), guest_words.is_contact(word)) for word in words),
                    )
            looked_at += len(batch)
        return looked_at

    def _words(self, book: str, placed: PlacedCard) -> frozenset[str] | None:
        """What finds a card; None where it cannot be opened, yet or any more. What is noted about
        a person finds nobody."""
        if not placed.reservation:
            return frozenset()
        sealed = sealed_card(self._r, placed)
        if sealed is None:
            return None
        card = self._r.cards.read(book.partition("/")[2], [placed.agent_id], sealed)
        return None if card is None else guest_words.words_of_card(card)

    def search(self, book: str, text: str) -> list[Found]:
        """The cards that fit every word of a text, the best first, then the newest. Raises Invalid
        for a text without any; it is never repeated."""
        asked = guest_words.words_asked(text)
        if not asked:
            raise Invalid.field("q", "give a name, a telephone number or an e-mail address")
        self.keep_up(book, None)
        with self._r.lock:
            private = self._r.cards.reader_in_force(book)
            if private is None:
                return []
            key = index_key(private, book)
            fits: dict[int, int] | None = None
            for one in asked:
                found = self._fitting(key, one.words)
                if fits is None:
                    fits = found
                else:
                    fits = {n: max(fit, found[n]) for n, fit in fits.items() if n in found}
            rows = self._r.store.cards
            placed = [(rows.by_num(num), fit) for num, fit in (fits or {}).items()]
            shown = [Found(one, fit) for one, fit in placed if one is not None and one.book == book]
        return sorted(shown, key=lambda found: (found.fit, -found.placed.stamp, found.placed.num))

    def with_contact(self, book: str, words: Iterable[str]) -> list[PlacedCard]:
        """The cards that one of `guest_words.words_for_contacts` finds, the newest first: hashes
        may agree by chance, so look at the card. A long index that is not finished yet is carried
        on with, and asked as far as it goes: nobody who reserves waits for all of it."""
        self.keep_up(book)
        with self._r.lock:
            private = self._r.cards.reader_in_force(book)
            if private is None:
                return []
            key, rows = index_key(private, book), self._r.store.cards
            return rows.with_any_word(book, [token(key, word) for word in words])

    def _fitting(self, key: bytes, words: Iterable[tuple[str, int]]) -> dict[int, int]:
        found: dict[int, int] = {}
        for word, fit in words:
            for num in self._r.store.cards.with_word(token(key, word)):
                found[num] = min(fit, found.get(num, fit))
        return found


def sealed_card(replica: Replica, placed: PlacedCard) -> SealedCard | None:
    """A card as its entry has it."""
    event = carrier(replica, placed)
    return card_of(event)[0] if event is not None else None


def carrier(replica: Replica, placed: PlacedCard) -> Event | None:
    """What the entry that carries a card says; None where it does not count."""
    if not placed.reservation:
        found = replica.store.guest_entries.find(placed.book, placed.agent_id, placed.operation)
        return found.said if found is not None else None
    record = replica.store.projections.get(placed.book, placed.reservation)
    for entry in record.seen if record is not None else ():
        if entry.operation == placed.operation:
            return content_of(entry)
    return None


def differing(replica: Replica, readers: Sequence[X25519PrivateKey]) -> tuple[int, int]:
    """How many indexed cards there are, and how many of them are found by other words than what
    they say; with the venue's private keys that are at hand. Words of no card count as one more.

    An index under a key that is not at hand cannot be looked at; it is made anew anyway.
    """
    private_by_book: dict[str, X25519PrivateKey] = {}
    for book in replica.books:
        under = replica.store.records.get(indexed_under_key(book))
        found = next((key for key in readers if public_of(key) == under), None)
        if found is not None:
            private_by_book[book] = found
    if not private_by_book:
        return 0, 0
    words_by_num = replica.store.cards.all_words()
    wrong = looked_at = 0
    for placed in replica.store.cards.indexed():
        private = private_by_book.get(placed.book)
        if private is None:
            continue
        looked_at += 1
        card = _opened(replica, placed, readers) if placed.reservation else None
        key = index_key(private, placed.book)
        words = guest_words.words_of_card(card) if card is not None else ()
        wrong += words_by_num.pop(placed.num, set()) != {token(key, word) for word in words}
    return looked_at, wrong + bool(words_by_num)


def _opened(
    replica: Replica, placed: PlacedCard, readers: Sequence[X25519PrivateKey]
) -> dict[str, Any] | None:
    sealed = sealed_card(replica, placed)
    for key in replica.store.cards.keys(placed.book, placed.id) if sealed is not None else ():
        for reader in readers:
            assert sealed is not None
            found = cards.open_card(
                cards.SealedCard(sealed.ciphertext, key.text_digest, key.sealed), reader,
                venue=placed.book, agent_id=placed.agent_id,
            )  # fmt: skip
            if found is not None:
                return found
    return None


def index_key(private: X25519PrivateKey, book: str) -> bytes:
    """The key of a book's index: HKDF-SHA-256 of the venue's private key."""
    info = b"holdfast guest index 1\x00" + book.encode()
    return HKDF(SHA256(), 32, None, info).derive(private.private_bytes_raw())


def token(key: bytes, word: str) -> bytes:
    """What stands in the index for a word: the beginning of its HMAC-SHA-256."""
    return hmac.digest(key, word.encode(), "sha256")[:_TOKEN_BYTES]
