"""The reading of a venue file: from plain values to a `Venue`, with every fault named.

Owns which fields there are, their bounds and what they mean to each other. What a venue is stands
in `venue`; use `venue.parse_venue`.
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from holdfast.model.limits import (
    ALLOTMENTS_PER_VENUE_MAX,
    CLOSED_DATES_MAX,
    HOLD_MINUTES_MAX,
    NAME_CHARS_MAX,
    NIGHTS_MAX,
    OVERBOOKING_LIMITS_PER_VENUE_MAX,
    PARTY_MAX,
    RESOURCES_PER_VENUE_MAX,
)
from holdfast.model.reading import Faults, Reader, shown
from holdfast.model.venue import (
    DAY_MINUTES,
    AllotmentWish,
    OverbookingLimit,
    Policies,
    Resource,
    Span,
    Stays,
    Venue,
)
from holdfast.model.vocabulary import COUNTS, VENUE_KINDS, WEEKDAYS

_VENUE_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_PATTERN: Final = re.compile(r"[A-Za-z0-9_.*?\[\]!-]{1,64}")
_KIND: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_CLOCK: Final = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")
_AREA: Final = re.compile(r"(?=.*[A-Za-z0-9])[^\W_][^\x00-\x1f\x7f]{0,63}")
_AREA_MEANS: Final = "an area's name: 64 characters at most, and a letter a-z or a digit among them"
_ID_MEANS: Final = "an id: letters, digits and - _ . (64 at most)"

# The longest length or notice that a field may hold: a year, which no venue has a use for beyond.
_MINUTES_MAX: Final = 366 * DAY_MINUTES
_DAYS_MAX: Final = 3_660


def read(document: Mapping[str, Any]) -> Venue:
    """See `venue.parse_venue`."""
    faults = Faults()
    reader = Reader(document, "", faults)
    venue_id = reader.text("venue", pattern=_VENUE_ID, means="an id: a-z 0-9 -")
    kind = reader.text("kind", one_of=VENUE_KINDS)
    resources = _resources(reader)
    venue = Venue(
        id=venue_id,
        name=reader.text("name", chars_max=NAME_CHARS_MAX),
        kind=kind,
        time_zone=_time_zone(reader),
        resources=resources,
        day_starts_at=_day_start(reader),
        slot_minutes=reader.integer("slot_minutes", 15, 1, DAY_MINUTES),
        seating=_seating(reader),
        buffer_minutes=reader.integer("buffer_minutes", 0, 0, DAY_MINUTES),
        hours=_hours(reader),
        closed=_closed(reader),
        covers_per_slot=reader.optional_integer("covers_per_slot", 1, PARTY_MAX),
        stays=_stays(reader, kind),
        policies=_policies(reader),
        allotments=_allotments(reader, resources),
        overbooking=_overbooking(reader, resources),
    )
    reader.finish()
    faults.check(f"venue {venue_id}" if venue_id else "venue")
    return venue


def _time_zone(reader: Reader) -> str:
    name = reader.text("time_zone")
    if name:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            # A folder of the time zone database ("Europe") is reported as an OSError.
            reader.fault("time_zone", f"{name!r} is no IANA time zone, such as Europe/Rome")
    return name


def _day_start(reader: Reader) -> int:
    value = reader.value("day_starts_at")
    if value is None:
        return 0
    minutes = _clock(reader, reader.at("day_starts_at"), value)
    if minutes == DAY_MINUTES:
        reader.fault("day_starts_at", 'must be before 24:00; the start of the day is "00:00"')
        return 0
    return minutes or 0


def _clock(reader: Reader, path: str, value: object) -> int | None:
    """`HH:MM` as minutes after midnight; None after reporting a fault.

    YAML 1.1 reads an unquoted 12:30 as the base-60 number 750, which is just the minutes after
    midnight. Below 60 it cannot have come from there: [9, 17] would mean hours to its writer.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 60 <= value <= DAY_MINUTES:
        return value
    if isinstance(value, str):
        match = _CLOCK.fullmatch(value)
        minutes = int(match[1]) * 60 + int(match[2]) if match else DAY_MINUTES + 1
        if minutes <= DAY_MINUTES:
            return minutes
    reader.faults.add(path, f'{shown(value)} is no time of day; write it as "18:30", in quotes')
    return None


