"""Habits: what makes a pattern, what does not, and when it would come next."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.patterns import DATES_MIN, NAMES, pattern

FRIDAY = datetime.date(2027, 6, 4)


def every(days: int, count: int, first: datetime.date = FRIDAY) -> list[datetime.date]:
    return [first + datetime.timedelta(days=days * n) for n in range(count)]


def test_four_fridays_are_a_weekly_friday():
    found = pattern(every(7, 4), FRIDAY + datetime.timedelta(days=22))
    assert found == ("recurring_weekly_friday", 4, FRIDAY + datetime.timedelta(days=28))
    assert pattern(every(7, 3), FRIDAY + datetime.timedelta(days=15)) is None


def test_every_other_week_is_a_pattern_of_its_own():
    found = pattern(every(14, 5), FRIDAY + datetime.timedelta(days=57))
    assert found is not None
    assert (found.name, found.dates) == ("recurring_biweekly_friday", 5)


def test_other_days_in_between_hide_no_pattern_and_a_gap_ends_it():
    dates = every(7, 5)
    others = [FRIDAY + datetime.timedelta(days=2), FRIDAY + datetime.timedelta(days=11)]
    today = dates[-1] + datetime.timedelta(days=1)
    found = pattern([*dates, *others, dates[0]], today)
    assert found is not None
    assert (found.name, found.dates) == ("recurring_weekly_friday", 5)
    assert pattern([*dates[:2], *dates[3:]], today) is None


@pytest.mark.parametrize(("days_later", "stands"), [(14, True), (15, False)])
def test_who_stayed_away_for_two_of_its_times_has_given_it_up(days_later: int, stands: bool):
    dates = every(7, 6)
    found = pattern(dates, dates[-1] + datetime.timedelta(days=days_later))
    assert (found is not None) is stands


def test_what_is_reserved_ahead_counts_and_the_next_is_after_it():
    found = pattern(every(7, 6), FRIDAY)
    assert found is not None
    assert found.next == FRIDAY + datetime.timedelta(days=42)


def test_of_two_habits_the_longer_one_is_told():
    tuesday = FRIDAY + datetime.timedelta(days=4)
    found = pattern([*every(7, 4), *every(7, 6, tuesday)], FRIDAY + datetime.timedelta(days=40))
    assert found is not None
    assert found.name == "recurring_weekly_tuesday"


@given(st.lists(st.integers(0, 90)), st.integers(0, 120))
def test_what_is_told_is_so(offsets: list[int], later: int):
    dates = {FRIDAY + datetime.timedelta(days=n) for n in offsets}
    today = FRIDAY + datetime.timedelta(days=later)
    found = pattern(dates, today)
    if found is not None:
        assert found.name in NAMES
        assert found.dates >= DATES_MIN
        assert found.next >= today
        assert found.next not in dates
        assert found.next.strftime("%A").lower() == found.name.rpartition("_")[2]
    assert pattern(sorted(dates, reverse=True), today) == found
