"""Habits: whether somebody comes again and again on the same day (S-26, S-27).

Owns what a pattern is, and when it would come next. It says what was, and promises nothing. Pure:
the dates on which somebody came, or is to come, and today are arguments.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from itertools import pairwise
from typing import Final, NamedTuple

DATES_MIN: Final = 4
"""So many dates in a row make a pattern (S-26: four Fridays)."""

WEEKLY: Final = "weekly"
BIWEEKLY: Final = "biweekly"
_STEP_DAYS: Final = {WEEKLY: 7, BIWEEKLY: 14}
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NAMES: Final = tuple(f"recurring_{every}_{day}" for every in _STEP_DAYS for day in _DAYS)


class Pattern(NamedTuple):
    """`name` is such as `recurring_weekly_friday`, `dates` how many in a row, `next` the first date
    of it that is to come and stands in no reservation yet."""

    name: str
    dates: int
    next: datetime.date


def pattern(dates: Iterable[datetime.date], today: datetime.date) -> Pattern | None:
    """The pattern that somebody's service dates make up to their latest; None: none.

    Of each weekday the dates count that follow each other without a gap, up to the last of them;
    who has not come for twice the time between two of them has given it up. Of several patterns
    the longest, then the one with the latest date.
    """
    by_day: dict[int, list[datetime.date]] = {}
    for date in sorted(set(dates)):
        by_day.setdefault(date.weekday(), []).append(date)
    found = [
        (row, last, every)
        for own in by_day.values()
        for every, days in _STEP_DAYS.items()
        if (row := _row(own, days)) >= DATES_MIN and (today - (last := own[-1])).days <= 2 * days
    ]
    if not found:
        return None
    row, last, every = max(found)
    step = datetime.timedelta(days=_STEP_DAYS[every])
    coming = last + step
    while coming < today:
        coming += step
    return Pattern(f"recurring_{every}_{_DAYS[last.weekday()]}", row, coming)


def _row(dates: list[datetime.date], days: int) -> int:
    """How many of the last dates are so many days apart."""
    row = 1
    for one, then in pairwise(reversed(dates)):
        if (one - then).days != days:
            break
        row += 1
    return row
