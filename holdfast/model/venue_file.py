"""The reading of a venue file: from plain values to a `Venue`, with every fault named.

Owns which fields there are, their bounds and what they mean to each other; those of `policies`
stand in `policies_file`, those of its resources in `resources_file`, those of periods in
`periods_file`. What a venue is stands in
`venue`; use `venue.parse_venue`.
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
    GUEST_WORDS_PER_VENUE_MAX,
    NAME_CHARS_MAX,
    NIGHTS_MAX,
    OVERBOOKING_LIMITS_PER_VENUE_MAX,
    PARTY_MAX,
)
from holdfast.model.periods_file import read_blackouts, read_date, read_slot_overrides
from holdfast.model.policies_file import MINUTES_MAX, read_policies
from holdfast.model.profile_file import read_check_in, read_profile
from holdfast.model.reading import Faults, Reader, shown
from holdfast.model.resources_file import ID, read_floors, read_patterns, read_resources
from holdfast.model.venue import (
    DAY_MINUTES,
    AllotmentWish,
    GuestWords,
    OverbookingLimit,
    Resource,
    Span,
    Stays,
    Venue,
)
from holdfast.model.vocabulary import VENUE_KINDS, WEEKDAYS

_VENUE_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_CLOCK: Final = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")
_ACCOUNT_MEANS: Final = "an id: letters, digits and - _ . (64 at most)"
_GUEST_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_GUEST_WORD_MEANS: Final = "a word of a-z, 0-9 and _ that begins with a letter (32 at most)"


def read(document: Mapping[str, Any]) -> Venue:
    """See `venue.parse_venue`."""
    faults = Faults()
    reader = Reader(document, "", faults)
    venue_id = reader.text("venue", pattern=_VENUE_ID, means="an id: a-z 0-9 -")
    kind = reader.text("kind", one_of=VENUE_KINDS)
    floors = read_floors(reader)
    resources = read_resources(reader, floors)
    seating, day_starts_at = _seating(reader), _day_start(reader)
    policies = read_policies(reader, seating, kind)
    venue = Venue(
        id=venue_id,
        name=reader.text("name", chars_max=NAME_CHARS_MAX),
        kind=kind,
        time_zone=_time_zone(reader),
        resources=resources,
        day_starts_at=day_starts_at,
        slot_minutes=reader.integer("slot_minutes", 15, 1, DAY_MINUTES),
        seating=seating,
        buffer_minutes=reader.integer("buffer_minutes", 0, 0, DAY_MINUTES),
        hours=_hours(reader),
        closed=_closed(reader),
        covers_per_slot=reader.optional_integer("covers_per_slot", 1, PARTY_MAX),
        stays=_stays(reader, kind),
        policies=policies,
        allotments=_allotments(reader, resources),
        overbooking=_overbooking(reader, resources),
        guests=_guests(reader),
        blackouts=read_blackouts(reader, resources, day_starts_at),
        accepting=reader.flag("accepting", True),
        featured=reader.flag("featured", False),
        floors=floors,
        profile=read_profile(reader),
        check_in=read_check_in(reader),
        business_account=reader.text("business_account", "", pattern=ID, means=_ACCOUNT_MEANS),
        slot_overrides=read_slot_overrides(reader, policies, day_starts_at),
        covers_at_once=reader.optional_integer("covers_at_once", 1, PARTY_MAX),
        active=reader.flag("active", True),
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
        minutes = reader.whole(path, value, 1, MINUTES_MAX)
        return default if minutes is None else ((1, minutes),)
    by_party: dict[int, int] = {}
    for key, entry in value.items():
        here = f"{path}.{key}"
        # JSON knows no numbers as keys.
        number = int(key) if isinstance(key, str) and re.fullmatch(r"\d{1,6}", key) else key
        party = reader.whole(here, number, 1, PARTY_MAX)
        minutes = reader.whole(here, entry, 1, MINUTES_MAX)
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
        day = read_date(reader, f"closed[{number}]", value)
        if day is not None:
            days.add(day)
    return tuple(sorted(days))


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


def _allotments(reader: Reader, resources: tuple[Resource, ...]) -> tuple[AllotmentWish, ...]:
    ids = {resource.id for resource in resources}
    wishes: list[AllotmentWish] = []
    for number, item in enumerate(reader.items("allotments", ALLOTMENTS_PER_VENUE_MAX)):
        inner = Reader(item, f"allotments[{number}]", reader.faults)
        holder = inner.text("holder", pattern=ID, means="the name of a node, or hub")
        wishes.append(
            AllotmentWish(
                holder,
                read_patterns(inner, ids),
                inner.optional_integer("quantity", 1, PARTY_MAX),
                inner.optional_integer("release_minutes", 0, MINUTES_MAX),
            )
        )
        inner.finish()
    return tuple(wishes)


def _guests(reader: Reader) -> GuestWords:
    inner = reader.inner("guests")
    if inner is None:
        return GuestWords()
    found: dict[str, tuple[str, ...]] = {}
    for name in ("tiers", "tags"):
        words = inner.texts(name, GUEST_WORDS_PER_VENUE_MAX)
        for number, word in enumerate(words):
            if not _GUEST_WORD.fullmatch(word):
                inner.fault(f"{name}[{number}]", f"{shown(word)} is not {_GUEST_WORD_MEANS}")
        found[name] = tuple(dict.fromkeys(words))
    inner.finish()
    return GuestWords(**found)


def _overbooking(reader: Reader, resources: tuple[Resource, ...]) -> tuple[OverbookingLimit, ...]:
    ids = {resource.id for resource in resources}
    limits: list[OverbookingLimit] = []
    for number, item in enumerate(reader.items("overbooking", OVERBOOKING_LIMITS_PER_VENUE_MAX)):
        inner = Reader(item, f"overbooking[{number}]", reader.faults)
        patterns = read_patterns(inner, ids)
        bounds = [
            None if (value := inner.value(name)) is None else read_date(inner, name, value)
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
