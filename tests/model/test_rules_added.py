"""Promises about rules that others add, about what the engine asks, and where it says to look."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest

from holdfast.model.calendar import local_to_epoch
from holdfast.model.rules import RULES, Proposal, Question, Rule, RuleBook, Violation, fault_of
from holdfast.model.rules.suggesting import (
    DAYS_AROUND,
    NEARBY_DAYS,
    chosen,
    distance,
    nearby,
    search,
)
from holdfast.model.venue import Venue
from tests.model.asked import NOW, restaurant

TAKEN = {rule.id for rule in RULES}


def never(question: Question) -> Iterator[Violation]:
    yield Violation("acme.never", f"Never at {question.venue.name}.")


def rule(**changes: Any) -> Rule:
    given: dict[str, Any] = {"id": "acme.never", "asks": "Never.", "check": never} | changes
    return Rule(**given)


def question(
    at: Venue, start: str = "2026-06-30T12:00", minutes: int = 90, **changes: Any
) -> Question:
    begins = local_to_epoch(at, start)
    wanted: dict[str, Any] = {
        "party_size": 2,
        "starts_at": begins,
        "ends_at": begins + minutes * 60,
    } | changes
    return Question(at, Proposal(**wanted), local_to_epoch(at, NOW))


def test_a_rule_that_is_added_speaks_after_the_others_and_of_whom_it_binds():
    book = RuleBook([rule(binds=frozenset({"guest"}))])
    found = book.violations(question(restaurant(), party_size=9))
    assert [one.rule for one in found] == ["party", "acme.never"]
    assert found[-1].message == "Never at Corner."
    assert [one.rule for one in book.violations(question(restaurant(), kind="house"))] == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (rule(), ""),
        (rule(id="acme.desk.quiet-hours"), ""),
        ("acme.never", "str is no holdfast.model.rules.Rule"),
        (rule(id="party"), "must have a namespace"),
        (rule(id="Acme.Never"), "must have a namespace"),
        (rule(id="acme.taken"), "another package has a rule acme.taken already"),
        (rule(binds=frozenset({"guest", "dog"})), "is for dog, which nobody knows"),
        (rule(steps=frozenset({"sit"})), "is for sit"),
        (rule(check="never"), "has no check"),
    ],
)
def test_what_can_be_no_rule_is_told_why(given: Any, said: str):
    found = fault_of(given, TAKEN | {"acme.taken"})
    assert said in found
    assert bool(found) == bool(said)


def test_no_rule_of_holdfasts_own_has_an_id_that_could_be_added():
    assert len(TAKEN) == len(RULES)
    assert not any(fault_of(rule(id=name), set()) == "" for name in TAKEN)


# --- where to look instead ------------------------------------------------------------------------


def days(*texts: str) -> list[datetime.date]:
    return [datetime.date.fromisoformat(text) for text in texts]


def test_one_looks_from_the_day_asked_for_outwards():
    found = search(question(restaurant(), "2026-07-08T12:00")).days
    assert [list(one) for one in found[:3]] == [
        days("2026-07-08"), days("2026-07-07", "2026-07-09"), days("2026-07-06", "2026-07-10"),
    ]  # fmt: skip


def test_nobody_is_sent_into_the_past_or_further_ahead_than_they_may():
    at = restaurant(policies={"advance_days": 3})
    found = search(question(at, "2026-09-01T12:00")).days
    assert [day for one in found for day in one] == days(
        "2026-07-03", "2026-07-02", "2026-07-01", "2026-06-30"
    )
    found = search(question(at, "2026-01-01T12:00")).days
    assert [day for one in found for day in one] == days(
        "2026-06-30", "2026-07-01", "2026-07-02", "2026-07-03"
    )
    far = search(question(restaurant(policies={}), "2026-12-01T12:00")).days
    assert len([day for one in far for day in one]) == 2 * DAYS_AROUND + 1


@pytest.mark.parametrize(
    ("starts", "offered"),
    [
        ([], []),
        ([7], [7]),
        ([10, 11, 12, 13], [10, 11, 12]),
        ([7, 8, 9, 11, 12], [8, 9, 11]),
        ([1, 11, 12, 13, 14], [1, 11, 12]),  # what lies before is not crowded out
        ([20, 9, 8, 7], [8, 9, 20]),
    ],
)
def test_the_nearest_before_and_after_come_first_and_all_in_order_of_time(
    starts: list[int], offered: list[int]
):
    assert chosen({start: (0, abs(start - 10)) for start in starts}, 10, 3) == offered


def test_what_is_full_is_looked_for_nearby_for_the_length_that_was_asked_for():
    at = restaurant(policies={"advance_days": 4, "min_minutes": 60})
    found = nearby(question(at, "2026-07-02T12:00", minutes=30))
    assert (found.minutes, found.nights) == (30, None)
    assert found.days[0] == tuple(days("2026-07-02"))
    assert found.days[1] == tuple(days("2026-07-01", "2026-07-03"))
    assert [day for one in found.days for day in one][-1:] == days("2026-07-04")
    far = nearby(question(restaurant(policies={}), "2026-12-01T12:00", nights=2))
    assert (far.minutes, far.nights, len(far.days)) == (None, 2, NEARBY_DAYS + 1)


@pytest.mark.parametrize(
    ("start", "wanted", "away"),
    [
        ("2026-07-02T19:00", "2026-07-02T19:30", (0, 1800)),
        ("2026-07-01T19:30", "2026-07-02T19:30", (1, 0)),
        ("2026-07-05T20:00", "2026-07-02T19:30", (3, 1800)),
        # In the night in which summer time ends the same hour is a day and an hour away.
        ("2026-10-25T19:30", "2026-10-24T19:30", (1, 0)),
    ],
)
def test_a_start_of_another_day_is_as_near_as_its_hour_on_the_clock(
    start: str, wanted: str, away: tuple[int, int]
):
    at = restaurant()
    day = datetime.date.fromisoformat(start[:10])
    assert distance(at, day, local_to_epoch(at, start), local_to_epoch(at, wanted)) == away


@pytest.mark.parametrize(
    ("asked", "minutes"), [(30, 60), (60, 60), (90, 90), (500, 120), (0, 75), (-20, 75)]
)
def test_the_nearest_length_that_is_allowed_is_looked_for(asked: int, minutes: int):
    at = restaurant(seating_minutes=75, policies={"min_minutes": 60, "max_minutes": 120})
    assert search(question(at, minutes=asked)).minutes == minutes


@pytest.mark.parametrize(("asked", "nights"), [(0, 1), (3, 3), (90, 14)])
def test_a_stay_is_looked_for_by_nights(asked: int, nights: int):
    at = restaurant(kind="lodging", hours=None, stays={"max_nights": 14})
    found = search(question(at, nights=asked))
    assert (found.minutes, found.nights) == (None, nights)
