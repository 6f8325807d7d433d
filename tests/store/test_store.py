"""Promises of the store: all or nothing, on disk and in memory, and a clear word when it cannot."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from holdfast.model import lifecycle
from holdfast.model.entries import Claim
from holdfast.model.errors import (
    DirectoryDamaged,
    DirectoryError,
    DirectoryInUse,
    HoldfastError,
    StorageFull,
    Unreachable,
)
from holdfast.model.events import ClaimDecided, RightGranted
from holdfast.model.rights import Rights
from holdfast.node.exchange import Exchange
from holdfast.node.hub import Hub
from holdfast.node.replica import Replica
from holdfast.store import database
from holdfast.store.readonly import ReadOnlyStore
from holdfast.store.records import Token
from holdfast.store.store import Store
from tests.kit import Fleet, assert_same_book
from tests.model.test_words_of_holders import ASKED, DESK, FIRST, ID, MADE, OWN, written


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path) as made:
        yield made


def everything(replica: Replica, book: str) -> dict[str, object]:
    """What a replica would say of itself: from memory and from disk."""
    venue = replica.book(book).administration.venue
    assert venue is not None
    occupancy = replica.store.projections.occupancy(book)
    return {
        "heads": Exchange(replica).heads_digest(book),  # type: ignore[arg-type]
        "digest": replica.store.projections.book_digest(book),
        "rows": replica.store.db.conn.execute("SELECT count(*) FROM journal").fetchone(),
        "chains": [(c.length, c.head) for c in replica.store.journal.chains(book)],
        "last_seq": replica.store.journal.last_seq,
        "held": {
            r.id: sorted(occupancy.overlapping(r.id, 1_811_900_000, 1_812_200_000))
            for r in venue.venue.resources
        },
        "undecided": replica.store.projections.undecided(book),
        "queue": replica.store.queue.counts(),
    }


class Boom(Exception):
    """Something that no code expects."""


@pytest.mark.parametrize("deep", ["after the write", "in the flush"])
def test_a_transaction_that_fails_leaves_nothing_on_disk_or_in_memory(fleet, monkeypatch, deep):
    desk = fleet.join("desk")
    kept = fleet.reserve(desk, "19:30", ["T1"])
    before = everything(desk, fleet.book)
    if deep == "in the flush":
        flushed = desk.store.projections.flush

        def failing_flush() -> object:
            flushed()
            raise Boom

        monkeypatch.setattr(desk.store.projections, "flush", failing_flush)
    with pytest.raises(Boom), desk.transaction():
        fleet.reserve(desk, "19:30", ["T2"])
        desk.reservations.cancel(kept.code)
        if deep == "after the write":
            raise Boom
    monkeypatch.undo()
    assert everything(desk, fleet.book) == before
    assert fleet.now(desk, kept).status == lifecycle.COMMIT_PENDING
    assert_same_book([desk], fleet.book)
    fleet.reserve(desk, "19:30", ["T2"])
    fleet.sync_all()
    fleet.assert_agree()


def test_a_merge_that_fails_half_way_leaves_nothing_and_comes_again(fleet, monkeypatch):
    desk = fleet.join("desk")
    fleet.reserve(desk, "19:30", ["T1"])
    hub = fleet.the_hub
    before = everything(hub, fleet.book)
    monkeypatch.setattr(hub.holding, "_decide_one", lambda *_: (_ for _ in ()).throw(Boom()))
    with pytest.raises(Boom):
        desk.sync()
    assert everything(hub, fleet.book) == before
    monkeypatch.undo()
    desk.reset_peer()
    fleet.sync_all()
    fleet.assert_agree()
    assert desk.store.queue.waiting() == 0


def transactions(replica: Replica, work: object) -> list[str]:
    seen: list[str] = []
    replica.store.db.conn.set_trace_callback(
        lambda sql: seen.append(sql.split()[0].upper()) if sql.strip() else None
    )
    try:
        work()  # type: ignore[operator]
    finally:
        replica.store.db.conn.set_trace_callback(None)
    return seen


def test_one_operation_is_one_transaction(fleet):
    desk, hub = fleet.join("desk"), fleet.the_hub
    made = []
    for replica in (desk, hub):
        for work in (
            lambda r=replica: made.append(fleet.reserve(r, "12:00", guest=None)),
            lambda r=replica: fleet.move(r, made[-1], time="14:00"),
            lambda r=replica: r.reservations.cancel(made[-1].code),
        ):
            statements = transactions(replica, work)
            assert statements.count("COMMIT") == 1, statements
            assert statements.count("BEGIN") == 1
            assert "ROLLBACK" not in statements


def test_a_live_push_is_one_transaction_at_the_hub(fleet):
    desk, hub = fleet.join("desk"), fleet.the_hub
    fleet.sync_all()
    fleet.reserve(desk, "12:00", ["T1"])
    request = desk.exchange.request(desk.peer)
    statements = transactions(hub, lambda: Exchange(hub).answer(request))
    assert statements.count("COMMIT") == 1, statements


def test_an_answered_write_survives_the_plug_by_default(tmp_path):
    store = Store(tmp_path)
    try:
        assert store.db.conn.execute("PRAGMA synchronous").fetchone() == (2,)
        assert store.db.conn.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    finally:
        store.close()


def test_only_what_a_power_cut_may_undo_does_not_wait_for_the_disk(tmp_path):
    store = Store(tmp_path)

    def mode() -> int:
        return int(store.db.execute("PRAGMA synchronous").fetchone()[0])

    try:
        with store.atomic():
            assert mode() == 2
        with store.atomic(durable=False):
            assert mode() == 1
        assert mode() == 2
        with pytest.raises(Boom), store.atomic(durable=False):
            raise Boom
        assert mode() == 2
        store.db.conn.execute("PRAGMA synchronous=OFF")
        with store.atomic(durable=False):
            assert mode() == 0
        assert mode() == 0
    finally:
        store.close()


def test_nothing_of_ones_own_is_written_where_the_disk_is_not_waited_for(fleet):
    desk = fleet.join("desk")
    before = everything(desk, fleet.book)
    with pytest.raises(AssertionError), desk.transaction(durable=False):
        fleet.reserve(desk, "19:30", ["T1"])
    assert everything(desk, fleet.book) == before


def test_what_a_power_cut_undoes_of_sending_is_done_again(fleet, tmp_path):
    desk = fleet.join("desk")
    fleet.sync_all()
    view = fleet.reserve(desk, "19:30", ["T1"])
    before = tmp_path / "before.db"
    desk.store.backup(before)
    fleet.losing_answers["desk"] = True
    with pytest.raises(Unreachable):
        desk.sync()
    life = desk.identity.incarnation
    desk.store.close()
    # The plug is pulled: the seal and the note that it was sent never reached the disk.
    desk.store.path.write_bytes(before.read_bytes())
    desk = fleet.open("desk", desk.directory)
    assert desk.identity.incarnation == life
    assert desk.store.queue.waiting() == 1
    fleet.sync_all()
    assert desk.store.queue.waiting() == 0
    assert len(fleet.the_hub.store.journal.branches(fleet.book, life)) == 1
    assert fleet.now(desk, view).status == lifecycle.CONFIRMED
    fleet.assert_agree()


# --- what can be wrong with a directory -----------------------------------------------------------


def test_a_second_process_is_told_who_uses_the_directory(tmp_path):
    store = Store(tmp_path)
    code = (
        "import sys\nfrom pathlib import Path\nfrom holdfast.store.store import Store\n"
        "from holdfast.model.errors import DirectoryInUse\n"
        "try:\n    Store(Path(sys.argv[1]))\n"
        "except DirectoryInUse as error:\n    print(error.detail)\n"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True,
            timeout=30, check=True,
        )  # fmt: skip
        assert f"pid {os.getpid()}" in done.stdout
    finally:
        store.close()
    again = Store(tmp_path)
    again.close()


def test_a_lock_that_a_dead_process_left_does_not_keep_anybody_out(tmp_path):
    (tmp_path / database.LOCK_NAME).write_text("999999\n")
    store = Store(tmp_path)
    with pytest.raises(DirectoryInUse):
        Store(tmp_path)
    store.close()


@pytest.mark.parametrize("damage", ["no database", "a torn header", "a torn page"])
def test_a_damaged_database_is_named_and_left_as_it_is(fleet, damage):
    desk = fleet.join("desk")
    for hour in range(9, 22):
        fleet.reserve(desk, f"{hour:02}:00", ["T1"], duration_minutes=30)
    directory = desk.directory
    desk.close()
    path = directory / database.FILE_NAME
    data = bytearray(path.read_bytes())
    if damage == "no database":
        data = bytearray(b"this is no database at all" * 100)
    elif damage == "a torn header":
        data[0:16] = os.urandom(16)
    else:
        data[4096 : 4096 * 6] = os.urandom(4096 * 5)
    path.write_bytes(data)
    with pytest.raises(DirectoryDamaged) as refusal:
        fleet.open("desk", directory)
    assert str(path) in refusal.value.detail
    assert path.read_bytes() == data, "what is not understood was touched"
    with pytest.raises(DirectoryDamaged):
        fleet.open("desk", directory)


def test_tokens_of_an_earlier_version_are_as_wide_as_they_were(tmp_path):
    db = Database(sqlite3.connect(tmp_path / database.FILE_NAME, isolation_level=None))
    database.migrations.apply(db, stop_before="m007_sessions")
    db.conn.execute(
        "INSERT INTO tokens VALUES ('id', 'till', 'staff', '', x'00', 7, 0),"
        " ('other', 'gone', 'kiosk', '', x'01', 8, 9)"
    )
    db.conn.close()
    store = Store(tmp_path)
    till, gone = store.records.tokens()
    assert till == Token("id", "till", "staff", "", b"\0", 7, 0, (), (), 0, 0)
    assert (gone.name, gone.revoked_at_ms) == ("gone", 9)
    assert store.logins.staff() == [] and store.logins.sessions() == []
    store.close()


def test_of_a_queue_the_operations_of_some_chains_can_be_seen_alone(tmp_path):
    store = Store(tmp_path)
    for chain, n in [(1, 1), (1, 2), (2, 1)]:
        store.queue.put(bytes([chain, n]), chain, n, "reservation.created", b"", n)
    store.queue.mark_merged(1, 1, 5)
    for among, ids, queued in [
        (None, [(1, 1), (1, 2), (2, 1)], 2), ([1], [(1, 1), (1, 2)], 1), ([2], [(2, 1)], 1),
        ([], [], 0), ([3], [], 0), ([2, 1], [(1, 1), (1, 2), (2, 1)], 2),
    ]:  # fmt: skip
        assert [(one.chain, one.n) for one in store.queue.select(among=among)] == ids
        assert store.queue.counts(among)["queued"] == queued
    assert [one.n for one in store.queue.select(among=[1], state="queued")] == [2]
    assert [one.n for one in store.queue.select(among=[1], after=(1, 1))] == [2]
    store.close()


def test_a_newer_version_is_named_and_its_data_is_left_alone(tmp_path):
    store = Store(tmp_path)
    store.db.conn.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
        " VALUES ('holdfast', 'm999_tomorrow', '2031-01-01')"
    )
    store.close()
    with pytest.raises(DirectoryError, match=r"newer version.*m999_tomorrow"):
        Store(tmp_path)
    rows = sqlite3.connect(tmp_path / database.FILE_NAME)
    assert rows.execute("SELECT count(*) FROM chains").fetchone() == (0,)
    rows.close()


def test_a_table_whose_name_is_no_text_any_more_is_damage(tmp_path):
    """SQLite names it in its own bytes, and Python cannot read the message."""
    file = tmp_path / database.FILE_NAME
    rows = sqlite3.connect(file)
    rows.execute("CREATE TABLE meta (key, value)")
    rows.execute("PRAGMA writable_schema = ON")
    rows.execute("UPDATE sqlite_master SET name = CAST(x'9641' AS TEXT), sql = 'CREATE TABEL'")
    rows.commit()
    rows.close()
    for opening in (Store, ReadOnlyStore):
        with pytest.raises(DirectoryDamaged, match="no text any more"):
            opening(tmp_path)


def test_a_directory_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    """As root modes refuse nothing, so that the refusal is made here."""
    real = Path.open

    def refusing(self: Path, mode: str = "r", *arguments: object, **more: object) -> object:
        if self.name == database.LOCK_NAME:
            raise OSError(30, "Read-only file system")
        return real(self, mode, *arguments, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refusing)
    with pytest.raises(DirectoryError, match=r"Read-only file system.*owner and mode"):
        Store(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_directory_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(DirectoryError):
            Store(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_a_full_disk_refuses_clearly_and_damages_nothing(fleet):
    desk = fleet.join("desk")
    kept = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    connection = desk.store.db.conn
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages + 2}")
    refused = 0
    for hour in range(8, 22):
        for minute in ("00", "30"):
            before = everything(desk, fleet.book)
            try:
                fleet.reserve(desk, f"{hour:02}:{minute}", ["HALL"], party=1)
            except StorageFull as full:
                refused += 1
                assert "free some space" in full.detail
                assert everything(desk, fleet.book) == before
    assert refused, "the disk was meant to fill up"
    assert fleet.now(desk, kept).status == lifecycle.CONFIRMED, "reading goes on"
    assert desk.store.check() == []
    connection.execute("PRAGMA max_page_count=1000000")
    fleet.reserve(desk, "22:00", ["HALL"], party=1)
    fleet.sync_all()
    fleet.assert_agree()


def test_a_full_disk_at_the_hub_leaves_the_nodes_operations_queued(fleet):
    desk = fleet.join("desk")
    fleet.sync_all()
    for hour in range(8, 22):
        fleet.reserve(desk, f"{hour:02}:00", ["HALL"], party=1)
    connection = fleet.the_hub.store.db.conn
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(HoldfastError):
        desk.sync()
    assert desk.store.queue.waiting() > 0
    connection.execute("PRAGMA max_page_count=1000000")
    fleet.sync_all()
    assert desk.store.queue.waiting() == 0
    fleet.assert_agree()


def test_a_backup_while_in_use_opens_and_says_the_same(fleet, tmp_path):
    hub = fleet.the_hub
    fleet.reserve(hub, "19:30", ["T1"])
    target = tmp_path / "copy.db"
    hub.store.backup(target)
    copy = sqlite3.connect(target)
    rows = copy.execute("SELECT count(*) FROM journal").fetchone()
    copy.close()
    assert rows == hub.store.db.conn.execute("SELECT count(*) FROM journal").fetchone()


def test_what_was_known_from_its_answer_alone_is_held_once_when_the_request_comes(tmp_path):
    """Seed 1100: until the request comes a device's word stands under its own name. Whoever looks
    at the place then, before that is written, must not see it twice."""
    rights = Rights()
    rights.granted(OWN, 1, RightGranted(DESK, ("T1",), 1, 0, 1000))
    own = (Claim("T1", 100, 200, right=OWN),)
    answer = written(9, ClaimDecided(ASKED, "admitted", "free"), DESK, own)
    store = Store(tmp_path)
    projections = store.projections
    projections.rights_of = lambda _: rights
    with store.atomic():
        projections.see("a/b", ID, answer)
        projections.flush()
    with store.atomic():
        projections.see("a/b", ID, MADE)
        record = projections.get("a/b", ID)
        assert record is not None
        assert record.view.status == lifecycle.CONFIRMED
        found = projections.occupancy("a/b").overlapping("T1", 0, 1000)
        assert [held.claim for held in found] == [FIRST]
        projections.flush()
    store.close()


def test_rolled_back_writes_do_not_use_up_codes_or_leave_gaps(fleet):
    hub: Hub = fleet.the_hub
    with pytest.raises(Boom), hub.transaction():
        fleet.reserve(hub, "19:30", ["T1"])
        raise Boom
    first, second = (fleet.reserve(hub, "19:30", [table]) for table in ("T1", "T2"))
    assert first.code != second.code
    chain = hub.store.journal.chain(fleet.book, hub.identity.incarnation)
    assert chain is not None
    hashes = hub.store.journal.hashes(chain, 0, chain.length)
    assert (len(hashes), hashes[-1]) == (chain.length, chain.head)


@pytest.mark.parametrize("before", [None, 0o644], ids=["new", "of an earlier version"])
def test_nobody_but_its_owner_reads_a_database_or_what_stands_beside_it(
    tmp_path: Path, before: int | None
) -> None:
    umask = os.umask(0o022)
    try:
        path = tmp_path / "holdfast.db"
        for _ in range(2):
            db = database.open_database(path)
            db.conn.execute("PRAGMA user_version=7")
            found = sorted(file.name for file in tmp_path.iterdir())
            assert found == ["holdfast.db", "holdfast.db-shm", "holdfast.db-wal"]
            assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
            db.conn.close()
            if before is not None:
                path.chmod(before)
    finally:
        os.umask(umask)
