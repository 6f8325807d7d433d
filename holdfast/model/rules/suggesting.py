"""Where to look for something that the rules allow, when they refuse what was asked for.

Owns the order of looking alone: which days, and for how long. What is free there, and whether it
breaks no rule, is asked of each start in turn by who knows what is occupied (`node.offering`).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Final, NamedTuple

from holdfast.model import calendar
from holdfast.model.rules.question import Question
from holdfast.model.rules.sizes import allowed_minutes
from holdfast.model.rules.times import last_day

DAYS_AROUND: Final = 31
"""How many days before and after are looked at: a house that closes for a month is the longest."""


class Search(NamedTuple):
    """Service dates in the order of looking, those at one distance together, and the length to look
    for: minutes, or nights."""

    days: tuple[tuple[datetime.date, ...], ...]
    minutes: int | None
    nights: int | None


def search(question: Question) -> Search:
    """Where to look for an alternative to a proposal: from its own day outwards, as far as the
    rules about days let it, for the nearest length that the venue allows."""
    venue, nights = question.venue, question.proposal.nights
    minutes = None if nights is not None else allowed_minutes(question)
    if nights is not None and venue.stays is not None:
        nights = max(1, min(nights, venue.stays.max_nights))
    return Search(_days(question), minutes, nights)


def _days(question: Question) -> tuple[tuple[datetime.date, ...], ...]:
    today = calendar.service_date(question.venue, question.now_s)
    last = last_day(question)
    wanted = max(today, calendar.service_date(question.venue, question.proposal.starts_at))
    if last is not None:
        wanted = min(wanted, last)
    found: list[tuple[datetime.date, ...]] = [(wanted,)]
    for distance in range(1, DAYS_AROUND + 1):
        away = datetime.timedelta(days=distance)
        around = (wanted - away, wanted + away)
        found.append(tuple(day for day in around if today <= day and (last is None or day <= last)))
    return tuple(days for days in found if days)


def chosen(starts: Iterable[int], wanted: int, count: int) -> list[int]:
    """So many of the starts that can be had, in order of time: the nearest before and the nearest
    after, and then the next nearest."""
    near = sorted(starts, key=lambda start: (abs(start - wanted), start))
    sides = [
        next((start for start in near if start <= wanted), None),
        next((start for start in near if start > wanted), None),
    ]
    first = [start for start in sides if start is not None]
    others = [start for start in near if start not in first]
    return sorted([*first, *others][:count])
