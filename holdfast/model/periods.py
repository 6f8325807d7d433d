"""When a period of the venue file begins and ends, as instants.

Owns what its bounds mean: a day is one of the venue's own, from `day_starts_at` on, and for nights
the night of that date. What is not done in a period is its owner's business (`rules.blackouts`,
`slot_overrides`). Instants are epoch seconds, UTC. Pure.
"""

from __future__ import annotations

import datetime
from typing import Final

from holdfast.model import calendar
from holdfast.model.venue import Bound, Venue

_ONE_DAY: Final = datetime.timedelta(days=1)


def period(venue: Venue, first: Bound, last: Bound, *, nights: bool = False) -> tuple[int, int]:
    """[first instant, first instant after it); a last day is in it, a last time is not. `nights`:
    as a stay meets it."""
    after = Bound(last.day + _ONE_DAY) if last.minutes is None else last
    return _instant(venue, first, nights), _instant(venue, after, nights)


def _instant(venue: Venue, bound: Bound, nights: bool) -> int:
    if bound.minutes is not None:
        return calendar.wall_to_epoch(venue, bound.day, bound.minutes)
    if nights and venue.stays is not None:
        return calendar.wall_to_epoch(venue, bound.day, venue.stays.check_in)
    return calendar.wall_to_epoch(venue, bound.day, venue.day_starts_at)
