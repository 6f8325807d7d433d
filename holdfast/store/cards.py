"""Guest cards as a replica keeps them: their sealed keys, where they stand, and what was erased.

Owns the tables `card_keys`, `waiting_keys`, `cards`, `erased_cards` and `guest_words`. Nothing here
can be read without the venue's private key, which no table holds; what an entry means, and who may
erase, is the node's business.

Erased means that the bytes are gone: a key is overwritten where it stands before its row is
deleted, the connection runs with `PRAGMA secure_delete`, and `Store.scrub` empties the write-ahead
log. A trigger keeps every key out whose card was erased, whoever brings it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from sqlite_utils import Database

from holdfast.model import card_ids
from holdfast.model.limits import VENUE_KEYS_MAX

NOT_LOOKED_AT: Final = 0
INDEXED: Final = 1
UNREADABLE: Final = 2
"""What became of a card in the index: a card that could not be opened is tried again when a key
comes."""


class CardKey(NamedTuple):
    """A card's key, sealed to one of the venue's public keys (`sealed_to`). The digests are those
    of the card: its id is made of them.

    `version` grows with every key that this replica takes in: a reader's cursor in what it sends.
    """

    version: int
    id: bytes
    book: str
    text_digest: bytes
    key_digest: bytes
    sealed_to: bytes
    sealed: bytes

    @property
    def first(self) -> bool:
        """Whether these are the bytes that the card's id was made of."""
        return card_ids.key_digest(self.sealed_to, self.sealed) == self.key_digest


class PlacedCard(NamedTuple):
    """A card in an entry, and whose it is: `num` names the row."""

    num: int
    id: bytes
    book: str
    operation: bytes
    reservation: bytes
    agent_id: str
    stamp: int


class ErasedCard(NamedTuple):
    """What is left of an erased card: that it was there, and the operation that erased it."""

    id: bytes
    operation: bytes
    at_ms: int


_KEY: Final = "SELECT version, id, book, text_digest, key_digest, sealed_to, sealed FROM card_keys"
_PLACED: Final = "SELECT num, id, book, operation, reservation, agent_id, stamp FROM cards"


