"""Notices that a data directory was cloned or restored: another life has no right to sell.

Owns the witness: where the directory stood and how far its own chains had come, written down once
inside the database and once outside the directory (DESIGN §5.8). `check` judges, purely; the rest
is thin input and output around it. What follows from another life is its caller's business.

The outside copy is a file per incarnation, replaced after a commit and never synced to disk: it may
be behind the database, which proves nothing, and is only ahead of it when the database went back.
Where it cannot be written the facts inside still tell a copy from the original; only a rollback in
place, as of a whole machine's snapshot, is then noticed by nobody until it meets the hub (§5.12).
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from holdfast.model.errors import DirectoryError
from holdfast.node.files import replace_file, sweep

log = logging.getLogger("holdfast.witness")

STATE_VARIABLE: Final = "HOLDFAST_STATE"
COPIED: Final = "directory was copied"
RESTORED: Final = "directory was restored from a backup"
REPLACED: Final = "database file was replaced"
MACHINE: Final = "machine differs"
ROLLED_BACK: Final = "outside witness has seen more than this directory holds"
SHORTENED: Final = "directory holds less than its own witness says"

_MACHINE_FILES: Final = (
    "/etc/machine-id",
    "/var/lib/dbus/machine-id",
    # Small boards without a machine id have a serial number.
    "/sys/firmware/devicetree/base/serial-number",
)
_BOOT_FILE: Final = "/proc/sys/kernel/random/boot_id"
_DATABASE_NAME: Final = "holdfast.db"
_LOCAL_OR_GROUP_ADDRESS: Final = 0b11 << 40
_FILE_BYTES_MAX: Final = 4 * 1024 * 1024


class Place(msgspec.Struct, frozen=True):
    """Where a directory stands now. `machine` and `boot` are empty, and inodes 0, where unknown.

    The machine's id is kept in memory only: a witness holds it hashed with the incarnation.
    """

    machine: str
    boot: str
    device: int
    inode: int
    database_inode: int


class Witness(msgspec.Struct, frozen=True, array_like=True):
    """What was so when it was written: the place, and how far this incarnation had come.

    `entries` counts the incarnation's own entries by book, `stamp` is the packed stamp of the last
    of them all. A hub with thousands of books may leave `entries` empty: the stamp tells as much.
    `restored` stands in the witness inside a backup: a restored directory may by chance get the
    inodes of the one that was deleted.
    """

    incarnation: bytes
    machine: bytes
    boot: bytes
    device: int
    inode: int
    database_inode: int
    entries: dict[str, int]
    stamp: int
    restored: bool = False

    @classmethod
    def of(
        cls, incarnation: bytes, place: Place, entries: Mapping[str, int], stamp: int
    ) -> Witness:
        """The witness of this moment."""
        return cls(
            incarnation,
            _hashed(incarnation, place.machine),
            _hashed(incarnation, place.boot),
            place.device,
            place.inode,
            place.database_inode,
            dict(entries),
            stamp,
        )

    def encode(self) -> bytes:
        """The bytes for `store.records` and for the file outside."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def of_backup(cls) -> Witness:
        """What stands inside a backup: whoever opens it is another life."""
        return cls(b"", b"", b"", 0, 0, 0, {}, 0, restored=True)

    @classmethod
    def decode(cls, data: bytes) -> Witness:
        """Raises ValueError for bytes that are no witness."""
        return msgspec.msgpack.decode(data, type=cls)


def check(
    inside: Witness | None,
    outside: Witness | None,
    place: Place,
    own_entries: Mapping[str, int],
    own_stamp: int,
) -> list[str]:
    """Why this is another life than the one that wrote the witnesses; empty: the same life.

    `own_entries` and `own_stamp` are read from the incarnation's chains as the database has them.
    A witness that is missing testifies nothing, and neither does a fact that is unknown.
    """
    reasons: dict[str, None] = {}
    if inside is not None and inside.restored:
        reasons[RESTORED] = None
    for witness in (inside, outside):
        if witness is not None:
            reasons.update(dict.fromkeys(_moved(witness, place)))
    if inside is not None and _is_ahead(inside, own_entries, own_stamp):
        reasons[SHORTENED] = None
    if outside is not None and _is_ahead(outside, own_entries, own_stamp):
        reasons[ROLLED_BACK] = None
    return list(reasons)


def _moved(witness: Witness, place: Place) -> list[str]:
    reasons = []
    machine = _hashed(witness.incarnation, place.machine)
    if machine and witness.machine and machine != witness.machine:
        reasons.append(MACHINE)
    # A device's number is given out anew at each start of the machine: it says something only
    # within one, while an inode belongs to the file system.
    boot = _hashed(witness.incarnation, place.boot)
    same_boot = bool(boot) and boot == witness.boot
    if _differ(witness.inode, place.inode) or (same_boot and _differ(witness.device, place.device)):
        reasons.append(COPIED)
    elif _differ(witness.database_inode, place.database_inode):
        reasons.append(REPLACED)
    return reasons


def _differ(before: int, now: int) -> bool:
    return bool(before) and bool(now) and before != now


def _is_ahead(witness: Witness, own_entries: Mapping[str, int], own_stamp: int) -> bool:
    return witness.stamp > own_stamp or any(
        count > own_entries.get(book, 0) for book, count in witness.entries.items()
    )


def _hashed(incarnation: bytes, text: str) -> bytes:
    """A name that means something only to this incarnation; empty for an unknown one."""
    if not text:
        return b""
    return hashlib.blake2b(text.encode(), key=incarnation, digest_size=16).digest()


# --- looking ------------------------------------------------------------------------------------


def observe(directory: Path) -> Place:
    """Where the directory stands. Raises DirectoryError where it cannot be looked at."""
    try:
        at = directory.stat()
    except OSError as error:
        raise DirectoryError(
            f"{directory} cannot be looked at ({error.strerror}); check its owner and mode"
        ) from error
    database_inode = 0
    with contextlib.suppress(FileNotFoundError):
        database_inode = (directory / _DATABASE_NAME).stat().st_ino
    return Place(machine_id(), _first_line(_BOOT_FILE), at.st_dev, at.st_ino, database_inode)


def machine_id() -> str:
    """What stays the same on one machine and is another on the next; empty where nothing is.

    Without a machine id or a serial number it is the network card's own address. One that software
    made up is not used: a container gets another with each start.
    """
    for path in _MACHINE_FILES:
        text = _first_line(path)
        if text and text != "uninitialized":
            return text
    address = uuid.getnode()
    return "" if address & _LOCAL_OR_GROUP_ADDRESS else f"{address:012x}"


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace").strip("\0\n ").partition("\n")[0]
    except OSError:
        return ""


# --- the copy outside ---------------------------------------------------------------------------


def state_directory(environment: Mapping[str, str] | None = None) -> Path:
    """Where the copies outside live: `$HOLDFAST_STATE`, `$XDG_STATE_HOME/holdfast`, or
    `~/.local/state/holdfast`."""
    variables = os.environ if environment is None else environment
    if variables.get(STATE_VARIABLE):
        return Path(variables[STATE_VARIABLE])
    if variables.get("XDG_STATE_HOME"):
        return Path(variables["XDG_STATE_HOME"]) / "holdfast"
    try:
        return Path.home() / ".local" / "state" / "holdfast"
    except RuntimeError:
        # A service account without a home: an absent place, which reads and writes as such.
        return Path("/nonexistent/holdfast")


class Outside:
    """The copies outside the data directory, one file per incarnation, mode 600.

    Nothing here raises: a place that cannot be used is logged once and the facts inside remain.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = state_directory() if directory is None else directory
        self._silent = False

    def path(self, incarnation: bytes) -> Path:
        return self.directory / f"{incarnation.hex()}.witness"

    def read(self, incarnation: bytes) -> Witness | None:
        """What was last written; None where there is nothing, or nothing that can be read."""
        path = self.path(incarnation)
        try:
            with path.open("rb") as file:
                witness = Witness.decode(file.read(_FILE_BYTES_MAX))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            # Not synced, hence perhaps empty after a power cut: no evidence of anything.
            log.warning("the witness %s cannot be read (%s) and is passed over", path, error)
            return None
        return witness if witness.incarnation == incarnation else None

    def write(self, witness: Witness) -> bool:
        """Replace the file at once; False where it cannot be written. Call after the commit."""
        try:
            self._replace(self.path(witness.incarnation), witness.encode())
        except OSError as error:
            if not self._silent:
                log.warning(
                    "no witness outside the data directory: %s cannot be written (%s); "
                    "a restored backup may go unnoticed, set %s to a directory that can",
                    self.directory, error.strerror, STATE_VARIABLE,
                )  # fmt: skip
            self._silent = True
            return False
        self._silent = False
        return True

    def clear_up(self) -> None:
        """Remove what was being written here by processes that were killed."""
        sweep(self.directory)

    def _replace(self, path: Path, data: bytes) -> None:
        if not self.directory.is_dir():
            self.directory.mkdir(parents=True, mode=0o700, exist_ok=True)
        replace_file(path, data, durable=False)
