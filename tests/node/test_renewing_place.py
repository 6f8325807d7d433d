"""A no-show gives its place up, and who came after all asks for it anew (H-35, DESIGN §5.5)."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.model import lifecycle
from holdfast.model.claims import ENDED, LIVE
from holdfast.model.errors import BadTransition, NotAvailable, RuleViolated
from holdfast.model.moments import reserved_at_ms
from holdfast.model.reservation import View
from holdfast.node import amending, holds, no_shows
from holdfast.node.node import Node
from holdfast.node.requests import HoldRequest, Override, ReserveRequest
from holdfast.node.service import Service
from tests.kit import TRATTORIA, Fleet

NOON = "2027-06-02T12:00"
TWO_TABLES: dict[str, Any] = copy.deepcopy(TRATTORIA) | {
    "resources": [
        {"id": "T1", "kind": "table", "seats": [1, 2]},
        {"id": "T2", "kind": "table", "seats": [1, 2]},
    ],
}
DESKS: dict[str, Any] = copy.deepcopy(TWO_TABLES) | {
    "policies": {"advance_days": 365, "mark_no_shows": True},
    "allotments": [{"holder": "desk", "resources": ["T1", "T2"]}],
}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """All is the hub's."""
    with Fleet(tmp_path, TWO_TABLES) as made:
        made.join("desk")
        made.sync_all()
        yield made


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Fleet]:
    """All is the desk's; there is another desk."""
    with Fleet(tmp_path, DESKS) as made:
        made.join("desk")
        made.join("bar")
        made.sync_all()
        yield made


def late(fleet: Fleet, at: Service, minutes: float = 20) -> View:
    """A reservation for noon at T1, whose guests are late by so many minutes."""
    view = fleet.reserve(at, NOON, ["T1"])
    fleet.sync_all()
    fleet.clocks.advance(minutes=(view.starts_at * 1000 - at.clock.now_ms()) / 60_000 + minutes)
    fleet.sync_all()
    return view


def walk_in(fleet: Fleet, at: Service, table: str, time: str = "2027-06-02T12:30") -> View:
    return fleet.reserve(at, time, [table], kind="walk_in", duration_minutes=60)


def desk_of(fleet: Fleet) -> Node:
    return fleet.nodes["desk"]


def tables(view: View) -> list[str]:
    return [claim.resource for claim in view.live]


def test_the_place_is_free_for_others_at_once(desks: Fleet) -> None:
    desk = desk_of(desks)
    view = late(desks, desk)
    missed = desk.reservations.no_show(view.code)
    assert (missed.status, tables(missed), missed.assurance) == (lifecycle.NO_SHOW, [], "none")
    assert walk_in(desks, desk, "T1").assurance == "guaranteed"
    desks.sync_all()
    desks.assert_agree()


def test_it_is_free_too_where_nobody_marks_but_the_clock(desks: Fleet) -> None:
    desk = desk_of(desks)
    view = late(desks, desk)
    assert no_shows.mark_all(desk) == 1
    assert [one.state for one in desks.now(desk, view).claims] == [ENDED]
    assert walk_in(desks, desk, "T1").assurance == "guaranteed"


def test_who_came_after_all_has_the_same_place_again(desks: Fleet) -> None:
    desk = desk_of(desks)
    view = late(desks, desk)
    desk.reservations.no_show(view.code)
    again = desk.reservations.undo_no_show(view.code)
    assert (again.status, tables(again), again.assurance) == ("confirmed", ["T1"], "guaranteed")
    assert (again.starts_at, again.ends_at) == (view.starts_at, view.ends_at)
    assert desk.reservations.check_in(view.code).status == "checked_in"
    desks.sync_all()
    assert set(desks.shown(view).values()) == {"checked_in"}
    desks.assert_agree()


