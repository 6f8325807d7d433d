"""Between instants (epoch seconds, UTC) and what a venue's clocks on the wall say.

Owns the reading and writing of times and dates. Knows nothing of service dates, hours or lengths
(`calendar`). Reads the time zone database and no clock.

Wall-clock times of the venue file that a clock change skips mean the instant as far after the
last one that exists; those that come twice mean the first. What a person asks for is stricter: a
skipped time is refused (CONTRACT, "Times").
"""

from __future__ import annotations

import datetime
import re
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from holdfast.model.errors import Invalid
from holdfast.model.limits import CALENDAR_ENTRIES_IN_MEMORY, YEAR_MAX, YEAR_MIN
from holdfast.model.venue import DAY_MINUTES, Venue

DAY_SECONDS: Final = 86_400
_HOUR_SECONDS: Final = 3_600
_EPOCH_ORDINAL: Final = datetime.date(1970, 1, 1).toordinal()
DATE_PATTERN: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
DATE_TIME_PATTERN: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ]((?:[01]\d|2[0-3]):[0-5]\d)(:[0-5]\d(?:\.\d{1,9})?)?"
    r"([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)?",
    re.ASCII,
)


def utc_offset(venue: Venue, epoch_s: int) -> int:
    """Seconds that the venue's clocks are ahead of UTC at that instant, in whole minutes."""
    hour = epoch_s // _HOUR_SECONDS
    offset = _offset_of_hour(venue.time_zone, hour)
    return _exact_offset(venue.time_zone, epoch_s) if offset is None else offset


def local_date(venue: Venue, epoch_s: int) -> datetime.date:
    """The date on the wall calendar at that instant."""
    days = (epoch_s + utc_offset(venue, epoch_s)) // DAY_SECONDS
    return datetime.date.fromordinal(_EPOCH_ORDINAL + days)


def local_clock(venue: Venue, epoch_s: int) -> str:
    """The time of day on the wall, `HH:MM`: for messages."""
    seconds = (epoch_s + utc_offset(venue, epoch_s)) % DAY_SECONDS
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"


def format_time(venue: Venue, epoch_s: int) -> str:
    """RFC 3339 with the venue's offset at that instant, such as `2026-07-01T19:30:00+02:00`."""
    offset = _offset_of_hour(venue.time_zone, epoch_s // _HOUR_SECONDS)
    if offset is None:
        offset = _exact_offset(venue.time_zone, epoch_s)
    days, seconds = divmod(epoch_s + offset, DAY_SECONDS)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{_date_text(days)}T{hour:02d}:{minute:02d}:{second:02d}{_offset_text(offset)}"


def local_to_epoch(venue: Venue, text: str, field: str = "starts_at") -> int:
    """Read an RFC 3339 time; without an offset it is venue-local. Fractions are dropped.

    Raises `Invalid` (naming `field`) for anything else and for a local time that a clock change
    skips; of a doubled one the first is meant.
    """
    match = DATE_TIME_PATTERN.fullmatch(text)
    if match is None:
        raise Invalid.field(field, f"{text!r} is no time such as 2026-07-01T19:30")
    date_text, minutes, seconds, offset = match.groups()
    day = parse_date(date_text, field)
    local = f"{day}T{minutes}{(seconds or ':00')[:3]}"
    if offset:
        return _seconds(datetime.datetime.fromisoformat(local + offset.upper()))
    wall = datetime.datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(venue.time_zone))
    epoch_s = _seconds(wall)
    there = datetime.datetime.fromtimestamp(epoch_s, wall.tzinfo)
    if there.replace(tzinfo=None, fold=0) != wall.replace(tzinfo=None):
        raise Invalid.field(
            field,
            f"{text} does not exist in {venue.time_zone}: the clocks go forward there; "
            f"{there.isoformat()} does",
        )
    return epoch_s


def parse_date(text: str, field: str = "date") -> datetime.date:
    """Read an ISO date; raises `Invalid` naming `field`."""
    try:
        if not DATE_PATTERN.fullmatch(text):
            raise ValueError(text)
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise Invalid.field(field, f"{text!r} is no date such as 2026-07-01") from None
    if not YEAR_MIN <= day.year <= YEAR_MAX:
        raise Invalid.field(field, f"the year of {text} is not from {YEAR_MIN} to {YEAR_MAX}")
    return day


def wall_to_epoch(venue: Venue, day: datetime.date, minutes: int) -> int:
    """The instant of `minutes` after midnight on that date, leniently (see the module's head)."""
    return _wall(venue.time_zone, day, minutes)


def day_exists(venue: Venue, day: datetime.date) -> bool:
    """False for a date that the venue's calendar left out, as Samoa's did 30 December 2011."""
    return wall_to_epoch(venue, day, 0) < wall_to_epoch(venue, day, DAY_MINUTES)


@lru_cache(maxsize=CALENDAR_ENTRIES_IN_MEMORY)
def _offset_of_hour(time_zone: str, hour: int) -> int | None:
    """The offset throughout that hour since the epoch; None where it changes within."""
    first = _exact_offset(time_zone, hour * _HOUR_SECONDS)
    last = _exact_offset(time_zone, hour * _HOUR_SECONDS + _HOUR_SECONDS - 1)
    return first if first == last else None


def _exact_offset(time_zone: str, epoch_s: int) -> int:
    instant = datetime.datetime.fromtimestamp(epoch_s, ZoneInfo(time_zone))
    offset = instant.utcoffset()
    assert offset is not None  # a ZoneInfo always has one
    # RFC 3339 offsets have no seconds; zones had them only before standard time.
    return int(offset.total_seconds()) // 60 * 60


@lru_cache(maxsize=CALENDAR_ENTRIES_IN_MEMORY)
def _wall(time_zone: str, day: datetime.date, minutes: int) -> int:
    midnight = datetime.datetime(day.year, day.month, day.day)
    wall = midnight + datetime.timedelta(minutes=minutes)
    return _seconds(wall.replace(tzinfo=ZoneInfo(time_zone)))


def _seconds(aware: datetime.datetime) -> int:
    """Whole seconds since the epoch, without the detour over floating point."""
    since = aware.replace(tzinfo=None) - datetime.datetime(1970, 1, 1)
    offset = aware.utcoffset()
    assert offset is not None  # callers pass aware times
    return (since - offset) // datetime.timedelta(seconds=1)


@lru_cache(maxsize=4_096)
def _date_text(days: int) -> str:
    return datetime.date.fromordinal(_EPOCH_ORDINAL + days).isoformat()


@lru_cache(maxsize=256)
def _offset_text(offset: int) -> str:
    sign = "-" if offset < 0 else "+"
    minutes = abs(offset) // 60
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"
