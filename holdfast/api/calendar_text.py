"""Calendars as text: content lines, time zones and events as RFC 5545 has them.

Owns the form and nothing of what is told. The library `icalendar` was measured for it: its
VTIMEZONE says the onset of summer time by the clock that is already put forward (an hour late,
where RFC 5545, 3.6.5, wants the clock before), and it costs 55 ms and 10 MB to load and 0.2 ms an
event, on a kiosk several times that. It reads the feeds back in the tests.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from holdfast.model.feeds import CANCELLED, FeedEvent
from holdfast.model.limits import CALENDAR_REFRESH_MINUTES
from holdfast.model.venue import Venue

MEDIA_TYPE: Final = "text/calendar"
"""In UTF-8, which the answer says beside it."""
LINE_OCTETS_MAX: Final = 75
_EPOCH: Final = datetime.datetime(1970, 1, 1)
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_DAY_SECONDS: Final = 86_400


def calendar(venue: Venue, events: Iterable[FeedEvent], *, subscribed: bool = True) -> bytes:
    """The venue's zone and events in their order; `subscribed`: as a feed, which has a name and is
    asked for again."""
    told = list(events)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Holdfast//Calendar feed//EN",
        "CALSCALE:GREGORIAN",
        *(_feed_lines(venue) if subscribed else ()),
    ]
    timed = [event for event in told if not event.stay]
    if timed and venue.time_zone != "UTC":
        first = min(event.start for event in timed)
        last = max(max(event.start, event.end) for event in timed)
        lines += vtimezone(venue.time_zone, _year(first), _year(last))
    for event in told:
        lines += _vevent(venue.time_zone, event)
    lines.append("END:VCALENDAR")
    return b"".join(folded(line) for line in lines)


def _feed_lines(venue: Venue) -> list[str]:
    every = f"PT{CALENDAR_REFRESH_MINUTES}M"
    return [
        f"NAME:{escaped(venue.name)}",
        # What programs understood before RFC 7986.
        f"X-WR-CALNAME:{escaped(venue.name)}",
        f"X-WR-TIMEZONE:{venue.time_zone}",
        f"REFRESH-INTERVAL;VALUE=DURATION:{every}",
        f"X-PUBLISHED-TTL:{every}",
    ]


def _vevent(zone: str, event: FeedEvent) -> list[str]:
    changed = _utc(event.changed_ms // 1000)
    lines = [
        "BEGIN:VEVENT",
        f"UID:{event.uid}",
        # Without METHOD both say when the event last changed (RFC 5545, 3.8.7.2).
        f"DTSTAMP:{changed}",
        f"LAST-MODIFIED:{changed}",
        f"SEQUENCE:{event.sequence}",
        *_times(zone, event),
        f"SUMMARY:{escaped(event.summary)}",
        f"DESCRIPTION:{escaped(event.description)}",
    ]
    if event.location:
        lines.append(f"LOCATION:{escaped(event.location)}")
    lines.append(f"STATUS:{event.status}")
    if event.status == CANCELLED:
        lines.append("TRANSP:TRANSPARENT")
    lines.append("END:VEVENT")
    return lines


def _times(zone: str, event: FeedEvent) -> list[str]:
    """Start and end on the venue's clock; nights as dates, the end being the day of departure."""
    instants = {"DTSTART": event.start}
    if event.end > event.start:
        instants["DTEND"] = event.end
    local = {name: _local(zone, at) for name, at in instants.items()}
    if event.stay:
        return [f"{name};VALUE=DATE:{at:%Y%m%d}" for name, at in local.items()]
    # By the clock alone the hour that comes twice is the first (RFC 5545, 3.3.5); programs differ.
    if zone == "UTC" or any(_comes_twice(zone, at) for at in local.values()):
        return [f"{name}:{_utc(at)}" for name, at in instants.items()]
    return [f"{name};TZID={zone}:{_basic(at)}" for name, at in local.items()]