def test_who_came_after_all_has_another_place_where_somebody_sits_there_now(desks: Fleet) -> None:
    desk = desk_of(desks)
    view = late(desks, desk)
    desk.reservations.no_show(view.code)
    walk_in(desks, desk, "T1")
    again = desk.reservations.undo_no_show(view.code)
    assert (again.status, tables(again), again.assurance) == ("confirmed", ["T2"], "guaranteed")


def test_another_place_is_theirs_for_the_rest_of_their_time_if_need_be(desks: Fleet) -> None:
    desk = desk_of(desks)
    before = desks.reserve(desk, NOON, ["T2"], duration_minutes=30)
    view = late(desks, desk, 45)
    assert desks.now(desk, before).status == "confirmed"
    desk.reservations.no_show(view.code)
    walk_in(desks, desk, "T1", "2027-06-02T13:00")
    again = desk.reservations.undo_no_show(view.code)
    assert tables(again) == ["T2"]
    assert again.starts_at == view.starts_at + 45 * 60
    assert again.ends_at == view.ends_at


def test_where_nothing_is_left_the_mark_stays_and_says_what_to_do(desks: Fleet) -> None:
    desk = desk_of(desks)
    view = late(desks, desk)
    desk.reservations.no_show(view.code)
    walk_in(desks, desk, "T1")
    walk_in(desks, desk, "T2")
    before = desk.tip(desks.book)
    with pytest.raises(
        NotAvailable, match=r"nothing else is free until 2027-06-02 13:30.*waitlist"
    ):
        desk.reservations.undo_no_show(view.code)
    assert desk.tip(desks.book) == before
    assert desks.now(desk, view).status == lifecycle.NO_SHOW


def test_what_had_passed_when_it_was_marked_is_not_given_up(fleet: Fleet) -> None:
    hub = fleet.the_hub
    view = late(fleet, hub, 95)
    missed = hub.reservations.no_show(view.code)
    assert [one.state for one in missed.claims] == [LIVE]
    again = hub.reservations.undo_no_show(view.code)
    assert [one.id for one in again.live] == [one.id for one in view.live]
    assert again.status == "confirmed"


def test_a_day_later_it_can_be_said_that_they_were_there(desks: Fleet) -> None:
    desk = desk_of(desks)
    view = late(desks, desk)
    desk.reservations.no_show(view.code)
    desks.clocks.advance(hours=20)
    assert desk.reservations.undo_no_show(view.code).status == "confirmed"
    desk.reservations.check_in(view.code)
    assert desk.reservations.complete(view.code).status == "completed"


def test_what_another_holds_is_promised_again_by_nobody_but_its_holder(fleet: Fleet) -> None:
    desk, hub = desk_of(fleet), fleet.the_hub
    view = late(fleet, desk)
    fleet.cut("desk")
    missed = desk.reservations.no_show(view.code)
    assert tables(missed) == ["T1"], "the hub has not ended it"
    again = desk.reservations.undo_no_show(view.code)
    assert (again.status, again.assurance) == ("commit_pending", "provisional")
    fleet.heal()
    fleet.sync_all()
    now = fleet.now(desk, view)
    assert (now.status, tables(now), now.assurance) == ("confirmed", ["T1"], "admitted")
    assert fleet.now(hub, view).status == "confirmed"
    fleet.assert_agree()


@pytest.mark.parametrize("sold", [False, True])
def test_the_holder_had_heard_of_the_mark_alone(fleet: Fleet, sold: bool) -> None:
    desk, hub = desk_of(fleet), fleet.the_hub
    view = late(fleet, desk)
    desk.reservations.no_show(view.code)
    fleet.losing_answers["desk"] = True
    with pytest.raises(Exception, match="lost on its way"):
        fleet.sync(desk)
    fleet.cut("desk")
    assert tables(fleet.now(hub, view)) == []
    if sold:
        walk_in(fleet, hub, "T1")
    again = desk.reservations.undo_no_show(view.code)
    assert again.status == "commit_pending", "the hub may have given the place away"
    fleet.heal()
    fleet.sync_all()
    now = fleet.now(desk, view)
    assert now.status == ("commit_failed" if sold else "confirmed")
    assert [kind for kind, _ in now.exceptions] == (["displaced"] if sold else [])
    fleet.assert_agree()