def _seating(reader: Reader) -> tuple[tuple[int, int], ...]:
    default = ((1, 90),)
    value = reader.value("seating_minutes")
    if value is None:
        return default
    path = reader.at("seating_minutes")
    if not isinstance(value, Mapping):
        minutes = reader.whole(path, value, 1, _MINUTES_MAX)
        return default if minutes is None else ((1, minutes),)
    by_party: dict[int, int] = {}
    for key, entry in value.items():
        here = f"{path}.{key}"
        # JSON knows no numbers as keys.
        number = int(key) if isinstance(key, str) and re.fullmatch(r"\d{1,6}", key) else key
        party = reader.whole(here, number, 1, PARTY_MAX)
        minutes = reader.whole(here, entry, 1, _MINUTES_MAX)
        if party in by_party:
            reader.faults.add(here, f"party size {party} stands here twice")
        if party is not None and minutes is not None:
            by_party[party] = minutes
    if not by_party:
        if not value:
            reader.faults.add(path, "is empty; give minutes, or minutes by party size")
        return default
    if len(by_party) == 1:
        return tuple((1, minutes) for minutes in by_party.values())
    return tuple(sorted(by_party.items()))


def _hours(reader: Reader) -> tuple[tuple[Span, ...], ...] | None:
    inner = reader.inner("hours")
    if inner is None:
        return None
    days = tuple(_day_spans(inner, day) for day in WEEKDAYS)
    inner.finish()
    return days


def _day_spans(inner: Reader, day: str) -> tuple[Span, ...]:
    spans: list[Span] = []
    for number, pair in enumerate(inner.items(day, 24)):
        path = f"{inner.at(day)}[{number}]"
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            inner.faults.add(path, 'must be a pair such as ["18:00", "23:30"]')
            continue
        opens = _clock(inner, f"{path}[0]", pair[0])
        closes = _clock(inner, f"{path}[1]", pair[1])
        if opens is None or closes is None:
            continue
        if opens == DAY_MINUTES:
            inner.faults.add(f"{path}[0]", '"24:00" is an end; the start of a day is "00:00"')
        elif opens == closes:
            inner.faults.add(path, 'opens and closes at once; the whole day is ["00:00", "24:00"]')
        else:
            spans.append(Span(opens, closes if closes > opens else closes + DAY_MINUTES))
    spans.sort(key=lambda span: span.opens)
    for before, after in itertools.pairwise(spans):
        if after.opens < before.closes:
            inner.fault(day, "two of its spans overlap")
    return tuple(spans)


def _closed(reader: Reader) -> tuple[datetime.date, ...]:
    days: set[datetime.date] = set()
    for number, value in enumerate(reader.items("closed", CLOSED_DATES_MAX)):
        day = _date(reader, f"closed[{number}]", value)
        if day is not None:
            days.add(day)
    return tuple(sorted(days))


def _date(reader: Reader, name: str, value: object) -> datetime.date | None:
    """A date; None after reporting a fault."""
    # YAML reads an unquoted 2026-12-25 as a date; a date with a time is not one.
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    try:
        if not isinstance(value, str) or len(value) != 10:
            raise ValueError(value)
        return datetime.date.fromisoformat(value)
    except ValueError:
        reader.fault(name, f"{shown(value)} is no date such as 2026-12-25")
        return None


