"""The doctor: looks at a data directory from every side, and mends what can be mended.

Owns the list of checks. It reads a snapshot, so that it works beside a running process; it mends
only what is derived (projections) or plainly wrong (the mode of a key), never the record itself.
"""

from __future__ import annotations

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
from holdfast.node import files, settings
from holdfast.node.keys import SECRET_MODE
from holdfast.node.local_identity import ROOT_META_KEY, LocalIdentity
from holdfast.node.replica import PROJECTION_VERSION, Replica
from holdfast.node.timekeeping import Timekeeper
from holdfast.node.verify import VerifyReport, verify_store
from holdfast.store.database import FILE_NAME, DirectoryLock
from holdfast.store.readonly import ReadOnlyStore, known_migrations
from holdfast.store.store import Store

HIGH_WATER_META_KEY: Final = "clock.high_water"
PROJECTION_META_KEY: Final = "projection.version"
_MEBIBYTE: Final = 1024 * 1024


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
    checks = [Check("lock", True, in_use or "no process uses the directory")]
    for name, look in _CHECKS:
        checks += _looked(name, look, directory)
    if fix:
        checks = [_mended(check, directory, bool(in_use)) for check in checks]
    return checks


def _looked(name: str, look: Look, directory: Path) -> list[Check]:
    try:
        return list(look(directory))
    except HoldfastError as error:
        return [Check(name, False, error.detail, "see the other checks, or restore a backup")]
    except OSError as error:
        reason = error.strerror or str(error)
        return [Check(name, False, f"cannot be looked at: {reason}", "check owner and modes")]
    except Exception as error:  # damaged rows can break a check in any way, and are what it is for
        detail = f"cannot be looked at: what is there makes no sense ({type(error).__name__})"
        return [Check(name, False, detail, "restore a backup, and let this node rejoin")]


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
    detail = "; ".join(problems[:3]) or "SQLite finds it sound"
    way_out = "" if not problems else "restore a backup, and let this node rejoin"
    yield Check("database", not problems, detail, way_out)
    known = known_migrations()
    newer = [name for name in applied if name not in known]
    yield Check(
        "schema",
        not newer,
        f"written by a newer version ({', '.join(newer)})" if newer else f"{len(applied)} steps",
        "install the version that wrote it" if newer else "",
    )


def _record(directory: Path) -> Iterator[Check]:
    """Chains, and the seals over them (`verify`)."""
    report = verify_store(directory)
    detail = f"{report.chains} chains, {report.entries} entries, {report.seals} seals hold"
    if not report.ok:
        detail = "; ".join([*map(str, report.bad[:3]), *report.notes[:1]])
    way_out = "restore a backup, and let this node rejoin; the others keep what they received"
    yield Check("chains", report.ok, detail, "" if report.ok else way_out)
    yield _unsealed(report)


def _unsealed(report: VerifyReport) -> Check:
    detail = "every entry is sealed"
    if report.unsealed:
        detail = f"{report.unsealed} entries wait for their seal, made when they are sent"
    return Check("unsealed", True, detail)


