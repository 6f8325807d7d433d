"""Schedules that broke earlier rules, by their numbers, against real stores and real messages.

H is the hub, A a front desk, B a kiosk, C a call centre. Nothing is granted here: what a schedule
says of a holder is tried with the hub, the rest with devices that ask. With devices that hold
rights: `test_rights`.
"""

from __future__ import annotations

import shutil
from unittest import mock

import msgspec
import pytest

from holdfast.model import lifecycle
from holdfast.model.claims import LIVE
from holdfast.model.errors import HoldfastError, NotAvailable, RuleViolated, Unreachable
from holdfast.node import exchange as exchange_module
from holdfast.node.exchange import Exchange
from holdfast.node.node import Node
from tests.kit import DAY, NEXT_DAY, Fleet, assert_same_book, entries_of, exchange_once


def three(fleet: Fleet) -> tuple[Node, Node, Node]:
    """Desk, kiosk, call centre, all in touch."""
    found = fleet.join("desk"), fleet.join("kiosk", "kiosk"), fleet.join("calls", "venue-server")
    fleet.sync_all()
    return found


# --- 1 --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("freed_by", ["cancel", "move"])
def test_1_a_late_check_in_never_brings_an_ended_claim_back(fleet, freed_by):
    desk, _, calls = three(fleet)
    hub = fleet.the_hub
    first = fleet.reserve(hub, "19:30", ["T1"])
    fleet.sync(calls)
    fleet.cut("calls")
    calls.reservations.check_in(first.code)
    if freed_by == "cancel":
        hub.reservations.cancel(first.code)
    else:
        fleet.move(hub, first, time="21:30")
    second = fleet.reserve(hub, "19:30", ["T1"])
    fleet.heal()
    fleet.sync_all()
    for replica in (hub, desk, calls):
        late = fleet.now(replica, first)
        assert late.status == lifecycle.CHECKED_IN
        assert [c.id for c in late.live if c.resource == "T1" and c.start == second.starts_at] == []
        assert fleet.now(replica, second).status == lifecycle.CONFIRMED
        raised = dict(late.exceptions)
        if freed_by == "cancel":
            assert {"seated_though_cancelled", "seated_without_place"} & set(raised)
    fleet.assert_agree()


# --- 5, 22 ----------------------------------------------------------------------------------------


def test_5_a_copied_directory_is_another_life_and_at_most_one_sale_is_confirmed(fleet):
    desk = fleet.join("desk")
    fleet.reserve(desk, "12:00", ["T1"])
    fleet.sync_all()
    copied = fleet.copy("desk", "copied")
    twin = fleet.open("desk", copied, "twin")
    desk = fleet.nodes["desk"]
    assert isinstance(twin, Node)
    assert twin.other_life, "the copy did not notice that it is one"
    assert twin.identity.incarnation != desk.identity.incarnation
    one = fleet.reserve(desk, "19:30", ["T1"])
    other = fleet.reserve(twin, "19:30", ["T1"])
    assert one.code != other.code
    assert {one.status, other.status} == {lifecycle.COMMIT_PENDING}
    fleet.sync_all()
    assert sorted(fleet.shown(one).values())[0] != sorted(fleet.shown(other).values())[0]
    statuses = [fleet.now(fleet.the_hub, v).status for v in (one, other)]
    assert sorted(statuses) == [lifecycle.COMMIT_FAILED, lifecycle.CONFIRMED]
    fleet.assert_agree()
    assert twin.store.queue.waiting() == desk.store.queue.waiting() == 0


def test_5_the_branches_of_an_unnoticed_copy_are_both_kept_by_everyone(fleet):
    kiosk = fleet.join("kiosk", "kiosk")
    desk = fleet.join("desk")
    fleet.reserve(desk, "12:00", ["T1"])
    fleet.sync_all()
    twin = fleet.clone_unnoticed("desk", "twin")
    desk = fleet.nodes["desk"]
    one = fleet.reserve(desk, "19:30", ["T1"])
    other = fleet.reserve(twin, "19:30", ["T1"])
    fleet.reserve(twin, "21:30", ["T2"])
    forked = desk.identity.incarnation
    written = [entries_of(r, fleet.book, forked)[0] for r in (desk, twin)]
    fleet.rounds = 0
    fleet.sync(desk)
    fleet.sync(twin)
    fleet.sync_all(4)
    assert fleet.rounds < 60, f"{fleet.rounds} rounds: an exchange goes in circles"
    for replica in (fleet.the_hub, kiosk, desk, twin):
        held = entries_of(replica, fleet.book, forked)
        assert sorted(held) == sorted(written), f"{replica.name} holds another pair of branches"
    statuses = [fleet.now(fleet.the_hub, v).status for v in (one, other)]
    assert sorted(statuses) == [lifecycle.COMMIT_FAILED, lifecycle.CONFIRMED]
    fleet.assert_agree()
    assert [r.store.queue.waiting() for r in (desk, twin)] == [0, 0], "an operation has no verdict"


