"""A venue's calendar: service dates, lengths, opening hours and the times that are offered.

Owns what a venue file says about time, as instants (epoch seconds, UTC). Knows nothing of who may
ignore it (`rules`) or of what is free. The face of `wall`, whose functions are names here too.

A span that begins where the one before it ends (or earlier) is one with it, across midnight too.
The grid of start times counts from a span's opening. A venue that never closes would have no
opening to count from: its grid begins anew where the joined part is a day old.
"""

from __future__ import annotations

import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from holdfast.model.errors import Invalid
from holdfast.model.limits import CALENDAR_ENTRIES_IN_MEMORY
from holdfast.model.venue import DAY_MINUTES, Span, Stays, Venue
from holdfast.model.wall import (
    DATE_PATTERN,
    DAY_SECONDS,
    day_exists,
    format_time,
    local_clock,
    local_date,
    local_to_epoch,
    parse_date,
    utc_offset,
    wall_to_epoch,
)

__all__ = [
    "Interval",
    "arrival_date",
    "day_exists",
    "default_minutes",
    "describe_hours",
    "format_time",
    "local_clock",
    "local_date",
    "local_to_epoch",
    "on_grid",
    "open_spans",
    "parse_date",
    "reservation_interval",
    "service_date",
    "service_day",
    "slot_of",
    "slot_starts",
    "stay_interval",
    "utc_offset",
    "wall_to_epoch",
    "within_hours",
]

_ONE_DAY: Final = datetime.timedelta(days=1)
_ALL_DAY: Final = (Span(0, DAY_MINUTES),)
_JOINED_DAYS_MAX: Final = 8
"""A weekly timetable that is still open after so many days never closes."""
_RESTART_SECONDS: Final = 23 * 3600
"""A day, even when a clock change shortens it by an hour."""
_EPOCH_ORDINAL: Final = datetime.date(1970, 1, 1).toordinal()


class Interval(NamedTuple):
    """A half-open time [start, end) in epoch seconds; `nights` None unless it is a stay."""

    start: int
    end: int
    nights: int | None


class Part(NamedTuple):
    """The hours that one weekday's entry gives one date, and where their slot grid begins."""

    opens: int
    closes: int
    grid: int


# --- service dates ------------------------------------------------------------------------------


