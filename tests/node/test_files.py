"""Files and directories appear whole or not at all, and what a killed process left is removed."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.model.errors import DirectoryError
from holdfast.node import files
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from holdfast.node.upkeep import backup_directory, restore
from tests.kit import URL, Fleet


@pytest.fixture(scope="module")
def dead() -> int:
    """The id of a process that is no more."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait(30)
    return ended.pid


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


# --- files ----------------------------------------------------------------------------------------


def test_what_a_killed_process_was_writing_is_removed_by_the_next_one(tmp_path: Path, dead: int):
    part = f".backup.{dead}-abc_12.part"
    for name in (part, f"{part}-journal", f"{part}-wal", f"{part}-shm"):
        (tmp_path / name).write_bytes(b"half")
    files.replace_file(tmp_path / "backup", b"whole")
    assert names(tmp_path) == ["backup"]
    assert (tmp_path / "backup").read_bytes() == b"whole"


def test_what_a_living_process_is_writing_is_left_alone(tmp_path: Path):
    part = f".backup.{os.getppid()}-abc12.part"
    (tmp_path / part).touch()
    files.sweep(tmp_path)
    assert names(tmp_path) == [part]


def test_two_writers_of_one_process_leave_each_other_alone(tmp_path: Path):
    target = tmp_path / "backup"
    with files.beside(target) as one:
        (tmp_path / f"{one.name}-journal").touch()
        files.replace_file(target, b"another")
        files.sweep(tmp_path)
        assert one.exists()
        assert len(names(tmp_path)) == 3
    assert names(tmp_path) == ["backup"]


def test_an_earlier_process_of_the_same_id_is_dead(tmp_path: Path):
    """In a container the program has the same id at each start."""
    (tmp_path / f".backup.{os.getpid()}-abc12.part").touch()
    files.sweep(tmp_path)
    assert names(tmp_path) == []


def test_only_what_looks_like_ours_is_removed(tmp_path: Path, dead: int):
    others = [
        ".backup.new", f".backup.{dead}.part", f"backup.{dead}-ab.part", f".backup.{dead}-ab.part~",
        f".hub.making-{dead}", "part",
    ]  # fmt: skip
    for name in [*others, f".letter.{dead}-ab.part"]:
        (tmp_path / name).touch()
    files.replace_file(tmp_path / "backup", b"")
    assert names(tmp_path) == sorted([*others, f".letter.{dead}-ab.part", "backup"])
    files.sweep(tmp_path)
    assert names(tmp_path) == sorted([*others, "backup"])


def test_what_another_account_left_is_for_that_account_to_remove(
    tmp_path: Path, dead: int, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / f".backup.{dead}-ab.part").touch()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    files.sweep(tmp_path)
    assert len(names(tmp_path)) == 1


def test_a_place_that_cannot_be_swept_stops_nobody(tmp_path: Path):
    files.sweep(tmp_path / "nowhere")


def test_what_a_killed_doctor_copied_is_removed_by_the_next(
    tmp_path: Path, dead: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = tmp_path / f".holdfast.{dead}-ab.part"
    left.mkdir()
    (left / "holdfast.db").touch()
    with files.scratch() as place:
        assert names(tmp_path) == [place.name]
        with files.scratch() as another:
            assert len({place, another}) == len(names(tmp_path)) == 2
    assert names(tmp_path) == []


def test_a_start_removes_what_was_being_written_when_the_process_was_killed(
    fleet: Fleet, dead: int
):
    desk = fleet.join("desk")
    places = (desk.directory, desk.directory / "keys", fleet.directory / "state")
    left = [place / f".some.{dead}-ab.part" for place in places]
    for path in left:
        path.touch()
    fleet.crash("desk")
    assert [path for path in left if path.exists()] == []


def test_a_backup_removes_what_a_killed_backup_left(fleet: Fleet, dead: int, tmp_path: Path):
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / f".backup.{dead}-ab.part").touch()
    (shelf / f".backup.{dead}-ab.part-journal").touch()
    backup_directory(fleet.the_hub.directory, shelf / "backup")
    assert names(shelf) == ["backup"]


# --- directories ----------------------------------------------------------------------------------


