"""Which entries edit the notes of which service.

Owns the table `service_notes`: a row for each edit, with its place in the journal and its content,
which is sealed here too. Whose edits count is the node's business, and what text they make that of
`sync.shared_text`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec
from sqlite_utils import Database

from holdfast.model.events import Event, ServiceNotesEdited, encode_content

KINDS: Final = ("service.notes_edited",)
"""The entries that stand here and nowhere else but in the journal."""

_decoder = msgspec.msgpack.Decoder(ServiceNotesEdited)


class PlacedEdit(NamedTuple):
    """An edit, the operation `id`, and where it stands: its chain's row, and its number there."""

    id: bytes
    said: ServiceNotesEdited
    stamp: int
    chain: int
    n: int


class ServiceNotes:
    def __init__(self, db: Database) -> None:
        self._c = db.conn

    def put(
        self, book: str, operation: bytes, stamp: int, chain: int, n: int, event: Event | None
    ) -> None:
        """Take in one entry of a kind in `KINDS`; of one whose content does not count, nothing."""
        if isinstance(event, ServiceNotesEdited):
            self._c.execute(
                "INSERT OR IGNORE INTO service_notes VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    book, event.date, event.service, operation, stamp, chain, n,
                    encode_content(event),
                ),
            )  # fmt: skip

    def clear_book(self, book: str) -> None:
        """Forget what entries of a book said, to be read from the journal again."""
        self._c.execute("DELETE FROM service_notes WHERE book = ?", (book,))

    def of(self, book: str, date: str, service: str) -> list[PlacedEdit]:
        """The edits of the notes of a service, the oldest first."""
        rows = self._c.execute(
            "SELECT id, content, stamp, chain, n FROM service_notes"
            " WHERE book = ? AND date = ? AND service = ? ORDER BY stamp, id",
            (book, date, service),
        )
        return [
            PlacedEdit(operation, _decoder.decode(content), stamp, chain, n)
            for operation, content, stamp, chain, n in rows
        ]