def _log_size(directory: Path) -> Iterator[Check]:
    log = directory / f"{FILE_NAME}-wal"
    size = log.stat().st_size if log.exists() else 0
    yield Check(
        "write-ahead log",
        size <= WAL_BYTES_MAX,
        f"{size / _MEBIBYTE:.1f} MiB",
        ""
        if size <= WAL_BYTES_MAX
        else "something keeps reading the database: restart the process",
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
                way_out = f"free {2 * size / _MEBIBYTE:.0f} MiB there, or set TMPDIR"
                yield Check("projections", False, f"no room to fold in {copy.parent}", way_out)
                return
            source.copy_to(copy / FILE_NAME)
        _fold_again(copy)
        with ReadOnlyStore(copy) as folded:
            fresh = folded.projected()
    wrong = {key for key in shown.keys() | fresh.keys() if shown.get(key) != fresh.get(key)}
    if version != str(PROJECTION_VERSION).encode() and wrong:
        yield Check("projections", True, "of another version; folded anew at the next start")
        return
    yield Check(
        "projections",
        not wrong,
        f"{len(wrong)} of {len(fresh)} rows differ from a fresh fold" if wrong else
        f"{len(fresh)} rows are what a fresh fold gives",
        "stop the process and run `holdfast doctor --fix`, which folds anew" if wrong else "",
    )  # fmt: skip


def _fold_again(directory: Path) -> None:
    """Fold every book anew, with no identity of its own: a fold reads entries and nothing else."""
    store = Store(directory)
    try:
        root = store.records.get(ROOT_META_KEY)
        if root is None:
            raise DirectoryError(f"{directory} has no root certificate: nobody can be recognised")
        replica = Replica(store, _nobody(root), Timekeeper())
        for name in list(replica.books):
            replica.refold(name)
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
    state = clock.status()["state"]
    if ahead_ms > STAMP_AHEAD_MS_MAX:
        way_out = "set this machine's clock right, or name time servers in config.toml (ntp)"
        detail = f"the newest entry is {ahead_ms / 1000:.0f} s ahead of this machine's clock"
        yield Check("clock", False, detail, way_out)
    else:
        yield Check("clock", True, f"{state} until a process samples it; not behind the entries")


def _disk(directory: Path) -> Iterator[Check]:
    free = shutil.disk_usage(directory).free
    ok = free >= DISK_FREE_BYTES_MIN
    way_out = f"free some space: at least {DISK_FREE_BYTES_MIN // _MEBIBYTE} MiB"
    yield Check("disk", ok, f"{free // _MEBIBYTE} MiB free", "" if ok else way_out)


def _open_secrets(directory: Path) -> list[Path]:
    """Files that hold secrets and that others than their owner may open."""
    keys = directory / "keys"
    files = [path for path in keys.rglob("*") if path.is_file()] if keys.is_dir() else []
    files += [path for path in [directory / "admin-token"] if path.is_file()]
    return [path for path in sorted(files) if stat.S_IMODE(path.stat().st_mode) & 0o077]


def _permissions(directory: Path) -> Iterator[Check]:
    wrong = [str(path.relative_to(directory)) for path in _open_secrets(directory)]
    detail = f"others may read {', '.join(wrong)}" if wrong else "keys are for their owner alone"
    way_out = "run `holdfast doctor --fix`, or chmod 600 them" if wrong else ""
    yield Check("permissions", not wrong, detail, way_out)


def _settings(directory: Path) -> Iterator[Check]:
    try:
        settings.load(directory)
    except HoldfastError as error:
        yield Check("settings", False, error.detail, f"correct {directory / settings.FILE_NAME}")
    else:
        yield Check("settings", True, "config.toml and the environment are understood")


Look = Callable[[Path], Iterator[Check]]
_CHECKS: Final[tuple[tuple[str, Look], ...]] = (
    ("database", _database),
    ("chains", _record),
    ("projections", _projections),
    ("clock", _clock),
    ("disk", _disk),
    ("permissions", _permissions),
    ("settings", _settings),
    ("write-ahead log", _log_size),
)


# --- mending ------------------------------------------------------------------------------------


def _mended(check: Check, directory: Path, in_use: bool) -> Check:
    if check.ok or check.name not in ("projections", "permissions"):
        return check
    if check.name == "permissions":
        for path in _open_secrets(directory):
            path.chmod(SECRET_MODE)
        again = _looked("permissions", _permissions, directory)[0]
    elif in_use:
        return Check(
            check.name, False, f"{check.detail}; not mended: the directory is in use",
            "stop the process and run `holdfast doctor --fix` again",
        )  # fmt: skip
    else:
        try:
            _fold_again(directory)
        except HoldfastError as error:
            return Check(check.name, False, f"{check.detail}; {error.detail}", check.way_out)
        except Exception as error:  # as in `_looked`
            detail = f"{check.detail}; cannot be folded ({type(error).__name__})"
            return Check(check.name, False, detail, "restore a backup, and let this node rejoin")
        again = _looked("projections", _projections, directory)[0]
    again.detail = f"mended ({check.detail}); {again.detail}" if again.ok else again.detail
    return again
