"""What entries say of people beside restrictions: flags, notes, descriptions, merges.

Owns the table `guest_entries`: a row for each entry and each agent id that it names, with its place
in the journal and its content. Whose word counts is the node's business, what follows from it the
model's. What is sealed is sealed here too.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec
from sqlite_utils import Database

from holdfast.model.events import (
    EVENT_BY_KIND,
    KIND_BY_EVENT,
    Event,
    GuestDescribed,
    GuestFlagged,
    GuestMerged,
    GuestNoted,
    GuestNoteWithdrawn,
    GuestUnmerged,
    encode_content,
)

OF_NOTES: Final = ("guest.noted", "guest.note_withdrawn")
OF_MERGES: Final = ("guest.merged", "guest.unmerged")
KINDS: Final = ("guest.flagged", "guest.described", *OF_NOTES, *OF_MERGES)
"""The entries that stand here and nowhere else but in the journal."""

_decoders = {kind: msgspec.msgpack.Decoder(EVENT_BY_KIND[kind]) for kind in KINDS}


class GuestEntry(NamedTuple):
    """What an entry, the operation `id`, says of a person, and where it stands: its chain's row,
    and its number there."""

    id: bytes
    said: Event
    stamp: int
    chain: int
    n: int


_COLUMNS: Final = "SELECT id, kind, content, stamp, chain, n FROM guest_entries"


class GuestEntries:
    def __init__(self, db: Database) -> None:
        self._c = db.conn

    def put(
        self, book: str, operation: bytes, stamp: int, chain: int, n: int, event: Event | None
    ) -> None:
        """Take in one entry of a kind in `KINDS`; of one whose content does not count, nothing."""
        if event is None:
            return
        kind, content = KIND_BY_EVENT[type(event)], encode_content(event)
        self._c.executemany(
            "INSERT OR IGNORE INTO guest_entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (book, agent, operation, kind, stamp, chain, n, content)
                for agent in agents_named(event)
            ],
        )

    def clear_book(self, book: str) -> None:
        """Forget what entries of a book said, to be read from the journal again."""
        self._c.execute("DELETE FROM guest_entries WHERE book = ?", (book,))

    # --- reading --------------------------------------------------------------------------------

    def of(self, book: str, agent_id: str, *kinds: str) -> list[GuestEntry]:
        """What entries of these kinds say of an agent id, the oldest first."""
        rows = self._c.execute(
            f"{_COLUMNS} WHERE book = ? AND agent_id = ? AND kind IN ({_marks(kinds)})"
            " ORDER BY stamp, id",
            (book, agent_id, *kinds),
        )
        return [_entry(row) for row in rows]

    def find(self, book: str, agent_id: str, operation: bytes) -> GuestEntry | None:
        """One entry of an agent id."""
        row = self._c.execute(
            f"{_COLUMNS} WHERE book = ? AND agent_id = ? AND id = ?", (book, agent_id, operation)
        ).fetchone()
        return _entry(row) if row else None

    def knows(self, book: str, agent_id: str) -> bool:
        """Whether anything was ever said of an agent id here."""
        found = self._c.execute(
            "SELECT 1 FROM guest_entries WHERE book = ? AND agent_id = ? LIMIT 1", (book, agent_id)
        )
        return found.fetchone() is not None

    def agents(self, first: str, last: str, limit: int) -> list[str]:
        """Agent ids of whom something was said, from `first` to `last` as texts are ordered."""
        rows = self._c.execute(
            "SELECT DISTINCT agent_id FROM guest_entries WHERE agent_id BETWEEN ? AND ?"
            " ORDER BY agent_id LIMIT ?",
            (first, last, limit),
        )
        return [row[0] for row in rows]


def agents_named(event: Event) -> tuple[str, ...]:
    """The agent ids that an entry of a kind in `KINDS` is about."""
    assert isinstance(
        event,
        GuestFlagged | GuestNoted | GuestNoteWithdrawn | GuestDescribed | GuestMerged
        | GuestUnmerged,
    )  # fmt: skip
    if isinstance(event, GuestMerged | GuestUnmerged):
        return (event.agent_id, event.other)
    return (event.agent_id,)


def _marks(kinds: tuple[str, ...]) -> str:
    return ", ".join("?" * len(kinds))


def _entry(row: tuple[bytes, str, bytes, int, int, int]) -> GuestEntry:
    operation, kind, content, stamp, chain, n = row
    return GuestEntry(operation, _decoders[kind].decode(content), stamp, chain, n)
