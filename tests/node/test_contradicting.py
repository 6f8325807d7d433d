"""What reservations raise, wherever one looks, and what a person's answer really does."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from holdfast.model import lifecycle
from holdfast.model.errors import BadTransition, Invalid, NotAvailable, NotFound, RuleViolated
from holdfast.model.reservation import View
from holdfast.node import attention
from holdfast.node.audit import audit_entries
from holdfast.node.inspection import exceptions
from holdfast.node.node import Node
from holdfast.node.service import Service
from tests.kit import Fleet, entries_of, exchange_once


def raised(replica: Service) -> list[tuple[str, str]]:
    """(code, kind) of what is open at a replica."""
    return sorted((item["code"], item["kind"]) for item in exceptions(replica))


def the(replica: Service, kind: str) -> dict[str, Any]:
    [item] = [item for item in exceptions(replica) if item["kind"] == kind]
    return item


def answer(replica: Service, kind: str, action: str, *resources: str, **more: Any) -> None:
    item = the(replica, kind)
    attention.resolve(replica, item["id"], action, "called_guest", resources, **more)


def everywhere(fleet: Fleet) -> list[tuple[str, str]]:
    """What is open, which must be the same at every replica, word for word."""
    fleet.assert_agree()
    listed = [exceptions(replica) for replica in fleet.replicas()]
    assert all(one == listed[0] for one in listed), "replicas tell of different things"
    return raised(fleet.the_hub)


def at_one_table(fleet: Fleet) -> tuple[Node, Node, View, View]:
    """The desk and a kiosk that was cut off each seat a party at T1."""
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    fleet.cut("kiosk")
    first = fleet.reserve(desk, "19:30", ["T1"])
    late = fleet.reserve(kiosk, "19:30", ["T1"])
    fleet.clocks.advance(hours=33, minutes=20)
    desk.reservations.check_in(first.code)
    fleet.clocks.advance(minutes=2)
    kiosk.reservations.check_in(late.code)
    fleet.heal()
    fleet.sync_all()
    return desk, kiosk, first, late


def displaced(fleet: Fleet) -> tuple[Node, View]:
    desk = fleet.join("desk")
    fleet.cut("desk")
    lost = fleet.reserve(desk, "19:30", ["T1"])
    fleet.reserve(fleet.the_hub, "19:30", ["T1"])
    fleet.heal()
    fleet.sync_all()
    return desk, lost


def twice(fleet: Fleet, one: str, other: str) -> tuple[Node, Node, View]:
    """Two devices that do not meet each take one step with a reservation of T1."""
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    made = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    fleet.clocks.advance(hours=33, minutes=30)
    fleet.cut("desk", "kiosk")
    for replica, step in ((desk, one), (kiosk, other)):
        getattr(replica.reservations, step)(made.code)
        fleet.clocks.advance(minutes=1)
    fleet.heal()
    fleet.sync_all()
    return desk, kiosk, made


# --- what is told ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("check_in", "check_in", "checked_in_twice"),
        ("cancel", "check_in", "seated_though_cancelled"),
        ("check_in", "cancel", "seated_though_cancelled"),
        ("no_show", "check_in", "no_show_and_checked_in"),
        ("no_show", "cancel", "no_show_and_cancelled"),
    ],
)
def test_steps_that_contradict_are_told_alike_everywhere(fleet, one, other, kind):
    _, _, made = twice(fleet, one, other)
    assert (made.code, kind) in everywhere(fleet)
    item = the(fleet.the_hub, kind)
    assert made.code in item["detail"]
    assert [choice["action"] for choice in item["choices"]] == item["actions"]
    assert item["actions"]


def test_a_place_that_another_sells_now_is_told_so_and_had_by_asking_again(fleet):
    """The desk asks the hub for T2, which has meanwhile handed T2 to the kiosk."""
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    fleet.cut("desk")
    wish = fleet.reserve(desk, "19:30", ["T2"])
    fleet.the_hub.granting.grant("trattoria", "kiosk", ["T2"])
    fleet.heal()
    fleet.sync_all()
    assert everywhere(fleet) == [(wish.code, "displaced")]
    detail = the(desk, "displaced")["detail"]
    assert detail.startswith(f"{wish.code} could not be given T2: kiosk sells it now, and it may")
    assert f"resolve {wish.code} --action move --resource T2 --reason called_guest`" in detail
    answer(desk, "displaced", "move", "T2")
    fleet.sync_all()
    now = fleet.now(kiosk, wish)
    assert (now.status, [claim.resource for claim in now.live]) == ("confirmed", ["T2"])
    assert everywhere(fleet) == []


def test_overbooking_is_offered_only_where_the_venue_sets_a_limit(fleet):
    displaced(fleet)
    item = the(fleet.the_hub, "displaced")
    assert item["actions"] == ["move", "cancel", "refund-later", "acknowledge"]
    assert [choice["action"] for choice in item["choices"]] == item["actions"]


def test_two_check_ins_say_who_saw_how_many_when(fleet):
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    made = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    fleet.cut("desk", "kiosk")
    desk.reservations.check_in(made.code, 2)
    fleet.clocks.advance(minutes=5)
    kiosk.reservations.check_in(made.code, 1)
    fleet.heal()
    fleet.sync_all()
    detail = the(desk, "checked_in_twice")["detail"]
    assert "desk at 10:13 for 2 and kiosk at 10:18 for 1" in detail


def test_two_parties_at_one_table_are_told_alike_everywhere(fleet):
    _, _, first, late = at_one_table(fleet)
    assert everywhere(fleet) == [
        (late.code, "seated_without_place"),
        (late.code, "two_parties"),
    ]
    item = the(fleet.the_hub, "two_parties")
    assert first.code in item["detail"] and "T1" in item["detail"]
    assert item["actions"] == ["move", "walk", "keep-both", "acknowledge"]
    assert len(item["others"]) == 1


def test_two_parties_are_told_before_anybody_decided(fleet):
    """Two devices that meet without the hub know already who sits where."""
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    fleet.cut("desk", "kiosk")
    for device in (desk, kiosk):
        device.reservations.check_in(fleet.reserve(device, "19:30", ["T1"]).code)
        fleet.clocks.advance(minutes=1)
    exchange_once(desk, kiosk)
    exchange_once(kiosk, desk)
    assert exceptions(desk) == exceptions(kiosk)
    assert [kind for _, kind in raised(desk)] == ["two_parties"]


def test_who_left_sits_nowhere(fleet):
    desk, _, first, _ = at_one_table(fleet)
    desk.reservations.complete(first.code)
    fleet.sync_all()
    assert [kind for _, kind in everywhere(fleet)] == ["seated_without_place"]


def test_devices_that_learned_of_it_in_another_order_show_the_same(fleet):
    """Every order in which the pages of three devices reach a fourth one."""
    devices = [fleet.join(name, "kiosk") for name in ("desk", "kiosk", "calls")]
    watchers = [fleet.join(f"watch-{n}") for n in range(6)]
    made = fleet.reserve(devices[0], "19:30", ["T1"])
    fleet.sync_all()
    fleet.clocks.advance(hours=33, minutes=30)
    fleet.cut(*fleet.nodes)
    devices[0].reservations.check_in(made.code, 2)
    fleet.clocks.advance(minutes=1)
    devices[1].reservations.cancel(made.code)
    devices[2].reservations.check_in(made.code, 4)
    other = fleet.reserve(devices[2], "20:00", ["T2"])
    devices[2].reservations.check_in(other.code)
    for watcher, order in zip(watchers, itertools.permutations(devices), strict=True):
        for device in order:
            exchange_once(watcher, device)
    listed = [exceptions(watcher) for watcher in watchers]
    assert all(one == listed[0] for one in listed)
    assert {item["kind"] for item in listed[0]} == {"checked_in_twice", "seated_though_cancelled"}
    held = [
        [entries_of(watcher, fleet.book, device.identity.incarnation) for device in devices]
        for watcher in watchers
    ]
    assert all(one == held[0] for one in held)


# --- what a person does ---------------------------------------------------------------------------


def test_a_displaced_party_is_moved_to_a_free_table_in_the_same_step(fleet):
    desk, lost = displaced(fleet)
    answer(desk, "displaced", "move", "T2")
    assert raised(desk) == []
    assert fleet.now(desk, lost).status == lifecycle.COMMIT_PENDING
    fleet.sync_all()
    found = fleet.now(desk, lost)
    assert (found.status, found.live[0].resource) == (lifecycle.CONFIRMED, "T2")
    assert everywhere(fleet) == []


def test_a_displaced_party_is_moved_to_another_time(fleet):
    desk, lost = displaced(fleet)
    answer(desk, "displaced", "move", starts_at="2027-06-03T21:30")
    fleet.sync_all()
    assert fleet.now(desk, lost).status == lifecycle.CONFIRMED
    assert everywhere(fleet) == []


def test_a_table_that_has_become_free_again_can_be_given_back(fleet):
    desk, lost = displaced(fleet)
    [winner] = fleet.now(desk, lost).decision.won
    fleet.the_hub.reservations.cancel(fleet.the_hub.view(winner).code)
    fleet.sync_all()
    answer(desk, "displaced", "move", "T1")
    fleet.sync_all()
    assert fleet.now(desk, lost).status == lifecycle.CONFIRMED


def test_whoever_is_moved_to_what_is_taken_meanwhile_is_told_of_again(fleet):
    desk, lost = displaced(fleet)
    fleet.cut("desk")
    fleet.reserve(fleet.the_hub, "19:30", ["T2"])
    answer(desk, "displaced", "move", "T2")
    assert raised(desk) == []
    fleet.heal()
    fleet.sync_all()
    assert everywhere(fleet) == [(lost.code, "displaced")]


@pytest.mark.parametrize("action", ["cancel", "refund-later"])
def test_a_displaced_reservation_is_cancelled(fleet, action):
    desk, lost = displaced(fleet)
    answer(desk, "displaced", action)
    found = fleet.now(desk, lost)
    assert (found.status, found.cancelled_by) == (lifecycle.CANCELLED, "venue")
    fleet.sync_all()
    assert everywhere(fleet) == []


@pytest.mark.parametrize("at", ["desk", "hub"])
def test_a_party_at_somebody_elses_table_is_moved_to_a_free_one(fleet, at):
    desk, _, _, late = at_one_table(fleet)
    replica = desk if at == "desk" else fleet.the_hub
    answer(replica, "two_parties", "move", "T2")
    assert raised(replica) == [], "somebody is seeing to it, and they have a place again"
    fleet.sync_all()
    found = fleet.now(desk, late)
    assert (found.status, found.live[0].resource) == (lifecycle.CHECKED_IN, "T2")
    assert everywhere(fleet) == []


@pytest.mark.parametrize("at", ["desk", "hub"])
def test_a_party_that_walked_to_a_free_table_has_it(fleet, at):
    desk, _, _, late = at_one_table(fleet)
    replica = desk if at == "desk" else fleet.the_hub
    answer(replica, "seated_without_place", "walk", "T2")
    assert raised(replica) == []
    fleet.sync_all()
    assert [claim.resource for claim in fleet.now(desk, late).live] == ["T2"]
    assert everywhere(fleet) == []


@pytest.mark.parametrize("at", ["desk", "hub"])
def test_a_walk_to_a_promised_table_is_recorded_and_takes_nothing_from_anybody(fleet, at):
    desk, _, _, late = at_one_table(fleet)
    promised = fleet.reserve(fleet.the_hub, "19:30", ["T2"], kind="walk_in")
    fleet.sync_all()
    replica = desk if at == "desk" else fleet.the_hub
    answer(replica, "seated_without_place", "walk", "T2")
    fleet.the_hub.settle(fleet.book)
    fleet.sync_all()
    assert everywhere(fleet) == [(late.code, "seated_without_place")], "told of again"
    assert fleet.now(desk, promised).status == lifecycle.CONFIRMED
    desk.reservations.check_in(promised.code)
    fleet.sync_all()
    assert (promised.code, "two_parties") in everywhere(fleet)


def test_a_walk_is_not_in_the_way_of_who_sat_there_earlier(fleet):
    desk, _, _, late = at_one_table(fleet)
    earlier = fleet.reserve(fleet.the_hub, "18:30", ["T2"], kind="walk_in", duration_minutes=62)
    fleet.sync_all()
    answer(desk, "two_parties", "walk", "T2")
    fleet.sync_all()
    found = fleet.now(desk, late)
    assert [claim.resource for claim in found.live] == ["T2"]
    assert found.live[0].start >= earlier.ends_at
    assert everywhere(fleet) == []


@pytest.mark.parametrize("action", ["keep-both", "acknowledge"])
def test_two_parties_that_share_a_table_bother_nobody_any_more(fleet, action):
    desk, _, _, late = at_one_table(fleet)
    before = fleet.now(desk, late).claims
    answer(desk, "two_parties", action)
    fleet.sync_all()
    assert everywhere(fleet) == [(late.code, "seated_without_place")]
    assert fleet.now(desk, late).claims == before


def test_who_is_seated_is_never_sent_elsewhere_by_the_hub(fleet):
    desk = fleet.join("desk")
    fleet.cut("desk")
    made = fleet.reserve(desk, "19:30", ["T1"], may_move=True)
    desk.reservations.check_in(made.code)
    fleet.reserve(fleet.the_hub, "19:30", ["T1"])
    fleet.heal()
    fleet.sync_all()
    assert fleet.now(desk, made).decision.verdict == "displaced"
    assert everywhere(fleet) == [(made.code, "seated_without_place")]


def test_a_seated_party_can_be_moved_after_its_start(fleet):
    desk = fleet.join("desk")
    made = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    fleet.clocks.advance(hours=34)
    desk.reservations.check_in(made.code)
    fleet.move(desk, made, resources=["T2"])
    fleet.sync_all()
    assert fleet.now(desk, made).live[0].resource == "T2"
    with pytest.raises(RuleViolated, match="is over"):
        fleet.move(desk, made, time="18:00")


@pytest.mark.parametrize(
    ("action", "resources", "more", "error", "words"),
    [
        ("shrug", [], {}, Invalid, "must be one of move, overbook, cancel,"),
        ("walk", ["T2"], {}, Invalid, "must be one of"),
        ("move", [], {}, Invalid, "name the place"),
        ("move", ["T9"], {}, Invalid, "no resource 'T9'"),
        ("move", ["T1"], {}, NotAvailable, "not free"),
        ("cancel", ["T2"], {}, Invalid, "alone"),
        ("acknowledge", [], {"starts_at": "2027-06-03T21:30"}, Invalid, "alone"),
        ("move", [], {"starts_at": "2027-06-03T19:30"}, RuleViolated, "there already"),
    ],
)
def test_what_cannot_be_done_is_refused_and_leaves_nothing(
    fleet, action, resources, more, error, words
):
    desk, lost = displaced(fleet)
    before = fleet.now(desk, lost)
    with pytest.raises(error, match=words):
        answer(desk, "displaced", action, *resources, **more)
    assert fleet.now(desk, lost) == before
    assert raised(desk) == [(lost.code, "displaced")]
    assert desk.store.queue.counts()["queued"] == 0


def test_what_is_over_is_said_to_be_over(fleet):
    desk, _, made = twice(fleet, "check_in", "cancel")
    desk.reservations.complete(made.code)
    fleet.sync_all()
    assert "walk" not in the(desk, "seated_though_cancelled")["actions"]
    with pytest.raises(BadTransition, match=r"completed: walk is not possible any more; what is"):
        answer(desk, "seated_though_cancelled", "walk", "T2")
    answer(desk, "seated_though_cancelled", "refund-later")
    assert raised(desk) == []


def test_who_sits_there_already_does_not_walk_there(fleet):
    desk, *_ = at_one_table(fleet)
    with pytest.raises(RuleViolated, match="sit at T1 already"):
        answer(desk, "two_parties", "walk", "T1")


def test_an_action_may_be_typed_as_people_type(fleet):
    desk, *_ = at_one_table(fleet)
    answer(desk, "two_parties", " Keep_Both ")
    assert "two_parties" not in dict(raised(desk)).values()


def test_an_answer_to_what_is_not_open_is_refused(fleet):
    desk, *_ = at_one_table(fleet)
    item = the(desk, "two_parties")
    answer(desk, "two_parties", "keep-both")
    with pytest.raises(NotFound, match="may have been resolved"):
        attention.resolve(desk, item["id"], "keep-both", "called_guest")


def test_the_record_says_what_was_decided_and_what_it_changed(fleet):
    desk, _, _, late = at_one_table(fleet)
    answer(desk, "two_parties", "walk", "T2")
    items, _ = audit_entries(desk, late.code)
    resolved, walked = items[-2:]
    assert resolved["kind"] == "exception.resolved"
    assert resolved["after"]["resolved"] == "two_parties"
    assert resolved["after"]["action"] == "walk"
    assert resolved["after"]["reason"] == "called_guest"
    assert walked["after"]["seated_at"] == ["T2"]
    assert {item["node"] for item in (resolved, walked)} == {"desk"}
