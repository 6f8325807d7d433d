"""Promises about the rules of a venue: who is bound by which, and that all are named at once."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model import calendar
from holdfast.model.calendar import local_to_epoch
from holdfast.model.rules import (
    CANCEL,
    IMPORT,
    MOVE,
    OWN,
    RULES,
    Made,
    Proposal,
    Question,
    Standing,
)
from holdfast.model.rules.waiting import waiting_violations
from holdfast.model.vocabulary import RESERVATION_KINDS
from tests.model.asked import NOW, hotel, restaurant, said


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
        ({"start": "2026-06-30T12:00", "seated": 38}, set()),
        ({"start": "2026-06-30T12:00", "seated": 39}, {"seated"}),
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


def test_everything_that_can_be_wrong_at_once_is_named_at_once():
    at = restaurant(
        covers_per_slot=3,
        policies={
            "advance_days": 7, "max_party": 2, "min_minutes": 90, "concurrent": 1,
            "rates": {"per_hour": 1},
        },
        blackouts=[{"from": "2026-07-01", "to": "2026-12-31", "name": "rebuilding"}],
    )  # fmt: skip
    now_s = local_to_epoch(at, NOW)
    known = Standing(ahead=1, made=(Made(now_s, at.id),))
    found = said(
        at, "2026-07-14T18:05", minutes=30, party_size=3, pacing=3, standing=known, by_guest=True
    )
    assert list(found) == [
        "duration", "party", "advance", "slot", "blackouts", "pacing", "concurrent", "rates",
    ]  # fmt: skip


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
    nothing = Proposal(party_size=2, starts_at=start, ends_at=start, imported=True)
    assert [one.rule for one in OWN.violations(Question(at, nothing, start))] == ["duration"]


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
    at = restaurant(policies=None, covers_per_slot=None, covers_at_once=None, hours=None)
    assert said(at, "2031-01-01T04:15", party_size=500, pacing=10_000, seated=10_000) == {}


# --- how long -------------------------------------------------------------------------------------

HOURLY = {"seating_minutes": 60, "policies": {"min_minutes": 60, "max_minutes": 120}}


@pytest.mark.parametrize(
    ("minutes", "refused"),
    [
        (59, "59 min is too short: 1 h at least"),
        (60, ""),
        (90, ""),
        (120, ""),
        (121, "2 h at most"),
    ],
)
@pytest.mark.parametrize("kind", ["guest", "walk_in"])
def test_a_length_is_allowed_from_the_least_to_the_greatest(kind: str, minutes: int, refused: str):
    found = said(restaurant(**HOURLY), "2026-06-30T12:00", minutes=minutes, kind=kind)
    assert set(found) == ({"duration"} if refused else set())
    assert refused in found.get("duration", "")


def test_the_house_and_nights_and_what_keeps_its_length_have_the_length_they_have():
    at = restaurant(**HOURLY)
    assert said(at, "2026-06-30T12:00", minutes=15, kind="house") == {}
    lodging = restaurant(
        kind="lodging", hours=None, stays={}, policies={"min_minutes": 60, "max_minutes": 120}
    )
    assert said(lodging, "2026-07-01", nights=2) == {}
    start = local_to_epoch(at, "2026-06-30T12:00")
    half_an_hour = (start - 3_600, start - 1_800)
    moved: dict[str, Any] = {"minutes": 30, "step": "move", "present": half_an_hour}
    assert said(at, "2026-06-30T12:00", **moved) == {}
    assert set(said(at, "2026-06-30T12:00", **moved | {"minutes": 40})) == {"duration"}


# --- how far ahead --------------------------------------------------------------------------------

ZONES = ["Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]


@given(
    zone=st.sampled_from(ZONES),
    day_starts_at=st.sampled_from(["00:00", "04:00", "02:30"]),
    now=st.datetimes(datetime.datetime(2026, 1, 1), datetime.datetime(2027, 12, 31)),
    within=st.integers(0, 86_399),
)
def test_day_14_is_accepted_and_day_15_refused_on_the_venues_calendar(
    zone: str, day_starts_at: str, now: datetime.datetime, within: int
):
    """Whatever the hour, on the days on which the clocks change too."""
    at = restaurant(
        time_zone=zone, day_starts_at=day_starts_at, hours=None, policies={"advance_days": 14}
    )
    now_s = int(now.replace(tzinfo=datetime.UTC).timestamp())
    today = calendar.service_date(at, now_s)
    for days, refused in ((14, set()), (15, {"advance"})):
        first, after = calendar.service_day(at, today + datetime.timedelta(days=days))
        start = min(first + within, after - 1)
        asked = Proposal(party_size=2, starts_at=start, ends_at=start + 3_600)
        found = {one.rule for one in OWN.violations(Question(at, asked, now_s))}
        assert found - {"slot"} == refused


@pytest.mark.parametrize(
    ("now", "last", "first_refused"),
    [
        # In between the clocks go forward, and back: neither makes a day longer or shorter.
        ("2026-03-20T23:30", "2026-04-03T23:45", "2026-04-04T00:15"),
        ("2026-10-20T00:15", "2026-11-03T23:45", "2026-11-04T00:15"),
    ],
)
def test_a_day_is_a_day_also_when_the_clocks_change(now: str, last: str, first_refused: str):
    at = restaurant(day_starts_at="00:00", hours=None, policies={"advance_days": 14})
    assert said(at, last, now=now) == {}
    assert set(said(at, first_refused, now=now)) == {"advance"}


@pytest.mark.parametrize(
    ("asked", "broken"),
    [
        ({"start": "2026-09-28T18:00"}, set()),  # ninety days
        ({"start": "2026-09-29T18:00"}, {"advance"}),
        ({"party_size": 1}, set()),
        ({"party_size": 12}, set()),
        ({"party_size": 13}, {"party"}),
        ({"start": "2026-07-01T12:15"}, set()),
        ({"start": "2026-07-01T12:10"}, {"slot"}),
        ({"start": "2026-07-01T13:30"}, set()),  # an hour and a half, until three
        ({"start": "2026-07-01T13:45"}, {"hours"}),
    ],
)
def test_the_settings_that_restaurants_have_are_each_kept(asked: dict[str, Any], broken: set[str]):
    """Ninety days ahead, parties of 1 to 12, an hour and a half, from quarter to quarter."""
    lunch = {day: [["12:00", "15:00"], ["18:00", "23:00"]] for day in ("mon", "tue", "wed")}
    at = restaurant(
        hours=lunch, covers_per_slot=None, policies={"advance_days": 90, "max_party": 12}
    )
    assert (at.seating, at.slot_minutes, at.policies.min_party) == (((1, 90),), 15, 1)
    assert set(said(at, asked.pop("start", "2026-07-01T12:00"), **asked)) == broken


# --- all of them ----------------------------------------------------------------------------------


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
        proposal = Proposal(
            party_size=party, starts_at=start, ends_at=start + length * 60, **changes
        )
        return {one.rule for one in OWN.violations(Question(at, proposal, now, pacing=pacing))}

    assert rules(imported=True) <= rules(kind=kind) <= rules(kind="guest")
    assert ("duration" in rules(imported=True)) == (length <= 0)


# --- calling off ----------------------------------------------------------------------------------


def called_off(
    start: str, now: str, kind: str = "guest", cutoff: int | None = 120
) -> dict[str, str]:
    policies = {} if cutoff is None else {"cancel_cutoff_minutes": cutoff}
    venue = restaurant(policies=policies)
    return said(venue, start, now=now, kind=kind, step=CANCEL)


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


# --- online ---------------------------------------------------------------------------------------


def test_a_venue_that_is_switched_off_takes_nobody_who_asks_ahead_by_themself():
    off = restaurant(accepting=False)
    assert "takes no reservations online" in said(off, AT, by_guest=True)["online"]
    assert said(off, AT, by_guest=True, kind="walk_in") == {}
    assert said(off, AT) == {}
    # Who has a table says how many come after all, and does not come on another day.
    moved: dict[str, Any] = {"by_guest": True, "step": MOVE}
    assert said(off, AT, party_size=3, present=(NOON, NOON + 5_400), **moved) == {}
    assert set(said(off, AT, present=(NOON - 3_600, NOON), **moved)) == {"online"}


def test_what_is_reserved_at_a_venue_out_of_service_can_be_moved():
    off = restaurant(active=False)
    assert set(said(off, AT)) == {"inactive"}
    assert said(off, AT, step=MOVE, present=(NOON - 3_600, NOON)) == {}
    assert (
        "out of service" in waiting_violations(off, 2, datetime.date(2026, 6, 30), NOON)[0].message
    )


# --- whom each rule binds -------------------------------------------------------------------------

ALL, SERVED, AHEAD = {"guest", "walk_in", "house"}, {"guest", "walk_in"}, {"guest"}
BINDS = {
    "inactive": ALL, "duration": ALL | {IMPORT}, "nights": ALL, "party": ALL, "past": AHEAD,
    "cutoff": AHEAD,
    "advance": AHEAD, "closed": ALL, "hours": ALL, "slot": AHEAD, "blackouts": SERVED,
    "slot-override": SERVED, "online": ALL, "pacing": ALL, "seated": ALL, "concurrent": AHEAD,
    "reschedules": SERVED, "rates": SERVED, "cancel-cutoff": AHEAD,
}  # fmt: skip
"""Written out, and not taken from the list that the product goes by."""
STAYS = restaurant(kind="lodging", hours=None, stays={"max_nights": 5}, closed=["2026-07-03"])
AT = "2026-06-30T12:00"
NOON = local_to_epoch(restaurant(), AT)
BROKEN: dict[str, dict[str, Any]] = {
    "inactive": {"venue": restaurant(active=False), "start": AT},
    "duration": {"venue": restaurant(), "start": AT},
    "nights": {"venue": STAYS, "start": "2026-07-01", "nights": 6},
    "party": {"venue": restaurant(), "start": AT, "party_size": 9},
    "past": {"venue": restaurant(), "start": AT, "now": "2026-06-30T12:01"},
    "cutoff": {"venue": restaurant(), "start": AT, "now": "2026-06-30T11:59"},
    "advance": {"venue": restaurant(), "start": "2026-12-29T18:00"},
    "closed": {"venue": STAYS, "start": "2026-07-03", "nights": 1},
    "hours": {"venue": restaurant(), "start": "2026-06-30T16:00"},
    "slot": {"venue": restaurant(), "start": "2026-06-30T12:05"},
    "blackouts": {
        "venue": restaurant(blackouts=[{"from": "2026-06-30", "to": "2026-06-30", "name": "x"}]),
        "start": AT,
    },
    "slot-override": {
        "venue": restaurant(
            slot_overrides=[{"from": "2026-06-30", "to": "2026-06-30", "kind": "weather"}]
        ),
        "start": AT,
    },
    "online": {
        "venue": restaurant(resources=[{"id": "T1", "kind": "table", "online": False}]),
        "start": AT, "resources": ("T1",),
    },
    "pacing": {"venue": restaurant(), "start": AT, "pacing": 9},
    "seated": {"venue": restaurant(), "start": AT, "seated": 39},
    "concurrent": {
        "venue": restaurant(policies={"concurrent": 2}), "start": AT,
        "standing": Standing(ahead=2),
    },
    "reschedules": {
        "venue": restaurant(policies={"max_reschedules": 1}), "start": AT, "step": MOVE,
        "present": (NOON - 3_600, NOON), "standing": Standing(reschedules=1),
    },
    "rates": {
        "venue": restaurant(policies={"rates": {"per_day": 1}}), "start": AT,
        "standing": Standing(made=(Made(NOON - 7_200, "elsewhere"),)),
    },
    "cancel-cutoff": {
        "venue": restaurant(policies={"cancel_cutoff_minutes": 120}), "start": AT, "step": CANCEL,
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", [*sorted(RESERVATION_KINDS), IMPORT])
@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_each_rule_binds_the_kinds_that_it_is_for_and_no_other(rule: str, kind: str):
    asked = dict(BROKEN[rule])
    at, start = asked.pop("venue"), asked.pop("start")
    who = {"imported": True} if kind == IMPORT else {"kind": kind}
    if rule == "duration":
        nothing = Proposal(party_size=2, starts_at=NOON, ends_at=NOON, by_guest=True, **who)
        now_s = local_to_epoch(at, NOW)
        found = {one.rule for one in OWN.violations(Question(at, nothing, now_s))}
    else:
        found = set(said(at, start, by_guest=True, **asked, **who))
    assert found == ({rule} if kind in BINDS[rule] else set())


@pytest.mark.parametrize("rule", ["online", "reschedules", "rates"])
def test_what_the_staff_does_for_somebody_is_not_held_against_them(rule: str):
    asked = dict(BROKEN[rule])
    assert said(asked.pop("venue"), asked.pop("start"), **asked) == {}


@pytest.mark.parametrize(
    "rule", [rule.id for rule in RULES if rule.of_start and rule.id != "cancel-cutoff"]
)
def test_a_change_that_leaves_the_start_alone_is_not_asked_about_it(rule: str):
    asked = dict(BROKEN[rule])
    at, start = asked.pop("venue"), asked.pop("start")
    begins = local_to_epoch(at, start if "T" in start else f"{start}T15:00")
    assert said(at, start, step=MOVE, present=(begins, begins + 60), **asked) == {}
