"""The mapping of an import: which column of a CSV file, or of a calendar's events, means what.

Owns the fields of a mapping file, their checks, and what they are for a calendar where the mapping
says nothing. What a row becomes by it stands in `mapping`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from collections.abc import Mapping as AnyMapping
from typing import Any, Final

import msgspec

from holdfast.model.limits import (
    FOUND_COLUMNS_MAX,
    NAME_CHARS_MAX,
    PARTY_MAX,
    RESOURCES_PER_VENUE_MAX,
)
from holdfast.model.reading import Faults, Reader
from holdfast.model.vocabulary import RESERVATION_KINDS, SOURCES

GUEST_FIELDS: Final = ("name", "phone", "email", "language", "requests", "dietary")
STATUSES: Final = frozenset({"confirmed", "completed", "cancelled", "no_show"})
"""What an import can say of a reservation: it is to come, or how it ended."""
_COLUMNS_MAX: Final = 64
_PATTERN_CHARS_MAX: Final = 500
# Names of months and days depend on the machine's language; digits do not.
_FORMAT: Final = re.compile(r"(?:%[YmdHMSy]|[^%])+")
_VENUE_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

CALENDAR_COLUMNS: Final = (
    "uid", "recurrence_id", "starts_at", "ends_at", "nights", "summary", "description", "location",
    "categories", "status", "sequence", "created", "guest_name", "guest_email",
)  # fmt: skip
"""What a calendar's event is as a row (`calendar_file`)."""
_PARTY_WORDS: Final = (
    r"(?i)\b(\d{1,3}) ?(?:guests?|people|persons?|pax|covers?)\b"
    r"|\b(?:party of|table for|guests|people|persons|pax|covers|party size) ?[:=]? ?(\d{1,3})\b"
)
_CALENDAR_DEFAULTS: Final[AnyMapping[str, Any]] = {
    "name": "calendar",
    "key": ["uid", "recurrence_id"],
    "starts_at": {"column": "starts_at"},
    "find": [
        {
            "column": "party",
            "in": ["summary", "description"],
            "pattern": _PARTY_WORDS,
            "default": "2",
        }
    ],
    "party": {"columns": ["party"]},
    "status": {
        "columns": [{"column": "status", "values": {"CANCELLED": "cancelled"}}],
        "default": "confirmed",
    },
    "made_at": {"column": "created"},
    "guest": {"name": "guest_name", "email": "guest_email"},
}
"""Each holds where a mapping of a calendar does not have the field."""


class Found(msgspec.Struct, frozen=True):
    """A column that stands inside others: what the first group of `pattern` that took part says, in
    the first of `columns` where it is found; else `default` (None: the row is odd)."""

    column: str
    columns: tuple[str, ...]
    pattern: str
    default: str | None


class Moment(msgspec.Struct, frozen=True):
    """Where a date or time stands: in `column`, or in `year`, `month` and `day`.

    `format` is `iso` or made of %Y %m %d %y %H %M %S. `time` is a column with the time of day.
    """

    column: str = ""
    format: str = "iso"
    year: str = ""
    month: str = ""
    day: str = ""
    time: str = ""

    @property
    def columns(self) -> list[str]:
        return [name for name in (self.column, self.year, self.month, self.day, self.time) if name]


class Coded(msgspec.Struct, frozen=True):
    """A code from the first column that has a known text, else `default` ("": there is none)."""

    columns: tuple[tuple[str, dict[str, str]], ...] = ()
    default: str = ""