def test_a_directory_has_its_name_only_when_it_is_whole(tmp_path: Path):
    target = tmp_path / "deep" / "hub"
    with files.making(target) as place:
        (place / "file").write_text("x")
        assert not target.exists()
        assert place.stat().st_dev == tmp_path.stat().st_dev
    assert names(target) == ["file"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o700
    assert names(target.parent) == ["hub"]


@pytest.mark.parametrize("empty", [False, True])
def test_a_making_that_fails_leaves_what_was_there(tmp_path: Path, empty: bool):
    target = tmp_path / "hub"
    if empty:
        target.mkdir()
    with pytest.raises(KeyError), files.making(target) as place:
        (place / "file").touch()
        raise KeyError
    assert names(tmp_path) == ["hub"] * empty
    with files.making(target) as place:
        (place / "file").touch()
    assert names(target) == ["file"]


def test_everything_is_on_disk_before_the_name_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    done: list[str] = []
    true_rename = os.rename

    def rename(*paths: Path) -> None:
        done.append("rename")
        true_rename(*paths)

    monkeypatch.setattr(files, "sync", lambda path: done.append(path.name))
    monkeypatch.setattr(os, "rename", rename)
    with files.making(tmp_path / "hub") as place:
        (place / "keys").mkdir()
        (place / "keys" / "node.pem").touch()
    assert done == ["node.pem", "keys", place.name, "rename", tmp_path.name]


def test_the_next_making_removes_what_a_killed_one_left(tmp_path: Path, dead: int):
    for pid in (dead, os.getpid(), os.getppid()):
        (tmp_path / f".hub.making-{pid}" / "keys").mkdir(parents=True)
    (tmp_path / f".other.making-{dead}").mkdir()
    with files.making(tmp_path / "hub"):
        pass
    # Of a process that lives, and of another directory.
    assert names(tmp_path) == sorted(
        [f".hub.making-{os.getppid()}", f".other.making-{dead}", "hub"]
    )


def test_what_is_no_free_place_is_refused_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "photo.jpg").touch()
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()

    def refused(name: str, reason: str) -> None:
        with (
            pytest.raises(DirectoryError, match=f"{name}.*{reason}"),
            files.making(tmp_path / name),
        ):
            pytest.fail("it was begun")

    refused("full", "not empty; choose a new directory")
    refused("file", "is a file; choose")
    refused("file/hub", "cannot be made")
    with monkeypatch.context() as patch:
        patch.setattr(os.path, "ismount", lambda _: True)
        refused("empty", "mount point; name a directory inside it")
    monkeypatch.chdir(tmp_path / "empty")
    refused("empty", "the directory you are in; name a directory inside it")
    assert names(tmp_path) == ["empty", "file", "full"]


def test_a_place_that_is_taken_meanwhile_is_not_taken_over(tmp_path: Path):
    with (
        pytest.raises(DirectoryError, match="cannot be put in its place"),
        files.making(tmp_path / "hub") as place,
    ):
        (place / "file").touch()
        (tmp_path / "hub").mkdir()
        (tmp_path / "hub" / "photo.jpg").touch()
    assert names(tmp_path) == ["hub"]
    assert names(tmp_path / "hub") == ["photo.jpg"]


def test_one_process_makes_a_directory_once_at_a_time(tmp_path: Path):
    with files.making(tmp_path / "hub"):
        with (
            pytest.raises(DirectoryError, match="being made"),
            files.making(tmp_path / "hub"),
        ):
            pytest.fail("it was begun twice")
        assert len(names(tmp_path)) == 1
    assert names(tmp_path) == ["hub"]


def test_a_link_to_an_empty_directory_leads_to_the_made_one(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with files.making(tmp_path / "link") as place:
        (place / "file").touch()
    assert (tmp_path / "link").is_symlink()
    assert names(tmp_path / "real") == ["file"]


# --- hubs, nodes and restored directories ---------------------------------------------------------


def test_a_hub_in_an_empty_directory_is_the_same_life_at_its_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Its witness says where it stands, not where it was made."""
    monkeypatch.setenv("HOLDFAST_STATE", str(tmp_path / "state"))
    (tmp_path / "hub").mkdir()
    made = Hub.init(tmp_path / "hub", "demo")
    made.close()
    assert made.directory == tmp_path / "hub"
    again = Hub.open(tmp_path / "hub")
    assert (again.other_life, again.identity.incarnation) == ([], made.identity.incarnation)
    again.close()
    assert names(tmp_path) == ["hub", "state"]
    assert {"admin-token", "config.toml", "holdfast.db", "keys", "log"} <= set(
        names(again.directory)
    )


def test_a_node_that_joined_is_the_same_life_at_its_next_start(fleet: Fleet):
    desk = fleet.join("desk")
    incarnation = desk.identity.incarnation
    again = fleet.reopen("desk")
    assert isinstance(again, Node)
    assert (again.other_life, again.identity.incarnation) == ([], incarnation)


def test_a_place_that_cannot_be_used_costs_no_join_code(fleet: Fleet, tmp_path: Path):
    code = fleet.the_hub.invite(fleet.venue_id, "kiosk", "kiosk").code
    (tmp_path / "file").touch()
    with fleet._clock_of("kiosk"):
        for place in (tmp_path, tmp_path / "file", tmp_path / "file" / "below"):
            with pytest.raises(DirectoryError):
                fleet._node_class.join(URL, code, place)
        fleet._node_class.join(URL, code, tmp_path / "kiosk").close()


def test_a_join_that_is_refused_leaves_nothing_and_may_be_tried_again(fleet: Fleet, tmp_path: Path):
    target = tmp_path / "kiosk"
    code = fleet.the_hub.invite(fleet.venue_id, "kiosk", "kiosk").code
    before = names(tmp_path)
    with fleet._clock_of("kiosk"):
        with pytest.raises(Exception, match="no join code"):
            fleet._node_class.join(URL, "hello", target)
        assert names(tmp_path) == before
        fleet._node_class.join(URL, code, target).close()
    assert names(tmp_path) == sorted([*before, "kiosk"])


def test_a_restoration_that_is_cut_short_leaves_nothing(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    backup_directory(fleet.the_hub.directory, tmp_path / "backup")
    before = names(tmp_path)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", fail)
        with pytest.raises(DirectoryError, match="No space left"):
            restore(tmp_path / "backup", tmp_path / "again")
    assert names(tmp_path) == before
    restore(tmp_path / "backup", tmp_path / "again")
    assert (tmp_path / "again" / "holdfast.db").exists()