def test_5_a_device_learns_in_one_synchronisation_what_its_other_branch_says(fleet):
    """A disk is put back, its branch grows longer than the one that the hub has, and the device
    goes on as another life: the hub cannot see a fork in a longer head, and what the device must
    know stands before its cursor."""
    fleet.join("desk")
    fleet.sync_all()
    behind = fleet.clone_unnoticed("desk", "behind")
    desk = fleet.nodes["desk"]
    forked = desk.identity.incarnation
    sold = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync(desk)
    fleet.reserve(behind, "18:00", ["T2"])
    fleet.reserve(behind, "21:30", ["T2"])
    fleet.the_hub.revoke("desk", "stolen")
    with fleet._clock_of("desk"):
        behind.rejoin(fleet.the_hub.invite("trattoria", "front-desk", "desk").code)
    fleet.sync(behind)
    assert len(entries_of(behind, fleet.book, forked)) == 2
    assert fleet.now(behind, sold).status == lifecycle.CONFIRMED


def test_5_the_branch_counts_at_which_the_hub_shut_the_device_out(fleet):
    """Who meets the copy afterwards does not believe its older sale: the hub, which had never heard
    of it, has given the table to somebody else (seed 74898)."""
    calls = fleet.join("calls", "venue-server")
    fleet.join("desk")
    fleet.the_hub.granting.grant("trattoria", "desk", ["T1"])
    fleet.sync_all()
    twin = fleet.clone_unnoticed("desk", "twin")
    desk = fleet.nodes["desk"]
    sold = fleet.reserve(twin, "19:30", ["T1"])
    fleet.clocks.advance(seconds=1)
    fleet.reserve(desk, "21:30", ["T1"])
    fleet.sync(desk)
    fleet.the_hub.revoke("desk", "stolen")
    given = fleet.reserve(fleet.the_hub, "19:30", ["T1"])
    fleet.sync(calls)
    exchange_once(calls, twin)
    for replica in (calls, twin):
        assert fleet.now(replica, given).status == lifecycle.CONFIRMED
        assert not fleet.now(replica, sold).live


def test_5_both_branches_go_on_being_acknowledged(fleet):
    fleet.join("desk")
    fleet.sync_all()
    twin = fleet.clone_unnoticed("desk", "twin")
    desk = fleet.nodes["desk"]
    for hour in range(8, 20, 2):
        fleet.reserve(desk, f"{hour:02}:00", ["T1"])
        fleet.reserve(twin, f"{hour:02}:00", ["T2"])
        if hour % 4:
            fleet.reserve(twin, f"{hour:02}:00", ["T3"], party=3)
        fleet.rounds = 0
        fleet.sync(desk, twin)
        assert fleet.rounds < 12, f"{fleet.rounds} rounds for two operations"
        assert [n.store.queue.waiting() for n in (desk, twin)] == [0, 0], hour
    fleet.sync_all()
    fleet.assert_agree()


