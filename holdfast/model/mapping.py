"""How the rows of another system's CSV file become reservations: the pure part of an import.

Owns the reading of a mapping (TOML values) and of one row by it, and which odd rows are left out.
Knows neither files nor what is free. Rows are dictionaries as `csv.DictReader` makes them; times
stay text until `place` reads them on the venue's calendar.

The same row always has the same key, wherever it stands in the file, so that importing a file
again changes nothing. A row without a key column is known by its content, and identical rows by
their number among each other.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from holdfast.model import calendar
from holdfast.model.errors import Invalid
from holdfast.model.mapping_file import (
    Coded,
    Found,
    ImportMapping,
    Moment,
    missing_columns,
    read_mapping,
)
from holdfast.model.venue import Venue
from holdfast.model.wall import DATE_PATTERN, DATE_TIME_PATTERN

__all__ = [
    "ImportMapping",
    "ImportRecord",
    "PlacedRecord",
    "RowProblem",
    "missing_columns",
    "place",
    "read_mapping",
    "read_records",
    "row_digest",
    "row_to_record",
]

Row = Mapping[str, Any]

_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_NOON_MINUTES: Final = 12 * 60


class RowProblem(msgspec.Struct, frozen=True):
    """What is wrong with a line. `left_out` False: it was imported all the same.

    Rules: `columns`, `number`, `date`, `no_nights`, `nobody`, `implausible_party`, `resource`,
    `code`, `length`, `same_key`, `not_found`, `whole_days`; only reported are
    `status_before_start`, `party_assumed`, and of calendars `property`, `changed`,
    `cancelled_there`, `on_again` and `older`.
    """

    line: int
    rule: str
    message: str
    left_out: bool = True


class ImportRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One reservation as its row says it. Texts of time are dates or venue-local times.

    `key` is 64 hexadecimal digits. `resource` "": to be chosen. `status_at` and `made_at` "": not
    known. `guest` holds a card's fields and `user_id` who it is: both are personal data.
    `sequence` is how often a calendar's event was changed there; None: it comes from no calendar.
    """

    line: int
    key: str
    starts_at: str
    party_size: int
    nights: int | None = None
    duration_minutes: int | None = None
    ends_at: str | None = None
    resource: str = ""
    quantity: int = 1
    status: str = "confirmed"
    status_at: str = ""
    made_at: str = ""
    source: str = "import"
    kind: str = "guest"
    user_id: str = ""
    guest: tuple[tuple[str, str], ...] = ()
    sequence: int | None = None
    notes: tuple[RowProblem, ...] = ()


class PlacedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record on the venue's calendar; instants are epoch seconds, never after the import."""

    record: ImportRecord
    starts_at: int
    ends_at: int
    nights: int | None
    status: str
    status_at: int
    made_at: int


class _Odd(Exception):
    """A row cannot be imported; becomes a `RowProblem`."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message


def read_records(
    mapping: ImportMapping, numbered_rows: Iterable[tuple[int, Row]]
) -> Iterator[ImportRecord | RowProblem]:
    """The rows of the mapping's venue, in order, each as a record or as what is wrong with it.

    A row whose key columns say the same as an earlier one's is a problem: as a record it would
    pass for the earlier one, and be lost without a word.
    """
    seen: Counter[str] = Counter()
    line_by_key: dict[str, int] = {}
    for line, row in numbered_rows:
        digest = "" if mapping.key else row_digest(row)
        found = row_to_record(mapping, line, row, seen[digest])
        seen[digest] += 1
        if mapping.key and isinstance(found, ImportRecord):
            first = line_by_key.setdefault(found.key, line)
            if first != line:
                columns = ", ".join(mapping.key)
                message = f"{columns}: the same as on line {first}, which is another reservation"
                found = RowProblem(line, "same_key", message)
        if found is not None:
            yield found


def row_digest(row: Row) -> str:
    """What identifies a row's content: SHA-256 over its columns and values, in any order."""
    # Rows that are too long have their rest under None, which does not sort beside texts.
    fields = sorted((str(name or ""), value) for name, value in row.items())
    return hashlib.sha256(json.dumps(fields, ensure_ascii=True).encode()).hexdigest()


def row_to_record(
    mapping: ImportMapping, line_number: int, row: Row, occurrence: int
) -> ImportRecord | RowProblem | None:
    """One row by the mapping; None where it is not about the mapping's venue.

    `occurrence` counts the identical rows before it in the file.
    """
    try:
        _check_shape(mapping, row)
        if any(row[column] != value for column, value in mapping.where if column in row):
            return None
        row, assumed = _with_found(mapping, row)
        if any(row[column] != value for column, value in mapping.where):
            return None
        return _record(mapping, line_number, row, occurrence, assumed)
    except _Odd as odd:
        return RowProblem(line_number, odd.rule, odd.message)


