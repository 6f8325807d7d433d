"""Promises about the rules in a venue file: what they mean, and what is said of slips."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
import yaml

from holdfast.model.errors import Invalid
from holdfast.model.limits import GROUPS_PER_VENUE_MAX
from holdfast.model.venue import (
    Blackout,
    Bound,
    PersonLimits,
    Policies,
    Rates,
    Venue,
    parse_venue,
    to_document,
)

RULES: dict[str, Any] = {
    "advance_days": 14, "min_minutes": 60, "max_minutes": 180, "concurrent": 2,
    "max_reschedules": 0,
    "rates": {"per_hour": 10, "per_venue_week": 10},
    "tiers": {"silver": {"concurrent": 3}, "gold": {"advance_days": 30, "concurrent": 4}},
    "tags": {"vip": {"max_reschedules": 9}},
}  # fmt: skip


def document(policies: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "venue": "centre",
        "name": "Centre",
        "kind": "centre",
        "time_zone": "Europe/Rome",
        "resources": [{"id": "BAY-1", "kind": "bay"}],
        "policies": {} if policies is None else policies,
    } | changes


def faults(policies: dict[str, Any] | None = None, **changes: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        parse_venue(document(policies, **changes))
    return {error["field"]: error["message"] for error in caught.value.extra["errors"]}


def again(venue: Venue) -> Venue:
    return parse_venue(json.loads(json.dumps(to_document(venue))))


def test_the_rules_of_a_venue_are_read_and_come_back_the_same():
    venue = parse_venue(document(RULES))
    assert venue.policies == Policies(
        advance_days=14, min_minutes=60, max_minutes=180, concurrent=2, max_reschedules=0,
        rates=Rates(per_hour=10, per_venue_week=10),
        tiers=(("gold", PersonLimits(30, 4)), ("silver", PersonLimits(concurrent=3))),
        tags=(("vip", PersonLimits(max_reschedules=9)),),
    )  # fmt: skip
    assert to_document(venue)["policies"]["rates"] == {"per_hour": 10, "per_venue_week": 10}
    assert again(venue) == venue
    assert hash(again(venue)) == hash(venue)


def test_a_venue_that_says_nothing_limits_nobody_and_is_written_as_before():
    nothing: list[dict[str, Any]] = [{}, {"rates": {}}, {"tiers": {}, "tags": None}]
    for policies in nothing:
        venue = parse_venue(document(policies))
        assert venue.policies == Policies()
        assert set(to_document(venue)["policies"]) == {
            "cutoff_minutes", "min_party", "hold_minutes",
        }  # fmt: skip
        assert "blackouts" not in to_document(venue)


@pytest.mark.parametrize(
    ("policies", "field", "says"),
    [
        ({"min_minutes": 0}, "policies.min_minutes", "from 1"),
        ({"min_minutes": 120, "max_minutes": 60}, "policies.max_minutes", "below min_minutes"),
        ({"min_minutes": 120}, "policies.min_minutes", "seating_minutes (90)"),
        ({"max_minutes": 60}, "policies.max_minutes", "seating_minutes (90)"),
        ({"concurrent": 0}, "policies.concurrent", "from 1"),
        ({"max_reschedules": -1}, "policies.max_reschedules", "from 0"),
        ({"rates": 10}, "policies.rates", "must be an object"),
        ({"rates": {"per_hour": 0}}, "policies.rates.per_hour", "from 1"),
        ({"rates": {"per_week": 9}}, "policies.rates.per_week", "per_venue_week"),
        ({"tiers": ["gold"]}, "policies.tiers", "must be an object"),
        ({"tiers": {"Gold!": {}}}, "policies.tiers.Gold!", "is no name"),
        ({"tiers": {"gold": 4}}, "policies.tiers.gold", "must be an object"),
        ({"tiers": {"gold": {"concurent": 4}}, "concurrent": 2}, "policies.tiers.gold.concurent",
         "'concurrent'"),
        ({"tiers": {"gold": {"concurrent": 4}}}, "policies.tiers.gold.concurrent", "nobody is"),
        ({"tags": {"new": {"concurrent": 1}}, "concurrent": 2}, "policies.tags.new.concurrent",
         "which everybody has"),
        ({"tags": {str(n): {} for n in range(GROUPS_PER_VENUE_MAX + 1)}}, "policies.tags",
         "100 at most"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_path(policies: dict[str, Any], field: str, says: str):
    found = faults(policies)
    assert list(found) == [field]
    assert says in found[field]


def test_a_house_of_nights_may_have_bounds_that_its_default_seating_does_not_fit():
    venue = parse_venue(document({"max_minutes": 60}, kind="lodging"))
    assert venue.policies.max_minutes == 60


# --- blackouts ------------------------------------------------------------------------------------

FIRST, LAST = datetime.date(2026, 12, 24), datetime.date(2026, 12, 26)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('{from: "2026-12-24", to: "2026-12-26"}', (Bound(FIRST), Bound(LAST))),
        ("{from: 2026-12-24, to: 2026-12-26}", (Bound(FIRST), Bound(LAST))),
        ('{from: "2026-12-24", to: "2026-12-24"}', (Bound(FIRST), Bound(FIRST))),
        (
            '{from: "2026-12-24T18:00", to: "2026-12-26 12:30"}',
            (Bound(FIRST, 1_080), Bound(LAST, 750)),
        ),
        (
            "{from: 2026-12-24 18:00:00, to: 2026-12-26}",
            (Bound(FIRST, 1_080), Bound(LAST)),
        ),
    ],
)
def test_a_period_is_of_days_or_of_times(written: str, read: tuple[Bound, Bound]):
    period = yaml.safe_load(written) | {"name": "christmas"}
    venue = parse_venue(document(blackouts=[period]))
    assert venue.blackouts == (Blackout(*read, "christmas"),)
    assert again(venue) == venue


def test_a_period_may_be_about_a_part_of_the_house():
    period = {"from": "2026-12-24", "to": "2026-12-26", "name": "x", "resources": ["BAY-*"]}
    venue = parse_venue(document(blackouts=[period]))
    assert venue.blackouts[0].resources == ("BAY-*",)
    assert again(venue) == venue


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"from": None}, "blackouts[0].from", "is required"),
        ({"name": None}, "blackouts[0].name", "is required"),
        ({"to": "2026-12-23"}, "blackouts[0].to", "must be after from"),
        ({"from": "2026-12-26T12:00", "to": "2026-12-26T12:00"}, "blackouts[0].to", "after from"),
        ({"to": "26.12."}, "blackouts[0].to", "no date"),
        ({"to": "2026-12-26T24:00"}, "blackouts[0].to", "2026-12-24T18:00"),
        ({"to": "2026-12-26T12:00+01:00"}, "blackouts[0].to", "neither a date nor a time"),
        ({"to": "9999-12-31"}, "blackouts[0].to", "2999"),
        ({"to": 26}, "blackouts[0].to", "no date"),
        ({"resources": ["BAY-9"]}, "blackouts[0].resources[0]", "there is no resource"),
        ({"until": "2026-12-26"}, "blackouts[0].until", "is not a field"),
    ],
)
def test_a_fault_of_a_period_is_named_with_its_path(changes: dict[str, Any], field: str, says: str):
    period = {"from": "2026-12-24", "to": "2026-12-26", "name": "christmas"} | changes
    found = faults(blackouts=[{name: value for name, value in period.items() if value is not None}])
    assert list(found) == [field]
    assert says in found[field]


def test_a_day_that_begins_in_the_morning_ends_in_the_next_morning():
    early = {"from": "2026-12-24", "to": "2026-12-24T03:00", "name": "x"}
    assert "blackouts[0].to" in faults(blackouts=[early], day_starts_at="04:00")
    late = {"from": "2026-12-25T02:00", "to": "2026-12-24", "name": "x"}
    assert parse_venue(document(blackouts=[late], day_starts_at="04:00")).blackouts
