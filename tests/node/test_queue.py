"""The queue: nothing leaves it without a verdict, and one bad operation stops no other."""

from __future__ import annotations

from unittest import mock

import msgspec
import pytest

from holdfast.model import lifecycle
from holdfast.model.entries import SCHEMA
from holdfast.model.errors import Forbidden, NotFound, RuleViolated, Unreachable
from holdfast.model.events import ReservationAmended
from holdfast.node import exchange as exchange_module
from holdfast.node import guest_terms, inspection, reserving, service_notes
from holdfast.node import replica as replica_module
from holdfast.node.node import Node
from holdfast.sync import gate
from tests.kit import DAY, Fleet


def states(node: Node) -> dict[str, int]:
    return {state: count for state, count in node.store.queue.counts().items() if count}


def write_unchecked(fleet: Fleet, node: Node, view, event, schema: int = SCHEMA) -> bytes:
    """What a broken or a newer device writes: its own gate says yes to it."""

    def lenient(incarnation, n, digest, data, entry, event):
        return gate.judge(incarnation, n, digest, data)

    with (
        mock.patch.object(gate, "judge_own", lenient),
        mock.patch.object(replica_module, "SCHEMA", schema),
        node.transaction(),
    ):
        return node.append(fleet.book, event, subject=view.id, follows=view.leaves).operation


def test_an_operation_is_queued_sent_and_merged(fleet):
    desk = fleet.join("desk")
    before = states(desk)
    view = fleet.reserve(desk, "19:30", ["T1"])
    assert desk.reservations.sync_state(view) == "queued"
    assert states(desk)["queued"] == 1
    fleet.cut("desk")
    with pytest.raises(Unreachable):
        desk.sync()
    [waiting] = desk.store.queue.select(state="queued")
    assert (waiting.attempts, waiting.reason) == (1, "unreachable")
    fleet.heal()
    result = desk.sync()
    assert result["verdicts"] == {"merged": 1}
    assert desk.reservations.sync_state(view) == "merged"
    assert states(desk) == {"merged": before.get("merged", 0) + 1}


def test_an_answer_that_is_lost_does_not_lose_or_double_the_operation(fleet):
    desk = fleet.join("desk")
    fleet.sync_all()
    view = fleet.reserve(desk, "19:30", ["T1"])
    fleet.losing_answers["desk"] = True
    with pytest.raises(Unreachable):
        desk.sync()
    assert desk.store.queue.waiting() == 1
    desk.sync()
    assert desk.store.queue.waiting() == 0
    fleet.sync_all()
    assert fleet.now(fleet.the_hub, view).entries == fleet.now(desk, view).entries == 2
    fleet.assert_agree()


def test_19_a_quarantined_operation_between_two_good_ones_stops_neither(fleet):
    desk = fleet.join("desk")
    good = fleet.reserve(desk, "19:30", ["T1"])
    bad = write_unchecked(fleet, desk, good, ReservationAmended({"occasion": "for dear Anna"}))
    later = fleet.reserve(desk, "21:30", ["T1"])
    result = desk.sync()
    assert result["verdicts"]["quarantined"] == 1
    assert (desk.store.queue.get(bad).state, desk.store.queue.waiting()) == ("quarantined", 0)
    assert desk.store.queue.get(bad).reason.startswith("text-not")
    fleet.sync_all()
    for view in (good, later):
        assert fleet.now(fleet.the_hub, view).status == lifecycle.CONFIRMED
    assert fleet.now(fleet.the_hub, good).occasion == ""
    kept = fleet.the_hub.store.journal.quarantined(fleet.book)
    assert [row[0] for row in kept] == [bad], "what was quarantined is kept and named"
    fleet.assert_agree()
    # The way out.
    desk.withdraw(bad, "typing_error")
    assert desk.store.queue.get(bad).state == "withdrawn"
    fleet.sync_all()
    fleet.assert_agree()


def test_a_newer_schema_is_deferred_and_kept(fleet):
    desk = fleet.join("desk")
    view = fleet.reserve(desk, "19:30", ["T1"])
    newer = write_unchecked(fleet, desk, view, ReservationAmended({"occasion": "date"}), SCHEMA + 1)
    result = desk.sync()
    assert result["verdicts"]["deferred"] == 1
    assert desk.store.queue.get(newer).state == "deferred"
    fleet.sync_all()
    assert fleet.now(fleet.the_hub, view).status == lifecycle.CONFIRMED
    fleet.assert_agree()


def test_19_a_page_that_is_refused_whole_ends_the_sync_and_is_shown(fleet):
    """A bit of the journal rots on the node's disk: its seal can verify nowhere."""
    desk = fleet.join("desk")
    fleet.sync_all()
    view = fleet.reserve(desk, "19:30", ["T1"])
    chain = desk.store.journal.chain(fleet.book, desk.identity.incarnation)
    assert chain is not None
    data = bytearray(desk.store.journal.entries(chain, chain.length - 1, chain.length)[0])
    data[-1] ^= 1
    with desk.transaction():
        desk.store.db.conn.execute(
            "UPDATE journal SET entry = ? WHERE chain = ? AND n = ?",
            (bytes(data), chain.id, chain.length),
        )
    desk.pages.forget()
    fleet.rounds = 0
    result = desk.sync()
    assert fleet.rounds < 20, f"{fleet.rounds} rounds about a page that is refused each time"
    assert result["verdicts"].get("quarantined")
    [operation] = desk.store.queue.select(state="quarantined")
    assert (operation.subject, operation.reason) == (view.id, "seal-invalid")
    kiosk = fleet.join("kiosk", "kiosk")
    other = fleet.reserve(kiosk, "19:30", ["T2"])
    fleet.sync(kiosk)
    assert fleet.now(kiosk, other).status == lifecycle.CONFIRMED