def test_guests_who_sit_already_keep_what_they_asked_for(fleet: Fleet) -> None:
    desk, hub = desk_of(fleet), fleet.the_hub
    view = late(fleet, desk)
    fleet.cut("desk")
    desk.reservations.no_show(view.code)
    desk.reservations.undo_no_show(view.code)
    desk.reservations.check_in(view.code)
    fleet.heal()
    fleet.sync_all()
    for replica in (desk, hub):
        now = fleet.now(replica, view)
        assert (now.status, tables(now), now.assurance) == ("checked_in", ["T1"], "admitted")
        assert len(now.occupying) == 1
    fleet.assert_agree()


def test_two_desks_that_take_it_back_apart_have_one_place_for_it(desks: Fleet) -> None:
    desk, bar = desk_of(desks), desks.nodes["bar"]
    view = late(desks, desk)
    desk.reservations.no_show(view.code)
    desks.sync_all()
    desks.cut("desk", "bar")
    assert bar.reservations.undo_no_show(view.code).status == "commit_pending"
    desks.clocks.advance(seconds=5)
    assert desk.reservations.undo_no_show(view.code).assurance == "guaranteed"
    desks.heal()
    desks.sync_all()
    for replica in desks.replicas():
        now = desks.now(replica, view)
        assert (now.status, tables(now)) == ("confirmed", ["T1"])
        assert len(now.occupying) == 1
        assert not now.pending
    desks.assert_agree()


def test_a_wish_that_nobody_came_for_displaces_nobody(fleet: Fleet) -> None:
    desk, hub = desk_of(fleet), fleet.the_hub
    fleet.cut("desk")
    view = fleet.reserve(desk, NOON, ["T1"])
    fleet.clocks.advance(hours=2, minutes=10)
    assert desk.reservations.no_show(view.code).assurance == "provisional"
    fleet.heal()
    fleet.sync_all()
    now = fleet.now(hub, view)
    assert (now.status, now.assurance, now.pending, now.decision) == ("no_show", "none", [], None)
    assert walk_in(fleet, hub, "T1").status == "confirmed"


def test_a_wish_is_asked_again_when_they_came_after_all(fleet: Fleet) -> None:
    desk = desk_of(fleet)
    fleet.cut("desk")
    view = fleet.reserve(desk, NOON, ["T1"])
    fleet.clocks.advance(hours=2, minutes=10)
    desk.reservations.no_show(view.code)
    assert desk.reservations.undo_no_show(view.code).status == "commit_pending"
    fleet.heal()
    fleet.sync_all()
    now = fleet.now(desk, view)
    assert (now.status, tables(now), len(now.occupying)) == ("confirmed", ["T1"], 1)
    fleet.assert_agree()


def test_a_change_that_waits_elsewhere_comes_first(fleet: Fleet) -> None:
    desk = desk_of(fleet)
    view = late(fleet, desk)
    fleet.cut("desk")
    fleet.move(desk, view, resources=["T2"])
    desk.reservations.no_show(view.code)
    with pytest.raises(BadTransition, match="could be moved is not answered yet"):
        desk.reservations.undo_no_show(view.code)


def test_a_second_mark_gives_up_what_was_had_again(desks: Fleet) -> None:
    desk = desk_of(desks)
    view = late(desks, desk)
    for _ in range(2):
        assert desk.reservations.no_show(view.code).occupying == []
        assert tables(desk.reservations.undo_no_show(view.code)) == ["T1"]
    desks.sync_all()
    assert set(desks.shown(view).values()) == {"confirmed"}
    desks.assert_agree()


