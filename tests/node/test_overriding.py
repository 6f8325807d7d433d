"""A supervisor's override: beyond the capacity by the limit, and never by more, whoever is cut off.

T1 and the hall may be overbooked, T2 may not. The desk holds T1 whole, the bar four seats of the
hall; the rest is the hub's, and so is the overbooking of the hall.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from holdfast.model.errors import Forbidden, Invalid, NotAvailable, RuleViolated
from holdfast.model.events import ClaimDecided
from holdfast.model.reservation import View
from holdfast.node import attention, holds, inspection, returning, taking_away
from holdfast.node.audit import audit_entries
from holdfast.node.decisions import verify_decision
from holdfast.node.doctor import doctor
from holdfast.node.foreseeing import foreseen
from holdfast.node.requests import HoldRequest, Override, ReserveRequest
from holdfast.node.service import Service
from tests.kit import DAY, HOTEL, TRATTORIA, Fleet, assert_same_book

VIP = Override(reason="vip_guest")
LIMITS = [{"resources": ["T1", "T3", "T4"], "limit": 1}, {"resources": ["HALL"], "limit": 2}]
UNDIVIDED: dict[str, Any] = copy.deepcopy(TRATTORIA) | {"overbooking": LIMITS}
DIVIDED: dict[str, Any] = UNDIVIDED | {
    "allotments": [
        {"holder": "desk", "resources": ["T1"]},
        {"holder": "bar", "resources": ["HALL"], "quantity": 4},
    ]
}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, DIVIDED) as made:
        for name in ("desk", "bar"):
            made.join(name)
        made.join("kiosk", role="kiosk")
        made.sync_all()
        yield made


@pytest.fixture
def undivided(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, UNDIVIDED) as made:
        for name in ("desk", "bar"):
            made.join(name)
        made.join("kiosk", role="kiosk")
        made.sync_all()
        yield made


def told(view: View) -> tuple[str, str, str]:
    return view.status, view.assurance, view.override


def settle(fleet: Fleet) -> None:
    fleet.heal()
    fleet.sync_all()
    fleet.assert_agree()


def refused(fleet: Fleet, replica: Service, *given: Any, **more: Any) -> str:
    with pytest.raises(RuleViolated) as raised:
        fleet.reserve(replica, *given, override=VIP, **more)
    (violation,) = raised.value.extra["violations"]
    assert violation["rule"] == "overbooking-limit"
    return str(violation["message"])


# --- who may, and how much ------------------------------------------------------------------------


def test_the_holder_overbooks_offline_by_the_limit_and_no_further(fleet: Fleet):
    desk = fleet.nodes["desk"]
    fleet.cut("desk")
    first = fleet.reserve(desk, "19:00", ["T1"])
    with pytest.raises(NotAvailable):
        fleet.reserve(desk, "19:00", ["T1"])
    second = fleet.reserve(desk, "19:30", ["T1"], override=VIP)
    assert told(second) == ("confirmed", "guaranteed", "vip_guest")
    message = refused(fleet, desk, "19:00", ["T1"])
    assert message.startswith("T1 on 2027-06-03 is overbooked by its limit of 1 already.")
    settle(fleet)
    for replica in fleet.replicas():
        assert told(fleet.now(replica, first)) == ("confirmed", "guaranteed", "")
        assert told(fleet.now(replica, second)) == ("confirmed", "guaranteed", "vip_guest")


def test_where_there_is_room_nothing_is_marked(fleet: Fleet):
    view = fleet.reserve(fleet.nodes["desk"], "19:00", ["T1"], override=VIP)
    assert told(view) == ("confirmed", "guaranteed", "")
    asked = fleet.reserve(fleet.nodes["bar"], "19:00", ["T4"], override=VIP)
    settle(fleet)
    assert told(fleet.now(fleet.the_hub, asked)) == ("confirmed", "admitted", "")


def test_what_has_no_limit_is_not_overbooked(fleet: Fleet):
    hub = fleet.the_hub
    fleet.reserve(hub, "19:00", ["T2"])
    assert "T2 on 2027-06-03 may not be overbooked" in refused(fleet, hub, "19:00", ["T2"])


def test_the_hub_does_not_overbook_what_a_device_holds_whole(fleet: Fleet):
    """It asks the device, as it would for an ordinary sale, and the device says so in the end."""
    hub, desk = fleet.the_hub, fleet.nodes["desk"]
    fleet.reserve(desk, "19:00", ["T1"])
    fleet.sync_all()
    fleet.cut("desk")
    wish = fleet.reserve(hub, "19:00", ["T1"], override=VIP)
    assert told(wish) == ("commit_pending", "provisional", "")
    own = fleet.reserve(desk, "19:00", ["T1"], override=Override(reason="group"))
    settle(fleet)
    lost = fleet.now(hub, wish)
    assert lost.status == "commit_failed"
    assert lost.decision is not None
    assert (lost.decision.by, lost.decision.reason) == ("desk", "over-limit")
    assert told(fleet.now(hub, own)) == ("confirmed", "guaranteed", "group")


def test_of_two_supervisors_who_ask_the_hub_one_is_admitted(undivided: Fleet):
    fleet, hub = undivided, undivided.the_hub
    desk, bar = fleet.nodes["desk"], fleet.nodes["bar"]
    fleet.reserve(hub, "19:00", ["T1"])
    fleet.sync_all()
    fleet.cut("desk", "bar")
    wishes = [fleet.reserve(one, "19:00", ["T1"], override=VIP) for one in (desk, bar)]
    assert [told(one) for one in wishes] == [("commit_pending", "provisional", "")] * 2
    assert inspection.exceptions(desk) == []
    expected = foreseen(desk, wishes[0])
    assert expected is not None
    assert (expected.verdict, expected.reason) == ("admitted", "override")
    settle(fleet)
    after = [fleet.now(desk, one) for one in wishes]
    assert [one.status for one in after] == ["confirmed", "commit_failed"]
    assert [one.decision and one.decision.reason for one in after] == ["override", "over-limit"]
    assert [one.override for one in after] == ["vip_guest", ""]


def test_a_share_of_a_pool_is_overbooked_by_the_hub_alone(fleet: Fleet):
    hub, bar = fleet.the_hub, fleet.nodes["bar"]
    fleet.cut("bar")
    assert fleet.reserve(bar, "19:00", ["HALL"], party=4).assurance == "guaranteed"
    assert fleet.reserve(hub, "19:00", ["HALL"], party=6).assurance == "guaranteed"
    # As far as the hub knows the bar has four left: that is room, and the bar is asked for it.
    ordinary = fleet.reserve(hub, "19:00", ["HALL"], party=2, override=VIP)
    assert told(ordinary) == ("commit_pending", "provisional", "")
    wish = fleet.reserve(bar, "19:00", ["HALL"], party=1, override=VIP)
    assert wish.status == "commit_pending"
    settle(fleet)
    assert fleet.now(hub, ordinary).status == "commit_failed", "a share overbooks nothing"
    assert told(fleet.now(hub, wish)) == ("confirmed", "admitted", "vip_guest")
    assert fleet.reserve(hub, "19:00", ["HALL"], party=1, override=VIP).override == "vip_guest"
    assert "limit of 2" in refused(fleet, hub, "19:00", ["HALL"], party=1)
    settle(fleet)


def test_places_that_are_left_to_several_holders_are_overbooked_where_none_has_enough(fleet: Fleet):
    """Two seats are left to the bar and one to the hub: a party of three has them from nobody."""
    hub, bar = fleet.the_hub, fleet.nodes["bar"]
    fleet.reserve(bar, "19:00", ["HALL"], party=2)
    fleet.reserve(hub, "19:00", ["HALL"], party=5)
    fleet.sync_all()
    over = fleet.reserve(hub, "19:00", ["HALL"], party=3, override=VIP)
    assert told(over) == ("confirmed", "guaranteed", "vip_guest")
    settle(fleet)


def test_a_time_that_a_device_has_in_part_is_overbooked_by_nobody(tmp_path: Path):
    always = {name: value for name, value in UNDIVIDED.items() if name != "hours"}
    with Fleet(tmp_path, always) as fleet:
        hub, desk = fleet.the_hub, fleet.join("desk")
        fleet.sync_all()
        fleet.reserve(hub, "2027-06-05T23:30", ["T1"])
        hub.granting.grant("trattoria", "desk", ["T1"], from_date="2027-06-06")
        for replica in (hub, desk):
            fleet.sync_all()
            message = refused(fleet, replica, "2027-06-06T00:00", ["T1"], duration_minutes=90)
            assert message.startswith("Nobody may overbook T1 at that time")
        # What the hub's party has left is the desk's: it alone overbooks from there on.
        fleet.reserve(desk, "2027-06-06T01:00", ["T1"])
        assert fleet.reserve(desk, "2027-06-06T01:00", ["T1"], override=VIP).override
        before = fleet.reserve(hub, "2027-06-05T23:30", ["T1"], override=VIP)
        assert told(before) == ("confirmed", "guaranteed", "vip_guest")
        settle(fleet)


def test_a_capacity_that_grows_makes_no_second_overbooker(tmp_path: Path):
    """The desk holds all ten seats and does not know that there are twelve now."""
    whole = UNDIVIDED | {"allotments": [{"holder": "desk", "resources": ["HALL"]}]}
    with Fleet(tmp_path, whole) as fleet:
        desk, hub = fleet.join("desk"), fleet.the_hub
        fleet.sync_all()
        fleet.cut("desk")
        larger = copy.deepcopy(whole)
        larger["resources"][-1]["capacity"] = 12
        hub.import_venue(larger)
        fleet.reserve(desk, "19:00", ["HALL"], party=10)
        assert fleet.reserve(desk, "19:00", ["HALL"], party=2, override=VIP).override
        assert fleet.reserve(hub, "19:00", ["HALL"], party=2).assurance == "guaranteed"
        wish = fleet.reserve(hub, "19:00", ["HALL"], party=2, override=VIP)
        assert wish.status == "commit_pending", "the desk alone may"
        fleet.heal()
        fleet.sync_all()
        assert fleet.now(hub, wish).status == "commit_failed"


def test_without_a_name_the_least_overbooked_place_is_taken_and_only_if_nothing_is_free(
    undivided: Fleet,
):
    hub = undivided.the_hub
    taken = {undivided.reserve(hub, "19:00", override=VIP).live[0].resource for _ in range(4)}
    assert taken == {"T1", "T2", "T3", "T4"}
    (over,) = undivided.reserve(hub, "19:00", override=VIP).live
    assert (over.resource, over.override) == ("T1", True)
    assert undivided.reserve(hub, "19:00", override=VIP).live[0].resource == "T3"
    assert undivided.slots(hub) and all(
        slot["starts_at"][11:16] != "19:00" for slot in undivided.slots(hub)
    )


def test_a_wish_that_may_be_moved_is_moved_before_anybody_is_overbooked(undivided: Fleet):
    fleet, desk = undivided, undivided.nodes["desk"]
    fleet.cut("desk")
    fleet.reserve(fleet.the_hub, "19:00", ["T1"])
    wish = fleet.reserve(desk, "19:00", ["T1"], may_move=True, override=VIP)
    settle(fleet)
    after = fleet.now(desk, wish)
    assert (after.status, after.live[0].resource, after.override) == ("confirmed", "T2", "")


# --- whose word counts ----------------------------------------------------------------------------


def test_a_kiosk_is_refused(fleet: Fleet):
    with pytest.raises(Forbidden, match="a kiosk overbooks nothing"):
        fleet.reserve(fleet.nodes["kiosk"], "19:00", ["T1"], override=VIP)


def test_a_kiosk_that_has_the_place_answers_a_desks_override_and_is_not_accused(undivided: Fleet):
    """Who asked insists; the kiosk only has the place."""
    fleet, kiosk, desk = undivided, undivided.nodes["kiosk"], undivided.nodes["desk"]
    (held,) = fleet.the_hub.granting.grant("trattoria", "kiosk", ["T1"])
    fleet.sync_all()
    fleet.reserve(kiosk, "19:00", ["T1"])
    fleet.cut("desk")
    wish = fleet.reserve(desk, "19:00", ["T1"], override=VIP)
    settle(fleet)
    assert told(fleet.now(desk, wish)) == ("confirmed", "admitted", "vip_guest")
    assert fleet.the_hub.rights(fleet.book).now(held.right.id) is not None


def test_a_word_that_is_on_no_list_is_refused(fleet: Fleet):
    with pytest.raises(Invalid) as raised:
        fleet.reserve(fleet.the_hub, "19:00", ["T1"], override=Override(reason="Ann Smith"))
    assert raised.value.extra["errors"][0]["field"] == "override.reason"


def test_an_override_that_a_kiosk_wrote_all_the_same_counts_for_nothing(
    undivided: Fleet, monkeypatch: pytest.MonkeyPatch
):
    fleet, kiosk = undivided, undivided.nodes["kiosk"]
    fleet.reserve(fleet.the_hub, "19:00", ["T1"])
    fleet.sync_all()
    monkeypatch.setattr("holdfast.node.overriding.reason_of", lambda *_: "vip_guest")
    wish = fleet.reserve(kiosk, "19:00", ["T1"], override=VIP)
    monkeypatch.undo()
    settle(fleet)
    after = fleet.now(kiosk, wish)
    assert after.status == "commit_failed"
    assert after.decision is not None
    assert after.decision.reason == "taken"


# --- moves, and what a person sees ----------------------------------------------------------------


def test_a_move_onto_an_overbooked_place_gives_the_old_one_up(fleet: Fleet):
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    fleet.reserve(desk, "19:00", ["T1"])
    view = fleet.reserve(hub, "19:00", ["T2"])
    fleet.sync_all()
    with pytest.raises(NotAvailable):
        fleet.move(desk, view, resources=["T1"])
    fleet.move(desk, view, resources=["T1"], override=VIP)
    settle(fleet)
    after = fleet.now(hub, view)
    assert [claim.resource for claim in after.live] == ["T1"]
    assert after.override == "vip_guest"
    assert fleet.reserve(hub, "19:00", ["T2"]).status == "confirmed"
    back = fleet.move(desk, view, resources=["T4"])
    settle(fleet)
    assert fleet.now(hub, back).override == ""


def test_an_override_needs_a_change_of_place(fleet: Fleet):
    view = fleet.reserve(fleet.the_hub, "19:00", ["T2"])
    with pytest.raises(Invalid, match="is for a change of time, place or size"):
        fleet.move(fleet.the_hub, view, occasion="birthday", override=VIP)


def test_a_displaced_wish_is_overbooked_by_a_person(undivided: Fleet):
    fleet, desk, hub = undivided, undivided.nodes["desk"], undivided.the_hub
    fleet.cut("desk")
    fleet.reserve(hub, "19:00", ["T1"])
    wish = fleet.reserve(desk, "19:00", ["T1"])
    fleet.heal()
    fleet.sync_all()
    (item,) = inspection.exceptions(desk)
    assert "overbook" in item["actions"]
    with pytest.raises(Invalid, match="must be a word of the list"):
        attention.resolve(desk, item["id"], "overbook", "called_guest")
    attention.resolve(desk, item["id"], "overbook", "goodwill")
    settle(fleet)
    assert told(fleet.now(hub, wish)) == ("confirmed", "admitted", "goodwill")
    changes = audit_entries(desk, wish.code)[0]
    assert [
        one["after"].get("reason") for one in changes if one["kind"] == "exception.resolved"
    ] == ["goodwill"]
    (used,) = [one for one in changes if one["after"].get("override")]
    assert (used["node"], used["after"]["override"]) == ("hub", "goodwill")
    (seen,) = inspection.exceptions(hub)
    assert seen["kind"] == "overbooked"
    assert "T1, asked for at desk, given by hub (goodwill)" in seen["detail"]
    attention.resolve(hub, seen["id"], "acknowledge", "seen")
    settle(fleet)
    assert inspection.exceptions(desk) == []


# --- an account below zero ------------------------------------------------------------------------


def test_after_the_first_party_ends_nobody_is_sold_its_place(fleet: Fleet):
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    first = fleet.reserve(desk, "19:00", ["T1"])
    second = fleet.reserve(desk, "19:00", ["T1"], override=VIP)
    desk.reservations.cancel(first.code)
    with pytest.raises(NotAvailable):
        fleet.reserve(desk, "19:00", ["T1"])
    settle(fleet)
    with pytest.raises(NotAvailable):
        fleet.reserve(hub, "19:00", ["T1"])
    desk.reservations.cancel(second.code)
    assert fleet.reserve(desk, "19:00", ["T1"]).override == ""
    settle(fleet)


def test_an_overbooked_right_passes_to_the_hub_and_on_with_both_parties(fleet: Fleet):
    desk, bar, hub = fleet.nodes["desk"], fleet.nodes["bar"], fleet.the_hub
    fleet.cut("desk")
    first = fleet.reserve(desk, "19:00", ["T1"])
    second = fleet.reserve(desk, "19:30", ["T1"], override=VIP)
    (held,) = desk.rights(fleet.book).of_resource("T1")
    returning.give_back(desk, held.right.id)
    settle(fleet)
    assert "limit of 1" in refused(fleet, hub, "19:00", ["T1"])
    (granted,) = hub.granting.grant("trattoria", "bar", ["T1"])
    assert granted.right.whole
    fleet.sync_all()
    fleet.cut("bar")
    assert "limit of 1" in refused(fleet, bar, "19:30", ["T1"])
    bar.reservations.cancel(second.code)
    assert not fleet.now(bar, second).live, "its new holder ends it"
    assert fleet.reserve(bar, "19:30", ["T1"], override=VIP).override == "vip_guest"
    settle(fleet)
    assert fleet.now(desk, first).status == "confirmed"


def test_a_grant_cuts_no_party_in_two_where_parties_overlap(tmp_path: Path):
    """What stays the hub's at the end of a grant keeps back what overlaps it, and so on."""
    always = {name: value for name, value in UNDIVIDED.items() if name != "hours"}
    with Fleet(tmp_path, always) as fleet:
        hub = fleet.the_hub
        fleet.join("desk")
        fleet.sync_all()
        inside = fleet.reserve(hub, "2027-06-05T20:30", ["T1"])
        before = fleet.reserve(hub, "2027-06-05T22:30", ["T1"])
        across = fleet.reserve(hub, "2027-06-05T23:30", ["T1"], override=VIP)
        assert across.override
        (granted,) = hub.granting.grant("trattoria", "desk", ["T1"], until_date="2027-06-05")
        assert granted.end == before.starts_at
        fleet.sync_all()
        desk = fleet.nodes["desk"]
        desk.reservations.cancel(inside.code)
        assert not fleet.now(desk, inside).live, "the desk's to end"
        desk.reservations.cancel(before.code)
        assert fleet.now(desk, before).live, "the hub's to end"
        settle(fleet)


