"""The small files that travel inside a backup, in the table `backup_files` of the copied database.

Owns that table, which exists in backups alone. Which files those are and where they go is
`node/upkeep`'s business.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from holdfast.store.database import translated


class BackupFile(NamedTuple):
    """A file by its path relative to the data directory, with `/`."""

    name: str
    data: bytes
    mode: int


def put_files(database: Path, files: Iterable[BackupFile], meta: dict[str, bytes]) -> None:
    """Add the files, and set rows of `meta`, in a copy that nobody has open."""
    with _opened(database) as connection:
        connection.execute(
            "CREATE TABLE backup_files"
            " (name TEXT PRIMARY KEY, bytes BLOB NOT NULL, mode INTEGER NOT NULL) WITHOUT ROWID"
        )
        connection.executemany("INSERT INTO backup_files VALUES (?, ?, ?)", files)
        connection.executemany(
            "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", meta.items()
        )


def is_backup(file: Path) -> bool:
    """Whether a SQLite file is a backup; nothing of it is changed. Raises DirectoryDamaged, and
    DirectoryError where it cannot be read."""
    with translated(file):
        connection = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)
        try:
            return _is_backup(connection)
        finally:
            connection.close()


def take_files(database: Path) -> list[BackupFile] | None:
    """Remove the files from a restored database and return them; None if it is no backup.

    What was removed is overwritten, so that keys do not stay behind in free pages.
    """
    with _opened(database) as connection:
        if not _is_backup(connection):
            return None
        files = _files(connection)
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("DROP TABLE backup_files")
    return files


def _files(connection: sqlite3.Connection) -> list[BackupFile]:
    return [
        BackupFile(*row)
        for row in connection.execute("SELECT name, bytes, mode FROM backup_files ORDER BY name")
    ]


def _is_backup(connection: sqlite3.Connection) -> bool:
    found = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'backup_files'"
    ).fetchone()
    return found is not None


@contextlib.contextmanager
def _opened(database: Path) -> Generator[sqlite3.Connection, None, None]:
    with translated(database):
        connection = sqlite3.connect(database, isolation_level=None)
        try:
            # A copy of a database in use says it has a write-ahead log; one lone file has none.
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("PRAGMA synchronous=FULL")
            yield connection
        finally:
            connection.close()
