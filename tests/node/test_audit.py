"""The audit: every change with who, what, when; whether the record is whole; what was decided."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from holdfast.model import card_ids
from holdfast.model.errors import DirectoryError, Invalid, NotFound
from holdfast.model.events import EVENT_BY_KIND, SealedCard
from holdfast.model.ids import uuid_text
from holdfast.node.audit import KIND_WORDS, audit_entries, verify_store
from holdfast.node.decisions import verify_decision
from holdfast.node.replica import Replica
from holdfast.sync.seals import chain_next
from tests.node.replicas import (
    AGENT,
    BOOK,
    VENUE,
    Tenant,
    amend,
    configure,
    decide,
    reserve,
    send,
)


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    return Tenant.at(tmp_path)


@pytest.fixture
def hub(tenant: Tenant) -> Iterator[Replica]:
    replica = tenant.replica("hub")
    configure(replica)
    yield replica
    replica.close()


@pytest.fixture
def desk(tenant: Tenant) -> Iterator[Replica]:
    replica = tenant.replica("desk")
    yield replica
    replica.close()


# --- every change ---------------------------------------------------------------------------------


def test_each_change_says_who_did_what_and_what_it_changed(hub: Replica, desk: Replica):
    reservation, asked = reserve(desk)
    amend(desk, reservation, party_size=4)
    send(desk, hub)
    decide(hub, reservation, asked)
    items, cursor = audit_entries(hub, uuid_text(reservation))
    assert cursor is None
    assert [(item["what"], item["node"], item["role"]) for item in items] == [
        ("made", "desk", "front-desk"),
        ("changed", "desk", "front-desk"),
        ("decided by the holder of the place", "hub", "hub"),
    ]
    made, changed, decided = items
    assert made["before"] == {}
    assert made["after"]["status"] == "commit_pending"
    assert made["after"]["starts_at"] == "2027-01-01T21:00:00+01:00"
    assert (changed["before"], changed["after"]) == ({"party_size": 2}, {"party_size": 4})
    assert decided["before"]["status"] == "commit_pending"
    assert decided["after"]["status"] == "confirmed"
    assert decided["after"]["verdict"] == "admitted"


def test_each_change_has_its_time_and_how_wrong_the_writers_clock_may_have_been(hub: Replica):
    reservation, written = reserve(hub)
    (item,), _ = audit_entries(hub, uuid_text(reservation))
    assert item["reservation"] == uuid_text(reservation)
    assert item["operation"] == written.operation.hex()
    assert item["at_ms"] == written.stamp >> 16
    assert item["at"].endswith(("+01:00", "+02:00"))
    assert item["uncertainty_ms"] == hub.clock.uncertainty_ms()


def test_the_whole_audit_has_the_changes_of_the_book_too(hub: Replica):
    configure(hub, name="Da Mario")
    reserve(hub)
    items, _ = audit_entries(hub)
    assert [item["kind"] for item in items] == [
        "chain.certified", "venue.configured", "venue.configured", "reservation.created",
    ]  # fmt: skip
    assert items[2]["before"] == {"name": "Trattoria"}
    assert items[2]["after"] == {"name": "Da Mario"}
    assert all(item["venue"] == VENUE and item["node"] == "hub" for item in items)


def test_pages_of_the_audit_follow_one_another_without_a_gap(hub: Replica):
    for number in range(5):
        reserve(hub, f"RES-2027-00000{number}")
    whole, end = audit_entries(hub)
    assert end is None
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        items, cursor = audit_entries(hub, limit=2, cursor=cursor)
        found += items
        if cursor is None:
            break
    assert found == whole


def test_the_audit_of_a_span_of_time_is_half_open(hub: Replica):
    reserve(hub)
    (*_, last), _ = audit_entries(hub)
    at = last["at_ms"]
    assert [i["operation"] for i in audit_entries(hub, starts_ms=at)[0]][-1] == last["operation"]
    assert last not in audit_entries(hub, ends_ms=at)[0]
    assert audit_entries(hub, starts_ms=at + 3_600_000) == ([], None)


def test_the_audit_has_nothing_of_the_guest_card_but_its_id(hub: Replica):
    text = card_ids.text_digest(hub.identity.incarnation, AGENT, b"sealed bytes")
    card = SealedCard(card_ids.card_id(text, b"k" * 16), b"sealed bytes", b"k" * 16)
    reservation, _ = reserve(hub, card=card)
    (item,), _ = audit_entries(hub, uuid_text(reservation))
    assert item["after"]["guest_card"] == card.id.hex()
    assert item["after"]["agent_id"] == AGENT
    assert b"sealed" not in msgspec.json.encode(item)


def test_the_newest_changes_are_told_in_their_order_and_the_cursor_leads_back(hub: Replica):
    reservation, _ = reserve(hub)
    for size in (3, 4, 2, 1):
        amend(hub, reservation, party_size=size)
    for reference in (None, uuid_text(reservation)):
        whole, _ = audit_entries(hub, reference)
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            items, cursor = audit_entries(hub, reference, limit=2, cursor=cursor, newest=True)
            assert [one["operation"] for one in items] == [
                one["operation"] for one in whole[-len(found) - len(items) :][: len(items)]
            ]
            found = items + found
            if cursor is None:
                break
        assert [one["operation"] for one in found] == [one["operation"] for one in whole]
        last, _ = audit_entries(hub, reference, limit=1, newest=True)
        assert last[0]["after"] == {"party_size": 1}


def test_an_unknown_reservation_or_cursor_is_said_to_be_so(hub: Replica):
    with pytest.raises(NotFound, match="no reservation"):
        audit_entries(hub, uuid_text(b"\7" * 16))
    with pytest.raises(Invalid, match="start again"):
        audit_entries(hub, cursor="soon")
    with pytest.raises(Invalid):
        audit_entries(hub, limit=0)


# --- whether the record is whole ------------------------------------------------------------------


@pytest.fixture
def busy(hub: Replica, desk: Replica) -> Replica:
    """A hub that holds its own chain and the desk's, the desk's sealed."""
    for number in range(4):
        reserve(desk, f"RES-2027-00000{number}")
    send(desk, hub)
    return hub


def alter(replica: Replica, statement: str, *values: Any) -> Path:
    """Change the database file behind the replica's back, on a copy that it does not use."""
    copy = replica.store.directory.parent / "altered.db"
    replica.store.backup(copy)
    connection = sqlite3.connect(copy)
    with connection:
        assert connection.execute(statement, values).rowcount >= 1
    connection.close()
    return copy


