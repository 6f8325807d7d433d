"""Which guest was reminded of what, as far as this directory knows.

Owns the table `reminders`: marks of this device alone, which no other device gets and no entry
carries. What a mark means, and who may set one, is the node's business (`node.reminders`).
"""

from __future__ import annotations

from typing import NamedTuple

from sqlite_utils import Database


class Mark(NamedTuple):
    """A reminder of one `kind` of a reservation that starts at `starts_at` (epoch seconds) was sent
    at `at_ms` (Unix milliseconds); `by` is the agent id of whoever said so, empty: nobody."""

    book: str
    reservation: bytes
    kind: str
    starts_at: int
    at_ms: int
    by: str


_COLUMNS = "book, reservation, kind, starts_at, at_ms, by"


class Reminders:
    def __init__(self, db: Database) -> None:
        self._c = db.conn

    def put(self, mark: Mark) -> None:
        """Add a mark that is not there yet."""
        self._c.execute(f"INSERT INTO reminders ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", mark)  # noqa: S608

    def get(self, reservation: bytes, kind: str, starts_at: int) -> Mark | None:
        """The mark of a reminder of this kind of this start."""
        row = self._c.execute(
            f"SELECT {_COLUMNS} FROM reminders"  # noqa: S608
            " WHERE reservation = ? AND kind = ? AND starts_at = ?",
            (reservation, kind, starts_at),
        ).fetchone()
        return None if row is None else Mark(*row)

    def of(self, reservation: bytes) -> list[Mark]:
        """All marks of a reservation, the oldest first."""
        rows = self._c.execute(
            f"SELECT {_COLUMNS} FROM reminders WHERE reservation = ?"  # noqa: S608
            " ORDER BY at_ms, kind, starts_at",
            (reservation,),
        )
        return [Mark(*row) for row in rows]

    def sweep(self, before: int) -> int:
        """Forget the marks of what began before then, epoch seconds. Returns how many."""
        return self._c.execute("DELETE FROM reminders WHERE starts_at < ?", (before,)).rowcount