def place(venue: Venue, record: ImportRecord, now_s: int) -> PlacedRecord | RowProblem:
    """The record as instants. What has not begun by `now_s` cannot have ended: it is confirmed.

    A date without a time means noon, which nobody knows better; but nobody checks out or fails to
    come before the start.
    """
    try:
        if record.resource and all(one.id != record.resource for one in venue.resources):
            raise _Odd("resource", f"{venue.id} has no resource {record.resource!r}")
        if record.sequence is not None and record.nights and venue.stays is None:
            message = (
                f"is of whole days, and {venue.id} has no stays: an event with times is wanted"
            )
            raise _Odd("whole_days", message)
        interval = calendar.reservation_interval(
            venue,
            record.starts_at,
            record.party_size,
            duration_minutes=record.duration_minutes,
            ends_at=record.ends_at,
            nights=record.nights,
        )
        made_at = min(now_s, _instant(venue, record.made_at, min(now_s, interval.start)))
        status_at = _instant(venue, record.status_at, interval.end)
    except Invalid as invalid:
        return RowProblem(record.line, "date", invalid.detail)
    except _Odd as odd:
        return RowProblem(record.line, odd.rule, odd.message)
    status = record.status
    if status in ("completed", "no_show") and interval.start > now_s:
        status = "confirmed"
    if status == "confirmed":
        status_at = made_at
    elif status != "cancelled":
        status_at = max(status_at, interval.start)
    return PlacedRecord(
        record=record,
        starts_at=interval.start,
        ends_at=interval.end,
        nights=interval.nights,
        status=status,
        status_at=min(now_s, max(status_at, made_at)),
        made_at=made_at,
    )


# --- one row ------------------------------------------------------------------------------------


def _record(
    mapping: ImportMapping, line: int, row: Row, occurrence: int, assumed: frozenset[str]
) -> ImportRecord:
    starts_at = _moment(row, mapping.starts_at)
    party = _total(row, mapping.party, mapping.zero)
    if party == 0:
        raise _Odd("nobody", f"{' + '.join(mapping.party)} is 0: nobody comes")
    if mapping.party_max is not None and party > mapping.party_max:
        raise _Odd(
            "implausible_party",
            f"a party of {party} in one row, where {mapping.party_max} is the most that is "
            "plausible; a group needs its rooms or tables named one by one",
        )
    nights = _total(row, mapping.nights, mapping.zero) if mapping.nights else None
    if nights == 0:
        raise _Odd("no_nights", "a stay without a night (day use) occupies no room overnight")
    minutes = None
    if mapping.minutes and row[mapping.minutes].strip():
        minutes = _whole(row, mapping.minutes, mapping.zero)
        if minutes == 0:
            raise _Odd("length", f"{mapping.minutes} is 0")
    status = _code(row, mapping.status)
    status_at = _moment(row, mapping.status_at) if _given(row, mapping.status_at) else ""
    notes: tuple[RowProblem, ...] = ()
    if status in ("completed", "no_show") and status_at and status_at[:10] < starts_at[:10]:
        message = f"{status} on {status_at[:10]}, before it began on {starts_at[:10]}"
        notes = (RowProblem(line, "status_before_start", message, left_out=False),)
    if assumed & set(mapping.party):
        message = f"says no number of people; {party} is what the mapping has for that"
        notes = (*notes, RowProblem(line, "party_assumed", message, left_out=False))
    ends_at = _moment(row, mapping.ends_at) if _given(row, mapping.ends_at) else None
    if mapping.calendar and not (mapping.nights or mapping.minutes or mapping.ends_at):
        # The event says it: whole days are a stay, anything else has an end, or the venue's length.
        nights = _whole(row, "nights", ()) if row["nights"] else None
        ends_at = row["ends_at"] or None
    return ImportRecord(
        line=line,
        key=_key(mapping, row, occurrence),
        starts_at=starts_at,
        party_size=party,
        nights=nights,
        duration_minutes=minutes,
        ends_at=ends_at,
        resource=_resource(row, mapping),
        quantity=_whole(row, mapping.quantity, ()) if mapping.quantity else 1,
        status=status,
        status_at=status_at,
        made_at=_made_at(row, mapping, starts_at),
        source=_code(row, mapping.source),
        kind=_code(row, mapping.kind),
        user_id=row[mapping.user].strip() if mapping.user else "",
        guest=tuple((name, row[column].strip()) for name, column in mapping.guest if row[column]),
        sequence=_whole(row, "sequence", ()) if mapping.calendar else None,
        notes=notes,
    )


def _with_found(mapping: ImportMapping, row: Row) -> tuple[Row, frozenset[str]]:
    """The row with the columns that stand inside others, and which of those are assumed."""
    if not mapping.found:
        return row, frozenset()
    made: dict[str, Any] = dict(row)
    assumed: set[str] = set()
    for one in mapping.found:
        said = next((text for name in one.columns if (text := _group(one, row[name]))), None)
        if said is None and one.default is None:
            raise _Odd("not_found", f"no {one.column} is found in {', '.join(one.columns)}")
        if said is None:
            assumed.add(one.column)
        made[one.column] = one.default if said is None else said
    return made, frozenset(assumed)


