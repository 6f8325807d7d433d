"""Upkeep: backups that can be restored anywhere, and a doctor that finds what is wrong."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.model.errors import DirectoryDamaged, DirectoryError, Invalid
from holdfast.node import local_identity
from holdfast.node.inspection import book_summary
from holdfast.node.replica import Replica
from holdfast.node.timekeeping import Timekeeper
from holdfast.node.upkeep import Check, backup, doctor, restore, upgrade_check
from holdfast.node.verify import verify_store
from holdfast.node.witness import RESTORED, Witness, check, observe
from holdfast.store.store import Store
from tests.node.replicas import VENUE, Tenant, configure, reserve

TOKEN = "the old token"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Replica]:
    replica = Tenant.at(tmp_path).replica("hub")
    (replica.store.directory / "admin-token").write_text(TOKEN)
    (replica.store.directory / "admin-token").chmod(0o600)
    (replica.store.directory / "config.toml").write_text("poll_seconds = 3\n")
    (replica.store.directory / "log").mkdir()
    (replica.store.directory / "log" / "holdfast.log").write_text("a line")
    configure(replica)
    reserve(replica)
    yield replica
    replica.close()


def opened(directory: Path) -> Replica:
    store = Store(directory)
    return Replica(store, local_identity.load(directory, store.records), Timekeeper())


# --- backup and restore ---------------------------------------------------------------------------


def test_a_directory_that_is_restored_from_a_backup_shows_the_same_book(
    hub: Replica, tmp_path: Path
):
    made = backup(hub, tmp_path / "backup.db")
    assert made["bytes"] == (tmp_path / "backup.db").stat().st_size
    reserve(hub, "RES-2027-BBBBBB")
    restore(tmp_path / "backup.db", tmp_path / "again")
    again = opened(tmp_path / "again")
    summary = book_summary(again, VENUE)
    again.close()
    assert summary["reservations"] == 1
    assert summary["digest"] != book_summary(hub, VENUE)["digest"]
    assert (tmp_path / "again" / "config.toml").read_text() == "poll_seconds = 3\n"
    before, after = (
        local_identity.load(place, hub.store.records)
        for place in (hub.store.directory, tmp_path / "again")
    )
    assert after.sealing_public == before.sealing_public


def test_a_backup_is_one_file_that_only_its_owner_may_read(hub: Replica, tmp_path: Path):
    (tmp_path / "shelf").mkdir()
    backup(hub, tmp_path / "shelf" / "backup.db")
    assert [path.name for path in (tmp_path / "shelf").iterdir()] == ["backup.db"]
    assert (tmp_path / "shelf" / "backup.db").stat().st_mode & 0o777 == 0o600


def test_a_backup_holds_the_keys_and_neither_the_admin_token_nor_the_log(
    hub: Replica, tmp_path: Path
):
    made = backup(hub, tmp_path / "backup.db")
    assert "keys/node.pem" in made["files"]
    assert "config.toml" in made["files"]
    assert not {"admin-token", "log/holdfast.log", "holdfast.db", "holdfast.lock"} & set(
        made["files"]
    )
    assert TOKEN.encode() not in (tmp_path / "backup.db").read_bytes()


def test_a_restored_directory_has_its_own_admin_token_and_modes(hub: Replica, tmp_path: Path):
    (hub.store.directory / "keys" / "node.pem").chmod(0o644)
    backup(hub, tmp_path / "backup.db")
    restore(tmp_path / "backup.db", tmp_path / "again")
    token = tmp_path / "again" / "admin-token"
    assert token.read_text() != TOKEN
    for path in (token, tmp_path / "again" / "keys" / "node.pem", tmp_path / "again/holdfast.db"):
        assert path.stat().st_mode & 0o777 == 0o600, path
    assert (tmp_path / "again").stat().st_mode & 0o777 == 0o700


def test_the_keys_do_not_stay_behind_in_a_restored_database(hub: Replica, tmp_path: Path):
    backup(hub, tmp_path / "backup.db")
    pem = (hub.store.directory / "keys" / "node.pem").read_bytes()
    assert pem in (tmp_path / "backup.db").read_bytes()
    restore(tmp_path / "backup.db", tmp_path / "again")
    assert pem not in (tmp_path / "again" / "holdfast.db").read_bytes()


def test_a_restored_directory_is_another_life_even_in_its_old_place(hub: Replica, tmp_path: Path):
    backup(hub, tmp_path / "backup.db")
    restore(tmp_path / "backup.db", tmp_path / "again")
    store = Store(tmp_path / "again")
    inside = store.records.get("witness")
    store.close()
    assert inside is not None
    reasons = check(Witness.decode(inside), None, observe(tmp_path / "again"), {}, 0)
    assert reasons == [RESTORED]


def test_a_backup_is_whole_by_itself(hub: Replica, tmp_path: Path):
    backup(hub, tmp_path / "backup.db")
    assert verify_store(tmp_path / "backup.db").ok


def test_a_later_backup_takes_the_place_of_an_earlier_one(hub: Replica, tmp_path: Path):
    (tmp_path / "backup.db").touch(mode=0o600)
    backup(hub, tmp_path / "backup.db")
    reserve(hub, "RES-2027-BBBBBB")
    backup(hub, tmp_path / "backup.db")
    restore(tmp_path / "backup.db", tmp_path / "again")
    again = opened(tmp_path / "again")
    assert book_summary(again, VENUE)["digest"] == book_summary(hub, VENUE)["digest"]
    again.close()


def test_a_backup_overwrites_nothing_that_is_no_backup(hub: Replica, tmp_path: Path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(Invalid, match="no backup"):
        backup(hub, tmp_path / "letter.txt")
    with pytest.raises(Invalid, match="no file"):
        backup(hub, tmp_path)
    with pytest.raises(DirectoryError, match="cannot be written"):
        backup(hub, tmp_path / "nowhere" / "backup.db")
    assert (tmp_path / "letter.txt").read_text() == "dear"


def test_a_directory_that_holds_anything_is_not_restored_into(hub: Replica, tmp_path: Path):
    backup(hub, tmp_path / "backup.db")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "photo.jpg").touch()
    with pytest.raises(DirectoryError, match="not empty"):
        restore(tmp_path / "backup.db", tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["photo.jpg"]


@pytest.mark.parametrize("name", ["other.db", "its own", "damaged.db"])
def test_a_backup_takes_the_place_of_no_other_database(hub: Replica, tmp_path: Path, name: str):
    """Of its own least of all: what is written afterwards would go into a file without a name."""
    target = hub.store.path if name == "its own" else tmp_path / name
    if name == "other.db":
        other = sqlite3.connect(target)
        other.execute("CREATE TABLE accounts (number)")
        other.close()
    elif name == "damaged.db":
        target.write_bytes(b"SQLite format 3\x00" + b"x" * 500)
    before = target.stat().st_ino, target.read_bytes()
    with pytest.raises(Invalid, match="is no backup"):
        backup(hub, target)
    assert (target.stat().st_ino, target.read_bytes()) == before


def test_what_is_no_backup_leaves_nothing_behind(hub: Replica, tmp_path: Path):
    hub.store.backup(tmp_path / "plain.db")
    with pytest.raises(Invalid, match="the keys are missing"):
        restore(tmp_path / "plain.db", tmp_path / "again")
    assert [path.name for path in tmp_path.iterdir() if "again" in path.name] == []


def test_a_damaged_backup_is_refused(hub: Replica, tmp_path: Path):
    backup(hub, tmp_path / "backup.db")
    data = bytearray((tmp_path / "backup.db").read_bytes())
    data[4096 : len(data) // 2] = os.urandom(len(data) // 2 - 4096)
    (tmp_path / "backup.db").write_bytes(data)
    with pytest.raises(DirectoryDamaged, match="damaged"):
        restore(tmp_path / "backup.db", tmp_path / "again")


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "keys/../../outside"])
def test_a_forged_backup_writes_nothing_outside_the_directory(
    hub: Replica, tmp_path: Path, name: str
):
    backup(hub, tmp_path / "backup.db")
    connection = sqlite3.connect(tmp_path / "backup.db")
    with connection:
        connection.execute("INSERT INTO backup_files VALUES (?, x'00', 420)", (name,))
    connection.close()
    with pytest.raises(Invalid, match="outside"):
        restore(tmp_path / "backup.db", tmp_path / "again")
    assert not (tmp_path / "outside").exists()
    assert [path.name for path in tmp_path.iterdir() if "again" in path.name] == []


# --- the doctor -----------------------------------------------------------------------------------


def looked(directory: Path, fix: bool = False) -> dict[str, Check]:
    return {check.name: check for check in doctor(directory, fix)}


@pytest.fixture
def stopped(hub: Replica, tmp_path: Path) -> Path:
    """A hub's directory that no process uses."""
    backup(hub, tmp_path / "backup.db")
    restore(tmp_path / "backup.db", tmp_path / "stopped")
    return tmp_path / "stopped"


