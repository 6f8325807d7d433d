"""Calendars as RFC 5545 has them: other people's readers get out what was put in."""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.api import calendar_text
from holdfast.api.calendar_text import LINE_OCTETS_MAX, escaped, folded, vtimezone
from holdfast.model.feeds import CANCELLED, CONFIRMED, FeedEvent
from holdfast.model.venue import Venue
from holdfast.node import calendars
from tests import calendar_stories

UTC = datetime.UTC
WRITTEN = datetime.datetime(2026, 5, 1, 9, 30, tzinfo=UTC)


def venue(zone: str = "Europe/Rome", name: str = "Trattoria") -> Venue:
    return Venue(id="trattoria", name=name, kind="restaurant", time_zone=zone, resources=())


def seconds(at: datetime.datetime) -> int:
    return int(at.timestamp())


def event(start: datetime.datetime, minutes: int = 90, **changes: Any) -> FeedEvent:
    told = FeedEvent(
        "01a20133-0320-7b7a-ab51-df73fb666bf7", 0, seconds(WRITTEN) * 1000, CONFIRMED,
        "Table T1, party of 2, confirmed", "RES-2026-ABC123", "T1", seconds(start),
        seconds(start) + minutes * 60, False,
    )  # fmt: skip
    return told._replace(**changes)


def lines(feed: bytes) -> list[str]:
    """A feed's content lines, unfolded by the letter of RFC 5545, 3.1."""
    assert feed.endswith(b"\r\n")
    return feed.replace(b"\r\n ", b"").decode().removesuffix("\r\n").split("\r\n")


def value(feed: bytes, name: str) -> str:
    """The line of a property of the first event."""
    inside = lines(feed)
    (found, *_) = [line for line in inside[inside.index("BEGIN:VEVENT") :] if line.startswith(name)]
    return found.removeprefix(name)


# --- other readers --------------------------------------------------------------------------------


def read(feed: bytes) -> list[dict[str, Any]]:
    """The events of a feed as icalendar reads them."""
    found = []
    for one in icalendar.Calendar.from_ical(feed).walk("VEVENT"):
        assert one.decoded("last-modified") == one.decoded("dtstamp")
        assert ("transp" in one) == (one["status"] == CANCELLED)
        found.append(
            {name: str(one[name]) for name in ("uid", "summary", "description", "location")}
            | {"sequence": one.decoded("sequence"), "status": str(one["status"])}
            | {"start": one.decoded("dtstart"), "end": one.decoded("dtend")}
            | {"changed": one.decoded("last-modified")}
        )
    return found