def test_22_nobody_holds_a_sequence_that_no_device_wrote(fleet):
    """Three branches of one chain, forked at two places, met in different orders."""
    fleet.join("desk")
    calls = fleet.join("calls", "venue-server")
    kiosk = fleet.join("kiosk", "kiosk")
    fleet.sync_all()
    second = fleet.clone_unnoticed("desk", "second")
    fleet.reserve(fleet.nodes["desk"], "18:00", ["T1"])
    fleet.reserve(fleet.nodes["desk"], "18:00", ["T2"])
    fleet.reserve(second, "19:30", ["T1"])
    second_copy = fleet.directory / "third"
    second.close()
    shutil.copytree(second.directory, second_copy)
    with mock.patch("holdfast.node.lives.witness.check", return_value=[]):
        second = fleet.open("desk", second.directory, "second")
        third = fleet.open("desk", second_copy, "third")
    fleet.reserve(second, "21:30", ["T1"])
    fleet.reserve(third, "21:30", ["T2"])
    first = fleet.nodes["desk"]
    forked = first.identity.incarnation
    branches = [entries_of(r, fleet.book, forked)[0] for r in (first, second, third)]
    assert len({len(b) for b in branches}) == 1, "the branches were meant to be of one length"
    exchange_once(calls, third)
    exchange_once(kiosk, first)
    exchange_once(kiosk, calls)
    fleet.sync(second, kiosk, third)
    fleet.sync_all(4)
    for replica in fleet.replicas():
        for held in entries_of(replica, fleet.book, forked):
            assert held in branches, f"{replica.name} holds a sequence that nobody wrote"
    fleet.assert_agree()


# --- 6 --------------------------------------------------------------------------------------------


def test_6_a_hub_restored_from_a_backup_sells_nothing_until_it_has_heard_everyone(fleet):
    desk, kiosk, calls = three(fleet)
    fleet.sync_all()
    backup = fleet.copy("hub", "backup")
    hub = fleet.the_hub
    sold = fleet.reserve(hub, "19:30", ["T1"])
    fleet.sync(kiosk)
    fleet.stop_hub()
    restored = fleet.open("hub", backup)
    assert restored.exchange_state == "recovering"
    with pytest.raises(RuleViolated, match="restored"):
        fleet.reserve(restored, "19:30", ["T1"])
    fleet.sync(desk)
    asked = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync(desk)
    assert fleet.now(restored, asked).status == lifecycle.COMMIT_PENDING
    assert fleet.the_hub.recover()["missing"] == {"trattoria": ["calls", "kiosk"]}
    fleet.sync(calls)
    assert restored.exchange_state == "recovering"
    fleet.sync(kiosk)
    assert restored.exchange_state == "recovering", "only a person can know that this is everyone"
    assert restored.recover() == {"state": "serving", "missing": {}, "shut_out": {}}
    assert fleet.now(restored, sold).status == lifecycle.CONFIRMED
    assert fleet.now(restored, asked).status == lifecycle.COMMIT_FAILED
    with pytest.raises(NotAvailable):
        fleet.reserve(restored, "19:30", ["T1"])
    fleet.sync_all()
    fleet.assert_agree()


def test_6_what_was_cancelled_while_the_hub_recovered_is_free_afterwards(fleet):
    desk, kiosk, _ = three(fleet)
    sold = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    backup = fleet.copy("hub", "backup")
    fleet.stop_hub()
    restored = fleet.open("hub", backup)
    desk.reservations.cancel(sold.code)
    fleet.sync(desk)
    assert restored.exchange_state == "recovering"
    fleet.sync_all()
    restored.recover()
    fleet.sync_all()
    assert fleet.now(restored, sold).live == []
    again = fleet.reserve(kiosk, "19:30", ["T1"])
    fleet.sync_all()
    assert fleet.now(kiosk, again).status == lifecycle.CONFIRMED
    fleet.assert_agree()


def test_6_proceeding_without_a_silent_device_shuts_it_out(fleet):
    desk, _, _ = three(fleet)
    backup = fleet.copy("hub", "backup")
    lost = fleet.reserve(fleet.the_hub, "19:30", ["T1"])
    fleet.sync(fleet.nodes["calls"])
    fleet.stop_hub()
    restored = fleet.open("hub", backup)
    fleet.cut("calls")
    fleet.sync_all()
    assert fleet.the_hub.recover(proceed=True)["state"] == "serving"
    again = fleet.reserve(restored, "19:30", ["T1"])
    fleet.heal()
    with pytest.raises(HoldfastError, match="shut out"):
        fleet.nodes["calls"].sync()
    fleet.sync(desk)
    assert fleet.now(desk, again).status == lifecycle.CONFIRMED
    assert desk.view(lost.id) is None