def spoil(directory: Path, statement: str) -> None:
    connection = sqlite3.connect(directory / "holdfast.db")
    with connection:
        assert connection.execute(statement).rowcount >= 1
    connection.close()


def test_a_sound_directory_passes_every_check_in_use_or_not(hub: Replica, stopped: Path):
    for directory in (hub.store.directory, stopped):
        checks = looked(directory)
        assert all(check.ok for check in checks.values()), checks
        assert set(checks) == {
            "lock", "database", "schema", "chains", "unsealed", "projections", "guest index",
            "clock", "disk",
            "permissions", "key store", "certificate", "settings", "rules", "write-ahead log",
        }  # fmt: skip
    assert "in use" in looked(hub.store.directory)["lock"].detail
    assert "no process" in looked(stopped)["lock"].detail


def test_a_projection_that_differs_from_a_fresh_fold_is_found_and_mended(stopped: Path):
    spoil(stopped, "UPDATE reservations SET status = 'cancelled'")
    found = looked(stopped)["projections"]
    assert not found.ok
    assert "--fix" in found.way_out
    mended = looked(stopped, fix=True)["projections"]
    assert mended.ok
    assert "mended" in mended.detail
    assert looked(stopped)["projections"].ok


@pytest.mark.parametrize(
    "statement", ["DELETE FROM claims", "DELETE FROM digests", "UPDATE claims SET resource = 'T9'"]
)
def test_every_kind_of_projected_row_is_compared(stopped: Path, statement: str):
    spoil(stopped, statement)
    assert not looked(stopped)["projections"].ok
    assert looked(stopped, fix=True)["projections"].ok