def test_withdrawing_a_reservation_that_nobody_merged_cancels_it(fleet):
    desk = fleet.join("desk")
    fleet.cut("desk")
    view = fleet.reserve(desk, "19:30", ["T1"])
    [operation] = desk.store.queue.select(state="queued")
    with pytest.raises(NotFound):
        desk.withdraw(b"x" * 16, "typing_error")
    desk.withdraw(operation.id, "typing_error")
    assert fleet.now(desk, view).status == lifecycle.CANCELLED
    with pytest.raises(RuleViolated):
        desk.withdraw(operation.id, "typing_error")
    fleet.heal()
    fleet.sync_all()
    shown = fleet.now(fleet.the_hub, view)
    assert (shown.status, shown.live, shown.pending) == (lifecycle.CANCELLED, [], [])
    assert desk.store.queue.get(operation.id).state == "withdrawn"
    fleet.assert_agree()


def test_what_is_merged_is_not_withdrawn(fleet):
    desk = fleet.join("desk")
    fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    operation = desk.store.queue.select(state="merged")[-1]
    with pytest.raises(RuleViolated):
        desk.withdraw(operation.id, "typing_error")


def test_pausing_survives_a_restart_and_resuming_sends_everything(fleet):
    desk = fleet.join("desk")
    desk.pause()
    fleet.reserve(desk, "19:30", ["T1"])
    desk = fleet.reopen("desk")
    assert isinstance(desk, Node)
    with pytest.raises(Unreachable, match="paused"):
        desk.sync()
    assert desk.store.queue.waiting() == 1
    desk.resume()
    fleet.sync_all()
    assert desk.store.queue.waiting() == 0
    fleet.assert_agree()


def test_a_restart_in_the_middle_of_an_exchange_leaves_the_operation_due(fleet):
    desk = fleet.join("desk")
    view = fleet.reserve(desk, "19:30", ["T1"])
    desk.exchange.request(desk.peer)
    desk.mark_sent()
    assert desk.reservations.sync_state(view) == "sent"
    desk = fleet.crash("desk")
    assert desk.store.queue.waiting() == 1
    fleet.sync_all()
    assert desk.store.queue.waiting() == 0


def test_a_device_that_was_shut_out_keeps_its_operations_and_says_why(fleet):
    desk = fleet.join("desk")
    fleet.sync_all()
    fleet.the_hub.revoke("desk", "stolen")
    view = fleet.reserve(desk, "19:30", ["T1"])
    with pytest.raises(Forbidden, match="shut out"):
        desk.sync()
    [operation] = desk.store.queue.select(state="queued")
    assert (operation.subject, operation.reason) == (view.id, "revoked")
    status = desk.sync_status()
    assert (status["queued"], status["reason"]) == (1, "revoked")


def test_a_backlog_in_many_pieces_is_acknowledged_piece_by_piece(fleet, monkeypatch):
    desk = fleet.join("desk")
    fleet.cut("desk")
    for hour in range(8, 22):
        fleet.reserve(desk, f"{hour:02}:00", ["HALL"], party=1)
    monkeypatch.setattr(exchange_module, "EXCHANGE_ENTRIES", 4)
    fleet.heal()
    counts = []
    real = desk.exchange.absorb

    def counting(*arguments):
        outcome = real(*arguments)
        counts.append(desk.store.queue.waiting())
        return outcome

    with mock.patch.object(desk.exchange, "absorb", counting):
        result = desk.sync()
    assert result["pushed"] == 14
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) >= 3, "the backlog was meant to come in pieces"
    fleet.sync_all()
    fleet.assert_agree()


def test_doubling_a_whole_exchange_changes_nothing(fleet):
    desk = fleet.join("desk")
    fleet.sync_all()
    view = fleet.reserve(desk, "19:30", ["T1"])
    request = desk.exchange.request(desk.peer)
    answers = [exchange_module.Exchange(fleet.the_hub).answer(request) for _ in range(3)]
    assert fleet.now(fleet.the_hub, view).entries == 2
    for answer in (*answers, answers[0]):
        desk.exchange.absorb(desk.peer, request, msgspec.structs.replace(answer))
    assert desk.store.queue.waiting() == 0
    fleet.sync_all()
    fleet.assert_agree()


def test_what_is_about_no_reservation_waits_in_the_queue_too(fleet):
    """A ban that nobody has heard of is as unsent as a reservation."""
    desk = fleet.join("desk")
    fleet.sync_all()
    before = states(desk)
    fleet.cut("desk")
    agent = reserving.agent_of(desk, "ann", None)
    guest_terms.restrict(desk, agent, "booking-ban", "no_shows")
    empty = service_notes.read(desk, "trattoria", DAY)
    service_notes.write(desk, "trattoria", DAY, "Table 4 has a birthday.", empty.tag, author="Mia")
    assert states(desk) == before | {"queued": 2}
    (ban, notes) = [
        inspection.queue_item(desk, one) for one in desk.store.queue.select(state="queued")
    ]
    assert (ban["kind"], ban["subject"], ban["decision"]) == ("guest.restricted", "", None)
    assert notes["kind"] == "service.notes_edited"
    with pytest.raises(RuleViolated, match="is about no reservation"):
        desk.withdraw(bytes.fromhex(ban["id"]), "entered_by_mistake")
    fleet.heal()
    fleet.sync_all()
    assert states(desk).keys() == {"merged"}