class Cards:
    def __init__(self, db: Database) -> None:
        self._c = db.conn
        self._before: dict[tuple[str, bytes], tuple[int, int]] = {}
        """Of a book that is being folded anew: the row of each card, and its state in the index."""

    # --- keys -----------------------------------------------------------------------------------

    def put_key(
        self, book: str, text_digest: bytes, key_digest: bytes, sealed_to: bytes, sealed: bytes
    ) -> bool:
        """Keep a key of the card with these digests, if it is one that `lacks_key` says. Returns
        whether it was taken."""
        if not self.lacks_key(book, text_digest, key_digest, sealed_to, sealed):
            return False
        card = card_ids.card_id(text_digest, key_digest)
        self._destroy(key for key in self.keys(book, card) if key.sealed_to == sealed_to)
        done = self._c.execute(
            "INSERT INTO card_keys (id, book, text_digest, key_digest, sealed_to, sealed)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (card, book, text_digest, key_digest, sealed_to, sealed),
        )
        return done.rowcount > 0

    def lacks_key(
        self, book: str, text_digest: bytes, key_digest: bytes, sealed_to: bytes, sealed: bytes
    ) -> bool:
        """Whether such a key is worth keeping beside those that are here.

        Of those sealed to one of the venue's keys the one that came first stays; but the card's
        first key, which nobody can make up, takes the place of whatever stands there instead.
        """
        card = card_ids.card_id(text_digest, key_digest)
        held = self.keys(book, card)
        same = next((key for key in held if key.sealed_to == sealed_to), None)
        if card_ids.key_digest(sealed_to, sealed) == key_digest:
            return same is None or not same.first
        return same is None and len(held) < VENUE_KEYS_MAX

    def keys(self, book: str, card: bytes) -> list[CardKey]:
        """Every key of a card, the oldest first; none where it was erased or has not come."""
        rows = self._c.execute(f"{_KEY} WHERE book = ? AND id = ? ORDER BY version", (book, card))
        return [CardKey(*row) for row in rows]

    def readable(self, book: str, agent_id: str) -> set[bytes]:
        """The ids of the cards under an agent id of which a key is here."""
        rows = self._c.execute(
            "SELECT DISTINCT c.id FROM cards c JOIN card_keys k ON k.id = c.id AND k.book = c.book"
            " WHERE c.book = ? AND c.agent_id = ?",
            (book, agent_id),
        )
        return {row[0] for row in rows}

    def holds_key(self, book: str, card: bytes, sealed_to: bytes) -> bool:
        """Whether a key of a card is here, sealed to this one of the venue's keys."""
        found = self._c.execute(
            "SELECT 1 FROM card_keys WHERE book = ? AND id = ? AND sealed_to = ?",
            (book, card, sealed_to),
        )
        return found.fetchone() is not None

    def keys_since(self, book: str, version: int, limit: int) -> list[CardKey]:
        rows = self._c.execute(
            f"{_KEY} WHERE book = ? AND version > ? ORDER BY version LIMIT ?",
            (book, version, limit),
        )
        return [CardKey(*row) for row in rows]

    def keys_at(self, versions: Iterable[int]) -> list[CardKey]:
        """The keys with these versions, as far as they are still here."""
        rows = (self._c.execute(f"{_KEY} WHERE version = ?", (one,)) for one in versions)
        return [CardKey(*row) for found in rows for row in found]

    def keys_not_for(self, book: str, public: bytes, after: int, limit: int) -> list[CardKey]:
        """Keys that are sealed to another of the venue's keys, by version."""
        rows = self._c.execute(
            f"{_KEY} WHERE book = ? AND version > ? AND sealed_to <> ? ORDER BY version LIMIT ?",
            (book, after, public, limit),
        )
        return [CardKey(*row) for row in rows]

    def with_several_keys(self, book: str) -> list[bytes]:
        rows = self._c.execute(
            "SELECT id FROM card_keys WHERE book = ? GROUP BY id HAVING count(*) > 1", (book,)
        )
        return [row[0] for row in rows]

    def destroy_keys(self, book: str, card: bytes, keep: bytes | None = None) -> int:
        """Overwrite and delete a card's keys, but for the one sealed to `keep`. Returns how
        many."""
        doomed = [key for key in self.keys(book, card) if key.sealed_to != keep]
        self._destroy(doomed)
        return len(doomed)

    def _destroy(self, keys: Iterable[CardKey]) -> None:
        """Overwritten first, with as many bytes: the row stays where it is and no copy of it is
        left in a page that it would have moved away from."""
        for key in keys:
            self._c.execute(
                "UPDATE card_keys SET sealed = zeroblob(length(sealed)) WHERE version = ?",
                (key.version,),
            )
            self._c.execute("DELETE FROM card_keys WHERE version = ?", (key.version,))
            self._c.execute(
                "DELETE FROM waiting_keys WHERE book = ? AND id = ? AND sealed_to = ?",
                (key.book, key.id, key.sealed_to),
            )

    # --- keys that wait for their entry ---------------------------------------------------------

    def is_placed(self, book: str, card: bytes) -> bool:
        """Whether an entry that is known here carries a card."""
        found = self._c.execute("SELECT 1 FROM cards WHERE id = ? AND book = ?", (card, book))
        return found.fetchone() is not None

    def wait_for_entry(self, book: str, card: bytes, sealed_to: bytes, sender: str) -> None:
        """A key came from a device, and no entry carries its card yet."""
        self._c.execute(
            "INSERT OR IGNORE INTO waiting_keys VALUES (?, ?, ?, ?)",
            (book, card, sealed_to, sender),
        )

    def waiting_of(self, book: str, sender: str) -> int:
        """How many keys that a device sent wait for their entry."""
        found = self._c.execute(
            "SELECT count(*) FROM waiting_keys WHERE book = ? AND sender = ?", (book, sender)
        )
        return int(found.fetchone()[0])

    def waiting_by_sender(self, book: str) -> dict[str, int]:
        return dict(
            self._c.execute(
                "SELECT sender, count(*) FROM waiting_keys WHERE book = ? GROUP BY sender", (book,)
            )
        )

    # --- where cards stand ----------------------------------------------------------------------

    def saw(
        self, book: str, card: bytes, operation: bytes, reservation: bytes, agent_id: str,
        stamp: int,
    ) -> None:  # fmt: skip
        """An entry carries a card."""
        self._c.execute("DELETE FROM waiting_keys WHERE id = ? AND book = ?", (card, book))
        num, indexed = self._before.pop((book, operation), (None, NOT_LOOKED_AT))
        self._c.execute(
            "INSERT INTO cards (num, id, book, operation, reservation, agent_id, stamp, indexed)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (num, card, book, operation, reservation, agent_id, stamp, indexed),
        )

    def clear_book(self, book: str) -> None:
        """Forget where cards stand, to be read from the journal again. Keys stay, and what was
        erased; so does the index, whose rows the same cards get again."""
        self._before = {
            (book, row[0]): (row[1], row[2])
            for row in self._c.execute(
                "SELECT operation, num, indexed FROM cards WHERE book = ?", (book,)
            )
        }
        self._c.execute("DELETE FROM cards WHERE book = ?", (book,))

    def placed(self, book: str, card: bytes) -> list[PlacedCard]:
        """Every entry that carries a card."""
        return self._placed("WHERE book = ? AND id = ? ORDER BY stamp, operation", (book, card))

    def placed_of(self, book: str, agent_id: str) -> list[PlacedCard]:
        """The cards of this person."""
        return self._placed(
            "WHERE book = ? AND agent_id = ? ORDER BY stamp, operation", (book, agent_id)
        )

    def agents(self, first: str, last: str, limit: int) -> list[str]:
        """Agent ids of guests with cards, from `first` to `last` as texts are ordered."""
        rows = self._c.execute(
            "SELECT DISTINCT agent_id FROM cards WHERE agent_id BETWEEN ? AND ?"
            " ORDER BY agent_id LIMIT ?",
            (first, last, limit),
        )
        return [row[0] for row in rows]

    def _placed(self, where: str, named: Sequence[object]) -> list[PlacedCard]:
        return [PlacedCard(*row) for row in self._c.execute(f"{_PLACED} {where}", named)]

    # --- what was erased ------------------------------------------------------------------------

    def erase(self, book: str, card: bytes, operation: bytes, at_ms: int) -> bool:
        """Destroy a card's keys and what finds it, and never keep a key of it again. Returns
        whether this is news."""
        self.destroy_keys(book, card)
        self._c.execute(
            "DELETE FROM guest_words WHERE card IN (SELECT num FROM cards WHERE book = ?"
            " AND id = ?)",
            (book, card),
        )
        done = self._c.execute(
            "INSERT OR IGNORE INTO erased_cards VALUES (?, ?, ?, ?)", (book, card, operation, at_ms)
        )
        return done.rowcount > 0

    def erased(self, book: str, card: bytes) -> ErasedCard | None:
        row = self._c.execute(
            "SELECT id, operation, at_ms FROM erased_cards WHERE book = ? AND id = ?", (book, card)
        ).fetchone()
        return ErasedCard(*row) if row else None

    # --- the index ------------------------------------------------------------------------------

    def to_index(self, book: str, after: int, limit: int) -> list[PlacedCard]:
        """Cards that nobody tried to put into the index yet, in the order of their rows."""
        return self._placed(
            "WHERE indexed = 0 AND book = ? AND num > ? ORDER BY num LIMIT ?", (book, after, limit)
        )

    def put_words(self, num: int, words: Iterable[tuple[bytes, bool]]) -> None:
        """Let a card be found by these words, each a keyed hash, and whether it is a telephone
        number or an address by which a guest is told from others."""
        self._c.executemany(
            "INSERT OR IGNORE INTO guest_words (token, card, contact) VALUES (?, ?, ?)",
            ((word, num, contact) for word, contact in words),
        )
        self.mark(num, INDEXED)

    def mark(self, num: int, state: int) -> None:
        self._c.execute("UPDATE cards SET indexed = ? WHERE num = ?", (state, num))

    def try_again(self, book: str, card: bytes | None = None) -> None:
        """A key came: what could not be opened may be readable now. Of one card, or of all."""
        if card is None:
            self._c.execute("UPDATE cards SET indexed = 0 WHERE book = ? AND indexed = 2", (book,))
        else:
            self._c.execute(
                "UPDATE cards SET indexed = 0 WHERE book = ? AND id = ? AND indexed = 2",
                (book, card),
            )

    def clear_words(self, book: str) -> None:
        """Empty the index of a book: it is made again under another key, or for nobody. Words of no
        card, which no index has, go with it."""
        self._c.execute(
            "DELETE FROM guest_words WHERE card NOT IN (SELECT num FROM cards WHERE book != ?)",
            (book,),
        )
        self._c.execute("UPDATE cards SET indexed = 0 WHERE book = ?", (book,))

    def with_word(self, word: bytes) -> list[int]:
        """The rows of the cards that a word finds."""
        rows = self._c.execute("SELECT card FROM guest_words WHERE token = ?", (word,))
        return [row[0] for row in rows]

    def with_any_word(self, book: str, words: Sequence[bytes]) -> list[PlacedCard]:
        """The cards of a book that at least one of the words finds, the newest first."""
        marks = ", ".join("?" * len(words))
        return self._placed(
            f"WHERE book = ? AND num IN (SELECT card FROM guest_words WHERE token IN ({marks}))"  # noqa: S608
            " ORDER BY stamp DESC, num",
            (book, *words),
        )

    def sharing(self, book: str) -> list[tuple[bytes, int, str]]:
        """(word, row, agent id) of the cards of a book with a telephone number or an address that
        stands in cards of several agent ids, by word."""
        rows = self._c.execute(
            "SELECT w.token, c.num, c.agent_id FROM guest_words w JOIN cards c ON c.num = w.card"
            " WHERE w.contact = 1 AND c.book = ? AND w.token IN ("
            " SELECT v.token FROM guest_words v JOIN cards d ON d.num = v.card"
            " WHERE v.contact = 1 AND d.book = ? GROUP BY v.token"
            " HAVING count(DISTINCT d.agent_id) > 1) ORDER BY w.token, c.num",
            (book, book),
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def all_words(self) -> dict[int, set[bytes]]:
        """The whole index, by card."""
        found: dict[int, set[bytes]] = {}
        for word, num in self._c.execute("SELECT token, card FROM guest_words"):
            found.setdefault(num, set()).add(word)
        return found

    def indexed(self) -> list[PlacedCard]:
        """The cards that are in the index, less those that were erased since."""
        return self._placed(
            "WHERE indexed = 1 AND NOT EXISTS (SELECT 1 FROM erased_cards e"
            " WHERE e.id = cards.id AND e.book = cards.book) ORDER BY num",
            (),
        )

    def by_num(self, num: int) -> PlacedCard | None:
        found = self._placed("WHERE num = ?", (num,))
        return found[0] if found else None