def test_projections_are_not_mended_under_a_running_process(hub: Replica):
    with hub.transaction():
        hub.store.db.conn.execute("DELETE FROM claims")
    found = looked(hub.store.directory, fix=True)["projections"]
    assert not found.ok
    assert "stop the process" in found.way_out


def test_an_altered_record_is_found_and_never_mended(stopped: Path):
    spoil(stopped, "UPDATE journal SET entry = CAST(entry || x'00' AS BLOB) WHERE n = 2")
    found = looked(stopped, fix=True)["chains"]
    assert not found.ok
    assert "entry 2" in found.detail
    assert "restore a backup" in found.way_out


def test_a_key_that_others_may_read_is_found_and_closed(stopped: Path):
    key = stopped / "keys" / "node.pem"
    key.chmod(0o644)
    assert "keys/node.pem" in looked(stopped)["permissions"].detail
    assert looked(stopped, fix=True)["permissions"].ok
    assert key.stat().st_mode & 0o777 == 0o600


def test_a_clock_that_is_far_behind_the_entries_is_found(stopped: Path):
    ahead = (Timekeeper().now_ms() + 3_600_000) << 16
    spoil(stopped, f"INSERT OR REPLACE INTO meta VALUES ('clock.high_water', '{ahead}')")
    found = looked(stopped)["clock"]
    assert not found.ok
    assert "clock" in found.way_out


def test_settings_that_cannot_be_understood_are_found(stopped: Path):
    (stopped / "config.toml").write_text("pol_seconds = 3\n")
    assert "poll_seconds" in looked(stopped)["settings"].detail


def test_a_full_disk_is_found(stopped: Path, monkeypatch: pytest.MonkeyPatch):
    usage = shutil.disk_usage(stopped)._replace(free=1_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    checks = looked(stopped)
    assert not checks["disk"].ok
    assert "no room" in checks["projections"].detail


def test_a_damaged_database_fails_its_checks_and_the_others_are_made(stopped: Path):
    database = stopped / "holdfast.db"
    data = bytearray(database.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    database.write_bytes(data)
    checks = looked(stopped)
    assert not checks["database"].ok
    assert checks["permissions"].ok


def test_a_directory_without_data_is_no_patient(tmp_path: Path):
    with pytest.raises(DirectoryError, match="no Holdfast data"):
        doctor(tmp_path)


# --- upgrades -------------------------------------------------------------------------------------


def test_a_directory_of_this_version_needs_no_upgrade(stopped: Path):
    found = upgrade_check(stopped)
    assert found.ok
    assert (found.pending, found.unknown) == ([], [])
    assert len(found.applied) >= 3


def test_a_directory_of_an_older_version_is_told_what_would_change(stopped: Path):
    spoil(stopped, "DELETE FROM _sqlite_migrations WHERE name = 'm003_work'")
    found = upgrade_check(stopped)
    assert found.ok
    assert found.pending == ["m003_work"]
    assert "back it up" in found.detail


def test_a_directory_of_a_newer_version_is_refused_by_name(stopped: Path):
    spoil(
        stopped,
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
        " VALUES ('holdfast', 'm999_future', '')",
    )
    found = upgrade_check(stopped)
    assert not found.ok
    assert "m999_future" in found.detail
    assert not looked(stopped)["schema"].ok
