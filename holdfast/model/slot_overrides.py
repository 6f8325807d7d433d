"""What the venue file says of some slots and not of others: closed, for smaller parties, for fewer.

Owns which of its `slot_overrides` counts at an instant, and what may begin there because of it
(feature H-23). It is about the beginning alone: who began before may stay. Whom it binds stands in
`rules.slots`, how full a slot is in `slots`. Nights have no slots. Pure.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from holdfast.model import calendar
from holdfast.model.limits import CALENDAR_ENTRIES_IN_MEMORY
from holdfast.model.periods import period
from holdfast.model.venue import SlotOverride, Venue

NORMAL: Final = "normal"
"""The kind of override at which guests may begin; at all others none may."""


def override_at(venue: Venue, epoch_s: int) -> SlotOverride | None:
    """The override of the slot that an instant falls in (`calendar.slot_of`): the first of the file
    in whose period the slot begins. So all that begins within one slot is told the same."""
    if not venue.slot_overrides:
        return None
    start, _ = calendar.slot_of(venue, epoch_s)
    for first, after, override in _periods(venue):
        if first <= start < after:
            return override
    return None


def is_closed(override: SlotOverride | None) -> bool:
    """Whether guests may not begin in the slots of an override."""
    return override is not None and override.kind != NORMAL


def limits_covers(venue: Venue) -> bool:
    """Whether a venue limits the covers of any slot."""
    return venue.covers_per_slot is not None or any(
        one.covers_per_slot is not None for one in venue.slot_overrides
    )


def covers_limit(venue: Venue, epoch_s: int) -> int | None:
    """How many people may begin in the slot of an instant, as its override says it, else the venue;
    None: not limited. It binds the house too, so it stands in a closed slot as well."""
    override = override_at(venue, epoch_s)
    if override is not None and override.covers_per_slot is not None:
        return override.covers_per_slot
    return venue.covers_per_slot


def party_limits(venue: Venue, epoch_s: int) -> tuple[int, int | None]:
    """The smallest and the largest party that may begin in the slot of an instant: an override
    narrows what the policies say, and widens nothing. None: not limited."""
    least, most = venue.policies.min_party, venue.policies.max_party
    override = override_at(venue, epoch_s)
    if override is None:
        return least, most
    bounds = [bound for bound in (most, override.max_party) if bound is not None]
    return max(least, override.min_party or least), min(bounds, default=None)


@lru_cache(maxsize=CALENDAR_ENTRIES_IN_MEMORY)
def _periods(venue: Venue) -> tuple[tuple[int, int, SlotOverride], ...]:
    return tuple((*period(venue, one.first, one.last), one) for one in venue.slot_overrides)