def chain_of(hub: Replica, node: Replica) -> int:
    chain = hub.store.journal.chain(BOOK, node.identity.incarnation)
    assert chain is not None
    return chain.id


def test_a_whole_record_is_found_whole_beside_the_running_process(busy: Replica):
    report = verify_store(busy.store.path)
    assert report.ok, report
    assert (report.chains, report.entries, report.seals) == (2, 7, 1)
    assert report.unsealed == 2
    assert report.root == "in-file"
    assert report.to_dict()["first_bad"] is None


def test_an_altered_entry_is_named_by_book_node_and_number(busy: Replica, desk: Replica):
    altered = alter(
        busy,
        "UPDATE journal SET entry = entry || 'x' WHERE chain = ? AND n = 3",
        chain_of(busy, desk),
    )
    report = verify_store(altered)
    assert not report.ok
    assert report.first_bad is not None
    assert (report.first_bad.book, report.first_bad.node, report.first_bad.n) == (BOOK, "desk", 3)
    assert "chain hash" in report.first_bad.what


def test_an_entry_altered_together_with_its_hashes_is_betrayed_by_the_seal(
    busy: Replica, desk: Replica
):
    chain = busy.store.journal.chain(BOOK, desk.identity.incarnation)
    assert chain is not None
    entries = busy.store.journal.entries(chain, 0, chain.length)
    head = busy.store.journal.hash_at(chain, chain.length - 1)
    assert head is not None
    forged = entries[-1].replace(AGENT.encode(), b"agent_" + b"b" * 32)
    assert forged != entries[-1]
    altered = alter(
        busy,
        "UPDATE journal SET entry = ?, hash = ? WHERE chain = ? AND n = ?",
        forged, chain_next(head, forged), chain.id, chain.length,
    )  # fmt: skip
    report = verify_store(altered)
    assert not report.ok
    assert report.first_bad is not None
    assert "seal" in report.first_bad.what


def test_a_missing_entry_is_found_in_the_middle_and_at_the_end(busy: Replica, desk: Replica):
    for n, words in ((2, "is missing; the next one kept is 3"), (5, "a seal covers 5 entries")):
        altered = alter(
            busy, "DELETE FROM journal WHERE chain = ? AND n = ?", chain_of(busy, desk), n
        )
        report = verify_store(altered)
        assert report.first_bad is not None
        assert report.first_bad.n == n
        assert words in str(report.first_bad)
        altered.unlink()


