"""Each open minute belongs to one service date, and what is taken of it is what was booked."""

from __future__ import annotations

import datetime
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model import calendar
from holdfast.model.open_time import OpenTime, open_windows
from holdfast.model.venue import Venue, parse_venue

DAY = datetime.date(2027, 6, 3)  # a Thursday
ONE = datetime.timedelta(days=1)
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def venue(**changes: Any) -> Venue:
    return parse_venue(
        {
            "venue": "v", "name": "V", "kind": "restaurant", "time_zone": "Europe/Rome",
            "resources": [{"id": "T1", "kind": "table", "seats": [1, 4]}],
        }
        | changes
    )  # fmt: skip


def hours(*spans: list[str]) -> dict[str, Any]:
    return {day: list(spans) for day in WEEK}


LODGING = {"kind": "lodging", "stays": {"check_in": "15:00", "check_out": "11:00"}}


def shown(of: Venue, day: datetime.date = DAY) -> list[str]:
    return [
        f"{calendar.local_date(of, start):%d} {calendar.local_clock(of, start)}-"
        f"{calendar.local_date(of, end):%d} {calendar.local_clock(of, end)}"
        for start, end in open_windows(of, day)
    ]


@pytest.mark.parametrize(
    ("of", "windows"),
    [
        (venue(), ["03 00:00-04 00:00"]),
        (venue(day_starts_at="04:00"), ["03 04:00-04 04:00"]),
        (venue(hours=hours(["12:00", "15:00"], ["18:00", "24:00"])),
         ["03 12:00-03 15:00", "03 18:00-04 00:00"]),
        # Past the end of the service date the night before's hours are the next one's.
        (venue(hours=hours(["20:00", "05:00"]), day_starts_at="04:00"),
         ["03 04:00-03 05:00", "03 20:00-04 04:00"]),
        (venue(hours=hours(["20:00", "02:00"]), day_starts_at="04:00"), ["03 20:00-04 02:00"]),
        (venue(hours={"thu": []}), []),
        (venue(closed=["2027-06-03"]), []),
        # A night is open from check-in to check-out, and not between the two.
        (venue(**LODGING), ["03 15:00-04 11:00"]),
        (venue(**LODGING, closed=["2027-06-03"]), []),
    ],
)  # fmt: skip
def test_a_service_dates_open_time(of: Venue, windows: list[str]):
    assert shown(of) == windows


def test_the_night_on_which_clocks_are_put_back_is_an_hour_longer():
    night = venue(hours=hours(["22:00", "04:00"]), day_starts_at="06:00")
    before = OpenTime(night, datetime.date(2027, 10, 29), datetime.date(2027, 10, 31))
    assert before.minutes == [6 * 60, 7 * 60, 6 * 60]


def test_what_is_taken_of_a_stay_is_each_of_its_nights():
    hotel = venue(**LODGING)
    time = OpenTime(hotel, DAY, DAY + 2 * ONE)
    start, end = calendar.stay_interval(hotel, DAY - ONE, 3)
    assert time.minutes == [20 * 60] * 3
    assert list(time.taken(start, end)) == [(0, 20 * 60), (1, 20 * 60)]


def test_what_lies_outside_the_hours_takes_nothing():
    lunch = venue(hours=hours(["12:00", "15:00"]))
    time = OpenTime(lunch, DAY, DAY)

    def taken(start: str, end: str) -> list[tuple[int, int]]:
        instants = (calendar.local_to_epoch(lunch, f"{DAY}T{at}") for at in (start, end))
        return list(time.taken(*instants))

    assert taken("11:00", "12:00") == []
    assert taken("11:00", "12:30") == [(0, 30)]
    assert taken("14:30", "16:00") == [(0, 30)]
    assert taken("10:00", "20:00") == [(0, 180)]


venues = st.sampled_from(
    [
        venue(),
        venue(day_starts_at="04:00", closed=["2027-06-04"]),
        venue(hours=hours(["20:00", "05:00"]), day_starts_at="04:00"),
        venue(hours=hours(["10:00", "10:30"], ["11:00", "02:00"])),
        venue(**LODGING),
    ]
)


@given(venues, st.integers(0, 40), st.integers(-3 * 1440, 9 * 1440), st.integers(1, 5 * 1440))
def test_a_range_is_the_sum_of_its_dates(of: Venue, days: int, start: int, length: int):
    last = DAY + days * ONE
    whole = OpenTime(of, DAY, last)
    each = [OpenTime(of, day, day) for day in whole.dates]
    assert whole.minutes == [minutes for one in each for minutes in one.minutes]
    begin = calendar.wall_to_epoch(of, DAY, 0) + start * 60
    taken = list(whole.taken(begin, begin + length * 60))
    apart = [
        (n, minutes)
        for n, one in enumerate(each)
        for _, minutes in one.taken(begin, begin + length * 60)
    ]
    assert taken == apart
    assert sum(minutes for _, minutes in taken) <= length


@given(venues, st.integers(0, 400))
def test_no_minute_belongs_to_two_dates(of: Venue, offset: int):
    day = DAY + offset * ONE
    spans = [span for n in range(-1, 2) for span in open_windows(of, day + n * ONE)]
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
