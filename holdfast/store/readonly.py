"""Reading a database without touching it: a backup file, or one beside the process that uses it.

Owns the read-only connection, and what a check wants to know: chains with their entries and seals,
migrations, SQLite's own verdict, a copy. One snapshot holds from opening to closing. It judges
nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple
from urllib.parse import quote

from holdfast.model.errors import DirectoryDamaged, DirectoryError
from holdfast.store.database import FILE_NAME, translated

_ENTRIES_AT_ONCE: Final = 512


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

    def _connect(self) -> sqlite3.Connection:
        """Beside a running process the write-ahead log is read too; a lone file in a place that
        cannot be written is taken as one that nobody changes."""
        address = f"file:{quote(str(self.path.resolve()))}?mode=ro"
        try:
            return _snapshot(address)
        except sqlite3.OperationalError:
            log = self.path.with_name(f"{self.path.name}-wal")
            if log.exists() and log.stat().st_size:
                raise
            return _snapshot(f"{address}&immutable=1")

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
            yield from (EntryOnDisk(*row) for row in rows)
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

    def digests(self) -> dict[tuple[str, str], tuple[bytes, int, int, int]]:
        """(total, reservations, entries, waiting) of each book and service date that has any."""
        with translated(self.path):
            rows = self._c.execute(
                "SELECT book, date, total, reservations, entries, waiting FROM digests"
                " WHERE reservations > 0"
            ).fetchall()
        return {(row[0], row[1]): (row[2], row[3], row[4], row[5]) for row in rows}

    def integrity(self) -> list[str]:
        """SQLite's own check; an empty list means sound."""
        try:
            with translated(self.path):
                rows = self._c.execute("PRAGMA integrity_check(20)").fetchall()
        except DirectoryDamaged as error:
            return [error.detail]
        return [row[0] for row in rows if row[0] != "ok"]

    def copy_to(self, target: Path) -> None:
        """Copy the snapshot into a file that is empty or new, in the form of one lone file."""
        with translated(target):
            copy = sqlite3.connect(target, isolation_level=None)
            try:
                self._c.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
            finally:
                copy.close()


def _snapshot(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA busy_timeout=2000")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection
