"""Single slots at a replica: what is refused there by whatever way, and what is shown of them."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.calendar import local_clock
from holdfast.model.errors import RuleViolated
from holdfast.model.reservation import View
from holdfast.model.slots import Slot
from holdfast.node import blocks, holds, next_in_line, slots, waiting
from holdfast.node.requests import BlockRequest, HoldRequest, OfferRequest, WaitRequest
from holdfast.node.service import Service
from tests.kit import DAY, TRATTORIA, Fleet

WEATHER = {"from": f"{DAY}T19:00", "to": f"{DAY}T21:00", "kind": "weather"}
SMALL = {"from": f"{DAY}T12:00", "to": f"{DAY}T14:00", "kind": "normal", "max_party": 2,
         "covers_per_slot": 4}  # fmt: skip


def house(directory: Path, *overrides: dict[str, Any], **changes: Any) -> Fleet:
    venue = copy.deepcopy(TRATTORIA) | {"slot_overrides": list(overrides)} | changes
    return Fleet(directory, venue)


def refused(work: Callable[[], Any]) -> RuleViolated:
    with pytest.raises(RuleViolated) as caught:
        work()
    return caught.value


def rules_of(error: RuleViolated) -> list[str]:
    return [one["rule"] for one in error.extra["violations"]]


def at(replica: Service, time: str) -> Slot:
    venue = replica.venue("trattoria").venue
    found = slots.shown(replica, "trattoria", datetime.date.fromisoformat(DAY))
    return next(one for one in found if local_clock(venue, one.start) == time)


def told(replica: Service, time: str) -> tuple[int | None, int, int, int | None]:
    slot = at(replica, time)
    return slot.total, slot.covers.reserved, slot.covers.pending, slot.available


def hold(replica: Service, time: str, *resources: str, party: int = 2) -> View:
    wanted = HoldRequest(
        venue="trattoria", starts_at=f"{DAY}T{time}", party_size=party, resources=list(resources)
    )
    return holds.place(replica, wanted)


# --- a closed slot --------------------------------------------------------------------------------


def test_nobody_comes_into_a_closed_slot_by_any_way_and_all_are_told_why(tmp_path: Path):
    with house(tmp_path, WEATHER) as fleet:
        hub, desk = fleet.the_hub, fleet.join("desk")
        fleet.cut("desk")
        before = fleet.reserve(desk, "18:30", ["T1"])
        for error in (
            refused(lambda: fleet.reserve(desk, "19:30")),
            refused(lambda: fleet.reserve(desk, "19:10", ["T2"], kind="walk_in")),
            refused(lambda: hold(desk, "20:00")),
            refused(lambda: fleet.move(desk, before, time="19:00")),
        ):
            assert rules_of(error) == ["slot-override"]
            assert "weather" in error.detail
            assert error.extra["suggestions"]
        # Who came before stays over it, and the house itself may use the place.
        fleet.move(desk, before, resources=["T2"])
        fleet.reserve(hub, "19:30", ["T1"], kind="house")


def test_nothing_is_offered_in_a_closed_slot_and_the_reason_is_said(tmp_path: Path):
    with house(tmp_path, WEATHER) as fleet:
        shown = {one["starts_at"][11:16]: one for one in fleet.slots(fleet.the_hub)}
        assert "18:30" in shown and "21:00" in shown
        assert not {"19:00", "19:30", "20:00", "20:30"} & set(shown)
        full = fleet.slots(fleet.the_hub, include_full=True)
        closed = [one for one in full if one["starts_at"][11:16] in ("19:00", "20:30")]
        assert [(one["reason"], one["override"]) for one in closed] == [
            ("slot-override", "weather")
        ] * 2
        assert all("override" not in one for one in full if one not in closed
                   and "reason" not in one)  # fmt: skip


def test_what_is_suggested_instead_lies_around_the_closed_time(tmp_path: Path):
    with house(tmp_path, WEATHER) as fleet:
        error = refused(lambda: fleet.reserve(fleet.the_hub, "19:30"))
        starts = [one["starts_at"][11:16] for one in error.extra["suggestions"]]
        assert {"18:30", "21:00"} <= set(starts)
        assert not [time for time in starts if "19:00" <= time < "21:00"]


def test_who_waits_for_a_closed_slot_is_offered_nothing_by_itself_but_a_person_may(tmp_path: Path):
    policies = {"advance_days": 365, "waitlist_offer_minutes": 10}
    with house(tmp_path, WEATHER, policies=policies) as fleet:
        hub = fleet.the_hub
        waits = waiting.join(
            hub,
            WaitRequest(
                venue="trattoria", date=DAY, party_size=2, earliest="19:30", latest="19:30"
            ),
        )
        assert next_in_line.offer_all(hub) == 0
        assert [one.state for one in waiting.line(hub, "trattoria", DAY)] == ["waiting"]
        waiting.offer(hub, waits.code, OfferRequest())
        assert [one.state for one in waiting.line(hub, "trattoria", DAY)] == ["offered"]
        assert told(hub, "19:30") == (0, 0, 2, -2)


# --- limits ---------------------------------------------------------------------------------------


def test_a_slot_takes_the_parties_and_the_covers_that_its_override_says(tmp_path: Path):
    with house(tmp_path, SMALL) as fleet:
        hub = fleet.the_hub
        error = refused(lambda: fleet.reserve(hub, "12:30", party=3))
        assert rules_of(error) == ["slot-override"]
        assert "2 at most" in error.detail
        for slot in error.extra["suggestions"]:
            assert not f"{DAY}T12:00" <= slot["starts_at"] < f"{DAY}T14:00"
        fleet.reserve(hub, "12:30", party=2)
        hold(hub, "12:30", party=2)
        assert told(hub, "12:30") == (4, 2, 2, 0)
        assert rules_of(refused(lambda: fleet.reserve(hub, "12:30", party=1))) == ["pacing"]
        # Where the file says nothing, nothing is limited but by the seats.
        fleet.reserve(hub, "14:00", party=4)
        assert told(hub, "14:00") == (22, 4, 0, 18)


def test_what_is_left_and_what_is_refused_are_one_number(tmp_path: Path):
    with house(tmp_path, covers_per_slot=9) as fleet:
        hub = fleet.the_hub
        for resource, party in (("T3", 3), ("HALL", 2)):
            fleet.reserve(hub, "19:30", [resource], party=party)
        left = at(hub, "19:30").available
        assert left == 4
        assert rules_of(refused(lambda: fleet.reserve(hub, "19:30", ["HALL"], party=left + 1))) == [
            "pacing"
        ]
        fleet.reserve(hub, "19:45", ["HALL"], party=left, kind="walk_in")
        assert told(hub, "19:30") == (9, 9, 0, 0)


# --- what is shown --------------------------------------------------------------------------------


def test_what_its_holder_has_not_decided_is_pending_until_it_is(tmp_path: Path):
    with house(tmp_path) as fleet:
        desk = fleet.join("desk")
        fleet.cut("desk")
        asked = fleet.reserve(desk, "19:30", ["T1"])
        assert told(desk, "19:30") == (22, 0, 2, 20)
        fleet.heal()
        fleet.sync_all()
        assert told(desk, "19:30") == told(fleet.the_hub, "19:30") == (22, 2, 0, 20)
        desk.reservations.cancel(asked.code)
        assert told(desk, "19:30") == (22, 0, 0, 22)


def test_a_slot_that_two_devices_filled_apart_says_by_how_much(tmp_path: Path):
    allotments = [{"holder": "desk", "resources": ["T1", "T2"]}]
    with house(tmp_path, covers_per_slot=3, allotments=allotments) as fleet:
        desk = fleet.join("desk")
        fleet.sync_all()
        fleet.cut("desk")
        fleet.reserve(desk, "19:30", ["T1"])
        fleet.reserve(fleet.the_hub, "19:30", ["T3"])
        fleet.heal()
        fleet.sync_all()
        assert told(desk, "19:30") == told(fleet.the_hub, "19:30") == (3, 4, 0, -1)


def test_a_blocked_table_has_no_seats_in_the_slots_that_begin_meanwhile(tmp_path: Path):
    with house(tmp_path) as fleet:
        hub = fleet.the_hub
        request = BlockRequest(
            venue="trattoria", resources=["T3"], starts_at=f"{DAY}T19:30",
            ends_at=f"{DAY}T20:30", kind="maintenance",
        )  # fmt: skip
        (block,) = blocks.block(hub, request)
        totals = [at(hub, time).total for time in ("19:00", "19:30", "20:00", "20:30")]
        assert totals == [22, 18, 18, 22]
        blocks.unblock(hub, block.code)
        assert at(hub, "19:30").total == 22


def test_a_slot_is_closed_by_the_file_also_over_those_who_reserved_before(tmp_path: Path):
    with house(tmp_path) as fleet:
        hub, desk = fleet.the_hub, fleet.join("desk")
        made = fleet.reserve(hub, "19:30", party=2)
        fleet.sync_all()
        hub.import_venue(copy.deepcopy(TRATTORIA) | {"slot_overrides": [WEATHER]})
        fleet.sync_all()
        fleet.assert_agree()
        for replica in (hub, desk):
            assert fleet.now(replica, made).status == "confirmed"
            assert told(replica, "19:30") == (0, 2, 0, -2)
        reopened = fleet.reopen("desk")
        assert told(reopened, "19:30") == (0, 2, 0, -2)
