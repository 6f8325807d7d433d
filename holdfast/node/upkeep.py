"""The care of a data directory: a backup, its restoration, what an upgrade would change.

Owns the form of a backup. It is one plain SQLite file: a copy of the database, with the
directory's small files (keys, certificates, settings) in its table `backup_files`. **It holds the
keys and is as secret as the directory itself** (mode 600). The admin token is not in it: a restored
directory gets a new one. A restored directory is another life of the one it was taken from (DESIGN
§5.8), and the witness inside the backup says so, wherever it is opened. The doctor is a module of
its own (`doctor`), found under this name too.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final

import msgspec

from holdfast.model.errors import DirectoryDamaged, DirectoryError, Invalid
from holdfast.model.limits import BACKUP_FILE_BYTES_MAX
from holdfast.node import files
from holdfast.node.directories import ADMIN_TOKEN, LOG
from holdfast.node.doctor import Check, doctor
from holdfast.node.keys import SECRET_MODE, read_secret, write_secret, write_secret_text
from holdfast.node.replica import SOFTWARE, Replica
from holdfast.node.witness import Witness
from holdfast.store import backups
from holdfast.store.backups import BackupFile
from holdfast.store.database import FILE_NAME
from holdfast.store.readonly import ReadOnlyStore, known_migrations

__all__ = [
    "Check",
    "UpgradeCheck",
    "backup",
    "backup_directory",
    "doctor",
    "restore",
    "upgrade_check",
]

WITNESS_KEY: Final = "witness"
_LEFT_OUT_SUFFIXES: Final = frozenset({".sock", ".run", ".pid", ".lock"})
"""What belongs to a running process (CONTRACT)."""
_SQLITE_HEADER: Final = b"SQLite format 3\x00"


# --- backup -------------------------------------------------------------------------------------


def backup(replica: Replica, path: Path) -> dict[str, Any]:
    """A consistent copy of a directory in use, as one file. Returns `path`, `bytes`, `files`.

    Writers are not kept waiting. An existing backup (or empty file) is replaced at once, when the
    new one is safe on disk. Raises Invalid for a path that is something else, DirectoryError.
    """
    return backup_directory(replica.store.directory, path)


def backup_directory(directory: Path, path: Path) -> dict[str, Any]:
    """`backup`, of a directory whether its process runs or not."""
    _check_target(path)
    small = list(_small_files(directory))
    try:
        # A temporary of mode 600, which SQLite keeps.
        with files.beside(path) as part:
            with ReadOnlyStore(directory) as source:
                source.copy_to(part)
            backups.put_files(part, small, {WITNESS_KEY: Witness.of_backup().encode()})
            files.sync(part)
            os.replace(part, path)
        files.sync(path.parent)
    except OSError as error:
        raise DirectoryError(f"{path} cannot be written ({error.strerror})") from error
    return {
        "path": str(path),
        "bytes": path.stat().st_size,
        "files": [file.name for file in small],
    }


def _check_target(path: Path) -> None:
    if path.is_dir() or (path.exists() and not path.is_file()):
        raise Invalid.field("path", f"{path} is no file; name the backup's file")
    if path.exists() and path.stat().st_size and not _is_earlier_backup(path):
        raise Invalid.field("path", f"{path} exists and is no backup; choose another name")


def _is_earlier_backup(path: Path) -> bool:
    """Whether a file is a backup: not every database is, least of all the one that is copied."""
    try:
        return _is_sqlite(path) and backups.is_backup(path)
    except DirectoryError:
        return False


def _small_files(directory: Path) -> Iterator[BackupFile]:
    """Keys, certificates and settings: every small file that is neither data nor of a process."""
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory)
        if name.parts[0] == "log" or any(part.startswith(".") for part in name.parts):
            continue
        if path.is_symlink() or not path.is_file() or str(name) == ADMIN_TOKEN:
            continue
        if path.suffix in _LEFT_OUT_SUFFIXES or path.name.startswith(FILE_NAME):
            continue
        if path.stat().st_size > BACKUP_FILE_BYTES_MAX or _is_sqlite(path):
            continue
        # Wherever a key lies, the backup has it: another machine has another key ring.
        data = read_secret(path) if name.parts[0] == "keys" else path.read_bytes()
        yield BackupFile(name.as_posix(), data, path.stat().st_mode & 0o777)


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_SQLITE_HEADER)) == _SQLITE_HEADER


# --- restore ------------------------------------------------------------------------------------


def restore(file: Path, directory: Path) -> dict[str, Any]:
    """Make a data directory from a backup. Returns `directory`, `files`.

    Whole or not at all, also after a kill. Raises DirectoryError where the directory is not empty,
    DirectoryDamaged and Invalid for a file that is damaged or no backup.
    """
    if not _is_sqlite(file):
        raise Invalid(f"{file} is no backup of Holdfast; use a file that `holdfast backup` wrote")
    with ReadOnlyStore(file) as source:
        problems = source.integrity()
        if problems:
            raise DirectoryDamaged(f"{file} is damaged ({problems[0]}); take another backup")
        with files.making(directory) as place:
            names = _restore_into(source, place)
    return {"directory": str(directory), "files": names}


def _restore_into(source: ReadOnlyStore, directory: Path) -> list[str]:
    database = directory / FILE_NAME
    os.close(os.open(database, os.O_CREAT | os.O_EXCL | os.O_WRONLY, SECRET_MODE))
    source.copy_to(database)
    small = backups.take_files(database)
    if small is None:
        raise Invalid(
            f"{source.path} is no backup of Holdfast: the keys are missing; "
            "use a file that `holdfast backup` wrote"
        )
    for each in small:
        _write_file(directory, each)
    (directory / LOG).mkdir(mode=0o700, exist_ok=True)
    write_secret_text(directory / ADMIN_TOKEN, secrets.token_urlsafe(32))
    return [each.name for each in small]


def _write_file(directory: Path, file: BackupFile) -> None:
    name = PurePosixPath(file.name)
    if name.is_absolute() or ".." in name.parts or "\\" in file.name or not name.parts:
        raise Invalid(f"the backup holds a file outside the directory: {file.name!r}")
    target = directory.joinpath(*name.parts)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret(target, file.data)
    # Whatever the backup says, a key is for its owner alone.
    target.chmod(SECRET_MODE if name.parts[0] == "keys" else file.mode & 0o777)


# --- upgrade ------------------------------------------------------------------------------------


class UpgradeCheck(msgspec.Struct):
    """Whether this version can use a directory, and what it would change when it opens it."""

    ok: bool
    version: str
    applied: list[str]
    pending: list[str]
    unknown: list[str]
    detail: str


def upgrade_check(directory: Path) -> UpgradeCheck:
    """Compare a directory's migrations with this version's; changes nothing.

    Raises DirectoryError where there is no database, or one that cannot be read.
    """
    with ReadOnlyStore(directory) as store:
        applied = store.migrations()
    known = known_migrations()
    pending = [name for name in known if name not in applied]
    unknown = [name for name in applied if name not in known]
    if unknown:
        detail = f"written by a newer version ({', '.join(unknown)}); install that version"
    elif pending:
        detail = f"will be brought up to date when it is opened: {', '.join(pending)}; back it up"
    else:
        detail = "nothing to do"
    return UpgradeCheck(not unknown, SOFTWARE, applied, pending, unknown, detail)