def test_one_byte_that_changed_in_a_backup_file_is_found(busy: Replica, desk: Replica):
    copy = busy.store.directory.parent / "backup.db"
    busy.store.backup(copy)
    whole = copy.read_bytes()
    assert verify_store(copy).ok
    chain = busy.store.journal.chain(BOOK, desk.identity.incarnation)
    assert chain is not None
    for n in range(1, chain.length + 1):
        (entry,) = busy.store.journal.entries(chain, n - 1, n)
        # The end of it: of a long one only the beginning stands in one piece in the file.
        at = whole.index(entry[:64]) + min(len(entry), 64) - 1
        copy.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        report = verify_store(copy)
        assert not report.ok
        assert report.first_bad is not None
        assert (report.first_bad.node, report.first_bad.n) in {("desk", n), ("unknown", 1)}


def test_a_seal_that_was_removed_is_missed(busy: Replica, desk: Replica):
    altered = alter(busy, "DELETE FROM seals WHERE chain = ?", chain_of(busy, desk))
    report = verify_store(altered)
    assert not report.ok
    assert report.first_bad is not None
    assert (report.first_bad.node, report.first_bad.n) == ("desk", 1)
    assert "no seal" in report.first_bad.what and "up to entry 5" in report.first_bad.what


def test_what_one_wrote_oneself_and_did_not_send_yet_needs_no_seal(desk: Replica, hub: Replica):
    send(hub, desk)
    reserve(desk)
    report = verify_store(desk.store.path)
    assert report.ok, report
    assert report.unsealed == 2


def test_a_chain_that_was_cut_short_at_a_seal_is_missed_by_what_rests_on_it(
    hub: Replica, desk: Replica
):
    reserve(desk, "RES-2027-000001")
    send(desk, hub)
    own = desk.store.journal.chain(BOOK, desk.identity.incarnation)
    assert own is not None
    older = desk.seal_own(own, 2)
    reserve(desk, "RES-2027-000002")
    send(desk, hub)
    chain = chain_of(hub, desk)
    altered = alter(hub, "DELETE FROM journal WHERE chain = ? AND n > 2", chain)
    connection = sqlite3.connect(altered)
    with connection:
        connection.execute("DELETE FROM seals WHERE chain = ?", (chain,))
        connection.execute(
            "INSERT INTO seals (chain, n, signature) VALUES (?, 2, ?)", (chain, older)
        )
    connection.close()
    report = verify_store(altered)
    assert not report.ok
    assert report.first_bad is not None
    assert (report.first_bad.node, report.first_bad.n) == ("desk", 3)
    assert "RES-2027-000002 rests on it" in report.first_bad.what


def test_a_chain_that_was_cut_short_with_what_rested_on_it_leaves_a_gap(
    busy: Replica, desk: Replica
):
    reserve(busy, "RES-2027-BBBBBB")
    chain = chain_of(busy, desk)
    altered = alter(busy, "DELETE FROM journal WHERE chain = ?", chain)
    connection = sqlite3.connect(altered)
    with connection:
        connection.execute("DELETE FROM seals WHERE chain = ?", (chain,))
        connection.execute("DELETE FROM chains WHERE id = ?", (chain,))
        connection.execute("DELETE FROM reservations WHERE code LIKE 'RES-2027-0%'")
    connection.close()
    report = verify_store(altered)
    assert not report.ok
    assert "5 of the entries that came in here are missing" in str(report.first_bad)


def test_a_record_of_another_tenant_is_not_believed(busy: Replica, tmp_path: Path):
    (tmp_path / "other").mkdir()
    stranger = Tenant.at(tmp_path / "other")
    report = verify_store(busy.store.path, stranger.root)
    assert not report.ok
    assert report.root == "given"
    assert report.first_bad is not None
    assert "certificate" in report.first_bad.what
    assert any("not the one that was given" in note for note in report.notes)


def test_without_a_root_certificate_nobody_can_say_that_the_record_is_whole(busy: Replica):
    altered = alter(busy, "DELETE FROM meta WHERE key = 'identity.root'")
    report = verify_store(altered)
    assert (report.ok, report.root, report.first_bad) == (False, "missing", None)
    assert any("no root certificate" in note for note in report.notes)
    with_root = verify_store(altered, busy.identity.root)
    assert with_root.ok, with_root


