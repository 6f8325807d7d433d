"""Promises about single slots: closed, for smaller parties, for fewer people at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from holdfast.model.calendar import local_to_epoch
from holdfast.model.errors import Invalid
from holdfast.model.rules import MOVE
from holdfast.model.slot_overrides import covers_limit, override_at, party_limits
from holdfast.model.venue import Bound, SlotOverride, Venue, parse_venue, to_document, version_tag
from holdfast.model.vocabulary import SLOT_KINDS
from tests.model.asked import hotel, restaurant, said

DAY = "2026-06-30"
EVENING = {"from": f"{DAY}T19:00", "to": f"{DAY}T21:00"}
CLOSING = sorted(SLOT_KINDS - {"normal"})


def house(*overrides: dict[str, Any], **changes: Any) -> Venue:
    given: dict[str, Any] = {"policies": {"min_party": 2, "max_party": 8}}
    return restaurant(slot_overrides=[EVENING | one for one in overrides], **given | changes)


def kind_at(venue: Venue, time: str) -> str:
    found = override_at(venue, local_to_epoch(venue, time))
    return "" if found is None else found.kind


def faults(*overrides: dict[str, Any], **changes: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        house(*overrides, **changes)
    return {one["field"]: one["message"] for one in caught.value.extra["errors"]}


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CLOSING)
def test_nobody_begins_in_a_closed_slot_and_the_refusal_says_the_reason(kind: str):
    at = house({"kind": kind})
    found = said(at, f"{DAY}T20:00")
    assert list(found) == ["slot-override"]
    for part in (kind.replace("_", " "), "Corner", "Tuesday 2026-06-30 19:00", "21:00"):
        assert part in found["slot-override"]


@pytest.mark.parametrize(
    ("time", "refused"), [("18:45", False), ("19:00", True), ("20:45", True), ("21:00", False)]
)
def test_a_slot_is_closed_by_when_it_begins_and_who_began_before_may_stay(time: str, refused: bool):
    assert bool(said(house({"kind": "closed"}), f"{DAY}T{time}")) == refused


def test_a_walk_in_is_told_what_their_slot_is_told_and_the_house_may_use_it():
    at = house({"kind": "private_event", "from": f"{DAY}T19:07"})
    # The slot of 19:00 began before; the one of 19:15 did not.
    assert said(at, f"{DAY}T19:10", kind="walk_in") == {}
    assert list(said(at, f"{DAY}T19:16", kind="walk_in")) == ["slot-override"]
    assert said(at, f"{DAY}T19:16", kind="house") == {}


def test_a_party_must_have_a_size_that_its_slot_takes():
    at = house({"kind": "normal", "min_party": 3, "max_party": 5})
    assert said(at, f"{DAY}T19:00", party_size=3) == said(at, f"{DAY}T19:00", party_size=5) == {}
    assert "3 at least" in said(at, f"{DAY}T19:00", party_size=2)["slot-override"]
    assert "5 at most" in said(at, f"{DAY}T19:00", party_size=6)["slot-override"]
    assert said(at, f"{DAY}T18:00", party_size=6) == {}
    found = said(at, f"{DAY}T19:00", party_size=9, pacing=9)
    assert list(found) == ["party", "slot-override", "pacing"], "all is told at once"


def test_a_slot_has_its_own_limit_of_covers_or_that_of_the_venue():
    at = house({"kind": "normal", "covers_per_slot": 4})
    assert said(at, f"{DAY}T19:00", pacing=2) == {}
    assert "4 may" in said(at, f"{DAY}T19:00", pacing=3)["pacing"]
    assert said(at, f"{DAY}T18:00", pacing=8) == {}
    assert "10 may" in said(at, f"{DAY}T18:00", pacing=9)["pacing"]
    generous = house({"kind": "normal", "covers_per_slot": 40})
    assert said(generous, f"{DAY}T19:00", pacing=38) == {}


def test_who_begins_in_a_closed_slot_already_may_change_all_but_the_start():
    at = house({"kind": "weather"})
    start = local_to_epoch(at, f"{DAY}T20:00")
    there: dict[str, Any] = {"step": MOVE, "present": (start, start + 3_600)}
    assert said(at, f"{DAY}T20:00", party_size=4, **there) == {}
    assert list(said(at, f"{DAY}T20:15", **there)) == ["slot-override"]
    small = house({"kind": "normal", "max_party": 3})
    assert list(said(small, f"{DAY}T20:00", party_size=4, **there)) == ["slot-override"]


def test_nights_have_no_slots():
    at = hotel()
    shut = {"from": "2026-07-01", "to": "2026-07-01", "kind": "closed"}
    at = parse_venue(to_document(at) | {"slot_overrides": [shut]})
    assert said(at, "2026-07-01", nights=1) == {}


# --- which counts ---------------------------------------------------------------------------------


def test_the_first_that_matches_counts_so_that_one_evening_is_taken_out_of_a_closed_week():
    week = {"from": "2026-06-29", "to": "2026-07-05", "kind": "maintenance"}
    at = house({"kind": "normal"}, week)
    assert kind_at(at, f"{DAY}T19:00") == "normal"
    assert kind_at(at, f"{DAY}T12:00") == "maintenance"
    assert said(at, f"{DAY}T19:00") == {}
    assert list(said(at, f"{DAY}T12:00")) == ["slot-override"]


def test_whole_days_are_the_venues_own():
    at = house({"kind": "closed", "from": DAY, "to": DAY}, day_starts_at="04:00", hours=None)
    assert [kind_at(at, time) for time in (f"{DAY}T03:45", f"{DAY}T04:00")] == ["", "closed"]
    assert [kind_at(at, f"2026-07-01T{time}") for time in ("03:45", "04:00")] == ["closed", ""]


def test_the_limits_of_a_slot_are_the_narrower_ones():
    at = house({"kind": "normal", "max_party": 4})
    inside, outside = (local_to_epoch(at, f"{DAY}T{time}") for time in ("19:00", "18:00"))
    assert (party_limits(at, inside), party_limits(at, outside)) == ((2, 4), (2, 8))
    assert covers_limit(at, inside) == covers_limit(at, outside) == 10


# --- the file -------------------------------------------------------------------------------------


def test_it_is_read_and_comes_back_the_same_and_who_has_none_has_the_file_of_before():
    at = house({"kind": "normal", "min_party": 2, "covers_per_slot": 6})
    (one,) = at.slot_overrides
    day = one.first.day
    assert one == SlotOverride(Bound(day, 1140), Bound(day, 1260), "normal", 2, None, 6)
    document = to_document(at)
    assert parse_venue(json.loads(json.dumps(document))) == at
    assert document["slot_overrides"] == [
        {**EVENING, "kind": "normal", "min_party": 2, "covers_per_slot": 6}
    ]
    without, empty = restaurant(), restaurant(slot_overrides=[])
    assert "slot_overrides" not in to_document(without)
    assert version_tag(without) == version_tag(empty) != version_tag(at)


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"kind": None}, "kind", "is required"),
        ({"kind": "rain"}, "kind", "is not one of closed, maintenance, normal, private_event"),
        ({"from": None}, "from", "is required"),
        ({"to": f"{DAY}T19:00"}, "to", "must be after from"),
        ({"to": "soon"}, "to", "is no date"),
        ({"min_party": 1}, "min_party", "below policies.min_party (2)"),
        ({"max_party": 9}, "max_party", "above policies.max_party (8)"),
        ({"min_party": 5, "max_party": 4}, "max_party", "below the smallest party (5)"),
        ({"max_party": 1}, "max_party", "below the smallest party (2)"),
        ({"min_party": 9}, "min_party", "above policies.max_party (8)"),
        ({"covers_per_slot": 0}, "covers_per_slot", "must be from 1 to 100000"),
        ({"kind": "weather", "max_party": 4}, "max_party", "does nothing"),
        ({"reason": "storm"}, "reason", "is not a field here"),
    ],
)
def test_a_slip_is_named_with_its_place(changes: dict[str, Any], field: str, says: str):
    given = {"kind": "normal"} | changes
    found = faults({"kind": "closed"}, {name: one for name, one in given.items()})
    assert list(found) == [f"slot_overrides[1].{field}"]
    assert says in found[f"slot_overrides[1].{field}"]
