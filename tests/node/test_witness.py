"""The witness: a cloned or restored directory is noticed, an honest restart is not."""

from __future__ import annotations

import logging
import os
import shutil
import uuid
from pathlib import Path

import msgspec
import pytest

from holdfast.model.errors import DirectoryError
from holdfast.node import witness as subject
from holdfast.node.witness import (
    COPIED,
    MACHINE,
    REPLACED,
    RESTORED,
    ROLLED_BACK,
    SHORTENED,
    Outside,
    Place,
    Witness,
    check,
    observe,
    state_directory,
)

LIFE = bytes(range(16))
BOOK = "city/trattoria"
HERE = Place("machine-one", "boot-one", 8, 100, 200)


def place(**changes) -> Place:
    return msgspec.structs.replace(HERE, **changes)


def witness(at: Place = HERE, n: int = 10, stamp: int = 1_000) -> Witness:
    return Witness.of(LIFE, at, {BOOK: n}, stamp)


def reasons(
    at: Place = HERE,
    *,
    inside: Witness | None = None,
    outside: Witness | None = None,
    n: int = 10,
    stamp: int = 1_000,
) -> list[str]:
    """What `check` says of a directory that holds n own entries, with witnesses as written."""
    return check(inside or witness(), outside or witness(), at, {BOOK: n}, stamp)


def test_a_directory_that_only_restarted_is_the_same_life():
    assert reasons() == []


def test_a_directory_without_witnesses_has_nothing_against_it():
    assert check(None, None, HERE, {}, 0) == []


def test_more_than_the_witness_has_seen_is_what_a_crash_leaves():
    assert reasons(n=12, stamp=2_000) == []


def test_a_copy_of_the_directory_is_another_life():
    assert reasons(place(inode=101, database_inode=201)) == [COPIED]


def test_another_machine_is_another_life():
    assert reasons(place(machine="machine-two")) == [MACHINE]


def test_a_database_file_that_was_put_into_the_old_directory_is_another_life():
    assert reasons(place(database_inode=201)) == [REPLACED]


def test_a_directory_that_went_back_is_another_life_by_the_witness_outside():
    old = witness(n=7, stamp=700)
    assert reasons(inside=old, outside=witness(), n=7, stamp=700) == [ROLLED_BACK]


def test_the_stamp_alone_shows_that_a_directory_went_back():
    whole = Witness.of(LIFE, HERE, {}, 1_000)
    assert check(whole, whole, HERE, {BOOK: 9}, 999) == [SHORTENED, ROLLED_BACK]
    assert check(whole, whole, HERE, {BOOK: 10}, 1_000) == []


def test_a_database_that_lost_entries_contradicts_its_own_witness():
    assert reasons(n=9, stamp=1_000, outside=witness(n=9)) == [SHORTENED]


def test_whoever_opens_a_backup_is_another_life_even_in_the_old_place():
    inside = Witness.decode(Witness.of_backup().encode())
    assert check(inside, witness(), HERE, {BOOK: 10}, 1_000) == [RESTORED]


def test_without_a_witness_outside_the_facts_inside_still_tell_a_copy():
    assert check(witness(), None, place(inode=5), {BOOK: 10}, 1_000) == [COPIED]
    assert check(witness(), None, HERE, {BOOK: 10}, 1_000) == []


def test_a_device_number_counts_only_while_the_machine_has_not_started_again():
    assert reasons(place(device=9)) == [COPIED]
    assert reasons(place(device=9, boot="boot-two")) == []


def test_what_is_unknown_is_no_reason():
    unknown = place(machine="", boot="", database_inode=0)
    assert reasons(unknown) == []
    assert reasons(inside=witness(unknown), outside=witness(unknown)) == []


def test_each_reason_is_named_once():
    everything = place(machine="machine-two", inode=1)
    assert reasons(everything, n=1, stamp=1) == [MACHINE, COPIED, SHORTENED, ROLLED_BACK]


def test_a_witness_identifies_no_machine():
    """Two incarnations on one machine have nothing in common, and the id is not in the bytes."""
    one, two = witness(), Witness.of(b"\1" * 16, HERE, {}, 0)
    assert one.machine != two.machine
    assert b"machine-one" not in one.encode()


def test_a_witness_survives_its_bytes():
    assert Witness.decode(witness().encode()) == witness()
    with pytest.raises(ValueError, match=r"."):
        Witness.decode(b"not a witness")


def test_looking_twice_at_a_directory_sees_the_same_place_and_a_copy_is_another(tmp_path: Path):
    original, copy = tmp_path / "original", tmp_path / "copy"
    original.mkdir()
    (original / "holdfast.db").write_bytes(b"x")
    written = Witness.of(LIFE, observe(original), {BOOK: 1}, 1)
    assert check(written, written, observe(original), {BOOK: 1}, 1) == []
    shutil.copytree(original, copy)
    assert check(written, written, observe(copy), {BOOK: 1}, 1) == [COPIED]


def test_a_renamed_directory_is_the_same_life(tmp_path: Path):
    (tmp_path / "before").mkdir()
    written = Witness.of(LIFE, observe(tmp_path / "before"), {}, 1)
    (tmp_path / "before").rename(tmp_path / "after")
    assert check(written, written, observe(tmp_path / "after"), {}, 1) == []


def test_a_directory_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(DirectoryError, match="nowhere"):
        observe(tmp_path / "nowhere")


def test_an_address_that_software_made_up_identifies_no_machine(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(subject, "_MACHINE_FILES", ())
    monkeypatch.setattr(uuid, "getnode", lambda: 0x0242AC110002)
    assert subject.machine_id() == ""
    monkeypatch.setattr(uuid, "getnode", lambda: 0x001B21AABBCC)
    assert subject.machine_id() == "001b21aabbcc"


def test_the_copy_outside_is_read_back_and_only_its_owner_may(tmp_path: Path):
    outside = Outside(tmp_path / "state")
    assert outside.read(LIFE) is None
    assert outside.write(witness())
    assert outside.write(witness(n=11, stamp=1_100))
    assert outside.read(LIFE) == witness(n=11, stamp=1_100)
    assert outside.path(LIFE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in outside.directory.iterdir()] == [f"{LIFE.hex()}.witness"]


def test_each_incarnation_has_its_own_copy_outside(tmp_path: Path):
    outside = Outside(tmp_path)
    outside.write(witness())
    assert outside.read(b"\2" * 16) is None


def test_a_copy_outside_that_a_power_cut_emptied_is_no_evidence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    outside = Outside(tmp_path)
    outside.path(LIFE).write_bytes(b"")
    assert outside.read(LIFE) is None
    assert "passed over" in caplog.text


def test_a_state_directory_that_cannot_be_written_is_said_once_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    (tmp_path / "state").write_text("a file where the directory should be")
    outside = Outside(tmp_path / "state")
    with caplog.at_level(logging.WARNING):
        assert outside.write(witness()) is False
        assert outside.write(witness()) is False
    assert caplog.text.count("no witness outside") == 1
    assert "HOLDFAST_STATE" in caplog.text
    assert outside.read(LIFE) is None


def test_where_the_copies_outside_live():
    assert state_directory({"HOLDFAST_STATE": "/s", "XDG_STATE_HOME": "/x"}) == Path("/s")
    assert state_directory({"XDG_STATE_HOME": "/x"}) == Path("/x/holdfast")
    home = Path(os.path.expanduser("~"))
    assert state_directory({}) == home / ".local" / "state" / "holdfast"