def test_a_table_with_more_overlapping_sales_than_one_grant_names_is_granted_in_stretches(
    undivided: Fleet,
):
    fleet, hub = undivided, undivided.the_hub
    made = []
    with hub.transaction():
        for day in range(10, 24):
            for half in range(16, 29, 3):
                for start in (half, half + 1):
                    time = f"2027-06-{day}T{start // 2:02}:{start % 2 * 30:02}"
                    made.append(fleet.reserve(hub, time, ["T1"], override=VIP))
    rights = hub.granting.grant("trattoria", "desk", ["T1"])
    assert len(rights) == 3
    for view in made:
        (claim,) = view.live
        assert any(one.start <= claim.start and claim.end <= one.end for one in rights)
    fleet.sync_all()
    fleet.cut("desk")
    desk = fleet.nodes["desk"]
    for view in (made[0], made[65], made[-1]):
        desk.reservations.cancel(view.code)
        assert not fleet.now(desk, view).live
    settle(fleet)


def test_an_account_below_zero_hands_nothing_out_and_goes_no_lower_when_the_capacity_does(
    fleet: Fleet,
):
    hub, bar = fleet.the_hub, fleet.nodes["bar"]
    fleet.reserve(hub, "19:00", ["HALL"], party=6)
    assert fleet.reserve(bar, "19:00", ["HALL"], party=4).assurance == "guaranteed"
    fleet.sync_all()
    assert fleet.reserve(hub, "19:00", ["HALL"], party=1, override=VIP).override
    with pytest.raises(RuleViolated, match="HALL has 0 left to hand out"):
        hub.granting.grant("trattoria", "desk", ["HALL"], 1)
    smaller = copy.deepcopy(DIVIDED)
    smaller["resources"][-1]["capacity"] = 9
    # Asked who stands there it is refused; versions of before that was asked are in books for ever.
    with mock.patch.object(taking_away, "require_nobody_there"):
        hub.import_venue(smaller)
    assert "limit of 2" in refused(fleet, hub, "19:00", ["HALL"], party=1)
    (held,) = bar.rights(fleet.book).of_resource("HALL")
    returning.give_back(bar, held.right.id)
    fleet.sync_all()
    assert "limit of 2" in refused(fleet, hub, "19:00", ["HALL"], party=1)
    offered = [slot["starts_at"][11:16] for slot in fleet.slots(hub, resource_kind="pool")]
    assert "17:30" in offered
    assert "19:00" not in offered
    assert_same_book(fleet.replicas(), fleet.book)