def test_6_nodes_give_a_wiped_hub_back_what_the_old_one_knew(fleet):
    desk, kiosk, calls = three(fleet)
    sold = fleet.reserve(fleet.the_hub, "19:30", ["T1"], guest={"name": "Anna"})
    fleet.sync_all()
    unsent = fleet.reserve(desk, "21:30", ["T1"])
    hub = fleet.wipe_hub()
    for node in (desk, kiosk, calls):
        node.reset_peer()
    fleet.sync(kiosk)
    assert hub.exchange_state == "recovering"
    fleet.sync_all()
    assert hub.recover()["state"] == "serving"
    fleet.sync_all()
    assert fleet.now(hub, sold).status == lifecycle.CONFIRMED
    assert fleet.now(desk, unsent).status == lifecycle.CONFIRMED
    with pytest.raises(NotAvailable):
        fleet.reserve(hub, "19:30", ["T1"])
    fleet.assert_agree()


def test_6_an_old_cursor_that_meets_another_hub_leads_to_a_comparison_of_heads(fleet):
    desk, kiosk, calls = three(fleet)
    for hour in (12, 14, 16):
        fleet.reserve(desk, f"{hour}:00", ["T1"])
    fleet.sync_all()
    old = desk.peer.cursor
    assert old is not None
    fleet.wipe_hub()
    unsent = fleet.reserve(desk, "21:30", ["T1"])
    for _ in range(3):
        fleet.sync(desk, kiosk, calls)
        fleet.the_hub.recover()
    assert desk.peer.cursor is not None
    assert desk.peer.cursor.incarnation != old.incarnation
    assert fleet.now(desk, unsent).status == lifecycle.CONFIRMED
    fleet.assert_agree()


# --- 7 --------------------------------------------------------------------------------------------


def test_7_a_move_to_what_was_just_sold_leaves_the_reservation_where_it_was(fleet):
    desk, kiosk, _ = three(fleet)
    moving = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    fleet.cut("desk")
    changed = fleet.move(desk, moving, resources=["T2"])
    assert changed.pending_change is not None
    assert changed.status == lifecycle.CONFIRMED
    sold = fleet.reserve(fleet.the_hub, "19:30", ["T2"])
    fleet.heal()
    fleet.sync_all()
    for replica in (fleet.the_hub, desk, kiosk):
        kept = fleet.now(replica, moving)
        assert (kept.status, [c.resource for c in kept.live]) == (lifecycle.CONFIRMED, ["T1"])
        assert kept.pending_change is None
        assert fleet.now(replica, sold).status == lifecycle.CONFIRMED
    fleet.assert_agree()


def test_7_a_larger_party_and_a_longer_stay_wait_as_a_pending_change(fleet):
    desk, kiosk, _ = three(fleet)
    party = fleet.reserve(desk, "19:30", ["T3"], party=3)
    longer = fleet.reserve(kiosk, "19:30", ["T1"])
    fleet.sync_all()
    fleet.cut("desk", "kiosk")
    fleet.move(desk, party, party_size=6, resources=["T3", "T4"])
    fleet.move(kiosk, longer, duration_minutes=180)
    assert fleet.now(desk, party).party_size == 3, "a change that is not granted shows already"
    fleet.reserve(fleet.the_hub, "21:00", ["T1"])
    fleet.heal()
    fleet.sync_all()
    grown = fleet.now(kiosk, party)
    assert (grown.party_size, sorted(c.resource for c in grown.live)) == (6, ["T3", "T4"])
    refused = fleet.now(kiosk, longer)
    assert refused.ends_at - refused.starts_at == 90 * 60
    assert refused.status == lifecycle.CONFIRMED
    fleet.assert_agree()


def test_7_two_devices_move_one_reservation_and_it_ends_in_one_place(fleet):
    desk, _kiosk, calls = three(fleet)
    moving = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    fleet.cut("desk", "calls")
    fleet.move(desk, moving, resources=["T2"])
    fleet.clocks.advance(seconds=1)
    fleet.move(calls, moving, time="21:30")
    fleet.heal()
    fleet.sync_all()
    for replica in fleet.replicas():
        shown = fleet.now(replica, moving)
        assert shown.status == lifecycle.CONFIRMED
        assert len(shown.live) == 1, "one reservation, one place"
        assert shown.pending_change is None
    fleet.assert_agree()


def test_7_seated_while_a_move_waits_never_loses_both_places(fleet):
    desk, kiosk, calls = three(fleet)
    moving = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    fleet.cut("desk", "calls")
    fleet.move(desk, moving, resources=["T2"])
    calls.reservations.check_in(moving.code)
    fleet.sync(kiosk)
    fleet.heal()
    fleet.sync_all()
    shown = fleet.now(kiosk, moving)
    assert shown.status == lifecycle.CHECKED_IN
    assert len(shown.live) == 1
    fleet.assert_agree()


