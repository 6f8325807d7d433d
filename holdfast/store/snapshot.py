"""Reservations beside whoever writes them: one state of the disk, read row after row.

Owns the read-only connection of those who read much (a calendar, a year's figures): they hold up
no writer, and see all that was committed before they began and nothing after it. A row at a time is
in memory, whatever a book holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import msgspec

from holdfast.model.claims import Seen
from holdfast.model.events import KIND_BY_EVENT, GuestMerged
from holdfast.model.reservation import View
from holdfast.store.database import translated
from holdfast.store.readonly import open_snapshot

_view_decoder = msgspec.msgpack.Decoder(View)
_seen_decoder = msgspec.msgpack.Decoder(list[Seen])


class Row(NamedTuple):
    """A reservation as it was folded; what was written about it is unpacked when it is asked
    for."""

    view: View
    packed: bytes

    @property
    def seen(self) -> list[Seen]:
        return _seen_decoder.decode(self.packed)


class Snapshot:
    """A context manager over a store's database file (`Store.path`).

    Raises DirectoryError where it cannot be read, DirectoryDamaged where SQLite cannot read on.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with translated(path):
            self._c = open_snapshot(path)

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._c.close()

    def reservations(self, book: str, starts_from: int, starts_before: int) -> Iterator[Row]:
        """Those of a book that lists show and that start in [starts_from, starts_before), by start
        and id."""
        with translated(self._path):
            rows = self._c.execute(
                "SELECT view, seen FROM reservations WHERE book = ? AND starts_at >= ?"
                " AND starts_at < ? AND entries > 0 AND code <> '' ORDER BY starts_at, id",
                (book, starts_from, starts_before),
            )
            for view, packed in rows:
                yield Row(_view_decoder.decode(view), packed)

    def reservation(self, book: str, reservation: bytes) -> Row | None:
        """One of a book by its id; None where no list would show it."""
        with translated(self._path):
            row = self._c.execute(
                "SELECT view, seen FROM reservations WHERE book = ? AND id = ?"
                " AND entries > 0 AND code <> ''",
                (book, reservation),
            ).fetchone()
        return None if row is None else Row(_view_decoder.decode(row[0]), row[1])

    def longest_seconds(self, book: str) -> int:
        """The longest that anything in a book ever took: what may reach into an instant began at
        most so long before it."""
        with translated(self._path):
            row = self._c.execute(
                "SELECT coalesce(max(seconds), 0) FROM reaches WHERE book = ?", (book,)
            ).fetchone()
        return int(row[0])

    def statuses_of(
        self, agent_id: str, books: Collection[str] | None = None
    ) -> list[tuple[str, str, int]]:
        """(book, status, how many) of a guest's reservations; `books` None: of all."""
        among = "" if books is None else f" AND book IN ({', '.join('?' * len(books))})"
        with translated(self._path):
            rows = self._c.execute(
                "SELECT book, status, count(*) FROM reservations WHERE agent_id = ?"  # noqa: S608
                f" AND entries > 0 AND code <> '' AND form = ''{among}"
                " GROUP BY book, status ORDER BY 1, 2",
                (agent_id, *(books or ())),
            ).fetchall()
        return [(row[0], row[1], row[2]) for row in rows]

    def refused(
        self, book: str, first: str, last: str, rules: Collection[str]
    ) -> list[tuple[str, str, int]]:
        """(day, rule, how often) of what some rules refused here on days of a book, the last one
        included."""
        with translated(self._path):
            rows = self._c.execute(
                "SELECT day, rule, sum(number) FROM violations WHERE book = ? AND day >= ?"  # noqa: S608
                f" AND day <= ? AND rule IN ({', '.join('?' * len(rules))})"
                " GROUP BY day, rule ORDER BY day, rule",
                (book, first, last, *rules),
            ).fetchall()
        return [(row[0], row[1], int(row[2])) for row in rows]

    def first_visit(self, book: str, agents: Collection[str]) -> int | None:
        """When a person, by all of their agent ids, first began a visit in a book that was
        completed, epoch seconds; None: never."""
        with translated(self._path):
            row = self._c.execute(
                "SELECT min(starts_at) FROM reservations INDEXED BY reservations_by_agent"  # noqa: S608
                f" WHERE agent_id IN ({', '.join('?' * len(agents))}) AND book = ?"
                " AND status = 'completed' AND form = '' AND entries > 0 AND code <> ''",
                (*agents, book),
            ).fetchone()
        return None if row[0] is None else int(row[0])

    def merged(self, book: str) -> frozenset[str]:
        """The agent ids of a book that were ever said to be one person with another."""
        with translated(self._path):
            rows = self._c.execute(
                "SELECT DISTINCT agent_id FROM guest_entries WHERE book = ? AND kind = ?",
                (book, KIND_BY_EVENT[GuestMerged]),
            ).fetchall()
        return frozenset(row[0] for row in rows)