def test_of_two_marks_apart_each_is_taken_back_by_itself(desks: Fleet) -> None:
    desk, bar = desk_of(desks), desks.nodes["bar"]
    view = late(desks, desk)
    desks.cut("desk", "bar")
    for replica in (desk, bar):
        replica.reservations.no_show(view.code)
        replica.reservations.undo_no_show(view.code)
        desks.clocks.advance(seconds=5)
    desks.heal()
    desks.sync_all()
    for one in desks.replicas():
        now = desks.now(one, view)
        assert (now.status, tables(now), len(now.occupying)) == ("confirmed", ["T1"], 1)
    desks.assert_agree()


def test_a_mark_that_nobody_took_back_stands(desks: Fleet) -> None:
    desk, bar = desk_of(desks), desks.nodes["bar"]
    view = late(desks, desk)
    desks.cut("desk", "bar")
    bar.reservations.no_show(view.code)
    desk.reservations.no_show(view.code)
    desk.reservations.undo_no_show(view.code)
    desks.heal()
    desks.sync_all()
    assert set(desks.shown(view).values()) == {"no_show"}
    assert desks.now(desk, view).occupying == []
    desk.reservations.undo_no_show(view.code)
    desks.sync_all()
    for replica in desks.replicas():
        now = desks.now(replica, view)
        assert (now.status, tables(now), len(now.occupying)) == ("confirmed", ["T1"], 1)
    desks.assert_agree()


def test_a_place_beyond_the_capacity_is_kept_as_one(tmp_path: Path) -> None:
    venue = TWO_TABLES | {"overbooking": [{"resources": ["T1"], "limit": 1}]}
    with Fleet(tmp_path, venue) as fleet:
        hub, desk = fleet.the_hub, fleet.join("desk")
        fleet.reserve(hub, NOON, ["T1"])
        view = fleet.reserve(hub, NOON, ["T1"], override=Override(reason="vip_guest"))
        assert (view.status, view.override) == ("confirmed", "vip_guest")
        fleet.clocks.advance(hours=2)
        fleet.sync_all()
        for _ in range(2):
            fleet.cut("desk")
            desk.reservations.no_show(view.code)
            desk.reservations.undo_no_show(view.code)
            fleet.heal()
            fleet.sync_all()
        now = fleet.now(hub, view)
        assert (now.status, now.override, tables(now)) == ("confirmed", "vip_guest", ["T1"])
        assert "overbooked" in dict(now.exceptions)
        fleet.assert_agree()


def test_what_is_asked_for_again_and_again_is_one_place(fleet: Fleet) -> None:
    desk = desk_of(fleet)
    fleet.cut("desk")
    view = fleet.reserve(desk, NOON, ["T1"])
    fleet.clocks.advance(hours=2, minutes=10)
    for _ in range(3):
        desk.reservations.no_show(view.code)
        desk.reservations.undo_no_show(view.code)
    fleet.heal()
    fleet.sync_all()
    now = fleet.now(desk, view)
    assert (now.status, tables(now), len(now.occupying)) == ("confirmed", ["T1"], 1)
    fleet.assert_agree()


@pytest.mark.parametrize("sold", [False, True])
@pytest.mark.parametrize("seated", [False, True])
def test_who_was_moved_meanwhile_has_a_place_and_keeps_it(
    desks: Fleet, sold: bool, seated: bool
) -> None:
    desk, bar = desk_of(desks), desks.nodes["bar"]
    view = late(desks, desk)
    desks.cut("bar", "desk")
    if seated:
        desk.reservations.check_in(view.code)
        amending.walk(desk, view.code, ["T2"])
    else:
        assert desks.move(desk, view, resources=["T2"]).assurance == "guaranteed"
    if sold:
        walk_in(desks, desk, "T1")
    desks.clocks.advance(seconds=5)
    bar.reservations.no_show(view.code)
    assert bar.reservations.undo_no_show(view.code).status == "commit_pending"
    desks.heal()
    desks.sync_all()
    for one in desks.replicas():
        now = desks.now(one, view)
        assert now.status == ("checked_in" if seated else "confirmed")
        assert (tables(now), len(now.occupying), now.pending) == (["T2"], 1, [])
    desks.assert_agree()