def test_7_a_move_that_the_hub_overrules_leaves_nothing_of_itself(fleet):
    """Desk asks for another day; the hub, which saw it, moves within the day instead."""
    desk, _, _ = three(fleet)
    moving = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    with mock.patch.object(fleet.the_hub.holding, "_decide_all", return_value=[]):
        fleet.move(desk, moving, time=f"{NEXT_DAY}T19:30")
        fleet.sync(desk)
        assert fleet.now(fleet.the_hub, moving).pending_change is not None
        fleet.move(fleet.the_hub, moving, time="21:30")
    fleet.sync_all()
    for replica in fleet.replicas():
        shown = fleet.now(replica, moving)
        assert shown.service_date == DAY, "the date of a change that was never granted"
        assert len(shown.live) == 1
    fleet.assert_agree()


# --- 10, 12, 15 -----------------------------------------------------------------------------------


def test_10_a_decision_that_arrives_before_the_claim_it_admits_occupies(fleet):
    """C holds the hub's page but not B's: U1 is not free, details not here yet."""
    _desk, kiosk, calls = three(fleet)
    asked = fleet.reserve(kiosk, "19:30", ["T1"])
    fleet.sync(kiosk)
    hub_only = [
        frame
        for frame in Exchange(fleet.the_hub).frames_lacking(fleet.book, {})[0]
        if frame.incarnation == fleet.the_hub.identity.incarnation
    ]
    with calls.transaction():
        calls.merge(fleet.book, hub_only)
    with pytest.raises(NotAvailable):
        fleet.reserve(calls, "19:30", ["T1"])
    known = calls.view(asked.id)
    assert known is not None
    assert [c.state for c in known.claims] == [LIVE]
    fleet.sync_all()
    assert fleet.now(calls, asked).code == asked.code
    fleet.assert_agree()


def test_12_a_stay_over_the_weekend_refuses_its_saturday(tmp_path):
    from tests.kit import HOTEL

    with Fleet(tmp_path, HOTEL) as fleet:
        desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
        weekend = fleet.reserve(desk, "2027-06-04T15:00", ["R101"], nights=3)
        fleet.sync_all()
        with pytest.raises(NotAvailable):
            fleet.reserve(kiosk, "2027-06-05T15:00", ["R101"], nights=1)
        leaving = fleet.reserve(kiosk, "2027-06-07T15:00", ["R101"], nights=1)
        fleet.sync_all()
        assert fleet.now(desk, leaving).status == lifecycle.CONFIRMED
        assert fleet.now(desk, weekend).nights == 3
        fleet.assert_agree()


def test_12_moved_to_two_other_dates_at_once_stands_on_one(fleet):
    desk, _kiosk, calls = three(fleet)
    moving = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    fleet.cut("desk", "calls")
    fleet.move(desk, moving, time=f"{NEXT_DAY}T19:30")
    fleet.move(calls, moving, time="2027-06-05T19:30")
    fleet.heal()
    fleet.sync_all()
    dates = set()
    for replica in fleet.replicas():
        shown = fleet.now(replica, moving)
        assert len(shown.live) == 1
        assert (
            f"2027-06-0{3 + (shown.starts_at - moving.starts_at) // 86_400}" == shown.service_date
        )
        dates.add(shown.service_date)
    assert len(dates) == 1
    fleet.assert_agree()


def test_15_a_clock_that_is_ahead_is_succeeded_and_everybody_folds_alike(fleet):
    desk, _kiosk, _ = three(fleet)
    fleet.clocks.off_ms["desk"] = 40 * 60_000
    desk = fleet.crash("desk")
    assert isinstance(desk, Node)
    early = fleet.reserve(desk, "19:30", ["T1"])
    before = desk.identity.incarnation
    assert (early.stamp >> 16) > desk.clock.now_ms() - 1_000
    fleet.sync(desk)
    assert fleet.now(fleet.the_hub, early).status == lifecycle.CONFIRMED
    assert fleet.the_hub.last_stamp >> 16 < early.stamp >> 16, "a wild stamp moved the hub's clock"
    assert desk.identity.incarnation != before, "the life whose stamps ran ahead was not ended"
    later = fleet.reserve(desk, "21:30", ["T1"])
    assert later.stamp >> 16 < early.stamp >> 16
    desk.reservations.cancel(early.code)
    fleet.sync_all()
    for replica in fleet.replicas():
        assert fleet.now(replica, early).status == lifecycle.CANCELLED
        assert fleet.now(replica, later).status == lifecycle.CONFIRMED
    fleet.assert_agree()
    assert desk.store.queue.waiting() == 0