def test_a_revoked_overbooking_is_asked_of_the_hub_within_the_same_limit(fleet: Fleet):
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    fleet.cut("desk")
    first = fleet.reserve(desk, "19:00", ["T1"])
    second = fleet.reserve(desk, "19:00", ["T1"], override=VIP)
    (held,) = hub.rights(fleet.book).of_resource("T1")
    hub.granting.revoke(held.right.id, "stranded")
    resold = fleet.reserve(hub, "19:00", ["T1"])
    assert resold.assurance == "guaranteed"
    settle(fleet)
    after = {one.code: fleet.now(hub, one) for one in (first, second)}
    assert after[first.code].status == "commit_failed"
    assert told(after[second.code]) == ("confirmed", "admitted", "vip_guest")


def test_a_doctor_finds_nothing_wrong_where_a_place_is_overbooked(fleet: Fleet):
    desk = fleet.nodes["desk"]
    for _ in range(2):
        fleet.reserve(desk, "19:00", ["T1"], override=VIP)
    settle(fleet)
    for replica in fleet.replicas():
        found = {check.name: check for check in doctor(replica.store.directory)}
        assert found["chains"].ok and found["projections"].ok, found


# --- decisions ------------------------------------------------------------------------------------


def test_a_decision_that_overbooks_is_verified(undivided: Fleet):
    fleet, desk = undivided, undivided.nodes["desk"]
    fleet.reserve(fleet.the_hub, "19:00", ["T1"])
    fleet.sync_all()
    wish = fleet.reserve(desk, "19:00", ["T1"], override=VIP)
    settle(fleet)
    found = verify_decision(desk, wish.code)
    assert (found["verdict"], found["reason"], found["ok"]) == ("admitted", "override", True), found