def test_a_record_on_a_disk_that_cannot_be_written_is_read_all_the_same(
    busy: Replica, tmp_path: Path
):
    lone = tmp_path / "shelf"
    lone.mkdir()
    busy.store.backup(lone / "backup.db")
    before = (lone / "backup.db").read_bytes()
    lone.chmod(0o500)
    try:
        assert verify_store(lone / "backup.db").ok
    finally:
        lone.chmod(0o700)
    assert (lone / "backup.db").read_bytes() == before


def test_what_is_no_database_is_named(tmp_path: Path):
    with pytest.raises(DirectoryError, match="nowhere"):
        verify_store(tmp_path / "nowhere.db")
    (tmp_path / "letter.txt").write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(DirectoryError, match=r"letter\.txt"):
        verify_store(tmp_path / "letter.txt")


# --- one decision ---------------------------------------------------------------------------------


def displaced(hub: Replica, desk: Replica) -> tuple[bytes, bytes]:
    """(loser, winner): the hub sold the table itself and displaced the desk's reservation."""
    winner, _ = reserve(hub, "RES-2027-BBBBBB")
    loser, asked = reserve(desk)
    send(desk, hub)
    decide(hub, loser, asked, "displaced", "taken", (winner,))
    send(hub, desk)
    return loser, winner


def test_a_decision_holds_wherever_it_is_looked_at(hub: Replica, desk: Replica):
    loser, winner = displaced(hub, desk)
    for replica in (hub, desk):
        found = verify_decision(replica, uuid_text(loser))
        assert found["ok"], found
        assert (found["verdict"], found["by"]) == ("displaced", "hub")
        assert found["why"] == "the place was already taken"
        assert found["asked_by"] == "desk"
        assert [won["id"] for won in found["winners"]] == [uuid_text(winner)]
        assert found["asked"][0]["resource"] == "T1"
        assert [head["node"] for head in found["relied_on"]] == ["desk"]
        assert set(found["checks"]) == {
            "chain", "certificate", "seal", "decider", "not_beyond_close", "request", "winners",
            "relied_on",
        }  # fmt: skip


def test_a_decision_that_was_not_sent_yet_is_sealed_by_nobody(hub: Replica, desk: Replica):
    reservation, asked = reserve(desk)
    send(desk, hub)
    decide(hub, reservation, asked)
    found = verify_decision(hub, uuid_text(reservation))
    assert [name for name, holds in found["checks"].items() if not holds] == ["seal"]
    assert "no seal covers" in found["notes"][0]
    send(hub, desk)
    assert verify_decision(hub, uuid_text(reservation))["ok"]


def test_a_decision_whose_chain_was_altered_does_not_hold(hub: Replica, desk: Replica):
    loser, _ = displaced(hub, desk)
    with desk.transaction():
        desk.store.db.conn.execute(
            "UPDATE journal SET entry = CAST(entry || x'00' AS BLOB) WHERE n = 2 AND chain = ?",
            (chain_of(desk, hub),),
        )
    found = verify_decision(desk, uuid_text(loser))
    assert not found["ok"]
    assert not found["checks"]["chain"]
    assert not found["checks"]["seal"]


def test_a_decision_for_somebody_unknown_here_says_what_is_missing(hub: Replica, desk: Replica):
    loser, asked = reserve(desk)
    send(desk, hub)
    decide(hub, loser, asked, "displaced", "taken", (b"\7" * 16,))
    send(hub, desk)
    found = verify_decision(desk, uuid_text(loser))
    assert not found["checks"]["winners"]
    assert found["winners"][0]["known"] is False


def test_what_the_hub_sold_by_itself_is_checked_as_a_sale(hub: Replica, desk: Replica):
    sold, _ = reserve(hub, "RES-2027-BBBBBB")
    found = verify_decision(hub, uuid_text(sold))
    assert (found["verdict"], found["by"]) == ("guaranteed", "hub")
    assert set(found["checks"]) == {
        "chain", "certificate", "written_here", "right", "not_oversold",
    }  # fmt: skip


def test_a_reservation_that_nobody_decided_has_no_decision(hub: Replica, desk: Replica):
    reservation, _ = reserve(desk)
    with pytest.raises(NotFound, match="still waits"):
        verify_decision(desk, uuid_text(reservation))


def test_every_kind_of_entry_is_called_something():
    """A kind without words of its own would be told as one of a newer version."""
    assert set(KIND_WORDS) == set(EVENT_BY_KIND)
