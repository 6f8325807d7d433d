"""How the events of a calendar file become rows of an import: RFC 5545 in, texts by column out.

Owns the cutting of a file into its events, and which column of a row stands for which property. The
syntax of properties and the time zones that a file brings along are the icalendar library's. What
a row becomes stands in `mapping`; knows neither venues nor files.

An event that cannot be read is a problem of its line, and the rest is read.
"""

from __future__ import annotations

import datetime
import re
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import icalendar

from holdfast.model.limits import CALENDAR_EVENT_LINES_MAX, METADATA_NUMBER_MAX
from holdfast.model.mapping import Row, RowProblem

_BEGIN: Final = "BEGIN:VEVENT"
_END: Final = "END:VEVENT"
_READ: Final = ("UID", "RECURRENCE-ID", "DTSTART", "DTEND", "DURATION", "SEQUENCE", "STATUS")
"""The properties without which an event is not understood; a broken one of another name is told,
and left out."""
_ANOTHER_TIME: Final = ("RRULE", "RDATE")
_MAILTO: Final = "mailto:"
_QUOTED_CHARS: Final = 80
"""Of what the library says about a line that it cannot read: it may quote all of it."""


class _Block(NamedTuple):
    """The lines of one event; `line` is that of its BEGIN."""

    line: int
    lines: list[str]

    def line_of(self, name: str) -> int:
        """Where a property stands, or where the event begins."""
        for offset, text in enumerate(self.lines):
            if re.match(rf"{re.escape(name)}[;:]", text, re.IGNORECASE):
                return self.line + offset
        return self.line


class _Odd(Exception):
    """An event is no single reservation; becomes a `RowProblem`."""

    def __init__(self, line: int, rule: str, message: str) -> None:
        super().__init__(message)
        self.problem = RowProblem(line, rule, message)


def is_calendar(name: str, first_line: str) -> bool:
    """Whether a file is a calendar, by its name or by how it begins."""
    return name.lower().endswith((".ics", ".ical")) or first_line.strip().upper() == (
        "BEGIN:VCALENDAR"
    )


def read_events(lines: Iterable[str]) -> Iterator[tuple[int, Row] | RowProblem]:
    """The events of a calendar with the line each begins at, and what is wrong with the others.

    A row has the columns of `mapping_file.CALENDAR_COLUMNS`. A time with a zone is an RFC 3339 time
    with its offset; one without is the venue's own.
    """
    text = [line.rstrip("\r\n") for line in lines]
    _learn_zones(text)
    called_off = _called_off(text)
    for found in _blocks(text):
        if isinstance(found, RowProblem):
            yield found
            continue
        try:
            event = _parsed(found)
            yield from _broken(found, event)
            yield found.line, _row(found, event, called_off)
        except _Odd as odd:
            yield odd.problem


def _called_off(lines: list[str]) -> bool:
    """Whether the calendar as a whole calls off what it names: its own METHOD says so, before any
    component. What a guest wrote into an event is another thing, folded lines of it too."""
    for line in lines:
        word = _word(line)
        if word.startswith("BEGIN:") and word != "BEGIN:VCALENDAR":
            return False
        if word == "METHOD:CANCEL":
            return True
    return False


def _word(line: str) -> str:
    """A line as a property; empty where it goes on with the one before it."""
    return "" if line.startswith((" ", "\t")) else line.strip().upper()


def _blocks(lines: list[str]) -> Iterator[_Block | RowProblem]:
    block: _Block | None = None
    for number, line in enumerate(lines, 1):
        word = _word(line)
        if word == _BEGIN:
            if block is not None:
                yield _unclosed(block)
            block = _Block(number, [])
        if block is None:
            continue
        if len(block.lines) < CALENDAR_EVENT_LINES_MAX:
            block.lines.append(line)
        if word == _END:
            yield block if len(block.lines) < CALENDAR_EVENT_LINES_MAX else _too_long(block)
            block = None
    if block is not None:
        yield _unclosed(block)


def _unclosed(block: _Block) -> RowProblem:
    return RowProblem(block.line, "event", f"has no {_END} of its own: the file is cut off here")


def _too_long(block: _Block) -> RowProblem:
    message = f"has more than {CALENDAR_EVENT_LINES_MAX} lines, which no reservation has"
    return RowProblem(block.line, "event", message)


def _learn_zones(lines: list[str]) -> None:
    """The zones that a file defines are known by its own names from here on."""
    zones: list[str] = []
    inside = False
    for line in lines:
        word = _word(line)
        inside = inside or word == "BEGIN:VTIMEZONE"
        if inside:
            zones.append(line)
        inside = inside and word != "END:VTIMEZONE"
    if not zones:
        return
    try:
        _quietly("\r\n".join(["BEGIN:VCALENDAR", *zones, "END:VCALENDAR", ""]))
    except ValueError:
        # Each event that names such a zone is told with its line.
        return


def _quietly(text: str) -> Any:
    with warnings.catch_warnings():
        # It warns where it takes `/vendor/Europe/Rome` for Europe/Rome, which is what is meant.
        warnings.simplefilter("ignore")
        return icalendar.Component.from_ical(text)


def _parsed(block: _Block) -> Any:
    try:
        "".join(block.lines).encode()
    except UnicodeEncodeError:
        raise _Odd(block.line, "encoding", "is not in UTF-8") from None
    try:
        event = _quietly("\r\n".join([*block.lines, ""]))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        # What the library raises at what it did not foresee differs; its text may quote the line.
        said = str(error)[:_QUOTED_CHARS]
        raise _Odd(block.line, "event", f"is no event of RFC 5545: {said}") from error
    if event.name != "VEVENT":
        raise _Odd(block.line, "event", f"is no event but a {event.name}")
    return event