# --- 17, 18, 19, 20 -------------------------------------------------------------------------------


def test_17_one_last_place_asked_for_through_two_devices_is_given_once(fleet):
    desk, kiosk, calls = three(fleet)
    fleet.reserve(fleet.the_hub, "19:30", ["HALL"], party=8)
    fleet.sync_all()
    fleet.cut("kiosk", "calls")
    asked = [fleet.reserve(node, "19:30", ["HALL"], party=2) for node in (kiosk, calls)]
    fleet.heal()
    fleet.sync_all()
    statuses = sorted(fleet.now(desk, view).status for view in asked)
    assert statuses == [lifecycle.COMMIT_FAILED, lifecycle.CONFIRMED]
    fleet.assert_agree()


@pytest.mark.parametrize("verdict", ["admitted", "moved", "displaced"])
def test_18_a_guest_cancels_while_the_holder_decides(fleet, verdict):
    _desk, _kiosk, calls = three(fleet)
    if verdict != "admitted":
        fleet.cut("calls")
        fleet.reserve(fleet.the_hub, "19:30", ["T1"])
    asked = fleet.reserve(calls, "19:30", ["T1"], may_move=verdict == "moved")
    fleet.heal()
    # The hub decides, and its answer is lost; the guest cancels meanwhile.
    fleet.losing_answers["calls"] = True
    with pytest.raises(Unreachable):
        calls.sync()
    assert fleet.now(fleet.the_hub, asked).decision.verdict == verdict
    calls.reservations.cancel(asked.code)
    fleet.sync_all()
    for replica in fleet.replicas():
        shown = fleet.now(replica, asked)
        assert shown.status == lifecycle.CANCELLED
        assert shown.live == shown.pending == []
    fleet.assert_agree()


def test_20_a_day_of_partition_with_every_message_doubled_and_reversed(fleet):
    desk, kiosk, calls = three(fleet)
    fleet.cut("desk", "kiosk", "calls")
    views = []
    for hour in range(10, 22, 2):
        for node, table in ((desk, "T1"), (kiosk, "T1"), (calls, "T2")):
            views.append(fleet.reserve(node, f"{hour}:00", [table]))
            fleet.clocks.advance(minutes=1)
    desk.reservations.cancel(views[0].code)
    fleet.heal()
    requests = []
    for node in (desk, kiosk, calls):
        peer = exchange_module.Peer(node.home, heads={})
        requests.append(Exchange(node).request(peer))
    for request in [*reversed(requests), *requests]:
        Exchange(fleet.the_hub).answer(request)
    fleet.sync_all()
    for view in views:
        assert len(set(fleet.shown(view).values())) == 1
        assert fleet.now(desk, view).pending == []
    fleet.assert_agree()
    assert [n.store.queue.waiting() for n in (desk, kiosk, calls)] == [0, 0, 0]


# --- 23, 24, 25 -----------------------------------------------------------------------------------


def test_23_a_cancel_that_saw_an_amendment_from_a_fast_clock_comes_after_it(fleet):
    desk, _kiosk, calls = three(fleet)
    booked = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    fleet.clocks.off_ms["desk"] = 3_600_000
    desk = fleet.crash("desk")
    fleet.move(desk, booked, occasion="birthday")
    amended = fleet.now(desk, booked)
    assert isinstance(desk, Node)
    fleet.sync(desk)
    fleet.sync(calls)
    assert fleet.now(calls, booked).occasion == "birthday"
    cancelled = calls.reservations.cancel(booked.code)
    assert amended.stamp > calls.last_stamp, "the cancel was meant to carry the smaller stamp"
    assert cancelled.status == lifecycle.CANCELLED
    fleet.sync_all()
    for replica in fleet.replicas():
        shown = fleet.now(replica, booked)
        assert (shown.status, shown.occasion) == (lifecycle.CANCELLED, "birthday")
    fleet.assert_agree()