class ImportMapping(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping as it was read; `columns` are all that it needs, in no order. `calendar`: of
    events, which say by themselves how long they are and how often they were changed."""

    name: str
    venue: str
    starts_at: Moment
    party: tuple[str, ...]
    where: tuple[tuple[str, str], ...] = ()
    key: tuple[str, ...] = ()
    nights: tuple[str, ...] = ()
    minutes: str = ""
    ends_at: Moment | None = None
    zero: tuple[str, ...] = ()
    party_max: int | None = None
    resource: str = ""
    resource_by_text: dict[str, str] | None = None
    quantity: str = ""
    status: Coded = Coded(default="confirmed")
    status_at: Moment | None = None
    made_at: Moment | None = None
    made_days_before: str = ""
    source: Coded = Coded(default="import")
    kind: Coded = Coded(default="guest")
    user: str = ""
    guest: tuple[tuple[str, str], ...] = ()
    found: tuple[Found, ...] = ()
    calendar: bool = False
    columns: frozenset[str] = frozenset()


def read_mapping(document: AnyMapping[str, Any], *, calendar: bool = False) -> ImportMapping:
    """Read a mapping (already TOML values); raises `Invalid` with every field at fault. One of a
    `calendar` need only say the venue."""
    if calendar:
        document = {**_CALENDAR_DEFAULTS, **document}
    faults = Faults()
    reader = Reader(document, "", faults)
    length = reader.inner("length") or Reader({}, "length", faults)
    party = reader.inner("party") or Reader({}, "party", faults)
    resource = reader.inner("resource") or Reader({}, "resource", faults)
    made = reader.inner("made_at")
    mapping = ImportMapping(
        name=reader.text("name", chars_max=NAME_CHARS_MAX),
        venue=reader.text("venue", pattern=_VENUE_ID, means="a venue's id: a-z 0-9 -"),
        where=_pairs(reader, "where"),
        key=tuple(reader.texts("key", _COLUMNS_MAX)),
        starts_at=_moment(reader, "starts_at", required=True) or Moment(),
        nights=tuple(length.texts("nights", _COLUMNS_MAX)),
        minutes=length.text("minutes", ""),
        ends_at=_moment(length, "ends_at"),
        party=_party_columns(party),
        zero=tuple(_zero(party)),
        party_max=party.optional_integer("max", 1, PARTY_MAX),
        resource=resource.text("column", "") if resource.has("column") else _no_column(resource),
        resource_by_text=dict(_pairs(resource, "values")) if resource.has("values") else None,
        quantity=resource.text("quantity", ""),
        status=_coded(reader, "status", STATUSES, "confirmed"),
        status_at=_moment(reader, "status_at"),
        made_days_before=made.text("days_before", "") if made else "",
        made_at=_moment_of(made) if made and not made.has("days_before") else None,
        source=_coded(reader, "source", SOURCES, "import"),
        kind=_coded(reader, "kind", RESERVATION_KINDS, "guest"),
        user=reader.text("user", ""),
        guest=_guest(reader),
        found=_found(reader),
        calendar=calendar,
    )
    given = [n for n in ("nights", "minutes", "ends_at") if length.has(n)]
    if len(given) > 1:
        length.fault(given[1], f"give {given[0]} or {given[1]}, not both")
    for inner in (length, party, resource, made, reader):
        if inner is not None:
            inner.finish()
    faults.check("mapping")
    return msgspec.structs.replace(mapping, columns=_columns(mapping))


def missing_columns(mapping: ImportMapping, header: Collection[str]) -> list[str]:
    """The columns that the mapping names and the file's first line does not have."""
    return sorted(mapping.columns - set(header))


def _columns(mapping: ImportMapping) -> frozenset[str]:
    moments = (mapping.starts_at, mapping.ends_at, mapping.status_at, mapping.made_at)
    coded = (mapping.status, mapping.source, mapping.kind)
    named: list[Iterable[str]] = [
        (column for column, _ in mapping.where),
        mapping.key,
        mapping.nights,
        mapping.party,
        (mapping.minutes, mapping.resource, mapping.quantity),
        (mapping.made_days_before, mapping.user),
        (column for _, column in mapping.guest),
        *(moment.columns for moment in moments if moment is not None),
        *((column for column, _ in one.columns) for one in coded),
        *(one.columns for one in mapping.found),
    ]
    made = {one.column for one in mapping.found}
    return frozenset(column for some in named for column in some if column and column not in made)


def _party_columns(party: Reader) -> tuple[str, ...]:
    columns = tuple(party.texts("columns", _COLUMNS_MAX))
    if not columns and not party.faults.errors_at(party.at("columns")):
        party.fault("columns", "is required: the columns whose sum is the party")
    return columns


def _zero(party: Reader) -> list[str]:
    """Texts that mean 0; the empty one may be among them, so `texts` does not do."""
    found = []
    for number, value in enumerate(party.items("zero", _COLUMNS_MAX)):
        if isinstance(value, str):
            found.append(value)
        else:
            party.fault(f"zero[{number}]", "must be a text")
    return found


def _no_column(resource: Reader) -> str:
    resource.value("column")
    if resource.has("values"):
        resource.fault("column", "is required where values are given")
    return ""


def _pairs(reader: Reader, name: str) -> tuple[tuple[str, str], ...]:
    inner = reader.inner(name)
    if inner is None:
        return ()
    return tuple((key, inner.text(key)) for key in inner.names())


def _moment(reader: Reader, name: str, *, required: bool = False) -> Moment | None:
    if required and not reader.has(name):
        reader.required(name)
        return None
    inner = reader.inner(name)
    if inner is None:
        return None
    moment = _moment_of(inner)
    inner.finish()
    return moment


def _moment_of(inner: Reader) -> Moment:
    if inner.has("column") == inner.has("year"):
        inner.fault("column", "give a column, or year, month and day")
    form = inner.text("format", "iso")
    if form != "iso" and not _FORMAT.fullmatch(form):
        inner.fault("format", f"{form!r} is neither iso nor made of %Y %m %d %y %H %M %S")
    parts = {name: inner.text(name, "") for name in ("column", "year", "month", "day", "time")}
    if inner.has("year") and not (parts["month"] and parts["day"]):
        inner.fault("year", "needs month and day beside it")
    return Moment(format=form, **parts)


def _coded(reader: Reader, name: str, allowed: frozenset[str], default: str) -> Coded:
    inner = reader.inner(name)
    if inner is None:
        return Coded(default=default)
    columns: list[tuple[str, dict[str, str]]] = []
    for number, item in enumerate(inner.items("columns", _COLUMNS_MAX)):
        one = Reader(item, f"{inner.at('columns')}[{number}]", reader.faults)
        column = one.text("column")
        values = one.inner("values") or Reader({}, one.at("values"), reader.faults)
        columns.append(
            (column, {text: values.text(text, one_of=allowed) for text in values.names()})
        )
        if len(columns[-1][1]) > RESOURCES_PER_VENUE_MAX:
            one.fault("values", f"has more than {RESOURCES_PER_VENUE_MAX} entries")
        one.finish()
    # With columns and no default, an unknown text is a problem of its row.
    fallback = inner.text("default", "" if columns else default, one_of=allowed)
    inner.finish()
    return Coded(tuple(columns), fallback)


def _found(reader: Reader) -> tuple[Found, ...]:
    found: list[Found] = []
    for number, item in enumerate(reader.items("find", FOUND_COLUMNS_MAX)):
        inner = Reader(item, f"{reader.at('find')}[{number}]", reader.faults)
        pattern = inner.text("pattern", chars_max=_PATTERN_CHARS_MAX)
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            inner.fault("pattern", f"is no regular expression: {error}")
        else:
            if pattern and not groups:
                inner.fault("pattern", "has no group (in brackets) that says what is meant")
        columns = tuple(inner.texts("in", _COLUMNS_MAX))
        if not columns:
            inner.fault("in", "is required: the columns to look in")
        default = inner.text("default") if inner.has("default") else None
        found.append(Found(inner.text("column"), columns, pattern, default))
        # What was left out is no fault, but is a field.
        inner.value("default")
        inner.finish()
    return tuple(found)


def _guest(reader: Reader) -> tuple[tuple[str, str], ...]:
    inner = reader.inner("guest")
    if inner is None:
        return ()
    found = tuple((name, inner.text(name)) for name in GUEST_FIELDS if inner.has(name))
    inner.finish()
    return found