def _broken(block: _Block, event: Any) -> Iterator[RowProblem]:
    """What of the event is no property: told, and left out where nothing here needs it."""
    for name, why in event.errors:
        if name in _READ:
            rule = "number" if name == "SEQUENCE" else "date"
            raise _Odd(block.line_of(name), rule, f"{name}: {why}")
        message = f"{name or 'a line'} of the event cannot be read, and is left out: {why}"
        yield RowProblem(block.line_of(name or _BEGIN), "property", message, left_out=False)


def _row(block: _Block, event: Any, called_off: bool) -> Row:
    uid = _text(event, "UID")
    if not uid:
        raise _Odd(block.line, "no_uid", "has no UID, without which it cannot be known again")
    for name in _ANOTHER_TIME:
        if name in event:
            message = (
                f"{uid} repeats ({name}), and a reservation is for one time; export each time as "
                "an event, or make them with `holdfast reserve --repeat`"
            )
            raise _Odd(block.line_of(name), "repeats", message)
    start = _moment(block, event, "DTSTART")
    if start is None:
        raise _Odd(block.line, "date", f"{uid} has no DTSTART: it says no time")
    end = _end(block, event, start)
    person = _attendee(event)
    summary = _text(event, "SUMMARY")
    return {
        "uid": uid,
        "recurrence_id": _iso(_moment(block, event, "RECURRENCE-ID")),
        "starts_at": _iso(start),
        **_length(block, start, end),
        "summary": summary,
        "description": _text(event, "DESCRIPTION"),
        "location": _text(event, "LOCATION"),
        "categories": ", ".join(_categories(event)),
        "status": "CANCELLED" if called_off else _text(event, "STATUS").upper(),
        "sequence": str(_sequence(block, event)),
        "created": _iso(_moment(block, event, "CREATED")),
        "guest_name": str(person.params.get("CN", "")) if person else summary,
        "guest_email": _address(person),
    }


def _text(event: Any, name: str) -> str:
    """The first of a name; more than one of these is against RFC 5545, and happens."""
    value = event.get(name, "")
    return str(value[0] if isinstance(value, list) else value).strip()


def _moment(block: _Block, event: Any, name: str) -> datetime.date | None:
    """A date, or a datetime; without a zone where it is the venue's own."""
    if name not in event:
        return None
    value = event[name]
    if isinstance(value, list):
        raise _Odd(block.line_of(name), "date", f"{name} stands there {len(value)} times")
    moment = getattr(value, "dt", None)
    if not isinstance(moment, datetime.date):
        raise _Odd(block.line_of(name), "date", f"{name} is no date and no time")
    zone = value.params.get("TZID")
    if zone and isinstance(moment, datetime.datetime) and moment.tzinfo is None:
        message = f"{name} is in {zone!r}, a time zone that neither the file nor this machine knows"
        raise _Odd(block.line_of(name), "zone", message)
    return moment


def _end(block: _Block, event: Any, start: datetime.date) -> datetime.date | None:
    """Its end, or None where the event leaves it to the venue."""
    if "DURATION" not in event:
        return _moment(block, event, "DTEND")
    length = getattr(event["DURATION"], "dt", None)
    if not isinstance(length, datetime.timedelta):
        raise _Odd(block.line_of("DURATION"), "length", "DURATION is no length of time")
    try:
        return start + length
    except OverflowError:
        message = f"DURATION is {length.days} days"
        raise _Odd(block.line_of("DURATION"), "length", message) from None


def _length(block: _Block, start: datetime.date, end: datetime.date | None) -> dict[str, str]:
    """A stay of nights where the event is of whole days, else when it ends."""
    whole_days = not isinstance(start, datetime.datetime)
    if end is not None and whole_days == isinstance(end, datetime.datetime):
        message = "begins with a date and ends with a time, or the other way round"
        raise _Odd(block.line_of("DTEND"), "date", message)
    if whole_days:
        # RFC 5545 §3.6.1: the last day is not part of it, and without an end it is one day.
        return {"nights": str((end - start).days if end else 1), "ends_at": ""}
    return {"nights": "", "ends_at": _iso(end)}


def _iso(moment: datetime.date | None) -> str:
    """A date, a local time, or a time with its offset, as RFC 3339 has them."""
    return moment.isoformat() if moment is not None else ""


def _sequence(block: _Block, event: Any) -> int:
    value = event.get("SEQUENCE", 0)
    if isinstance(value, list) or not 0 <= int(value) <= METADATA_NUMBER_MAX:
        message = f"SEQUENCE is not one number from 0 to {METADATA_NUMBER_MAX}"
        raise _Odd(block.line_of("SEQUENCE"), "number", message)
    return int(value)


def _categories(event: Any) -> list[str]:
    found = event.get("CATEGORIES", [])
    several = found if isinstance(found, list) else [found]
    return [str(text) for one in several for text in getattr(one, "cats", [one])]


def _attendee(event: Any) -> Any:
    """The first who is to come, and has a name."""
    found = event.get("ATTENDEE", [])
    several = found if isinstance(found, list) else [found]
    named = [one for one in several if getattr(one, "params", {}).get("CN")]
    return named[0] if named else None


def _address(person: Any) -> str:
    """The e-mail address; some systems put a number or nothing there."""
    text = str(person or "")
    has_address = text.lower().startswith(_MAILTO) and "@" in text
    return text[len(_MAILTO) :].strip() if has_address else ""
