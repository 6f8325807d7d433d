"""Promises about the rules of a venue: who is bound by which, and that all are named at once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.calendar import local_to_epoch, reservation_interval
from holdfast.model.rules import Proposal, cancel_violations, violations
from holdfast.model.venue import Venue, parse_venue
from holdfast.model.vocabulary import RESERVATION_KINDS

NOW = "2026-06-30T11:00"  # a Tuesday


def restaurant(**changes: Any) -> Venue:
    return parse_venue(
        {
            "venue": "corner",
            "name": "Corner",
            "kind": "restaurant",
            "time_zone": "Europe/Rome",
            "day_starts_at": "04:00",
            "hours": {"tue": [["12:00", "15:00"], ["18:00", "23:30"]], "wed": [["18:00", "02:00"]]},
            "covers_per_slot": 10,
            "policies": {"advance_days": 90, "cutoff_minutes": 30, "min_party": 2, "max_party": 8},
            "resources": [{"id": "T1", "kind": "table", "seats": [1, 4]}],
            **changes,
        }
    )


def hotel() -> Venue:
    return restaurant(
        kind="lodging",
        hours=None,
        closed=["2026-12-25"],
        stays={"max_nights": 14},
        resources=[{"id": "DBL", "kind": "pool", "counts": "units", "capacity": 4}],
    )


def said(
    venue: Venue,
    start: str,
    *,
    pacing: int = 0,
    now: str = NOW,
    nights: int | None = None,
    minutes: int | None = None,
    **proposal: Any,
) -> dict[str, str]:
    party = proposal.pop("party_size", 2)
    interval = reservation_interval(venue, start, party, nights=nights, duration_minutes=minutes)
    proposed = Proposal(party, interval.start, interval.end, nights=interval.nights, **proposal)
    found = violations(venue, proposed, local_to_epoch(venue, now), pacing)
    return {one["rule"]: one["message"] for one in found}


@pytest.mark.parametrize(
    ("proposal", "rules"),
    [
        ({"start": "2026-06-30T12:00"}, set()),
        ({"start": "2026-06-30T12:00", "party_size": 1}, {"party"}),
        ({"start": "2026-06-30T12:00", "party_size": 9}, {"party"}),
        ({"start": "2026-06-30T12:05"}, {"slot"}),
        ({"start": "2026-06-30T13:45"}, {"hours"}),  # would run beyond 15:00
        ({"start": "2026-06-30T16:00"}, {"hours"}),
        ({"start": "2026-07-02T12:00"}, {"hours"}),  # closed on Thursdays
        ({"start": "2026-07-01T23:45"}, set()),  # past midnight
        ({"start": "2026-07-02T00:30"}, set()),
        ({"start": "2026-06-30T12:00", "now": "2026-06-30T11:30"}, set()),
        ({"start": "2026-06-30T12:00", "now": "2026-06-30T11:31"}, {"cutoff"}),
        ({"start": "2026-06-30T12:00", "now": "2026-06-30T12:01"}, {"past"}),
        ({"start": "2026-09-23T18:00"}, set()),  # 85 days ahead
        ({"start": "2026-09-29T18:00"}, {"advance"}),  # 91 days
        ({"start": "2026-06-30T12:00", "pacing": 8}, set()),
        ({"start": "2026-06-30T12:00", "pacing": 9}, {"pacing"}),
    ],
)
def test_what_a_guest_may_ask_for(proposal: dict[str, Any], rules: set[str]) -> None:
    assert set(said(restaurant(), **proposal)) == rules


@pytest.mark.parametrize("kind", ["walk_in", "house"])
def test_the_desk_need_not_ask_ahead_or_start_on_the_slot(kind: str) -> None:
    assert said(restaurant(), "2026-06-30T12:07", now="2026-06-30T12:10", kind=kind) == {}
    assert said(restaurant(), "2026-09-29T18:00", kind=kind) == {}


@pytest.mark.parametrize("kind", ["walk_in", "house"])
def test_the_desk_too_keeps_hours_party_limits_and_pacing(kind: str) -> None:
    found = said(restaurant(), "2026-06-30T16:07", kind=kind, party_size=9, pacing=5)
    assert set(found) == {"hours", "party", "pacing"}


def test_history_is_imported_whatever_the_rules_of_today() -> None:
    found = said(restaurant(), "2019-01-01T04:07", party_size=40, pacing=99, imported=True)
    assert found == {}


def test_all_broken_rules_are_named_not_only_the_first() -> None:
    found = said(restaurant(), "2026-09-29T18:05", party_size=9, pacing=9)
    assert set(found) == {"party", "advance", "slot", "pacing"}


def test_messages_say_what_would_be_right() -> None:
    at = restaurant()
    assert "12:00–15:00 and 18:00–23:30" in said(at, "2026-06-30T16:00")["hours"]
    assert "closed on Thursday 2026-07-02" in said(at, "2026-07-02T12:00")["hours"]
    assert "12:00 or 12:15" in said(at, "2026-06-30T12:05")["slot"]
    assert "8 at most" in said(at, "2026-06-30T12:00", party_size=9)["party"]
    assert "until Monday 2026-09-28" in said(at, "2026-09-29T18:00")["advance"]
    assert "30 min" in said(at, "2026-06-30T12:00", now="2026-06-30T11:45")["cutoff"]


def test_a_length_of_nothing_is_refused_even_from_history() -> None:
    at = restaurant()
    start = local_to_epoch(at, "2026-06-30T12:00")
    found = violations(at, Proposal(2, start, start, imported=True), start)
    assert [one["rule"] for one in found] == ["duration"]


def test_a_room_for_tonight_is_sold_after_check_in_has_begun() -> None:
    at = hotel()
    assert said(at, "2026-06-30", nights=2, now="2026-06-30T14:00") == {}
    assert set(said(at, "2026-06-29", nights=1, now="2026-06-30T14:00")) == {"past"}
    # Three in the morning is still yesterday's service date.
    late = said(at, "2026-06-29", nights=1, now="2026-06-30T03:00")
    assert "past" not in late


def test_a_stay_is_bounded_and_nobody_arrives_on_a_closed_date() -> None:
    at = hotel()
    assert said(at, "2026-07-01", nights=14) == {}
    assert "1 to 14 nights" in said(at, "2026-07-01", nights=15)["nights"]
    assert set(said(at, "2026-12-25", nights=1, now="2026-12-01T12:00")) == {"closed"}
    assert said(at, "2026-12-24", nights=3, now="2026-12-01T12:00") == {}


def test_a_venue_without_limits_has_none() -> None:
    at = restaurant(policies=None, covers_per_slot=None, hours=None)
    assert said(at, "2031-01-01T04:15", party_size=500, pacing=10_000) == {}


@given(
    minutes=st.integers(-10_000, 200_000),
    length=st.integers(-60, 600),
    party=st.integers(1, 20),
    kind=st.sampled_from(sorted(RESERVATION_KINDS)),
    pacing=st.integers(0, 20),
)
def test_nobody_is_bound_by_more_rules_than_a_guest(
    minutes: int, length: int, party: int, kind: str, pacing: int
) -> None:
    at = restaurant()
    now = local_to_epoch(at, NOW)
    start = now + minutes * 60

    def rules(**changes: Any) -> set[str]:
        proposal = Proposal(party, start, start + length * 60, **changes)
        return {one["rule"] for one in violations(at, proposal, now, pacing)}

    assert rules(imported=True) <= rules(kind=kind) <= rules(kind="guest")
    assert ("duration" in rules(imported=True)) == (length <= 0)


# --- calling off ----------------------------------------------------------------------------------


def called_off(
    start: str, now: str, kind: str = "guest", cutoff: int | None = 120
) -> dict[str, str]:
    policies = {} if cutoff is None else {"cancel_cutoff_minutes": cutoff}
    venue = restaurant(policies=policies)
    starts_at, now_s = local_to_epoch(venue, start), local_to_epoch(venue, now)
    return {one["rule"]: one["message"] for one in cancel_violations(venue, kind, starts_at, now_s)}


@pytest.mark.parametrize(
    ("now", "refused"),
    [
        ("2026-06-30T17:59", False),  # 2 h 01
        ("2026-06-30T18:00", False),
        ("2026-06-30T18:01", True),  # 1 h 59
        ("2026-06-30T20:30", True),  # it has begun
    ],
)
def test_two_hours_before_the_start_is_the_last_moment_to_cancel(now: str, refused: bool):
    assert set(called_off("2026-06-30T20:00", now)) == ({"cancel-cutoff"} if refused else set())


@pytest.mark.parametrize(
    ("start", "last", "too_late"),
    [
        # Between 02:00 and 03:00 there is nothing, and then twice.
        ("2026-03-29T04:00", "2026-03-29T01:00", "2026-03-29T01:01"),
        ("2026-10-25T03:30", "2026-10-25T02:30", "2026-10-25T02:31"),
    ],
)
def test_the_hours_before_a_start_are_real_ones_when_the_clocks_change(
    start: str, last: str, too_late: str
):
    assert called_off(start, last) == {}
    assert set(called_off(start, too_late)) == {"cancel-cutoff"}


def test_who_is_too_late_is_told_until_when_it_was_possible_and_who_may_still():
    message = called_off("2026-03-29T04:00", "2026-03-29T03:30")["cancel-cutoff"]
    for part in ("Sunday 2026-03-29 04:00", "2 h", "until Sunday 2026-03-29 01:00", "supervisor"):
        assert part in message, message


def test_walk_ins_and_the_house_and_venues_without_a_limit_cancel_at_any_time():
    assert called_off("2026-06-30T20:00", "2026-06-30T19:59", kind="walk_in") == {}
    assert called_off("2026-06-30T20:00", "2026-06-30T19:59", kind="house") == {}
    assert called_off("2026-06-30T20:00", "2026-06-30T21:00", cutoff=None) == {}
    assert called_off("2026-06-30T20:00", "2026-06-30T20:00", cutoff=0) == {}
    assert (
        "up to the start"
        in called_off("2026-06-30T20:00", "2026-06-30T20:01", cutoff=0)["cancel-cutoff"]
    )
