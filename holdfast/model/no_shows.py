"""Who did not come: from when on nobody comes any more, and who is to be marked now.

Owns the moments (FEATURES, F-029: of nights the later of twelve hours after check-in and the next
day's noon; else the venue's time of grace) and the plan. Pure: the reservations, the time and who
holds what are arguments. Marking is a judgement of the house, which asks for it in its venue file,
and which a person may undo.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from typing import Final

from holdfast.model import lifecycle, wall
from holdfast.model.limits import (
    NO_SHOW_CATCH_UP_DAYS,
    NO_SHOW_GRACE_MINUTES,
    NO_SHOW_PATIENCE_HOURS,
)
from holdfast.model.reservation import View
from holdfast.model.venue import Venue

_HOUR: Final = 3_600
_DAY: Final = 24 * _HOUR
_STAY_HOURS: Final = 12
_NOON_MINUTES: Final = 12 * 60
REACH_SECONDS: Final = (NO_SHOW_CATCH_UP_DAYS + 3) * _DAY
"""Nothing that began longer ago than this is due and not too old."""


def due_at(venue: Venue, view: View) -> int:
    """The instant, in epoch seconds, at which who has not come has not shown up."""
    if not view.nights:
        minutes = venue.policies.no_show_grace_minutes
        return view.starts_at + 60 * (NO_SHOW_GRACE_MINUTES if minutes is None else minutes)
    tomorrow = wall.local_date(venue, view.starts_at) + datetime.timedelta(days=1)
    noon = wall.wall_to_epoch(venue, tomorrow, _NOON_MINUTES)
    return max(view.starts_at + _STAY_HOURS * _HOUR, noon)


def plan(
    venue: Venue,
    views: Iterable[View],
    now_s: int,
    mine: Callable[[View], bool],
    heard_s: Callable[[], int | None],
) -> list[View]:
    """Who is to be marked now, in the order given.

    `mine`: whether this replica judges of a reservation. `heard_s` is asked only where somebody is
    due: until when every device has been heard at which guests may have been checked in; None:
    nobody is waited for. What was undone, or was due before NO_SHOW_CATCH_UP_DAYS, is left to a
    person; who is to come at another time is not late.
    """
    if not venue.policies.mark_no_shows:
        return []
    due = [
        (view, at)
        for view in views
        if view.status == lifecycle.CONFIRMED
        and view.kind == "guest"
        and not view.no_show_at_ms
        and view.pending_change is None
        and now_s - NO_SHOW_CATCH_UP_DAYS * _DAY <= (at := due_at(venue, view)) <= now_s
        and mine(view)
    ]
    heard = heard_s() if due else None
    return [
        view
        for view, at in due
        if heard is None or heard >= at or now_s >= at + NO_SHOW_PATIENCE_HOURS * _HOUR
    ]