def _stays(reader: Reader, kind: str) -> Stays | None:
    inner = reader.inner("stays")
    if inner is None:
        return Stays() if kind == "lodging" else None
    times = {}
    for name, default in (("check_in", Stays().check_in), ("check_out", Stays().check_out)):
        value = inner.value(name)
        minutes = default if value is None else _clock(inner, inner.at(name), value)
        times[name] = default if minutes is None else minutes
    stays = Stays(
        times["check_in"],
        times["check_out"],
        inner.integer("max_nights", NIGHTS_MAX, 1, NIGHTS_MAX),
    )
    if stays.check_out > stays.check_in:
        # The rooms of one night and the next would overlap, and nothing could follow anything.
        inner.fault("check_out", "must not be after check_in: a room is sold night after night")
    inner.finish()
    return stays


def _policies(reader: Reader) -> Policies:
    inner = reader.inner("policies")
    if inner is None:
        return Policies()
    policies = Policies(
        advance_days=inner.optional_integer("advance_days", 0, _DAYS_MAX),
        cutoff_minutes=inner.integer("cutoff_minutes", 0, 0, _MINUTES_MAX),
        min_party=inner.integer("min_party", 1, 1, PARTY_MAX),
        max_party=inner.optional_integer("max_party", 1, PARTY_MAX),
        hold_minutes=inner.integer("hold_minutes", 15, 1, HOLD_MINUTES_MAX),
        cancel_cutoff_minutes=inner.optional_integer("cancel_cutoff_minutes", 0, _MINUTES_MAX),
    )
    if policies.max_party is not None and policies.max_party < policies.min_party:
        inner.fault("max_party", f"is below min_party ({policies.min_party})")
    inner.finish()
    return policies


def _resources(reader: Reader) -> tuple[Resource, ...]:
    items = reader.items("resources", RESOURCES_PER_VENUE_MAX)
    if not items and not reader.faults.errors_at("resources"):
        reader.fault("resources", "is required: at least one table, bay, room or pool")
    resources: list[Resource] = []
    place_by_id: dict[str, int] = {}
    for number, item in enumerate(items):
        inner = Reader(item, f"resources[{number}]", reader.faults)
        resource = _resource(inner)
        if resource.id in place_by_id:
            first = place_by_id[resource.id]
            inner.fault("id", f"{resource.id!r} is already the id of resources[{first}]")
        elif resource.id:
            place_by_id[resource.id] = number
        resources.append(resource)
    for number, resource in enumerate(resources):
        for place, other in enumerate(resource.combines_with):
            path = f"resources[{number}].combines_with[{place}]"
            if other == resource.id:
                reader.faults.add(path, "a resource cannot combine with itself")
            elif other not in place_by_id:
                reader.faults.add(path, f"there is no resource {other!r}")
            elif resource.pool or resources[place_by_id[other]].pool:
                reader.faults.add(path, "pools do not combine; only units such as tables do")
    return tuple(resources)


def _resource(inner: Reader) -> Resource:
    kind = inner.text("kind", pattern=_KIND, means="a kind such as table, bay, room or pool")
    pool = kind == "pool" or inner.has("counts")
    capacity = inner.optional_integer("capacity", 1, PARTY_MAX)
    if pool and capacity is None:
        if not inner.has("capacity"):
            inner.fault("capacity", "is required for a pool")
    elif capacity is not None and not pool and capacity != 1:
        # "capacity: 4" of a table nearly always means its seats.
        inner.fault(
            "capacity",
            f"a {kind or 'resource'} is one unit: for its seats write `seats: [1, {capacity}]`, "
            "for many of a kind write `counts: units` or `counts: people`",
        )
    counts = inner.text("counts", "people" if pool else "units", one_of=COUNTS)
    seats_min, seats_max = _seats(inner, pool and counts == "people")
    resource = Resource(
        id=inner.text("id", pattern=_ID, means=_ID_MEANS),
        kind=kind,
        capacity=(capacity or 1) if pool else 1,
        pool=pool,
        counts="people" if counts == "people" else "units",
        seats_min=seats_min,
        seats_max=seats_max,
        # An area stands in entries as a code made of these letters and digits (`areas`).
        area=inner.text("area", "", pattern=_AREA, means=_AREA_MEANS),
        priority=inner.integer("priority", 0, -1_000_000, 1_000_000),
        combines_with=tuple(dict.fromkeys(inner.texts("combines_with", RESOURCES_PER_VENUE_MAX))),
    )
    inner.finish()
    return resource