@lru_cache(maxsize=CALENDAR_ENTRIES_IN_MEMORY)
def service_date(venue: Venue, epoch_s: int) -> datetime.date:
    """The venue's day that an instant belongs to; it begins at `day_starts_at`.

    Service dates partition time: each instant has one, and they never go back, not even where a
    clock change doubles the hour at which the day starts.
    """
    wall = epoch_s + utc_offset(venue, epoch_s) - venue.day_starts_at * 60
    day = datetime.date.fromordinal(_EPOCH_ORDINAL + wall // DAY_SECONDS)
    while epoch_s < wall_to_epoch(venue, day, venue.day_starts_at):
        day -= _ONE_DAY
    while epoch_s >= wall_to_epoch(venue, day + _ONE_DAY, venue.day_starts_at):
        day += _ONE_DAY
    return day


def service_day(venue: Venue, day: datetime.date) -> tuple[int, int]:
    """The instants [start, end) of a service date; empty where the calendar leaves the day out."""
    return (
        wall_to_epoch(venue, day, venue.day_starts_at),
        wall_to_epoch(venue, day + _ONE_DAY, venue.day_starts_at),
    )


# --- lengths ------------------------------------------------------------------------------------


def default_minutes(venue: Venue, party: int) -> int:
    """How long a seating of that party lasts: the smallest entry that fits, else the largest."""
    for largest, minutes in venue.seating:
        if party <= largest:
            return minutes
    return venue.seating[-1][1]


def sells_nights(venue: Venue) -> bool:
    """Whether what is asked for without a length is a stay of nights."""
    return venue.stays is not None and venue.kind == "lodging"


def stay_interval(venue: Venue, arrival: datetime.date, nights: int) -> tuple[int, int]:
    """[check-in of the arrival date, check-out `nights` dates later).

    Raises `Invalid` where the venue has no stays, the date does not exist or nights are below 1.
    """
    stays = _stays(venue)
    if nights < 1:
        raise Invalid.field("nights", f"must be at least 1, not {nights}")
    if not day_exists(venue, arrival):
        raise Invalid.field("starts_at", f"{arrival} does not exist in {venue.time_zone}")
    try:
        departure = arrival + datetime.timedelta(days=nights)
        return (
            wall_to_epoch(venue, arrival, stays.check_in),
            wall_to_epoch(venue, departure, stays.check_out),
        )
    except OverflowError:
        raise Invalid.field("nights", f"{nights} nights lead beyond the calendar") from None


def arrival_date(venue: Venue, text: str, field: str = "starts_at") -> datetime.date:
    """The date that a stay begins: `text` is that date or a time on it."""
    if DATE_PATTERN.fullmatch(text):
        return parse_date(text, field)
    return local_date(venue, local_to_epoch(venue, text, field))


def reservation_interval(
    venue: Venue,
    starts_at: str,
    party_size: int,
    *,
    duration_minutes: int | None = None,
    ends_at: str | None = None,
    nights: int | None = None,
) -> Interval:
    """What `starts_at` and at most one of the others mean (CONTRACT, `POST /reservations`).

    Nights, and in a lodging everything but a duration, make a stay: from check-in of the date to
    check-out. Raises `Invalid` naming the field at fault.
    """
    lengths = {"duration_minutes": duration_minutes, "ends_at": ends_at, "nights": nights}
    given = [name for name, value in lengths.items() if value is not None]
    if len(given) > 1:
        raise Invalid.field(given[1], f"give {given[0]} or {given[1]}, not both")
    lodging = sells_nights(venue)
    if ends_at is not None and lodging:
        arrival = arrival_date(venue, starts_at)
        nights = (arrival_date(venue, ends_at, "ends_at") - arrival).days or None
        if nights is not None and nights < 0:
            raise Invalid.field("ends_at", "is before starts_at")
    if nights is None and not given and lodging:
        nights = 1
    if nights is not None:
        start, end = stay_interval(venue, arrival_date(venue, starts_at), nights)
        return Interval(start, end, nights)
    start = local_to_epoch(venue, starts_at)
    if ends_at is not None:
        end = local_to_epoch(venue, ends_at, "ends_at")
        if end <= start:
            raise Invalid.field("ends_at", "must be after starts_at")
        return Interval(start, end, None)
    minutes = default_minutes(venue, party_size) if duration_minutes is None else duration_minutes
    if minutes < 1:
        raise Invalid.field("duration_minutes", f"must be at least 1, not {minutes}")
    return Interval(start, start + minutes * 60, None)


# --- opening hours and slots --------------------------------------------------------------------


def open_spans(venue: Venue, day: datetime.date) -> list[tuple[int, int]]:
    """The spans [start, end) that open on that calendar date, each to its end, however late.

    What continues a span of the day before belongs to that day. Of a venue that never closes,
    each date has a span that reaches a week ahead.
    """
    return [
        (part.opens, _closing(venue, day, part.closes))
        for part in _parts(venue, day)
        if part.grid == part.opens
    ]


def within_hours(venue: Venue, start: int, end: int) -> bool:
    """Whether [start, end) lies wholly in one open span."""
    if venue.hours is None and not venue.closed:
        return True
    covered = start
    day = local_date(venue, start) - _ONE_DAY
    for _ in range((end - start) // DAY_SECONDS + 4):
        for part in _parts(venue, day):
            if part.opens <= covered < part.closes:
                covered = part.closes
                if covered >= end:
                    return True
        day += _ONE_DAY
    return False


def slot_starts(venue: Venue, day: datetime.date, minutes: int | None = None) -> list[int]:
    """The start times offered on a service date for a seating of `minutes`, in order.

    A seating ends inside its span. `minutes` left out: the shortest seating of the venue, or, for
    a lodging, the one start that stays have, check-in.
    """
    return list(_slot_starts(venue, day, minutes))


def slot_of(venue: Venue, epoch_s: int) -> tuple[int, int]:
    """The slot [start, end) that an instant falls in: what pacing counts over.

    Outside the opening hours it is counted from the venue's midnight.
    """
    step = venue.slot_minutes * 60
    grid = wall_to_epoch(venue, local_date(venue, epoch_s), 0)
    part = _part_at(venue, epoch_s)
    if part is not None:
        grid = part.grid
    start = epoch_s - (epoch_s - grid) % step
    return start, start + step


def on_grid(venue: Venue, epoch_s: int) -> bool:
    """Whether a seating may start there for a guest; outside the hours nothing may."""
    part = _part_at(venue, epoch_s)
    return part is not None and (epoch_s - part.grid) % (venue.slot_minutes * 60) == 0


def describe_hours(venue: Venue, epoch_s: int) -> str:
    """The hours of the service date of an instant in words, for a message."""
    day = service_date(venue, epoch_s)
    if venue.hours is None and day not in venue.closed:
        return "it is always open"
    spans = [
        f"{local_clock(venue, opens)}–{local_clock(venue, closes)}"
        for opens, closes in open_spans(venue, day)
    ]
    return f"open {' and '.join(spans)}" if spans else f"closed on {day:%A} {day}"


# --- helpers ------------------------------------------------------------------------------------


def _stays(venue: Venue) -> Stays:
    if venue.stays is None:
        raise Invalid.field(
            "nights", f"{venue.id} has no stays; give duration_minutes, or add `stays` to the venue"
        )
    return venue.stays


@lru_cache(maxsize=CALENDAR_ENTRIES_IN_MEMORY)
def _slot_starts(venue: Venue, day: datetime.date, minutes: int | None) -> tuple[int, ...]:
    if minutes is None and venue.stays is not None and sells_nights(venue):
        if day in venue.closed or not day_exists(venue, day):
            return ()
        return (wall_to_epoch(venue, day, venue.stays.check_in),)
    length = (default_minutes(venue, 1) if minutes is None else minutes) * 60
    first, last = service_day(venue, day)
    step = venue.slot_minutes * 60
    found: set[int] = set()
    # A service date takes in the early hours of the next calendar date, and the night before's
    # span may still be open when it begins.
    for offset in (-1, 0, 1):
        for part in _parts(venue, day + offset * _ONE_DAY):
            earliest = max(part.opens, first)
            start = earliest + (part.grid - earliest) % step
            while start < min(part.closes, last):
                if within_hours(venue, start, start + length):
                    found.add(start)
                start += step
    return tuple(sorted(found))


@lru_cache(maxsize=CALENDAR_ENTRIES_IN_MEMORY)
def _parts(venue: Venue, day: datetime.date) -> tuple[Part, ...]:
    """What that date's own entry opens, joined within the date, with the grid of each."""
    before = _declared(venue, day - _ONE_DAY)
    parts = []
    for opens, closes in _declared(venue, day):
        grid = opens
        for earlier_opens, earlier_closes in before:
            if earlier_closes >= opens and opens - earlier_opens < _RESTART_SECONDS:
                grid = earlier_opens
                break
        parts.append(Part(opens, closes, grid))
    return tuple(parts)


@lru_cache(maxsize=CALENDAR_ENTRIES_IN_MEMORY)
def _declared(venue: Venue, day: datetime.date) -> tuple[tuple[int, int], ...]:
    if day in venue.closed or not day_exists(venue, day):
        return ()
    joined: list[tuple[int, int]] = []
    for span in _ALL_DAY if venue.hours is None else venue.hours[day.weekday()]:
        opens = wall_to_epoch(venue, day, span.opens)
        closes = wall_to_epoch(venue, day, span.closes)
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(closes, joined[-1][1]))
        elif opens < closes:  # a clock change can swallow a short span
            joined.append((opens, closes))
    return tuple(joined)


def _closing(venue: Venue, day: datetime.date, closes: int) -> int:
    for offset in range(_JOINED_DAYS_MAX):
        for part in _parts(venue, day + offset * _ONE_DAY):
            if part.opens <= closes < part.closes:
                closes = part.closes
        if wall_to_epoch(venue, day + (offset + 1) * _ONE_DAY, 0) > closes:
            break
    return closes


def _part_at(venue: Venue, epoch_s: int) -> Part | None:
    day = local_date(venue, epoch_s)
    for here in (day, day - _ONE_DAY):
        for part in _parts(venue, here):
            if part.opens <= epoch_s < part.closes:
                return part
    return None
