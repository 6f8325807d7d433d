"""Who may log in at this device, and who has: staff, sessions, tickets, wrong PINs.

Owns those tables. Secrets come here as hashes only; what they mean is the faces' business.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlite_utils import Database


class StaffRow(NamedTuple):
    """A member of staff of this device. `login` is the name as it is compared; `pin` the hash with
    its parameters, as text."""

    id: str
    login: str
    name: str
    role: str
    pin: str
    made_at_ms: int
    used_at_ms: int


class SessionRow(NamedTuple):
    """A session, or a ticket for one: by the hash of its secret, with whose rights it has (`kind`
    and `subject`), and the role of the page that they are narrowed to (empty: they are not)."""

    hash: bytes
    life: bytes
    kind: str
    subject: str
    role: str
    made_at_ms: int
    used_at_ms: int


class WrongPins(NamedTuple):
    """How often a PIN was wrong, of one name or on the whole device, and until when it is locked;
    Unix milliseconds."""

    tries: int
    last_at_ms: int
    locked_until_ms: int


_OWN: Final = (
    "SELECT 1 FROM reservations INDEXED BY reservations_by_agent"
    " WHERE agent_id = sessions.subject AND entries > 0 AND code <> ''"
)
"""What a session's own agent id has; what is held, and who waits, too."""
_TO_COME: Final = (
    f"{_OWN} AND starts_at >= :since"
    " AND status NOT IN ('cancelled', 'completed', 'expired', 'no_show')"
)
_LEAST_FIRST: Final = (
    f"NOT EXISTS ({_OWN})",
    f"EXISTS ({_OWN}) AND NOT EXISTS ({_TO_COME})",
    f"EXISTS ({_TO_COME})",
)


class Logins:
    def __init__(self, db: Database) -> None:
        self._c = db.conn

    # --- staff ----------------------------------------------------------------------------------

    def put_staff(self, row: StaffRow) -> None:
        self._c.execute("INSERT INTO staff VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def staff(self) -> list[StaffRow]:
        """Everybody, in the order of being added."""
        return [
            StaffRow(*row)
            for row in self._c.execute(
                "SELECT id, login, name, role, pin, made_at_ms, used_at_ms FROM staff"
                " ORDER BY made_at_ms, id"
            )
        ]

    def set_pin(self, staff_id: str, pin: str) -> None:
        self._c.execute("UPDATE staff SET pin = ? WHERE id = ?", (pin, staff_id))

    def logged_in(self, staff_id: str, at_ms: int) -> None:
        """Remember when somebody last logged in."""
        self._c.execute("UPDATE staff SET used_at_ms = ? WHERE id = ?", (at_ms, staff_id))

    def drop_staff(self, staff_id: str) -> None:
        self._c.execute("DELETE FROM staff WHERE id = ?", (staff_id,))

    # --- sessions -------------------------------------------------------------------------------

    def put_session(self, row: SessionRow) -> None:
        self._c.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def sessions(self) -> list[SessionRow]:
        """Every session, the one longest unused first."""
        return [
            SessionRow(*row)
            for row in self._c.execute(
                "SELECT hash, life, kind, subject, role, made_at_ms, used_at_ms FROM sessions"
                " ORDER BY used_at_ms, hash"
            )
        ]

    def least_needed(self, kind: str, since: int, number: int) -> list[bytes]:
        """The hashes of so many sessions of a kind, whose subjects are agent ids: first of those
        who have no reservation here, then of those who have none that stands and began `since`
        then (epoch seconds) or is to come, then of all; each time the one longest unused first."""
        found: list[bytes] = []
        for condition in _LEAST_FIRST:
            if len(found) < number:
                rows = self._c.execute(
                    f"SELECT hash FROM sessions WHERE kind = :kind AND {condition}"  # noqa: S608
                    " ORDER BY used_at_ms, hash LIMIT :number",
                    {"kind": kind, "since": since, "number": number - len(found)},
                )
                found += [row[0] for row in rows]
        return found

    def used_session(self, digest: bytes, at_ms: int) -> None:
        self._c.execute("UPDATE sessions SET used_at_ms = ? WHERE hash = ?", (at_ms, digest))

    def drop_session(self, digest: bytes) -> None:
        self._c.execute("DELETE FROM sessions WHERE hash = ?", (digest,))

    # --- tickets --------------------------------------------------------------------------------

    def put_ticket(self, row: SessionRow, keep: int) -> None:
        """Keep a ticket, and of all of them the newest `keep`."""
        self._c.execute("INSERT INTO tickets VALUES (?, ?, ?, ?, ?, ?)", row[:6])
        self._c.execute(
            "DELETE FROM tickets WHERE hash NOT IN"
            " (SELECT hash FROM tickets ORDER BY made_at_ms DESC, hash LIMIT ?)",
            (keep,),
        )

    def take_ticket(self, digest: bytes) -> SessionRow | None:
        """A ticket, which is gone with this; None for one that is not known."""
        row = self._c.execute(
            "DELETE FROM tickets WHERE hash = ?"
            " RETURNING hash, life, kind, subject, role, made_at_ms, made_at_ms",
            (digest,),
        ).fetchone()
        return SessionRow(*row) if row else None

    # --- wrong PINs -----------------------------------------------------------------------------

    def wrong_pins(self, who: bytes) -> WrongPins:
        """What is known of a name, or of the device (an empty one)."""
        row = self._c.execute(
            "SELECT tries, last_at_ms, locked_until_ms FROM wrong_pins WHERE who = ?", (who,)
        ).fetchone()
        return WrongPins(*row) if row else WrongPins(0, 0, 0)

    def put_wrong_pins(self, who: bytes, wrong: WrongPins, keep: int) -> None:
        """Remember, for the names that were tried last, and for the device always."""
        self._c.execute("INSERT OR REPLACE INTO wrong_pins VALUES (?, ?, ?, ?)", (who, *wrong))
        self._c.execute(
            "DELETE FROM wrong_pins WHERE who <> x'' AND who NOT IN"
            " (SELECT who FROM wrong_pins WHERE who <> x'' ORDER BY last_at_ms DESC, who LIMIT ?)",
            (keep,),
        )

    def forget_wrong_pins(self, who: bytes) -> None:
        self._c.execute("DELETE FROM wrong_pins WHERE who = ?", (who,))
