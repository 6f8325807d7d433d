"""Files that fail: a torn log, a full disk, a read-only directory, a damaged database.

What cannot be used is named with the way out, as an error of ours, and stays as it was.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from holdfast.api.problems import problem_of
from holdfast.model.errors import (
    DirectoryDamaged,
    DirectoryError,
    HoldfastError,
    StorageFull,
)
from holdfast.node.audit import verify_store
from holdfast.node.doctor import doctor
from holdfast.node.hub import Hub
from holdfast.node.service import Service
from holdfast.node.upkeep import backup_directory
from tests.kill import children
from tests.kill.places import BOOK, environment, make_hub
from tests.kill.support import (
    Ledger,
    child,
    dice,
    examine,
    histories,
    quick,
    work_until_killed,
    write,
)
from tests.kit import every_view

pytestmark = pytest.mark.kill

DATABASE = "holdfast.db"
LOG = "holdfast.db-wal"


def command(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "holdfast", *(str(word) for word in words)],
        env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def refused_in_one_line(done: subprocess.CompletedProcess[str], *names: object) -> None:
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert "unexpected" not in line
    for name in names:
        assert str(name) in line


# --- a torn write-ahead log -----------------------------------------------------------------------


@pytest.mark.parametrize("number", histories(1))
def test_of_a_torn_log_only_the_torn_end_is_lost(number: int, tmp_path: Path):
    """A power cut may leave less of the log than was written: what is before the tear counts."""
    rng = dice("torn_log", number)
    torn = 0
    for place in range(12):
        hub_directory = tmp_path / f"{place}"
        incarnation = make_hub(hub_directory)
        ledger = Ledger()
        with child(children.write_forever, "hub", hub_directory, f"{rng.random()}") as writer:
            ledger.hear(work_until_killed(writer, rng, longest_ms=60))
        log = hub_directory / LOG
        size = log.stat().st_size if log.exists() else 0
        if size:
            os.truncate(log, rng.randrange(size))
            torn += 1
        try:
            hub = Hub.open(hub_directory)
        except DirectoryDamaged as error:
            assert str(hub_directory) in error.detail
            continue
        try:
            assert hub.store.check() == []
            kept = hub.store.journal.chain(BOOK, incarnation)
            assert kept is not None, "what was checkpointed before is there"
            # In order of answering: what is there is a beginning of it, without holes.
            there = [hub.view(reservation) is not None for reservation in ledger.codes]
            assert there == sorted(there, reverse=True)
            examine_any_life(hub)
        finally:
            hub.close()
        assert verify_store(hub_directory).ok
    assert torn > 2, "hardly any log was there to be torn"


def examine_any_life(replica: Service) -> None:
    """As `examine`, where another life would be right: entries were lost with the log's end."""
    vars(replica)["other_life"] = []
    examine(replica, replica.identity.incarnation)


# --- places that fail -----------------------------------------------------------------------------


