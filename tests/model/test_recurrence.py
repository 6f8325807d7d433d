"""Recurrences: the dates of RFC 5545, at the same time of the clock on the wall."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import pytest

from holdfast.model.errors import Invalid
from holdfast.model.recurrence import occurrences
from holdfast.model.venue import parse_venue

ROME = ZoneInfo("Europe/Rome")
VENUE = parse_venue(
    {
        "venue": "centre", "name": "Centre", "kind": "centre", "time_zone": "Europe/Rome",
        "resources": [{"id": "BAY-1", "kind": "bay"}],
    }
)  # fmt: skip


def epoch(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=ROME).timestamp())


def told(intervals: list[tuple[int, int]]) -> list[str]:
    return [
        f"{datetime.datetime.fromtimestamp(start, ROME):%m-%d %H:%M}-"
        f"{datetime.datetime.fromtimestamp(end, ROME):%H:%M}"
        for start, end in intervals
    ]


def test_without_a_rule_there_is_one() -> None:
    assert occurrences(VENUE, 100, 200, None) == [(100, 200)]


def test_the_clock_on_the_wall_goes_on_through_a_change_of_it() -> None:
    start, end = epoch("2027-03-27T10:00"), epoch("2027-03-27T12:00")
    found = occurrences(VENUE, start, end, "RRULE:FREQ=DAILY;COUNT=3")
    assert told(found) == ["03-27 10:00-12:00", "03-28 10:00-12:00", "03-29 10:00-12:00"]
    assert [one - start for one, _ in found] == [0, 23 * 3600, 47 * 3600]


@pytest.mark.parametrize(
    "until", ["UNTIL=20270404", "UNTIL=20270403T220000Z", "UNTIL=20270404T000000"]
)
def test_an_end_is_read_as_the_venues_time(until: str) -> None:
    start, end = epoch("2027-03-20T00:00"), epoch("2027-03-20T01:00")
    found = occurrences(VENUE, start, end, f"FREQ=WEEKLY;BYDAY=SA,SU;{until}")
    assert [line[:5] for line in told(found)] == [
        "03-20", "03-21", "03-27", "03-28", "04-03", "04-04",
    ]  # fmt: skip


def test_a_time_that_the_change_leaves_out_is_the_one_after_the_gap() -> None:
    start, end = epoch("2027-03-27T02:30"), epoch("2027-03-27T04:30")
    assert told(occurrences(VENUE, start, end, "FREQ=DAILY;COUNT=2"))[1] == "03-28 03:30-04:30"


@pytest.mark.parametrize("rule", ["", "RRULE:", "COUNT=3", "FREQ=WEEKLY;COUNT=0", "FREQ=DAILY"])
def test_what_is_no_rule_is_told(rule: str) -> None:
    with pytest.raises(Invalid, match="rrule"):
        occurrences(VENUE, 100, 200, rule)
