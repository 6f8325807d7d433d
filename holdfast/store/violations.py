"""How often each rule said no, by day, channel and the hour that was asked for: sums, no persons.

Owns that table, which belongs to this replica alone. What a rule is, and which days are old, is the
node's business.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlite_utils import Database

from holdfast.model.limits import VIOLATION_PATTERNS_PER_DAY_MAX


class Pattern(NamedTuple):
    """What refusals are counted by. `day` is the venue's day on which it was refused, `weekday` (0:
    Monday) and `hour` those of the start that was asked for, on the venue's clock."""

    book: str
    day: str
    rule: str
    kind: str
    source: str
    weekday: int
    hour: int


class Violations:
    def __init__(self, db: Database) -> None:
        self._c = db.conn

    def add(self, patterns: Iterable[Pattern]) -> None:
        """Count each of them once more. Of one day there is room for so many different ones; who
        asks for anything and everything fills no disk."""
        for pattern in patterns:
            known = self._c.execute(
                "UPDATE violations SET number = number + 1 WHERE book = ? AND day = ? AND rule = ?"
                " AND kind = ? AND source = ? AND weekday = ? AND hour = ?",
                pattern,
            ).rowcount
            if not known and self._room_on(pattern.book, pattern.day):
                self._c.execute(
                    "INSERT INTO violations (book, day, rule, kind, source, weekday, hour, number)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, 1)",
                    pattern,
                )

    def _room_on(self, book: str, day: str) -> bool:
        (number,) = self._c.execute(
            "SELECT count(*) FROM violations WHERE book = ? AND day = ?", (book, day)
        ).fetchone()
        return int(number) < VIOLATION_PATTERNS_PER_DAY_MAX

    def between(self, book: str, first: str, before: str) -> list[tuple[Pattern, int]]:
        """What was counted in a book from one day on and before another, in their order."""
        return [
            (Pattern(*row[:7]), row[7])
            for row in self._c.execute(
                "SELECT book, day, rule, kind, source, weekday, hour, number FROM violations"
                " WHERE book = ? AND day >= ? AND day < ?"
                " ORDER BY day, rule, kind, source, weekday, hour",
                (book, first, before),
            )
        ]

    def sweep(self, before: str) -> int:
        """Forget what is older than a day. Returns how many rows."""
        return self._c.execute("DELETE FROM violations WHERE day < ?", (before,)).rowcount