def test_23_two_devices_amend_different_fields_and_both_stand(fleet):
    desk, _kiosk, calls = three(fleet)
    booked = fleet.reserve(desk, "19:30", ["T3"], party=3)
    fleet.sync_all()
    fleet.cut("desk", "calls")
    fleet.move(desk, booked, occasion="birthday")
    fleet.move(calls, booked, source="phone", metadata={"crm.contact": "crm:4711"})
    fleet.heal()
    fleet.sync_all()
    for replica in fleet.replicas():
        shown = fleet.now(replica, booked)
        assert (shown.occasion, shown.source) == ("birthday", "phone")
        assert shown.metadata == {"crm.contact": "crm:4711"}
    fleet.assert_agree()


def test_23_two_devices_amend_the_time_and_one_stands(fleet):
    desk, _kiosk, calls = three(fleet)
    booked = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    fleet.cut("desk", "calls")
    first = fleet.move(desk, booked, time="12:00")
    fleet.clocks.advance(seconds=1)
    fleet.move(calls, booked, time="14:00")
    fleet.heal()
    fleet.sync_all()
    starts = {fleet.now(r, booked).starts_at for r in fleet.replicas()}
    assert starts == {first.pending_change["starts_at"]}, "the earlier request was to stand"
    fleet.assert_agree()


def test_24_a_node_that_dies_before_sealing_loses_nothing_it_answered(fleet):
    desk, kiosk, _ = three(fleet)
    booked = fleet.reserve(desk, "19:30", ["T1"])
    revived = fleet.crash("desk")
    assert isinstance(revived, Node)
    assert revived.other_life == []
    assert fleet.now(revived, booked).status == lifecycle.COMMIT_PENDING
    fleet.sync_all()
    assert fleet.now(kiosk, booked).status == lifecycle.CONFIRMED
    fleet.assert_agree()


