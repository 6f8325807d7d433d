"""Reading a database without touching it: a backup file, or one beside the process that uses it.

Owns the read-only connection, and what a check wants to know: chains with their entries and seals,
migrations, SQLite's own verdict, a copy. One snapshot holds from opening to closing. It judges
nothing.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple
from urllib.parse import quote

import msgspec
from sqlite_utils import Database

from holdfast.model.claims import Seen
from holdfast.model.errors import DirectoryDamaged, DirectoryError
from holdfast.store.database import FILE_NAME, migrations, translated

_ENTRIES_AT_ONCE: Final = 512
_seen: Final = msgspec.msgpack.Decoder(list[Seen])


class ChainOnDisk(NamedTuple):
    """A chain as its row says: it continues after `fork_at` entries from the hash `start`."""

    id: int
    book: str
    incarnation: bytes
    branch: bytes
    fork_at: int
    start: bytes


class EntryOnDisk(NamedTuple):
    n: int
    hash: bytes
    entry: bytes


class Trace(NamedTuple):
    """Entry n of a chain left something in the database: `what` it is."""

    book: str
    incarnation: bytes
    n: int
    what: str


_NOT_READ: Final = "that cannot be read; run `holdfast doctor`"


class ReadOnlyStore:
    """A context manager over a database file, or the one in a data directory.

    Raises DirectoryError where there is none, DirectoryDamaged where SQLite cannot read on.
    """

    def __init__(self, path: Path) -> None:
        self.path = path / FILE_NAME if path.is_dir() else path
        if not self.path.is_file():
            raise DirectoryError(f"{self.path} does not exist; name a data directory or a backup")
        with translated(self.path):
            self._c = self._connect()
            ours = self._c.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
        if ours is None:
            self._c.close()
            raise DirectoryDamaged(
                f"{self.path} is empty or was not made by Holdfast; it was left as it is: name a "
                "file that `holdfast backup` wrote; for a data directory, restore one and rejoin"
            )

    def _connect(self) -> sqlite3.Connection:
        """Beside a running process the write-ahead log is read too; a lone file in a place that
        cannot be written is taken as one that nobody changes."""
        try:
            return open_snapshot(self.path)
        except sqlite3.OperationalError:
            log = self.path.with_name(f"{self.path.name}-wal")
            if log.exists() and log.stat().st_size:
                raise
            return open_snapshot(self.path, immutable=True)

    def __enter__(self) -> ReadOnlyStore:
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

    # --- chains ---------------------------------------------------------------------------------

    def chains(self) -> list[ChainOnDisk]:
        with translated(self.path):
            return [
                ChainOnDisk(*row)
                for row in self._c.execute(
                    "SELECT id, book, incarnation, branch, fork_at, start FROM chains ORDER BY id"
                )
            ]

    def entries(self, chain: int, after: int = 0) -> Iterator[EntryOnDisk]:
        """A chain's entries in their order, read piece by piece. Raises DirectoryDamaged."""
        while True:
            with translated(self.path):
                rows = self._c.execute(
                    "SELECT n, hash, entry FROM journal WHERE chain = ? AND n > ?"
                    " ORDER BY n LIMIT ?",
                    (chain, after, _ENTRIES_AT_ONCE),
                ).fetchall()
            yield from (EntryOnDisk(row[0], _raw(row[1]), _raw(row[2])) for row in rows)
            if len(rows) < _ENTRIES_AT_ONCE:
                return
            after = rows[-1][0]

    def hash_at(self, chain: int, n: int) -> bytes | None:
        with translated(self.path):
            row = self._c.execute(
                "SELECT hash FROM journal WHERE chain = ? AND n = ?", (chain, n)
            ).fetchone()
        return row[0] if row else None

    def seals(self, chain: int) -> list[tuple[int, bytes]]:
        """(n, signature) by n."""
        with translated(self.path):
            rows = self._c.execute(
                "SELECT n, signature FROM seals WHERE chain = ? ORDER BY n", (chain,)
            ).fetchall()
        return [(row[0], row[1]) for row in rows]

    def missing_rows(self) -> list[tuple[int, int]]:
        """Places in the order of arrival that no entry has, as (first, last). Nothing that was
        taken in is ever taken out, so that there are none in a sound file; one at the very end
        leaves no gap."""
        with translated(self.path):
            rows = self._c.execute(
                "SELECT before + 1, seq - 1 FROM (SELECT seq, lag(seq, 1, 0) OVER (ORDER BY seq)"
                " AS before FROM journal) WHERE seq > before + 1"
            ).fetchall()
        return [(row[0], row[1]) for row in rows]

    def traces(self) -> Iterator[Trace]:
        """What was made of entries and would be left if they were taken out: reservations, and
        operations that were written here. Raises DirectoryDamaged."""
        with translated(self.path):
            for book, incarnation, n in self._c.execute(
                "SELECT c.book, c.incarnation, max(o.n) FROM operations o"
                " JOIN chains c ON c.id = o.chain GROUP BY c.book, c.incarnation"
            ).fetchall():
                # A damaged row may hold anything: SQLite's columns take values of every type.
                if not (type(book), type(incarnation), type(n)) == (str, bytes, int):
                    raise DirectoryDamaged(f"{self.path} has a row of the queue {_NOT_READ}")
                yield Trace(book, incarnation, n, "the queue holds an operation of it")
            rows = self._c.execute("SELECT book, code, seen FROM reservations")
            for book, code, packed in rows:
                try:
                    seen = _seen.decode(_raw(packed))
                except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                    raise DirectoryDamaged(f"{self.path} has a reservation {_NOT_READ}") from error
                for entry in seen:
                    yield Trace(book, entry.node, entry.n, f"{code or 'a reservation'} rests on it")

    # --- the rest -------------------------------------------------------------------------------

    def meta(self, key: str) -> bytes | None:
        with translated(self.path):
            row = self._c.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def migrations(self) -> list[str]:
        """The names of the migrations that made this database, oldest first."""
        with translated(self.path):
            rows = self._c.execute(
                "SELECT name FROM _sqlite_migrations WHERE migration_set = 'holdfast' ORDER BY id"
            ).fetchall()
        return [row[0] for row in rows]

    def projected(self) -> dict[bytes, bytes]:
        """A hash of each row that was folded, by what names it: equal for equal folds."""
        found: dict[bytes, bytes] = {}
        with translated(self.path):
            for row in self._c.execute(
                "SELECT id, book, code, date, starts_at, status, agent_id, digest, entries,"
                " waiting, view FROM reservations"
            ):
                found[b"reservation" + _raw(row[0])] = _row_hash(row)
            for row in self._c.execute(
                'SELECT operation, idx, book, resource, start, "end", quantity, live, stamp, node,'
                " reservation FROM claims"
            ):
                found[b"claim" + _raw(row[0]) + _raw(row[1])] = _row_hash(row)
            for row in self._c.execute(
                "SELECT book, date, total, reservations, entries, waiting FROM digests"
                " WHERE reservations > 0"
            ):
                found[b"digest" + _raw(row[0]) + _raw(row[1])] = _row_hash(row)
            for row in self._c.execute(
                "SELECT operation, id, book, reservation, agent_id, stamp FROM cards"
            ):
                found[b"card" + _raw(row[0]) + _raw(row[1])] = _row_hash(row)
            for table in self._present(
                "restrictions", "restriction_lifts", "guest_profiles", "resource_marks",
                "service_notes",
            ):  # fmt: skip
                for row in self._c.execute(f"SELECT id, * FROM {table}"):  # noqa: S608
                    found[table.encode() + _raw(row[0])] = _row_hash(row)
            for _ in self._present("guest_entries"):
                for row in self._c.execute("SELECT agent_id, id, * FROM guest_entries"):
                    found[b"guest entry" + _raw(row[0]) + _raw(row[1])] = _row_hash(row)
            for row in self._c.execute("SELECT reservation, kind, book, since_ms FROM exceptions"):
                found[b"exception" + _raw(row[0]) + _raw(row[1])] = _row_hash(row)
        return found

    def _present(self, *tables: str) -> list[str]:
        """Those of the tables that this database has: an earlier version made it without some."""
        rows = self._c.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        known = {row[0] for row in rows}
        return [table for table in tables if table in known]

    def integrity(self) -> list[str]:
        """SQLite's own check; an empty list means sound."""
        try:
            with translated(self.path):
                rows = self._c.execute("PRAGMA integrity_check(100)").fetchall()
                return [row[0] for row in rows if row[0] != "ok" and not self._is_false(row[0])]
        except DirectoryDamaged as error:
            return [error.detail]

    def _is_false(self, problem: str) -> bool:
        """SQLite 3.40, which many systems ship, reports NULLs that are not there in tables whose
        primary key does not come first; whether one is there can be asked."""
        found = re.fullmatch(r"NULL value in (\w+)\.(\w+)", problem)
        if found is None:
            return False
        table, column = found.groups()
        # `typeof`: a plain IS NULL on a NOT NULL column is optimised away.
        rows = self._c.execute(
            f'SELECT 1 FROM "{table}" WHERE typeof("{column}") = \'null\' LIMIT 1'  # noqa: S608
        )
        return rows.fetchone() is None

    def copy_to(self, target: Path) -> None:
        """Copy the snapshot into a file that is empty or new, in the form of one lone file."""
        with translated(target):
            copy = sqlite3.connect(target, isolation_level=None)
            try:
                self._c.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
            finally:
                copy.close()


def known_migrations() -> list[str]:
    """The migrations of this version, oldest first."""
    return [migration.name for migration in migrations.pending(Database(memory=True))]


def _raw(value: object) -> bytes:
    """Whatever stands in a column of bytes, as bytes: a hand that altered it may have left text."""
    if isinstance(value, bytes):
        return value
    return str(value).encode("utf-8", "surrogateescape")


def _lenient(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _row_hash(row: tuple[object, ...]) -> bytes:
    return hashlib.blake2b(repr(row).encode("utf-8", "surrogateescape"), digest_size=16).digest()


def open_snapshot(path: Path, *, immutable: bool = False) -> sqlite3.Connection:
    """A read-only connection to a file, in a transaction that has begun: one state of it."""
    address = f"file:{quote(str(path.resolve()))}?mode=ro{'&immutable=1' if immutable else ''}"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
    connection.text_factory = _lenient
    try:
        connection.execute("PRAGMA busy_timeout=2000")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection
