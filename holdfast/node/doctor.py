"""The doctor: looks at a data directory from every side, and mends what can be mended.

Owns the list of checks. It reads a snapshot, so that it works beside a running process; it mends
only what is derived (projections) or plainly wrong (the mode of a key), never the record itself.
"""

from __future__ import annotations

import contextlib
import shlex
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from holdfast.model.errors import DirectoryError, DirectoryInUse, HoldfastError
from holdfast.model.limits import DISK_FREE_BYTES_MIN, STAMP_AHEAD_MS_MAX, WAL_BYTES_MAX
from holdfast.node import files, guest_index, settings
from holdfast.node.installed_rules import installed
from holdfast.node.issuing import ISSUER_LEFT_DAYS, issuer_ends_ms
from holdfast.node.keys import SECRET_MODE, in_ring, is_misplaced, move_secret, read_secret
from holdfast.node.local_identity import ROOT_META_KEY, LocalIdentity, load_certificate
from holdfast.node.replica import PROJECTION_VERSION, Replica
from holdfast.node.timekeeping import Timekeeper
from holdfast.node.venue_keys import keys_in
from holdfast.node.verify import VerifyReport, verify_store
from holdfast.node.words import counted, sentences
from holdfast.store.database import FILE_NAME, DirectoryLock
from holdfast.store.readonly import ReadOnlyStore, known_migrations
from holdfast.store.store import Store

HIGH_WATER_META_KEY: Final = "clock.high_water"
PROJECTION_META_KEY: Final = "projection.version"
_MEBIBYTE: Final = 1024 * 1024
_RESTORE: Final = (
    "restore a backup into a new directory (`holdfast restore FILE --data NEW-DIRECTORY`), or, for "
    "a device without one, join the hub as a new device; keep this directory until all is well"
)


class Check(msgspec.Struct):
    """One thing looked at. `way_out` says what to do where it is not `ok`."""

    name: str
    ok: bool
    detail: str
    way_out: str = ""


def doctor(directory: Path, fix: bool = False) -> list[Check]:
    """Every check of a data directory; with `fix`, what can be mended is, and looked at again.

    A check that cannot be made is one that failed, and the others are made all the same. Raises
    DirectoryError where there is no database at all.
    """
    if not (directory / FILE_NAME).is_file():
        raise DirectoryError(f"{directory} holds no Holdfast data; name another directory")
    in_use = _in_use(directory)
    said = "the directory is in use, as it is while its process runs; a copy was looked at"
    checks = [Check("lock", True, said if in_use else "no process uses the directory")]
    for name, look in _CHECKS:
        checks += _looked(name, look, directory)
    if fix:
        checks = [_mended(check, directory, bool(in_use)) for check in checks]
    return checks


def _fix(directory: Path) -> str:
    return f"holdfast doctor --fix --data {shlex.quote(str(directory))}"


def _looked(name: str, look: Look, directory: Path) -> list[Check]:
    try:
        return list(look(directory))
    except HoldfastError as error:
        way_out = f"look at the other lines first; if they do not help, {_RESTORE}"
        return [Check(name, False, error.detail, way_out)]
    except OSError as error:
        reason = error.strerror or str(error)
        way_out = "see that this account owns the directory and may read what is in it"
        return [Check(name, False, f"this cannot be looked at: {reason}", way_out)]
    except Exception as error:  # damaged rows can break a check in any way, and are what it is for
        detail = f"what is kept here cannot be understood: it is damaged ({type(error).__name__})"
        return [Check(name, False, detail, _RESTORE)]


def _in_use(directory: Path) -> str:
    lock = DirectoryLock(directory)
    try:
        lock.acquire()
    except DirectoryInUse as error:
        return error.detail
    except DirectoryError:
        return ""
    lock.release()
    return ""


# --- the database -------------------------------------------------------------------------------


def _database(directory: Path) -> Iterator[Check]:
    with ReadOnlyStore(directory) as store:
        problems = store.integrity()
        applied = store.migrations()
    detail = "the database file is sound"
    if problems:
        detail = f"the database file is damaged: {sentences(problems[:3])}"
    yield Check("database", not problems, detail, _RESTORE if problems else "")
    known = known_migrations()
    newer = [name for name in applied if name not in known]
    yield Check(
        "schema",
        not newer,
        f"a newer version of Holdfast wrote it, and this one would misread it ({', '.join(newer)})"
        if newer
        else "this version of Holdfast can use it",
        "install the newer version again" if newer else "",
    )


def _record(directory: Path) -> Iterator[Check]:
    """Chains, and the seals over them (`verify`)."""
    report = verify_store(directory)
    detail = (
        f"all that was written is there, unaltered: {counted(report.entries, 'entry', 'entries')}"
    )
    if not report.ok:
        faults = sentences([*map(str, report.bad[:3]), *report.notes[:1]])
        detail = f"something that was written is lost or was altered: {faults}"
    way_out = f"{_RESTORE}; the other devices keep what they received"
    yield Check("chains", report.ok, detail, "" if report.ok else way_out)
    yield _unsealed(report)


def _unsealed(report: VerifyReport) -> Check:
    detail = "everything that was written is signed"
    if report.unsealed:
        many = "entry is" if report.unsealed == 1 else "entries are"
        detail = f"{report.unsealed} {many} signed as soon as sent; nothing to do"
    return Check("unsealed", True, detail)


def _log_size(directory: Path) -> Iterator[Check]:
    log = directory / f"{FILE_NAME}-wal"
    size = log.stat().st_size if log.exists() else 0
    yield Check(
        "write-ahead log",
        size <= WAL_BYTES_MAX,
        f"{size / _MEBIBYTE:.1f} MiB of new changes wait beside the database file"
        + (", as it should be" if size <= WAL_BYTES_MAX else ", which is too much"),
        ""
        if size <= WAL_BYTES_MAX
        else "some program keeps the database open for reading: restart the process, and close it",
    )


# --- projections --------------------------------------------------------------------------------


def _projections(directory: Path) -> Iterator[Check]:
    """What is shown against a fresh fold of a copy, in a private temporary directory."""
    with files.scratch() as copy:
        with ReadOnlyStore(directory) as source:
            version = source.meta(PROJECTION_META_KEY)
            shown = source.projected()
            size = source.path.stat().st_size
            if shutil.disk_usage(copy).free < 2 * size:
                way_out = (
                    f"free {2 * size / _MEBIBYTE:.0f} MiB there, or name a roomier directory in "
                    "the variable TMPDIR, and look again"
                )
                detail = f"not compared with the record: no room for a copy in {copy.parent}"
                yield Check("projections", False, detail, way_out)
                return
            source.copy_to(copy / FILE_NAME)
        _fold_again(copy)
        with ReadOnlyStore(copy) as folded:
            fresh = folded.projected()
    wrong = {key for key in shown.keys() | fresh.keys() if shown.get(key) != fresh.get(key)}
    if version != str(PROJECTION_VERSION).encode() and wrong:
        detail = "it was worked out by another version; that is done anew at the next start"
        yield Check("projections", True, detail)
        return
    yield Check(
        "projections",
        not wrong,
        f"{len(wrong)} of {len(fresh)} things that are shown (reservations, what is taken, sums) "
        "are not what the record says" if wrong else
        f"what is shown is what the record says ({len(fresh)} things compared)",
        f"stop the process and run `{_fix(directory)}`: it works them out anew from the record, "
        "and loses nothing" if wrong else "",
    )  # fmt: skip


def _guest_index(directory: Path) -> Iterator[Check]:
    """By which words guests are found, against what their cards say, where these can be read."""
    readers = keys_in(directory / "keys")
    if not readers:
        yield Check("guest index", True, "this device reads no guests' cards and keeps no index")
        return
    with files.scratch() as copy:
        with ReadOnlyStore(directory) as source:
            source.copy_to(copy / FILE_NAME)
        with _opened(copy) as replica:
            looked_at, wrong = guest_index.differing(replica, readers)
    yield Check(
        "guest index",
        not wrong,
        f"{wrong} of {looked_at} cards are found by other words than they say" if wrong else
        f"guests are found by what their cards say ({looked_at} cards compared)",
        f"stop the process and run `{_fix(directory)}`: the index is then made anew" if wrong
        else "",
    )  # fmt: skip


def _fold_again(directory: Path) -> None:
    """Fold every book anew: a fold reads entries and nothing else."""
    with _opened(directory) as replica, replica.transaction():
        for name in list(replica.books):
            # Also what finds guests is made anew, by whoever can read them.
            replica.store.cards.clear_words(name)
            replica.refold(name)


@contextlib.contextmanager
def _opened(directory: Path) -> Iterator[Replica]:
    """A directory's replica with no identity of its own."""
    store = Store(directory)
    try:
        root = store.records.get(ROOT_META_KEY)
        if root is None:
            raise DirectoryError(f"{directory} has no root certificate: nobody can be recognised")
        yield Replica(store, _nobody(root), Timekeeper())
    finally:
        store.close()


def _nobody(root: bytes) -> LocalIdentity:
    return LocalIdentity(
        "", "", "doctor", "doctor", bytes(16), 0, Ed25519PrivateKey.generate(), [], root,
        X25519PrivateKey.generate(), b"", [], [], bytes(16),
    )  # fmt: skip


# --- around the database ------------------------------------------------------------------------


def _clock(directory: Path) -> Iterator[Check]:
    """This machine's clock against the newest stamp; a running process knows more of its own."""
    clock = Timekeeper()
    with ReadOnlyStore(directory) as store:
        high_water = int(store.meta(HIGH_WATER_META_KEY) or b"0")
    ahead_ms = (high_water >> 16) - clock.now_ms()
    if ahead_ms > STAMP_AHEAD_MS_MAX:
        way_out = "set this machine's clock right, or name time servers in config.toml (ntp)"
        detail = (
            f"this machine's clock is {ahead_ms / 1000:.0f} s behind the newest thing that was "
            "written here: it was set back, or it was wrong then"
        )
        yield Check("clock", False, detail, way_out)
    else:
        detail = "this machine's clock is not behind what was written here"
        yield Check("clock", True, detail)


def _disk(directory: Path) -> Iterator[Check]:
    free = shutil.disk_usage(directory).free
    ok = free >= DISK_FREE_BYTES_MIN
    way_out = (
        f"free some space, to have at least {DISK_FREE_BYTES_MIN // _MEBIBYTE} MiB; when the "
        "disk is full, nothing more can be written"
    )
    yield Check("disk", ok, f"{free // _MEBIBYTE} MiB are free", "" if ok else way_out)


def _open_secrets(directory: Path) -> list[Path]:
    """Files that hold secrets and that others than their owner may open."""
    keys = directory / "keys"
    files = [path for path in keys.rglob("*") if path.is_file()] if keys.is_dir() else []
    files += [path for path in [directory / "admin-token"] if path.is_file()]
    return [path for path in sorted(files) if stat.S_IMODE(path.stat().st_mode) & 0o077]


def _permissions(directory: Path) -> Iterator[Check]:
    wrong = [str(path.relative_to(directory)) for path in _open_secrets(directory)]
    detail = "keys and tokens can be read by their owner alone"
    if wrong:
        detail = f"other users of this machine may read what is secret: {', '.join(wrong)}"
    way_out = f"run `{_fix(directory)}`, which closes them to others" if wrong else ""
    yield Check("permissions", not wrong, detail, way_out)


def _key_files(directory: Path) -> list[Path]:
    keys = directory / "keys"
    return sorted(path for path in keys.rglob("*") if path.is_file()) if keys.is_dir() else []


def _key_store(directory: Path) -> Iterator[Check]:
    """Where the keys lie, and whether they can be had from there."""
    keys = _key_files(directory)
    misplaced = [path.name for path in keys if is_misplaced(path)]
    if misplaced:
        detail = f"key_store says otherwise than where these keys lie: {', '.join(misplaced)}"
        yield Check("key store", False, detail, f"run `{_fix(directory)}`, which moves them")
        return
    for path in keys:
        read_secret(path)
    ring = any(in_ring(path) for path in keys)
    where = "the key ring of this account" if ring else "files of this directory"
    yield Check("key store", True, f"the keys are in {where}, and can be read")


def _certificate(directory: Path) -> Iterator[Check]:
    """Whether the hub still hears this device; at a hub, how long its issuer lasts."""
    with ReadOnlyStore(directory) as store:
        identity = load_certificate(store)
        role = store.meta("role")
    now_ms = Timekeeper().now_ms()
    left = (identity.not_after_ms - now_ms) // 86_400_000
    if left < 0:
        way_out = (
            "make a new code at the hub and run `holdfast node rejoin --code CODE`"
            if role != b"hub"
            else "run the hub: it renews its own certificate"
        )
        yield Check("certificate", False, f"it ended {-left} days ago, by this clock", way_out)
        return
    yield Check("certificate", True, f"{left} days are left; it is renewed by itself")
    if role == b"hub":
        yield _issuer(directory, now_ms)


def _issuer(directory: Path, now_ms: int) -> Check:
    ends_ms = issuer_ends_ms(directory)
    left = (ends_ms - now_ms) // 86_400_000
    if left < ISSUER_LEFT_DAYS:
        detail = (
            f"the hub's issuing certificate ends in {left} days, and nothing it issues lasts longer"
            if ends_ms
            else "the hub has no issuing certificate, and no root key to make one with"
        )
        way_out = "bring the root key's file, and run `holdfast hub renew-issuer --root FILE`"
        return Check("issuer", False, detail, way_out)
    return Check("issuer", True, f"the hub's issuing certificate lasts {left} days more")


def _settings(directory: Path) -> Iterator[Check]:
    try:
        settings.load(directory)
    except HoldfastError as error:
        way_out = f"correct {directory / settings.FILE_NAME}, or the HOLDFAST_… variable"
        yield Check("settings", False, error.detail, way_out)
    else:
        yield Check("settings", True, "config.toml and the HOLDFAST_… variables are understood")


def _added_rules(directory: Path) -> Iterator[Check]:
    """What packages add where this program runs; a device's own process may run elsewhere."""
    book, problems = installed()
    number = len(book.added)
    detail = f"{number} rule{'' if number == 1 else 's'} of installed packages can be asked"
    yield Check(
        "rules",
        not problems,
        sentences(problems) if problems else detail if number else "no package adds rules",
        "mend or uninstall what is named, and restart the process" if problems else "",
    )


Look = Callable[[Path], Iterator[Check]]
_CHECKS: Final[tuple[tuple[str, Look], ...]] = (
    ("database", _database),
    ("chains", _record),
    ("projections", _projections),
    ("guest index", _guest_index),
    ("clock", _clock),
    ("disk", _disk),
    ("permissions", _permissions),
    ("key store", _key_store),
    ("certificate", _certificate),
    ("settings", _settings),
    ("rules", _added_rules),
    ("write-ahead log", _log_size),
)


# --- mending ------------------------------------------------------------------------------------


def _mended(check: Check, directory: Path, in_use: bool) -> Check:
    if check.ok or check.name not in ("projections", "guest index", "permissions", "key store"):
        return check
    if check.name == "permissions":
        for path in _open_secrets(directory):
            path.chmod(SECRET_MODE)
        again = _looked("permissions", _permissions, directory)[0]
    elif check.name == "key store":
        try:
            for path in _key_files(directory):
                if is_misplaced(path):
                    move_secret(path)
        except HoldfastError as error:
            return Check(check.name, False, sentences([check.detail, error.detail]), check.way_out)
        again = _looked("key store", _key_store, directory)[0]
    elif in_use:
        return Check(
            check.name, False, f"{check.detail}; not mended: the directory is in use",
            f"stop the process and run `{_fix(directory)}` again",
        )  # fmt: skip
    else:
        try:
            _fold_again(directory)
        except HoldfastError as error:
            return Check(check.name, False, sentences([check.detail, error.detail]), check.way_out)
        except Exception as error:  # as in `_looked`
            detail = f"{check.detail}; it cannot be worked out anew ({type(error).__name__})"
            return Check(check.name, False, detail, _RESTORE)
        again = _looked(check.name, dict(_CHECKS)[check.name], directory)[0]
    again.detail = f"mended; it was: {check.detail}" if again.ok else again.detail
    return again
