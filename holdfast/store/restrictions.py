"""What entries say of people: restrictions, the lifts of them, and profiles.

Owns the tables `restrictions`, `restriction_lifts` and `guest_profiles`, a row for each entry, with
its place in the journal. Whose word counts is the node's business, and what follows from it the
model's (`model.restrictions`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Generic, NamedTuple, TypeVar

from sqlite_utils import Database

from holdfast.model.events import (
    Event,
    GuestProfiled,
    GuestRestricted,
    GuestRestrictionLifted,
)
from holdfast.model.restrictions import Lift, Profile, Restriction

KINDS: Final = ("guest.restricted", "guest.restriction_lifted", "guest.profiled")
"""The entries that stand here and nowhere else but in the journal."""

Said = TypeVar("Said")


class Placed(NamedTuple, Generic[Said]):
    """What an entry says, and where it stands: its chain's row, and its number there."""

    said: Said
    chain: int
    n: int


_RESTRICTIONS: Final = (
    "SELECT id, agent_id, kind, reason, value, until_ms, stamp, chain, n FROM restrictions"
)
_LIFTS: Final = "SELECT id, restriction, reason, stamp, chain, n FROM restriction_lifts"
_PROFILES: Final = "SELECT id, agent_id, tier, tags, stamp, chain, n FROM guest_profiles"


class Restrictions:
    def __init__(self, db: Database) -> None:
        self._c = db.conn

    def put(
        self, book: str, operation: bytes, stamp: int, chain: int, n: int, event: Event | None
    ) -> None:
        """Take in one entry of a kind in `KINDS`; of one whose content does not count, nothing."""
        place = (stamp, chain, n)
        if isinstance(event, GuestRestricted):
            self._insert(
                "restrictions", book, event.agent_id, operation, event.restriction, event.reason,
                event.value, event.until_ms, *place,
            )  # fmt: skip
        elif isinstance(event, GuestRestrictionLifted):
            self._insert(
                "restriction_lifts", book, event.restriction, operation, event.reason, *place
            )
        elif isinstance(event, GuestProfiled):
            tags = " ".join(event.tags)
            self._insert(
                "guest_profiles", book, event.agent_id, operation, event.tier, tags, *place
            )

    def _insert(self, table: str, *values: Any) -> None:
        marks = ", ".join("?" * len(values))
        self._c.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", values)  # noqa: S608

    def clear_book(self, book: str) -> None:
        """Forget what entries of a book said, to be read from the journal again."""
        for table in ("restrictions", "restriction_lifts", "guest_profiles"):
            self._c.execute(f"DELETE FROM {table} WHERE book = ?", (book,))  # noqa: S608

    # --- reading --------------------------------------------------------------------------------

    def of(self, book: str, agent_id: str | None = None) -> list[Placed[Restriction]]:
        """The restrictions of a person, or of everybody, the oldest first."""
        clause, values = _where(book, agent_id)
        rows = self._c.execute(f"{_RESTRICTIONS} {clause} ORDER BY stamp, id", values)
        return [Placed(Restriction(*row[:7]), *row[7:]) for row in rows]

    def find(self, book: str, restriction: bytes) -> Placed[Restriction] | None:
        """A restriction by its id."""
        row = self._c.execute(
            f"{_RESTRICTIONS} WHERE book = ? AND id = ?", (book, restriction)
        ).fetchone()
        return Placed(Restriction(*row[:7]), *row[7:]) if row else None

    def lifts(self, book: str, restrictions: Iterable[bytes]) -> list[Placed[Lift]]:
        """What lifts any of these restrictions."""
        return [
            Placed(Lift(*row[:4]), *row[4:])
            for one in restrictions
            for row in self._c.execute(f"{_LIFTS} WHERE book = ? AND restriction = ?", (book, one))
        ]

    def profiles(self, book: str, agent_id: str) -> list[Placed[Profile]]:
        """Every profile that a person was given."""
        clause, values = _where(book, agent_id)
        rows = self._c.execute(f"{_PROFILES} {clause}", values)
        return [
            Placed(Profile(row[0], row[1], row[2], tuple(row[3].split()), row[4]), *row[5:])
            for row in rows
        ]

    def knows(self, book: str, agent_id: str) -> bool:
        """Whether anything was ever said of a person here."""
        return any(
            self._c.execute(
                f"SELECT 1 FROM {table} WHERE book = ? AND agent_id = ?",  # noqa: S608
                (book, agent_id),
            ).fetchone()
            for table in ("restrictions", "guest_profiles")
        )

    def agents(self, first: str, last: str, limit: int) -> list[str]:
        """Agent ids of whom something was said, from `first` to `last` as texts are ordered."""
        rows = self._c.execute(
            "SELECT agent_id FROM restrictions WHERE agent_id BETWEEN ? AND ?"
            " UNION SELECT agent_id FROM guest_profiles WHERE agent_id BETWEEN ? AND ?"
            " ORDER BY 1 LIMIT ?",
            (first, last, first, last, limit),
        )
        return [row[0] for row in rows]


def _where(book: str, agent_id: str | None) -> tuple[str, tuple[str, ...]]:
    if agent_id is None:
        return "WHERE book = ?", (book,)
    return "WHERE book = ? AND agent_id = ?", (book, agent_id)