def as_read(told: FeedEvent, zone: str) -> dict[str, Any]:
    """What a reader should find of an event: dates of stays, and no milliseconds."""
    fields = told._asdict()
    changed_ms, stay = fields.pop("changed_ms"), fields.pop("stay")
    fields["changed"] = datetime.datetime.fromtimestamp(changed_ms // 1000, UTC)
    for name in ("start", "end"):
        at = datetime.datetime.fromtimestamp(fields[name], ZoneInfo(zone))
        fields[name] = at.date() if stay else at.astimezone(UTC)
    return fields


def test_icalendar_reads_every_event_of_every_kind_as_it_was_told(tmp_path: Path):
    fleet = calendar_stories.bar(tmp_path)
    try:
        calendar_stories.hotel(fleet)
        for venue_id, events in (("bar", 12), ("hotel", 4)):
            feed = calendars.feed(fleet.the_hub, venue_id, None, None, None)
            assert len(feed.events) == events
            text = calendar_text.calendar(feed.venue, feed.events)
            assert read(text) == [as_read(one, "Europe/Rome") for one in feed.events]
            calendar = icalendar.Calendar.from_ical(text)
            # It knows no property NAME, and leaves a text of those as it is written.
            assert str(calendar["name"]) == escaped(feed.venue.name)
            assert (str(calendar["version"]), str(calendar["calscale"])) == ("2.0", "GREGORIAN")
    finally:
        fleet.__exit__()


def test_a_calendar_without_events_is_one_too():
    text = calendar_text.calendar(venue(), [])
    assert read(text) == []
    assert "VTIMEZONE" not in text.decode()


# --- times ----------------------------------------------------------------------------------------


def test_an_event_past_midnight_ends_on_the_next_date():
    late = datetime.datetime(2026, 7, 1, 23, 30, tzinfo=ZoneInfo("Europe/Rome"))
    text = calendar_text.calendar(venue(), [event(late)])
    assert value(text, "DTSTART") == ";TZID=Europe/Rome:20260701T233000"
    assert value(text, "DTEND") == ";TZID=Europe/Rome:20260702T010000"


def test_a_stay_is_whole_days_up_to_the_day_of_departure():
    arrival = datetime.datetime(2026, 7, 1, 15, 0, tzinfo=ZoneInfo("Europe/Rome"))
    text = calendar_text.calendar(venue(), [event(arrival, 2 * 1440 - 240, stay=True)])
    assert value(text, "DTSTART") == ";VALUE=DATE:20260701"
    assert value(text, "DTEND") == ";VALUE=DATE:20260703"
    assert "VTIMEZONE" not in text.decode()


@pytest.mark.parametrize(
    ("local", "start", "end"),
    [
        # In Rome 02:00 to 03:00 comes twice on 25 October 2026, and on 29 March not at all.
        ("2026-10-25T01:59:00+02:00", "20261024T235900Z", "20261025T005900Z"),
        ("2026-10-25T02:30:00+02:00", "20261025T003000Z", "20261025T013000Z"),
        ("2026-10-25T02:30:00+01:00", "20261025T013000Z", "20261025T023000Z"),
        (
            "2026-10-25T03:00:00+01:00",
            ";TZID=Europe/Rome:20261025T030000",
            ";TZID=Europe/Rome:20261025T040000",
        ),
        (
            "2026-03-29T01:30:00+01:00",
            ";TZID=Europe/Rome:20260329T013000",
            ";TZID=Europe/Rome:20260329T033000",
        ),
    ],
)
def test_no_time_is_written_that_the_clock_shows_twice(local: str, start: str, end: str):
    told = event(datetime.datetime.fromisoformat(local), 60)
    text = calendar_text.calendar(venue(), [told])
    assert value(text, "DTSTART").removeprefix(":") == start
    assert value(text, "DTEND").removeprefix(":") == end
    assert read(text) == [as_read(told, "Europe/Rome")]


def test_a_venue_by_universal_time_needs_no_zone():
    told = event(datetime.datetime(2026, 7, 1, 19, 30, tzinfo=UTC))
    text = calendar_text.calendar(venue("UTC"), [told])
    assert value(text, "DTSTART") == ":20260701T193000Z"
    assert "VTIMEZONE" not in text.decode()
    assert read(text) == [as_read(told, "UTC")]


def test_an_end_that_nobody_knows_is_left_out():
    told = event(datetime.datetime(2026, 7, 1, 19, 30, tzinfo=UTC), 0)
    assert "DTEND" not in calendar_text.calendar(venue(), [told]).decode()


# --- zones ----------------------------------------------------------------------------------------


class Observance(NamedTuple):
    """From when on, in Unix seconds, and how many seconds the clocks are ahead."""

    onset: int
    offset: int


def observances(zone: str, first: int, last: int) -> list[Observance]:
    """A VTIMEZONE by the letter of RFC 5545, 3.6.5: an onset is said by the clock before it."""
    found = []
    fields: dict[str, str] = {}
    for line in vtimezone(zone, first, last):
        name, _, said = line.partition(":")
        fields[name] = said
        if line in ("END:STANDARD", "END:DAYLIGHT"):
            local = datetime.datetime.strptime(fields["DTSTART"], "%Y%m%dT%H%M%S")
            before, after = (_offset(fields[f"TZOFFSET{which}"]) for which in ("FROM", "TO"))
            onset = seconds(local.replace(tzinfo=UTC)) - before
            found.append(Observance(onset, after))
    return found


def _offset(text: str) -> int:
    hours, minutes, more = int(text[1:3]), int(text[3:5]), int(text[5:] or 0)
    return (-1 if text[0] == "-" else 1) * (hours * 3600 + minutes * 60 + more)


def instants(found: list[Observance], first: int, last: int) -> Iterator[int]:
    """Every half a day of some years, and around each change."""
    begin = seconds(datetime.datetime(first, 1, 1, tzinfo=UTC)) - 43_200
    end = seconds(datetime.datetime(last + 1, 1, 1, tzinfo=UTC)) + 43_200
    yield from range(begin, end, 43_200)
    for one in found[1:]:
        yield from (one.onset - 1, one.onset, one.onset + 3_600)


def check_zone(zone: str, first: int, last: int) -> None:
    found = observances(zone, first, last)
    assert found == sorted(found), zone
    for at in instants(found, first, last):
        offset = [one.offset for one in found if one.onset <= at][-1]
        there = datetime.datetime.fromtimestamp(at, ZoneInfo(zone)).utcoffset()
        assert there is not None and offset == int(there.total_seconds()), (zone, at)


@pytest.mark.parametrize(
    ("zone", "years"),
    [
        ("Europe/Rome", (2026, 2028)),
        ("Europe/Dublin", (2026, 2026)),  # its winter is what differs
        ("Africa/Casablanca", (2026, 2027)),  # back for Ramadan alone
        ("Africa/Monrovia", (1971, 1973)),  # 44 minutes and 30 seconds
        ("America/St_Johns", (2026, 2026)),  # half hours
        ("Australia/Lord_Howe", (2026, 2026)),  # by half an hour
        ("Pacific/Apia", (2011, 2012)),  # a day left out
        ("Asia/Kolkata", (2026, 2026)),
        ("Etc/GMT+12", (2026, 2026)),
    ],
)
def test_a_zone_is_right_at_every_instant(zone: str, years: tuple[int, int]):
    check_zone(zone, *years)


@pytest.mark.slow
def test_every_zone_there_is_is_right_at_every_instant():
    for zone in sorted(zoneinfo.available_timezones()):
        check_zone(zone, 2026, 2027)


def test_the_onset_of_summer_time_is_said_by_the_clock_before_it():
    """As in the examples of RFC 5545, 3.6.5."""
    new_york = "\n".join(vtimezone("America/New_York", 2007, 2007))
    assert (
        "BEGIN:DAYLIGHT\nDTSTART:20070311T020000\nTZOFFSETFROM:-0500\nTZOFFSETTO:-0400\n"
        "TZNAME:EDT\nEND:DAYLIGHT\nBEGIN:STANDARD\nDTSTART:20071104T020000\nTZOFFSETFROM:-0400\n"
        "TZOFFSETTO:-0500\nTZNAME:EST\nEND:STANDARD"
    ) in new_york


# --- lines ----------------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@given(texts)
def test_any_line_folds_and_unfolds_to_the_same_bytes(text: str):
    line = text.replace("\r", "").replace("\n", "")
    data = folded(line)
    assert data.endswith(b"\r\n")
    for piece in data.removesuffix(b"\r\n").split(b"\r\n"):
        assert len(piece) <= LINE_OCTETS_MAX
        piece.decode()  # no character is cut in two
    assert data.removesuffix(b"\r\n").replace(b"\r\n ", b"") == line.encode()


@given(st.lists(st.tuples(texts, texts, texts), max_size=5), texts)
def test_any_text_in_a_feed_is_read_back_and_breaks_nothing(
    told: list[tuple[str, str, str]], name: str
):
    start = datetime.datetime(2026, 7, 1, 19, 30, tzinfo=UTC)
    events = [
        event(start, summary=summary, description=description, location=f"T1 {where}")
        for summary, description, where in told
    ]
    text = calendar_text.calendar(venue(name=name), events)
    for piece in text.split(b"\r\n"):
        assert len(piece) <= LINE_OCTETS_MAX and b"\n" not in piece and b"\r" not in piece
    assert text == b"".join(folded(line) for line in lines(text))
    found = icalendar.Calendar.from_ical(text).walk("VEVENT")
    assert len(found) == len(events)
    for one, (summary, description, where) in zip(found, told, strict=True):
        for field, meant in (
            ("summary", summary), ("description", description), ("location", f"T1 {where}"),
        ):  # fmt: skip
            assert str(one[field]) == plain(meant)


def plain(text: str) -> str:
    """A text as RFC 5545 can hold it: one kind of line end, no other control characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in text if c in "\t\n" or not (c < " " or c == "\x7f"))


def test_half_of_a_character_does_no_harm():
    assert folded("SUMMARY:\udcff") == b"SUMMARY:?\r\n"
    assert escaped("a\x00b;c,d\\e\r\nf") == "ab\\;c\\,d\\\\e\\nf"