def test_24_a_push_torn_in_the_middle_of_a_page_is_refused_whole_and_comes_again(fleet):
    import msgspec

    desk, _kiosk, _ = three(fleet)
    for hour in range(10, 22, 2):
        fleet.reserve(desk, f"{hour}:00", ["T1"])
    peer = exchange_module.Peer(desk.home, heads={})
    request = Exchange(desk).request(peer)
    own = next(f for f in request.frames if f.incarnation == desk.identity.incarnation)
    torn = msgspec.structs.replace(own, update=own.update[: len(own.update) // 2])
    answer = Exchange(fleet.the_hub).answer(
        msgspec.structs.replace(request, frames=(torn,), keys=())
    )
    assert [reason for _, _, reason in answer.refused] == ["update-truncated"]
    fleet.sync_all()
    fleet.assert_agree()
    assert desk.store.queue.waiting() == 0


def test_24_entries_beyond_the_seal_are_kept_aside_and_not_counted(fleet):
    import msgspec

    from holdfast.sync.seals import sign_seal

    desk, kiosk, _ = three(fleet)
    fleet.reserve(desk, "10:00", ["T1"])
    sealed_view = fleet.reserve(desk, "12:00", ["T1"])
    n, head = desk.tip(fleet.book)
    unsealed = fleet.reserve(desk, "14:00", ["T1"])
    request = Exchange(desk).request(exchange_module.Peer(desk.home, heads={}))
    own = next(f for f in request.frames if f.incarnation == desk.identity.incarnation)
    seal = sign_seal(desk.identity.key, fleet.book, desk.identity.incarnation, n, head)
    partly = msgspec.structs.replace(own, sealed=n, seal=seal)
    answer = Exchange(fleet.the_hub).answer(
        msgspec.structs.replace(request, frames=(partly,), keys=())
    )
    acked = {inc: entries for inc, entries, _ in answer.acks}
    assert acked[desk.identity.incarnation] == n
    assert fleet.the_hub.view(sealed_view.id) is not None
    assert fleet.the_hub.view(unsealed.id) is None
    fleet.sync_all()
    assert fleet.now(kiosk, unsealed).status == lifecycle.CONFIRMED
    fleet.assert_agree()


def test_25_a_backlog_in_pieces_displaces_nobody_for_what_it_cancelled_itself(fleet, monkeypatch):
    desk, kiosk, _ = three(fleet)
    fleet.cut("desk", "kiosk")
    withdrawn = fleet.reserve(desk, "19:30", ["T1"])
    fleet.clocks.advance(minutes=1)
    other = fleet.reserve(kiosk, "19:30", ["T1"])
    for hour in range(10, 19):
        fleet.reserve(desk, f"{hour}:30" if hour % 3 == 0 else f"{hour}:00", ["HALL"], party=1)
    desk.reservations.cancel(withdrawn.code)
    fleet.heal()
    monkeypatch.setattr(exchange_module, "EXCHANGE_ENTRIES", 3)
    pieces = []
    real = fleet.the_hub.after_merge

    def between(name, sender, more, complete, merged):
        real(name, sender, more, complete, merged)
        pieces.append(more)
        if more and len(pieces) == 2:
            kiosk.sync()

    with mock.patch.object(fleet.the_hub, "after_merge", between):
        desk.sync()
    assert pieces.count(True) >= 3, "the backlog was meant to come in pieces"
    fleet.sync_all()
    assert fleet.now(desk, other).status == lifecycle.CONFIRMED
    gone = fleet.now(kiosk, withdrawn)
    assert (gone.status, gone.live, gone.pending) == (lifecycle.CANCELLED, [], [])
    fleet.assert_agree()


def test_all_replicas_show_the_same_after_a_restart_of_each(fleet):
    desk, kiosk, _ = three(fleet)
    fleet.reserve(desk, "19:30", ["T1"])
    fleet.reserve(kiosk, "19:30", ["T1"])
    fleet.sync_all()
    for name in ("hub", "desk", "kiosk", "calls"):
        fleet.reopen(name)
    fleet.sync_all()
    assert_same_book(fleet.replicas(), fleet.book)
    fleet.assert_agree()


@pytest.mark.parametrize("first", ["desk", "twin"])
def test_5_branches_that_parted_thousands_of_entries_ago_come_to_an_end(fleet, monkeypatch, first):
    """One message does not reach back to where they parted: heads say how far they are alike."""
    monkeypatch.setattr("holdfast.node.exchange.EXCHANGE_ENTRIES", 16)
    monkeypatch.setattr("holdfast.node.exchange.TRAIL_SPACING", 8)
    desk = fleet.join("desk")
    for number in range(60):
        fleet.reserve(desk, f"2027-{7 + number // 28:02}-{1 + number % 28:02}T12:00", ["T1"])
    fleet.sync_all()
    twin = fleet.clone_unnoticed("desk", "twin")
    desk = fleet.nodes["desk"]
    for number in range(50):
        day = f"2027-{7 + number // 28:02}-{1 + number % 28:02}"
        fleet.reserve(desk, f"{day}T19:30", ["T1"])
        fleet.reserve(twin, f"{day}T19:30", ["T2"])
    fleet.rounds = 0
    fleet.sync(*((desk, twin) if first == "desk" else (twin, desk)))
    fleet.sync_all(3)
    assert fleet.rounds < 60, f"{fleet.rounds} rounds: an exchange goes in circles"
    assert [node.store.queue.waiting() for node in (desk, twin)] == [0, 0]
    fleet.assert_agree()


def test_an_exchange_that_goes_in_circles_is_given_up_for_now(fleet, monkeypatch):
    desk = fleet.join("desk")
    fleet.reserve(desk, "19:30", ["T1"])
    monkeypatch.setattr(desk.exchange, "_lacks", lambda peer: True)
    with pytest.raises(Unreachable, match="no progress"):
        desk.sync()
    monkeypatch.undo()
    desk.sync()
    assert desk.store.queue.waiting() == 0


def test_a_feed_that_only_tells_a_device_its_own_words_comes_to_its_end(fleet, monkeypatch):
    """Such stretches bring nothing; what moves is the place in the feed."""
    desk = fleet.join("desk")
    fleet.sync_all()
    hub, peer = fleet.the_hub, desk.new_peer()
    for _ in range(3):
        request = desk.exchange.request(peer)
        answer = Exchange(hub).answer(request)
        desk.exchange.absorb(peer, request, answer)
    assert peer.cursor is not None
    moved = []
    for step in (1, 1, 0):
        request = desk.exchange.request(peer)
        cursor = msgspec.structs.replace(peer.cursor, seq=peer.cursor.seq + step)
        answer = msgspec.structs.replace(Exchange(hub).answer(request), cursor=cursor, more=True)
        moved.append(desk.exchange.absorb(peer, request, answer).moved)
    assert moved == [True, True, False]
