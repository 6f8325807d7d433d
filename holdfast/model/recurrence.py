"""Recurrences: the dates that a rule of RFC 5545 names, in a venue's own time.

Owns the reading of a rule and its bounds; the arithmetic is python-dateutil's. Pure.
"""

from __future__ import annotations

import datetime
import re
from itertools import islice
from zoneinfo import ZoneInfo

from holdfast.model.errors import Invalid
from holdfast.model.limits import OCCURRENCES_MAX
from holdfast.model.venue import Venue
from holdfast.model.wall import wall_to_epoch

_UNTIL = re.compile(r"(?<=UNTIL=)(\d{8})T(\d{6})Z", re.IGNORECASE)
_UNTIL_DAY = re.compile(r"(?<=UNTIL=)(\d{8})(?=;|$)", re.IGNORECASE)
_PART = re.compile(r"[A-Z-]+=[A-Z0-9,+-]+", re.IGNORECASE)
_TOO_FINE = re.compile(r"FREQ=(SECONDLY|MINUTELY|HOURLY)", re.IGNORECASE)


def occurrences(
    venue: Venue, start: int, end: int, rule: str | None, field: str = "rrule"
) -> list[tuple[int, int]]:
    """The intervals [start, end) of a recurrence, in epoch seconds, the first of them as given.

    Each begins and ends at the same wall-clock times as the first, whatever the clock changes in
    between do; a time that a change skips is the one after the gap. Raises `Invalid` for what is no
    rule of RFC 5545 §3.3.10, for one without an end (COUNT or UNTIL), for more than
    OCCURRENCES_MAX dates, and for rules finer than a day.
    """
    if rule is None:
        return [(start, end)]
    text = rule.strip().removeprefix("RRULE:")
    if not text or not all(_PART.fullmatch(part) for part in text.split(";")):
        raise Invalid.field(field, f"{rule!r} is no rule such as FREQ=WEEKLY;BYDAY=MO;COUNT=10")
    if _TOO_FINE.search(text):
        raise Invalid.field(field, "a recurrence repeats by days, weeks, months or years")
    if not re.search(r"(COUNT|UNTIL)=", text, re.IGNORECASE):
        raise Invalid.field(field, "says no end: add COUNT=10, or UNTIL=20271231")
    # Few requests repeat: who starts a command does not wait for the library.
    from dateutil.rrule import rrulestr

    zone = ZoneInfo(venue.time_zone)
    first = datetime.datetime.fromtimestamp(start, zone).replace(tzinfo=None)
    length = datetime.datetime.fromtimestamp(end, zone).replace(tzinfo=None) - first
    try:
        # What is local needs an end that is local; RFC 5545 has it written in UTC.
        ending = _UNTIL.sub(lambda match: _local(match, zone), text)
        # Who names a day as the last one means all of it.
        parsed = rrulestr(_UNTIL_DAY.sub(r"\1T235959", ending), dtstart=first)
        dates = list(islice(parsed, OCCURRENCES_MAX + 1))
    except (ValueError, TypeError, OverflowError) as error:
        raise Invalid.field(field, f"{rule!r} is no rule of RFC 5545: {error}") from error
    if len(dates) > OCCURRENCES_MAX:
        raise Invalid.field(field, f"names more than {OCCURRENCES_MAX} dates; set an earlier end")
    if not dates:
        raise Invalid.field(field, f"{rule!r} names no date from {first.date()} on")
    return [(_epoch(venue, date), _epoch(venue, date + length)) for date in dates]


def _local(match: re.Match[str], zone: ZoneInfo) -> str:
    utc = datetime.datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S")
    there = utc.replace(tzinfo=datetime.UTC).astimezone(zone)
    return f"{there:%Y%m%dT%H%M%S}"


def _epoch(venue: Venue, local: datetime.datetime) -> int:
    minutes = local.hour * 60 + local.minute
    return wall_to_epoch(venue, local.date(), minutes) + local.second
