"""Who said when that a table is clean.

Owns the table `resource_marks`: of each chain the newest word about each resource, with its place
in the journal. Whose word counts is the node's business, and what follows from it the model's
(`model.floor`).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlite_utils import Database

from holdfast.model.events import Event, ResourceCleaned
from holdfast.model.floor import Cleaned

KINDS: Final = ("resource.cleaned",)
"""The entries that stand here and nowhere else but in the journal."""


class PlacedMark(NamedTuple):
    """What an entry says, and where it stands: its chain's row, and its number there."""

    said: Cleaned
    chain: int
    n: int


class Tables:
    def __init__(self, db: Database) -> None:
        self._c = db.conn

    def put(
        self, book: str, operation: bytes, stamp: int, chain: int, n: int, event: Event | None
    ) -> None:
        """Take in one entry of a kind in `KINDS`; of one whose content does not count, nothing."""
        if isinstance(event, ResourceCleaned):
            self._c.execute(
                "INSERT INTO resource_marks (book, resource, chain, id, stamp, n)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET id = excluded.id,"
                " stamp = excluded.stamp, n = excluded.n"
                " WHERE (excluded.stamp, excluded.n) > (stamp, n)",
                (book, event.resource, chain, operation, stamp, n),
            )

    def clear_book(self, book: str) -> None:
        """Forget what entries of a book said, to be read from the journal again."""
        self._c.execute("DELETE FROM resource_marks WHERE book = ?", (book,))

    def cleaned(self, book: str) -> list[PlacedMark]:
        """The newest word of every chain about every resource."""
        rows = self._c.execute(
            "SELECT resource, stamp, chain, n FROM resource_marks WHERE book = ?", (book,)
        )
        return [PlacedMark(Cleaned(row[0], row[1]), row[2], row[3]) for row in rows]