def test_only_who_held_the_place_gives_another(tmp_path: Path) -> None:
    """Each of two devices that are apart might give a place of its own, and one guest had two."""
    venue = TWO_TABLES | {"allotments": [{"holder": "desk", "resources": ["T1"]}]}
    with Fleet(tmp_path, venue) as fleet:
        hub, desk = fleet.the_hub, fleet.join("desk")
        fleet.sync_all()
        view = late(fleet, desk)
        desk.reservations.no_show(view.code)
        party = walk_in(fleet, desk, "T1")
        fleet.sync_all()
        fleet.cut("desk")
        with pytest.raises(NotAvailable, match="nothing else is free"):
            hub.reservations.undo_no_show(view.code)
        desk.reservations.cancel(party.code, late=True)
        assert desk.reservations.undo_no_show(view.code).assurance == "guaranteed"
        fleet.heal()
        fleet.sync_all()
        assert tables(fleet.now(hub, view)) == ["T1"]
        fleet.assert_agree()


@pytest.mark.parametrize("at_hub", [False, True])
def test_a_combination_that_two_hold_is_asked_for_whole(tmp_path: Path, at_hub: bool) -> None:
    tables_of_four = [
        {"id": "T3", "kind": "table", "seats": [2, 4], "combines_with": ["T4"]},
        {"id": "T4", "kind": "table", "seats": [2, 4]},
    ]
    venue = copy.deepcopy(TRATTORIA) | {"resources": tables_of_four}
    with Fleet(tmp_path, venue) as fleet:
        hub, desk = fleet.the_hub, fleet.join("desk")
        view = fleet.reserve(hub, NOON, ["T3", "T4"], party=7)
        fleet.sync_all()
        hub.import_venue(venue | {"allotments": [{"holder": "desk", "resources": ["T3"]}]})
        fleet.sync_all()
        fleet.clocks.advance(hours=2, minutes=10)
        fleet.sync_all()
        at: Service = hub if at_hub else desk
        at.reservations.no_show(view.code)
        at.reservations.undo_no_show(view.code)
        fleet.sync_all()
        now = fleet.now(hub, view)
        assert now.status != "confirmed" or tables(now) == ["T3", "T4"]
        fleet.assert_agree()


def test_a_guest_who_reserved_a_hold_did_so_when_they_did(desks: Fleet) -> None:
    desk = desk_of(desks)
    wanted = HoldRequest(venue="trattoria", starts_at=NOON, party_size=2, resources=["T1"])
    hold = holds.place(desk, wanted)
    desks.clocks.advance(minutes=1)
    view = holds.reserve(desk, hold.code, ReserveRequest())
    desks.clocks.advance(hours=2)
    desk.reservations.no_show(view.code)
    again = desk.reservations.undo_no_show(view.code)
    record = desk.record(view.id, view.book)
    assert record is not None
    assert reserved_at_ms(again, record.seen) - view.made_at_ms in range(60_000, 61_000)


def test_who_asked_for_another_day_is_not_late_today(fleet: Fleet) -> None:
    """The hub may have moved them already, and would end what they were given (seed 145536)."""
    desk = desk_of(fleet)
    view = late(fleet, desk)
    fleet.cut("desk")
    fleet.move(desk, view, time="2027-06-05T12:00")
    with pytest.raises(RuleViolated, match="is to be moved, and begins then at 2027-06-05"):
        desk.reservations.no_show(view.code)


def test_a_mark_is_not_taken_back_beside_a_change_that_nobody_answered(fleet: Fleet) -> None:
    """Also where their time had passed when they were marked: the change was given up with it."""
    desk = desk_of(fleet)
    view = late(fleet, desk, 95)
    fleet.cut("desk")
    fleet.move(desk, view, resources=["T2"])
    desk.reservations.no_show(view.code)
    with pytest.raises(BadTransition, match="could be moved is not answered yet"):
        desk.reservations.undo_no_show(view.code)
