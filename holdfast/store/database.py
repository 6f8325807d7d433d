"""Opening, locking and migrating the one database of a data directory.

Owns the file, its pragmas, its migrations and the translation of SQLite's errors. Knows nothing of
what the rows mean; each table's subject has a module of its own beside this one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Generator
from pathlib import Path
from typing import IO, Final

from sqlite_utils import Database, Migrations

from holdfast.model.errors import (
    DirectoryDamaged,
    DirectoryError,
    DirectoryInUse,
    HoldfastError,
    StorageFull,
)

FILE_NAME: Final = "holdfast.db"
LOCK_NAME: Final = "holdfast.lock"

migrations = Migrations("holdfast")


@migrations()
def m001_journal_and_chains(db: Database) -> None:
    """The truth: chains and their entries, seals, and what came without a seal."""
    _run(
        db,
        """
        CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE chains (
            id INTEGER PRIMARY KEY,
            book TEXT NOT NULL,
            incarnation BLOB NOT NULL,
            branch BLOB NOT NULL,
            fork_at INTEGER NOT NULL DEFAULT 0,
            start BLOB NOT NULL,
            UNIQUE (book, incarnation, branch)
        );
        CREATE TABLE journal (
            seq INTEGER PRIMARY KEY,
            chain INTEGER NOT NULL REFERENCES chains (id),
            n INTEGER NOT NULL,
            hash BLOB NOT NULL,
            entry BLOB NOT NULL
        );
        CREATE UNIQUE INDEX journal_by_chain ON journal (chain, n);
        CREATE TABLE seals (
            chain INTEGER NOT NULL, n INTEGER NOT NULL, signature BLOB NOT NULL,
            anchor INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (chain, n)
        ) WITHOUT ROWID;
        CREATE TABLE aside (
            id INTEGER PRIMARY KEY, book TEXT NOT NULL, incarnation BLOB NOT NULL,
            branch BLOB NOT NULL, n INTEGER NOT NULL, reason TEXT NOT NULL, at_ms INTEGER NOT NULL,
            frame BLOB NOT NULL
        );
        CREATE TABLE verdicts (
            operation BLOB PRIMARY KEY, chain INTEGER NOT NULL, n INTEGER NOT NULL,
            verdict TEXT NOT NULL, reason TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE administration (seq INTEGER PRIMARY KEY, book TEXT NOT NULL);
        """,
    )


@migrations()
def m002_projections(db: Database) -> None:
    """What is folded from the journal and can be folded again from it at any time."""
    _run(
        db,
        """
        CREATE TABLE reservations (
            id BLOB PRIMARY KEY,
            book TEXT NOT NULL,
            code TEXT NOT NULL,
            date TEXT NOT NULL,
            starts_at INTEGER NOT NULL,
            status TEXT NOT NULL,
            agent_id TEXT NOT NULL,
            digest BLOB NOT NULL,
            entries INTEGER NOT NULL,
            waiting INTEGER NOT NULL,
            view BLOB NOT NULL,
            seen BLOB NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX reservations_by_start ON reservations (book, starts_at, id);
        CREATE INDEX reservations_by_long_code ON reservations (code) WHERE length(code) > 15;
        CREATE INDEX reservations_by_agent ON reservations (agent_id, starts_at, id);
        CREATE TABLE claims (
            book TEXT NOT NULL, resource TEXT NOT NULL, start INTEGER NOT NULL,
            operation BLOB NOT NULL, idx INTEGER NOT NULL,
            "end" INTEGER NOT NULL, quantity INTEGER NOT NULL,
            live INTEGER NOT NULL, stamp INTEGER NOT NULL, node BLOB NOT NULL,
            reservation BLOB NOT NULL,
            PRIMARY KEY (book, resource, start, operation, idx)
        ) WITHOUT ROWID;
        CREATE TABLE reaches (
            book TEXT NOT NULL, resource TEXT NOT NULL, seconds INTEGER NOT NULL,
            PRIMARY KEY (book, resource)
        ) WITHOUT ROWID;
        CREATE TABLE digests (
            book TEXT NOT NULL, date TEXT NOT NULL, total BLOB NOT NULL,
            reservations INTEGER NOT NULL, entries INTEGER NOT NULL, waiting INTEGER NOT NULL,
            PRIMARY KEY (book, date)
        ) WITHOUT ROWID;
        CREATE TABLE exceptions (
            reservation BLOB NOT NULL, kind TEXT NOT NULL, book TEXT NOT NULL,
            since_ms INTEGER NOT NULL, PRIMARY KEY (reservation, kind)
        ) WITHOUT ROWID;
        """,
    )


@migrations()
def m003_work(db: Database) -> None:
    """What belongs to this replica alone: the queue, keys in transit, requests that were
    answered."""
    _run(
        db,
        """
        CREATE TABLE operations (
            chain INTEGER NOT NULL, n INTEGER NOT NULL, id BLOB NOT NULL,
            kind TEXT NOT NULL, subject BLOB NOT NULL, stamp INTEGER NOT NULL,
            state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
            next_attempt_at_ms INTEGER NOT NULL DEFAULT 0,
            reason TEXT NOT NULL DEFAULT '', finished_at_ms INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (chain, n)
        ) WITHOUT ROWID;
        CREATE TABLE card_keys (
            id BLOB PRIMARY KEY, book TEXT NOT NULL, agent_id TEXT NOT NULL,
            sealed BLOB, erased_at_ms INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX card_keys_by_version ON card_keys (book, version);
        CREATE INDEX card_keys_in_order ON card_keys (version);
        CREATE INDEX card_keys_by_agent ON card_keys (agent_id);
        CREATE TABLE answers (
            scope TEXT NOT NULL, key TEXT NOT NULL, body_hash BLOB NOT NULL,
            status INTEGER NOT NULL, subject TEXT NOT NULL, route TEXT NOT NULL,
            at_ms INTEGER NOT NULL, PRIMARY KEY (scope, key)
        ) WITHOUT ROWID;
        CREATE TABLE tokens (
            id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL,
            agent_id TEXT NOT NULL, hash BLOB NOT NULL, made_at_ms INTEGER NOT NULL,
            revoked_at_ms INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID;
        CREATE TABLE join_offers (id TEXT PRIMARY KEY, offer BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE fleet (
            incarnation BLOB PRIMARY KEY, book TEXT NOT NULL, node TEXT NOT NULL,
            role TEXT NOT NULL, first_seen_ms INTEGER NOT NULL, last_seen_ms INTEGER NOT NULL,
            detail BLOB NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE sync_log (
            id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, event TEXT NOT NULL,
            detail TEXT NOT NULL
        );
        """,
    )


@migrations()
def m004_books_apart(db: Database) -> None:
    """A reservation is named by its book and its id: an id that one venue's device takes from
    another venue's book hides nothing there. Branches share any branch's beginning, not only the
    trunk's; certificates that were issued are remembered."""
    _run(
        db,
        """
        ALTER TABLE chains ADD COLUMN parent INTEGER NOT NULL DEFAULT 0;
        UPDATE chains SET parent = (SELECT id FROM chains t WHERE t.book = chains.book
            AND t.incarnation = chains.incarnation AND t.branch = x'') WHERE branch <> x'';
        ALTER TABLE aside ADD COLUMN sender TEXT NOT NULL DEFAULT '';
        DROP TABLE reservations;
        CREATE TABLE reservations (
            id BLOB NOT NULL,
            book TEXT NOT NULL,
            code TEXT NOT NULL,
            date TEXT NOT NULL,
            starts_at INTEGER NOT NULL,
            status TEXT NOT NULL,
            agent_id TEXT NOT NULL,
            digest BLOB NOT NULL,
            entries INTEGER NOT NULL,
            waiting INTEGER NOT NULL,
            view BLOB NOT NULL,
            seen BLOB NOT NULL,
            PRIMARY KEY (id, book)
        ) WITHOUT ROWID;
        CREATE INDEX reservations_by_start ON reservations (book, starts_at, id);
        CREATE INDEX reservations_by_long_code ON reservations (code) WHERE length(code) > 15;
        CREATE INDEX reservations_by_agent ON reservations (agent_id, starts_at, id);
        DELETE FROM claims;
        DELETE FROM digests;
        DROP TABLE exceptions;
        CREATE TABLE exceptions (
            reservation BLOB NOT NULL, kind TEXT NOT NULL, book TEXT NOT NULL,
            since_ms INTEGER NOT NULL, PRIMARY KEY (reservation, book, kind)
        ) WITHOUT ROWID;
        CREATE TABLE certificates (
            serial BLOB PRIMARY KEY, book TEXT NOT NULL, node TEXT NOT NULL, role TEXT NOT NULL,
            issued_at_ms INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX certificates_by_node ON certificates (node, book);
        """,
    )


@migrations()
def m005_rights(db: Database) -> None:
    """Claims remember the right that they were sold from; what names a right whose grant is not
    here yet is found when the grant arrives."""
    _run(
        db,
        """
        ALTER TABLE claims ADD COLUMN right_id BLOB NOT NULL DEFAULT x'';
        CREATE INDEX claims_beside ON claims (book, reservation) WHERE live = 2;
        CREATE TABLE awaited (
            right_id BLOB NOT NULL, book TEXT NOT NULL, reservation BLOB NOT NULL,
            PRIMARY KEY (right_id, book, reservation)
        ) WITHOUT ROWID;
        """,
    )


@migrations()
def m006_seated(db: Database) -> None:
    """Who is checked in is found without looking at everybody who ever was here."""
    _run(
        db,
        """
        CREATE INDEX reservations_checked_in ON reservations (book, starts_at)
            WHERE status = 'checked_in';
        """,
    )


@migrations()
def m007_sessions(db: Database) -> None:
    """Tokens may be narrower than their role, and end by themselves; staff of this device log in by
    PIN; pages have sessions. `life` is the life of the directory that a session was made in."""
    _run(
        db,
        """
        ALTER TABLE tokens ADD COLUMN venues TEXT NOT NULL DEFAULT '';
        ALTER TABLE tokens ADD COLUMN permissions TEXT NOT NULL DEFAULT '';
        ALTER TABLE tokens ADD COLUMN expires_at_ms INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE tokens ADD COLUMN used_at_ms INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE staff (
            id TEXT PRIMARY KEY, login TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
            role TEXT NOT NULL, pin TEXT NOT NULL, made_at_ms INTEGER NOT NULL,
            used_at_ms INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID;
        CREATE TABLE sessions (
            hash BLOB PRIMARY KEY, life BLOB NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
            role TEXT NOT NULL, made_at_ms INTEGER NOT NULL, used_at_ms INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE tickets (
            hash BLOB PRIMARY KEY, life BLOB NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
            role TEXT NOT NULL, made_at_ms INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE wrong_pins (
            who BLOB PRIMARY KEY, tries INTEGER NOT NULL, last_at_ms INTEGER NOT NULL,
            locked_until_ms INTEGER NOT NULL
        ) WITHOUT ROWID;
        """,
    )


@migrations()
def m008_guests(db: Database) -> None:
    """A card's key may stand here sealed to several of the venue's keys; what was erased leaves a
    mark that keeps every key of it out; where cards stand, and words that find them."""
    _run(
        db,
        """
        CREATE TABLE sealed_keys (
            version INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL, book TEXT NOT NULL,
            agent_id TEXT NOT NULL, sealed_to BLOB NOT NULL, sealed BLOB NOT NULL
        );
        INSERT INTO sealed_keys (version, id, book, agent_id, sealed_to, sealed)
            SELECT version, id, book, agent_id, x'', sealed FROM card_keys
            WHERE sealed IS NOT NULL ORDER BY version;
        DROP TABLE card_keys;
        ALTER TABLE sealed_keys RENAME TO card_keys;
        CREATE UNIQUE INDEX card_keys_by_card ON card_keys (id, book, sealed_to);
        CREATE INDEX card_keys_by_version ON card_keys (book, version);
        CREATE TABLE cards (
            num INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL, book TEXT NOT NULL,
            operation BLOB NOT NULL, reservation BLOB NOT NULL, agent_id TEXT NOT NULL,
            stamp INTEGER NOT NULL, indexed INTEGER NOT NULL DEFAULT 0
        );
        CREATE INDEX cards_by_id ON cards (id);
        CREATE INDEX cards_by_agent ON cards (agent_id) WHERE agent_id <> '';
        CREATE INDEX cards_for_nobody ON cards (reservation) WHERE agent_id = '';
        CREATE INDEX cards_to_index ON cards (num) WHERE indexed = 0;
        CREATE TABLE erased_cards (
            book TEXT NOT NULL, id BLOB NOT NULL, operation BLOB NOT NULL, at_ms INTEGER NOT NULL,
            PRIMARY KEY (id, book)
        ) WITHOUT ROWID;
        CREATE TABLE guest_words (
            token BLOB NOT NULL, card INTEGER NOT NULL, PRIMARY KEY (token, card)
        ) WITHOUT ROWID;
        """,
    )
    db.execute(
        "CREATE TRIGGER erased_cards_have_no_key BEFORE INSERT ON card_keys"
        " WHEN EXISTS (SELECT 1 FROM erased_cards WHERE id = NEW.id AND book = NEW.book)"
        " BEGIN SELECT RAISE(IGNORE); END"
    )


@migrations()
def m009_waiting_keys(db: Database) -> None:
    """Keys of cards that no known entry carries, and from which device they came."""
    _run(
        db,
        """
        CREATE TABLE waiting_keys (
            book TEXT NOT NULL, id BLOB NOT NULL, sealed_to BLOB NOT NULL, sender TEXT NOT NULL,
            PRIMARY KEY (id, book, sealed_to)
        ) WITHOUT ROWID;
        CREATE INDEX waiting_keys_by_sender ON waiting_keys (book, sender);
        """,
    )


@migrations()
def m010_restrictions(db: Database) -> None:
    """What entries say of people: restrictions, the lifts of them, and profiles."""
    _run(
        db,
        """
        CREATE TABLE restrictions (
            book TEXT NOT NULL, agent_id TEXT NOT NULL, id BLOB NOT NULL, kind TEXT NOT NULL,
            reason TEXT NOT NULL, value INTEGER NOT NULL, until_ms INTEGER NOT NULL,
            stamp INTEGER NOT NULL, chain INTEGER NOT NULL, n INTEGER NOT NULL,
            PRIMARY KEY (book, agent_id, id)
        ) WITHOUT ROWID;
        CREATE TABLE restriction_lifts (
            book TEXT NOT NULL, restriction BLOB NOT NULL, id BLOB NOT NULL, reason TEXT NOT NULL,
            stamp INTEGER NOT NULL, chain INTEGER NOT NULL, n INTEGER NOT NULL,
            PRIMARY KEY (book, restriction, id)
        ) WITHOUT ROWID;
        CREATE TABLE guest_profiles (
            book TEXT NOT NULL, agent_id TEXT NOT NULL, id BLOB NOT NULL, tier TEXT NOT NULL,
            tags TEXT NOT NULL, stamp INTEGER NOT NULL, chain INTEGER NOT NULL, n INTEGER NOT NULL,
            PRIMARY KEY (book, agent_id, id)
        ) WITHOUT ROWID;
        """,
    )


@migrations()
def m011_card_digests(db: Database) -> None:
    """A card's id is made of what the card is: its keys stand under the two digests, and say no
    more whose they are. Keys of cards whose ids were random open nothing from now on."""
    _run(
        db,
        """
        DELETE FROM card_keys;
        DELETE FROM waiting_keys;
        ALTER TABLE card_keys DROP COLUMN agent_id;
        ALTER TABLE card_keys ADD COLUMN text_digest BLOB NOT NULL DEFAULT x'';
        ALTER TABLE card_keys ADD COLUMN key_digest BLOB NOT NULL DEFAULT x'';
        DROP INDEX cards_for_nobody;
        DROP INDEX cards_by_agent;
        CREATE INDEX cards_by_agent ON cards (agent_id);
        """,
    )


@migrations()
def m012_violations(db: Database) -> None:
    """How often each rule said no, without any person."""
    _run(
        db,
        """
        CREATE TABLE violations (
            book TEXT NOT NULL, day TEXT NOT NULL, rule TEXT NOT NULL, kind TEXT NOT NULL,
            source TEXT NOT NULL, weekday INTEGER NOT NULL, hour INTEGER NOT NULL,
            number INTEGER NOT NULL,
            PRIMARY KEY (book, day, rule, kind, source, weekday, hour)
        ) WITHOUT ROWID;
        """,
    )


@migrations()
def m013_forms(db: Database) -> None:
    """What is something else than a reservation."""
    _run(
        db,
        """
        ALTER TABLE reservations ADD COLUMN form TEXT NOT NULL DEFAULT '';
        CREATE INDEX reservations_held ON reservations (book, id) WHERE status = 'intent';
        CREATE INDEX reservations_formed ON reservations (book, form, starts_at)
            WHERE form <> '';
        """,
    )


@migrations()
def m014_renewals(db: Database) -> None:
    """What each certificate was renewed for, and how often it was asked for another key."""
    _run(
        db,
        """
        CREATE TABLE renewals (
            serial BLOB PRIMARY KEY, book TEXT NOT NULL, node TEXT NOT NULL, key BLOB NOT NULL,
            certificates BLOB NOT NULL, refused INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID;
        """,
    )


@migrations()
def m015_guest_entries(db: Database) -> None:
    """What entries say of people beside restrictions; which words of the index are telephone
    numbers and addresses, for which the index is made anew."""
    _run(
        db,
        """
        CREATE TABLE guest_entries (
            book TEXT NOT NULL, agent_id TEXT NOT NULL, id BLOB NOT NULL, kind TEXT NOT NULL,
            stamp INTEGER NOT NULL, chain INTEGER NOT NULL, n INTEGER NOT NULL,
            content BLOB NOT NULL,
            PRIMARY KEY (book, agent_id, id)
        ) WITHOUT ROWID;
        CREATE INDEX guest_entries_by_agent ON guest_entries (agent_id);
        DELETE FROM guest_words;
        UPDATE cards SET indexed = 0;
        ALTER TABLE guest_words ADD COLUMN contact INTEGER NOT NULL DEFAULT 0;
        CREATE INDEX guest_words_contacts ON guest_words (token) WHERE contact = 1;
        """,
    )


@migrations()
def m016_tables(db: Database) -> None:
    """Who said when that a table is clean."""
    _run(
        db,
        """
        CREATE TABLE resource_marks (
            book TEXT NOT NULL, resource TEXT NOT NULL, chain INTEGER NOT NULL, id BLOB NOT NULL,
            stamp INTEGER NOT NULL, n INTEGER NOT NULL,
            PRIMARY KEY (book, resource, chain)
        ) WITHOUT ROWID;
        """,
    )


@migrations()
def m017_service_notes(db: Database) -> None:
    """Which entries edit the notes of which service."""
    _run(
        db,
        """
        CREATE TABLE service_notes (
            book TEXT NOT NULL, date TEXT NOT NULL, service TEXT NOT NULL, id BLOB NOT NULL,
            stamp INTEGER NOT NULL, chain INTEGER NOT NULL, n INTEGER NOT NULL,
            content BLOB NOT NULL,
            PRIMARY KEY (book, date, service, id)
        ) WITHOUT ROWID;
        """,
    )


@migrations()
def m019_approvals(db: Database) -> None:
    """How it stands with the house's word, of which the index has what waits for it; and digests of
    partners' references."""
    _run(
        db,
        """
        ALTER TABLE reservations ADD COLUMN approval TEXT NOT NULL DEFAULT '';
        CREATE INDEX reservations_to_approve ON reservations (starts_at, id)
            WHERE approval = 'pending';
        ALTER TABLE reservations ADD COLUMN partner BLOB NOT NULL DEFAULT x'';
        CREATE INDEX reservations_by_partner ON reservations (book, partner, status)
            WHERE partner <> x'';
        """,
    )


@migrations()
def m020_reminders(db: Database) -> None:
    """Which reminders were marked as sent here."""
    _run(
        db,
        """
        CREATE TABLE reminders (
            reservation BLOB NOT NULL, kind TEXT NOT NULL, starts_at INTEGER NOT NULL,
            book TEXT NOT NULL, at_ms INTEGER NOT NULL, by TEXT NOT NULL,
            PRIMARY KEY (reservation, kind, starts_at)
        ) WITHOUT ROWID;
        CREATE INDEX reminders_by_start ON reminders (starts_at);
        """,
    )


def _run(db: Database, script: str) -> None:
    """Statement by statement: `executescript` would commit the migration's own transaction."""
    for statement in script.split(";"):
        if statement.strip():
            db.execute(statement)


class DirectoryLock:
    """Exclusive use of a data directory by one process; the kernel drops it when the process
    dies."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / LOCK_NAME
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Raises DirectoryInUse, or DirectoryError where the directory cannot be written."""
        try:
            lock = self._path.open("a+")
        except OSError as error:
            raise DirectoryError(
                f"{self._path.parent} cannot be written ({error.strerror}); "
                "check its owner and mode, and that its disk is not mounted read-only"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            lock.close()
            raise DirectoryInUse(
                f"{self._path.parent} is in use by another process (pid {owner}); "
                "stop it, or go through it with the command line"
            ) from error
        lock.seek(0)
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._file = lock

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


@contextlib.contextmanager
def translated(path: Path) -> Generator[None, None, None]:
    """Turn SQLite's errors into ours, which name the directory and the way out."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise translate(error, path) from error
    except UnicodeDecodeError as error:
        # SQLite names what is damaged in its own bytes, which Python cannot read either.
        raise _damaged(path, "its names are no text any more") from error


def _damaged(path: Path, why: str) -> DirectoryDamaged:
    return DirectoryDamaged(
        f"{path} is damaged ({why}); it was left as it is: run `holdfast doctor`, or restore a "
        "backup and rejoin"
    )


def translate(error: sqlite3.DatabaseError, path: Path) -> Exception:
    text = str(error)
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None
    if primary == sqlite3.SQLITE_FULL or "disk is full" in text:
        return StorageFull(
            f"the disk of {path} is full; nothing of this request was kept, free some space"
        )
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return _damaged(path, text)
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return DirectoryError(f"{path} cannot be opened for writing ({text}); check owner and mode")
    if primary in (sqlite3.SQLITE_IOERR,):
        return DirectoryError(f"{path} cannot be read or written ({text}); check the disk")
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return DirectoryInUse(f"{path} is locked by another program ({text}); close it")
    return error


def explained(error: BaseException) -> HoldfastError | None:
    """What an error of SQLite means that came up while reading, where no path was at hand; None
    for any other error, which nobody foresaw."""
    if not isinstance(error, sqlite3.DatabaseError):
        return None
    found = translate(error, Path(FILE_NAME))
    return found if isinstance(found, HoldfastError) else None


def open_database(path: Path, *, synchronous: str = "FULL") -> Database:
    """Open (or make) the database, with the pragmas that durability asks for, and migrate it.

    WAL with synchronous=FULL: an answered write survives the plug. Raises DirectoryError and its
    children; a database of a newer version is refused, never set aside.
    """
    if path.exists() and not path.stat().st_size:
        # SQLite would take it for a new one and write into it.
        raise DirectoryDamaged(
            f"{path} is empty; it was left as it is: restore a backup and rejoin, "
            "or begin again in a new directory"
        )
    with translated(path):
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        try:
            _keep_private(path)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={synchronous}")
            connection.execute("PRAGMA busy_timeout=2000")
            # What is deleted is overwritten: a guest who was forgotten is in no page of the file.
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute("PRAGMA cache_size=-16000")
            connection.execute("PRAGMA temp_store=MEMORY")
            connection.execute("PRAGMA wal_autocheckpoint=4000")
            db = Database(connection)
            _refuse_newer(db, path)
            migrations.apply(db)
        except BaseException:
            connection.close()
            raise
    return db


def _keep_private(path: Path) -> None:
    """Nobody but its owner reads a database, or what stands in its log before it does: also where
    its directory, or one that it is copied into, is open to others. SQLite gives the files beside
    it the mode that it has."""
    for file in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        # Another's file keeps the mode that its owner gave it.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            if file.stat().st_mode & 0o077:
                file.chmod(0o600)


def _refuse_newer(db: Database, path: Path) -> None:
    foreign = sorted({migration.name for migration in migrations.applied(db)} - _OURS)
    if foreign:
        raise DirectoryError(
            f"{path} was written by a newer version of Holdfast ({', '.join(foreign)}); "
            "install that version: an older one would misread it"
        )


_OURS: Final = frozenset(
    migration.__name__
    for migration in (
        m001_journal_and_chains,
        m002_projections,
        m003_work,
        m004_books_apart,
        m005_rights,
        m006_seated,
        m007_sessions,
        m008_guests,
        m009_waiting_keys,
        m010_restrictions,
        m011_card_digests,
        m012_violations,
        m013_forms,
        m014_renewals,
        m015_guest_entries,
        m016_tables,
        m017_service_notes,
        m019_approvals,
        m020_reminders,
    )
)