def _seats(inner: Reader, counts_people: bool) -> tuple[int, int | None]:
    value = inner.value("seats")
    if value is None:
        return 1, None
    if counts_people:
        inner.fault("seats", "a pool that counts people has a capacity and no seats")
        return 1, None
    pair = value if isinstance(value, list | tuple) else [1, value]
    if len(pair) != 2:
        inner.fault("seats", "must be a pair such as [1, 4]: the smallest and the largest party")
        return 1, None
    path = inner.at("seats")
    smallest = inner.whole(path, pair[0], 1, PARTY_MAX)
    largest = inner.whole(path, pair[1], 1, PARTY_MAX)
    if smallest is not None and largest is not None and smallest > largest:
        inner.fault("seats", f"the smallest party ({smallest}) is above the largest ({largest})")
    return smallest or 1, largest


def _allotments(reader: Reader, resources: tuple[Resource, ...]) -> tuple[AllotmentWish, ...]:
    ids = {resource.id for resource in resources}
    wishes: list[AllotmentWish] = []
    for number, item in enumerate(reader.items("allotments", ALLOTMENTS_PER_VENUE_MAX)):
        inner = Reader(item, f"allotments[{number}]", reader.faults)
        holder = inner.text("holder", pattern=_ID, means="the name of a node, or hub")
        wishes.append(
            AllotmentWish(
                holder,
                _patterns(inner, ids),
                inner.optional_integer("quantity", 1, PARTY_MAX),
                inner.optional_integer("release_minutes", 0, _MINUTES_MAX),
            )
        )
        inner.finish()
    return tuple(wishes)


def _overbooking(reader: Reader, resources: tuple[Resource, ...]) -> tuple[OverbookingLimit, ...]:
    ids = {resource.id for resource in resources}
    limits: list[OverbookingLimit] = []
    for number, item in enumerate(reader.items("overbooking", OVERBOOKING_LIMITS_PER_VENUE_MAX)):
        inner = Reader(item, f"overbooking[{number}]", reader.faults)
        patterns = _patterns(inner, ids)
        bounds = [
            None if (value := inner.value(name)) is None else _date(inner, name, value)
            for name in ("from", "until")
        ]
        first, last = bounds
        if first is not None and last is not None and last < first:
            inner.fault("until", f"must not be before from ({first.isoformat()})")
        most = inner.optional_integer("limit", 0, PARTY_MAX)
        if most is None and not inner.has("limit"):
            inner.fault("limit", "is required: how much may be sold beyond the capacity, such as 1")
        limits.append(OverbookingLimit(patterns, most or 0, first, last))
        inner.finish()
    return tuple(limits)


def _patterns(inner: Reader, ids: set[str]) -> tuple[str, ...]:
    """The resources that an entry of a list is about: ids, or patterns."""
    patterns = tuple(inner.texts("resources", RESOURCES_PER_VENUE_MAX))
    if not patterns and not inner.has("resources"):
        inner.fault("resources", "is required: ids or patterns such as T*")
    for place, pattern in enumerate(patterns):
        path = f"resources[{place}]"
        if not _PATTERN.fullmatch(pattern):
            inner.fault(path, f"{pattern!r} is neither an id nor a pattern such as T*")
        elif pattern not in ids and not re.search(r"[*?\[]", pattern):
            # A pattern may wait for resources that come later; a name is a slip of the pen.
            inner.fault(path, f"there is no resource {pattern!r}")
    return patterns