def test_a_decision_that_overbooks_what_nobody_asked_for_so_is_not(undivided: Fleet):
    fleet, desk, hub = undivided, undivided.nodes["desk"], undivided.the_hub
    fleet.cut("desk")
    wish = fleet.reserve(desk, "19:00", ["T1"])
    fleet.heal()
    record = desk.record(wish.id, fleet.book)
    assert record is not None
    (asked,) = [one for one in record.seen if one.kind == "reservation.created"]
    with hub.transaction():
        hub.append(
            fleet.book, ClaimDecided(asked.operation, "admitted", "override"), subject=wish.id,
            claims=asked.claims,
        )  # fmt: skip
    fleet.sync_all()
    found = verify_decision(desk, wish.code)
    assert not found["ok"]
    assert not found["checks"]["request"]
    assert "overbooked on purpose" in " ".join(found["notes"])
    assert fleet.now(desk, wish).override == ""


def test_who_sold_before_the_hub_overbooked_has_oversold_nothing(fleet: Fleet):
    """A place comes back to whoever sold it once, with one party more: both came with the right."""
    hub, desk = fleet.the_hub, fleet.nodes["desk"]
    own = fleet.reserve(desk, "19:30", ["T1"])
    returning.give_back(desk, next(hub.rights(fleet.book).active()).right.id)
    fleet.sync_all()
    over = fleet.reserve(hub, "19:30", ["T1"], override=VIP)
    (right,) = hub.granting.grant("trattoria", "desk", ["T1"])
    fleet.sync_all()
    fleet.cut("desk")
    later = fleet.reserve(desk, "2027-06-04T20:00", ["T1"])
    fleet.move(fleet.nodes["bar"], own, party_size=1)
    fleet.sync(fleet.nodes["bar"])
    assert hub.rights(fleet.book).now(right.right.id) is not None
    assert fleet.reserve(hub, "2027-06-04T20:00", ["T1"]).status == "commit_pending"
    settle(fleet)
    for view in (own, over, later):
        assert fleet.now(hub, view).status == "confirmed"


