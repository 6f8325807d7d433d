"""The reading of the dates and periods of a venue file, with every fault named.

Owns their forms: a date, or a time of the venue, as a bound; and the fields of what is said of a
period. What a period does stands in `rules`.
"""

from __future__ import annotations

import datetime
import re
from typing import Final

from holdfast.model.limits import (
    BLACKOUTS_PER_VENUE_MAX,
    NAME_CHARS_MAX,
    PARTY_MAX,
    SLOT_OVERRIDES_PER_VENUE_MAX,
    YEAR_MAX,
    YEAR_MIN,
)
from holdfast.model.reading import Reader, shown
from holdfast.model.resources_file import read_patterns
from holdfast.model.slot_overrides import NORMAL
from holdfast.model.venue import DAY_MINUTES, Blackout, Bound, Policies, Resource, SlotOverride
from holdfast.model.vocabulary import SLOT_KINDS

_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ]([01]\d|2[0-3]):([0-5]\d)(:00)?")


def read_blackouts(
    reader: Reader, resources: tuple[Resource, ...], day_starts_at: int
) -> tuple[Blackout, ...]:
    ids = {resource.id for resource in resources}
    found: list[Blackout] = []
    for number, item in enumerate(reader.items("blackouts", BLACKOUTS_PER_VENUE_MAX)):
        inner = Reader(item, f"blackouts[{number}]", reader.faults)
        bounds = _period(inner, day_starts_at)
        name = inner.text("name", chars_max=NAME_CHARS_MAX)
        patterns = read_patterns(inner, ids, required=False)
        inner.finish()
        if bounds is not None:
            found.append(Blackout(*bounds, name, patterns))
    return tuple(found)


def read_slot_overrides(
    reader: Reader, policies: Policies, day_starts_at: int
) -> tuple[SlotOverride, ...]:
    """What the file says of single slots, which needs to fit the policies of the venue."""
    found: list[SlotOverride] = []
    items = reader.items("slot_overrides", SLOT_OVERRIDES_PER_VENUE_MAX)
    for number, item in enumerate(items):
        inner = Reader(item, f"slot_overrides[{number}]", reader.faults)
        bounds = _period(inner, day_starts_at)
        kind = inner.text("kind", one_of=SLOT_KINDS)
        least = inner.optional_integer("min_party", 1, PARTY_MAX)
        most = inner.optional_integer("max_party", 1, PARTY_MAX)
        covers = inner.optional_integer("covers_per_slot", 1, PARTY_MAX)
        inner.finish()
        _check_parties(inner, kind, least, most, policies)
        if bounds is not None:
            found.append(SlotOverride(*bounds, kind, least, most, covers))
    return tuple(found)


def _check_parties(
    inner: Reader, kind: str, least: int | None, most: int | None, policies: Policies
) -> None:
    """An override narrows what the policies say: what is wider would do nothing."""
    if kind and kind != NORMAL:
        for name in ("min_party", "max_party"):
            if inner.has(name):
                inner.fault(name, f"does nothing: where it is {kind}, no guests begin")
        return
    if least is not None and least < policies.min_party:
        inner.fault(
            "min_party", f"is below policies.min_party ({policies.min_party}), which holds anyway"
        )
    if most is not None and policies.max_party is not None and most > policies.max_party:
        inner.fault(
            "max_party", f"is above policies.max_party ({policies.max_party}), which holds anyway"
        )
    smallest = max(policies.min_party, least or 1)
    if most is not None and most < smallest:
        inner.fault("max_party", f"is below the smallest party ({smallest})")
    elif least is not None and policies.max_party is not None and least > policies.max_party:
        inner.fault("min_party", f"is above policies.max_party ({policies.max_party})")


def _period(inner: Reader, day_starts_at: int) -> tuple[Bound, Bound] | None:
    """`from` and `to`; None after reporting a fault."""
    first, last = _bound(inner, "from"), _bound(inner, "to")
    if first is None or last is None:
        return None
    if _is_empty(first, last, day_starts_at):
        inner.fault("to", f"must be after from ({shown(inner.value('from'))})")
        return None
    return first, last


def _bound(inner: Reader, name: str) -> Bound | None:
    """A day, or a time on the venue's wall; None after reporting a fault."""
    value = inner.required(name)
    # YAML reads an unquoted 2026-12-24 18:00:00 as a time, and as one of UTC where it ends in Z.
    if isinstance(value, datetime.datetime) and value.tzinfo is None:
        value = value.isoformat()
    match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if match is None and isinstance(value, str) and len(value) > len("2026-12-24"):
        inner.fault(
            name, f"{shown(value)} is neither a date nor a time of the venue: 2026-12-24T18:00"
        )
        return None
    day = None if value is None else read_date(inner, name, match[1] if match else value)
    if day is not None and not YEAR_MIN <= day.year <= YEAR_MAX:
        inner.fault(name, f"the year of {day} is not from {YEAR_MIN} to {YEAR_MAX}")
        return None
    minutes = int(match[2]) * 60 + int(match[3]) if match else None
    return None if day is None else Bound(day, minutes)


def _is_empty(first: Bound, last: Bound, day_starts_at: int) -> bool:
    """Whether a period ends before it begins, on the clock of the wall."""
    begins = first.minutes if first.minutes is not None else day_starts_at
    ends = last.minutes if last.minutes is not None else DAY_MINUTES + day_starts_at
    return (last.day - first.day).days * DAY_MINUTES + ends <= begins


def read_date(reader: Reader, name: str, value: object) -> datetime.date | None:
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
