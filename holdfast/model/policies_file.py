"""The reading of a venue file's `policies`, with every fault named.

Owns their keys, their bounds and what they mean to each other. What a policy does stands in
`rules`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from holdfast.model.approval import CONFIRMATIONS, INSTANT
from holdfast.model.limits import (
    CONCURRENT_MAX,
    GROUPS_PER_VENUE_MAX,
    HOLD_MINUTES_MAX,
    PARTY_MAX,
    RATE_MAX,
    RESCHEDULES_MAX,
)
from holdfast.model.reading import Reader, shown
from holdfast.model.venue import DAY_MINUTES, PersonLimits, Policies, Rates

# The longest length or notice that a field may hold: a year, which no venue has a use for beyond.
MINUTES_MAX: Final = 366 * DAY_MINUTES
_DAYS_MAX: Final = 3_660
_GROUP: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
"""A tier or tag, as it stands in the profile of a person."""

Seating = tuple[tuple[int, int], ...]


def read_policies(reader: Reader, seating: Seating, kind: str) -> Policies:
    """The policies of a venue file, which need to fit its default lengths."""
    inner = reader.inner("policies")
    if inner is None:
        return Policies()
    of_everybody = _limits(inner)
    policies = Policies(
        advance_days=of_everybody.advance_days,
        cutoff_minutes=inner.integer("cutoff_minutes", 0, 0, MINUTES_MAX),
        min_party=inner.integer("min_party", 1, 1, PARTY_MAX),
        max_party=inner.optional_integer("max_party", 1, PARTY_MAX),
        hold_minutes=inner.integer("hold_minutes", 15, 1, HOLD_MINUTES_MAX),
        cancel_cutoff_minutes=inner.optional_integer("cancel_cutoff_minutes", 0, MINUTES_MAX),
        min_minutes=inner.optional_integer("min_minutes", 1, MINUTES_MAX),
        max_minutes=inner.optional_integer("max_minutes", 1, MINUTES_MAX),
        concurrent=of_everybody.concurrent,
        max_reschedules=of_everybody.max_reschedules,
        rates=_rates(inner),
        waitlist_offer_minutes=inner.optional_integer(
            "waitlist_offer_minutes", 1, HOLD_MINUTES_MAX
        ),
        mark_no_shows=inner.flag("mark_no_shows", False),
        no_show_grace_minutes=inner.optional_integer("no_show_grace_minutes", 0, DAY_MINUTES),
        reserved_minutes=inner.optional_integer("reserved_minutes", 0, DAY_MINUTES),
        cleaning_minutes=inner.optional_integer("cleaning_minutes", 0, DAY_MINUTES),
        tiers=_groups(inner, "tiers", of_everybody),
        tags=_groups(inner, "tags", of_everybody),
        confirmation=_confirmation(inner),
    )
    if policies.max_party is not None and policies.max_party < policies.min_party:
        inner.fault("max_party", f"is below min_party ({policies.min_party})")
    if policies.no_show_grace_minutes is not None and not policies.mark_no_shows:
        inner.fault("no_show_grace_minutes", "does nothing without mark_no_shows: true")
    if policies.waitlist_offer_minutes is not None and kind == "lodging":
        inner.fault("waitlist_offer_minutes", "does nothing: for nights there is no waitlist")
    _check_lengths(inner, policies, seating if kind != "lodging" else ())
    inner.finish()
    return policies


def _limits(inner: Reader) -> PersonLimits:
    return PersonLimits(
        inner.optional_integer("advance_days", 0, _DAYS_MAX),
        inner.optional_integer("concurrent", 1, CONCURRENT_MAX),
        inner.optional_integer("max_reschedules", 0, RESCHEDULES_MAX),
    )


def _confirmation(inner: Reader) -> str:
    value = inner.value("confirmation")
    if value is None or value in CONFIRMATIONS:
        return value or INSTANT
    inner.fault("confirmation", f"must be {' or '.join(CONFIRMATIONS)}, not {shown(value)}")
    return INSTANT


def _check_lengths(inner: Reader, policies: Policies, seating: Seating) -> None:
    """Who says no length has the default one, which nobody could reserve beyond the bounds."""
    least, most = policies.min_minutes, policies.max_minutes
    if least is not None and most is not None and most < least:
        inner.fault("max_minutes", f"is below min_minutes ({least})")
        return
    shortest = min((minutes for _, minutes in seating), default=None)
    longest = max((minutes for _, minutes in seating), default=None)
    if least is not None and shortest is not None and shortest < least:
        inner.fault(
            "min_minutes",
            f"is above seating_minutes ({shortest}), the length of who says none; raise that too",
        )
    if most is not None and longest is not None and longest > most:
        inner.fault(
            "max_minutes",
            f"is below seating_minutes ({longest}), the length of who says none; lower that too",
        )


def _rates(inner: Reader) -> Rates | None:
    rates = inner.inner("rates")
    if rates is None:
        return None
    found = Rates(*(rates.optional_integer(name, 1, RATE_MAX) for name in Rates.__struct_fields__))
    rates.finish()
    return found if found != Rates() else None


def _groups(
    inner: Reader, name: str, of_everybody: PersonLimits
) -> tuple[tuple[str, PersonLimits], ...]:
    """Tiers or tags, by name: their names are the venue's own."""
    value = inner.value(name)
    if value is None:
        return ()
    path = inner.at(name)
    if not isinstance(value, Mapping):
        inner.faults.add(path, f"must be an object, not {shown(value)}")
        return ()
    if len(value) > GROUPS_PER_VENUE_MAX:
        inner.faults.add(path, f"has {len(value)} names, {GROUPS_PER_VENUE_MAX} at most")
        return ()
    found: dict[str, PersonLimits] = {}
    for group, row in value.items():
        if not isinstance(group, str) or not _GROUP.fullmatch(group):
            inner.faults.add(f"{path}.{group}", f"{shown(group)} is no name: a-z 0-9 - _ .")
            continue
        reader = Reader(row, f"{path}.{group}", inner.faults)
        found[group] = _limits(reader)
        _check_generous(reader, found[group], of_everybody)
        reader.finish()
    return tuple(sorted(found.items()))


def _check_generous(reader: Reader, limits: PersonLimits, of_everybody: PersonLimits) -> None:
    """The most that anybody has counts: what is no more than everybody's would do nothing."""
    for name in PersonLimits.__struct_fields__:
        own, has = getattr(limits, name), getattr(of_everybody, name)
        if own is None:
            continue
        if has is None:
            reader.fault(name, f"does nothing: without policies.{name} nobody is limited")
        elif own < has:
            reader.fault(name, f"is below policies.{name} ({has}), which everybody has")
