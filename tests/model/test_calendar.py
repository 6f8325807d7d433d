"""Promises about a venue's calendar: clock changes, service days, opening hours, start times."""

from __future__ import annotations

import datetime
import timeit
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.calendar import (
    default_minutes,
    format_time,
    local_to_epoch,
    on_grid,
    open_spans,
    reservation_interval,
    service_date,
    service_day,
    slot_of,
    slot_starts,
    stay_interval,
    within_hours,
)
from holdfast.model.errors import Invalid
from holdfast.model.venue import Venue, parse_venue

DAY = datetime.timedelta(days=1)
ZONES = [
    "Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata", "UTC",
]  # fmt: skip
ALL_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def venue(zone: str = "Europe/Rome", **changes: Any) -> Venue:
    return parse_venue(
        {
            "venue": "corner",
            "name": "Corner",
            "kind": "restaurant",
            "time_zone": zone,
            "resources": [{"id": "T1", "kind": "table"}],
            **changes,
        }
    )


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def utc(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text + "+00:00").timestamp())


def shown(at: Venue, spans: list[tuple[int, int]]) -> list[tuple[str, str]]:
    return [(format_time(at, start)[:16], format_time(at, end)[:16]) for start, end in spans]


# --- reading and writing times ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "text", "answer"),
    [
        ("Europe/Rome", "2026-07-01T19:30", "2026-07-01T19:30:00+02:00"),
        ("Europe/Rome", "2026-01-01T19:30", "2026-01-01T19:30:00+01:00"),
        ("Europe/Rome", "2026-07-01T17:30Z", "2026-07-01T19:30:00+02:00"),
        ("Europe/Rome", "2026-07-01t19:30:15.999+02:00", "2026-07-01T19:30:15+02:00"),
        ("Europe/Rome", "2026-10-25T02:30", "2026-10-25T02:30:00+02:00"),  # doubled: the first
        ("Europe/Rome", "2026-10-25T02:30+01:00", "2026-10-25T02:30:00+01:00"),  # the second
        ("America/New_York", "2026-11-01 01:30", "2026-11-01T01:30:00-04:00"),
        ("America/New_York", "2026-03-08T03:00", "2026-03-08T03:00:00-04:00"),
        ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-05T01:45:00+11:00"),
        ("Australia/Lord_Howe", "2026-04-05T02:00", "2026-04-05T02:00:00+10:30"),
        ("Pacific/Apia", "2011-12-29T23:59", "2011-12-29T23:59:00-10:00"),
        ("Pacific/Apia", "2011-12-31T00:00", "2011-12-31T00:00:00+14:00"),
        ("Asia/Kolkata", "2026-07-01T19:30", "2026-07-01T19:30:00+05:30"),
    ],
)
def test_a_time_comes_back_with_the_offset_of_that_instant(
    zone: str, text: str, answer: str
) -> None:
    at = venue(zone)
    assert format_time(at, local_to_epoch(at, text)) == answer


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("Europe/Rome", "2026-03-29T02:00"),
        ("Europe/Rome", "2026-03-29T02:59:59"),
        ("America/New_York", "2026-03-08T02:30"),
        ("Australia/Lord_Howe", "2026-10-04T02:15"),
        ("Pacific/Apia", "2011-12-30T12:00"),
    ],
)
def test_a_skipped_time_is_refused_and_the_way_out_named(zone: str, text: str) -> None:
    with pytest.raises(Invalid, match="does not exist") as caught:
        local_to_epoch(venue(zone), text)
    assert caught.value.extra["errors"][0]["field"] == "starts_at"