class Mounted:
    """A small file system of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def remount(self, mode: str) -> None:
        _mount("-o", f"remount,{mode}", str(self.path))


def _mount(*words: str) -> None:
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting a small disk is not permitted here: {done.stderr.strip()}")


def fill(disk: Mounted, leaving: int = 0) -> Path:
    """Leave no more room than that; returns the file that takes it."""
    ballast = disk.path / "ballast"
    free = shutil.disk_usage(disk.path).free
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free - leaving)
    return ballast


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Mounted]:
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("a small disk can be mounted by root alone; run as root, in a container")
    path = tmp_path / "disk"
    path.mkdir()
    _mount("-t", "tmpfs", "-o", "size=3m", "tmpfs", str(path))
    try:
        yield Mounted(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_full_disk_refuses_clearly_and_keeps_all_that_was_answered(small_disk: Mounted):
    directory, rng, ledger = small_disk.path / "hub", random.Random(7), Ledger()
    incarnation = make_hub(directory)
    hub = Hub.open(directory)
    for _ in range(3):
        with pytest.raises(StorageFull, match=r"full.*free some space"):
            while True:
                write(hub, ledger, rng, 1)
    ledger.check(hub, alone=True)
    examined_elsewhere(directory, small_disk.path.parent / "copy")
    spare = small_disk.path / "hub" / "log"
    shutil.rmtree(spare, ignore_errors=True)
    hub.close()
    # Full to the last byte: what can still be read is shown, and nothing is damaged.
    assert verify_store(directory).ok
    small_disk.remount("size=12m")
    hub = Hub.open(directory)
    assert (hub.identity.incarnation, hub.other_life) == (incarnation, [])
    ledger.check(hub, alone=True)
    write(hub, ledger, rng, 10)
    examine(hub, incarnation)
    assert hub.store.check() == []
    hub.close()


def examined_elsewhere(directory: Path, copy: Path) -> None:
    """A copy of the files as they are now, on a disk with room: sound, whole, folds right."""
    shutil.copytree(directory, copy)
    assert verify_store(copy).ok
    hub = Hub.open(copy)
    assert hub.store.check() == []
    examine_any_life(hub)
    hub.close()


def test_a_full_disk_is_one_line_of_the_command_line(small_disk: Mounted):
    directory = small_disk.path / "hub"
    make_hub(directory)
    ballast = fill(small_disk)
    document = small_disk.path.parent / "venue.yaml"
    document.write_text((Path(__file__).parents[2] / "examples" / "trattoria.yaml").read_text())
    refused_in_one_line(command("venue", "import", document, "--data", directory), "full")
    ballast.unlink()
    assert verify_store(directory).ok
    assert command("venue", "import", document, "--data", directory).returncode == 0


def test_a_backup_onto_a_full_disk_leaves_nothing_behind(small_disk: Mounted, tmp_path: Path):
    directory = tmp_path / "hub"
    make_hub(directory)
    hub = quick(Hub.open(directory))
    write(hub, Ledger(), random.Random(1), 2500)
    hub.close()
    ballast, target = fill(small_disk, leaving=200_000), small_disk.path / "backup"
    with pytest.raises((StorageFull, DirectoryError), match=str(small_disk.path)):
        backup_directory(directory, target)
    assert list(small_disk.path.iterdir()) == [ballast]


def test_a_read_only_directory_is_named_and_nothing_in_it_changes(small_disk: Mounted):
    directory = small_disk.path / "hub"
    make_hub(directory)
    before = contents(directory)
    small_disk.remount("ro")
    with pytest.raises(DirectoryError, match=r"read-only"):
        Hub.open(directory)
    refused_in_one_line(command("hub", "run", "--data", directory, "--port", "0"), directory)
    refused_in_one_line(command("reservations", "list", "--data", directory), directory)
    assert verify_store(directory).ok, "reading needs no writing"
    assert contents(directory) == before


def test_a_disk_that_becomes_read_only_refuses_writes_until_it_is_writable_again(
    small_disk: Mounted,
):
    directory, rng, ledger = small_disk.path / "hub", random.Random(7), Ledger()
    small_disk.remount("size=64m")
    incarnation = make_hub(directory)
    with child(children.write_forever, "hub", directory, "1") as writer:
        ledger.hear(work_until_killed(writer, rng, longest_ms=20))
    small_disk.remount("ro")
    with pytest.raises(DirectoryError, match=str(directory)):
        Hub.open(directory)
    small_disk.remount("rw")
    hub = Hub.open(directory)
    ledger.check(hub, alone=True)
    examine(hub, incarnation)
    hub.close()


def contents(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


# --- a damaged database ---------------------------------------------------------------------------


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def header_zapped(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(100))


def text_instead(path: Path) -> None:
    path.write_text("Dear diary, the database was here.\n" * 200)


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def schema_scrambled(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(100)
        file.write(random.Random(3).randbytes(3000))


DAMAGES = (emptied, header_zapped, text_instead, cut_short, schema_scrambled)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_database_is_named_with_the_way_out_and_left_as_it_is(
    damage: Callable[[Path], None], tmp_path: Path
):
    directory = tmp_path / "hub"
    make_hub(directory)
    hub = quick(Hub.open(directory))
    write(hub, Ledger(), random.Random(1), 200)
    hub.close()
    database = directory / DATABASE
    damage(database)
    before = database.read_bytes()
    with pytest.raises(DirectoryError) as refusal:
        Hub.open(directory)
    assert str(directory) in refusal.value.detail
    assert database.read_bytes() == before
    done = command("hub", "run", "--data", directory, "--port", "0")
    refused_in_one_line(done, directory)
    done = command("doctor", "--data", directory)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert database.read_bytes() == before


@pytest.mark.parametrize("number", histories(1))
def test_damage_that_is_met_is_damage_that_the_doctor_finds(number: int, tmp_path: Path):
    """Random bytes anywhere in the file: what cannot be read any more, the doctor names."""
    rng = dice("damage_that_is_met", number)
    sound = tmp_path / "sound"
    make_hub(sound)
    hub = quick(Hub.open(sound))
    write(hub, Ledger(), random.Random(1), 300)
    hub.close()
    met = 0
    directory, database = sound, sound / DATABASE
    pristine = database.read_bytes()
    for _ in range(12):
        # In the same place: a copy would be another life, which sells nothing.
        database.write_bytes(pristine)
        for beside in (directory / LOG, directory / f"{DATABASE}-shm"):
            beside.unlink(missing_ok=True)
        with database.open("r+b") as file:
            for _ in range(rng.randrange(1, 4)):
                file.seek(rng.randrange(100, database.stat().st_size))
                file.write(rng.randbytes(rng.randrange(1, 2000)))
        with contextlib.suppress(HoldfastError):
            verify_store(directory)
        bad = [check for check in doctor(directory) if not check.ok]
        try:
            looked_through(directory)
        except Exception as error:
            met += 1
            assert bad, f"the doctor found nothing, yet {type(error).__name__}: {error}"
    assert met > 2, "the damage was hardly met"


def test_a_database_that_breaks_under_a_running_process_is_named_by_the_faces():
    """Reading raises SQLite's own error; the faces say what it means."""
    error = sqlite3.DatabaseError("database disk image is malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    problem = problem_of(error)
    assert problem.members["type"] == "urn:holdfast:error:directory-damaged"
    assert "holdfast doctor" in problem.members["detail"]


def looked_through(directory: Path) -> None:
    """Open, read all, write a little."""
    hub = Hub.open(directory)
    try:
        every_view(hub, BOOK)
        hub.refold(BOOK)
        write(hub, Ledger(), random.Random(2), 3)
    finally:
        hub.store.close()