# --- time zones -----------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def vtimezone(zone: str, first_year: int, last_year: int) -> tuple[str, ...]:
    """The VTIMEZONE of an IANA zone, good from the beginning of a year to the end of another: what
    was in force, and one part for each change after it."""
    begin = _seconds(datetime.datetime(first_year, 1, 1))
    # The last hours of a year by the clock may be of the next one in UTC, and the other way round.
    begin, end = begin - _DAY_SECONDS, _seconds(datetime.datetime(last_year + 1, 1, 2))
    lines = ["BEGIN:VTIMEZONE", f"TZID:{zone}"]
    before = _offset(zone, begin)
    lines += _observance(zone, begin, before)
    for at in _changes(zone, begin, end):
        lines += _observance(zone, at, before)
        before = _offset(zone, at)
    return (*lines, "END:VTIMEZONE")


def _observance(zone: str, onset: int, before: int) -> list[str]:
    """What is in force from an instant on; its onset is said by the clock before it."""
    there = _aware(zone, onset)
    part = "DAYLIGHT" if there.dst() else "STANDARD"
    return [
        f"BEGIN:{part}",
        f"DTSTART:{_basic(_EPOCH + datetime.timedelta(seconds=onset + before))}",
        f"TZOFFSETFROM:{_offset_text(before)}",
        f"TZOFFSETTO:{_offset_text(_offset(zone, onset))}",
        f"TZNAME:{escaped(there.tzname() or zone)}",
        f"END:{part}",
    ]


def _changes(zone: str, begin: int, end: int) -> Iterator[int]:
    """The instants in (begin, end) at which the offset of a zone changes: looked for day by day,
    then by halving."""
    low = begin
    while low < end:
        high = min(low + _DAY_SECONDS, end)
        if _offset(zone, low) != _offset(zone, high):
            same, other = low, high
            while other - same > 1:
                middle = (same + other) // 2
                if _offset(zone, middle) == _offset(zone, same):
                    same = middle
                else:
                    other = middle
            yield other
        low = high


def _offset(zone: str, epoch_s: int) -> int:
    offset = _aware(zone, epoch_s).utcoffset()
    assert offset is not None  # a ZoneInfo always has one
    return int(offset.total_seconds())


def _offset_text(offset: int) -> str:
    sign = "-" if offset < 0 else "+"
    minutes, seconds = divmod(abs(offset), 60)
    text = f"{sign}{minutes // 60:02d}{minutes % 60:02d}"
    return f"{text}{seconds:02d}" if seconds else text


def _aware(zone: str, epoch_s: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(epoch_s, ZoneInfo(zone))


def _local(zone: str, epoch_s: int) -> datetime.datetime:
    """What the clocks there show."""
    return _aware(zone, epoch_s).replace(tzinfo=None)


def _comes_twice(zone: str, at: datetime.datetime) -> bool:
    """Whether the clocks there show it twice, because they are put back."""
    first, second = (at.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    return first.utcoffset() != second.utcoffset()


def _seconds(at: datetime.datetime) -> int:
    return (at - _EPOCH) // datetime.timedelta(seconds=1)


def _year(epoch_s: int) -> int:
    return (_EPOCH + datetime.timedelta(seconds=epoch_s)).year


# --- lines ----------------------------------------------------------------------------------------


def escaped(text: str) -> str:
    """A TEXT value (RFC 5545, 3.3.11); control characters, which none may have, are left out."""
    text = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    for plain, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(plain, written)
    return text


def folded(line: str) -> bytes:
    """A content line with its end, in lines of at most LINE_OCTETS_MAX octets; no character of
    several octets is ever cut (RFC 5545, 3.1)."""
    data = line.encode("utf-8", "replace")
    if len(data) <= LINE_OCTETS_MAX:
        return data + b"\r\n"
    parts = []
    room = LINE_OCTETS_MAX
    while data:
        cut = min(room, len(data))
        while cut < len(data) and data[cut] & 0xC0 == 0x80:
            cut -= 1
        parts.append(data[:cut])
        data = data[cut:]
        room = LINE_OCTETS_MAX - 1  # the blank before each further line is one of them
    return b"\r\n ".join(parts) + b"\r\n"


def _basic(at: datetime.datetime) -> str:
    # Not strftime, which writes years before 1000 without their zeros on some systems.
    return f"{at.year:04d}{at.month:02d}{at.day:02d}T{at.hour:02d}{at.minute:02d}{at.second:02d}"


def _utc(epoch_s: int) -> str:
    return f"{_basic(_EPOCH + datetime.timedelta(seconds=epoch_s))}Z"