@pytest.mark.parametrize(
    "text",
    [
        "", "tomorrow", "2026-07-01", "2026-07-01T24:00", "2026-07-01T19:60", "2026-02-30T12:00",
        "2026-07-01T19:30+2", "20260701T1930", "0001-01-01T00:00", "9999-12-31T23:59",
        "2026-07-01T19:30:60", "٢٠٢٦-07-01T19:30", "2026-07-01T19:30\n",
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        local_to_epoch(venue(), text)


@given(
    zone=st.sampled_from(ZONES),
    epoch=st.integers(utc("1975-01-01T00:00:00"), utc("2100-01-01T00:00:00")),
)
def test_a_formatted_time_reads_back_as_the_same_instant(zone: str, epoch: int) -> None:
    at = venue(zone)
    text = format_time(at, epoch)
    assert local_to_epoch(at, text) == epoch
    assert text == datetime.datetime.fromtimestamp(epoch, ZoneInfo(zone)).isoformat()


def test_formatting_a_time_is_cheap_enough_for_every_answer() -> None:
    at, epoch = venue(), utc("2026-07-01T17:30:00")
    best = min(timeit.repeat(lambda: format_time(at, epoch), number=2_000, repeat=5)) / 2_000
    # The aim is 5 µs; a busy machine gets four times that.
    assert best < 20e-6


# --- service dates ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("time", "date"),
    [
        ("2026-07-01T03:59", "2026-06-30"),
        ("2026-07-01T04:00", "2026-07-01"),
        ("2026-07-02T01:00", "2026-07-01"),
    ],
)
def test_the_small_hours_belong_to_the_day_before(time: str, date: str) -> None:
    at = venue(day_starts_at="04:00")
    assert service_date(at, local_to_epoch(at, time)) == day(date)


def test_samoas_missing_day_is_no_service_date() -> None:
    at = venue("Pacific/Apia", day_starts_at="04:00")
    start, end = service_day(at, day("2011-12-30"))
    assert start == end
    # 04:00 on the 29th is followed, 24 hours later, by 04:00 on the 31st.
    assert service_date(at, utc("2011-12-30T12:00:00")) == day("2011-12-29")
    assert service_date(at, utc("2011-12-30T14:00:00")) == day("2011-12-31")


CHANGES = [
    ("Europe/Rome", "2026-03-29"), ("Europe/Rome", "2026-10-25"),
    ("America/New_York", "2026-03-08"), ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"), ("Australia/Lord_Howe", "2026-10-04"),
    ("Pacific/Apia", "2011-12-30"), ("Asia/Kolkata", "2026-07-01"),
]  # fmt: skip


@given(
    change=st.sampled_from(CHANGES),
    day_start=st.sampled_from(["00:00", "01:45", "02:15", "02:30", "03:00", "04:00"]),
    minutes=st.integers(-3 * 1440, 3 * 1440),
)
def test_service_dates_partition_time(
    change: tuple[str, str], day_start: str, minutes: int
) -> None:
    """Every instant lies in the service day that it is said to belong to, and days adjoin."""
    at = venue(change[0], day_starts_at=day_start)
    epoch = utc(change[1] + "T12:00:00") + minutes * 60
    date = service_date(at, epoch)
    start, end = service_day(at, date)
    assert start <= epoch < end
    assert service_day(at, date + DAY)[0] == end
    assert service_date(at, epoch + 60) >= date


# --- opening hours ------------------------------------------------------------------------------

HOURS = {
    "tue": [["12:00", "15:00"], ["18:00", "23:30"]],
    "fri": [["18:00", "02:00"]],
    "sat": [["18:00", "24:00"]],
    "sun": [["00:00", "01:30"], ["10:00", "12:00"], ["12:00", "14:00"]],
}


@pytest.mark.parametrize(
    ("date", "spans"),
    [
        ("2026-06-29", []),
        (
            "2026-06-30",
            [("2026-06-30T12:00", "2026-06-30T15:00"), ("2026-06-30T18:00", "2026-06-30T23:30")],
        ),
        ("2026-07-03", [("2026-07-03T18:00", "2026-07-04T02:00")]),
        ("2026-07-04", [("2026-07-04T18:00", "2026-07-05T01:30")]),  # joined across midnight
        ("2026-07-05", [("2026-07-05T10:00", "2026-07-05T14:00")]),  # joined at noon
        ("2026-07-07", []),  # closed
    ],
)
def test_the_spans_of_a_day(date: str, spans: list[tuple[str, str]]) -> None:
    at = venue(hours=HOURS, closed=["2026-07-07"])
    assert shown(at, open_spans(at, day(date))) == spans


@pytest.mark.parametrize(
    ("start", "end", "inside"),
    [
        ("2026-06-30T12:00", "2026-06-30T15:00", True),
        ("2026-06-30T11:59", "2026-06-30T15:00", False),
        ("2026-06-30T14:00", "2026-06-30T15:01", False),
        ("2026-06-30T14:00", "2026-06-30T19:00", False),  # over the afternoon
        ("2026-07-04T23:00", "2026-07-05T01:30", True),  # two spans that are one
        ("2026-07-04T23:00", "2026-07-05T01:31", False),
        ("2026-07-04T01:00", "2026-07-04T02:00", True),  # Friday's, on Saturday morning
        ("2026-07-05T11:30", "2026-07-05T12:30", True),
        ("2026-07-07T12:00", "2026-07-07T13:00", False),
    ],
)
def test_a_reservation_lies_wholly_in_one_span(start: str, end: str, inside: bool) -> None:
    at = venue(hours=HOURS, closed=["2026-07-07"])
    assert within_hours(at, local_to_epoch(at, start), local_to_epoch(at, end)) is inside


def test_a_venue_that_never_closes_is_one_span() -> None:
    at = venue(hours={name: [["00:00", "24:00"]] for name in ALL_WEEK})
    start = local_to_epoch(at, "2026-03-28T10:00")
    assert within_hours(at, start, start + 20 * 86_400)
    assert len(slot_starts(at, day("2026-07-01"))) == 96
    assert within_hours(venue(), start, start + 20 * 86_400)


def test_samoas_missing_day_does_not_interrupt_a_venue_that_never_closes() -> None:
    at = venue("Pacific/Apia", hours={name: [["00:00", "24:00"]] for name in ALL_WEEK})
    assert within_hours(at, utc("2011-12-30T08:00:00"), utc("2011-12-30T12:00:00"))
    assert open_spans(at, day("2011-12-30")) == []
    assert slot_starts(at, day("2011-12-30")) == []


# --- start times --------------------------------------------------------------------------------


def clocks(at: Venue, date: str, minutes: int | None = None) -> list[str]:
    return [format_time(at, start)[11:16] for start in slot_starts(at, day(date), minutes)]


def test_start_times_count_from_the_opening_and_the_seating_ends_inside() -> None:
    at = venue(hours={"wed": [["12:10", "14:00"]]}, slot_minutes=20, seating_minutes=60)
    assert clocks(at, "2026-07-01") == ["12:10", "12:30", "12:50"]
    assert clocks(at, "2026-07-01", 110) == ["12:10"]
    assert clocks(at, "2026-07-01", 111) == []


def test_the_grid_runs_through_midnight_where_spans_adjoin() -> None:
    hours = {"wed": [["23:10", "24:00"]], "thu": [["00:00", "01:10"]]}
    at = venue(hours=hours, slot_minutes=40, seating_minutes=40, day_starts_at="04:00")
    assert clocks(at, "2026-07-01") == ["23:10", "23:50", "00:30"]
    assert clocks(at, "2026-07-02") == []


def test_a_service_day_over_midnight_offers_its_small_hours() -> None:
    at = venue(hours={"fri": [["22:00", "02:00"]]}, slot_minutes=60, day_starts_at="04:00")
    assert clocks(at, "2026-07-03", 60) == ["22:00", "23:00", "00:00", "01:00"]
    midnight = venue(hours={"fri": [["22:00", "02:00"]]}, slot_minutes=60)
    assert clocks(midnight, "2026-07-03", 60) == ["22:00", "23:00"]
    assert clocks(midnight, "2026-07-04", 60) == ["00:00", "01:00"]


@pytest.mark.parametrize(
    ("date", "starts"),
    [
        ("2026-03-29", ["01:00", "03:00", "04:00"]),  # 02:00 is skipped
        ("2026-10-25", ["01:00", "02:00", "02:00", "03:00", "04:00"]),  # 02:00 comes twice
    ],
)
def test_the_night_of_a_clock_change_has_an_hour_less_or_more(date: str, starts: list[str]) -> None:
    at = venue(hours={"sun": [["01:00", "05:00"]]}, slot_minutes=60)
    assert clocks(at, date, 60) == starts


def test_a_lodging_offers_check_in() -> None:
    at = venue(kind="lodging")
    assert clocks(at, "2026-07-01") == ["15:00"]


hour_texts = st.integers(0, 95).map(lambda q: f"{q // 4:02d}:{q % 4 * 15:02d}")
day_spans = st.tuples(hour_texts, hour_texts).filter(lambda pair: pair[0] != pair[1]).map(list)


@given(
    change=st.sampled_from(CHANGES),
    shift=st.integers(-1, 1),
    hours=st.dictionaries(st.sampled_from(ALL_WEEK), st.lists(day_spans, max_size=1)),
    slot=st.sampled_from([10, 15, 30, 45, 60]),
    length=st.integers(1, 240),
    day_start=st.sampled_from(["00:00", "02:30", "04:00"]),
)
def test_every_offered_start_lies_in_the_hours_on_the_grid_and_on_its_date(
    change: tuple[str, str], shift: int, hours: Any, slot: int, length: int, day_start: str
) -> None:
    at = venue(change[0], hours=hours, slot_minutes=slot, day_starts_at=day_start)
    date = day(change[1]) + shift * DAY
    starts = slot_starts(at, date, length)
    assert starts == sorted(set(starts))
    for start in starts:
        assert within_hours(at, start, start + length * 60)
        assert on_grid(at, start)
        assert service_date(at, start) == date
        assert slot_of(at, start) == (start, start + slot * 60)
        assert slot_of(at, start + slot * 60 - 1)[0] >= start


# --- lengths ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("party", "minutes"), [(1, 75), (2, 75), (3, 90), (8, 120), (20, 120)])
def test_the_smallest_entry_that_fits_says_how_long_a_party_sits(party: int, minutes: int) -> None:
    assert default_minutes(venue(seating_minutes={2: 75, 4: 90, 8: 120}), party) == minutes
    assert default_minutes(venue(seating_minutes=60), party) == 60


HOTEL: dict[str, Any] = {"kind": "lodging", "stays": {"check_in": "15:00", "check_out": "11:00"}}


@pytest.mark.parametrize(
    ("arguments", "start", "end", "nights"),
    [
        ({"starts_at": "2026-07-01", "nights": 2}, "01T15:00", "03T11:00", 2),
        ({"starts_at": "2026-07-01T22:45", "nights": 2}, "01T15:00", "03T11:00", 2),
        ({"starts_at": "2026-07-01T23:30Z", "nights": 2}, "02T15:00", "04T11:00", 2),
        ({"starts_at": "2026-07-01"}, "01T15:00", "02T11:00", 1),
        ({"starts_at": "2026-07-01", "ends_at": "2026-07-04"}, "01T15:00", "04T11:00", 3),
        ({"starts_at": "2026-07-01T09:00", "duration_minutes": 90}, "01T09:00", "01T10:30", None),
    ],
)
def test_a_time_in_a_lodging_means_check_in_of_that_date(
    arguments: dict[str, Any], start: str, end: str, nights: int | None
) -> None:
    at = venue(**HOTEL)
    found = reservation_interval(at, party_size=2, **arguments)
    assert shown(at, [found[:2]]) == [(f"2026-07-{start}", f"2026-07-{end}")]
    assert found.nights == nights


def test_a_night_over_a_clock_change_is_an_hour_shorter_or_longer() -> None:
    at = venue(**HOTEL)
    for date, hours in (("2026-03-28", 19), ("2026-07-01", 20), ("2026-10-24", 21)):
        start, end = stay_interval(at, day(date), 1)
        assert (end - start) / 3600 == hours


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"nights": 1, "duration_minutes": 60}, "nights"),
        ({"nights": 1}, "nights"),
        ({"duration_minutes": 0}, "duration_minutes"),
        ({"ends_at": "2026-07-01T12:00"}, "ends_at"),
        ({"starts_at": "2026-07-01"}, "starts_at"),
    ],
)
def test_a_length_that_means_nothing_is_refused_by_field(
    arguments: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        reservation_interval(
            venue(), **{"starts_at": "2026-07-01T12:00", **arguments}, party_size=2
        )
    assert caught.value.extra["errors"][0]["field"] == field


def test_nobody_arrives_on_a_day_that_does_not_exist() -> None:
    with pytest.raises(Invalid, match="does not exist"):
        stay_interval(venue("Pacific/Apia", **HOTEL), day("2011-12-30"), 1)
