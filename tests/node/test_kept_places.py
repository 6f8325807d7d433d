"""What is held for somebody stays whole, and where it can be reserved: no grant hands its place to
another device meanwhile, and no release cuts it in two (seed 101265)."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.model.errors import RuleViolated
from holdfast.model.reservation import View
from holdfast.node import allotments, holds, lapsing, returning
from holdfast.node.requests import HoldRequest, ReserveRequest
from holdfast.node.service import Service
from tests.kit import DAY, TRATTORIA, Fleet


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """The desk has T1, which releases two hours before; the venue file wishes nothing else."""
    venue = copy.deepcopy(TRATTORIA)
    venue["allotments"] = [{"holder": "desk", "resources": ["T1"], "release_minutes": 120}]
    with Fleet(tmp_path, venue) as made:
        made.join("desk")
        made.sync_all()
        yield made


def hold(replica: Service, resource: str, at: str, minutes: int = 30) -> View:
    wanted = HoldRequest(
        venue="trattoria", starts_at=f"{DAY}T{at}", party_size=2, resources=[resource],
        minutes=minutes,
    )  # fmt: skip
    return holds.place(replica, wanted)


def told(view: View) -> tuple[str, str]:
    return view.status, view.assurance


def granted(replica: Service) -> list[str]:
    items = [item for _, item in allotments.listing(replica) if item["state"] == "active"]
    return sorted(item["resources"][0] for item in items)


def test_a_place_that_is_held_is_granted_when_nobody_holds_it_any_more(fleet: Fleet) -> None:
    hub = fleet.the_hub
    held = hold(hub, "T3", "19:30")
    with pytest.raises(RuleViolated, match=f"T3 is kept for somebody .{held.code}."):
        hub.granting.grant("trattoria", "desk", ["T3"])
    done = holds.reserve(hub, held.code, ReserveRequest())
    assert told(done) == ("confirmed", "guaranteed")
    assert len(hub.granting.grant("trattoria", "desk", ["T3"])) == 1
    fleet.sync_all()
    assert told(fleet.now(fleet.nodes["desk"], held)) == ("confirmed", "guaranteed")
    fleet.assert_agree()


def test_a_wish_of_the_venue_file_waits_for_what_is_held_and_is_granted_then(fleet: Fleet) -> None:
    hub, desk = fleet.the_hub, fleet.nodes["desk"]
    held = hold(hub, "T3", "19:30", minutes=15)
    venue = copy.deepcopy(TRATTORIA)
    venue["allotments"] = [{"holder": "desk", "resources": ["T1", "T3", "T4"]}]
    hub.import_venue(venue)
    fleet.sync(desk)
    assert granted(hub) == ["T1", "T4"]
    fleet.clocks.advance(minutes=16)
    assert lapsing.lapse(hub, fleet.book) == 1
    fleet.sync(desk)
    assert granted(hub) == ["T1", "T3", "T4"]
    assert told(fleet.now(hub, held)) == ("expired", "none")
    fleet.assert_agree()


def test_what_is_granted_again_to_one_makes_no_other_wish_forgotten(fleet: Fleet) -> None:
    hub, desk = fleet.the_hub, fleet.nodes["desk"]
    fleet.join("kiosk", role="kiosk")
    fleet.sync_all()
    hold(hub, "T3", "19:30", minutes=15)
    venue = copy.deepcopy(TRATTORIA)
    venue["allotments"] = [
        {"holder": "desk", "resources": ["T1"]}, {"holder": "kiosk", "resources": ["T3"]},
    ]  # fmt: skip
    hub.import_venue(venue)
    hub.granting.again("trattoria", "desk")
    fleet.clocks.advance(minutes=16)
    lapsing.lapse(hub, fleet.book)
    fleet.sync(desk)
    assert granted(hub) == ["T1", "T3"]


def test_what_is_held_across_a_release_goes_back_when_it_has_been_reserved(fleet: Fleet) -> None:
    """Cut in two it could be reserved nowhere: the device has one half then, the hub the other."""
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    fleet.cut("desk")
    fleet.clocks.advance(hours=31, minutes=7)  # 17:20: what starts before 19:30 is released
    held = hold(desk, "T1", "19:30")
    fleet.clocks.advance(minutes=27)  # 17:47: what starts before 20:00 is
    assert returning.release(desk) == 1
    (right,) = desk.rights(fleet.book).of_holder(desk.account, "T1", held.starts_at, held.ends_at)
    assert right.start == held.starts_at, "all before what is held has gone back, and nothing of it"
    assert returning.release(desk) == 0
    done = holds.reserve(desk, held.code, ReserveRequest())
    assert told(done) == ("confirmed", "guaranteed")
    assert returning.release(desk) == 1, "it is a reservation now, and passes to the hub as one"
    fleet.heal()
    fleet.sync_all()
    assert told(fleet.now(hub, held)) == ("confirmed", "guaranteed")
    fleet.assert_agree()


def test_what_is_held_keeps_nothing_back_once_it_has_lapsed(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    fleet.clocks.advance(hours=31)
    held = hold(desk, "T1", "19:30", minutes=15)
    fleet.clocks.advance(minutes=34)
    assert lapsing.lapse(desk, fleet.book) == 1
    assert returning.release(desk) == 1
    rights = desk.rights(fleet.book)
    assert not list(rights.of_holder(desk.account, "T1", held.starts_at, held.ends_at))
