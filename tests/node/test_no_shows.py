"""Who did not come is marked by itself: once, by one replica, with a clock that knows the time."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.errors import RuleViolated
from holdfast.node import no_shows
from tests.kit import HOTEL, TRATTORIA, Fleet

MARKING: dict[str, Any] = copy.deepcopy(TRATTORIA) | {
    "policies": {"advance_days": 365, "mark_no_shows": True},
    "allotments": [
        {"holder": "desk", "resources": ["T1"]},
        {"holder": "kiosk", "resources": ["T2"]},
    ],
}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, MARKING) as made:
        made.join("desk")
        made.join("kiosk", role="kiosk")
        made.sync_all()
        yield made


def test_whoever_has_the_place_marks_and_nobody_twice(fleet: Fleet) -> None:
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    view = fleet.reserve(desk, "2027-06-02T12:30", ["T1"])
    fleet.sync_all()
    fleet.clocks.advance(hours=2, minutes=31)
    fleet.sync_all()
    assert [no_shows.mark_all(one) for one in (hub, desk)] == [0, 0], "it is 12:44"
    fleet.clocks.advance(minutes=2)
    fleet.sync_all()
    assert [no_shows.mark_all(one) for one in (hub, desk, desk)] == [0, 1, 0]
    fleet.sync_all()
    assert fleet.shown(view) == dict.fromkeys(("hub", "desk", "kiosk"), "no_show")
    fleet.assert_agree()


def test_what_a_kiosk_holds_the_hub_judges(fleet: Fleet) -> None:
    kiosk, hub = fleet.nodes["kiosk"], fleet.the_hub
    view = fleet.reserve(kiosk, "2027-06-02T12:30", ["T2"])
    fleet.clocks.advance(hours=3)
    fleet.sync_all()
    assert no_shows.mark_all(kiosk) == 0
    assert no_shows.mark_all(hub) == 1
    assert fleet.now(hub, view).status == "no_show"


def test_a_no_show_that_was_none_stays_one_that_was_none(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    view = fleet.reserve(desk, "2027-06-02T12:30", ["T1"])
    fleet.clocks.advance(hours=3)
    fleet.sync_all()
    assert no_shows.mark_all(desk) == 1
    desk.reservations.undo_no_show(view.code)
    assert no_shows.mark_all(desk) == 0
    assert fleet.now(desk, view).status == "confirmed"


def test_it_can_be_undone_for_a_day(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    first = fleet.reserve(desk, "2027-06-02T12:30", ["T1"])
    second = fleet.reserve(desk, "2027-06-02T14:30", ["T1"])
    fleet.clocks.advance(hours=5)
    fleet.sync_all()
    assert no_shows.mark_all(desk) == 2
    fleet.clocks.advance(hours=24)
    assert desk.reservations.undo_no_show(first.code).status == "confirmed"
    fleet.clocks.advance(hours=1)
    with pytest.raises(RuleViolated) as refused:
        desk.reservations.undo_no_show(second.code)
    assert refused.value.extra["violations"][0]["rule"] == "no-show-final"


def test_a_device_that_was_off_marks_when_it_is_back(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    fleet.reserve(desk, "2027-06-02T12:30", ["T1"])
    fleet.clocks.advance(hours=72)
    again = fleet.reopen("desk")
    assert no_shows.mark_all(again) == 0, "its clock was not set since the start"
    fleet.sync_all()
    assert no_shows.mark_all(again) == 1


def test_the_hub_waits_for_a_desk_that_may_have_seen_them(fleet: Fleet) -> None:
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    view = fleet.reserve(hub, "2027-06-02T12:30", ["T3"])
    fleet.sync_all()
    fleet.cut("desk")
    fleet.clocks.advance(hours=2, minutes=20)
    desk.reservations.check_in(view.code)
    fleet.clocks.advance(minutes=30)
    fleet.sync_all()
    assert no_shows.mark_all(hub) == 0
    fleet.heal()
    fleet.sync_all()
    assert no_shows.mark_all(hub) == 0
    assert (fleet.now(hub, view).status, fleet.now(hub, view).exceptions) == ("checked_in", ())


def test_a_venue_that_does_not_ask_marks_nobody(tmp_path: Path) -> None:
    with Fleet(tmp_path, MARKING | {"policies": {}}) as fleet:
        fleet.reserve(fleet.the_hub, "2027-06-02T12:30", ["T3"])
        fleet.clocks.advance(hours=3)
        assert no_shows.mark_all(fleet.the_hub) == 0


def test_a_stay_is_marked_at_the_next_noon(tmp_path: Path) -> None:
    with Fleet(tmp_path, HOTEL | {"policies": {"mark_no_shows": True}}) as fleet:
        hub = fleet.the_hub
        fleet.reserve(hub, "2027-06-02T15:00", ["R101"], nights=2)
        fleet.clocks.advance(hours=25, minutes=46)
        assert no_shows.mark_all(hub) == 0, "it is 11:59 of the next day"
        fleet.clocks.advance(minutes=2)
        assert no_shows.mark_all(hub) == 1
