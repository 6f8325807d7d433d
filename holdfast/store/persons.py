"""What one person has and made, of the reservations that were folded.

Owns those questions to the table of `projections`, which all go by the person's agent id. It counts
and changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec
from sqlite_utils import Database

from holdfast.model import ids
from holdfast.model.reservation import View

_view_decoder = msgspec.msgpack.Decoder(View)
RUNNING_LOOKED_AT_MAX: Final = 256
"""Of what has begun and is not marked as over, the newest are looked at: a house that marks nothing
has thousands, none of which lasts still."""


class Persons:
    def __init__(self, db: Database) -> None:
        self._c = db.conn

    def ahead(
        self, book: str, agent_id: str, now_s: int, statuses: Collection[str], but: bytes = b""
    ) -> int:
        """How many reservations of a person in a book are in one of these statuses and end after an
        instant; `but` is not counted."""
        marks = ", ".join("?" * len(statuses))
        # Left to itself SQLite looks at everybody's in the book.
        of_person = (
            "FROM reservations INDEXED BY reservations_by_agent WHERE agent_id = ? AND book = ?"
            f" AND entries > 0 AND code <> '' AND id <> ? AND status IN ({marks})"
        )
        values = (agent_id, book, but, *statuses)
        (to_come,) = self._c.execute(
            f"SELECT count(*) {of_person} AND starts_at >= ?",
            (*values, now_s),
        ).fetchone()
        begun = self._c.execute(
            f"SELECT view {of_person} AND starts_at < ? ORDER BY starts_at DESC LIMIT ?",
            (*values, now_s, RUNNING_LOOKED_AT_MAX),
        )
        return int(to_come) + sum(_view_decoder.decode(row[0]).ends_at > now_s for row in begun)

    def visits(self, book: str, agent_id: str) -> tuple[int, int]:
        """How many reservations of a person in a book are completed, and how many no-shows."""
        visits, no_shows = self._c.execute(
            "SELECT coalesce(sum(status = 'completed'), 0), coalesce(sum(status = 'no_show'), 0)"
            " FROM reservations INDEXED BY reservations_by_agent WHERE agent_id = ? AND book = ?"
            " AND status IN ('completed', 'no_show') AND form = '' AND entries > 0 AND code <> ''",
            (agent_id, book),
        ).fetchone()
        return int(visits), int(no_shows)

    def reservations(
        self,
        book: str,
        agents: Collection[str],
        *,
        status: str | None = None,
        starts_from: int | None = None,
        starts_before: int | None = None,
        after: tuple[int, bytes] | None = None,
        limit: int = 50,
    ) -> list[View]:
        """The reservations of a person in a book, whatever of their agent ids they stand under,
        sorted by (starts_at, id); `after` is the last one's key of the page before. What is held,
        waits, or takes a place out of use is no reservation."""
        where = [f"agent_id IN ({', '.join('?' * len(agents))})", "book = ?", "form = ''"]
        values: list[object] = [*agents, book]
        for clause, value in (
            ("status = ?", status), ("starts_at >= ?", starts_from),
            ("starts_at < ?", starts_before),
        ):  # fmt: skip
            if value is not None:
                where.append(clause)
                values.append(value)
        if after is not None:
            where.append("(starts_at, id) > (?, ?)")
            values += after
        rows = self._c.execute(
            "SELECT view FROM reservations INDEXED BY reservations_by_agent"  # noqa: S608
            f" WHERE {' AND '.join(where)} AND entries > 0 AND code <> ''"
            " ORDER BY starts_at, id LIMIT ?",
            (*values, limit),
        )
        return [_view_decoder.decode(row[0]) for row in rows]

    def made(self, agent_id: str, first_ms: int, last_ms: int) -> list[tuple[int, str]]:
        """(Unix milliseconds, book) of every reservation of a person that was made from one instant
        to another, whatever became of it, by what its id says. Records of other systems are not
        among them."""
        rows = self._c.execute(
            "SELECT id, book FROM reservations WHERE agent_id = ? AND id >= ? AND id < ?",
            (agent_id, ids.first_of(first_ms), ids.first_of(last_ms + 1)),
        )
        found = [(ids.made_ms(row[0]), row[1]) for row in rows]
        return sorted((made_ms, book) for made_ms, book in found if made_ms is not None)
