"""One data directory's store: the database with its tables, and the transaction around them.

Owns the life of the database and the rule that memory never runs ahead of the disk: a
transaction that fails drops every cache.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path
from typing import Final

from holdfast.store import database
from holdfast.store.cards import Cards
from holdfast.store.guest_entries import GuestEntries
from holdfast.store.journal import Journal
from holdfast.store.logins import Logins
from holdfast.store.persons import Persons
from holdfast.store.projections import Projections
from holdfast.store.queue import Queue
from holdfast.store.records import Records
from holdfast.store.reminders import Reminders
from holdfast.store.restrictions import Restrictions
from holdfast.store.service_notes import ServiceNotes
from holdfast.store.tables import Tables
from holdfast.store.violations import Violations

_NORMAL: Final = 1
"""What SQLite calls `PRAGMA synchronous=NORMAL`: with a WAL no commit waits for the disk."""


class Store:
    """Open with `Store.open(directory)`; one process at a time, one transaction at a time."""

    def __init__(self, directory: Path, *, synchronous: str = "FULL") -> None:
        self.directory = directory
        self.path = directory / database.FILE_NAME
        self._lock = database.DirectoryLock(directory)
        self._lock.acquire()
        try:
            self.disturbed = False
            self.db = database.open_database(self.path, synchronous=synchronous)
            with database.translated(self.path):
                self.journal = Journal(self.db)
                self.projections = Projections(self.db)
                self.queue = Queue(self.db)
                self.records = Records(self.db)
                self.logins = Logins(self.db)
                self.cards = Cards(self.db)
                self.restrictions = Restrictions(self.db)
                self.guest_entries = GuestEntries(self.db)
                self.tables = Tables(self.db)
                self.service_notes = ServiceNotes(self.db)
                self.persons = Persons(self.db)
                self.violations = Violations(self.db)
                self.reminders = Reminders(self.db)
        except BaseException:
            self._lock.release()
            raise

    @contextlib.contextmanager
    def atomic(self, *, durable: bool = True) -> Generator[None, None, None]:
        """All or nothing, on disk and in memory. Raises StorageFull and DirectoryError.

        Not `durable`: the commit does not wait for the disk. A killed process loses nothing of it;
        a power cut may undo it, in order: never without all that was committed after it, and only
        as far as no durable commit has followed.

        `disturbed` says afterwards whether a failure left anything to be forgotten: most requests
        that are refused have written nothing, and cost nothing more for it.
        """
        before = self.db.conn.total_changes
        self.disturbed = False
        try:
            with contextlib.nullcontext() if durable else self._lazily(), self.db.atomic():
                yield
        except sqlite3.DatabaseError as error:
            self._forget()
            raise database.translate(error, self.path) from error
        except BaseException:
            if self.db.conn.total_changes != before or self.projections.dirty:
                self._forget()
            raise

    @contextlib.contextmanager
    def _lazily(self) -> Generator[None, None, None]:
        """One transaction at `PRAGMA synchronous` of NORMAL at most."""
        (mode,) = self.db.conn.execute("PRAGMA synchronous").fetchone()
        self.db.conn.execute(f"PRAGMA synchronous={min(mode, _NORMAL)}")
        try:
            yield
        finally:
            self.db.conn.execute(f"PRAGMA synchronous={mode}")

    def _forget(self) -> None:
        self.disturbed = True
        with database.translated(self.path):
            self.journal.reload()
            self.projections.reload()
            self.queue.reload()
            self.records.reload()

    def backup(self, target: Path) -> None:
        """A consistent copy of the database while it is in use."""
        with database.translated(self.path):
            copy = sqlite3.connect(target)
            try:
                self.db.conn.backup(copy)
            finally:
                copy.close()

    def scrub(self) -> bool:
        """Empty the write-ahead log, so that no file holds what was overwritten. False where that
        cannot be now: inside a transaction, or while somebody is still reading an older state, such
        as a backup."""
        connection = self.db.conn
        if connection.in_transaction:
            return False
        with database.translated(self.path):
            (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
            # A backup may read for minutes, and nobody is kept waiting for it.
            connection.execute("PRAGMA busy_timeout=0")
            try:
                (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                connection.execute(f"PRAGMA busy_timeout={patience}")
        return not busy

    def check(self) -> list[str]:
        """SQLite's own integrity check; an empty list means sound."""
        with database.translated(self.path):
            rows = self.db.conn.execute("PRAGMA integrity_check(20)").fetchall()
        return [row[0] for row in rows if row[0] != "ok"]

    def close(self) -> None:
        try:
            self.db.close()
        finally:
            self._lock.release()