def test_what_is_held_is_reserved_beside_an_overbooking_that_came_later(fleet: Fleet) -> None:
    """Neither takes the other's place, and the desk has not sold more than it may."""
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    held = holds.place(
        desk,
        HoldRequest(
            venue="trattoria", starts_at=f"{DAY}T19:30", party_size=2, resources=["T1"]
        ),
    )  # fmt: skip
    vip = fleet.reserve(desk, "19:30", ["T1"], override=VIP)
    done = holds.reserve(desk, held.code, ReserveRequest(user_id="u-1"))
    assert told(done) == ("confirmed", "guaranteed", "")
    settle(fleet)
    assert [fleet.now(hub, one).status for one in (held, vip)] == ["confirmed", "confirmed"]
    assert hub.rights(fleet.book).now(done.live[0].right) is not None, "not oversold"
    refused(fleet, desk, "19:30", ["T1"])


# --- one chair more -------------------------------------------------------------------------------


def test_one_chair_more_is_put_to_a_table_that_is_named_by_a_supervisor_alone(fleet: Fleet):
    hub = fleet.the_hub
    for seats, named in ((3, ["T2"]), (10, ["T3", "T4"])):
        with pytest.raises(RuleViolated, match="does not fit") as raised:
            fleet.reserve(hub, "12:00", named, party=seats)
        assert raised.value.extra["violations"][0]["rule"] == "seats"
        view = fleet.reserve(hub, "12:00", named, party=seats, override=VIP)
        assert told(view) == ("confirmed", "guaranteed", "vip_guest")
        with pytest.raises(RuleViolated, match="with a chair more at each"):
            fleet.reserve(hub, "19:00", named, party=seats + 1, override=VIP)
        (entry, *_), _ = audit_entries(hub, reservation=view.code)
        assert entry["after"]["override"] == "vip_guest"
        assert view.id in {row[1] for row in hub.store.projections.exceptions(fleet.book)}
    with pytest.raises(Forbidden, match="kiosk overbooks nothing"):
        fleet.reserve(fleet.nodes["kiosk"], "19:00", ["T2"], party=3, override=VIP)
    settle(fleet)


