"""The queue: operations written here, and the fate of each.

Owns the table `operations`. An operation is `queued` when it is journaled, `sent` when an exchange
carries it, and `merged`, `deferred` or `quarantined` by the hub's verdict; `withdrawn` is the
writer's own way out. Nothing leaves the queue without one of these.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from sqlite_utils import Database

QUEUED: Final = "queued"
SENT: Final = "sent"
MERGED: Final = "merged"
DEFERRED: Final = "deferred"
QUARANTINED: Final = "quarantined"
WITHDRAWN: Final = "withdrawn"
STATES: Final = (QUEUED, SENT, MERGED, DEFERRED, QUARANTINED, WITHDRAWN)
UNFINISHED: Final = (QUEUED, SENT, DEFERRED, QUARANTINED)


class Operation(NamedTuple):
    id: bytes
    chain: int
    n: int
    kind: str
    subject: bytes
    stamp: int
    state: str
    attempts: int
    next_attempt_at_ms: int
    reason: str
    finished_at_ms: int


_COLUMNS = (
    "id, chain, n, kind, subject, stamp, state, attempts, next_attempt_at_ms, reason,"
    " finished_at_ms"
)


def _of_chains(among: Collection[int] | None) -> tuple[str, list[Any]]:
    if among is None:
        return "true", []
    return f"chain IN ({', '.join('?' * len(among))})", list(among)


class Queue:
    def __init__(self, db: Database) -> None:
        self._c = db.conn
        self._settled: dict[int, int] = {}
        self.reload()

    def reload(self) -> None:
        """Find where each chain's operations begin to wait: what is before has its verdict, so that
        no round looks at the history again."""
        self._settled = {
            row[0]: row[1] - 1
            for row in self._c.execute(
                "SELECT chain, min(n) FROM operations WHERE state IN ('queued', 'sent')"
                " GROUP BY chain"
            )
        }

    def _after(self, chain: int) -> int:
        """The position behind which operations of a chain may be waiting."""
        return self._settled.get(chain, 1 << 62)

    def put(
        self, operation: bytes, chain: int, n: int, kind: str, subject: bytes, stamp: int
    ) -> None:
        self._c.execute(
            "INSERT INTO operations (id, chain, n, kind, subject, stamp, state)"
            " VALUES (?, ?, ?, ?, ?, ?, 'queued')",
            (operation, chain, n, kind, subject, stamp),
        )
        if n <= self._after(chain):
            self._settled[chain] = n - 1

    def get(self, operation: bytes) -> Operation | None:
        row = self._c.execute(
            f"SELECT {_COLUMNS} FROM operations WHERE id = ?",  # noqa: S608
            (operation,),
        ).fetchone()
        return Operation(*row) if row else None

    def mark_sent(self, chain: int, upto: int, next_attempt_at_ms: int) -> None:
        """Everything up to a position is on its way; if no answer comes it is due again then."""
        self._c.execute(
            "UPDATE operations SET state = 'sent', attempts = attempts + 1, next_attempt_at_ms = ?"
            " WHERE chain = ? AND n > ? AND n <= ? AND state IN ('queued', 'sent')",
            (next_attempt_at_ms, chain, self._after(chain), upto),
        )

    def mark_failed(self, next_attempt_at_ms: int, reason: str) -> None:
        """The exchange did not come through: what was sent is queued again, due at that time."""
        for chain, settled in self._settled.items():
            self._c.execute(
                "UPDATE operations SET state = 'queued', next_attempt_at_ms = ?, reason = ?"
                " WHERE chain = ? AND n > ? AND state IN ('sent', 'queued')",
                (next_attempt_at_ms, reason, chain, settled),
            )

    def mark_refused(self, chain: int, after: int, upto: int, reason: str, at_ms: int) -> None:
        """A frame was refused whole: what of it has no verdict yet is quarantined."""
        self._c.execute(
            "UPDATE operations SET state = 'quarantined', reason = ?, finished_at_ms = ?"
            " WHERE chain = ? AND n > ? AND n <= ? AND state IN ('queued', 'sent')",
            (reason, at_ms, chain, after, upto),
        )

    def mark_merged(self, chain: int, upto: int, at_ms: int) -> int:
        """Everything up to a position is durable on the other side. Returns how many were
        waiting."""
        cursor = self._c.execute(
            "UPDATE operations SET state = 'merged', finished_at_ms = ?, reason = '',"
            " next_attempt_at_ms = 0 WHERE chain = ? AND n > ? AND n <= ?"
            " AND state IN ('queued', 'sent')",
            (at_ms, chain, self._after(chain), upto),
        )
        if upto > self._after(chain):
            self._settled[chain] = upto
        return cursor.rowcount

    def mark_verdict(self, chain: int, n: int, verdict: str, reason: str, at_ms: int) -> None:
        self._c.execute(
            "UPDATE operations SET state = ?, reason = ?, finished_at_ms = ?"
            " WHERE chain = ? AND n = ? AND state <> 'withdrawn'",
            (verdict, reason, at_ms, chain, n),
        )

    def mark_withdrawn(self, operation: bytes, reason: str, at_ms: int) -> None:
        self._c.execute(
            "UPDATE operations SET state = 'withdrawn', reason = ?, finished_at_ms = ?"
            " WHERE id = ?",
            (reason, at_ms, operation),
        )

    def reopen(self, chain: int, after: int) -> int:
        """What another life of the hub does not have is offered again. Returns how many."""
        cursor = self._c.execute(
            "UPDATE operations SET state = 'queued', finished_at_ms = 0, next_attempt_at_ms = 0"
            " WHERE chain = ? AND n > ? AND state IN ('merged', 'sent', 'deferred')",
            (chain, after),
        )
        if cursor.rowcount:
            self._settled[chain] = min(after, self._after(chain))
        return cursor.rowcount

    def retry(self, operation: bytes | None = None) -> int:
        """Make unfinished operations due at once. Returns how many."""
        cursor = self._c.execute(
            "UPDATE operations SET next_attempt_at_ms = 0"
            " WHERE state IN ('queued', 'sent') AND (?1 IS NULL OR id = ?1)",
            (operation,),
        )
        return cursor.rowcount

    def counts(self, among: Collection[int] | None = None) -> dict[str, int]:
        """How many operations are in each state; every state is named. `among`: of these chains
        alone."""
        found = dict.fromkeys(STATES, 0)
        clause, values = _of_chains(among)
        found.update(
            (row[0], row[1])
            for row in self._c.execute(
                f"SELECT state, count(*) FROM operations WHERE {clause} GROUP BY state",  # noqa: S608
                values,
            )
        )
        return found

    def waiting(self) -> int:
        """How many have no verdict yet."""
        return sum(
            int(
                self._c.execute(
                    "SELECT count(*) FROM operations WHERE chain = ? AND n > ?"
                    " AND state IN ('queued', 'sent')",
                    (chain, settled),
                ).fetchone()[0]
            )
            for chain, settled in self._settled.items()
        )

    def state_at(self, chain: int, n: int) -> str | None:
        row = self._c.execute(
            "SELECT state FROM operations WHERE chain = ? AND n = ?", (chain, n)
        ).fetchone()
        return row[0] if row else None

    def select(
        self,
        *,
        state: str | None = None,
        after: tuple[int, int] | None = None,
        limit: int = 50,
        among: Collection[int] | None = None,
        newest: bool = False,
    ) -> list[Operation]:
        """Operations in the order of writing, with `newest` the last written first; `among`: of
        these chains alone."""
        clause, values = _of_chains(among)
        where = [clause]
        if state is not None:
            where.append("state = ?")
            values.append(state)
        if after is not None:
            where.append(f"(chain, n) {'<' if newest else '>'} (?, ?)")
            values += list(after)
        order = "DESC" if newest else "ASC"
        return [
            Operation(*row)
            for row in self._c.execute(
                f"SELECT {_COLUMNS} FROM operations WHERE {' AND '.join(where)}"  # noqa: S608
                f" ORDER BY chain {order}, n {order} LIMIT ?",
                (*values, limit),
            )
        ]

    def sweep(self, before_ms: int) -> int:
        """Drop finished operations that nobody asks for any more. Returns how many."""
        cursor = self._c.execute(
            "DELETE FROM operations WHERE state IN ('merged', 'withdrawn') AND finished_at_ms < ?",
            (before_ms,),
        )
        return cursor.rowcount
