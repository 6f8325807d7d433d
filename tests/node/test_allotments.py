"""Allotments as people see them: who holds what, since when it is stranded, what waits and why."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.errors import (
    Conflict,
    Forbidden,
    HoldfastError,
    Invalid,
    NotFound,
    RuleViolated,
)
from holdfast.node import allotments, returning
from holdfast.node.allotments import Wanted
from holdfast.node.node import Node
from holdfast.node.service import Service
from tests.kit import DAY, NEXT_DAY, TRATTORIA, Fleet

ALLOTTED: dict[str, Any] = copy.deepcopy(TRATTORIA) | {
    "allotments": [
        {"holder": "desk", "resources": ["T1", "T2"], "release_minutes": 120},
        {"holder": "kiosk", "resources": ["T3"]},
        {"holder": "desk", "resources": ["HALL"], "quantity": 4},
    ]
}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, ALLOTTED) as made:
        made.join("desk")
        made.sync_all()
        yield made


def listed(replica: Service, *fields: str) -> list[tuple[Any, ...]]:
    return [tuple(item[field] for field in fields) for _, item in allotments.listing(replica, None)]


def the(replica: Service, holder: str, resource: str) -> dict[str, Any]:
    """The newest allotment of a holder that names a resource."""
    return [
        item
        for _, item in allotments.listing(replica)
        if item["holder"] == holder and resource in item["resources"]
    ][-1]


def right_of(replica: Service, resource: str) -> bytes:
    return bytes.fromhex(the(replica, "desk", resource)["id"])


# --- looking --------------------------------------------------------------------------------------


def test_hub_and_device_show_the_same_rights_and_then_the_wishes(fleet: Fleet):
    for replica in fleet.replicas():
        assert listed(replica, "holder", "resources", "quantity", "state") == [
            ("desk", ["T1", "T2"], 1, "active"),
            ("desk", ["HALL"], 4, "active"),
            ("kiosk", ["T3"], None, "wish"),
        ]
        assert the(replica, "kiosk", "T3")["reason"] == "kiosk has not joined yet"
        assert the(replica, "desk", "HALL")["valid_from"] == "2027-06-02T00:00:00+02:00"
        assert the(replica, "desk", "T1")["valid_from"] == "2027-06-02T12:30:00+02:00"


def test_what_is_sold_from_an_allotment_is_counted_where_it_counts_and_while_it_lies_ahead(
    fleet: Fleet,
):
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    fleet.reserve(desk, "19:00", ["T1"])
    fleet.reserve(desk, f"{NEXT_DAY}T19:00", ["T2"])
    fleet.reserve(desk, "20:00", ["HALL"], party=3)
    gone = fleet.reserve(desk, "12:00", ["T2"])
    fleet.sync_all()
    desk.reservations.cancel(gone.code)
    # From the hub's own remainder.
    fleet.reserve(hub, "20:00", ["HALL"], party=5)
    fleet.sync_all()
    for replica in fleet.replicas():
        assert the(replica, "desk", "T1")["sold"] == 2
        assert the(replica, "desk", "HALL")["sold"] == 3
    fleet.clocks.advance(hours=36)  # 22:13 of the first day.
    assert the(hub, "desk", "HALL")["sold"] == 0
    assert the(hub, "desk", "T1")["sold"] == 1


def test_a_right_is_stranded_when_its_release_came_a_slot_ago_and_no_return_did(fleet: Fleet):
    hub, desk = fleet.the_hub, fleet.nodes["desk"]
    fleet.cut("desk")
    # At 10:13 all that starts up to 12:15 went back; what starts at 12:30 does so at 10:30.
    assert the(hub, "desk", "T1")["releases_at"] == "2027-06-02T10:30:00+02:00"
    assert the(hub, "desk", "HALL")["releases_at"] is None
    fleet.clocks.advance(minutes=46)
    assert the(hub, "desk", "T1")["state"] == "active"
    fleet.clocks.advance(minutes=2)  # 11:01
    stranded = the(hub, "desk", "T1")
    assert stranded["state"] == "stranded"
    assert (
        "released since 10:30 of 2027-06-02, and desk has not given it back" in stranded["reason"]
    )
    assert the(hub, "desk", "HALL")["state"] == "active"
    fleet.heal()
    fleet.sync(desk)
    assert the(hub, "desk", "T1")["state"] == "active"
    assert the(hub, "desk", "T1")["valid_from"] == "2027-06-02T13:30:00+02:00"


def test_what_was_granted_a_moment_ago_is_not_stranded_for_its_past(tmp_path: Path):
    with Fleet(tmp_path, TRATTORIA) as fleet:
        fleet.join("desk")
        fleet.sync_all()
        fleet.cut("desk")
        wanted = Wanted("trattoria", "desk", ["T1"], from_date="2027-05-01", release_minutes=240)
        allotments.grant(fleet.the_hub, wanted)
        assert the(fleet.the_hub, "desk", "T1")["state"] == "active"
        fleet.clocks.advance(minutes=31)
        assert the(fleet.the_hub, "desk", "T1")["state"] == "stranded"


def test_a_right_that_ended_is_shown_for_a_week_with_how_it_ended(fleet: Fleet):
    hub, desk = fleet.the_hub, fleet.nodes["desk"]
    fleet.join("kiosk", "kiosk")
    fleet.sync_all()
    allotments.give_back(desk, right_of(desk, "HALL"))
    allotments.revoke(hub, right_of(hub, "T1"), "venue changed")
    hub.revoke("kiosk", "stolen")
    fleet.sync(desk)
    for replica in (hub, desk):
        # In the order of the grants.
        assert listed(replica, "holder", "resources", "state", "reason")[:3] == [
            ("desk", ["T1", "T2"], "revoked", "venue changed"),
            ("desk", ["HALL"], "returned", None),
            ("kiosk", ["T3"], "closed", "the hub has shut kiosk out"),
        ]
    fleet.clocks.advance(hours=7 * 24 + 1)
    assert {state for (state,) in listed(hub, "state")} == {"wish"}


def test_an_allotment_by_dates_is_over_when_its_time_is(fleet: Fleet):
    hub = fleet.the_hub
    (right,) = allotments.grant(hub, Wanted("trattoria", "desk", ["T4"], None, DAY, DAY))
    assert allotments.shown(hub, right)["valid_until"] == "2027-06-04T00:00:00+02:00"
    fleet.clocks.advance(hours=48)
    item = allotments.shown(hub, right)
    assert (item["state"], item["reason"]) == ("closed", "its time is over")


def test_a_life_that_another_follows_has_its_allotments_closed(fleet: Fleet):
    hub = fleet.the_hub
    backup = fleet.copy("desk", "backup")
    fleet.nodes["desk"].close()
    fleet.open("desk", backup)
    fleet.sync_all()
    assert listed(hub, "holder", "resources", "state", "reason") == [
        ("desk", ["T1", "T2"], "closed", "the hub has closed the life of desk that held it"),
        ("desk", ["HALL"], "closed", "the hub has closed the life of desk that held it"),
        (
            "desk", ["T1", "T2"], "wish",
            "desk had it once and waits for a person: `holdfast allotments grant --again` at the"
            " hub",
        ),
        ("kiosk", ["T3"], "wish", "kiosk has not joined yet"),
        (
            "desk", ["HALL"], "wish",
            "desk had it once and waits for a person: `holdfast allotments grant --again` at the"
            " hub",
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("place", ["hub", "desk"])
def test_a_wish_says_why_it_waits(tmp_path: Path, place: str):
    venue = copy.deepcopy(TRATTORIA)
    venue["allotments"] = [
        {"holder": "desk", "resources": ["T1", "T2"]},
        {"holder": "kiosk", "resources": ["T*"]},
        {"holder": "bar", "resources": ["T?"]},
        {"holder": "hub", "resources": ["HALL"]},
        {"holder": "desk", "resources": ["HALL"], "quantity": 11},
    ]
    with Fleet(tmp_path, venue) as fleet:
        hub, desk = fleet.the_hub, fleet.join("desk")
        fleet.join("kiosk", "kiosk")
        fleet.sync_all()
        replica = hub if place == "hub" else desk
        too_many = "HALL has 10 left to hand out, not 11"
        at_the_hub = "the hub grants it at the device's next exchange, if it can"
        assert listed(replica, "id", "resources", "reason")[2:] == [
            ("trattoria.wish-3", ["T?"], "earlier lines of the venue file give it away"),
            ("trattoria.wish-5", ["HALL"], too_many if place == "hub" else at_the_hub),
        ]
        kiosks = bytes.fromhex(the(hub, "kiosk", "T3")["id"])
        allotments.give_back(fleet.nodes["kiosk"], kiosks)
        fleet.sync_all()
        allotments.grant(hub, Wanted("trattoria", "desk", ["T4"]))
        allotments.grant(hub, Wanted("trattoria", "kiosk", ["HALL"], 2))
        fleet.sync_all()
        waits = {name: reason for name, reason in listed(replica, "id", "reason") if "." in name}
        assert waits["trattoria.wish-2"] == (
            "T3: kiosk had it once and waits for a person: `holdfast allotments grant --again` at "
            "the hub; T4: desk must give it back, or it must be revoked, first"
        )
        assert waits["trattoria.wish-4"] == "kiosk must give it back, or it must be revoked, first"


def test_of_two_lives_that_both_go_on_a_wish_says_so(fleet: Fleet):
    fleet.join("kiosk", "kiosk")
    clone = fleet.clone_unnoticed("kiosk", "clone")
    fleet.reserve(fleet.nodes["kiosk"], "12:00", ["T4"], party=3)
    fleet.reserve(clone, "14:00", ["T4"], party=3)
    fleet.sync_all(5)
    waits = [item for _, item in allotments.listing(fleet.the_hub) if item["state"] == "wish"]
    assert [one["holder"] for one in waits] == ["kiosk"]
    assert waits[0]["reason"].startswith("kiosk has several lives")


def test_a_venue_that_is_not_known_has_no_allotments(fleet: Fleet):
    with pytest.raises(NotFound, match="no venue 'nowhere'"):
        allotments.listing(fleet.the_hub, "nowhere")


# --- doing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error", "field"),
    [
        ({"resources": []}, Invalid, "resources"),
        ({"resources": ["T4", "X*"]}, Invalid, "resources"),
        ({"quantity": 2}, Invalid, "quantity"),
        ({"resources": ["HALL"], "quantity": 0}, Invalid, "quantity"),
        ({"release_minutes": -1}, Invalid, "release_minutes"),
        ({"from_date": "soon"}, Invalid, "from"),
        ({"until_date": "2027-02-30"}, Invalid, "until"),
        ({"from_date": NEXT_DAY, "until_date": DAY}, Invalid, "until"),
        ({"venue": "nowhere"}, NotFound, ""),
        ({"holder": "bar"}, NotFound, ""),
        ({"resources": ["T1"]}, RuleViolated, ""),
    ],
)
def test_what_cannot_be_granted_is_named(
    fleet: Fleet, changes: dict[str, Any], error: type[HoldfastError], field: str
):
    wanted = Wanted("trattoria", "desk", ["T4"])._replace(**changes)
    with pytest.raises(error) as raised:
        allotments.grant(fleet.the_hub, wanted)
    if field:
        assert [one["field"] for one in raised.value.extra["errors"]] == [field]
    assert "T4" not in str(listed(fleet.the_hub, "resources"))


def test_again_grants_what_waits_for_a_person_and_says_why_nothing_can_be(fleet: Fleet):
    hub, desk = fleet.the_hub, fleet.nodes["desk"]
    with pytest.raises(RuleViolated, match="desk holds all that the venue file wishes"):
        allotments.grant_again(hub, "trattoria", "desk")
    allotments.give_back(desk, right_of(desk, "HALL"))
    fleet.sync(desk)
    (right,) = allotments.grant_again(hub, "trattoria", "desk")
    assert allotments.shown(hub, right)["quantity"] == 4
    with pytest.raises(NotFound, match="wishes nothing for 'bar'"):
        allotments.grant_again(hub, "trattoria", "bar")
    with pytest.raises(NotFound, match="no device 'kiosk' was heard"):
        allotments.grant_again(hub, "trattoria", "kiosk")


def test_again_says_what_is_in_the_way(fleet: Fleet):
    hub, desk = fleet.the_hub, fleet.nodes["desk"]
    allotments.give_back(desk, right_of(desk, "HALL"))
    fleet.sync(desk)
    fleet.join("kiosk", "kiosk")
    allotments.grant(hub, Wanted("trattoria", "kiosk", ["HALL"], 8))
    with pytest.raises(RuleViolated, match="can be granted: desk had it once"):
        allotments.grant_again(hub, "trattoria", "desk")


def test_who_holds_it_returns_it_and_nobody_else(fleet: Fleet):
    hub, desk, kiosk = fleet.the_hub, fleet.nodes["desk"], fleet.join("kiosk", "kiosk")
    fleet.sync_all()
    right = right_of(hub, "T1")
    with pytest.raises(Forbidden, match="desk holds it, and returns it there"):
        allotments.give_back(hub, right)
    with pytest.raises(Forbidden, match="desk holds it, not kiosk; do this at desk"):
        allotments.give_back(kiosk, right)
    with pytest.raises(Forbidden, match="only the hub revokes"):
        allotments.revoke(desk, right, "stolen")
    with pytest.raises(NotFound, match="no allotment 0"):
        allotments.give_back(desk, bytes(16))
    allotments.give_back(desk, right)
    assert allotments.shown(desk, right)["state"] == "returned"
    with pytest.raises(RuleViolated, match="of desk is returned already"):
        allotments.give_back(desk, right)


def test_a_revocation_needs_a_reason_of_the_list(fleet: Fleet):
    with pytest.raises(Invalid, match=r"must be a word of the list.*stranded"):
        allotments.revoke(fleet.the_hub, right_of(fleet.the_hub, "T1"), "mario took it")


def test_a_device_with_two_lives_is_granted_nothing_again(fleet: Fleet):
    fleet.clone_unnoticed("desk", "clone")
    fleet.reserve(fleet.nodes["desk"], "12:00", ["T4"], party=3)
    fleet.reserve(fleet.nodes["clone"], "14:00", ["T4"], party=3)
    fleet.sync_all(5)
    with pytest.raises(Conflict, match="several lives"):
        allotments.grant_again(fleet.the_hub, "trattoria", "desk")


@pytest.mark.parametrize("text", ["", "T1", "0" * 31, "g" * 32, "trattoria.wish-1"])
def test_what_is_no_id_names_no_allotment(text: str):
    with pytest.raises(NotFound, match="no allotment"):
        allotments.parse_id(text)


# --- claims whose end was asked for, when their place changes hands -------------------------------


def test_what_was_to_end_ends_when_its_place_is_revoked(fleet: Fleet):
    hub, desk = fleet.the_hub, fleet.nodes["desk"]
    sold = fleet.reserve(desk, "19:00", ["T1"])
    fleet.sync_all()
    fleet.cut("desk")
    hub.reservations.cancel(sold.code)
    assert fleet.now(hub, sold).occupying, "the desk holds it, and has not heard of it"
    allotments.revoke(hub, right_of(hub, "T1"), "stranded")
    assert not fleet.now(hub, sold).occupying


def test_what_was_to_end_ends_when_its_place_is_returned(fleet: Fleet):
    hub, desk = fleet.the_hub, fleet.nodes["desk"]
    sold = fleet.reserve(desk, "19:00", ["T1"])
    fleet.sync_all()
    fleet.cut("desk")
    hub.reservations.cancel(sold.code)
    allotments.give_back(desk, right_of(desk, "T1"))
    fleet.heal()
    fleet.sync_all()
    assert not fleet.now(hub, sold).occupying


def test_what_was_to_end_ends_when_its_place_is_granted(tmp_path: Path):
    with Fleet(tmp_path, TRATTORIA) as fleet:
        hub, desk, kiosk = fleet.the_hub, fleet.join("desk"), fleet.join("kiosk", "kiosk")
        fleet.sync_all()
        sold = fleet.reserve(hub, "19:00", ["T1"])
        fleet.sync_all()
        fleet.cut("kiosk")
        kiosk.reservations.cancel(sold.code)
        allotments.grant(hub, Wanted("trattoria", "desk", ["T1"]))
        fleet.sync_all()
        fleet.heal()
        fleet.sync_all()
        assert not fleet.now(desk, sold).occupying


# --- at its start, not before --------------------------------------------------------------------


@pytest.fixture
def at_the_start(tmp_path: Path) -> Iterator[Fleet]:
    venue = copy.deepcopy(TRATTORIA)
    venue["allotments"] = [{"holder": "desk", "resources": ["T1"], "release_minutes": 0}]
    with Fleet(tmp_path, venue) as made:
        made.join("desk")
        made.sync_all()
        yield made


def test_what_goes_back_only_at_its_start_is_sold_whatever_the_clock_knows(at_the_start: Fleet):
    desk = at_the_start.reopen("desk")
    assert desk.clock.interval().state == "undisciplined"
    assert at_the_start.reserve(desk, "19:00", ["T1"]).assurance == "guaranteed"


# --- releases, by the device itself ---------------------------------------------------------------


def test_each_exchange_of_an_embedded_device_gives_back_what_is_due(fleet: Fleet):
    hub, desk = fleet.the_hub, fleet.nodes["desk"]
    before = the(hub, "desk", "T1")["valid_from"]
    fleet.clocks.advance(hours=1)
    fleet.sync(desk)
    assert before == "2027-06-02T12:30:00+02:00"
    assert the(hub, "desk", "T1")["valid_from"] == "2027-06-02T13:30:00+02:00"
    fleet.assert_agree()


def test_a_device_whose_clock_is_set_by_its_first_exchange_returns_with_it(fleet: Fleet):
    hub = fleet.the_hub
    fleet.clocks.advance(hours=1)
    desk = fleet.reopen("desk")
    assert isinstance(desk, Node)
    assert returning.release(desk) == 0, "an undisciplined clock says nothing of releases"
    fleet.sync(desk)
    assert the(hub, "desk", "T1")["valid_from"] == "2027-06-02T13:30:00+02:00"


def test_a_device_says_what_it_may_sell(fleet: Fleet):
    desk = fleet.nodes["desk"]
    kiosk = fleet.join("kiosk", "kiosk")
    assert allotments.own(desk) == allotments.Selling(3, 0, None)
    assert allotments.own(kiosk) == allotments.Selling(1, 0, None)
    reopened = fleet.reopen("desk")
    assert isinstance(reopened, Node)
    assert allotments.own(reopened) == allotments.Selling(1, 2, None), "its clock is not set"
    allotments.give_back(kiosk, bytes.fromhex(the(kiosk, "kiosk", "T3")["id"]))
    assert allotments.own(kiosk) == allotments.Selling(0, 0, None)
    fleet.sync_all()
    allotments.grant(fleet.the_hub, Wanted("trattoria", "kiosk", ["T4"], None, DAY, DAY))
    fleet.sync_all()
    assert allotments.own(kiosk) == allotments.Selling(1, 0, 1_812_060_000)


def test_what_was_asked_of_a_share_that_has_shrunk_since_is_the_hubs_to_answer(tmp_path: Path):
    """The kiosk has not heard that the desk's four seats are two now."""
    with Fleet(tmp_path) as fleet:
        desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
        fleet.sync_all()
        hub = fleet.the_hub
        allotments.grant(hub, Wanted("trattoria", "desk", ["HALL"], quantity=4))
        fleet.sync_all()
        fleet.cut("kiosk")
        wish = fleet.reserve(kiosk, "19:30", ["HALL"], party=4)
        assert [claim.asks for claim in wish.claims] == [desk.account]
        allotments.give_back(desk, right_of(desk, "HALL"))
        fleet.sync_all()
        allotments.grant(hub, Wanted("trattoria", "desk", ["HALL"], quantity=2))
        fleet.sync_all()
        fleet.heal()
        fleet.sync_all()
        fleet.assert_agree()
        assert set(fleet.shown(wish).values()) == {"confirmed"}
        decision = fleet.now(desk, wish).decision
        assert decision is not None and decision.by == hub.identity.name