def test_a_party_is_assigned_to_a_table_with_one_chair_more_and_moved_on(fleet: Fleet):
    desk = fleet.nodes["desk"]
    view = fleet.reserve(desk, "19:00", party=3)
    with pytest.raises(RuleViolated, match="T1 seat 2 at most"):
        fleet.move(desk, view, resources=["T1"])
    fleet.cut("desk")
    fleet.move(desk, view, resources=["T1"], override=VIP)
    settle(fleet)
    moved = fleet.now(fleet.the_hub, view)
    assert ([claim.resource for claim in moved.live], moved.override) == (["T1"], "vip_guest")
    other = fleet.reserve(desk, "12:00", ["T1"])
    fleet.move(desk, other, party_size=3, resources=["T1"], override=VIP)
    settle(fleet)
    assert told(fleet.now(fleet.the_hub, other)) == ("confirmed", "guaranteed", "vip_guest")
    fleet.move(desk, other, party_size=2, resources=["T1"])
    settle(fleet)
    assert fleet.now(fleet.the_hub, other).party_size == 2


def test_no_bed_is_put_into_a_room(tmp_path: Path):
    with Fleet(tmp_path, HOTEL) as fleet, pytest.raises(RuleViolated, match="R101 seat 4 at most"):
        fleet.reserve(fleet.the_hub, "15:00", ["R101"], party=5, nights=1, override=VIP)