def _group(one: Found, text: str) -> str:
    match = re.search(one.pattern, text)
    return next((group for group in match.groups() if group), "") if match else ""


def _check_shape(mapping: ImportMapping, row: Row) -> None:
    # `csv.DictReader` puts what is too much under None, and None where something is missing.
    if None in row:
        raise _Odd("columns", "the line has more values than the first line has columns")
    missing = [name for name in mapping.columns if row.get(name) is None]
    if missing:
        raise _Odd("columns", f"the line has no value for {', '.join(missing)}")


def _key(mapping: ImportMapping, row: Row, occurrence: int) -> str:
    if mapping.key:
        identity: list[Any] = ["columns", *(row[column].strip() for column in mapping.key)]
    else:
        identity = ["row", row_digest(row), occurrence]
    text = json.dumps([mapping.name, *identity], ensure_ascii=True)
    # Hashed, as a key column may be a telephone number.
    return hashlib.sha256(text.encode()).hexdigest()


def _whole(row: Row, column: str, zero: tuple[str, ...]) -> int:
    text = row[column].strip()
    if text in zero:
        return 0
    # Nine digits are more than any count here; `isdigit` alone accepts superscripts.
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise _Odd("number", f"{column} is {text!r}, which is no whole number")
    return int(text)


def _total(row: Row, columns: tuple[str, ...], zero: tuple[str, ...]) -> int:
    return sum(_whole(row, column, zero) for column in columns)


def _code(row: Row, coded: Coded) -> str:
    unknown = ""
    for column, codes in coded.columns:
        text = row[column].strip()
        if text in codes:
            return codes[text]
        unknown = unknown or f"{column} is {text!r}"
    if not coded.default:
        raise _Odd("code", f"{unknown}, which the mapping does not know")
    return coded.default


def _resource(row: Row, mapping: ImportMapping) -> str:
    if not mapping.resource:
        return ""
    text: str = row[mapping.resource].strip()
    if mapping.resource_by_text is None or not text:
        return text
    if text not in mapping.resource_by_text:
        raise _Odd("resource", f"{mapping.resource} is {text!r}, which the mapping does not know")
    return mapping.resource_by_text[text]


def _given(row: Row, moment: Moment | None) -> bool:
    return moment is not None and bool(moment.year or row[moment.column].strip())


def _moment(row: Row, moment: Moment | None) -> str:
    """A date or a local time as ISO text."""
    assert moment is not None  # callers asked `_given`, or the mapping requires it
    if moment.year:
        text = _date_of_parts(row, moment)
    else:
        text = _date_of_text(row[moment.column].strip(), moment)
    if moment.time:
        text = f"{text[:10]}T{row[moment.time].strip()}"
        if not DATE_TIME_PATTERN.fullmatch(text):
            raise _Odd("date", f"{moment.time} is {text[11:]!r}, which is no time of day")
    return text


def _date_of_parts(row: Row, moment: Moment) -> str:
    name = row[moment.month].strip().lower()
    # Whole names or three letters, as spreadsheets write them.
    months = [n for n, month in enumerate(_MONTHS, 1) if name in (month, month[:3])]
    month = months[0] if months else _whole(row, moment.month, ())
    try:
        day = datetime.date(_whole(row, moment.year, ()), month, _whole(row, moment.day, ()))
    except ValueError:
        parts = " ".join(row[column] for column in (moment.year, moment.month, moment.day))
        raise _Odd("date", f"{parts!r} is no date") from None
    return day.isoformat()


def _date_of_text(text: str, moment: Moment) -> str:
    try:
        if moment.format == "iso":
            if not (DATE_PATTERN.fullmatch(text) or DATE_TIME_PATTERN.fullmatch(text)):
                raise ValueError(text)
            datetime.date.fromisoformat(text[:10])
            return text
        read = datetime.datetime.strptime(text, moment.format)
    except ValueError:
        raise _Odd("date", f"{moment.column} is {text!r}, which is no date") from None
    return read.isoformat() if "%H" in moment.format else read.date().isoformat()


def _made_at(row: Row, mapping: ImportMapping, starts_at: str) -> str:
    if mapping.made_days_before:
        days = _whole(row, mapping.made_days_before, mapping.zero)
        try:
            made = datetime.date.fromisoformat(starts_at[:10]) - datetime.timedelta(days=days)
        except OverflowError:
            raise _Odd("number", f"{mapping.made_days_before} is {days} days") from None
        return made.isoformat()
    return _moment(row, mapping.made_at) if _given(row, mapping.made_at) else ""


def _instant(venue: Venue, text: str, otherwise: int) -> int:
    if not text:
        return otherwise
    if DATE_PATTERN.fullmatch(text):
        return calendar.wall_to_epoch(venue, calendar.parse_date(text), _NOON_MINUTES)
    return calendar.local_to_epoch(venue, text)
